"""The decision guide: what it accepts, and what travels with the page. Its JavaScript: tests/browser."""

import json
import re

import pytest
import torch
import traitlets

from labs.guide import GUIDE
from labs.widgets import DecisionGuide


def test_every_line_of_the_guide_travels_and_names_the_first_author():
    lines = DecisionGuide().data["lines"]

    assert [(line["domain"], line["place"], line["year"]) for line in lines] == [
        (line.domain, line.place, line.year) for line in GUIDE
    ]
    assert all(re.fullmatch("[A-Z][a-z]+", line["source"]) for line in lines)
    assert lines[0]["source"] == "He"


def test_the_curves_are_those_of_the_functions_and_gated_units_have_none():
    curves = DecisionGuide().data["curves"]

    x = torch.linspace(-4, 4, len(curves["ReLU"]))
    assert torch.allclose(torch.tensor(curves["ReLU"]), x.relu(), atol=0.006)
    assert torch.allclose(torch.tensor(curves["GELU"]), torch.nn.functional.gelu(x), atol=0.006)
    assert "SwiGLU" not in curves
    assert all(len(curve) == len(x) for curve in curves.values())


@pytest.mark.parametrize("name", ["domain", "layer", "hardware", "depth"])
def test_what_is_not_there_cannot_be_chosen(name):
    guide = DecisionGuide()
    before = getattr(guide, name)

    with pytest.raises(traitlets.TraitError, match=name):
        setattr(guide, name, "astrology")

    assert getattr(guide, name) == before


def test_the_html_carries_all_and_is_the_same_in_two_runs():
    torch.manual_seed(1)
    html = DecisionGuide().static_html()
    torch.manual_seed(2)

    content = json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])

    assert DecisionGuide().static_html() == html
    assert content["address"] == ["guide", "domain", "layer", "hardware", "depth"]
    assert " id=" not in html
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])
    assert len(html) < 40_000


def test_making_one_leaves_the_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    DecisionGuide()

    assert torch.equal(torch.rand(3), expected)
