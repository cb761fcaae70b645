// A recorded training.
/** @typedef {{ step: number[], W: Float64Array[] }} Record */
export const NOTHING = null;
