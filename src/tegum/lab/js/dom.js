// Elements, made in one call.

/** @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {Record<string, any>} properties attributes, and functions for events ("onclick")
 * @param {...(Node | string)} children @returns {HTMLElementTagNameMap[K]} */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children);
  return made;
}

let count = 0;

/** A name that no other element of the page has. @param {string} what */
export function unique(what) {
  return `lab-${what}-${++count}`;
}

/** A canvas that is as sharp as the screen. @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  const ratio = Math.min(devicePixelRatio || 1, 2), width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
