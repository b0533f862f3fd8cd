"""The atlas: every function has its card, every card its parts, and nothing in it was typed."""

import math
import re
import statistics
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch

from labs.activations import ACTIVATIONS
from labs.guide import GUIDE
from labs.results import load_result
from tools.atlas import main, written
from tools.curves import number

BOOK = Path(__file__).resolve().parents[1] / "book"
PAGE = (BOOK / "atlas.md").read_text(encoding="utf-8")
FAIR = load_result("comparison_fair")["data"]
MOST_BYTES = 6000
PARTS = (
    "Range", "Limits", "Monotone", "Convex", "Symmetry", "Lipschitz constant", "Kinks", "Smooth", "Parameters",
    "Gain", "Cost, forward", "Cost, there and back",
)  # fmt: skip

each_function = pytest.mark.parametrize("name", ACTIVATIONS)


def card(name: str) -> str:
    """The text of one card, from its label to the next one."""
    return re.search(rf"^\(atlas-{name.lower()}\)=\n(.*?)(?=^\(atlas-|\Z)", PAGE, re.M | re.S)[1]


def cells(name: str) -> dict[str, str]:
    """The table of a card."""
    return dict(re.findall(r"^\* - (.+)\n  - (.+)$", card(name), re.M))


def picture(name: str) -> ElementTree.Element:
    """The picture of a card, read as XML."""
    return ElementTree.parse(BOOK / "atlas" / f"{name.lower()}.svg").getroot()


def line(name: str, what: str) -> list[list[tuple[float, float]]]:
    """The pieces of a curve, in units of the picture."""
    path = next(p for p in picture(name).iter("{http://www.w3.org/2000/svg}path") if p.get("data-of") == what)
    pieces = [[float(n) for n in piece.split()] for piece in path.get("d").split("M")[1:]]
    return [list(zip(piece[::2], piece[1::2], strict=True)) for piece in pieces]


def test_page_and_pictures_are_what_the_tool_writes():
    late = [name for name, text in written().items() if (BOOK / name).read_text(encoding="utf-8") != text]

    assert late == [], "run: python -m tools.atlas"


def test_the_tool_writes_the_same_bytes_twice():
    assert written() == written()


def test_there_is_one_picture_for_each_function_and_no_other():
    assert {path.name for path in (BOOK / "atlas").iterdir()} == {
        f"{name.lower()}.svg" for name in ACTIVATIONS
    }


def test_check_names_what_is_missing_and_writes_nothing(tmp_path, capsys):
    assert main(["--check"], tmp_path) == 1
    assert "atlas.md is out of date" in capsys.readouterr().out
    assert not (tmp_path / "atlas.md").exists()

    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0


@each_function
def test_a_function_has_a_card_with_all_its_parts(name):
    info, text, table = ACTIVATIONS[name], card(name), cells(name)

    assert text.startswith(f"### {name}\n")
    assert [part for part in PARTS if not table.get(part, "").strip()] == []
    assert any(head.startswith("Accuracy") for head in table)
    assert f":file: atlas/{name.lower()}.svg" in text
    assert "&= " in text.split("```")[1]
    assert set(info.source) <= set(re.search(r"^Source: \{cite:t\}`(.+)`\.$", text, re.M)[1].split(","))
    assert PAGE.count(f"* - {{ref}}`{name} <atlas-{name.lower()}>`") == 1  # in the overview


@each_function
def test_the_formula_is_that_of_the_table_also_where_it_is_broken(name):
    def pressed(latex):
        return re.sub(r"\\\\\[4pt\]|&\\quad|\s", "", latex)

    text = pressed(card(name).split("```")[1])

    assert pressed(ACTIVATIONS[name].formula) in text
    assert pressed(ACTIVATIONS[name].derivative_formula) in text


@each_function
def test_the_guide_is_repeated_word_for_word_and_in_full(name):
    lines = [one for one in GUIDE if name in one.functions]
    told = re.findall(r"^- \*.+$", card(name), re.M)

    assert len(told) == len(lines)
    assert all(one.reason in t and f"`{one.source}`" in t for one, t in zip(lines, told, strict=True))
    assert bool(lines) != ("no line of" in card(name))


@each_function
def test_the_accuracy_is_the_mean_of_the_stored_seeds_and_names_its_start(name):
    table = cells(name)
    if name not in FAIR:
        assert table["Accuracy"] == "not in the comparison"
        return
    starts = FAIR[name]
    better = "fitting" if starts["fitting"]["validation"] > starts["default"]["validation"] else "default"
    values = [100 * (run["accuracy"] or 0.1) for run in starts[better]["runs"]]
    mean, half = (
        statistics.mean(values),
        2.776 * statistics.stdev(values) / math.sqrt(5),
    )  # Student, 4 degrees

    assert len(values) == 5
    assert f"{better} start" in table["Accuracy, better start"]
    if half == 0:
        assert table["Accuracy, better start"].startswith("did not train")
    else:
        said = [float(n) for n in re.findall(r"\d+\.\d", table["Accuracy, better start"])[:3]]
        assert said == pytest.approx([mean, mean - half, mean + half], abs=0.06)  # printed with one decimal


@each_function
def test_a_picture_is_small_and_self_contained_and_follows_the_theme(name):
    text = (BOOK / "atlas" / f"{name.lower()}.svg").read_text(encoding="utf-8")

    assert len(text.encode()) < MOST_BYTES
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)|href|url\(|<style|<script", text) == []
    assert set(re.findall(r'(?:stroke|fill)="([^"]+)"', text)) <= {"currentColor", "none"}
    assert "\n\n" not in text  # Markdown would end the picture there


@each_function
def test_a_picture_says_in_words_what_its_curves_do(name):
    root, known = picture(name), ACTIVATIONS[name].properties
    words = root.get("aria-label")

    assert root.get("role") == "img"
    assert len(words.split()) >= 8
    assert f"The solid value of {name} " in words
    assert "The dashed slope" in words
    for side, end in (("left", known.left), ("right", known.right)):
        if end is not None and math.isfinite(end):
            assert f"at {number(end)} on the {side}" in words
    if ACTIVATIONS[name].inputs_per_output == 1:
        assert ("never falls" in words) == known.monotonic
    assert all(re.search(rf"(kink|jumps) at .*{number(kink)}\b", words) for kink in known.kinks)


@each_function
def test_the_slope_is_dashed_and_the_value_is_not(name):
    dashes = {
        path.get("data-of"): path.get("stroke-dasharray")
        for path in picture(name).iter("{http://www.w3.org/2000/svg}path")
    }

    assert dashes["slope"]
    assert dashes["value"] is None


@pytest.mark.parametrize(("name", "function"), [("Tanh", torch.tanh), ("GELU", torch.nn.functional.gelu)])
def test_the_curve_is_the_function(name, function):
    numbers = [t for t in picture(name).iter("{http://www.w3.org/2000/svg}text") if t.get("x") == "30"]
    (first, last) = (  # two numbers beside the axis say what the heights mean
        (float(t.get("y")) - 4.5, float(t.text.replace("\N{MINUS SIGN}", "-")))
        for t in (numbers[0], numbers[-1])
    )
    per_unit = (last[0] - first[0]) / (last[1] - first[1])

    (points,) = line(name, "value")
    x = torch.tensor([8 * (p[0] - 36) / 276 - 4 for p in points])
    drawn = torch.tensor([(p[1] - first[0]) / per_unit + first[1] for p in points])

    assert len(points) > 100
    assert (drawn - function(x)).abs().max() < 0.01  # coordinates have one decimal


def test_a_curve_is_drawn_in_pieces_where_it_jumps():
    assert [len(line("Step", "value")), len(line("ReLU", "value")), len(line("ReLU", "slope"))] == [2, 1, 2]
