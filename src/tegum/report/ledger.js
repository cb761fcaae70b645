"use strict";
// The ledger of claims shows those that are asked for, and the address says which: #ledger?verdict=failed&section=...&words=...
// "Section 5" is a part of the paper and nothing else; other words are looked for at the beginnings of words, and
// what has no letter or digit is none.
tegum.asked = (words) => {
  const parts = [...words.matchAll(/\bsections?\s+(\d+(?:\.\d+)?)/gi)].map((found) => new RegExp(`\\bsection ${found[1].replace(".", "\\.")}\\b(?!\\.?\\d)`, "i"));
  const rest = words.replace(/\bsections?\s+\d+(?:\.\d+)?/gi, " ").split(/[\s,;]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const starts = rest.map((word) => new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "iu"));
  return (group, row) => parts.every((part) => part.test(group)) && starts.every((start) => start.test(group + " " + row));
};
addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("#filter");
  if (!form) return;
  const groups = [...document.querySelectorAll("#ledger tbody")], rows = [...document.querySelectorAll("#ledger tr.row")];
  const boxes = [...form.querySelectorAll("input[name=verdict]")], nothing = document.querySelector("#ledger .nothing");
  const filter = () => {
    const chosen = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const section = form.elements.section.value, words = form.elements.words.value.trim(), fits = tegum.asked(words);
    let shown = 0;
    for (const row of rows) {
      const group = row.parentElement.dataset;
      row.hidden = !(chosen.has(row.dataset.verdict) && (!section || section === group.section) && fits(group.words, row.textContent));
      shown += !row.hidden;
    }
    for (const group of groups) group.hidden = !group.querySelector("tr.row:not([hidden])");
    form.querySelector("output").textContent = shown + " of " + rows.length + " claims";
    form.querySelector("button").hidden = shown === rows.length;
    nothing.hidden = shown > 0;
    document.querySelector("#ledger table").hidden = shown === 0;
    const left = [words && `“${words}”`, section && form.elements.section.selectedOptions[0].textContent, chosen.size < boxes.length && [...chosen].join(", ")];
    nothing.textContent = `No claim has ${chosen.size ? left.filter(Boolean).join(" with ") : "none of the verdicts"}. Ask for fewer words, or show all.`;
  };
  const said = () => {
    const asked = new URLSearchParams();
    if (!boxes.every((box) => box.checked)) asked.set("verdict", boxes.filter((box) => box.checked).map((box) => box.value).join(","));
    for (const name of ["section", "words"]) if (form.elements[name].value) asked.set(name, form.elements[name].value);
    history.replaceState(null, "", asked.size ? "#ledger?" + asked : "#ledger");
  };
  const read = () => {
    const [place, words = ""] = location.hash.slice(1).split("?");
    if (place !== "ledger") return;
    const asked = new URLSearchParams(words);
    for (const box of boxes) box.checked = asked.get("verdict")?.split(",").includes(box.value) ?? true;
    for (const name of ["section", "words"]) form.elements[name].value = asked.get(name) ?? "";
    filter();
  };
  form.addEventListener("input", () => { filter(); said(); });
  form.addEventListener("reset", () => setTimeout(() => { filter(); said(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
  filter();
  read();
});
