// The exact loss of a model and its gradient: sum_j I_j E (x_j - y_j)^2, y = ReLU(W^T W x + b), or without the ReLU.
// The twin of tegum.exact.loss_and_gradient.

import { momentsOf } from "./distribution.js";
import { addLevel, workFor } from "./inversion.js";

/** @typedef {import("./distribution.js").Distribution} Distribution */
/** @typedef {import("./inversion.js").Effort} Effort */

/** Every digit that doubles have, for what is shown; few terms, for what moves.
 * @type {Effort} */
export const EXACT = { least: 32, most: 16384, tolerance: 1e-12, slopeTolerance: 1e-8 };

/** @param {number} terms @returns {Effort} */
export function inTerms(terms) {
  return { least: terms, most: terms, tolerance: 0, slopeTolerance: 0 };
}

/** G = W^T W, row by row.
 * @param {Float64Array} W @param {number} m @param {number} n */
export function gram(W, m, n) {
  const G = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < m; k++) sum += W[k * n + i] * W[k * n + j];
      G[i * n + j] = G[j * n + i] = sum;
    }
  return G;
}

/** What computes losses of one distribution, with memory of its own. */
export class Loss {
  /** @param {Distribution} distribution @param {boolean} rectified whether outputs have a ReLU */
  constructor(distribution, rectified) {
    this.distribution = distribution;
    this.rectified = rectified;
    this.work = workFor(distribution);
    this.moments = momentsOf(distribution);
    this.everything = new Uint8Array(distribution.probability.length).fill(1);
  }

  /** The loss, and its error, estimated; dW (m, n) and db (n) are overwritten.
   * @param {Float64Array} W @param {Float64Array} b @param {number} m @param {Effort} effort
   * @param {Float64Array} dW @param {Float64Array} db */
  withGradient(W, b, m, effort, dW, db) {
    const { n, importance } = this.distribution;
    const G = gram(W, m, n), dG = new Float64Array(n * n);
    let loss = 0, error = 0;
    for (let j = 0; j < n; j++) {
      db[j] = 0;
      if (importance[j] === 0) continue;
      const found = this.rectified ? this.row(G, b, j, effort, dG) : this.linearRow(G, b, j, dG);
      loss += importance[j] * (this.moments.second[j * n + j] + found.value);
      error += importance[j] * found.error;
      db[j] = importance[j] * found.byBias;
      for (let i = 0; i < n; i++) dG[j * n + i] *= importance[j];
    }
    for (let k = 0; k < m; k++)
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += W[k * n + j] * (dG[j * n + i] + dG[i * n + j]);
        dW[k * n + i] = sum;
      }
    return { loss, error };
  }

  /** Row j: E (x_j - y_j)^2 less E x_j^2; its derivatives by couplings go to row j of dG.
   * @param {Float64Array} G @param {Float64Array} b @param {number} j @param {Effort} effort @param {Float64Array} dG */
  row(G, b, j, effort, dG) {
    const d = this.distribution, n = d.n;
    const g = Float64Array.from(d.feature, (i, u) => d.sign[u] * G[j * n + i]);
    const row = { g, b: b[j], own: j, value: 0, byBias: 0, slope: new Float64Array(g.length), error: 0 };
    addLevel(d, row, this.everything, this.work, effort);
    for (let u = 0; u < g.length; u++) dG[j * n + d.feature[u]] += d.sign[u] * row.slope[u];
    return row;
  }

  /** The same of a linear output, from second moments.
   * @param {Float64Array} G @param {Float64Array} b @param {number} j @param {Float64Array} dG */
  linearRow(G, b, j, dG) {
    const n = this.distribution.n;
    const { mean, second } = this.moments;
    let value = b[j] * b[j] - 2 * b[j] * mean[j], byBias = 2 * (b[j] - mean[j]);
    for (let i = 0; i < n; i++) {
      let through = 0;
      for (let k = 0; k < n; k++) through += second[i * n + k] * G[j * n + k];
      value += G[j * n + i] * (through + 2 * b[j] * mean[i] - 2 * second[i * n + j]);
      byBias += 2 * G[j * n + i] * mean[i];
      dG[j * n + i] = 2 * (through + b[j] * mean[i] - second[i * n + j]);
    }
    return { value, byBias, error: 0 };
  }
}
