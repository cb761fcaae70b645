"use strict";
// The links below a figure: the picture as SVG or PNG, its numbers as CSV.
tegum.save = (name, content) => {
  const link = document.createElement("a");
  link.href = typeof content === "string" && content.startsWith("data:") ? content : URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = name;
  link.click();
};
// The words of a title in one line.
tegum.plain = (title) => new DOMParser().parseFromString((title ?? "").replaceAll("<br>", ", "), "text/html").body.textContent;
tegum.axis = (layout, name) => layout[name.replace(/^[xy]/, "$&axis")] ?? {};
// The title of the panel in which a trace is drawn: what stands in the middle above it, in one line; of rows that share a title
// the nearest above in the column.
tegum.panel = (trace, layout) => {
  const place = (name) => tegum.axis(layout, name).domain ?? [0, 1];
  const scene = trace.scene && (layout[trace.scene]?.domain ?? {});
  const [left, right] = scene ? scene.x ?? [0, 1] : place(trace.xaxis ?? "x"), top = scene ? scene.y?.[1] ?? 1 : place(trace.yaxis ?? "y")[1];
  const above = (layout.annotations ?? []).filter((note) => note.xref === "paper" && note.yref === "paper" && note.yanchor === "bottom"
    && note.xanchor === "center" && Math.abs(note.x - (left + right) / 2) < 1e-6 && note.y > top - 1e-6);
  return tegum.plain(above.sort((a, b) => a.y - b.y)[0]?.text);
};
// What an axis of a trace is called: where it has no name, what one is called that moves with it, or stands beside it in the row.
tegum.axisName = (trace, layout, letter) => {
  if (trace.scene) return tegum.plain(layout[trace.scene]?.[letter + "axis"]?.title?.text);
  const name = trace[letter + "axis"] ?? letter, own = tegum.axis(layout, name);
  if (own.title?.text || own.visible === false) return tegum.plain(own.title?.text);
  const beside = Object.keys(layout).filter((key) => key.startsWith(letter + "axis")).map((key) => [key.replace("axis", ""), layout[key]]);
  const same = beside.filter(([other, axis]) => axis.title?.text && (axis.matches === name || own.matches === other
    || (own.matches && own.matches === axis.matches) || (letter === "y" && String(axis.domain) === String(own.domain))));
  return tegum.plain(same[0]?.[1].title.text);
};
// What the colours of a map, or the heights of a space, are called.
tegum.valueName = (trace, layout) => {
  if (trace.scene) return tegum.axisName(trace, layout, "z");
  return tegum.plain((trace.coloraxis ? layout[trace.coloraxis] : trace)?.colorbar?.title?.text);
};
// A number of a list: pictures hold lists in single precision, of which no more digits are said than tell it from its neighbours.
tegum.entry = (list, i) => {
  const value = list?.[i];
  if (!(list instanceof Float32Array)) return value;
  const digits = [6, 7, 8, 9].find((count) => Math.fround(Number(value.toPrecision(count))) === value);
  return digits ? Number(value.toPrecision(digits)) : value;
};
// A row for each number that is drawn: the panel, the trace, its name, where it stands, what it is, how far its bar of error
// reaches, what is written at it, and what its three numbers are called.
tegum.rows = (traces, layout) => {
  const rows = [["panel", "trace", "name", "x", "y", "z", "error", "label", "x is", "y is", "z is"]], at = tegum.entry;
  traces.forEach((trace, k) => {
    const { x, y, z, text, customdata } = trace, of = [tegum.panel(trace, layout), k, trace._input.name ?? ""];
    const are = [tegum.axisName(trace, layout, "x"), tegum.axisName(trace, layout, "y"), z?.length ? tegum.valueName(trace, layout) : ""];
    const said = (...index) => [text, customdata].map((list) => Array.isArray(list) ? index.reduce((inside, i) => inside?.[i], list) : "")
      .find((one) => typeof one === "string" && one) ?? "";
    const row = (i, j, value) => rows.push([...of, at(x, j) ?? j, at(y, i) ?? i, value, "", tegum.plain(said(i, j)), ...are]);
    if (z?.length && z[0]?.length !== undefined) z.forEach((line, i) => [...line].forEach((_, j) => row(i, j, at(line, j))));
    else for (let i = 0; i < Math.max(x?.length ?? 0, y?.length ?? 0); i++) {
      const error = trace.error_y?.visible ? at(trace.error_y.array, i) ?? "" : "";
      rows.push([...of, at(x, i) ?? i, at(y, i) ?? i, at(z, i) ?? "", error, tegum.plain(said(i)), ...are]);
    }
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
