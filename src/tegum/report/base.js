"use strict";
// Figures load when they come near the window: plotly.js once, then one script for each experiment, which calls tegum.receive.
// Those that are far away again are taken down: a page of eighty figures is as light as one of three.
const tegum = { pictures: {}, scripts: {} };
tegum.receive = (part, pictures) => { tegum.pictures[part] = pictures; };
tegum.load = (source) => tegum.scripts[source] ??= new Promise((done, failed) => {
  const script = document.createElement("script");
  script.src = source;
  script.onload = done;
  script.onerror = () => failed(new Error(source + " is missing: write it again with `tegum report`, or of an experiment of your own with `tegum reproduce FILE`"));
  document.head.append(script);
});
// Where the reader's screen is dark, so are grounds, lines and words of a picture: `tegum.dark` has their colours.  Data that
// would be too dark there to be seen are drawn lighter, in the order in which they were, and so are the scales beside them.
tegum.darkScreen = matchMedia("(prefers-color-scheme: dark)");
tegum.lighter = (colour) => {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour), plain = /^rgb\((\d+), *(\d+), *(\d+)\)$/.exec(colour);
  if (!hex && !plain) return colour;
  const parts = hex ? hex.slice(1).map((one) => parseInt(one, 16)) : plain.slice(1).map(Number);
  const light = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  const white = Math.max(0, 104 - 0.7 * light) / (255 - light || 1);
  return `rgb(${parts.map((one) => Math.round(one + white * (255 - one))).join(", ")})`;
};
tegum.darkened = (value, key) => {
  const other = (colour) => tegum.dark[colour.toLowerCase()] ?? tegum.lighter(colour);
  if (typeof value === "string") return /color/i.test(key) ? other(value) : value.replace(/(?<=color:)#[0-9a-f]{6}/gi, other);
  if (Array.isArray(value)) return value.map((one) => tegum.darkened(one, key));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, tegum.darkened(one, name)]));
};
// A picture as the screen wants it, loaded where it was not; the caller may change what it gets.
tegum.picture = async (part, figure) => {
  await Promise.all([tegum.load("plotly.min.js"), tegum.load("figures/" + encodeURIComponent(part) + ".js")]);
  const given = tegum.pictures[part][figure];
  return tegum.darkScreen.matches ? tegum.darkened(given, "") : structuredClone(given);
};
// Whoever asks for a figure that is being drawn waits for it.
tegum.drawing = new WeakMap();
tegum.draw = (place) => {
  if (!place.dataset.state) tegum.drawing.set(place, tegum.drawn(place));
  return tegum.drawing.get(place);
};
tegum.drawn = async (place) => {
  place.dataset.state = "loading";
  try {
    const picture = await tegum.picture(place.dataset.part, place.dataset.figure);
    // A finger that moves over a picture scrolls the page; the buttons above it still zoom.
    if (matchMedia("(pointer: coarse)").matches) picture.layout.dragmode = false;
    const controls = tegum.withoutControls(picture);
    place.textContent = "";
    place.classList.add("drawn");
    await Plotly.newPlot(place, { ...picture, config: tegum.config });
    place.dataset.state = "drawn";
    await tegum.control(place, controls);
    tegum.lighten();
  } catch (error) {
    place.textContent = error.message;
    place.dataset.state = "failed";
  }
};
tegum.takeDown = (place) => {
  if (place.dataset.state !== "drawn") return;
  tegum.release(place);
  Plotly.purge(place);
  place.textContent = "";
  delete place.dataset.state;
};
// All drawn figures together have no more elements than this; those that are farthest from the window go first.
tegum.most = 3500;
tegum.lighten = () => {
  const drawn = [...document.querySelectorAll('.plot[data-state="drawn"]')].map((place) => {
    const { top, bottom } = place.getBoundingClientRect();
    return { place, size: place.getElementsByTagName("*").length, away: Math.max(top - innerHeight, -bottom) };
  });
  let size = drawn.reduce((sum, one) => sum + one.size, 0);
  for (const one of drawn.sort((a, b) => b.away - a.away)) {
    if (size <= tegum.most || one.away < 150) return;
    tegum.takeDown(one.place);
    size -= one.size;
  }
};
tegum.drawnAgain = () => document.querySelectorAll('.plot[data-state="drawn"]').forEach((place) => {
  tegum.takeDown(place);
  tegum.draw(place);
});
tegum.darkScreen.addEventListener("change", tegum.drawnAgain);
// A figure that is wider than its place says so above it.
tegum.hint = () => document.querySelectorAll("figure").forEach((figure) => {
  const scroll = figure.querySelector(".scroll");
  figure.classList.toggle("wide", scroll.scrollWidth > scroll.clientWidth + 1);
});
addEventListener("DOMContentLoaded", () => {
  const watch = (margin, act) => {
    const watcher = new IntersectionObserver((seen) => seen.forEach(act), { rootMargin: `${margin}px 0px` });
    document.querySelectorAll(".plot").forEach((place) => watcher.observe(place));
  };
  for (const near of [600, 100]) watch(near, (one) => one.isIntersecting && tegum.draw(one.target));
  watch(1800, (one) => one.isIntersecting || tegum.takeDown(one.target));
  tegum.hint();
  addEventListener("resize", tegum.hint);
  document.addEventListener("toggle", tegum.hint, true);
});
