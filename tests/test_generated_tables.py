"""The tables that a tool writes into the pages: in their place, complete, and never by hand."""

import pytest

from labs.activations import ACTIVATIONS, Family
from tools.tables import TABLES, filled, list_table


def test_a_table_is_put_between_its_marks_and_the_rest_stays():
    page = "before\n\n% begin sources-gated\nsomething old\n% end sources-gated\n\nafter\n"

    text = filled(page)

    assert text.startswith("before\n\n% begin sources-gated\n\n- Maxout: {cite:t}`goodfellow2013maxout`\n")
    assert text.endswith("\n\n% end sources-gated\n\nafter\n")
    assert "something old" not in text


def test_filling_twice_changes_nothing():
    page = "% begin properties-smooth\n% end properties-smooth\n"

    assert filled(filled(page)) == filled(page)


def test_an_unknown_table_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="no table is called 'weather'; choose one of: formulas-classical"):
        filled("% begin weather\n% end weather\n")


def test_rows_become_a_table_with_headers_on_both_sides():
    assert list_table("What", ["a", "b"], [["one", "1"]]).splitlines() == [
        ":::{list-table} What", ":header-rows: 1", ":stub-columns: 1", ":class: generated-table", "",
        "* - a", "  - b", "* - one", "  - 1", ":::",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["formulas", "properties", "sources"])
def test_every_function_stands_in_one_table_of_each_kind(kind):
    text = "\n".join(TABLES[f"{kind}-{family}"]() for family in Family.__args__)

    mark = "- {}: " if kind == "sources" else "* - {}\n"
    assert all(text.count(mark.format(name)) == 1 for name in ACTIVATIONS)
