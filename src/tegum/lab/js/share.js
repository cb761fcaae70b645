// What can be taken along: the address, the picture, lines of Python, the weights.

import { importances } from "./address.js";
import { setsOf } from "./distribution.js";

/** @typedef {import("./address.js").State} State */

/** Python lines that make the same model with tegum. @param {State} state @param {Float64Array} W @param {Float64Array} b */
export function pythonOf(state, W, b) {
  const { n, m, l2, interference } = state, net = state.net === "relu" ? "ReluOutput" : "Linear";
  const penalties = [...(l2 ? [`tg.exact.L2(${l2})`] : []), ...(interference ? [`tg.exact.Interference(${interference})`] : [])];
  const more = penalties.length ? `, penalties=[${penalties.join(", ")}]` : "";
  const rows = Array.from({ length: m }, (_, k) => `    [${Array.from(W.subarray(k * n, (k + 1) * n), String).join(", ")}],`);
  const lines = [
    "import numpy as np",
    "import tegum as tg",
    "",
    `net = tg.nets.${net}(${n}, ${m}${state.bias ? "" : ", bias=False"})`,
    `features = ${featuresIn(state)}`,
    "W = np.array([",
    ...rows,
    "])",
    `b = np.array([${Array.from(b, String).join(", ")}])`,
    "",
    "print(tg.exact.loss(W, b, features, net=net))",
    "print(tg.geometry.identify(W, rows=False).label)",
  ];
  const begins = state.bias ? '{"W": W, "b": b}' : '{"W": W}';
  if (state.how === "flow") lines.push(`flow = tg.exact.gradient_flow(net, features, W, b, 1000${more})`);
  else if (state.how === "adam") lines.push(`found = tg.exact.minimise(net, features, seeds=1, initial=${begins}${more})`);
  else {
    if (interference) lines.push(`# without the page's ${penalties[penalties.length - 1]}: a tg.Recipe has no such penalty`);
    const decay = l2 ? `{"W": ${2 * l2}}` : "0"; // its gradient is the decay times W, and that of L2 twice the weight times W
    lines.push(
      `recipe = tg.Recipe(optimizer="adam", learning_rate=${state.rate}, weight_decay=${decay}, batch_size=${state.batch}, steps=5000)`,
      `data = tg.train(net, features, recipe, initial=${begins})`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** @param {State} state */
function featuresIn(state) {
  const [name, size] = setsOf(state.sets), { n } = state;
  const list = (/** @type {number[]} */ values) => (values.every((one) => one === values[0]) ? String(values[0]) : `[${values.join(", ")}]`);
  const ratio = state.curve.split(":")[1], plain = importances(state.curve || "1", n).every((one, i) => one === state.importance[i]);
  const curve = ratio && plain ? `tg.features.geometric(${ratio}, ${n})` : list(state.importance);
  const fields = [`density=${list(state.density)}`, ...(curve === "1" ? [] : [`importance=${curve}`]), ...(state.magnitudes === "signed" ? ["signed=True"] : [])];
  const kind = { independent: "Independent", correlated: "CorrelatedSets", anticorrelated: "AnticorrelatedSets" }[name];
  return `tg.features.${kind}(${name === "independent" ? n : `${n / size}, ${size}`}, ${fields.join(", ")})`;
}

/** A file of safetensors with W (m, n) and b (n), and the address of the state in its metadata.
 * @param {State} state @param {Float64Array} W @param {Float64Array} b @param {string} address */
export function safetensorsOf(state, W, b, address) {
  const { n, m } = state, end = 8 * n * m;
  const header = {
    __metadata__: { "tegum.lab": address },
    W: { dtype: "F64", shape: [m, n], data_offsets: [0, end] },
    b: { dtype: "F64", shape: [n], data_offsets: [end, end + 8 * n] },
  };
  const plain = new TextEncoder().encode(JSON.stringify(header)), length = Math.ceil(plain.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end + 8 * n), view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  bytes.fill(32, 8, 8 + length);
  bytes.set(plain, 8);
  [...W, ...b].forEach((value, k) => view.setFloat64(8 + length + 8 * k, value, true));
  return bytes;
}

/** The weights of a file of safetensors: W (m, n), turned where it has more rows than columns and b has not one number for each column, b, and the address where there is one.
 * @param {ArrayBuffer} buffer */
export function weightsIn(buffer) {
  const view = new DataView(buffer), length = buffer.byteLength > 8 ? view.getUint32(0, true) : 0;
  if (!length || length + 8 > buffer.byteLength) throw new Error("this is no file of safetensors");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const arrays = Object.entries(header).filter(([name]) => name !== "__metadata__");
  const matrices = arrays.filter(([, one]) => one.shape.length === 2);
  const [, found] = matrices.find(([name]) => name === "W") ?? (matrices.length === 1 ? matrices[0] : []);
  if (!found) throw new Error("the file has no W (m, n) of one model; `tegum lab FILE` opens other files");
  const [rows, columns] = found.shape, bias = arrays.find(([name, one]) => /^b(ias)?$/.test(name) && one.shape.length === 1);
  const given = numbersOf(view, 8 + length, found), biases = bias ? numbersOf(view, 8 + length, bias[1]) : null;
  const turned = rows > columns && biases?.length !== columns, [m, n] = turned ? [columns, rows] : [rows, columns];
  if (biases && biases.length !== n) throw new Error(`W is ${rows} x ${columns}, and b has ${biases.length} numbers; \`tegum lab FILE\` opens other files`);
  const W = new Float64Array(n * m), b = biases ?? new Float64Array(n);
  for (let k = 0; k < m; k++) for (let i = 0; i < n; i++) W[k * n + i] = given[turned ? i * m + k : k * n + i];
  if (![...W, ...b].every(Number.isFinite)) throw new Error("the file has numbers that are not finite");
  return { n, m, W, b, turned, address: String(header.__metadata__?.["tegum.lab"] ?? "") };
}

/** @param {DataView} view @param {number} start @param {{ dtype: string, data_offsets: [number, number] }} how */
function numbersOf(view, start, { dtype, data_offsets: [from, to] }) {
  const size = { F64: 8, F32: 4 }[dtype];
  if (!size) throw new Error(`the weights are ${dtype}: save them as float32 or float64`);
  return Float64Array.from({ length: (to - from) / size }, (_, k) =>
    size === 8 ? view.getFloat64(start + from + 8 * k, true) : view.getFloat32(start + from + 4 * k, true));
}

/** @param {string} name @param {BlobPart} content @param {string} type */
export function download(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Copies words; whether that was allowed. @param {string} words @returns {Promise<boolean>} */
export async function copied(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = words;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** Copies a picture as PNG. @param {Promise<Blob>} picture a promise, since browsers allow a copy only at once after a click
 * @throws {Error} where the page or the browser may not copy pictures */
export async function copyPicture(picture) {
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
  } catch {
    throw new Error("this page may not copy pictures; “Save PNG” makes a file");
  }
}

/** A picture as PNG, twice as fine as the screen. @param {string} svg @param {number} width @param {number} height @returns {Promise<Blob>} */
export async function rasterised(svg, width, height) {
  const image = new Image();
  await new Promise((done, failed) => {
    image.onload = done;
    image.onerror = failed;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  });
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}
