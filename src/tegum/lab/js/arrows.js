// Features as arrows: in the plane, on a line, or as a turning picture of more dimensions.

import { dot } from "./algebra.js";
import { shapeColour } from "./colours.js";
import { faint } from "./pen.js";

/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("./pen.js").Point} Point */
/** @typedef {import("./scene.js").Scene} Scene */

const REACH = 1.32, HEAD = 0.085, NEAR = 26;

/** How the hidden space is seen: a matrix of 3 rows on it, by what it was turned.
 * @param {number} m @param {boolean} space @param {number[]} turns angles of the turns @returns {number[][]} */
export function viewOf(m, space, turns) {
  /** @type {number[][]} */
  const rows = Array.from({ length: Math.max(m, 3) }, (_, i) => Array.from({ length: m }, (_, k) => (i === k ? 1 : 0)));
  if (!space) return rows.slice(0, 2).concat([Array(m).fill(0)]);
  const planes = [[0, 2], [1, 2], [0, 3], [1, 4], [2, 3]];
  planes.forEach(([a, b], t) => {
    if (b >= rows.length || !turns[t]) return;
    const cos = Math.cos(turns[t]), sin = Math.sin(turns[t]), one = rows[a], other = rows[b];
    rows[a] = one.map((x, k) => cos * x + sin * other[k]);
    rows[b] = other.map((x, k) => cos * x - sin * one[k]);
  });
  return rows.slice(0, 3);
}

/** Where things are on the picture, which has room for the longest arrow. @param {Pen} pen @param {Scene} scene */
export function frameOf(pen, scene) {
  const reach = Math.max(REACH, 1.1 * Math.max(...scene.measures.norm.filter(Number.isFinite)));
  const scale = Math.min(pen.width, pen.height) / 2 / reach;
  return { x: pen.width / 2, y: pen.height / 2, scale };
}

/** Tips of all features, with their depth. @param {Pen} pen @param {Scene} scene */
function tipsOf(pen, scene) {
  const { W } = scene.frame, { n, m } = scene.state, { x, y, scale } = frameOf(pen, scene);
  return Array.from({ length: n }, (_, i) => {
    const place = Array.from({ length: m }, (_, k) => W[k * n + i]);
    const [a, b, depth] = scene.view.map((row) => dot(row, place));
    // on a line, features would lie on each other: each has a height of its own
    const lift = m === 1 ? ((i - (n - 1) / 2) / Math.max(n, 4)) * 1.2 : 0;
    return { x: x + scale * a, y: y - scale * (b + lift), base: y - scale * lift, depth };
  });
}

/** @param {Pen} pen @param {Scene} scene */
export function drawArrows(pen, scene) {
  const { theme, frame, measures, state } = scene, { x, y, scale } = frameOf(pen, scene), tips = tipsOf(pen, scene);
  if (state.m === 1) pen.path([[x, 12], [x, pen.height - 12]], { colour: theme.line });
  else for (const radius of [0.5, 1]) pen.circle(x, y, scale * radius, { colour: theme.line, width: 1 });
  if (state.m > 1 && !scene.space) pen.text(x + 0.72 * scale + 6, y + 0.72 * scale + 8, "norm 1", { size: 10, colour: theme.soft });
  drawShapes(pen, scene, tips);
  const order = [...tips.keys()].sort((i, j) => tips[i].depth - tips[j].depth);
  for (const i of order) {
    const { x: tx, y: ty, base, depth } = tips[i], colour = shapeColour(frame.shapes.names[i], theme);
    const chosen = scene.chosen === i, alpha = scene.space ? 0.45 + 0.55 * Math.min(Math.max((depth + 1.1) / 2.2, 0), 1) : 1;
    const dx = tx - x, dy = ty - base, length = Math.hypot(dx, dy);
    const width = (state.n > 12 ? 2 : 3) + (chosen ? 1.5 : 0), head = Math.min(scale * HEAD, length * 0.6);
    if (length > 1) {
      const ux = dx / length, uy = dy / length;
      pen.path([[x, base], [tx - 0.7 * head * ux, ty - 0.7 * head * uy]], { colour, width, alpha });
      const side = 0.5 * head;
      pen.path([[tx, ty], [tx - head * ux - side * uy, ty - head * uy + side * ux], [tx - head * ux + side * uy, ty - head * uy - side * ux]],
        { fill: colour, closed: true, alpha });
    }
    pen.circle(tx, ty, measures.norm[i] < 0.1 ? 4 : 2.5, { fill: colour, alpha });
    if (chosen) pen.circle(tx, ty, 13, { colour: theme.accent, width: 2 });
    const away = length > 1 ? 1 + 15 / length : 1;
    const label = length > 1 ? [x + dx * away, base + dy * away] : [x + 12 * Math.cos(i), base + 12 * Math.sin(i)];
    pen.text(label[0], label[1], String(i), { size: state.n > 20 ? 10 : 12, colour: theme.soft, align: "center", bold: chosen });
  }
}

/** The outline of each shape: neighbours around the circle, or the nearest ones in space.
 * @param {Pen} pen @param {Scene} scene @param {{ x: number, y: number }[]} tips */
function drawShapes(pen, scene, tips) {
  const { frame, theme, state } = scene, { x, y } = frameOf(pen, scene), { n, m } = state;
  if (m === 1) return;
  for (const part of frame.shapes.parts) {
    if (part.length < 3 || frame.shapes.names[part[0]].startsWith("irregular")) continue;
    const colour = shapeColour(frame.shapes.names[part[0]], theme);
    if (m === 2) {
      const around = [...part].sort((i, j) => Math.atan2(tips[i].y - y, tips[i].x - x) - Math.atan2(tips[j].y - y, tips[j].x - x));
      /** @type {Point[]} */
      const outline = around.map((i) => [tips[i].x, tips[i].y]);
      pen.path(outline, { fill: faint(colour, 0.1), colour: faint(colour, 0.45), width: 1.5, closed: true });
      continue;
    }
    const pairs = part.flatMap((i, k) => part.slice(k + 1).map((j) => {
      let squared = 0;
      for (let a = 0; a < m; a++) squared += (frame.W[a * n + i] - frame.W[a * n + j]) ** 2;
      return { i, j, distance: Math.sqrt(squared) };
    }));
    const nearest = Math.min(...pairs.map(({ distance }) => distance));
    for (const { i, j, distance } of pairs)
      if (distance < 1.25 * nearest) pen.path([[tips[i].x, tips[i].y], [tips[j].x, tips[j].y]], { colour: faint(colour, 0.4), width: 1.5 });
  }
}

/** The feature whose tip is near a point; -1 without. @param {Pen} pen @param {Scene} scene @param {number} px @param {number} py */
export function featureAt(pen, scene, px, py) {
  let best = -1, nearest = NEAR;
  tipsOf(pen, scene).forEach(({ x, y }, i) => {
    const distance = Math.hypot(px - x, py - y);
    if (distance >= nearest) return;
    nearest = distance;
    best = i;
  });
  return best;
}

/** Where a feature goes when its tip is drawn to a point: in the plane of the picture, with its depth kept.
 * @param {Pen} pen @param {Scene} scene @param {number} i @param {number} px @param {number} py */
export function placeAt(pen, scene, i, px, py) {
  const { x, y, scale } = frameOf(pen, scene), { n, m } = scene.state, { W } = scene.frame, view = scene.view;
  const place = Array.from({ length: m }, (_, k) => W[k * n + i]);
  const wanted = m === 1 ? [(px - x) / scale] : [(px - x) / scale, (y - py) / scale];
  wanted.forEach((value, row) => {
    const move = value - dot(view[row], place);
    for (let k = 0; k < m; k++) place[k] += move * view[row][k];
  });
  const size = Math.hypot(...place), most = 1.25;
  return size > most ? place.map((one) => (one * most) / size) : place;
}
