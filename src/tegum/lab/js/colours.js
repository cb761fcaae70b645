// Colours of what is drawn: of shapes, of numbers with a sign, of interference, and of the page, light or dark.

import { SHAPE_COLOURS } from "./palette.js";

/**
 * @typedef {object} Theme
 * @property {string} ink
 * @property {string} soft
 * @property {string} line
 * @property {string} card
 * @property {string} accent
 * @property {boolean} dark
 */

/** @typedef {[number, number, number]} Rgb */

/** @type {Rgb[]} */
const INFERNO = [[0, 0, 4], [51, 10, 95], [120, 28, 109], [187, 55, 84], [237, 105, 37], [252, 181, 25], [252, 255, 164]];
/** @type {Rgb[]} */
const BLUE_RED = [[33, 102, 172], [103, 169, 207], [209, 229, 240], [247, 247, 247], [253, 219, 199], [239, 138, 98], [178, 24, 43]];
/** @type {Rgb[]} */
const BLUE_RED_DARK = [[90, 160, 235], [67, 116, 175], [46, 66, 92], [33, 33, 37], [92, 53, 48], [178, 80, 66], [245, 110, 95]];

/** The colours of a page, from its style. @param {Element} element @returns {Theme} */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const [ink, soft, line, card, accent] = ["ink", "soft", "line", "card", "accent"].map((name) => style.getPropertyValue(`--${name}`).trim());
  return { ink, soft, line, card, accent, dark: style.colorScheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches };
}

/** The colour of a shape by its name. @param {string} name @param {Theme} theme */
export function shapeColour(name, theme) {
  const kind = name.startsWith("irregular") || name === "crowded" ? "irregular" : name in SHAPE_COLOURS ? name : "another shape";
  if (theme.dark && kind === "dedicated") return theme.ink;
  if (theme.dark && kind === "not learned") return "#505058";
  if (kind === "not learned") return "#b9b9bf";
  return SHAPE_COLOURS[kind];
}

/** Between stops, for t from 0 to 1. @param {Rgb[]} stops @param {number} t */
function between(stops, t) {
  const place = Math.min(Math.max(t, 0), 1) * (stops.length - 1), at = Math.min(Math.floor(place), stops.length - 2);
  const part = place - at;
  return `rgb(${stops[at].map((one, k) => Math.round(one + part * (stops[at + 1][k] - one))).join(", ")})`;
}

/** Red above 0, blue below, for numbers from -1 to 1. @param {number} value @param {Theme} theme */
export function signedColour(value, theme) {
  return between(theme.dark ? BLUE_RED_DARK : BLUE_RED, (value + 1) / 2);
}

/** From dark (0, alone) to yellow (1 and more). @param {number} value @param {Theme} theme */
export function interferenceColour(value, theme) {
  return between(theme.dark ? INFERNO.slice(1) : INFERNO, 0.92 * Math.min(value, 1));
}
