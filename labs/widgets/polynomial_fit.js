// Polynomials by least squares. Not in powers of x, which look more and more alike, but in Legendre's polynomials.
const CUT = 1e-10; // without a ridge, directions this much weaker than the strongest are not fitted

/** P₀(u) … P_degree(u), for u from −1 to 1. */
export function legendre(u, degree) {
  const p = [1, u];
  for (let k = 1; k < degree; k++) p.push(((2 * k + 1) * u * p[k] - k * p[k - 1]) / (k + 1));
  return p.slice(0, degree + 1);
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Turn the columns, in place, until each pair stands at a right angle (Jacobi's method); returns the turn. */
function orthogonalise(columns) {
  const turn = columns.map((_, i) => columns.map((_, j) => Number(i === j)));
  const nothing = 1e-30 * Math.max(...columns.map((c) => dot(c, c)));
  const rotate = (list, i, j, cos, sin) => {
    const a = list[i], b = list[j];
    for (let k = 0; k < a.length; k++) {
      const before = a[k];
      a[k] = cos * before - sin * b[k];
      b[k] = sin * before + cos * b[k];
    }
  };
  for (let sweep = 0, busy = true; busy && sweep < 40; sweep++) {
    busy = false;
    for (let i = 0; i < columns.length; i++) for (let j = i + 1; j < columns.length; j++) {
      const a = dot(columns[i], columns[i]), b = dot(columns[j], columns[j]), p = dot(columns[i], columns[j]);
      if (a <= nothing || b <= nothing || Math.abs(p) <= 1e-14 * Math.sqrt(a * b)) continue;
      const zeta = (b - a) / (2 * p), tan = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cos = 1 / Math.sqrt(1 + tan * tan);
      rotate(columns, i, j, cos, cos * tan);
      rotate(turn, i, j, cos, cos * tan);
      busy = true;
    }
  }
  return turn;
}

/**
 * The coefficients θ for which mean (y − Σ θₖ Pₖ(u))² + ridge · Σ θₖ² is smallest.
 * Where several do the same (no ridge, and more coefficients than places), those with the smallest Σ θₖ².
 */
export function fitPolynomial(us, ys, degree, ridge) {
  const rows = us.map((u) => legendre(u, degree)), columns = rows[0].map((_, k) => rows.map((row) => row[k]));
  const turn = orthogonalise(columns), strength = columns.map((c) => dot(c, c)), strongest = Math.max(...strength);
  const theta = new Array(degree + 1).fill(0);
  columns.forEach((column, i) => {
    if (!strength[i] || (ridge === 0 && strength[i] <= CUT * CUT * strongest)) return;
    const part = dot(column, ys) / (strength[i] + us.length * ridge);
    turn[i].forEach((value, k) => { theta[k] += part * value; });
  });
  return theta;
}

/** The height of the polynomial at u, from −1 to 1. */
export const polynomial = (theta, u) => dot(theta, legendre(u, theta.length - 1));

/** The mean squared error at the points. */
export const meanSquared = (theta, us, ys) => us.reduce((sum, u, i) => sum + (polynomial(theta, u) - ys[i]) ** 2, 0) / us.length;
