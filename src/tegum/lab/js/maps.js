// Maps of certified optima that Python computed: `python -m tegum.lab.maps`; filled in where this is joined.

/**
 * @typedef {object} PhaseMap
 * @property {number} n
 * @property {number} m
 * @property {number[]} density ascending, evenly spaced in logarithm
 * @property {number[]} ratio importances of the last feature, likewise
 * @property {string[]} shapes
 * @property {number[]} cells which shape, by density and then by ratio
 * @property {number[]} loss of each cell; 0 where no minimum was certified
 * @property {number} scale
 * @property {string} parameters W and b of each cell, times the scale, as int16 in base64
 */

/** @type {PhaseMap[]} */
export const MAPS = [];

/** The lowest losses of other settings that so many starts found, by density: of all features, or of each.
 * @typedef {{ n: number, m: number, sets: string, I: string, starts: number, density: (number | number[])[], loss: number[] }} Line */

/** @type {Line[]} */
export const LINES = [];
