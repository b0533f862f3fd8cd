"""Promises of labs.progress: a bar for whoever waits at a terminal or in a notebook, else silence."""

import io
import sys
from types import SimpleNamespace

import pytest

from labs import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def sit_at_a_terminal(monkeypatch, patience=0.0):
    # A function and no fixture: pytest puts its own stderr back between the fixtures and the test.
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("LABS_PROGRESS", raising=False)
    monkeypatch.setattr(progress, "_PATIENCE", patience)
    return screen


def test_a_long_loop_at_a_terminal_shows_a_bar(monkeypatch):
    terminal = sit_at_a_terminal(monkeypatch)

    items = list(progress.track(range(3), "three steps"))

    assert items == [0, 1, 2]
    assert "three steps" in terminal.getvalue()


def test_a_short_loop_at_a_terminal_is_silent(monkeypatch):
    terminal = sit_at_a_terminal(monkeypatch, patience=60.0)

    list(progress.track(range(3), "three steps"))

    assert terminal.getvalue() == ""


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("LABS_PROGRESS", "0")])
def test_an_environment_that_wants_silence_gets_it(monkeypatch, name, value):
    terminal = sit_at_a_terminal(monkeypatch)
    monkeypatch.setenv(name, value)

    items = list(progress.track(range(3), "three steps"))

    assert items == [0, 1, 2]
    assert terminal.getvalue() == ""


def test_a_caller_who_wants_silence_gets_it(monkeypatch):
    terminal = sit_at_a_terminal(monkeypatch)

    list(progress.track(range(3), "three steps", progress=False))

    assert terminal.getvalue() == ""


def test_output_into_a_file_stays_clean(monkeypatch):
    sit_at_a_terminal(monkeypatch)
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)

    list(progress.track(range(3), "three steps"))

    assert log.getvalue() == ""


def test_a_notebook_counts_as_somebody_waiting(monkeypatch):
    sit_at_a_terminal(monkeypatch)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    assert progress.wanted()
    assert not progress.wanted(False)
