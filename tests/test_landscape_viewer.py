"""The landscape viewer: what it accepts, and what travels with the page. Its JavaScript: tests/browser."""

import copy
import json
import re

import pytest
import traitlets

from labs.results import load_result
from labs.widgets import LandscapeViewer


@pytest.fixture(scope="module")
def results():
    return load_result("landscape_slices")["data"]


@pytest.fixture
def viewer(results):
    return LandscapeViewer.from_results(results)


def test_every_grid_of_the_results_travels_with_what_was_measured_at_its_centre(viewer, results):
    relu = results["activations"]["ReLU"]

    assert len(viewer.data["slices"]) == sum(len(a["grids"]) for a in results["activations"].values())
    assert viewer.data["slices"]["ReLU rescaled"]["grid"] == relu["grids"]["plain_rescaled"]
    assert viewer.data["slices"]["ReLU rescaled"]["trace"] == pytest.approx(
        relu["rescaled"]["trace"], abs=0.05
    )
    assert viewer.data["slices"]["ReLU plain"]["trace"] == pytest.approx(relu["trace"], abs=0.05)
    assert viewer.data["slices"]["Tanh"]["largest"] == pytest.approx(
        results["activations"]["Tanh"]["eigenvalues"][0], abs=0.005
    )


def test_the_loss_at_the_centre_of_each_grid_is_the_loss_of_the_network(viewer):
    middle = len(viewer.data["axis"]) // 2

    for name, found in viewer.data["slices"].items():
        assert found["grid"][middle][middle] == pytest.approx(found["loss"], rel=1e-3), name


def test_a_grid_that_does_not_fit_the_axis_is_refused(results):
    broken = copy.deepcopy(dict(results))
    broken["activations"]["GELU"]["grids"]["filter"][3].pop()

    with pytest.raises(
        ValueError, match="the grid 'filter' of GELU does not fit the axis; wanted 31 rows of 31"
    ):
        LandscapeViewer.from_results(broken)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("slice", "nothing"),
        ("slice", "Tanh rescaled"),
        ("other", ""),
        ("angle", 180),
        ("place", 1.1),
        ("window", 0.1),
    ],
)
def test_what_is_not_there_cannot_be_chosen(viewer, name, wrong):
    before = getattr(viewer, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is .*; wanted"):
        setattr(viewer, name, wrong)

    assert getattr(viewer, name) == before


def test_the_html_carries_all_is_light_and_is_the_same_in_two_runs(viewer, results):
    html = viewer.static_html()
    content = json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])

    assert LandscapeViewer.from_results(results).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["landscape", "slice", "other", "angle", "place", "window"]
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])
    assert len(html) < 120_000
