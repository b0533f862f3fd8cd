// The landscape viewer: a map of the loss on a slice, and the loss along a line through its centre.

/** The loss at (x, y): straight between the four places of the grid around it. The first index of the grid is x. */
export function lossAt({ axis, grid }, x, y) {
  const last = axis.length - 2, step = (axis[last + 1] - axis[0]) / (last + 1); // the places themselves are rounded
  const cell = (v) => {
    const where = (v - axis[0]) / step, i = Math.min(last, Math.max(0, Math.floor(where)));
    return [i, where - i];
  };
  const [i, u] = cell(x), [j, v] = cell(y);
  return (1 - u) * ((1 - v) * grid[i][j] + v * grid[i][j + 1]) + u * ((1 - v) * grid[i + 1][j] + v * grid[i + 1][j + 1]);
}

const turn = (angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];

/** The loss at a place on the line through the centre. */
export function alongLine(slice, angle, place) {
  const [c, s] = turn(angle);
  return lossAt(slice, place * c, place * s);
}

/** Where on which line a point of the map lies: a whole angle from 0 to 179, and a place from -1 to 1. */
export function lineThrough(x, y) {
  const angle = Math.round((Math.atan2(y, x) * 180) / Math.PI), far = Math.min(1, Math.hypot(x, y));
  const flipped = angle < 0 || angle === 180;
  return { angle: (angle + 180) % 180, place: Math.round(100 * (flipped ? -far : far)) / 100 };
}

// Borders of the bands [nats], the same for all slices, and five stops of a colour scale that darkens evenly.
const BANDS = [0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 20, 50];
const STOPS = [[0, 34, 78], [62, 76, 107], [124, 123, 120], [188, 174, 108], [254, 232, 56]];
const bandOf = (loss) => BANDS.filter((border) => loss >= border).length;
function colourOf(band) {
  const where = (band / BANDS.length) * (STOPS.length - 1), i = Math.min(STOPS.length - 2, Math.floor(where));
  return STOPS[i].map((c, k) => Math.round(c + (where - i) * (STOPS[i + 1][k] - c)));
}
const LIMITS = { angle: [0, 179, 1, 0], place: [-1, 1, 0.01, 0], window: [0.2, 1, 0.05, 1] };
const SIDE = 240; // pixels of the map's canvas

function render({ model, el }) {
  const { axis, slices, factor } = model.get("data"), names = Object.keys(slices);
  const slice = (name) => ({ axis, grid: slices[name].grid });
  const words = (name) => name.endsWith(" rescaled") ? `${name.slice(0, -9)}, rescaled, plain directions`
    : name.endsWith(" plain") ? `${name.slice(0, -6)}, plain directions` : `${name}, filter-normalised`;
  const options = names.map((name) => `<option value="${name}">${words(name)}</option>`).join("");
  const slider = (name, label) => `<label><span>${label}: <span data-of="${name}"></span></span>
    <input type="range" name="${name}" min="${LIMITS[name][0]}" max="${LIMITS[name][1]}" step="${LIMITS[name][2]}"></label>`;

  el.innerHTML = `<div class="curves lv" role="group" aria-label="Landscape viewer" data-lm-suppress-shortcuts="true">
    <div class="curves-controls">
      <label>Slice <select name="slice">${options}</select></label>
      <label>compared with <select name="other"><option value="nothing">nothing</option>${options}</select></label>
      ${slider("angle", "angle of the line")}${slider("place", "place on the line")}${slider("window", "window")}
    </div>
    <div class="lv-pictures">
      <figure class="lv-map"><div><canvas width="${SIDE}" height="${SIDE}"></canvas><svg role="img" viewBox="-1 -1 2 2"></svg></div>
        <figcaption>loss [nats], by bands: <span class="lv-legend">${[0, ...BANDS].map((border, band) => `<span><i style="background: rgb(${colourOf(band)})"></i>${border}</span>`).join(" ")}</span></figcaption></figure>
      <div class="curves-picture"><svg role="img"></svg></div>
    </div>
    <p class="lv-readout"></p>
    <p class="curves-hidden" aria-live="polite"></p>
    <table><caption>Measured at the centre</caption><thead></thead><tbody></tbody></table>
    <p class="lv-note">Click or drag on the map to lay the line through a point. Lengths are in those of the directions. The rescaled network has ${factor} times the weights and biases of the first layer and a ${factor}th of the second layer's weights: it computes the same function.</p>
  </div>`;
  const find = (selector) => el.querySelector(selector), control = (name) => find(`[name=${name}]`);
  const canvas = find("canvas"), over = find(".lv-map svg"), svg = find(".curves-picture > svg"), [say, hush] = announcer(find("[aria-live]"));
  let width = 320, painted = "", down = false;

  const choose = (changes) => {
    for (const [name, value] of Object.entries(changes)) model.set(name, value);
    model.save_changes();
  };

  function tidy() { // an address typed by hand may ask for what is not there
    for (const [name, [low, high, , start]] of Object.entries(LIMITS)) {
      const value = model.get(name);
      if (!(value >= low && value <= high)) model.set(name, Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : start);
    }
    if (!names.includes(model.get("slice"))) model.set("slice", names[0]);
    if (!names.includes(model.get("other")) && model.get("other") !== "nothing") model.set("other", "nothing");
  }

  /** One colour per band, and a dark pixel where the band changes. */
  function paint(name, window) {
    if (painted === `${name} ${window}`) return;
    painted = `${name} ${window}`;
    const at = (p) => window * ((2 * (p + 0.5)) / SIDE - 1), one = slice(name), pen = canvas.getContext("2d"), image = pen.createImageData(SIDE, SIDE);
    const bands = Array.from({ length: SIDE * SIDE }, (_, n) => bandOf(lossAt(one, at(n % SIDE), -at(Math.floor(n / SIDE)))));
    bands.forEach((band, n) => {
      const edge = (n % SIDE < SIDE - 1 && bands[n + 1] !== band) || (bands[n + SIDE] ?? band) !== band;
      const colour = colourOf(band).map((c) => (edge ? (band > 6 ? 0.45 * c : c + 0.55 * (255 - c)) : c));
      image.data.set([...colour, 255], 4 * n);
    });
    pen.putImageData(image, 0, 0);
  }

  function draw() {
    tidy();
    const [name, other, angle, place, window] = ["slice", "other", "angle", "place", "window"].map((trait) => model.get(trait));
    const shown = other === "nothing" || other === name ? [name] : [name, other], here = shown.map((one) => alongLine(slice(one), angle, place));
    for (const [trait, value] of Object.entries({ slice: name, other, angle, place, window })) control(trait).value = value;
    find("[data-of=angle]").textContent = `${show(angle)}°`;
    find("[data-of=place]").textContent = show(place);
    find("[data-of=window]").textContent = `± ${show(window)}`;

    paint(name, window);
    const [c, s] = turn(angle), far = 3, at = (t) => `${((t * c) / window).toFixed(3)} ${((-t * s) / window).toFixed(3)}`;
    over.innerHTML = ["casing", "line"].map((kind) => `<path class="lv-${kind}" d="M${at(-far)}L${at(far)}"/>`).join("")
      + `<circle class="lv-centre" r="0.025"/><circle class="lv-here" cx="${at(place).split(" ")[0]}" cy="${at(place).split(" ")[1]}" r="0.05"/>`;
    const lowest = Math.min(...slices[name].grid.flat()), highest = Math.max(...slices[name].grid.flat());
    over.setAttribute("aria-label", `Map of the loss, ${words(name)}: ${show(slices[name].loss)} at the centre, from ${show(lowest)} to ${show(highest)} on the whole slice. The line has an angle of ${show(angle)} degrees.`);

    const left = 44, w = width - left - 12, tall = Math.min(300, Math.max(200, 0.8 * w)), count = Math.ceil(w / 2);
    const places = Array.from({ length: count + 1 }, (_, i) => window * ((2 * i) / count - 1)), runs = shown.map((one) => places.map((t) => alongLine(slice(one), angle, t)));
    const top = 1.06 * Math.max(...runs.flat()), fr = frame(left, 26, w, tall, [-window, window], [0, top]);
    const kinds = ["one", "two"], line = (run, k) => `<path class="curve ${kinds[k]}" d="M${run.map((loss, i) => `${fr.X(places[i]).toFixed(1)} ${fr.Y(loss).toFixed(1)}`).join("L")}"/>`;
    const dot = (loss, k) => (Math.abs(place) <= window ? `<circle class="dot ${kinds[k]}" cx="${fr.X(place).toFixed(1)}" cy="${fr.Y(loss).toFixed(1)}" r="5"/>` : "");
    svg.setAttribute("viewBox", `0 0 ${width} ${26 + tall + 26}`);
    svg.setAttribute("height", 26 + tall + 26);
    svg.innerHTML = `<text class="title" x="10" y="14">loss along the line [nats]</text>${fr.grid(ticks(-window, window, w / 70), ticks(0, top, 5), true)}${fr.inside(runs.map(line).join("") + here.map(dot).join(""))}`;
    const sentence = `${shown.map((one, k) => `${words(one)}: ${show(here[k])} nats`).join("; ")} at ${show(place)} on the line of ${show(angle)}°.`;
    svg.setAttribute("aria-label", `Loss along the line. ${sentence}`);
    find(".lv-readout").textContent = sentence;

    const swatch = (k) => `<svg class="swatch" aria-hidden="true"><path class="curve ${kinds[k]}" d="M0 5h28"/></svg>`;
    find("thead").innerHTML = `<tr><td></td>${shown.map((one, k) => `<th scope="col">${swatch(k)}${one}</th>`).join("")}</tr>`;
    const rows = { "training loss [nats]": "loss", "test accuracy": "accuracy", "largest eigenvalue": "largest", "trace (estimate)": "trace" };
    find("tbody").innerHTML = Object.entries(rows).map(([title, key]) => `<tr><th scope="row">${title}</th>${shown.map((one) => `<td>${key === "accuracy" ? percent(slices[one][key]) : show(slices[one][key])}</td>`).join("")}</tr>`).join("");
    say(`${sentence} Largest eigenvalue ${shown.map((one) => show(slices[one].largest)).join(" and ")}.`);
  }

  el.addEventListener("input", ({ target }) => {
    if (target.name) choose({ [target.name]: target.type === "range" ? Number(target.value) : target.value });
  });
  function lay({ clientX, clientY }) {
    const area = over.getBoundingClientRect(), window = model.get("window"), whole = (v, from, size) => window * ((2 * (v - from)) / size - 1);
    choose(lineThrough(whole(clientX, area.left, area.width), -whole(clientY, area.top, area.height)));
  }
  over.addEventListener("pointerdown", (event) => {
    down = true;
    over.setPointerCapture(event.pointerId);
    lay(event);
  });
  over.addEventListener("pointermove", (event) => down && lay(event));
  for (const end of ["pointerup", "pointercancel"]) over.addEventListener(end, () => (down = false));

  const watched = ["slice", "other", "angle", "place", "window"].map((name) => `change:${name}`);
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
