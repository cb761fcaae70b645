// The page: places to begin, the large picture on the left, what can be changed on the right, what can be taken along below.

import { MOST_FEATURES, MOST_HIDDEN } from "./address.js";
import {
  densitiesControl, densityControl, importanceControl, kindControls, play, sizeControls, speedControl, stepControls, trainingControls,
} from "./controls.js";
import { element } from "./dom.js";
import { PRESETS, TOUR } from "./presets.js";
import { replayControl } from "./replay.js";
import { copied, copyPicture, download, pythonOf, rasterised, safetensorsOf, weightsIn } from "./share.js";
import { VIEWS } from "./stage.js";

/** @typedef {import("./lab.js").Lab} Lab */

/** @param {Lab} lab */
export function pageLayout(lab) {
  const guide = new Guide(lab);
  const side = ["first", "second"].map((name) => element("canvas", { class: "side", role: "img", "aria-label": `the ${name} picture beside it` }));
  const left = element("section", { class: "left", "aria-label": "The model" },
    viewTabs(lab), lab.stage.canvas,
    element("div", { class: "under" }, element("div", { class: "row" }, play(lab), ...stepControls(lab)), lab.status),
    element("div", { class: "sides" }, ...side));
  const [title, lead] = lab.recorded
    ? ["A recorded training", "Play it, or move through it; each model is shown with its exact loss and the shapes that its features form."]
    : ["Superposition, live", "A tiny network stores more features than it has dimensions. Drag an arrow, let go, and watch the others give way, down their exact loss."];
  return [
    element("header", { class: "head" },
      element("div", {}, element("h1", {}, title), element("p", { class: "lead" }, lead)),
      lab.recorded ? "" : element("button", { type: "button", class: "tour", onclick: () => guide.tour(0) }, "Tour in eight steps")),
    lab.recorded ? "" : guide.chips,
    guide.place,
    element("div", { class: "columns" }, left, controls(lab)),
    sharing(lab),
  ];
}

/** @param {Lab} lab */
function viewTabs(lab) {
  const buttons = Object.entries(VIEWS).map(([key, [name]]) =>
    element("button", { type: "button", "data-view": key, onclick: () => lab.show(key) }, name));
  const follow = () => buttons.forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.view === lab.view));
    if (button.dataset.view === "space") button.hidden = lab.state.m < 3;
    if (button.dataset.view === "map") button.hidden = lab.recorded !== null;
  });
  lab.listeners.push(follow);
  follow();
  return element("div", { class: "tabs", role: "group", "aria-label": "What is drawn" }, ...buttons);
}

/** @param {Lab} lab */
function controls(lab) {
  const group = (/** @type {string} */ name, /** @type {Node[]} */ ...inside) =>
    element("fieldset", {}, element("legend", {}, name), ...inside);
  const all = lab.recorded
    ? [group("The recording", replayControl(lab), speedControl(lab))]
    : [
      group("Features", densityControl(lab), densitiesControl(lab), sizeControls(lab)[0], importanceControl(lab), ...kindControls(lab).slice(0, 2)),
      group("Model", sizeControls(lab)[1], ...kindControls(lab).slice(2)),
      group("Run", speedControl(lab)),
      element("details", { class: "training" }, element("summary", {}, "How it is trained"), ...trainingControls(lab)),
    ];
  return element("section", { class: "right", "aria-label": "Controls" }, ...all);
}

/** Places to begin, and the words to the one that was chosen; or the steps of the tour. */
class Guide {
  /** @param {Lab} lab */
  constructor(lab) {
    this.lab = lab;
    this.place = element("div", { class: "guide", "aria-live": "polite" });
    this.buttons = PRESETS.map((preset) => element("button", { type: "button", "data-preset": preset.id, onclick: () => this.begin(preset) }, preset.name));
    this.chips = element("div", { class: "chips", role: "group", "aria-label": "Places to begin" }, ...this.buttons);
    const first = PRESETS[0];
    if (!lab.options.given && !lab.recorded) this.say(first.id, element("p", {}, first.words));
  }

  /** @param {string} id @param {...Node} inside */
  say(id, ...inside) {
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.preset === id));
    this.place.replaceChildren(...inside);
    for (const marked of this.lab.root.querySelectorAll(".about")) marked.classList.remove("about");
  }

  /** @param {import("./presets.js").Preset} preset */
  begin(preset) {
    this.lab.setSpeed(preset.speed ?? 1);
    this.lab.begin(preset.address);
    this.say(preset.id, element("p", {}, preset.words));
  }

  /** @param {number} at @param {boolean} on whether it comes after the step before, whose weights may stay */
  tour(at, on = false) {
    const { lab } = this, step = TOUR[at], last = at === TOUR.length - 1;
    lab.setSpeed(step.speed ?? 1);
    lab.set(step.address, on);
    lab.play(!lab.still);
    const button = (/** @type {string} */ name, /** @type {() => void} */ go, kind = "") => element("button", { type: "button", class: kind, onclick: go }, name);
    const next = button(last ? "Done" : "Next", () => (last ? this.say("") : this.tour(at + 1, true)), "main");
    this.say("",
      element("h2", {}, element("span", { class: "count" }, `${at + 1} / ${TOUR.length}`), step.title),
      element("p", {}, step.words),
      element("div", { class: "row" }, next, ...(at ? [button("Back", () => this.tour(at - 1))] : []), ...(last ? [] : [button("End", () => this.say(""))])));
    const about = step.about === "stage" ? lab.stage.canvas : step.about === "status" ? lab.status
      : step.about ? lab.root.querySelector(`[data-control="${step.about}"]`) : null;
    about?.classList.add("about");
    next.focus({ preventScroll: true });
  }
}

/** What can be taken along. @param {Lab} lab */
function sharing(lab) {
  const said = element("output", { class: "said" });
  const say = (/** @type {string} */ words) => {
    said.textContent = words;
    setTimeout(() => said.textContent === words && (said.textContent = ""), 4000);
  };
  const button = (/** @type {string} */ name, /** @type {() => Promise<string> | string} */ act) => element("button", {
    type: "button",
    onclick: async () => {
      try {
        say(await act());
      } catch (error) {
        say(`That did not work: ${/** @type {Error} */ (error).message}.`);
      }
    },
  }, name);
  const copy = async (/** @type {string} */ words, /** @type {string} */ what) => ((await copied(words)) ? `${what} copied.` : "This page may not copy.");
  const png = () => rasterised(lab.stage.picture(), lab.stage.canvas.clientWidth, lab.stage.canvas.clientHeight);
  const file = element("input", { type: "file", accept: ".safetensors", class: "unseen", tabindex: -1, "aria-hidden": "true" });
  file.addEventListener("change", async () => {
    try {
      if (file.files?.[0]) say(open(lab, await file.files[0].arrayBuffer()));
    } catch (error) {
      say(`That cannot be opened: ${/** @type {Error} */ (error).message}.`);
    }
    file.value = "";
  });
  const python = () => pythonOf(lab.state, lab.frame.W, lab.frame.b);
  return element("section", { class: "sharing", "aria-label": "Take it along" },
    button("Copy link", () => copy(location.href.split("#")[0] + lab.address(), "Link")),
    button("Copy Python", () => copy(python(), "Python lines")),
    button("Copy SVG", () => copy(lab.stage.picture(), "SVG")),
    button("Copy PNG", async () => {
      await copyPicture(png());
      return "PNG copied.";
    }),
    button("Save SVG", () => (download("lab.svg", lab.stage.picture(), "image/svg+xml"), "Picture saved.")),
    button("Save PNG", async () => {
      download("lab.png", await png(), "image/png");
      return "Picture saved.";
    }),
    button("Save weights", () => {
      download("weights.safetensors", safetensorsOf(lab.state, lab.frame.W, lab.frame.b, lab.address()), "application/octet-stream");
      return "W and b saved as safetensors.";
    }),
    lab.recorded ? "" : button("Open weights", () => (file.click(), "")), file, said);
}

/** Opens a file of weights: with its own setting where it has one, else with that of the page. @param {Lab} lab @param {ArrayBuffer} buffer */
function open(lab, buffer) {
  const { n, m, W, b, turned, address } = weightsIn(buffer);
  if (address) lab.set(address);
  else {
    if (n > MOST_FEATURES || m > MOST_HIDDEN)
      throw new Error(`it has ${n} features in ${m} dimensions, and the lab has room for ${MOST_FEATURES} in ${MOST_HIDDEN}`);
    const { density, importance } = lab.state, same = lab.state.n === n;
    const plain = same ? {} : { sets: "independent", density: Array(n).fill(density[0]), importance: Array(n).fill(importance[0]), curve: "" };
    const bias = lab.state.bias || b.some((one) => one !== 0);
    lab.change({ n, m, ...plain, bias, W, b, view: "" });
  }
  lab.play(false);
  const rows = turned ? "; rows of W were taken as features" : "";
  return `${n} features in ${m} dimensions${address ? "" : ", with the density of this page"}${rows}.`;
}
