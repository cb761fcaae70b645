// One way to draw for the screen and for pictures that are copied: the same calls on a canvas and into SVG.

/** @typedef {{ colour?: string, width?: number, dash?: number[], alpha?: number }} Stroke */
/** @typedef {{ fill?: string, colour?: string, width?: number, alpha?: number }} Fill */
/** @typedef {{ size?: number, colour?: string, align?: "left" | "center" | "right", bold?: boolean, turn?: boolean }} Type */
/** @typedef {[number, number]} Point */
/** @typedef {CanvasPen | SvgPen} Pen */

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";

export class CanvasPen {
  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
  constructor(context, width, height) {
    this.context = context;
    this.width = width;
    this.height = height;
  }

  /** @param {Point[]} points @param {Stroke & { closed?: boolean, fill?: string }} how */
  path(points, how) {
    const c = this.context;
    c.globalAlpha = how.alpha ?? 1;
    c.beginPath();
    points.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
    if (how.closed) c.closePath();
    if (how.fill) {
      c.fillStyle = how.fill;
      c.fill();
    }
    if (how.colour) {
      c.strokeStyle = how.colour;
      c.lineWidth = how.width ?? 1;
      c.lineJoin = c.lineCap = "round";
      c.setLineDash(how.dash ?? []);
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  /** @param {number} x @param {number} y @param {number} radius @param {Fill} how */
  circle(x, y, radius, how) {
    const c = this.context;
    c.globalAlpha = how.alpha ?? 1;
    c.beginPath();
    c.arc(x, y, radius, 0, 2 * Math.PI);
    if (how.fill) {
      c.fillStyle = how.fill;
      c.fill();
    }
    if (how.colour) {
      c.setLineDash([]);
      c.strokeStyle = how.colour;
      c.lineWidth = how.width ?? 1;
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height @param {string} fill */
  rect(x, y, width, height, fill) {
    this.context.fillStyle = fill;
    this.context.fillRect(x, y, width, height);
  }

  /** @param {number} x @param {number} y the middle of its height @param {string} words @param {Type} how */
  text(x, y, words, how) {
    const c = this.context;
    c.font = `${how.bold ? "600 " : ""}${how.size ?? 13}px ${FONT}`;
    c.fillStyle = how.colour ?? "black";
    c.textAlign = how.align ?? "left";
    c.textBaseline = "middle";
    if (!how.turn) {
      c.fillText(words, x, y);
      return;
    }
    c.save();
    c.translate(x, y);
    c.rotate(-Math.PI / 2);
    c.fillText(words, 0, 0);
    c.restore();
  }
}

export class SvgPen {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    /** @type {string[]} */
    this.marks = [];
  }

  /** @param {Point[]} points @param {Stroke & { closed?: boolean, fill?: string }} how */
  path(points, how) {
    const d = points.map(([x, y], k) => `${k ? "L" : "M"}${short(x)} ${short(y)}`).join("") + (how.closed ? "Z" : "");
    const dash = how.dash?.length ? ` stroke-dasharray="${how.dash.join(" ")}"` : "";
    const line = how.colour ? ` stroke="${how.colour}" stroke-width="${how.width ?? 1}" stroke-linejoin="round" stroke-linecap="round"${dash}` : "";
    this.marks.push(`<path d="${d}" fill="${how.fill ?? "none"}"${line}${opacity(how.alpha)}/>`);
  }

  /** @param {number} x @param {number} y @param {number} radius @param {Fill} how */
  circle(x, y, radius, how) {
    const line = how.colour ? ` stroke="${how.colour}" stroke-width="${how.width ?? 1}"` : "";
    this.marks.push(`<circle cx="${short(x)}" cy="${short(y)}" r="${short(radius)}" fill="${how.fill ?? "none"}"${line}${opacity(how.alpha)}/>`);
  }

  /** @param {number} x @param {number} y @param {number} width @param {number} height @param {string} fill */
  rect(x, y, width, height, fill) {
    this.marks.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${fill}"/>`);
  }

  /** @param {number} x @param {number} y @param {string} words @param {Type} how */
  text(x, y, words, how) {
    const anchor = { left: "start", center: "middle", right: "end" }[how.align ?? "left"];
    const turn = how.turn ? ` transform="rotate(-90 ${short(x)} ${short(y)})"` : "";
    const plain = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    this.marks.push(
      `<text x="${short(x)}" y="${short(y)}" font-size="${how.size ?? 13}" fill="${how.colour ?? "black"}" text-anchor="${anchor}" ` +
        `dominant-baseline="central"${how.bold ? ' font-weight="600"' : ""}${turn}>${plain}</text>`,
    );
  }

  /** The picture, on a ground. @param {string} ground */
  picture(ground) {
    const { width, height } = this;
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `font-family="${FONT}"><rect width="${width}" height="${height}" fill="${ground}"/>${this.marks.join("")}</svg>`
    );
  }
}

/** @param {number} value */
function short(value) {
  return String(Math.round(100 * value) / 100);
}

/** @param {number | undefined} alpha */
function opacity(alpha) {
  return alpha === undefined ? "" : ` opacity="${alpha}"`;
}

/** A colour as SVG and canvas both take it, fainter. @param {string} colour @param {number} alpha */
export function faint(colour, alpha) {
  const hex = /^#(..)(..)(..)$/.exec(colour);
  return hex ? `rgba(${hex.slice(1).map((one) => parseInt(one, 16)).join(", ")}, ${alpha})` : colour;
}
