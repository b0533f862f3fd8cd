// Double descent: noisy points, random ReLU features, and the error of every width from few to many.
// Joined in Python with polynomial_fit.js, random_features.js and curve_drawing.js.
const RIDGES = [0, ...Array.from({ length: 13 }, (_, i) => +(10 ** (i / 2 - 6)).toPrecision(2))];
const LIMITS = { points: [6, 24, 12], noise: [0, 0.6, 0.2], ridge: [0, 1, 0], seed: [0, 7, 0] };
const LOW = -4, HIGH = 4; // the powers of ten on the error axis

const path = (points, kind) => `<path class="${kind}" d="M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}"/>`;
const dotAt = ([x, y], kind) => `<circle class="dot ${kind}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="5"/>`;
const diamond = ([x, y]) => `<path class="dot two" d="M${(x - 6).toFixed(1)} ${y.toFixed(1)}l6 -6l6 6l-6 6z"/>`;
const tiny = (error) => (error < 1e-20 ? "0" : show1(error)); // below is rounding
const show1 = (x) => (x >= 5e-7 ? show(x) : `about 10${`${Math.round(Math.log10(x))}`.replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]))}`);

function render({ model, el }) {
  const { widths, noise: noises, units: packed } = model.get("data"), draws = packed.map(unpack), names = ["width", ...Object.keys(LIMITS)];
  const slider = (name, label, max, step = 1, min = 0) => `<label><span>${label}: <span class="curves-value" data-of="${name}"></span></span>
    <input type="range" name="${name}" min="${min}" max="${max}" step="${step}"></label>`;
  const key = (drawing, text) => `<span><svg class="swatch" viewBox="0 0 28 10" aria-hidden="true">${drawing}</svg>${text}</span>`;
  const stroke = (kind) => `<path class="${kind}" d="M0 5h28"/>`;
  el.innerHTML = `<div class="curves dd" role="group" aria-label="Random features, from few to many" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      ${slider("width", "features p", widths.length - 1)}${slider("ridge", "ridge λ", RIDGES.length - 1)}
      ${slider("points", "points N", LIMITS.points[1], 1, LIMITS.points[0])}${slider("noise", "noise", LIMITS.noise[1], 0.05)}
    </div>
    <div class="dd-buttons"><button type="button" name="draw">New features</button><button type="button" name="same">As many as points</button><span class="dd-seed"></span></div>
    <p class="dd-readout"></p>
    <div class="curves-picture"><svg role="img"><g></g><rect class="dd-choose"/></svg></div>
    <p class="curves-hidden" aria-live="polite"></p>
    <p class="dd-legend">${key(`<circle class="dot one" cx="14" cy="5" r="4.5"/>`, "training point")}${key(stroke("curve one"), "fit; its training error")}${
      key(stroke("curve two"), "its excess risk")}${key(stroke("curve three"), "true curve")}${key(stroke("dd-other"), "excess risk of the other draws")}</p>
    <table><caption class="curves-hidden">The fit in numbers</caption><tbody></tbody></table>
    <p class="dd-note"></p>
  </div>`;
  const find = (selector) => el.querySelector(selector), control = (name) => find(`[name=${name}]`), svg = find(".curves-picture > svg"), area = find(".dd-choose");
  const [say, hush] = announcer(find("[aria-live]"));
  let broad = 640, quiet = false, side = null, timer;

  const put = (changes) => {
    quiet = true; // one drawing for all of them
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    quiet = false;
    model.save_changes();
    draw();
  };

  // Singular values depend on the places and the draw alone: they are kept until the places change.
  let kept = { points: 0 };
  function factors(points, seed) {
    if (kept.points !== points) kept = { points, of: {} };
    const [xs] = sampled(noises, points, 0);
    return (kept.of[seed] ||= widths.map((p) => factor(draws[seed], p, xs)));
  }

  function tidy() { // an address typed by hand may ask for what is not there
    const near = (value) => widths.reduce((best, p) => (Math.abs(p - value) < Math.abs(best - value) ? p : best), widths[0]);
    const good = (name) => {
      const [low, high, start] = LIMITS[name], value = model.get(name), whole = name === "points" || name === "seed" ? Math.round(value) : value;
      return Number.isFinite(whole) ? Math.min(high, Math.max(low, whole)) : start;
    };
    for (const name of names) {
      const value = name === "width" ? near(model.get(name)) : good(name);
      if (value !== model.get(name)) model.set(name, value);
    }
  }

  function drawErrors(fr, fits, others, index, points) {
    const X = (p) => fr.X(Math.log10(p)), Y = (error) => fr.Y(Math.min(HIGH, Math.max(LOW, Math.log10(Math.max(error, 1e-99)))));
    const lines = (all, part) => all.map((fit, i) => [X(widths[i]), Y(fit[part])]);
    const xs = [1, 10, 100, 1000].map((p) => `<path class="grid" d="M${(fr.left + X(p)).toFixed(1)} ${fr.top}v${fr.h}"/><text x="${(fr.left + X(p)).toFixed(1)}" y="${fr.top + fr.h + 16}" text-anchor="middle">${p}</text>`);
    const ys = Array.from({ length: (HIGH - LOW) / 2 + 1 }, (_, i) => LOW + 2 * i).map((power) => `<path class="grid" d="M${fr.left} ${(fr.top + fr.Y(power)).toFixed(1)}h${fr.w}"/><text x="${fr.left - 6}" y="${(fr.top + fr.Y(power) + 4).toFixed(1)}" text-anchor="end">${
      power === LOW || power === HIGH ? (power < 0 ? "≤ " : "≥ ") : ""}${power ? `10${power < 0 ? "⁻" : ""}${"⁰¹²³⁴"[Math.abs(power)]}` : "1"}</text>`);
    const here = (part) => [X(widths[index]), Y(fits[index][part])];
    return `<text class="title" x="${fr.left - 40}" y="${fr.top - 10}">mean squared error, by number of features</text>${xs.join("")}${ys.join("")}
      <g class="dd-lines" transform="translate(${fr.left} ${fr.top})">${others.map((all) => path(lines(all, "risk"), "dd-other")).join("")}
        <path class="dd-threshold" d="M${X(points).toFixed(1)} 0v${fr.h}"/><text x="${(X(points) - 5).toFixed(1)}" y="14" text-anchor="end">p = N</text><path class="dd-here" d="M${X(widths[index]).toFixed(1)} 0v${fr.h}"/>
        ${path(lines(fits, "train"), "curve one")}${path(lines(fits, "risk"), "curve two")}${dotAt(here("train"), "one")}${diamond(here("risk"))}</g>`;
  }

  function draw() {
    if (quiet) return;
    quiet = true;
    tidy();
    quiet = false;
    clearTimeout(timer);
    const { width: p, points, noise, ridge, seed } = Object.fromEntries(names.map((name) => [name, model.get(name)]));
    const index = widths.indexOf(p), [xs, ys] = sampled(noises, points, noise), all = (s) => factors(points, s).map((one) => judge(draws[s], one, xs, ys, ridge));
    const fits = all(seed), fit = fits[index], known = draws.map((_, s) => s).filter((s) => s !== seed && kept.of[s]), others = known.map(all);
    const values = { width: index, points, noise, ridge: RIDGES.reduce((best, r, i) => (Math.abs(r - ridge) < Math.abs(RIDGES[best] - ridge) ? i : best), 0) };
    const words = { width: p, points, noise: +noise.toFixed(2), ridge: ridge ? show(ridge) : "0 (none)" };
    for (const name in values) {
      control(name).value = values[name];
      control(name).setAttribute("aria-valuetext", words[name]);
      find(`[data-of=${name}]`).textContent = words[name];
    }
    find(".dd-seed").textContent = `draw ${seed + 1} of ${draws.length}`;

    const left = 48, wide = broad >= 620, w = wide ? Math.round(0.5 * (broad - 2 * left - 12)) : broad - left - 12, tall = wide ? 270 : Math.min(270, Math.max(200, 0.7 * w));
    const place = frame(left, 24, w, tall, [-1, 1], [-2.5, 2.5]);
    side = wide ? frame(2 * left + w + 12, 24, broad - w - 2 * left - 24, tall, [-0.06, 3.06], [LOW - 0.1, HIGH + 0.1]) : frame(left, tall + 82, w, 220, [-0.06, 3.06], [LOW - 0.1, HIGH + 0.1]);
    const height = side.top + side.h + 24, curve = (heights, kind) => path(heights.map((y, i) => [place.X(i / (CELLS / 2) - 1), place.Y(y)]), kind);
    svg.setAttribute("viewBox", `0 0 ${broad} ${height}`);
    svg.setAttribute("height", height);
    for (const [name, value] of Object.entries({ x: side.left, y: side.top, width: side.w, height: side.h })) area.setAttribute(name, value);
    svg.querySelector("g").innerHTML = `<text class="title" x="8" y="14">points and fit</text>${place.grid([-1, -0.5, 0, 0.5, 1], [-2, -1, 0, 1, 2], true)}
      ${place.inside(curve(TRUTH, "curve three") + curve(fit.curve, "curve one") + xs.map((x, i) => dotAt([place.X(x), place.Y(ys[i])], "one")).join(""))}${drawErrors(side, fits, others, index, points)}`;

    const highest = Math.max(...fit.curve.map(Math.abs)), readout = `Training error ${tiny(fit.train)}, excess risk ${show1(fit.risk)}.`;
    const beyond = highest > 2.5 ? ` The fit leaves the picture: it goes as far as ${show(highest)} from zero.` : "";
    find(".dd-readout").textContent = readout + beyond;
    const risks = [fit, ...others.map((one) => one[index])].map(({ risk }) => risk).sort((a, b) => a - b), half = risks.length / 2;
    find("tbody").innerHTML = [
      ["rank of A", `${fit.rank} of ${points}`], ["its smallest singular value above 0", fit.rank ? show1(fit.smallest) : "none"], ["norm of θ", show(fit.norm)],
      [`excess risk, median of ${risks.length === draws.length ? `the ${draws.length} draws` : "the draws so far"}`, show1((risks[Math.ceil(half) - 1] + risks[Math.floor(half)]) / 2)],
    ].map(([name, text]) => `<tr><th scope="row">${name}</th><td>${text}</td></tr>`).join("");
    const first = fits.findIndex(({ rank }) => rank === points);
    find(".dd-note").textContent = `Of the widths on the slider, ${widths[first]} is the first at which A has rank ${points} in this draw, so that a fit without a penalty passes through all points. The excess risk is the mean squared distance to the true curve between −1 and 1. Press or drag in the ${wide ? "right" : "lower"} picture to choose p.`;
    const sentence = `${p} features for ${points} points, λ = ${show(ridge)}, draw ${seed + 1}: ${readout[0].toLowerCase()}${readout.slice(1)}${beyond}`;
    svg.setAttribute("aria-label", `The points and the fit, and the errors of all widths. ${sentence}`);
    say(sentence);
    if (known.length + 1 < draws.length) timer = setTimeout(() => { factors(points, draws.findIndex((_, s) => !kept.of[s])); draw(); }, 60); // the other draws, one by one
  }

  el.addEventListener("input", ({ target: { name, value } }) => put({ [name]: name === "width" ? widths[value] : name === "ridge" ? RIDGES[value] : Number(value) }));
  control("draw").addEventListener("click", () => put({ seed: (model.get("seed") + 1) % draws.length }));
  control("same").addEventListener("click", () => put({ width: model.get("points") }));
  const choose = (event) => {
    const box = svg.getBoundingClientRect(), x = ((event.clientX - box.left) * broad) / box.width - side.left;
    put({ width: widths.reduce((best, p) => (Math.abs(side.X(Math.log10(p)) - x) < Math.abs(side.X(Math.log10(best)) - x) ? p : best)) });
  };
  area.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    area.setPointerCapture(event.pointerId);
    choose(event);
  });
  area.addEventListener("pointermove", (event) => { if (area.hasPointerCapture(event.pointerId)) choose(event); });

  const watched = names.map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, draw));
  draw();
  const stop = whenResized(find(".curves-picture"), (pixels) => { broad = pixels; draw(); });
  return () => {
    stop();
    hush();
    clearTimeout(timer);
    watched.forEach((event) => model.off(event, draw));
  };
}

export default { render };
