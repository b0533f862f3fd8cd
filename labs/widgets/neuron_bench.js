// The neuron bench: one neuron with two inputs, its output over the plane, and the perceptron rule step by step.
// Joined in Python with curve_drawing.js.
const NUMBERS = ["w1", "w2", "b"], FAR = 100, REACH = 6, LEVELS = 10, RUN = 100;

/** Each activation: the function, its formula, and its lowest and highest value where it has both. */
export const ACTIVATIONS = {
  Step: { f: (z) => +(z > 0), text: "1 if z > 0, else 0", ends: [0, 1] },
  Sigmoid: { f: (z) => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z))), text: "1 / (1 + e⁻ᶻ)", ends: [0, 1] },
  Tanh: { f: Math.tanh, text: "tanh(z)", ends: [-1, 1] },
  ReLU: { f: (z) => Math.max(0, z), text: "max(0, z)" },
  Identity: { f: (z) => z, text: "z" },
};

/** z = w1 x1 + w2 x2 + b; what only rounding keeps from zero is zero. */
export function preActivation({ w1, w2, b }, [x1, x2]) {
  const z = w1 * x1 + w2 * x2 + b;
  return Math.abs(z) < 1e-9 ? 0 : z;
}
const isRight = (neuron, point, label) => +(preActivation(neuron, point) > 0) === label;
export const countRight = (neuron, { points, labels }) => points.filter((point, i) => isRight(neuron, point, labels[i])).length;

/** The first point from `start` on, once around, that is on the wrong side or on the line, and the corrected neuron; or null. */
export function perceptronStep(neuron, { points, labels }, start) {
  for (let k = 0; k < points.length; k++) {
    const at = (start + k) % points.length, point = points[at], sign = labels[at] ? 1 : -1, z = preActivation(neuron, point);
    if (sign * z > 0) continue;
    const add = (old, change) => Math.max(-FAR, Math.min(FAR, +(old + sign * change).toFixed(6)));
    return { at, z, neuron: { w1: add(neuron.w1, point[0]), w2: add(neuron.w2, point[1]), b: add(neuron.b, 1) } };
  }
  return null;
}

/** Cut a polygon along z = level: the part above, and the points where its border is crossed. */
export function cut(polygon, z, level) {
  const above = [], crossed = [];
  polygon.forEach((p, i) => {
    const q = polygon[(i + 1) % polygon.length], a = z(p) - level, b = z(q) - level;
    if (a > 0) above.push(p);
    if (a > 0 === b > 0) return;
    const t = a / (a - b), edge = [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])];
    above.push(edge);
    crossed.push(edge);
  });
  return { above, crossed };
}

/** The z from which on the rising function f is above a value, between low and high. */
export function whereAbove(f, value, low, high) {
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    f(middle) > value ? (high = middle) : (low = middle);
  }
  return (low + high) / 2;
}

const short = (x) => `${+x.toFixed(3)}`.replace("-", "−");
const term = (x) => `${x < 0 ? "−" : "+"} ${short(Math.abs(x))}`;
const GATES = ["AND", "OR", "NAND", "XOR"];

function render({ model, el }) {
  const data = model.get("data"), key = (kind) => `<svg class="swatch bench-key" viewBox="0 0 28 16" aria-hidden="true">${kind}</svg>`;
  const options = (list, label) => list.map((name) => `<option value="${name}">${label(name)}</option>`).join("");
  const mark = (label, x, y) => (label ? `<rect class="member" x="${x - 5}" y="${y - 5}" width="10" height="10"/>` : `<circle class="stranger" cx="${x}" cy="${y}" r="5"/>`);
  const cross = (x, y) => `<path class="wrong" d="M${x - 8} ${y - 8}l16 16m0 -16l-16 16"/>`;
  el.innerHTML = `<div class="curves bench-neuron" role="group" aria-label="One neuron with two inputs" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label><span>points</span><select name="points">${options(Object.keys(data), (name) => (GATES.includes(name) ? name : `iris: ${data[name].classes.join(", ")}`))}</select></label>
      <label><span>activation f</span><select name="activation">${options(Object.keys(ACTIVATIONS), (name) => name)}</select></label>
      ${NUMBERS.map((name) => `<label><span>${name.replace("w1", "w₁").replace("w2", "w₂")} <span class="curves-value"></span></span>
        <input type="range" name="${name}" min="${-REACH}" max="${REACH}" step="0.1"></label>`).join("")}
    </div>
    <div class="bench-buttons"><button type="button" data-do="step">perceptron step</button><button type="button" data-do="run">run ${RUN} steps</button>
      <button type="button" data-do="zero">start at zero</button></div>
    <div class="bench-body">
      <div class="curves-picture"><svg role="img"></svg></div>
      <div>
        <p class="bench-count"></p><p class="bench-formula"></p><p class="bench-said"></p>
        <table><caption class="curves-hidden">The points, and what the neuron makes of them</caption><thead></thead><tbody></tbody></table>
        <p class="bench-legend"><span>${key(mark(1, 14, 8))}class 1</span><span>${key(mark(0, 14, 8))}class 0</span><span>${key(cross(14, 8))}wrong side</span>
          <span>${key('<path class="decision" d="M0 8h28"/>')}z = 0</span><span>${key('<path class="arrow" d="M2 8h22m-7 -5l7 5l-7 5"/>')}direction of w</span></p>
      </div>
    </div>
    <p class="curves-hidden" aria-live="polite"></p>
  </div>`;
  const find = (selector) => el.querySelector(selector), svg = find(".curves-picture > svg"), said = find(".bench-said");
  const [say, hush] = announcer(find("[aria-live]"));
  let width = 360, cursor = 0, corrections = 0, last = null, quiet = false;

  const now = () => Object.fromEntries(NUMBERS.map((name) => [name, model.get(name)]));
  const set = () => data[model.get("points")];
  function put(neuron) {
    quiet = true; // one drawing for three numbers
    for (const name of NUMBERS) model.set(name, neuron[name]);
    quiet = false;
    model.save_changes();
    draw();
  }
  const tell = (text) => (said.textContent = text);
  const times = (n) => `${n} ${n === 1 ? "correction" : "corrections"}`;

  function correct(most) {
    let found, step, neuron = now(), made = 0;
    const { points, labels } = set();
    while (made < most && (step = perceptronStep(neuron, set(), cursor))) {
      found = step;
      ({ neuron, at: last } = step);
      cursor = (last + 1) % points.length;
      made++;
    }
    corrections += made;
    if (!made) tell("All points are on their side: nothing to correct.");
    else if (most === 1) tell(`Point (${points[last].map(short).join(", ")}) of class ${labels[last]} was on the ${found.z ? "wrong side" : "line"}: it is ${
      labels[last] ? "added to w, and 1 to b" : "taken from w, and 1 from b"}. ${times(corrections)} so far.`);
    else tell(`${times(made)}, ${made < most ? "then all points were on their side" : "and there is still something to correct"}. ${times(corrections)} so far.`);
    put(neuron);
  }

  function rows(neuron, { points, labels, classes }, f) {
    const cells = (head, list) => `<tr>${head ? list.map((x) => (x ? `<th scope="col">${x}</th>` : "<td></td>")).join("") : list.map((x, i) => (i ? `<td>${x}</td>` : `<th scope="row">${x}</th>`)).join("")}</tr>`;
    const right = (i) => isRight(neuron, points[i], labels[i]);
    if (points.length > 8) return [cells(true, ["class", "right", "wrong"]), classes.map((name, label) => {
      const mine = labels.map((_, i) => i).filter((i) => labels[i] === label), good = mine.filter(right).length;
      return cells(false, [`${label}: ${name}`, good, mine.length - good]);
    }).join("")];
    return [cells(true, ["x₁, x₂", "class", "z", "f(z)", ""]), points.map((point, i) => {
      const z = preActivation(neuron, point);
      return cells(false, [point.join(", "), labels[i], short(z), short(f(z)), right(i) ? "right" : "× wrong"]);
    }).join("")];
  }

  function drawPlane(neuron, { points, labels, axes, span }, { f, ends }) {
    const left = 34, w = Math.min(width, 440) - left - 10, top = 8, fr = frame(left, top, w, w, span, span), height = top + w + 88;
    const z = (p) => neuron.w1 * p[0] + neuron.w2 * p[1] + neuron.b, [a, b] = span, square = [[a, a], [b, a], [b, b], [a, b]];
    const heights = square.map(z), lowest = Math.min(...heights), highest = Math.max(...heights), [low, high] = ends || [f(lowest), f(highest)];
    const path = (list) => (list.length ? `M${list.map(([x, y]) => `${fr.X(x).toFixed(1)} ${fr.Y(y).toFixed(1)}`).join("L")}` : "");
    const bands = low === high ? "" : Array.from({ length: LEVELS }, (_, k) => {
      const level = whereAbove(f, low + ((k + 0.5) / LEVELS) * (high - low), lowest - 1, highest + 1);
      return `<path class="band" d="${path(cut(square, z, level).above)}"/>`;
    }).join("");
    const line = cut(square, z, 0).crossed, long = Math.hypot(neuron.w1, neuron.w2);
    let arrow = "";
    if (line.length === 2) {
      const [x, y] = [0, 1].map((i) => (line[0][i] + line[1][i]) / 2), [u, v] = [neuron.w1 / long, -neuron.w2 / long], X = fr.X(x), Y = fr.Y(y), tip = [X + 42 * u, Y + 42 * v];
      const barb = (turn) => `M${tip.map((t) => t.toFixed(1)).join(" ")}l${(-11 * u + turn * 6 * v).toFixed(1)} ${(-11 * v - turn * 6 * u).toFixed(1)}`;
      arrow = `<path class="decision" d="${path(line)}"/><path class="arrow" d="M${X.toFixed(1)} ${Y.toFixed(1)}L${tip.map((t) => t.toFixed(1)).join(" ")}${barb(1)}${barb(-1)}"/>`;
    }
    const marks = points.map((point, i) => {
      const x = +fr.X(point[0]).toFixed(1), y = +fr.Y(point[1]).toFixed(1);
      return mark(labels[i], x, y) + (isRight(neuron, point, labels[i]) ? "" : cross(x, y)) + (i === last ? `<circle class="used" cx="${x}" cy="${y}" r="12"/>` : "");
    }).join("");
    const steps = ticks(a, b, 6), bar = top + w + 52, cell = w / (LEVELS + 1);
    const ramp = Array.from({ length: LEVELS }, (_, k) => `<path class="band" d="M${left + (k + 1) * cell} ${bar}H${left + w}v12H${left + (k + 1) * cell}z"/>`).join("");
    svg.setAttribute("viewBox", `0 0 ${left + w + 10} ${height}`);
    svg.setAttribute("width", left + w + 10);
    svg.setAttribute("height", height);
    svg.innerHTML = `${fr.inside(bands)}${fr.grid(steps, steps, true)}${fr.inside(arrow + marks)}
      <text x="${left + w / 2}" y="${top + w + 34}" text-anchor="middle">x₁${axes[0] && `: ${axes[0]}`}</text><text x="${left + 6}" y="${top + 16}">x₂${axes[1] && `: ${axes[1]}`}</text>
      <rect class="bar" x="${left}" y="${bar}" width="${w}" height="12"/>${ramp}<text x="${left}" y="${bar + 28}">f(z) = ${short(low)}</text><text x="${left + w}" y="${bar + 28}" text-anchor="end">${short(high)}</text>`;
    return line.length === 2 ? "" : long === 0 ? "w is zero: the neuron says the same everywhere. " : "The line z = 0 lies outside the picture. ";
  }

  function draw() {
    if (quiet) return;
    if (!Object.hasOwn(data, model.get("points"))) return model.set("points", "AND"); // which draws
    if (!Object.hasOwn(ACTIVATIONS, model.get("activation"))) return model.set("activation", "Step");
    const neuron = now(), chosen = set(), name = model.get("activation"), { f, text } = ACTIVATIONS[name];
    for (const [key, value] of Object.entries(neuron)) {
      const near = Math.max(-FAR, Math.min(FAR, value)), input = find(`[name=${key}]`);
      if (near !== value) return model.set(key, near);
      input.value = value;
      input.setAttribute("aria-valuetext", short(value));
      input.parentNode.querySelector(".curves-value").textContent = short(value);
    }
    find("[name=points]").value = model.get("points");
    find("[name=activation]").value = name;
    const many = chosen.points.length, good = countRight(neuron, chosen), count = `${good} of ${many} right`;
    const formula = `z = ${short(neuron.w1)} x₁ ${term(neuron.w2)} x₂ ${term(neuron.b)}`, remark = drawPlane(neuron, chosen, ACTIVATIONS[name]);
    find(".bench-count").textContent = `${count}${good < many ? `, ${many - good} wrong` : ""}`;
    find(".bench-formula").textContent = `${formula}, and f(z) = ${text}. ${remark}`;
    [find("thead").innerHTML, find("tbody").innerHTML] = rows(neuron, chosen, f);
    const words = `${count}. ${formula}. ${remark}${said.textContent}`;
    svg.setAttribute("aria-label", `The plane of both inputs, coloured by the output of the neuron, with ${many} points. ${words}`);
    say(words);
  }

  function forget(place) {
    last = null;
    cursor = place;
    corrections = 0;
    tell("");
  }
  const actions = { step: () => correct(1), run: () => correct(RUN), zero() { forget(0); put({ w1: 0, w2: 0, b: 0 }); } };
  el.addEventListener("click", ({ target }) => actions[target.closest("[data-do]")?.dataset.do]?.());
  el.addEventListener("input", ({ target }) => {
    const number = NUMBERS.includes(target.name);
    if (target.name !== "activation") forget(number ? cursor : 0);
    model.set(target.name, number ? Number(target.value) : target.value); // which draws
    model.save_changes();
  });

  const events = ["points", "activation", ...NUMBERS].map((name) => `change:${name}`);
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
