"""A large widget's file in the site: what stands in it is what the class has, and notebooks do not carry it."""

import json
from types import SimpleNamespace

import pytest

from labs.widgets import Playground
from tools.widget_library import file_names, library_scripts, write_libraries


@pytest.fixture(scope="module")
def scripts(root):
    return library_scripts(root / "labs" / "widgets")


def carried(script):
    return json.loads(script[script.index("] = {") + 4 :].removesuffix(";\n"))


def test_the_file_has_the_module_and_the_style_of_the_class(scripts):
    assert list(scripts) == ["widget-playground.js"]
    assert carried(scripts["widget-playground.js"]) == {"module": Playground._esm, "css": Playground._css}


def test_the_output_of_a_cell_names_the_file_and_does_not_carry_it():
    html = Playground().static_html()

    assert '"library":"playground"' in html
    assert '"module"' not in html
    assert "function" not in html


def test_the_file_and_the_script_that_mounts_it_fit_the_budget(scripts, root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert mount + len(carried(scripts["widget-playground.js"])["module"].encode()) <= 150_000


def site(tmp_path, root, kind="html"):
    (tmp_path / "_static").mkdir()
    return SimpleNamespace(srcdir=root, outdir=tmp_path, builder=SimpleNamespace(format=kind))


def test_a_finished_site_has_the_file(tmp_path, root, scripts):
    write_libraries(site(tmp_path, root), None)

    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "_static").iterdir()}
    assert written == scripts


@pytest.mark.parametrize(("kind", "exception"), [("latex", None), ("html", ValueError())])
def test_nothing_is_written_for_paper_or_after_an_error(tmp_path, root, kind, exception):
    write_libraries(site(tmp_path, root, kind), exception)

    assert not list((tmp_path / "_static").iterdir())


def test_a_widget_without_a_file_of_its_own_names_none():
    assert file_names('class A:\n    library: str = ""\n') == {}
