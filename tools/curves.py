"""Draw value and slope of an activation function as a small SVG, and say in words what the picture shows.

The SVG is made to stand in a page: lines and letters take the colour of the text around them, so that they follow the
theme, and the slope is dashed, so that colour is never needed to tell the two apart.
"""

import math
from dataclasses import dataclass
from html import escape

import torch
from torch import Tensor

from labs.activations import ActivationInfo, derivative

WIDTH, HEIGHT = 320, 200
LEFT, RIGHT, TOP, BOTTOM = 36, 312, 26, 178  # edges of the plot; the legend stands above it
STEPS = 138  # one for every second unit of the width
AT_KINK = 1e-9  # so far to both sides of a kink the slope is taken
FLAT = 1e-6  # a slope below this neither rises nor falls
SEED = 0  # for functions that draw their parameters


@dataclass(frozen=True)
class Curve:
    """What is drawn: value and slope at the points ``x``, in the order of the axis that is called ``axis``."""

    title: str
    axis: str
    x: Tensor
    value: Tensor
    slope: Tensor


def number(value: float, digits: int = 2) -> str:
    """Return ``value`` without needless zeros and with a real minus sign.

    Example:
        >>> number(-0.50), number(-0.001), number(3)
        ('−0.5', '0', '3')
    """
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")


def sample(info: ActivationInfo) -> Curve:
    """Return the curve of a function at its default parameters; one of two inputs is cut where the first is 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        module = info.factory().double().eval()
    function, kinks, axis, title = module, info.properties.kinks, "x", info.name
    if info.inputs_per_output > 1:
        axis, title = "b", f"{info.name} cut at a = 1"
        kinks = () if info.properties.smooth else (1.0,)  # Maxout, where both inputs are equal

        def function(b: Tensor) -> Tensor:
            return module(torch.stack([torch.ones_like(b), b], -1)).squeeze(-1)

    half = max(4, math.ceil(4 / 3 * max(map(abs, kinks), default=0)))
    grid = [half * (2 * i / STEPS - 1) for i in range(STEPS + 1)]
    beside = [kink + side for kink in kinks for side in (-AT_KINK, AT_KINK)]
    x = torch.tensor(sorted({p for p in grid if p not in kinks} | set(beside)), dtype=torch.float64)
    return Curve(title, axis, x, function(x).detach(), derivative(function, x))


def _turns(curve: Curve) -> list[int]:
    """The places where the curve stops rising or falling and does the other."""
    moving = [i for i, slope in enumerate(curve.slope.tolist()) if abs(slope) > FLAT]
    return [j for i, j in zip(moving, moving[1:], strict=False) if curve.slope[i] * curve.slope[j] < 0]


def describe(info: ActivationInfo) -> str:
    """Return the alternative text of the picture: how the value runs, where it levels off or bends, and the slope."""
    curve, known = sample(info), info.properties
    x, value = curve.x, curve.value
    first, last = (f"{number(value[i].item())} at {curve.axis} = {number(x[i].item())}" for i in (0, -1))
    turns = _turns(curve)
    low, high = number(value.min().item()), number(value.max().item())
    if not turns:
        course = f"never falls, from {first} to {last}"
    elif len(turns) == 1:
        bottom = f"{low} near {curve.axis} = {number(x[turns[0]].item(), 1)}"
        course = f"falls from {first} to {bottom}, then rises to {last}"
    else:
        course = f"turns {len(turns)} times between {low} and {high} on its way from {first} to {last}"
    parts = [f"The solid value of {curve.title} {course}"]
    flat = {
        side: number(end)
        for side, end in (("left", known.left), ("right", known.right))
        if end is not None and math.isfinite(end)
    }
    if flat:
        parts.append("levels off at " + " and at ".join(f"{end} on the {side}" for side, end in flat.items()))
    if known.symmetry:
        parts.append("is symmetric about the " + ("origin" if known.symmetry == "odd" else "vertical axis"))
    if known.kinks:
        what = "jumps" if math.isinf(known.lipschitz) else "has a kink"
        parts.append(f"{what} at " + " and at ".join(map(number, known.kinks)))
    text = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f", and {parts[-1]}"
    least, most = number(curve.slope.min().item()), number(curve.slope.max().item())
    span = f"is {least} throughout" if least == most else f"runs between {least} and {most}"
    top = _window(curve)[1]
    cut = f" The picture ends at a height of {number(top, 1)}." if value.max() > top else ""
    return f"{text}. The dashed slope {span}.{cut}"


def _window(curve: Curve) -> tuple[float, float]:
    """The lowest and the highest ordinate of the plot: all that is drawn, but of a steep climb only the beginning."""
    half = curve.x[-1].item()
    steep = len(_turns(curve)) < 2
    limit = 1.2 * half if steep else math.inf
    both = torch.cat([curve.value, curve.slope])
    low, high = max(-limit, min(both.min().item(), 0.0)), min(limit, both.max().item())
    pad = 0.06 * (high - low)
    return low - pad, high + pad


def _ticks(low: float, high: float) -> list[float]:
    """Two to five round numbers between ``low`` and ``high``."""
    step = next(s for e in range(-2, 6) for s in (10.0**e, 2 * 10.0**e, 5 * 10.0**e) if (high - low) / s < 5)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _path(places: list[float], heights: list[float]) -> str:
    """Lines through the points in the plot; a new one begins after a jump, and straight parts have two ends."""
    text, pen = [], False
    for i, (place, height) in enumerate(zip(places, heights, strict=True)):
        if not TOP <= height <= BOTTOM:
            pen = False
            continue
        if i and places[i] - places[i - 1] < 1e-3 and abs(heights[i] - heights[i - 1]) > 1e-3:
            pen = False
        around = range(max(i - 1, 0), min(i + 2, len(places)))
        rises = [
            (heights[j + 1] - heights[j]) / (places[j + 1] - places[j])
            for j in around
            if j + 1 in around and places[j + 1] - places[j] > 1e-3
        ]
        if (
            not pen
            or len(rises) < 2
            or abs(rises[1] - rises[0]) > 1e-9
            or not TOP <= heights[i + 1] <= BOTTOM
        ):
            text.append(f"{'' if pen else 'M'}{place:.1f} {height:.1f}".replace(".0", ""))
        pen = True
    return " ".join(text)


def draw(info: ActivationInfo) -> str:
    """Return the SVG of a function: two curves, axes through zero, a few numbers, and the words of :func:`describe`."""
    curve = sample(info)
    low, high = _window(curve)
    half = curve.x[-1].item()

    def across(x: float) -> float:
        return LEFT + (RIGHT - LEFT) * (x + half) / (2 * half)

    def up(y: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (y - low) / (high - low)

    columns, rows = [half * i / 2 for i in range(-2, 3)], _ticks(low, high)
    grid = "".join(f"M{across(x):.1f} {TOP}V{BOTTOM}" for x in columns)
    grid += "".join(f"M{LEFT} {up(y):.1f}H{RIGHT}" for y in rows)
    letters = [
        f'<text x="{across(x):.1f}" y="195" text-anchor="middle">{number(x)}</text>' for x in columns[:-1]
    ]
    letters += [f'<text x="{RIGHT}" y="195" text-anchor="end">{curve.axis} = {number(half)}</text>']
    letters += [f'<text x="30" y="{up(y) + 4.5:.1f}" text-anchor="end">{number(y)}</text>' for y in rows]
    letters += [f'<text x="{x}" y="16">{word}</text>' for x, word in ((68, "value"), (158, "slope"))]
    places = [across(x) for x in curve.x.tolist()]
    value, slope = (_path(places, [up(y) for y in ys.tolist()]) for ys in (curve.value, curve.slope))
    second = 'stroke-width="2" stroke-dasharray="6 4" style="stroke:var(--pst-color-primary,currentColor)"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(describe(info))}" style="max-width:100%;height:auto" '
        'fill="none" stroke="currentColor" font-size="13">',
        f'<path d="{grid}" stroke-opacity=".2"/>',
        f'<path d="M{LEFT} {up(0):.1f}H{RIGHT}M{across(0):.1f} {TOP}V{BOTTOM}" stroke-opacity=".6"/>',
        f'<path d="M126 12H152" {second}/>',
        '<path d="M36 12H62" stroke-width="2.5"/>',
        f'<path data-of="slope" d="{slope}" {second}/>',
        f'<path data-of="value" d="{value}" stroke-width="2.5"/>',
        '<g fill="currentColor" stroke="none">' + "".join(letters) + "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
