// T E r(s)^2 of one row by Laplace inversion, the method of docs/plain_inversion.py, with its derivatives.
//
// Components whose couplings are much smaller than the others' are split off: patterns in which no large component is active are
// a row of their own, on its own scale, and so on; they and "only this large feature is active" are taken out of the products.

import { addAlone, addPolynomial } from "./patterns.js";
import { componentProducts, exponentials, factors, productsWithout } from "./products.js";

/** @typedef {import("./distribution.js").Distribution} Distribution */
/** @typedef {import("./patterns.js").Row} Row */

/**
 * How many terms an inversion takes: at least and at most, and from which change on it stops doubling them.
 * @typedef {{ least: number, most: number, tolerance: number, slopeTolerance: number }} Effort
 */

const ALPHA = 2, MARGIN = 1.1, GAP = 3;
const Q = Math.exp(-ALPHA);
const ALIAS = [Q / (1 - Q), Q / (1 - Q) ** 2, (Q * (1 + Q)) / (1 - Q) ** 3];
/** Memory for one row, made once for a distribution.
 * @typedef {ReturnType<typeof workFor>} Work */

/** @param {Distribution} d */
export function workFor(d) {
  const units = d.feature.length, blocks = d.inactive.length;
  /** @param {number} size */
  const pair = (size) => [new Float64Array(size), new Float64Array(size)];
  return {
    exponential: pair(units),
    turn: pair(units),
    A: pair(units), // A, A', A'' of every unit
    A1: pair(units),
    A2: pair(units),
    derivative: pair(units), // of its component by the unit, over z
    cross: pair(units), // of its component by the unit and the own one, over z
    F: pair(blocks), // factor of each block, and that of its small components alone
    S: pair(blocks),
    without: pair(blocks), // products over all blocks but this one and the row's own
    withoutS: pair(blocks),
    all: new Float64Array(4), // the same products without the own block alone
    none: new Float64Array(blocks),
    slopes: new Float64Array(units),
    before: new Float64Array(units),
  };
}

/** Adds to the row all patterns of the components that are in: T E r(s)^2, with derivatives.
 * @param {Distribution} d @param {Row} row @param {Uint8Array} inside @param {Work} work @param {Effort} effort */
export function addLevel(d, row, inside, work, effort) {
  let low = row.b, high = row.b;
  for (let block = 0; block < d.inactive.length; block++) {
    let least = 0, most = 0;
    for (let c = d.firstComponent[block]; c < d.firstComponent[block + 1]; c++) {
      if (!inside[c]) continue;
      let down = 0, up = 0;
      for (let u = d.firstUnit[c]; u < d.firstUnit[c + 1]; u++) {
        if (row.g[u] < 0) down += row.g[u];
        else up += row.g[u];
      }
      least = Math.min(least, down);
      most = Math.max(most, up);
    }
    low += least;
    high += most;
  }
  if (!Number.isFinite(low + high)) {
    row.value = NaN; // a trial step that went too far: it is taken back, and no split into levels would ever end
    return;
  }
  if (high <= 0) return;
  if (low >= 0) {
    addPolynomial(d, row, inside, 1, 0, 0, 1);
    return;
  }
  const small = smallOnes(d, row, inside);
  const P = period(Math.max(high, -low));
  const w2 = ALIAS[0], w1 = 2 * P * ALIAS[1], w0 = P * P * ALIAS[2];
  addPolynomial(d, row, inside, w2, w1, w0, -1);
  addPolynomial(d, row, small, w2, w1, w0, 1);
  const none = noneWithout(d, work.none);
  for (let c = 0; c < inside.length; c++) {
    const alone = inside[c] && !small[c] && d.firstUnit[c + 1] - d.firstUnit[c] === 1;
    if (alone) addAlone(d, row, d.firstUnit[c], d.probability[c] * none[d.blockOf[c]], -w2, -w1, -w0);
  }
  invert(d, row, inside, small, P, work, effort);
  addLevel(d, row, small, work, effort);
}

/** The period for sums of at most this size: a little more, rounded up on a ladder so that it stands still as weights move.
 * @param {number} reach */
function period(reach) {
  return 2 ** (Math.ceil(4 * Math.log2(MARGIN * reach)) / 4);
}

/** Which components are small: those below the widest gap between couplings, where there is one.
 * @param {Distribution} d @param {Row} row @param {Uint8Array} inside */
function smallOnes(d, row, inside) {
  const small = new Uint8Array(inside.length);
  const sizes = [];
  for (let c = 0; c < inside.length; c++) {
    if (!inside[c]) continue;
    let size = 0;
    for (let u = d.firstUnit[c]; u < d.firstUnit[c + 1]; u++) size = Math.max(size, Math.abs(row.g[u]));
    sizes.push({ c, size });
  }
  sizes.sort((one, other) => other.size - one.size);
  let widest = GAP, from = sizes.length;
  for (let k = 1; k < sizes.length; k++) {
    const gap = sizes[k].size > 0 ? sizes[k - 1].size / sizes[k].size : Infinity;
    if (gap > widest) {
      widest = gap;
      from = k;
    }
  }
  for (let k = from; k < sizes.length; k++) small[sizes[k].c] = 1;
  return small;
}

/** For each block the probability that no other block is active at all.
 * @param {Distribution} d @param {Float64Array} none */
function noneWithout(d, none) {
  let before = 1;
  for (let block = 0; block < none.length; block++) {
    none[block] = before;
    before *= d.inactive[block];
  }
  let after = 1;
  for (let block = none.length - 1; block >= 0; block--) {
    none[block] *= after;
    after *= d.inactive[block];
  }
  return none;
}

/** Inverts what is left of the products when small components and single features are taken out: sums over z_k until they stand.
 * @param {Distribution} d @param {Row} row @param {Uint8Array} inside @param {Uint8Array} small @param {number} P
 * @param {Work} work @param {Effort} effort */
function invert(d, row, inside, small, P, work, effort) {
  const { slopes, before } = work;
  const home = d.blockOf[d.componentOf[d.unitsOf[row.own][0]]];
  const sum = { value: 0, byBias: 0 }, varied = small.includes(1);
  let last = 0, change = Infinity, slopeChange = Infinity, terms = 0;
  slopes.fill(0);
  before.fill(0);
  for (let k = 0; k < effort.most; k++) {
    exponentials(row, work, ALPHA, P, k);
    factors(d, row, work, inside, ALPHA / P, (2 * Math.PI * k) / P);
    componentProducts(d, row, work, inside, small);
    productsWithout(work, home, k === 0 || varied);
    addTerm(d, row, work, inside, small, home, P, k, sum);
    terms = k + 1;
    if (terms < effort.least / 4 || (terms & (terms - 1)) !== 0) continue;
    const past = change, pastSlope = slopeChange;
    change = Math.abs(sum.value - last);
    slopeChange = 0;
    for (let u = 0; u < slopes.length; u++) slopeChange = Math.max(slopeChange, Math.abs(slopes[u] - before[u]));
    last = sum.value;
    before.set(slopes);
    const { tolerance, slopeTolerance } = effort;
    const still = change < tolerance && slopeChange < slopeTolerance;
    if (terms >= effort.least && still && past < 30 * tolerance && pastSlope < 30 * slopeTolerance) break;
  }
  row.value += sum.value;
  row.byBias += sum.byBias;
  for (let u = 0; u < slopes.length; u++) row.slope[u] += slopes[u];
  row.error += change;
}

/** Adds the k-th term.  It is one long function because it is the innermost loop: its complex numbers stay in registers.
 * @param {Distribution} d @param {Row} row @param {Work} work @param {Uint8Array} inside @param {Uint8Array} small
 * @param {number} home @param {number} P @param {number} k @param {{ value: number, byBias: number }} sum */
function addTerm(d, row, work, inside, small, home, P, k, sum) {
  const { firstComponent, firstUnit, probability, feature, sign } = d;
  const { none, slopes } = work;
  const [Ar] = work.A, Ai = work.A[1];
  const [Dr, Di] = work.derivative, [Xr, Xi] = work.cross;
  const [Fr, Fi] = work.F, [Sr, Si] = work.S, [Lr, Li] = work.without, [Mr, Mi] = work.withoutS;
  const [Rr, Ri, Tr, Ti] = work.all;
  // twice the weight e^{z b} / z, / z^2, / z^3
  const zr = ALPHA / P, zi = (2 * Math.PI * k) / P, size = zr * zr + zi * zi, ir = zr / size, ii = -zi / size;
  const weight = ((k === 0 ? 2 : 4) / P) * Math.exp(zr * row.b), cos = Math.cos(zi * row.b), sin = Math.sin(zi * row.b);
  const h1r = weight * (cos * ir - sin * ii), h1i = weight * (cos * ii + sin * ir);
  const h2r = h1r * ir - h1i * ii, h2i = h1r * ii + h1i * ir;
  const h3r = h2r * ir - h2i * ii, h3i = h2r * ii + h2i * ir;
  // the own feature: derivative of its block over z, times all other blocks less what is taken out
  let Or = 0, Oi = 0, allR = 0, allI = 0, smallR = 0, smallI = 0;
  for (const u of d.unitsOf[row.own]) {
    const c = d.componentOf[u];
    if (!inside[c]) continue;
    const alone = firstUnit[c + 1] - firstUnit[c] === 1;
    const lr = Rr - (small[c] ? Tr : alone ? none[home] : 0), li = Ri - (small[c] ? Ti : 0);
    const vr = sign[u] * Dr[u], vi = sign[u] * Di[u];
    Or += vr * lr - vi * li;
    Oi += vr * li + vi * lr;
    allR += vr;
    allI += vi;
    if (!small[c]) continue;
    smallR += vr;
    smallI += vi;
  }
  let Br = Rr * Fr[home] - Ri * Fi[home] - (Tr * Sr[home] - Ti * Si[home]);
  let Bi = Rr * Fi[home] + Ri * Fr[home] - (Tr * Si[home] + Ti * Sr[home]);
  for (let block = 0; block < none.length; block++) {
    const own = block === home;
    // the product over all other blocks, and what the own derivative makes of it
    const pr = own ? Rr : Lr[block] * Fr[home] - Li[block] * Fi[home], pi = own ? Ri : Lr[block] * Fi[home] + Li[block] * Fr[home];
    const qr = own ? Tr : Mr[block] * Sr[home] - Mi[block] * Si[home], qi = own ? Ti : Mr[block] * Si[home] + Mi[block] * Sr[home];
    const er = own ? 0 : allR * Lr[block] - allI * Li[block], ei = own ? 0 : allR * Li[block] + allI * Lr[block];
    for (let c = firstComponent[block]; c < firstComponent[block + 1]; c++) {
      if (!inside[c]) continue;
      const from = firstUnit[c], to = firstUnit[c + 1], alone = to - from === 1 && !small[c];
      if (alone) {
        Br -= probability[c] * none[block] * Ar[from];
        Bi -= probability[c] * none[block] * Ai[from];
      }
      const lr = pr - (small[c] ? qr : alone ? none[block] : 0), li = pi - (small[c] ? qi : 0);
      let dr = er, di = ei;
      if (small[c] && !own) {
        dr -= smallR * Mr[block] - smallI * Mi[block];
        di -= smallR * Mi[block] + smallI * Mr[block];
      }
      const wr = h2r * lr - h2i * li - (h1r * dr - h1i * di), wi = h2r * li + h2i * lr - (h1r * di + h1i * dr);
      let at = -1;
      if (own) for (let u = from; u < to; u++) if (feature[u] === row.own) at = u;
      for (let u = from; u < to; u++) {
        slopes[u] += Dr[u] * wr - Di[u] * wi;
        if (at < 0) continue;
        const xr = sign[at] * (Xr[u] * lr - Xi[u] * li), xi = sign[at] * (Xr[u] * li + Xi[u] * lr);
        slopes[u] -= h1r * xr - h1i * xi;
      }
    }
  }
  sum.value += h3r * Br - h3i * Bi - (h2r * Or - h2i * Oi);
  sum.byBias += h2r * Br - h2i * Bi - (h1r * Or - h1i * Oi);
}
