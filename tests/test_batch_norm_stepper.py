"""The batch-norm stepper: its layer, what it lets through, its page. Its JavaScript: tests/browser."""

import json
import math
import re

import pytest
import torch
import traitlets

from labs.widgets import BatchNormStepper


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("gamma", 2.1, "from -2 to 2"),
        ("beta", math.nan, "from -2 to 2"),
        ("batches", 101, "from 0 to 100"),
        ("step", 9, "from 0 to 8"),
        ("values", "1_2_3", "wanted 8 numbers in tenths"),
        ("values", "0_0_0_0_0_0_0_301", "wanted 8 numbers in tenths"),
        ("values", "0_0_0_0_0_0_0_x", "wanted 8 numbers in tenths"),
        ("matrix", "1_2", "wanted 12 numbers in tenths"),
        ("upstream", "9", "upstream"),
        ("mode", "test", "mode"),
        ("norm", "group", "norm"),
    ],
)
def test_what_is_not_to_choose_from_is_refused(name, value, wanted):
    stepper = BatchNormStepper()
    before = getattr(stepper, name)

    with pytest.raises(traitlets.TraitError, match=wanted):
        setattr(stepper, name, value)

    assert getattr(stepper, name) == before


def test_the_batch_is_that_of_the_chapter_and_moves():
    assert BatchNormStepper().batch().tolist() == [2, 4, 4, 4, 5, 5, 7, 9]
    assert BatchNormStepper(values="-100_40_40_40_50_50_70_300").batch()[[0, -1]].tolist() == [-10, 30]


def test_the_layer_normalises_in_training_and_uses_the_running_statistics_in_eval():
    batch = BatchNormStepper().batch()[:, None]
    training = BatchNormStepper(gamma=2.0, beta=1.0).layer()
    early, late = (BatchNormStepper(mode="eval", batches=k).layer() for k in (0, 100))

    y = training(batch).detach()

    assert y.mean().item() == pytest.approx(1)
    assert y.std(correction=0).item() == pytest.approx(2, rel=1e-5)
    assert torch.allclose(early(batch), batch / math.sqrt(1 + 1e-5))  # the statistics of no batch: 0 and 1
    assert late.running_mean.item() == pytest.approx(5 * (1 - 0.9**100))
    assert late.running_var.item() == pytest.approx(0.9**100 + 32 / 7 * (1 - 0.9**100))


def test_the_html_carries_state_module_and_style_and_is_the_same_in_two_runs():
    html = BatchNormStepper(step=3).static_html()

    content = content_of(html)

    assert BatchNormStepper(step=3).static_html() == html
    assert " id=" not in html
    assert content["address"] == ["norm", *BatchNormStepper.address_traits]
    assert content["state"]["values"] == "20_40_40_40_50_50_70_90"
    assert content["state"]["step"] == 3
    assert content["module"].count("export default") == 1
    assert not re.search(r"^import\b", content["module"], re.M)
    assert not re.search(r"https?://", content["module"] + content["css"])


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(content_of(BatchNormStepper().static_html())["module"].encode()) + mount <= 60_000
