"""What the tests of all widgets share: small pages that carry a widget the way a chapter does, and ways to measure.

Not a test itself.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.servers import served
from tests.browser.tabs import PATIENCE
from tools.widget_library import library_scripts

# What the widget meets in the book's theme: colours, a variable, and the plate under output in the dark.
THEMES = {"light": ("#ffffff", "#222832"), "dark": ("#14181e", "#ced6dd")}
PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>
html {{ --pst-color-background: {back}; background: {back}; color: {ink}; color-scheme: {theme}; }}
.output {{ overflow: auto; }}
html[data-theme=dark] .bd-content div.cell_output .text_html {{ background: {ink}; color: {back}; }}
body {{ margin: 0 auto; padding: 16px; max-width: 720px; font-family: sans-serif; }}
</style></head><body><h1>A page</h1><div class="bd-content"><div class="cell_output">
<div class="output text_html">{widgets}</div></div></div><p id="an-anchor" style="margin-top: 200vh">After</p>
<script src="mount-widgets.js"></script></body></html>"""

#: The start of a script that loads a module from its text.
IMPORT = "import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })))"


def repaint_milliseconds(tab: Any, name: str, many: int = 10) -> float:
    """Return what one step of the slider ``name`` costs the page's main thread, from input to layout."""
    step = """(name) => {
        const input = document.querySelector(`input[name=${name}]`);
        input.value = Number(input.value) + Number(input.step);
        input.dispatchEvent(new Event("input", { bubbles: true }));
    }"""
    return thread_milliseconds(tab, step, name, many)


def thread_milliseconds(tab: Any, step: str, argument: Any = None, many: int = 10) -> float:
    """Return what one call of the function ``step`` and the layout after it cost the page's main thread.

    It is the thread's own time: on a busy machine a clock would tell of the others.
    """
    client = tab.context.new_cdp_session(tab)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = client.send("Performance.getMetrics")["metrics"]
        return 1000 * next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    repeat = f"""([argument, many]) => {{
        const step = {step};
        for (let i = 0; i < many; i++) {{
            step(argument, i);
            document.body.offsetHeight;
        }}
    }}"""
    tab.evaluate(repeat, [argument, 3])  # compiled by now
    before = spent()
    tab.evaluate(repeat, [argument, many])
    return (spent() - before) / many


def frames(tab: Any, many: int = 20) -> None:
    """Wait until the page has drawn so many pictures: what moves by itself has moved by then."""
    code = "async (many) => { while (many--) await new Promise(requestAnimationFrame); }"
    tab.evaluate(code, many)


@contextmanager
def small_pages(folder: Path, root: Path, **widgets: str) -> Iterator[Callable[..., str]]:
    """Write ``NAME-light.html`` and ``NAME-dark.html`` for each of the widgets.

    Gives ``address("NAME-light.html#...", scheme="file")``.
    """
    for name, html in widgets.items():
        for theme, (back, ink) in THEMES.items():
            text = PAGE.format(theme=theme, back=back, ink=ink, widgets=html)
            (folder / f"{name}-{theme}.html").write_text(text, encoding="utf-8")
    with serving(folder, root) as address:
        yield address


@contextmanager
def serving(folder: Path, root: Path) -> Iterator[Callable[..., str]]:
    """Serve the pages of a folder, with the script that mounts widgets beside them, on a free port.

    Gives ``address("light.html#...", scheme="file")``.
    """
    script = (root / "assets" / "mount-widgets.js").read_text(encoding="utf-8")
    (folder / "mount-widgets.js").write_text(script, encoding="utf-8")
    for name, library in library_scripts(root / "labs" / "widgets").items():
        (folder / name).write_text(library, encoding="utf-8")

    def address(page: str = "light.html", scheme: str = "file") -> str:
        name, hash_sign, fragment = page.partition("#")
        base = (folder / name).as_uri() if scheme == "file" else f"{web}/{name}"
        return base + hash_sign + fragment

    with served(folder) as web:
        yield address


def opener(page_factory: Callable, address: Callable[..., str], first: str) -> Callable:
    """Return a function that opens a page, by default ``first``, and waits until its widgets stand."""

    def opened(page: str = first, scheme: str = "file", **options: Any) -> Any:
        tab = page_factory(**options)
        tab.set_default_timeout(PATIENCE)
        tab.goto(address(page, scheme))
        tab.wait_for_selector("[data-mounted=yes]")
        return tab

    return opened


def contrast(first, second):
    """Return the contrast ratio of WCAG; a see-through ``first`` is laid over ``second`` before."""
    *one, alpha = colour(first)
    *two, _ = colour(second)
    one = [alpha * a + (1 - alpha) * b for a, b in zip(one, two, strict=True)]
    high, low = sorted([luminance(one), luminance(two)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def colour(text):
    if text.startswith("#"):
        return [*(int(text[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0]
    numbers = [float(word) for word in re.findall(r"[\d.]+", text.split("(", 1)[1])]
    scale = 1 if text.startswith("color(") else 255
    return [*(number / scale for number in numbers[:3]), numbers[3] if len(numbers) > 3 else 1.0]


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
