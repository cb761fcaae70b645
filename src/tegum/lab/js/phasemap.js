// A map of certified optima over density and the importance of the last feature, precomputed by tegum.lab.maps.

import { shapeColour } from "./colours.js";
import { LINES, MAPS } from "./maps.js";

/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("./scene.js").Scene} Scene */

/** The map of a setting's size; where none was computed, the last one. @param {import("./address.js").State} state */
function mapOf(state) {
  return MAPS.find(({ n, m }) => n === state.n && m === state.m) ?? MAPS[MAPS.length - 1];
}

/** Where the map is drawn, and the words of its legend below it, in as many rows as they need. @param {Pen} pen @param {string[]} shapes */
function boxOf(pen, shapes) {
  const left = 62, top = 30, width = pen.width - 80;
  let x = left, row = 0;
  const legend = shapes.map((shape) => {
    const need = 20 + 6.4 * shape.length;
    if (x > left && x + need > left + width + 8) [x, row] = [left, row + 1];
    const place = { shape, x, row };
    x += need + 10;
    return place;
  });
  return { left, top, width, height: pen.height - top - 72 - 18 * row, legend };
}

/** The place of a value among ascending ones on a logarithmic axis, in cells from the left edge. @param {number[]} values @param {number} value */
function placeIn(values, value) {
  const step = Math.log(values[values.length - 1] / values[0]) / (values.length - 1);
  return Math.log(value / values[0]) / step + 0.5;
}

/** Needs no frame: a map is known before the model is. @param {Pen} pen @param {Pick<Scene, "state" | "theme">} scene */
export function drawMap(pen, scene) {
  const { theme, state } = scene, map = mapOf(state);
  if (!map) {
    pen.text(pen.width / 2, pen.height / 2, "There is no map in this page.", { size: 14, colour: theme.soft, align: "center" });
    return;
  }
  const { density, ratio, shapes, cells } = map, { left, top, width, height, legend } = boxOf(pen, shapes);
  const across = width / density.length, up = height / ratio.length;
  cells.forEach((shape, k) => {
    const column = Math.floor(k / ratio.length), row = k % ratio.length;
    pen.rect(left + across * column, top + up * (ratio.length - 1 - row), across + 0.6, up + 0.6, mapColour(shapes[shape], theme));
  });
  for (const value of [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1].filter((one) => one >= density[0] / 1.02))
    pen.text(left + across * placeIn(density, value), top + height + 13, String(value), { size: 11, colour: theme.soft, align: "center" });
  for (const value of [0.1, 0.2, 0.5, 1, 2, 5, 10].filter((one) => one >= ratio[0] / 1.02 && one <= ratio[ratio.length - 1] * 1.02))
    pen.text(left - 7, top + height - up * placeIn(ratio, value), String(value), { size: 11, colour: theme.soft, align: "right" });
  const sizes = `${map.n} features in ${map.m} dimension${map.m > 1 ? "s" : ""}: click to go there`;
  const title = pen.width > 480 ? `The lowest certified minimum of ${sizes}` : `Lowest minima, n = ${map.n}, m = ${map.m}`;
  pen.text(left, 13, title, { size: 12, colour: theme.ink, bold: true });
  pen.text(left + width / 2, top + height + 31, "density of all features", { size: 12, colour: theme.soft, align: "center" });
  pen.text(16, top + height / 2, "importance of the last one", { size: 12, colour: theme.soft, align: "center", turn: true });
  for (const { shape, x, row } of legend) {
    const y = top + height + 55 + 18 * row;
    pen.rect(x, y - 5, 10, 10, mapColour(shape, theme));
    pen.text(x + 15, y, shape, { size: 11, colour: theme.soft });
  }
  const here = placeOfState(map, state);
  if (!here) return;
  const px = left + across * placeIn(density, here.density), py = top + height - up * placeIn(ratio, here.ratio);
  pen.circle(px, py, 7, { colour: theme.card, width: 5 });
  pen.circle(px, py, 7, { colour: theme.accent, width: 2.5 });
}

/** A colour for shapes together: that of the first, mixed with the next. @param {string} label @param {import("./colours.js").Theme} theme */
function mapColour(label, theme) {
  const parts = label.split(" + ").map((one) => one.replace(/^\d+ /, "").replace(/(digon|triangle|pentagon|antiprism)s$/, "$1"));
  const kinds = [...new Set(parts)].map((one) => hexOf(shapeColour(one === "nothing" ? "not learned" : one, theme)));
  const share = kinds.length > 1 ? [0.62, 0.38] : [1];
  return `rgb(${[0, 1, 2].map((k) => Math.round(share.reduce((sum, part, at) => sum + part * kinds[at][k], 0))).join(", ")})`;
}

/** @param {string} colour */
function hexOf(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** Where a setting lies on a map; null where it does not. @param {{ n: number, m: number, density: number[], ratio: number[] }} map
 * @param {import("./address.js").State} state */
function placeOfState(map, state) {
  const { density, importance, n, m, sets, magnitudes, net } = state, last = importance[n - 1];
  const plain = sets === "independent" && magnitudes === "uniform" && net === "relu" && n === map.n && m === map.m;
  const even = density.every((one) => one === density[0]) && importance.slice(0, -1).every((one) => one === importance[0]);
  const inside = density[0] >= map.density[0] * 0.95 && last > 0 && importance[0] > 0;
  const ratio = last / importance[0];
  if (!plain || !even || !inside || ratio < map.ratio[0] * 0.95 || ratio > map.ratio[map.ratio.length - 1] * 1.05) return null;
  return { density: density[0], ratio };
}

/** What lies under a point: the cell's setting and its minimum. @param {Pen} pen @param {import("./address.js").State} state @param {number} x @param {number} y */
export function pointOfMap(pen, state, x, y) {
  const map = mapOf(state);
  if (!map) return null;
  const { left, top, width, height } = boxOf(pen, map.shapes);
  if (x < left || x > left + width || y < top || y > top + height) return null;
  const column = Math.min(Math.floor(((x - left) / width) * map.density.length), map.density.length - 1);
  const row = Math.min(Math.floor(((top + height - y) / height) * map.ratio.length), map.ratio.length - 1);
  return pointIn(map, column, row);
}

/** The setting and the minimum so many cells to the right and above; of what lies on no map those of its middle.
 * @param {import("./address.js").State} state @param {number} right @param {number} up */
export function pointBeside(state, right, up) {
  const map = mapOf(state);
  if (!map) return null;
  const { density, ratio } = map, here = placeOfState(map, state);
  const column = here ? Math.floor(placeIn(density, here.density)) + right : density.length >> 1;
  const row = here ? Math.floor(placeIn(ratio, here.ratio)) + up : ratio.length >> 1;
  return pointIn(map, Math.min(Math.max(column, 0), density.length - 1), Math.min(Math.max(row, 0), ratio.length - 1));
}

/** @param {typeof MAPS[number]} map @param {number} column @param {number} row */
function pointIn(map, column, row) {
  const size = map.n * map.m + map.n, cell = column * map.ratio.length + row;
  const bytes = atob(map.parameters), values = Float64Array.from({ length: size }, (_, k) => {
    const at = 2 * (cell * size + k), whole = bytes.charCodeAt(at) + 256 * bytes.charCodeAt(at + 1);
    return (whole < 32768 ? whole : whole - 65536) / map.scale;
  });
  const W = values.slice(0, map.n * map.m), b = values.slice(map.n * map.m);
  return { n: map.n, m: map.m, density: map.density[column], ratio: map.ratio[row], W, b };
}

/** @typedef {{ loss: number, said: string }} Optimum a certified loss, and how it is known to be the lowest */

/** The lowest certified loss of a setting; null where none is known. @param {import("./address.js").State} state @returns {Optimum | null} */
export function certifiedLoss(state) {
  if (state.l2 || state.interference || !state.bias) return null;
  if (state.net === "linear") return linearOptimum(state);
  if (state.magnitudes !== "uniform") return null;
  const { n, m, sets, density } = state, near = (/** @type {number} */ one, /** @type {number} */ other) => Math.abs(one / other - 1) < 1e-9;
  const line = LINES.find((one) => one.n === n && one.m === m && one.sets === sets && one.I === state.curve);
  const at = line ? line.density.findIndex((one) => density.every((p, i) => near(Array.isArray(one) ? one[i] : one, p))) : -1;
  if (line && at >= 0) return line.loss[at] ? { loss: line.loss[at], said: `lowest of ${line.starts} starts` } : null;
  const map = MAPS.find((one) => one.n === n && one.m === m), here = map && placeOfState(map, state);
  if (!map || !here) return null;
  const column = map.density.findIndex((one) => near(one, here.density)), row = map.ratio.findIndex((one) => near(one, here.ratio));
  const loss = column < 0 || row < 0 ? 0 : map.loss[column * map.ratio.length + row] * state.importance[0];
  return loss ? { loss, said: "lowest certified" } : null;
}

/** Of a linear model of independent features: those of largest importance times variance are kept, the loss of the others is left.
 * @param {import("./address.js").State} state @returns {Optimum | null} */
function linearOptimum({ m, sets, density, importance, magnitudes }) {
  if (sets !== "independent") return null;
  const variance = (/** @type {number} */ p) => p / 3 - (magnitudes === "signed" ? 0 : (p / 2) ** 2);
  const each = density.map((p, i) => importance[i] * variance(p)).sort((one, other) => other - one);
  return { loss: each.slice(m).reduce((sum, one) => sum + one, 0), said: "lowest there is" };
}
