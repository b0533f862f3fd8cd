// Random ReLU features of one input: the fit of least norm, or with a ridge, and its errors. DoubleDescentExplorer in
// Python has the same features and the same fit. Joined with polynomial_fit.js, which brings dot, CUT and orthogonalise.
const CELLS = 400; // the places between −1 and 1
const TRUTH = Array.from({ length: CELLS + 1 }, (_, i) => Math.sin(Math.PI * (i / (CELLS / 2) - 1)));

/** The units of one seed, [direction, bias] each: max(0, direction · x + bias). */
export function unpack(text) {
  const bytes = atob(text), code = (i) => ((bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8)) << 16) >> 16;
  return Array.from({ length: bytes.length / 2 }, (_, i) => [code(i) & 1 ? 1 : -1, (code(i) >> 1) / 16383]);
}

/** The training points: places at equal distances, and heights with this much of the noise. */
export function sampled(noises, points, noise) {
  const xs = Array.from({ length: points }, (_, i) => -0.92 + (1.84 * i) / (points - 1));
  return [xs, xs.map((x, i) => Math.sin(Math.PI * x) + noise * noises[i])];
}

/**
 * What the fit of the first p units needs of the places: columns at right angles, how long they are (the singular
 * values, squared), the turn that made them, and, where p is the larger number, a basis of the rows.
 */
export function factor(units, p, xs) {
  const rows = xs.map((x) => units.slice(0, p).map(([d, b]) => Math.max(0, d * x + b) / Math.sqrt(p)));
  let columns = Array.from({ length: Math.min(p, xs.length) }, (_, j) => rows.map((row) => row[j])), basis = null;
  if (p > xs.length) { // Gram and Schmidt, twice over: rows = lower triangle · basis
    basis = [];
    columns = rows.map(() => rows.map(() => 0));
    rows.forEach((row, i) => {
      const size = Math.sqrt(dot(row, row)), rest = row.slice();
      for (let again = 0; again < 2; again++) basis.forEach((q, j) => {
        const part = dot(q, rest);
        columns[j][i] += part;
        for (let k = 0; k < p; k++) rest[k] -= part * q[k];
      });
      const long = Math.sqrt(dot(rest, rest)), fresh = long > 1e-13 * size;
      columns[i][i] = fresh ? long : 0;
      basis.push(rest.map((value) => (fresh ? value / long : 0)));
    });
  }
  const turn = orthogonalise(columns);
  return { p, columns, turn, basis, strength: columns.map((c) => dot(c, c)) };
}

/** The coefficients with the smallest mean square error plus ridge · Σ θ²; without a ridge, of several the shortest. */
export function solve({ columns, turn, basis, strength }, ys, ridge) {
  const enough = CUT * CUT * Math.max(...strength), inner = new Array(columns.length).fill(0);
  let rank = 0, smallest = 0;
  columns.forEach((column, i) => {
    if (!strength[i] || strength[i] <= enough) return;
    rank++;
    smallest = smallest ? Math.min(smallest, Math.sqrt(strength[i])) : Math.sqrt(strength[i]);
    const part = dot(column, ys) / (strength[i] + ys.length * ridge);
    turn[i].forEach((value, k) => { inner[k] += part * value; });
  });
  if (!basis) return { theta: inner, rank, smallest };
  const theta = new Array(basis[0].length).fill(0);
  basis.forEach((q, j) => q.forEach((value, k) => { theta[k] += inner[j] * value; }));
  return { theta, rank, smallest };
}

/** The height of the fit at CELLS + 1 places from −1 to 1: each unit adds its line from its kink on. */
export function heights(units, theta) {
  const slope = new Float64Array(CELLS + 2), shift = new Float64Array(CELLS + 2), out = [], scale = 1 / Math.sqrt(theta.length);
  theta.forEach((value, j) => {
    const [d, b] = units[j], kink = (1 - d * b) * (CELLS / 2), first = d > 0 ? Math.ceil(kink) : 0, after = d > 0 ? CELLS + 1 : Math.floor(kink) + 1;
    slope[first] += scale * value * d;
    slope[after] -= scale * value * d;
    shift[first] += scale * value * b;
    shift[after] -= scale * value * b;
  });
  for (let i = 0, a = 0, c = 0; i <= CELLS; i++) {
    a += slope[i];
    c += shift[i];
    out.push(a * (i / (CELLS / 2) - 1) + c);
  }
  return out;
}

/** The fit with its numbers: mean square errors on the training points, and against the truth between −1 and 1. */
export function judge(units, factored, xs, ys, ridge) {
  const found = solve(factored, ys, ridge), { theta } = found, curve = heights(units, theta), scale = Math.sqrt(theta.length);
  const at = (x) => theta.reduce((sum, value, j) => sum + value * Math.max(0, units[j][0] * x + units[j][1]), 0) / scale;
  return {
    ...found, curve, norm: Math.sqrt(dot(theta, theta)),
    train: xs.reduce((sum, x, i) => sum + (at(x) - ys[i]) ** 2, 0) / xs.length,
    risk: curve.reduce((sum, y, i) => sum + (y - TRUTH[i]) ** 2, 0) / curve.length,
  };
}
