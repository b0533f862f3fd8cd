"""The signal tunnel: what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import torch
import traitlets
from torch import nn

from labs.activations import ACTIVATIONS, make_activation
from labs.widgets import SignalTunnel
from labs.widgets.signal_tunnel import PRESETS, TUNNEL_ACTIVATIONS


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize("name", TUNNEL_ACTIVATIONS)
def test_each_function_is_the_book_s_and_has_no_kink_but_at_zero(name):
    plain, own = make_activation(name), make_activation(name, **TUNNEL_ACTIVATIONS[name])

    assert repr(own) == repr(plain)
    assert set(ACTIVATIONS[name].properties.kinks) <= {0.0}


def test_the_preset_of_pytorch_is_what_linear_draws():
    torch.manual_seed(0)
    layer = nn.Linear(256, 4096)
    preset = next(preset for preset in PRESETS if preset["name"] == "PyTorch")

    # a million weights, four thousand biases
    assert preset["weight_std"] ** 2 == pytest.approx(256 * layer.weight.var().item(), rel=0.01)
    assert preset["bias_std"] ** 2 == pytest.approx(layer.bias.var().item(), rel=0.06)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("weight_std", 0.05, "0.1 to 3"),
        ("bias_std", -0.1, "0 to 1"),
        ("depth", 1, "2 to 60"),
        ("correlation", math.nan, "0 to 0.99"),
        ("correlation", 1.0, "0 to 0.99"),
    ],
)
def test_a_setting_out_of_range_is_refused(name, value, wanted):
    tunnel = SignalTunnel()
    before = getattr(tunnel, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is .*; wanted a number from {wanted}"):
        setattr(tunnel, name, value)

    assert getattr(tunnel, name) == before


def test_an_unknown_function_is_refused():
    with pytest.raises(traitlets.TraitError):
        SignalTunnel("Hardtanh")


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = SignalTunnel("SELU", weight_std=1.0).static_html()

    content = content_of(html)

    assert SignalTunnel("SELU", weight_std=1.0).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["tunnel", *SignalTunnel.address_traits]
    assert content["state"]["activation"] == "SELU"
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(SignalTunnel().static_html())["module"].encode()) + mount <= 60_000
