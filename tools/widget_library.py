"""Sphinx extension: a widget too large for every notebook it stands in has a file of its own in the site.

The file is a classic script that leaves the module and the style sheet as text where ``assets/mount-widgets.js`` looks
for them: a page opened from disk may load a script, but neither import nor fetch one.
"""

import ast
import json
from pathlib import Path
from typing import Any

WIDGETS = Path("labs/widgets")


def file_names(source: str) -> dict[str, Any]:
    """Return what the class in ``source`` says of its files, without importing it: no torch is needed for the site.

    Args:
        source: the text of a module of ``labs.widgets``.

    Returns:
        The values of ``library``, ``MODULES`` and ``STYLES``, as far as they are given in the text as literals.

    Example:
        >>> file_names('MODULES = ("a.js",); library = "a"')
        {'MODULES': ('a.js',), 'library': 'a'}
    """
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            name = getattr(node.targets[0], "id", "")
            if name in ("library", "MODULES", "STYLES"):
                found[name] = ast.literal_eval(node.value)
    return found


def library_script(folder: Path, library: str, modules: tuple[str, ...], styles: tuple[str, ...]) -> str:
    """Return the script that hands the page the text of a widget.

    Args:
        folder: where the files lie.
        library: the name under which the page asks for it.
        modules: the names of the JavaScript files, in the order in which they are joined.
        styles: the same for the style sheets.

    Returns:
        One statement of JavaScript.
    """
    joined = {
        kind: "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
        for kind, names in (("css", styles), ("module", modules))
    }
    return (
        f"(window.labsWidgets ||= {{}})[{json.dumps(library)}] = {json.dumps(joined, ensure_ascii=False)};\n"
    )


def library_scripts(folder: Path) -> dict[str, str]:
    """Return the files of all widgets of ``folder`` that have one: their names, and what stands in them."""
    every = [file_names(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]
    return {
        f"widget-{found['library']}.js": library_script(
            folder, found["library"], found["MODULES"], found["STYLES"]
        )
        for found in every
        if found.get("library")
    }


def write_libraries(app: Any, exception: Exception | None) -> None:
    """Write the file of each such widget into the finished site."""
    if exception is None and app.builder.format == "html":
        for name, script in library_scripts(Path(app.srcdir) / WIDGETS).items():
            (Path(app.outdir) / "_static" / name).write_text(script, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("build-finished", write_libraries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
