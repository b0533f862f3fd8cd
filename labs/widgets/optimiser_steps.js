// Five optimisers on losses of two numbers, and the lines of equal loss. The steps are those of torch.optim, in double
// precision; tests/browser compares them.
const STEPS = 300, ROOM = 1000;
export const OPTIMISERS = ["descent", "momentum", "Nesterov", "RMSProp", "Adam"];

/** The loss at (x, y), and its two slopes. */
export const LOSSES = {
  valley: (x, y) => [3 * x * x + 300 * y * y, 6 * x, 600 * y],
  turned: (x, y) => [1.5 * (x + y) ** 2 + 150 * (y - x) ** 2, 3 * (x + y) - 300 * (y - x), 3 * (x + y) + 300 * (y - x)],
  bend: (x, y) => [(1 - x) ** 2 / 2 + 10 * (y - x * x) ** 2, x - 1 - 40 * x * (y - x * x), 20 * (y - x * x)],
  saddle: (x, y) => [(x * x) / 2 + (y * y - 1) ** 2 / 4, x, y * (y * y - 1)],
  plateau: (x, y) => {
    const power = -(x * x + y * y) / 2;
    return [-Math.expm1(power), x * Math.exp(power), y * Math.exp(power)];
  },
};

/** For each optimiser its path, its losses and the lengths of its gradients; and the first steps at which a thousandth
 *  and a thousand times the first loss are passed. A run that passes the latter is stopped there. */
export function race(surface, start, { rate, momentum: mu, adaptive, beta }, steps = STEPS) {
  const EPS = 1e-8, moves = { // of one coordinate, from its gradient, its memory and the number of the step
    descent: (g) => rate * g,
    momentum: (g, s) => rate * (s.v = mu * s.v + g),
    Nesterov: (g, s) => rate * (g + mu * (s.v = mu * s.v + g)),
    RMSProp: (g, s) => (adaptive * g) / (Math.sqrt((s.q = beta * s.q + (1 - beta) * g * g)) + EPS),
    Adam(g, s, k) {
      s.v = mu * s.v + (1 - mu) * g;
      s.q = beta * s.q + (1 - beta) * g * g;
      return (adaptive * s.v) / (1 - mu ** k) / (Math.sqrt(s.q / (1 - beta ** k)) + EPS);
    },
  };
  return OPTIMISERS.map((name) => {
    const memory = [{ v: 0, q: 0 }, { v: 0, q: 0 }], run = { name, path: [], losses: [], slopes: [], low: Infinity, high: Infinity };
    let at = start;
    for (let k = 0; k <= steps; k++) {
      const [loss, ...g] = LOSSES[surface](...at), first = run.losses[0] ?? loss;
      run.path.push(at);
      run.losses.push(loss);
      run.slopes.push(Math.hypot(...g));
      if (loss < first / ROOM) run.low = Math.min(run.low, k);
      if (!(loss <= ROOM * Math.max(first, 1e-3))) run.high = k;
      if (run.high === k) break;
      at = at.map((w, i) => w - moves[name](g[i], memory[i], k + 1));
    }
    return run;
  });
}

/** What has become of a run after k steps, in words. */
export function fate({ path, losses, slopes, low, high }, k, [[x0, x1], [y0, y1]]) {
  if (k >= high) return `diverged at step ${high}`;
  const [x, y] = path[k], away = x < x0 || x > x1 || y < y0 || y > y1 ? ", off the map" : "";
  if (k >= low) return `a thousandth at step ${low}${losses[k] < losses[0] / ROOM ? "" : ", above it now"}${away}`;
  const word = slopes[k] < 1e-6 ? (losses[k] < 1e-12 ? "in the minimum" : "stands still") : !k ? "at the start" : losses[k] > losses[0] ? "above its start" : "on its way";
  return word + away;
}

/** The lines on which f has the given levels: for each level pieces [xa, ya, xb, yb], from a grid of n by n squares. */
export function contours(f, [[x0, x1], [y0, y1]], levels, n = 140) {
  const at = (i, low, high) => low + (i / n) * (high - low);
  const heights = Array.from({ length: n + 1 }, (_, i) => Array.from({ length: n + 1 }, (_, j) => f(at(i, x0, x1), at(j, y0, y1))));
  return levels.map((level) => {
    const found = [];
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], cuts = [];
      corners.forEach(([a, b], c) => {
        const [p, q] = corners[(c + 1) % 4], h0 = heights[a][b], h1 = heights[p][q], t = (level - h0) / (h1 - h0);
        if (h0 > level !== h1 > level) cuts.push(at(a + t * (p - a), x0, x1), at(b + t * (q - b), y0, y1));
      });
      for (let c = 0; c < cuts.length; c += 4) found.push(cuts.slice(c, c + 4));
    }
    return found;
  });
}
