"""The threshold bench: what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import traitlets
from scipy import stats

from labs.widgets import ThresholdBench


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("name", "value", "limits"),
    [
        ("separation", 3.1, "0 to 3"),
        ("separation", -0.1, "0 to 3"),
        ("spread", 0.4, "0.5 to 2"),
        ("spread", math.nan, "0.5 to 2"),
        ("prevalence", 0, "1 to 99"),
        ("prevalence", 100, "1 to 99"),
        ("threshold", math.inf, "-5 to 8"),
        ("threshold", -5.1, "-5 to 8"),
    ],
)
def test_a_setting_out_of_range_is_refused(name, value, limits):
    bench = ThresholdBench()
    before = getattr(bench, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is .* wanted a number from {limits}"):
        setattr(bench, name, value)

    assert getattr(bench, name) == before


def test_the_ends_are_in_range():
    low = ThresholdBench(separation=0, spread=0.5, prevalence=1, threshold=-5)
    high = ThresholdBench(separation=3, spread=2, prevalence=99, threshold=8)

    assert (low.threshold, high.threshold) == (-5, 8)


def test_the_draws_are_a_hundred_per_class_and_could_be_standard_normal():
    draws = ThresholdBench().draws

    for numbers in draws.values():
        assert len(numbers) == 100
        assert stats.kstest(numbers, "norm").pvalue > 0.1
    assert draws["negatives"] != draws["positives"]


def test_every_score_lies_on_the_axis():
    draws = ThresholdBench().draws

    for separation in (0, 3):
        for spread in (0.5, 2):
            scores = [separation + spread * z for z in draws["positives"]] + draws["negatives"]
            assert min(scores) > -5
            assert max(scores) < 8


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = ThresholdBench().static_html()

    content = content_of(html)

    assert ThresholdBench().static_html() == html
    assert " id=" not in html
    assert content["address"] == ["threshold", "separation", "spread", "prevalence", "threshold"]
    assert {name: value for name, value in content["state"].items() if name != "draws"} == {
        "separation": 1.5,
        "spread": 1.0,
        "prevalence": 50,
        "threshold": 0.75,
    }
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(ThresholdBench().static_html())["module"].encode()) + mount <= 60_000
