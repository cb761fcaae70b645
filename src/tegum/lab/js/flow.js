// The gradient flow dy/dt = -F(y) by the Runge-Kutta-Chebyshev method of second order: explicit, with as many stages as the step
// is stiff, made for slopes whose derivative is symmetric.
//
// Source: Sommeijer, Shampine and Verwer, "RKC: an explicit solver for parabolic PDEs" (1998).

const DAMPING = 2 / 13, MOST_STAGES = 16, TOLERANCE = 5e-4, SAFETY = 1.15, NUDGE = 1e-6, ATTEMPTS = 10, MEASURE_EVERY = 6;

/** @typedef {{ loss: number, error: number }} Found */
/** @typedef {(y: Float64Array, slopes: Float64Array) => Found} Slope what gives F and says the loss */

/** The coefficients of a step of s stages. @param {number} s */
function chebyshev(s) {
  const w0 = 1 + DAMPING / s ** 2;
  const T = [1, w0], D = [0, 1], E = [0, 0]; // T_j(w0) and its first two derivatives
  for (let j = 2; j <= s; j++) {
    T.push(2 * w0 * T[j - 1] - T[j - 2]);
    D.push(2 * T[j - 1] + 2 * w0 * D[j - 1] - D[j - 2]);
    E.push(4 * D[j - 1] + 2 * w0 * E[j - 1] - E[j - 2]);
  }
  const b = T.map((_, j) => E[Math.max(j, 2)] / D[Math.max(j, 2)] ** 2);
  return { w0, w1: D[s] / E[s], b, a: T.map((one, j) => 1 - b[j] * one) };
}

const tables = Array.from({ length: MOST_STAGES + 1 }, (_, s) => (s < 2 ? null : chebyshev(s)));

export class Flow {
  /** @param {number} size @param {number} most stages of a step */
  constructor(size, most) {
    this.most = Math.min(most, MOST_STAGES);
    this.stride = 0.1;
    this.direction = Float64Array.from({ length: size }, (_, i) => 1 + ((7 * i) % 5)); // of the largest curvature, so far
    this.curvature = 0;
    this.count = 0;
    /** @type {Float64Array | null} */
    this.slopes = null;
    this.buffers = Array.from({ length: 5 }, () => new Float64Array(size));
  }

  /** Something else moved: slopes are to be asked for again. */
  wake() {
    this.slopes = null;
    this.count = 0;
    this.stride = Math.min(this.stride, 1);
  }

  /** Moves y by one step, at most so long; says how long it was, and what was found at its end.
   * @param {Float64Array} y @param {Slope} slope @param {number} longest */
  step(y, slope, longest) {
    const first = this.slopes ?? new Float64Array(y.length);
    if (!this.slopes) slope(y, first);
    if (this.count++ % MEASURE_EVERY === 0) this.measureCurvature(y, first, slope);
    for (let attempt = 1; ; attempt++) {
      const within = (this.most ** 2 - 1) / 1.54 / Math.max(this.curvature, 1e-12);
      const h = Math.min(this.stride, longest, within);
      const stages = Math.min(this.most, Math.max(2, Math.ceil(Math.sqrt(1 + 1.54 * h * this.curvature))));
      const end = this.stages(y, first, slope, h, stages), last = new Float64Array(y.length);
      const found = slope(end, last);
      let error = 0;
      for (let i = 0; i < y.length; i++) error = Math.max(error, Math.abs(0.8 * (y[i] - end[i]) - 0.4 * h * (first[i] + last[i])));
      const growth = Number.isFinite(error) ? Math.min(3, Math.max(0.2, 0.8 * Math.cbrt(TOLERANCE / (error || 1e-12)))) : 0.2;
      if (error <= TOLERANCE || attempt === ATTEMPTS) {
        if (h >= this.stride || growth < 1) this.stride = h * growth;
        y.set(end);
        this.slopes = last;
        return { h, found };
      }
      this.stride = h * growth;
    }
  }

  /** @param {Float64Array} y @param {Float64Array} first @param {Slope} slope @param {number} h @param {number} s */
  stages(y, first, slope, h, s) {
    const { w0, w1, b, a } = /** @type {NonNullable<ReturnType<typeof chebyshev>>} */ (tables[s]);
    let [before, last, next, slopes] = this.buffers;
    before.set(y);
    for (let i = 0; i < y.length; i++) last[i] = y[i] - b[1] * w1 * h * first[i];
    for (let j = 2; j <= s; j++) {
      const mu = (2 * b[j] * w0) / b[j - 1], nu = -b[j] / b[j - 2], push = ((2 * b[j] * w1) / b[j - 1]) * h;
      slope(last, slopes);
      for (let i = 0; i < y.length; i++)
        next[i] = (1 - mu - nu) * y[i] + mu * last[i] + nu * before[i] - push * (slopes[i] - a[j - 1] * first[i]);
      [before, last, next] = [last, next, before];
    }
    return last;
  }

  /** The largest curvature, by a step of the power method along the direction of the last one.
   * @param {Float64Array} y @param {Float64Array} first @param {Slope} slope */
  measureCurvature(y, first, slope) {
    const { direction } = this, at = this.buffers[4], slopes = this.buffers[3];
    for (let round = this.curvature ? 1 : 3; round > 0; round--) {
      const size = NUDGE / (norm(direction) || 1);
      for (let i = 0; i < y.length; i++) at[i] = y[i] + size * direction[i];
      slope(at, slopes);
      for (let i = 0; i < y.length; i++) direction[i] = (slopes[i] - first[i]) / NUDGE;
      const found = SAFETY * norm(direction);
      this.curvature = found > this.curvature ? found : 0.9 * this.curvature + 0.1 * found;
      if (!(found > 0)) direction.fill(1);
    }
  }
}

/** @param {Float64Array} vector */
export function norm(vector) {
  let sum = 0;
  for (const one of vector) sum += one * one;
  return Math.sqrt(sum);
}
