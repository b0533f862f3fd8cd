"""The double-descent explorer: its fits, what it lets through, its page. Its JavaScript: tests/browser."""

import json
import math
import re

import numpy as np
import pytest
import traitlets
from sklearn.linear_model import Ridge

from labs.widgets import DoubleDescentExplorer


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("width", 0, "width"),
        ("width", 25, "width"),
        ("width", 1001, "width"),
        ("points", 5, "from 6 to 24"),
        ("points", 25, "from 6 to 24"),
        ("noise", -0.01, "from 0 to 0.6"),
        ("noise", math.nan, "from 0 to 0.6"),
        ("ridge", 1.1, "from 0 to 1"),
        ("ridge", math.inf, "from 0 to 1"),
        ("seed", 8, "from 0 to 7"),
    ],
)
def test_what_is_not_to_choose_from_is_refused(name, value, wanted):
    explorer = DoubleDescentExplorer()
    before = getattr(explorer, name)

    with pytest.raises(traitlets.TraitError, match=wanted):
        setattr(explorer, name, value)

    assert getattr(explorer, name) == before


def test_a_wider_layer_contains_the_narrower_one_and_seeds_differ():
    x = np.linspace(-1, 1, 50)
    narrow, wide, other = (DoubleDescentExplorer(width=w, seed=s) for w, s in ((20, 3), (500, 3), (20, 4)))

    few, many = narrow.features(x) * math.sqrt(20), wide.features(x) * math.sqrt(500)

    assert np.allclose(few, many[:, :20], atol=1e-12)
    assert not np.allclose(few, other.features(x) * math.sqrt(20))


def test_the_features_are_those_that_numpy_draws():
    x = np.linspace(-1, 1, 50)

    for seed in range(8):
        slope, bias = np.random.default_rng(seed).uniform(-1, 1, (2, 1000))
        expected = np.maximum(0, x[:, None] * np.sign(slope) + bias) / math.sqrt(1000)

        found = DoubleDescentExplorer(width=1000, seed=seed).features(x)

        # half a part of a bias, which travels in parts of 1/16383
        assert abs(found - expected).max() <= 0.5 / 16383 / math.sqrt(1000) + 1e-12


def test_the_points_are_those_of_the_figure_in_the_chapter():
    expected = np.sin(np.pi * np.linspace(-0.92, 0.92, 12)) + 0.2 * np.random.default_rng(4).standard_normal(
        12
    )

    _, y = DoubleDescentExplorer().sample()

    assert np.allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 5, 12, 20, 300])
def test_the_fit_without_a_penalty_is_that_of_lstsq(width):
    for seed in range(8):
        explorer = DoubleDescentExplorer(width=width, seed=seed)
        x, y = explorer.sample()

        expected = np.linalg.lstsq(explorer.features(x), y, rcond=1e-10)[0]

        assert np.allclose(explorer.coefficients(), expected, rtol=0, atol=1e-6 * max(1, abs(expected).max()))


@pytest.mark.parametrize("width", [5, 12, 300])
def test_the_penalised_fit_is_that_of_scikit_learn(width):
    explorer = DoubleDescentExplorer(width=width, ridge=0.01, seed=1)
    x, y = explorer.sample()
    library = Ridge(alpha=len(x) * 0.01, fit_intercept=False)  # it adds squares, we average them

    assert np.allclose(explorer.coefficients(), library.fit(explorer.features(x), y).coef_, atol=1e-8)


def test_the_fit_without_a_penalty_is_the_shortest_interpolant():
    explorer = DoubleDescentExplorer(width=200, seed=2)
    x, y = explorer.sample()
    a, theta = explorer.features(x), explorer.coefficients()

    assert np.allclose(a @ theta, y, atol=1e-9)
    assert np.allclose(np.linalg.pinv(a) @ (a @ theta), theta, atol=1e-6)  # nothing that no point can see


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = DoubleDescentExplorer(width=1000).static_html()

    content = content_of(html)

    assert DoubleDescentExplorer(width=1000).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["descent", "width", "points", "noise", "ridge", "seed"]
    assert content["state"]["width"] == 1000
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_what_its_page_carries_fits_the_budget(root):
    html = DoubleDescentExplorer().static_html()
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(html)["module"].encode()) + mount <= 60_000
    assert len(html) <= 60_000
