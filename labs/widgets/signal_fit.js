// Fit a signal: a small network learns a curve, and its activation changes shape on the way.
// The numbers come from Python; labs/widgets/signal_packing.py gives the layout of the bytes.
const LEVELS = 65535, LAYERS = 2, BEAT = 450; // milliseconds per picture when it plays

/** Decode one network; see SignalRun in Python for the names. */
export function unpack(text, { epochs, steps, counts: [shown, window] }) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), view = new DataView(bytes.buffer);
  let at = 0;
  const curve = (length) => {
    const low = view.getFloat32(at, true), step = (view.getFloat32(at + 4, true) - low) / LEVELS;
    const values = Float64Array.from({ length }, (_, i) => low + view.getUint16(at + 8 + 2 * i, true) * step);
    at += 8 + 2 * length;
    return values;
  };
  const curves = (number, length) => Array.from({ length: number }, () => curve(length));
  const E = epochs.length, [error, train, outside] = [steps.length, E, E].map((n) => curve(n).map((x) => 10 ** x));
  const ends = curves(2 * LAYERS, E), fit = curves(E, shown), shape = [];
  const reach = epochs.map((_, e) => [[ends[0][e], ends[1][e]], [ends[2][e], ends[3][e]]]);
  while (at < bytes.length) shape.push(curves(LAYERS, window));
  return { error, train, outside, reach, fit, shape };
}

/** By how much a layer's activation differs from its start, where 98 % of its inputs lie. */
export function moved(run, epoch, layer, window) {
  const now = run.shape[Math.min(epoch, run.shape.length - 1)][layer], start = run.shape[0][layer];
  const [low, high] = run.reach[epoch][layer], z = (i) => window * ((2 * i) / (now.length - 1) - 1);
  return now.reduce((most, y, i) => (z(i) < low || z(i) > high ? most : Math.max(most, Math.abs(y - start[i]))), 0);
}

/** Three significant digits, with a real minus sign. */
const show = (x) => (Math.abs(x) < 5e-5 ? "0" : Number(x.toPrecision(3)).toString().replace("-", "−"));

const line = (xs, ys, attributes) =>
  `<path fill="none" ${attributes} d="M${Array.from(xs, (x, i) => `${x.toFixed(1)} ${ys[i].toFixed(1)}`).join("L")}"/>`;

/** A frame with ticks; `draw(x, y)` returns what stands inside, cut off at the edges. */
function chart(svg, { x: [x0, x1], y: [y0, y1], xTicks, yTicks, draw }) {
  const W = Math.max(svg.clientWidth, 120), H = Math.max(svg.clientHeight, 100), left = 38, right = 8, top = 6, bottom = 20;
  const w = W - left - right, h = H - top - bottom, clamp = (v) => Math.max(-9999, Math.min(9999, v));
  const x = (v) => ((v - x0) / (x1 - x0)) * w, y = (v) => clamp((1 - (v - y0) / (y1 - y0)) * h);
  svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
  svg.innerHTML = `${xTicks.map(([v, text]) => `<text x="${left + x(v)}" y="${H - 5}" text-anchor="middle">${text}</text>`).join("")}
    ${yTicks.map(([v, text]) => `<text x="${left - 5}" y="${top + y(v) + 4}" text-anchor="end">${text}</text><path class="sf-grid" d="M${left} ${top + y(v)}h${w}"/>`).join("")}
    <svg x="${left}" y="${top}" width="${w}" height="${h}" overflow="hidden">${draw(x, y, w, h)}</svg>
    <path class="sf-axis" d="M${left} ${top}v${h}h${w}"/>`;
}

/** Some three to five round numbers between `low` and `high`. */
function ticks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough * 0.7), found = [];
  for (let v = Math.ceil(low / step); v * step <= high; v++) found.push([v * step, show(v * step)]);
  return found;
}

function render({ model, el }) {
  const data = model.get("data"), { epochs, steps, inside, outside, window: reachable } = data;
  const live = !model.isStatic && model.get("live"), decoded = new Map(), last = epochs.length - 1;
  const labels = Object.fromEntries(data.signals), calm = matchMedia("(prefers-reduced-motion: reduce)");
  const along = (n, end) => Array.from({ length: n }, (_, i) => end * ((2 * i) / (n - 1) - 1));
  const shown = along(data.counts[0], outside), window = along(data.counts[1], reachable), examples = along(data.counts[2], inside);
  const options = (list) => list.map(([value, label]) => `<option value="${value}">${label}</option>`).join("");
  const seedList = data.seeds.length > 1 ? `seeds ${data.seeds.join(", ")}` : `seed ${data.seeds[0]}`;
  const key = (style, text) => `<li><svg class="sf-key" viewBox="0 0 26 10" aria-hidden="true">${style}</svg>${text}</li>`;
  const stroke = (name) => `<path class="sf-${name}" fill="none" d="M1 5h24"/>`;
  const panel = (name, title, keys) => `<figure class="sf-${name}"><figcaption><span class="sf-title">${title}</span><ul class="sf-legend" aria-label="Legend">${keys}</ul></figcaption><svg role="img"></svg></figure>`;
  const dotKey = [5, 13, 21].map((x) => `<circle class="sf-dot" cx="${x}" cy="5" r="2.5"/>`).join("");
  const layerKeys = key(stroke("now"), "now") + key(stroke("start"), "start") + key(stroke("reach"), "98 % of its inputs");

  el.innerHTML = `<div class="sf" role="group" aria-label="Fit a signal" data-lm-suppress-shortcuts="true">
    <div class="sf-controls">
      <label>Signal <select name="signal">${options(data.signals)}</select></label>
      <label>Activation <select name="activation">${options(data.activations.map((a) => [a, a]))}</select></label>
      <label>Seed ${live ? '<input name="seed" type="number" min="0" max="4294967295" step="1">'
        : `<select name="seed">${options(data.seeds.map((s) => [s, s]))}</select>`}</label>
      <label class="sf-slide"><span>Epoch: <span class="sf-epoch"></span></span><input name="epoch" type="range" min="0" max="${last}"></label>
      <button type="button"></button>
      <p class="sf-note"></p>
    </div>
    <p class="sf-readout" aria-live="polite"></p>
    <div class="sf-wait" hidden><progress max="1" aria-label="Computation"></progress><span></span></div>
    <div class="sf-body">
      ${panel("fit", "Signal and fit", key(stroke("truth"), "signal") + key(dotKey, "examples, every fourth") + key(stroke("now"), "fit"))}
      ${panel("error", "Error (root mean square)", key(stroke("now"), "on the examples") + key(stroke("far"), "outside"))}
      ${panel("layer1", "Activation, layer 1", layerKeys)}${panel("layer2", "Activation, layer 2", layerKeys)}
    </div></div>`;

  const find = (selector) => el.querySelector(selector), all = (selector) => [...el.querySelectorAll(selector)];
  const control = Object.fromEntries(all("select, input").map((input) => [input.name, input]));
  const button = find("button"), svg = Object.fromEntries(["fit", "error", "layer1", "layer2"].map((name) => [name, find(`.sf-${name} > svg`)]));
  let timer = null;

  const choose = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };

  // An address typed by hand may ask for what is not there.
  function tidy() {
    const fix = (name, good, value) => good || model.set(name, value);
    const epoch = model.get("epoch"), nearest = (a, b) => (Math.abs(b - epoch) < Math.abs(a - epoch) ? b : a);
    fix("signal", data.signals.some(([name]) => name === model.get("signal")), data.signals[0][0]);
    fix("activation", data.activations.includes(model.get("activation")), data.activations[0]);
    fix("seed", live || data.seeds.includes(model.get("seed")), data.seeds[0]);
    fix("epoch", epochs.includes(epoch), epochs.reduce(nearest));
  }

  function network() {
    const name = ["signal", "activation", "seed"].map((trait) => model.get(trait)).join();
    const text = data.runs[name] || model.get("computed")[name];
    if (text && !decoded.has(name)) decoded.set(name, unpack(text, data));
    return decoded.get(name);
  }

  /** The heights that a layer's activation takes where its inputs lie, at any epoch: the picture must not jump. */
  function heights(run, layer) {
    let low = -0.2, high = 0.2;
    run.reach.forEach((reach, e) => {
      const [from, to] = reach[layer];
      for (const shape of [run.shape[0], run.shape[Math.min(e, run.shape.length - 1)]])
        shape[layer].forEach((y, i) => {
          if (window[i] >= from && window[i] <= to) [low, high] = [Math.min(low, y), Math.max(high, y)];
        });
    });
    const room = 0.08 * (high - low);
    return [low - room, high + room];
  }

  function drawFit(run, e, wanted) {
    const tick = [-outside, -inside, 0, inside, outside].map((v) => [v, show(v)]);
    chart(svg.fit, { x: [-outside, outside], y: [-2, 2], xTicks: tick, yTicks: [-1, 0, 1].map((v) => [v, show(v)]), draw: (x, y, w, h) => {
      const beyond = [0, x(inside)].map((at) => `<rect class="sf-beyond" x="${at}" width="${x(-inside)}" height="${h}"/>`);
      const dots = data.points[model.get("signal")].map((v, i) => (i % 4 === 2 ? `<circle class="sf-dot" cx="${x(examples[i]).toFixed(1)}" cy="${y(v).toFixed(1)}" r="2.5"/>` : ""));
      const words = [-1, 1].map((side) => `<text x="${x((side * (inside + outside)) / 2)}" y="${h - 8}" text-anchor="middle">${w > 500 ? "never trained here" : "outside"}</text>`);
      return beyond.join("") + line(shown.map(x), wanted.map(y), 'class="sf-truth"') + line(shown.map(x), run.fit[e].map(y), 'class="sf-now"') + dots.join("") + words.join("");
    } });
  }

  function drawError(run, e) {
    const far = Math.log1p(epochs[last]), place = (x, epoch) => x(Math.log1p(epoch)), log = (x) => Math.log10(Math.max(x, 1e-6));
    const tick = [0, 10, 100, 1000, 10000].filter((t) => t <= epochs[last]).map((t) => [Math.log1p(t), t]);
    chart(svg.error, { x: [0, 1.03 * far], y: [-3.4, 1.6], xTicks: tick, yTicks: [-3, -2, -1, 0, 1].map((p) => [p, 10 ** p >= 1 ? 10 ** p : (10 ** p).toFixed(-p)]), draw: (x, y, w, h) => {
      const now = place(x, epochs[e]), at = epochs.map((epoch) => place(x, epoch));
      return `<path class="sf-here" d="M${now} 0v${h}"/>${line(at, run.outside.map((v) => y(log(v))), 'class="sf-far"')}
        ${line(steps.map((s) => place(x, s)), run.error.map((v) => y(log(v))), 'class="sf-now"')}
        <circle class="sf-mark" cx="${now}" cy="${y(log(run.train[e]))}" r="4"/><circle class="sf-mark sf-far" cx="${now}" cy="${y(log(run.outside[e]))}" r="4"/>`;
    } });
  }

  function drawLayer(run, e, layer) {
    const y = (run.limits ||= [0, 1].map((l) => heights(run, l)))[layer], [low, high] = run.reach[e][layer];
    const now = run.shape[Math.min(e, run.shape.length - 1)][layer];
    chart(svg[`layer${layer + 1}`], { x: [-reachable, reachable], y, xTicks: [-4, -2, 0, 2, 4].map((v) => [v, show(v)]), yTicks: ticks(...y), draw: (x, h, w, H) => {
      const from = x(Math.max(low, -reachable)), to = x(Math.min(high, reachable));
      return `<path class="sf-grid" d="M${x(0)} 0v${H}"/><path class="sf-reach" d="M${from} ${H - 3}H${to}"/>
        ${low < -reachable ? `<path class="sf-tip" d="M1 ${H - 3}l8 -5v10z"/>` : ""}${high > reachable ? `<path class="sf-tip" d="M${w - 1} ${H - 3}l-8 -5v10z"/>` : ""}
        ${line(window.map(x), now.map(h), 'class="sf-now"')}${line(window.map(x), run.shape[0][layer].map(h), 'class="sf-start"')}`;
    } });
  }

  function draw() {
    tidy();
    const run = network(), e = epochs.indexOf(model.get("epoch")), name = model.get("activation"), number = data.parameters[name];
    for (const trait in control) control[trait].value = trait === "epoch" ? e : model.get(trait);
    control.epoch.setAttribute("aria-valuetext", `epoch ${epochs[e]}`);
    find(".sf-epoch").textContent = epochs[e];
    button.textContent = calm.matches ? "Next epoch" : timer ? "Pause" : "Play";
    button.disabled = !run;
    find(".sf-note").textContent = `${number ? `${name} learns ${number} number${number > 1 ? "s" : ""} in each layer, beside the weights.` : `${name} has no number to learn: only the weights do.`} ${
      live ? `The kernel trains seeds other than ${data.seeds.join(", ")} when you ask.` : `This page carries ${seedList}; run the notebook for others.`}`;
    find(".sf-wait").hidden = !!run;
    find(".sf-wait progress").value = model.get("progress");
    find(".sf-wait span").textContent = model.get("problem") || `training with seed ${model.get("seed")}`;
    find(".sf-body").hidden = find(".sf-readout").hidden = !run;
    if (!run) return stop();

    const errors = `error ${show(run.train[e])} on the examples, ${show(run.outside[e])} outside`;
    const changes = [0, 1].map((layer) => show(moved(run, e, layer, reachable)));
    const story = !number ? `Both activations are what they were: ${name} has no parameter.`
      : e === 0 ? "Nothing is learned yet."
      : `The activation has moved by up to ${changes[0]} in layer 1 and ${changes[1]} in layer 2, where their inputs lie.`;
    const words = `Epoch ${epochs[e]}: ${errors}. ${story}`, readout = find(".sf-readout");
    readout.setAttribute("aria-live", timer ? "off" : "polite");
    if (readout.textContent !== words) readout.textContent = words;

    drawFit(run, e, data.truth[model.get("signal")]);
    drawError(run, e);
    [0, 1].forEach((layer) => drawLayer(run, e, layer));
    const tell = (part, text) => svg[part].setAttribute("aria-label", text);
    tell("fit", `The signal is ${labels[model.get("signal")]}; the ${name} network at epoch ${epochs[e]}: ${errors}.`);
    tell("error", `Error over the epochs: on the examples from ${show(run.train[0])} to ${show(run.train[last])}, outside from ${show(run.outside[0])} to ${show(run.outside[last])}.`);
    [0, 1].forEach((layer) => tell(`layer${layer + 1}`, `Activation of layer ${layer + 1}, ${number ? `moved by up to ${changes[layer]} from its start` : "as at its start"}; its inputs lie between ${run.reach[e][layer].map(show).join(" and ")}.`));
  }

  const step = () => choose({ epoch: epochs[(epochs.indexOf(model.get("epoch")) + 1) % epochs.length] });
  function stop() {
    clearInterval(timer);
    timer = null;
  }
  function play() {
    timer = setInterval(() => {
      if (!el.isConnected || model.get("epoch") === epochs[last]) { stop(); return draw(); }
      step();
    }, BEAT);
    model.get("epoch") === epochs[last] ? step() : draw();
  }
  button.addEventListener("click", () => {
    if (calm.matches) return step();
    if (!timer) return play();
    stop();
    draw();
  });
  for (const name in control) {
    const input = control[name];
    input.addEventListener(name === "epoch" ? "input" : "change", () => {
      if (!input.checkValidity() || input.value === "") return draw();
      if (name === "epoch") stop();
      choose({ [name]: name === "epoch" ? epochs[input.value] : name === "seed" ? Number(input.value) : input.value });
    });
  }

  const still = () => (stop(), draw());
  const watched = ["signal", "activation", "seed", "epoch", "computed", "progress", "problem"].map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, draw));
  calm.addEventListener("change", still);
  const size = new ResizeObserver(draw);
  size.observe(find(".sf"));
  draw();
  return () => {
    stop();
    size.disconnect();
    calm.removeEventListener("change", still);
    watched.forEach((event) => model.off(event, draw));
  };
}

export default { render };
