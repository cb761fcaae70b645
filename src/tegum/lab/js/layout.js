// The page: the large picture on the left, what can be changed on the right.

import { densitiesControl, densityControl, importanceControl, kindControls, play, sizeControls, speedControl, stepControls, trainingControls } from "./controls.js";
import { element } from "./dom.js";
import { VIEWS } from "./stage.js";

/** @typedef {import("./lab.js").Lab} Lab */

/** @param {Lab} lab */
export function pageLayout(lab) {
  const tabs = viewTabs(lab);
  const left = element("section", { class: "left", "aria-label": "The model" }, tabs, lab.stage.canvas, lab.status);
  const right = element("section", { class: "right", "aria-label": "Controls" },
    element("div", { class: "row" }, play(lab), ...stepControls(lab)), speedControl(lab), densityControl(lab), densitiesControl(lab),
    ...sizeControls(lab), importanceControl(lab), ...kindControls(lab), ...trainingControls(lab));
  return [element("div", { class: "columns" }, left, right)];
}

/** @param {Lab} lab */
function viewTabs(lab) {
  const buttons = Object.entries(VIEWS).map(([key, [name]]) => element("button", { type: "button", "data-view": key, onclick: () => lab.show(key) }, name));
  const follow = () => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === lab.view)));
  lab.listeners.push(follow);
  follow();
  return element("div", { class: "tabs", role: "group", "aria-label": "What is drawn" }, ...buttons);
}
