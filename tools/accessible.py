"""Sphinx extension: mends in the finished text of a page what keeps it from readers who do not see it.

The faults are those of Sphinx, of its extensions, and of tables that cells print; no setting of theirs turns them off.
What the theme writes around the text is mended by the small templates in ``_templates/``, colours and focus by
``assets/book.css``; ``tests/browser/test_accessibility.py`` looks at the outcome with axe-core.
"""

import re
from typing import Any

Mend = tuple[re.Pattern[str], str]

#: What to look for, and what to write instead, in this order.
MENDS: tuple[Mend, ...] = (
    # The words of the line ("Show code cell source") are its name; a label would hide them from a screen reader.
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
    # A line that is a formula alone has no name for most of those who hear it.
    (
        re.compile(r'<summary>(?=<span class="math\b)'),
        '<summary><span class="visually-hidden">Answer: </span>',
    ),
    # The empty corner of a table is no header; one without text is announced as a header of nothing.
    (re.compile(r"<th\b[^>]*>\s*(?:<p>\s*</p>)?\s*</th>"), "<td></td>"),
    # Sphinx marks the first row as "head" and the first column as "stub", but does not say what they head.
    (re.compile(r'<th class="(head[^"]*)"'), r'<th scope="col" class="\1"'),
    (re.compile(r'<th class="(stub)"'), r'<th scope="row" class="\1"'),
    # DPUB-ARIA 1.1 gave up the role for entries of a bibliography, and a list must not hold anything else.
    (re.compile(r' role="doc-biblioentry"'), ""),
    (re.compile(r'<div role="list" class="citation-list">'), '<div class="citation-list">'),
    # On a narrow screen a figure scrolls rather than shrinks; the theme lets the keyboard into a box of this class.
    (
        re.compile(r"(<figure\b[^>]*>\s*)(<img\b[^>]*>)(?=\s*<figcaption)"),
        r'\1<div class="pst-scrollable-table-container figure-box">\2</div>',
    ),
)


def mended(html: str) -> str:
    """Return the text of a page without the known faults; what has none comes back as it is.

    Args:
        html: the text of a page, without what the theme writes around it.

    Example:
        >>> mended('<tr><th class="head"></th><th class="head stub"><p>Name</p></th></tr>')
        '<tr><td></td><th scope="col" class="head stub"><p>Name</p></th></tr>'
    """
    for fault, remedy in MENDS:
        html = fault.sub(remedy, html)
    return html


def mend(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Mend the text of a page before the theme puts it in its frame; pages such as the index have none."""
    if context.get("body"):
        context["body"] = mended(context["body"])


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx, after all others that change the text."""
    app.connect("html-page-context", mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
