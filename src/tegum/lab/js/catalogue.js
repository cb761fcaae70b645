// The shapes that features are known to form, and which of them some directions are: the twin of tegum.geometry.catalogue.

import { assigned, decomposed, dot, laidOn, singularValues, transposed, turnBetween, turned } from "./algebra.js";
import { THOMSON } from "./thomson.js";

/** @typedef {import("./algebra.js").Columns} Columns */
/** @typedef {{ name: string, dimensions: number, error: number, fits: boolean }} Fit */

const TOLERANCE = 0.2, OF_A_PAIR = 0.25, WORST = 0.45, LOOSE = 0.45, KEPT = 3, CLEAR = 0.1, ROUNDS = 4;
const SIMPLICES = ["", "dedicated", "digon", "triangle", "tetrahedron"];
/** @type {Record<number, string>} */
const POLYGONS = { 5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon" };
/** @type {Record<string, string>} */
const SOLUTIONS = {
  "8 in 3": "square antiprism", "9 in 3": "tricapped triangular prism", "10 in 3": "bicapped square antiprism",
  "10 in 4": "rectified 5-cell",
};
/** @type {Record<string, string>} */
const COMPOSITES = {
  "digon,digon": "square", "digon,digon,digon": "octahedron", "digon,triangle": "triangular bipyramid",
  "digon,pentagon": "pentagonal bipyramid",
};

/** k unit vectors with equal cosines in k - 1 dimensions. @param {number} k @returns {Columns} */
function simplex(k) {
  if (k === 1) return [[1]];
  const rows = Array.from({ length: k - 1 }, (_, row) => {
    const entries = Array.from({ length: k }, (_, i) => (i <= row ? 1 : i === row + 1 ? -(row + 1) : 0));
    const size = Math.sqrt(dot(entries, entries));
    return entries.map((x) => x / size);
  });
  return transposed(rows).map(unit);
}

/** @param {number[]} vector */
export function unit(vector) {
  const size = Math.sqrt(dot(vector, vector)) || 1;
  return vector.map((x) => x / size);
}

/** @returns {Columns} */
function icosahedron() {
  const golden = (1 + Math.sqrt(5)) / 2, corners = [];
  for (const s of [1, -1]) for (const t of [1, -1]) corners.push([0, s, t * golden], [t * golden, 0, s], [s, t * golden, 0]);
  return corners.map(unit);
}

/** @returns {Columns} */
function cell24() {
  const corners = [];
  for (let i = 0; i < 4; i++)
    for (let j = i + 1; j < 4; j++)
      for (const s of [1, -1]) for (const t of [1, -1]) corners.push([0, 1, 2, 3].map((k) => (k === i ? s : k === j ? t : 0)));
  return corners.map(unit);
}

/** @type {Map<number, { name: string, points: Columns, sizes: number[] }[]>} */
const known = new Map();

/** Every irreducible shape of k features. @param {number} k */
function shapesOf(k) {
  const stored = known.get(k);
  if (stored) return stored;
  /** @type {[string, Columns][]} */
  const found = [[SIMPLICES[k] ?? `${k - 1}-simplex`, simplex(k)]];
  if (k === 2) found.push(["parallel pair", [[1], [1]]]);
  if (k >= 5) {
    const turn = (2 * Math.PI) / k;
    found.push([POLYGONS[k] ?? `${k}-gon`, Array.from({ length: k }, (_, i) => [Math.cos(turn * i), Math.sin(turn * i)])]);
  }
  if (k === 12) found.push(["icosahedron", icosahedron()]);
  if (k === 24) found.push(["24-cell", cell24()]);
  for (const [key, rows] of Object.entries(THOMSON))
    if (key.startsWith(`${k} in `)) found.push([SOLUTIONS[key] ?? `Thomson ${key}`, transposed(rows)]);
  const shapes = found.map(([name, points]) => ({ name, points, sizes: singularValues(points) }));
  known.set(k, shapes);
  return shapes;
}

/** The shape nearest to unit vectors among those that may fit; null where none may.
 * @param {Columns} U @returns {Fit | null} */
export function nearestShape(U) {
  const k = U.length;
  if (k === 1) return { name: "dedicated", dimensions: 1, error: 0, fits: true };
  // the points in the coordinates of their principal axes
  const tall = U[0].length >= k, { left, sizes, right } = decomposed(tall ? U : transposed(U));
  const axes = tall ? left : right;
  const inside = U.map((point) => axes.map((axis) => dot(axis, point)));
  let best = k > 2 ? line(inside) : null;
  for (const { name, points, sizes: own } of shapesOf(k)) {
    const rank = points[0].length, allowed = allowedError(k, rank);
    if (rank > sizes.length || leastError(sizes, own) > allowed) continue;
    const distances = distancesOf(inside, points), error = rootMeanSquare(distances);
    if (best === null || error < best.error)
      best = { name, dimensions: rank, error, fits: error <= allowed && Math.max(...distances) <= WORST };
    if (error < allowed / 2) break;
  }
  return best;
}

/** @param {number} k @param {number} dimensions */
function allowedError(k, dimensions) {
  if (k === 2) return OF_A_PAIR;
  if (dimensions === k - 1) return Math.min(TOLERANCE, 0.5 / Math.sqrt(k));
  return dimensions === 2 ? Math.min(TOLERANCE, 2 / k) : TOLERANCE;
}

/** A bound from below of the error, from the singular values of both. @param {number[]} sizes @param {number[]} own */
function leastError(sizes, own) {
  let apart = 0;
  for (let i = 0; i < Math.max(sizes.length, own.length); i++) apart += ((sizes[i] ?? 0) - (own[i] ?? 0)) ** 2;
  return Math.sqrt(apart / dot(sizes, sizes));
}

/** @param {number[]} distances */
function rootMeanSquare(distances) {
  return Math.sqrt(dot(distances, distances) / distances.length);
}

/** @param {Columns} U @param {Columns} places */
function apart(U, places) {
  return U.map((point, i) => Math.sqrt(point.reduce((sum, x, k) => sum + (x - places[i][k]) ** 2, 0)));
}

/** All on one line, each one way or the other. @param {Columns} inside @returns {Fit | null} */
function line(inside) {
  const ways = inside.map((point) => [point[0] > 0 ? 1 : -1]), distances = apart(inside, turned(inside, ways));
  const error = rootMeanSquare(distances), k = inside.length;
  if (error > TOLERANCE) return null;
  const up = ways.filter(([way]) => way > 0).length, less = Math.min(up, k - up);
  const name = `line of ${k} (${less ? `${k - less} against ${less}` : "parallel"})`;
  return { name, dimensions: 1, error, fits: Math.max(...distances) <= WORST };
}

/** The distance of each direction from the template as it fits best. @param {Columns} U @param {Columns} template */
function distancesOf(U, template) {
  const rank = template[0].length, k = U.length;
  if (rank === 1 || rank === k - 1) return apart(U, turned(U, template));
  if (rank > 2) return matched(U, template);
  const order = [...U.keys()].sort((i, j) => Math.atan2(U[i][1], U[i][0]) - Math.atan2(U[j][1], U[j][0]));
  const ordered = order.map((i) => U[i]);
  return apart(ordered, turned(ordered, template));
}

/** The same where the numbering is not known: reference points laid on every choice of points with nearly the same cosines.
 * @param {Columns} U in principal axes @param {Columns} template */
function matched(U, template) {
  const rank = template[0].length, inside = U.map((point) => point.slice(0, rank));
  const reference = wellSpread(template), corners = reference.map((i) => template[i]);
  /** @type {{ score: number, cosines: number[][] }[]} */
  const promising = [];
  for (const places of choices(inside, corners)) {
    const turn = turnBetween(places.map((i) => inside[i]), corners), laid = laidOn(turn, template);
    const cosines = inside.map((point) => laid.map((corner) => dot(point, corner)));
    const score = cosines.reduce((sum, row) => sum + Math.max(...row), 0);
    if (promising.length === KEPT && score <= promising[KEPT - 1].score) continue;
    promising.push({ score, cosines });
    promising.sort((one, other) => other.score - one.score);
    promising.length = Math.min(promising.length, KEPT);
    if (promising[0].score > U.length * (1 - CLEAR ** 2 / 4)) break;
  }
  let best = Array(U.length).fill(Infinity);
  for (const { cosines } of promising) {
    const found = refined(U, template, cosines);
    if (rootMeanSquare(found) < rootMeanSquare(best)) best = found;
    if (rootMeanSquare(best) < CLEAR) break;
  }
  return best;
}

/** Points assigned and turned in alternation. @param {Columns} U @param {Columns} template @param {number[][]} cosines */
function refined(U, template, cosines) {
  let best = Array(U.length).fill(Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    const ordered = assigned(cosines.map((row) => row.map((x) => -x))).map((t) => template[t]);
    const turn = turnBetween(U, ordered), distances = apart(U, laidOn(turn, ordered));
    if (rootMeanSquare(distances) >= rootMeanSquare(best) - 1e-12) break;
    best = distances;
    const laid = laidOn(turn, template);
    cosines = U.map((point) => laid.map((corner) => dot(point, corner)));
  }
  return best;
}

/** As many points as dimensions, each as far as can be from the span of those before. @param {Columns} template */
function wellSpread(template) {
  /** @type {number[]} */
  const chosen = [];
  const rest = template.map((point) => point.slice());
  for (let k = 0; k < template[0].length; k++) {
    const sizes = rest.map((point) => Math.round(1e9 * dot(point, point))), at = sizes.indexOf(Math.max(...sizes)), axis = unit(rest[at]);
    chosen.push(at);
    for (const point of rest) {
      const along = dot(point, axis);
      for (let i = 0; i < point.length; i++) point[i] -= along * axis[i];
    }
  }
  return chosen;
}

/** All choices of points whose cosines are near those of the corners. @param {Columns} points @param {Columns} corners
 * @returns {Generator<number[]>} */
function* choices(points, corners, /** @type {number[]} */ chosen = []) {
  if (chosen.length === corners.length) {
    yield chosen;
    return;
  }
  const next = corners[chosen.length];
  for (let i = 0; i < points.length; i++) {
    if (chosen.includes(i)) continue;
    const near = chosen.every((j, k) => Math.abs(dot(points[i], points[j]) - dot(next, corners[k])) < LOOSE);
    if (near) yield* choices(points, corners, [...chosen, i]);
  }
}

/** The polytope that an orthogonal sum of these shapes is; empty where it has no name of its own. @param {string[]} factors */
export function compositeName(factors) {
  if (factors.length > 3 && factors.every((one) => one === "digon")) return `${factors.length}-dimensional cross-polytope`;
  return COMPOSITES[[...factors].sort().join()] ?? "";
}

/** "pentagon", "2 pentagons". @param {string} name @param {number} count */
export function plural(name, count) {
  if (count === 1) return name;
  const at = name.indexOf(" ("), head = at < 0 ? name : name.slice(0, at), tail = at < 0 ? "" : name.slice(at);
  let many = `${head}s`;
  if (["dedicated", "crowded", "irregular"].includes(head) || head.startsWith("Thomson")) many = head;
  else if (head.startsWith("line of")) many = head.replace("line", "lines");
  else if (head.endsWith("hedron")) many = `${head.slice(0, -2)}a`;
  else if (head.endsWith("simplex")) many = `${head.slice(0, -7)}simplices`;
  return `${count} ${many}${tail}`;
}
