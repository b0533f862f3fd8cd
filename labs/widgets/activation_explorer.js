// The activation explorer: a function, its slope, where it is nearly flat, and what it makes of a Gaussian input.
// Joined in Python with activation_functions.js and curve_drawing.js.
const REACH = 8.5; // standard deviations; beyond lies less than 1e-16

/** Visit the pieces from low to high, cut at the breaks too, with the values that g has just inside their ends. */
function walk(row, p, low, high, many, g, visit) {
  const breaks = new Set((row.breaks?.(p) || []).filter((x) => x > low && x < high));
  const points = [...Array.from({ length: many + 1 }, (_, i) => low + ((high - low) * i) / many), ...breaks].sort((a, b) => a - b);
  let before; // the end of one piece is the beginning of the next, but at a break
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1], b = points[i], gap = 1e-9 * (b - a);
    if (!(a < b)) continue;
    const left = before === undefined || breaks.has(a) ? g(a + gap) : before;
    visit(a, b, left, (before = g(b - gap)));
  }
}

/** The stretches from low to high on which the slope is smaller than threshold, as [from, to]. */
export function flatStretches(row, p, threshold, low, high) {
  const slope = (x) => row.slope(x, p), flat = (x) => Math.abs(slope(x)) < threshold, found = [];
  const add = (a, b) => (found.length && a - found.at(-1)[1] < 1e-9 ? (found.at(-1)[1] = b) : found.push([a, b]));
  const change = (a, b, test) => { // test holds at a and fails at b
    for (let i = 0; i < 50; i++) test((a + b) / 2) ? (a = (a + b) / 2) : (b = (a + b) / 2);
    return (a + b) / 2;
  };
  walk(row, p, low, high, 1000, slope, (a, b, atA, atB) => {
    const [flatA, flatB] = [Math.abs(atA) < threshold, Math.abs(atB) < threshold];
    if (flatA && flatB) add(a, b);
    else if (flatA) add(a, change(a, b, flat));
    else if (flatB) add(change(b, a, flat), b);
    else if (atA * atB < 0) { // a short one around a zero of the slope
      const zero = change(a, b, (x) => slope(x) * atA > 0);
      if (flat(zero)) add(change(zero, a, flat), change(zero, b, flat));
    }
  });
  return found;
}

/** What f makes of z from N(mu, sigma²): mean, std, the share on nearly flat ground, point masses, and bins from y0 to y1. */
export function pushForward(row, p, mu, sigma, threshold, [y0, y1] = [0, 1], bins = 1) {
  const f = (x) => row.f(x, p), low = mu - REACH * sigma, high = mu + REACH * sigma;
  const below = (x) => (x === -Infinity ? 0 : x === Infinity ? 1 : Phi((x - mu) / sigma));
  const flat = row.flat?.(p) || [], atoms = new Map();
  for (const [a, b, value] of flat) atoms.set(value, (atoms.get(value) || 0) + below(b) - below(a));
  const counts = Array(bins).fill(0), wide = (y1 - y0) / bins, node = Math.sqrt(0.6);
  let total = 0, first = 0, second = 0, under = 0, over = 0;
  walk(row, p, low, high, 1200, f, (a, b, atA, atB) => {
    const middle = (a + b) / 2, half = (b - a) / 2;
    let mass = 0; // three points of Gauss and Legendre
    for (const [t, weight] of [[-node, 5 / 9], [0, 8 / 9], [node, 5 / 9]]) {
      const x = middle + t * half, m = (weight * half * phi((x - mu) / sigma)) / sigma, y = f(x);
      mass += m, first += m * y, second += m * y * y;
    }
    total += mass;
    if (flat.some(([from, to]) => middle > from && middle < to)) return;
    // Between its ends f is taken as straight: the mass is spread evenly over the bins in between.
    const bottom = Math.min(atA, atB), span = Math.max(Math.abs(atA - atB), 1e-12), share = (from, to) => (mass * Math.max(0, Math.min(bottom + span, to) - Math.max(bottom, from))) / span;
    under += share(-Infinity, y0);
    over += share(y1, Infinity);
    const to = Math.min(bins - 1, Math.floor((bottom + span - y0) / wide));
    for (let k = Math.max(0, Math.floor((bottom - y0) / wide)); k <= to; k++) counts[k] += share(y0 + k * wide, y0 + (k + 1) * wide);
  });
  const mean = first / total;
  return {
    mean, std: Math.sqrt(Math.max(0, second / total - mean * mean)), under, over, counts,
    share: flatStretches(row, p, threshold, low, high).reduce((sum, [a, b]) => sum + below(b) - below(a), 0),
    atoms: [...atoms].filter(([, share]) => share > 1e-12),
  };
}

/** "alpha=2 b=-0.5" as numbers; what the function does not know is left out, the rest kept within its slider. */
export function readSettings(row, text) {
  const found = {};
  for (const [, name, number] of text.matchAll(/(\w+)=(\S+)/g)) {
    const known = row.parameters?.find((one) => one.name === name);
    if (known && number && isFinite(number)) found[name] = Math.min(known.high, Math.max(known.low, Number(number)));
  }
  return found;
}
const writeSettings = (settings) => Object.entries(settings).map(([name, value]) => `${name}=${value}`).join(" ");

const SPANS = [3, 5, 10, 30];
const SLIDERS = { // name: symbol, meaning, from, to, step
  x: ["x =", "where values are read", -5, 5, 0.1],
  mu: ["μ =", "mean of the input z", -5, 5, 0.1],
  sigma: ["σ =", "standard deviation of z", 0.1, 4, 0.1],
  threshold: ["|f′| <", "counts as nearly flat", 0.01, 0.5, 0.01],
};
const WHICH = ["first", "second"], KIND = { first: "one", second: "two" };

function render({ model, el }) {
  const families = model.get("families"), custom = model.get("custom");
  const names = Object.values(families).flat(), own = custom.f && tabled(custom);
  const rowOf = (name) => (names.includes(name) ? (name === "Custom" ? own : FUNCTIONS[name]) : undefined);
  const option = (name) => `<option>${name}</option>`;
  const groups = Object.entries(families).map(([family, list]) => `<optgroup label="${family}">${list.map(option).join("")}</optgroup>`).join("");
  const swatch = (which) => `<svg class="swatch" aria-hidden="true"><path class="curve ${KIND[which]}" d="M0 5h28"/></svg>`;
  const slider = ([symbol, note, low, high, step], attributes) => `<label><span>${symbol} <span class="curves-value"></span> <small>${note}</small></span>
    <input type="range" min="${low}" max="${high}" step="${step}" ${attributes}></label>`;

  el.innerHTML = `<div class="curves explorer" role="group" aria-label="Activation explorer" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label><span>${swatch("first")}Function</span><select name="first">${groups}</select></label>
      <label><span>${swatch("second")}Compare with</span><select name="second">${option("none")}${groups}</select></label>
      <label>Shown<select name="span">${SPANS.map((s) => `<option value="${s}">x from −${s} to ${s}</option>`).join("")}</select></label>
    </div>
    <div class="curves-picture"><svg role="img"></svg></div>
    <div class="curves-controls">${Object.entries(SLIDERS).map(([name, parts]) => slider(parts, `name="${name}"`)).join("")}</div>
    <div class="curves-controls explorer-parameters"></div>
    <p class="curves-hidden" aria-live="polite"></p>
    <table><caption class="curves-hidden">Values at x, and what becomes of the input z</caption><thead></thead><tbody></tbody></table>
    <div class="explorer-formulas"></div>
  </div>`;

  const find = (selector) => el.querySelector(selector), control = (name) => find(`[name=${name}]`);
  const svg = find(".curves-picture > svg"), parameters = find(".explorer-parameters");
  const [say, hush] = announcer(find("[aria-live]"));
  let width = 640, quiet = false, place, shown = "", known = {};

  const quietly = (act) => { // several changes, one repaint
    quiet = true;
    act();
    quiet = false;
  };
  function choose(changes) {
    quietly(() => Object.entries(changes).forEach(([name, value]) => model.set(name, value)));
    draw();
    model.save_changes();
  }

  // An address typed by hand may ask for what is not there.
  function tidy() {
    const fix = (name, good, value) => good || model.set(name, value);
    fix("first", rowOf(model.get("first")), "Sigmoid");
    fix("second", rowOf(model.get("second")), "none");
    fix("span", SPANS.includes(model.get("span")), 5);
    for (const [name, [, , low, high]] of Object.entries(SLIDERS)) {
      const span = model.get("span"), [from, to] = name === "x" ? [-span, span] : [low, high], now = model.get(name);
      fix(name, now >= from && now <= to, Math.min(to, Math.max(from, now)) || 0);
    }
    for (const which of WHICH) {
      const text = model.get(`${which}_settings`), row = rowOf(model.get(which)), good = row ? writeSettings(readSettings(row, text)) : "";
      fix(`${which}_settings`, text === good, good);
    }
  }

  /** What is shown: one or two functions with their parameters in place. */
  function chosen() {
    return WHICH.filter((which) => rowOf(model.get(which))).map((which) => {
      const name = model.get(which), row = rowOf(name), numbers = model.get("coefficients")[name];
      const defaults = Object.fromEntries((row.parameters || []).map((one) => [one.name, one.value]));
      const p = { ...numbers, ...defaults, ...readSettings(row, model.get(`${which}_settings`)) };
      return { which, kind: KIND[which], name, row, p, numbers, f: (x) => row.f(x, p), slope: (x) => row.slope(x, p), breaks: row.breaks?.(p) || [] };
    });
  }

  function put(input, value) {
    input.value = value;
    const label = input.parentNode.querySelector(".curves-value");
    if (label) label.textContent = show(value);
  }

  function drawControls(all) {
    for (const name of [...WHICH, "span"]) control(name).value = model.get(name);
    const span = model.get("span");
    Object.assign(control("x"), { min: -span, max: span, step: span / 50 });
    for (const name in SLIDERS) put(control(name), model.get(name));
    const wanted = all.map(({ which, name }) => which + name).join();
    if (wanted !== shown) parameters.innerHTML = all.flatMap(({ which, name, row }) => (row.parameters || []).map((one) =>
      slider([`${swatch(which)}${name} ${one.symbol} =`, one.note, one.low, one.high, one.step], `data-which="${which}" data-name="${one.name}"`))).join("");
    shown = wanted;
    for (const input of parameters.querySelectorAll("input")) put(input, all.find((one) => one.which === input.dataset.which).p[input.dataset.name]);
    parameters.hidden = !parameters.innerHTML;
  }

  // What does not depend on x is kept while x moves.
  function measured(all, span, yRange, bins) {
    const numbers = ["mu", "sigma", "threshold"].map((name) => model.get(name));
    const key = JSON.stringify([all.map(({ name, p }) => [name, p]), numbers, span, yRange, bins]);
    if (known.key !== key) known = {
      key,
      results: all.map(({ row, p }) => pushForward(row, p, ...numbers, yRange, bins)),
      flats: all.map(({ row, p }) => flatStretches(row, p, numbers[2], -span, span)),
    };
    return known;
  }

  function draw() {
    quietly(tidy);
    const all = chosen(), [x, mu, sigma, threshold, span] = ["x", "mu", "sigma", "threshold", "span"].map((name) => model.get(name));
    drawControls(all);

    const left = 40, right = width < 500 ? 84 : 150, gap = 10, w = Math.max(120, width - left - right - gap), margin = left + w + gap;
    const tall = Math.round(Math.min(280, Math.max(180, 0.4 * w))), two = all.length > 1;
    const xs = Array.from({ length: 201 }, (_, i) => -span + (span * i) / 100);
    const values = (part) => all.flatMap((one) => [...xs, ...one.breaks.flatMap((b) => [b - 1e-9, b + 1e-9]).filter((b) => Math.abs(b) < span)].map(one[part]));
    let yRange = range([0, ...values("f")]), bins = Math.round(tall / 4);
    const bin = (yRange[1] - yRange[0]) / bins; // zero shall lie between two bins
    yRange = [Math.floor(yRange[0] / bin) * bin, Math.ceil(yRange[1] / bin) * bin];
    bins = Math.round((yRange[1] - yRange[0]) / bin);
    const slopeRange = range([0, threshold, ...values("slope")]), { results, flats } = measured(all, span, yRange, bins);

    const top = (place = frame(left, 22, w, tall, [-span, span], yRange));
    const low = frame(left, tall + 50, w, Math.round(tall * 0.62), [-span, span], slopeRange);
    const input = frame(left, low.top + low.h + 44, w, two ? 84 : 56, [-span, span], [two ? -1.02 : 0, 1.02]);
    const steps = ticks(-span, span, w / 60), height = input.top + input.h + 4;
    const onFlats = (draw) => all.map((one, i) => flats[i].map(([a, b]) => draw(one, i, a, b)).join("")).join("");
    // Shaded over the full height; in the slope also a strip for each function, for two shades over one another are hard to tell apart.
    const shade = (fr, strips) => onFlats(({ kind }, i, a, b) => [[0, fr.h, ""], ...(strips ? [[6 * i, 5, "strip"]] : [])].map(([y, h, strip]) =>
      `<rect class="flat ${strip} ${kind}" x="${fr.X(a)}" y="${y}" width="${fr.X(b) - fr.X(a)}" height="${h}"/>`).join(""));
    const cross = (fr) => `<path class="cross" d="M${fr.X(x)} 0v${fr.h}"/>`;
    const curves = (fr, part) => all.map((one) => fr.line(one[part], one.breaks, one.kind)).join("") + cross(fr)
      + all.map((one) => `<circle class="dot ${one.kind}" cx="${fr.X(x)}" cy="${fr.Y(one[part](x))}" r="4.5"/>`).join("");
    const bell = (i, a, b) => { // the density of the input, upwards for the first function and downwards for the second
      const many = Math.max(2, Math.ceil(input.X(b) - input.X(a)) >> 1), edge = Array.from({ length: many + 1 }, (_, j) => a + ((b - a) * j) / many);
      const points = edge.map((z) => `L${input.X(z).toFixed(1)} ${input.Y((i ? -1 : 1) * Math.exp((-(((z - mu) / sigma) ** 2)) / 2)).toFixed(1)}`);
      return `M${input.X(a)} ${input.Y(0)}${points.join("")}L${input.X(b)} ${input.Y(0)}z`;
    };
    const each = two ? (right - 8) / 2 : right;
    const outputs = all.map(({ kind }, i) => output(results[i], kind, margin + i * (each + 8), each, top)).join("");
    const key = [["+", "mean, std"], ["▬", "point mass"], ["▸", "cut short"]].filter(([sign]) => sign === "+" || outputs.includes(sign === "▸" ? "cut" : "point"));

    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.innerHTML = `<text class="title" x="${left}" y="14">f(x)</text><text class="title" x="${margin}" y="14">output f(z)</text>
      ${top.grid(steps, ticks(...yRange, tall / 45))}${top.inside(shade(top) + curves(top, "f"))}
      ${outputs}
      ${key.map(([sign, words], i) => `<text class="key" x="${margin}" y="${low.top + 12 + 17 * i}">${sign} ${words}</text>`).join("")}
      <text class="title" x="${left}" y="${low.top - 8}">slope f′(x)</text>
      ${low.grid(steps, ticks(...slopeRange, low.h / 40), true)}
      ${low.inside(`${shade(low, true)}<path class="limit" d="M0 ${low.Y(threshold)}h${w}M0 ${low.Y(-threshold)}h${w}"/>${curves(low, "slope")}`)}
      <text class="title" x="${left}" y="${input.top - 8}">input z from N(${show(mu)}, ${show(sigma)}²)</text>
      ${input.inside(all.map((_, i) => `<path class="bell" d="${bell(i, -span, span)}"/>`).join("")
        + onFlats(({ kind }, i, a, b) => `<path class="bell-flat ${kind}" d="${bell(i, a, b)}"/>`) + cross(input))}
      <path class="grid zero" d="M${left} ${input.top + input.Y(0)}h${w}"/>`;

    const rows = [
      [`f(${show(x)})`, (one) => show(one.f(x))],
      [`f′(${show(x)})`, (one) => show(one.slope(x))],
      ["share of z on nearly flat ground", (_, result) => percent(result.share)],
      ["mean of f(z)", (_, result) => show(result.mean)],
      ["standard deviation of f(z)", (_, result) => show(result.std)],
      ["point masses of f(z)", (_, result) => result.atoms.map(([value, share]) => `${show(value)} with ${percent(share)}`).join(", ") || "none"],
    ];
    find("thead").innerHTML = `<tr><td></td>${all.map(({ which, name }) => `<th scope="col">${swatch(which)}${name}</th>`).join("")}</tr>`;
    find("tbody").innerHTML = rows.map(([name, cell]) => `<tr><th scope="row">${name}</th>${all.map((one, i) => `<td>${cell(one, results[i])}</td>`).join("")}</tr>`).join("");
    const words = all.map((one, i) => `${one.name} ${rows.slice(0, 5).map(([name, cell]) => `${name} ${cell(one, results[i])}`).join(", ")}`).join("; ");
    svg.setAttribute("aria-label", `Curve, slope, and densities of input and output. ${words}.`);
    say(`${words}.`);
    const formulas = all.map(({ which, name, row, numbers }) => `<p>${swatch(which)}<b>${name}</b>${row.text ? `: f(x) = ${row.text[0]}; f′(x) = ${row.text[1]}.` : ""} ${row.note || ""}
      </p>${numbers ? `<details><summary>${model.get("origin")[name] || "Its numbers"}</summary>${
        Object.entries(numbers).map(([key, list]) => `<p>${key} = ${[list].flat().map(show).join(", ")}</p>`).join("")}</details>` : ""}`).join("");
    if (find(".explorer-formulas").innerHTML !== formulas) find(".explorer-formulas").innerHTML = formulas;
  }

  el.addEventListener("input", ({ target }) => {
    const { which, name } = target.dataset, value = Number(target.value);
    if (which) choose({ [`${which}_settings`]: writeSettings({ ...readSettings(rowOf(model.get(which)), model.get(`${which}_settings`)), [name]: value }) });
    else if (WHICH.includes(target.name)) choose({ [target.name]: target.value, [`${target.name}_settings`]: "" });
    else choose({ [target.name]: value });
  });
  const follow = (event) => {
    const span = model.get("span"), at = (event.clientX - svg.getBoundingClientRect().left - place.left) / place.w;
    choose({ x: +(Math.min(50, Math.max(-50, Math.round(100 * at - 50))) * span / 50).toFixed(2) });
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.clientX > svg.getBoundingClientRect().left + place.left + place.w + 5) return;
    svg.setPointerCapture(event.pointerId);
    follow(event);
  });
  svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && follow(event));

  const changed = () => quiet || draw();
  const watched = ["first", "second", "first_settings", "second_settings", "span", "coefficients", ...Object.keys(SLIDERS)].map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, changed));
  draw();
  const stop = whenResized(find(".curves-picture"), (wide) => { width = wide; draw(); });
  return () => {
    stop();
    hush();
    watched.forEach((event) => model.off(event, changed));
  };
}

/** The density of the output, lying on its side beside the curve; a bar of its own for each value with a point mass. */
function output({ counts, atoms, under, over, mean, std }, kind, left, w, fr) {
  const step = fr.h / counts.length, full = counts.filter((c) => c > 0), most = Math.max(...full, 1e-300);
  const cap = Math.min(most, (8 * full.reduce((a, b) => a + b, 0)) / full.length); // one high peak shall not flatten all the rest
  const bars = counts.map((c, k) => `L${((Math.min(c, cap) / cap) * w || 0).toFixed(1)} ${(fr.h - k * step).toFixed(1)}v${(-step).toFixed(1)}`).join("");
  const cut = counts.map((c, k) => (c > cap * 1.001 ? `<path class="cut" d="M${w} ${fr.h - (k + 0.5) * step - 4}l6 4l-6 4z"/>` : "")).join("");
  const exact = atoms.map(([value, share]) => `<rect class="point" x="0" y="${fr.Y(value) - 3}" width="${Math.max(2, share * w)}" height="6"/>
    <text x="4" y="${fr.Y(value) > 20 ? fr.Y(value) - 7 : fr.Y(value) + 16}">${percent(share)}</text>`).join("");
  const m = fr.Y(mean), s = Math.abs(fr.Y(std) - fr.Y(0)), label = (sign, share, y) => (share > 0.005 ? `<text x="4" y="${y}">${sign} ${percent(share)}</text>` : "");
  return `<svg x="${left}" y="${fr.top}" width="${w + 7}" height="${fr.h}" class="output ${kind}"><path class="mass" d="M0 ${fr.h}${bars}L0 0z"/>${cut}
    <path class="moment" d="M${w - 6} ${m - s}v${2 * s}M${w - 11} ${m}h10"/>${exact}${label("↑", over, 12)}${label("↓", under, fr.h - 4)}</svg>
    <path class="grid zero" d="M${left} ${fr.top}v${fr.h}"/>`;
}

export default { render };
