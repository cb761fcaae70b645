"use strict";
// The ledger of claims shows those that are asked for.
addEventListener("DOMContentLoaded", () => {
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
