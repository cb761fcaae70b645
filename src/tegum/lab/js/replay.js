// A recorded training or flow: its models one by one, at the pace of a film.

import { slider } from "./controls.js";
import { rounded } from "./charts.js";

/** @typedef {import("./lab.js").Lab} Lab */
/** @typedef {{ clock: string, times: number[], W: Float64Array[], b: Float64Array[] }} Record */

const FILM_SECONDS = 12;

/** A record as Python wrote it: numbers in base64 of float32, one model after the other.
 * @param {{ clock: string, times: number[], W: string, b: string }} written @returns {Record} */
export function recordOf({ clock, times, W, b }) {
  return { clock, times, W: cut(W, times.length), b: cut(b, times.length) };
}

/** @param {string} text @param {number} count */
function cut(text, count) {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0)), view = new DataView(bytes.buffer);
  const each = bytes.length / 4 / count;
  return Array.from({ length: count }, (_, k) => Float64Array.from({ length: each }, (_, i) => view.getFloat32(4 * (k * each + i), true)));
}

/** Plays a record: says which of its models is shown. */
export class Player {
  /** @param {Record} record */
  constructor(record) {
    this.record = record;
    this.at = 0;
  }

  /** Goes on; says whether another model is to be shown. @param {number} seconds @param {number} speed */
  advance(seconds, speed) {
    const before = Math.floor(this.at), last = this.record.times.length - 1;
    this.at = Math.min(this.at + (seconds * speed * this.record.times.length) / FILM_SECONDS, last);
    return Math.floor(this.at) !== before;
  }

  get index() {
    return Math.floor(this.at);
  }

  get time() {
    return this.record.times[this.index];
  }

  get ended() {
    return this.index >= this.record.times.length - 1;
  }
}

/** @param {Lab} lab */
export function replayControl(lab) {
  const player = /** @type {Player} */ (lab.player), { times, clock } = player.record;
  return slider({
    name: clock === "time" ? "Time" : "Step", low: 0, high: times.length - 1,
    value: () => player.index, words: () => rounded(player.time),
    change: (at) => {
      lab.play(false);
      lab.seek(at);
    },
  }, lab);
}
