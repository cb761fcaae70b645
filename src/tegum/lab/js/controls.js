// What can be changed: buttons, sliders and choices, each of which follows the state.

import { densityCount, setsOf } from "./distribution.js";
import { element, unique } from "./dom.js";
import { importances, MOST_FEATURES, MOST_HIDDEN } from "./address.js";
import { rounded } from "./charts.js";

/** @typedef {import("./lab.js").Lab} Lab */
/** @typedef {import("./address.js").State} State */

/** Densities of sliders: 48 steps for each factor of 10, so that those of the maps are among them. */
const STEPS = 48, LOWEST = -2.5;
const PENALTIES = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 100];

/** Where a density is on its slider; the lowest stands for all below. @param {number} density */
function positionOf(density) {
  return Math.max(Math.round(STEPS * Math.log10(density)), LOWEST * STEPS);
}

/** @param {number} position */
function densityOf(position) {
  return position === 0 ? 1 : 10 ** (position / STEPS);
}

/** @param {Lab} lab */
export function play(lab) {
  const button = element("button", { class: "main", type: "button", onclick: () => lab.play(!lab.playing) });
  const follow = () => {
    const words = lab.playing ? "Pause" : "Play";
    if (button.textContent !== words) button.textContent = words;
  };
  lab.listeners.push(follow);
  follow();
  return button;
}

/** @param {Lab} lab */
export function stepControls(lab) {
  if (lab.recorded) return [];
  const step = element("button", { type: "button", title: "one step of the integrator", onclick: () => lab.single() }, "Step");
  const again = element("button", { type: "button", title: "other initial weights", onclick: () => lab.change({ seed: lab.state.seed + 1 }) }, "New start");
  if (lab.small) return [step, again];
  const back = element("button", { type: "button", title: "the initial weights again", onclick: () => lab.reset() }, "Reset");
  return [step, back, again];
}

/** A slider with a name and its value in words.
 * @param {{ name: string, low: number, high: number, step?: number, value: () => number, words: (value: number) => string,
 *   change: (value: number) => void, key?: string }} how @param {Lab} lab */
export function slider({ name, low, high, step = 1, value, words, change, key }, lab) {
  const id = unique("slider"), said = element("output", { for: id });
  const input = element("input", { id, type: "range", min: low, max: high, step });
  const follow = () => {
    const now = value();
    if (Number(input.value) !== now) input.value = String(now);
    said.textContent = words(now);
    input.setAttribute("aria-valuetext", words(now));
  };
  input.addEventListener("input", () => change(Number(input.value)));
  lab.listeners.push(follow);
  follow();
  return element("div", { class: "control", "data-control": key }, element("label", { for: id }, name), said, input);
}

/** @param {Lab} lab */
export function speedControl(lab) {
  return slider({
    name: "Speed", low: 0, high: SPEEDS.length - 1,
    value: () => SPEEDS.reduce((best, one, k) => (Math.abs(Math.log(one / lab.speed)) < Math.abs(Math.log(SPEEDS[best] / lab.speed)) ? k : best), 0),
    words: (k) => `${SPEEDS[k]}×`,
    change: (k) => {
      lab.setSpeed(SPEEDS[k]);
      for (const listener of lab.listeners) listener(lab.state);
    },
  }, lab);
}

/** The largest density there can be. @param {State} state */
function most(state) {
  const [name, size] = setsOf(state.sets);
  return name === "anticorrelated" ? 1 / size : 1;
}

/** @param {Lab} lab */
export function densityControl(lab) {
  return slider({
    name: "Density", key: "density", low: LOWEST * STEPS, high: 0,
    value: () => positionOf(lab.state.density[0]),
    words: () => densityInWords(lab.state),
    change: (value) => {
      const density = Math.min(densityOf(value), most(lab.state));
      lab.change({ density: lab.state.density.map(() => density) });
    },
  }, lab);
}

/** @param {State} state */
function densityInWords(state) {
  const low = Math.min(...state.density), high = Math.max(...state.density);
  return low === high ? rounded(low) : `${rounded(low)} to ${rounded(high)}`;
}

/** One slider for each feature, or set. @param {Lab} lab */
export function densitiesControl(lab) {
  const place = element("div", { class: "each" });
  const fold = element("details", {}, element("summary", {}, "Each feature's own density"), place);
  let made = "";
  /** @type {typeof lab.listeners} */
  let own = [];
  const follow = () => {
    const { state } = lab, [name] = setsOf(state.sets), now = `${state.density.length} ${name}`;
    if (now === made || !fold.open) return;
    made = now;
    const others = lab.listeners.filter((one) => !own.includes(one));
    lab.listeners = [...others];
    place.replaceChildren(...state.density.map((_, i) => slider({
      name: `${name === "correlated" ? "Set" : "Feature"} ${i}`, low: LOWEST * STEPS, high: 0,
      value: () => positionOf(lab.state.density[i] ?? 1),
      words: () => rounded(lab.state.density[i] ?? 1),
      change: (value) => lab.change({ density: lab.state.density.map((one, k) => (k === i ? Math.min(densityOf(value), most(lab.state)) : one)) }),
    }, lab)));
    own = lab.listeners.slice(others.length);
  };
  fold.addEventListener("toggle", follow);
  lab.listeners.push(follow);
  return fold;
}

/** A choice from a list; what an address says and no list has is added to it.  @template {string} T
 * @param {string} name @param {[T, string][]} options @param {() => T} value @param {(value: T) => void} change @param {Lab} lab */
export function choice(name, options, value, change, lab) {
  const id = unique("choice");
  const select = element("select", { id }, ...options.map(([key, words]) => element("option", { value: key }, words)));
  const follow = () => {
    const now = value();
    if (select.value === now) return;
    if (![...select.options].some((one) => one.value === now)) select.append(element("option", { value: now }, now.replace(":", " sets of ")));
    select.value = now;
  };
  select.addEventListener("change", () => change(/** @type {T} */ (select.value)));
  lab.listeners.push(follow);
  follow();
  return element("div", { class: "control pick" }, element("label", { for: id }, name), select);
}

/** What a number of features and a kind of sets make of all that is given for each: lists of the right length stay. @param {Lab} lab @param {Partial<State>} patch */
function resized(lab, patch) {
  const state = { ...lab.state, ...patch }, { n } = state;
  const [name, size] = setsOf(state.sets);
  if (n % size) state.sets = "independent";
  if (name === "correlated") state.magnitudes = "uniform";
  const count = densityCount(state), kept = lab.state.density.length === count ? lab.state.density : Array(count).fill(lab.state.density[0]);
  const curve = state.curve || String(lab.state.importance[0]), same = n === lab.state.n;
  const weights = same ? {} : { importance: importances(curve, n), curve };
  lab.change({ ...patch, ...weights, sets: state.sets, magnitudes: state.magnitudes, density: kept.map((one) => Math.min(one, most(state))) });
}

/** So many features as whole sets have, in the direction of the change. @param {State} state @param {number} n */
function inSets(state, n) {
  const size = setsOf(state.sets)[1], whole = (n > state.n ? Math.ceil(n / size) : Math.floor(n / size)) * size;
  return Math.min(Math.max(whole, size), MOST_FEATURES - (MOST_FEATURES % size));
}

/** @param {Lab} lab */
export function sizeControls(lab) {
  return [
    slider({ name: "Features n", low: 1, high: MOST_FEATURES, value: () => lab.state.n, words: String, change: (n) => resized(lab, { n: inSets(lab.state, n) }) }, lab),
    slider({ name: "Dimensions m", low: 1, high: MOST_HIDDEN, value: () => lab.state.m, words: String, change: (m) => lab.change({ m, view: "" }) }, lab),
  ];
}

/** @param {Lab} lab */
export function importanceControl(lab) {
  const ratio = () => {
    const [curve, value] = lab.state.curve.split(":");
    return curve === "geometric" ? Number(value) : lab.state.curve ? 1 : NaN;
  };
  return slider({
    name: "Importance of feature i", low: 0.5, high: 1, step: 0.01,
    value: () => ratio() || 1,
    words: () => (Number.isNaN(ratio()) ? "their own" : ratio() === 1 ? "equal" : `${ratio().toFixed(2)}ⁱ`),
    change: (value) => {
      const curve = value === 1 ? "1" : `geometric:${value}`;
      lab.change({ curve, importance: importances(curve, lab.state.n) });
    },
  }, lab);
}

/** @param {Lab} lab */
export function kindControls(lab) {
  /** @type {[string, string][]} */
  const sets = [["independent", "independent"]];
  ["pairs", "threes", "fours", "fives"].forEach((name, k) =>
    sets.push([`correlated:${k + 2}`, `correlated ${name}`], [`anticorrelated:${k + 2}`, `anticorrelated ${name}`]));
  return [
    choice("Features are", sets, () => lab.state.sets, (kind) => {
      const size = setsOf(kind)[1];
      resized(lab, { sets: kind, n: Math.max(size, Math.min(MOST_FEATURES - (MOST_FEATURES % size), Math.ceil(lab.state.n / size) * size)) });
    }, lab),
    choice("Values", [["uniform", "0 to 1"], ["signed", "−1 to 1"]], () => lab.state.magnitudes, (magnitudes) => {
      if (setsOf(lab.state.sets)[0] === "correlated" && magnitudes === "signed") resized(lab, { sets: "independent", magnitudes });
      else lab.change({ magnitudes });
    }, lab),
    choice("Output", [["relu", "ReLU(WᵀW x + b)"], ["linear", "WᵀW x + b"]], () => lab.state.net, (net) => lab.change({ net }), lab),
    choice("Bias b", [["1", "learned"], ["0", "none"]], () => (lab.state.bias ? "1" : "0"), (bias) => lab.change({ bias: bias === "1" }), lab),
  ];
}

/** @param {Lab} lab @param {"l2" | "interference"} key @param {string} name */
function penalty(lab, key, name) {
  return slider({
    name, low: 0, high: PENALTIES.length - 1,
    value: () => PENALTIES.reduce((best, one, k) => (Math.abs(one - lab.state[key]) < Math.abs(PENALTIES[best] - lab.state[key]) ? k : best), 0),
    words: () => (lab.state[key] ? String(lab.state[key]) : "none"),
    change: (k) => lab.change({ [key]: PENALTIES[k] }),
  }, lab);
}

/** @param {Lab} lab */
export function trainingControls(lab) {
  return [
    choice("Moves by", [["flow", "gradient flow"], ["adam", "Adam, exact loss"], ["sample", "Adam, samples"]], () => lab.state.how, (how) => lab.change({ how }), lab),
    slider({
      name: "Learning rate of Adam", low: -4, high: -1, step: 0.25,
      value: () => Math.round(4 * Math.log10(lab.state.rate)) / 4, words: () => rounded(lab.state.rate),
      change: (power) => lab.change({ rate: Number((10 ** power).toPrecision(2)) }),
    }, lab),
    slider({
      name: "Samples in a step", low: 4, high: 12,
      value: () => Math.round(Math.log2(lab.state.batch)), words: () => String(lab.state.batch), change: (power) => lab.change({ batch: 2 ** power }),
    }, lab),
    penalty(lab, "l2", "Weight decay (L2)"),
    penalty(lab, "interference", "Penalty on interference"),
  ];
}
