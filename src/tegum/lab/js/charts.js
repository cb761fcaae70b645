// What changes on the way: the loss, with the lowest certified one of the setting, and the dimensionality of every feature.

import { shapeColour } from "./colours.js";

/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("./pen.js").Point} Point */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {{ left: number, top: number, width: number, height: number }} Box */

/** What features of known shapes have, in the plane and in more dimensions. @type {[number, string][][]} */
const GUIDES = [[[1, "1"], [2 / 3, "2/3"], [1 / 2, "1/2"], [2 / 5, "2/5"]], [[1, "1"], [3 / 4, "3/4"], [1 / 2, "1/2"]]];
/** @type {[number, string][]} */
const LOWER = [[2 / 5, "2/5"], [3 / 8, "3/8"]];
const LABEL = 11, MOST_POINTS = 400;
/** Lower losses are 0 to rounding: they are drawn here. */
const LEAST = 1e-9;

/** Both, one above the other. @param {Pen} pen @param {Scene} scene */
export function drawCharts(pen, scene) {
  const half = pen.height / 2;
  drawLoss(pen, scene, { left: 66, top: 38, width: pen.width - 84, height: half - 74 });
  drawDimensionality(pen, scene, { left: 66, top: half + 30, width: pen.width - 84, height: half - 68 });
}

/** @param {Pen} pen @param {Scene} scene */
export function drawLossAlone(pen, scene) {
  drawLoss(pen, scene, { left: 58, top: 34, width: pen.width - 76, height: pen.height - 68 });
}

/** @param {Pen} pen @param {Scene} scene */
export function drawDimensionalityAlone(pen, scene) {
  drawDimensionality(pen, scene, { left: 44, top: 34, width: pen.width - 60, height: pen.height - 68 });
}

/** Times from the beginning to now, and where they lie. @param {Scene} scene @param {Box} box */
function along(scene, box) {
  const { time } = scene.history, last = Math.max(scene.frame.time, time[time.length - 1] ?? 0);
  const first = time[0] ?? 0, span = Math.max(last - first, 1e-9);
  return { first, last, at: (/** @type {number} */ t) => box.left + (box.width * (t - first)) / span };
}

/** @param {Pen} pen @param {Scene} scene @param {Box} box */
function drawLoss(pen, scene, box) {
  const { history, frame, theme } = scene, { at, first, last } = along(scene, box);
  const optimum = scene.optimum && scene.optimum.loss > LEAST ? scene.optimum.loss : null;
  const values = [...history.loss, frame.loss, ...(optimum ? [optimum] : [])].filter(Number.isFinite).map((one) => Math.max(one, LEAST));
  const low = Math.min(...values, 1) / 1.06, high = Math.max(...values, low * 1.2) * 1.06;
  /** @param {number} loss */
  const y = (loss) => box.top + box.height * (1 - Math.log(Math.max(loss, low) / low) / Math.log(high / low));
  for (const tick of logTicks(low, high)) {
    pen.path([[box.left, y(tick)], [box.left + box.width, y(tick)]], { colour: theme.line });
    pen.text(box.left - 8, y(tick), String(Number(tick.toPrecision(3))), { size: LABEL, colour: theme.soft, align: "right" });
  }
  frameOf(pen, scene, box, "loss", first, last);
  if (optimum) {
    pen.path([[box.left, y(optimum)], [box.left + box.width, y(optimum)]], { colour: theme.soft, width: 1.5, dash: [5, 4] });
    pen.text(box.left + box.width, y(optimum) - 9, scene.optimum?.said ?? "", { size: LABEL, colour: theme.soft, align: "right" });
  }
  marks(pen, scene, box, at);
  const points = thinned(history.time.map((t, k) => /** @type {Point} */ ([at(t), y(history.loss[k])])));
  points.push([at(frame.time), y(frame.loss)]);
  pen.path(points, { colour: theme.accent, width: 2 });
  pen.circle(at(frame.time), y(frame.loss), 3.5, { fill: theme.accent });
}

/** @param {Pen} pen @param {Scene} scene @param {Box} box */
function drawDimensionality(pen, scene, box) {
  const { history, frame, theme, measures, state } = scene, { at, first, last } = along(scene, box);
  /** @param {number} D */
  const y = (D) => box.top + box.height * (1 - D / 1.05);
  const space = state.m > 2, lower = space ? [LOWER[frame.shapes.names.includes("pentagon") ? 0 : 1]] : [];
  let above = -Infinity;
  for (const [value, name] of [...GUIDES[space ? 1 : 0], ...lower]) {
    pen.path([[box.left, y(value)], [box.left + box.width, y(value)]], { colour: theme.line });
    above = Math.max(y(value), above + LABEL);
    pen.text(box.left - 8, above, name, { size: LABEL, colour: theme.soft, align: "right" });
  }
  frameOf(pen, scene, box, "dimensionality", first, last);
  marks(pen, scene, box, at);
  for (let i = 0; i < state.n; i++) {
    const points = thinned(history.time.map((t, k) => /** @type {Point} */ ([at(t), y(history.D[k][i] ?? 0)])));
    points.push([at(frame.time), y(measures.D[i])]);
    const colour = shapeColour(frame.shapes.names[i], theme);
    pen.path(points, { colour, width: scene.chosen === i ? 3 : 1.5, alpha: state.n > 12 ? 0.7 : 0.9 });
    pen.circle(at(frame.time), y(measures.D[i]), 3, { fill: colour });
  }
}

/** Axes, the name of what is drawn, and the time. @param {Pen} pen @param {Scene} scene @param {Box} box @param {string} name
 * @param {number} first @param {number} last */
function frameOf(pen, scene, box, name, first, last) {
  const { theme, state } = scene, bottom = box.top + box.height;
  pen.path([[box.left, bottom], [box.left + box.width, bottom]], { colour: theme.soft });
  pen.text(box.left - (box.left > 50 ? 44 : 30), box.top - 17, name, { size: 12, colour: theme.ink, bold: true });
  pen.text(box.left, bottom + 14, rounded(first), { size: LABEL, colour: theme.soft });
  pen.text(box.left + box.width, bottom + 14, rounded(last), { size: LABEL, colour: theme.soft, align: "right" });
  pen.text(box.left + box.width / 2, bottom + 14, state.how === "flow" ? "time of the flow" : "steps", { size: LABEL, colour: theme.soft, align: "center" });
}

/** Where somebody intervened. @param {Pen} pen @param {Scene} scene @param {Box} box @param {(time: number) => number} at */
function marks(pen, scene, box, at) {
  for (const mark of scene.history.marks.slice(-40))
    pen.path([[at(mark), box.top], [at(mark), box.top + box.height]], { colour: scene.theme.soft, dash: [2, 4], alpha: 0.7 });
}

/** @param {Point[]} points */
function thinned(points) {
  const each = Math.ceil(points.length / MOST_POINTS);
  return each > 1 ? points.filter((_, k) => k % each === 0) : points;
}

/** @param {number} low @param {number} high */
function logTicks(low, high) {
  const digits = high < 3 * low ? [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9] : high < 30 * low ? [1, 2, 3, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const digit of digits) if (digit * 10 ** power >= low && digit * 10 ** power <= high) ticks.push(digit * 10 ** power);
  return ticks;
}

/** @param {number} value */
export function rounded(value) {
  return value >= 1e5 ? value.toExponential(1) : value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
