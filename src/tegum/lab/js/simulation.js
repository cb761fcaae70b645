// A model that moves: down the gradient flow of its exact loss, by Adam on the exact loss, or by Adam on samples.

import { distributionOf, sampleInto } from "./distribution.js";
import { EXACT, gram, inTerms, Loss } from "./loss.js";
import { Random } from "./random.js";
import { shapesOf } from "./shapes.js";

/** @typedef {import("./address.js").State} State */

/**
 * What the page draws.
 * @typedef {object} Frame
 * @property {Float64Array} W
 * @property {Float64Array} b
 * @property {number} loss
 * @property {number} error of the loss, estimated
 * @property {boolean} exact whether all digits were asked for
 * @property {number} slope the norm of the gradient of what is minimised
 * @property {number} time of the flow, or steps
 * @property {boolean} resting whether nothing moves any more
 * @property {import("./shapes.js").Shapes} shapes
 */

const AT_REST = 1e-7, TOLERANCE = 2e-4, BETA_1 = 0.9, BETA_2 = 0.999, EPSILON = 1e-8, MOST_TIME = 1e9;
const LARGEST_WEIGHT = 1e3;

/** How many terms a moving model is given: what a frame has time for.
 * @param {number} n */
export function termsFor(n) {
  return n <= 8 ? 64 : n <= 24 ? 32 : 16;
}

export class Simulation {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    this.random = new Random(state.seed, 1);
    this.samples = new Float64Array(0);
    this.set(state);
  }

  /** Another setting; the weights stay where there are as many, and none are given.
   * @param {State} state */
  set(state) {
    const sameSize = this.W !== undefined && this.state.n === state.n && this.state.m === state.m;
    const before = this.state;
    this.state = state;
    this.loss = new Loss(distributionOf(state), state.net === "relu");
    this.effort = inTerms(termsFor(state.n));
    if (state.W) {
      this.W = state.W.slice();
      this.b = state.b ? state.b.slice() : new Float64Array(state.n);
      this.begin();
    } else if (!sameSize || before.seed !== state.seed) this.reset();
    if (!state.bias) this.b?.fill(0);
    if (before.how !== state.how) this.begin();
    this.wake();
  }

  /** Initial weights of the seed, as Xavier and Glorot draw them, and b = 0. */
  reset() {
    const { n, m, seed } = this.state, random = new Random(seed);
    const spread = Math.sqrt(2 / (n + m));
    this.W = Float64Array.from({ length: n * m }, () => spread * random.normal());
    this.b = new Float64Array(n);
    this.begin();
  }

  /** Forgets how it came here. */
  begin() {
    const { n, m, seed } = this.state;
    this.random = new Random(seed, 1);
    this.time = 0;
    this.first = new Float64Array(n * m + n);
    this.second = new Float64Array(n * m + n);
    this.adamSteps = 0;
    this.wake();
  }

  /** Something changed from outside: what was known of slopes holds no more. */
  wake() {
    this.stride = 0.1;
    this.slopes = null;
    this.resting = false;
    this.held = this.held ?? -1;
    this.shapes = null;
  }

  /** Puts a feature somewhere and holds it there; -1 lets go.
   * @param {number} i @param {number[] | null} place */
  hold(i, place) {
    this.held = i;
    if (place) for (let k = 0; k < this.state.m; k++) this.W[k * this.state.n + i] = place[k];
    this.wake();
  }

  /** The loss with its penalties and the gradient of both, at W and b.
   * @param {Float64Array} W @param {Float64Array} b @param {Float64Array} out */
  objective(W, b, out) {
    const { n, m, l2, interference } = this.state;
    const dW = out.subarray(0, n * m), db = out.subarray(n * m);
    const found = this.loss.withGradient(W, b, m, this.effort, dW, db);
    this.addPenalties(W, dW, l2, interference);
    this.bind(dW, db);
    return found;
  }

  /** @param {Float64Array} W @param {Float64Array} dW @param {number} l2 @param {number} interference */
  addPenalties(W, dW, l2, interference) {
    const { n, m } = this.state;
    if (l2) for (let k = 0; k < W.length; k++) dW[k] += 2 * l2 * W[k];
    if (!interference) return;
    const G = gram(W, m, n);
    for (let k = 0; k < m; k++)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) if (i !== j) dW[k * n + i] += 4 * interference * W[k * n + j] * G[i * n + j];
  }

  /** What may not move has no slope: biases that are off, a feature that is held.
   * @param {Float64Array} dW @param {Float64Array} db */
  bind(dW, db) {
    const { n, m, bias } = this.state;
    if (!bias) db.fill(0);
    if (this.held < 0) return;
    for (let k = 0; k < m; k++) dW[k * n + this.held] = 0;
  }

  /** Moves on for some time of the flow or some steps, or until the milliseconds are over.
   * @param {number} amount @param {number} milliseconds */
  advance(amount, milliseconds) {
    const until = performance.now() + milliseconds;
    const end = Math.min(this.time + amount, MOST_TIME);
    while (this.time < end && !this.resting) {
      if (this.state.how === "flow") this.flowStep(end - this.time);
      else this.adamStep();
      if (performance.now() > until) break;
    }
  }

  /** One step, of Adam or of the flow's own length. */
  single() {
    if (this.state.how === "flow") this.flowStep(Infinity);
    else this.adamStep();
  }

  /** One step of Bogacki and Shampine's pair of orders 3 and 2, whose length keeps the error of a step below a tolerance.
   * @param {number} longest */
  flowStep(longest) {
    const size = this.W.length + this.b.length, split = this.W.length;
    const y = new Float64Array(size);
    y.set(this.W);
    y.set(this.b, split);
    const at = new Float64Array(size);
    const slope = () => new Float64Array(size);
    const k1 = this.slopes ?? slope();
    if (!this.slopes) this.last = this.objective(this.W, this.b, k1);
    this.slope = norm(k1);
    if (this.held < 0 && this.slope < AT_REST) {
      this.resting = true;
      return;
    }
    const [k2, k3, k4] = [slope(), slope(), slope()];
    for (let attempt = 0; attempt < 12; attempt++) {
      const h = Math.min(this.stride, longest);
      for (let i = 0; i < size; i++) at[i] = y[i] - (h / 2) * k1[i];
      this.objective(at.subarray(0, split), at.subarray(split), k2);
      for (let i = 0; i < size; i++) at[i] = y[i] - ((3 * h) / 4) * k2[i];
      this.objective(at.subarray(0, split), at.subarray(split), k3);
      for (let i = 0; i < size; i++) at[i] = y[i] - h * ((2 / 9) * k1[i] + (1 / 3) * k2[i] + (4 / 9) * k3[i]);
      const found = this.objective(at.subarray(0, split), at.subarray(split), k4);
      let error = 0;
      for (let i = 0; i < size; i++)
        error = Math.max(error, h * Math.abs((-5 / 72) * k1[i] + k2[i] / 12 + k3[i] / 9 - k4[i] / 8));
      const fits = error <= TOLERANCE;
      const growth = Number.isFinite(error) ? Math.min(4, Math.max(0.2, 0.9 * Math.cbrt(TOLERANCE / (error || 1e-12)))) : 0.2;
      if (fits || attempt === 11) {
        this.accept(at, k4, found, h);
        if (h === this.stride || growth < 1) this.stride = h * growth;
        return;
      }
      this.stride = h * growth;
    }
  }

  /** @param {Float64Array} at @param {Float64Array} slopes @param {{ loss: number, error: number }} found @param {number} h */
  accept(at, slopes, found, h) {
    this.W.set(at.subarray(0, this.W.length));
    this.b.set(at.subarray(this.W.length));
    this.slopes = slopes;
    this.slope = norm(slopes);
    this.last = found;
    this.time += h;
    this.shapes = null;
  }

  /** One step of Adam on the exact loss, or on the loss of new samples. */
  adamStep() {
    const size = this.W.length + this.b.length, split = this.W.length, slopes = new Float64Array(size);
    if (this.state.how === "adam") this.last = this.objective(this.W, this.b, slopes);
    else {
      this.sampledSlopes(slopes.subarray(0, split), slopes.subarray(split));
      this.addPenalties(this.W, slopes.subarray(0, split), this.state.l2, this.state.interference);
      this.bind(slopes.subarray(0, split), slopes.subarray(split));
      this.last = null;
    }
    this.adamSteps++;
    const one = 1 - BETA_1 ** this.adamSteps, two = 1 - BETA_2 ** this.adamSteps;
    for (let i = 0; i < size; i++) {
      this.first[i] = BETA_1 * this.first[i] + (1 - BETA_1) * slopes[i];
      this.second[i] = BETA_2 * this.second[i] + (1 - BETA_2) * slopes[i] * slopes[i];
      const move = (this.state.rate * (this.first[i] / one)) / (Math.sqrt(this.second[i] / two) + EPSILON);
      if (slopes[i] === 0 && this.isBound(i)) continue;
      if (i < split) this.W[i] -= move;
      else this.b[i - split] -= move;
    }
    this.slope = norm(slopes);
    this.slopes = null;
    this.time++;
    this.shapes = null;
  }

  /** Whether a parameter, numbered through W and b, may not move.
   * @param {number} i */
  isBound(i) {
    return i < this.W.length ? i % this.state.n === this.held : !this.state.bias;
  }

  /** The gradient of the mean loss of a batch of new samples.
   * @param {Float64Array} dW @param {Float64Array} db */
  sampledSlopes(dW, db) {
    const { n, m, batch, net } = this.state, { importance } = this.loss.distribution;
    const x = new Float64Array(n), e = new Float64Array(n), h = new Float64Array(m), back = new Float64Array(m);
    for (let sample = 0; sample < batch; sample++) {
      sampleInto(this.loss.distribution, this.random, x, 0);
      for (let k = 0; k < m; k++) {
        h[k] = back[k] = 0;
        for (let i = 0; i < n; i++) h[k] += this.W[k * n + i] * x[i];
      }
      for (let i = 0; i < n; i++) {
        let s = this.b[i];
        for (let k = 0; k < m; k++) s += this.W[k * n + i] * h[k];
        const open = net === "linear" || s > 0;
        e[i] = open ? (2 * importance[i] * (s - x[i])) / batch : 0;
        db[i] += e[i];
        for (let k = 0; k < m; k++) back[k] += this.W[k * n + i] * e[i];
      }
      for (let k = 0; k < m; k++) for (let i = 0; i < n; i++) dW[k * n + i] += e[i] * h[k] + x[i] * back[k];
    }
  }

  /** What there is to draw; with all digits of the loss on request.
   * @param {boolean} exact @returns {Frame} */
  frame(exact) {
    const lost = !this.W.every((one) => Math.abs(one) < LARGEST_WEIGHT);
    if (lost) this.resting = true;
    let found = this.last;
    if (exact || !found || !this.slopes || this.state.how !== "flow") {
      const { n, m } = this.state, slopes = new Float64Array(n * m + n);
      const effort = exact && !lost ? EXACT : this.effort;
      found = this.loss.withGradient(this.W, this.b, m, effort, slopes.subarray(0, n * m), slopes.subarray(n * m));
      this.addPenalties(this.W, slopes.subarray(0, n * m), this.state.l2, this.state.interference);
      this.bind(slopes.subarray(0, n * m), slopes.subarray(n * m));
      this.slope = norm(slopes);
    }
    this.shapes = this.shapes ?? shapesOf(this.W, this.state.m, this.state.n);
    const { W, b, time, resting, shapes } = this;
    return { W: W.slice(), b: b.slice(), loss: found.loss, error: found.error, exact, slope: this.slope, time, resting, shapes };
  }
}

/** @param {Float64Array} vector */
function norm(vector) {
  let sum = 0;
  for (const one of vector) sum += one * one;
  return Math.sqrt(sum);
}
