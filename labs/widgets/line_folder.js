// The line folder: the number line goes through layers of ReLU units; its straight pieces are counted exactly.
// Joined in Python with curve_drawing.js. LineFolder.network in Python builds the same network in torch.

/** The layers as [weights, biases], rows of weights, the output layer last. */
export function matrices({ draws }, { weights, units, layers, gain, bias }) {
  if (weights === "fold") { // up from 0 to 1 and down again: 2 relu(t) − 4 relu(t − 1/2)
    const tent = [2, -4], cut = [0, -0.5];
    return Array.from({ length: layers }, (_, l) => [l ? [tent, tent] : [[1], [1]], cut]).concat([[[tent], [0]]]);
  }
  const { first, middle, last, bias: offset } = draws[weights], he = Math.sqrt(2 / units), take = (row) => row.slice(0, units);
  const net = Array.from({ length: layers }, (_, l) => [
    l ? take(middle[l - 1]).map((row) => take(row).map((w) => gain * he * w)) : take(first).map((w) => [gain * w]),
    take(offset[l]).map((b) => bias * b),
  ]);
  return [...net, [[take(last).map((w) => w / Math.sqrt(units))], [0]]];
}

/**
 * The straight pieces of the network's output over the whole line: [{ from, to, slope, shift }], from left to right,
 * and for each hidden layer the places where one of its units switches on or off.
 */
export function pieces(net, activation) {
  const combine = ([weights, biases], lines) => weights.map((row, k) => row.reduce(
    (sum, w, j) => ({ slope: sum.slope + w * lines[j].slope, shift: sum.shift + w * lines[j].shift }), { slope: 0, shift: biases[k] }));
  let parts = [{ from: -Infinity, to: Infinity, lines: [{ slope: 1, shift: 0 }] }];
  const switches = [];
  for (const layer of net.slice(0, -1)) {
    const here = [], next = [];
    for (const { from, to, lines } of parts) {
      const sums = combine(layer, lines);
      if (activation === "identity") {
        next.push({ from, to, lines: sums });
        continue;
      }
      // A sum that is zero at the edge of a piece belongs to the edge, not to the inside.
      const cuts = sums.map(({ slope, shift }) => -shift / slope).filter((x) => x > from && x < to && Number.isFinite(x));
      const ends = [...new Set([from, ...cuts, to])].sort((a, b) => a - b);
      here.push(...ends.slice(1, -1));
      for (let i = 1; i < ends.length; i++) {
        const a = ends[i - 1], b = ends[i], inside = a === -Infinity ? (b === Infinity ? 0 : b - 1) : b === Infinity ? a + 1 : (a + b) / 2;
        next.push({ from: a, to: b, lines: sums.map((line) => (line.slope * inside + line.shift > 0 ? line : { slope: 0, shift: 0 })) });
      }
    }
    parts = next;
    switches.push(here);
  }
  const done = [], steep = Math.max(...parts.map(({ lines }) => Math.abs(combine(net.at(-1), lines)[0].slope)), 1e-300);
  for (const { from, to, lines } of parts) {
    const [{ slope, shift }] = combine(net.at(-1), lines), last = done.at(-1);
    // Neighbours of one slope are one piece: the output does not show every switch.
    if (last && Math.abs(last.slope - slope) <= 1e-9 * steep) last.to = to;
    else done.push({ from, to, slope, shift });
  }
  return { pieces: done, switches };
}

/** The output at x. */
export function output(net, activation, x) {
  return net.reduce((values, [weights, biases], l) => weights.map((row, k) => {
    const sum = row.reduce((s, w, j) => s + w * values[j], biases[k]);
    return l < net.length - 1 && activation === "ReLU" ? Math.max(sum, 0) : sum;
  }), [x])[0];
}

const WINDOW = { fold: [-0.25, 1.25], random: [-4, 4] };
const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

function render({ model, el }) {
  const data = model.get("data"), seeds = Object.keys(data.draws);
  const LIMITS = { units: [1, data.units, 1, 4], layers: [1, data.layers, 1, 2], gain: [0.5, 2, 0.05, 1], bias: [0, 2, 0.05, 0.5] };
  const LABELS = { units: "units per layer", layers: "hidden layers", gain: "weights, in units of He's", bias: "spread of the biases" };
  const slider = (name) => {
    const [min, max, step] = LIMITS[name];
    return `<label><span>${LABELS[name]}: <span class="curves-value" data-of="${name}"></span></span><input type="range" name="${name}" min="${min}" max="${max}" step="${step}"></label>`;
  };
  el.innerHTML = `<div class="curves folder" role="group" aria-label="Fold the line" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label>Weights <select name="weights"><option value="fold">the fold</option>${seeds.map((s) => `<option value="${s}">random, seed ${s}</option>`).join("")}</select></label>
      <label>Activation <select name="activation"><option>ReLU</option><option>identity</option></select></label>
      ${Object.keys(LIMITS).map(slider).join("")}
    </div>
    <p class="folder-count"></p>
    <div class="curves-picture"><svg role="img"></svg></div>
    <p class="curves-hidden" aria-live="polite"></p>
    <table><caption class="curves-hidden">Straight pieces and their limits</caption><tbody></tbody></table>
    <p class="folder-note">Marks under the curve: where the units of each layer switch on or off. A ring on the curve: a kink that reaches the output.</p>
  </div>`;
  const find = (selector) => el.querySelector(selector), svg = find(".curves-picture > svg"), [say, hush] = announcer(find("[aria-live]"));
  let width = 640;

  function tidy() { // an address typed by hand may ask for what is not there
    for (const [name, [min, max, step, start]] of Object.entries(LIMITS)) {
      const value = model.get(name), good = step === 1 ? Math.round(value) : value;
      if (!Number.isFinite(good)) model.set(name, start);
      else if (good !== value || good < min || good > max) model.set(name, Math.min(max, Math.max(min, good)));
    }
    if (!data.draws[model.get("weights")] && model.get("weights") !== "fold") model.set("weights", seeds[0]);
    if (!["ReLU", "identity"].includes(model.get("activation"))) model.set("activation", "ReLU");
  }

  function draw() {
    tidy();
    const state = Object.fromEntries(["weights", "activation", ...Object.keys(LIMITS)].map((name) => [name, model.get(name)]));
    const fold = state.weights === "fold", units = fold ? 2 : state.units, net = matrices(data, state), found = pieces(net, state.activation);
    for (const [name, value] of Object.entries(state)) find(`[name=${name}]`).value = value;
    for (const name in LIMITS) find(`[data-of=${name}]`).textContent = name === "units" ? units : +Number(state[name]).toFixed(2);
    for (const name of ["units", "gain", "bias"]) find(`[name=${name}]`).disabled = fold;

    const [x0, x1] = WINDOW[fold ? "fold" : "random"], kinks = found.pieces.slice(1).map(({ from }) => from), value = (x) => output(net, state.activation, x);
    const seen = kinks.filter((x) => x > x0 && x < x1), [y0, y1] = range([x0, x1, ...seen].map(value));
    const rows = found.switches.length, left = 44, w = width - left - 10, tall = Math.min(300, Math.max(200, 0.45 * w)), strip = 20;
    const fr = frame(left, 10, w, tall, [x0, x1], [y0, y1]), height = 10 + tall + 26 + rows * strip;
    const corner = [x0, ...seen, x1].map((x, i) => `${i ? "L" : "M"}${fr.X(x).toFixed(2)} ${fr.Y(value(x)).toFixed(2)}`).join("");
    const ring = (x) => `<circle class="folder-kink" cx="${fr.X(x).toFixed(2)}" cy="${fr.Y(value(x)).toFixed(2)}" r="${seen.length > 40 ? 2.5 : 4}"/>`;
    const marks = found.switches.map((places, l) => {
      const y = 10 + tall + 26 + l * strip, inside = places.filter((x) => x > x0 && x < x1);
      return `<text x="${left - 6}" y="${y + 12}" text-anchor="end">${l + 1}</text><path class="grid" d="M${left} ${y + 15}h${w}"/>`
        + inside.map((x) => `<path class="folder-switch" d="M${(left + fr.X(x)).toFixed(2)} ${y + 3}v12"/>`).join("");
    }).join("");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.innerHTML = fr.grid(ticks(x0, x1, w / 70), ticks(y0, y1, 5), true) + fr.inside(`<path class="curve one" d="${corner}"/>${seen.map(ring).join("")}`) + marks;

    const n = found.pieces.length, most = (units + 1) ** state.layers;
    const parameters = net.reduce((sum, [weights, biases]) => sum + weights.length * weights[0].length + biases.length, 0);
    const headline = state.activation === "identity" ? "1 straight piece: without a nonlinear activation the layers are one line, whatever their number."
      : `${count(n, "straight piece", "straight pieces")} over the whole line, ${count(seen.length + 1, "of them", "of them")} in the picture.`;
    find(".folder-count").textContent = headline;
    find("tbody").innerHTML = [
      ["straight pieces", n], ["most that one hidden layer with these units can have", units + 1],
      [`limit (units + 1)${"⁰¹²³⁴⁵"[state.layers]} for ${count(state.layers, "hidden layer", "hidden layers")}`, most],
      ["weights and biases", parameters],
    ].map(([name, number]) => `<tr><th scope="row">${name}</th><td>${number.toLocaleString("en")}</td></tr>`).join("");
    svg.setAttribute("aria-label", `Output of the network from x = ${show(x0)} to ${show(x1)}. ${headline}`);
    say(headline);
  }

  el.addEventListener("input", ({ target }) => {
    if (!target.name) return;
    model.set(target.name, target.type === "range" ? Number(target.value) : target.value); // which draws
    model.save_changes();
  });
  const watched = ["weights", "activation", ...Object.keys(LIMITS)].map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, draw));
  draw();
  const stop = whenResized(find(".curves-picture"), (wide) => { width = wide; draw(); });
  return () => {
    stop();
    hush();
    watched.forEach((event) => model.off(event, draw));
  };
}

export default { render };
