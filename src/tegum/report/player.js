"use strict";
// What moves in a picture is moved from below it: play, one step back or on, a slider that arrow keys move, and buttons that
// choose between two readings.  The picture itself has none of them, on the page as in a file.
tegum.frameMs = 120;
// Takes slider and buttons out of a picture, which stands at its first moment then; returns what they did.
tegum.withoutControls = (picture) => {
  const { sliders = [], updatemenus = [] } = picture.layout;
  delete picture.layout.sliders;
  delete picture.layout.updatemenus;
  const margin = picture.layout.margin ??= {};
  if (sliders.length) margin.b = 62;
  const above = updatemenus.some((menu) => menu.y > 1) ? Math.min(40, margin.t) : 0;
  if (above) margin.t -= above;
  // What hangs from the upper edge of the picture is so far above its panels as the margin is high.
  for (const note of picture.layout.annotations ?? []) if (note.yref === "paper" && note.yanchor === "top" && note.yshift) note.yshift -= above;
  const chooses = updatemenus.filter((menu) => menu.buttons.some((button) => button.method !== "animate"));
  return { slider: sliders[0], chooses, frames: picture.frames };
};
tegum.act = (place, { method, args }) => method === "animate" ? Plotly.animate(place, args[0], { mode: "immediate",
  frame: { duration: 0, redraw: true }, transition: { duration: 0 } }) : Plotly[method](place, ...structuredClone(args));
tegum.control = async (place, { slider, chooses }) => {
  const player = place.closest("figure")?.querySelector(".player");
  if (!player) return;
  player.replaceChildren();
  player.hidden = !slider && !chooses.length;
  for (const menu of chooses) tegum.chooser(place, player, menu);
  if (slider) await tegum.film(place, player, slider);
};
tegum.button = (text, label, act) => Object.assign(document.createElement("button"), { type: "button", textContent: text, ariaLabel: label, onclick: act });
tegum.chooser = (place, player, menu) => {
  const group = Object.assign(document.createElement("span"), { className: "choice" });
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "reading");
  menu.buttons.forEach((button, k) => {
    const made = tegum.button(button.label, button.label, () => {
      tegum.act(place, button);
      [...group.children].forEach((other) => other.setAttribute("aria-pressed", other === made));
    });
    made.setAttribute("aria-pressed", k === (menu.active ?? 0));
    group.append(made);
  });
  player.append(group);
};
tegum.film = async (place, player, slider) => {
  const last = slider.steps.length - 1, prefix = slider.currentvalue?.prefix ?? "";
  const said = document.createElement("output");
  const range = Object.assign(document.createElement("input"), { type: "range", min: 0, max: last, value: 0, ariaLabel: prefix.replace(/: $/, "") || "moment" });
  let at = 0, busy = false, timer = 0;
  const show = async (k) => {
    at = Math.max(0, Math.min(last, k));
    range.value = at;
    said.textContent = prefix + slider.steps[at].label;
    range.setAttribute("aria-valuetext", said.textContent);
    if (busy) return;
    busy = true;
    for (let done = -1; done !== at;) { done = at; await tegum.act(place, slider.steps[at]); }
    busy = false;
  };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "▶ Play"; play.ariaLabel = "play"; };
  const play = tegum.button("▶ Play", "play", () => {
    if (timer) return stop();
    show(at === last ? 0 : at);
    play.textContent = "❚❚ Pause";
    play.ariaLabel = "pause";
    timer = setInterval(() => at === last ? stop() : busy || show(at + 1), tegum.frameMs);
  });
  range.oninput = () => { stop(); show(Number(range.value)); };
  const step = (by) => () => { stop(); show(at + by); };
  player.append(play, tegum.button("‹", "one step back", step(-1)), tegum.button("›", "one step on", step(1)), range, said);
  place.stop = stop;
  await show(0);
};
tegum.release = (place) => { place.stop?.(); delete place.stop; };
