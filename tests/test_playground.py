"""The playground's runs: the browser's engine in node against ``labs.playground``, where torch does the sums.

The losses are compared where rounding stays rounding: at rates at which these small networks learn, and at a tenth of
them for STAF, whose fifty sines and phases answer strongly to each change. At larger rates a run is chaotic, and the
last digit of a sum decides where it goes. So it does when Adam starts from zeros, where the gradients of balanced
classes cancel: it divides what rounding leaves of them by their own size.
"""

import itertools
import json
import math
import random
import re

import pytest
import torch
import traitlets
import yaml
from IPython.core.inputtransformer2 import TransformerManager

from labs.activations import ACTIVATIONS
from labs.playground import Run, Setup, Stream, make_points, pack_points, split, start_numbers, unpack_points
from labs.playground.setup import CHOICES, LIMITS, activation_names
from labs.playground.streams import PURPOSES
from labs.widgets import Playground
from labs.widgets.playground_presets import PRESETS
from tests.playground_node import ENGINE, engine, losses_of

STEPS = 100
RATES = {"sgd": 0.05, "momentum": 0.01, "adam": 0.01}
SHAPES = ("circles", "xor", "gaussians", "spirals", "moons", "sine")
POINTS = [(0.5, 0.5), (-0.7, 0.1), (0.0, -1.2), (1.49, -1.5), (-0.2, 0.9), (0.3, -0.4), (-1.1, -0.8)]
OWN = pack_points(torch.tensor(POINTS), torch.tensor([0, 1, 2, 0, 1, 4, 2]))
ONE = pack_points(torch.tensor([[0.2, 0.3]]), torch.tensor([0]))
CHANGES = [(0, "rate", 0.1), (20, "rate", 0.02), (33, "l2", 0.1), (50, "dropout", 0.4), (50, "l2", 0.0)]


def setup_of(activation="Tanh", method="sgd", **more):
    """A small network with one or two layers of an activation, at a rate at which rounding stays rounding."""
    layers = [(3, activation)] * (2 if more.get("data") == "sine" else 1)
    rate = RATES[method] * (0.1 if activation == "STAF" else 1)
    return Setup(**{"points": 26, "batch": 6, "layers": layers, "method": method, "rate": rate, **more})


EACH = {
    name: [
        setup_of(name, method, data=data) for method, data in itertools.product(RATES, ("circles", "sine"))
    ]
    for name in activation_names()
}
TALL = [(16, name) for name in ("Tanh", "GELU", "Swish", "Snake", "SELU", "Mish")]
OTHERS = {
    **{f"data {name}": setup_of(data=name, noise=0.3) for name in SHAPES},
    **{f"classes {n} {name}": setup_of(data=name, classes=n) for n in (3, 5) for name in ("gaussians", "spirals")},
    "own points": setup_of(data="own", own=OWN, test=0.2, batch=4),
    "own points, more classes than labels": setup_of(data="own", own=OWN, classes=5),
    "own points, regression": setup_of(data="own", own=OWN, task="regress"),
    "a single own point": setup_of(data="own", own=ONE, test=0.9),
    **{f"init {name}": setup_of("SELU", init=name, start=3) for name in CHOICES["init"]},
    **{f"init {name}, two layers": setup_of("ELU", data="sine", init=name, start=4) for name in CHOICES["init"]},
    "zero biases": setup_of(bias="zero", layers=[(4, "Tanh"), (3, "Softplus")]),
    "all zero": setup_of("Sigmoid", init="zero", bias="zero"),
    "all zero, ReLU": setup_of("ReLU", init="zero", bias="zero", method="momentum"),
    **{f"schedule {name}": setup_of(schedule=name, span=30, method="momentum") for name in CHOICES["schedule"]},
    "warm-up of one step": setup_of(schedule="warmup", span=1),
    "cosine, longer than the run": setup_of(schedule="cosine", span=1000, method="adam"),
    **{f"l2, {method}": setup_of("PReLU", method, l2=0.03) for method in RATES},
    "l2 on learned numbers": setup_of("Fourier", l2=0.01, method="adam"),
    "no momentum": setup_of(method="momentum", momentum=0.0),
    "much momentum": setup_of(method="momentum", momentum=0.99, rate=0.003),
    "dropout": setup_of("ReLU", dropout=0.5, layers=[(6, "ReLU"), (5, "Tanh")]),
    "dropout behind linear layers": setup_of("none", dropout=0.3, layers=[(6, "none"), (5, "none")]),
    "dropout of sigmoids, adam": setup_of("Sigmoid", "adam", data="sine", dropout=0.2),
    "dropout and RReLU": setup_of("RReLU", dropout=0.2, layers=[(4, "RReLU"), (4, "RReLU")], start=9),
    "changes": setup_of(changes=CHANGES),
    "changes in a schedule": setup_of("SiLU", "adam", schedule="cosine", span=60, changes=CHANGES[1:]),
    "changes of dropout": setup_of(dropout=0.5, changes=[(10, "dropout", 0.0), (60, "dropout", 0.9)]),
    "batches of one": setup_of(batch=1),
    "a batch that divides": setup_of(points=20, test=0.2, batch=8),
    "a last batch of one": setup_of(points=20, test=0.15, batch=8),
    "the full batch": setup_of(batch=1000),
    "half a test point": setup_of(points=10, test=0.25),
    "no test points": setup_of(test=0.0),
    "hardly any train points": setup_of(points=10, test=0.9),
    "no hidden layer": setup_of(layers=[]),
    "no hidden layer, regression": setup_of(layers=[], data="sine"),
    "five classes, no hidden layer": setup_of(layers=[], data="gaussians", classes=5, method="momentum"),
    "six layers of sixteen": setup_of(layers=TALL, points=60, batch=32),
    "six layers of sixteen, regression": setup_of(layers=TALL, data="sine", points=60, method="adam", rate=0.002),
    "the start": Setup(),
    "other seeds": setup_of(seed=4294967295, start=4294967294),
    "one unit": setup_of(layers=[(1, "Tanh"), (1, "Tanh")]),
}  # fmt: skip


def random_setup(chance):
    """A setup of any kind, at a rate at which rounding stays rounding."""
    method, data = chance.choice(CHOICES["method"]), chance.choice(CHOICES["data"])
    layers = [(chance.randint(1, 6), chance.choice(activation_names())) for _ in range(chance.randint(0, 4))]
    restless = {"STAF", "Fourier", "SquaredReLU", "Sine", "Snake"} & {name for _, name in layers}
    rate = RATES[method] * chance.uniform(0.2, 1) * (0.1 if restless else 1)
    later = sorted(chance.sample(range(STEPS), 2))
    init, bias = chance.choice(CHOICES["init"]), chance.choice(CHOICES["bias"])
    return Setup(
        data=data, points=chance.randint(10, 40), noise=chance.choice([0, 0.1, 0.25]), classes=chance.randint(2, 5),
        test=chance.choice([0, 0.3, 0.55]), task=chance.choice(CHOICES["task"]) if data == "own" else None,
        seed=chance.getrandbits(32), start=chance.getrandbits(32), layers=layers, init=init,
        bias="random" if init == "zero" else bias, method=method, momentum=round(chance.uniform(0, 0.95), 2), rate=rate,
        schedule=chance.choice(CHOICES["schedule"]), span=chance.randint(1, 150), batch=chance.randint(1, 40),
        l2=chance.choice([0, 1e-7, 0.01]), dropout=chance.choice([0, 0, 0.25]), own=OWN if data == "own" else "",
        changes=chance.choice([(), [(later[0], "rate", rate / 3), (later[1], "dropout", 0.125)]]),
    )  # fmt: skip


pytestmark = pytest.mark.usefixtures("one_thread")
RANDOM = [random_setup(random.Random(number)) for number in range(30)]


@pytest.fixture(scope="module")
def browser_runs():
    """What the engine makes of each setup in 100 steps; all in one process of node."""
    setups = [*itertools.chain(*EACH.values()), *OTHERS.values(), *RANDOM]
    return dict(zip(setups, losses_of([one.text() for one in setups], STEPS, start_numbers()), strict=True))


def torch_run(setup):
    """A run of 100 steps."""
    run = Run(setup)
    for _ in range(STEPS):
        run.step()
    return run


def assert_same(run, found):
    """The losses of all steps agree, and so do the parameters and what is said of all points in the end."""
    assert found["faults"] == []
    assert found["trouble"] is None
    assert len(found["losses"]) == STEPS
    assert max(run.losses) < 20
    assert run.losses == pytest.approx(found["losses"], rel=0, abs=1e-9)
    values = torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()])
    assert values.tolist() == pytest.approx(found["values"], rel=0, abs=1e-7)
    for part in ("train", "test"):
        if len(getattr(run, part)):
            assert run.loss(part) == pytest.approx(found["score"][part]["loss"], rel=0, abs=1e-8)
            if not run.setup.regression:
                assert run.accuracy(part) == found["score"][part]["accuracy"]
        else:
            assert math.isnan(found["score"][part]["loss"])


# --- The engine and torch -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_each_activation_gives_torchs_losses_with_each_optimiser_and_loss(name, browser_runs):
    for setup in EACH[name]:
        assert_same(torch_run(setup), browser_runs[setup])


@pytest.mark.parametrize("case", OTHERS)
def test_each_setting_gives_torchs_losses(case, browser_runs):
    assert_same(torch_run(OTHERS[case]), browser_runs[OTHERS[case]])


@pytest.mark.parametrize("number", range(len(RANDOM)))
def test_settings_drawn_at_random_give_torchs_losses(number, browser_runs):
    assert_same(torch_run(RANDOM[number]), browser_runs[RANDOM[number]])


def test_where_the_losses_part_one_bit_of_one_weight_parts_torch_from_itself():
    text = "layers.8STAF*8STAF"  # at a rate of 0.1, ten times that of the runs above
    run, neighbour = Run(text), Run(text)
    with torch.no_grad():
        neighbour.model.linear1.weight[0, 0] *= 1 + 2**-52

    found = losses_of([text], STEPS, start_numbers())[0]["losses"]
    for _ in range(STEPS):
        run.step()
        neighbour.step()

    apart = [
        [abs(a - b) for a, b in zip(run.losses, other, strict=True)] for other in (found, neighbour.losses)
    ]
    assert max(max(differences[:5]) for differences in apart) < 1e-9
    assert min(max(differences) for differences in apart) > 1e-6


def test_what_is_recorded_of_a_step_is_what_torch_has():
    setup = setup_of("Swish", "adam", layers=[(4, "Swish"), (3, "PReLU")], l2=0.01, dropout=0.2)
    run, gradients, ratios = Run(setup), [], []
    for _ in range(20):
        lines = [module for module in run.model if isinstance(module, torch.nn.Linear)]
        before = [line.weight.detach().clone() for line in lines]
        run.step()
        norms = [torch.cat([line.weight.grad.flatten(), line.bias.grad]).norm().item() for line in lines]
        gradients.append(norms)
        moved = zip(lines, before, strict=True)
        ratios.append([((line.weight - old).norm() / old.norm()).item() for line, old in moved])

    found = engine(
        """(E, [text, numbers]) => {
            const run = new E.Run(E.readSetup(text).setup, numbers), { history } = run;
            while (run.at < 20) run.step();
            return [history.gradient.map((of) => of.slice(0, 20)), history.ratio.map((of) => of.slice(0, 20))];
        }""",
        [setup.text(), start_numbers()],
    )

    for mine, theirs in zip((gradients, ratios), found, strict=True):
        torch.testing.assert_close(torch.tensor(theirs).T.double(), torch.tensor(mine).double())


# --- What both draw and read --------------------------------------------------------------------------


def test_the_streams_are_those_of_the_browser():
    cases = [
        [seed, purpose, i, j]
        for seed, i, j in [(0, 0, 0), (1, 0, 0), (4294967295, 3, 0), (123456789, 100_000, 5)]
        for purpose in PURPOSES
    ]

    found = engine(
        """(E, cases) => cases.map((of) => {
            const draw = new E.Stream(...of), times = (n, f) => Array.from({ length: n }, f);
            return [
                times(5, () => draw.bits()), times(4, () => draw.uniform()), times(3, () => draw.normal()),
                draw.permutation(30), draw.permutation(1),
            ];
        })""",
        cases,
    )

    for case, (bits, uniform, normal, order, alone) in zip(cases, found, strict=True):
        stream = Stream(*case)
        assert stream.bits(5).tolist() == bits
        assert stream.uniform(2, 2).flatten().tolist() == uniform
        assert stream.normal(3).tolist() == pytest.approx(normal, abs=1e-14)
        assert stream.permutation(30).tolist() == order
        assert stream.permutation(1).tolist() == alone == [0]


def test_the_streams_are_even_and_normal_and_have_nothing_to_do_with_each_other():
    streams = [Stream(seed, purpose, i) for seed in (0, 1) for purpose in PURPOSES for i in (0, 1)]

    even = torch.stack([stream.uniform(4000) for stream in streams])
    normal = Stream(0, "weights").normal(40_000)

    # A correlation of 4000 draws has a standard deviation of 0.016, and there are about 500 of them.
    assert (torch.corrcoef(even) - torch.eye(len(streams))).abs().max() < 5 * 4000**-0.5
    assert even.mean(1).sub(0.5).abs().max() < 5 * (12 * 4000) ** -0.5
    assert abs(normal.mean()) < 5 * 40_000**-0.5
    assert abs(normal.var() - 1) < 5 * (2 / 40_000) ** 0.5
    assert abs((normal.abs() > 2).double().mean() - 0.0455) < 0.005


@pytest.mark.parametrize("case", OTHERS)
def test_points_and_start_are_those_of_the_browser(case, browser_runs):
    setup, found = OTHERS[case], browser_runs[OTHERS[case]]

    run = Run(setup)

    assert run.inputs.flatten().tolist() == pytest.approx(found["data"]["inputs"], abs=1e-14)
    assert run.targets.flatten().tolist() == pytest.approx(found["data"]["targets"], abs=1e-14)
    assert [run.train.tolist(), run.test.tolist()] == [found["data"]["train"], found["data"]["test"]]
    start = torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()])
    assert start.tolist() == pytest.approx(found["first"], abs=1e-14)


@pytest.mark.parametrize("name", ["circles", "xor", "gaussians", "spirals", "moons"])
def test_each_shape_without_noise_is_where_its_name_says(name):
    inputs, labels = make_points(Setup(data=name, noise=0, points=100))
    x, y = inputs.T

    assert inputs.abs().max() < 1.3
    assert labels.bincount().min() > 35
    if name == "circles":
        torch.testing.assert_close(
            inputs.norm(dim=1), torch.tensor([0.4, 0.9]).double()[labels], rtol=0, atol=1e-6
        )
    elif name == "xor":
        assert ((x * y < 0) == (labels == 1)).all()
    elif name == "gaussians":
        assert ((x < 0) == (labels == 1)).double().mean() > 0.95
    elif name == "spirals":
        assert (inputs[-2:].norm(dim=1) - 1).abs().max() < 1e-12
    else:
        middle = torch.tensor([0.5, 0.25]).double() / 1.5
        torch.testing.assert_close(
            (inputs + middle * (1 - 2 * labels[:, None])).norm(dim=1), torch.full((100,), 1 / 1.5).double()
        )


def test_the_sine_is_a_curve_with_noise_on_the_target_alone():
    still, noisy = (make_points(Setup(data="sine", noise=noise)) for noise in (0, 0.2))

    assert torch.equal(still[0], noisy[0])
    torch.testing.assert_close(still[1], 0.8 * torch.sin(2 * math.pi * still[0]))
    assert 0.15 < (noisy[1] - still[1]).std() < 0.25


@pytest.mark.parametrize(("test", "count", "kept"), [(0.25, 10, 7), (0.9, 1, 1), (0.0, 5, 5), (0.5, 3, 1)])
def test_a_half_is_rounded_up_and_one_point_stays_for_training(test, count, kept):
    train, others = split(Setup(test=test), count)

    assert len(train) == kept
    assert sorted([*train.tolist(), *others.tolist()]) == list(range(count))


def test_own_points_come_back_from_their_text_to_within_half_a_step_of_the_map():
    points, labels = 3 * torch.rand(300, 2, dtype=torch.float64) - 1.5, torch.randint(5, (300,))

    text = pack_points(points, labels)
    again, labels_again = unpack_points(text)

    assert (again - points).abs().max() <= 1.5 / 4095 + 1e-12
    assert torch.equal(labels_again, labels)
    assert pack_points(again, labels_again) == text
    assert engine("(E, text) => E.packPoints(E.unpackPoints(text))", text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A", "no text of points"),
        ("AAAA!", "other signs"),
        ("AAAA", "no points"),
        ("AAAABQ", "no points"),
        ("A" * 1616, "more than 300"),
    ],
)
def test_a_text_that_is_no_points_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Setup(data="own", own=text)


def test_a_text_says_the_same_to_both_and_both_write_it_alike():
    numbers = [1e-6, 0.00001234, 12.5, 100, 1 / 3]
    setups = [*OTHERS.values(), *RANDOM, *(Setup(rate=one) for one in numbers), Setup(l2=1e-7, noise=2.5e-12)]
    texts = [setup.text() for setup in setups]

    found = engine(
        """(E, texts) => texts.map((text) => {
            const { setup, faults } = E.readSetup(text);
            return [E.writeSetup(setup), faults, setup, setup.layers.map((one) => [one.units, one.activation])];
        })""",
        texts,
    )

    for setup, text, (again, faults, fields, layers) in zip(setups, texts, found, strict=True):
        assert (again, faults) == (text, [])
        assert Setup.read(text) == setup
        assert re.fullmatch(r"[\w.~*-]*", text)
        assert [tuple(layer) for layer in layers] == list(setup.layers)
        plain = {name: getattr(setup, name) for name in fields if name not in ("layers", "changes")}
        assert plain == {name: fields[name] for name in plain}


def test_names_and_limits_are_those_of_the_browser():
    choices, limits, hidden = engine("(E) => [E.CHOICES, E.LIMITS, E.HIDDEN]")

    assert choices == {name: list(words) for name, words in CHOICES.items()}
    assert {name: (one["low"], one["high"]) for name, one in limits.items() if name != "units"} == LIMITS
    assert {name for name, one in limits.items() if one["whole"]} - {"units"} == {
        name for name, (low, _) in LIMITS.items() if isinstance(low, int)
    }
    assert sorted(hidden) == sorted(activation_names())


NONSENSE = [
    ("rates.0.1", "'rates', which is no setting"),
    ("rate.0.1~rate.0.2", "rate twice"),
    ("rate.fast", "'fast' where a number"),
    ("rate.0", "rate is 0; wanted a number from 1e-06 to 100"),
    ("points.12.5", "points is 12.5; wanted a whole number"),
    ("seed.4294967296", "from 0 to 4294967295"),
    ("layers.8", "'8' where a layer"),
    ("layers.8Relu", "unknown activation 'Relu'"),
    ("layers.8SwiGLU", "unknown activation 'SwiGLU'"),
    ("layers.17ReLU", "units is 17"),
    ("layers." + "*".join(["1ReLU"] * 7), "7 hidden layers; wanted at most 6"),
    ("data.rings", "data is 'rings'; choose one of: circles"),
    ("task.regress", "'circles' can only classify"),
    ("changes.5", "'5' where a change"),
    ("changes.5-batch-3", "'batch' cannot change"),
    ("changes.5-rate-0.1*4-rate-0.2", "the step of a change is 4"),
    ("changes.5-l2-3", "l2 is 3"),
]


@pytest.mark.parametrize(("text", "message"), NONSENSE)
def test_nonsense_is_named(text, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        Setup.read(text)


def test_what_python_refuses_the_browser_names_and_goes_on_without():
    found = engine(
        "(E, texts) => texts.map((text) => E.readSetup(text).faults)", [text for text, _ in NONSENSE]
    )

    assert [len(faults) for faults in found] == [1] * len(NONSENSE)


# --- The run in torch ---------------------------------------------------------------------------------


@pytest.mark.parametrize("span", [1, 7, 40])
def test_the_schedules_are_those_of_torch(span):
    makers = {
        "step": lambda of: torch.optim.lr_scheduler.StepLR(of, span),
        "cosine": lambda of: torch.optim.lr_scheduler.CosineAnnealingLR(of, span),
        "warmup": lambda of: torch.optim.lr_scheduler.LinearLR(of, 1 / span, total_iters=span - 1),
    }
    for name, make in makers.items():
        optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
        schedule, setup = make(optimiser), Setup(schedule=name, span=span)
        for step in range(span + 1):
            assert optimiser.param_groups[0]["lr"] == pytest.approx(0.3 * setup.factor(step), abs=1e-12)
            optimiser.step()
            schedule.step()


def test_a_run_leaves_the_global_random_numbers_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)

    torch.manual_seed(0)
    Run(setup_of("STAF", dropout=0.3)).step()

    assert torch.equal(torch.rand(3), expected)


def test_what_cannot_be_told_is_refused():
    run = Run(Setup(data="sine", test=0.0))

    with pytest.raises(ValueError, match="a regression has no accuracy"):
        run.accuracy()
    with pytest.raises(ValueError, match="there are no test points"):
        run.loss("test")
    with pytest.raises(ValueError, match="choose 'train' or 'test'"):
        run.loss("all")
    with pytest.raises(ValueError, match="there are no own points"):
        Run(Setup(data="own"))
    with pytest.raises(ValueError, match="unknown purpose 'luck'"):
        Stream(0, "luck")
    with pytest.raises(TypeError, match="wanted a whole number"):
        Setup(batch=True)


# --- The widget, its presets and its notebook cell ----------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_its_words_and_the_shortest_text(name):
    preset = PRESETS[name]

    assert set(preset) == {"title", "about", "setup"}
    assert Setup.read(preset["setup"]).text() == preset["setup"]
    assert Playground(name).setup == preset["setup"]


def test_the_presets_do_what_they_say():
    steps, numbers = 1000, start_numbers()
    found = dict(
        zip(PRESETS, losses_of([one["setup"] for one in PRESETS.values()], steps, numbers), strict=True)
    )
    accuracy = {name: one["score"]["train"]["accuracy"] for name, one in found.items()}

    for name in ("circles", "xor", "gaussians", "spirals", "moons", "he-depth", "own"):
        assert accuracy[name] > 0.9, name
    assert found["sine"]["score"]["train"]["loss"] < 0.03
    guess = {name: math.log(2) for name in ("dead-relu", "sigmoid-depth", "zero-start", "saturated")}
    for name, loss in guess.items():
        assert accuracy[name] == 0.5
        assert found[name]["score"]["train"]["loss"] > loss - 0.01, name
    assert found["big-rate"]["trouble"]["step"] < 50
    assert all(preset["trouble"] is None for name, preset in found.items() if name != "big-rate")


def test_units_die_saturate_and_stay_at_zero_where_the_presets_say_so():
    texts = {name: PRESETS[name]["setup"] for name in ("dead-relu", "saturated", "zero-start")}
    found = engine(
        """(E, texts) => Object.values(texts).map((text) => {
            const run = new E.Run(E.readSetup(text).setup);
            while (run.at < 100) run.step();
            return [run.units().map(({ states }) => states), run.network.layers.map(({ weights }) => Math.max(...weights.map(Math.abs)))];
        })""",  # noqa: E501
        texts,
    )
    (dead, _), (saturated, _), (zero, weights) = found

    assert set(dead[2]) == set(zero[0]) == {"dead"}
    assert set(saturated[0] + saturated[1]) == {"saturated"}
    assert weights == [0, 0, 0]


def test_settings_of_ones_own_are_taken_as_text_and_as_a_setup():
    setup = Setup(data="moons", layers=[(4, "Snake")], rate=0.03)

    assert Playground(setup).setup == Playground(setup.text()).setup == setup.text()
    assert Playground("").setup == ""
    assert Playground("xor", controls=False, step=300).step == 300


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Playground("mooons"), "unknown preset 'mooons'; choose one of: circles, xor"),
        (lambda: Playground("data.mooons"), "data is 'mooons'"),
        (lambda: Playground("points.12.5"), "whole number"),
        (lambda: Playground(step=-1), "step is -1; wanted a whole number from 0"),
        (lambda: Playground(step=100_001), "step is 100001"),
        (lambda: Playground(7), "7"),
        (lambda: Playground(controls="no"), "controls"),
    ],
)
def test_a_widget_refuses_nonsense(wrong, message):
    with pytest.raises(traitlets.TraitError, match=message):
        wrong()


def test_what_the_page_gets_starts_the_learned_series_as_torch_does():
    numbers = Playground().data["numbers"]

    for name, found in numbers.items():
        module = ACTIVATIONS[name].factory().double()
        for key, value in module.named_parameters():
            assert (
                value.flatten().tolist() == torch.tensor(found[key], dtype=torch.float64).flatten().tolist()
            )
    assert set(Playground().data["presets"]) == set(PRESETS)


def test_the_engine_that_is_tested_is_the_one_that_the_widget_has():
    assert ENGINE[-1] == "playground_code.js"  # the last one that draws nothing
    assert Playground._esm.count("export default") == 1
    assert not re.search(r"^import\b", Playground._esm, re.M)


def test_the_html_carries_the_state_and_the_site_the_module():
    html = Playground("moons", step=20).static_html()

    content = json.loads(re.search(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)[1])

    assert Playground("moons", step=20).static_html() == html
    assert content["address"] == ["playground", "setup", "step"]
    assert content["library"] == "playground"
    assert set(content) & {"css", "module"} == set()
    assert (content["state"]["setup"], content["state"]["step"]) == (PRESETS["moons"]["setup"], 20)
    assert len(html) < 10_000


def test_the_scripts_of_its_page_fit_their_budget(root):
    mount = (root / "assets" / "mount-widgets.js").stat().st_size

    assert len(Playground._esm.encode()) + mount <= 150_000


def cell_of(setup, step):
    """The notebook cell that the page hands out, as Python without IPython's magic."""
    cell = engine("(E, [text, step]) => E.labsCode(E.readSetup(text).setup, step)", [setup.text(), step])
    return cell, TransformerManager().transform_cell(cell)


@pytest.mark.parametrize(
    "case", ["the start", "own points, regression", "no test points", "changes", "no hidden layer"]
)
def test_the_notebook_cell_runs_and_gives_the_losses_of_the_browser(case, browser_runs, capsys):
    setup, found = OTHERS[case], browser_runs[OTHERS[case]]
    names = {}

    exec(cell_of(setup, STEPS)[1], names)

    assert names["run"].losses == pytest.approx(found["losses"], rel=0, abs=1e-9)
    printed = capsys.readouterr().out
    assert printed.startswith(str(names["run"].model))
    shown = [float(word) for word in re.findall(r"\d+\.\d+(?:e-\d+)?$|(?<=loss )[\d.e-]+", printed, re.M)]
    assert found["score"]["train"]["loss"] == pytest.approx(shown[0], abs=1e-8)


def test_the_notebook_cell_sets_itself_up_on_colab_from_the_configured_repository(root):
    repository = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]

    cell, _ = cell_of(Setup(), 10)

    assert re.findall(r"git\+(\S+)", cell) == [repository]
    assert (
        cell.index('if "google.colab" in sys.modules:') < cell.index("%pip") < cell.index("from labs import")
    )
