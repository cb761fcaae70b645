"use strict";
// The page of experiments: the live model at its head, pictures at a glance, contents that follow, folds that open for a link.
tegum.live = async (place) => {
  await tegum.load("lab.js");
  tegumLab.mount(place, place.dataset.lab, { layout: "small", play: true, worker: tegumLab.workerSource, more: "lab.html" });
};
addEventListener("load", () => document.querySelectorAll("[data-lab]").forEach(tegum.live));
// Pictures at a glance: small images, one after the other, of what is in view.
tegum.glance = async (place) => {
  const { part, figure, height } = place.dataset;
  const picture = await tegum.picture(part, figure);
  tegum.withoutControls(picture);
  const wide = 900, high = Math.min(Number(height), 620);
  const source = await Plotly.toImage({ ...picture, config: tegum.config }, { format: "png", width: wide, height: Number(height), scale: 0.6 });
  place.replaceChildren(Object.assign(document.createElement("img"), { src: source, alt: "", width: wide, height: high }));
};
tegum.queue = Promise.resolve();
tegum.idle = () => new Promise((go) => (window.requestIdleCallback ?? setTimeout)(go, { timeout: 200 }));
addEventListener("load", () => {
  const thumbs = [...document.querySelectorAll(".thumb[data-part]")];
  const inView = new Set();
  const watch = new IntersectionObserver((seen) => seen.forEach((one) => {
    if (!one.isIntersecting) return inView.delete(one.target);
    inView.add(one.target);
    tegum.queue = tegum.queue.then(tegum.idle).then(() => inView.has(one.target) && !one.target.firstChild && tegum.glance(one.target)).catch((error) => { one.target.textContent = error.message; });
  }), { rootMargin: "200px 0px" });
  thumbs.forEach((thumb) => watch.observe(thumb));
  tegum.darkScreen.addEventListener("change", () => thumbs.forEach((thumb) => { thumb.replaceChildren(); watch.unobserve(thumb); watch.observe(thumb); }));
});
// A link leads into a fold: what is around its end opens.
tegum.reveal = (id) => {
  const end = id && document.getElementById(id);
  if (!end) return;
  for (let fold = end; fold; fold = fold.parentElement?.closest("details")) if (fold.matches("details")) fold.open = true;
  end.querySelector(":scope > details")?.setAttribute("open", "");
  end.scrollIntoView();
};
tegum.decoded = (text) => { try { return decodeURIComponent(text); } catch { return text; } }; // "%E0" says no letter
tegum.followed = () => tegum.reveal(tegum.decoded(location.hash.slice(1).split("?")[0]));
addEventListener("hashchange", tegum.followed);
addEventListener("load", () => requestAnimationFrame(tegum.followed)); // what loads late may have moved its end
addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.hash === location.hash) tegum.followed();
});
addEventListener("DOMContentLoaded", () => {
  const fold = document.querySelector(".contents details"), narrow = matchMedia("(max-width: 1100px)");
  const folded = () => { fold.open = !narrow.matches; };
  narrow.addEventListener("change", folded);
  folded();
  fold.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) fold.open = false; });
  const links = new Map([...fold.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  const ends = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const here = () => {
    const at = ends.findLast((end) => end.getBoundingClientRect().top < innerHeight / 3);
    links.forEach((link, id) => id === at?.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current"));
  };
  addEventListener("scroll", here, { passive: true });
  here();
  tegum.followed();
});
