"""The pages of the built site as the pages of a book: in order, without scripts, with formulas set.

The downloads are the site in another form: what ``make book`` wrote is read, so nothing can differ. The work on the
elements is done by ``pages.js`` in Chromium, which reads HTML as every reader's browser does.
"""

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tools.chromium import DownloadError
from tools.site_hooks import book_version

ROOT = Path(__file__).resolve().parents[1]
MATHJAX = Path("assets/vendor/mathjax/tex-mml-chtml.js")


class Part(NamedTuple):
    """A part of the book: its caption, empty for the title page, and the names of its pages in order."""

    caption: str
    names: list[str]


class Page(NamedTuple):
    """One page: short name, title, its sections with their ids, its text as XHTML, and the pictures in it."""

    name: str
    title: str
    sections: list[dict[str, str]]
    body: str
    images: list[str]


class About(NamedTuple):
    """What stands on the cover and in the metadata."""

    title: str
    subtitle: str
    author: str
    language: str
    version: str
    address: str


def about(root: Path) -> About:
    """Return title, author, language, version and address, from the files that already hold them.

    Args:
        root: the root of the repository.
    """
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    title, _, subtitle = citation["title"].partition(": ")
    address, language = config["repository"]["url"], config["sphinx"]["config"]["language"]
    return About(title, subtitle, config["author"], language, book_version(root), address)


def reading_order(toc: dict[str, Any]) -> list[Part]:
    """Return the parts of a table of contents with their pages; sections follow the page they belong to.

    Args:
        toc: what stands in ``_toc.yml``.

    Example:
        >>> reading_order({"root": "a", "parts": [{"caption": "I", "chapters": [{"file": "b"}]}]})
        [Part(caption='', names=['a']), Part(caption='I', names=['b'])]
    """

    def below(entries: list[dict[str, Any]]) -> list[str]:
        return [name for entry in entries for name in (entry["file"], *below(entry.get("sections", [])))]

    parts = [Part(part["caption"], below(part["chapters"])) for part in toc["parts"]]
    return [Part("", [toc["root"]]), *parts]


def parts_of(root: Path) -> list[Part]:
    """Return the parts of the book whose repository lies in ``root``."""
    return reading_order(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))


def read_page(path: Path) -> str:
    """Return the text of a page of the site.

    Args:
        path: the file.

    Raises:
        DownloadError: there is none, or no text of the book in it.
    """
    if not path.is_file():
        raise DownloadError(f"the page {path} is missing, which _toc.yml names; build the site: make book")
    text = path.read_text(encoding="utf-8")
    if '<article class="bd-article' not in text:
        raise DownloadError(f'{path} holds no <article class="bd-article">; build the site anew: make book')
    return text


def read_pages(browser: Any, site: Path, names: list[str], **form: Any) -> list[Page]:
    """Return pages of the site, cleaned, their links mended, in the order of ``names``.

    Args:
        browser: a blank page of Chromium; it is left with MathJax loaded.
        site: the folder of the built site.
        names: what is to be read, such as ``book/16-dead-neurons``; links to other pages become plain text.
        form: ``mathml`` for formulas as MathML, ``single`` where all pages stand in one document, whose
            pictures lie below ``root``.

    Raises:
        DownloadError: a page is missing, has no text, or holds a formula that MathJax cannot read.
    """
    texts = {name: read_page(site / f"{name}.html") for name in names}
    browser.add_script_tag(path=ROOT / MATHJAX)
    browser.evaluate("MathJax.startup.promise")
    browser.add_script_tag(path=Path(__file__).with_suffix(".js"))
    for name, text in texts.items():
        browser.evaluate("([name, html]) => gather(name, html)", [name, text])
    from playwright.sync_api import Error

    try:
        return [
            Page(**browser.evaluate("([name, form]) => finish(name, form)", [name, form])) for name in names
        ]
    except Error as error:
        raise DownloadError(error.message) from error
