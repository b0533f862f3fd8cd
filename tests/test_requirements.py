"""Every package that builds the book is pinned, those that others bring along too, and the list is current."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import licences
from tools.requirements import GPU, compiled, main, seal

ROOT = Path(__file__).resolve().parents[1]
CHOSEN = (ROOT / "requirements.in").read_text(encoding="utf-8")
COMPILED = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def requirements(text: str) -> list[Requirement]:
    """The requirements in a text, without comments."""
    lines = [line.strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def here(found: list[Requirement]) -> dict[str, Requirement]:
    """Those that count on this Python and this system, by name."""
    return {canonicalize_name(r.name): r for r in found if r.marker is None or r.marker.evaluate()}


PINNED = here(requirements(COMPILED))


def test_the_list_was_made_from_the_present_choices():
    assert main(["--check"], folder=ROOT) == 0


def test_every_requirement_is_pinned_and_none_names_a_host_or_a_gpu():
    for requirement in requirements(CHOSEN) + requirements(COMPILED):
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert not GPU.match(str(requirement))
    assert "://" not in COMPILED


def test_each_choice_has_a_reason_and_is_in_the_list():
    choices = {canonicalize_name(r.name) for r in requirements(CHOSEN)}
    lines = CHOSEN.splitlines()
    first = {
        line.split("==")[0]: number for number, line in reversed(list(enumerate(lines))) if "==" in line[1:]
    }

    unreasoned = [
        name for name, number in first.items() if not name.startswith("#") and lines[number - 1][:2] != "# "
    ]
    assert unreasoned == []
    assert choices >= {"jupyter-book", "myst-nb", "ipywidgets", "torch", "torchvision", "matplotlib", "nbval"}
    assert choices <= {canonicalize_name(r.name) for r in requirements(COMPILED)}
    assert {name: str(PINNED[name].specifier) for name in here(requirements(CHOSEN))} == {
        name: str(r.specifier) for name, r in here(requirements(CHOSEN)).items()
    }


def test_whatever_an_installed_package_brings_along_is_pinned_at_the_version_that_is_installed():
    """Walks from the choices through what is installed; a CPU build of torch brings less than the list allows."""
    waiting, seen = [(name, "") for name in here(requirements(CHOSEN))], set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen or GPU.match(f"{name}=="):
            continue
        seen.add((name, extra))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            pytest.skip(f"{name} is not installed here")
        assert name in PINNED, f"{name} is installed and not pinned; run: make requirements"
        assert installed.version.split("+")[0] in str(PINNED[name].specifier), name
        for text in installed.requires or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in {"", extra}):
                more = needed.extras or {""}
                waiting += [(canonicalize_name(needed.name), each) for each in more]

    assert len(seen) > 100


def test_what_labs_needs_is_pinned_too():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    needed = re.findall(r'^    "([a-z-]+)>=', project, re.M)

    assert needed
    assert set(needed) <= set(PINNED)


def test_the_site_needs_no_torch():
    _, site, compute = CHOSEN.split("# == ")

    assert site.startswith("site")
    assert compute.startswith("compute")
    assert "jupyter-book==" in site
    assert "torch==" not in site


# --- the tool


def test_a_changed_choice_is_noticed_and_an_unreachable_index_changes_nothing(tmp_path, capsys, monkeypatch):
    (tmp_path / "requirements.in").write_text("a==1\n")
    (tmp_path / "requirements.txt").write_text(compiled("a==1\n", "a==1\n"))
    assert main(["--check"], folder=tmp_path) == 0

    (tmp_path / "requirements.in").write_text("a==2\n")
    assert main(["--check"], folder=tmp_path) == 1
    assert "run: make requirements" in capsys.readouterr().err

    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert main([], folder=tmp_path) == 1
    assert "uv could not compile requirements.in" in capsys.readouterr().err
    assert seal("a==1\n") in (tmp_path / "requirements.txt").read_text()


def test_the_licence_of_every_package_is_listed(tmp_path, capsys):
    assert licences.main(["--check"], folder=ROOT) == 0

    (tmp_path / "requirements.txt").write_text("numpy==1\nno-such-package==2\n")
    assert licences.main([], folder=tmp_path) == 0
    text = (tmp_path / "THIRD-PARTY.md").read_text(encoding="utf-8")
    assert re.search(r"^\| numpy \| .*BSD-3-Clause", text, re.M)
    assert f"| no-such-package | {licences.ELSEWHERE} |" in text

    (tmp_path / "requirements.txt").write_text("numpy==1\n")
    assert licences.main(["--check"], folder=tmp_path) == 1
    assert "no-such-package" in capsys.readouterr().err
