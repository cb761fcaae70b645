"use strict";
// Figures load when they come near the window: plotly.js once, then one script for each experiment, which calls tegum.receive.
const tegum = { pictures: {}, scripts: {} };
tegum.receive = (part, pictures) => { tegum.pictures[part] = pictures; };
tegum.load = (source) => tegum.scripts[source] ??= new Promise((done, failed) => {
  const script = document.createElement("script");
  script.src = source;
  script.onload = done;
  script.onerror = () => failed(new Error(source + " is missing: write it again with `tegum report`"));
  document.head.append(script);
});
tegum.draw = async (place) => {
  if (place.dataset.state) return;
  place.dataset.state = "loading";
  try {
    await Promise.all([tegum.load("plotly.min.js"), tegum.load("figures/" + encodeURIComponent(place.dataset.part) + ".js")]);
    const picture = structuredClone(tegum.pictures[place.dataset.part][place.dataset.figure]);
    // A finger that moves over a picture scrolls the page; the buttons above it still zoom.
    if (matchMedia("(pointer: coarse)").matches) picture.layout.dragmode = false;
    place.textContent = "";
    place.classList.add("drawn");
    await Plotly.newPlot(place, { ...picture, config: tegum.config });
    place.dataset.state = "drawn";
  } catch (error) {
    place.textContent = error.message;
    place.dataset.state = "failed";
  }
};
// Browsers keep few three-dimensional pictures alive; those far away are taken down, and drawn again when they return.
tegum.rest = (place) => {
  if (place.dataset.state !== "drawn" || !place.querySelector(".gl-container canvas")) return;
  Plotly.purge(place);
  delete place.dataset.state;
};
addEventListener("DOMContentLoaded", () => {
  const watch = new IntersectionObserver((seen) => seen.forEach((one) => one.isIntersecting ? tegum.draw(one.target) : tegum.rest(one.target)),
    { rootMargin: "600px 0px" });
  document.querySelectorAll(".plot").forEach((place) => watch.observe(place));
});
