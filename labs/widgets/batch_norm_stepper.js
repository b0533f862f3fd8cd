// The batch-norm stepper: eight numbers through batch normalisation and back; three norms on a small matrix.
// Joined in Python with curve_drawing.js and normalisation.js. BatchNormStepper.layer in Python is the same layer in torch.
const END = 8, SAME = 1e-3, FAR = 100;
const Z = [-10, 30], LIMITS = { gamma: [-2, 2, 1, 0.25], beta: [-2, 2, 0, 0.25], batches: [0, 100, 100, 1], step: [0, END, 0, 1] };
const CHOICES = { view: ["steps", "matrix"], mode: ["training", "eval"], upstream: ["1", "2", "3", "4", "5", "6", "7", "8", "all"], norm: ["batch", "layer", "RMS"] };

const NAMES = ["the mean", "the variance", "normalise", "scale and shift", "the gradient that arrives", "backwards through the scale", "backwards through the mean", "backwards through the variance"];

function render({ model, el }) {
  const { values: start, matrix: first } = model.get("data"), many = start.length, names = ["values", "matrix", ...Object.keys(LIMITS), ...Object.keys(CHOICES)];
  const slider = (name, label) => `<label data-view="steps"><span>${label}: <span class="curves-value" data-of="${name}"></span></span><input type="range" name="${name}" min="${LIMITS[name][0]}" max="${LIMITS[name][1]}" step="${LIMITS[name][3]}"></label>`;
  const pick = (name, label, view, words = CHOICES[name]) => `<label${view ? ` data-view="${view}"` : ""}><span>${label}</span><select name="${name}">${CHOICES[name].map((value, i) => `<option value="${value}">${words[i]}</option>`).join("")}</select></label>`;
  const button = (name, label) => `<button type="button" data-do="${name}">${label}</button>`;
  el.innerHTML = `<div class="curves bn" role="group" aria-label="Batch normalisation, step by step" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      ${pick("view", "show", "", ["eight numbers", "a small matrix"])}${pick("mode", "mode", "steps")}
      ${pick("upstream", "gradient of 1 arrives at", "steps", CHOICES.upstream.map((i) => (i === "all" ? "all examples" : `example ${i}`)))}
      ${slider("gamma", "γ")}${slider("beta", "β")}${slider("batches", "batches seen (eval)")}${pick("norm", "normalised by", "matrix")}
    </div>
    <div data-view="steps">
      <div class="bn-buttons">${button("next", "Next step")}${button("back", "Step back")}${button("all", "All steps")}${button("values", "Put the numbers back")}</div>
      <p class="bn-rule"></p>
      <div class="curves-picture"><svg role="group"><g class="bn-back"></g><g>${start.map((_, i) => `<g class="bn-point" tabindex="0" role="slider" aria-label="Number ${i + 1}" aria-valuemin="${Z[0]}" aria-valuemax="${Z[1]}"><circle class="bn-hand" r="13"/><circle class="dot one" r="5.5"/></g>`).join("")}</g></svg></div>
      <table class="bn-numbers"><caption class="curves-hidden">The numbers of all steps</caption><thead></thead><tbody></tbody></table>
      <p class="bn-note">Drag a number, or move it with the arrow keys. Line and band: m, and s to both sides of it. Diamond: where the gradient arrives. Triangle: beyond the picture.</p>
    </div>
    <div data-view="matrix">
      <div class="bn-buttons">${button("row+", "Example 1 plus 4")}${button("row*", "Example 1 times 2")}${button("unit+", "Unit 1 plus 4")}${button("unit*", "Unit 1 times 2")}${button("all+", "All plus 4")}${button("all*", "All times 2")}${button("matrix", "Put the matrix back")}</div>
      <table class="bn-matrix"><caption class="bn-caption">The matrix</caption><thead><tr><td></td>${first[0].map((_, j) => `<th scope="col">unit ${j + 1}</th>`).join("")}</tr></thead>
        <tbody>${first.map((row, i) => `<tr><th scope="row">example ${i + 1}</th>${row.map((_, j) => `<td><input type="number" data-cell="${i * row.length + j}" min="${-FAR}" max="${FAR}" step="0.5" aria-label="example ${i + 1}, unit ${j + 1}"></td>`).join("")}</tr>`).join("")}</tbody></table>
      <table class="bn-matrix"><caption class="bn-caption bn-by"></caption><tbody class="bn-output"></tbody></table>
      <table><caption class="bn-caption">Output, against that at the start</caption><tbody class="bn-verdict"></tbody></table>
    </div>
    <p class="curves-hidden" aria-live="polite"></p>
  </div>`;
  const find = (selector) => el.querySelector(selector), svg = find(".curves-picture > svg"), handles = [...el.querySelectorAll(".bn-point")];
  const [say, hush] = announcer(find("[aria-live]"));
  let width = 640, quiet = false, place = null, dragged = null;

  const read = (text, count, [low, high]) => {
    const numbers = text.split("_").map((word) => Math.min(high, Math.max(low, Number(word || NaN) / 10)));
    return numbers.length === count && numbers.every(Number.isFinite) ? numbers : null;
  };
  const write = (numbers, [low, high]) => numbers.map((x) => Math.round(10 * Math.min(high, Math.max(low, x)))).join("_");
  const flat = first.flat(), numbers = () => read(model.get("values"), many, Z), cells = () => read(model.get("matrix"), flat.length, [-FAR, FAR]);
  const rows = (all) => first.map((row, i) => all.slice(i * row.length, (i + 1) * row.length));
  function put(changes) {
    quiet = true; // one drawing for all of them
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    quiet = false;
    model.save_changes();
    draw();
  }
  const move = (i, x) => put({ values: write(numbers().map((z, j) => (j === i ? x : z)), Z) });
  function change(cell) {
    const next = cells().map(cell);
    if (next.every((x) => Math.abs(x) <= FAR)) put({ matrix: write(next, [-FAR, FAR]) });
  }

  function tidy() { // an address typed by hand may ask for what is not there
    const good = { values: write(numbers() || start, Z), matrix: write(cells() || flat, [-FAR, FAR]) };
    for (const [name, [low, high, usual, by]] of Object.entries(LIMITS)) {
      const value = by === 1 ? Math.round(model.get(name)) : model.get(name);
      good[name] = Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : usual;
    }
    for (const [name, list] of Object.entries(CHOICES)) good[name] = list.includes(model.get(name)) ? model.get(name) : list[0];
    for (const name of names) if (good[name] !== model.get(name)) model.set(name, good[name]);
  }

  /** One row per example: dots at the numbers, or bars from zero. Without numbers, an empty place. */
  function panel(fr, title, list, kind, chosen) {
    const mark = (x, i) => {
      const y = fr.Y(i), at = Math.min(fr.w - 7, Math.max(7, fr.X(x))), out = fr.X(x) > fr.w + 1 ? 1 : fr.X(x) < -1 ? -1 : 0, r = i === chosen ? 6 : 5;
      const bar = kind === "bars" ? `<path class="bn-bar" d="M${fr.X(0).toFixed(1)} ${y}H${Math.min(fr.w, Math.max(0, fr.X(x))).toFixed(1)}"/>` : "";
      if (out) return `${bar}<path class="dot ${kind === "bars" ? "two" : "one"}" d="M${(out > 0 ? fr.w - 10 : 10).toFixed(1)} ${y - 5}v10l${9 * out} -5z"/>`;
      return bar + (i === chosen ? `<path class="dot two" d="M${at.toFixed(1)} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z"/>` : `<circle class="dot ${kind === "bars" ? "two" : "one"}" cx="${at.toFixed(1)}" cy="${y}" r="${kind === "bars" ? 3.5 : r}"/>`);
    };
    return `<text class="title" x="${fr.left}" y="${fr.top - 8}">${title}</text><rect class="bn-place${list ? "" : " open"}" x="${fr.left}" y="${fr.top}" width="${fr.w}" height="${fr.h}"/>
      ${fr.grid(ticks(...fr.span, fr.w / 34).filter((t) => fr.X(t) > 6 && fr.X(t) < fr.w - 6), [], true)}${list ? fr.inside(list.map(mark).join("")) : `<text class="open" x="${fr.left + fr.w / 2}" y="${fr.top + fr.h / 2}" text-anchor="middle">?</text>`}`;
  }

  function drawSteps(state) {
    const { step, mode, upstream } = state, z = numbers(), still = mode === "eval";
    const g = z.map((_, i) => +(upstream === "all" || Number(upstream) === i + 1)), n = compute(z, state.gamma, state.beta, g, still ? running(start, state.batches) : null);
    const tall = many * 26, left = 22, gap = 14, wide = width >= 620, full = width - left - 2, row = tall + 58, half = (full - gap) / 2;
    const part = wide ? (full - 4 * gap) / 6 : 0, lefts = wide ? [0, 2, 3, 4, 5].map((parts, i) => parts * part + i * gap) : [0, 0, half + gap, 0, half + gap];
    const tops = wide ? [0, 0, 0, 0, 0] : [0, 1, 1, 2, 2], widths = wide ? [2 * part, part, part, part, part] : [full, half, half, half, half];
    const back = [n.sent, n.sent, n.centred, n.back][Math.max(0, step - 5)], most = (list) => 1.15 * Math.max(0.2, ...list.map(Math.abs));
    const spans = [Z, [-3, 3], [-6, 6], [-1.2, 1.2], [-most(back), most(back)]];
    const at = (i) => ({ ...frame(left + lefts[i], 24 + tops[i] * row, widths[i], tall, spans[i], [many - 0.5, -0.5]), span: spans[i] }), chosen = Number(upstream) - 1;
    place = at(0);
    const height = (wide ? 1 : 3) * row, band = step >= 2 ? `<rect class="bn-band" x="${place.X(n.m - n.s).toFixed(1)}" y="0" width="${(place.X(2 * n.s) - place.X(0)).toFixed(1)}" height="${tall}"/>` : "";
    const middle = step >= 1 ? `<path class="bn-mean${still ? " still" : ""}" d="M${place.X(n.m).toFixed(1)} 0v${tall}"/>` : "";
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    const labels = [0, 1, 2].slice(0, wide ? 1 : 3).map((r) => z.map((_, i) => `<text x="${left - 8}" y="${24 + r * row + place.Y(i) + 4}" text-anchor="end">${i + 1}</text>`).join("")).join("");
    find(".bn-back").innerHTML = labels + panel(place, "z", [], "dots") + place.inside(band + middle) + panel(at(1), "ẑ", step >= 3 && n.hat, "dots") + panel(at(2), "output y", step >= 4 && n.y, "dots")
      + panel(at(3), "gradient g at y", step >= 5 && g, "bars", chosen) + panel(at(4), ["γg", "γg", "γg, less its mean", "gradient at z"][Math.max(0, step - 5)], step >= 6 && back, "bars", chosen);
    handles.forEach((handle, i) => {
      handle.setAttribute("transform", `translate(${(left + place.X(z[i])).toFixed(1)} ${24 + place.Y(i)})`);
      handle.setAttribute("aria-valuenow", z[i]);
      handle.setAttribute("aria-valuetext", show(z[i]));
    });
    const columns = [["z", z, 0], ["ẑ", n.hat, 3], ["y", n.y, 4], ["g", g, 5], [step === 6 ? "γg" : step === 7 ? "less mean" : "∂L/∂z", back, 6]], digits = (x) => `${+x.toFixed(Math.abs(x) < 10 ? 3 : 1) || 0}`.replace("-", "−");
    find(".bn-numbers thead").innerHTML = `<tr><th scope="col"><span class="curves-hidden">example</span></th>${columns.map(([name]) => `<th scope="col">${name}</th>`).join("")}</tr>`;
    find(".bn-numbers tbody").innerHTML = z.map((_, i) => `<tr><th scope="row">${i + 1}</th>${columns.map(([, list, from]) => `<td>${step >= from ? digits(list[i]) : "?"}</td>`).join("")}</tr>`).join("");
    const words = `${step ? `Step ${step} of ${END}. ` : ""}${rule(step, n, state)}`;
    find(".bn-rule").textContent = `${words} ${step < END ? `Next: ${NAMES[step]}.` : ""}`;
    find("[data-do=next]").setAttribute("aria-disabled", step === END);
    find("[data-do=back]").setAttribute("aria-disabled", step === 0);
    svg.setAttribute("aria-label", `Eight numbers, ${mode} mode. ${words}`);
    return words;
  }

  function drawMatrix({ norm }) {
    const now = rows(cells()), digits = (x) => `${+x.toFixed(2) || 0}`.replace("-", "−");
    el.querySelectorAll("[data-cell]").forEach((input) => { if (input !== document.activeElement || Number(input.value) !== cells()[input.dataset.cell]) input.value = cells()[input.dataset.cell]; });
    find(".bn-by").textContent = { batch: "Batch: column by column", layer: "Layer: row by row", RMS: "RMS: row by row, no mean" }[norm];
    find(".bn-output").innerHTML = normalise(now, norm).map((row, i) => `<tr><th scope="row">example ${i + 1}</th>${row.map((x) => `<td>${digits(x)}</td>`).join("")}</tr>`).join("");
    const verdicts = CHOICES.norm.map((name) => {
      const old = normalise(first, name).flat(), far = Math.max(...normalise(now, name).flat().map((x, i) => Math.abs(x - old[i])));
      return [name, far < SAME ? "the same" : `changed, by up to ${digits(Math.max(far, 0.01))}`];
    });
    find(".bn-verdict").innerHTML = verdicts.map(([name, words]) => `<tr><th scope="row">${name}</th><td>${words}</td></tr>`).join("");
    return verdicts.map(([name, words]) => `${name}: ${words}`).join("; ");
  }

  function draw() {
    if (quiet) return;
    quiet = true;
    tidy();
    quiet = false;
    const state = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    for (const name of Object.keys({ ...LIMITS, ...CHOICES })) if (find(`[name=${name}]`)) find(`[name=${name}]`).value = state[name];
    for (const name of ["gamma", "beta", "batches"]) {
      find(`[data-of=${name}]`).textContent = show(state[name]);
      find(`[name=${name}]`).setAttribute("aria-valuetext", show(state[name]));
    }
    find("[name=batches]").disabled = state.mode === "training";
    el.querySelectorAll("[data-view]").forEach((part) => { part.hidden = part.dataset.view !== state.view; });
    say(state.view === "steps" ? drawSteps(state) : drawMatrix(state));
  }

  const wide = first[0].length, actions = {
    next: () => put({ step: Math.min(END, model.get("step") + 1) }), back: () => put({ step: Math.max(0, model.get("step") - 1) }), all: () => put({ step: END }),
    values: () => put({ values: write(start, Z) }), matrix: () => put({ matrix: write(flat, [-FAR, FAR]) }),
    "row+": () => change((x, i) => x + 4 * (i < wide)), "row*": () => change((x, i) => x * (1 + (i < wide))), "unit+": () => change((x, i) => x + 4 * (i % wide === 0)),
    "unit*": () => change((x, i) => x * (1 + (i % wide === 0))), "all+": () => change((x) => x + 4), "all*": () => change((x) => 2 * x),
  };
  el.addEventListener("click", ({ target }) => actions[target.dataset.do]?.());
  el.addEventListener("input", ({ target }) => {
    if (target.dataset.cell) { if (target.value !== "" && target.validity.valid) change((x, i) => (i === Number(target.dataset.cell) ? Number(target.value) : x)); }
    else put({ [target.name]: target.type === "range" ? Number(target.value) : target.value });
  });
  el.addEventListener("change", draw); // a cell that was left with something else shows its number again
  svg.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest(".bn-point");
    if (event.button || !handle) return;
    dragged = { i: handles.indexOf(handle), from: event.clientX, z: numbers()[handles.indexOf(handle)] };
    handle.focus({ preventScroll: true });
    svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  svg.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const far = ((event.clientX - dragged.from) * width * (Z[1] - Z[0])) / (svg.getBoundingClientRect().width * place.w);
    move(dragged.i, Math.round(4 * (dragged.z + far)) / 4);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) svg.addEventListener(end, () => { dragged = null; });
  svg.addEventListener("keydown", (event) => {
    const i = handles.indexOf(event.target), way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey || !(way || event.key === "Home" || event.key === "End")) return;
    event.preventDefault();
    move(i, way ? numbers()[i] + way * (event.shiftKey ? 5 : 0.5) : event.key === "End" ? Z[1] : Z[0]);
  });

  const events = names.map((name) => `change:${name}`);
  for (const event of events) model.on(event, draw);
  draw();
  const stop = whenResized(find(".bn"), (pixels) => { width = pixels; draw(); });
  return () => {
    stop();
    hush();
    for (const event of events) model.off(event, draw);
  };
}

export default { render };
