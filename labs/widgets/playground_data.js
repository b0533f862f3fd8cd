// The points: six shapes, and points of the reader's own with their text and their CSV. labs.playground makes the same.
//
// Order of the draws from Stream(seed, data): point by point, first what the shape needs, then the noise, first of x1
// and then of x2; the noise is drawn even where it is zero, so that it moves points and exchanges none.
//   circles    uniform (angle), normal, normal           spirals, moons  normal, normal
//   xor        uniform (x1), uniform (x2), normal, normal   sine         uniform (x1), normal (x2 only)
//   gaussians  normal, normal

export const EDGE = 1.5; // the map shows −1.5 to 1.5 in both directions
const TURNS = 0.75, LEVELS = 4095, MOST_CLASSES = 5; // the arms of spirals; the steps of 12 bits

/** Each shape: the point of this label at this place of its curve, 0 to 1, without noise; and its own label if it has one. */
const DRAWN = {
  circles(draw, label) {
    const angle = 2 * Math.PI * draw.uniform(), radius = label ? 0.9 : 0.4;
    return [radius * cos(angle), radius * sin(angle)];
  },
  xor(draw) {
    const x = 2 * draw.uniform() - 1, y = 2 * draw.uniform() - 1;
    return [x, y, x * y < 0 ? 1 : 0];
  },
  gaussians: (draw, label, at, classes) => [0.6 * cos((2 * Math.PI * label) / classes), 0.6 * sin((2 * Math.PI * label) / classes)],
  spirals(draw, label, at, classes) {
    const angle = 2 * Math.PI * (label / classes + TURNS * at);
    return [at * cos(angle), at * sin(angle)];
  },
  moons(draw, label, at) { // shifted and shrunk to the middle of the map
    const c = cos(Math.PI * at), s = sin(Math.PI * at);
    return label ? [(0.5 - c) / 1.5, (0.25 - s) / 1.5] : [(c - 0.5) / 1.5, (s - 0.25) / 1.5];
  },
  sine(draw) {
    const x = 2 * draw.uniform() - 1;
    return [x, 0.8 * sin(2 * Math.PI * x)];
  },
};

/** Points of a shape, [x1, x2, label] each. */
function shaped(setup, classes) {
  const { data, points, noise } = setup, draw = new Stream(setup.seed, "data"), last = max(1, Math.floor((points - 1) / classes));
  const spread = data === "gaussians" ? 0.15 + noise : noise;
  return Array.from({ length: points }, (_, i) => {
    const turn = i % classes, [x, y, label = turn] = DRAWN[data](draw, turn, Math.floor(i / classes) / last, classes);
    if (data === "sine") return [x, y + spread * draw.normal(), 0];
    const right = x + spread * draw.normal();
    return [right, y + spread * draw.normal(), label];
  });
}

/**
 * The data of a run. points are on the map, [x1, x2] after [x1, x2]; inputs and targets are what the network sees:
 * of a regression x1 alone, with x2 as its target. train and test are places in them.
 */
export function makeData(setup) {
  const task = taskOf(setup), classes = classesOf(setup), regress = task === "regress";
  const all = setup.data === "own" ? unpackPoints(setup.own).map(({ x, y, label }) => [x, y, label]) : shaped(setup, classes);
  const order = new Stream(setup.seed, "split").permutation(all.length);
  const kept = max(min(1, all.length), all.length - Math.floor(setup.test * all.length + 0.5)); // for training
  return {
    task, classes, features: regress ? 1 : 2, outputs: regress ? 1 : classes, size: all.length,
    points: Float64Array.from(all.flatMap(([x, y]) => [x, y])), labels: Uint8Array.from(all, ([, , label]) => label),
    inputs: Float64Array.from(all.flatMap(([x, y]) => (regress ? [x] : [x, y]))),
    targets: Float64Array.from(all, ([, y, label]) => (regress ? y : label)),
    train: order.slice(0, kept), test: order.slice(kept),
  };
}

// --- Points of one's own: { x, y, label } each ---

const code = (value) => Math.round(((max(-EDGE, min(EDGE, value)) + EDGE) / (2 * EDGE)) * LEVELS);
const uncode = (level) => -EDGE + (2 * EDGE * level) / LEVELS;

/** The text of points: 4 bytes for each, 12 bits for x, 12 for y and 8 for the label, in the base64 of addresses. */
export function packPoints(points) {
  const bytes = points.flatMap(({ x, y, label }) => [code(x) >> 4, ((code(x) & 15) << 4) | (code(y) >> 8), code(y) & 255, label]);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The points of a text, or null where it is not such a text. */
export function unpackPoints(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1 || text.length > (MOST_POINTS * 16) / 3) return null;
  const bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/")), b = (i) => bytes.charCodeAt(i), points = [];
  for (let i = 0; i < bytes.length; i += 4) {
    points.push({ x: uncode((b(i) << 4) | (b(i + 1) >> 4)), y: uncode(((b(i + 1) & 15) << 8) | b(i + 2)), label: b(i + 3) });
  }
  return bytes.length % 4 || points.some(({ label }) => label >= MOST_CLASSES) ? null : points;
}

/** The points as CSV, with a head line. */
export function writeCsv(points) {
  const lines = points.map(({ x, y, label }) => `${x.toFixed(4)},${y.toFixed(4)},${label}`);
  return ["x1,x2,class", ...lines, ""].join("\n");
}

/** The points of a CSV text, with or without a head line and classes; or what is wrong with it, in sentences. */
export function readCsv(text) {
  const points = [], faults = [], columns = `x1 and x2 from −${EDGE} to ${EDGE} and a class from 0 to ${MOST_CLASSES - 1}`;
  const wanted = `${columns}, such as 0.5,-1.2,0`;
  text.replace(/^\ufeff/, "").split(/\r\n?|\n/).forEach((line, i) => {
    const fields = line.trim().split(/[,;\t]/).map((field) => field.trim()), first = !points.length && !faults.length;
    if (!line.trim() || (first && fields.every((field) => /^"?[a-z_]\w*"?$/i.test(field)))) return; // the head line
    const [x, y, label = 0] = fields.map((field) => (field ? Number(field) : NaN)), whole = fields.length === 2 || fields.length === 3;
    if (whole && abs(x) <= EDGE && abs(y) <= EDGE && label >= 0 && label < MOST_CLASSES && Number.isInteger(label)) points.push({ x, y, label });
    else faults.push(`Line ${i + 1}: got "${line.length > 40 ? line.slice(0, 40) + "…" : line}", wanted ${wanted}.`);
  });
  if (!faults.length && !points.length) faults.push(`The file has no points; wanted lines with ${wanted}.`);
  if (points.length > MOST_POINTS) faults.push(`The file has ${points.length} points; wanted at most ${MOST_POINTS}.`);
  if (faults.length > 3) faults.splice(3, Infinity, `And ${faults.length - 3} more lines.`);
  return faults.length ? { points: [], faults } : { points: unpackPoints(packPoints(points)), faults };
}
