// Batch normalisation of one unit, forwards and backwards, and three norms of a matrix: the sums of the batch-norm
// stepper, and what each step does in words. Joined with curve_drawing.js, which brings show.
const EPS = 1e-5, MOMENTUM = 0.1;

const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const spread = (numbers, centre) => mean(numbers.map((x) => (x - centre) ** 2));

/** Running mean and variance after k batches like this one, from 0 and 1; the variance takes the divisor B − 1. */
export function running(batch, k) {
  const kept = (1 - MOMENTUM) ** k, m = mean(batch), B = batch.length;
  return { m: (1 - kept) * m, v: kept + (1 - kept) * (B / (B - 1)) * spread(batch, m) };
}

/** All numbers of the way forwards and back; known holds m and v in eval mode. g is what arrives at y. */
export function compute(z, gamma, beta, g, known) {
  const m = known ? known.m : mean(z), v = known ? known.v : spread(z, m), s = Math.sqrt(v + EPS);
  const hat = z.map((x) => (x - m) / s), y = hat.map((x) => gamma * x + beta), sent = g.map((x) => gamma * x);
  const common = known ? 0 : mean(sent), along = known ? 0 : mean(sent.map((x, i) => x * hat[i]));
  return {
    m, v, s, hat, y, g, sent, common, along, forBeta: g.reduce((sum, x) => sum + x, 0), forGamma: g.reduce((sum, x, i) => sum + x * hat[i], 0),
    centred: sent.map((x) => x - common), back: sent.map((x, i) => (x - common - hat[i] * along) / s),
  };
}

/** The matrix, one example per row, normalised down its columns (batch) or along its rows (layer; RMS without the mean). */
export function normalise(matrix, norm) {
  const flip = (rows) => rows[0].map((_, j) => rows.map((row) => row[j]));
  const one = (numbers) => {
    const m = norm === "RMS" ? 0 : mean(numbers), s = Math.sqrt(spread(numbers, m) + EPS);
    return numbers.map((x) => (x - m) / s);
  };
  return norm === "batch" ? flip(flip(matrix).map(one)) : matrix.map(one);
}

/** What a step does, in words and numbers. */
export function rule(step, n, { gamma, beta, mode, batches, upstream }) {
  const still = mode === "eval", all = upstream === "all", i = Number(upstream) - 1, others = n.back.filter((_, j) => j !== i);
  const zero = (x) => Math.abs(x) < 5e-4, up = others.filter((x) => !zero(x) && x > 0).length, down = others.filter((x) => !zero(x) && x < 0).length;
  const gets = all ? (n.back.every(zero) ? "All eight gradients are 0: to move the whole batch changes nothing." : `Every example gets ${show(n.back[0])}.`)
    : `Example ${upstream} gets ${show(n.back[i])}; ${up + down ? `of the other seven, ${up} get a positive gradient and ${down} a negative one` : "the other seven get nothing"}.`;
  return [
    "Eight numbers z of one unit, one for each example of a batch.",
    still ? `The running mean takes the place of m. After ${batches} batches like the one at the start it is ${show(n.m)}, whatever the eight numbers are now.` : `The mean of the eight numbers: m = ${show(n.m)}.`,
    still ? `The running variance takes the place of v: it is ${show(n.v)}, and s = √(v + ε) = ${show(n.s)}.` : `The variance, the mean square distance from m: v = ${show(n.v)}, and s = √(v + ε) = ${show(n.s)}.`,
    `Normalise: ẑ = (z − m)/s. Now the mean is ${show(mean(n.hat))} and the variance ${show(spread(n.hat, mean(n.hat)))}.`,
    `Scale and shift: y = γẑ + β with γ = ${show(gamma)} and β = ${show(beta)}. This is the output.`,
    `Backwards. A gradient of 1 arrives at ${all ? "every example" : `the output of example ${upstream}, and 0 at the others`}. β gets Σg = ${show(n.forBeta)}, and γ gets Σgẑ = ${show(n.forGamma)}.`,
    `Through the scale: γ times the gradient goes to ẑ.`,
    still ? "The running mean is a constant, so nothing comes back through it." : `Through m every number has a part in every output: the mean of the gradients, ${show(n.common)}, is taken away from each.`,
    `${still ? "The running variance is a constant too: only the division by s is left." : `Through v: ${show(n.along)} times ẑ is taken away, and what is left is divided by s.`} ${gets}`,
  ][step];
}
