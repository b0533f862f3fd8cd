"""Checks for the exercises of chapter 15, on comparing activation functions fairly."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from labs.checks import Feedback, Sheet, is_missing
from labs.data import ImageData, load_digits
from labs.hooks import layer_gradients, layer_outputs
from labs.networks import SimpleNetwork
from labs.neurons import dead_neuron_masks
from labs.statistics import interval, paired_comparison, prediction_interval
from labs.training import evaluate

# --- exercise 1: no activation at all


def linear_network(function: Callable[[int], tuple[nn.Module, float]]) -> Feedback:
    """Exercise 1: a trained network without activations, and its accuracy on the test images."""
    sheet = Sheet()
    if is_missing(function) or _silently(function, 0) in (None, ...):
        return sheet.not_yet()
    answers = [sheet.call(function, seed) for seed in (0, 1)]
    pairs = [_model_and_number(answer) for answer in answers]
    if None in pairs:
        sheet.wrong("that is not a model and a number", "return the pair: model, accuracy")
        return sheet.hand_back()
    (model, accuracy), (other, _) = pairs
    train, test = load_digits("train"), load_digits("test")
    try:
        found, on_train = evaluate(model, test), evaluate(model, train)
        x, y = test.images[:50].double(), test.images[50:100].double()
        f, zero = copy.deepcopy(model).double().eval(), torch.zeros_like(x)
        bend = (f(x + y) - f(x) - f(y) + f(zero)).abs().max() / f(x).abs().max()
    except Exception as error:
        hint = 'a SimpleNetwork(None, ...) fits load_digits("test")'
        sheet.wrong(f"the model cannot be evaluated: {type(error).__name__}: {error}", hint)
        return sheet.hand_back()
    linear = bool(bend < 1e-6)
    if linear:
        sheet.right("f(x + y) = f(x) + f(y) - f(0): there is no activation in it")
    else:
        sheet.wrong("f(x + y) is not f(x) + f(y) - f(0): there is an activation in it", "activation=None")
    learned = found.accuracy > 0.8
    if learned:
        sheet.right("it has learned")
    else:
        sheet.wrong(
            f"it gets {found.accuracy:.2f} of the test images right, which is not trained, or not for long",
            "call fit(model, train, ...) before you measure",
        )
    # On a busy machine the same training may end a few roundings apart; other seeds are far more than 1e-3 apart.
    pairs = zip(model.parameters(), other.parameters(), strict=False)
    same = all(torch.allclose(p, q.to(p), rtol=0, atol=1e-3) for p, q in pairs)
    if same:
        sheet.wrong("seeds 0 and 1 give the same network", "set_seed(seed) right above the network")
    mistakes = {
        "this is a percentage": (100 * found.accuracy, "an accuracy is a fraction from 0 to 1"),
        "this is the accuracy on the training images": (on_train.accuracy, "measure on load_digits('test')"),
        "this is the share of errors": (1 - found.accuracy, "the accuracy is what is left"),
        "this is the test loss": (found.loss, "evaluate(...) has .loss and .accuracy"),
        "this is the number of images": (found.accuracy * len(test), "divide by how many there are"),
    }
    if abs(accuracy - found.accuracy) < 6e-4:  # rounded to three digits is good enough
        sheet.right(f"{accuracy:.3f} is its accuracy on the test images")
    else:
        for finding, (value, hint) in mistakes.items():
            if abs(accuracy - value) < 6e-4 * max(1, abs(value)):
                sheet.wrong(finding, hint)
                return sheet.hand_back()
        if abs(accuracy - 0.1) < 0.02:
            sheet.wrong(
                f"{accuracy:.2f} is what guessing gives, but your network does not guess",
                "measure, do not take it from a book: evaluate(model, test).accuracy",
            )
        else:
            hint = "evaluate(model, test).accuracy, after the training"
            sheet.wrong(f"{accuracy:.3f} is not the accuracy of the model you return", hint)
    return sheet.hand_back()


def _model_and_number(answer: object) -> tuple[nn.Module, float] | None:
    if not isinstance(answer, (tuple, list)) or len(answer) != 2 or not isinstance(answer[0], nn.Module):
        return None
    number = _number(answer[1])
    return None if number is None or not math.isfinite(number) else (answer[0], number)


# --- exercise 2: what the activation changes

_KEYS = ("zeros", "dead", "gradient")


def layer_report(function: Callable[[nn.Module, ImageData], Sequence[Mapping[str, float]]]) -> Feedback:
    """Exercise 2: per hidden layer the share of zero outputs, the share of dead units, the size of the gradient."""
    sheet, data = Sheet(), load_digits(limit=600)
    torch.manual_seed(3)
    model = SimpleNetwork("ReLU", hidden_features=(40, 24, 16))
    if is_missing(function) or _silently(function, model, data) in (None, ...):
        return sheet.not_yet()
    model.eval()
    report = _rows(sheet.call(function, model, data))
    if report is None:
        hint = 'return a list of dictionaries, one per layer, with the keys "zeros", "dead" and "gradient"'
        sheet.wrong("that is no list with three numbers per layer", hint)
        return sheet.hand_back()
    outputs = list(layer_outputs(model, data.images).values())
    if len(report) != len(outputs):
        hint = "there are three hidden layers here: the last weight matrix leads to the logits, leave it out"
        sheet.wrong(f"got {len(report)} rows for {len(outputs)} hidden layers", hint)
        return sheet.hand_back()
    for key in _KEYS:
        _judge_column(sheet, key, [row[key] for row in report], model, data, outputs)
    linear = SimpleNetwork(None, hidden_features=(40, 24, 16))
    plain = _rows(sheet.call(function, linear, data))
    if plain is not None and len(plain) == 3 and all(row["dead"] == row["zeros"] == 0 for row in plain):
        sheet.right("without an activation nothing is zero and nobody is dead")
    else:
        sheet.wrong("it should work for SimpleNetwork(None) too", "layer_outputs knows what to look at there")
    if model.training:
        sheet.wrong("the model is in another mode than before", "leave it as it was")
    return sheet.hand_back()


def _judge_column(
    sheet: Sheet,
    key: str,
    given: list[float],
    model: nn.Module,
    data: ImageData,
    outputs: list[Tensor],
) -> None:
    """Note whether one column of the report is right, and which known mistake it is if not."""
    gradients = list(layer_gradients(model, data.images, data.labels).values())[:-1]
    few = slice(0, 128)
    batch = list(layer_gradients(model, data.images[few], data.labels[few]).values())[:-1]
    zeros = [(a == 0).float().mean().item() for a in outputs]
    dead = [mask.float().mean().item() for mask in dead_neuron_masks(model, data).values()]
    right = {"zeros": zeros, "dead": dead, "gradient": [g.square().mean().sqrt().item() for g in gradients]}
    praise = {
        "zeros": "zeros: about half of all outputs, which is what a ReLU is for",
        "dead": "dead: silent on every image, which is much rarer",
        "gradient": "gradient: the root of the mean square of the weight gradient",
    }
    mistakes = {
        "zeros": {
            "this is the share of outputs that are not zero": ([1 - z for z in zeros], "ask for == 0"),
            "this is a percentage": ([100 * z for z in zeros], "a share goes from 0 to 1"),
            "this is the share of dead units": (dead, "count every zero, of every unit on every image"),
        },
        "dead": {
            "this counts zeros, not dead units": (zeros, "dead is zero on all images: .all(dim=0) first, then the mean"),
            "this counts units that are silent at least once": ([(a == 0).any(dim=0).float().mean().item() for a in outputs], ".all(dim=0), not .any(dim=0)"),
            "this is the mask of one batch": ([(a[few] == 0).all(dim=0).float().mean().item() for a in outputs], "a unit that is silent on 128 images may speak on the 129th: use all of the data"),
            "this is a percentage": ([100 * d for d in dead], "a share goes from 0 to 1"),
            "this is a number of units": ([(a == 0).all(dim=0).float().sum().item() for a in outputs], "divide by how many there are"),
        },
        "gradient": {
            "this is the mean of the gradient": ([g.mean().item() for g in gradients], "positive and negative entries cancel in it: square first"),
            "this is the mean size of the entries": ([g.abs().mean().item() for g in gradients], "the task asks for the root of the mean square"),
            "this is the standard deviation": ([g.std().item() for g in gradients], "nearly the same here, but it takes the mean away first"),
            "this is the mean square": ([g.square().mean().item() for g in gradients], "and then the root"),
            "this is the norm of the whole matrix": ([g.norm().item() for g in gradients], "it grows with the number of weights: take the mean of the squares, not the sum"),
            "this is the gradient of one batch": ([g.square().mean().sqrt().item() for g in batch], "use all of the data"),
        },
    }  # fmt: skip
    if _close(given, right[key]):
        sheet.right(praise[key])
        return
    for finding, (wrong, hint) in mistakes[key].items():
        if _close(given, wrong):
            sheet.wrong(f"{key}: {finding}", hint)
            return
    hints = {
        "zeros": "(outputs == 0).float().mean()",
        "dead": "dead_neuron_masks(model, data), and the mean of each mask",
        "gradient": "layer_gradients(model, data.images, data.labels) has one entry per weight matrix",
    }
    sheet.wrong(f"{key}: got {_digits(given)}, wanted {_digits(right[key])}", hints[key])


def _rows(answer: object) -> list[dict[str, float]] | None:
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if not isinstance(answer, (list, tuple)):
        return None
    rows = []
    for row in answer:
        if not isinstance(row, Mapping):
            return None
        numbers = {key: _number(row.get(key)) for key in _KEYS}
        if None in numbers.values():
            return None
        rows.append(numbers)
    return rows


# --- exercise 3: a fair comparison

_RATES, _TUNING, _SEEDS = (0.01, 0.1, 1.0), (100, 101), (0, 1, 2, 3, 4)
_NAMES = ("ReLU", "PReLU", "ELU")
_BEST = {
    "held-out": {"ReLU": 0.1, "PReLU": 0.01, "ELU": 1.0},
    "test": {"ReLU": 1.0, "PReLU": 0.1, "ELU": 0.01},  # what a peek at the test set would choose
}
_WOBBLE = {  # by seed: what it does to all, and what it does to each
    0: (0.020, {"ReLU": 0.001, "PReLU": 0.004, "ELU": -0.002}),
    1: (-0.015, {"ReLU": -0.002, "PReLU": 0.001, "ELU": 0.003}),
    2: (0.004, {"ReLU": 0.003, "PReLU": -0.001, "ELU": 0.001}),
    3: (-0.009, {"ReLU": 0.000, "PReLU": 0.002, "ELU": -0.004}),
    4: (0.011, {"ReLU": -0.001, "PReLU": 0.003, "ELU": 0.002}),
}


def _fake_run(name: str, lr: float, seed: int, on: str) -> float:
    """An accuracy as a training would give it, in no time."""
    level = {"ReLU": 0.80, "PReLU": 0.81, "ELU": 0.805}[name]
    common, own = _WOBBLE.get(seed, (0.0, dict.fromkeys(_NAMES, 0.0)))
    return level + common + own[name] - 0.05 * (lr != _BEST[on][name])


def fair_comparison(function: Callable[..., Mapping[str, Sequence[float]]]) -> Feedback:
    """Exercise 3: tune on held-out data, report on the test set over fresh seeds, paired with ReLU."""
    sheet, calls = Sheet(), []

    def run(name: str, lr: float, seed: int, on: str) -> float:
        if on not in _BEST:
            raise ValueError(f'on is {on!r}; choose "held-out" or "test"')
        if name not in _NAMES:
            raise ValueError(f"unknown name {name!r}; choose one of: {', '.join(_NAMES)}")
        calls.append((name, lr, seed, on))
        return _fake_run(name, lr, seed, on)

    arguments = (run, _NAMES, _RATES, _TUNING, _SEEDS)
    if is_missing(function) or _silently(function, *arguments) in (None, ...):
        return sheet.not_yet()
    calls.clear()
    answer = sheet.call(function, *arguments)
    if not calls:
        sheet.wrong(
            "run was never called", "run(name, lr, seed, on) trains one network and returns its accuracy"
        )
        return sheet.hand_back()
    if not _judge_protocol(sheet, calls):
        return sheet.hand_back()
    if not isinstance(answer, Mapping) or not set(_NAMES) - {"ReLU"} <= set(answer):
        hint = 'return a dictionary {"PReLU": (mean, low, high), ...}, one entry for each name but ReLU'
        sheet.wrong(f"got {answer!r}", hint)
        return sheet.hand_back()
    for name in _NAMES[1:]:
        _judge_difference(sheet, name, answer[name])
    return sheet.hand_back()


def _judge_protocol(sheet: Sheet, calls: list[tuple[str, float, int, str]]) -> bool:
    """Say what the calls of ``run`` tell about the protocol; return whether it is fair."""
    tuned = [call for call in calls if call[3] == "held-out"]
    reported = [call for call in calls if call[3] == "test"]
    rates = {name: {lr for n, lr, _, _ in reported if n == name} for name in _NAMES}
    findings = (
        (not reported, "the test images were never looked at", 'report with run(..., "test")'),
        (any(len(found) > 1 for found in rates.values()), "several learning rates met the test images, so these have chosen the rate",
         'choose the rate with run(..., "held-out"), and only then call run(..., "test")'),
        (not tuned, "nothing was tuned: each function got a learning rate that somebody else liked",
         "for each name, the rate with the highest mean accuracy on the held-out images"),
        (any(set(_NAMES) - {n for n, lr, _, _ in tuned if lr == rate} for rate in _RATES), "not every function tried every rate",
         "the same budget for all: each name, each rate, each tuning seed"),
        ({seed for _, _, seed, _ in tuned} & set(_SEEDS), "seeds of the report were used for tuning", "tune with tuning_seeds; seeds are for the report alone"),
        ({seed for _, _, seed, _ in reported} & set(_TUNING), "the tuning seeds were used again in the report",
         "they have had a say in the choice of the rate, and it suits them"),
        ({seed for _, _, seed, _ in tuned} != set(_TUNING), "the tuning used one seed", "take the mean over all tuning seeds"),
        (len({seed for _, _, seed, _ in reported}) == 1, "one seed is one seed", "run every seed in seeds"),
        (any({s for n, _, s, _ in reported if n == name} != set(_SEEDS) for name in _NAMES), "not every function was run with every seed",
         "the same seeds for all: then what a seed does to all cancels in the differences"),
        (len(set.union(*rates.values())) == 1, "all functions got the same rate", "each has the rate that suits it: choose it for each name"),
        ({name: next(iter(found), None) for name, found in rates.items()} != _BEST["held-out"], "another rate was used than the best on the held-out images",
         "highest mean accuracy over the tuning seeds"),
    )  # fmt: skip
    for wrong, finding, hint in findings:
        if wrong:
            sheet.wrong(finding, hint)
            return False
    sheet.right(
        "each function has its own rate, chosen on held-out images with seeds that are not used again"
    )
    sheet.right("the test images were looked at once per seed, at the end")
    return True


def _judge_difference(sheet: Sheet, name: str, given: object) -> None:
    """Note whether ``given`` is the mean paired difference to ReLU with its interval."""
    own, relu = (
        [_fake_run(n, _BEST["held-out"][n], seed, "test") for seed in _SEEDS] for n in (name, "ReLU")
    )
    differences = [a - b for a, b in zip(own, relu, strict=True)]
    mean, low, high = paired_comparison(own, relu).difference
    n, sd = len(own), _deviation(differences)
    apart = math.sqrt((_deviation(own) ** 2 + _deviation(relu) ** 2) / n)
    mistakes = {
        "the differences have the wrong sign": ((-mean, -high, -low), f"{name} minus ReLU: positive if {name} is better"),
        "this is in per cent": ((100 * mean, 100 * low, 100 * high), "an accuracy is a fraction, and so is a difference"),
        "this is the prediction interval": (prediction_interval(differences), "it says where one further difference should fall; asked is the interval of the mean"),
        "this takes the standard deviation for the standard error": (_around(mean, sd), "the mean of n values scatters less by the root of n; then times Student's t"),
        "this is one standard error": (_around(mean, sd / math.sqrt(n)), "times 2.776, the quantile of Student's t for five values"),
        "this takes 1.96 for five values": (_around(mean, 1.96 * sd / math.sqrt(n)), "1.96 is for a known spread; with five values it is 2.776"),
        "this is not paired": (_around(mean, 2.306 * apart), "take the difference seed by seed first: what a seed does to both cancels"),
        "this is the accuracy itself": (tuple(interval(own)), "asked is the difference to ReLU"),
    }  # fmt: skip
    numbers = _three(given)
    if hasattr(given, "difference"):
        sheet.wrong(f"{name}: this is the whole comparison", "its .difference is the mean with the two ends")
    elif numbers is None:
        sheet.wrong(f"{name}: got {given!r}", "give mean, low and high")
    elif _close(numbers, (mean, low, high), 1e-6):
        sheet.right(f"{name}: {mean:+.4f}, from {low:+.4f} to {high:+.4f}")
    else:
        for finding, (wrong, hint) in mistakes.items():
            if _close(numbers, wrong, 2e-5 if "paired" in finding else 2e-6):
                sheet.wrong(f"{name}: {finding}", hint)
                return
        hint = "labs.statistics.paired_comparison(own, relu).difference"
        sheet.wrong(f"{name}: got {_digits(numbers)}, wanted {_digits((mean, low, high))}", hint)


def _around(mean: float, half: float) -> tuple[float, float, float]:
    return mean, mean - half, mean + half


def _three(given: object) -> tuple[float, ...] | None:
    if not isinstance(given, (tuple, list, Tensor)) or len(given) != 3:
        return None
    numbers = tuple(_number(value) for value in given)
    return None if None in numbers else numbers


# --- exercise 4: cures for dead units

#: The words to choose from in exercise 4.
WORDS = ("none", "fewer", "about as many", "more")
#: Exercise 4: what is changed in a ReLU network of eight hidden layers of which about a third of the units is dead.
CURES = {
    "leak": {"network": {"activation": "LeakyReLU"}, "lr": 0.01},
    "He weights": {"network": {"activation": "ReLU", "init": "he"}, "lr": 0.01},
    "zero biases": {"network": {"activation": "ReLU", "zero_bias": True}, "lr": 0.01},
    "batch normalisation": {"network": {"activation": "ReLU", "norm": "batch"}, "lr": 0.01},
    "lower learning rate": {"network": {"activation": "ReLU"}, "lr": 0.001},
    "He weights, higher learning rate": {"network": {"activation": "ReLU", "init": "he"}, "lr": 0.1},
}
_OUTCOMES = {
    "leak": ("none", "a leaky unit is zero only where its pre-activation is: it cannot be dead by this count"),
    "He weights": ("fewer", "larger weights let the images differ more, so that more units have some image that wakes them; and He weights alone make the dead rarer, not impossible"),
    "zero biases": ("fewer", "the biases push all images the same way; without them fewer units end up on the silent side for all"),
    "batch normalisation": ("none", "it centres what every unit sees over the batch, so that in each batch about half of the images are on its loud side"),
    "lower learning rate": ("about as many", "these units are dead before the first step: smaller steps cannot have caused it, and cannot mend it"),
    "He weights, higher learning rate": ("more", "large steps throw units over to the silent side, where no gradient brings them back: this is the one cause that the start cannot prevent"),
}  # fmt: skip


def cures(prediction: Mapping[str, str]) -> Feedback:
    """Exercise 4: how many units are dead after training, against the network with nothing changed?"""
    sheet = Sheet()
    if is_missing(prediction):
        return sheet.not_yet()
    if not isinstance(prediction, Mapping):
        sheet.wrong(f"got {prediction!r}", 'give a dictionary, such as {"leak": "none", ...}')
        return sheet.hand_back()
    if all(is_missing(prediction.get(cure)) for cure in _OUTCOMES):
        return sheet.not_yet()
    for cure, (right, reason) in _OUTCOMES.items():
        given = prediction.get(cure)
        if is_missing(given):
            sheet.wrong(f"{cure}: no guess yet", f"choose one of: {', '.join(WORDS)}")
        elif not isinstance(given, str) or given.strip().lower() not in WORDS:
            sheet.wrong(f"{cure}: {given!r} is no answer", f"choose one of: {', '.join(WORDS)}")
        elif given.strip().lower() == right:
            sheet.right(f"{cure}: {right}")
        else:
            sheet.wrong(f"{cure}: not {given.strip().lower()!r}", reason)
    return sheet.hand_back()


# --- exercise 5: where will the next seed fall?


def falls_inside(function: Callable[[Sequence[float], float], bool]) -> Feedback:
    """Exercise 5: does a new value lie in the 95 % prediction interval of the values before?"""
    sheet = Sheet()
    # Lopsided on purpose, so that the interval is not the range of the values.
    samples = ([0.783, 0.785, 0.791, 0.781, 0.788], [0.60, 0.62, 0.61, 0.65, 0.61, 0.63, 0.62, 0.60])
    if is_missing(function) or _silently(function, list(samples[0]), samples[0][0]) in (None, ...):
        return sheet.not_yet()
    widths = []
    for values in samples:
        mean, sd = math.fsum(values) / len(values), _deviation(values)

        def inside(steps: float, values=values, mean=mean, sd=sd) -> bool:
            return bool(function(list(values), mean + steps * sd))

        if sheet.call(inside, 0.0) is None:
            return sheet.hand_back()
        if not inside(0.0) or inside(50.0) or inside(-50.0):
            hint = "True means that the new value lies between the ends of the interval"
            sheet.wrong("the mean should be inside, and a value far away outside", hint)
            return sheet.hand_back()
        widths.append(tuple(_edge(inside, side) for side in (-1, 1)))
    if _is(widths, samples, lambda n, t: t * math.sqrt(1 + 1 / n)):
        sheet.right("t times s times the root of 1 + 1/n, on both sides of the mean")
        sheet.right("for five values that is about three standard deviations: one seed can be far off")
        return sheet.hand_back()
    mistakes = {
        "this is the interval of the mean": (lambda n, t: t / math.sqrt(n), "it says where the mean of very many seeds lies; one seed scatters far beyond it: 1 + 1/n in place of 1/n"),
        "this is one standard error": (lambda n, t: 1 / math.sqrt(n), "that is how well the mean is known, and not even at 95 %"),
        "this is one standard deviation": (lambda n, t: 1.0, "only about two thirds of the values lie there, and s itself is a guess from few values: Student's t knows"),
        "this takes the standard error for the standard deviation, and 1.96 for t": (lambda n, t: 1.96 / math.sqrt(n), "asked is where one seed falls, not the mean"),
        "this takes 1.96 for Student's t": (lambda n, t: 1.96 * math.sqrt(1 + 1 / n), "1.96 is for a spread that is known; from five values it is 2.776"),
        "this is 1.96 standard deviations": (lambda n, t: 1.96, "the spread and the mean are both guesses from few values: Student's t, and the root of 1 + 1/n"),
        "this is two standard deviations": (lambda n, t: 2.0, "the spread and the mean are both guesses from few values: Student's t, and the root of 1 + 1/n"),
        "this forgets that the mean is a guess too": (lambda n, t: t, "the root of 1 + 1/n: the 1 is for the new seed, the 1/n for the mean"),
        "this divides the squares by n": (lambda n, t: t * math.sqrt(1 + 1 / n) * math.sqrt((n - 1) / n), "the variance of a sample divides by n - 1"),
    }  # fmt: skip
    for finding, (width, hint) in mistakes.items():
        if _is(widths, samples, width):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    ranges = [((mean - min(v)) / _deviation(v), (max(v) - mean) / _deviation(v)) for v in samples for mean in [math.fsum(v) / len(v)]]  # fmt: skip
    if all(_close(a, b, 1e-3) for a, b in zip(widths, ranges, strict=True)):
        sheet.wrong(
            "this is the range of the values so far",
            "of six seeds, each is equally often the highest: a new one falls outside in a third of the cases",
        )
    else:
        sheet.wrong(
            f"for five values this reaches {widths[0][0]:.2f} standard deviations down and {widths[0][1]:.2f} up",
            "labs.statistics.prediction_interval(values) has .low and .high",
        )
    return sheet.hand_back()


def _edge(inside: Callable[[float], bool], side: int) -> float:
    """How many standard deviations the function reaches on one side, by halving."""
    low, high = 0.0, 50.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(side * middle) else (low, middle)
    return low


def _is(
    widths: Sequence[tuple[float, float]],
    samples: Sequence[Sequence[float]],
    width: Callable[[int, float], float],
) -> bool:
    """Whether the function reached ``width(n, t)`` standard deviations to both sides for all samples."""
    quantiles = (2.776445, 2.364624)  # Student's t for five and for eight values
    wanted = [width(len(values), t) for values, t in zip(samples, quantiles, strict=True)]
    return all(_close(found, (one, one), 1e-3) for found, one in zip(widths, wanted, strict=True))


# --- exercise 6: which choices use the test set?

#: Exercise 6: eight sentences from protocols.
PROTOCOL = {
    "A": "The learning rate of each function is the one with the highest accuracy on the last 10,000 training images.",
    "B": "We train for 30 epochs and report the epoch with the highest test accuracy.",
    "C": "The test curves are shown for all epochs; the last epoch counts.",
    "D": "One seed ended at 10 % test accuracy; we took it for an accident and replaced it.",
    "E": "The pixels are shifted and scaled by the mean and the standard deviation of the training images.",
    "F": "After five seeds the test accuracies were not clearly apart, so we ran three more and stopped when they were.",
    "G": "Training stops when the accuracy on held-out training images has not risen for three epochs.",
    "H": "With 256 units the new function lost on the test images, so the paper shows 512.",
}
_USES = {
    "A": (False, "the last 10,000 training images are held out, and they are not the test images"),
    "B": (True, "the highest of 30 test accuracies is chosen by the test set, and is too high by what chance gave that epoch"),
    "C": (False, "to look is not to choose: the last epoch counts whatever the curves say"),
    "D": (True, "the seed went because of its test accuracy; a run that fails is a result, and is reported"),
    "E": (False, "the numbers come from training images; the test images are only transformed with them"),
    "F": (True, "the number of seeds depends on the test accuracies, and whoever stops when it suits finds differences where there are none"),
    "G": (False, "the held-out images choose the epoch, which is what they are held out for"),
    "H": (True, "the width was chosen by what the test set said about it, even if the runs with 512 units are honest"),
}  # fmt: skip


def uses_test_set(answer: Mapping[str, bool]) -> Feedback:
    """Exercise 6: which of the eight sentences let the test images choose something?"""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    if isinstance(answer, (str, list, tuple, set)) and set(answer) <= set(_USES):
        answer = {letter: letter in answer for letter in _USES}  # the letters of those that do
    if not isinstance(answer, Mapping):
        sheet.wrong(
            f"got {answer!r}", 'give a dictionary such as {"A": True, ...}, or the letters, as in "ABC"'
        )
        return sheet.hand_back()
    if all(is_missing(answer.get(letter)) for letter in _USES):
        return sheet.not_yet()
    for letter, (right, reason) in _USES.items():
        given = answer.get(letter)
        if given not in (True, False):
            sheet.wrong(f"{letter}: no answer yet", "True if the test images choose something, False if not")
        elif bool(given) == right:
            sheet.right(f"{letter}: {'the test images choose' if right else 'they choose nothing'}")
        else:
            sheet.wrong(f"{letter}: think again", reason)
    return sheet.hand_back()


# --- small things


def _deviation(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _close(given: Sequence[float], wanted: Sequence[float], tolerance: float = 1e-5) -> bool:
    """Equal up to ``tolerance`` of the largest number wanted: gradients are small, percentages large."""
    room = tolerance * max(max(map(abs, wanted)), 1e-3)
    return len(given) == len(wanted) and all(abs(g - w) <= room for g, w in zip(given, wanted, strict=True))


def _digits(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        return None


def _silently(function: Callable, *arguments: object) -> object:
    """Return what ``function`` returns, or a marker that is neither ``None`` nor ``...`` if it raises."""
    try:
        result = function(*arguments)
    except Exception:
        return "raised"
    return "something" if result is not None and result is not ... else result
