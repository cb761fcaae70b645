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

  const form = document.querySelector("#filter");
  const groups = [...document.querySelectorAll("#ledger tbody")];
  const rows = [...document.querySelectorAll("#ledger tr.row")];
  const filter = () => {
    const chosen = new Set([...form.querySelectorAll("input[name=verdict]:checked")].map((box) => box.value));
    const section = form.elements.section.value;
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = (row.parentElement.dataset.words + " " + row.textContent).toLowerCase();
      const fits = chosen.has(row.dataset.verdict) && (!section || section === row.parentElement.dataset.section) && words.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    for (const group of groups) group.hidden = !group.querySelector("tr.row:not([hidden])");
    form.querySelector("output").textContent = shown + " of " + rows.length + " claims";
  };
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
});
