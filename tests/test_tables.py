"""Tables: readable by people, by screen readers, and by a terminal."""

import xml.etree.ElementTree as ElementTree

import pytest

from labs.tables import Table


@pytest.fixture
def table():
    return Table(
        ["start", "dead", "r < 1 & more"],
        [["default", "50 %", "1"], ["He", "9 %", "22"]],
        caption="Share <dead>",
    )


def test_every_header_says_what_it_heads(table):
    tree = ElementTree.fromstring(table._repr_html_())

    assert tree.find("caption").text == "Share <dead>"
    assert [th.get("scope") for th in tree.find("thead").iter("th")] == ["col"] * 3
    assert [th.get("scope") for th in tree.find("tbody").iter("th")] == ["row"] * 2
    assert [td.text for td in tree.iter("td")] == ["50 %", "1", "9 %", "22"]


def test_the_plain_form_is_aligned_and_the_same_every_time(table):
    assert repr(table).splitlines()[1:] == [
        "start    dead  r < 1 & more",
        "default  50 %             1",
        "He        9 %            22",
    ]
    assert repr(table) == repr(table)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="got 1 cells in the row"):
        Table(["a", "b"], [["x"]], caption="c")
