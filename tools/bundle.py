"""Pack the notebooks for a class or a train: ``python -m tools.bundle`` makes ``_build/nonlinear-notebooks.zip``.

Chapters come without outputs, exercises as students get them, solutions with their outputs; with them the stored
results, the package ``labs`` as source, the licences and a note how to begin.
"""

import sys
from pathlib import Path

import nbformat

from tools.archive import report, write_zip
from tools.pages import About, about
from tools.sources import NotebookError, read_twin

BUNDLE = Path("_build/nonlinear-notebooks.zip")
ALONGSIDE = ("LICENSE", "LICENSE-CONTENT", "CITATION.cff", "pyproject.toml")
START = """# {title}: the notebooks

Version {version} of *{title}: {subtitle}*; the newest one is at <{address}>.

- `book/`: the chapters, without outputs, to be run
- `exercises/`: what students fill in
- `solutions/`: the same with answers; hand out `exercises/` alone before
- `results/`: the numbers of the large experiments
- `labs/`: the helper package that all of them import

In this folder, with Python 3.10 or newer:

    python -m venv .venv
    .venv/bin/python -m pip install jupyterlab .
    .venv/bin/python -m jupyter lab

Text and figures are under CC BY 4.0 (`LICENSE-CONTENT`), code is under Apache-2.0 (`LICENSE`).
"""


def without_outputs(path: Path) -> str:
    """Return the text of a notebook without outputs and counts.

    Args:
        path: of the notebook, which stays as it is.
    """
    notebook = read_twin(path)
    notebook.metadata.pop("outputs_sha256", None)  # it would no longer fit
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(notebook) + "\n"


def contents(root: Path, book: About) -> dict[str, str | Path]:
    """Return what goes into the bundle: a text or the path of a file under each name.

    Args:
        root: the root of the repository.
        book: for the note how to begin.

    Raises:
        FileNotFoundError: a folder that belongs to the bundle holds nothing.
    """
    wanted = {
        "exercises": "*.ipynb", "solutions": "*.ipynb", "results": "*.json", "labs": "**/*", "book": "*.ipynb",
    }  # fmt: skip
    files: dict[str, str | Path] = {"README.md": START.format(**book._asdict())}
    for folder, pattern in wanted.items():
        found = [
            path
            for path in (root / folder).glob(pattern)
            if path.is_file() and "__pycache__" not in path.parts
        ]
        if not found:
            raise FileNotFoundError(
                f"no {pattern} in {root / folder}, which belongs into the bundle; is the checkout complete?"
            )
        files |= {path.relative_to(root).as_posix(): path for path in found}
    files |= {name: without_outputs(root / name) for name in files if name.startswith("book/")}
    return files | {name: root / name for name in ALONGSIDE}


def write_bundle(target: Path, root: Path) -> Path:
    """Write the bundle of the repository in ``root`` and return its path; all or nothing."""
    return write_zip(
        target, {f"nonlinear/{name}": file for name, file in contents(root, about(root)).items()}
    )


def main() -> int:
    """Write the bundle; returns the exit status."""
    return report(lambda: write_bundle(BUNDLE, Path()), NotebookError)


if __name__ == "__main__":
    sys.exit(main())
