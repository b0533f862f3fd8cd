"""The experiments of chapter 9: small versions on the digits, the starts they draw, one stored entry found again."""

import json
import math

import pytest
import torch

from labs.activations import make_activation
from labs.data import load_digits, load_fashion_mnist
from labs.experiments.learnable import (
    PERIODIC,
    ROWS,
    STARTS,
    extrapolate,
    fit_signal,
    sharing,
    signal,
    siren_start,
    staf_start,
)
from labs.experiments.runs.learnable import EPOCHS, HE_ROWS, LARGER_LR, LR, RATES, SEEDS, STEPS, TUNING_SEEDS
from labs.networks import SimpleNetwork
from labs.results import load_result
from labs.seeds import set_seed


@pytest.fixture(scope="module")
def digits():
    return load_digits("train", limit=400)


def run(digits, row, **settings):
    return sharing(
        digits, digits, **{"row": row, "start": "default", "lr": 0.01, "epochs": 1, "seed": 0, **settings}
    )


@pytest.mark.parametrize("row", ROWS)
def test_every_row_trains_and_returns_what_it_learned(row, digits):
    found = run(digits, row)

    learned = 0 if "fixed" in row or row == "ELU" else (1 if "network" in row else 4)
    assert 0 <= found["accuracy"] <= 1
    assert len(found["learned"]) == len(found["path"]) == learned


def test_a_path_begins_where_the_slope_starts_and_has_one_entry_per_look(digits):
    found = run(digits, "PReLU, one for the network", epochs=3)

    (path,) = found["path"]
    assert path[0] == 0.25
    assert len(path) == 3 * math.ceil(400 / 128)  # fewer than thirty steps: each is noted


def test_slopes_that_learn_faster_move_farther_in_the_first_steps(digits):
    plain = run(digits, "PReLU, one per layer")["path"]
    fast = run(digits, "PReLU, one per layer, four times as fast")["path"]

    # After one step from the same weights, four times as far, up to the rounding of a float32 near 0.25.
    for slow, quick in zip(plain, fast, strict=True):
        assert quick[1] - 0.25 == pytest.approx(4 * (slow[1] - 0.25), abs=2e-7)


def test_a_channel_of_its_own_moves_less_than_the_whole_layer(digits):
    layer = run(digits, "PReLU, one per layer")["learned"]
    channel = run(digits, "PReLU, one per channel")["learned"]

    far = max(abs(median - 0.25) for _, median, _ in layer)
    assert max(abs(median - 0.25) for _, median, _ in channel) < far / 5


def test_a_training_that_diverges_says_so(digits):
    found = run(digits, "slope fixed at sqrt 5", start="He weights, zero biases", lr=1.0)

    assert found == {"accuracy": None, "loss": None, "path": [], "learned": []}


def test_a_stored_run_is_found_again(fashion_mnist_root):
    train, test = (load_fashion_mnist(split, root=fashion_mnist_root) for split in ("train", "test"))

    found = sharing(train, test, row="PReLU, one for the network", start="default", lr=LR, epochs=1, seed=0)

    # Noted every 15th step here and every 46th there: steps 465 and 460, in which the slope moves by some hundredths.
    stored = load_result("learnable_sharing")["data"]["PReLU, one for the network"]["default"][0]["path"][0]
    assert found["path"][0][31] == pytest.approx(stored[10], abs=0.1)


def test_the_signal_has_period_one():
    t = torch.linspace(-2, 2, 101, dtype=torch.float64)

    torch.testing.assert_close(signal(t), signal(t + 1))


@pytest.mark.parametrize("name", PERIODIC)
def test_every_candidate_is_nearer_to_the_signal_after_some_steps(name):
    t = torch.linspace(-2, 2, 201)[:, None]

    before, after = (fit_signal(name, lr=3e-3, steps=steps, seed=0) for steps in (0, 60))

    with torch.no_grad():
        first, last = ((model(t) - signal(t)).square().mean() for model in (before, after))
    assert last < first


def test_errors_are_relative_to_a_network_that_says_zero():
    found = extrapolate(name="Snake, a from 10", lr=0.01, steps=150, seed=0)

    assert set(found) == {"inside", "near", "far"}
    assert found["inside"] < 0.6


def test_the_start_of_staf_makes_each_value_standard_normal():
    set_seed(0)
    values = []
    for _ in range(4000):
        staf = make_activation("STAF", tau=3)
        staf_start(staf, omega_0=10.0)
        values.append(staf(torch.tensor([0.7])).detach())
    values = torch.cat(values)

    # Standard errors with 4000 draws: 0.016 for the mean, 0.022 for the variance, 0.08 for the fourth moment.
    assert values.mean().abs() < 0.08
    assert values.var() == pytest.approx(1, abs=0.1)
    assert (values**4).mean() == pytest.approx(3, abs=0.6)


def test_siren_gives_the_deeper_layers_pre_activations_of_variance_one():
    set_seed(0)
    model = SimpleNetwork(
        lambda: make_activation("Sine", omega=30.0),
        in_features=1,
        hidden_features=(256, 256, 256),
        out_features=1,
    )
    siren_start(model, 30.0)

    with torch.no_grad():
        h = torch.linspace(-1, 1, 2000)[:, None]
        for layer in (1, 2):
            h = model.get_submodule(f"act{layer}")(model.get_submodule(f"linear{layer}")(h))
        variance = (30 * (model.linear3.weight @ h.T)).var()
    assert variance == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        (
            "learnable_sharing",
            {"rows": ROWS, "starts": STARTS, "epochs": EPOCHS, "lr": LR, "larger_lr": LARGER_LR},
        ),
        ("learnable_sharing", {"he_rows": HE_ROWS}),
        (
            "learnable_periodic",
            {"rows": PERIODIC, "steps": STEPS, "rates": RATES, "tuning_seeds": TUNING_SEEDS},
        ),
    ],
)
def test_a_result_was_made_with_the_settings_of_today(name, settings):
    made = load_result(name)["provenance"]

    assert {key: made["config"][key] for key in settings} == json.loads(json.dumps(settings))
    assert made["seeds"] == list(SEEDS)
