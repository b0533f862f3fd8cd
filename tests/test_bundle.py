"""The notebook bundle: complete, without what must not be in it, and the same bytes each time."""

import zipfile
from pathlib import Path

import nbformat
import pytest

from tools import site_zip
from tools.archive import report, write_zip
from tools.bundle import contents
from tools.pages import about

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def bundle():
    return contents(ROOT, about(ROOT))


def test_every_notebook_is_in_the_bundle(bundle):
    there = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("*/*.ipynb")}

    assert len(there) >= 54  # a chapter, its exercises and its solutions, eighteen times
    assert there == {name for name in bundle if name.endswith(".ipynb")}


def test_chapters_come_without_outputs_and_with_their_code(bundle):
    name = "book/16-dead-neurons.ipynb"

    packed, whole = nbformat.reads(bundle[name], as_version=4), nbformat.read(ROOT / name, as_version=4)

    assert [cell.source for cell in packed.cells] == [cell.source for cell in whole.cells]
    assert [cell for cell in packed.cells if cell.get("outputs") or cell.get("execution_count")] == []
    assert any(cell.get("outputs") for cell in whole.cells)


def test_what_the_notebooks_need_comes_along_and_no_cache(bundle):
    needed = {
        "labs/__init__.py",
        "pyproject.toml",
        "LICENSE",
        "LICENSE-CONTENT",
        "results/comparison_fair.json",
    }

    assert needed <= set(bundle)
    assert [name for name in bundle if "__pycache__" in name] == []
    assert "pip install" in bundle["README.md"]


def test_an_incomplete_checkout_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="is the checkout complete"):
        contents(tmp_path, about(ROOT))


def test_two_archives_of_the_same_files_are_the_same_bytes(tmp_path):
    source = tmp_path / "source.txt"
    source.write_text("b")

    one = write_zip(tmp_path / "new" / "one.zip", {"b": source, "a": "a"}).read_bytes()
    source.touch()
    two = write_zip(tmp_path / "two.zip", {"a": b"a", "b": source}).read_bytes()

    assert one == two
    assert zipfile.ZipFile(tmp_path / "two.zip").namelist() == ["a", "b"]


def test_a_failing_archive_leaves_the_old_one(tmp_path):
    write_zip(tmp_path / "a.zip", {"a": "old"})

    with pytest.raises(FileNotFoundError):
        write_zip(tmp_path / "a.zip", {"a": tmp_path / "missing"})

    assert zipfile.ZipFile(tmp_path / "a.zip").read("a") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_what_is_missing_is_said_in_a_line_and_not_as_a_traceback(tmp_path, monkeypatch, capsys):
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "__init__.py").write_text('__version__ = "1.0"\n')
    monkeypatch.chdir(tmp_path)

    assert site_zip.main() == 1
    assert "holds no site; run: make book" in capsys.readouterr().err


def test_a_download_is_named_with_its_size(tmp_path, capsys):
    assert report(lambda: write_zip(tmp_path / "a.zip", {"a": "b" * 10}), OSError) == 0
    assert capsys.readouterr().out.endswith("a.zip: 0.0 MB\n")
