// A hand on the map: by mouse, finger or keys it asks the network at a place, and draws the reader's own points.

const APART = 0.08, NEAR = 0.12; // in the map's numbers: between two points of one stroke; how far the eraser reaches

/** Where the nearest of the points lies in the list, or -1 if none is near. */
export function nearestPoint(points, x, y, reach = NEAR) {
  let best = -1, least = reach;
  points.forEach((point, i) => {
    const far = Math.hypot(point.x - x, point.y - y);
    if (far <= least) [best, least] = [i, far];
  });
  return best;
}

/**
 * Let a hand move over the map. `box` is the place of the map and `cursor` what the keys move; `pen()` is the class to
 * draw, "erase", or null where points are not the reader's own. `points()` are those that stand, `change(points,
 * done)` puts others, with done at the end of a stroke; `choose(pen)` takes another pen; `moved(x, y)` is told the place.
 */
export function handOnMap({ box, cursor, pen, points, change, choose, moved }) {
  let x = 0, y = 0, stroke = null;
  const within = (v) => Math.max(-EDGE, Math.min(EDGE, Math.round(1000 * v) / 1000));

  function go(toX, toY) {
    [x, y] = [within(toX), within(toY)];
    cursor.style.left = `${(50 * (x + EDGE)) / EDGE}%`;
    cursor.style.top = `${(50 * (EDGE - y)) / EDGE}%`;
    moved(x, y);
  }

  /** Put a point or take the nearest one away; tells whether anything changed. */
  function use(tool, done) {
    const now = points(), near = nearestPoint(now, x, y);
    if (tool === "erase" ? near < 0 : now.length >= MOST_POINTS) return false;
    change(tool === "erase" ? now.filter((_, i) => i !== near) : [...now, { x, y, label: tool }], done);
    moved(x, y);
    return true;
  }

  const under = ({ clientX, clientY }) => {
    const { left, top, width, height } = box.getBoundingClientRect();
    return [((clientX - left) / width) * 2 * EDGE - EDGE, EDGE - ((clientY - top) / height) * 2 * EDGE];
  };
  const onDown = (event) => {
    if (event.button && event.button !== 2) return;
    const tool = pen() === null ? null : event.button === 2 ? "erase" : pen();
    go(...under(event));
    cursor.focus({ preventScroll: true });
    event.preventDefault();
    stroke = { tool, x, y };
    box.setPointerCapture(event.pointerId);
    if (tool !== null) use(tool, false);
  };
  const onMove = (event) => {
    if (!stroke) return;
    go(...under(event));
    if (stroke.tool === null || (stroke.tool !== "erase" && Math.hypot(x - stroke.x, y - stroke.y) < APART)) return;
    Object.assign(stroke, { x, y });
    use(stroke.tool, false);
  };
  const onUp = () => {
    if (stroke && stroke.tool !== null) change(points(), true);
    stroke = null;
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key], far = event.shiftKey ? 0.3 : 0.05;
    if (way) go(x + far * way[0], y + far * way[1]);
    else if (pen() !== null && (event.key === " " || event.key === "Enter")) use(pen(), true);
    else if (pen() !== null && (event.key === "Delete" || event.key === "Backspace")) use("erase", true);
    else if (pen() !== null && /^[0-4]$/.test(event.key)) choose(Number(event.key));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onMenu = (event) => pen() !== null && event.preventDefault();
  const onTouch = (event) => pen() !== null && event.preventDefault(); // the finger draws and does not move the page
  const heard = [[box, "pointerdown", onDown], [box, "pointermove", onMove], [box, "pointerup", onUp], [box, "pointercancel", onUp], [box, "contextmenu", onMenu]];
  for (const [place, event, listener] of heard) place.addEventListener(event, listener);
  box.addEventListener("touchstart", onTouch, { passive: false });
  cursor.addEventListener("keydown", onKey);
  return { go, again: () => moved(x, y) };
}
