// The functions of labs.activations as numbers in the browser; tests/browser compares each with torch, slope included.
// f and slope take x and the parameters p, named as in the module's constructor. breaks are the points where f or one
// of its first derivatives jumps; on each stretch of flat, [from, to, value], f is exactly constant.

const { exp, abs, max, min, tanh, sin, cos } = Math;
const sigma = (x) => (x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)));
const bell = (x) => sigma(x) * sigma(-x); // the slope of sigma, which keeps its digits on both sides
const softplus = (x) => max(x, 0) + Math.log1p(exp(-abs(x)));
export const phi = (x) => exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** The distribution function of the standard normal: a series with positive terms near zero, a fraction far out. */
export function Phi(x) {
  const z = abs(x);
  if (z > 3) {
    let fraction = z;
    for (let k = 40; k > 0; k--) fraction = z + k / fraction;
    return x < 0 ? phi(z) / fraction : 1 - phi(z) / fraction;
  }
  let term = z, sum = z;
  for (let k = 3; term > 1e-17 * sum; k += 2) sum += term *= (z * z) / k;
  return 0.5 + Math.sign(x) * phi(z) * sum;
}

const parameter = (name, symbol, low, high, step, value, note) => ({ name, symbol, low, high, step, value, note });
const slopeLeft = (name, value, note) => parameter(name, "a", -0.5, 1, 0.01, value, note);
const alpha = (low, note) => [parameter("alpha", "α", low, 3, 0.05, 1, note)];
const gate = (note) => [parameter("b", "b", -6, 6, 0.1, 1, note)];
const atZero = () => [0];
const dark = [-Infinity, 0, 0]; // nothing comes through on the left

const leaky = (a) => ({
  f: (x, p) => (x > 0 ? x : a(p) * x), slope: (x, p) => (x > 0 ? 1 : a(p)), breaks: atZero,
  flat: (p) => (a(p) === 0 ? [dark] : []), text: ["x if x > 0, else a x", "1 if x > 0, else a"],
});
const elu = {
  f: (x, p) => (x > 0 ? x : p.alpha * Math.expm1(x)), slope: (x, p) => (x > 0 ? 1 : p.alpha * exp(x)), breaks: atZero,
  flat: (p) => (p.alpha === 0 ? [dark] : []), text: ["x if x > 0, else α (eˣ − 1)", "1 if x > 0, else α eˣ"],
};
const gated = (g, text, relative) => ({
  f: (x, p) => x * g(p.b), slope: (x, p) => g(p.b), flat: (p) => (g(p.b) === 0 ? [[-Infinity, Infinity, 0]] : []), text,
  parameters: gate("the gate, the second input; x stands for the value a"),
  note: `In a it is a straight line, and the gate sets its slope; in b it is a times ${relative}.`,
});
const gelu = (x) => x * Phi(x), silu = (x) => x * sigma(x);
const geluSlope = (x) => Phi(x) + x * phi(x), siluSlope = (x) => sigma(x) + x * bell(x);
const SELU = { lambda: 1.0507009873554805, alpha: 1.6732632423543772 };
const ROOT = Math.sqrt(2 / Math.PI), tanhGate = (x) => tanh(ROOT * (x + 0.044715 * x ** 3));
const sum = (list, term) => list.reduce((total, value, i) => total + term(value, i), 0);
const polynomial = (coefficients, x) => coefficients.reduceRight((value, c) => value * x + c, 0);

// Rational: P, Q and their slopes.
const ratio = (x, { c, a, b }) => {
  const q = 1 + (b[0] * x) ** 2 + (b[1] * x * x) ** 2, f = polynomial([c, ...a], x) / q;
  return [f, (polynomial(a.map((v, i) => v * (i + 1)), x) - f * (2 * b[0] ** 2 * x + 4 * b[1] ** 2 * x ** 3)) / q];
};

// BSpline: on the grid four cubic bumps count at each point; beyond it the curve goes on straight.
const spline = (x, { coefficients, grid, step }) => {
  const inside = max(-grid, min(grid, x)), place = (inside + grid) / step;
  const i = min(Math.floor(place), coefficients.length - 4), u = place - i, v = 1 - u;
  const c = coefficients.slice(i, i + 4);
  const slope = ((c[1] - c[0]) * v * v + (c[2] - c[1]) * (1 + 2 * u * v) + (c[3] - c[2]) * u * u) / (2 * step);
  const f = (c[0] * v ** 3 + c[1] * (3 * u * u * (u - 2) + 4) + c[2] * (3 * v * v * (v - 2) + 4) + c[3] * u ** 3) / 6;
  return [f + slope * (x - inside), slope];
};

/** A function known by values and slopes at equal steps, as torch computed them; beyond both ends it goes on straight. */
export function tabled({ from, step, f, slope, note }) {
  const last = f.length - 1, dead = (i) => f[i] === f[i + 1] && !slope[i] && !slope[i + 1];
  const place = (x) => {
    const t = min(last, max(0, (x - from) / step)), i = min(last - 1, Math.floor(t));
    return [i, t - i, x - from - t * step];
  };
  const line = ([i, u]) => slope[i] + u * (slope[i + 1] - slope[i]);
  return {
    f(x) {
      const [i, u, beyond] = place(x), v = 1 - u, curve = step * u * v * (slope[i] * v - slope[i + 1] * u);
      return f[i] * (1 + 2 * u) * v * v + f[i + 1] * u * u * (3 - 2 * u) + curve + beyond * slope[beyond < 0 ? 0 : last];
    },
    slope: (x) => line(place(x)),
    flat() {
      const found = [];
      for (let i = 0; i < last; i++) if (dead(i)) {
        const a = i ? from + i * step : -Infinity, b = i + 1 < last ? from + (i + 1) * step : Infinity;
        found.at(-1)?.[1] === a ? (found.at(-1)[1] = b) : found.push([a, b, f[i]]);
      }
      return found;
    },
    note,
  };
}

export const FUNCTIONS = {
  Step: {
    f: (x) => +(x > 0), slope: () => 0, breaks: atZero, flat: () => [dark, [0, Infinity, 1]],
    text: ["1 if x > 0, else 0", "0, except at the jump"],
  },
  Sigmoid: { f: sigma, slope: bell, text: ["σ(x) = 1 / (1 + e⁻ˣ)", "σ(x) (1 − σ(x))"] },
  HardSigmoid: {
    f: (x) => min(max(x + 3, 0), 6) / 6, slope: (x) => (abs(x) < 3 ? 1 / 6 : 0), breaks: () => [-3, 3],
    flat: () => [[-Infinity, -3, 0], [3, Infinity, 1]], text: ["min(max(x + 3, 0), 6) / 6", "1/6 if |x| < 3, else 0"],
  },
  Tanh: { f: tanh, slope: (x) => Math.cosh(x) ** -2, text: ["(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)", "1 − tanh²(x)"] },
  Hardtanh: {
    f: (x, p) => min(max(x, p.min_val), p.max_val), slope: (x, p) => +(p.min_val < x && x < p.max_val),
    breaks: (p) => [p.min_val, p.max_val],
    flat: (p) => [[-Infinity, p.min_val, p.min_val], [p.max_val, Infinity, p.max_val]],
    text: ["min(max(x, l), u)", "1 if l < x < u, else 0"],
    parameters: [
      parameter("min_val", "l", -4, 0, 0.1, -1, "the lowest value"), parameter("max_val", "u", 0.1, 4, 0.1, 1, "the highest value"),
    ],
  },
  Softsign: {
    f: (x) => x / (1 + abs(x)), slope: (x) => (1 + abs(x)) ** -2, breaks: atZero, text: ["x / (1 + |x|)", "1 / (1 + |x|)²"],
  },

  ReLU: {
    f: (x) => max(0, x), slope: (x) => +(x > 0), breaks: atZero, flat: () => [dark], text: ["max(0, x)", "1 if x > 0, else 0"],
  },
  ReLU6: {
    f: (x) => min(max(0, x), 6), slope: (x) => +(0 < x && x < 6), breaks: () => [0, 6], flat: () => [dark, [6, Infinity, 6]],
    text: ["min(max(0, x), 6)", "1 if 0 < x < 6, else 0"],
  },
  LeakyReLU: {
    ...leaky((p) => p.negative_slope), parameters: [slopeLeft("negative_slope", 0.01, "the slope on the left, fixed")],
  },
  PReLU: { ...leaky((p) => p.init), parameters: [slopeLeft("init", 0.25, "the slope on the left, learned; it starts at 0.25")] },
  RReLU: {
    ...leaky((p) => (p.lower + p.upper) / 2), text: ["x if x > 0, else (l + u)/2 · x", "1 if x > 0, else (l + u)/2"],
    parameters: [
      parameter("lower", "l", 0, 0.3, 0.005, 1 / 8, "the smallest slope on the left"),
      parameter("upper", "u", 0.3, 1, 0.005, 1 / 3, "the largest slope on the left"),
    ],
    note: "Shown in evaluation mode; in training each element draws its own slope between l and u.",
  },
  ELU: { ...elu, parameters: alpha(0, "minus the limit on the left, fixed") },
  CELU: {
    f: (x, p) => (x > 0 ? x : p.alpha * Math.expm1(x / p.alpha)), slope: (x, p) => (x > 0 ? 1 : exp(x / p.alpha)), breaks: atZero,
    text: ["x if x > 0, else α (e^(x/α) − 1)", "1 if x > 0, else e^(x/α)"],
    parameters: alpha(0.1, "minus the limit on the left; the slope at zero stays 1"),
  },
  SELU: {
    f: (x) => SELU.lambda * elu.f(x, SELU), slope: (x) => SELU.lambda * elu.slope(x, SELU), breaks: atZero,
    text: ["λ x if x > 0, else λ α (eˣ − 1)", "λ if x > 0, else λ α eˣ"], note: "λ = 1.0507 and α = 1.6733 are fixed.",
  },
  Maxout: {
    f: (x, p) => max(x, p.w * x + p.c), slope: (x, p) => (x > p.w * x + p.c ? 1 : p.w),
    breaks: (p) => (p.w === 1 ? [] : [p.c / (1 - p.w)]),
    flat: (p) => (p.w === 0 ? [[-Infinity, p.c, p.c]] : []),
    text: ["max(a, b) with a = x and b = w x + c", "1 where a is larger, w where b is"],
    parameters: [
      parameter("w", "w", -2, 2, 0.1, 0, "the slope of the second straight piece, learned"),
      parameter("c", "c", -3, 3, 0.1, 0, "its height at zero, learned"),
    ],
    note: "The layer in front makes the pieces. w = c = 0 is ReLU, w = −1 and c = 0 the absolute value.",
  },

  Softplus: {
    f: (x, p) => softplus(p.beta * x) / p.beta, slope: (x, p) => sigma(p.beta * x), text: ["ln(1 + e^(βx)) / β", "σ(βx)"],
    parameters: [parameter("beta", "β", 0.2, 10, 0.1, 1, "the sharpness of the bend, fixed")],
  },
  GELU: { f: gelu, slope: geluSlope, text: ["x Φ(x)", "Φ(x) + x φ(x)"] },
  GELUTanh: {
    f: (x) => (x / 2) * (1 + tanhGate(x)),
    slope: (x) => (1 + tanhGate(x)) / 2 + (x / 2) * (1 - tanhGate(x) ** 2) * ROOT * (1 + 0.134145 * x * x),
    text: ["x/2 · (1 + t), where t = tanh(√(2/π) (x + 0.044715 x³))", "(1 + t)/2 + x/2 · (1 − t²) √(2/π) (1 + 0.134145 x²)"],
  },
  SiLU: { f: silu, slope: siluSlope, text: ["x σ(x)", "σ(x) (1 + x (1 − σ(x)))"] },
  Swish: {
    f: (x, p) => x * sigma(p.beta * x), slope: (x, p) => siluSlope(p.beta * x), text: ["x σ(βx)", "σ(βx) (1 + βx (1 − σ(βx)))"],
    parameters: [parameter("beta", "β", 0, 10, 0.1, 1, "the sharpness of the gate, learned; 1 is SiLU")],
  },
  Mish: {
    f: (x) => x * tanh(softplus(x)), slope: (x) => tanh(softplus(x)) + x * sigma(x) * (1 - tanh(softplus(x)) ** 2),
    text: ["x t, where t = tanh(ln(1 + eˣ))", "t + x σ(x) (1 − t²)"],
  },
  Hardswish: {
    f: (x) => (x * min(max(x + 3, 0), 6)) / 6, slope: (x) => (abs(x) < 3 ? (2 * x + 3) / 6 : +(x > 0)), breaks: () => [-3, 3],
    flat: () => [[-Infinity, -3, 0]], text: ["x min(max(x + 3, 0), 6) / 6", "(2x + 3)/6 if |x| < 3, else 0 on the left, 1 on the right"],
  },
  TeLU: { // tanh(e³) is 1 to the last bit: no need to let the exponential overflow
    f: (x) => x * tanh(exp(min(x, 10))), slope: (x) => tanh(exp(min(x, 10))) + x * exp(min(x, 10)) * (1 - tanh(exp(min(x, 10))) ** 2),
    text: ["x t, where t = tanh(eˣ)", "t + x eˣ (1 − t²)"],
  },
  SquaredReLU: {
    f: (x) => max(0, x) ** 2, slope: (x) => 2 * max(0, x), breaks: atZero, flat: () => [dark], text: ["max(0, x)²", "2 max(0, x)"],
  },

  GLU: gated(sigma, ["a σ(b)", "σ(b) with respect to a"], "the sigmoid"),
  GEGLU: gated(gelu, ["a b Φ(b)", "b Φ(b) with respect to a"], "GELU"),
  SwiGLU: gated(silu, ["a b σ(b)", "b σ(b) with respect to a"], "SiLU"),

  TrainableELU: { ...elu, parameters: alpha(-1, "minus the limit on the left, learned; it starts at 1") },
  AdaptiveSigmoid: {
    f: (x, p) => sigma(p.k * (x - p.theta)), slope: (x, p) => p.k * bell(p.k * (x - p.theta)),
    text: ["1 / (1 + e^(−k (x − θ)))", "k f(x) (1 − f(x))"],
    parameters: [
      parameter("k", "k", 0.1, 10, 0.1, 1, "the steepness, learned"), parameter("theta", "θ", -4, 4, 0.1, 0, "the place of the middle, learned"),
    ],
  },
  Sine: {
    f: (x, p) => sin(p.omega * x), slope: (x, p) => p.omega * cos(p.omega * x), text: ["sin(ωx)", "ω cos(ωx)"],
    parameters: [parameter("omega", "ω", 0.1, 30, 0.1, 1, "radians per unit of x")],
  },
  Snake: {
    f: (x, p) => (p.a === 0 ? x : x + sin(p.a * x) ** 2 / p.a), slope: (x, p) => 1 + sin(2 * p.a * x),
    text: ["x + sin²(ax) / a", "1 + sin(2ax)"],
    parameters: [parameter("a", "a", 0, 10, 0.1, 1, "radians per unit of x, learned; 0 is the line x")],
  },
  STAF: {
    f: (x, p) => sum(p.C, (c, i) => c * sin(p.omega[i] * x + p.phi[i])),
    slope: (x, p) => sum(p.C, (c, i) => c * p.omega[i] * cos(p.omega[i] * x + p.phi[i])),
    text: ["Σ Cᵢ sin(Ωᵢ x + Φᵢ)", "Σ Cᵢ Ωᵢ cos(Ωᵢ x + Φᵢ)"],
    note: "Amplitudes C, frequencies Ω and phases Φ are learned; they start as draws from the standard normal.",
  },
  Rational: {
    f: (x, p) => ratio(x, p)[0], slope: (x, p) => ratio(x, p)[1],
    text: ["P/Q with P = c + a₁x + … + a₅x⁵ and Q = 1 + (b₁x)² + (b₂x²)²", "(P′ − f Q′) / Q"],
    note: "c, a and b are learned; they start close to SiLU.",
  },
  BSpline: {
    f: (x, p) => spline(x, p)[0], slope: (x, p) => spline(x, p)[1],
    breaks: (p) => p.coefficients.slice(2).map((_, i) => i * p.step - p.grid),
    flat: ({ coefficients: c, grid, step }) => c.slice(3).flatMap((last, i) =>
      c.slice(i, i + 3).every((one) => one === last) ? [[i ? i * step - grid : -Infinity, i + 4 === c.length ? Infinity : (i + 1) * step - grid, last]] : []),
    text: ["Σ cᵢ B((x + G)/h + 2 − i) on [−G, G], a straight line on each side", "Σ cᵢ B′((x + G)/h + 2 − i) / h on [−G, G]"],
    note: "The heights c are learned; they start as a LeakyReLU with a rounded corner. B is the cubic bump, h the distance of two knots.",
  },
  Fourier: {
    f: (x, p) => p.m * x + p.c + sum(p.a, (a, i) => a * cos((i + 1) * p.omega * x) + p.b[i] * sin((i + 1) * p.omega * x)),
    slope: (x, p) => p.m + sum(p.a, (a, i) => (i + 1) * p.omega * (p.b[i] * cos((i + 1) * p.omega * x) - a * sin((i + 1) * p.omega * x))),
    text: ["m x + c + Σ (aᵢ cos(iωx) + bᵢ sin(iωx))", "m + Σ iω (bᵢ cos(iωx) − aᵢ sin(iωx))"],
    note: "All letters but x and i are learned; they start as the first terms of the Fourier series of ReLU on [−π, π].",
  },
  SwiGELU: { f: (x) => (silu(x) + gelu(x)) / 2, slope: (x) => (siluSlope(x) + geluSlope(x)) / 2, text: ["x/2 · (σ(x) + Φ(x))", "(SiLU′(x) + GELU′(x)) / 2"] },
};
