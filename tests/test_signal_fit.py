"""Fit a signal: its numbers against networks trained and asked one by one, its packing, and what the page gets."""

import base64
import json
import random
import re

import pytest
import torch
import traitlets
from torch import nn

from labs.activations import make_activation
from labs.networks import SimpleNetwork
from labs.seeds import set_seed
from labs.widgets import SignalFit
from labs.widgets.signal_network import ACTIVATIONS, Ensemble, signal_network
from labs.widgets.signal_packing import pack, unpack
from labs.widgets.signal_training import (
    EPOCHS,
    EXAMPLES,
    INSIDE,
    LR,
    PREACTIVATIONS,
    SHOWN,
    SIGNALS,
    SignalRun,
    noted_steps,
    train_signals,
)

LOOKS = (0, 2, 6, 12)
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def seen():
    """For each activation: the runs on two signals, and the plain networks at every look."""
    found = {}
    for activation in ACTIVATIONS:
        networks = []
        runs = train_signals(
            activation,
            ["waves", "sawtooth"],
            3,
            epochs=LOOKS,
            on_look=lambda _, ensemble, kept=networks: kept.append([ensemble.network(i) for i in range(2)]),
        )
        found[activation] = runs, networks
    return found


@pytest.fixture(scope="module")
def widget():
    return SignalFit.precompute(
        signals=["waves", "hill"],
        activations=["Snake", "ReLU"],
        seeds=[1, 2],
        epochs=LOOKS,
        progress=False,
    )


def content_of(html):
    return json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])


def half_a_step(curves):
    """How far the packing may move a number: half of 1/65535 of the curve, and the rounding of its ends."""
    span = curves.amax(-1, keepdim=True) - curves.amin(-1, keepdim=True)
    return span * (0.5 / 65535) + 2e-7 * curves.abs().amax(-1, keepdim=True) + 1e-12


# --- The numbers --------------------------------------------------------------------------------------


@each_activation
def test_a_seed_gives_the_network_that_set_seed_gives(activation):
    set_seed(5)
    plain = SimpleNetwork(
        lambda: make_activation(activation, **ACTIVATIONS[activation]),
        in_features=1,
        hidden_features=(32, 32),
        out_features=1,
    )

    network = signal_network(activation, 5)

    for p, q in zip(plain.parameters(), network.parameters(), strict=True):
        assert torch.equal(p, q)


@each_activation
def test_networks_trained_together_are_those_trained_one_by_one(activation):
    together = train_signals(activation, ["hill", "chirp"], 5, epochs=(0, 8))

    for name, run in zip(["hill", "chirp"], together, strict=True):
        model = signal_network(activation, 5)
        descent = torch.optim.Adam(model.parameters(), lr=LR)
        x, y = EXAMPLES[:, None], SIGNALS[name](EXAMPLES)[:, None]
        for _ in range(8):
            descent.zero_grad()
            nn.functional.mse_loss(model(x), y).backward()
            descent.step()
        with torch.no_grad():
            # float32, eight steps of Adam, whose first divides a gradient by its size: last digits grow to these
            assert torch.allclose(run.fit[-1], model(SHOWN[:, None])[:, 0], atol=2e-3)
            assert torch.allclose(run.train[-1], nn.functional.mse_loss(model(x), y).sqrt(), rtol=1e-3)


@each_activation
def test_the_unpacked_fit_is_what_the_network_puts_out(seen, activation):
    runs, networks = seen[activation]
    points = 0

    for signal, run in enumerate(runs):
        exact = torch.stack([look[signal](SHOWN[:, None])[:, 0] for look in networks]).detach().double()
        back = unpack(pack(run), LOOKS).fit
        # a batched product may add in another order: 1e-5 of float32 numbers up to about ten
        assert ((back - exact).abs() <= half_a_step(exact) + 1e-5 * (1 + exact.abs())).all()
        points += exact.numel()

    assert points >= 1000


@each_activation
def test_the_unpacked_shape_is_that_of_each_layers_own_activation(seen, activation):
    runs, networks = seen[activation]

    for signal, run in enumerate(runs):
        exact = torch.stack(
            [
                torch.stack([look[signal].get_submodule(f"act{i}")(PREACTIVATIONS) for i in (1, 2)])
                for look in networks
            ]
        ).detach()
        back = unpack(pack(run), LOOKS).shape
        assert back.shape == (1 if activation in ("ReLU", "Tanh", "Sine") else len(LOOKS), 2, 51)
        exact = exact.double()
        assert ((back - exact).abs() <= half_a_step(exact) + 1e-5 * (1 + exact.abs())).all()


def test_a_learned_activation_moves_and_each_layer_goes_its_own_way(seen):
    for activation in ("PReLU", "Swish", "Snake", "STAF", "Rational", "BSpline"):
        runs, _ = seen[activation]
        moved = (runs[0].shape[-1] - runs[0].shape[0]).abs().amax(-1)
        assert (moved > 1e-3).all(), activation
        assert abs(moved[0] - moved[1]) > 1e-4, activation


@each_activation
def test_errors_and_reach_are_those_of_a_plain_pass(seen, activation):
    runs, networks = seen[activation]

    for signal, (name, run) in enumerate(zip(["waves", "sawtooth"], runs, strict=True)):
        back = unpack(pack(run), LOOKS)
        for e, look in enumerate(networks):
            with torch.no_grad():
                network = look[signal].double()
                far = SHOWN[SHOWN.abs() > INSIDE].double()
                errors = [
                    (network(x[:, None])[:, 0] - SIGNALS[name](x)).square().mean().sqrt()
                    for x in (EXAMPLES.double(), far)
                ]
                first = network.linear1(EXAMPLES.double()[:, None])
                second = network.linear2(network.act1(first))
            # on a logarithmic axis of a few decades a step of the packing is a tenth of a thousandth
            assert torch.isclose(back.train[e], errors[0], rtol=1e-3)
            assert torch.isclose(back.outside[e], errors[1], rtol=1e-3)
            for layer, z in enumerate((first, second)):
                wanted = torch.quantile(z, torch.tensor([0.01, 0.99], dtype=z.dtype))
                assert torch.allclose(back.reach[e, layer], wanted, rtol=1e-3, atol=1e-3)


def test_the_error_curve_meets_the_error_at_every_look(seen):
    for runs, _ in seen.values():
        steps = noted_steps(LOOKS[-1])
        assert all(
            torch.equal(run.error[steps.index(epoch)], run.train[e])
            for run in runs
            for e, epoch in enumerate(LOOKS)
        )


def test_at_the_defaults_snake_goes_on_with_the_waves_better_than_relu():
    runs = {name: train_signals(name, ["waves"], 1)[0] for name in ("ReLU", "Snake")}

    assert all(run.train[-1] < 0.1 for run in runs.values())
    assert runs["Snake"].outside[-1] < runs["ReLU"].outside[-1] / 2


def test_training_leaves_chance_and_threads_alone():
    set_seed(3)
    expected, threads = (torch.rand(4), random.random()), torch.get_num_threads()
    set_seed(3)

    train_signals("STAF", ["hill"], 1, epochs=(0, 1))

    assert torch.equal(torch.rand(4), expected[0])
    assert random.random() == expected[1]
    assert torch.get_num_threads() == threads


def test_each_copy_of_an_ensemble_is_a_network_of_its_own():
    ensemble = Ensemble("Rational", 2, copies=3)
    with torch.no_grad():
        for i, act in enumerate(ensemble.acts):
            act.a += torch.arange(3.0)[:, None] + i

    outputs = ensemble(SHOWN)

    for copy in range(3):
        alone = ensemble.network(copy)(SHOWN[:, None])[:, 0]
        assert torch.allclose(outputs[copy], alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(outputs[0], outputs[1], atol=0.1)


def test_the_steps_noted_begin_and_end_with_the_training():
    for last in (1, 5, 100, 1200, 5000):
        steps = noted_steps(last)
        assert steps[0] == 0
        assert steps[-1] == last
        assert list(steps) == sorted(set(steps))
        assert len(steps) <= 64


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"signals": ["noise"]}, "unknown signal 'noise'; choose one of: hill"),
        ({"activations": ["Relu"]}, "unknown activation 'Relu'; choose one of: ReLU"),
        ({"seeds": [-1]}, "seed is -1"),
        ({"epochs": (5, 10)}, "wanted at least two that rise from 0"),
        ({"epochs": (0, 10, 10)}, "wanted at least two that rise from 0"),
        ({"epochs": (0,)}, "wanted at least two that rise from 0"),
    ],
)
def test_an_unknown_choice_is_named(settings, message):
    few = {"signals": ["hill"], "activations": ["ReLU"], "epochs": (0, 1)}

    with pytest.raises(ValueError, match=message):
        SignalFit.precompute(**{**few, **settings}, progress=False)


def test_a_training_that_explodes_says_so(monkeypatch):
    monkeypatch.setitem(SIGNALS, "spike", lambda x: x / 0 * 0)

    with pytest.raises(FloatingPointError, match="the network for spike left the finite numbers"):
        train_signals("ReLU", ["hill", "spike"], 1, epochs=(0, 2))


# --- The packing --------------------------------------------------------------------------------------


def random_run(epochs=EPOCHS, looks=None):
    generator = torch.Generator().manual_seed(0)

    def rand(*shape):
        return torch.rand(shape, generator=generator)

    steps, count = noted_steps(epochs[-1]), len(epochs)
    low = rand(count, 2, 1) - 3
    return SignalRun(
        steps,
        10 ** (3 * rand(len(steps)) - 4),
        10 ** (3 * rand(count) - 4),
        10 ** (3 * rand(count) - 1),
        torch.cat([low, low + 5], -1),
        100 * rand(count, len(SHOWN)) - 50,
        1e-3 * rand(count if looks is None else looks, 2, len(PREACTIVATIONS)),
    )


@pytest.mark.parametrize("looks", [None, 1])
def test_packing_keeps_what_it_promises(looks):
    run = random_run(looks=looks)

    back = unpack(pack(run), EPOCHS)

    assert back.steps == run.steps
    for name in ("fit", "shape"):
        exact = getattr(run, name).double()
        assert ((getattr(back, name) - exact).abs() <= half_a_step(exact)).all()
    reach = run.reach.double().movedim(0, -1)
    assert ((back.reach.movedim(0, -1) - reach).abs() <= half_a_step(reach)).all()
    for name in ("error", "train", "outside"):
        exact = getattr(run, name).double().log10()
        assert ((getattr(back, name).log10() - exact).abs() <= half_a_step(exact)).all()


def test_a_constant_curve_and_an_error_of_zero_survive():
    run = random_run((0, 1))
    run.fit.fill_(0.25)
    run.train.zero_()

    back = unpack(pack(run), (0, 1))

    assert (back.fit == 0.25).all()
    assert (back.train < 1e-11).all()


def test_half_a_network_is_refused():
    text = base64.b64encode(base64.b64decode(pack(random_run()))[:-100]).decode()

    with pytest.raises(ValueError, match="which is not a network looked at in 13 epochs"):
        unpack(text, EPOCHS)


# --- The widget ---------------------------------------------------------------------------------------


def test_the_widget_gives_back_the_run_it_was_made_from(widget):
    exact = train_signals("Snake", ["waves", "hill"], 1, epochs=LOOKS)[0]

    run = widget.run()

    assert torch.allclose(run.fit.float(), exact.fit, atol=1e-4)
    assert widget.epoch == LOOKS[-1]


def test_the_page_gets_the_same_html_from_two_runs():
    def run():
        made = SignalFit.precompute(
            signals=["hill"], activations=["STAF"], seeds=[4], epochs=LOOKS, progress=False
        )
        return made._repr_mimebundle_()[0]

    first, second = run(), run()

    assert first["text/html"] == second["text/html"]
    assert first["text/plain"] == second["text/plain"] == "SignalFit()"
    assert "application/vnd.jupyter.widget-view+json" in first


def test_the_html_carries_state_module_and_style_and_cannot_be_broken_out_of(widget):
    bad = "</script><!-- <script>"
    other = SignalFit({**widget.data, "note": bad})

    html = other.static_html()

    assert html.count("</script") == html.count("<script") == 1
    assert "<!--" not in html
    assert " id=" not in html
    content = content_of(html)
    assert content["state"]["data"]["note"] == bad
    assert content["address"] == ["fit", "signal", "activation", "epoch", "seed"]
    assert "export default" in content["module"]
    assert ".sf" in content["css"]


def test_everything_at_the_defaults_fits_its_budget(widget):
    learn = sum(bool(count) for count in widget_parameters().values())
    fixed = len(ACTIVATIONS) - learn
    one = len(SIGNALS) * (learn * len(pack(random_run())) + fixed * len(pack(random_run(looks=1))))
    curves = sum(len(json.dumps(widget.data[key])) for key in ("truth", "points")) / 2 * len(SIGNALS)

    assert one + curves + len(widget.static_html()) - len(json.dumps(dict(widget.data))) <= 350_000


def widget_parameters():
    few = {"signals": ["hill"], "epochs": (0, 1), "progress": False}
    return SignalFit.precompute(**few).data["parameters"]


def test_the_page_knows_how_many_numbers_each_layer_learns():
    assert widget_parameters() == {
        "ReLU": 0, "PReLU": 1, "Tanh": 0, "Swish": 1, "Sine": 0, "Snake": 1, "STAF": 15, "Rational": 8, "BSpline": 15,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"), [("signal", "noise"), ("activation", "Tanh"), ("seed", 2**32), ("epoch", 3)]
)
def test_a_setting_the_widget_does_not_have_is_refused(widget, name, value):
    before = getattr(widget, name)

    with pytest.raises(traitlets.TraitError, match=f"unknown {name} .*; choose one of: "):
        setattr(widget, name, value)

    assert getattr(widget, name) == before


def test_a_widget_without_a_kernel_behind_it_offers_its_own_seeds_only(widget):
    other = SignalFit(widget.data)

    with pytest.raises(traitlets.TraitError, match="choose one of: 1, 2"):
        other.seed = 17

    assert not other.live


def test_a_live_request_for_another_seed_is_computed_and_told(widget, monkeypatch):
    other = SignalFit(widget.data, live=True, signal="hill", activation="ReLU", epoch=0)
    told = []
    monkeypatch.setattr(other, "send_state", lambda key=None: told.append((key, other.progress)))

    other.set_state({"seed": 17})  # what the message from the browser calls

    assert list(other.computed) == ["hill,ReLU,17"]
    exact = train_signals("ReLU", ["hill"], 17, epochs=LOOKS)[0]
    assert torch.allclose(other.run().fit.float(), exact.fit, atol=1e-4)
    steps = [value for key, value in told if key == "progress" and value > 0]
    assert steps == [epoch / LOOKS[-1] for epoch in LOOKS[1:]]
    assert [key for key, _ in told if key in ("progress", "computed")][-1] == "computed"


def test_a_failed_request_says_why(widget, monkeypatch):
    other = SignalFit(widget.data, live=True)
    monkeypatch.setitem(SIGNALS, "waves", lambda x: x / 0 * 0)

    other.seed = 17

    assert "left the finite numbers" in other.problem
    assert other.computed == {}
