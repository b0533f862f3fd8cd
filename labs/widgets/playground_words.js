// What a run is doing, in words: findings from measured numbers, the most important first.

const LARGE_STEP = 0.3, SMALL_STEP = 1e-4, FADED = 0.01, GROWN = 100, RECORDS = 20;
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const digits = (x) => (Number.isNaN(x) ? "unknown" : x === 0 ? "0" : x >= 0.001 && x < 1e5 ? `${+x.toPrecision(2)}` : show(x));
const inLayers = (numbers) => (numbers.length > 1 ? `Layers ${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}` : `Layer ${numbers[0]}`);
const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;

/**
 * The findings about a run as [weight, sentence], the heaviest first. The facts are those that `measure` returns:
 * step, trouble, task, chance (the loss of a guess), layers [{ units, dead, near, saturated, alike }], gradients and
 * ratios (of all layers, the last one puts out), records [{ step, train, test }] of losses, accuracy { train, test }.
 */
export function findings(facts) {
  const { step, trouble, task, chance, layers, gradients, ratios, records, accuracy } = facts, found = [];
  const add = (weight, words) => found.push([weight, words]);
  if (trouble) return [[100, trouble.why]];

  const { train, test } = records.at(-1), last = gradients.length, before = records.at(-1 - RECORDS);
  const fitted = task === "classify" ? accuracy.train === 1 && train < 0.1 : train < 0.02 * chance;
  const largest = ratios.indexOf(Math.max(...ratios)), strongest = Math.max(...gradients);
  const higher = records.length > 5 && train > records.at(-6).train;

  layers.forEach(({ units, dead, near, saturated, alike }, i) => {
    const name = `Layer ${i + 1}`, all = units === 1 ? "its only unit is" : `all ${units} units are`;
    const some = (n) => (n === units ? all : `${n} of ${plural(units, "unit")}`), weight = (n, most, many, few) => (n === units ? most : 2 * n >= units ? many : few);
    if (dead === units)
      add(90 - i / 10, `${name}: ${all} silent on all training points. No gradient passes, so ${i ? "the layers before it stand still" : "its weights stand still"}.`);
    else if (dead) add(weight(dead, 0, 60, 12), `${name}: ${some(dead)} silent on all training points.`);
    if (alike && dead < units) add(85 - i / 10, `${name}: all ${units} units do the same, and the same gradient keeps them alike. The start has to tell them apart.`);
    if (saturated) add(weight(saturated, 75, 58, 13), `${name}: ${some(saturated)} saturated: the function is flat where the points fall, so little gradient passes.`);
    if (near) add(weight(near, 74, 56, 11), `${name}: ${some(near)} nearly silent: close to zero and flat on almost all points.`);
  });
  if (!step) add(80, `Nothing is learned yet: the loss is ${digits(train)}, and a guess has ${digits(chance)}.`);

  if (step && strongest === 0) add(88, "The gradient is exactly zero in every layer: no step changes anything.");
  else if (step && !fitted && layers.every(({ units, dead }) => dead < units)) {
    const share = gradients[0] / gradients[last - 1];
    if (last > 1 && share < FADED) add(65, `The gradient fades on its way back: in layer 1 it is ${digits(share)} of that in the last layer. The first layers hardly learn.`);
    if (last > 1 && share > GROWN) add(65, `The gradient grows on its way back: in layer 1 it is ${digits(share)} times that in the last layer.`);
    if (ratios[largest] > LARGE_STEP || (ratios[largest] > LARGE_STEP / 6 && higher))
      add(70, `The steps are long: one changes the weights of ${largest + 1 === last ? "the last layer" : `layer ${largest + 1}`} by ${digits(100 * ratios[largest])} %${higher ? ", and the loss jumps" : ""}. A smaller learning rate is calmer.`);
    else if (strongest && ratios[largest] < SMALL_STEP) add(62, `The steps are tiny: none changes a layer's weights by more than ${digits(100 * ratios[largest])} %. A larger learning rate would be faster.`);
  }

  if (step >= 200 && train > 0.95 * chance) add(55, `After ${step} steps the loss, ${digits(train)}, is still that of a guess, ${digits(chance)}.`);
  if (test !== null && step) {
    const best = records.reduce((low, one) => (one.test < low.test ? one : low));
    const risen = test - best.test; // a share of what it was, and of what there was to learn
    if (test > 1.5 * train && risen > 0.1 * best.test && risen > 0.02 * records[0].train)
      add(50, `Overfitting: the training loss is ${digits(train)}, the test loss ${digits(test)}. At step ${best.step} the test loss was ${digits(best.test)}.`);
  }
  if (step && fitted) {
    const how = accuracy.test === null ? "" : `, and ${show(100 * accuracy.test)} % of the test points`;
    add(45, task === "classify" ? `Done: all training points are on the right side${how}. More steps only make the network surer.` : `Done: the curve follows the training points; the loss is ${digits(train)}.`);
  } else if (before && Math.abs(before.train - train) < 0.01 * before.train)
    add(40, `The loss has stayed at ${digits(train)} for ${step - before.step} steps${ratios[largest] > LARGE_STEP / 10 ? ": steps this long jump over what is left" : ""}.`);
  else if (step) {
    const from = before || records[0];
    if (train < from.train) add(20, `The network learns: from step ${from.step} to ${step} the training loss fell from ${digits(from.train)} to ${digits(train)}.`);
    else add(42, `The training loss rose from ${digits(from.train)} at step ${from.step} to ${digits(train)}.`);
  }
  return together(found.sort(([a], [b]) => b - a));
}

/** The same said of several layers is said once. */
function together(found) {
  const heads = new Map();
  for (const [weight, words] of found) {
    const [, layer, rest] = /^Layer (\d+): (all.* silent on all.*)$/.exec(words) || [];
    const key = rest ? "silent" : words, known = heads.get(key);
    if (known && rest) known.layers.push(Number(layer));
    else heads.set(key, { weight, words, layers: rest ? [Number(layer)] : [] });
  }
  return [...heads.values()].map(({ weight, words, layers }) => [
    weight, layers.length > 1 ? `${inLayers(layers.sort())}: all units are silent on all training points. No gradient passes, so the layers before stand still.` : words,
  ]);
}

/** The explanation in one line, and what else there is to say. */
export function explain(facts) {
  const [[, first], ...others] = findings(facts).concat([[0, "The network is at rest."]]);
  return { first, others: others.filter(([weight]) => weight > 0).map(([, words]) => words).slice(0, 2) };
}

/** The facts about a run where it stands; units are what run.units() gave, score what run.score() gave. */
export function measure(run, units, score) {
  const { at, history, data, trouble } = run, none = (x) => (Number.isNaN(x) ? null : x), records = [];
  for (let i = 0; i < history.looks && i * EVERY < at; i++) records.push({ step: i * EVERY, train: history.trainLoss[i], test: none(history.testLoss[i]) });
  records.push({ step: at, train: score.train.loss, test: none(score.test.loss) });
  // One batch is not like the next: the mean of some steps tells more.
  const recent = (list) => list.map((values) => mean([0, ...values.slice(Math.max(0, at - RECORDS), at).filter(Number.isFinite)].slice(at ? 1 : 0)));
  const targets = Array.from(data.train, (i) => data.targets[i]), middle = mean(targets);
  const shares = [0, 1, 2, 3, 4].map((label) => targets.filter((one) => one === label).length / targets.length).filter(Boolean);
  const chance = data.task === "classify" ? -shares.reduce((total, p) => total + p * Math.log(p), 0) : mean(targets.map((t) => (t - middle) ** 2));
  const layers = units.map(({ units: list, states }) => {
    const count = (name) => states.filter((state) => state === name).length, same = ({ low, high, mean: m }) => low === list[0].low && high === list[0].high && m === list[0].mean;
    return { units: list.length, dead: count("dead"), near: count("near-dead"), saturated: count("saturated"), alike: list.length > 1 && list.every(same) };
  });
  return {
    step: at, trouble, task: data.task, chance, layers, records, gradients: recent(history.gradient), ratios: recent(history.ratio),
    accuracy: { train: score.train.accuracy, test: none(score.test.accuracy) },
  };
}
