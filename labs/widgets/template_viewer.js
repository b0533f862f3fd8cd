// The template viewer: the scores of a linear classifier, taken apart pixel by pixel.
// Weights and images come from Python as bytes; every sum is done here, in float64.

const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const floatsOf = (text) => Float64Array.from(new Float32Array(bytesOf(text).buffer));

/** Decode: one template and one bias per class, for pixels from 0 (dark) to 1, and the images in such pixels. */
export function unpack(data) {
  const pixels = data.side ** 2, weight = floatsOf(data.weight), grey = bytesOf(data.images), span = data.high - data.low;
  // W x + b with x = low + span p is (span W) p + (b + low ΣW): a dark background contributes nothing.
  const raw = data.names.map((_, k) => weight.subarray(k * pixels, (k + 1) * pixels));
  return {
    templates: raw.map((row) => row.map((w) => w * span)),
    biases: floatsOf(data.bias).map((b, k) => b + data.low * raw[k].reduce((a, w) => a + w, 0)),
    images: data.labels.map((_, i) => Float64Array.from(grey.subarray(i * pixels, (i + 1) * pixels), (g) => g / 255)),
  };
}

/** One score per class. */
export function scores({ templates, biases }, image) {
  return templates.map((template, k) => template.reduce((sum, w, i) => sum + w * image[i], biases[k]));
}

/** Probabilities from scores; the largest is taken off first, so that nothing overflows. */
export function softmax(values) {
  const top = Math.max(...values), powers = values.map((s) => Math.exp(s - top)), all = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / all);
}

/** The template of one class, or of one minus another, with its bias. */
export function chosen({ templates, biases }, plus, minus) {
  if (minus < 0 || minus === plus) return { weights: templates[plus], bias: biases[plus] };
  return { weights: templates[plus].map((w, i) => w - templates[minus][i]), bias: biases[plus] - biases[minus] };
}

const signed = (x, digits = 2) => {
  const text = Math.abs(x).toFixed(digits);
  return Number(text) === 0 ? text : (x < 0 ? "−" : "+") + text;
};
const share = (p) => (p > 0.9995 && p < 1 ? "> 99.9 %" : p < 0.0005 ? "< 0.1 %" : `${(100 * p).toFixed(1)} %`);
const CELL = 10; // canvas pixels per image pixel

function render({ model, el }) {
  const data = model.get("data"), { names, labels, side } = data, net = unpack(data);
  const options = (first) => first + names.map((name, k) => `<option value="${k}">${name}</option>`).join("");
  const picture = (kind, role, words) => `<figure class="tv-${kind}"><canvas width="${side * CELL}" height="${side * CELL}" ${role}></canvas><figcaption>${words}</figcaption></figure>`;

  el.innerHTML = `<div class="tv" role="group" aria-label="Template viewer" data-lm-suppress-shortcuts="true">
    <div class="tv-thumbs" role="group" aria-label="Images">${labels.map((label, i) =>
      `<button type="button" data-image="${i + 1}" aria-label="image ${i + 1}: ${names[label]}"><canvas width="${side}" height="${side}"></canvas></button>`).join("")}</div>
    <div class="tv-controls">
      <label>Template of <select name="plus">${options("")}</select></label>
      <label>minus template of <select name="minus">${options('<option value="-1">nothing</option>')}</select></label>
    </div>
    <div class="tv-pictures">
      ${picture("image", 'tabindex="0" role="application" aria-roledescription="canvas to paint on"', '<span class="tv-name"></span>')}
      ${picture("template", 'role="img"', '<span class="tv-words"></span>')}
      ${picture("part", 'role="img"', '<span class="tv-words"></span>')}
    </div>
    <div class="tv-brush"><span>Paint on the image:</span>
      <button type="button" data-brush="1">draw</button><button type="button" data-brush="0">erase</button>
      <button type="button" data-do="undo">original</button><button type="button" data-do="clear">empty image</button>
      <small>or focus the image: arrow keys move the square, space paints.</small></div>
    <p class="tv-pixel"></p>
    <p class="tv-sum"></p>
    <p class="tv-hidden" aria-live="polite"></p>
    <table><caption class="tv-hidden">Scores and probabilities of the image</caption>
      <thead><tr><th scope="col">class</th><th scope="col">score</th><th scope="col" colspan="2">probability</th></tr></thead>
      <tbody>${names.map((name) => `<tr><th scope="row">${name}</th><td></td><td></td><td class="tv-bar"><span></span></td></tr>`).join("")}</tbody></table>
    <p class="tv-note">In template and contributions a full square raises the score, a small square lowers it; the stronger the colour, the more. Each picture has its own scale.</p>
  </div>`;

  const find = (selector) => el.querySelector(selector), all = (selector) => [...el.querySelectorAll(selector)];
  const box = find(".tv"), canvas = find(".tv-image canvas");
  let image = null, shown = 0, painted = false, brush = 1, cursor = [14, 14], down = false, timer = 0, frame = 0;

  const choose = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };

  function tidy() { // an address typed by hand may ask for what is not there
    const fix = (name, low, high, fallback) => {
      const value = model.get(name);
      if (!(Number.isInteger(value) && value >= low && value <= high)) model.set(name, fallback);
    };
    fix("image", 1, labels.length, 1);
    fix("plus", 0, names.length - 1, 0);
    fix("minus", -1, names.length - 1, -1);
    if (shown !== model.get("image")) {
      shown = model.get("image");
      image = net.images[shown - 1].slice();
      painted = false;
    }
  }

  /** Grey: light on dark, as in the data. */
  function grey(place, pixels, cell) {
    const pen = place.getContext("2d");
    pixels.forEach((p, i) => {
      const v = Math.round(255 * p);
      pen.fillStyle = `rgb(${v} ${v} ${v})`;
      pen.fillRect((i % side) * cell, Math.floor(i / side) * cell, cell, cell);
    });
    return pen;
  }

  /** Signs: a full square in one colour, a small square in the other. */
  function signs(place, values) {
    const pen = place.getContext("2d"), most = Math.max(...values.map(Math.abs)) || 1, look = getComputedStyle(box);
    const up = look.getPropertyValue("--up"), low = look.getPropertyValue("--low");
    pen.clearRect(0, 0, place.width, place.height);
    values.forEach((v, i) => {
      const x = (i % side) * CELL, y = Math.floor(i / side) * CELL, inset = v > 0 ? 0 : 2;
      pen.globalAlpha = Math.abs(v) / most;
      pen.fillStyle = v > 0 ? up : low;
      pen.fillRect(x + inset, y + inset, CELL - 2 * inset, CELL - 2 * inset);
    });
    pen.globalAlpha = 1;
    return most;
  }

  function mark(place) {
    const pen = place.getContext("2d"), [x, y] = cursor;
    pen.lineWidth = 2;
    for (const [colour, out] of [["#000", 1], ["#fff", 3]]) {
      pen.strokeStyle = colour;
      pen.strokeRect(x * CELL - out, y * CELL - out, CELL + 2 * out, CELL + 2 * out);
    }
  }

  function draw() {
    frame = 0;
    tidy();
    const plus = model.get("plus"), minus = model.get("minus"), two = minus >= 0 && minus !== plus;
    const { weights, bias } = chosen(net, plus, minus), parts = weights.map((w, i) => w * image[i]);
    const values = scores(net, image), chances = softmax(values), winner = values.indexOf(Math.max(...values)), label = labels[shown - 1];
    const title = two ? `${names[plus]} minus ${names[minus]}` : names[plus];

    grey(canvas, image, CELL);
    signs(find(".tv-template canvas"), weights);
    signs(find(".tv-part canvas"), parts);
    for (const place of all(".tv-pictures canvas")) mark(place);
    find("[name=plus]").value = plus;
    find("[name=minus]").value = minus;
    all(".tv-thumbs button").forEach((button, i) => button.setAttribute("aria-pressed", i + 1 === shown));
    all("[data-brush]").forEach((button) => button.setAttribute("aria-pressed", Number(button.dataset.brush) === brush));
    find("[data-do=undo]").disabled = !painted;

    find(".tv-name").textContent = `image ${shown}: ${names[label]}${painted ? ", painted on" : ""}`;
    find(".tv-template .tv-words").textContent = `template: ${title}`;
    find(".tv-part .tv-words").textContent = "contributions: template × image";
    const gain = parts.reduce((a, v) => a + Math.max(v, 0), 0), loss = parts.reduce((a, v) => a + Math.min(v, 0), 0);
    const sum = `${two ? `Score of ${names[plus]} minus score of ${names[minus]}` : `Score of ${names[plus]}`}: bias ${signed(bias)}, pixels that raise it ${signed(gain)}, pixels that lower it ${signed(loss)}; together ${signed(bias + gain + loss)}.`;
    find(".tv-sum").textContent = sum;
    const [x, y] = cursor, at = y * side + x;
    find(".tv-pixel").textContent = `Pixel in row ${y + 1}, column ${x + 1}: grey ${image[at].toFixed(2)} × weight ${signed(weights[at], 3)} = ${signed(parts[at], 3)}.`;
    all("tbody tr").forEach((row, k) => {
      row.className = [k === winner && "tv-winner", k === label && "tv-label"].filter(Boolean).join(" ");
      row.children[0].innerHTML = `${names[k]}${k === label ? ' <small>label</small>' : ""}${k === winner ? " <small>highest</small>" : ""}${data.hits ? ` <small class="tv-hits">right on ${(100 * data.hits[k]).toFixed(0)} %</small>` : ""}`;
      row.children[1].textContent = signed(values[k]);
      row.children[2].textContent = share(chances[k]);
      row.querySelector(".tv-bar span").style.width = `${100 * chances[k]}%`;
    });
    const verdict = `Highest score: ${names[winner]}, probability ${share(chances[winner])}; label ${names[label]}.`;
    canvas.setAttribute("aria-label", `Image ${shown}, ${names[label]}. Arrow keys move, space ${brush ? "draws" : "erases"}. Row ${y + 1}, column ${x + 1}.`);
    find(".tv-template canvas").setAttribute("aria-label", `Template of ${title}, ${side} by ${side} weights.`);
    find(".tv-part canvas").setAttribute("aria-label", `What each pixel contributes. ${sum}`);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const words = `${find(".tv-pixel").textContent} ${verdict} ${sum}`;
      if (find("[aria-live]").textContent !== words) find("[aria-live]").textContent = words;
    }, 500);
  }
  const later = () => { frame ||= requestAnimationFrame(draw); };

  /** Paint the square under the cursor and half of its neighbours. */
  function paint() {
    const [x, y] = cursor;
    for (let v = Math.max(0, y - 1); v <= Math.min(side - 1, y + 1); v++) for (let u = Math.max(0, x - 1); u <= Math.min(side - 1, x + 1); u++) {
      const i = v * side + u, strength = u === x && v === y ? 1 : u === x || v === y ? 0.5 : 0;
      image[i] += strength * (brush - image[i]);
    }
    painted = true;
  }
  function place({ clientX, clientY, target }) {
    const area = target.getBoundingClientRect(), within = (v) => Math.max(0, Math.min(side - 1, Math.floor(v * side)));
    cursor = [within((clientX - area.left) / area.width), within((clientY - area.top) / area.height)];
  }
  canvas.addEventListener("pointerdown", (event) => {
    down = true;
    canvas.setPointerCapture(event.pointerId);
    place(event);
    paint();
    later();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!down) return;
    place(event);
    paint();
    later();
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (down = false));
  for (const other of all(".tv-template canvas, .tv-part canvas")) other.addEventListener("pointerdown", (event) => {
    place(event);
    later();
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move) cursor = cursor.map((v, i) => Math.max(0, Math.min(side - 1, v + move[i])));
    else if (event.key === " ") paint();
    else return;
    event.preventDefault();
    event.stopPropagation();
    draw();
  });
  el.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.dataset.image) return choose("image", Number(button.dataset.image));
    if (button.dataset.brush) brush = Number(button.dataset.brush);
    if (button.dataset.do === "clear") [image, painted] = [image.map(() => 0), true];
    if (button.dataset.do === "undo") [image, painted] = [net.images[shown - 1].slice(), false];
    draw();
  });
  for (const name of ["plus", "minus"]) find(`[name=${name}]`).addEventListener("change", ({ target }) => choose(name, Number(target.value)));

  all(".tv-thumbs canvas").forEach((thumb, i) => grey(thumb, net.images[i], 1));
  const watched = ["image", "plus", "minus"].map((name) => `change:${name}`);
  watched.forEach((event) => model.on(event, draw));
  const theme = new MutationObserver(later); // the colours of the canvases follow the theme
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  draw();
  return () => {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    theme.disconnect();
    watched.forEach((event) => model.off(event, draw));
  };
}

export default { render };
