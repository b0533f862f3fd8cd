// The steps of the optimisers, as torch.optim takes them, and the schedules of the learning rate.

/** The factor of the learning rate at step k, the first being 0. */
export const SCHEDULES = {
  constant: () => 1,
  step: (k, span) => 0.1 ** Math.floor(k / span),
  cosine: (k, span) => (1 + cos((Math.PI * min(k, span)) / span)) / 2,
  warmup: (k, span) => min(1, (k + 1) / span),
};
const BETA1 = 0.9, BETA2 = 0.999, EPS = 1e-8;

/** Move values down the slopes, k steps after the start. l2 is torch's weight_decay; first and second are the memory. */
export const MOVES = {
  sgd({ values, slopes }, { rate, l2 }) {
    for (let i = 0; i < values.length; i++) values[i] -= rate * (slopes[i] + l2 * values[i]);
  },
  momentum({ values, slopes }, { rate, l2, momentum, first }) {
    for (let i = 0; i < values.length; i++) {
      first[i] = momentum * first[i] + slopes[i] + l2 * values[i];
      values[i] -= rate * first[i];
    }
  },
  adam({ values, slopes }, { rate, l2, first, second, k }) {
    const pace = rate / (1 - BETA1 ** (k + 1)), scale = Math.sqrt(1 - BETA2 ** (k + 1));
    for (let i = 0; i < values.length; i++) {
      const g = slopes[i] + l2 * values[i];
      first[i] += (1 - BETA1) * (g - first[i]);
      second[i] = BETA2 * second[i] + (1 - BETA2) * g * g;
      values[i] -= (pace * first[i]) / (Math.sqrt(second[i]) / scale + EPS);
    }
  },
};
