"""The cover of the downloads: the title above a few of the functions that the book is about, drawn from formulas."""

import math
from collections.abc import Callable
from html import escape

from tools.pages import About

WIDTH, HEIGHT = 1200, 1600
LEFT, RIGHT, ZERO, UNIT = 120, 1080, 1160, 110  # of the drawing; UNIT pixels per 1, on both axes


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# Function, colour (safe for colour-blind readers) and dashes, so that the lines differ in grey as well.
CURVES: tuple[tuple[Callable[[float], float], str, str], ...] = (
    (lambda x: math.log1p(math.exp(x)), "#56b4e9", "4 12"),
    (lambda x: max(x, 0.0), "#ffffff", "none"),
    (lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2, "#e69f00", "26 10"),
    (lambda x: x * _sigmoid(x), "#f0e442", "14 10"),
    (math.tanh, "#009e73", "none"),
    (_sigmoid, "#cc79a7", "26 8 6 8"),
)


def curve(function: Callable[[float], float]) -> str:
    """Return the path of a function over the width of the cover, as SVG writes it.

    Args:
        function: it is drawn from -4.36 to 4.36.
    """
    centre = (LEFT + RIGHT) / 2
    points = (f"{x},{ZERO - UNIT * function((x - centre) / UNIT):.1f}" for x in range(LEFT, RIGHT + 1, 4))
    return "M" + " L".join(points)


def cover(book: About) -> str:
    """Return the cover as an SVG element.

    Args:
        book: what is printed on it.
    """
    lines = [
        f'<path d="{curve(function)}" fill="none" stroke="{colour}" stroke-width="7" stroke-dasharray="{dashes}"/>'
        for function, colour, dashes in CURVES
    ]
    words = book.subtitle.split()
    half = next(i for i in range(1, len(words)) if len(" ".join(words[:i])) >= len(book.subtitle) / 2)
    subtitle = " ".join(words[:half]), " ".join(words[half:])
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
 font-family="Liberation Sans, Helvetica, Arial, sans-serif" fill="#ffffff">
<title>{escape(book.title)}: {escape(book.subtitle)}</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#12233b"/>
<text x="120" y="270" font-size="150" font-weight="700">{escape(book.title)}</text>
<text x="124" y="350" font-size="38">{escape(subtitle[0])}</text>
<text x="124" y="402" font-size="38">{escape(subtitle[1])}</text>
<path d="M{LEFT},{ZERO} H{RIGHT} M{(LEFT + RIGHT) / 2},{ZERO - 5 * UNIT} V{ZERO + 1.6 * UNIT}"
 stroke="#6f7f95" stroke-width="3"/>
{"".join(lines)}
<text x="124" y="1470" font-size="36">{escape(book.author)}</text>
<text x="124" y="1520" font-size="30" fill="#b9c4d3">Version {escape(book.version)}</text>
</svg>"""


def cover_picture(browser: object, book: About) -> bytes:
    """Return the cover as a PNG picture.

    Args:
        browser: a blank page of Chromium.
        book: what is printed on it.
    """
    browser.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    browser.set_content(f'<body style="margin: 0">{cover(book)}</body>')
    return browser.screenshot()
