// The forge: type a formula, see the curve and its slope, and what they would do in a network.

const SPAN = 5, NONE = "nothing";
const REFERENCES = { ReLU: "relu(x)", GELU: "x * Phi(x)", SiLU: "x * sigmoid(x)", tanh: "tanh(x)", sigmoid: "sigmoid(x)" };

/** What the numbers of the battery mean for a network, worst first. */
export function verdicts(found, uses) {
  if (!uses.has("x")) return ["The formula has no x: every unit would say the same, whatever comes in."];
  if (!found.finite) return ["Not finite somewhere between −10 and 10, as value or as slope: one such unit makes every gradient of the network useless."];
  if (found.square < 1e-12) return ["Zero everywhere: nothing comes through."];
  const say = [];
  if (found.steepest === 0) say.push("The slope is zero everywhere: no gradient comes through.");
  if (found.chi > 1.02) say.push(`With weights that keep the mean square, that of gradients grows by a factor of ${show(found.chi)} per layer, ${show(found.chi ** 30)} over thirty.`);
  else if (found.chi < 0.98) say.push(`With weights that keep the mean square, that of gradients shrinks by a factor of ${show(found.chi)} per layer, ${show(found.chi ** 30)} over thirty.`);
  else say.push("With weights that keep the mean square, gradients nearly keep theirs, too.");
  if (found.settle > 1.02) say.push("An error of the mean square grows from layer to layer.");
  if (found.flat > 0.25) say.push(`${percent(found.flat)} of standard normal inputs meet a slope below 0.01.`);
  if (Math.abs(found.mean) > 0.5 * Math.sqrt(found.square)) say.push("The outputs have a mean far from zero, so the inputs of the next layer share a direction.");
  return say;
}

function render({ model, el }) {
  const presets = model.get("presets");
  el.innerHTML = `<div class="curves forge" role="group" aria-label="Forge" data-lm-suppress-shortcuts="true">
    <label class="forge-formula"><span>f(x) =</span><input type="text" name="formula" spellcheck="false" autocapitalize="off" autocomplete="off" maxlength="200">
      <small>x, the parameter a, numbers, + − * / ^, brackets, pi, e, ${Object.keys(RULES).join(", ")}</small></label>
    <p class="forge-error" role="status"></p>
    <div class="curves-controls">
      <label>start from <select name="preset"><option value="">your own</option>${Object.keys(presets).map((name) => `<option>${name}</option>`).join("")}</select></label>
      <label><span>a: <span class="curves-value"></span></span><input type="range" name="a" min="0" max="1" step="0.01"></label>
      <label>compare with <select name="other"><option>${NONE}</option>${Object.keys(REFERENCES).map((name) => `<option>${name}</option>`).join("")}</select></label>
    </div>
    <div class="curves-picture"><svg role="img"></svg></div>
    <ul class="forge-verdict"></ul>
    <p class="curves-hidden" aria-live="polite"></p>
    <table><caption class="curves-hidden">What the function does to standard normal numbers</caption><thead></thead><tbody></tbody></table>
    <p class="forge-note">z is standard normal; the gain is the standard deviation of the weights, times √n, that keeps the mean square from layer to layer; all for wide layers without biases, before training. A function that passes is a candidate, not a winner: that takes a fair trial.</p>
  </div>`;
  const find = (selector) => el.querySelector(selector), control = (name) => find(`[name=${name}]`);
  const svg = find(".curves-picture > svg"), [say, hush] = announcer(find("[aria-live]"));
  let width = 640, last = parse("relu(x)"), shown = "relu(x)";

  const choose = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };

  function tidy() { // an address typed by hand may ask for what is not there
    const a = model.get("a");
    if (!(a >= 0 && a <= 1)) model.set("a", Number.isFinite(a) ? Math.min(1, Math.max(0, a)) : 0.5);
    if (!Object.hasOwn(REFERENCES, model.get("other")) && model.get("other") !== NONE) model.set("other", NONE);
  }

  function draw() {
    tidy();
    const formula = model.get("formula"), a = model.get("a"), other = model.get("other"), read = parse(formula);
    if (control("formula").value !== formula) control("formula").value = formula;
    control("formula").setAttribute("aria-invalid", Boolean(read.error));
    find(".forge-error").textContent = read.error ? `Not read: ${read.error}. The picture still shows ${shown}.` : "";
    if (!read.error) [last, shown] = [read, formula];
    control("preset").value = Object.keys(presets).find((name) => presets[name] === formula) ?? "";
    control("a").value = a;
    control("a").disabled = !last.uses.has("a");
    control("other").value = other;
    find(".curves-value").textContent = last.uses.has("a") ? show(a) : "not in the formula";

    const lines = [[shown, last, "one"], ...(other === NONE ? [] : [[other, parse(REFERENCES[other]), "two"]])].map(([name, { f, operations, costly, uses }, kind]) => ({ name, f, operations, costly, uses, kind, found: battery(f, a) }));
    picture(lines, a);
    const mine = lines[0], words = verdicts(mine.found, mine.uses);
    find(".forge-verdict").innerHTML = words.map((sentence) => `<li>${sentence}</li>`).join("");
    const rows = [
      ["from −10 to 10", ({ found }) => (found.finite ? `${show(found.low)} to ${show(found.high)}, ${found.course}` : "not finite everywhere")],
      ["largest slope there", ({ found }) => (found.finite ? show(found.steepest) : "–")],
      ["mean of f(z)", ({ found }) => show(found.mean)], ["mean square of f(z)", ({ found }) => show(found.square)],
      ["gain", ({ found }) => (found.square > 1e-12 ? show(found.gain) : "none")],
      ["gradient, mean square per layer", ({ found }) => (found.square > 1e-12 ? `× ${show(found.chi)}` : "–")],
      ["error of the mean square per layer", ({ found }) => (found.square > 1e-12 ? `× ${show(found.settle)}` : "–")],
      ["share of z with |slope| below 0.01", ({ found }) => percent(found.flat)],
      ["steps, of these costly", ({ operations, costly }) => `${operations}, ${costly}`],
    ];
    const swatch = (kind) => `<svg class="swatch" aria-hidden="true"><path class="curve ${kind}" d="M0 5h28"/></svg>`;
    find("thead").innerHTML = "<tr><td></td></tr>";
    lines.forEach(({ name, kind }, k) => {
      const head = document.createElement("th");
      head.scope = "col";
      head.innerHTML = swatch(kind);
      head.append(k ? name : "f"); // never as markup: it is typed by the reader
      find("thead tr").append(head);
    });
    find("tbody").innerHTML = rows.map(([title, cell]) => `<tr><th scope="row">${title}</th>${lines.map((line) => `<td>${cell(line)}</td>`).join("")}</tr>`).join("");
    svg.setAttribute("aria-label", `Value and slope of ${shown} from −${SPAN} to ${SPAN}${other === NONE ? "" : `, over ${other}`}. ${words.join(" ")}`);
    say(read.error ? find(".forge-error").textContent : `${words.join(" ")} Gain ${show(mine.found.gain)}.`);
  }

  function picture(lines, a) {
    const samples = Array.from({ length: 401 }, (_, k) => ((k - 200) * SPAN) / 200);
    const limits = (part, most) => range(lines.flatMap(({ f }) => samples.map((x) => f(x, a)[part])).filter((v) => Math.abs(v) <= most).concat([0, 1]));
    const left = 44, wide = width >= 620, w = wide ? (width - 2 * left - 20) / 2 : width - left - 10, tall = wide ? 240 : 200;
    const top = frame(left, 24, w, tall, [-SPAN, SPAN], limits(0, 30)), low = frame(wide ? 2 * left + w + 10 : left, wide ? 24 : tall + 76, w, tall, [-SPAN, SPAN], limits(1, 10));
    const height = low.top + tall + 24;
    const curve = (fr, part, { f, kind }) => fr.line((x) => { const v = f(x, a)[part]; return Number.isFinite(v) ? v : 0; }, [], kind);
    const panel = (fr, part, title) => {
      const [y0, y1] = part ? limits(1, 10) : limits(0, 30);
      return `<text class="title" x="${fr.left - 30}" y="${fr.top - 10}">${title}</text>${fr.grid(ticks(-SPAN, SPAN, w / 60), ticks(y0, y1, tall / 45), true)}${fr.inside([...lines].reverse().map((line) => curve(fr, part, line)).join(""))}`;
    };
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.innerHTML = panel(top, 0, "f(x)") + panel(low, 1, "slope f′(x)");
  }

  control("formula").addEventListener("input", ({ target }) => choose({ formula: target.value.slice(0, 200) }));
  control("a").addEventListener("input", ({ target }) => choose({ a: Number(target.value) }));
  control("other").addEventListener("change", ({ target }) => choose({ other: target.value }));
  control("preset").addEventListener("change", ({ target }) => target.value && choose({ formula: presets[target.value] }));
  const watched = ["formula", "a", "other"].map((name) => `change:${name}`);
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
