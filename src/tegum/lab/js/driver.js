// The model's clock: asks the simulation, in a worker or beside the page, for a frame whenever the screen wants one.

import { answering } from "./serve.js";

/** @typedef {import("./simulation.js").Frame} Frame */
/** @typedef {import("./serve.js").Message} Message */

const BUDGET = 10, BUDGET_BESIDE = 6, LATE = 4000;

export class Driver {
  /** @param {string} source what a worker runs; nothing: no worker @param {(frame: Frame) => void} seen */
  constructor(source, seen) {
    this.seen = seen;
    this.amount = 0;
    this.playing = false;
    this.waiting = 0;
    this.dirty = true;
    this.exact = false;
    this.asked = false; // whether the last tick asked for all digits
    this.still = false; // whether nothing moves and all that can be known is known
    /** @type {((message: Message) => void)} */
    this.post = () => {};
    this.worker = this.connect(source);
    this.stopped = false;
    this.loop = this.loop.bind(this);
    requestAnimationFrame(this.loop);
  }

  /** A worker where the page may have one, else the same beside it. @param {string} source @returns {Worker | null} */
  connect(source) {
    /** @param {Frame} frame */
    const receive = (frame) => {
      this.waiting = 0;
      this.seen(frame);
    };
    const beside = answering(receive);
    /** @type {Message[]} */
    const sent = [];
    try {
      if (!source) throw new Error("none is asked for");
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" })), worker = new Worker(url);
      worker.onmessage = (event) => receive(event.data);
      worker.onerror = () => {
        // refused by the page's policy: what was said so far is said again beside it
        this.worker = null;
        this.waiting = 0;
        this.post = beside;
        sent.filter(({ kind }) => kind !== "tick").forEach(beside);
        this.dirty = true;
      };
      this.post = (message) => {
        if (sent.length < 50) sent.push(message);
        worker.postMessage(message);
      };
      return worker;
    } catch {
      this.post = beside;
      return null;
    }
  }

  /** @param {Message} message */
  say(message) {
    this.post(message);
    this.dirty = true;
    this.exact = false;
  }

  loop() {
    if (this.stopped) return;
    requestAnimationFrame(this.loop);
    if (document.hidden || (this.waiting && performance.now() - this.waiting < LATE)) return;
    if ((!this.playing || this.still) && !this.dirty) return;
    this.waiting = performance.now();
    this.dirty = false;
    this.asked = this.exact;
    const milliseconds = this.worker ? BUDGET : BUDGET_BESIDE;
    this.post({ kind: "tick", amount: this.playing ? this.amount : 0, milliseconds, exact: this.exact });
  }

  /** Asks for all digits of the loss. */
  askExactly() {
    this.exact = true;
    this.dirty = true;
  }

  stop() {
    this.stopped = true;
    this.worker?.terminate();
  }
}
