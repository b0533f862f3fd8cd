// A run: steps, what is recorded of them, and the way back to any of them. All that is drawn at random depends on the
// seed and on the number of the step alone, so a step that is taken again is the same to the last bit.

export const EVERY = 10; // steps from one look at all points to the next
const MOST_SNAPSHOTS = 128, TOO_LARGE = 1e9, BINS = 24;
const FLAT_SLOPE = 0.05, SHARE = 0.99; // what labs.activity calls flat, and a unit that hardly learns

/** What is recorded: a number for each step and for each look at all points; the arrays grow as needed. */
class History {
  constructor(layers) {
    const none = () => new Float64Array(1024);
    this.steps = this.looks = 0;
    Object.assign(this, { loss: none(), gradient: Array.from({ length: layers }, none), ratio: Array.from({ length: layers }, none) });
    Object.assign(this, { trainLoss: none(), testLoss: none(), trainAccuracy: none(), testAccuracy: none() });
  }

  /** Make room for step k. */
  reach(k) {
    if (k < this.loss.length) return;
    const wider = (old) => {
      if (Array.isArray(old)) return old.map(wider);
      const wide = new Float64Array(2 * old.length);
      wide.set(old);
      return wide;
    };
    for (const [key, old] of Object.entries(this)) if (typeof old === "object") this[key] = wider(old);
  }
}

export class Run {
  /** numbers: how Rational, BSpline and Fourier start, by their names. */
  constructor(setup, numbers = {}) {
    this.setup = structuredClone(setup);
    this.data = makeData(this.setup);
    this.network = new Network(this.setup, this.data, numbers);
    const { values } = this.network, { train, features } = this.data, size = Math.min(this.setup.batch, train.length);
    this.perEpoch = Math.ceil(train.length / size) || 1;
    this.memory = { first: new Float64Array(values.length), second: new Float64Array(values.length) };
    this.old = values.slice();
    this.batch = { size, inputs: new Float64Array(size * features), targets: new Float64Array(size), room: this.network.room(size) };
    this.all = this.network.room(this.data.size);
    this.history = new History(this.network.layers.length);
    this.at = 0;
    this.trouble = train.length ? null : { step: 0, why: "There are no points yet. Draw some, or load a file." };
    this.snapshots = [];
    this.stride = EVERY;
    if (train.length) this.look();
    this.keep();
  }

  /** A setting as it is at the present step: the last change up to here, or what the run began with. */
  setting(name) {
    return this.setup.changes.findLast((one) => one.name === name && one.step <= this.at)?.value ?? this.setup[name];
  }

  /** The learning rate of the next step. */
  get rate() {
    return this.setting("rate") * SCHEDULES[this.setup.schedule](this.at, this.setup.span);
  }

  /** Take a step; false where none can be taken, because of trouble or because the run is at its end. */
  step() {
    return !this.trouble && this.at < MOST_STEPS && this.advance();
  }

  /** The same without asking: what a way back to a known step is made of. False if the step makes trouble. */
  advance() {
    const { network, data, batch, history, memory, at } = this, { inputs, targets, room } = batch, { features } = data;
    const count = this.fill(), chance = { step: at, dropout: this.setting("dropout") };
    const logits = network.forward(inputs, room, count, chance);
    const loss = lossOf(data, logits, { count, wanted: targets, back: room.back.at(-1) });
    network.backward(inputs, room, count, chance);
    this.old.set(network.values);
    MOVES[this.setup.method](network, { ...memory, k: at, rate: this.rate, l2: this.setting("l2"), momentum: this.setup.momentum });
    const why = this.record(loss);
    if (why) return this.stop(why);
    network.settle();
    this.at++;
    history.steps = Math.max(history.steps, this.at);
    if (this.at % EVERY === 0 && this.at / EVERY >= history.looks) this.look();
    if (this.at % this.stride === 0) this.keep();
    return true;
  }

  /** Fill the batch of the present step, and return how many examples it has. */
  fill() {
    const { data, batch, perEpoch, at } = this, { train, features } = data, epoch = Math.floor(at / perEpoch);
    if (this.epoch !== epoch) this.order = new Stream(this.setup.start, "batches", epoch).permutation(train.length);
    this.epoch = epoch;
    const from = (at % perEpoch) * batch.size, count = Math.min(batch.size, train.length - from);
    for (let e = 0; e < count; e++) {
      const i = train[this.order[from + e]];
      batch.targets[e] = data.targets[i];
      for (let j = 0; j < features; j++) batch.inputs[e * features + j] = data.inputs[i * features + j];
    }
    return count;
  }

  /** Record the step that was just computed; return in words what is wrong with it, if anything is. */
  record(loss) {
    const { history, network: { values, slopes, layers }, old, at } = this;
    let moved = 0;
    history.reach(at);
    history.loss[at] = loss;
    layers.forEach(({ from, at: end, n, m, learned }, l) => {
      let gradient = 0, change = 0, size = 0;
      for (let i = from; i < end; i++) gradient += slopes[i] ** 2;
      for (let i = from; i < from + n * m; i++) {
        change += (values[i] - old[i]) ** 2;
        size += old[i] ** 2;
      }
      for (let i = from + n * m; i < end + learned.length; i++) moved += (values[i] - old[i]) ** 2;
      moved += change;
      history.gradient[l][at] = Math.sqrt(gradient);
      history.ratio[l][at] = change ? Math.sqrt(change / size) : 0;
    });
    if (Number.isNaN(loss)) return "the loss is not a number any more";
    if (loss > TOO_LARGE) return "the loss has exploded";
    if (!history.gradient.every((one) => one[at] < Infinity)) return "a gradient is infinite or not a number";
    return moved < Infinity ? "" : "the step is infinite or not a number";
  }

  /** Stand still because of trouble, at the last step that was kept and sound. */
  stop(why) {
    const step = this.at;
    this.history.steps = Math.max(this.history.steps, step);
    this.restore(this.snapshots.findLast(({ at }) => at < step) ?? this.snapshots[0]);
    const way = step ? `The run went back to step ${this.at}.` : "The run stands at its start.";
    this.trouble = { step, why: `After step ${step} ${why}. ${way} A smaller learning rate helps, or another start.` };
    return false;
  }

  /** Go to a step, back or ahead; before a trouble at the most. What is there again is the same as the first time. */
  goTo(step) {
    this.rewind(step);
    const last = () => Math.max(0, Math.min(step, MOST_STEPS, this.trouble ? this.trouble.step - 1 : Infinity));
    while (this.at < last() && this.advance());
    return this.at;
  }

  /** Go to the last snapshot that is not after a step, unless the way from here is shorter; advance goes on from there. */
  rewind(step) {
    const nearest = this.snapshots.findLast(({ at }) => at <= step) ?? this.snapshots[0];
    if (step < this.at || nearest.at > this.at) this.restore(nearest);
  }

  /** Change the rate, l2 or dropout from here on. What was recorded of later steps is dropped, and so is a trouble. */
  change(name, value) {
    if (!CHANGEABLE.includes(name) || !(value >= LIMITS[name].low && value <= LIMITS[name].high)) {
      throw new RangeError(`${name} cannot become ${value} in a run; wanted ${CHANGEABLE.join(", ")} within their limits`);
    }
    const { setup, history, at, data } = this;
    setup.changes = setup.changes.filter((one) => one.step < at || (one.step === at && one.name !== name));
    if (at === 0) setup[name] = value;
    else if (this.setting(name) !== value) setup.changes.push({ step: at, name, value });
    history.steps = at;
    history.looks = Math.min(history.looks, Math.floor(at / EVERY) + 1);
    this.snapshots = this.snapshots.filter((one) => one.at <= at);
    if (data.train.length) this.trouble = null;
  }

  keep() {
    if (this.snapshots.at(-1)?.at >= this.at) return;
    const { first, second } = this.memory;
    this.snapshots.push({ at: this.at, values: this.network.values.slice(), first: first.slice(), second: second.slice() });
    if (this.snapshots.length <= MOST_SNAPSHOTS) return;
    this.stride *= 2;
    this.snapshots = this.snapshots.filter(({ at }) => at % this.stride === 0);
  }

  restore({ at, values, first, second }) {
    this.at = at;
    this.network.values.set(values);
    this.memory.first.set(first);
    this.memory.second.set(second);
    this.network.settle();
  }

  /** Loss and accuracy as they are now, without chance, on the train and on the test points. */
  score() {
    const { data, all } = this, logits = this.network.forward(data.inputs, all);
    const part = (places) => ({ loss: lossOf(data, logits, { places }), accuracy: accuracyOf(data, logits, places) });
    return { train: part(data.train), test: part(data.test) };
  }

  look() {
    const { history } = this, { train, test } = this.score(), i = this.at / EVERY;
    history.trainLoss[i] = train.loss;
    history.testLoss[i] = test.loss;
    history.trainAccuracy[i] = train.accuracy;
    history.testAccuracy[i] = test.accuracy;
    history.looks = i + 1;
  }

  /**
   * What the units of each hidden layer do on the train points, in the words of labs.activity: "dead" is zero on every
   * point, "saturated" stands on a level where the slope is flat, "near-dead" is such a level next to zero. With the
   * range and the mean of each unit, and a histogram of the layer.
   */
  units() {
    const { network, data: { train, inputs }, all } = this;
    network.forward(inputs, all);
    return network.layers.slice(0, -1).map(({ m, row, p }, l) => {
      const z = all.before[l], a = all.after[l], n = train.length;
      const units = Array.from({ length: m }, (_, u) => {
        let zeros = 0, flat = 0, positive = 0, total = 0, low = Infinity, high = -Infinity;
        for (const e of train) {
          const k = e * m + u;
          zeros += a[k] === 0;
          flat += Math.abs(row.slope(z[k], p)) <= FLAT_SLOPE;
          positive += z[k] > 0;
          total += a[k];
          low = Math.min(low, a[k]);
          high = Math.max(high, a[k]);
        }
        const oneSide = positive / n <= 1 - SHARE || positive / n >= SHARE, small = Math.abs(total / n) < FLAT_SLOPE;
        const state = !n || (zeros < n && flat / n < SHARE) ? "alive" : zeros === n ? "dead" : oneSide && small ? "near-dead" : "saturated";
        return { state, zeros: zeros / n, flat: flat / n, mean: total / n, low, high };
      });
      return { units, states: units.map(({ state }) => state), histogram: histogramOf(a, train, m, units) };
    });
  }
}

/** How often the activations of a layer fall into equal steps from the smallest to the largest. */
function histogramOf(a, train, m, units) {
  let low = Math.min(...units.map((one) => one.low)), high = Math.max(...units.map((one) => one.high));
  if (!(low < high)) [low, high] = Number.isFinite(low) ? [low - 0.5, low + 0.5] : [-0.5, 0.5];
  const counts = new Array(BINS).fill(0);
  const bin = (value) => Math.min(BINS - 1, Math.floor(((value - low) / (high - low)) * BINS));
  for (const e of train) for (let k = e * m; k < (e + 1) * m; k++) counts[bin(a[k])]++;
  return { low, high, counts };
}
