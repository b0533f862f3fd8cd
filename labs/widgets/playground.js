// The playground: a small network learns points of the plane in the reader's browser, and shows all it does.
// Joined in Python with the modules that playground.py names. `setup` is the text of the settings, `step` how far it is.

const SLICE = 8, QUIET = 2000, PACES = { steady: 8, slow: 1, fast: Infinity }, COARSE = 40, FINE = 96; // ms, ms, steps, points along the map
const NAMES = {
  data: { circles: "two circles", xor: "XOR, four fields", gaussians: "Gaussian clouds", spirals: "spirals", moons: "two moons", sine: "a sine, for regression", own: "own points" },
  task: { classify: "classes", regress: "a curve" }, classes: { 2: 2, 3: 3, 4: 4, 5: 5 },
  init: { torch: "PyTorch default", xavier: "Xavier", he: "He", selu: "SELU’s (1/n)", zero: "all zero" }, bias: { random: "random", zero: "zero" },
  method: { sgd: "SGD", momentum: "SGD with momentum", adam: "Adam" }, schedule: { constant: "constant", step: "÷ 10 each span", cosine: "cosine to zero", warmup: "warm-up" },
  activation: Object.fromEntries(HIDDEN.map((name) => [name, name === "none" ? "linear" : name])), pace: { steady: "steady", slow: "slow", fast: "fast" },
};
const MEANING = { "dead": "dead: zero on all training points", "near-dead": "near-dead: close to zero, and flat", "saturated": "saturated: flat at another level" };
const upTo = (last, step) => Array.from({ length: Math.round(last / step) + 1 }, (_, i) => +(i * step).toFixed(4));
const decades = (from, to, mantissas) => upTo(to - from, 1).flatMap((p) => mantissas.map((m) => Number(`${m}e${p + from}`))).filter((v) => v <= 10 ** to);
const GRIDS = { // where the sliders stop; a link may name any number between
  points: [10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000], noise: [...upTo(0.2, 0.02), 0.3, 0.4, 0.5, 0.7, 1], test: upTo(0.9, 0.1),
  momentum: [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99], rate: decades(-6, 2, [1, 2, 3, 5, 7]), span: decades(0, 5, [1, 2, 5]),
  batch: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000], l2: [0, ...decades(-6, 0, [1, 3])], dropout: upTo(0.9, 0.1),
};
const nearestOf = (grid, value) => grid.reduce((best, v, i) => (Math.abs(v - value) < Math.abs(grid[best] - value) ? i : best), 0);
const capital = (text) => text.replace(/^./, (c) => c.toUpperCase());
const options = (names) => Object.entries(names).map(([value, text]) => `<option value="${value}">${text}</option>`).join("");
const choice = (name, label, names = NAMES[name]) => `<label data-field="${name}"><span>${label}</span><select name="${name}">${options(names)}</select></label>`;
const slider = (name, label) => `<label data-field="${name}"><span>${label}: <span class="curves-value" data-of="${name}"></span></span><input type="range" name="${name}" min="0" max="${GRIDS[name].length - 1}" step="1"></label>`;
const seedField = (name, label) => `<label data-field="${name}"><span>${label}</span><input type="number" name="${name}" min="0" max="${LIMITS[name].high}" step="1"></label>`;
const press = (name, text, more = "") => `<button type="button" data-do="${name}" ${more}>${text}</button>`;
const group = (name, title, fields) => `<details data-group="${name}"><summary>${title}<span></span></summary><div class="play-fields">${fields}</div></details>`;
const chart = (name) => `<div class="play-chart" data-chart="${name}"><svg role="img"></svg><ul class="play-key" aria-label="Legend"></ul></div>`;
const key = (drawing, text) => `<li><svg viewBox="-13 -7 26 14" aria-hidden="true">${drawing}</svg>${text}</li>`;
const lineKey = (kind, shape, text) => key(`<path class="curve ${kind}" d="M-13 0h26"/>${shape === null ? "" : bead(kind, shape, [0, 0])}`, text);

/** The page of a playground; without settings if it is bare. */
const page = (bare, titles) => `<div class="curves play${bare ? " bare" : ""}" role="group" aria-label="Network playground" data-lm-suppress-shortcuts="true">
  <div class="play-head">${bare ? "" : choice("preset", "Preset", { ...titles, "": "own settings" })}<p class="play-about"></p></div>
  <div class="play-run">${press("run", "Run", 'class="play-go"')}${press("step", "Step")}${press("ten", "10 steps")}${press("reset", "Reset")}
    <label class="play-scrub"><span>Step <span class="curves-value" data-of="at"></span></span><input type="range" name="at" min="0" max="1" step="1"></label>${choice("pace", "Speed")}</div>
  <div class="play-note" hidden><p role="status"></p><span class="play-buttons"></span></div>
  <div class="play-wait" hidden><progress max="1" aria-label="Steps on the way"></progress><span></span>${press("halt", "Stop here")}</div>
  <div class="play-told"><p class="play-first"></p><ul></ul><p class="play-facts"></p></div><p class="curves-hidden play-live" aria-live="polite"></p>
  <div class="play-body">${bare ? "" : `<div class="play-side">
      ${group("data", "Data", `${choice("data", "Points")}${choice("task", "Learn")}${slider("points", "Number")}${slider("noise", "Noise")}${choice("classes", "Classes")}${slider("test", "Test share")}${seedField("seed", "Seed of the data")}
        <div class="play-buttons">${press("load", "Load CSV")}${press("save", "Save CSV")}<input type="file" accept=".csv,text/csv,text/plain" hidden aria-label="A CSV file with points"></div>`)}
      ${group("start", "Start", `${choice("init", "Weights")}${choice("bias", "Biases")}${seedField("start", "Seed of the start")}`)}
      ${group("learning", "Learning", `${choice("method", "Method")}${slider("momentum", "Momentum")}${slider("rate", "Learning rate")}${choice("schedule", "Schedule")}${slider("span", "Span, in steps")}${slider("batch", "Batch")}${slider("l2", "L2")}${slider("dropout", "Dropout")}`)}</div>`}
    <div class="play-mid"><div class="play-net" role="group" aria-label="Network">${bare ? "" : `<div class="play-tools"><span class="play-count" role="group" aria-label="Hidden layers">${
        press("fewer", "−", 'aria-label="Remove the last hidden layer"')}<span data-of="depth"></span>${press("deeper", "+", 'aria-label="Add a hidden layer"')}</span>${choice("every", "All layers", { "": "choose", ...NAMES.activation })}</div>`}
      <div class="play-scroll"><div class="play-stage"></div></div><ul class="play-key" aria-label="Marks in the network"></ul>
      <div class="play-unitcard"><canvas role="img"></canvas><div><strong></strong><p></p></div></div></div>${bare ? "" : chart("layers")}</div>
    <div class="play-right"><div class="play-map"><div class="play-plane"><canvas role="img"></canvas><div class="play-cursor" tabindex="0" role="slider" aria-roledescription="place on the map" aria-label="Place on the map"
        aria-valuemin="${-EDGE}" aria-valuemax="${EDGE}"></div></div><ul class="play-key" aria-label="Points"></ul><p class="play-asked"></p><div class="play-pen" hidden></div></div>${chart("loss")}${bare ? "" : chart("accuracy")}</div>
  </div>
  <div class="play-out">${bare ? '<a class="play-open">Open with all controls</a>' : `${press("link", "Copy link")}${press("picture", "Save picture")}${press("code", "Copy labs code")}<span role="status"></span><textarea readonly hidden aria-label="Text to copy" spellcheck="false"></textarea>`}</div>
</div>`;

function render({ model, el }) {
  const { presets = {}, numbers = {}, page: home = "playground.html" } = model.get("data"), bare = !model.get("controls"), calm = matchMedia("(prefers-reduced-motion: reduce)");
  const texts = Object.fromEntries(Object.entries(presets).map(([name, one]) => [name, writeSetup(readSetup(one.setup).setup)]));
  el.innerHTML = page(bare, Object.fromEntries(Object.entries(presets).map(([name, { title }]) => [name, title])));

  const find = (selector) => el.querySelector(selector), all = (selector) => [...el.querySelectorAll(selector)], root = el.firstElementChild;
  if (bare) find(".play-open").addEventListener("click", () => { // where the large one stands on this page, only the address changes
    const large = document.querySelector(".play:not(.bare)");
    large?.scrollIntoView();
    large?.querySelector("[name=preset]").focus({ preventScroll: true });
  });
  const control = (name) => find(`:is(.play-side, .play-head, .play-run) [name=${name}]`), stage = find(".play-stage"), plane = find(".play-plane"), map = plane.firstElementChild;
  const write = (selector, text) => { const place = find(selector); if (place.textContent !== text) place.textContent = text; };
  const filled = new WeakMap(), fill = (place, markup) => { if (filled.get(place) !== markup) filled.set(place, (place.innerHTML = markup)); };
  let run, running = false, goal = null, tick = 0, kept = null, stroke = null, pen = 0, hand = null; // what goes on
  let chosen = "1.1", shape = "", sized = "", widths = {}, tiles = [], places = [], view = {}, colours = null, facts = null, side = COARSE, painted = 0, cost = 0, measured = 0; // what is shown
  let quiet = false, heard = false, touched = false, told = "", spoken = -QUIET, timers = {}, wide = 0;

  // --- The state: its text and step in the model, the run beside them ---

  const textNow = () => writeSetup(run.setup), here = () => ({ text: textNow(), at: run.at, far: far(), run });
  const far = () => (run.trouble ? Math.max(0, run.trouble.step - 1) : run.history.steps);
  const forward = () => (run.at < far() ? run.advance() : run.step()); // over known ground again, or ahead

  function save() {
    quiet = true;
    model.set("setup", textNow());
    model.set("step", run.at);
    quiet = false;
    model.save_changes();
  }

  /** Start a run from its text, and go to a step of it; then back to an earlier one, if it is named. */
  function open(text, step = 0, keep = false, then = step) {
    const { setup, faults } = readSetup(text);
    run = new Run(setup, numbers);
    note(faults.join(" "));
    travel(Math.max(0, Math.min(MOST_STEPS, Math.round(step) || 0)), keep, then);
  }

  /** A new run with other settings; what was changed on the way holds from its start. The old one is kept for a while. */
  function anew(changes, why, before = here()) {
    const setup = { ...run.setup, ...Object.fromEntries(CHANGEABLE.map((name) => [name, run.setting(name)])), changes: [], ...changes };
    run = new Run({ ...setup, task: taskOf(setup) }, numbers);
    if (why) offer(why, before);
  }

  /** Put other settings: some of them into the run as it goes on, all others into a new one. */
  function put(changes) {
    const before = { ...here(), run: null }, inside = run.at > 0 && Object.keys(changes).every((name) => CHANGEABLE.includes(name)), on = inside && running;
    if (!inside) anew(changes, "A new run, because the settings changed.");
    else {
      for (const [name, value] of Object.entries(changes)) run.change(name, value);
      if (before.far > run.at) offer(`The steps after ${run.at} are open again.`, { ...before, left: run.at });
      else if (kept?.left !== run.at) note("");
    }
    rest();
    if (on) play();
  }

  /** Say why there is another run, and how to get the old one back if it had begun. */
  function offer(why, before) {
    if (before.far) kept = before; // a run that has not begun is no way back: the one before it still is
    if (kept) note(why, [["undo", `Back to step ${kept.at} of the run before`]]);
    else note("");
  }

  function note(text, buttons = [], trouble = false) {
    const place = find(".play-note"), [words, ways] = place.children;
    place.hidden = !text;
    place.classList.toggle("trouble", trouble);
    words.setAttribute("role", trouble ? "alert" : "status");
    write(".play-note p", text);
    fill(ways, buttons.map(([name, label]) => press(name, label)).join(""));
  }

  // --- Time: slices of steps between two pictures ---

  function halt() {
    cancelAnimationFrame(tick);
    running = false;
    goal = null;
    find(".play-wait").hidden = true;
  }

  /** Stand, and let the model know where. */
  function rest() {
    halt();
    save();
    draw();
  }

  /** Go to a step, in slices where it is far. */
  function travel(step, keep = true, then = step) {
    halt();
    run.rewind(step);
    goal = { step, keep, then, from: run.at, since: performance.now() };
    onward();
  }

  function onward() {
    const { step, from, since, keep, then } = goal, until = performance.now() + SLICE;
    let going = true;
    while (going && run.at < step && performance.now() < until) going = forward();
    if (!going || run.at >= step) {
      halt();
      if (then < run.at) return travel(then, keep);
      if (keep) save();
      return draw();
    }
    if (run !== view.run) draw(); // the start, while the way is long
    if (performance.now() - since > 200) {
      find(".play-wait").hidden = false;
      find(".play-wait progress").value = (run.at - from) / (step - from);
      write(".play-wait span", `Step ${run.at} of ${step}`);
    }
    tick = requestAnimationFrame(onward);
  }

  function play() {
    halt();
    running = true;
    painted = performance.now();
    tick = requestAnimationFrame(beat);
    where();
  }

  function beat() {
    if (!el.isConnected) return halt();
    const until = performance.now() + SLICE, most = PACES[control("pace").value];
    let going = true;
    for (let n = 0; going && n < most && performance.now() < until; n++) going = forward();
    if (!going) return rest();
    if (performance.now() - painted >= (calm.matches ? 1000 : 2 * cost)) paint();
    tick = requestAnimationFrame(beat);
  }

  function steps(many) {
    halt();
    while (many-- && forward());
    rest();
  }

  // --- The picture ---

  /** Everything, once the run is at rest. */
  function draw() {
    settings();
    if (run.trouble && run.data.size) {
      const { why } = run.trouble, half = run.setting("rate") / 2, ways = [["halve", `Go on with half the learning rate, ${show(half)}`]];
      if (far() > run.at) ways.push(["sound", `Show step ${far()}, the last sound one`]);
      note(why, ways, true);
    }
    build();
    measured = -Infinity;
    paint();
    clearTimeout(timers.fine);
    timers.fine = setTimeout(refine, 150);
    root.dispatchEvent(new CustomEvent("playground", { bubbles: true, detail: run })); // for pages that want its numbers
  }

  /** One picture. While the run goes on, what changes slowly is drawn less often. */
  function paint() {
    const { network, data } = run, { features, task } = data, began = performance.now(), across = features === 1 ? 4 * side : side;
    if (view.run !== run || view.side !== across) {
      const inputs = mapInputs(across, features);
      view = { ...view, run, side: across, features, inputs, room: network.room(inputs.length / features) };
    }
    const { activations, logits } = network.outputs(view.inputs, view.room), each = (performance.now() - began) / across ** features;
    side = Math.max(14, Math.min(COARSE, 2 * Math.round(Math.sqrt(6 / Math.max(each, 1e-4)) / 2))); // slow functions get a coarser map
    Object.assign(view, { columns: [view.inputs, ...activations, logits], colours: (colours ??= coloursOf(root)), plan: { side: across, scores: logits, classes: data.outputs, task, points: points(), width: widths.map } });
    paintMap(map, view.plan, view.colours);
    tiles.forEach((list, l) => list.forEach((tile, u) => paintUnit(tile.firstElementChild, view, l, list.length, u)));
    view.paths = network.layers.flatMap(({ weights }, l) => weightPaths(places[l], places[l + 1], weights));
    paintWeights(find(".play-lines"), ...places.size, view.paths, view.colours);
    where();
    hand?.again();
    if (!stroke && (!running || began - measured > 250)) { // words that come and go would move the map under a pen
      measured = began;
      facts = measure(run, (view.units = run.units()), (view.score = run.score()));
      states();
      charts();
      words();
    }
    painted = performance.now();
    cost = painted - began;
  }

  /** The map once more with more points, in slices, when all is at rest. */
  function refine() {
    const { network, data, at } = run, mine = run, rows = 4;
    if (data.features === 1) return;
    const inputs = mapInputs(FINE, 2), scores = new Float64Array(FINE * FINE * data.outputs), room = network.room(rows * FINE);
    let row = 0;
    (function strip() {
      if (running || goal || run !== mine || run.at !== at || !el.isConnected) return;
      for (const until = performance.now() + SLICE; row < FINE && performance.now() < until; row += rows)
        scores.set(network.outputs(inputs.subarray(2 * row * FINE, 2 * (row + rows) * FINE), room).logits, row * FINE * data.outputs);
      if (row < FINE) timers.fine = setTimeout(strip);
      else paintMap(map, { ...view.plan, side: FINE, scores }, view.colours);
    })();
  }

  function where() {
    const at = control("at");
    write(".play-go", running ? "Pause" : "Run");
    at.max = Math.max(far(), run.at, 1);
    at.value = run.at;
    at.setAttribute("aria-valuetext", `step ${run.at} of ${far()}`);
    write("[data-of=at]", `${run.at} of ${far()}`);
  }

  function points() {
    const { data } = run, test = new Set(data.test);
    return (data.list ??= Array.from(data.labels, (label, i) => ({ x: data.points[2 * i], y: data.points[2 * i + 1], label, test: test.has(i) })));
  }

  const summary = () => {
    const { setup, data } = run, layers = setup.layers.map(({ units, activation }) => `${units} ${NAMES.activation[activation]}`).join(", ");
    return capital(`${NAMES.data[setup.data]}; hidden layers: ${layers || "none"}; ${NAMES.method[setup.method]} with rate ${show(run.setting("rate"))}; ${data.train.length} training points.`);
  };

  function settings() {
    const { setup, data } = run, text = textNow(), name = Object.keys(texts).find((one) => texts[one] === text) ?? "", depth = setup.layers.length;
    write(".play-about", presets[name]?.about ?? (bare ? summary() : ""));
    if (bare) return void (find(".play-open").href = `${home}#playground=${encodeURIComponent(text)},${run.at}`);
    control("preset").value = name;
    for (const input of all(".play-side :is(select, [type=number])")) input.value = setup[input.name];
    for (const [name, grid] of Object.entries(GRIDS)) {
      const value = CHANGEABLE.includes(name) ? run.setting(name) : setup[name], input = control(name);
      const told = name === "test" || name === "dropout" ? percent(value) : name === "batch" && value >= data.train.length ? "all points" : show(value);
      input.value = nearestOf(grid, value);
      input.setAttribute("aria-valuetext", told);
      write(`[data-of=${name}]`, told);
    }
    const own = setup.data === "own", many = ["gaussians", "spirals", "own"].includes(setup.data) && data.task === "classify";
    const shown = { task: own, points: !own, noise: !own, classes: many, momentum: setup.method === "momentum", span: setup.schedule !== "constant" };
    for (const [field, yes] of Object.entries(shown)) find(`[data-field=${field}]`).hidden = !yes;
    write("[data-group=data] summary span", `: ${NAMES.data[setup.data]}, ${data.train.length} + ${data.test.length} points`);
    write("[data-group=start] summary span", `: ${NAMES.init[setup.init]}, seed ${setup.start}`);
    write("[data-group=learning] summary span", `: ${NAMES.method[setup.method]}, rate ${show(run.setting("rate"))}`);
    write("[data-of=depth]", plural(depth, "hidden layer"));
    find("[data-do=fewer]").disabled = !depth;
    find("[data-do=deeper]").disabled = depth === MOST_LAYERS;
    drawPen(own, many ? data.outputs : 1);
  }

  function drawPen(own, count) {
    const place = find(".play-pen"), radio = (value, drawing, label) => `<label><input type="radio" name="pen" value="${value}">${drawing}${label}</label>`;
    place.hidden = !own;
    plane.classList.toggle("drawn", own);
    if (pen >= count) pen = 0;
    if (place.dataset.count !== `${count}`) place.innerHTML = `<fieldset><legend>Pen</legend>${Array.from({ length: count }, (_, k) =>
      radio(k, `<svg viewBox="-8 -8 16 16" aria-hidden="true">${bead(KINDS[k], k, [0, 0])}</svg>`, count > 1 ? `class ${k}` : "point")).join("")}${radio("erase", "", "erase")}</fieldset>
      <div class="play-buttons">${press("unpoint", "Take back")}${press("clear", "Clear")}</div><p>Draw with mouse or finger. By keyboard: arrow keys move the place on the map, Space puts a point, Delete takes the nearest one away, digits choose the pen.</p>`;
    place.dataset.count = count;
    for (const input of place.querySelectorAll("input")) input.checked = input.value === `${pen}`;
    for (const button of place.querySelectorAll("button")) button.disabled = !run.setup.own;
  }

  // --- The network ---

  /** The columns of the network: made anew only when their shape changes, with the focus where it was. */
  function build() {
    const { setup, data } = run, last = setup.layers.length + 1, counts = [data.features, ...setup.layers.map(({ units }) => units), data.outputs];
    if (shape !== `${counts} ${data.task}`) {
      shape = `${counts} ${data.task}`;
      const focus = stage.contains(document.activeElement) && document.activeElement.dataset.focus;
      const name = (l, u) => (l === 0 ? `input ${data.features === 1 ? "x" : `x${"₁₂"[u]}`}` : l < last ? `layer ${l}, unit ${u + 1}` : `output ${data.task === "classify" ? `class ${u}` : "y"}`);
      const head = (l) => (bare ? `<span data-name="${l}"></span>` : `<select data-activation="${l}" data-focus="a${l}" aria-label="Activation of layer ${l}">${options(NAMES.activation)}</select>
        <span class="play-count" role="group" aria-label="Units of layer ${l}"><button type="button" data-less="${l}" data-focus="l${l}" aria-label="One unit less in layer ${l}">−</button><span data-units="${l}"></span><button type="button" data-more="${l}" data-focus="m${l}" aria-label="One unit more in layer ${l}">+</button></span>`);
      stage.innerHTML = `<canvas class="play-lines" aria-hidden="true"></canvas>${counts.map((count, l) => {
        const inner = l > 0 && l < last, title = inner ? `Layer ${l}` : l ? "Output" : "Input";
        return `<div class="play-column${inner ? " inner" : ""}" role="group" aria-label="${title}"><div class="play-top"><span>${title}</span>${inner ? head(l) : ""}</div><div class="play-units">${Array.from({ length: count }, (_, u) =>
          `<button type="button" class="play-unit" data-unit="${l}.${u + 1}" data-focus="${l}.${u + 1}" data-name="${name(l, u)}"><canvas aria-hidden="true"></canvas><span class="play-mark" aria-hidden="true"></span></button>`).join("")}</div>${inner ? '<svg class="play-foot" role="img" viewBox="0 0 96 48"></svg>' : ""}</div>`;
      }).join("")}`;
      const most = Math.max(...counts);
      stage.classList.toggle("many", last > 5);
      root.style.setProperty("--tile", `${most > 11 ? 28 : most > 8 ? 34 : 42}px`);
      tiles = all(".play-column").map((one) => [...one.querySelectorAll(".play-unit")]);
      if (!find(`[data-unit="${chosen}"]`)) chosen = "1.1";
      if (focus) (find(`[data-focus="${focus}"]`) ?? find(`[data-unit="${chosen}"]`)).focus({ preventScroll: true });
    }
    setup.layers.forEach(({ units, activation }, l) => {
      if (bare) return write(`[data-name="${l + 1}"]`, NAMES.activation[activation]);
      find(`[data-activation="${l + 1}"]`).value = activation;
      write(`[data-units="${l + 1}"]`, `${units}`);
      find(`[data-less="${l + 1}"]`).setAttribute("aria-disabled", units === LIMITS.units.low); // a disabled button would lose the focus
      find(`[data-more="${l + 1}"]`).setAttribute("aria-disabled", units === LIMITS.units.high);
    });
    if (sized === `${shape} ${wide}`) return; // to ask for places costs a layout
    sized = `${shape} ${wide}`;
    for (const svg of all(".play-chart > svg")) widths[svg.parentElement.dataset.chart] = Math.max(svg.clientWidth, 200);
    widths.map = map.clientWidth;
    const { left, top } = stage.getBoundingClientRect();
    places = tiles.map((list) => list.map((tile) => tile.getBoundingClientRect()).map((r) => [r.left - left + r.width / 2, r.top - top + r.height / 2]));
    places.size = [stage.offsetWidth, stage.offsetHeight];
  }

  /** What is told of the units: their states, the histograms, and the chosen one in words. */
  function states() {
    const seen = new Set(view.units.flatMap(({ states: list }) => list));
    tiles.forEach((list, l) => list.forEach((tile, u) => {
      const state = view.units[l - 1]?.states[u], on = tile.dataset.unit === chosen;
      tile.dataset.state = state ?? "";
      tile.lastElementChild.textContent = STATES[state] ?? "";
      tile.setAttribute("aria-label", `${tile.dataset.name}${state ? `: ${state}` : ""}`);
      tile.setAttribute("aria-pressed", on);
      tile.tabIndex = on ? 0 : -1;
    }));
    all(".play-foot").forEach((svg, l) => {
      const { low, high, counts } = view.units[l].histogram, fullest = low + ((counts.indexOf(Math.max(...counts)) + 0.5) * (high - low)) / counts.length;
      svg.innerHTML = histogramBars(96, 34, view.units[l].histogram);
      svg.setAttribute("aria-label", `Activations of layer ${l + 1} on the training points: from ${show(low)} to ${show(high)}, most often near ${show(fullest)}.`);
    });
    const marks = Object.keys(MEANING).filter((state) => seen.has(state)).map((state) => `<li><span class="play-mark" aria-hidden="true">${STATES[state]}</span>${MEANING[state]}</li>`);
    fill(find(".play-net .play-key"), lineKey("one", null, "positive weight or response") + lineKey("two", null, "negative") + marks.join(""));

    const [layer, number] = chosen.split(".").map(Number), tile = tiles[layer][number - 1], unit = view.units[layer - 1]?.units[number - 1];
    let text = "One of the numbers that the network gets.";
    if (layer) {
      const { weights, bias, n, learned, p } = run.network.layers[layer - 1], from = (i) => tiles[layer - 1][i].dataset.name.replace(/^layer \d+, |input /, "");
      const list = Array.from(weights.subarray((number - 1) * n, number * n), (w, i) => `${from(i)} ${show(w)}`).join("; ");
      const own = [...new Set(learned.map((one) => one.name))].map((name) => `${name} ${[p[name]].flat().map(show).join(", ")}`).join("; ");
      text = `${unit && run.data.size ? `On the training points it answers ${show(unit.low)} to ${show(unit.high)}, ${show(unit.mean)} on average. ` : ""}Weights: ${list}; bias ${show(bias[number - 1])}.${own ? ` The layer has learned ${own}.` : ""}`;
    }
    write(".play-unitcard strong", capital(tile.dataset.name) + (unit ? `: ${unit.state}` : ""));
    write(".play-unitcard p", text);
    paintUnit(find(".play-unitcard canvas"), view, layer, tiles[layer].length, number - 1);
    find(".play-unitcard canvas").setAttribute("aria-label", `Response of ${tile.dataset.name} over the map`);
  }

  function pick(unit) {
    if (unit === chosen) return;
    chosen = unit;
    states();
  }

  // --- Curves and words ---

  function charts() {
    const { history, data, at, network } = run, { train, test } = view.score, tested = data.test.length > 0, H = 170;
    const looks = (values) => sampled(values, history.looks, EVERY);
    const put = (name, markup, keys, label) => {
      const [svg, legend] = find(`[data-chart=${name}]`).children, w = widths[name];
      svg.setAttribute("viewBox", `0 0 ${w} ${H}`);
      svg.setAttribute("height", H);
      svg.setAttribute("aria-label", label);
      svg.innerHTML = markup(w);
      fill(legend, keys.map((one) => lineKey(...one)).join(""));
    };
    const both = [["one", 0, "training points"], ...(tested ? [["two", 3, "test points"]] : [])], told = (a, b) => `At step ${at}: training ${a}${tested ? `, test ${b}` : ""}.`;
    const lines = (one, two) => [{ kind: "one", shape: 0, points: looks(one) }, { kind: "two", shape: 3, points: looks(two) }], losses = lines(history.trainLoss, history.testLoss);
    const batches = sampled(history.loss, history.steps, 1), heights = losses.flatMap((one) => one.points.map(([, v]) => log(v)));
    const low = Math.max(-9, Math.min(-0.6, ...heights) - 0.1), high = Math.min(9, Math.max(-0.3, ...heights) + 0.1);
    put("loss", (w) => stepsChart(w, H, { title: data.task === "classify" ? "loss (cross-entropy, nats)" : "loss (mean squared error)", lines: [{ kind: "one", faint: true, points: batches }, ...losses], far: far(), at, low, high, logarithmic: true }), both,
      `Loss by step. ${told(digits(train.loss), digits(test.loss))}`);
    if (bare) return;
    find("[data-chart=accuracy]").hidden = data.task !== "classify";
    if (data.task === "classify") put("accuracy", (w) => stepsChart(w, H, { title: "accuracy", lines: lines(history.trainAccuracy, history.testAccuracy), far: far(), at, low: 0, high: 1.02 }), both,
      `Accuracy by step. ${told(percent(train.accuracy), percent(test.accuracy))}`);
    const names = network.layers.map((_, l) => (l === network.layers.length - 1 ? "out" : `${l + 1}`)), values = (list) => (at ? list : []);
    put("layers", (w) => layersChart(w, H, { title: "by layer, mean of the last 20 steps", names, usual: [1e-4, 1e-1], series: [{ kind: "three", shape: 1, values: values(facts.gradients) }, { kind: "four", shape: 2, values: values(facts.ratios) }] }),
      [["three", 1, "gradient norm"], ["four", 2, "update / weights; usual in the grey"]], at ? `By layer: ${names.map((name, l) => `${name}: gradient ${digits(facts.gradients[l])}, update ${digits(facts.ratios[l])} of the weights`).join("; ")}.` : "Gradient and update by layer: nothing before the first step.");
  }

  function words() {
    const { first, others } = explain(facts), { train, test } = view.score, { data, at } = run, classify = data.task === "classify", tested = data.test.length > 0;
    const right = classify ? `; right: ${percent(train.accuracy)} of the training points${tested ? `, ${percent(test.accuracy)} of the test points` : ""}` : "";
    const line = data.size ? `Step ${at}, epoch ${Math.floor(at / run.perEpoch) + 1}. Training loss ${digits(train.loss)}${tested ? `, test loss ${digits(test.loss)}` : ""}${right}.` : "";
    write(".play-first", run.trouble && data.size ? "" : first); // a trouble is told above, with the ways back
    fill(find(".play-told ul"), others.map((one) => `<li>${one}</li>`).join(""));
    write(".play-facts", line);
    map.setAttribute("aria-label", `${classify ? "Map of the answers with" : "The curve of the network over"} ${data.size} points. ${line}`);
    const dots = Array.from({ length: classify ? data.outputs : 1 }, (_, k) => key(bead(KINDS[k], k, [0, 0]), classify ? `class ${k}` : "points")).join("");
    fill(find(".play-map .play-key"), dots + (classify ? "" : lineKey("two", null, "network")) + (tested ? "<li>open: test points</li>" : ""));

    // Screen readers hear of another finding, not of each other number; and of no two within a short time.
    const gist = running ? first.replace(/[\d.,−×⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+/g, "") : `${first} ${line}`;
    if (gist === told || !touched || run.trouble) return;
    told = gist;
    clearTimeout(timers.live);
    timers.live = setTimeout(() => {
      spoken = performance.now();
      write(".play-live", running ? first : gist);
    }, Math.max(400, spoken + QUIET - performance.now()));
  }

  /** What the network says at a place of the map. */
  function ask(x, y) {
    const { data, network, setup } = run, scores = network.outputs(Float64Array.from(data.features === 1 ? [x] : [x, y])).logits, [best, sure] = answer(scores, 0, data.outputs);
    const near = setup.data === "own" ? nearestPoint(points(), x, y) : -1, cursor = plane.lastElementChild;
    const text = data.task === "classify" ? `At x₁ ${show(x)}, x₂ ${show(y)} the network says class ${best}, with ${percent(sure)}.` : `At x ${show(x)} the network says ${show(scores[0])}.`;
    write(".play-asked", text);
    cursor.setAttribute("aria-valuenow", x);
    cursor.setAttribute("aria-valuetext", `${data.task === "classify" ? "" : `y ${show(y)}. `}${text}${near < 0 ? "" : ` A point${data.task === "classify" ? ` of class ${points()[near].label}` : ""} is here.`}`);
  }

  // --- Points of one's own, files, and what is taken along ---

  function putPoints(list, done, why = "A new run, because the points changed.") {
    const before = stroke ?? here(), own = packPoints(list);
    halt();
    if (own !== run.setup.own || run.setup.data !== "own") anew({ data: "own", own });
    stroke = done ? null : before; // a stroke of the pen is taken back as one
    if (!done) return build(), paint();
    if (before.text !== textNow()) offer(why, before);
    rest();
  }

  /** Own points begin with those that are shown, as many as a link can hold. */
  function takeData(data) {
    const own = data === "own" && !run.setup.own, list = own && packPoints(points().slice(0, MOST_POINTS));
    put(own ? { data, task: run.data.task, classes: Math.max(2, run.data.outputs), own: list } : { data });
  }

  async function readFile(file) {
    const { points: list, faults } = readCsv(await file.text());
    if (faults.length) note(`${file.name} was not taken. ${faults.join(" ")}`, [], true);
    else putPoints(list, true, `A new run with the ${list.length} points of ${file.name}.`);
  }

  function download(name, text, type) {
    const link = Object.assign(document.createElement("a"), { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function copy(text, what) {
    const place = find(".play-out textarea");
    place.hidden = false;
    place.value = text;
    try {
      await navigator.clipboard.writeText(text);
      write(".play-out [role=status]", `${what} copied.`);
    } catch { // some pages may not: the reader can
      place.focus();
      place.select();
      write(".play-out [role=status]", `${what} is below: copy it from there.`);
    }
  }

  function picture() {
    const heads = run.setup.layers.map(({ activation }) => NAMES.activation[activation]), size = tiles[0][0].offsetWidth;
    const lines = [summary(), find(".play-first").textContent, find(".play-facts").textContent], charted = all(".play-chart:not([hidden]) > svg");
    download("playground.svg", wholePicture({ root, map, tiles, places, size, heads, lines, charts: charted, note: `${textNow()}, step ${run.at}`, ...view }), "image/svg+xml");
    write(".play-out [role=status]", "Picture saved.");
  }

  // --- Hands ---

  function setLayers(change) {
    const layers = structuredClone(run.setup.layers);
    put({ layers: change(layers) ?? layers });
  }
  const within = (units) => Math.max(LIMITS.units.low, Math.min(LIMITS.units.high, units));
  const actions = {
    run: () => (running ? rest() : play()), step: () => steps(1), ten: () => steps(10), halt: rest,
    reset() { anew({}, "Back at the start."); rest(); },
    undo() {
      const { text, at, far, run: old } = kept;
      kept = null;
      halt();
      note("");
      find(".play-go").focus(); // the button that was pressed is gone
      if (!old) return open(text, far, true, at);
      run = old;
      rest();
    },
    halve() {
      find(".play-go").focus();
      put({ rate: Math.max(LIMITS.rate.low, run.setting("rate") / 2) });
      play();
    },
    sound: () => travel(far()),
    fewer: () => setLayers((layers) => layers.slice(0, -1)), deeper: () => setLayers((layers) => [...layers, { units: 8, activation: "ReLU", ...layers.at(-1) }]),
    unpoint: () => putPoints(points().slice(0, -1), true), clear: () => putPoints([], true),
    load: () => find("[type=file]").click(), save: () => download("points.csv", writeCsv(points()), "text/csv"),
    link: () => copy(`${model.isStatic ? location.href.split("#")[0] : home}#playground=${encodeURIComponent(textNow())},${run.at}`, "Link"), code: () => copy(labsCode(run.setup, run.at), "Code"), picture,
  };
  root.addEventListener("click", ({ target }) => {
    const { do: name, less, more, unit } = target.closest("button")?.dataset ?? {};
    if (name) actions[name]();
    if (unit) pick(unit);
    if (less) setLayers((layers) => { layers[less - 1].units = within(layers[less - 1].units - 1); });
    if (more) setLayers((layers) => { layers[more - 1].units = within(layers[more - 1].units + 1); });
  });
  root.addEventListener("focusin", ({ target }) => {
    touched = true;
    if (target.dataset.unit) pick(target.dataset.unit);
  });
  root.addEventListener("input", ({ target: { name, value } }) => {
    if (name === "at") travel(Number(value));
    else if (GRIDS[name]) put({ [name]: GRIDS[name][value] });
  });
  root.addEventListener("change", ({ target }) => {
    const { name, value, dataset: { activation }, files } = target;
    if (activation) setLayers((layers) => { layers[activation - 1].activation = value; });
    else if (files?.length) readFile(files[0]).finally(() => { target.value = ""; });
    else if (name === "pen") pen = value === "erase" ? value : Number(value);
    else if (name === "every" && value) {
      setLayers((layers) => layers.map(({ units }) => ({ units, activation: value })));
      target.value = "";
    } else if (name === "preset" && value) {
      const before = here();
      open(presets[value].setup, 0, true);
      offer("A new run with the settings of the preset.", before);
    } else if (name === "data") takeData(value);
    else if (name === "classes") put({ classes: Number(value) });
    else if (name === "seed" || name === "start") target.value !== "" && target.checkValidity() ? put({ [name]: Number(value) }) : settings();
    else if (CHOICES[name]) put({ [name]: value });
  });
  stage.addEventListener("keydown", (event) => {
    const [layer, unit] = (event.target.dataset.unit ?? "").split(".").map(Number);
    const to = { ArrowLeft: [layer - 1, unit], ArrowRight: [layer + 1, unit], ArrowUp: [layer, unit - 1], ArrowDown: [layer, unit + 1], Home: [layer, 1], End: [layer, Infinity] }[event.key];
    if (!unit || !to || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const list = tiles[Math.max(0, Math.min(tiles.length - 1, to[0]))];
    list[Math.max(1, Math.min(list.length, to[1])) - 1].focus();
  });

  // --- From outside: the link, Python, the theme, the size ---

  const onModel = () => {
    if (quiet || heard) return;
    heard = true; // setup and step change one after the other
    queueMicrotask(() => {
      heard = false;
      if (!el.isConnected) return;
      if (model.get("setup") !== textNow()) open(model.get("setup"), model.get("step"));
      else if (model.get("step") !== run.at) travel(Math.max(0, Math.round(model.get("step"))), false);
    });
  };
  open(model.get("setup"), model.get("step"));
  hand = handOnMap({ box: plane, cursor: plane.lastElementChild, points, change: putPoints, moved: ask, pen: () => (run.setup.data === "own" ? pen : null), choose: (value) => find(`[name=pen][value="${value}"]`)?.click() });
  hand.go(0, 0);
  const again = () => {
    colours = null;
    if (running || goal) build();
    else draw();
  };
  const themes = new MutationObserver(again), dark = matchMedia("(prefers-color-scheme: dark)");
  for (const place of [document.documentElement, document.body]) themes.observe(place, { attributes: true, attributeFilter: ["class", "data-theme", "data-jp-theme-light"] });
  dark.addEventListener("change", again);
  const events = ["change:setup", "change:step"];
  events.forEach((event) => model.on(event, onModel));
  const stop = whenResized(root, (width) => {
    if (!wide && width >= 1080) all("details").forEach((one) => { one.open = true; });
    wide = width;
    again();
  });
  return () => {
    halt();
    stop();
    themes.disconnect();
    dark.removeEventListener("change", again);
    Object.values(timers).forEach(clearTimeout);
    events.forEach((event) => model.off(event, onModel));
  };
}

export default { render };
