"""Sphinx extension: of the theme's thousands of icons the site keeps the few that it shows.

The theme brings Font Awesome twice, as fonts and as a script with every icon in it: more than a chapter weighs. Here
the fonts are cut down to the icons that occur, and travel inside the style sheet, where a page that is opened from disk
may use them too; the script is not needed then.
"""

import base64
import logging
import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools import subset

ICON = re.compile(r"\bfa-[a-z0-9-]+")
RULE = re.compile(r'((?:\.fa-[\w-]+:{1,2}before,?)+)\{content:"[^"]*"\}')
CODE = re.compile(r'"(?:\\([0-9a-f]{2,6})|([\ue000-\uf8ff]))"')  # a sign by its number or as it is
SOURCE = re.compile(r"src:(url\([^)]*?/(fa-[\w-]+)\.woff2\)[^;}]*)")
NOTICE = (0, 13, 14)  # the names in a font that hold copyright and licence


def used_rules(css: str, icons: set[str]) -> str:
    """Return the style sheet without the rules of icons that nobody shows.

    Args:
        css: the style sheet of Font Awesome, or one that contains it.
        icons: class names such as ``fa-rocket``.

    Returns:
        The style sheet; everything that is no rule of an icon stays.

    Example:
        >>> used_rules(r'.fa-rocket:before{content:"\\f135"}.fa-at:before{content:"\\40"}a{b:c}', {"fa-rocket"})
        '.fa-rocket:before{content:"\\\\f135"}a{b:c}'
    """
    return RULE.sub(lambda rule: rule[0] if icons & set(ICON.findall(rule[1])) else "", css)


def cut_font(path: Path, codes: Iterable[int]) -> bytes:
    """Return the font of ``path`` with the signs of ``codes`` alone, as WOFF, with its licence.

    Args:
        path: a TrueType font.
        codes: code points; those that the font lacks are left out.

    Returns:
        The bytes of the font, the same for the same input.
    """
    options = subset.Options(flavor="woff", hinting=False, name_IDs=list(NOTICE), recalc_timestamp=False)
    font = subset.load_font(str(path), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    written = BytesIO()
    font.flavor = "woff"
    font.save(written)
    return written.getvalue()


def embed_fonts(css: str, folder: Path, codes: set[int]) -> str:
    """Return the style sheet with cut fonts inside instead of addresses of whole ones.

    Args:
        css: the style sheet, with addresses of ``.woff2`` files.
        folder: where the ``.ttf`` files of the same names lie.
        codes: the code points that are shown.

    Returns:
        The style sheet, which loads nothing more.
    """

    def inside(source: re.Match[str]) -> str:
        font = base64.b64encode(cut_font(folder / f"{source[2]}.ttf", codes)).decode()
        return f'src:url(data:font/woff;base64,{font}) format("woff")'

    return SOURCE.sub(inside, css)


def keep_used_icons(app: Any, exception: Exception | None) -> None:
    """Cut the icon fonts of the finished site down to the icons of its pages, styles and scripts."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    texts = [p.read_text(encoding="utf-8") for p in site.rglob("*.html") if "_static" not in p.parts]
    theme = site / "_static" / "scripts" / "pydata-sphinx-theme.js"
    icons = set(ICON.findall("".join([*texts, theme.read_text(encoding="utf-8")])))
    sheets = {p: used_rules(p.read_text(encoding="utf-8"), icons) for p in site.glob("_static/**/*.css")}
    found = [pair for css in sheets.values() for pair in CODE.findall(css)]
    codes = {int(number, 16) if number else ord(sign) for number, sign in found}
    folder = next(site.glob("_static/vendor/fontawesome/**/webfonts"))
    for path, css in sheets.items():
        if "Font Awesome" in css:
            path.write_text(embed_fonts(css, folder, codes), encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx: before ``tools.slim`` takes away the whole fonts."""
    logging.getLogger("fontTools").setLevel(
        logging.ERROR
    )  # else Sphinx shows a report on each table of a font
    app.connect("build-finished", keep_used_icons, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
