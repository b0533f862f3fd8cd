"""Write the book as an EPUB for e-readers: ``python -m tools.epub`` makes ``_build/nonlinear.epub`` from the site.

Formulas become MathML, widgets their still figures, quizzes and folded boxes stay ``<details>``; there is no script
in it and nothing that lies elsewhere.
"""

import os
import posixpath
import sys
import time
import uuid
from html import escape
from pathlib import Path
from typing import Any

from pygments.formatters import HtmlFormatter

from tools.archive import report, write_zip
from tools.chromium import DownloadError, blank_page
from tools.cover import cover_picture
from tools.pages import About, Page, Part, about, parts_of, read_pages

SITE, EPUB = Path("_build/html"), Path("_build/nonlinear.epub")
RIGHTS = "Text and figures: CC BY 4.0. Code: Apache-2.0."
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
# How readers with a screen reader judge whether they can use it.
ACCESS = {
    "accessMode": ("textual", "visual"),
    "accessModeSufficient": ("textual",),
    "accessibilityFeature": (
        "alternativeText",
        "MathML",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
    ),
    "accessibilityHazard": ("none",),
    "accessibilitySummary": (
        "Figures have alternative texts that tell what they show; formulas are MathML.",
    ),
}


def document(title: str, body: str, language: str) -> str:
    """Return one document of the EPUB.

    Args:
        title: its title, as plain text.
        body: what stands in it, as XHTML.
        language: code such as ``en``.
    """
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 lang="{language}" xml:lang="{language}">
<head><title>{escape(title)}</title><link rel="stylesheet" type="text/css" href="book.css"/></head>
<body>
{body}
</body>
</html>
"""


def contents(parts: list[Part], pages: dict[str, Page]) -> str:
    """Return the table of contents: parts, their pages, and the sections of these.

    Args:
        parts: as ``_toc.yml`` has them.
        pages: each under its name there.
    """

    def entry(page: Page) -> str:
        inner = "".join(
            f'<li><a href="{page.name}.xhtml#{escape(section["id"])}">{escape(section["title"])}</a></li>'
            for section in page.sections
        )
        link = f'<a href="{page.name}.xhtml">{escape(page.title)}</a>'
        return f"<li>{link}<ol>{inner}</ol></li>" if inner else f"<li>{link}</li>"

    lines = []
    for part in parts:
        inner = "".join(entry(pages[name]) for name in part.names)
        lines.append(
            f"<li><span>{escape(part.caption)}</span><ol>{inner}</ol></li>" if part.caption else inner
        )
    return f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'


def package(book: About, pages: list[Page], pictures: list[str], moment: int) -> str:
    """Return the package file: metadata, every file, and the order in which they are read.

    Args:
        book: title, author and the rest.
        pages: in reading order.
        pictures: the names of the picture files.
        moment: when the book was made, in seconds since 1970.
    """
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{book.address}#{book.version}")
    modified = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    access = "\n".join(
        f'<meta property="schema:{key}">{escape(value)}</meta>'
        for key, values in ACCESS.items()
        for value in values
    )

    def item(page: Page) -> str:
        kinds = [kind for kind, tag in (("mathml", "<math "), ("svg", "<svg ")) if tag in page.body]
        properties = f' properties="{" ".join(kinds)}"' if kinds else ""
        return f'<item id="p-{page.name}" href="{page.name}.xhtml" media-type="application/xhtml+xml"{properties}/>'

    items = "\n".join(map(item, pages))
    images = "\n".join(
        f'<item id="i{number}" href="images/{name}" media-type="image/png"/>'
        for number, name in enumerate(pictures)
    )
    spine = "\n".join(f'<itemref idref="p-{page.name}"/>' for page in pages)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book-id" xml:lang="{book.language}">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book-id">urn:uuid:{identity}</dc:identifier>
<dc:title>{escape(book.title)}: {escape(book.subtitle)}</dc:title>
<dc:creator>{escape(book.author)}</dc:creator>
<dc:language>{book.language}</dc:language>
<dc:date>{modified[:10]}</dc:date>
<dc:rights>{RIGHTS}</dc:rights>
<dc:source>{escape(book.address)}</dc:source>
<meta property="dcterms:modified">{modified}</meta>
<meta name="cover" content="cover-picture"/>
{access}
</metadata>
<manifest>
<item id="contents" href="contents.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="book.css" media-type="text/css"/>
<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>
<item id="cover-picture" href="cover.png" media-type="image/png" properties="cover-image"/>
{items}
{images}
</manifest>
<spine>
<itemref idref="cover"/>
<itemref idref="contents"/>
{spine}
</spine>
</package>
"""


def write_epub(target: Path, site: Path, root: Path) -> Path:
    """Write the book as an EPUB and return its path; all or nothing.

    Args:
        target: the file to write.
        site: the folder of the built site.
        root: the root of the repository, for ``_toc.yml`` and the metadata.

    Raises:
        DownloadError: the site is not built, or Chromium is missing.
    """
    book, parts = about(root), parts_of(root)
    names = [name for part in parts for name in part.names]
    with blank_page() as browser:
        pages = dict(zip(names, read_pages(browser, site, names, mathml=True), strict=True))
        picture = cover_picture(browser, book)
    images = {posixpath.basename(path): site / path for page in pages.values() for path in page.images}
    style = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    style += HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight")

    def write(title: str, body: str) -> str:
        return document(title, body, book.language)

    files: dict[str, Any] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "EPUB/package.opf": package(book, list(pages.values()), sorted(images), _moment()),
        "EPUB/book.css": style,
        "EPUB/contents.xhtml": write("Contents", contents(parts, pages)),
        "EPUB/cover.xhtml": write(
            book.title, f'<div class="cover"><img src="cover.png" alt="{book.title}"/></div>'
        ),
        "EPUB/cover.png": picture,
        **{f"EPUB/{page.name}.xhtml": write(page.title, page.body) for page in pages.values()},
        **{f"EPUB/images/{name}": path for name, path in images.items()},
    }
    return write_zip(target, files)


def _moment() -> int:
    # The convention of reproducible builds: whoever sets it gets the same bytes on another day.
    return int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())


def main() -> int:
    """Write the EPUB of the built site; returns the exit status."""
    return report(lambda: write_epub(EPUB, SITE, Path()), DownloadError)


if __name__ == "__main__":
    sys.exit(main())
