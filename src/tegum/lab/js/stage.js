// The large picture: draws the view that is chosen, and lets features be dragged, by finger, mouse or keyboard.

import { drawArrows, featureAt, frameOf, placeAt, viewOf } from "./arrows.js";
import { drawCharts, drawDimensionalityAlone, drawLossAlone } from "./charts.js";
import { themeOf } from "./colours.js";
import { contextOf, element } from "./dom.js";
import { drawGram, drawNorms } from "./panels.js";
import { CanvasPen, SvgPen } from "./pen.js";
import { drawMap, pointBeside, pointOfMap } from "./phasemap.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./lab.js").Lab} Lab */

/** @type {Record<string, [string, (pen: import("./pen.js").Pen, scene: Scene) => void]>} */
export const VIEWS = {
  arrows: ["Arrows", drawArrows],
  space: ["Turning", drawArrows],
  gram: ["WᵀW and b", drawGram],
  norms: ["Norms", drawNorms],
  time: ["Over time", drawCharts],
  map: ["Phase map", drawMap],
};
/** What stands below the large picture, by what is large. @param {string} view */
export function besides(view) {
  if (view === "arrows" || view === "space") return [drawLossAlone, drawDimensionalityAlone];
  return [drawArrows, view === "time" ? drawGram : drawLossAlone];
}

const TURN = 0.06, STEP = 0.05;

/** What a view of the model is when none is asked for. @param {number} m */
export function ownView(m) {
  return m <= 2 ? "arrows" : "space";
}

export class Stage {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.canvas = element("canvas", { class: "stage", tabindex: 0, role: "application", "aria-roledescription": "picture of the model" });
    this.turns = [0.5, 0.35, 0, 0, 0];
    this.dragged = -1;
    /** @type {{ x: number, y: number } | null} */
    this.from = null;
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.release());
    // a finger on a feature moves it; elsewhere it scrolls the page
    canvas.addEventListener("touchstart", (event) => {
      const scene = this.scene(), box = canvas.getBoundingClientRect(), [finger] = event.touches;
      if (!scene || !this.showsFeatures || lab.recorded) return;
      if (featureAt(this.pen, scene, finger.clientX - box.left, finger.clientY - box.top) >= 0) event.preventDefault();
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.lab.choose(-1));
  }

  /** @returns {import("./pen.js").Pen} one that knows the size only */
  get pen() {
    return new SvgPen(this.canvas.clientWidth, this.canvas.clientHeight);
  }

  get isSpace() {
    return this.lab.state.m > 2 && this.lab.view !== "arrows";
  }

  /** @returns {Scene | null} */
  scene() {
    const { lab } = this;
    if (!lab.frame || lab.measures.norm.length !== lab.state.n || lab.frame.W.length !== lab.state.n * lab.state.m) return null;
    const theme = themeOf(lab.root), { state, frame, measures, history } = lab, space = this.isSpace;
    const view = viewOf(state.m, space, this.turns);
    return { state, frame, measures, theme, history, view, space, chosen: lab.chosen, optimum: lab.optimum() };
  }

  /** What paints the view that is chosen; null until its model is known, which a map does not wait for.
   * @returns {((pen: import("./pen.js").Pen) => void) | null} */
  painter() {
    const { lab } = this, scene = this.scene();
    if (scene) return (pen) => VIEWS[lab.view][1](pen, scene);
    return lab.view === "map" ? (pen) => drawMap(pen, { state: lab.state, theme: themeOf(lab.root) }) : null;
  }

  draw() {
    const paint = this.painter();
    if (!paint || !this.canvas.clientWidth) return;
    const { context, width, height } = contextOf(this.canvas);
    paint(new CanvasPen(context, width, height));
  }

  /** The picture as SVG. */
  picture() {
    const pen = new SvgPen(Math.round(this.canvas.clientWidth), Math.round(this.canvas.clientHeight));
    this.painter()?.(pen);
    return pen.picture(themeOf(this.lab.root).card);
  }

  /** Whether it turns by itself: a picture in space, while nobody holds it. */
  turnBy(/** @type {number} */ seconds) {
    if (!this.isSpace || this.from || this.dragged >= 0 || this.lab.still) return false;
    const { m } = this.lab.state;
    this.turns[0] += 5 * TURN * seconds;
    if (m > 3) this.turns[2] += 3 * TURN * seconds;
    if (m > 4) this.turns[3] += 2 * TURN * seconds;
    return true;
  }

  /** @param {PointerEvent} event */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  get showsFeatures() {
    return this.lab.view === "arrows" || this.lab.view === "space";
  }

  /** @param {PointerEvent} event */
  press(event) {
    const { x, y } = this.at(event);
    if (this.lab.view === "map") {
      const point = pointOfMap(this.pen, this.lab.state, x, y);
      if (point) this.lab.goTo(point);
      return;
    }
    const scene = this.scene();
    if (!scene) return;
    if (!this.showsFeatures || this.lab.recorded) return;
    this.dragged = featureAt(this.pen, scene, x, y);
    if (this.dragged < 0 && !this.isSpace) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.from = { x, y };
    if (this.dragged < 0) return;
    this.lab.choose(this.dragged);
    this.lab.history.mark();
    this.lab.hold(this.dragged, placeAt(this.pen, scene, this.dragged, x, y));
  }

  /** @param {PointerEvent} event */
  move(event) {
    const scene = this.scene(), { x, y } = this.at(event);
    if (!scene) return;
    if (!this.from) {
      const over = this.showsFeatures && featureAt(this.pen, scene, x, y) >= 0;
      this.canvas.style.cursor = over ? "grab" : this.isSpace ? "move" : this.lab.view === "map" ? "crosshair" : "default";
      return;
    }
    if (this.dragged >= 0) {
      this.canvas.style.cursor = "grabbing";
      this.lab.hold(this.dragged, placeAt(this.pen, scene, this.dragged, x, y));
      return;
    }
    const { scale } = frameOf(this.pen, scene);
    this.turns[0] += (x - this.from.x) / scale;
    this.turns[1] += (this.from.y - y) / scale;
    this.from = { x, y };
    this.lab.redraw();
  }

  release() {
    if (this.dragged >= 0) this.lab.letGo();
    this.dragged = -1;
    this.from = null;
    this.canvas.style.cursor = "default";
  }

  /** Arrow keys turn and stretch the feature that is chosen, or go to the next cell of a map; digits, N and P choose. @param {KeyboardEvent} event */
  key(event) {
    const { lab } = this, { n, m } = lab.state;
    if (event.ctrlKey || event.metaKey || event.altKey || !lab.frame) return;
    if (event.key === " ") lab.play(!lab.playing);
    else if (event.key.toLowerCase() === "n") lab.choose((lab.chosen + 1) % n);
    else if (event.key.toLowerCase() === "p") lab.choose((Math.max(lab.chosen, 0) + n - 1) % n);
    else if (/^[0-9]$/.test(event.key) && Number(event.key) < n) lab.choose(Number(event.key));
    else if (event.key === "Escape") lab.choose(-1);
    else if (event.key.startsWith("Arrow") && lab.view === "map") {
      const [right, up] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
      const point = pointBeside(lab.state, right, up);
      if (point) lab.goTo(point);
    } else if (event.key.startsWith("Arrow") && this.showsFeatures && !lab.recorded) {
      if (lab.chosen < 0) lab.choose(0);
      const place = Array.from({ length: m }, (_, k) => lab.frame.W[k * n + lab.chosen]);
      const turn = { ArrowLeft: 2 * STEP, ArrowRight: -2 * STEP }[event.key] ?? 0;
      const growth = { ArrowUp: 1 + STEP, ArrowDown: 1 - STEP }[event.key] ?? 1;
      lab.history.mark();
      lab.hold(lab.chosen, (m === 1 ? place.map((x) => x - turn) : rotated(place, turn)).map((x) => x * growth));
      lab.letGo();
    } else return;
    event.preventDefault();
  }
}

/** @param {number[]} place @param {number} angle */
function rotated(place, angle) {
  const [x, y] = place, cos = Math.cos(angle), sin = Math.sin(angle);
  return [cos * x - sin * y, sin * x + cos * y, ...place.slice(2)];
}
