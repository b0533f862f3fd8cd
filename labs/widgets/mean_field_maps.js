// The maps of an infinitely wide random network: length, correlation and gradient, layer by layer, by quadrature.
// Joined in Python behind activation_functions.js; tests/browser compares it with labs.mean_field.
// For functions whose only kink, if any, is at zero.

/** Gauss-Legendre points and weights on (0, 1), drawn towards both ends, where a function may change fast. */
function crowded(n) {
  return Array.from({ length: n }, (_, i) => {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5)), slope;
    for (let step = 0; step < 20; step++) {
      let here = 1, before = 0;
      for (let k = 0; k < n; k++) [here, before] = [((2 * k + 1) * x * here - k * before) / (k + 1), here];
      slope = (n * (x * here - before)) / (x * x - 1);
      x -= here / slope;
    }
    const t = (1 + x) / 2;
    return [t * t * (3 - 2 * t), (6 * t * (1 - t)) / ((1 - x * x) * slope * slope)];
  });
}
/** Points exp(s) with even steps of s: near zero and far out none is wasted. */
const rising = (n, low, high, density) => Array.from({ length: n + 1 }, (_, i) => {
  const r = Math.exp(low + ((high - low) * i) / n);
  return [r, ((high - low) / n) * r * density(r)];
});
// The normal density on (0, ∞); the length of a normal pair, whose weight is r exp(−r²/2); the angles of a sector.
const HALF = rising(320, -30, 2.4, phi), LENGTHS = rising(38, -6, 2.3, (r) => r * Math.exp((-r * r) / 2)), ARC = crowded(24);

/** E f(√q z)² for a standard normal z. */
export function meanSquareOf(f, q) {
  const root = Math.sqrt(q);
  return HALF.reduce((sum, [z, w]) => sum + w * (f(root * z) ** 2 + f(-root * z) ** 2), 0);
}

/** E (f(u) − f(v))² / 2 for two normals of variance q and correlation 1 − apart, in polar coordinates. */
export function halfDistance(f, q, apart) {
  const gap = 2 * Math.asin(Math.sqrt(apart / 2)), root = Math.sqrt(q), right = Math.PI / 2;
  let total = 0;
  // u is zero at a right angle, v at that plus the gap, and both half a turn on: between these f has no kink. What is
  // left out is a mirror image with u and v exchanged: the second narrow sector, and half of each wide one.
  for (const [from, wide] of [[right, gap], [right + gap, 2 * right - gap], [3 * right + gap, 2 * right - gap]]) for (const [t, w] of ARC) {
    if (wide !== gap && t > 0.5) continue;
    const angle = from + wide * t, u = root * Math.cos(angle), v = root * Math.cos(angle - gap);
    let ray = 0;
    for (const [r, weight] of LENGTHS) ray += weight * (f(r * u) - f(r * v)) ** 2;
    total += w * wide * ray;
  }
  return total / (2 * Math.PI);
}

/** For each layer its length q, what is missing to correlation one (apart), and the factor chi of the step to the next. */
export function tunnel({ f, slope }, { depth, weight_std: w, bias_std: b, correlation }) {
  const layers = [];
  for (let q = 1, apart = 1 - correlation, l = 0; l < depth; l++) {
    const next = w * w * meanSquareOf(f, q) + b * b, chi = w * w * meanSquareOf(slope, q);
    layers.push({ q, apart, chi });
    // Very near inputs part by the slope alone, and the difference would drown in rounding.
    apart = apart < 1e-12 ? (apart * chi * q) / next : Math.min(1, (w * w * halfDistance(f, q, apart)) / next);
    q = next;
  }
  return layers;
}

/** The mean square of the gradient in front of each activation, as a multiple of the last layer's. */
export function gradients(layers) {
  const found = layers.map(() => 1);
  for (let l = layers.length - 2; l >= 0; l--) found[l] = found[l + 1] * layers[l].chi;
  return found;
}

/** The same function out of a fine table: cubics between its points, straight lines beyond. For slow, smooth functions. */
export function quick({ f, slope }, reach = 12, step = 0.02) {
  const n = Math.round((2 * reach) / step), xs = Array.from({ length: n + 1 }, (_, i) => i * step - reach), y = xs.map(f), d = xs.map((x) => step * slope(x));
  return { slope, f(x) {
    if (!(Math.abs(x) < reach)) return x > 0 ? y[n] + (x - reach) * slope(reach) : y[0] + (x + reach) * slope(-reach);
    const t = (x + reach) / step, i = Math.min(n - 1, Math.floor(t)), u = t - i, v = 1 - u;
    return v * v * ((1 + 2 * u) * y[i] + u * d[i]) + u * u * ((1 + 2 * v) * y[i + 1] - v * d[i + 1]);
  } };
}
