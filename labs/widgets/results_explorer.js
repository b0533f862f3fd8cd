// The results explorer: the networks of the great comparison with their seeds, intervals, curves and ranks.
// Python packs the numbers; what follows the reader's choice is computed here.

/** The mean, and half of its interval and of the prediction interval; `t` holds Student's quantiles by number of values. */
export function summary(values, t) {
  const n = values.length, mean = values.reduce((sum, v) => sum + v, 0) / n;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1);
  return { mean, half: t[n] * Math.sqrt(variance / n), predict: t[n] * Math.sqrt(variance * (1 + 1 / n)) };
}

/** For each column (a value per seed) the probability of each rank of its mean, over all n^n paired resamples. */
export function rankProbabilities(columns, lowest) {
  const n = columns[0].length, size = columns.length, found = columns.map(() => Array(size).fill(0));
  const factorial = (k) => (k > 1 ? k * factorial(k - 1) : 1);
  // How often a resample holds each seed decides its means, and of such counts there are few: 126 for five seeds.
  function deal(seed, left, share, sums) {
    if (seed < n - 1) {
      for (let times = 0; times <= left; times++)
        deal(seed + 1, left - times, share / factorial(times), sums.map((sum, i) => sum + times * columns[i][seed]));
      return;
    }
    const total = sums.map((sum, i) => (lowest ? 1 : -1) * (sum + left * columns[i][seed]));
    const order = total.map((_, i) => i).sort((a, b) => total[a] - total[b]);
    for (let from = 0, to; from < size; from = to) {
      for (to = from + 1; to < size && total[order[to]] - total[order[from]] < 1e-10; ) to++; // equal but for rounding
      for (const i of order.slice(from, to))
        for (let rank = from; rank < to; rank++) found[i][rank] += share / factorial(left) / (to - from);
    }
  }
  deal(0, n, factorial(n) / n ** n, columns.map(() => 0));
  return found;
}

const missing = (x) => x == null || Number.isNaN(x), capital = (text) => text[0].toUpperCase() + text.slice(1);
const show = (x, { digits }) => (missing(x) ? "–" : x.toFixed(digits).replace("-", "−"));
const select = (label, name, list) => `<label>${label} <select name="${name}">${list.map(([value, text]) => `<option value="${value}">${text}</option>`).join("")}</select></label>`;
const head = (labels) => `<table><caption></caption><thead><tr>${labels.map((label) => `<th scope="col">${label}</th>`).join("")}</tr></thead><tbody></tbody></table>`;

/** About `many` round numbers from low to high. */
function ticks(low, high, many) {
  const raw = (high - low) / many || 1, power = 10 ** Math.floor(Math.log10(raw)), found = [];
  const step = [1, 2, 5, 10].find((s) => s * power >= raw * 0.999) * power;
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(Number((i * step).toPrecision(12)));
  return found;
}

const SHAPES = { mean: "M0-5L5 0L0 5L-5 0Z", half: "M-14 0H14", predict: "M-16 0H16M-16-4V4M16-4V4", seed: "M-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  cross: "M-4-4L4 4M-4 4L4-4", lost: "M-4-3H4L0 4Z", away: "M8-5L0 0L8 5", beyond: "M-8-5L0 0L-8 5", end: "M0-4V4" };
const mark = (x, y, shape) => `<svg x="${x}%" y="${y}" class="${shape}"><path d="${SHAPES[shape]}"/></svg>`;
const sample = (slot) => `<svg class="rx-sample rx-s${slot}" viewBox="0 0 36 10" aria-hidden="true"><path d="M0 5H36"/></svg>`;

/** One network on the common axis: its intervals and mean, below them the seeds. */
function whiskers(row, [low, high], grid) {
  const place = (v) => ((v - low) / (high - low)) * 100, inside = (v) => v >= low && v <= high;
  const put = (list, shape, y = 9) => list.filter((v) => !missing(v) && inside(v)).map((v) => mark(place(v), y, shape)).join("");
  const bar = (reach, name) => (row.mean + reach >= low && row.mean - reach <= high
    ? `<line class="${name}" x1="${Math.max(0, place(row.mean - reach))}%" x2="${Math.min(100, place(row.mean + reach))}%" y1="9" y2="9"/>` : "");
  const back = grid.map((v) => `<line x1="${place(v)}%" x2="${place(v)}%" y1="0" y2="26" class="grid"/>`).join("");
  if (missing(row.mean)) return back;
  return back + bar(row.predict, "predict") + put([row.mean - row.predict, row.mean + row.predict], "end") + bar(row.half, "half")
    + put(row.points.filter((_, i) => !row.gone[i]), "seed", 20) + put(row.points.filter((_, i) => row.gone[i]), "lost", 20)
    + (inside(row.mean) ? put([row.mean], "mean") : mark(row.mean < low ? 0 : 100, 9, row.mean < low ? "away" : "beyond")) + put([row.printed], "cross");
}

/** From the lowest to the highest mark; a network more than ten times the quartiles' distance from them does not count. */
function axisOf(rows) {
  const able = rows.filter((row) => !missing(row.mean)), means = able.map((row) => row.mean).sort((a, b) => a - b);
  const at = (q) => means[Math.round(q * (means.length - 1))], room = 10 * (at(0.75) - at(0.25)) || Infinity;
  const marks = able.filter(({ mean }) => mean >= at(0.25) - room && mean <= at(0.75) + room)
    .flatMap(({ points, mean, predict, printed }) => [...points, mean - predict, mean + predict, printed]).filter((v) => !missing(v));
  const low = Math.min(...marks), high = Math.max(...marks), wider = high > low ? 0 : Math.abs(high) / 10 || 1;
  return marks.length ? [low - wider, high + wider] : [0, 1];
}

function render({ model, el }) {
  const data = model.get("data"), measures = Object.fromEntries(data.measures), columns = data.columns.map(([column]) => column), experiments = new Map(data.experiments.map((one) => [one.key, one]));
  const get = (name) => model.get(name), rows = new Map(), unitOf = ({ name, unit }) => `${name} [${unit}]`;

  /** The networks of an experiment; where both starts are shown, a name becomes two. */
  const networksOf = ({ networks, parts }) => networks || parts.map((part) => experiments.get(part))
    .flatMap((one) => one.networks.map((n) => ({ ...n, base: n.name, name: `${n.name}, ${one.start} start` })));

  el.innerHTML = `<div class="rx" role="group" aria-label="Results explorer" data-lm-suppress-shortcuts="true">
    <div class="rx-controls">
      ${select("Experiment", "experiment", data.experiments.map((one) => [one.key, one.label]))}
      ${select("Measure", "measure", data.measures.map(([key, spec]) => [key, unitOf(spec)]))}
      ${select("Family", "family", [["all", "all families"], ...data.families.map((f) => [f, f])])}
      <label>Name contains <input name="find" type="search" size="10" autocomplete="off"></label>
    </div>
    <p class="rx-headline" aria-live="polite"></p>
    <div class="rx-box" role="region" aria-label="Table of networks" tabindex="0">${head(data.columns.map(([column, label]) => (column === "picture"
      ? `<span class="rx-hidden">${label}</span><svg class="rx-picture" height="18" aria-hidden="true"></svg>` : `<button type="button">${label}<span aria-hidden="true"></span></button>`)))}</div>
    <ul class="rx-legend" aria-label="Legend">${data.legend.map(([shape, text]) =>
      `<li data-shape="${shape}"><svg viewBox="-20 -8 40 16" class="${shape}" aria-hidden="true"><path d="${SHAPES[shape]}"/></svg>${text}</li>`).join("")}</ul>
    <section class="rx-curves" aria-label="Learning curves"><div class="rx-controls">
      ${select("Learning curve", "curve", data.curves)}
      <label>Read off at epoch <input name="epoch" type="range" min="1"></label><button type="button" class="rx-clear">Clear the selection</button></div>
      <p aria-live="polite"></p><svg viewBox="0 0 480 260" role="img"></svg>${head(["network", "mean", "lowest to highest seed"])}</section>
    <section class="rx-ranks" aria-label="Rank probabilities"><div class="rx-controls">${select("Ranks among", "ranks", [["shown", "all in the table"], ["selected", "the selected"]])}</div>
      <p></p>${head(["network", "first [%]", "expected rank", "probability of each rank"])}</section></div>`;

  const find = (place) => el.querySelector(place), all = (place) => [...el.querySelectorAll(place)];
  const control = Object.fromEntries(all("select, input").map((input) => [input.name, input])), heads = all(".rx-box th");
  heads.forEach((th, i) => (th.dataset.column = columns[i]));
  const selected = () => get("selected").split("~").filter(Boolean);
  const epochsOf = (list) => Math.max(0, ...list.flatMap((n) => n.curves.train_loss.map((run) => run.length)));
  const has = (list, field) => list.some((n) => [n[field]].flat().some((v) => !missing(v)));
  const say = (place, text) => find(place).textContent === text || (find(place).textContent = text); // else it is read out again
  const choose = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };

  // An address typed by hand may ask for what is not there, and another experiment may lack what the last one had.
  function tidy() {
    const fix = (name, good) => good.includes(get(name)) || model.set(name, good[0]);
    fix("experiment", [...experiments.keys()]);
    const list = networksOf(experiments.get(get("experiment"))), wanted = selected();
    fix("measure", Object.keys(measures).filter((key) => has(list, key)));
    fix("family", ["all", ...data.families]);
    fix("curve", data.curves.map(([key]) => key));
    fix("ranks", ["shown", "selected"]);
    fix("sort", ["-mean", ...columns, ...columns.map((column) => `-${column}`)]);
    fix("epoch", [...Array(epochsOf(list) + 1).keys()]);
    const there = wanted.flatMap((name) => (list.some((n) => n.name === name) ? [name] : list.filter((n) => n.base === name || name.startsWith(`${n.name}, `)).map((n) => n.name)));
    const kept = [...new Set(there)].slice(0, data.most).join("~");
    if (kept !== get("selected")) model.set("selected", kept);
  }

  /** A network with the measure per seed, in its unit, and what follows from it. */
  function describe(network, measure, { scale }) {
    const points = [network[measure] ?? []].flat().map((v) => (v !== null ? v * scale : measure === "accuracy" ? data.chance * scale : v));
    const seen = points.filter((v) => v !== null), gone = network.accuracy.map((v) => v === null), printed = network.printed && network.printed[measure] * scale;
    return { ...network, ...summary(seen, data.t), points, gone, lost: gone.filter(Boolean).length, printed, whole: seen.length > 1 && seen.length === points.length };
  }

  function fill(row, axis, grid, spec, picked) {
    const tr = rows.get(row.name) || document.createElement("tr"), slot = picked.indexOf(row.name);
    if (!rows.has(row.name))
      tr.innerHTML = `<th scope="row"><label><input type="checkbox"> ${row.name}<span></span></label></th>${columns.slice(1).map((column) => `<td data-column="${column}"></td>`).join("")}`;
    rows.set((tr.dataset.network = row.name), tr);
    const box = tr.querySelector("input");
    box.checked = slot >= 0;
    box.disabled = slot < 0 && picked.length >= data.most;
    tr.querySelector("span").innerHTML = slot < 0 ? "" : sample(slot);
    const seeds = row.points.map((v, i) => (row.gone[i] ? "diverged" : show(v, spec))).join(", "), printed = show(row.printed, spec);
    const text = { family: row.family, lr: row.lr ?? "–", printed, lost: `${row.lost} of ${row.accuracy.length}` };
    for (const field of ["mean", "half", "predict"]) text[field] = show(row[field], spec);
    for (const column in text) tr.querySelector(`[data-column=${column}]`).textContent = text[column];
    tr.children[1].innerHTML = `<svg class="rx-picture" height="26" role="img" aria-label="single values: ${seeds || "none"}; printed: ${printed}">${whiskers(row, axis, grid)}</svg>`;
    return tr;
  }

  function drawTable(list, shown, picked, spec, experiment) {
    const down = get("sort")[0] === "-", column = get("sort").replace("-", ""), body = find("tbody");
    const compare = (a, b) => missing(a) - missing(b) || (down ? -1 : 1) * ((a > b) - (a < b));
    shown.sort((a, b) => compare(a[column], b[column]));
    const axis = axisOf(shown), grid = ticks(...axis, 4), trs = shown.map((row) => fill(row, axis, grid, spec, picked));
    // Rows that keep their order stay where they are: one that is moved would lose the keyboard's focus.
    if (trs.length !== body.children.length || trs.some((tr, i) => tr !== body.children[i])) body.replaceChildren(...trs);
    const none = { lr: !has(list, "lr"), printed: !has(list, "printed"), lost: !list.some((n) => n.lost) };
    for (const cell of all("[data-column]")) cell.hidden = none[cell.dataset.column];
    for (const th of heads) {
      const here = th.dataset.column === column, arrow = th.querySelector("button span");
      th.ariaSort = here ? (down ? "descending" : "ascending") : null;
      if (arrow) arrow.textContent = here ? (down ? " ▼" : " ▲") : "";
    }
    find("thead svg").innerHTML = grid.map((v) => {
      const x = ((v - axis[0]) / (axis[1] - axis[0])) * 100;
      return `<text x="${x}%" y="13" text-anchor="${x < 8 ? "start" : x > 92 ? "end" : "middle"}">${v}</text>`;
    }).join("");
    find("caption").textContent = `${capital(unitOf(spec))}: ${experiment.label}, ${epochsOf(list)} epochs, seeds ${experiment.seeds.join(", ")}`;
    for (const [shape, hide] of [["cross", none.printed], ["lost", none.lost], ["away", !find("td :is(.away, .beyond)")]]) find(`[data-shape=${shape}]`).hidden = hide;
    const [first] = shown.filter((row) => !missing(row.mean)).sort((a, b) => (spec.lowest ? a.mean - b.mean : b.mean - a.mean));
    say(".rx-headline", `${shown.length} of ${list.length} networks. ${first ? `${spec.lowest ? "Lowest" : "Highest"} mean: ${first.name}, ${show(first.mean, spec)} ${spec.unit}.` : "Nothing to show."}`);
  }

  function drawCurves(chosen) {
    const kind = get("curve"), spec = measures[kind.split("_")[1]], epochs = epochsOf(chosen), at = get("epoch") || epochs;
    const words = capital(Object.fromEntries(data.curves)[kind]), svg = find(".rx-curves > svg"), { epoch } = control;
    say(".rx-curves p", chosen.length ? `${chosen.length} of at most ${data.most} networks selected.` : `Tick up to ${data.most} networks in the table to see their learning curves.`);
    find(".rx-curves").classList.toggle("rx-none", !epochs);
    if (!epochs) return;
    epoch.max = epochs;
    epoch.value = at;
    const series = chosen.map((n) => Array.from({ length: epochs }, (_, e) => {
      const values = n.curves[kind].map((run) => (run[e] / data.steps) * spec.scale).filter((v) => !missing(v));
      return { n: values.length, mean: summary(values, data.t).mean, low: Math.min(...values), high: Math.max(...values) };
    }).filter((p) => p.n));
    const points = series.flat(), low = Math.min(...points.map((p) => p.low)), span = Math.max(...points.map((p) => p.high)) - low || 1;
    const x = (e) => 52 + (e / Math.max(1, epochs - 1)) * 416, y = (v) => 222 - ((v - low) / span) * 210;
    const path = (list, field) => list.map((p, e) => `${x(e).toFixed(1)} ${y(p[field]).toFixed(1)}`);
    svg.innerHTML = `${ticks(low, low + span, 5).map((v) => `<path class="grid" d="M52 ${y(v)}H468"/><text x="46" y="${y(v) + 5}" text-anchor="end">${v}</text>`).join("")
    }${ticks(1, epochs, 5).filter(Number.isInteger).map((e) => `<text x="${x(e - 1)}" y="241" text-anchor="middle">${e}</text>`).join("")}<path class="at" d="M${x(at - 1)} 6V222"/>
      <path class="base" d="M52 222H468"/><text x="468" y="257" text-anchor="end">epoch</text>${series.map((list, i) => (list[0]
      ? `<g class="rx-s${i}"><path class="band" d="M${[...path(list, "high"), ...path(list, "low").reverse()].join("L")}Z"/><path class="curve" d="M${path(list, "mean").join("L")}"/></g>` : "")).join("")}`;
    svg.setAttribute("aria-label", `${words} over ${epochs} epochs. ${chosen.map(({ name }, i) => `${name}: from ${show(series[i][0]?.mean, spec)} to ${show(series[i].at(-1)?.mean, spec)}`).join("; ")}.`);
    find(".rx-curves caption").textContent = `${words} after epoch ${at}`;
    find(".rx-curves tbody").innerHTML = chosen.map(({ name, accuracy }, i) => {
      const p = series[i][at - 1], few = p?.n < accuracy.length ? ` (${p.n} of ${accuracy.length} seeds)` : "";
      return `<tr><th scope="row">${sample(i)} ${name}</th><td>${show(p?.mean, spec)}</td><td>${p ? `${show(p.low, spec)} to ${show(p.high, spec)}${few}` : "diverged"}</td></tr>`;
    }).join("");
  }

  function drawRanks(pool, spec) {
    const able = pool.filter((row) => row.whole), n = able[0]?.points.length, left = pool.filter((row) => !row.whole).map((row) => row.name).join("; ");
    find(".rx-ranks table").hidden = able.length < 2;
    find(".rx-ranks p").textContent = able.length > 1
      ? `How often each comes first, second, ... by its mean if the ${n} seeds are drawn anew, with replacement and the same for all: all ${(n ** n).toLocaleString("en")} draws.${left && ` Without a value for every seed: ${left}.`}`
      : "Ranks need two networks with a value for every seed.";
    if (able.length < 2) return;
    const percent = (p) => (100 * p).toFixed(p > 0 && p < 0.01 ? 1 : 0), step = 100 / able.length;
    find(".rx-ranks caption").textContent = `Ranks among ${able.length} networks, the ${spec.lowest ? "lowest" : "highest"} mean first`;
    find(".rx-ranks tbody").innerHTML = rankProbabilities(able.map((row) => row.points), spec.lowest)
      .map((ranks, i) => ({ name: able[i].name, ranks, expected: ranks.reduce((sum, p, r) => sum + p * (r + 1), 0) })).sort((a, b) => a.expected - b.expected)
      .map(({ name, ranks, expected }) => `<tr><th scope="row">${name}</th><td>${percent(ranks[0])}</td><td>${expected.toFixed(1)}</td><td>
        <svg class="rx-strip" height="24" role="img" aria-label="${ranks.flatMap((p, r) => (p >= 0.005 ? [`rank ${r + 1}: ${percent(p)} %`] : [])).join(", ")}">${
        ranks.map((p, r) => (p > 1e-9 ? `<rect x="${r * step}%" width="${step * 0.88}%" y="${22 - 20 * p}" height="${20 * p + 1}"/>` : "")).join("")}<line x2="100%" y1="23" y2="23"/></svg></td></tr>`).join("");
  }

  function draw() {
    tidy();
    const measure = get("measure"), spec = measures[measure], experiment = experiments.get(get("experiment")), own = networksOf(experiment), family = get("family");
    const list = own.map((n) => describe(n, measure, spec)), picked = selected(), chosen = picked.map((name) => list.find((row) => row.name === name));
    const shown = list.filter((row) => (family === "all" || row.family === family) && row.name.toLowerCase().includes(get("find").toLowerCase()));
    for (const name in control) if (name !== "epoch" && control[name].value !== get(name)) control[name].value = get(name);
    for (const option of control.measure.options) option.disabled = !has(own, option.value);
    drawTable(list, shown, picked, spec, experiment);
    drawCurves(chosen);
    drawRanks(get("ranks") === "selected" ? chosen : shown, spec);
  }

  for (const name in control) control[name].addEventListener("input", () => choose(name, name === "epoch" ? +control[name].value : control[name].value));
  for (const th of heads)
    th.querySelector("button")?.addEventListener("click", () => {
      const { column } = th.dataset;
      choose("sort", get("sort") === column ? `-${column}` : column);
    });
  find("tbody").addEventListener("change", ({ target }) => {
    const name = target.closest("tr").dataset.network, others = selected().filter((other) => other !== name);
    choose("selected", (target.checked ? [...others, name] : others).join("~"));
  });
  find(".rx-clear").addEventListener("click", () => choose("selected", ""));

  let due = false, alive = true; // an address changes many traits at once: draw when all of them are there
  const later = () => due || ((due = true), queueMicrotask(() => { due = false; if (alive) draw(); }));
  const watched = ["experiment", "measure", "family", "find", "sort", "selected", "curve", "epoch", "ranks"].map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, later));
  draw();
  return () => { alive = false; watched.forEach((event) => model.off(event, later)); };
}

export default { render };
