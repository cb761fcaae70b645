// A model that moves: down the gradient flow of its exact loss, by Adam on the exact loss, or by Adam on samples.

import { Adam } from "./adam.js";
import { distributionOf, sampleInto } from "./distribution.js";
import { Flow, norm } from "./flow.js";
import { EXACT, gram, inTerms, Loss } from "./loss.js";
import { Random } from "./random.js";
import { shapesOf } from "./shapes.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {import("./shapes.js").Shapes} Shapes */

/**
 * What the page draws.
 * @typedef {object} Frame
 * @property {Float64Array} W
 * @property {Float64Array} b
 * @property {number} loss
 * @property {number} error of the loss, estimated
 * @property {boolean} exact whether all digits were asked for
 * @property {number} time of the flow, or steps
 * @property {boolean} resting whether nothing moves any more
 * @property {Shapes} shapes
 */

/** The slope at which a model is at rest, over the mean of density times importance. */
const AT_REST = 2e-6;
const MOST_TIME = 1e9, LARGEST_WEIGHT = 1e3, SHAPES_MS = 8, SHAPES_EVERY_MS = 250;

/** How many terms a moving model is given: what a frame has time for. @param {number} n */
export function termsFor(n) {
  return n <= 8 ? 64 : n <= 24 ? 32 : 16;
}

/** How many stages a step of its flow may have, likewise. @param {number} n */
function stagesFor(n) {
  return n <= 10 ? 16 : n <= 16 ? 10 : n <= 24 ? 6 : 5;
}

export class Simulation {
  /** @param {State} state */
  constructor(state) {
    this.state = state;
    /** @type {{ shapes: Shapes, when: number, cost: number } | null} */
    this.named = null;
    this.held = -1;
    this.resting = false;
    this.y = this.W = this.b = new Float64Array(0);
    this.random = new Random(state.seed, 1);
    this.time = 0;
    this.left = 0; // of a step that frames of fractions of steps add up to
    this.flow = new Flow(0, 2);
    this.adam = new Adam(0);
    /** @type {{ loss: number, error: number } | null} */
    this.last = null;
    this.loss = this.lossOf(state);
    this.place(state);
  }

  /** Another setting; the weights stay where there are as many, and none are given. @param {State} state */
  set(state) {
    const before = this.state;
    this.state = state;
    this.loss = this.lossOf(state);
    const other = before.n !== state.n || before.m !== state.m || before.seed !== state.seed;
    if (state.W || other) this.place(state);
    else if (before.how !== state.how) this.begin();
    if (!state.bias) this.b.fill(0);
    this.wake();
  }

  /** @param {State} state */
  lossOf(state) {
    return new Loss(distributionOf(state), state.net === "relu");
  }

  /** The weights of a state; without, those of its seed as Xavier and Glorot draw them, and b = 0. @param {State} state */
  place(state) {
    const { n, m, seed, W, b } = state, random = new Random(seed), spread = Math.sqrt(2 / (n + m));
    this.y = new Float64Array(n * m + n);
    this.W = this.y.subarray(0, n * m);
    this.b = this.y.subarray(n * m);
    if (W) this.W.set(W);
    else for (let k = 0; k < n * m; k++) this.W[k] = spread * random.normal();
    if (b) this.b.set(b);
    this.begin();
  }

  /** Forgets how it came here. */
  begin() {
    this.random = new Random(this.state.seed, 1);
    this.time = 0;
    this.flow = new Flow(this.y.length, stagesFor(this.state.n));
    this.adam = new Adam(this.y.length);
    this.wake();
  }

  /** Something changed from outside: what was known of slopes holds no more. */
  wake() {
    this.flow.wake();
    this.last = null;
    this.resting = false;
    this.named = null;
  }

  /** Puts a feature somewhere and holds it there; -1 lets go. @param {number} i @param {number[] | null} place */
  hold(i, place) {
    this.held = i;
    if (place) for (let k = 0; k < this.state.m; k++) this.W[k * this.state.n + i] = place[k];
    this.wake();
  }

  /** The loss, and the gradient of it with its penalties.
   * @param {Float64Array} y W and b @param {Float64Array} slopes @param {import("./inversion.js").Effort} effort */
  objective(y, slopes, effort = inTerms(termsFor(this.state.n))) {
    const { n, m } = this.state, split = n * m;
    const W = y.subarray(0, split), dW = slopes.subarray(0, split), db = slopes.subarray(split);
    const found = this.loss.withGradient(W, y.subarray(split), m, effort, dW, db);
    this.addPenalties(W, dW);
    this.bind(slopes);
    return found;
  }

  /** @param {Float64Array} W @param {Float64Array} dW */
  addPenalties(W, dW) {
    const { n, m, l2, interference } = this.state;
    if (l2) for (let k = 0; k < W.length; k++) dW[k] += 2 * l2 * W[k];
    if (!interference) return;
    const G = gram(W, m, n);
    for (let k = 0; k < m; k++)
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) if (i !== j) dW[k * n + i] += 4 * interference * W[k * n + j] * G[i * n + j];
  }

  /** What may not move has no slope: biases that are off, a feature that is held. @param {Float64Array} slopes */
  bind(slopes) {
    const { n, m, bias } = this.state;
    if (!bias) slopes.fill(0, n * m);
    if (this.held >= 0) for (let k = 0; k < m; k++) slopes[k * n + this.held] = 0;
  }

  /** Moves on for some time of the flow or some steps, or until the milliseconds are over.
   * @param {number} amount @param {number} milliseconds */
  advance(amount, milliseconds) {
    const until = performance.now() + milliseconds, whole = this.state.how !== "flow";
    const wanted = whole ? amount + this.left : amount, now = whole ? Math.floor(wanted + 1e-9) : wanted;
    this.left = whole ? wanted - now : 0;
    const end = Math.min(this.time + now, MOST_TIME);
    while (this.time < end && !this.resting) {
      this.single(end - this.time);
      if (performance.now() > until) break;
    }
  }

  /** One step: of Adam, or of the flow, at most so long. @param {number} longest */
  single(longest = Infinity) {
    if (this.state.how === "flow") {
      const { h, found } = this.flow.step(this.y, (y, slopes) => this.objective(y, slopes), longest);
      this.last = found;
      this.time += h;
      this.resting = this.held < 0 && norm(/** @type {Float64Array} */ (this.flow.slopes)) <= AT_REST * this.scale();
    } else {
      const slopes = new Float64Array(this.y.length);
      if (this.state.how === "adam") this.objective(this.y, slopes);
      else this.sampled(slopes);
      this.adam.step(this.y, slopes, this.state.rate);
      this.last = null;
      this.time++;
    }
    if (!this.y.every((one) => Math.abs(one) < LARGEST_WEIGHT)) this.resting = true;
  }

  scale() {
    const { density, importance, n } = this.loss.distribution;
    return density.reduce((sum, p, i) => sum + p * importance[i], 0) / n;
  }

  /** The gradient of the mean loss of a batch of new samples, with penalties. @param {Float64Array} slopes */
  sampled(slopes) {
    const { n, m, batch, net } = this.state, { importance } = this.loss.distribution, split = n * m;
    const x = new Float64Array(n), e = new Float64Array(n), h = new Float64Array(m), back = new Float64Array(m);
    for (let sample = 0; sample < batch; sample++) {
      sampleInto(this.loss.distribution, this.random, x, 0);
      for (let k = 0; k < m; k++) {
        h[k] = back[k] = 0;
        for (let i = 0; i < n; i++) h[k] += this.W[k * n + i] * x[i];
      }
      for (let i = 0; i < n; i++) {
        let s = this.b[i];
        for (let k = 0; k < m; k++) s += this.W[k * n + i] * h[k];
        const open = net === "linear" || s > 0;
        e[i] = open ? (2 * importance[i] * (s - x[i])) / batch : 0;
        slopes[split + i] += e[i];
        for (let k = 0; k < m; k++) back[k] += this.W[k * n + i] * e[i];
      }
      for (let k = 0; k < m; k++) for (let i = 0; i < n; i++) slopes[k * n + i] += e[i] * h[k] + x[i] * back[k];
    }
    this.addPenalties(this.W, slopes.subarray(0, split));
    this.bind(slopes);
  }

  /** What there is to draw; with all digits of the loss on request. @param {boolean} exact @returns {Frame} */
  frame(exact) {
    const lost = !this.y.every((one) => Math.abs(one) < LARGEST_WEIGHT), asked = exact && !lost;
    let found = this.last;
    if (asked || !found) found = this.objective(this.y, new Float64Array(this.y.length), asked ? EXACT : undefined);
    const { W, b, time, resting } = this, shapes = this.shapes(exact || resting);
    return { W: W.slice(), b: b.slice(), loss: found.loss, error: found.error, exact: asked, time, resting, shapes };
  }

  /** The shapes; where they take long to name, those of a moment ago. @param {boolean} now */
  shapes(now) {
    const began = performance.now(), known = this.named;
    if (known && !now && known.cost > SHAPES_MS && began - known.when < SHAPES_EVERY_MS) return known.shapes;
    const shapes = shapesOf(this.W, this.state.m, this.state.n);
    this.named = { shapes, when: performance.now(), cost: performance.now() - began };
    return shapes;
  }
}
