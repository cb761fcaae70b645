// What the model does, in numbers: W^T W beside b, and the norms of features coloured by their interference.

import { interferenceColour, signedColour } from "./colours.js";
import { gram } from "./loss.js";

/** @typedef {import("./pen.js").Pen} Pen */
/** @typedef {import("./scene.js").Scene} Scene */

/** @param {Pen} pen @param {Scene} scene */
export function drawGram(pen, scene) {
  const { W, b } = scene.frame, { n, m } = scene.state, { theme } = scene, G = gram(W, m, n);
  const left = 34, top = 40, gap = 18;
  const cell = Math.min((pen.width - left - gap - 12) / (n + 1), (pen.height - top - 56) / n);
  const x0 = left + Math.max(0, (pen.width - left - gap - 12 - cell * (n + 1)) / 2);
  const numbers = cell >= 40, each = n > 16 ? 4 : 1, line = cell > 6 ? 1 : 0;
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) square(pen, scene, x0 + cell * i, top + cell * j, cell, line, G[j * n + i], numbers);
    square(pen, scene, x0 + cell * n + gap, top + cell * j, cell, line, b[j], numbers);
    if (j % each) continue;
    pen.text(x0 - 9, top + cell * (j + 0.5), String(j), { size: 11, colour: theme.soft, align: "right" });
    pen.text(x0 + cell * (j + 0.5), top - 10, String(j), { size: 11, colour: theme.soft, align: "center" });
  }
  pen.text(x0 + (cell * n) / 2, 12, "WᵀW: from input …", { size: 12, colour: theme.soft, align: "center" });
  pen.text(x0 + cell * (n + 0.5) + gap, top - 10, "b", { size: 12, colour: theme.soft, align: "center", bold: true });
  pen.text(12, top + (cell * n) / 2, "… to output", { size: 12, colour: theme.soft, align: "center", turn: true });
  const y = top + cell * n + 26, width = 160, start = x0 + (cell * n) / 2 - width / 2;
  for (let k = 0; k < 40; k++) pen.rect(start + (k * width) / 40, y - 5, width / 40 + 0.5, 10, signedColour(k / 19.5 - 1, theme));
  const beyond = [...G, ...b].some((value) => Math.abs(value) > 1.005);
  pen.text(start - 8, y, beyond ? "−1 and less" : "−1", { size: 11, colour: theme.soft, align: "right" });
  pen.text(start + width + 8, y, beyond ? "1 and more" : "1", { size: 11, colour: theme.soft });
}

/** @param {Pen} pen @param {Scene} scene @param {number} x @param {number} y @param {number} cell @param {number} line
 * @param {number} value @param {boolean} numbers */
function square(pen, scene, x, y, cell, line, value, numbers) {
  const { theme } = scene;
  pen.rect(x, y, cell - line, cell - line, signedColour(value, theme));
  if (!numbers) return;
  const colour = Math.abs(value) > 0.55 ? (theme.dark ? "#10131a" : "#ffffff") : theme.ink;
  pen.text(x + cell / 2, y + cell / 2, value.toFixed(2).replace("-", "−").replace("−0.00", "0.00"), { size: Math.min(14, cell / 3.4), colour, align: "center" });
}

/** @param {Pen} pen @param {Scene} scene */
export function drawNorms(pen, scene) {
  const { theme, measures } = scene, { n } = scene.state;
  const left = 56, right = 16, top = 24, bottom = 74, width = pen.width - left - right, height = pen.height - top - bottom;
  const most = Math.max(1.2, Math.ceil(5 * Math.max(...measures.norm)) / 5);
  /** @param {number} value */
  const at = (value) => top + height * (1 - value / most);
  for (let tick = 0; tick <= most + 1e-9; tick += most > 3 ? 1 : 0.5) {
    pen.path([[left, at(tick)], [left + width, at(tick)]], { colour: theme.line });
    pen.text(left - 8, at(tick), String(tick), { size: 11, colour: theme.soft, align: "right" });
  }
  const slot = width / n, bar = Math.min(slot * 0.72, 64), each = [1, 2, 4, 5].find((some) => some * slot > 15) ?? 8;
  for (let i = 0; i < n; i++) {
    const x = left + slot * (i + 0.5), y = at(measures.norm[i]);
    pen.rect(x - bar / 2, y, bar, top + height - y, interferenceColour(measures.interference[i], theme));
    if (theme.dark) pen.path([[x - bar / 2, y], [x + bar / 2, y]], { colour: theme.soft });
    if (i % each === 0) pen.text(x, top + height + 14, String(i), { size: 11, colour: theme.soft, align: "center" });
  }
  pen.text(14, top + height / 2, "norm of the feature", { size: 12, colour: theme.soft, align: "center", turn: true });
  pen.text(left + width / 2, top + height + 33, "feature", { size: 12, colour: theme.soft, align: "center" });
  const y = pen.height - 16, span = Math.min(160, width * 0.42), start = Math.min(left + width / 2 - 20, pen.width - span - 80);
  pen.text(start - 10, y, "interference  0", { size: 11, colour: theme.soft, align: "right" });
  for (let k = 0; k < 40; k++) pen.rect(start + (k * span) / 40, y - 5, span / 40 + 0.5, 10, interferenceColour(k / 39, theme));
  pen.text(start + span + 8, y, "1 and more", { size: 11, colour: theme.soft });
}
