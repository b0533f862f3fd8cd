// The pictures of the playground: the map of decisions, each unit's response, the weights between them, curves over
// the steps, strengths by layer, histograms. Maps are painted on canvases, everything with letters is SVG.

const KINDS = ["one", "two", "three", "four", "five"], STATES = { "dead": "D", "near-dead": "N", "saturated": "S" };
const MARKS = ["M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", "M-4.5 -4.5h9v9h-9z", "M0 -6l6 10.5h-12z", "M0 -6.5l6.5 6.5l-6.5 6.5l-6.5 -6.5z", "M-5 -5.5h10l-10 11h10z"];
const tenth = (v) => Math.max(-1e4, Math.min(1e4, v)).toFixed(1);

/** The colours of the theme that holds now, as [red, green, blue]; and shades, the dots for responses from −1 to 1. */
export function coloursOf(el) {
  const style = getComputedStyle(el), rgb = (name) => [1, 3, 5].map((i) => parseInt(style.getPropertyValue(`--${name}`).trim().slice(i, i + 2), 16));
  const classes = KINDS.map(rgb), [plus, minus] = classes, paper = rgb("paper"), ink = rgb("ink"), shades = new Uint8ClampedArray(4 * 257);
  for (let i = 0; i <= 256; i++) shades.set([...paper.map((c, k) => c + (0.9 * Math.abs(i - 128) * ((i > 128 ? plus : minus)[k] - c)) / 128), 255], 4 * i);
  return { classes, paper, ink, plus, minus, shades: new Uint32Array(shades.buffer) };
}
const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

/** The points of the map as inputs of the network: side × side of them row by row from the top, or side along a line. */
export function mapInputs(side, features) {
  const at = (i) => EDGE * ((2 * (i + 0.5)) / side - 1);
  if (features === 1) return Float64Array.from({ length: side }, (_, i) => at(i));
  return Float64Array.from({ length: 2 * side * side }, (_, k) => (k % 2 ? -at(Math.floor(k / 2 / side)) : at((k >> 1) % side)));
}

/** The class with the largest score at point i, and its probability. */
export function answer(scores, i, classes) {
  let best = 0, sum = 0;
  for (let k = 1; k < classes; k++) if (scores[i * classes + k] > scores[i * classes + best]) best = k;
  for (let k = 0; k < classes; k++) sum += Math.exp(scores[i * classes + k] - scores[i * classes + best]);
  return [best, 1 / sum];
}

/** Pieces of the line where `heights` on the grid change their sign, in the unit of one square. */
export function zeroLine(heights, side) {
  const cuts = [];
  for (let row = 0; row + 1 < side; row++) for (let column = 0; column + 1 < side; column++) {
    const i = row * side + column, sign = heights[i] > 0;
    if (heights[i + 1] > 0 === sign && heights[i + side] > 0 === sign && heights[i + side + 1] > 0 === sign) continue;
    const corners = [[i, 0, 0], [i + 1, 1, 0], [i + side + 1, 1, 1], [i + side, 0, 1]];
    for (let c = 0; c < 4; c++) {
      const [a, x, y] = corners[c], [b, u, v] = corners[(c + 1) % 4];
      if (heights[a] > 0 === heights[b] > 0) continue;
      const t = heights[a] / (heights[a] - heights[b]);
      cuts.push([column + x + t * (u - x) + 0.5, row + y + t * (v - y) + 0.5]);
    }
  }
  return cuts; // two after the other make a piece
}

const spare = new Map(); // small canvases, made once: maps that are enlarged, and marks that stand in many places
function kept(name, size, paint) {
  if (spare.size > 99) spare.clear();
  if (!spare.has(name)) {
    const context = new OffscreenCanvas(size, size).getContext("2d");
    spare.set(name, context);
    paint?.(context);
  }
  return spare.get(name);
}

/** Paint side × side dots, each by its number, and lay them over the whole of a larger canvas. */
function enlarged(context, side, size, paint) {
  const small = kept(side, side), image = context.createImageData(side, side);
  for (let i = 0, at = 0; i < side * side; i++, at += 4) {
    const [red, green, blue] = paint(i);
    image.data[at] = red;
    image.data[at + 1] = green;
    image.data[at + 2] = blue;
    image.data[at + 3] = 255;
  }
  small.putImageData(image, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(small.canvas, 0, 0, size, size);
}

function marker(context, kind, x, y, scale, fill, stroke, width) {
  const half = Math.ceil(8 * scale), mark = kept([kind, scale, fill, stroke, width].join(), 2 * half, (small) => {
    const path = new Path2D(MARKS[kind]);
    small.setTransform(scale, 0, 0, scale, half, half);
    Object.assign(small, { fillStyle: fill, strokeStyle: stroke, lineWidth: width });
    small.fill(path);
    small.stroke(path);
  });
  context.drawImage(mark.canvas, x - half, y - half);
}

/** Sharp on every screen: as many dots as the screen has, at most two per pixel. */
export function fitted(canvas, width = canvas.clientWidth) {
  const size = Math.max(Math.round(width * Math.min(devicePixelRatio || 1, 2)), 16);
  if (canvas.width !== size) canvas.width = canvas.height = size;
  return [canvas.getContext("2d"), size];
}

/** The map: where the network says which class and how sure it is; the points, filled for training and open for test. */
export function paintMap(canvas, { side, scores, classes, task, points, width }, colours) {
  const [context, size] = fitted(canvas, width), dots = size / Math.max(width, 1);
  const place = (x, y) => [((x + EDGE) / (2 * EDGE)) * size, ((EDGE - y) / (2 * EDGE)) * size];
  const room = (dots * Math.min(1, Math.max(0.62, 12 / Math.sqrt(points.length)))) * (width < 260 ? 0.85 : 1);
  if (task === "classify") {
    const { paper } = colours;
    enlarged(context, side, size, (i) => {
      const [best, sure] = answer(scores, i, classes), share = 0.6 * Math.max(0, (sure - 1 / classes) / (1 - 1 / classes));
      return colours.classes[best].map((c, k) => paper[k] + share * (c - paper[k]));
    });
    // The shape of each class, faintly, all over its region: colours alone would not tell some readers.
    const every = Math.max(1, Math.round(side / 9));
    for (let row = every >> 1; row < side; row += every) for (let column = every >> 1; column < side; column += every) {
      const [best, sure] = answer(scores, row * side + column, classes);
      if (sure > 1 / classes + 0.02) marker(context, best, ((column + 0.5) * size) / side, ((row + 0.5) * size) / side, 0.45 * dots, "transparent", css(colours.ink, 0.3), 2);
    }
    context.beginPath();
    const lead = new Float64Array(side * side); // of one class over the best of the others
    for (let k = classes === 2 ? 1 : 0; k < classes; k++) {
      for (let i = 0; i < lead.length; i++) {
        let other = -Infinity;
        for (let j = 0; j < classes; j++) if (j !== k && scores[i * classes + j] > other) other = scores[i * classes + j];
        lead[i] = scores[i * classes + k] - other;
      }
      zeroLine(lead, side).forEach(([x, y], n) => context[n % 2 ? "lineTo" : "moveTo"]((x * size) / side, (y * size) / side));
    }
    context.strokeStyle = css(colours.ink);
    context.lineWidth = 1.6 * dots;
    context.stroke();
  } else {
    context.fillStyle = css(colours.paper);
    context.fillRect(0, 0, size, size);
    context.fillStyle = css(colours.ink, 0.2);
    context.fillRect(0, size / 2, size, dots);
    context.fillRect(size / 2, 0, dots, size);
  }
  for (const { x, y, label, test } of points) {
    const colour = colours.classes[task === "classify" ? label : 0], kind = task === "classify" ? label : 0;
    if (test) marker(context, kind, ...place(x, y), 0.8 * room, css(colours.paper, 0.75), css(colour), 2.4);
    else marker(context, kind, ...place(x, y), 0.9 * room, css(colour), css(colours.paper), 1.2);
  }
  if (task === "classify") return;
  context.beginPath();
  for (let i = 0; i < side; i++) context[i ? "lineTo" : "moveTo"](...place(EDGE * ((2 * (i + 0.5)) / side - 1), Math.max(-9, Math.min(9, scores[i]))));
  context.strokeStyle = css(colours.minus);
  context.lineWidth = 3 * dots;
  context.stroke();
}

/** The response of one unit of a column: a small map of it, or its curve where the input is one number. */
export function paintUnit(canvas, { side, features, columns, colours: { paper, ink, plus, shades } }, layer, units, unit) {
  const values = columns[layer];
  let most = 1e-9;
  for (let i = unit; i < values.length; i += units) most = Math.max(most, Math.abs(values[i]));
  if (features === 1) {
    const [context, size] = fitted(canvas);
    context.fillStyle = css(paper);
    context.fillRect(0, 0, size, size);
    context.fillStyle = css(ink, 0.25);
    context.fillRect(0, size / 2, size, 1);
    context.beginPath();
    for (let i = 0; i < side; i++) context[i ? "lineTo" : "moveTo"](((i + 0.5) / side) * size, (0.5 - (0.44 * values[i * units + unit]) / most) * size);
    context.strokeStyle = css(plus);
    context.lineWidth = size / 16;
    return context.stroke();
  }
  const every = Math.ceil(side / 20), small = Math.floor(side / every); // a tile is small: some of the points will do
  if (canvas.width !== small) canvas.width = canvas.height = small;
  const context = canvas.getContext("2d"), image = context.createImageData(small, small), dots = new Uint32Array(image.data.buffer);
  for (let row = 0, i = 0; row < small; row++) for (let column = 0; column < small; column++, i++)
    dots[i] = shades[Math.round(128 + (128 * values[every * (row * side + column) * units + unit]) / most)];
  context.putImageData(image, 0, 0);
}

/**
 * The weights between two columns as a few paths: wide where a weight is large, dashed where it is negative.
 * `from` and `to` are the places [x, y] of the units; weights go out × in.
 */
export function weightPaths(from, to, weights) {
  const most = weights.reduce((m, w) => Math.max(m, Math.abs(w)), 1e-12), bins = new Map(), room = Math.min(1, 9 / Math.max(from.length, to.length));
  to.forEach(([x, y], o) => from.forEach(([u, v], i) => {
    const weight = weights[o * from.length + i], wide = Math.round((4 * Math.abs(weight)) / most), middle = tenth((u + x) / 2), key = weight < 0 ? -wide : wide;
    if (wide) bins.set(key, `${bins.get(key) || ""}M${tenth(u)} ${tenth(v)}C${middle} ${tenth(v)} ${middle} ${tenth(y)} ${tenth(x)} ${tenth(y)}`);
  }));
  return [...bins].sort(([a], [b]) => Math.abs(a) - Math.abs(b)).map(([key, d]) => ({ d, width: room * (0.25 + 0.65 * Math.abs(key)), negative: key < 0, opacity: room * (0.3 + 0.15 * Math.abs(key)) }));
}

/** The paths, on the canvas that lies behind the units. */
export function paintWeights(canvas, width, height, paths, { plus, minus }) {
  const dots = Math.min(devicePixelRatio || 1, 2), wide = Math.round(width * dots), high = Math.round(height * dots);
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.clearRect(0, 0, width, height);
  for (const { d, width: line, negative, opacity } of paths) {
    context.lineWidth = line;
    context.strokeStyle = css(negative ? minus : plus, opacity);
    context.setLineDash(negative ? [5, 3] : []);
    context.stroke(new Path2D(d));
  }
}

const trace = (points, kind) => (points.length ? `<path class="curve ${kind}" d="M${points.map(([x, y]) => `${tenth(x)} ${tenth(y)}`).join("L")}"/>` : "");
const bead = (kind, shape, [x, y]) => `<path class="dot ${kind}" transform="translate(${tenth(x)} ${tenth(y)})" d="${MARKS[shape]}"/>`;
const letters = (x, y, text, anchor = "middle") => `<text x="${tenth(x)}" y="${tenth(y)}" text-anchor="${anchor}">${text}</text>`;
const power = (p) => (p >= -3 && p <= 4 ? `${+(10 ** p).toPrecision(1)}` : `10${`${p}`.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`);
const log = (x) => Math.log10(Math.max(x, 1e-99));

/** A logarithmic grid: powers of ten, fewer or with 2 and 5 between them as there is room. */
function powers(place, low, high) {
  const every = Math.max(1, Math.ceil((high - low) / (place.h / 28))), found = [];
  for (let p = Math.floor(low); p <= high; p++) if (p % every === 0) found.push([p, power(p)]);
  if (high - low < 2) for (let p = Math.floor(low); p <= high; p++) for (const m of high - low < 0.7 ? [1.5, 2, 3, 5, 7] : [2, 5]) found.push([p + Math.log10(m), `${+(m * 10 ** p).toPrecision(2)}`]);
  return found.filter(([p]) => p >= low && p <= high).map(([p, text]) => `<path class="grid" d="M${place.left} ${tenth(place.top + place.Y(p))}h${place.w}"/>${letters(place.left - 6, place.top + place.Y(p) + 4, text, "end")}`).join("");
}

/** At most some 200 of the first values, the last one always, as [step, value]; one value in `every` steps. */
export function sampled(values, count, every) {
  const stride = Math.ceil(count / 200) || 1, found = [];
  for (let i = 0; i < count; i = i + stride < count ? i + stride : Math.max(i + 1, count - 1)) if (Number.isFinite(values[i])) found.push([every * i, values[i]]);
  return found;
}

/** Curves over the steps: `lines` of { kind, shape, points: [[step, value]] }; `at` is the step that is shown. */
export function stepsChart(width, height, { lines, far, at, low, high, logarithmic, title }) {
  const place = frame(44, 22, width - 56, height - 44, [0, 1.03 * Math.max(far, 10)], [low, high]), y = (v) => place.Y(logarithmic ? log(v) : v);
  const marks = logarithmic ? powers(place, low, high) : place.grid([], [0, 0.5, 1], false).replace(/>([\d.]+)<\/text>/g, (_, v) => `>${100 * v} %</text>`);
  const drawn = lines.map(({ kind, shape, points, faint }) => {
    const now = points.filter(([step]) => step <= at).at(-1), path = trace(points.map(([step, v]) => [place.X(step), y(v)]), `${kind}${faint ? " faint" : ""}`);
    return path + (now && !faint ? bead(kind, shape, [place.X(now[0]), Math.max(0, Math.min(place.h, y(now[1])))]) : "");
  });
  return `<text class="title" x="0" y="12">${title}</text>${place.grid(ticks(0, Math.max(far, 10), Math.max(2, width / 110)), [], true)}${marks}
    ${place.inside(`<path class="play-now" d="M${tenth(place.X(at))} 0v${place.h}"/>${drawn.join("")}`)}`;
}

/** Strengths by layer on a logarithmic scale: `series` of { kind, shape, values }. */
export function layersChart(width, height, { series, names, title, usual }) {
  const all = series.flatMap(({ values }) => values).filter((v) => v > 0).map(log);
  const low = Math.max(-12, Math.floor(Math.min(-4, ...all) - 0.2)), high = Math.min(8, Math.ceil(Math.max(0, ...all) + 0.2));
  const place = frame(44, 22, width - 56, height - 44, [-0.5, names.length - 0.5], [low, high]);
  const [from, to] = usual.map((v) => place.Y(log(v)));
  const drawn = series.map(({ kind, shape, values }) => {
    const points = values.map((v, i) => [place.X(i), Math.min(place.h - 2, Math.max(2, place.Y(log(v))))]);
    return trace(points, kind) + points.map((point) => bead(kind, shape, point)).join("");
  });
  return `<text class="title" x="0" y="12">${title}</text><rect class="play-usual" x="${place.left}" y="${tenth(place.top + to)}" width="${place.w}" height="${tenth(from - to)}"/>${powers(place, low, high)}
    ${names.map((name, i) => letters(place.left + place.X(i), height - 6, name)).join("")}${place.inside(drawn.join(""))}`;
}

/** The values of a layer on all training points, as bars from low to high; their heights are roots, that few show too. */
export function histogramBars(width, height, { low, high, counts }) {
  const most = Math.sqrt(Math.max(...counts, 1)), step = width / counts.length, zero = (-low / (high - low)) * width;
  const bars = counts.map(Math.sqrt).map((n, i) => (n ? `<rect class="play-bar" x="${tenth(i * step + 0.5)}" y="${tenth(height - (n / most) * height)}" width="${tenth(step - 1)}" height="${tenth((n / most) * height)}"/>` : ""));
  const edge = zero > 0 && zero < width ? `<path class="play-zero" d="M${tenth(zero)} 0v${height}"/>` : "";
  return `${bars.join("")}<path class="play-floor" d="M0 ${height}h${width}"/>${edge}${letters(0, height + 12, show(low), "start")}${letters(width, height + 12, show(high), "end")}`;
}

/** Map, network and curves as one SVG file, in the colours that are shown. */
export function wholePicture({ root, map, tiles, places, size, heads, lines, charts, note, paths, colours: { paper, ink, plus, minus } }) {
  const [wide, high] = places.size, side = 320, width = Math.max(wide + side + 60, 760), top = Math.max(high, side) + 40, below = top + 20 * lines.length;
  const style = getComputedStyle(root), escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
  const image = (canvas, x, y, length) => `<image x="${tenth(x)}" y="${tenth(y)}" width="${length}" height="${length}" href="${canvas.toDataURL()}"/>`;
  const weights = paths.map(({ d, width: w, negative, opacity }) => `<path fill="none" stroke="${css(negative ? minus : plus)}" stroke-opacity="${opacity}" stroke-width="${w}"${negative ? ' stroke-dasharray="5 3"' : ""} d="${d}"/>`);
  const units = tiles.flatMap((list, l) => list.map((tile, u) => {
    const [x, y] = places[l][u].map((v) => v - size / 2), mark = tile.lastElementChild.textContent, box = `x="${tenth(x)}" y="${tenth(y)}" width="${size}" height="${size}"`;
    return `${image(tile.firstElementChild, x, y, size)}<rect ${box} fill="none" stroke="${css(ink)}" stroke-width="${mark ? 3 : 1}"/>${mark && `<text class="title" x="${tenth(x + size - 8)}" y="${tenth(y + size + 4)}">${mark}</text>`}`;
  }));
  const titles = heads.map((text, l) => letters(places[l + 1][0][0], places[l + 1][0][1] - size / 2 - 8, text));
  const curves = charts.map((svg, i) => `<svg x="${tenth(20 + (i * (width - 40)) / charts.length)}" y="${below}" width="${tenth((width - 60) / charts.length)}" height="170" viewBox="${svg.getAttribute("viewBox")}">${svg.innerHTML}</svg>`);
  const rules = KINDS.map((kind) => `.curve.${kind}{stroke:${style.getPropertyValue(`--${kind}`)}}.dot.${kind}{fill:${style.getPropertyValue(`--${kind}`)}}`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${below + 180}" width="${width}" height="${below + 180}"><title>${escaped(lines[0])}</title><desc>${escaped(note)}</desc>
<style>text{font:12px sans-serif;fill:${css(ink)}}.title{font-weight:600}.curve{fill:none;stroke-width:2.2}.curve.two{stroke-dasharray:7 4}.curve.three{stroke-dasharray:2 3}.curve.faint{opacity:.4;stroke-width:1}
.grid,.play-now{stroke:${css(ink)};stroke-opacity:.2;fill:none}.play-usual{fill:${css(ink)};fill-opacity:.07}${rules}</style>
<rect width="100%" height="100%" fill="${css(paper)}"/><g transform="translate(20 10)">${weights.join("")}${units.join("")}${titles.join("")}</g>${image(map, wide + 40, 20, side)}
${lines.map((text, i) => letters(20, top + 20 * i, escaped(text), "start")).join("")}${curves.join("")}</svg>`;
}
