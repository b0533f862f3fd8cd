// The activation morph: x σ(βx) from the line x/2 over SiLU and nearly GELU to almost ReLU, by one slider.
// Joined in Python with activation_functions.js and curve_drawing.js.
const HIGHEST = 50, SPAN = 4;
// 1.702 brings the gate σ(βx) closest to Φ(x), 1.773 the product x σ(βx) closest to x Φ(x); a test computes both.
const MARKS = [["x/2", 0], ["SiLU", 1], ["gate nearest to Φ", 1.702], ["nearest to GELU", 1.773], ["almost ReLU", HIGHEST]];
const REFERENCES = ["ReLU", "SiLU", "GELU"];
const swish = (x, beta) => FUNCTIONS.Swish.f(x, { beta }), swishSlope = (x, beta) => FUNCTIONS.Swish.slope(x, { beta });

/** The largest distance between x σ(βx) and a reference, and the x > 0 where it is; it is the same at −x. */
export function distance(name, beta) {
  if (beta === 0) return { far: Infinity, at: Infinity }; // x/2 parts from all three without bound
  const gap = (x) => Math.abs(swish(x, beta) - FUNCTIONS[name].f(x)), reach = 12 / Math.min(beta, 1), many = 600;
  let best = 0;
  for (let i = 1; i <= many; i++) { // closer points near zero: for large β everything happens there
    const x = reach * (i / many) ** 2;
    if (gap(x) > gap(best)) best = x;
  }
  let low = best * 0.9, high = best * 1.1;
  for (let i = 0; i < 60; i++) {
    const a = low + (high - low) / 3, b = high - (high - low) / 3;
    gap(a) < gap(b) ? (low = a) : (high = b);
  }
  return { far: gap((low + high) / 2), at: (low + high) / 2 };
}

/** Where x σ(βx) is lowest, and how low: βx solves 1 + t (1 − σ(t)) = 0. */
export function lowest(beta) {
  return beta === 0 ? null : { at: -1.2784645427610738 / beta, depth: -0.2784645427610738 / beta };
}

// The slider moves the cube root of β: the marks 1 and 1.702 would be a hair apart on a straight scale up to 50.
const STEPS = 500;
const toSlider = (beta) => Math.round(STEPS * Math.cbrt(beta / HIGHEST));
const fromSlider = (place) => +(HIGHEST * (place / STEPS) ** 3).toPrecision(3);

function render({ model, el }) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const swatch = (kind) => `<svg class="swatch" aria-hidden="true"><path class="curve ${kind}" d="M0 5h28"/></svg>`;
  const kinds = { ReLU: "relu", SiLU: "silu", GELU: "gelu" };

  el.innerHTML = `<div class="curves morph" role="group" aria-label="From SiLU over GELU to ReLU" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label class="morph-slider"><span>β in x σ(βx) <span class="curves-value"></span></span><input type="range" name="place" min="0" max="${STEPS}" step="1"></label>
      <label><span>β as a number</span><input type="number" name="beta" min="0" max="${HIGHEST}" step="any"></label>
    </div>
    <div class="morph-buttons">${MARKS.map(([label, beta]) => `<button type="button" data-beta="${beta}">${label} <small>β = ${beta}</small></button>`).join("")}
      <button type="button" class="morph-play"></button></div>
    <div class="curves-picture"><svg role="img"></svg></div>
    <p class="curves-hidden" aria-live="polite"></p>
    <p class="morph-legend"><span>${swatch("one")}x σ(βx)</span>${REFERENCES.map((name) => `<span>${swatch(kinds[name])}${name}</span>`).join("")}</p>
    <table><caption class="curves-hidden">Largest distance to each reference, and the lowest point</caption>
      <thead><tr><th scope="col">largest distance to</th><th scope="col">distance</th><th scope="col">at x = ±</th></tr></thead><tbody></tbody></table>
    <p class="morph-lowest"></p>
    <p class="morph-note">With β = 1.702 the gate σ(βx) comes closest to Φ(x), the gate of GELU; with β = 1.773 the function itself comes closest to GELU.</p>
  </div>`;

  const find = (selector) => el.querySelector(selector), svg = find(".curves-picture > svg"), play = find(".morph-play");
  const [say, hush] = announcer(find("[aria-live]"));
  let width = 640, frameId = 0;

  function choose(beta) {
    model.set("beta", beta); // which draws
    model.save_changes();
  }

  function draw() {
    let beta = model.get("beta");
    if (!(beta >= 0 && beta <= HIGHEST)) return model.set("beta", Math.min(HIGHEST, Math.max(0, beta || 0)));
    find("[name=place]").value = toSlider(beta);
    find("[name=place]").setAttribute("aria-valuetext", `β = ${show(beta)}`);
    find("[name=beta]").value = beta;
    find(".curves-value").textContent = `with β = ${+beta.toPrecision(4)}`;
    for (const button of el.querySelectorAll("[data-beta]")) button.setAttribute("aria-pressed", Number(button.dataset.beta) === beta);
    play.textContent = still.matches ? "next mark" : frameId ? "pause" : "play";

    const left = 40, wide = width >= 620, w = wide ? (width - 2 * left - 16) / 2 : width - left - 8, tall = Math.min(300, Math.max(190, 0.8 * w));
    const top = frame(left, 22, w, tall, [-SPAN, SPAN], [-0.6, SPAN]);
    const low = wide ? frame(2 * left + w + 12, 22, w, tall, [-SPAN, SPAN], [-0.25, 1.25]) : frame(left, tall + 72, w, tall * 0.7, [-SPAN, SPAN], [-0.25, 1.25]);
    const height = low.top + low.h + 22, xs = ticks(-SPAN, SPAN, w / 50), deep = lowest(beta);
    const references = (fr, part) => REFERENCES.map((name) => fr.line((x) => FUNCTIONS[name][part](x), name === "ReLU" ? [0] : [], kinds[name])).join("");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.innerHTML = `<text class="title" x="${left}" y="14">f(x) = x σ(βx)</text>${top.grid(xs, [0, 1, 2, 3, 4], true)}${top.inside(references(top, "f")
      + top.line((x) => swish(x, beta), [], "one") + (deep && deep.at > -SPAN ? `<circle class="dot one" cx="${top.X(deep.at)}" cy="${top.Y(deep.depth)}" r="4.5"/>` : ""))}
      <text class="title" x="${low.left}" y="${low.top - 8}">slope f′(x)</text>${low.grid(xs, [0, 0.5, 1], true)}${low.inside(references(low, "slope")
      + low.line((x) => swishSlope(x, beta), [], "one"))}`;

    const far = REFERENCES.map((name) => [name, distance(name, beta)]);
    find("tbody").innerHTML = far.map(([name, { far, at }]) => `<tr><th scope="row">${name}</th><td>${
      far === Infinity ? "no bound</td><td>grows with |x|" : `${show(far)}</td><td>${far < 5e-7 ? "–" : show(at)}`}</td></tr>`).join("");
    const bottom = deep ? `Lowest point: f(${show(deep.at)}) = ${show(deep.depth)}.` : "β = 0 is the line x/2: it has no lowest point.";
    find(".morph-lowest").textContent = bottom;
    const words = `β = ${show(beta)}. Largest distance ${far.map(([name, { far }]) => `to ${name} ${far === Infinity ? "without bound" : show(far)}`).join(", ")}. ${bottom}`;
    svg.setAttribute("aria-label", `The curve x σ(βx) and its slope over ReLU, SiLU and GELU. ${words}`);
    say(words);
  }

  function pause() {
    cancelAnimationFrame(frameId);
    frameId = 0;
    play.textContent = still.matches ? "next mark" : "play";
  }
  function step(start, from) {
    frameId = requestAnimationFrame((now) => {
      if (!el.isConnected) return;
      start ??= now;
      const place = from + ((now - start) / 8000) * STEPS; // eight seconds from end to end
      if (place >= STEPS) {
        pause();
        return choose(HIGHEST);
      }
      choose(fromSlider(place));
      step(start, from);
    });
  }
  play.addEventListener("click", () => {
    if (still.matches) return choose((MARKS.find(([, beta]) => beta > model.get("beta")) || MARKS[0])[1]); // no motion: from mark to mark
    if (frameId) return pause();
    const from = toSlider(model.get("beta"));
    step(undefined, from >= STEPS ? 0 : from);
    draw();
  });
  el.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-beta]");
    if (!button) return;
    pause();
    choose(Number(button.dataset.beta));
  });
  find("[name=place]").addEventListener("input", ({ target }) => {
    pause();
    choose(fromSlider(Number(target.value)));
  });
  find("[name=beta]").addEventListener("change", ({ target }) => {
    pause();
    target.checkValidity() && target.value !== "" ? choose(Number(target.value)) : draw();
  });

  model.on("change:beta", draw);
  still.addEventListener("change", pause);
  draw();
  const stop = whenResized(find(".curves-picture"), (wide) => { width = wide; draw(); });
  return () => {
    pause();
    stop();
    hush();
    still.removeEventListener("change", pause);
    model.off("change:beta", draw);
  };
}

export default { render };
