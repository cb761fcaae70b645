// The address of a state, `#v=1&n=5&m=2&p=0.1&W=...`: what tegum.lab.address writes and reads, which says what each key is.

import { densityCount, setsOf } from "./distribution.js";

const VERSION = "1";
export const MOST_FEATURES = 32, MOST_HIDDEN = 5;

/**
 * @typedef {object} State
 * @property {number} n
 * @property {number} m
 * @property {"relu" | "linear"} net
 * @property {boolean} bias
 * @property {string} sets independent, correlated:SIZE or anticorrelated:SIZE
 * @property {number[]} density one for each feature, or for each correlated set
 * @property {number[]} importance one for each feature
 * @property {string} curve how importances were said: a number, geometric:RATIO, or nothing
 * @property {"uniform" | "signed"} magnitudes
 * @property {number} l2
 * @property {number} interference
 * @property {"flow" | "adam" | "sample"} how
 * @property {number} rate
 * @property {number} batch
 * @property {number} seed
 * @property {string} view
 * @property {Float64Array | null} W
 * @property {Float64Array | null} b
 */

/** @type {Record<string, string>} */
const DEFAULTS = {
  n: "5", m: "2", net: "relu", bias: "1", sets: "independent", p: "0.1", I: "1", x: "uniform",
  l2: "0", interference: "0", how: "flow", rate: "0.01", batch: "256", seed: "0", view: "",
};
const CHOICES = {
  net: ["relu", "linear"], bias: ["0", "1"], x: ["uniform", "signed"], how: ["flow", "adam", "sample"],
  view: ["", "arrows", "space", "gram", "norms", "time", "map"],
};

/** @param {string} address with or without what stands before # @returns {State} @throws {Error} where the lab did not write it */
export function stateOf(address) {
  const fragment = decodeURIComponent(address.slice(address.lastIndexOf("#") + 1));
  const said = Object.fromEntries((fragment || `v=${VERSION}`).split("&").map((entry) => {
    const at = entry.indexOf("=");
    return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
  }));
  if (said.v !== VERSION) throw new Error(`the address says version ${said.v ?? "none"}, and this lab reads ${VERSION}`);
  for (const key in said) if (!Object.hasOwn(DEFAULTS, key) && !["v", "W", "b"].includes(key)) throw new Error(`the address has an unknown key "${key}"`);
  /** @type {Record<string, string>} */
  const all = { ...DEFAULTS, ...said };
  for (const [key, known] of Object.entries(CHOICES)) if (!known.includes(all[key])) throw new Error(`${key} is "${all[key]}"`);
  const n = whole("n", all.n, 1, MOST_FEATURES), m = whole("m", all.m, 1, MOST_HIDDEN);
  const [name, size] = setsOf(all.sets);
  const known = name === "independent" ? all.sets === name : /^(anti)?correlated:\d{1,9}$/.test(all.sets);
  if (!known || !Number.isInteger(size) || size < 1 || n % size) throw new Error(`sets is "${all.sets}" of ${n} features`);
  if (name === "correlated" && all.x === "signed") throw new Error("correlated sets are not signed here");
  const count = densityCount({ n, sets: all.sets, density: [], importance: [], magnitudes: all.x });
  const state = {
    n, m,
    net: /** @type {State["net"]} */ (all.net),
    bias: all.bias === "1",
    sets: all.sets,
    density: several("p", all.p, count, 0, 1),
    importance: importances(all.I, n),
    curve: all.I.includes(",") ? "" : all.I,
    magnitudes: /** @type {State["magnitudes"]} */ (all.x),
    l2: number("l2", all.l2, 0, 1e6),
    interference: number("interference", all.interference, 0, 1e6),
    how: /** @type {State["how"]} */ (all.how),
    rate: number("rate", all.rate, 1e-6, 10),
    batch: whole("batch", all.batch, 1, 1e5),
    seed: whole("seed", all.seed, 0, Number.MAX_SAFE_INTEGER),
    view: all.view,
    W: floats("W", all.W, n * m),
    b: floats("b", all.b, n),
  };
  if (state.b && !state.W) throw new Error("there is b and no W");
  if (!state.bias && state.b?.some((one) => one !== 0)) throw new Error("bias is 0, and b is not");
  if (name === "anticorrelated")
    for (let first = 0; first < n; first += size) {
      const total = state.density.slice(first, first + size).reduce((sum, one) => sum + one, 0);
      if (total > 1 + 1e-12) throw new Error(`densities of an anticorrelated set of ${size} sum to ${total}`);
    }
  return state;
}

/** @param {State} state @returns {string} `#...` */
export function addressOf(state) {
  /** @type {Record<string, string>} */
  const said = {
    v: VERSION, n: String(state.n), m: String(state.m), net: state.net, bias: state.bias ? "1" : "0", sets: state.sets,
    p: list(state.density), I: state.curve || list(state.importance), x: state.magnitudes,
    l2: String(state.l2), interference: String(state.interference), how: state.how, rate: String(state.rate),
    batch: String(state.batch), seed: String(state.seed), view: state.view,
  };
  if (state.W) said.W = encoded(state.W);
  if (state.b && (state.bias || state.b.some((one) => one !== 0)) && state.W) said.b = encoded(state.b);
  const kept = Object.entries(said).filter(([key, value]) => key === "n" || key === "m" || value !== DEFAULTS[key]);
  return "#" + kept.map(([key, value]) => `${key}=${value}`).join("&");
}

/** Importances as they are said: one number, geometric:RATIO, or one for each feature.
 * @param {string} text @param {number} n */
export function importances(text, n) {
  const [curve, ratio] = text.split(":");
  if (ratio === undefined) return several("I", text, n, 0, 1e30);
  if (curve !== "geometric") throw new Error(`I is "${text}"`);
  const base = number("I", ratio, 0, 1e30);
  return Array.from({ length: n }, (_, i) => base ** i);
}

/** @param {number[]} values */
function list(values) {
  return values.every((one) => one === values[0]) ? String(values[0]) : values.join(",");
}

/** @param {string} key @param {string} text @param {number} low @param {number} high */
function number(key, text, low, high) {
  const value = /^-?\d+(\.\d*)?(e[+-]?\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value >= low && value <= high)) throw new Error(`${key} is "${text}": from ${low} to ${high}`);
  return value;
}

/** @param {string} key @param {string} text @param {number} low @param {number} high */
function whole(key, text, low, high) {
  const value = number(key, text, low, high);
  if (!Number.isInteger(value)) throw new Error(`${key} is "${text}": a whole number`);
  return value;
}

/** @param {string} key @param {string} text @param {number} count @param {number} low @param {number} high */
function several(key, text, count, low, high) {
  const values = text.split(",").map((one) => number(key, one, low, high));
  if (values.length === 1) return Array(count).fill(values[0]);
  if (values.length !== count) throw new Error(`${key} has ${values.length} numbers for ${count}`);
  return values;
}

/** @param {Float64Array} values */
function encoded(values) {
  const bytes = new Uint8Array(8 * values.length), view = new DataView(bytes.buffer);
  values.forEach((value, k) => view.setFloat64(8 * k, value, true));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} key @param {string | undefined} text @param {number} count */
function floats(key, text, count) {
  if (!text) return null;
  const plain = /^[\w-]+$/.test(text) && text.length % 4 !== 1 ? atob(text.replaceAll("-", "+").replaceAll("_", "/")) : "";
  if (plain.length !== 8 * count) throw new Error(`${key} does not hold ${count} numbers`);
  const bytes = Uint8Array.from(plain, (one) => one.charCodeAt(0)), view = new DataView(bytes.buffer);
  const values = Float64Array.from({ length: count }, (_, k) => view.getFloat64(8 * k, true));
  if (!values.every(Number.isFinite)) throw new Error(`${key} has numbers that are not finite`);
  return values;
}
