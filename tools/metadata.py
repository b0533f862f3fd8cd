"""Sphinx extension: what a search engine, or a chat that shows a link, is told about a page.

Each page gets a description, its first telling sentences, and the Open Graph tags that show it with a picture; the
site gets a sitemap, a ``robots.txt`` and a front door that says the same and leads on. All addresses begin with
``html.baseurl`` of ``_config.yml``.
"""

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes

PICTURE = "_static/social.png"  # 1200 by 630, made by tools/social_picture.py
PICTURE_TEXT = "Nonlinear, an executable textbook; beside the words the curves of ReLU, GELU, ELU and Tanh."
LONGEST = 200  # characters of a description; search engines show fewer
SHORTEST = 70  # a paragraph below this is a call, such as "Make a guess", and tells nothing
# What the front page is called, before the name of the book.
TAGLINE = "An executable textbook on activation functions"


def describe(paragraphs: Iterable[str]) -> str:
    """Return the description that the paragraphs of a page give: the first sentences of the first that says something.

    Args:
        paragraphs: texts in the order of the page.

    Returns:
        Whole sentences if one fits, else words up to an ellipsis; empty for a page without such a paragraph.

    Example:
        >>> describe(["Look:", "A neuron is dead when it is zero for all images. " + "And so on. " * 40])[:60]
        'A neuron is dead when it is zero for all images. And so on. '
    """
    told = (" ".join(text.split()) for text in paragraphs)
    # What begins small or does not end is the part of a sentence before or behind a displayed formula.
    whole = re.compile(rf"(?=[^a-z]).{{{SHORTEST},}}[.?!][”’)]?")
    text = next(filter(whole.fullmatch, told), "")
    if len(text) <= LONGEST:
        return text
    ends = [end.end() for end in re.finditer(r"[.?!](?= [A-Z“])", text[: LONGEST + 1])]
    return text[: ends[-1]] if ends and ends[-1] >= SHORTEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def tags(title: str, description: str, address: str, base: str, *, kind: str = "article") -> str:
    """Return the meta tags of a page.

    Args:
        title: of the page, without the name of the book.
        description: one or two sentences.
        address: the page's own address.
        base: the address of the site, with a slash at its end.
        kind: ``"website"`` for the front page.

    Returns:
        HTML for the head.
    """
    social = {
        "og:type": kind,
        "og:site_name": "Nonlinear",
        "og:title": title,
        "og:description": description,
        "og:url": address,
        "og:image": base + PICTURE,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": PICTURE_TEXT,
    }
    named = {"description": description, "theme-color": "#0072b2", "twitter:card": "summary_large_image"}
    lines = [f'<meta property="{key}" content="{escape(value)}" />' for key, value in social.items()]
    return "\n".join(
        [f'<meta name="{key}" content="{escape(value)}" />' for key, value in named.items()] + lines
    )


def told_by(app: Any, pagename: str, doctree: nodes.document) -> tuple[str, str]:
    """Return the title of a page of the book, and its meta tags."""
    base = app.config.html_baseurl
    if not base.endswith("/"):
        raise ValueError(f"html.baseurl is {base!r}; wanted: the address of the site with a slash at its end")
    is_front = pagename == app.config.root_doc
    title = TAGLINE if is_front else app.env.titles[pagename].astext()
    plain = (p.astext() for p in doctree.findall(nodes.paragraph) if isinstance(p.parent, nodes.section))
    kind = "website" if is_front else "article"
    return title, tags(title, describe(plain), f"{base}{pagename}.html", base, kind=kind)


def add_metadata(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add description and Open Graph tags to the head of a page; Sphinx adds the canonical address."""
    if app.builder.name != "html":
        return
    if doctree is None:  # an index or the search: nobody should find it instead of a chapter
        told = '<meta name="robots" content="noindex" />'
    else:
        context["title"], told = told_by(app, pagename, doctree)
    context["metatags"] = f"{context.get('metatags', '')}\n{told}\n"


# The address of the book alone: known to search engines as its front page, and open without a script.
FRONT_DOOR = """<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="refresh" content="0; url={page}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Nonlinear: {title}</title>
    {tags}
    <link rel="icon" href="_static/favicon.svg" />
  </head>
  <body><main><h1>Nonlinear</h1><p><a href="{page}">Open the book</a></p></main></body>
</html>
"""
SITEMAP = """<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{}</urlset>
"""


def write_doors(app: Any, exception: Exception | None) -> None:
    """Write what leads into the site: the front door, ``sitemap.xml`` with the pages of the book, ``robots.txt``."""
    if exception is not None or app.builder.name != "html":
        return
    site, base, root = Path(app.outdir), app.config.html_baseurl, app.config.root_doc
    title, told = told_by(app, root, app.env.get_doctree(root))
    listed = "".join(
        f"  <url><loc>{escape(base + name)}.html</loc></url>\n" for name in sorted(app.env.found_docs)
    )
    written = {
        "index.html": FRONT_DOOR.format(title=title, tags=told, page=f"{root}.html"),
        "sitemap.xml": SITEMAP.format(listed),
        "robots.txt": f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n",
    }
    for name, text in written.items():
        (site / name).write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("html-page-context", add_metadata)
    app.connect("build-finished", write_doors)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
