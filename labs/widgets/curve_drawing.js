// What the widgets that draw curves share: numbers in words, axes, lines, and a picture as wide as its place.

/** Three significant digits, with a real minus sign and a real power of ten. */
export function show(x) {
  if (Math.abs(x) < 5e-7) return "0";
  const far = Math.abs(x) < 0.001 || Math.abs(x) >= 1e5, [digits, power] = far ? x.toExponential(1).split("e") : [`${+x.toPrecision(3)}`];
  const raised = power?.replace("+", "").replace(/./g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));
  return digits.replace("-", "−") + (raised ? `×10${raised}` : "");
}

export function percent(share) {
  const p = 100 * share;
  return `${p < 0.05 ? (p > 1e-6 ? "below 0.1" : "0") : p > 99.95 && p < 100 - 1e-6 ? "above 99.9" : +p.toFixed(1)} %`;
}

/** Round steps, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => +((first + i) * step).toPrecision(12));
}

/** A place for curves: pixels at left, top, w, h for the numbers x0 to x1 and y0 to y1. Its svg cuts off what is outside. */
export function frame(left, top, w, h, [x0, x1], [y0, y1]) {
  const X = (x) => ((x - x0) / (x1 - x0)) * w, Y = (y) => Math.max(-1e4, Math.min(1e4, h - ((y - y0) / (y1 - y0)) * h));
  const at = (n) => n.toFixed(1);
  return {
    left, top, w, h, X, Y,
    inside: (content) => `<svg x="${left}" y="${top}" width="${w}" height="${h}">${content}</svg>`,
    grid: (xs, ys, labels) => xs.map((x) => `<path class="grid${x === 0 ? " zero" : ""}" d="M${at(left + X(x))} ${top}v${h}"/>${
        labels ? `<text x="${at(left + X(x))}" y="${top + h + 16}" text-anchor="middle">${show(x)}</text>` : ""}`).join("")
      + ys.map((y) => `<path class="grid${y === 0 ? " zero" : ""}" d="M${left} ${at(top + Y(y))}h${w}"/><text x="${left - 6}" y="${at(top + Y(y) + 4)}" text-anchor="end">${show(y)}</text>`).join(""),
    // The function is taken at both sides of each break, where the line may jump.
    line(f, breaks, kind) {
      const ends = [x0, ...breaks.filter((b) => b > x0 && b < x1), x1], n = Math.ceil(w);
      const parts = ends.slice(1).map((b, i) => {
        const a = ends[i], gap = 1e-9 * (b - a), many = Math.max(2, Math.ceil((n * (b - a)) / (x1 - x0)));
        return Array.from({ length: many + 1 }, (_, j) => a + gap + ((b - a - 2 * gap) * j) / many).map((x) => [X(x), Y(f(x))]);
      });
      let d = "", last;
      for (const part of parts) part.forEach(([x, y], j) => {
        d += `${j || (last && Math.abs(y - last) < 1) ? "L" : "M"}${at(x)} ${at(y)}`;
        last = y;
      });
      return `<path class="curve ${kind}" d="${d}"/>`;
    },
  };
}

/** The lowest and the highest of the numbers, with a little room, and never without extent. */
export function range(numbers) {
  const low = Math.min(...numbers), high = Math.max(...numbers), room = 0.06 * (high - low) || 0.5;
  return [low - room, high + room];
}

/** Draw when the size of the place changes; returns what stops it. */
export function whenResized(place, draw) {
  let width = 0;
  const observer = new ResizeObserver(() => {
    if (place.clientWidth && place.clientWidth !== width) draw((width = place.clientWidth));
  });
  observer.observe(place);
  return () => observer.disconnect();
}

/** Say a sentence to screen readers once the hand rests; returns [say, stop]. */
export function announcer(place) {
  let timer;
  return [(text) => {
    clearTimeout(timer);
    timer = setTimeout(() => { if (place.textContent !== text) place.textContent = text; }, 500);
  }, () => clearTimeout(timer)];
}
