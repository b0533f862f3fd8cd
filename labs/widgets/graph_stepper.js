// The graph stepper: the graph of (xy + max(z, w))², forwards and then backwards, one node at a time.
// Joined in Python with curve_drawing.js.
const INPUTS = ["x", "y", "z", "w"], FAR = 8, STEP = 0.5;

/** Each computed node: what it is computed from, how, and its slope in the direction of each input. */
const NODES = {
  p: { text: "p = xy", of: ["x", "y"], value: (a, b) => a * b, slopes: (a, b) => [b, a] },
  q: { text: "q = max(z, w)", of: ["z", "w"], value: Math.max, slopes: (a, b) => (a === b ? [0.5, 0.5] : [+(a > b), +(b > a)]) },
  m: { text: "m = p + q", of: ["p", "q"], value: (a, b) => a + b, slopes: () => [1, 1] },
  f: { text: "f = m²", of: ["m"], value: (a) => a * a, slopes: (a) => [2 * a] },
};
const FORTH = Object.keys(NODES), BACK = ["", "f", "m", "p", "q"], TURN = FORTH.length, END = TURN + BACK.length;
const PLACES = { x: [0, 0], y: [0, 1], z: [0, 2], w: [0, 3], p: [1, 0.5], q: [1, 2.5], m: [2, 1.5], f: [3, 1.5] };
const PRESETS = { "the chapter's": [4, -2, 5, -1], "a tie, z = w": [4, -2, 5, 5], "a flat point, m = 0": [4, -2, 8, -1] };

/** All values, the slope of each node in the direction of each of its inputs, and the derivatives of f, after all steps. */
export function compute(inputs) {
  const values = Object.fromEntries(INPUTS.map((name) => [name, inputs[name]])), slopes = {}, gradients = { f: 1 };
  for (const name of FORTH) {
    const { of, value, slopes: slope } = NODES[name], known = of.map((from) => values[from]);
    values[name] = value(...known);
    slopes[name] = slope(...known);
  }
  for (const name of BACK.slice(1)) NODES[name].of.forEach((to, i) => (gradients[to] = (gradients[to] || 0) + gradients[name] * slopes[name][i]));
  return { values, slopes, gradients };
}

/** The names of the values and of the gradients that are known after so many steps. */
export function known(step) {
  const sent = BACK.slice(1, Math.max(1, step - TURN));
  return { values: [...INPUTS, ...FORTH.slice(0, step)], gradients: step > TURN ? ["f", ...sent.flatMap((name) => NODES[name].of)] : [] };
}

export function write(x) {
  const text = `${+x.toFixed(4) || 0}`;
  return (text.length > 9 ? `${+x.toPrecision(6)}` : text).replace("-", "−");
}
const factor = (x) => (x < 0 ? `(${write(x)})` : write(x));

/** The rule of a step in words, with its numbers. */
export function rule(step, { values: v, slopes, gradients: g }) {
  const tie = v.z === v.w, [large, small] = v.z > v.w ? ["z", "w"] : ["w", "z"];
  return [
    "The four inputs are known, and nothing else.",
    `The product: p = ${write(v.x)} · ${factor(v.y)} = ${write(v.p)}.`,
    `The maximum takes ${tie ? "either of z and w, for they are equal" : `the larger one, ${large}`}: q = ${write(v.q)}.`,
    `The sum: m = ${write(v.p)} + ${factor(v.q)} = ${write(v.m)}.`,
    `The square: f = ${factor(v.m)}² = ${write(v.f)}. All values are known, and kept for the way back.`,
    "The way back begins with the derivative of f with respect to itself: 1.",
    `The square passes on its gradient times its slope 2m: to m, 1 · 2 · ${factor(v.m)} = ${write(g.m)}.${
      v.m === 0 ? " With m = 0 the slope is 0, and nothing is left to pass on." : ""}`,
    `The sum hands its gradient to both, unchanged: ${write(g.p)} to p and ${write(g.q)} to q.`,
    `The product passes to each its gradient times the other input: to x, ${write(g.p)} · ${factor(v.y)} = ${write(g.x)}; to y, ${write(g.p)} · ${factor(v.x)} = ${write(g.y)}.`,
    tie ? `z and w are equal, and there the maximum has no derivative. By the convention of torch.maximum each gets half: ${write(g.q)} · 0.5 = ${write(g.z)}.`
      : `The maximum sends its gradient to the larger one, ${large}, which gets ${write(g[large])}; ${small} gets ${write(g[small])}.`,
  ][step];
}

const NEXT = ["Next, forwards: the product.", "Next, forwards: the maximum.", "Next, forwards: the sum.", "Next, forwards: the square.",
  "Next, backwards: where does it begin?", "Next, backwards: what does the square pass to m?", "Next, backwards: what does the sum pass to p and to q?",
  "Next, backwards: what does the product pass to x and to y?", "Next, backwards: what does the maximum pass to z and to w?", "Every input has its derivative."];

function render({ model, el }) {
  const button = (name, label) => `<button type="button" data-do="${name}">${label}</button>`;
  el.innerHTML = `<div class="curves stepper" role="group" aria-label="A graph, forwards and backwards" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label><span>inputs</span><select name="preset">${[...Object.keys(PRESETS), "your own"].map((name) => `<option>${name}</option>`).join("")}</select></label>
      ${INPUTS.map((name) => `<label><span>${name} = <span class="curves-value"></span></span><input type="range" name="${name}" min="${-FAR}" max="${FAR}" step="${STEP}"></label>`).join("")}
    </div>
    <div class="stepper-buttons">${button("forth", "forward step")}${button("back", "backward step")}${button("all", "all steps")}${button("reset", "reset")}</div>
    <p class="stepper-rule"></p><p class="stepper-next"></p>
    <div class="curves-picture"><svg role="img"></svg></div>
    <p class="stepper-legend">In each box: above, its <span class="value">value</span>; below, in italics, the <span class="gradient">derivative of f</span> with respect to it.
      Underlined: what your last move changed. Solid arrows were walked forwards, dashed ones backwards.</p>
    <p class="curves-hidden" aria-live="polite"></p>
  </div>`;
  const find = (selector) => el.querySelector(selector), svg = find(".curves-picture > svg"), [say, hush] = announcer(find("[aria-live]"));
  let width = 640, quiet = false, note = "", shown = {}, fresh = new Set();

  const now = () => Object.fromEntries([...INPUTS, "step"].map((name) => [name, model.get(name)]));
  function put(changes) {
    quiet = true; // one drawing for all of them
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    quiet = false;
    model.save_changes();
    draw();
  }

  /** An arrow from point to point, with its head at the end, or at the start when it was walked back. */
  function arrow([x0, y0], [x1, y1], kind) {
    const long = Math.hypot(x1 - x0, y1 - y0), u = (x1 - x0) / long, t = (y1 - y0) / long, at = (n) => n.toFixed(1);
    const [tipX, tipY, s] = kind.includes("back") ? [x0, y0, -1] : [x1, y1, 1];
    const barb = (turn) => `M${at(tipX)} ${at(tipY)}l${at(-s * 7 * u + turn * 4 * t)} ${at(-s * 7 * t - turn * 4 * u)}`;
    return `<g class="arrow ${kind}"><path d="M${at(x0)} ${at(y0)}L${at(x1)} ${at(y1)}"/><path class="head" d="${barb(1)}${barb(-1)}"/></g>`;
  }

  function drawGraph(step, { values, slopes, gradients }) {
    const box = Math.min(96, (width - 48) / 4), gap = (width - 4 * box) / 3, tall = 42, pitch = 68, height = 4 * pitch;
    const left = (name) => PLACES[name][0] * (box + gap), top = (name) => PLACES[name][1] * pitch + 19, middle = (name) => top(name) + tall / 2;
    const have = known(step), active = step > TURN ? BACK[step - TURN - 1] : FORTH[step - 1];
    let arrows = "", labels = "", boxes = "";
    for (const [name, { of }] of Object.entries(NODES)) of.forEach((from, i) => {
      const back = have.gradients.includes(from), ends = [[left(from) + box + 2, middle(from)], [left(name) - 2, middle(name)]];
      arrows += arrow(...ends, `${back ? "back" : have.values.includes(name) ? "forth" : "ahead"}${name === active ? " active" : ""}`);
      if (back && gap > 64) labels += `<text class="slope" x="${(ends[0][0] + ends[1][0]) / 2}" y="${(ends[0][1] + ends[1][1]) / 2 - 8}">× ${factor(slopes[name][i])}</text>`;
    });
    for (const name of Object.keys(PLACES)) {
      const x = left(name) + box / 2, value = have.values.includes(name), line = (kind, y) => `<text class="${kind}${shown[name + kind] === "?" ? " open" : ""}${
        fresh.has(name + kind) ? " fresh" : ""}" data-of="${name}" x="${x}" y="${y}">${shown[name + kind]}</text>`;
      boxes += `<rect class="node${value ? "" : " open"}${name === active || (step === TURN + 1 && name === "f") ? " active" : ""}" x="${left(name)}" y="${top(name)}" width="${box}" height="${tall}" rx="5"/>
        <text class="title" x="${x}" y="${top(name) - 6}">${NODES[name]?.text || name}</text>${line("value", top(name) + 17)}${line("gradient", top(name) + 35)}`;
    }
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.innerHTML = arrows + boxes + labels;
    svg.setAttribute("aria-label", `Graph of (xy + max(z, w))². ${Object.keys(PLACES).map((name) => `${NODES[name]?.text || name}: ${
      have.values.includes(name) ? `value ${write(values[name])}` : "not computed"}${have.gradients.includes(name) ? `, derivative ${write(gradients[name])}` : ""}`).join("; ")}.`);
  }

  function draw() {
    if (quiet) return;
    for (const [name, value] of Object.entries(now())) { // an address typed by hand may ask for what is not there
      const [low, high] = name === "step" ? [0, END] : [-FAR, FAR], near = Math.min(high, Math.max(low, name === "step" ? Math.round(value) : value));
      if (near !== value) return model.set(name, near); // which draws
    }
    const state = now(), { step } = state, all = compute(state), have = known(step), next = {};
    for (const name of INPUTS) {
      const input = find(`[name=${name}]`), text = write(state[name]);
      input.value = state[name];
      input.setAttribute("aria-valuetext", text);
      input.parentNode.querySelector(".curves-value").textContent = text;
    }
    find("select").value = Object.keys(PRESETS).find((name) => PRESETS[name].every((x, i) => x === state[INPUTS[i]])) || "your own";
    for (const name of Object.keys(PLACES)) {
      next[`${name}value`] = have.values.includes(name) ? write(all.values[name]) : "?";
      next[`${name}gradient`] = have.gradients.includes(name) ? write(all.gradients[name]) : "?";
    }
    const changed = Object.keys(next).filter((key) => next[key] !== shown[key] && next[key] !== "?");
    if (Object.keys(shown).length && JSON.stringify(shown) !== JSON.stringify(next)) fresh = new Set(changed);
    shown = next;
    find("[data-do=forth]").setAttribute("aria-disabled", step >= TURN);
    find("[data-do=back]").setAttribute("aria-disabled", step < TURN || step === END);
    const result = step === END ? ` f = ${write(all.values.f)}; its derivatives: ${INPUTS.map((name) => `${name} ${write(all.gradients[name])}`).join(", ")}.` : "";
    find(".stepper-rule").textContent = note || `${step ? `Step ${step} of ${END}. ` : ""}${rule(step, all)}`;
    find(".stepper-next").textContent = NEXT[step] + result;
    drawGraph(step, all);
    say(`${find(".stepper-rule").textContent} ${NEXT[step]}${result}`);
    note = "";
  }

  const actions = {
    forth: (step) => (step < TURN ? step + 1 : "All values are known: the forward pass is over."),
    back: (step) => (step < TURN ? "Not yet: the slopes are computed from the values, so the forward pass comes first." : step < END ? step + 1 : "All derivatives are known: the backward pass is over."),
    all: () => END,
    reset: () => 0,
  };
  el.addEventListener("click", ({ target }) => {
    const found = actions[target.dataset.do]?.(model.get("step"));
    if (typeof found === "string") note = found;
    if (found !== undefined) put(typeof found === "string" ? {} : { step: found });
  });
  el.addEventListener("input", ({ target: { name, value } }) => {
    if (name !== "preset") put({ [name]: Number(value) });
    else if (PRESETS[value]) put(Object.fromEntries(INPUTS.map((input, i) => [input, PRESETS[value][i]])));
    else draw(); // "your own" is what the sliders make
  });

  const events = [...INPUTS, "step"].map((name) => `change:${name}`);
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
