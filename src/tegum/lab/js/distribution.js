// Which features can be active together: independent blocks, in a block at most one component, whose members are active
// together.  The twin of tegum.features.blocks; a signed feature is two units, +u and -u, of which at most one is active.

/**
 * @typedef {object} Distribution
 * @property {number} n features
 * @property {Float64Array} density of each feature
 * @property {Float64Array} importance of each feature
 * @property {Float64Array} inactive of each block: the probability that none of its components is active
 * @property {Int32Array} firstComponent of each block, and one more: where the last one ends
 * @property {Float64Array} probability of each component
 * @property {Int32Array} firstUnit of each component, and one more
 * @property {Int32Array} blockOf each component
 * @property {Int32Array} feature of each unit
 * @property {Float64Array} sign of each unit
 * @property {Int32Array[]} unitsOf each feature
 * @property {Int32Array} componentOf each unit
 */

/** @typedef {{ n: number, sets: string, density: number[], importance: number[], magnitudes: string }} Features */

/** The name and the size of sets, such as ["correlated", 2].
 * @param {string} sets @returns {[string, number]} */
export function setsOf(sets) {
  const [name, size] = sets.split(":");
  return [name, size ? Number(size) : 1];
}

/** How many densities there are: one for each feature, or for each correlated set.
 * @param {Features} features */
export function densityCount(features) {
  const [name, size] = setsOf(features.sets);
  return name === "correlated" ? features.n / size : features.n;
}

/** @param {Features} features @returns {Distribution} */
export function distributionOf(features) {
  const { n } = features;
  const [name, size] = setsOf(features.sets);
  const signs = features.magnitudes === "signed" ? [1, -1] : [1];
  const given = features.density;
  const density = Float64Array.from({ length: n }, (_, i) => (name === "correlated" ? given[Math.floor(i / size)] : given[i]));
  /** @type {number[][]} */
  const units = [];
  const inactive = [], firstComponent = [0], probability = [], firstUnit = [0], blockOf = [];
  const step = name === "independent" ? 1 : size;
  for (let first = 0; first < n; first += step) {
    const members = Array.from({ length: step }, (_, k) => first + k);
    const groups = name === "correlated" ? [members] : members.map((member) => [member]);
    let total = 0;
    for (const group of groups) {
      total += density[group[0]];
      for (const sign of signs) {
        probability.push(density[group[0]] / signs.length);
        for (const member of group) units.push([member, sign]);
        firstUnit.push(units.length);
        blockOf.push(inactive.length);
      }
    }
    inactive.push(Math.max(1 - total, 0));
    firstComponent.push(probability.length);
  }
  const componentOf = Int32Array.from(firstUnit.slice(1).flatMap((end, c) => Array(end - firstUnit[c]).fill(c)));
  return {
    n,
    density,
    importance: Float64Array.from(features.importance),
    inactive: Float64Array.from(inactive),
    firstComponent: Int32Array.from(firstComponent),
    probability: Float64Array.from(probability),
    firstUnit: Int32Array.from(firstUnit),
    blockOf: Int32Array.from(blockOf),
    feature: Int32Array.from(units, (unit) => unit[0]),
    sign: Float64Array.from(units, (unit) => unit[1]),
    unitsOf: Array.from({ length: n }, (_, i) => Int32Array.from(units.keys()).filter((u) => units[u][0] === i)),
    componentOf,
  };
}

/** One sample of all features, written into x.
 * @param {Distribution} distribution @param {import("./random.js").Random} random @param {Float64Array} x @param {number} at */
export function sampleInto(distribution, random, x, at) {
  const { firstComponent, probability, firstUnit, feature, sign, n } = distribution;
  x.fill(0, at, at + n);
  for (let block = 0; block + 1 < firstComponent.length; block++) {
    let left = random.uniform();
    for (let c = firstComponent[block]; c < firstComponent[block + 1]; c++) {
      left -= probability[c];
      if (left >= 0) continue;
      for (let u = firstUnit[c]; u < firstUnit[c + 1]; u++) x[at + feature[u]] = sign[u] * random.uniform();
      break;
    }
  }
}

/** E x_i, and E x_i x_j row by row.
 * @param {Distribution} distribution @returns {{ mean: Float64Array, second: Float64Array }} */
export function momentsOf(distribution) {
  const { n, probability, firstUnit, feature, sign, blockOf } = distribution;
  const mean = new Float64Array(n), block = new Int32Array(n), second = new Float64Array(n * n);
  for (let c = 0; c < probability.length; c++) {
    for (let u = firstUnit[c]; u < firstUnit[c + 1]; u++) {
      const i = feature[u];
      mean[i] += (probability[c] * sign[u]) / 2;
      block[i] = blockOf[c];
      for (let v = firstUnit[c]; v < firstUnit[c + 1]; v++)
        second[i * n + feature[v]] += (probability[c] * sign[u] * sign[v]) / (u === v ? 3 : 4);
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (block[i] !== block[j]) second[i * n + j] = mean[i] * mean[j];
  return { mean, second };
}
