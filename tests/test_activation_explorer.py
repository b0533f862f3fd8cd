"""The activation explorer: what it lets through, what travels with the page. Its JavaScript: tests/browser."""

import json
import re

import pytest
import torch
import traitlets
from torch import nn

from labs.activations import ACTIVATIONS, BSpline, Swish, derivative, make_activation
from labs.widgets import ActivationExplorer
from labs.widgets.explorer_numbers import SERIES, coefficients_of, sampled, start_coefficients


@pytest.fixture(scope="module")
def html():
    return ActivationExplorer(first="Sigmoid", second="Tanh").static_html()


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


def test_every_function_of_the_table_can_be_chosen_first_and_second():
    for name in ACTIVATIONS:
        explorer = ActivationExplorer(first=name, second=name)

        assert (explorer.first, explorer.second) == (name, name)


def test_torchs_other_spelling_is_understood():
    assert ActivationExplorer("Hardsigmoid").first == "HardSigmoid"


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"first": "Relu"}, "unknown first 'Relu'; choose one of: Step, Sigmoid"),
        ({"first": "none"}, "unknown first 'none'"),
        ({"first": "Custom"}, "unknown first 'Custom'"),
        ({"second": "Relu"}, "choose 'none' or one of"),
        ({"first": "ELU", "first_settings": "alpha"}, "cannot read 'alpha'"),
        ({"first": "ELU", "first_settings": "alpha=x"}, "cannot read 'alpha=x'"),
        ({"first": "ELU", "first_settings": "beta=2"}, "ELU has no setting 'beta'"),
        ({"first": "CELU", "first_settings": "alpha=0"}, "alpha must not be zero"),
        ({"first": "GLU", "first_settings": "w=2"}, "GLU takes b here, got w"),
        ({"first": "STAF", "first_settings": "tau=2"}, "STAF takes no settings here"),
        ({"second": "none", "second_settings": "alpha=2"}, "none takes no settings here"),
        ({"mu": 5.5}, "mu is 5.5; wanted a number from -5 to 5"),
        ({"sigma": 0.0}, "sigma is 0.0; wanted a number from 0.1 to 4"),
        ({"threshold": 1.0}, "threshold is 1.0; wanted a number from 0.01 to 0.5"),
        ({"x": -31.0}, "x is -31.0; wanted a number from -30 to 30"),
        ({"span": 4.0}, "span is 4.0; choose one of: 3, 5, 10, 30"),
        ({"sigma": float("nan")}, "sigma is nan"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_reason(traits, message):
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        ActivationExplorer(**traits)


def test_a_refused_choice_leaves_the_one_before():
    explorer = ActivationExplorer("ELU", first_settings="alpha=0.5")

    with pytest.raises(traitlets.TraitError):
        explorer.first = "Relu"

    assert (explorer.first, explorer.first_settings) == ("ELU", "alpha=0.5")


def test_settings_of_the_function_before_are_forgotten():
    explorer = ActivationExplorer("ELU", first_settings="alpha=0.5")

    explorer.first = "Tanh"

    assert explorer.first_settings == ""


def test_a_message_from_the_browser_sets_function_and_settings_together():
    explorer = ActivationExplorer("ELU", first_settings="alpha=0.5")

    explorer.set_state({"first": "AdaptiveSigmoid", "first_settings": "k=2 theta=-1", "x": 2})

    assert (explorer.first, explorer.first_settings, explorer.x) == ("AdaptiveSigmoid", "k=2 theta=-1", 2.0)


def test_the_draw_of_staf_is_that_of_seed_zero_and_leaves_chance_alone():
    torch.manual_seed(0)
    expected = make_activation("STAF")
    torch.manual_seed(3)
    after = torch.rand(1)
    torch.manual_seed(3)

    numbers = start_coefficients()["STAF"]

    assert torch.equal(torch.rand(1), after)
    for key in SERIES["STAF"]:
        assert torch.allclose(torch.tensor(numbers[key]), getattr(expected, key), rtol=1e-5, atol=0)


def test_trained_numbers_replace_those_of_the_start():
    module = BSpline(intervals=3)
    with torch.no_grad():
        module.coefficients.mul_(2)

    explorer = ActivationExplorer("BSpline", coefficients={"BSpline": coefficients_of(module)})

    assert explorer.coefficients["BSpline"]["coefficients"] == module.coefficients.tolist()
    assert explorer.origin["BSpline"] != explorer.origin["Fourier"]
    assert set(explorer.coefficients) == set(SERIES)


def test_numbers_per_channel_and_modules_without_a_series_are_refused():
    with pytest.raises(ValueError, match="for each of 3 channels"):
        coefficients_of(BSpline(num_parameters=3))
    with pytest.raises(ValueError, match="ReLU has no series"):
        coefficients_of(nn.ReLU())


def test_a_module_of_ones_own_is_sampled_and_left_as_it_was():
    module = Swish(beta=2.0).train()

    table = sampled(module)

    x = table["from"] + table["step"] * torch.arange(len(table["f"]), dtype=torch.float64)
    exact = make_activation("Swish", beta=2.0).double()
    assert torch.allclose(torch.tensor(table["f"], dtype=x.dtype), exact(x).detach(), rtol=1e-5, atol=1e-12)
    assert torch.allclose(
        torch.tensor(table["slope"], dtype=x.dtype), derivative(exact, x), rtol=1e-5, atol=1e-12
    )
    assert module.training
    assert module.beta.dtype == torch.float32
    assert module.beta.grad is None


def test_a_module_that_is_not_elementwise_is_refused():
    with pytest.raises(ValueError, match="two|elementwise|takes 2 numbers"):
        ActivationExplorer("Custom", custom=nn.GLU())


def test_the_page_gets_the_same_html_from_two_runs(html):
    assert ActivationExplorer(first="Sigmoid", second="Tanh").static_html() == html


def test_the_html_carries_state_module_and_style(html):
    content = content_of(html)

    assert " id=" not in html
    assert content["address"][:3] == ["explorer", "first", "second"]
    assert content["state"]["second"] == "Tanh"
    assert sum(map(len, content["state"]["families"].values())) == len(ACTIVATIONS)
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)  # a module from a Blob finds no file
    assert ".explorer" in content["css"]
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(html, root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(html)["module"].encode()) + mount <= 60_000
    assert len(html.encode()) <= 60_000  # with all numbers and styles
