// How the learnable functions of activation_functions.js, with which this file is joined, answer to their own numbers.
// For each function its numbers in the order of the module's parameters, and the derivative of f with respect to each;
// of a series it is the derivative with respect to number i.

const place = ({ grid, step, coefficients }, x) => {
  const inside = max(-grid, min(grid, x)), t = (inside + grid) / step, i = min(Math.floor(t), coefficients.length - 4);
  return [i, t - i, (x - inside) / (2 * step)]; // the interval, the way through it, and the way beyond the grid
};
const bumps = [(u, v) => v ** 3 / 6, (u) => (3 * u * u * (u - 2) + 4) / 6, (u, v) => (3 * v * v * (v - 2) + 4) / 6, (u) => u ** 3 / 6];
const rises = [(u, v) => -v * v, (u, v) => v * v - 1 - 2 * u * v, (u, v) => 1 + 2 * u * v - u * u, (u) => u * u];
const below = (x, { b }) => 1 + (b[0] * x) ** 2 + (b[1] * x * x) ** 2;

export const GRADIENTS = {
  PReLU: { init: (x) => min(x, 0) },
  Swish: { beta: (x, p) => x * x * bell(p.beta * x) },
  TrainableELU: { alpha: (x) => (x > 0 ? 0 : Math.expm1(x)) },
  AdaptiveSigmoid: {
    k: (x, p) => (x - p.theta) * bell(p.k * (x - p.theta)), theta: (x, p) => -p.k * bell(p.k * (x - p.theta)),
  },
  Snake: { a: (x, p) => (p.a === 0 ? x * x : (x * sin(2 * p.a * x) - sin(p.a * x) ** 2 / p.a) / p.a) },
  STAF: {
    C: (x, p, i) => sin(p.omega[i] * x + p.phi[i]),
    omega: (x, p, i) => p.C[i] * x * cos(p.omega[i] * x + p.phi[i]),
    phi: (x, p, i) => p.C[i] * cos(p.omega[i] * x + p.phi[i]),
  },
  Rational: {
    c: (x, p) => 1 / below(x, p),
    a: (x, p, i) => x ** (i + 1) / below(x, p),
    b: (x, p, i) => (-2 * p.b[i] * x ** (2 * i + 2) * ratio(x, p)[0]) / below(x, p),
  },
  BSpline: {
    coefficients(x, p, k) {
      const [i, u, beyond] = place(p, x), j = k - i;
      return j < 0 || j > 3 ? 0 : bumps[j](u, 1 - u) + beyond * rises[j](u, 1 - u);
    },
  },
  Fourier: {
    omega: (x, p) => sum(p.a, (a, i) => (i + 1) * x * (p.b[i] * cos((i + 1) * p.omega * x) - a * sin((i + 1) * p.omega * x))),
    m: (x) => x, c: () => 1,
    a: (x, p, i) => cos((i + 1) * p.omega * x), b: (x, p, i) => sin((i + 1) * p.omega * x),
  },
};
