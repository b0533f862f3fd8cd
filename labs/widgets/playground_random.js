// Numbers drawn by a seed: each purpose has streams of its own, so that no draw depends on how many others came before.
// labs.playground draws the same bits in Python.

export const PURPOSES = { data: 1, split: 2, weights: 3, biases: 4, batches: 5, dropout: 6, activations: 7, slopes: 8 };

/** The stream of a seed for a purpose; i and j number its streams, such as those of the layers or the steps. */
export class Stream {
  constructor(seed, purpose, i = 0, j = 0) {
    let h = 0x9e3779b9;
    for (const word of [seed, PURPOSES[purpose], i, j]) {
      h = Math.imul(h ^ word, 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      h ^= h >>> 16;
    }
    this.state = h;
  }

  /** 32 bits, by mulberry32. */
  bits() {
    const a = (this.state = (this.state + 0x6d2b79f5) | 0);
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** From 0 to 1, which it never reaches, with 53 bits. */
  uniform() {
    const high = this.bits() >>> 5;
    return (high * 67108864 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /** From the standard normal: the method of Box and Muller, which takes two uniform numbers for one. */
  normal() {
    const far = Math.sqrt(-2 * Math.log1p(-this.uniform()));
    return far * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The numbers 0 to n − 1 in random order. */
  permutation(n) {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let k = n - 1; k > 0; k--) {
      const j = Math.floor(this.uniform() * (k + 1)), kept = order[k];
      order[k] = order[j];
      order[j] = kept;
    }
    return order;
  }
}
