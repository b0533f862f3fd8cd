// The decision guide: what is used where, by four questions. The lines come from labs/guide.py.

/** The lines that fit, the more special ones first, as labs.guide.advise has it. */
export function fitting(lines, { domain, layer, hardware, depth }) {
  const special = (line) => (line.hardware !== "any") + (line.depth !== "any");
  return lines
    .filter((line) => (domain === "all" || line.domain === domain) && (layer === "all" || line.layer === layer)
      && ["any", hardware].includes(line.hardware) && ["any", depth].includes(line.depth))
    .sort((one, other) => special(other) - special(one));
}

const QUESTIONS = {
  domain: ["What are you working on?", { all: "show everything" }],
  layer: ["Which layer?", { all: "any", hidden: "hidden", gate: "gate: a factor for something else", output: "output" }],
  hardware: ["Where will it run?", { any: "anywhere", small: "memory or arithmetic is scarce" }],
  depth: ["How deep?", { any: "shallow, or with normalisation or skip connections", deep: "many plain layers" }],
};
const BASIS = { used: "used by", proposed: "proposed by", advised: "advised by", definition: "by definition, see" };

function render({ model, el }) {
  const { lines, domains, curves, span } = model.get("data");
  const choices = { ...Object.fromEntries(Object.entries(QUESTIONS).map(([name, [, options]]) => [name, options])) };
  choices.domain = { ...choices.domain, ...Object.fromEntries(domains.map((domain) => [domain, domain])) };
  el.innerHTML = `<div class="curves guide" role="group" aria-label="Decision guide" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">${Object.entries(QUESTIONS).map(([name, [question]]) => `<label>${question} <select name="${name}">${
      Object.entries(choices[name]).map(([value, words]) => `<option value="${value}">${words}</option>`).join("")}</select></label>`).join("")}</div>
    <p class="guide-count" role="status"></p>
    <ul class="guide-lines"></ul>
    <p class="guide-note">Each line says what was done or advised once, not that nothing else would do; the works stand in the bibliography under the first author's name. The pictures show the function from −${span} to ${span} before training; gated units, which have two inputs, have none.</p>
  </div>`;
  const find = (selector) => el.querySelector(selector);

  function tidy() { // an address typed by hand may ask for what is not there
    for (const [name, options] of Object.entries(choices)) if (!Object.hasOwn(options, model.get(name))) model.set(name, Object.keys(options)[0]);
  }

  function sketch(name) {
    if (!curves[name]) return "";
    const points = curves[name].map((v, i, { length }) => `${((48 * i) / (length - 1)).toFixed(1)} ${(36 - 6 * (v + 1)).toFixed(1)}`);
    return `<svg viewBox="0 0 48 38" aria-hidden="true"><path class="grid zero" d="M0 30h48M24 0v38"/><path class="curve one" d="M${points.join("L")}"/></svg>`;
  }

  function draw() {
    tidy();
    const asked = Object.fromEntries(Object.keys(choices).map((name) => [name, model.get(name)])), found = fitting(lines, asked);
    for (const [name, value] of Object.entries(asked)) find(`[name=${name}]`).value = value;
    find(".guide-count").textContent = found.length ? `${found.length === 1 ? "1 line" : `${found.length} lines`} of ${lines.length}.`
      : "No line of the guide fits; ask for any layer, or for everything.";
    find(".guide-lines").innerHTML = found.map((line) => `<li><span class="guide-sketches">${line.functions.map(sketch).join("")}</span>
      <span><strong>${line.functions.join(", ")}</strong> in ${line.place}${asked.domain === "all" ? ` (${line.domain})` : ""}:
      ${line.reason}. <span class="guide-source">${BASIS[line.basis]} ${line.source}, ${line.year}${line.hardware === "small" ? "; for small devices" : ""}${line.depth === "deep" ? "; for many plain layers" : ""}</span></span></li>`).join("");
  }

  el.addEventListener("change", ({ target }) => {
    if (!Object.hasOwn(choices, target.name)) return;
    model.set(target.name, target.value); // which draws
    model.save_changes();
  });
  const watched = Object.keys(choices).map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, draw));
  draw();
  return () => watched.forEach((event) => model.off(event, draw));
}

export default { render };
