"""Sphinx extension: pages load what they use, and the site holds no file that no page asks for.

A page gets the style sheets and scripts whose work is in it; pictures wait until the reader comes near them, in a box
that has their size; the scripts of Thebe, which fetch from the network, and the index of the search on pages that do
not search are gone. How much a page then loads: ``python -m tools.weight``.
"""

import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import imagesize

# What a page must contain to get a file; a file that is not named here goes to every page.
NEEDED_FOR = {
    "copybutton.css": "highlight",
    "copybutton.js": "highlight",
    "clipboard.min.js": "highlight",
    "design-tabs.js": "sd-tab-set",
    "sphinx-design.min.css": "sd-",
    "exercise.css": "exercise",
    "graphviz.css": "graphviz",
    "mount-widgets.js": "labs-widget",
    "proof.css": "proof",
    "quiz.css": "quiz",
    "quiz.js": "quiz",
    "togglebutton.css": "toggle|dropdown",
    "togglebutton.js": "toggle|dropdown",
}
NEVER = re.compile(r"thebe", re.IGNORECASE)  # of files and of lines of script
SEARCH = re.compile(r'<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>\s*')
LEFT_OVER = re.compile(
    r'<script[^>]*src="[^"]*fontawesome[^"]*"[^>]*></script>\s*'  # tools/icons.py has the few that are used
    r'|<link rel="preload" as="font"[^>]*>\s*'
    r'|<script type="text/x-thebe-config">.*?</script>\s*',
    re.DOTALL,
)
PICTURE = re.compile(r'<img\b(?![^>]*\bloading=)([^>]*?\bsrc="([^"]*_images/[^"]+)"[^>]*?)\s*/?>')
# On a first visit the theme knows no colours until its script has run, and complains.
NO_CHOICE = {
    '("mode") || ""': '("mode") || "auto"',
    '("theme") || ""': '("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
}
UNUSED = (
    ".buildinfo",
    "_static/**/*.map",
    "_static/**/*-macros.html",
    "_static/**/fontawesome/**/js",
    "_static/**/webfonts",
    "_static/images/logo_deepnote.svg",
    "_static/images/logo_jupyter*.svg",
    "_static/locales",
    "_static/readme.png",
    "_static/scripts/fontawesome.js*",
    "_static/sphinx-thebe.*",
)  # fmt: skip


def is_needed(asset: Any, body: str, seen: set[str]) -> bool:
    """Tell whether a page with this ``body`` needs ``asset``, an entry of Sphinx's lists; ``seen`` knows the others.

    Args:
        asset: a style sheet or script with ``filename`` and ``attributes``, where ``body`` is a line of script.
        body: the HTML of the page.
        seen: lines of script that the page already has; the one of this asset is added.

    Returns:
        False for what the page does not use, and for the second copy of a line.

    Example:
        >>> from types import SimpleNamespace
        >>> script = SimpleNamespace(filename="_static/mount-widgets.js", attributes={})
        >>> is_needed(script, '<div class="labs-widget">', set()), is_needed(script, "<p>", set())
        (True, False)
    """
    name = str(getattr(asset, "filename", asset) or "")
    line = getattr(asset, "attributes", {}).get("body", "")
    if NEVER.search(name + line) or (line and line in seen):
        return False
    seen.add(line)
    return re.search(NEEDED_FOR.get(Path(name).name, ""), body) is not None


def choose_assets(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Leave out of a page's style sheets and scripts what the page does not use."""
    if app.builder.name != "html":
        return
    for kind in ("css_files", "script_files"):
        seen: set[str] = set()
        context[kind] = [asset for asset in context[kind] if is_needed(asset, context.get("body", ""), seen)]


def lazy_picture(match: re.Match[str], folder: Path) -> str:
    """Return the picture of ``match`` with its size, to be loaded when the reader comes near."""
    attributes, source = match[1], match[2]
    width, height = imagesize.get(folder / source)  # -1 where it cannot be read
    has_box = re.search(r"\b(?:width|height|style)=", attributes) or width < 1
    box = "" if has_box else f' width="{width}" height="{height}"'
    return f'<img loading="lazy"{box}{attributes} />'


def slimmed(text: str, page: Path) -> str:
    """Return the HTML of a page without what it does not use.

    Args:
        text: the HTML.
        page: where it lies, for the size of its pictures.

    Returns:
        The HTML, to be written in its place.

    Example:
        >>> slimmed('<script src="../searchindex.js"></script><p>', Path("a.html"))
        '<p>'
    """
    text = LEFT_OVER.sub("", text)
    if page.name != "search.html":
        text = SEARCH.sub("", text)
    for theirs, ours in NO_CHOICE.items():
        text = text.replace(theirs, ours)
    return PICTURE.sub(partial(lazy_picture, folder=page.parent), text)


def quiet_search(options: Path) -> None:
    """Let the search show summaries only where it may read the pages it found: a page from disk may not."""
    text = options.read_text(encoding="utf-8")
    flag = "SHOW_SEARCH_SUMMARY: true"
    if flag not in text:
        raise ValueError(
            f"{options.name} has no {flag!r}; look for how this version of Sphinx asks for summaries"
        )
    options.write_text(
        text.replace(flag, 'SHOW_SEARCH_SUMMARY: location.protocol !== "file:"'), encoding="utf-8"
    )


def slim(app: Any, exception: Exception | None) -> None:
    """Slim the finished site: its pages, then its files."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    for page in sorted(site.rglob("*.html")):
        if "_static" not in page.parts:
            page.write_text(slimmed(page.read_text(encoding="utf-8"), page), encoding="utf-8")
    quiet_search(site / "_static" / "documentation_options.js")
    for path in [path for pattern in UNUSED for path in site.glob(pattern)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx: late for the assets of a page, which every extension may add to."""
    app.connect("html-page-context", choose_assets, priority=950)
    app.connect("build-finished", slim, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
