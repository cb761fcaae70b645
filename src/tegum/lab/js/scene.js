// What every picture draws: the model as it is now, how it came here, and how the page looks.

/**
 * @typedef {object} Scene
 * @property {import("./address.js").State} state
 * @property {import("./simulation.js").Frame} frame
 * @property {{ norm: Float64Array, D: Float64Array, interference: Float64Array }} measures
 * @property {import("./colours.js").Theme} theme
 * @property {History} history
 * @property {number[][]} view how the hidden space is seen
 * @property {boolean} space whether it is seen turning
 * @property {number} chosen the feature that is chosen, or -1
 * @property {number | null} optimum the lowest certified loss of this setting, where it is known
 */

const MOST = 1200;

/** Losses and dimensionalities on the way; where there are too many, every second one stays. */
export class History {
  constructor() {
    this.clear();
  }

  clear() {
    /** @type {number[]} */
    this.time = [];
    /** @type {number[]} */
    this.loss = [];
    /** @type {Float64Array[]} */
    this.D = [];
    /** @type {string[][]} */
    this.names = [];
    /** @type {number[]} times at which somebody intervened */
    this.marks = [];
    this.every = 1;
    this.seen = 0;
  }

  /** @param {number} time @param {number} loss @param {Float64Array} D @param {string[]} names */
  add(time, loss, D, names) {
    if (this.time.length && time < this.time[this.time.length - 1]) this.clear();
    if (this.seen++ % this.every) return;
    this.time.push(time);
    this.loss.push(loss);
    this.D.push(D);
    this.names.push(names);
    if (this.time.length < MOST) return;
    this.every *= 2;
    for (const key of /** @type {const} */ (["time", "loss", "D", "names"]))
      // @ts-ignore: each keeps its own kind
      this[key] = this[key].filter((_, k) => k % 2 === 0);
  }

  mark() {
    if (this.time.length) this.marks.push(this.time[this.time.length - 1]);
  }
}
