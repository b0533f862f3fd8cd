"""The template viewer: what it accepts, and what travels with the page. Its JavaScript: tests/browser."""

import base64
import json
import re

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

from labs.data import ImageData, load_digits
from labs.widgets import TemplateViewer


@pytest.fixture(scope="module")
def digits():
    return load_digits("test", limit=12)


@pytest.fixture(scope="module")
def layer():
    torch.manual_seed(0)
    return nn.Linear(784, 10)


@pytest.fixture
def viewer(layer, digits):
    return TemplateViewer.from_layer(layer, digits)


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


def test_weights_and_biases_travel_without_loss(viewer, layer):
    weight = np.frombuffer(base64.b64decode(viewer.data["weight"]), "<f4").reshape(10, 784)
    bias = np.frombuffer(base64.b64decode(viewer.data["bias"]), "<f4")

    assert np.array_equal(weight, layer.weight.detach().numpy())
    assert np.array_equal(bias, layer.bias.detach().numpy())


def test_images_travel_as_bytes_from_dark_to_light(viewer, digits):
    grey = np.frombuffer(base64.b64decode(viewer.data["images"]), "u1").reshape(len(digits), 784)

    low, high = viewer.data["low"], viewer.data["high"]
    back = torch.from_numpy(low + (high - low) * grey / 255.0)
    # Half a step of the 255.
    assert (back - digits.images.flatten(1)).abs().max() <= 0.5 * (high - low) / 255 + 1e-6
    assert grey.min() == 0
    assert grey.max() == 255


def test_the_accuracy_of_each_class_travels_if_it_is_given(layer, digits):
    assert TemplateViewer.from_layer(layer, digits).data["hits"] is None
    assert TemplateViewer.from_layer(layer, digits, hits=[0.5] * 10).data["hits"] == [0.5] * 10


@pytest.mark.parametrize("wrong", [nn.Linear(784, 9), nn.Linear(785, 10), nn.Linear(784, 10, bias=False)])
def test_another_layer_is_refused(wrong, digits):
    with pytest.raises(ValueError, match="wanted one from 784 pixels to 10 classes, with a bias"):
        TemplateViewer.from_layer(wrong, digits)


def test_images_of_one_grey_are_refused(layer, digits):
    flat = ImageData(torch.full((2, 1, 28, 28), 0.5), digits.labels[:2], digits.class_names)

    with pytest.raises(ValueError, match="all pixels are 0.5; wanted images with light and dark"):
        TemplateViewer.from_layer(layer, flat)


def test_a_wrong_number_of_accuracies_is_refused(layer, digits):
    with pytest.raises(ValueError, match="3 hits for 10 classes"):
        TemplateViewer.from_layer(layer, digits, hits=[0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("name", "wrong"), [("image", 0), ("image", 13), ("plus", -1), ("plus", 10), ("minus", -2)]
)
def test_what_is_not_there_cannot_be_chosen(viewer, name, wrong):
    before = getattr(viewer, name)

    with pytest.raises(traitlets.TraitError, match=f"{name} is {wrong}; wanted a whole number from"):
        setattr(viewer, name, wrong)

    assert getattr(viewer, name) == before


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs(viewer, layer, digits):
    html = viewer.static_html()

    content = content_of(html)

    assert TemplateViewer.from_layer(layer, digits).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["template", "image", "plus", "minus"]
    assert {key: content["state"][key] for key in ("image", "plus", "minus")} == {
        "image": 1,
        "plus": 0,
        "minus": -1,
    }
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_twenty_images_weigh_less_than_ninety_kilobytes(layer):
    many = load_digits("test", limit=20)

    assert len(TemplateViewer.from_layer(layer, many).static_html()) < 90_000
