// The solutions that tegum.geometry.thomson stores, "points in dimensions" to rows of coordinates; filled in where it is joined.

/** @type {Record<string, number[][]>} */
export const THOMSON = {};
