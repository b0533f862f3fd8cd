// The neuron ward: every hidden unit of an untrained network, drawn by its condition.
// The numbers come from Python; labs/widgets/ward_packing.py gives the layout of the bytes.
const BYTES = 14, BINS = 11;

/** Decode one network: a list of layers, each a list of units. */
export function unpack(text, examples, width) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  const word = new DataView(new ArrayBuffer(4));
  const upperHalf = (at) => (word.setUint32(0, view.getUint16(at, true) << 16), word.getFloat32(0));
  const layers = [];
  for (let at = 0, n = 0; at < bytes.length; at += BYTES, n++) {
    const mean = upperHalf(at), std = upperHalf(at + 2);
    const half = (i) => (bytes[at + 8 + (i >> 1)] >> (i % 2 ? 4 : 0)) & 15;
    if (n % width === 0) layers.push([]);
    layers.at(-1).push({
      mean, std,
      low: mean - (bytes[at + 4] * std) / 16,
      high: mean + (bytes[at + 5] * std) / 16,
      open: Math.round(view.getUint16(at + 6, true) * (examples / 65535)),
      bars: Array.from({ length: BINS }, (_, i) => (half(i + 1) / 15) ** 2),
      state: half(0),
    });
  }
  return layers;
}

/** "14 of 32 dead, 3 bias-dominated", the same words as WardTable.summary in Python. */
export function summary(units, states) {
  const count = countStates(units, states);
  const ill = states.map((name, i) => [count[i], name]).slice(1).reverse().filter(([n]) => n);
  if (!ill.length) return `all ${units.length} alive`;
  return ill.map(([n, name], i) => (i ? `${n} ${name}` : `${n} of ${units.length} ${name}`)).join(", ");
}

const countStates = (units, states) => states.map((_, code) => units.filter((unit) => unit.state === code).length);

const MEANING = {
  alive: "It answers differently to different images.",
  "bias-dominated": "Its mean lies more than three standard deviations from zero: it hardly ever changes sides and acts almost like a constant.",
  saturated: "Stuck on a level other than zero: its slope is nearly flat on at least 99 % of the images.",
  "near-dead": "Its output stays close to zero, and its slope is nearly flat on at least 99 % of the images.",
  dead: "Exactly zero on every image: no gradient reaches its weights.",
};

/** Three significant digits, with a real minus sign and a real power of ten. */
function show(x) {
  if (x === 0) return "0";
  const small = Math.abs(x) < 0.001 || Math.abs(x) >= 1e5;
  const [digits, power] = small ? x.toExponential(1).split("e") : [Number(x.toPrecision(3)).toString()];
  const raised = power?.replace("+", "").replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  return digits.replace("-", "−") + (raised ? `×10${raised}` : "");
}

function shareOf(n, all, many) {
  if (n === 0 || n === all) return `${n ? "all" : "none of the"} ${many} images`;
  const percent = (100 * n) / all < 0.1 ? "below 0.1" : (100 * n) / all > 99.9 ? "above 99.9" : ((100 * n) / all).toFixed(1);
  return `${n.toLocaleString("en")} of ${many} images (${percent} %)`;
}

function histogram(unit) {
  const W = 300, H = 100, from = Math.min(unit.low, 0), to = Math.max(unit.high, 0), span = to - from || 1;
  const x = (value) => 12 + ((value - from) / span) * (W - 24), zero = x(0), left = x(unit.low), right = x(unit.high);
  const wide = Math.max(right - left, 3), step = wide / BINS;
  const bar = (height, i) => {
    const a = left + i * step, b = a + step - (step > 4 ? 1 : 0), top = H - height * (H - 8);
    const part = (l, r, side) => (r > l && height ? `<rect class="side ${side}" x="${l}" y="${top}" width="${r - l}" height="${H - top}"/>` : "");
    return part(a, Math.min(b, zero), "off") + part(Math.max(a, zero), b, "on");
  };
  const inside = (value, room) => Math.min(Math.max(value, room), W - room);
  const ends = wide > 130
    ? `<text x="${inside(left, 0)}" y="${H + 33}">${show(unit.low)}</text><text x="${inside(right, 0)}" y="${H + 33}" text-anchor="end">${show(unit.high)}</text>`
    : `<text x="${inside((left + right) / 2, 62)}" y="${H + 33}" text-anchor="middle">${show(unit.low)} … ${show(unit.high)}</text>`;
  const m = x(unit.mean), s = (unit.std / span) * (W - 24);
  return `${unit.bars.map(bar).join("")}
    <path d="M0 ${H}H${W}" stroke="currentColor" stroke-opacity=".5"/>
    <path d="M${zero} 0V${H + 6}" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 3"/>
    <text x="${zero}" y="${H + 19}" text-anchor="middle">0</text>
    <path d="M${m - s} ${H + 4}H${m + s}" stroke="currentColor" stroke-width="2"/><path d="M${m} ${H + 1}l4 8h-8z"/>
    ${ends}`;
}

function render({ model, el }) {
  const data = model.get("data"), { states, width, examples } = data;
  const live = !model.isStatic && model.get("live");
  const many = examples.toLocaleString("en"), decoded = new Map();
  const options = (list) => list.map(([value, label]) => `<option value="${value}">${label}</option>`).join("");
  const seedList = data.seeds.length > 1 ? `seeds ${data.seeds.join(", ")}` : `seed ${data.seeds[0]}`;
  const mark = (state) => `<span class="ward-mark" data-state="${state}" aria-hidden="true"></span>`;

  el.innerHTML = `<div class="ward" role="group" aria-label="Neuron ward" data-lm-suppress-shortcuts="true">
    <div class="ward-controls">
      <label>Activation <select name="activation">${options(data.activations.map((a) => [a, a]))}</select></label>
      <label>Initialisation <select name="init">${options(data.inits)}</select></label>
      <label><span>Hidden layers: <span class="ward-depth"></span></span><input name="depth" type="range" min="1" max="${data.layers}"></label>
      <label>Seed ${live ? '<input name="seed" type="number" min="0" max="4294967295" step="1">'
        : `<select name="seed">${options(data.seeds.map((s) => [s, s]))}</select>`}</label>
      <p class="ward-note">${live ? `The kernel computes seeds other than ${data.seeds.join(", ")} on all ${many} images when you ask.`
        : `This page carries ${seedList}; run the notebook for others.`}</p>
    </div>
    <p class="ward-headline" aria-live="polite"></p>
    <div class="ward-wait" hidden><progress max="1" aria-label="Computation"></progress><span></span></div>
    <div class="ward-body">
      <div class="ward-grid" role="grid" aria-label="Hidden units, one row per layer" aria-colcount="${width}">${
        Array.from({ length: data.layers }, (_, l) => `<div class="ward-row" role="row">
          <span class="ward-name" role="rowheader" aria-label="layer ${l + 1}">${l + 1}</span><div class="ward-units" role="presentation">${
          Array.from({ length: width }, (_, u) => `<button type="button" class="ward-unit ward-mark" role="gridcell" tabindex="-1" data-unit="${l + 1}.${u + 1}"></button>`).join("")
        }</div></div>`).join("")}</div>
      <div class="ward-panel"><h3></h3><svg viewBox="0 0 300 138" role="img"></svg><p class="ward-numbers"></p><p class="ward-meaning"></p></div>
      <div class="ward-table"><table><caption class="ward-hidden">Units in each condition, layer by layer</caption>
        <thead><tr><th scope="col">layer</th>${[...states].reverse().map((s) => `<th scope="col" title="${s}">${mark(s)}<span class="ward-hidden">${s}</span></th>`).join("")}</tr></thead>
        <tbody></tbody></table></div>
      <ul class="ward-legend" aria-label="Legend">${[...states].reverse().map((s) => `<li>${mark(s)}${s}</li>`).join("")}</ul>
    </div></div>`;

  const find = (selector) => el.querySelector(selector), all = (selector) => [...el.querySelectorAll(selector)];
  const control = Object.fromEntries(all("select, input").map((input) => [input.name, input]));
  const rows = all(".ward-row"), cells = rows.map((row) => [...row.querySelectorAll("button")]);

  const choose = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };

  // An address typed by hand may ask for what is not there.
  function tidy() {
    const fix = (name, good, value) => good || model.set(name, value);
    const seed = model.get("seed"), depth = model.get("depth"), [layer, number] = model.get("unit").split(".").map(Number);
    fix("activation", data.activations.includes(model.get("activation")), data.activations[0]);
    fix("init", data.inits.some(([key]) => key === model.get("init")), data.inits[0][0]);
    fix("seed", live || data.seeds.includes(seed), data.seeds[0]);
    fix("depth", cells[depth - 1], Math.min(Math.max(Math.round(depth) || 1, 1), data.layers));
    fix("unit", cells[layer - 1]?.[number - 1] && layer <= model.get("depth"), `${Math.min(layer || 1, model.get("depth"))}.${number >= 1 && number <= width ? number : 1}`);
  }

  const keyOf = () => ["activation", "init", "seed"].map((name) => model.get(name)).join();

  function network() {
    const key = keyOf(), text = data.tables[key] || model.get("computed")[key];
    if (text && !decoded.has(key)) decoded.set(key, unpack(text, examples, width));
    return decoded.get(key);
  }

  function draw() {
    tidy();
    const layers = network(), depth = model.get("depth"), seed = model.get("seed");
    const [layer, number] = model.get("unit").split(".").map(Number);
    for (const name in control) control[name].value = model.get(name);
    find(".ward-depth").textContent = depth;
    find(".ward-wait").hidden = !!layers;
    find(".ward-wait progress").value = model.get("progress");
    find(".ward-wait span").textContent = model.get("problem") || `computing seed ${seed} on all ${many} images`;
    find(".ward-grid").setAttribute("aria-busy", !layers);
    find(".ward-grid").setAttribute("aria-rowcount", depth);
    rows.forEach((row, l) => {
      row.hidden = l >= depth;
      cells[l].forEach((cell, u) => {
        const state = layers ? states[layers[l][u].state] : "unknown", here = l + 1 === layer && u + 1 === number;
        cell.dataset.state = state;
        cell.setAttribute("aria-label", `layer ${l + 1}, unit ${u + 1}: ${state}`);
        cell.setAttribute("aria-selected", here);
        cell.tabIndex = here ? 0 : -1;
      });
    });
    find(".ward-body").querySelectorAll(".ward-panel, .ward-table").forEach((part) => (part.hidden = !layers));
    if (!layers) return;

    const headline = `Layer ${depth}: ${summary(layers[depth - 1], states)}.`;
    if (find(".ward-headline").textContent !== headline) find(".ward-headline").textContent = headline;
    find("tbody").innerHTML = layers.slice(0, depth).map((units, l) => `<tr class="${l + 1 === layer ? "ward-here" : ""}"><th scope="row">${l + 1}</th>${
      countStates(units, states).reverse().map((n) => `<td class="${n ? "" : "zero"}">${n}</td>`).join("")}</tr>`).join("");

    const unit = layers[layer - 1][number - 1], state = states[unit.state];
    find("h3").innerHTML = `${mark(state)} Layer ${layer}, unit ${number}: ${state}`;
    find("svg").innerHTML = histogram(unit);
    find("svg").setAttribute("aria-label", `Histogram of the pre-activation over ${many} images: from ${show(unit.low)} to ${show(unit.high)}, mean ${show(unit.mean)}, standard deviation ${show(unit.std)}.`);
    find(".ward-numbers").textContent = `Pre-activation: mean ${show(unit.mean)}, std ${show(unit.std)}. Lets gradient through on ${shareOf(unit.open, examples, many)}.`;
    find(".ward-meaning").textContent = MEANING[state];
  }

  for (const name in control) {
    const input = control[name], number = name === "depth" || name === "seed";
    input.addEventListener(name === "depth" ? "input" : "change", () => {
      if (!input.checkValidity() || input.value === "") return draw();
      choose({ [name]: number ? Number(input.value) : input.value });
    });
  }

  const grid = find(".ward-grid");
  const pick = (event) => event.target.dataset?.unit && event.target.dataset.unit !== model.get("unit") && choose({ unit: event.target.dataset.unit });
  grid.addEventListener("click", pick);
  grid.addEventListener("focusin", pick);
  grid.addEventListener("keydown", (event) => {
    const [layer, number] = (event.target.dataset.unit || "").split(".").map(Number);
    if (!layer || event.ctrlKey || event.metaKey || event.altKey) return;
    const perLine = getComputedStyle(event.target.parentNode).gridTemplateColumns.split(" ").length;
    const place = (layer - 1) * width + number - 1, last = model.get("depth") * width - 1, start = (layer - 1) * width;
    const goal = { ArrowLeft: place - 1, ArrowRight: place + 1, ArrowUp: place - perLine, ArrowDown: place + perLine, Home: start, End: start + width - 1 }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (goal >= 0 && goal <= last) cells[Math.floor(goal / width)][goal % width].focus();
  });

  const watched = ["activation", "init", "depth", "seed", "unit", "computed", "progress", "problem"].map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, draw));
  draw();
  return () => watched.forEach((event) => model.off(event, draw));
}

export default { render };
