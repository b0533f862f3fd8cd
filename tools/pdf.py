"""Print the book as a PDF: ``python -m tools.pdf`` makes ``_build/nonlinear.pdf`` from the built site.

All pages stand in one document, which Chromium prints: links lead to pages of the same file, the outline lists every
section, formulas are set by the MathJax of the site, and the tags tell a screen reader what is what.
"""

import sys
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

from pygments.formatters import HtmlFormatter

from labs.files import replacing
from tools.archive import report
from tools.chromium import DownloadError, blank_page
from tools.cover import cover
from tools.pages import MATHJAX, ROOT, About, Page, Part, about, parts_of, read_pages

SITE, PDF = Path("_build/html"), Path("_build/nonlinear.pdf")
IMPRINT = """<p>Text and figures are under the licence CC BY 4.0, code is under Apache-2.0.</p>
<p>On the site and in the notebooks the widgets react and the exercises are checked. Here each widget is represented
by its still figure, answers are open, and code that only draws is left out.</p>"""
# The classes decide what MathJax looks at: nothing but what Sphinx calls a formula.
MATHJAX_OPTIONS = """window.MathJax =
{options: {ignoreHtmlClass: "book", processHtmlClass: "math", enableAssistiveMml: false}}"""
# A formula is one thing with a name, its TeX; with a tag for each of its signs, Chromium gives up printing the book.
NAME_FORMULAS = """() => {
  for (const { math, typesetRoot } of MathJax.startup.document.math) {
    typesetRoot.setAttribute("role", "img");
    typesetRoot.setAttribute("aria-label", math.trim());
  }
}"""
TEXT_WIDTH = 642  # of a page in CSS pixels: 170 mm
WIDE_PAGE = 971  # the same of a page turned on its side: 257 mm
# Tables and formulas that are too wide become smaller, very wide tables stand on a page of their own, turned on its
# side: paper does not scroll, and what sticks out is lost.
FIT = """([width, wide]) => {
  const all = [...document.querySelectorAll("table, .math > mjx-container[display], .output svg")];
  // First all measures, then all changes: in turns, each measure would lay out the whole book again.
  const measured = all.map((element) => [element,
    Math.max(element.scrollWidth, element.getBoundingClientRect().width),
    Math.min(width, element.parentElement.clientWidth || width)]);
  for (const [element, needed, there] of measured) {
    const turned = element.tagName === "TABLE" && needed > 1.6 * width;
    const room = turned ? wide : there;
    if (turned) {
      // Its heading comes along, and does not stay behind alone.
      const before = (element.closest(".pst-scrollable-table-container") ?? element).previousElementSibling;
      for (const part of [element, before]) if (part?.matches("table, h2, h3, h4")) part.classList.add("wide-page");
    }
    if (needed > room) element.style.zoom = Math.max(room / needed, 0.4);
  }
  // One thing that still sticks out would make Chromium print the whole book smaller.
  const sticksOut = (element) => element.getBoundingClientRect().right > width + 1;
  const out = [...document.querySelectorAll(".page *")].filter((element) => sticksOut(element)
    && !sticksOut(element.parentElement) && !element.closest(".wide-page, svg, mjx-container"));
  for (const element of out) element.style.cssText += `; max-width: ${width}px; overflow-x: clip`;
  return out.map((element) => element.textContent.trim().slice(0, 80));
}"""
FAULTS = """() => [
  ...[...document.querySelectorAll(".math")]
    .filter((math) => !math.querySelector("mjx-container") || math.querySelector("mjx-merror, [data-mjx-error]"))
    .map((math) => `formula: ${math.textContent}`),
  ...[...document.images]
    .filter((image) => !image.naturalWidth
      || Math.abs((image.width * image.naturalHeight) / (image.height * image.naturalWidth) - 1) > 0.05)
    .map((image) => `figure: ${image.src}`)]"""


def running_heads(pages: Iterable[Page]) -> str:
    """Return a style sheet that prints the title of each page of the site at the head of its pages on paper.

    Args:
        pages: in any order; the names are turned into names that CSS allows.
    """
    rules = []
    for page in pages:
        title = page.title.replace("\\", r"\\").replace('"', r"\"").replace("<", r"\3c ")
        rules.append(
            f'#{_css(page.name)} {{ page: p-{page.name} }}\n@page p-{page.name} {{ @top-left {{ content: "{title}"; '
            f'font: 9pt "Liberation Sans", Arial, sans-serif; color: #444 }} }}'
        )
    return "\n".join(rules)


def _css(name: str) -> str:
    return f"\\{ord(name[0]):x} {name[1:]}" if name[0].isdigit() else name


def contents(parts: list[Part], pages: dict[str, Page]) -> str:
    """Return the table of contents: parts and their pages.

    Args:
        parts: as ``_toc.yml`` has them.
        pages: each under its name there.
    """
    lines = []
    for part in parts:
        inner = "".join(
            f'<li><a href="#{pages[name].name}">{escape(pages[name].title)}</a></li>' for name in part.names
        )
        lines.append(f"<li>{escape(part.caption)}<ol>{inner}</ol></li>" if part.caption else inner)
    return f'<section class="page contents"><h1>Contents</h1><ol>{"".join(lines)}</ol></section>'


def document(book: About, parts: list[Part], pages: dict[str, Page]) -> str:
    """Return the whole book as one HTML document.

    Args:
        book: title, author and the rest.
        parts: as ``_toc.yml`` has them.
        pages: each under its name there, with ids and links for one document.
    """
    style = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    colours = HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight")
    imprint = f'<section class="page imprint">{IMPRINT}</section>'
    body = [f'<div class="cover">{cover(book)}</div>', imprint, contents(parts, pages)]
    body += [f'<section class="page" id="{page.name}">{page.body}</section>' for page in pages.values()]
    return f"""<!DOCTYPE html>
<html lang="{book.language}"><head><meta charset="utf-8"><title>{escape(book.title)}: {escape(book.subtitle)}</title>
<meta name="author" content="{escape(book.author)}">
<style>{style}{colours}{running_heads(pages.values())}</style>
<script>{MATHJAX_OPTIONS}</script><script src="{(ROOT / MATHJAX).as_uri()}"></script></head>
<body class="book">{"".join(body)}</body></html>"""


def write_pdf(target: Path, site: Path, root: Path) -> Path:
    """Print the book and return the path of the PDF; all or nothing.

    Args:
        target: the file to write; its folder must exist.
        site: the folder of the built site.
        root: the root of the repository, for ``_toc.yml`` and the title.

    Raises:
        DownloadError: the site is not built, Chromium is missing, or a formula or a figure does not show.
    """
    book, parts = about(root), parts_of(root)
    names = [name for part in parts for name in part.names]
    with blank_page() as browser, tempfile.TemporaryDirectory() as folder, replacing(target) as temporary:
        form = {"mathml": False, "single": True, "root": f"{site.resolve().as_uri()}/"}
        pages = dict(zip(names, read_pages(browser, site, names, **form), strict=True))
        source = Path(folder) / "book.html"
        source.write_text(document(book, parts, pages), encoding="utf-8")
        print_document(browser, source, temporary)
    return target


def print_document(browser: object, source: Path, target: Path) -> None:
    """Print one document with its formulas set.

    Args:
        browser: a blank page of Chromium.
        source: the document, which loads MathJax.
        target: the PDF to write.

    Raises:
        DownloadError: a formula is not set, or a figure is missing or out of shape.
    """
    browser.set_viewport_size({"width": TEXT_WIDTH, "height": 900})
    browser.emulate_media(media="print")
    browser.goto(source.as_uri())
    browser.evaluate("MathJax.startup.promise")
    browser.evaluate(NAME_FORMULAS)
    for text in browser.evaluate(FIT, [TEXT_WIDTH, WIDE_PAGE]):
        print(f"warning: wider than the page, and cut off there: {text!r}", file=sys.stderr)
    faults = browser.evaluate(FAULTS)
    if faults:
        raise DownloadError(
            f"{len(faults)} formulas or figures would be missing or out of shape on paper, such as {faults[0]}"
        )
    from playwright.sync_api import Error

    try:
        browser.pdf(path=target, outline=True, tagged=True, prefer_css_page_size=True, print_background=True)
    except Error as error:
        raise DownloadError(
            f"Chromium could not print the book ({error.message}); is there memory left?"
        ) from error


def main() -> int:
    """Print the built site; returns the exit status."""
    return report(lambda: write_pdf(PDF, SITE, Path()), DownloadError)


if __name__ == "__main__":
    sys.exit(main())
