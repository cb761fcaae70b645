// A lab in an element: its state, its model's clock, its pictures; `mount` makes one.

import { addressOf, stateOf } from "./address.js";
import { densityControl, play, speedControl, stepControls } from "./controls.js";
import { CanvasPen } from "./pen.js";
import { contextOf, element } from "./dom.js";
import { Driver } from "./driver.js";
import { certifiedLoss } from "./phasemap.js";
import { PRESETS } from "./presets.js";
import { Player } from "./replay.js";
import { History } from "./scene.js";
import { measuresOf } from "./shapes.js";
import { besides, ownView, Stage, VIEWS } from "./stage.js";
import { pageLayout } from "./layout.js";

/** @typedef {import("./address.js").State} State */
/** @typedef {import("./simulation.js").Frame} Frame */
/**
 * @typedef {object} Options
 * @property {"page" | "small"} [layout]
 * @property {boolean} [play] whether it moves at once
 * @property {boolean} [address] whether the page's own address follows the state
 * @property {string} [worker] what a worker runs; nothing: no worker
 * @property {import("./replay.js").Record | null} [record] a recorded training, shown in place of a live model
 * @property {string} [more] the address of a page with the whole lab
 * @property {boolean} [given] whether somebody asked for this state
 */

const SAVE_MS = 1500, SOON_MS = 350, SAY_MS = 900;

export class Lab {
  /** @param {HTMLElement} root @param {string} address @param {Options} options */
  constructor(root, address, options) {
    this.root = root;
    this.options = options;
    this.small = options.layout === "small";
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.recorded = options.record ?? null;
    this.player = this.recorded ? new Player(this.recorded) : null;
    /** @type {State} */
    this.state = stateOf(address || PRESETS[0].address);
    if (this.recorded) this.state.how = this.recorded.clock === "time" ? "flow" : "adam";
    /** @type {Frame} */
    // @ts-ignore: the first comes in a moment
    this.frame = null;
    /** @type {ReturnType<typeof measuresOf>} */
    // @ts-ignore
    this.measures = null;
    this.history = new History();
    this.chosen = -1;
    this.speed = 1;
    this.playing = false;
    this.saved = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.later = undefined;
    this.said = { words: "", when: 0 };
    this.wanted = true;
    this.stage = new Stage(this);
    this.status = element("p", { class: "status" });
    this.live = element("p", { class: "unseen", "aria-live": "polite" });
    /** @type {((state: State) => void)[]} */
    this.listeners = [];
    this.driver = new Driver(options.worker ?? "", (frame) => this.receive(frame));
    this.driver.say({ kind: "set", state: this.state });
    this.setSpeed(1);
    this.last = 0;
    this.paint = this.paint.bind(this);
    requestAnimationFrame(this.paint);
    this.ended = new AbortController();
    const { signal } = this.ended;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw(), { signal });
    // What the page saved since somebody wrote an address stands in its place already: the event alone still says it.
    const follow = (/** @type {HashChangeEvent} */ { newURL }) => this.follow(new URL(newURL).hash);
    if (options.address) addEventListener("hashchange", follow, { signal });
    const observer = new ResizeObserver(() => this.redraw());
    observer.observe(root);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  get view() {
    return this.state.view || ownView(this.state.m);
  }

  /** The address of what is shown, `#...`. */
  address() {
    const { n, m } = this.state, seen = this.frame?.W.length === n * m && this.frame.b.length === n;
    const { W, b } = seen ? this.frame : this.state;
    return addressOf({ ...this.state, W, b });
  }

  /** Shows what an address says. @param {string} address
   * @param {boolean} keep whether, of one without weights, those that are here stay where size and seed agree */
  set(address, keep = false) {
    this.state = stateOf(address);
    this.history.clear();
    this.setSpeed(this.speed);
    this.driver.say({ kind: "set", state: this.state });
    if (!this.state.W && !keep) this.driver.say({ kind: "reset" });
    this.changed();
  }

  /** The same as a page that is opened at the address, which moves where it has no weights. @param {string} address */
  begin(address) {
    this.set(address);
    this.play(!this.state.W && !this.still);
  }

  /** Somebody wrote another address: what cannot be read is not followed. @param {string} address */
  follow(address) {
    if (address === this.address()) return;
    this.complain("");
    try {
      this.begin(address);
    } catch (error) {
      this.complain(`This address cannot be read (${/** @type {Error} */ (error).message}); nothing has changed.`);
    }
  }

  /** Says above everything that something could not be done; without words takes that away. @param {string} words */
  complain(words) {
    this.root.querySelector(".complaint")?.remove();
    if (words) this.root.prepend(element("p", { class: "complaint", role: "alert" }, words));
  }

  /** Changes some of the setting; weights stay where there are as many.
   * @param {Partial<State>} patch */
  change(patch) {
    const size = `${this.state.n} ${this.state.m}`, how = this.state.how, seed = this.state.seed;
    this.state = { ...this.state, W: null, b: null, ...patch };
    if (size !== `${this.state.n} ${this.state.m}` || how !== this.state.how || seed !== this.state.seed) this.history.clear();
    else this.history.mark();
    this.setSpeed(this.speed);
    this.driver.say({ kind: "set", state: this.state });
    this.changed();
  }

  changed() {
    for (const listener of this.listeners) listener(this.state);
    this.redraw();
    this.save(true);
  }

  /** @param {string} view */
  show(view) {
    this.state = { ...this.state, view };
    this.changed();
  }

  /** A cell of a phase map. @param {{ n: number, m: number, density: number, ratio: number, W: Float64Array, b: Float64Array }} point */
  goTo(point) {
    const { n, m, density, ratio, W, b } = point;
    const importance = Array.from({ length: n }, (_, i) => (i === n - 1 ? ratio : 1)), curve = ratio === 1 ? "1" : "";
    const plain = { n, m, net: /** @type {const} */ ("relu"), bias: true, sets: "independent", magnitudes: /** @type {const} */ ("uniform") };
    this.change({ ...plain, density: Array(n).fill(density), importance, curve, l2: 0, interference: 0, W, b });
  }

  /** @param {number} feature @param {number[]} place */
  hold(feature, place) {
    this.driver.say({ kind: "hold", feature, place });
  }

  letGo() {
    this.driver.say({ kind: "hold", feature: -1, place: null });
    this.play(true);
  }

  reset() {
    this.history.clear();
    this.state = { ...this.state, W: null, b: null };
    this.driver.say({ kind: "reset" });
    this.play(!this.still);
    this.redraw();
  }

  single() {
    this.play(false);
    this.driver.say({ kind: "single" });
  }

  /** @param {boolean} on */
  play(on) {
    this.playing = on;
    this.driver.playing = on && !this.player;
    if (on && this.player?.ended) this.seek(0);
    if (on) this.driver.exact = false;
    else this.driver.askExactly();
    for (const listener of this.listeners) listener(this.state);
  }

  /** How much time of the flow, or how many steps, go by in a frame. @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    const { density, importance, how } = this.state;
    const weight = density.reduce((sum, p) => sum + p, 0) / density.length;
    const mean = importance.reduce((sum, one) => sum + one, 0) / importance.length;
    this.driver.amount = how === "flow" ? (0.1 * speed) / Math.max(weight * mean, 1e-6) : 2 * speed;
  }

  /** @param {number} feature */
  choose(feature) {
    if (this.chosen === feature) return;
    this.chosen = feature;
    this.redraw();
    if (feature >= 0 && this.frame) this.tell(`feature ${feature}: ${this.frame.shapes.names[feature]}, norm ${this.measures.norm[feature].toFixed(2)}`, true);
  }

  optimum() {
    return certifiedLoss(this.state);
  }

  /** @param {Frame} frame */
  receive(frame) {
    const { n, m } = this.state;
    if (frame.W.length !== n * m || frame.b.length !== n) return; // of a setting that is gone
    this.frame = this.player ? { ...frame, time: this.player.time } : frame;
    this.measures = measuresOf(frame.W, m, n);
    if (this.playing && !frame.resting) this.history.add(this.frame.time, frame.loss, this.measures.D);
    const known = frame.exact || this.driver.asked; // one that diverged has no exact loss, also when asked
    this.driver.still = frame.resting && known;
    if (!known && (frame.resting || !this.playing)) this.driver.askExactly();
    if (frame.exact) this.save(true);
    this.redraw();
  }

  /** Shows a model of the record. @param {number} at */
  seek(at) {
    const player = /** @type {Player} */ (this.player), { W, b } = player.record;
    player.at = at;
    this.state = { ...this.state, W: W[player.index], b: b[player.index] };
    this.driver.say({ kind: "set", state: this.state });
    for (const listener of this.listeners) listener(this.state);
  }

  redraw() {
    this.wanted = true;
  }

  /** @param {number} now */
  paint(now) {
    if (this.driver.stopped) return;
    requestAnimationFrame(this.paint);
    const seconds = Math.min((now - this.last) / 1000, 0.1);
    this.last = now;
    if (this.stage.turnBy(seconds)) this.wanted = true;
    if (this.player && this.playing) {
      if (this.player.advance(seconds, this.speed)) this.seek(this.player.at);
      if (this.player.ended) this.play(false);
    }
    if (!this.wanted || !this.frame) return;
    this.wanted = false;
    if (this.frame.W.length !== this.state.n * this.state.m) return;
    this.stage.draw();
    this.drawSide();
    this.describe(now);
    this.save(false);
  }

  drawSide() {
    const scene = this.stage.scene();
    if (!scene) return;
    const draw = besides(this.view);
    [...this.root.querySelectorAll("canvas.side")].forEach((canvas, k) => {
      if (!canvas.clientWidth) return;
      const { context, width, height } = contextOf(/** @type {HTMLCanvasElement} */ (canvas));
      draw[k](new CanvasPen(context, width, height), scene);
    });
  }

  /** Says what there is, in words that follow the picture. @param {number} now */
  describe(now) {
    const { frame } = this, { label, polytope } = frame.shapes;
    const shape = polytope && polytope !== label ? `${label}: ${polytope}` : label;
    const loss = frame.exact ? `${frame.loss.toPrecision(11)} ± ${digits(frame.error)}` : frame.loss.toPrecision(meaning(frame));
    const how = frame.exact ? "exact loss" : "loss";
    const words = [shape, `${how} ${loss}`, frame.resting ? "at rest" : ""];
    if (this.status.dataset.words !== words.join()) {
      this.status.dataset.words = words.join();
      this.status.replaceChildren(
        element("strong", {}, words[0]),
        element("span", { class: "loss" }, words[1]),
        element("span", { class: "rest" }, words[2]),
      );
    }
    this.stage.canvas.setAttribute("aria-label", `${VIEWS[this.view][0]}: ${shape}. ${this.keys()}`);
    if (now - this.said.when > SAY_MS && shape !== this.said.words) this.tell(shape, false);
  }

  /** What keys do on the large picture. */
  keys() {
    const moves = this.stage.showsFeatures && !this.recorded;
    const turn = this.state.m === 1 ? "move" : "turn";
    const arrows = moves ? `, arrow keys ${turn} and stretch it` : this.view === "map" ? ", arrow keys go to the next cell" : "";
    return `N and P choose a feature${arrows}, space plays and pauses.`;
  }

  /** Says it to a screen reader; an answer to what the user did stands for a while. @param {string} words @param {boolean} asked */
  tell(words, asked) {
    this.said = { words: asked ? this.said.words : words, when: performance.now() };
    this.live.textContent = words;
  }

  /** The page's address follows what is shown, as often as browsers allow. @param {boolean} now */
  save(now) {
    if (!this.options.address || !this.frame) return;
    const time = performance.now();
    if (time - this.saved < (now ? SOON_MS : SAVE_MS)) {
      if (!now) return;
      clearTimeout(this.later);
      this.later = setTimeout(() => this.save(true), SOON_MS);
      return;
    }
    this.saved = time;
    history.replaceState(null, "", this.address());
  }

  destroy() {
    clearTimeout(this.later);
    this.ended.abort();
    this.driver.stop();
    this.root.replaceChildren();
  }
}

/** How many digits of a loss on the way mean something: at most five. @param {Frame} frame */
function meaning({ loss, error }) {
  return Math.min(Math.max(Math.floor(Math.log10(loss / error)), 2), 5) || 5;
}

/** An error as it is said. @param {number} error */
function digits(error) {
  return error > 0 ? error.toExponential(0).replace("e-", "e−").replace("e+", "e") : "0";
}

/** Makes a lab in an element. @param {HTMLElement} place @param {string} address `#v=1&...` @param {Options} options */
export function mount(place, address, options = {}) {
  place.classList.add("tegum-lab", options.layout === "small" ? "small" : "page");
  let complaint = "", lab;
  try {
    lab = new Lab(place, address, options);
  } catch (error) {
    complaint = `This address cannot be read (${/** @type {Error} */ (error).message}); here is the lab as it begins.`;
    lab = new Lab(place, "", { ...options, record: null });
  }
  place.replaceChildren(...(lab.small ? smallLayout(lab) : pageLayout(lab)), lab.live);
  lab.complain(complaint);
  if (options.play ?? !lab.state.W) lab.play(!lab.still);
  return lab;
}

/** The picture, its words, and the density. @param {Lab} lab */
function smallLayout(lab) {
  const more = lab.options.more;
  const open = element("a", { class: "more", href: more ?? "#", target: "_top" }, "open in the lab");
  open.addEventListener("click", () => open.setAttribute("href", `${more}${lab.address()}`));
  const row = element("div", { class: "row" }, play(lab), ...stepControls(lab), speedControl(lab), ...(more ? [open] : []));
  return [lab.stage.canvas, lab.status, densityControl(lab), row];
}
