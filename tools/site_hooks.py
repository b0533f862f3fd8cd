"""Sphinx extension: four things the site wants that no setting gives.

The edit button of a chapter leads to the ``.md`` that people write, not to the twin that is rendered.
The reference shows each helper once, in the module that offers it, not wherever it is imported.
The notebooks behind the download button come without outputs: the page shows them, and they were a third of the site.
The issue button opens the form for errors with version and page filled in; ``assets/feedback.js`` adds the section.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import nbformat

ISSUE_FORM = "1-error-in-the-text.yml"  # in .github/ISSUE_TEMPLATE; its field ``where`` is filled in


def source_address(address: str, pagename: str, root: Path) -> str:
    """Return the address that edits ``pagename``, with ``.md`` for ``.ipynb`` where such a twin exists.

    Example:
        >>> source_address("https://host/edit/main/book/nowhere.ipynb", "book/nowhere", Path("."))
        'https://host/edit/main/book/nowhere.ipynb'
    """
    has_twin = (root / f"{pagename}.md").is_file()
    return address.removesuffix(".ipynb") + ".md" if has_twin and address.endswith(".ipynb") else address


def point_to_source(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Wrap the function with which the theme asks for the edit address of a page."""
    original = context.get("get_edit_provider_and_url")
    if original is None:
        return

    def edit_provider_and_url() -> tuple[str, str]:
        provider, address = original()
        return provider, source_address(address, pagename, Path(app.srcdir))

    context["get_edit_provider_and_url"] = edit_provider_and_url


def book_version(root: Path) -> str:
    """Return the version of the book, which is that of ``labs``, without importing it."""
    text = (root / "labs" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)[1]


def issue_address(address: str, pagename: str, version: str) -> str:
    """Return the address that opens the form for errors, prefilled; ``address`` is the theme's own, with a query.

    Example:
        >>> issue_address("https://github.com/a/b/issues/new?title=x", "book/notation", "0.1.0").split("?")[1]
        'template=1-error-in-the-text.yml&title=notation%3A%20&where=Version%200.1.0%2C%20page%20book%2Fnotation.html'
    """
    where = f"Version {version}, page {pagename}.html"
    query = {"template": ISSUE_FORM, "title": f"{pagename.rpartition('/')[2]}: ", "where": where}
    return f"{address.partition('?')[0]}?{urlencode(query, quote_via=quote, safe='')}"


def prefill_issue(app: Any, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Prefill the issue button, which stands among the theme's buttons or in a group of them."""
    buttons = context.get("header_buttons", [])
    for button in [*buttons, *(inner for group in buttons for inner in group.get("buttons", []))]:
        if button.get("label") == "source-issues-button" and "/issues/new?title=" in button["url"]:
            button["url"] = issue_address(button["url"], pagename, book_version(Path(app.srcdir)))


def skip_imported(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what a module only imports (not in ``__all__``); None leaves the rest to Sphinx."""
    if not getattr(obj, "imported", False):
        return None
    module = app.env.autoapi_objects.get(obj.id.rpartition(".")[0])
    return None if obj.name in (getattr(module, "all", None) or ()) else True


def lighten_downloads(app: Any, exception: Exception | None) -> None:
    """Take the outputs out of the notebooks that readers can download, once the site is built."""
    if exception is not None:
        return
    for path in sorted((Path(app.outdir) / "_sources").rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx; the first two late, since they change what the theme has to offer first."""
    app.connect("builder-inited", lambda app: app.connect("html-page-context", point_to_source))
    app.connect("html-page-context", prefill_issue, priority=900)
    app.connect("autodoc-skip-member", skip_imported)
    app.connect("build-finished", lighten_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
