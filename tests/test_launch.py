"""What a notebook needs where somebody else opens it: Colab, Binder, JupyterLab, an editor on a laptop."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from tools.check import alone

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(
    path for folder in ("book", "exercises", "solutions") for path in ROOT.glob(f"{folder}/*.ipynb")
)
LOADED = {"scikit-learn": "sklearn"}  # what a distribution is called in an import
NOTEBOOK_ITSELF = {
    "IPython",
    "google",
}  # Jupyter, and Colab where the set-up cell has asked whether it is there


def code(path: Path) -> str:
    """Return the code of a notebook, without the lines that are for Jupyter."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", text)


def imported(text: str) -> set[str]:
    """Return the packages that code imports, by their first name."""
    nodes = list(ast.walk(ast.parse(text)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def test_the_notebooks_need_nothing_but_labs_and_what_labs_brings():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.findall(r'^    "([a-z-]+)>=', project.split("[project.optional-dependencies]")[0], re.M)
    known = {LOADED.get(name, name) for name in needed} | sys.stdlib_module_names | NOTEBOOK_ITSELF | {"labs"}

    foreign = {path.name: imported(code(path)) - known for path in NOTEBOOKS}

    assert len(NOTEBOOKS) > 50
    assert {name: found for name, found in foreign.items() if found} == {}
    assert imported("import a.b\nfrom c.d import e\nif x:\n    import f as g") == {"a", "c", "f"}


def test_the_notebooks_read_no_file_that_only_a_checkout_has():
    for path in NOTEBOOKS:
        assert not re.search(r"""\bopen\(|["']\.\./|Path\(["'](?:book|results|assets|tests)""", code(path)), (
            path
        )


def test_a_notebook_is_executed_in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("book", "exercises"):
        Path(folder).mkdir()
        Path(folder, "01-page.ipynb").write_text(folder)

    copies = [Path(alone(Path(folder, "01-page.ipynb"), Path("copies"))) for folder in ("book", "exercises")]

    assert [copy.read_text() for copy in copies] == ["book", "exercises"]
    assert [len(list(copy.parent.iterdir())) for copy in copies] == [1, 1]


@pytest.mark.parametrize("name", ["requirements.txt", "runtime.txt", "postBuild", "apt.txt"])
def test_binder_finds_its_files_at_the_top(name):
    assert (ROOT / name).is_file()
    assert not (ROOT / "binder").exists()  # would hide them
