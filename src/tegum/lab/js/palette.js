// The colours of tegum.figures.theme: of every kind of shape, by name; filled in where this is joined.

/** @type {Record<string, string>} */
export const SHAPE_COLOURS = {};
