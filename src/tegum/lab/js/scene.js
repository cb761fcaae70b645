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
 * @property {import("./phasemap.js").Optimum | null} optimum the lowest certified loss of this setting, where it is known
 */

const MOST = 1200;

/** Losses and dimensionalities on the way; where there are too many, every second one stays. */
export class History {
  /** @type {number[]} */
  time = [];
  /** @type {number[]} */
  loss = [];
  /** @type {Float64Array[]} */
  D = [];
  /** @type {number[]} times at which somebody intervened */
  marks = [];
  every = 1;
  seen = 0;

  clear() {
    Object.assign(this, new History());
  }

  /** @param {number} time @param {number} loss @param {Float64Array} D */
  add(time, loss, D) {
    if (this.time.length && time < this.time[this.time.length - 1]) this.clear();
    if (this.seen++ % this.every) return;
    this.time.push(time);
    this.loss.push(loss);
    this.D.push(D);
    if (this.time.length < MOST) return;
    this.every *= 2;
    const even = (/** @type {any} */ _, /** @type {number} */ k) => k % 2 === 0;
    this.time = this.time.filter(even);
    this.loss = this.loss.filter(even);
    this.D = this.D.filter(even);
  }

  mark() {
    if (this.time.length) this.marks.push(this.time[this.time.length - 1]);
  }
}
