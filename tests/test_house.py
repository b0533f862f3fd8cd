"""The house rules: pairs in step, pages reachable, modules light and acyclic, versions pinned."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from tools.exercises import is_current
from tools.notebooks import check_pair
from tools.sources import find_sources, read_source
from tools.tables import filled

ROOT = Path(__file__).resolve().parents[1]
SOURCES = find_sources([], ROOT)
CHAPTERS = [path for path in SOURCES if path.parent.name == "book"]
SOLUTIONS = [path for path in SOURCES if path.parent.name == "solutions"]
NOTEBOOKS = sorted(
    path for folder in ("book", "solutions", "exercises") for path in (ROOT / folder).glob("*.ipynb")
)
MODULES = sorted((ROOT / "labs").rglob("*.py"))
# Tables may be longer than one idea is, and so may the lists of mistakes that the checks know.
LONG_MODULES = {"activations", "ward_table", "guide", "checks"}
MOST_LINES = 150
# Their public names are offered by another module, or are for labs alone.
BEHIND = {
    "examples", "fashion_mnist", "checkpoints", "evaluation", "calibration", "intervals", "provenance", "files",
    "progress", "observe", "comparison", "fitting", "threads", "measuring", "hessian", "eigenvalues", "spectrum",
    "tangent_kernel", "cells", "gaussian", "mean_field", "fixed_points", "gain",
}  # fmt: skip
# A module may import those of lower rank; from what knows torch alone up to what draws.
RANKS = (
    {
        "files", "progress", "tables", "activations", "seeds", "examples", "fashion_mnist", "data", "observe",
        "hooks", "threads", "intervals", "autograd", "guide",
    },
    {"networks"},
    {
        "training", "comparison", "fitting", "evaluation", "calibration", "checkpoints", "activity",
        "neurons", "signals", "landscape", "measuring", "hessian", "eigenvalues", "spectrum", "tangent_kernel",
        "gaussian", "mean_field", "fixed_points", "gain", "playground",
    },
    {"results", "provenance", "checks", "statistics", "sweeps", "cells"},
    {"experiments"},
    {"plots", "widgets"},
    {"grade"},
)
INHERITED = {"forward", "extra_repr", "reset_parameters"}  # torch says what these are
MACHINE_TRACES = re.compile(
    r"(?<![\w.])/(home|root|Users|tmp|work|private|opt|usr)/\w|[A-Z]:\\\\|\bfile://|0x[0-9a-f]{9,}"
)


def names(paths: list[Path]) -> list[str]:
    """Short test ids."""
    return [str(path.relative_to(ROOT)) for path in paths]


def each(paths: list[Path]) -> pytest.MarkDecorator:
    """Run a test once per path."""
    return pytest.mark.parametrize("path", paths, ids=names(paths))


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The code cells of a source or of a notebook."""
    notebook = read_source(path) if path.suffix == ".md" else nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def module_name(path: Path) -> str:
    """``neurons`` for labs/neurons.py, ``checks`` for anything below labs/checks/."""
    return path.relative_to(ROOT / "labs").parts[0].removesuffix(".py")


def imported(path: Path, *, top_only: bool = False) -> set[str]:
    """Full names of the modules that ``path`` imports; with ``top_only`` those that load with it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write `from labs.x import y`, not a relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def lines_of_code(path: Path) -> int:
    """Lines that do something: not blank, no comment, no docstring."""
    text = path.read_text(encoding="utf-8")
    documentation = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            documentation |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    lines = enumerate(text.splitlines(), start=1)
    return sum(number not in documentation and not re.match(r"\s*(#|$)", line) for number, line in lines)


def is_called_by_readers(name: str) -> bool:
    """Whether a function or method is public; torch calls the inherited ones, and a class by its name ``__init__``."""
    return name == "__init__" or not (name.startswith("_") or name in INHERITED)


def parameters(function: ast.FunctionDef) -> list[str]:
    """The names of the parameters that a caller gives."""
    a = function.args
    given = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return [one.arg for one in given if one.arg not in ("self", "cls")]


def explained(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """The names that have a line of their own in a docstring: ``lr:``, or together ``low, high:``."""
    found = re.findall(r"^ *((?:\w+, )*\w+):", ast.get_docstring(node) or "", re.M)
    return {name for names in found for name in names.split(", ")}


def unexplained(body: list[ast.stmt], owner: ast.ClassDef | None = None) -> list[str]:
    """``fit(lr)`` for each parameter of a public function, or field of a class, that no docstring explains."""
    missing = []
    known = explained(owner) if owner else set()
    prefix = f"{owner.name}." if owner else ""
    for node in body:
        if isinstance(node, ast.AnnAssign) and owner and not node.target.id.startswith("_"):
            missing += [prefix + node.target.id] * (node.target.id not in known)
        elif isinstance(node, ast.FunctionDef) and is_called_by_readers(node.name):
            names = [name for name in parameters(node) if name not in known | explained(node)]
            missing += [f"{prefix}{node.name}({name})" for name in names]
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            missing += unexplained(node.body, node)
    return missing


# --- notebooks


@each(SOURCES)
def test_a_source_and_its_twin_say_the_same_and_the_twin_is_executed(path):
    assert check_pair(path) == []


@each(SOLUTIONS)
def test_the_student_notebook_is_the_one_its_solutions_give(path):
    assert is_current(path, ROOT / "exercises" / f"{path.stem}.ipynb"), "run: make exercises"


def test_each_student_notebook_has_solutions():
    assert {p.stem for p in (ROOT / "exercises").glob("*.ipynb")} == {p.stem for p in SOLUTIONS}


@each(NOTEBOOKS)
def test_each_kernel_header_names_its_language(path):
    assert nbformat.read(path, as_version=4).metadata.kernelspec.language == "python"


@each(NOTEBOOKS)
def test_no_output_shows_the_machine_it_was_made_on(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            data = output.get("data", {})
            texts = [output.get("text", "")] + [
                str(data[kind]) for kind in data if not kind.startswith("image/p")
            ]
            for text in texts:
                assert not MACHINE_TRACES.search(text), (
                    f"{MACHINE_TRACES.search(text)} in: {cell.source[:80]}"
                )


@each(NOTEBOOKS)
def test_each_figure_has_an_alt_text_that_tells_the_story(path):
    for cell in code_cells(path):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt.split()) >= 8, f"alt text {alt!r} of the cell: {cell.source[:80]}"


@each(SOURCES)
def test_no_cell_line_ends_with_a_semicolon(path):
    # nbval runs without history, where IPython ignores the semicolon, and would then see another output.
    for cell in code_cells(path):
        assert not re.search(r";\s*(#.*)?$", cell.source, re.M), cell.source


@each(CHAPTERS)
def test_each_chapter_can_set_itself_up_on_colab_from_the_configured_repository(path):
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]
    set_up = [cell for cell in code_cells(path) if "google.colab" in cell.source]

    assert len(set_up) == 1
    assert "remove-cell" in set_up[0].metadata.get("tags", [])
    assert re.findall(r"git\+(https?://[^\s@\"']+)", set_up[0].source) == [repository]


# --- pages


def test_each_page_in_book_is_in_the_table_of_contents_and_exists():
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    listed = set(re.findall(r"(?:file|root): (\S+)", toc))

    assert listed == {f"book/{path.stem}" for path in (ROOT / "book").glob("*.md")}


@each(sorted((ROOT / "book").glob("*.md")))
def test_the_generated_tables_of_a_page_are_current(path):
    text = path.read_text(encoding="utf-8")

    assert filled(text) == text, "run: python -m tools.tables"


def test_no_top_level_static_folder():
    # Jupyter Book would put every script below it on every page.
    assert not (ROOT / "_static").exists()


def test_each_module_of_labs_is_in_the_reference():
    page = (ROOT / "book" / "labs-reference.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"autoapimodule:: labs\.(\w+)", page))

    assert listed == {name for name in map(module_name, MODULES) if not name.startswith("_")} - BEHIND


# --- labs


def test_import_labs_loads_torch_and_nothing_heavier():
    # Every module that has no business with a heavy library is loaded too, not just the package.
    light = sorted(
        {f"labs.{module_name(p)}" for p in MODULES} - {"labs.plots", "labs.widgets", "labs.__init__"}
    )
    script = f"""
import sys, time, torch
started = time.perf_counter()
import labs
seconds = time.perf_counter() - started
import {", ".join(light)}
heavy = set("torchvision matplotlib anywidget sklearn pandas scipy IPython".split()) & set(sys.modules)
print(seconds, sorted(heavy))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    seconds, heavy = done.stdout.split(" ", 1)

    assert heavy.strip() == "[]"
    assert float(seconds) < 0.3  # the budget of `import labs` beyond `import torch`


@each(MODULES)
def test_a_module_imports_only_from_lower_shelves(path):
    name = module_name(path)
    if name == "__init__":
        assert not {full for full in imported(path) if full.startswith("labs.")}
        return
    shelf = next((number for number, names in enumerate(RANKS) if name in names), None)
    assert shelf is not None, f"give {name} a place in RANKS"

    others = {full.split(".")[1] for full in imported(path) if full.startswith("labs.")} - {name}

    known = set().union(*RANKS)
    assert others <= known
    for other in others:
        rank = next(number for number, names in enumerate(RANKS) if other in names)
        assert rank <= shelf, f"{name} imports {other}, which stands above it"


def test_no_module_imports_itself_in_a_circle():
    below = {}
    for path in MODULES:
        uses = {full.split(".")[1] for full in imported(path) if full.startswith("labs.")} - {
            module_name(path)
        }
        below.setdefault(module_name(path), set()).update(uses)
    done: set[str] = set()
    while ready := {name for name in below if name not in done and below[name] & set(below) <= done}:
        done |= ready

    assert set(below) == done, f"a circle among {sorted(set(below) - done)}"


@pytest.mark.parametrize(("library", "home"), [("matplotlib", "plots"), ("anywidget", "widgets")])
def test_a_heavy_library_has_one_home(library, home):
    users = {module_name(p) for p in MODULES if any(n.split(".")[0] == library for n in imported(p) if n)}

    assert users <= {home}


@each([path for path in MODULES if path.stem != "__main__"])
def test_each_public_thing_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module"
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    for node in list(public):
        if isinstance(node, ast.ClassDef):
            public += [n for n in node.body if isinstance(n, kinds) and not n.name.startswith("_")]

    assert [n.name for n in public if not ast.get_docstring(n) and n.name not in INHERITED] == []


# Not the checks of a chapter, which take the student's answer, and not its full runs, which take a sweep.
EXPLAINED = [
    path
    for path in MODULES
    if path.parent.name != "runs" and (path.parent.name != "checks" or path.stem == "__init__")
]


@each(EXPLAINED)
def test_each_parameter_is_explained_in_the_docstring(path):
    missing = unexplained(ast.parse(path.read_text(encoding="utf-8")).body)

    assert missing == [], f"{path.relative_to(ROOT)}: no line under Args for {', '.join(missing)}"


SHORT = [path for path in MODULES if not {path.stem, module_name(path)} & LONG_MODULES]


@each(SHORT + sorted((ROOT / "tools").glob("*.py")))
def test_a_module_holds_one_idea(path):
    assert lines_of_code(path) <= MOST_LINES


# labs.checks talks to the student, and a command line to whoever started it.
@each([path for path in MODULES if module_name(path) != "checks" and path.stem != "__main__"])
def test_labs_is_silent(path):
    calls = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]

    assert not [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]


# --- the repository


def test_no_data_set_and_no_checkpoint_is_in_git():
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")

    files = listing.stdout.splitlines()

    assert not [f for f in files if re.search(r"ubyte|\.(pt|pth|npz|gz|zip|tar)$", f)]
