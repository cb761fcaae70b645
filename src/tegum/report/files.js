"use strict";
// The links below a figure: the picture as SVG or PNG, its numbers as CSV.
tegum.save = (name, content) => {
  const link = document.createElement("a");
  link.href = typeof content === "string" && content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = name;
  link.click();
};
// The title of the panel in which a trace is drawn: what stands in the middle above it, in one line; of rows that share a title
// the nearest above in the column.
tegum.panel = (trace, layout) => {
  const axis = (name) => layout[name.replace(/^[xy]/, "$&axis")]?.domain ?? [0, 1];
  const scene = trace.scene && (layout[trace.scene]?.domain ?? {});
  const [left, right] = scene ? scene.x ?? [0, 1] : axis(trace.xaxis ?? "x"), top = scene ? scene.y?.[1] ?? 1 : axis(trace.yaxis ?? "y")[1];
  const above = (layout.annotations ?? []).filter((note) => note.xref === "paper" && note.yref === "paper" && note.yanchor === "bottom"
    && note.xanchor === "center" && Math.abs(note.x - (left + right) / 2) < 1e-6 && note.y > top - 1e-6);
  const title = above.sort((a, b) => a.y - b.y)[0]?.text ?? "";
  return new DOMParser().parseFromString(title.replaceAll("<br>", ", "), "text/html").body.textContent;
};
// A row for each number that is drawn: the panel, the trace, its name, where it stands, what it is.
tegum.rows = (traces, layout) => {
  const rows = [["panel", "trace", "name", "x", "y", "z"]];
  traces.forEach((trace, k) => {
    const { x, y, z } = trace, of = [tegum.panel(trace, layout), k, trace._input.name ?? ""];
    if (z?.length && z[0]?.length !== undefined) z.forEach((row, i) => [...row].forEach((value, j) => rows.push([...of, x?.[j] ?? j, y?.[i] ?? i, value])));
    else for (let i = 0; i < Math.max(x?.length ?? 0, y?.length ?? 0); i++) rows.push([...of, x?.[i] ?? i, y?.[i] ?? i, z?.[i] ?? ""]);
  });
  return rows;
};
tegum.csv = (traces, layout) => tegum.rows(traces, layout).map((row) => row.map((cell) => /[",\n]/.test(cell ?? "") ? `"${String(cell).replaceAll('"', '""')}"` : cell ?? "").join(",")).join("\n") + "\n";
addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-save]");
  if (!button) return;
  const place = button.closest("figure").querySelector(".plot"), kind = button.dataset.save;
  await tegum.draw(place);
  const name = `${place.dataset.part}-${place.dataset.figure}.${kind}`;
  if (kind === "csv") return tegum.save(name, tegum.csv(place._fullData, place.layout));
  const size = { width: Math.max(1000, place.clientWidth), height: place.clientHeight };
  tegum.save(name, await Plotly.toImage(place, { format: kind, scale: kind === "png" ? 2 : 1, ...size }));
});
