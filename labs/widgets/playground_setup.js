// The settings of a run, and their text in the address: entries joined by "~", key and value by the first ".", items
// of a list by "*", only what differs from the default. Such as data.moons~layers.8ReLU*8Tanh~rate.0.03

export const CHOICES = {
  data: ["circles", "xor", "gaussians", "spirals", "moons", "sine", "own"], task: ["classify", "regress"],
  init: ["torch", "xavier", "he", "selu", "zero"], bias: ["random", "zero"],
  method: ["sgd", "momentum", "adam"], schedule: ["constant", "step", "cosine", "warmup"],
};
const within = (low, high, whole = false) => ({ low, high, whole });
const SEEDS = within(0, 4294967295, true);
export const MOST_STEPS = 100000, MOST_LAYERS = 6, MOST_POINTS = 300;
export const LIMITS = {
  points: within(10, 1000, true), noise: within(0, 1), classes: within(2, 5, true), test: within(0, 0.9), seed: SEEDS, start: SEEDS,
  units: within(1, 16, true), momentum: within(0, 0.99), rate: within(1e-6, 100), span: within(1, MOST_STEPS, true),
  batch: within(1, 1000, true), l2: within(0, 1), dropout: within(0, 0.9),
};
/** What may change while a run goes on. */
export const CHANGEABLE = ["rate", "l2", "dropout"];
/** The functions of one number; Maxout and the gated ones take several. "none" is the identity. */
export const HIDDEN = ["none", ...Object.keys(FUNCTIONS).filter((name) => !["Maxout", "GLU", "GEGLU", "SwiGLU"].includes(name))];

/** The settings to start with, a fresh object each time. */
export const defaults = () => ({
  data: "circles", points: 200, noise: 0.1, classes: 2, test: 0.3, task: "classify", seed: 0, start: 0,
  layers: [{ units: 8, activation: "ReLU" }, { units: 8, activation: "ReLU" }], init: "torch", bias: "random",
  method: "sgd", momentum: 0.9, rate: 0.1, schedule: "constant", span: 1000, batch: 32, l2: 0, dropout: 0,
  own: "", changes: [],
});

/** How many classes there are: a choice only where the shape has room for more than two. */
export function classesOf({ data, classes, own }) {
  if (data === "own") return unpackPoints(own).reduce((most, { label }) => max(most, label + 1), classes);
  return data === "gaussians" || data === "spirals" ? classes : 2;
}

/** Points of their own can be for either task; a sine is for regression, the other shapes for classes. */
export const taskOf = ({ data, task }) => (data === "own" ? task : data === "sine" ? "regress" : "classify");

/** A number within limits, from its text; undefined where it is none. */
function numberOf(text, { low, high, whole }) {
  const value = /^\d+(\.\d+)?(e-?\d+)?$/.test(text) ? Number(text) : NaN;
  return value >= low && value <= high && (!whole || Number.isInteger(value)) ? value : undefined;
}

const between = ({ low, high, whole }) => `${whole ? "a whole number" : "a number"} from ${low} to ${high}`;
const LISTS = {
  layers: {
    wanted: `at most ${MOST_LAYERS} layers such as 8ReLU, with ${between(LIMITS.units)} of units, or 0 for none`,
    read(text) {
      const layers = text === "0" ? [] : text.split("*").map((item) => {
        const [, units, activation] = /^(\d+)([A-Za-z]\w*)$/.exec(item) ?? [];
        return { units: numberOf(units, LIMITS.units), activation };
      });
      const fine = layers.length <= MOST_LAYERS && layers.every((one) => one.units && HIDDEN.includes(one.activation));
      return fine ? layers : undefined;
    },
    write: (layers) => layers.map(({ units, activation }) => units + activation).join("*") || "0",
  },
  own: {
    wanted: `the text of at most ${MOST_POINTS} points`, read: (text) => (unpackPoints(text) ? text : undefined), write: (text) => text,
  },
  changes: {
    wanted: `changes such as 120-rate-0.01, each at a later step, of ${CHANGEABLE.join(", ")}`,
    read(text) {
      const changes = text.split("*").map((item) => {
        const [, step, name, value] = /^(\d+)-([a-z0-9]+)-(.+)$/.exec(item) ?? [], known = CHANGEABLE.includes(name);
        return { step: numberOf(step, within(0, MOST_STEPS, true)), name, value: known ? numberOf(value, LIMITS[name]) : undefined };
      });
      const fine = changes.every(({ step, value }, i) => value !== undefined && step >= (changes[i - 1]?.step ?? 0));
      return fine ? changes : undefined;
    },
    write: (changes) => changes.map(({ step, name, value }) => `${step}-${name}-${value}`).join("*"),
  },
};

/** The settings that a text tells, and what is wrong with it in sentences; what is wrong stays at its default. */
export function readSetup(text) {
  const setup = defaults(), faults = [], seen = new Set();
  const shown = (words) => `"${words.length > 30 ? words.slice(0, 30) + "…" : words}"`;
  for (const entry of String(text ?? "").split("~").filter(Boolean)) {
    const [, key, value] = /^([^.]*)\.?(.*)$/s.exec(entry);
    if (!Object.hasOwn(setup, key)) {
      faults.push(`The link has ${shown(key)}, which is no setting; it is left out.`);
      continue;
    }
    if (seen.has(key)) {
      faults.push(`The link has ${key} twice; the first one counts.`);
      continue;
    }
    seen.add(key);
    const list = LISTS[key], choice = CHOICES[key];
    const wanted = list?.wanted ?? choice?.join(", ") ?? between(LIMITS[key]);
    const found = list ? list.read(value) : choice ? choice.find((one) => one === value) : numberOf(value, LIMITS[key]);
    if (found === undefined) faults.push(`The link has ${shown(value)} for ${key}; wanted ${wanted}. The usual value stands.`);
    else setup[key] = found;
  }
  if (seen.has("task") && setup.task !== taskOf(setup)) faults.push(`The data ${setup.data} can only ${taskOf(setup)}; so it does.`);
  setup.task = taskOf(setup);
  return { setup, faults };
}

/** The text of the settings; readSetup gives them back. */
export function writeSetup(setup) {
  const usual = { ...defaults(), task: taskOf({ ...setup, task: "classify" }) };
  const text = (key, value) => LISTS[key]?.write(value) ?? String(value);
  const entries = Object.keys(usual).map((key) => [key, text(key, setup[key]), text(key, usual[key])]);
  return entries.filter(([, is, was]) => is !== was).map(([key, is]) => `${key}.${is}`).join("~");
}
