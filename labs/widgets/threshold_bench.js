// The threshold bench: two clouds of scores, one threshold, and every measure that follows from them.
// Joined in Python with curve_drawing.js.
const LIMITS = { threshold: [-5, 8, 0.05], separation: [0, 3, 0.1], spread: [0.5, 2, 0.1], prevalence: [1, 99, 1] };
const [FIRST, LAST, STEP] = LIMITS.threshold;

/** The scores of both clouds, 1 for a positive and 0 for a negative, and how many examples each dot stands for. */
export function clouds(draws, { separation, spread, prevalence }) {
  const { negatives, positives } = draws, both = (a, b) => [...negatives.map(a), ...positives.map(b)];
  return {
    scores: both((z) => z, (z) => separation + spread * z), labels: both(() => 0, () => 1),
    weights: both(() => 100 - prevalence, () => prevalence),
  };
}

/** The four counts when a score of at least `threshold` is called positive. */
export function confusion({ scores, labels, weights }, threshold) {
  const counts = { tp: 0, fn: 0, fp: 0, tn: 0 };
  scores.forEach((score, i) => (counts[score >= threshold ? (labels[i] ? "tp" : "fp") : labels[i] ? "fn" : "tn"] += weights[i]));
  return counts;
}

// Each measure: its name, a part and a whole.
const MEASURES = {
  accuracy: ["accuracy", ({ tp, tn }) => tp + tn, ({ tp, fn, fp, tn }) => tp + fn + fp + tn],
  precision: ["precision", ({ tp }) => tp, ({ tp, fp }) => tp + fp],
  recall: ["recall, true positive rate", ({ tp }) => tp, ({ tp, fn }) => tp + fn],
  fpr: ["false positive rate", ({ fp }) => fp, ({ fp, tn }) => fp + tn],
  specificity: ["specificity", ({ tn }) => tn, ({ fp, tn }) => fp + tn],
  f1: ["F1", ({ tp }) => 2 * tp, ({ tp, fn, fp }) => 2 * tp + fn + fp],
};
const share = (part, whole) => (whole ? part / whole : null); // null: undefined

export const measures = (counts) =>
  Object.fromEntries(Object.entries(MEASURES).map(([key, [, part, whole]]) => [key, share(part(counts), whole(counts))]));

/** The corners of both curves, one per distinct score, from "nothing is called positive" down to "everything is". */
export function corners({ scores, labels, weights }) {
  const found = [{ threshold: Infinity, tp: 0, fp: 0 }];
  for (const i of scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a])) {
    if (scores[i] !== found.at(-1).threshold) found.push({ ...found.at(-1), threshold: scores[i] });
    found.at(-1)[labels[i] ? "tp" : "fp"] += weights[i];
  }
  const all = found.at(-1);
  return found.map(({ threshold, tp, fp }) => ({ threshold, recall: share(tp, all.tp), fpr: share(fp, all.fp), precision: share(tp, tp + fp) }));
}

const total = (list, term) => list.slice(1).reduce((sum, now, i) => sum + term(list[i], now), 0);
/** The area under the ROC curve, and the average precision: the area under the steps of the other. */
export const auc = (list) => total(list, (before, now) => ((now.fpr - before.fpr) * (now.recall + before.recall)) / 2);
export const averagePrecision = (list) => total(list, (before, now) => (now.recall - before.recall) * now.precision);

const three = (x) => (x === null ? "undefined" : x.toFixed(3));
const whole = (n) => n.toLocaleString("en");
const signed = (x) => `${+x.toFixed(2)}`.replace("-", "−");

function render({ model, el }) {
  const slider = (name, label, [low, high, step] = LIMITS[name]) => `<label class="bench-${name}"><span>${label} <span class="curves-value"></span></span>
    <input type="range" name="${name}" min="${low}" max="${high}" step="${step}"></label>`;
  el.innerHTML = `<div class="curves bench" role="group" aria-label="One threshold through two clouds of scores" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">${slider("separation", "separation")}${slider("spread", "spread of the positives")}${slider("prevalence", "prevalence")}
      ${slider("threshold", "threshold")}</div>
    <div class="curves-picture"><svg role="img" class="bench-clouds"></svg></div>
    <p class="curves-hidden" aria-live="polite"></p>
    <div class="bench-tables">
      <table class="bench-matrix"><caption>Confusion matrix of 10,000 examples</caption>
        <thead><tr><td></td><th scope="col">called positive</th><th scope="col">called negative</th></tr></thead><tbody>
        <tr><th scope="row">positive</th><td><small>TP</small> <b data-count="tp"></b></td><td><small>FN</small> <b data-count="fn"></b></td></tr>
        <tr><th scope="row">negative</th><td><small>FP</small> <b data-count="fp"></b></td><td><small>TN</small> <b data-count="tn"></b></td></tr></tbody></table>
      <table class="bench-measures"><caption class="curves-hidden">Measures at this threshold</caption>
        <thead><tr><th scope="col">measure</th><th scope="col">counts</th><th scope="col">value</th></tr></thead><tbody>${Object.entries(MEASURES).map(
          ([key, [name]]) => `<tr data-measure="${key}"><th scope="row">${name}</th><td></td><td></td></tr>`).join("")}</tbody></table>
    </div>
    <p class="bench-note"></p>
    <div class="curves-picture"><svg role="img" class="bench-curves"></svg></div>
  </div>`;
  const find = (selector) => el.querySelector(selector), cloud = find(".bench-clouds"), plot = find(".bench-curves");
  const [say, hush] = announcer(find("[aria-live]"));
  let width = 640, axis, dragging = false;

  function choose(name, value) {
    model.set(name, value); // which draws
    model.save_changes();
  }

  /** All dots of one class, each at its score, stacked from the middle outwards: `up` is 1 or −1. */
  function stack(scores, fr, middle, room, up, kind) {
    const size = Math.max(5, Math.min(8, width / 80)), heights = {};
    const places = scores.map((score) => {
      const x = fr.X(score), bin = Math.floor(x / size);
      return [x, (heights[bin] = (heights[bin] || 0) + 1)];
    });
    const rise = Math.min(size, room / Math.max(...Object.values(heights))), r = size / 2 - 0.75;
    return places.map(([x, n]) => `<circle class="${kind}" cx="${x.toFixed(1)}" cy="${(middle - up * ((n - 0.5) * rise + 2)).toFixed(1)}" r="${r}"/>`).join("");
  }

  function drawClouds(data, counts, { threshold, prevalence }) {
    const left = 8, w = width - 16, half = 92, top = 22, middle = half, fr = frame(left, top, w, 2 * half, [FIRST, LAST], [0, 1]), at = fr.X(threshold);
    const of = (label) => data.scores.filter((_, i) => data.labels[i] === label), height = top + 2 * half + 40;
    axis = { left, w };
    const tell = (x, y, anchor, name) => `<text x="${x}" y="${y}" text-anchor="${anchor}">${name.toUpperCase()} <tspan class="title">${whole(counts[name])}</tspan></text>`;
    cloud.setAttribute("viewBox", `0 0 ${width} ${height}`);
    cloud.setAttribute("height", height);
    cloud.innerHTML = `${fr.grid(ticks(FIRST, LAST, w / 40), [], true)}<text x="${left + w / 2}" y="${height - 4}" text-anchor="middle">score</text>
      ${fr.inside(`<rect class="bench-called" x="${at}" width="${Math.max(0, w - at)}" height="${2 * half}"/><path class="grid zero" d="M0 ${middle}h${w}"/>
        ${stack(of(1), fr, middle, half - 18, 1, "positive")}${stack(of(0), fr, middle, half - 18, -1, "negative")}
        ${tell(2, 14, "start", "fn")}${tell(w - 2, 14, "end", "tp")}${tell(2, 2 * half - 6, "start", "tn")}${tell(w - 2, 2 * half - 6, "end", "fp")}`)}
      <g class="bench-line"><path d="M${left + at} ${top - 4}v${2 * half + 4}"/><path class="handle" d="M${left + at - 7} ${top - 14}h14l-7 11z"/></g>
      ${at < w - 130 ? `<text class="title" x="${left + at + 12}" y="12">called positive →</text>` : `<text class="title" x="${left + at - 12}" y="12" text-anchor="end">← called negative</text>`}`;
    const shapes = `100 positives (filled, above), each for ${prevalence} of 10,000 examples; 100 negatives (hollow, below), each for ${100 - prevalence}.`;
    find(".bench-note").textContent = `${shapes} Calling everything ${prevalence > 50 ? "positive" : "negative"} gives accuracy ${three(Math.max(prevalence, 100 - prevalence) / 100)}.`;
    cloud.setAttribute("aria-label", `Two clouds of scores and a threshold at ${signed(threshold)}. ${shapes}`);
  }

  function drawCurves(data, now, prevalence) {
    const list = corners(data), wide = width >= 560, left = 36, w = wide ? (width - 2 * left - 28) / 2 : width - left - 12, tall = Math.min(w, 250);
    const roc = frame(left, 24, w, tall, [0, 1], [0, 1]), pr = frame(wide ? 2 * left + w + 20 : left, wide ? 24 : tall + 96, w, tall, [0, 1], [0, 1]);
    const marks = [0, 0.25, 0.5, 0.75, 1], height = pr.top + tall + 38, area = three(auc(list)), average = three(averagePrecision(list));
    const path = (fr, points) => `<path class="curve one" d="M${points.map(([x, y]) => `${fr.X(x).toFixed(1)} ${fr.Y(y).toFixed(1)}`).join("L")}"/>`;
    const axes = (fr, title, below) => `<text class="title" x="${fr.left}" y="${fr.top - 9}">${title}</text>${fr.grid(marks, marks, true)}
      <text x="${fr.left + w / 2}" y="${fr.top + tall + 33}" text-anchor="middle">${below}</text>`;
    const dot = (fr, x, y) => (y === null ? "" : `<circle class="dot two" cx="${fr.left + fr.X(x)}" cy="${fr.top + fr.Y(y)}" r="6"/>`);
    const dashed = (d) => `<path class="bench-chance" d="${d}"/>`;
    plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.setAttribute("height", height);
    plot.innerHTML = axes(roc, `ROC curve, AUC ${area}`, "false positive rate (dashed: chance)") + axes(pr, `Precision–recall, average ${average}`, "recall (dashed: prevalence)")
      + roc.inside(dashed(`M0 ${tall}L${w} 0`) + path(roc, list.map((c) => [c.fpr, c.recall])))
      + pr.inside(dashed(`M0 ${pr.Y(prevalence / 100)}h${w}`) + path(pr, list.slice(1).flatMap((c, i) => [[list[i].recall, c.precision], [c.recall, c.precision]])))
      + dot(roc, now.fpr, now.recall) + dot(pr, now.recall, now.precision);
    plot.setAttribute("aria-label", `ROC curve with area ${area}; this threshold is at false positive rate ${three(now.fpr)} and recall ${three(now.recall)}. `
      + `Precision–recall curve with average precision ${average} over a baseline of ${prevalence / 100}; this threshold has precision ${three(now.precision)}.`);
    return `AUC ${area}, average precision ${average}.`;
  }

  function draw() {
    const state = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, model.get(name)]));
    for (const [name, value] of Object.entries(state)) {
      const [low, high] = LIMITS[name], near = Math.min(high, Math.max(low, name === "prevalence" ? Math.round(value) : value));
      if (near !== value) return model.set(name, near); // which draws
      const words = name === "prevalence" ? `${value} %` : signed(value), input = find(`[name=${name}]`);
      input.value = value;
      input.setAttribute("aria-valuetext", words);
      input.parentNode.querySelector(".curves-value").textContent = words;
    }
    const data = clouds(model.get("draws"), state), counts = confusion(data, state.threshold), now = measures(counts);
    for (const place of el.querySelectorAll("[data-count]")) place.textContent = whole(counts[place.dataset.count]);
    for (const [key, [, part, all]] of Object.entries(MEASURES)) {
      const [, sum, value] = find(`[data-measure=${key}]`).children;
      sum.textContent = `${whole(part(counts))} / ${whole(all(counts))}`;
      value.textContent = three(now[key]);
    }
    drawClouds(data, counts, state);
    const areas = drawCurves(data, now, state.prevalence);
    say(`Threshold ${signed(state.threshold)}: ${Object.entries(MEASURES).map(([key, [name]]) => `${name} ${three(now[key])}`).join(", ")}. ${areas}`);
  }

  function drag(event) {
    const place = (event.clientX - cloud.getBoundingClientRect().left - axis.left) / axis.w, score = FIRST + place * (LAST - FIRST);
    choose("threshold", +Math.min(LAST, Math.max(FIRST, Math.round(score / STEP) * STEP)).toFixed(2));
  }
  cloud.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    dragging = true;
    cloud.setPointerCapture(event.pointerId);
    drag(event);
  });
  cloud.addEventListener("pointermove", (event) => dragging && drag(event));
  for (const end of ["pointerup", "pointercancel"]) cloud.addEventListener(end, () => (dragging = false));
  el.addEventListener("input", ({ target }) => choose(target.name, Number(target.value)));

  const events = Object.keys(LIMITS).map((name) => `change:${name}`);
  for (const event of events) model.on(event, draw);
  draw();
  const stop = whenResized(find(".curves-picture"), (wide) => { width = wide; draw(); });
  return () => {
    stop();
    hush();
    for (const event of events) model.off(event, draw);
  };
}

export default { render };
