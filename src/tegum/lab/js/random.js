// Random numbers that a seed makes again: sfc32 of Chris Doty-Humphrey (PractRand), seeded by rounds of its own.

export class Random {
  /** @param {number} seed a whole number, 0 or more @param {number} stream which of several for one seed */
  constructor(seed, stream = 0) {
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 2 ** 32) >>> 0;
    this.c = stream >>> 0;
    this.d = 1;
    for (let k = 0; k < 16; k++) this.whole();
  }

  /** 32 random bits. */
  whole() {
    const t = (((this.a + this.b) >>> 0) + this.d) >>> 0;
    this.d = (this.d + 1) >>> 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) >>> 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + t) >>> 0;
    return t;
  }

  /** Uniform in [0, 1). */
  uniform() {
    return this.whole() / 2 ** 32;
  }

  /** Of the normal distribution of mean 0 and variance 1 (Box and Muller). */
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}
