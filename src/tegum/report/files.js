"use strict";
// The links below a figure: the picture as SVG or PNG, its numbers as CSV.
tegum.save = (name, content) => {
  const link = document.createElement("a");
  link.href = typeof content === "string" && content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = name;
  link.click();
};
// A row for each number that is drawn: the trace, its name, where it stands, what it is.
tegum.rows = (traces) => {
  const rows = [["trace", "name", "x", "y", "z"]];
  traces.forEach((trace, k) => {
    const { name = "", x, y, z } = trace;
    if (z?.length && z[0]?.length !== undefined) z.forEach((row, i) => [...row].forEach((value, j) => rows.push([k, name, x?.[j] ?? j, y?.[i] ?? i, value])));
    else for (let i = 0; i < Math.max(x?.length ?? 0, y?.length ?? 0); i++) rows.push([k, name, x?.[i] ?? i, y?.[i] ?? i, z?.[i] ?? ""]);
  });
  return rows;
};
tegum.csv = (traces) => tegum.rows(traces).map((row) => row.map((cell) => /[",\n]/.test(cell ?? "") ? `"${String(cell).replaceAll('"', '""')}"` : cell ?? "").join(",")).join("\n") + "\n";
addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-save]");
  if (!button) return;
  const place = button.closest("figure").querySelector(".plot"), kind = button.dataset.save;
  await tegum.draw(place);
  const name = `${place.dataset.part}-${place.dataset.figure}.${kind}`;
  if (kind === "csv") return tegum.save(name, tegum.csv(place._fullData));
  const size = { width: Math.max(1000, place.clientWidth), height: place.clientHeight };
  tegum.save(name, await Plotly.toImage(place, { format: kind, scale: kind === "png" ? 2 : 1, ...size }));
});
