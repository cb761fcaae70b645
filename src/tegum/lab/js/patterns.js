// What is known in closed form about T f = E f(s) - E x_j f'(s), the part of a row's loss that its couplings change:
// f a polynomial over all patterns of some components, and f = r^2 where nothing or one single feature is active.

/** @typedef {import("./distribution.js").Distribution} Distribution */

/**
 * A row: its couplings by unit, its bias, its own feature, and what is added up for it.
 * @typedef {object} Row
 * @property {Float64Array} g coupling of each unit, sign included
 * @property {number} b
 * @property {number} own the row's feature
 * @property {number} value T r^2, summed over the patterns done
 * @property {number} byBias its derivative by b
 * @property {Float64Array} slope its derivatives by the couplings of units
 * @property {number} error of the value, estimated
 */

/** Adds factor * T [w2 s^2 + w1 s + w0] over all patterns of the components that are in.
 * @param {Distribution} d @param {Row} row @param {Uint8Array} inside @param {number} w2 @param {number} w1 @param {number} w0
 * @param {number} factor */
export function addPolynomial(d, row, inside, w2, w1, w0, factor) {
  const { g, own } = row;
  const { firstComponent, firstUnit, probability, feature, sign, inactive } = d;
  const blocks = inactive.length;
  const mass = new Float64Array(blocks), mean = new Float64Array(blocks);
  const sums = new Float64Array(probability.length);
  let M = 1, m = row.b, spread = 0, ownMean = 0, ownProduct = 0, ownBlock = -1;
  for (let block = 0; block < blocks; block++) {
    let share = inactive[block], first = 0, second = 0, x = 0, xs = 0;
    for (let c = firstComponent[block]; c < firstComponent[block + 1]; c++) {
      if (!inside[c]) continue;
      let sum = 0, squares = 0, at = -1;
      for (let u = firstUnit[c]; u < firstUnit[c + 1]; u++) {
        sum += g[u];
        squares += g[u] * g[u];
        if (feature[u] === own) at = u;
      }
      sums[c] = sum;
      share += probability[c];
      first += (probability[c] * sum) / 2;
      second += probability[c] * ((sum * sum) / 4 + squares / 12);
      if (at < 0) continue;
      ownBlock = block;
      x += (probability[c] * sign[at]) / 2;
      xs += probability[c] * sign[at] * ((sum - g[at]) / 4 + g[at] / 3);
    }
    M *= share;
    if (M === 0) return;
    mass[block] = share;
    mean[block] = first / share;
    m += mean[block];
    spread += second / share - mean[block] ** 2;
    if (block !== ownBlock) continue;
    ownMean = x / share;
    ownProduct = xs / share;
  }
  const others = ownBlock < 0 ? m : m - mean[ownBlock];
  const F = factor * M;
  row.value += F * (w2 * (m * m + spread) + w1 * m + w0 - 2 * w2 * (ownMean * others + ownProduct) - w1 * ownMean);
  row.byBias += F * (2 * w2 * (m - ownMean) + w1);
  for (let block = 0; block < blocks; block++) {
    for (let c = firstComponent[block]; c < firstComponent[block + 1]; c++) {
      if (!inside[c]) continue;
      const share = probability[c] / mass[block];
      let at = -1;
      for (let u = firstUnit[c]; u < firstUnit[c + 1]; u++) if (feature[u] === own) at = u;
      for (let u = firstUnit[c]; u < firstUnit[c + 1]; u++) {
        const first = share / 2;
        const second = share * (sums[c] / 2 + g[u] / 6) - 2 * mean[block] * first;
        const product = at < 0 ? 0 : share * sign[at] * (u === at ? 1 / 3 : 1 / 4);
        const ownPart = (block === ownBlock ? 0 : ownMean * first) + product;
        row.slope[u] += F * (w2 * (2 * m * first + second) + w1 * first - 2 * w2 * ownPart);
      }
    }
  }
}

/** Adds what one unit alone contributes, which is active with a probability: T r(b + g u)^2 - T [w2 s^2 + w1 s + w0].
 * @param {Distribution} d @param {Row} row @param {number} u @param {number} probability
 * @param {number} w2 @param {number} w1 @param {number} w0 */
export function addAlone(d, row, u, probability, w2, w1, w0) {
  const g = row.g[u], b = row.b;
  const own = d.feature[u] === row.own ? d.sign[u] : 0;
  // where g u + b > 0
  const kink = g === 0 ? 0 : Math.min(Math.max(-b / g, 0), 1);
  const from = g > 0 ? kink : 0, to = g < 0 ? kink : g > 0 || b > 0 ? 1 : 0;
  const one = to - from, two = (to * to - from * from) / 2, three = (to ** 3 - from ** 3) / 3;
  const r1 = g * two + b * one, r2 = g * g * three + 2 * g * b * two + b * b * one, ur = g * three + b * two;
  const polynomial = w2 * (b * b + b * g + (g * g) / 3) + w1 * (b + g / 2) + w0;
  row.value += probability * (r2 - 2 * own * ur - polynomial + 2 * own * (w2 * (b / 2 + g / 3) + w1 / 4));
  row.byBias += probability * (2 * r1 - 2 * own * two - w2 * (2 * b + g) - w1 + own * w2);
  row.slope[u] += probability * (2 * ur - 2 * own * three - w2 * (b + (2 * g) / 3) - w1 / 2 + (2 * own * w2) / 3);
}
