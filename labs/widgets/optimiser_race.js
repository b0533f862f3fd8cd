// The optimiser race: five optimisers run from one start over a map of losses.
// Joined in Python with optimiser_steps.js and curve_drawing.js.
const KINDS = ["one", "two", "three", "four", "five"];
const MANTISSAS = [1, 1.2, 1.5, 1.8, 2, 2.5, 3, 3.3, 3.4, 4, 5, 6, 7, 8, 9];
const RATES = [-4, -3, -2, -1, 0].flatMap((p) => MANTISSAS.map((m) => Number(`${m}e${p}`))).filter((r) => r <= 3);
const BETAS = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
const GRIDS = { rate: RATES, adaptive: RATES, beta: BETAS };
const LIMITS = { rate: [1e-4, 3, 0.003], momentum: [0, 0.99, 0.8], adaptive: [1e-4, 3, 0.02], beta: [0, 0.999, 0.99], step: [0, STEPS, 0] };
const write = (x) => (x && x < 1e-6 ? x.toExponential(1).split("e").map((part, i) => (i ? `×10${part.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}` : part)).join("") : show(x));
const nearest = (grid, value) => grid.reduce((best, v, i) => (Math.abs(v - value) < Math.abs(grid[best] - value) ? i : best), 0);
const within = (v, [low, high]) => Math.min(high, Math.max(low, v)), n1 = (v) => within(v, [-1e4, 1e4]).toFixed(1);
const trace = (points, kind) => `<path class="curve ${kind}" d="M${points.map(([x, y]) => `${n1(x)} ${n1(y)}`).join("L")}"/>`;
const SHAPES = ["M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", "M-4.5 -4.5h9v9h-9z", "M0 -6l6 10.5h-12z", "M0 -6.5l6.5 6.5l-6.5 6.5l-6.5 -6.5z", "M-5 -5.5h10l-10 11h10z"];
const mark = (i, [x, y]) => `<path class="dot ${KINDS[i]}" transform="translate(${n1(x)} ${n1(y)})" d="${SHAPES[i]}"/>`;

function render({ model, el }) {
  const data = model.get("data"), maps = Object.keys(LOSSES).filter((name) => data[name]);
  const slider = (name, text, note) => `<label><span>${text}: <span class="curves-value" data-of="${name}"></span><small>${note}</small></span><input type="range" name="${name}" min="0" max="${
    GRIDS[name] ? GRIDS[name].length - 1 : LIMITS[name][1]}" step="${name === "momentum" ? 0.01 : 1}"></label>`;
  const button = (name, text) => `<button type="button" data-do="${name}">${text}</button>`;
  el.innerHTML = `<div class="curves race" role="group" aria-label="A race of optimisers" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label><span>Map</span><select name="surface">${maps.map((name) => `<option value="${name}">${data[name].title}</option>`).join("")}</select></label>
      ${slider("rate", "Rate η", "descent, momentum, Nesterov")}${slider("adaptive", "Rate η", "RMSProp, Adam")}
      ${slider("momentum", "μ", "momentum, Nesterov; Adam’s β₁")}${slider("beta", "β", "RMSProp; Adam’s β₂")}${slider("step", "Step", "how far the race has come")}
    </div>
    <div class="race-run">${button("step", "Step")}${button("run", "Run")}${button("reset", "Reset")}${button("back", "First settings")}</div>
    <div class="curves-picture"><svg role="group"><g class="race-back"></g><g class="race-paths"></g><g class="race-start" tabindex="0" role="slider"
      aria-roledescription="movable point" aria-label="Start of the race"><circle class="race-hand" r="18"/><circle class="race-ring" r="8"/></g></svg></div>
    <table><thead><tr><th scope="col">optimiser</th><th scope="col">loss</th><th scope="col">what became of it</th></tr></thead><tbody>${OPTIMISERS.map((name, i) => `<tr><th scope="row">
      <label><input type="checkbox" name="${name}"><svg class="swatch" viewBox="0 0 28 12" aria-hidden="true">${trace([[0, 6], [28, 6]], KINDS[i])}${mark(i, [14, 6])}</svg>${name}</label></th><td></td><td></td></tr>`).join("")}</tbody></table>
    <p class="race-note"></p>
    <p class="curves-hidden" aria-live="polite"></p>
  </div>`;
  const find = (selector) => el.querySelector(selector), svg = find(".curves-picture > svg"), hand = find(".race-start"), [say, hush] = announcer(find("[aria-live]"));
  const names = ["surface", "x", "y", ...Object.keys(LIMITS), "shown"];
  let width = 640, place = null, drawn = "", computed = "", runs = [], dragged = null, timer = 0, quiet = false;

  function put(changes, save = true) {
    quiet = true; // one drawing for all of them
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    quiet = false;
    if (save) model.save_changes();
    draw();
  }

  function tidy() { // an address typed by hand may ask for what is not there
    quiet = true;
    if (!data[model.get("surface")]) model.set("surface", maps[0]);
    for (const [name, [low, high, usual]] of Object.entries(LIMITS)) {
      const value = model.get(name), good = Number.isFinite(value) ? within(name === "step" ? Math.round(value) : value, [low, high]) : usual;
      if (good !== value) model.set(name, good);
    }
    const { box, start } = data[model.get("surface")];
    ["x", "y"].forEach((name, i) => model.set(name, within(Number.isFinite(model.get(name)) ? model.get(name) : start[name], box[i])));
    model.set("shown", OPTIMISERS.filter((name) => `${model.get("shown")}`.split("~").includes(name)).join("~"));
    quiet = false;
  }

  /** The map and the empty chart, which change only with the map and the width. */
  function drawBack({ box, levels, minima }, surface, side) {
    if (drawn === `${surface} ${width}`) return;
    drawn = `${surface} ${width}`;
    const lines = contours((x, y) => LOSSES[surface](x, y)[0], box, levels).map((pieces) => `<path class="race-level" d="${
      pieces.map(([a, b, c, d]) => `M${n1(place.X(a))} ${n1(place.Y(b))}L${n1(place.X(c))} ${n1(place.Y(d))}`).join("")}"/>`).join("");
    const cross = ([x, y]) => `<path class="race-minimum" d="M${n1(place.X(x) - 6)} ${n1(place.Y(y))}h12m-6 -6v12"/>`;
    const powers = [-8, -6, -4, -2, 0, 2, 4].filter((p) => p % side.every === 0 && p >= side.decades[0] && p <= side.decades[1]).map((p) => `<path class="grid" d="M${side.left} ${n1(side.top + side.Y(p))}h${side.w}"/><text x="${
      side.left - 6}" y="${n1(side.top + side.Y(p) + 4)}" text-anchor="end">${write(10 ** p).replace(/^1(\.0)?×/, "")}</text>`).join("");
    find(".race-back").innerHTML = `<text class="title" x="${place.left - 34}" y="14">map of the loss</text>${place.grid(ticks(...box[0], place.w / 60), ticks(...box[1], place.h / 50), true)}${
      place.inside(lines + minima.map(cross).join(""))}<text class="title" x="${side.left - 34}" y="${side.top - 10}">loss, by step</text>${side.grid(ticks(0, STEPS, 3), [], true)}${powers}`;
  }

  function draw() {
    if (quiet) return;
    tidy();
    const state = Object.fromEntries(names.map((name) => [name, model.get(name)])), { surface, x, y, step } = state, map = data[surface], key = JSON.stringify({ ...state, step: 0, shown: 0 });
    if (key !== computed) runs = race(surface, [x, y], state);
    computed = key;
    find("select").value = surface;
    for (const name of Object.keys(LIMITS)) {
      const input = find(`input[name=${name}]`), text = name === "step" ? `${step} of ${STEPS}` : `${+state[name].toPrecision(4)}`;
      input.value = GRIDS[name] ? nearest(GRIDS[name], state[name]) : state[name];
      input.setAttribute("aria-valuetext", text);
      find(`[data-of=${name}]`).textContent = text;
    }
    find("[data-do=run]").textContent = timer ? "Pause" : "Run";

    const left = 44, wide = width >= 620, w = wide ? Math.round(0.58 * (width - 2 * left)) : width - left - 12, tall = wide ? 300 : Math.min(300, Math.max(220, 0.8 * w));
    const decades = surface === "plateau" ? [-6, 1] : [-9, 5], size = wide ? [2 * left + w + 12, 24, width - w - 2 * left - 24, tall] : [left, tall + 84, w, 170];
    place = frame(left, 24, w, tall, ...map.box);
    const side = Object.assign(frame(...size, [0, STEPS], decades), { decades, every: surface === "plateau" ? 2 : 4 }), height = side.top + side.h + 24;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    drawBack(map, surface, side);
    let paths = "", marks = "", curves = "", dots = "";
    const words = runs.map((run, i) => {
      const k = Math.min(step, run.path.length - 1), on = state.shown.split("~").includes(run.name), word = fate(run, step, map.box), row = el.querySelectorAll("tbody tr")[i];
      row.querySelector("input").checked = on;
      [write(run.losses[k]), word].forEach((text, c) => (row.cells[c + 1].textContent = text));
      if (!on) return "";
      const points = run.path.slice(0, k + 1).map(([a, b]) => [place.X(a), place.Y(b)]);
      const heights = run.losses.map((loss, j) => [side.X(j), side.Y(within(Math.log10(Math.max(loss, 1e-99)), [decades[0] - 1, decades[1] + 1]))]);
      paths += trace(points, KINDS[i]);
      marks += mark(i, points[k]);
      curves += trace(heights.slice(0, k + 1), KINDS[i]);
      dots += mark(i, [heights[k][0], within(heights[k][1], [0, side.h])]);
      return `${run.name} ${write(run.losses[k])}, ${word}`;
    }).filter(Boolean);
    find(".race-paths").innerHTML = place.inside(paths + marks) + side.inside(`<path class="race-now" d="M${n1(side.X(step))} 0v${side.h}"/>${curves}`) + `<g transform="translate(${side.left} ${side.top})">${dots}</g>`;
    hand.setAttribute("transform", `translate(${n1(place.left + place.X(x))} ${n1(place.top + place.Y(y))})`);
    for (const [name, value] of Object.entries({ valuemin: map.box[1][0], valuemax: map.box[1][1], valuenow: y, valuetext: `x ${show(x)}, y ${show(y)}` })) hand.setAttribute(`aria-${name}`, value);
    find(".race-note").textContent = `Loss: ${map.formula}; it is 0 at each +. Lines of equal loss at ${map.levels.map(show).join(", ")}. Ring: the start; drag it, click elsewhere on the map, or move it with the arrow keys. `
      + `Adam takes μ for its β₁ and β for its β₂. “A thousandth at step k”: the loss was there first below a thousandth of the start's. “Diverged”: it passed a thousand times the start's, and the run was stopped.`;
    const told = `Step ${step} of ${STEPS}. ${words.join("; ") || "No optimiser is shown"}.`;
    svg.setAttribute("aria-label", `Map of the ${map.title} with the paths of the optimisers, and their losses by step. ${told}`);
    say(told);
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    put({});
  }
  const actions = {
    step: () => { pause(); put({ step: Math.min(STEPS, model.get("step") + 1) }); },
    run() {
      if (timer) return pause();
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return put({ step: STEPS });
      timer = setInterval(() => (model.get("step") < STEPS ? put({ step: model.get("step") + 1 }, false) : pause()), 50);
      put({ step: model.get("step") < STEPS ? model.get("step") : 0 }, false);
    },
    reset: () => { pause(); put({ step: 0 }); },
    back: () => { pause(); put({ ...data[model.get("surface")].start, momentum: LIMITS.momentum[2], beta: LIMITS.beta[2], step: 0 }); },
  };
  el.addEventListener("click", ({ target }) => actions[target.dataset.do]?.());
  el.addEventListener("input", ({ target: { name, value, checked } }) => {
    if (name === "step" && timer) pause();
    if (name === "surface") put({ surface: value, ...data[value].start, step: 0 });
    else if (OPTIMISERS.includes(name)) put({ shown: OPTIMISERS.filter((one) => (one === name ? checked : model.get("shown").split("~").includes(one))).join("~") });
    else put({ [name]: GRIDS[name] ? GRIDS[name][value] : Number(value) });
  });

  const under = (event) => { // in the numbers of the map
    const { left, top, width: wide } = svg.getBoundingClientRect(), scale = width / wide, [[x0, x1], [y0, y1]] = data[model.get("surface")].box;
    return [x0 + ((((event.clientX - left) * scale - place.left) / place.w) * (x1 - x0)), y1 - ((((event.clientY - top) * scale - place.top) / place.h) * (y1 - y0))];
  };
  const move = (point) => put(Object.fromEntries(["x", "y"].map((name, i) => [name, +within(point[i], data[model.get("surface")].box[i]).toFixed(3)])));
  svg.addEventListener("click", (event) => {
    const point = under(event);
    if (!hand.contains(event.target) && data[model.get("surface")].box.every(([low, high], i) => point[i] >= low && point[i] <= high)) move(point);
  });
  hand.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [px, py] = under(event);
    dragged = [model.get("x") - px, model.get("y") - py];
    hand.focus({ preventScroll: true });
    hand.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  hand.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // the finger drags the start, not the page
  hand.addEventListener("pointermove", (event) => dragged && move(under(event).map((v, i) => v + dragged[i])));
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) hand.addEventListener(end, () => { dragged = null; });
  hand.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(data[model.get("surface")].box.map(([low, high], i) => model.get("xy"[i]) + (way[i] * (event.shiftKey ? 10 : 1) * (high - low)) / 100));
  });

  const events = names.map((name) => `change:${name}`);
  for (const event of events) model.on(event, draw);
  draw();
  const stop = whenResized(find(".curves-picture"), (wide) => { width = wide; draw(); });
  return () => {
    clearInterval(timer);
    stop();
    hush();
    for (const event of events) model.off(event, draw);
  };
}

export default { render };
