"""The point fit: its samples, what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import torch
import traitlets

from labs.widgets import PointFit


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("degree", -1, "from 0 to 12"),
        ("degree", 13, "from 0 to 12"),
        ("ridge", -1e-9, "from 0 to 100"),
        ("ridge", 100.1, "from 0 to 100"),
        ("ridge", math.nan, "from 0 to 100"),
        ("sample", 0, "from 1 to 12"),
        ("sample", 13, "from 1 to 12"),
        ("moved", "3_1", "words like 3_250_-100"),
        ("moved", "12_0_0", "words like 3_250_-100"),
        ("moved", "1_0_0~", "words like 3_250_-100"),
        ("truth", "yes", "truth"),
    ],
)
def test_what_is_out_of_range_is_refused(name, value, wanted):
    fit = PointFit.precompute()
    before = getattr(fit, name)

    with pytest.raises(traitlets.TraitError, match=wanted):
        setattr(fit, name, value)

    assert getattr(fit, name) == before


@pytest.mark.parametrize(
    "settings", [{"points": 0}, {"test_points": 0}, {"samples": 0}, {"interval": (1, 1)}]
)
def test_what_cannot_be_drawn_is_refused(settings):
    with pytest.raises(ValueError, match="wanted at least one of each"):
        PointFit.precompute(**settings)


def test_a_sample_has_one_point_in_each_part_and_is_the_same_wherever_it_is_drawn():
    many = PointFit.precompute(samples=9).data
    few = PointFit.precompute(samples=3).data

    x = torch.tensor([xs for xs, _ in many["samples"]])

    assert few["samples"] == many["samples"][:3]
    assert few["test"] == many["test"]
    assert ((x + 1) * 6).floor().tolist() == [list(range(12))] * 9
    assert len({tuple(ys) for _, ys in many["samples"]}) == 9


def test_the_noise_is_as_large_as_said():
    data = PointFit.precompute(noise=0.4, points=2000, test_points=2000, samples=1).data

    for x, y in (data["samples"][0], data["test"]):
        residual = torch.tensor(y) - torch.sin(math.pi * torch.tensor(x))
        # 2000 draws: the standard error of the spread is 0.4 / sqrt(4000), and 5 of them are 0.03
        assert residual.std().item() == pytest.approx(0.4, abs=0.03)
        assert residual.mean().item() == pytest.approx(0, abs=5 * 0.4 / math.sqrt(2000))


def test_another_curve_on_another_interval():
    data = PointFit.precompute(torch.cos, noise=0.1, interval=(0, 6), points=10, samples=2).data

    assert data["interval"] == [0, 6]
    assert data["limits"] == [-1.5, 1.5]
    assert all(0 <= x <= 6 for x in data["test"][0] + data["samples"][1][0])
    assert data["truth"][-1] == pytest.approx(math.cos(6), abs=1e-4)


def test_the_points_are_the_sample_but_for_the_moved_ones():
    fit = PointFit.precompute(sample=2, moved="0_-500_250~11_2000_-9000")

    points = fit.points()

    assert points[0].tolist() == [-0.5, 0.25]
    assert points[11].tolist() == [1.0, -2.5]  # held inside the picture
    assert points[1:11].T.tolist() == [part[1:11] for part in fit.data["samples"][1]]


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = PointFit.precompute(degree=9).static_html()

    content = content_of(html)

    assert PointFit.precompute(degree=9).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["points", "degree", "ridge", "sample", "moved", "truth"]
    assert content["state"]["degree"] == 9
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_what_its_page_carries_fits_the_budget(root):
    html = PointFit.precompute().static_html()
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(html)["module"].encode()) + mount <= 60_000
    assert len(html) <= 40_000
