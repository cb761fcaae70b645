// What an inversion multiplies at one z: the factor of every unit, component and block, and products over the other blocks.

/** @typedef {import("./distribution.js").Distribution} Distribution */
/** @typedef {import("./patterns.js").Row} Row */
/** @typedef {import("./inversion.js").Work} Work */

const RESYNC = 32, SMALL = 0.5, TINY = 0.02;
const SERIES = 13, SHORT = 7;
/** 1 / (k + 1)!, 1 / ((k + 2) k!), 1 / ((k + 3) k!): the series of A, A' and A''. */
const COEFFICIENTS = [1, 2, 3].map((shift) => Float64Array.from({ length: SERIES }, (_, k) => 1 / ((k + shift) * factorial(k))));

/** @param {number} k */
function factorial(k) {
  let product = 1;
  for (let i = 2; i <= k; i++) product *= i;
  return product;
}

/** A(x) = (e^x - 1) / x and its first two derivatives for x = z g of every unit, from e^x.
 * @param {Distribution} d @param {Row} row @param {Work} work @param {Uint8Array} inside @param {number} zr @param {number} zi */
export function factors(d, row, work, inside, zr, zi) {
  const [er, ei] = work.exponential, [Ar, Ai] = work.A, [Br, Bi] = work.A1, [Cr, Ci] = work.A2;
  const size = zr * zr + zi * zi, invR = zr / size, invI = -zi / size;
  for (let u = 0; u < er.length; u++) {
    if (!inside[d.componentOf[u]]) continue;
    const g = row.g[u], own = d.feature[u] === row.own;
    if (size * g * g < SMALL * SMALL) {
      const xr = zr * g, xi = zi * g, terms = size * g * g < TINY * TINY ? SHORT : SERIES;
      series(COEFFICIENTS[0], xr, xi, Ar, Ai, u, terms);
      series(COEFFICIENTS[1], xr, xi, Br, Bi, u, terms);
      if (own) series(COEFFICIENTS[2], xr, xi, Cr, Ci, u, terms);
      continue;
    }
    const ir = invR / g, ii = invI / g;
    const ar = (er[u] - 1) * ir - ei[u] * ii, ai = (er[u] - 1) * ii + ei[u] * ir;
    const dr = er[u] - ar, di = ei[u] - ai;
    Ar[u] = ar;
    Ai[u] = ai;
    Br[u] = dr * ir - di * ii;
    Bi[u] = dr * ii + di * ir;
    if (!own) continue;
    const sr = er[u] - 2 * Br[u], si = ei[u] - 2 * Bi[u];
    Cr[u] = sr * ir - si * ii;
    Ci[u] = sr * ii + si * ir;
  }
}

/** @param {Float64Array} coefficients @param {number} xr @param {number} xi @param {Float64Array} real
 * @param {Float64Array} imaginary @param {number} u @param {number} terms */
function series(coefficients, xr, xi, real, imaginary, u, terms) {
  let r = coefficients[terms - 1], i = 0;
  for (let k = terms - 2; k >= 0; k--) {
    const next = r * xr - i * xi + coefficients[k];
    i = r * xi + i * xr;
    r = next;
  }
  real[u] = r;
  imaginary[u] = i;
}

/** e^{z g} of every unit, by one multiplication from the last z, and anew every so often.
 * @param {Row} row @param {Work} work @param {number} alpha @param {number} P @param {number} k */
export function exponentials(row, work, alpha, P, k) {
  const [er, ei] = work.exponential, [tr, ti] = work.turn;
  for (let u = 0; u < er.length; u++) {
    if (k % RESYNC === 0) {
      const size = Math.exp((alpha * row.g[u]) / P), angle = (2 * Math.PI * row.g[u]) / P;
      er[u] = size * Math.cos(angle * k);
      ei[u] = size * Math.sin(angle * k);
      tr[u] = Math.cos(angle);
      ti[u] = Math.sin(angle);
      continue;
    }
    const next = er[u] * tr[u] - ei[u] * ti[u];
    ei[u] = er[u] * ti[u] + ei[u] * tr[u];
    er[u] = next;
  }
}

/** The factor of every block, that of its small components alone, and the derivatives of components by their units, over z.
 * @param {Distribution} d @param {Row} row @param {Work} work @param {Uint8Array} inside @param {Uint8Array} small */
export function componentProducts(d, row, work, inside, small) {
  const { firstComponent, firstUnit, probability, feature } = d;
  const [Ar, Ai] = work.A, [Br, Bi] = work.A1, [Cr, Ci] = work.A2, [Dr, Di] = work.derivative, [Xr, Xi] = work.cross;
  const [Fr, Fi] = work.F, [Sr, Si] = work.S;
  for (let block = 0; block < d.inactive.length; block++) {
    Fr[block] = Sr[block] = d.inactive[block];
    Fi[block] = Si[block] = 0;
    for (let c = firstComponent[block]; c < firstComponent[block + 1]; c++) {
      if (!inside[c]) continue;
      const from = firstUnit[c], to = firstUnit[c + 1], p = probability[c];
      let r = p * Ar[from], i = p * Ai[from];
      if (to - from === 1) {
        Dr[from] = p * Br[from];
        Di[from] = p * Bi[from];
        Xr[from] = p * Cr[from];
        Xi[from] = p * Ci[from];
      } else {
        for (let u = from + 1; u < to; u++) {
          const next = r * Ar[u] - i * Ai[u];
          i = r * Ai[u] + i * Ar[u];
          r = next;
        }
        let own = -1;
        for (let u = from; u < to; u++) if (feature[u] === row.own) own = u;
        for (let u = from; u < to; u++) {
          product(work, from, to, p, u, -1, Dr, Di);
          if (own >= 0) product(work, from, to, p, u, own, Xr, Xi);
        }
      }
      Fr[block] += r;
      Fi[block] += i;
      if (!small[c]) continue;
      Sr[block] += r;
      Si[block] += i;
    }
  }
}

/** p times the product over a component's units of A, with A' for one and for another; A'' where they are the same.
 * @param {Work} work @param {number} from @param {number} to @param {number} p @param {number} one @param {number} other
 * @param {Float64Array} real @param {Float64Array} imaginary where it goes, at ``one`` */
function product(work, from, to, p, one, other, real, imaginary) {
  let r = p, i = 0;
  for (let u = from; u < to; u++) {
    const order = (u === one ? 1 : 0) + (u === other ? 1 : 0);
    const [fr, fi] = order === 0 ? work.A : order === 1 ? work.A1 : work.A2;
    const next = r * fr[u] - i * fi[u];
    i = r * fi[u] + i * fr[u];
    r = next;
  }
  real[one] = r;
  imaginary[one] = i;
}

/** For every block the product over all others but the row's own; in `all` that over all but the own one.  Twice: of the
 * whole factors and, where they have changed, of those of small components.
 * @param {Work} work @param {number} home @param {boolean} changed */
export function productsWithout(work, home, changed) {
  without(work.F, work.without, home, work.all, 0);
  if (changed) without(work.S, work.withoutS, home, work.all, 2);
}

/** @param {Float64Array[]} factor @param {Float64Array[]} out @param {number} home @param {Float64Array} all @param {number} at */
function without([Fr, Fi], [Or, Oi], home, all, at) {
  let r = 1, i = 0;
  for (let block = 0; block < Fr.length; block++) {
    if (block === home) continue;
    Or[block] = r;
    Oi[block] = i;
    const next = r * Fr[block] - i * Fi[block];
    i = r * Fi[block] + i * Fr[block];
    r = next;
  }
  all[at] = r;
  all[at + 1] = i;
  r = 1;
  i = 0;
  for (let block = Fr.length - 1; block >= 0; block--) {
    if (block === home) continue;
    const real = Or[block] * r - Oi[block] * i;
    Oi[block] = Or[block] * i + Oi[block] * r;
    Or[block] = real;
    const next = r * Fr[block] - i * Fi[block];
    i = r * Fi[block] + i * Fr[block];
    r = next;
  }
}
