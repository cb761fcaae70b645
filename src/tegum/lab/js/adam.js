// Adam (Kingma and Ba, 2015), for slopes that are exact or of samples.

const BETA_1 = 0.9, BETA_2 = 0.999, EPSILON = 1e-8;

export class Adam {
  /** @param {number} size */
  constructor(size) {
    this.first = new Float64Array(size);
    this.second = new Float64Array(size);
    this.steps = 0;
  }

  /** @param {Float64Array} y @param {Float64Array} slopes @param {number} rate */
  step(y, slopes, rate) {
    this.steps++;
    const one = 1 - BETA_1 ** this.steps, two = 1 - BETA_2 ** this.steps;
    for (let i = 0; i < y.length; i++) {
      this.first[i] = BETA_1 * this.first[i] + (1 - BETA_1) * slopes[i];
      this.second[i] = BETA_2 * this.second[i] + (1 - BETA_2) * slopes[i] * slopes[i];
      y[i] -= (rate * (this.first[i] / one)) / (Math.sqrt(this.second[i] / two) + EPSILON);
    }
  }
}
