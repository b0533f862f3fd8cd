// The network of a run: its start, the way forward and the way back. All learned numbers lie in one array, in the order
// of torch's parameters(), and so do their slopes; layers hold views of it. Sums are in double precision.

const IDENTITY = { f: (x) => x, slope: () => 1 };

/** The laws of the weights: how to draw one of a layer with n inputs and m outputs; the last layer feeds no activation. */
const STARTS = {
  torch: (draw, n) => (2 * draw.uniform() - 1) / Math.sqrt(n),
  xavier: (draw, n, m) => Math.sqrt(2 / (n + m)) * draw.normal(),
  he: (draw, n, m, last) => Math.sqrt((last ? 1 : 2) / n) * draw.normal(),
  selu: (draw, n) => Math.sqrt(1 / n) * draw.normal(),
  zero: () => 0,
};

/** The numbers of a function as it starts in this hidden layer: settings and learned ones, by their names in FUNCTIONS. */
function startOf(activation, numbers, seed, layer) {
  if (activation === "STAF") {
    const draw = new Stream(seed, "activations", layer), series = () => Array.from({ length: 25 }, () => draw.normal());
    return { C: series(), omega: series(), phi: series() };
  }
  const usual = (FUNCTIONS[activation]?.parameters ?? []).map(({ name, value }) => [name, value]);
  return { ...Object.fromEntries(usual), ...structuredClone(numbers[activation]) }; // each layer learns numbers of its own
}

export class Network {
  /** numbers: how Rational, BSpline and Fourier start, as torch has it. */
  constructor(setup, { features, outputs }, numbers = {}) {
    const widths = [features, ...setup.layers.map(({ units }) => units), outputs], start = [];
    this.seed = setup.start;
    this.layers = widths.slice(1).map((m, l) => {
      const n = widths[l], last = l === setup.layers.length, { activation } = setup.layers[l] ?? {};
      const law = new Stream(this.seed, "weights", l), bias = new Stream(this.seed, "biases", l), from = start.length;
      for (let i = 0; i < m * n; i++) start.push(STARTS[setup.init](law, n, m, last));
      for (let i = 0; i < m; i++) start.push(setup.bias === "zero" ? 0 : STARTS.torch(bias, n));
      const p = last ? {} : startOf(activation, numbers, this.seed, l), learned = [], at = start.length;
      for (const [name, slope] of Object.entries(GRADIENTS[activation] ?? {})) {
        const series = Array.isArray(p[name]);
        start.push(...[p[name]].flat());
        learned.push(...[p[name]].flat().map((_, i) => ({ name, slope, i: series ? i : -1 })));
      }
      return { n, m, from, at, activation, learned, p, row: FUNCTIONS[activation] ?? IDENTITY };
    });
    this.values = Float64Array.from(start);
    this.slopes = new Float64Array(start.length);
    const views = ({ n, m, from, at, learned }, all) => ({
      weights: all.subarray(from, from + m * n), bias: all.subarray(from + m * n, at), parameters: all.subarray(at, at + learned.length),
    });
    for (const layer of this.layers) Object.assign(layer, views(layer, this.values), { slopes: views(layer, this.slopes) });
    this.settle();
  }

  /** Hand the learned numbers of the activations on to p, after values has changed. */
  settle() {
    for (const { learned, parameters, p } of this.layers) {
      learned.forEach(({ name, i }, k) => { i < 0 ? (p[name] = parameters[k]) : (p[name][i] = parameters[k]); });
    }
  }

  /** Room for what so many examples leave behind: before and after each activation, its factors, and what is on the way back. */
  room(count) {
    const make = () => this.layers.map(({ m }) => new Float64Array(count * m));
    return { count, before: make(), after: make(), kept: make(), tilt: make(), back: make() };
  }

  /**
   * Go forward with the first examples of inputs; after of the last layer are the logits. With chance, which is
   * { step, dropout }, as in training: dropout sets activations to zero, and RReLU draws its slopes.
   */
  forward(inputs, room, count = room.count, chance = null) {
    this.layers.forEach((layer, l) => {
      const { row, activation, p, m } = layer, z = room.before[l], a = room.after[l], size = count * m;
      affine(layer, l ? room.after[l - 1] : inputs, count, z);
      if (chance && activation === "RReLU") {
        const draw = new Stream(this.seed, "slopes", chance.step, l), tilt = room.tilt[l];
        for (let k = 0; k < size; k++) {
          tilt[k] = p.lower + (p.upper - p.lower) * draw.uniform();
          a[k] = z[k] > 0 ? z[k] : tilt[k] * z[k];
        }
      } else for (let k = 0; k < size; k++) a[k] = row.f(z[k], p);
      if (chance?.dropout && activation) {
        const draw = new Stream(this.seed, "dropout", chance.step, l), kept = room.kept[l], scale = 1 / (1 - chance.dropout);
        for (let k = 0; k < size; k++) a[k] *= kept[k] = draw.uniform() >= chance.dropout ? scale : 0;
      }
    });
    return room.after.at(-1);
  }

  /** Go back from the slopes of the loss in the last of room.back, after forward with the same chance; fills slopes. */
  backward(inputs, room, count = room.count, chance = null) {
    this.slopes.fill(0);
    for (let l = this.layers.length - 1; l >= 0; l--) {
      const layer = this.layers[l], { row, activation, learned, p } = layer, size = count * layer.m;
      const z = room.before[l], d = room.back[l], kept = room.kept[l], tilt = room.tilt[l];
      if (chance?.dropout && activation) for (let k = 0; k < size; k++) d[k] *= kept[k];
      learned.forEach(({ slope, i }, j) => {
        let total = 0;
        for (let k = 0; k < size; k++) if (d[k] !== 0) total += d[k] * slope(z[k], p, i);
        layer.slopes.parameters[j] = total;
      });
      if (chance && activation === "RReLU") for (let k = 0; k < size; k++) d[k] *= z[k] > 0 ? 1 : tilt[k];
      else if (activation) for (let k = 0; k < size; k++) d[k] *= row.slope(z[k], p);
      spread(layer, l ? room.after[l - 1] : inputs, count, d, l ? room.back[l - 1] : null);
    }
  }

  /** What the network makes of inputs, without chance: the activations of each hidden layer, row by row, and the logits. */
  outputs(inputs, room = this.room(inputs.length / this.layers[0].n)) {
    this.forward(inputs, room);
    return { activations: room.after.slice(0, -1), logits: room.after.at(-1) };
  }
}

function affine({ n, m, weights, bias }, x, count, z) {
  for (let e = 0, k = 0; e < count; e++) for (let o = 0, w = 0; o < m; o++, k++) {
    let total = bias[o];
    for (let i = 0, j = e * n; i < n; i++, j++, w++) total += weights[w] * x[j];
    z[k] = total;
  }
}

/** From d, the slopes of the loss in what affine gave, to those in weights and bias, and in x if there is a place for them. */
function spread({ n, m, weights, slopes }, x, count, d, dx) {
  dx?.fill(0, 0, count * n);
  for (let e = 0, k = 0; e < count; e++) for (let o = 0, w = 0; o < m; o++, k++) {
    const g = d[k];
    slopes.bias[o] += g;
    for (let i = 0, j = e * n; i < n; i++, j++, w++) {
      slopes.weights[w] += g * x[j];
      if (dx) dx[j] += g * weights[w];
    }
  }
}

/**
 * The mean loss of the examples: cross-entropy of the logits, or the squared error. places says which examples count,
 * all by default; back takes the slopes.
 */
export function lossOf({ task, outputs, targets }, logits, { places = null, count = places.length, wanted = targets, back = null }) {
  let total = 0;
  for (let e = 0; e < count; e++) {
    const i = places ? places[e] : e, at = i * outputs;
    if (task === "regress") {
      const miss = logits[at] - wanted[i];
      total += miss * miss;
      if (back) back[at] = (2 * miss) / count;
      continue;
    }
    let top = -Infinity, whole = 0;
    for (let c = 0; c < outputs; c++) top = max(top, logits[at + c]);
    for (let c = 0; c < outputs; c++) whole += exp(logits[at + c] - top);
    total += Math.log(whole) + top - logits[at + wanted[i]];
    if (back) for (let c = 0; c < outputs; c++) back[at + c] = (exp(logits[at + c] - top) / whole - (c === wanted[i])) / count;
  }
  return total / count;
}

/** The share of the examples at these places whose largest logit is that of their class; NaN for a regression. */
export function accuracyOf({ task, outputs, targets }, logits, places) {
  if (task === "regress") return NaN;
  let right = 0;
  for (const i of places) {
    let best = 0;
    for (let c = 1; c < outputs; c++) if (logits[i * outputs + c] > logits[i * outputs + best]) best = c;
    right += best === targets[i];
  }
  return right / places.length;
}
