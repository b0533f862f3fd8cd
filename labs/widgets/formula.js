// A formula in x and a, read into a function that returns the value and the slope. Nothing is ever executed as code:
// what is no number, name, sign or bracket of the small grammar below is an error that says where and what.

// Value and slope go through every step together, as pairs [v, d]: forward-mode differentiation.
// At a kink the slope is the mean of both sides, as torch has it for abs, max and min.
const chain = (f, slope) => ([v, d]) => [f(v), d === 0 ? 0 : slope(v) * d];
const above = (v) => (v > 0 ? 1 : v < 0 ? 0 : v === 0 ? 0.5 : NaN);
const logistic = (v) => (v < 0 ? Math.exp(v) / (1 + Math.exp(v)) : 1 / (1 + Math.exp(-v)));
const softplusOf = (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
const pick = (sign) => ([u, du], [v, dv]) => {
  const share = above(sign * (u - v));
  return [sign > 0 ? Math.max(u, v) : Math.min(u, v), share === 1 ? du : share === 0 ? dv : share * du + (1 - share) * dv];
};

/** Name -> [number of arguments, rule, cost]. The cost counts functions that a processor has no single step for. */
export const RULES = {
  exp: [1, chain(Math.exp, Math.exp), 1],
  log: [1, chain(Math.log, (v) => 1 / v), 1],
  sqrt: [1, chain(Math.sqrt, (v) => 0.5 / Math.sqrt(v)), 0],
  abs: [1, chain(Math.abs, Math.sign), 0],
  sin: [1, chain(Math.sin, Math.cos), 1],
  cos: [1, chain(Math.cos, (v) => -Math.sin(v)), 1],
  atan: [1, chain(Math.atan, (v) => 1 / (1 + v * v)), 1],
  tanh: [1, chain(Math.tanh, (v) => (Math.abs(v) > 20 ? 0 : 1 / Math.cosh(v) ** 2)), 1],
  sigmoid: [1, chain(logistic, (v) => logistic(v) * logistic(-v)), 1],
  softplus: [1, chain(softplusOf, logistic), 2],
  erf: [1, chain((v) => 2 * Phi(v * Math.SQRT2) - 1, (v) => 2 * Math.SQRT2 * phi(v * Math.SQRT2)), 1],
  Phi: [1, chain(Phi, phi), 1],
  relu: [1, chain((v) => Math.max(v, 0), (v) => (v > 0 ? 1 : v <= 0 ? 0 : NaN)), 0],
  max: [2, pick(1), 0],
  min: [2, pick(-1), 0],
};
const CONSTANTS = { pi: Math.PI, e: Math.E };
const plus = ([u, du], [v, dv]) => [u + v, du + dv], minus = ([u, du], [v, dv]) => [u - v, du - dv];
const times = ([u, du], [v, dv]) => [u * v, (du && du * v) + (dv && u * dv)];
const over = ([u, du], [v, dv]) => [u / v, (du && du / v) - (dv && (u * dv) / (v * v))];
const power = ([u, du], [v, dv]) => [u ** v, (du && v && v * u ** (v - 1) * du) + (dv && !(u === 0 && v >= 0) && u ** v * Math.log(u) * dv)];

/** Read a formula. Returns { f(x, a) -> [value, slope], operations, costly, uses }, or { error, at }. */
export function parse(text) {
  const clean = text.replaceAll("−", "-").replaceAll("·", "*").replaceAll("×", "*").replaceAll("**", "^ ");
  const words = [...clean.matchAll(/\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|([A-Za-zσΦ]\w*)|(\S))/gu)];
  const tokens = words.map(({ 0: all, 1: number, 2: name, 3: sign, index }) => ({ number, name: name === "σ" ? "sigmoid" : name === "Φ" ? "Phi" : name, sign, at: index + all.length - all.trimStart().length + 1 }));
  let next = 0, operations = 0, costly = 0, depth = 0;
  const uses = new Set();
  const fail = (wanted, token = tokens[next]) => {
    const found = token ? `“${token.number ?? token.name ?? token.sign}” at place ${token.at}` : "the end";
    throw Object.assign(new SyntaxError(`found ${found}; wanted ${wanted}`), { at: token?.at ?? clean.length + 1 });
  };
  const take = (sign) => tokens[next]?.sign === sign && ++next;
  const expect = (sign) => take(sign) || fail(`“${sign}”`);
  const join = (rule, left, right) => { operations++; return (x, a) => rule(left(x, a), right(x, a)); };

  function sum() {
    if (++depth > 60) fail("a formula with fewer brackets");
    let left = product();
    for (;;) {
      if (take("+")) left = join(plus, left, product());
      else if (take("-")) left = join(minus, left, product());
      else break;
    }
    depth--;
    return left;
  }
  function product() {
    let left = signed();
    for (;;) {
      if (take("*")) left = join(times, left, signed());
      else if (take("/")) left = join(over, left, signed());
      else return left;
    }
  }
  function signed() {
    if (take("+")) return signed();
    if (!take("-")) return raised();
    const inner = signed();
    return (x, a) => { const [v, d] = inner(x, a); return [-v, -d]; };
  }
  function raised() { // binds more tightly than a sign on its left: -x^2 is -(x^2)
    const base = single();
    return take("^") ? join(power, base, signed()) : base;
  }
  function single() {
    const token = tokens[next];
    if (take("(")) {
      const inner = sum();
      expect(")");
      return inner;
    }
    if (token?.number) {
      next++;
      const value = [Number(token.number), 0];
      return () => value;
    }
    if (!token?.name) return fail("a number, x, a, or a function");
    next++;
    if (token.name === "x") { uses.add("x"); return (x) => [x, 1]; }
    if (token.name === "a") { uses.add("a"); return (x, a) => [a, 0]; }
    if (Object.hasOwn(CONSTANTS, token.name)) { const value = [CONSTANTS[token.name], 0]; return () => value; }
    if (!Object.hasOwn(RULES, token.name)) return fail(`x, a, pi, e or one of ${Object.keys(RULES).join(", ")}`, token);
    const [count, rule, cost] = RULES[token.name], parts = [];
    expect("(");
    for (let i = 0; i < count; i++) parts.push((i && expect(","), sum()));
    expect(")");
    operations++;
    costly += cost;
    return count === 1 ? (x, a) => rule(parts[0](x, a)) : (x, a) => rule(parts[0](x, a), parts[1](x, a));
  }

  try {
    if (!tokens.length) fail("a formula");
    const f = sum();
    if (next < tokens.length) fail("the end, or one of + - * / ^");
    return { f, operations, costly, uses };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { error: error.message, at: error.at };
  }
}

// Middles of small cells: a jump at a multiple of the step lies between two of them.
const STEP = 0.005, CELLS = Array.from({ length: 3600 }, (_, k) => (k + 0.5) * STEP - 9);

/** What the formula does to standard normal numbers z, and on the interval from -10 to 10. */
export function battery(f, a) {
  const mean = { value: 0, square: 0, slope: 0, cross: 0, flat: 0, wrong: 0 };
  for (const z of CELLS) {
    const [v, d] = f(z, a), weight = phi(z) * STEP;
    if (!Number.isFinite(v) || !Number.isFinite(d)) { mean.wrong += weight; continue; }
    mean.value += weight * v;
    mean.square += weight * v * v;
    mean.slope += weight * d * d;
    mean.cross += weight * v * d * z;
    mean.flat += weight * (Math.abs(d) < 0.01);
  }
  const wide = Array.from({ length: 2001 }, (_, k) => f((k - 1000) / 100, a)), values = wide.map(([v]) => v), slopes = wide.map(([, d]) => d);
  const finite = [...values, ...slopes].every(Number.isFinite), extent = Math.max(...values) - Math.min(...values);
  const tiny = 1e-9 * (1 + extent), rises = values.some((v, i) => i && v > values[i - 1] + tiny), falls = values.some((v, i) => i && v < values[i - 1] - tiny);
  return {
    finite: finite && mean.wrong === 0, wrong: mean.wrong, mean: mean.value, square: mean.square, gain: 1 / Math.sqrt(mean.square),
    chi: mean.slope / mean.square, // gradients, with weights of that gain
    settle: mean.cross / mean.square, // an error of the mean square, per layer
    flat: mean.flat, low: Math.min(...values), high: Math.max(...values), steepest: Math.max(...slopes.map(Math.abs)),
    course: rises && falls ? "rises and falls" : rises ? "never falls" : falls ? "never rises" : "is constant",
  };
}
