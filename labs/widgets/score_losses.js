// Scores and losses: three class scores, their probabilities, hinge loss and cross-entropy, and the slope of both.
// Joined in Python with curve_drawing.js.
const CLASSES = ["cat", "dog", "bird"], HIGHEST = 1000, SLIDE = 10;
const IMAGES = [["image 1", [3, 1, -2.5], "dog"], ["image 2", [3, -5, 1.5], "cat"], ["image 3", [1, 3.2, -5], "bird"]];

/** exp(sⱼ/T) / Σ exp(sₖ/T), with the largest score taken out first: no power of e is above 1. */
export function softmax(scores, temperature) {
  const top = Math.max(...scores), powers = scores.map((s) => Math.exp((s - top) / temperature)), sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** −ln softmax(s/T)_y in nats. The largest power is 1 and stays outside of the sum, so that a tiny loss keeps its digits. */
export function crossEntropy(scores, y, temperature) {
  const top = scores.indexOf(Math.max(...scores));
  const rest = scores.reduce((sum, s, j) => sum + (j === top ? 0 : Math.exp((s - scores[top]) / temperature)), 0);
  return (scores[top] - scores[y]) / temperature + Math.log1p(rest);
}

/** The slope of the cross-entropy at each score: (p − onehot(y)) / T. For y it is minus the sum of the others: 1 − p would lose digits. */
export function crossEntropySlopes(scores, y, temperature) {
  const p = softmax(scores, temperature);
  return p.map((share, j) => (j === y ? -p.reduce((sum, other, k) => sum + (k === y ? 0 : other), 0) : share) / temperature);
}

/** max(0, sⱼ − s_y + 1) for each class but the true one, whose place holds 0. */
export function hingeTerms(scores, y) {
  return scores.map((s, j) => (j === y ? 0 : Math.max(0, s - scores[y] + 1)));
}

/** The slope of the hinge loss at each score: 1 for each class with a term above 0, minus their number for the true class. */
export function hingeSlopes(scores, y) {
  const slopes = hingeTerms(scores, y).map((term) => Number(term > 0));
  slopes[y] = -slopes.reduce((a, b) => a + b);
  return slopes;
}

/** The same cross-entropy without care, as the formula stands. */
export function naiveCrossEntropy(scores, y, temperature) {
  const powers = scores.map((s) => Math.exp(s / temperature));
  return -Math.log(powers[y] / powers.reduce((a, b) => a + b));
}

// The temperature's slider moves its logarithm, from 0.05 over 1 to 20.
const COLDEST = 0.05, HOTTEST = 20, STEPS = 80;
const toSlider = (t) => Math.round(STEPS * (Math.log(t / COLDEST) / Math.log(HOTTEST / COLDEST)));
const fromSlider = (place) => +(COLDEST * (HOTTEST / COLDEST) ** (place / STEPS)).toPrecision(2);

function render({ model, el }) {
  const group = `true-class-${Math.random().toString(36).slice(2)}`; // one group of radio buttons per widget
  const row = (name, first, [low, high], [from, to, step]) => `<div class="sl-row">${first}
    <label><span class="curves-hidden">${name}</span><input type="range" name="${name}-slider" min="${from}" max="${to}" step="${step}"></label>
    <label><span class="curves-hidden">${name} as a number</span><input type="number" name="${name}" min="${low}" max="${high}" step="any"></label></div>`;
  const scoreRow = (name) => row(name, `<label class="sl-true"><input type="radio" name="${group}" value="${name}"><span><span class="curves-hidden">true class: </span>${name}</span></label>`, [-HIGHEST, HIGHEST], [-SLIDE, SLIDE, 0.1]);

  el.innerHTML = `<div class="curves sl" role="group" aria-label="Scores, probabilities and losses" data-lm-suppress-shortcuts="true">
    <div class="sl-buttons">${IMAGES.map(([title, scores, label], i) => `<button type="button" data-image="${i}">${title} <small>a ${label}: ${scores.map(show).join(", ")}</small></button>`).join("")}</div>
    <fieldset><legend>True class, and the score of each class</legend>${CLASSES.map(scoreRow).join("")}</fieldset>
    ${row("temperature", "<b>temperature T</b>", [COLDEST, HOTTEST], [0, STEPS, 1])}
    <p class="sl-losses"><span>Hinge loss <b class="sl-hinge"></b></span><span>Cross-entropy <b class="sl-entropy"></b> nats</span></p>
    <div class="curves-picture"><svg role="img"></svg></div>
    <p class="curves-hidden" aria-live="polite"></p>
    <table><caption class="curves-hidden">Hinge terms, and the gradients of both losses at each score</caption>
      <thead><tr><th scope="col">class j</th><th scope="col">hinge term max(0, s<sub>j</sub> − s<sub>y</sub> + 1)</th><th scope="col">hinge gradient</th><th scope="col">cross-entropy gradient (p<sub>j</sub> − [j = y]) / T</th></tr></thead><tbody></tbody></table>
    <p class="sl-note"></p>
  </div>`;

  const find = (selector) => el.querySelector(selector), control = (name) => find(`[name="${name}"]`), svg = find(".curves-picture > svg");
  const radios = [...el.querySelectorAll("[type=radio]")], [say, hush] = announcer(find("[aria-live]"));
  let width = 640;

  const choose = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };

  // An address typed by hand may ask for what is not there.
  function tidy() {
    const put = (name, value) => value === model.get(name) || model.set(name, value), within = (v, low, high) => Math.min(high, Math.max(low, v));
    for (const name of CLASSES) put(name, within(model.get(name) || 0, -HIGHEST, HIGHEST));
    put("temperature", within(model.get("temperature") || 1, COLDEST, HOTTEST));
    put("label", CLASSES.includes(model.get("label")) ? model.get("label") : CLASSES[0]);
  }

  /** One bar per class from the line of zero to its number, which stands beside it. */
  function bars(fr, values, y, text, title, kind) {
    const high = fr.h / values.length, thick = Math.min(22, high - 8), zero = fr.X(0);
    return `<text class="title" x="${fr.left}" y="${fr.top - 8}">${title}</text>${values.map((value, j) => {
      const x = fr.X(value), middle = fr.top + (j + 0.5) * high, left = value < 0; // the words stand on the free side of zero, or behind the bar
      const words = kind === "p" ? { x: x + 6, anchor: "start" } : left ? { x: zero + 6, anchor: "start" } : { x: zero - 6, anchor: "end" };
      return `<rect class="sl-bar${j === y ? " sl-own" : ""}" x="${fr.left + Math.min(x, zero)}" y="${middle - thick / 2}" width="${Math.max(0.5, Math.abs(x - zero))}" height="${thick}"/>
        <text x="${fr.left + words.x}" y="${middle + 4}" text-anchor="${words.anchor}">${text(value)}</text>`;
    }).join("")}<path class="grid zero" d="M${fr.left + zero} ${fr.top}v${fr.h}"/>`;
  }

  function draw() {
    tidy();
    const scores = CLASSES.map((name) => model.get(name)), T = model.get("temperature"), label = model.get("label"), y = CLASSES.indexOf(label);
    const p = softmax(scores, T), entropy = crossEntropy(scores, y, T), terms = hingeTerms(scores, y), hinge = terms.reduce((a, b) => a + b);
    const slopes = crossEntropySlopes(scores, y, T), flat = hingeSlopes(scores, y), naive = naiveCrossEntropy(scores, y, T);
    CLASSES.forEach((name, j) => {
      control(name).value = scores[j];
      control(`${name}-slider`).value = scores[j];
      control(`${name}-slider`).setAttribute("aria-valuetext", show(scores[j]));
      radios[j].checked = j === y;
    });
    control("temperature").value = T;
    control("temperature-slider").value = toSlider(T);
    control("temperature-slider").setAttribute("aria-valuetext", `T = ${show(T)}`);
    for (const button of el.querySelectorAll("[data-image]")) {
      const [, preset, own] = IMAGES[button.dataset.image];
      button.setAttribute("aria-pressed", own === label && preset.every((s, j) => s === scores[j]));
    }

    const names = 46, gap = 54, rows = 104, wide = width >= 480, w = wide ? (width - 2 * names - gap - 10) / 2 : width - names - gap, most = Math.max(1, 1 / T);
    const left = frame(names, 24, w, rows, [0, 1], [0, 1]), right = wide ? frame(names + w + gap + names, 24, w, rows, [-most, most], [0, 1]) : frame(names, rows + 74, w, rows, [-most, most], [0, 1]);
    const height = right.top + rows + 22;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    const axis = (fr, places) => places.map((x) => `<text x="${fr.left + fr.X(x)}" y="${fr.top + fr.h + 16}" text-anchor="middle">${show(x)}</text>`).join("");
    const labels = (fr) => CLASSES.map((name, j) => `<text class="${j === y ? "title" : ""}" x="${fr.left - 6}" y="${fr.top + (j + 0.5) * (rows / 3) + 4}" text-anchor="end">${name}${j === y ? " ✓" : ""}</text>`).join("");
    svg.innerHTML = `${labels(left)}${wide ? "" : labels(right)}
      ${bars(left, p, y, (share) => fixed(share), "probability p", "p")}${axis(left, [0, 1])}
      ${bars(right, slopes, y, (slope) => fixed(slope), "gradient of the cross-entropy", "slope")}${axis(right, [-most, 0, most])}`;

    find(".sl-hinge").textContent = exact(hinge);
    find(".sl-entropy").textContent = nats(entropy);
    const signed = (x) => (x < 0 ? `(${exact(x)})` : exact(x));
    find("tbody").innerHTML = CLASSES.map((name, j) => `<tr${j === y ? ' class="sl-own"' : ""}><th scope="row">${name}${j === y ? " ✓" : ""}</th><td>${
      j === y ? "true class: no term" : `max(0, ${exact(scores[j])} − ${signed(scores[y])} + 1) = ${exact(terms[j])}`}</td><td>${exact(flat[j])}</td><td>${show(slopes[j])}</td></tr>`).join("");
    const wins = p.indexOf(Math.max(...p)), first = CLASSES.filter((_, j) => scores[j] === scores[wins]);
    find(".sl-note").textContent = `✓ true class. Largest score: ${first.join(" and ")}. The temperature divides the scores in the softmax; the hinge loss does not know it.${
      Number.isFinite(naive) ? "" : ` Computed as the formula stands, this cross-entropy would be ${Number.isNaN(naive) ? "∞/∞, not a number" : "infinite"}: ${
        Number.isNaN(naive) ? "e to the power of s/T overflows" : "the probability of the true class rounds to 0"} in double precision. Here the largest score is subtracted first.`}`;
    const words = `True class ${label}. Hinge loss ${exact(hinge)}, cross-entropy ${nats(entropy)} nats. Probabilities: ${CLASSES.map((name, j) => `${name} ${fixed(p[j])}`).join(", ")}.`;
    svg.setAttribute("aria-label", `${words} Gradient of the cross-entropy: ${CLASSES.map((name, j) => `${name} ${fixed(slopes[j])}`).join(", ")}.`);
    say(words);
  }

  el.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-image]");
    if (!button) return;
    const [, scores, label] = IMAGES[button.dataset.image];
    choose({ ...Object.fromEntries(CLASSES.map((name, j) => [name, scores[j]])), label });
  });
  radios.forEach((radio) => radio.addEventListener("change", () => choose({ label: radio.value })));
  for (const name of [...CLASSES, "temperature"]) {
    control(`${name}-slider`).addEventListener("input", ({ target }) => choose({ [name]: name === "temperature" ? fromSlider(Number(target.value)) : Number(target.value) }));
    control(name).addEventListener("change", ({ target }) => (target.checkValidity() && target.value !== "" ? choose({ [name]: Number(target.value) }) : draw()));
  }

  const watched = [...CLASSES, "label", "temperature"].map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, draw));
  draw();
  const stop = whenResized(find(".curves-picture"), (wide) => { width = wide; draw(); });
  return () => {
    stop();
    hush();
    watched.forEach((event) => model.off(event, draw));
  };
}

const minus = (text) => text.replace("-", "−");
/** A sum of typed scores, without the dust of binary fractions. */
const exact = (x) => minus(`${+x.toFixed(4)}`);
/** Three decimals, or words where they would hide that the number is not quite 0 or 1. */
const fixed = (x) => (x !== 0 && Math.abs(x) < 0.0005 ? show(x) : minus(x.toFixed(3)));

const nats = (x) => (x < 0.0005 ? show(x) : `${+x.toPrecision(4)}`);

export default { render };
