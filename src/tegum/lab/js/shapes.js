// From W to words, the twin of tegum.geometry.identify, with the norms and dimensionalities it needs.

import { columnsOf, dot, singularValues } from "./algebra.js";
import { compositeName, nearestShape, plural, unit } from "./catalogue.js";

/** @typedef {import("./algebra.js").Columns} Columns */
/** @typedef {import("./catalogue.js").Fit} Fit */
/** @typedef {{ members: number[], fit: Fit | null }} Factor */
/**
 * @typedef {object} Shapes
 * @property {string} label all shapes in short, such as "pentagon + 2 digons"
 * @property {string} polytope what they form together, or nothing
 * @property {string[]} names of each feature
 * @property {number[][]} parts the features of each shape
 */

const THRESHOLDS = [0.02, 0.04, 0.07, 0.1, 0.14, 0.18, 0.22, 0.26, 0.3];
const JOINED = 0.1, OUTSIDE = 0.2, NOISE = 1 / 3, OWN = 0.5, SPANNED = 0.2;
const SMALL_NORM = 0.3, SMALL_DIMENSIONALITY = 0.15, LARGEST = 1e30;

/** Norm, dimensionality D_i and interference of every feature.
 * @param {Float64Array} W @param {number} m @param {number} n */
export function measuresOf(W, m, n) {
  const norm = new Float64Array(n), D = new Float64Array(n), interference = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let total = 0, own = 0;
    for (let j = 0; j < n; j++) {
      let product = 0;
      for (let k = 0; k < m; k++) product += W[k * n + i] * W[k * n + j];
      if (j === i) own = product;
      total += product * product;
    }
    norm[i] = Math.sqrt(own);
    D[i] = own > 0 ? (own * own) / total : 0;
    interference[i] = own > 0 ? Math.max(total - own * own, 0) / own : 0;
  }
  return { norm, D, interference };
}

/** @param {Float64Array} W @param {number} m @param {number} n @returns {Shapes} */
export function shapesOf(W, m, n) {
  const names = Array(n).fill("not learned");
  if (!W.every((one) => Math.abs(one) < LARGEST)) return { label: "diverged", polytope: "", names, parts: [] };
  const { norm, D } = measuresOf(W, m, n);
  const longest = Math.max(...norm), widest = Math.max(...D);
  const nodes = [...norm.keys()].filter(
    (i) => norm[i] > 0 && norm[i] >= SMALL_NORM * longest && D[i] >= SMALL_DIMENSIONALITY * widest,
  );
  if (!nodes.length) return { label: "nothing", polytope: "", names, parts: [] };
  const columns = columnsOf(W, m, n), U = nodes.map((i) => unit(columns[i]));
  const similar = U.map((one, i) => U.map((other, j) => (i === j ? 0 : Math.min(Math.abs(dot(one, other)), 1))));
  const found = factorsOf(U, similar).map(({ members, fit }) => {
    const features = members.map((at) => nodes[at]);
    const regular = fit !== null && fit.fits;
    const rank = regular ? 0 : spanned(features.map((i) => columns[i]));
    const name = regular ? fit.name : features.length > 1 ? `irregular (${features.length} in ${rank})` : "crowded";
    return { features, name, regular };
  });
  found.sort((one, other) =>
    Number(other.regular) - Number(one.regular) || other.features.length - one.features.length ||
    (one.name < other.name ? -1 : one.name > other.name ? 1 : one.features[0] - other.features[0]));
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { features, name } of found) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const i of features) names[i] = name;
  }
  const all = found.map(({ name }) => name);
  const polytope = found.length === 1 ? (found[0].regular ? all[0] : "") : compositeName(all);
  return { label: [...counts].map(([name, count]) => plural(name, count)).join(" + "), polytope, names, parts: found.map((one) => one.features) };
}

/** @param {Columns} columns */
function spanned(columns) {
  const sizes = singularValues(columns);
  return sizes.filter((size) => size > SPANNED * sizes[0]).length;
}

/** The members of every factor, and what they were recognised as, or came closest to.
 * @param {Columns} U @param {number[][]} similar @returns {Factor[]} */
function factorsOf(U, similar) {
  const everything = [...U.keys()];
  const found = split(U, similar, 0, everything);
  const named = found.filter(({ fit }) => fit !== null);
  const rest = found.filter(({ fit }) => fit === null).flatMap(({ members }) => members).sort((a, b) => a - b);
  return [...named, ...joined(rest, similar, JOINED).map((members) => ({ members, fit: shapeOf(U, similar, members) }))];
}

/** Members as one shape, or as the shapes they fall into above the next thresholds; null where none fits.
 * @param {Columns} U @param {number[][]} similar @param {number} level @param {number[]} members @returns {Factor[]} */
function split(U, similar, level, members) {
  const fit = shapeOf(U, similar, members);
  /** @type {Factor[]} */
  const whole = [{ members, fit: fit?.fits ? fit : null }];
  for (let at = level; at < THRESHOLDS.length; at++) {
    const parts = joined(members, similar, THRESHOLDS[at]);
    if (parts.length === 1) continue;
    const pieces = parts.flatMap((part) => split(U, similar, at + 1, part));
    const better = whole[0].fit !== null && misfit(whole, similar) <= misfit(pieces, similar);
    return better ? whole : pieces;
  }
  return whole;
}

/** Members in groups joined by cosines of at least a threshold, which paths outside of them may join as well.
 * @param {number[]} members @param {number[][]} similar @param {number} threshold */
function joined(members, similar, threshold) {
  /** @type {number[][]} */
  const groups = [];
  const left = new Set(members);
  for (const first of members) {
    if (!left.delete(first)) continue;
    const group = [first];
    for (let at = 0; at < group.length; at++)
      for (const other of [...left]) if (similar[group[at]][other] >= threshold) {
        left.delete(other);
        group.push(other);
      }
    groups.push(group.sort((a, b) => a - b));
  }
  return groups;
}

/** @param {Columns} U @param {number[][]} similar @param {number[]} members @returns {Fit | null} */
function shapeOf(U, similar, members) {
  const fit = nearestShape(members.map((i) => U[i]));
  if (!fit?.fits) return fit;
  const byNoise = (2 * NOISE ** 2 * (U.length - members.length)) / U[0].length;
  const most = Math.max(OUTSIDE, Math.min(byNoise, (OWN * members.length) / fit.dimensions));
  return { ...fit, fits: outside(similar, members) <= most };
}

/** The mean over members of the squared cosines with all other nodes. @param {number[][]} similar @param {number[]} members */
function outside(similar, members) {
  let sum = 0;
  for (const i of members) {
    for (const one of similar[i]) sum += one * one;
    for (const j of members) sum -= similar[i][j] ** 2;
  }
  return sum / members.length;
}

/** The summed squared distance of all directions from an orthogonal sum of the shapes; infinite where some are in none.
 * @param {Factor[]} factors @param {number[][]} similar */
function misfit(factors, similar) {
  let inside = 0, across = 0;
  const everything = factors.flatMap(({ members }) => members);
  for (const { members, fit } of factors) {
    if (fit === null) return Infinity;
    inside += members.length * fit.error ** 2;
    for (const i of members) for (const j of everything) if (!members.includes(j)) across += similar[i][j] ** 2;
  }
  return inside + across / 4;
}
