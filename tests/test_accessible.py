"""The faults of other people's HTML are mended, and nothing else is touched."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.accessible import mend, mended, setup

FAULTS = {
    "a name that hides the words": (
        '<summary aria-label="Toggle hidden content">\n<p>Show code cell source</p>',
        "<summary>\n<p>Show code cell source</p>",
    ),
    "a name that is a formula": (
        '<summary><span class="math notranslate">x</span></summary>',
        '<summary><span class="visually-hidden">Answer: </span><span class="math notranslate">x</span></summary>',
    ),
    "an empty corner, from a cell": (
        '<tr><th scope="col"></th><th scope="col">dog</th></tr>',
        '<tr><td></td><th scope="col">dog</th></tr>',
    ),
    "an empty corner, from Markdown": ('<th class="head"><p></p></th>', "<td></td>"),
    "a column": ('<th class="head text-left"><p>a</p></th>', '<th scope="col" class="head text-left"><p>a</p></th>'),
    "a corner with a name": ('<th class="head stub">', '<th scope="col" class="head stub">'),
    "a row": ('<th class="stub"><p>ReLU</p></th>', '<th scope="row" class="stub"><p>ReLU</p></th>'),
    "a reference": ('<div class="citation" id="id1" role="doc-biblioentry">', '<div class="citation" id="id1">'),
    "a figure that shrinks": (
        '<figure id="a">\n<img alt="A" src="a.png" />\n<figcaption>',
        '<figure id="a">\n<div class="pst-scrollable-table-container figure-box"><img alt="A" src="a.png" /></div>\n'
        "<figcaption>",
    ),
    "the list of references": ('<div role="list" class="citation-list">', '<div class="citation-list">'),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_mended_once_and_for_all(before, after):
    assert mended(before) == after
    assert mended(after) == after


def test_what_has_no_fault_stays_as_it_is():
    text = '<p>A <th> in words.</p><table><thead><tr><th scope="col">a</th></tr></thead></table><div role="list"></div>'

    assert mended(text) == text


def test_a_page_without_text_is_left_alone():
    pages = [{}, {"body": ""}, {"body": '<th class="stub">a</th>'}]

    for context in pages:
        mend(None, "page", "page.html", context, None)

    assert pages == [{}, {"body": ""}, {"body": '<th scope="row" class="stub">a</th>'}]


def test_it_comes_after_the_other_extensions():
    calls = []

    setup(SimpleNamespace(connect=lambda event, handler, priority=500: calls.append((event, priority))))

    assert calls == [("html-page-context", 900)]


def test_each_template_only_wraps_the_one_of_the_theme():
    # A copy would grow old with the next theme.
    templates = sorted((Path(__file__).resolve().parents[1] / "_templates").rglob("*.html"))

    assert templates
    for path in templates:
        assert len(re.findall(r"{%-? (?:include|extends) ", path.read_text(encoding="utf-8"))) == 1, path.name
