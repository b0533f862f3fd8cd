"""Sphinx extension: each page says what it may load, and a browser holds it to that.

The Content-Security-Policy stands in a meta tag, since the site also lives where no server sends headers: on a disk.
It allows the site's own files, the lines of script that the page was built with (by their hash), and Blob addresses,
from which ``assets/mount-widgets.js`` loads the modules of the widgets. Everything else, and every other host, is
refused. Styles may stand in the page: MathJax writes them.
"""

import base64
import hashlib
import re
from html import unescape
from pathlib import Path
from typing import Any

SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
HANDLER = re.compile(r'<\w[^>]*?\son[a-z]+="([^"]*)"')
FIRST = re.compile(r"<head>\s*(?:<meta charset=[^>]*>)?")


def digest(script: str) -> str:
    """Return the source expression that allows exactly this script.

    Example:
        >>> digest("window.print()")
        "'sha256-MguIPR6qNR8D3B+eAlK+bIRTZe8t3wkOY4B/56Me9FU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def inline_scripts(text: str) -> set[str]:
    """Return what a page executes from its own text: scripts without a source, and handlers such as ``onclick``.

    Args:
        text: the HTML of the page.

    Returns:
        The scripts, as the browser will hash them; blocks of data are none.

    Example:
        >>> inline_scripts('<script type="application/json">{}</script><button onclick="go(&quot;a&quot;)">')
        {'go("a")'}
    """
    blocks = {
        body for attributes, body in SCRIPT.findall(text) if not re.search(r"\b(?:src|type)=", attributes)
    }
    return blocks | {unescape(handler) for handler in HANDLER.findall(SCRIPT.sub("", text))}


def policy(text: str, *, searches: bool = False) -> str:
    """Return the policy of a page.

    Args:
        text: the HTML of the page.
        searches: whether the page reads other pages of the site, for the summaries of what it found.

    Returns:
        The value of the header ``Content-Security-Policy``.

    Example:
        >>> "connect-src 'none'" in policy("<p>")
        True
    """
    hashes = sorted(map(digest, inline_scripts(text)))
    # 'unsafe-hashes' lets the hashes speak for handlers too; nothing without a hash is allowed by it.
    scripts = ["'self'", "blob:", *(["'unsafe-hashes'", *hashes] if hashes else [])]
    return "; ".join([
        "default-src 'none'",
        f"script-src {' '.join(scripts)}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'" if searches else "connect-src 'none'",
        "worker-src blob:",
        "form-action 'self'",
        "base-uri 'none'",
    ])  # fmt: skip


def with_policy(text: str, *, searches: bool = False) -> str:
    """Return the page with its policy, before anything that it could load.

    Args:
        text: the HTML of the page.
        searches: as for :func:`policy`.

    Returns:
        The HTML, to be written in its place.

    Raises:
        ValueError: the page has no ``<head>``.
    """
    place = FIRST.search(text)
    if place is None:
        raise ValueError(
            f"a page begins with {text[:60]!r}; wanted: one with a <head>, where its policy can stand"
        )
    tag = f'<meta http-equiv="Content-Security-Policy" content="{policy(text, searches=searches)}" />'
    return f"{text[: place.end()]}\n    {tag}{text[place.end() :]}"


def protect(app: Any, exception: Exception | None) -> None:
    """Give every page of the finished site its policy."""
    if exception is not None or app.builder.name != "html":
        return
    for page in sorted(Path(app.outdir).rglob("*.html")):
        if "_static" not in page.parts:
            text = with_policy(page.read_text(encoding="utf-8"), searches=page.name == "search.html")
            page.write_text(text, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx: last of all, since a page that is changed afterwards would not fit its hashes."""
    app.connect("build-finished", protect, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
