"""Pack the built site for a disk, a stick or a classroom without network: ``make site-zip``.

The archive holds one folder, in it the site as it was built, what it is, and the licences. From the same site it comes
out the same to the byte.
"""

import sys
from pathlib import Path

from tools.archive import report, write_zip
from tools.site_hooks import book_version

LICENCES = ("LICENSE", "LICENSE-CONTENT")
README = """Nonlinear {version}

An executable textbook on activation functions and the training of neural networks.
Open index.html in a browser. Nothing has to be installed, and no network is needed: formulas, widgets, search,
fonts and figures are all here, and no page asks another host for anything.

Text and figures: see LICENSE-CONTENT. Code: see LICENSE. MathJax has its own licence beside it, and the icons are from
Font Awesome Free, whose licence is named in the style sheet that holds them.
"""


def contents(root: Path) -> dict[str, str | Path]:
    """Return what the archive holds: for each name inside its folder the text, or the file with it.

    Args:
        root: the folder of the project, with ``_build/html``.

    Returns:
        The files of the site, a ``README.txt``, and the licences.

    Raises:
        FileNotFoundError: the site is not built.
    """
    site = root / "_build" / "html"
    if not (site / "index.html").is_file():
        raise FileNotFoundError(f"{str(site)!r} holds no site; run: make book")
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    licences = {name: root / name for name in LICENCES}
    return {**files, **licences, "README.txt": README.format(version=book_version(root))}


def pack(root: Path) -> Path:
    """Write the archive and return its path; a reader finds the old one or the whole new one.

    Args:
        root: the folder of the project, with ``_build/html``.

    Returns:
        ``_build/nonlinear-site-VERSION.zip``.
    """
    name = f"nonlinear-site-{book_version(root)}"
    return write_zip(
        root / "_build" / f"{name}.zip", {f"{name}/{path}": file for path, file in contents(root).items()}
    )


def main() -> int:
    """Pack the site below the current folder and say where the archive lies; returns the exit status."""
    return report(lambda: pack(Path()))


if __name__ == "__main__":
    sys.exit(main())
