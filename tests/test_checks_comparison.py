"""The checks of chapter 15 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math
from statistics import fmean, pstdev, stdev

import pytest
import torch

from labs.checks import Feedback
from labs.checks import comparison as check
from labs.data import load_digits
from labs.hooks import layer_gradients, layer_outputs
from labs.intervals import interval, prediction_interval
from labs.networks import SimpleNetwork
from labs.neurons import dead_fractions, dead_neuron_masks
from labs.seeds import set_seed
from labs.statistics import paired_comparison
from labs.training import evaluate, fit

T = {5: 2.776445, 8: 2.364624}  # Student's quantile by the number of values


def silent(*_):
    """What a starter does: nothing."""


FUNCTIONS = (check.linear_network, check.layer_report, check.fair_comparison, check.falls_inside)


@pytest.mark.parametrize(
    ("function", "starter"),
    [
        *((function, silent) for function in FUNCTIONS),
        (check.cures, {cure: ... for cure in check.CURES}),
        (check.uses_test_set, {letter: ... for letter in check.PROTOCOL}),
    ],
)
@pytest.mark.parametrize("untouched", ["starter", None, ...])
def test_the_starter_is_turned_away_kindly(function, starter, untouched, capsys):
    feedback = function(starter if untouched == "starter" else untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


def raises(*_):
    raise ZeroDivisionError("by zero")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_error_in_the_answer_is_told_and_not_raised(function, capsys):
    assert not function(raises).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("nonsense", ["text", [1, 2], object(), torch.zeros(7), True, {"a": 1}, (1, 2)])
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed


@pytest.mark.parametrize("nonsense", ["text", 7, [1, 2], object()])
def test_an_answer_that_is_nonsense_does_not_pass(nonsense):
    assert not check.cures(nonsense).passed
    assert not check.uses_test_set(nonsense).passed


# --- exercise 1

TRAIN, TEST = load_digits("train"), load_digits("test")


def trained(
    activation=None, *, epochs=6, fixed_seed=None, number=lambda model: evaluate(model, TEST).accuracy
):
    """A quick answer to exercise 1, of one small network per seed."""

    def function(seed):
        set_seed(seed if fixed_seed is None else fixed_seed)
        model = SimpleNetwork(activation, hidden_features=(32,))
        if epochs:
            fit(model, TRAIN, epochs=epochs, lr=0.01, batch_size=64, seed=0, progress=False)
        return model, number(model)

    return function


@pytest.mark.parametrize("rounded", [lambda a: a, lambda a: round(a, 3), torch.tensor])
def test_a_trained_linear_network_passes(rounded):
    assert check.linear_network(trained(number=lambda model: rounded(evaluate(model, TEST).accuracy))).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (trained("ReLU"), "there is an activation in it"),
        (trained(epochs=0), "not trained"),
        (trained(fixed_seed=3), "seeds 0 and 1 give the same network"),
        (trained(number=lambda model: 100 * evaluate(model, TEST).accuracy), "percentage"),
        (trained(number=lambda model: evaluate(model, TRAIN).accuracy), "accuracy on the training images"),
        (trained(number=lambda model: 1 - evaluate(model, TEST).accuracy), "share of errors"),
        (trained(number=lambda model: evaluate(model, TEST).loss), "test loss"),
        (trained(number=lambda model: round(360 * evaluate(model, TEST).accuracy)), "number of images"),
        (trained(number=lambda model: 0.1), "what guessing gives"),
        (trained(number=lambda model: 0.5), "not the accuracy of the model you return"),
        (lambda seed: evaluate(SimpleNetwork(None), TEST).accuracy, "return the pair"),
        (lambda seed: (SimpleNetwork(None, in_features=9), 0.9), "cannot be evaluated"),
    ],
)
def test_each_wrong_linear_network_gets_its_message(function, message, capsys):
    assert not check.linear_network(function).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def report(*, zeros=None, dead=None, gradient=None, rows=slice(None)):
    """An answer to exercise 2 in which some columns are computed in another way."""

    def function(model, data):
        outputs = layer_outputs(model, data.images)
        masks = list(dead_fractions(dead_neuron_masks(model, data)).values())
        gradients = list(layer_gradients(model, data.images, data.labels).values())
        found = []
        for i, a in enumerate(outputs.values()):
            found.append({
                "zeros": zeros(a) if zeros else (a == 0).float().mean().item(),
                "dead": dead(a) if dead else masks[i],
                "gradient": gradient(gradients[i]) if gradient else gradients[i].square().mean().sqrt().item(),
            })  # fmt: skip
        return found[rows]

    return function


def test_the_right_report_passes_also_by_name_and_as_tensors():
    right = report()
    by_name = lambda model, data: dict(enumerate(right(model, data)))  # noqa: E731
    tensors = report(zeros=lambda a: (a == 0).double().mean(), gradient=lambda g: (g**2).mean() ** 0.5)

    assert check.layer_report(right).passed
    assert check.layer_report(by_name).passed
    assert check.layer_report(tensors).passed


def leaves_training_mode(model, data):
    found = report()(model, data)
    model.train()
    return found


def first_batch_gradient(model, data):
    few = layer_gradients(model, data.images[:128], data.labels[:128])
    return [
        {**row, "gradient": g.square().mean().sqrt().item()}
        for row, g in zip(report()(model, data), few.values(), strict=False)
    ]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (report(zeros=lambda a: (a != 0).float().mean()), "share of outputs that are not zero"),
        (report(zeros=lambda a: 100 * (a == 0).float().mean()), "zeros: this is a percentage"),
        (
            report(zeros=lambda a: (a == 0).all(dim=0).float().mean()),
            "zeros: this is the share of dead units",
        ),
        (report(dead=lambda a: (a == 0).float().mean()), "counts zeros, not dead units"),
        (report(dead=lambda a: (a == 0).any(dim=0).float().mean()), "silent at least once"),
        (report(dead=lambda a: (a[:128] == 0).all(dim=0).float().mean()), "mask of one batch"),
        (report(dead=lambda a: 100 * (a == 0).all(dim=0).float().mean()), "dead: this is a percentage"),
        (report(dead=lambda a: (a == 0).all(dim=0).sum()), "number of units"),
        (report(gradient=lambda g: g.mean()), "mean of the gradient"),
        (report(gradient=lambda g: g.abs().mean()), "mean size of the entries"),
        (report(gradient=lambda g: g.square().mean()), "and then the root"),
        (report(gradient=lambda g: g.norm()), "norm of the whole matrix"),
        (report(gradient=lambda g: g.std()), "standard deviation"),
        (first_batch_gradient, "gradient of one batch"),
        (report(gradient=lambda g: 0.5), "wanted"),
        (report(rows=slice(2)), "got 2 rows for 3 hidden layers"),
        (leaves_training_mode, "leave it as it was"),
    ],
)
def test_each_wrong_report_gets_its_message(function, message, capsys):
    assert not check.layer_report(function).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def fair(
    *,
    tune_on="held-out",
    pick=max,
    tune_with=lambda tuning, seeds: tuning,
    report_with=lambda tuning, seeds: seeds,
    rate=None,
    judge=lambda own, relu: paired_comparison(own, relu).difference,
):
    """An answer to exercise 3 with one of its steps done in another way."""

    def function(run, names, rates, tuning_seeds, seeds):
        scores = {}
        for name in names:
            best = rate
            if rate is None:
                drawn = tune_with(tuning_seeds, seeds)
                means = {lr: fmean([run(name, lr, seed, tune_on) for seed in drawn]) for lr in rates}
                best = pick(means, key=means.get)
            scores[name] = [run(name, best, seed, "test") for seed in report_with(tuning_seeds, seeds)]
        return {name: judge(scores[name], scores["ReLU"]) for name in names if name != "ReLU"}

    return function


def differences(own, relu):
    return [a - b for a, b in zip(own, relu, strict=True)]


def around(mean, half):
    return mean, mean - half, mean + half


def by_hand(own, relu):
    d = differences(own, relu)
    return [fmean(d), fmean(d) - T[5] * stdev(d) / 5**0.5, fmean(d) + T[5] * stdev(d) / 5**0.5]


@pytest.mark.parametrize(
    "judge",
    [
        lambda own, relu: paired_comparison(own, relu).difference,
        lambda own, relu: interval(differences(own, relu)),
        by_hand,
    ],
)
def test_a_fair_comparison_passes(judge):
    assert check.fair_comparison(fair(judge=judge)).passed


def relu_rate_for_all(run, names, rates, tuning_seeds, seeds):
    def tuned(name):
        means = {lr: fmean([run(name, lr, seed, "held-out") for seed in tuning_seeds]) for lr in rates}
        return max(means, key=means.get)

    best = {name: tuned(name) for name in names}["ReLU"]
    scores = {name: [run(name, best, seed, "test") for seed in seeds] for name in names}
    return {name: interval(differences(scores[name], scores["ReLU"])) for name in names if name != "ReLU"}


def one_rate_less_for_relu(run, names, rates, tuning_seeds, seeds):
    scores = {}
    for name in names:
        tried = rates[:2] if name == "ReLU" else rates
        means = {lr: fmean([run(name, lr, s, "held-out") for s in tuning_seeds]) for lr in tried}
        scores[name] = [run(name, max(means, key=means.get), seed, "test") for seed in seeds]
    return {name: interval(differences(scores[name], scores["ReLU"])) for name in names if name != "ReLU"}


def scaled(factor):
    """The mean difference and ``factor`` standard deviations of the differences around it."""
    return lambda own, relu: around(fmean(differences(own, relu)), factor * stdev(differences(own, relu)))


def apart(own, relu):
    return around(fmean(own) - fmean(relu), 2.306004 * math.sqrt((stdev(own) ** 2 + stdev(relu) ** 2) / 5))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (fair(tune_on="test"), "these have chosen the rate"),
        (fair(rate=0.1), "nothing was tuned"),
        (fair(tune_with=lambda tuning, seeds: seeds), "seeds of the report were used for tuning"),
        (fair(tune_with=lambda tuning, seeds: tuning[:1]), "the tuning used one seed"),
        (fair(report_with=lambda tuning, seeds: [*seeds, *tuning]), "tuning seeds were used again"),
        (fair(report_with=lambda tuning, seeds: seeds[:1], judge=lambda own, relu: (0, 0, 0)), "one seed is one seed"),
        (fair(report_with=lambda tuning, seeds: seeds[:3]), "with every seed"),
        (fair(pick=min), "another rate was used"),
        (relu_rate_for_all, "all functions got the same rate"),
        (one_rate_less_for_relu, "not every function tried every rate"),
        (lambda run, *_: {"PReLU": (0, 0, 0), "ELU": (0, 0, 0)}, "run was never called"),
        (fair(judge=lambda own, relu: paired_comparison(relu, own).difference), "wrong sign"),
        (fair(judge=lambda own, relu: interval([100 * d for d in differences(own, relu)])), "per cent"),
        (fair(judge=lambda own, relu: prediction_interval(differences(own, relu))), "prediction interval"),
        (fair(judge=scaled(1)), "standard deviation for the standard error"),
        (fair(judge=scaled(5**-0.5)), "one standard error"),
        (fair(judge=scaled(1.96 * 5**-0.5)), "1.96 for five values"),
        (fair(judge=apart), "this is not paired"),
        (fair(judge=lambda own, relu: interval(own)), "the accuracy itself"),
        (fair(judge=lambda own, relu: fmean(differences(own, relu))), "give mean, low and high"),
        (fair(judge=lambda own, relu: (0.0, -1.0, 1.0)), "wanted"),
    ],
)  # fmt: skip
def test_each_unfair_comparison_gets_its_message(function, message, capsys):
    assert not check.fair_comparison(function).passed
    assert message in capsys.readouterr().out


# --- exercise 4

CURED = {
    "leak": "none",
    "He weights": "fewer",
    "zero biases": "fewer",
    "batch normalisation": "none",
    "lower learning rate": "about as many",
    "He weights, higher learning rate": "more",
}


def test_the_right_prediction_passes():
    assert check.cures(CURED).passed
    assert check.cures({cure: f" {word.capitalize()} " for cure, word in CURED.items()}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"leak": "fewer"}, "cannot be dead by this count"),
        ({"He weights": "none"}, "rarer, not impossible"),
        ({"zero biases": "about as many"}, "push all images the same way"),
        ({"batch normalisation": "more"}, "centres what every unit sees"),
        ({"lower learning rate": "fewer"}, "dead before the first step"),
        ({"He weights, higher learning rate": "fewer"}, "over to the silent side"),
        ({"leak": "a few"}, "'a few' is no answer"),
        ({"leak": ...}, "no guess yet"),
    ],
)
def test_each_wrong_prediction_gets_its_message(change, message, capsys):
    assert not check.cures({**CURED, **change}).passed
    assert message in capsys.readouterr().out


def test_the_network_without_a_change_has_a_third_of_its_units_dead_and_the_cures_do_what_they_should(
    one_thread,
):
    def dead_after_training(settings, lr, seed):
        set_seed(seed)
        model = SimpleNetwork(hidden_features=(64,) * 8, **settings)
        fit(model, TRAIN, epochs=5, lr=lr, batch_size=64, seed=seed, progress=False)
        return torch.cat(list(dead_neuron_masks(model, TRAIN).values())).float().mean().item()

    third = fmean(dead_after_training({"activation": "ReLU"}, 0.01, seed) for seed in range(3))

    def word(settings, lr):
        share = fmean(dead_after_training(settings, lr, seed) for seed in range(3))
        if share < 0.01:
            return "none"
        return "fewer" if share < 0.75 * third else "more" if share > 1.2 * third else "about as many"

    # over five seeds 0.33, and with the changes 0, 0.07, 0.14, 0, 0.32, 0.66
    assert 0.25 < third < 0.42
    assert {cure: word(change["network"], change["lr"]) for cure, change in check.CURES.items()} == CURED


# --- exercise 5


def reaching(half):
    """A function that calls inside what lies within ``half(values)`` of the mean."""
    return lambda values, new: abs(new - fmean(values)) <= half(values)


def test_the_prediction_interval_passes():
    def library(values, new):
        found = prediction_interval(values)
        return torch.tensor(found.low <= new <= found.high)

    assert check.falls_inside(library).passed
    assert check.falls_inside(reaching(lambda v: T[len(v)] * stdev(v) * math.sqrt(1 + 1 / len(v)))).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda values, new: interval(values).low <= new <= interval(values).high, "interval of the mean"),
        (reaching(lambda v: stdev(v) / len(v) ** 0.5), "one standard error"),
        (reaching(stdev), "one standard deviation"),
        (reaching(lambda v: 1.96 * stdev(v) / len(v) ** 0.5), "and 1.96 for t"),
        (reaching(lambda v: 1.96 * stdev(v) * math.sqrt(1 + 1 / len(v))), "1.96 for Student's t"),
        (reaching(lambda v: 1.96 * stdev(v)), "1.96 standard deviations"),
        (reaching(lambda v: 2 * stdev(v)), "two standard deviations"),
        (reaching(lambda v: T[len(v)] * stdev(v)), "mean is a guess too"),
        (reaching(lambda v: T[len(v)] * pstdev(v) * math.sqrt(1 + 1 / len(v))), "divides the squares by n"),
        (lambda values, new: min(values) <= new <= max(values), "range of the values so far"),
        (lambda values, new: not reaching(stdev)(values, new), "a value far away outside"),
        (reaching(lambda v: 7 * stdev(v)), "7.00 standard deviations"),
    ],
)  # fmt: skip
def test_each_wrong_interval_gets_its_message(function, message, capsys):
    assert not check.falls_inside(function).passed
    assert message in capsys.readouterr().out


# --- exercise 6

CHOOSING = dict.fromkeys("ACEG", False) | dict.fromkeys("BDFH", True)


@pytest.mark.parametrize(
    "answer", [CHOOSING, "BDFH", ["H", "F", "D", "B"], {k: int(v) for k, v in CHOOSING.items()}]
)
def test_the_right_judgement_passes(answer):
    assert check.uses_test_set(answer).passed


@pytest.mark.parametrize(
    ("letter", "message"),
    [
        ("A", "they are not the test images"),
        ("B", "the highest of 30 test accuracies"),
        ("C", "to look is not to choose"),
        ("D", "a run that fails is a result"),
        ("E", "the numbers come from training images"),
        ("F", "stops when it suits"),
        ("G", "what they are held out for"),
        ("H", "the width was chosen"),
    ],
)
def test_each_wrong_judgement_gets_its_message(letter, message, capsys):
    assert not check.uses_test_set({**CHOOSING, letter: not CHOOSING[letter]}).passed
    assert message in capsys.readouterr().out


def test_a_judgement_left_out_is_asked_for(capsys):
    assert not check.uses_test_set({**CHOOSING, "E": ...}).passed
    assert "E: no answer yet" in capsys.readouterr().out


def test_a_check_leaves_the_model_it_is_given_as_it_was():
    made = []

    def function(seed):
        model, number = trained()(seed)
        made.append((model, {name: p.clone() for name, p in model.state_dict().items()}))
        return model, number

    check.linear_network(function)

    for model, before in made:
        assert all(torch.equal(p, before[name]) for name, p in model.state_dict().items())
