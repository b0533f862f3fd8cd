// The signal tunnel: two inputs and a gradient go through a deep random network, layer by layer.
// Joined in Python behind activation_functions.js, mean_field_maps.js and curve_drawing.js.
const LIMITS = { weight_std: [0.1, 3, 0.01], bias_std: [0, 1, 0.01], depth: [2, 60, 1], correlation: [0, 0.99, 0.01] };
const LABELS = { weight_std: "σ_w", bias_std: "σ_b", depth: "Layers", correlation: "Correlation at the start" };
const KINDS = ["one", "two", "three", "four"], LOWEST = 1e-25, HIGHEST = 1e25;

const sized = (x, [small, low, kept, high, large]) => (x < 1e-3 ? small : x < 0.1 ? low : x <= 10 ? kept : x <= 1000 ? high : large);
/** What has become of length, correlation and gradient, in a word each; beside them the numbers. */
export function verdict(layers, start) {
  const { q, apart, chi } = layers.at(-1), gradient = gradients(layers)[0], moved = 1 - apart - start;
  return {
    q, c: 1 - apart, gradient, chi,
    length: sized(q, ["dies", "sinks", "holds", "grows", "explodes"]),
    pair: apart < 0.01 ? "alike" : moved > 0.1 ? "nearer" : moved < -0.1 ? "farther" : "kept",
    back: sized(gradient, ["vanishes", "shrinks", "holds", "grows", "explodes"]),
  };
}
const near = (c) => (c > 0.9995 ? (c === 1 ? "1" : "above 0.999") : c.toFixed(3).replace(/^-?0\.000$/, "0"));
const power = (p) => (+p === 1 ? "10" : +p ? `10${`${+p}`.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}` : "1");
const number = (x) => (x > 0 && x < 1e-6 ? x.toExponential(1).replace(/e(.*)/, (_, p) => `×${power(p)}`) : show(x));

function render({ model, el }) {
  const { activations, presets } = model.get("data"), names = ["activation", ...Object.keys(LIMITS)];
  const functions = Object.fromEntries(Object.entries(activations).map(([name, settings]) => {
    const one = FUNCTIONS[name], plain = { f: (x) => one.f(x, settings), slope: (x) => one.slope(x, settings) };
    return [name, name === "GELU" ? quick(plain) : plain];
  }));
  const slider = (name, [min, max, step]) => `<label><span>${LABELS[name].replace(/_(.)/, "<sub>$1</sub>")}: <span class="curves-value" data-of="${name}"></span></span><input type="range" name="${name}" min="${min}" max="${max}" step="${step}"></label>`;
  const swatch = (i) => `<svg class="swatch" viewBox="0 0 28 10" aria-hidden="true"><path class="curve ${KINDS[i]}" d="M0 5h28"/></svg>`;
  el.innerHTML = `<div class="curves tunnel" role="group" aria-label="The signal tunnel" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label><span>Function</span><select name="activation">${Object.keys(activations).sort((a, b) => a.localeCompare(b)).map((name) => `<option>${name}</option>`).join("")}</select></label>
      ${Object.entries(LIMITS).map(([name, limits]) => slider(name, limits)).join("")}
    </div>
    <p class="tunnel-words"></p>
    <div class="curves-picture"><svg role="img"></svg></div>
    <table><thead><tr><th scope="col">start</th><th scope="col">length in the last layer</th><th scope="col">correlation there</th><th scope="col">gradient in the first</th></tr></thead>
      <tbody>${["yours", ...presets.map(({ name }) => name)].map((name, i) => `<tr><th scope="row">${swatch(i)}${i ? `<button type="button" data-preset="${i - 1}">${name}</button>` : name}</th><td></td><td></td><td></td></tr>`).join("")}</tbody></table>
    <p class="tunnel-note">Layers of infinite width; in the first one both inputs have the length q = 1. Length: the mean square of the pre-activations. Gradient: its mean square in front of the first activation, as a multiple of that in front of the last.
      The buttons set σ<sub>w</sub> and σ<sub>b</sub> to a usual start: ${presets.map(({ name, note }) => `${name}, ${note}`).join("; ")}.
      Words: holds, within a factor of ten of 1; sinks, shrinks or grows, up to a thousand; beyond, dies, vanishes or explodes. Alike: less than 0.01 is missing to correlation 1; nearer or farther: moved by more than 0.1.</p>
    <p class="curves-hidden" aria-live="polite"></p>
  </div>`;
  const find = (selector) => el.querySelector(selector), svg = find(".curves-picture > svg"), [say, hush] = announcer(find("[aria-live]")), kept = new Map();
  let width = 640, quiet = false;

  function put(changes) {
    quiet = true; // one drawing for all of them
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    quiet = false;
    model.save_changes();
    draw();
  }

  function tidy() { // an address typed by hand may ask for what is not there
    quiet = true;
    if (!activations[model.get("activation")]) model.set("activation", "ReLU");
    for (const [name, [low, high]] of Object.entries(LIMITS)) {
      const value = model.get(name), good = Number.isFinite(value) ? Math.min(high, Math.max(low, name === "depth" ? Math.round(value) : value)) : low;
      if (good !== value) model.set(name, good);
    }
    quiet = false;
  }

  function run(state) {
    const key = JSON.stringify(state);
    if (!kept.has(key)) {
      if (kept.size > 40) kept.clear();
      kept.set(key, tunnel(functions[state.activation], state));
    }
    return kept.get(key);
  }

  function drawPanels(runs, depth) {
    const left = 46, wide = width >= 620, each = wide ? Math.floor(width / 3) : width, w = each - left - 10, tall = wide ? 200 : 150;
    const at = (i) => (wide ? [left + i * each, 28] : [left, 28 + i * (tall + 60)]), log = (x) => Math.log10(Math.min(HIGHEST, Math.max(LOWEST, x)));
    const backs = runs.map(gradients), panels = [
      ["length q", runs.map((layers) => layers.map(({ q }) => log(q)))],
      ["correlation c", runs.map((layers) => layers.map(({ apart }) => 1 - apart))],
      ["gradient, last layer = 1", backs.map((found) => found.map(log))],
    ];
    const spots = ticks(1, depth, wide ? 3 : 6).filter(Number.isInteger);
    svg.innerHTML = panels.map(([title, lines], i) => {
      const all = lines.flat(), logs = i !== 1, limits = logs ? range([-1, 1, ...all]) : [Math.min(0, ...all) - 0.03, 1.03], fr = frame(...at(i), w, tall, [1, depth], limits);
      const scale = logs ? ticks(...limits, 5).filter(Number.isInteger).map((p) => [p, power(p)]) : ticks(...limits, 4).map((c) => [c, show(c)]);
      const grid = scale.map(([y, text]) => `<path class="grid${y === 0 && logs ? " zero" : ""}" d="M${fr.left} ${(fr.top + fr.Y(y)).toFixed(1)}h${w}"/><text x="${fr.left - 6}" y="${(fr.top + fr.Y(y) + 4).toFixed(1)}" text-anchor="end">${text}</text>`).join("");
      const curves = lines.map((line, k) => `<path class="curve ${KINDS[k]}" d="M${line.map((y, l) => `${fr.X(l + 1).toFixed(1)} ${fr.Y(y).toFixed(1)}`).join("L")}"/>`).reverse();
      return `<text class="title" x="${fr.left - 36}" y="${fr.top - 12}">${title}</text>${fr.grid(spots, [], true)}${grid}${fr.inside(curves.join(""))}`;
    }).join("");
    const height = at(2)[1] + tall + 24;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
  }

  function draw() {
    if (quiet) return;
    tidy();
    const state = Object.fromEntries(names.map((name) => [name, model.get(name)])), { activation, depth, correlation } = state;
    for (const name of names) find(`[name=${name}]`).value = state[name];
    for (const name of Object.keys(LIMITS)) {
      const value = +state[name].toFixed(3), text = name.endsWith("std") ? `${value} (σ² = ${+(state[name] ** 2).toPrecision(3)})` : `${value}`;
      find(`[data-of=${name}]`).textContent = text;
      find(`[name=${name}]`).setAttribute("aria-valuetext", text);
    }
    const starts = [state, ...presets.map(({ weight_std, bias_std }) => ({ ...state, weight_std, bias_std }))], runs = starts.map(run);
    runs.forEach((layers, i) => {
      const { q, c, gradient, length, pair, back } = verdict(layers, correlation), row = el.querySelectorAll("tbody tr")[i];
      [[number(q), length], [near(c), pair], [number(gradient), back]].forEach(([text, word], k) => { row.cells[k + 1].innerHTML = `${text} <small>${word}</small>`; });
      if (i) row.querySelector("button").setAttribute("aria-pressed", ["weight_std", "bias_std"].every((name) => Math.abs(starts[i][name] - state[name]) < 1e-3));
    });
    drawPanels(runs, depth);
    const { q, c, gradient, chi, length, pair, back } = verdict(runs[0], correlation);
    const words = `${activation}, ${depth} layers: the signal ${length} (q = ${number(q)}), the two inputs ${pair === "kept" ? "keep their distance" : pair === "alike" ? "become alike" : `come ${pair}`.replace("come farther", "part")} (c = ${near(c)}), and the gradient ${back} (${number(gradient)}).`;
    const phase = Math.abs(chi - 1) < 0.02 ? "close to one, the edge" : chi < 1 ? "below one: small differences and gradients shrink" : "above one: small differences and gradients grow";
    find(".tunnel-words").textContent = `${words} In the last layer χ = ${number(chi)}, ${phase}.`;
    svg.setAttribute("aria-label", `Length, correlation and gradient over ${depth} layers. ${words}`);
    say(words);
  }

  el.addEventListener("click", ({ target }) => {
    const preset = presets[target.dataset.preset];
    if (preset) put({ weight_std: preset.weight_std, bias_std: preset.bias_std });
  });
  el.addEventListener("input", ({ target: { name, type, value } }) => put({ [name]: type === "range" ? Number(value) : value }));

  const events = names.map((name) => `change:${name}`);
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
