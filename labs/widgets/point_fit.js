// Drag the points: a polynomial follows them, and its error on new points does not always.
// Joined in Python with polynomial_fit.js and curve_drawing.js.
const TOP = 12, RIDGES = [0, ...Array.from({ length: 33 }, (_, i) => +(10 ** (i / 4 - 6)).toPrecision(2))], MOST = 100;
const DEGREES = Array.from({ length: TOP + 1 }, (_, d) => d), LOW = -3, HIGH = 3; // the powers of ten on the error axis

/** The training points: those of the sample, but for the moved ones; "3_250_-100" puts point 3 at (0.25, −0.1). */
export function placed(sample, moved, [x0, x1], [y0, y1]) {
  const points = sample[0].map((x, i) => [x, sample[1][i]]), within = (v, low, high) => Math.min(high, Math.max(low, v));
  for (const word of moved.split("~")) {
    const [, i, x, y] = /^(\d+)_(-?\d+)_(-?\d+)$/.exec(word) || [];
    if (points[i]) points[i] = [within(x / 1000, x0, x1), within(y / 1000, y0, y1)];
  }
  return points;
}

/** Fits of every degree with this ridge, and their mean squared errors. */
export function allFits(points, test, ridge, [x0, x1]) {
  const u = (x) => (2 * x - x0 - x1) / (x1 - x0), us = points.map(([x]) => u(x)), ys = points.map(([, y]) => y), tests = test[0].map(u);
  return DEGREES.map((degree) => {
    const theta = fitPolynomial(us, ys, degree, ridge);
    return { at: (x) => polynomial(theta, u(x)), train: meanSquared(theta, us, ys), test: meanSquared(theta, tests, test[1]) };
  });
}

const trace = (points, kind) => `<path class="curve ${kind}" d="M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}"/>`;
const diamond = ([x, y], r) => `<path class="pf-test" d="M${(x - r).toFixed(1)} ${y.toFixed(1)}l${r} ${-r}l${r} ${r}l${-r} ${r}z"/>`;
const beyond = ([x, y], up, kind) => `<path class="${kind}" d="M${(x - 5).toFixed(1)} ${(y + 4 * up).toFixed(1)}h10l-5 ${-8 * up}z"/>`;
const circle = ([x, y], r) => `<circle class="pf-train" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r}"/>`;

function render({ model, el }) {
  const { interval, limits, samples, test, truth } = model.get("data");
  const many = samples[0][0].length, step = [interval, limits].map(([low, high]) => (high - low) / 100);
  const heightOf = (x) => { // the true curve between the places where Python sent it
    const place = ((x - interval[0]) / (interval[1] - interval[0])) * (truth.length - 1), i = Math.min(Math.floor(place), truth.length - 2);
    return truth[i] + (place - i) * (truth[i + 1] - truth[i]);
  };
  const floor = test[0].reduce((sum, x, i) => sum + (test[1][i] - heightOf(x)) ** 2, 0) / test[0].length;
  const key = (drawing, text) => `<span><svg class="swatch" viewBox="0 0 28 10" aria-hidden="true">${drawing}</svg>${text}</span>`;
  const stroke = (kind) => `<path class="curve ${kind}" d="M0 5h28"/>`;

  el.innerHTML = `<div class="curves pf" role="group" aria-label="Fit a polynomial to points" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label><span>Degree: <span class="pf-degree"></span></span><input type="range" name="degree" min="0" max="${TOP}" step="1"></label>
      <label><span>Ridge λ: <span class="pf-ridge"></span></span><input type="range" name="ridge" min="0" max="${RIDGES.length - 1}" step="1"></label>
    </div>
    <div class="pf-buttons"><button type="button" name="next">New sample</button><button type="button" name="back">Put the points back</button>
      <label class="pf-check"><input type="checkbox" name="truth"> true curve</label></div>
    <p class="pf-readout"></p>
    <div class="curves-picture"><svg role="group"><g class="pf-back"></g><g class="pf-points"></g></svg></div>
    <p class="curves-hidden" aria-live="polite"></p>
    <p class="pf-legend">${key(circle([14, 5], 5), "training point, to drag")}${key(diamond([14, 5], 5), "test point")}${key(stroke("one"), "fit; training error")}${
      key(stroke("two"), "test error")}${key(stroke("three"), "true curve")}</p>
    <p class="pf-note"></p>
  </div>`;

  const find = (selector) => el.querySelector(selector), control = (name) => find(`[name=${name}]`), svg = find(".curves-picture > svg");
  const [say, hush] = announcer(find("[aria-live]"));
  find(".pf-points").innerHTML = Array.from({ length: many }, (_, i) => `<g class="pf-point" tabindex="0" role="slider" aria-roledescription="movable point"
    aria-label="Training point ${i + 1} of ${many}" aria-valuemin="${limits[0]}" aria-valuemax="${limits[1]}"><circle class="pf-hand" r="18"/><circle class="pf-train" r="6.5"/></g>`).join("");
  const handles = [...el.querySelectorAll(".pf-point")];
  let width = 640, place = null, dragged = null;

  const choose = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };
  const sample = () => samples[model.get("sample") - 1], points = () => placed(sample(), model.get("moved"), interval, limits);

  function move(i, [x, y]) {
    const now = points(), whole = (v) => Math.round(1000 * v);
    now[i] = [Math.min(interval[1], Math.max(interval[0], x)), Math.min(limits[1], Math.max(limits[0], y))];
    const words = now.map(([a, b], j) => (whole(a) === whole(sample()[0][j]) && whole(b) === whole(sample()[1][j]) ? "" : `${j}_${whole(a)}_${whole(b)}`));
    choose({ moved: words.filter(Boolean).join("~") });
  }

  // An address typed by hand may ask for what is not there.
  function tidy() {
    const put = (name, value) => value === model.get(name) || model.set(name, value);
    put("degree", Math.round(Math.min(TOP, Math.max(0, model.get("degree") || 0))));
    put("ridge", Math.min(MOST, Math.max(0, model.get("ridge") || 0)));
    put("sample", samples[model.get("sample") - 1] ? model.get("sample") : 1);
    put("truth", model.get("truth") === "hidden" ? "hidden" : "shown");
  }

  function drawErrors(fr, fits, degree) {
    const power = (error) => Math.log10(Math.max(error, 1e-99)), y = (error) => fr.Y(Math.min(HIGH, Math.max(LOW, power(error))));
    const powers = Array.from({ length: HIGH - LOW + 1 }, (_, i) => LOW + i).map((p) => `<path class="grid" d="M${fr.left} ${fr.top + fr.Y(p)}h${fr.w}"/><text x="${fr.left - 6}" y="${fr.top + fr.Y(p) + 4}" text-anchor="end">${show(10 ** p)}</text>`);
    const curve = (part, kind, mark) => {
      const places = fits.map((fit, d) => [fr.X(d), y(fit[part])]);
      return trace(places, kind) + places.map((at, d) => {
        const p = power(fits[d][part]), out = p > HIGH ? 1 : p < LOW ? -1 : 0;
        return out ? beyond(at, out, `pf-${part}`) : mark(at, d === degree ? 6 : 3.5);
      }).join("");
    };
    return `<text class="title" x="${fr.left - 34}" y="${fr.top - 10}">mean squared error, by degree</text>${fr.grid(DEGREES.filter((d) => d % 2 === 0), [], true)}${powers.join("")}
      ${fr.inside(`<path class="pf-here" d="M${fr.X(degree)} 0v${fr.h}"/>${model.get("truth") === "shown" ? trace([[0, y(floor)], [fr.w, y(floor)]], "three") : ""}
        ${curve("train", "one", circle)}${curve("test", "two", diamond)}`)}`;
  }

  function draw() {
    tidy();
    const degree = model.get("degree"), ridge = model.get("ridge"), shown = model.get("truth") === "shown", now = points();
    const fits = allFits(now, test, ridge, interval), fit = fits[degree], best = DEGREES.reduce((a, d) => (fits[d].test < fits[a].test ? d : a), 0);
    control("degree").value = degree;
    control("ridge").value = RIDGES.reduce((near, r, i) => (Math.abs(r - ridge) < Math.abs(RIDGES[near] - ridge) ? i : near), 0);
    control("ridge").setAttribute("aria-valuetext", `λ = ${show(ridge)}`);
    control("truth").checked = shown;
    control("back").disabled = model.get("moved") === "";
    find(".pf-degree").textContent = degree;
    find(".pf-ridge").textContent = ridge ? show(ridge) : "0 (none)";

    const left = 44, wide = width >= 620, w = wide ? Math.round(0.58 * (width - 2 * left)) : width - left - 12, tall = wide ? 290 : Math.min(290, Math.max(210, 0.75 * w));
    place = frame(left, 24, w, tall, interval, limits);
    const side = wide ? frame(2 * left + w + 12, 24, width - w - 2 * left - 20, tall, [-0.5, TOP + 0.5], [LOW - 0.2, HIGH + 0.2]) : frame(left, tall + 84, w, 190, [-0.5, TOP + 0.5], [LOW - 0.2, HIGH + 0.2]);
    const height = side.top + side.h + 24, at = ([x, y]) => [place.X(x), place.Y(y)];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    find(".pf-back").innerHTML = `<text class="title" x="${left - 34}" y="14">points and fit</text>${place.grid(ticks(...interval, w / 60), ticks(...limits, tall / 50), true)}
      ${place.inside(test[0].map((x, i) => diamond(at([x, test[1][i]]), 4)).join("") + (shown ? place.line(heightOf, [], "three") : "") + place.line(fit.at, [], "one"))}${drawErrors(side, fits, degree)}`;
    handles.forEach((handle, i) => {
      const [x, y] = now[i], [px, py] = at(now[i]);
      handle.setAttribute("transform", `translate(${(left + px).toFixed(1)} ${(place.top + py).toFixed(1)})`);
      handle.setAttribute("aria-valuenow", y);
      handle.setAttribute("aria-valuetext", `x ${show(x)}, y ${show(y)}`);
    });

    const words = `Degree ${degree}, λ = ${show(ridge)}: training error ${show(fit.train)}, test error ${show(fit.test)}.`;
    find(".pf-readout").textContent = `Training error ${show(fit.train)}, test error ${show(fit.test)}.`;
    find(".pf-note").textContent = `Sample ${model.get("sample")} of ${samples.length}, ${many} points. Errors are mean squares over the ${many} training points and over ${test[0].length} test points, which stay. ${
      shown ? `The true curve itself has a test error of ${show(floor)}. ` : ""}With Pₖ the Legendre polynomials, the fit Σ θₖ Pₖ makes the training error plus λ Σ θₖ² as small as it can.${
      fits.some(({ train, test }) => Math.max(train, test) > 10 ** HIGH || Math.min(train, test) < 10 ** LOW) ? " Triangles: beyond the scale." : ""}${
      degree >= many && !ridge ? ` With ${degree + 1} coefficients for ${many} points many curves fit; this is the one with the smallest Σ θₖ².` : ""}`;
    svg.setAttribute("aria-label", `Points with a fitted polynomial, and the errors of all degrees. ${words} The test error is smallest at degree ${best}, ${show(fits[best].test)}.`);
    say(words);
  }

  for (const name of ["degree", "ridge"]) control(name).addEventListener("input", ({ target }) => choose({ [name]: name === "ridge" ? RIDGES[target.value] : Number(target.value) }));
  control("truth").addEventListener("change", ({ target }) => choose({ truth: target.checked ? "shown" : "hidden" }));
  control("back").addEventListener("click", () => { choose({ moved: "" }); control("next").focus(); }); // a disabled button keeps no focus
  control("next").addEventListener("click", () => choose({ moved: "", sample: (model.get("sample") % samples.length) + 1 }));

  const under = (event) => { // in the picture's own numbers
    const box = svg.getBoundingClientRect(), scale = width / box.width;
    return [(event.clientX - box.left) * scale - place.left, (event.clientY - box.top) * scale - place.top];
  };
  find(".pf-points").addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [px, py] = under(event), far = ([x, y]) => Math.hypot(place.X(x) - px, place.Y(y) - py);
    const now = points(), i = now.reduce((near, p, j) => (far(p) < far(now[near]) ? j : near), 0); // hands overlap: the nearest point
    dragged = { i, dx: place.X(now[i][0]) - px, dy: place.Y(now[i][1]) - py };
    handles[i].focus({ preventScroll: true });
    event.currentTarget.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  find(".pf-points").addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // the finger drags the point, not the page
  find(".pf-points").addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const [px, py] = under(event), round = (v, s) => Math.round(v / s) * s, { i, dx, dy } = dragged;
    move(i, [round(interval[0] + ((px + dx) / place.w) * (interval[1] - interval[0]), step[0] / 2), round(limits[1] - ((py + dy) / place.h) * (limits[1] - limits[0]), step[1] / 2)]);
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) find(".pf-points").addEventListener(end, () => { dragged = null; });
  find(".pf-points").addEventListener("keydown", (event) => {
    const i = handles.indexOf(event.target), way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (i < 0 || !way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [x, y] = points()[i], far = event.shiftKey ? 10 : 1;
    move(i, [x + far * way[0] * step[0], y + far * way[1] * step[1]]);
  });

  const watched = ["degree", "ridge", "sample", "moved", "truth"].map((name) => `change:${name}`);
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
