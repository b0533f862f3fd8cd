"""The line folder: its networks, what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import torch
import traitlets
from torch import nn

from labs.widgets import LineFolder


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


def tent(x):
    return 1 - (1 - 2 * x).abs()


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 5])
def test_the_fold_is_the_tent_applied_again_and_again(layers):
    x = torch.linspace(0, 1, 1025)[:, None]  # sixteenths of a 64th: exact in float32
    expected = x
    for _ in range(layers):
        expected = tent(expected)

    found = LineFolder(weights="fold", layers=layers).network()(x)

    assert torch.equal(found.detach(), expected)


def test_random_weights_have_he_spread_times_the_gain():
    # 4 matrices of 64 numbers for each of six seeds: 1,536 numbers, so the spread is known to 2 per cent.
    folders = [LineFolder(weights=str(seed), units=8, layers=5, gain=1.5) for seed in range(1, 7)]

    middle = torch.cat([layer.weight.flatten() for f in folders for layer in f.network()[2:-1:2]])

    assert middle.numel() == 1536
    assert middle.std().item() == pytest.approx(1.5 * math.sqrt(2 / 8), rel=0.08)


def test_a_smaller_network_is_the_corner_of_a_larger_one():
    small, large = (LineFolder(weights="2", units=units, layers=1).network() for units in (3, 8))

    assert torch.equal(small[0].weight, large[0].weight[:3])
    assert torch.equal(small[0].bias, large[0].bias[:3])


def test_the_identity_leaves_one_line():
    x = torch.linspace(-4, 4, 9)[:, None]

    y = LineFolder(weights="3", units=8, layers=5, activation="identity").network()(x).detach().flatten()

    assert torch.allclose(y.diff(), y.diff()[0].expand(8), rtol=1e-4)
    assert y.diff()[0].abs() > 1e-3


def test_the_activation_is_the_one_that_is_named():
    assert any(isinstance(layer, nn.ReLU) for layer in LineFolder().network())
    assert not any(isinstance(layer, nn.ReLU) for layer in LineFolder(activation="identity").network())


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("units", 0), ("units", 9), ("layers", 6), ("gain", 0.4), ("bias", -0.1), ("bias", math.nan)],
)
def test_what_is_out_of_range_is_refused(name, wrong):
    folder = LineFolder()
    before = getattr(folder, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is .*; wanted a number from"):
        setattr(folder, name, wrong)

    assert getattr(folder, name) == before


@pytest.mark.parametrize(("name", "wrong"), [("weights", "7"), ("weights", 1), ("activation", "relu")])
def test_unknown_weights_and_activations_are_refused(name, wrong):
    with pytest.raises(traitlets.TraitError):
        LineFolder(**{name: wrong})


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = LineFolder().static_html()

    content = content_of(html)

    assert LineFolder().static_html() == html
    assert " id=" not in html
    assert content["address"] == ["fold", "weights", "units", "layers", "activation", "gain", "bias"]
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])
    assert len(html) < 60_000
