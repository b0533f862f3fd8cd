"""Checks for the exercises of chapter 12, on initialisation and signal propagation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, quietly
from labs.seeds import make_generator

_Formula = Callable[..., float]
_Slip = tuple[Callable[[float], bool], str, str]

# --- exercise 1: all weights doubled

_DOUBLED = ("logits", "mean square of the logits", "slope", "changed classes")
_FACTORS = {"logits": 2.0**21, "mean square of the logits": 2.0**42, "slope": 2.0**20}
_WHY = {
    "logits": "logits: one factor of two for each of the 21 matrices",
    "mean square of the logits": "mean square: the square of that",
    "slope": "slope: a product in which one factor is missing, the weight itself",
}
_FACTOR_SLIPS: dict[str, dict[float, tuple[str, str]]] = {
    "logits": {
        2.0**20: ('"only the hidden layers count": the output layer has weights too', "how many matrices are there?"),
        2.0**42: ("this is the factor of the mean square", "the logits themselves are asked for here"),
        4.0**20: ("this is the mean square in the last hidden layer", "the logits themselves are asked for, one matrix further on"),
        2.0**10: ('"ReLU takes half of each factor away": it is the same half in both networks', "max(2z, 0) = 2 max(z, 0)"),
        2.0**10.5: ('"ReLU takes half of each factor away": it is the same half in both networks', "max(2z, 0) = 2 max(z, 0)"),
        21.0: ("this is the number of matrices", "each of them multiplies what the one before has left"),
        20.0: ("this is the number of hidden layers", "each of them multiplies what the one before has left"),
    },
    "mean square of the logits": {
        2.0**21: ('"the mean square grows like the signal": this is the factor of the logits', "a square is multiplied by the square of the factor"),
        2.0**40: ('"only the hidden layers count": the output layer has weights too', "how many matrices are there?"),
        2.0**20: ("this is the factor of the signal in the last hidden layer", "square it, and mind the output layer"),
        4.0: ("this is the factor of one layer", "each layer multiplies what the one before has left"),
        2.0**10.5: ("this is a root where a square should be", "a square is multiplied by the square of the factor"),
    },
    "slope": {
        2.0**21: ('"a gradient grows like the signal": one factor too many', "change the weight w itself: in the product that leads to the logit all factors but w are doubled"),
        2.0**19: ("one factor too few", "21 matrices, of which one is differentiated away"),
        2.0**42: ("this is the factor of the mean square of the logits", "the slope is a product of the OTHER weights"),
        1.0: ('"a slope does not depend on the scale": that is true of the slopes of ReLU only', "between the weight and the logit there are 20 more matrices, all doubled"),
        0.5: ("this is the answer for a network of one layer less, upside down", "between the weight and the logit there are 20 more matrices, all doubled"),
    },
}  # fmt: skip


def doubled_weights(answer: Mapping[str, object]) -> Feedback:
    """Exercise 1: what doubling all weights of a deep ReLU network does to logits, slopes and classes."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"logits": 3, ...}')
        return sheet.hand_back()
    for part in _DOUBLED:
        number = _number(sheet, part, answer.get(part), "a number, such as 3 or 3**7")
        if number is None:
            continue
        if part == "changed classes":
            _judge_classes(sheet, number)
        elif math.isclose(number, _FACTORS[part], rel_tol=0.01):
            sheet.right(_WHY[part])
        else:
            sheet.wrong(*_factor_slip(part, number))
    return sheet.hand_back()


def _factor_slip(part: str, number: float) -> tuple[str, str]:
    for wrong, (finding, hint) in _FACTOR_SLIPS[part].items():
        if math.isclose(number, wrong, rel_tol=0.01):
            return f"{part}: {finding}", hint
    if number == 2:
        hint = "each layer is doubled, and what comes in to be multiplied is larger already"
        return f'{part}: "everything is doubled, so the result is doubled"', hint
    if number in (40, 42):
        return f'{part}: "the factors add up"', "twice twice is four: they multiply"
    if math.isclose(number * _FACTORS[part], 1, rel_tol=0.01):
        return f"{part}: upside down", "the weights become larger, and so does this"
    if number > 0 and abs(math.log2(number) - round(math.log2(number))) < 1e-9:
        hint = "count the matrices on the way: twenty, and the output layer's"
        return f"{part}: a power of two, but not the right one, 2^{math.log2(number):.0f}", hint
    hint = "max(2z, 0) = 2 max(z, 0): a factor passes a ReLU unchanged. How many come together?"
    return f"{part}: not {number:g}", hint


def _judge_classes(sheet: Sheet, number: float) -> None:
    if number == 0:
        sheet.right("changed classes: none, for all logits of an image get the same factor")
    elif number < 0 or number > 1000:
        sheet.wrong(f"changed classes: {number:g} of 1000?", "a number from 0 to 1000")
    else:
        hint = "the class is the place of the largest logit, and a common factor above zero does not move it"
        sheet.wrong('changed classes: "a larger start gives other answers"', hint)


# --- exercise 2: the argument a

_INPUTS, _OUTPUTS = 300, 100
_LAWS = {"He": 2.0, "LeCun": 1.0, "Xavier": 2 * _INPUTS / (_INPUTS + _OUTPUTS)}
_NONE = {"none", "no", "impossible", "no such a", "never"}


def which_slope(answer: Mapping[str, object]) -> Feedback:
    """Exercise 2: the argument a with which kaiming_uniform_ draws the variances of He, of LeCun and of Xavier."""
    sheet, parts = Sheet(), (*_LAWS, "4/n")
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"He": 3, ...}')
        return sheet.hand_back()
    for part in parts:
        given = answer.get(part)
        if isinstance(given, str) and given.strip().lower() in _NONE:
            if part == "4/n":
                sheet.right("4/n: no a does it, since 2/(1 + a^2) is never above 2")
            else:
                sheet.wrong(f"{part}: there is an a", f"solve 2/(1 + a^2) = {_LAWS[part]:g}")
            continue
        number = _number(sheet, part, given, 'a number, or "none" if there is no such a')
        if number is not None:
            _judge_slope(sheet, part, number)
    return sheet.hand_back()


def _judge_slope(sheet: Sheet, part: str, a: float) -> None:
    """Note whether a draws the wanted variance, or what it draws instead."""
    drawn = 2 / (1 + a * a)
    wanted = _LAWS.get(part, 4.0)
    if part == "4/n":
        hint = 'the variance falls as a moves away from zero, to either side; write "none"'
        sheet.wrong(f"4/n: with a = {a:g} it is {drawn:.3g}/n, and 2/n is the most there is", hint)
    elif abs(drawn / wanted - 1) < (1e-6 if part == "He" else 3e-3):
        sheet.right(f"{part}: with a = {a:.3g} the variance is {drawn:.3g}/n")
    elif abs(a * a - 5) < 0.05:
        finding = '"PyTorch\'s default is He"' if part == "He" else "this is PyTorch's default"
        hint = f"its a = root of 5 gives 1/(3n), where {wanted:g}/n is wanted"
        sheet.wrong(f"{part}: {finding}", hint)
    elif part == "Xavier" and abs(drawn - 1) < 0.01:
        sheet.wrong('Xavier: "Xavier is 1/n"', "that is LeCun's; 2/(n + m), and here n = 300 is not m = 100")
    elif part == "Xavier" and abs(drawn - 0.5) < 0.01:
        hint = "kaiming_uniform_ divides by the number of INPUTS: g^2/300 = 2/400"
        sheet.wrong("Xavier: inputs and outputs have changed places", hint)
    elif part != "He" and abs(a - (2 / wanted - 1)) < 0.01 * a:
        sheet.wrong(f"{part}: this is a squared", "take the root")
    elif abs(a - wanted) < 0.01 or abs(a - math.sqrt(wanted)) < 0.01:
        hint = "a is the slope on the left of zero, and the gain comes out of it: g^2 = 2/(1 + a^2)"
        sheet.wrong(f'{part}: "a is the gain"; this a draws {drawn:.3g}/n', hint)
    else:
        sheet.wrong(f"{part}: with a = {a:g} the variance is {drawn:.4g}/n", f"{wanted:g}/n is wanted")


# --- exercise 3: a start in five lines

_GAIN = 1.5


def start(function: Callable[[nn.Module, float], object]) -> Feedback:
    """Exercise 3: give every linear layer and convolution weights of variance g^2/n and zero biases, in place."""
    sheet = Sheet()
    if is_missing(function):
        return sheet.not_yet()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = _plain()
        before = [p.detach().clone() for p in model.parameters()]
        returned = quietly(function, model, _GAIN)
        same = quietly(_unchanged, model, before)
        if same is True and is_missing(returned):
            return sheet.not_yet()
        if same is True and isinstance(returned, nn.Module):
            hint = "whoever calls it keeps the old network; write into p.data, or use nn.init under no_grad"
            sheet.wrong("a copy was started, and not the network itself", hint)
            return sheet.hand_back()
        if same is True and not _raised(returned):
            sheet.wrong(
                "the network is as it was", "the function has to change the weights of the network it gets"
            )
            return sheet.hand_back()
        _judge_start(sheet, function)
    return sheet.hand_back()


def _plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(400, 300), nn.Tanh(), nn.Linear(300, 120, bias=False))


def _unchanged(model: nn.Module, before: Sequence[Tensor]) -> bool:
    return all(torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))


def _judge_start(sheet: Sheet, function: Callable[[nn.Module, float], object]) -> None:
    model = _plain()
    owners = list(model.parameters())
    with torch.no_grad():
        model[0].bias.fill_(0.3)
    if not _called(sheet, function, model, _GAIN):
        return
    if quietly(lambda: all(a is b for a, b in zip(owners, model.parameters(), strict=True))) is not True:
        hint = (
            "an optimiser that was made before still holds the old ones; change the numbers, not the tensors"
        )
        sheet.wrong("the network has other parameters now", hint)
        return
    if not all(p.requires_grad and p.is_leaf for p in owners):
        sheet.wrong(
            "the parameters no longer ask for gradients", "torch.no_grad() around the lines is enough"
        )
        return
    finding = _wrong_law(model[0].weight, model[0].out_features, _GAIN)
    if finding is not None:
        sheet.wrong(*finding)
        return
    sheet.right("400 inputs, gain 1.5: the variance is g^2/n")
    finding = _wrong_law(model[2].weight, model[2].out_features, _GAIN)
    if finding is not None:
        sheet.wrong(f"the second layer: {finding[0]}", "all layers, each with its own n")
        return
    sheet.right("and in the second layer, which has no bias")
    if model[0].bias.abs().max() > 0:
        hint = '"biases start at zero anyway": in PyTorch they do not; nn.init.zeros_(layer.bias)'
        sheet.wrong("the biases are not zero", hint)
    else:
        sheet.right("the biases are zero")
    _judge_other_starts(sheet, function, model[0].weight.detach().clone())


def _judge_other_starts(sheet: Sheet, function: Callable[[nn.Module, float], object], first: Tensor) -> None:
    """Go on with other gains, nested modules, a convolution, modules that have to stay, and a second draw."""
    nested = nn.Sequential(nn.Sequential(nn.Linear(200, 300), nn.ReLU()), nn.Linear(300, 200))
    if _called(sheet, function, nested, 0.5):
        layers = (nested[0][0], nested[1])
        if any(_wrong_law(layer.weight, layer.out_features, 0.5) for layer in layers):
            hint = "model.modules() finds layers inside layers; a loop over the children does not"
            sheet.wrong("a layer inside a block, with gain 0.5, is not right", hint)
        else:
            sheet.right("layers inside a block, with another gain")
    image = nn.Sequential(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 10))
    if _called(sheet, function, image, 1.0):
        fields = image[0].weight
        if _near_ratio(fields.shape[1:].numel() * _variance(fields), 1.0) and not image[0].bias.any():
            sheet.right("a convolution: 32 channels times 3 times 3 are 288 inputs")
        elif _near_ratio(32 * _variance(fields), 1.0):
            hint = "a unit sees 32 channels in a field of 3 by 3: weight[0].numel() counts them"
            sheet.wrong("in a convolution the channels alone are counted", hint)
        else:
            sheet.wrong("a convolution is not right", "nn.Conv2d, too: n is weight[0].numel()")
    other = nn.Sequential(nn.Linear(30, 40), nn.LayerNorm(40), nn.PReLU(), nn.Linear(40, 10))
    with torch.no_grad():
        for p in (*other[1].parameters(), *other[2].parameters()):
            p.fill_(0.7)
    if _called(sheet, function, other, 1.0):
        kept = [*other[1].parameters(), *other[2].parameters()]
        if all(bool((p == 0.7).all()) for p in kept):
            sheet.right("a normalisation and a PReLU keep their numbers")
        else:
            hint = "only nn.Linear and nn.Conv2d; the weight of a PReLU is a slope, and one per unit multiplies in a normalisation"
            sheet.wrong("a normalisation or a PReLU was overwritten", hint)
    again = _plain()
    if _called(sheet, function, again, _GAIN):
        if torch.equal(again[0].weight.detach(), first):
            sheet.wrong("every call draws the same numbers", "leave the seed to whoever calls")
        else:
            sheet.right("a second call draws other numbers")


def _called(
    sheet: Sheet, function: Callable[[nn.Module, float], object], model: nn.Module, gain: float
) -> bool:
    """Call the student's function and note if it raises, or leaves a network that cannot be read."""
    try:
        function(model, gain)
    except Exception as error:
        name = type(error).__name__
        if "leaf" in str(error):
            hint = "put the lines under torch.no_grad(); nn.init does so by itself"
        elif isinstance(error, AttributeError) and "None" in str(error):
            hint = "a layer made with bias=False has None there"
        else:
            hint = "call it yourself on a small network"
        sheet.wrong(f"start stopped with {name}: {error}", hint)
        return False
    parameters = quietly(lambda: [p.detach().sum().item() for p in model.parameters()])
    if _raised(parameters) or not all(map(math.isfinite, parameters)):  # type: ignore[arg-type]
        sheet.wrong("the network holds numbers that are not finite", "variance g^2/n, mean 0")
        return False
    return True


def _variance(weight: Tensor) -> float:
    return weight.detach().double().square().mean().item()


def _near_ratio(ratio: float, wanted: float) -> bool:
    return abs(ratio / wanted - 1) < 0.05


def _wrong_law(weight: Tensor, outputs: int, gain: float) -> tuple[str, str] | None:
    """Return what is wrong with the law of a matrix of weights, or ``None`` if it is mean 0 and variance g^2/n."""
    weight = weight.detach().double()
    inputs = weight.shape[1]
    if len(weight[:, :3].unique(dim=0)) < len(weight):
        hint = '"the variance is all that matters": equal units get equal gradients and stay equal for ever'
        return "several units have the same weights", hint
    if len(weight[:3].T.unique(dim=0)) < inputs:
        return "all inputs of a unit get the same weight", "one draw for each weight"
    ratio = inputs * _variance(weight) / gain**2
    if abs(weight.mean().item()) > 6 * weight.std().item() / math.sqrt(weight.numel()):
        return "the mean is not zero", "a normal law with mean 0, or a uniform one from -r to r"
    if _near_ratio(ratio, 1.0):
        return None
    known = (
        (gain**2 / inputs, "g^2/n is used as the standard deviation", "the deviation is the root of the variance"),
        (1 / inputs, "the deviation is g/n", "the deviation is the root of the variance: g over the root of n"),
        (gain**2, "the deviation is g^2 over the root of n", "the root of g^2 is g"),
        (1 / gain, "the variance is g/n", "g^2/n"),
        (inputs / outputs, "n counts the outputs", "the inputs of a unit: weight.shape is (outputs, inputs)"),
        (2 * inputs / (inputs + outputs), 'this is Xavier\'s compromise, "Xavier is 1/n"', "n alone, without the outputs"),
        (1 / 3, "the variance is a third of g^2/n", "a uniform law from -r to r has the variance r^2/3; and PyTorch's own weights have 1/(3n)"),
        (1 / gain**2, "the gain is not used", "g^2/n"),
        (1 / (3 * gain**2), "PyTorch's own weights are still there", "overwrite the weights"),
        (2.0, "the variance is twice g^2/n", "He's 2 is the g^2 of ReLU: here g is given"),
        (2 / gain**2, "this is He's law, whatever g is", "g^2/n with the g that was given"),
    )  # fmt: skip
    for wrong, finding, hint in known:
        if _near_ratio(ratio, wrong):
            return finding, hint
    return (
        f"the variance is {ratio:.3g} times g^2/n",
        "nn.init.normal_(weight, std=...) with n = weight[0].numel()",
    )


# --- exercise 4: dropout


def kept_variance(function: Callable[[float], float]) -> Feedback:
    """Exercise 4: the weight variance that keeps the length of a ReLU layer with dropout in front."""
    cases = ((0.0,), (0.1,), (0.25,), (0.5,), (0.8,))
    mistakes: dict[str, tuple[_Formula, str]] = {
        "upside down: 2/(1 - p)": (lambda p: 2 / (1 - p), "that would be right without the division; what does dividing by 1 - p do to a square?"),
        '"dropout keeps the mean, so it keeps everything": He\'s 2 for every p': (lambda p: 2.0, "the mean of a stays; the mean of a^2 is (1 - p) times a^2 / (1 - p)^2"),
        "the square of 1 - p": (lambda p: 2 * (1 - p) ** 2, "the others are divided by 1 - p, and there are fewer of them"),
        "without the half that ReLU takes": (lambda p: 1 - p, "E[max(z, 0)^2] = q/2, as in He's rule"),
        "this is sigma_w": (lambda p: math.sqrt(2 * (1 - p)), "sigma_w^2 is asked for"),
        "p in the place of 1 - p": (lambda p: 2 * p, "p is the share that is zeroed"),
        "twice ReLU's half": (lambda p: 4 * (1 - p), "E[max(z, 0)^2] = q/2, once"),
        "the root of 1 - p": (lambda p: 2 * math.sqrt(1 - p), "sigma_w^2 multiplies squares"),
        "2 - p": (lambda p: 2 - p, "the factors multiply: (1 - p) times what was divided by (1 - p), squared"),
    }  # fmt: skip
    return _formula(
        function,
        cases,
        lambda p: 2 * (1 - p),
        mistakes,
        ("He's 2 where nothing is dropped", "2(1 - p): dropout makes the signal longer, so the weights have to be smaller"),
        "one unit: E[a^2] after dropout is (1 - p) * (a/(1 - p))^2 + p * 0, and ReLU keeps one half",
    )  # fmt: skip


def in_evaluation(function: Callable[[float, int], float]) -> Feedback:
    """Exercise 4: what the weights that keep the length in training do to it once dropout is switched off."""
    cases = ((0.0, 20), (0.1, 1), (0.5, 3), (0.2, 10), (0.5, 20), (0.8, 0))
    mistakes: dict[str, tuple[_Formula, str]] = {
        '"dividing by 1 - p makes evaluation the same as training": 1': (lambda p, n: 1.0, "it makes the MEAN the same; the weights were made for longer signals"),
        "upside down": (lambda p, n: (1 - p) ** -n, "nothing is dropped, nothing is divided: the square is smaller than in training"),
        "this is the factor of the signal": (lambda p, n: (1 - p) ** (n / 2), "the length is the mean square"),
        "this is the square of the length": (lambda p, n: (1 - p) ** (2 * n), "the length is the mean square already"),
        "one layer": (lambda p, n: 1 - p, "each layer takes its share"),
        "the layers' shares are added": (lambda p, n: 1 - n * p, "they multiply"),
        "the layers' shares are added up": (lambda p, n: n * (1 - p), "they multiply"),
        "without the half that ReLU takes": (lambda p, n: (2 * (1 - p)) ** n, "sigma_w^2 q / 2"),
        "p in the place of 1 - p": (lambda p, n: p**n, "p is the share that is zeroed"),
    }  # fmt: skip
    return _formula(
        function,
        cases,
        lambda p, n: (1 - p) ** n,
        mistakes,
        ("1 where nothing was dropped, and for no layers at all", "1 - p for each layer"),
        "put sigma_w^2 = 2(1 - p) into He's line, sigma_w^2 q / 2, and repeat it",
    )


def _formula(
    function: _Formula,
    cases: Sequence[tuple[float, ...]],
    right: _Formula,
    mistakes: Mapping[str, tuple[_Formula, str]],
    praise: Sequence[str],
    hint: str,
) -> Feedback:
    """Judge a function of numbers at several of them, and name the first known mistake that gives the same."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, *cases[1])):
        return sheet.not_yet()
    given = [_finite(quietly(function, *case)) for case in cases]

    def agrees(formula: _Formula, everywhere: bool = True) -> bool:
        wanted = [_finite(quietly(formula, *case)) for case in cases]
        return all(
            g is not None and math.isclose(g, w, rel_tol=1e-6, abs_tol=1e-9)
            for g, w in zip(given, wanted, strict=True)
            if everywhere or w is not None
        )

    if agrees(right):
        for line in praise:
            sheet.right(line)
        return sheet.hand_back()
    for finding, (formula, clue) in mistakes.items():
        if agrees(formula, everywhere=False):
            sheet.wrong(finding, clue)
            return sheet.hand_back()
    raised = [case for case in cases if _raised(quietly(function, *case))]
    if raised:
        if sheet.call(function, *raised[0]) is not None:
            sheet.wrong('your function returns the word "raised"', "a number")
        return sheet.hand_back()
    shown = "no number" if given[2] is None else f"{given[2]:.4g}"
    sheet.wrong(f"for {', '.join(f'{x:g}' for x in cases[2])} this gives {shown}", hint)
    return sheet.hand_back()


# --- exercise 5: chi from gradients

_SECRET = 2.5  # variance of the weights times their number of inputs
_DEPTH, _WIDTH, _EXAMPLES = 40, 128, 50


def gradients(seed: int) -> Tensor:
    """Return the mean squares of the gradients in a random tanh network of unknown weights, the first layer first.

    The network has forty hidden layers of 128 units and no biases; its inputs are standard normal.

    Args:
        seed: of the weights, the inputs and the gradient that arrives at the last layer.

    Returns:
        The mean over units and examples of the squared gradient at the pre-activations of each hidden layer.

    Shape:
        - Output: :math:`(40)`, doubles.

    Example:
        >>> gradients(0).shape
        torch.Size([40])
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # products this small are faster alone, on a busy machine by far
    try:
        return _gradients(make_generator(seed))
    finally:
        torch.set_num_threads(threads)


def _gradients(generator: torch.Generator) -> Tensor:
    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    a, weights, slopes = draw(_EXAMPLES, _WIDTH), [], []
    for _ in range(_DEPTH):
        weights.append(math.sqrt(_SECRET / _WIDTH) * draw(_WIDTH, _WIDTH))
        a = torch.tanh(a @ weights[-1].T)
        slopes.append(1 - a**2)
    delta = slopes[-1] * draw(_EXAMPLES, _WIDTH)
    squares = [delta.square().mean()]
    for W, slope in zip(weights[:0:-1], slopes[-2::-1], strict=True):
        delta = slope * (delta @ W)
        squares.append(delta.square().mean())
    return torch.stack(squares[::-1])


def chi_from(function: Callable[[Tensor, int], float]) -> Feedback:
    """Exercise 5: the factor per layer of a gradient's mean square on the way back, from several networks."""
    sheet = Sheet()
    steady = _falling([1.5], 6, 0)
    if is_missing(function) or is_missing(quietly(function, steady.clone(), 0)):
        return sheet.not_yet()
    for promise, squares, skip in (
        ("a single network with the factor 1.5", steady, 0),
        ("a factor below one, and two layers only", _falling([0.25], 2, 0), 0),
        ("the first three layers are left out", _falling([1.2], 9, 3), 3),
        ("two networks, with the factors 0.5 and 2", _falling([0.5, 2.0], 7, 0), 0),
        ("three networks, two layers left out", _falling([1.1, 1.3, 0.9], 12, 2), 2),
    ):
        copy = squares.clone()
        result = quietly(function, copy, skip)
        found, wanted = _finite(result), _chi(squares, skip)
        if not torch.equal(copy, squares):
            sheet.wrong("your function changes what it is given", "no assignment into squares")
            return sheet.hand_back()
        if found is not None and math.isclose(found, wanted, rel_tol=1e-6):
            sheet.right(promise)
            continue
        if _raised(result):
            sheet.call(function, copy, skip)
        sheet.wrong(f"{promise}: {_shown(result)}", _chi_slip(found, squares, skip))
        return sheet.hand_back()
    return sheet.hand_back()


def _falling(factors: Sequence[float], layers: int, odd: int) -> Tensor:
    """Mean squares that grow by a factor per layer towards the first, and by another one in the first few."""
    layer = torch.arange(layers - 1, -1, -1, dtype=torch.float64)
    rows = [3.0 * (k + 1) * factor**layer for k, factor in enumerate(factors)]
    squares = torch.stack(rows)
    if odd:
        squares[:, :odd] *= 0.6 ** torch.arange(odd, 0, -1, dtype=torch.float64)
    return squares


def _chi(squares: Tensor, skip: int) -> float:
    steps = squares.shape[1] - 1 - skip
    return ((squares[:, skip] / squares[:, -1]).log().mean() / steps).exp().item()


def _chi_slip(found: float | None, squares: Tensor, skip: int) -> str:
    """Return a hint that names what was done in place of the mean factor per layer."""
    if found is None:
        return "one number: the factor per layer, over all networks"
    wanted, steps = _chi(squares, skip), squares.shape[1] - 1 - skip
    kept = squares[:, skip:]
    whole = (kept[:, 0] / kept[:, -1]).log().mean().item()
    each = (kept[:, 0] / kept[:, -1]) ** (1 / steps)
    known = (
        (_chi(squares, 0), "all layers are taken: leave out the first ones, as many as the second argument says"),
        (1 / wanted, "upside down: chi is the factor on the way BACK, from a layer to the one below it"),
        (math.sqrt(wanted), "this is the factor of the gradient itself: chi belongs to its mean SQUARE, and that is what you were given"),
        (wanted**2, "the squares are given already: no square is needed"),
        (math.exp(whole / (steps + 1)), "between n layers lie n - 1 steps"),
        (math.log(wanted), "this is the logarithm: take the exponential at the end"),
        (math.exp(whole), "this is the change over all layers: take the root"),
        (each.mean().item(), "a mean of the factors; the mean of their LOGARITHMS is asked for: 0.5 and 2 cancel"),
        ((kept[:, 0].mean() / kept[:, -1].mean()).item() ** (1 / steps), "the mean was taken before the logarithm: the loudest network decides it"),
        (each[0].item(), "only the first network is used"),
        (each[-1].item(), "only the last network is used"),
    )  # fmt: skip
    for wrong, hint in known:
        if math.isclose(found, wrong, rel_tol=1e-6):
            return hint
    return "log(first kept layer / last layer), mean over the networks, divided by the steps, exponential"


def secret_start(answer: Mapping[str, object]) -> Feedback:
    """Exercise 5: chi of the unknown network, the variance of its weights, and what it does to near inputs."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"chi": 0.5, ...}')
        return sheet.hand_back()
    chi = _number(sheet, "chi", answer.get("chi"), "a number from your measurement")
    if chi is not None:
        _pick(sheet, "chi", chi, (1.163, 1.183), "chi: about 1.17, chaotic", _CHI_SLIPS,
              ("not what these gradients say", "chi_from, with the first ten layers left out and twenty seeds"))  # fmt: skip
    variance = _number(sheet, "weight variance", answer.get("weight variance"), "a number")
    if variance is not None:
        _pick(sheet, "weight variance", variance, (2.4, 2.6), "weight variance: 2.5, as drawn", _SECRET_SLIPS,
              ("at this variance another chi is predicted", "predicted(variance) has to give the chi that you measured"))  # fmt: skip
    given = answer.get("near inputs")
    if is_missing(given):
        sheet.wrong("near inputs: no answer yet", 'one of the words "part" and "merge"')
    elif not isinstance(given, str) or given.strip().lower() not in ("part", "merge"):
        sheet.wrong(f"near inputs: {_shown(given)} is not an answer", 'one of the words "part" and "merge"')
    elif given.strip().lower() == "part":
        sheet.right("near inputs: they part, for it is the same chi")
    else:
        hint = '"gradients say nothing about inputs": 1 - c grows by chi per layer on the way in, and chi is above one'
        sheet.wrong("near inputs: they do not merge", hint)
    return sheet.hand_back()


def _between(low: float, high: float) -> Callable[[float], bool]:
    return lambda number: low <= number <= high


_CHI_SLIPS: tuple[_Slip, ...] = (
    (_between(1.135, 1.163), '"the first layers are like all others": something has pulled it down', "plot the squares: the inputs are longer than the length at rest, where tanh is flatter; leave some ten layers out"),
    (_between(1.075, 1.09), "this is the factor of the gradient itself", "chi belongs to the mean square"),
    (_between(0.845, 0.885), "upside down", "gradients are larger in the first layer than in the last: they grow on the way back"),
    (_between(0.1, 0.2), "this is the logarithm", "chi is its exponential"),
    (_between(20, 1e4), "this is the change over all layers", "chi is the factor of one"),
)  # fmt: skip
_SECRET_SLIPS: tuple[_Slip, ...] = (
    (_between(1.12, 1.2), '"the slope of tanh is one, so chi is the weight variance"', "it is one at zero only; at the length where the signal rests E[f'^2] is about one half"),
    (_between(2.2, 2.4), "a little too small", "is the measured chi still pulled down by the first layers?"),
    (_between(1.55, 1.62), "this is sigma_w", "its square is asked for"),
    (_between(0.0185, 0.0205), "this is the variance of a single weight", "times the number of inputs, 128"),
    (_between(0.8, 1.05), "at a variance of at most one, chi is at most one", "these gradients grow on the way back"),
)  # fmt: skip


def _pick(
    sheet: Sheet, part: str, number: float, room: tuple[float, float], praise: str,
    slips: Sequence[_Slip], otherwise: tuple[str, str],
) -> None:  # fmt: skip
    """Note whether a number lies in its room, or which known slip it is."""
    if room[0] <= number <= room[1]:
        sheet.right(praise)
        return
    for met, finding, hint in slips:
        if met(number):
            sheet.wrong(f"{part}: {finding}", hint)
            return
    sheet.wrong(f"{part}: {number:g} is {otherwise[0]}", otherwise[1])


# --- exercise 6: a length that does not stand


class _Step:
    """A map of lengths that counts its calls and refuses to go on for ever."""

    def __init__(self, rule: Callable[[float], float]) -> None:
        self.rule, self.calls = rule, 0

    def __call__(self, length: float) -> float:
        self.calls += 1
        if self.calls > 2000:
            raise RuntimeError("asked for more than 2000 layers")
        return self.rule(length)


def _there_and_back(length: float) -> float:
    return 20.0 if length < 5 else 1.0


def _to_nothing(length: float) -> float:
    if length == 0:
        raise ValueError("got length=0; wanted a number above zero")
    return 0.0


#: name of a map, the map, the most layers, and how many are held
_CASES: tuple[tuple[str, Callable[[float], float], int, int], ...] = (
    ("a length that doubles", lambda q: 2 * q, 100, 4),
    ("a length that halves", lambda q: q / 2, 100, 4),
    ("one that grows by one half", lambda q: 1.5 * q, 100, 6),
    ("one that falls to three tenths", lambda q: 0.3 * q, 100, 2),
    ("one that stays: as many layers as there are", lambda q: q, 37, 37),
    ("fewer layers than would be held", lambda q: 2 * q, 3, 3),
    ("one layer only", lambda q: 2 * q, 1, 1),
    ("one that is lost at once", lambda q: 100 * q, 100, 1),
    ("one that leaves and comes back has left", _there_and_back, 50, 1),
    ("one that becomes zero", _to_nothing, 50, 1),
)


def layers_held(function: Callable[[Callable[[float], float], int], int]) -> Feedback:
    """Exercise 6: the number of layers before the length leaves a tenth to ten."""
    sheet = Sheet()
    if is_missing(function) or is_missing(quietly(function, _Step(lambda q: 2 * q), 100)):
        return sheet.not_yet()
    given = [_finite(quietly(function, _Step(rule), most)) for _, rule, most, _ in _CASES]
    whole = [right for *_, right in _CASES]
    if given != whole:
        for shift, finding in ((1, "one layer too many"), (-1, "one layer too few")):
            if given[:4] == [right + shift for right in whole[:4]]:
                hint = "the first layer has length 1 and counts; the layer that is outside does not"
                sheet.wrong(finding, hint)
                return sheet.hand_back()
        if given[0] == 4 and given[1] == 100:
            sheet.wrong("only what grows is stopped", "a tenth is a bound too")
            return sheet.hand_back()
        if given[0] == 100 and given[1] == 4:
            sheet.wrong("only what dies is stopped", "ten is a bound too")
            return sheet.hand_back()
    for (name, rule, most, right), found in zip(_CASES, given, strict=True):
        if found == right:
            sheet.right(name)
        elif found is None:
            result = sheet.call(function, _Step(rule), most)
            sheet.wrong(f"{name}: no number, {_shown(result)}", _held_hint(name))
            return sheet.hand_back()
        else:
            sheet.wrong(f"{name}: {found:g} layers where {right} are held", _held_hint(name))
            return sheet.hand_back()
    return sheet.hand_back()


def _held_hint(name: str) -> str:
    if "stays" in name or "fewer" in name or "only" in name:
        return "stop at the most, whatever the length is"
    if "comes back" in name:
        return "stop at the first layer outside; do not count those inside"
    if "zero" in name:
        return "look at the length before you ask for the next one"
    return "1, step(1), step(step(1)), ...: count until one of them is outside"


def unstable_length(answer: Mapping[str, object]) -> Feedback:
    """Exercise 6: how long a GELU is held, by two decimals, by four, per decimal, and in real layers of 64 units."""
    sheet = Sheet()
    if is_missing(answer) or _untouched(answer):
        return sheet.not_yet()
    if not isinstance(answer, Mapping):
        sheet.wrong(f"got {_shown(answer)}", 'give a dictionary such as {"two decimals": 10, ...}')
        return sheet.hand_back()
    for part, (room, praise, slips, hint) in _HELD.items():
        number = _number(sheet, part, answer.get(part), "a number from your measurement")
        if number is not None:
            _pick(sheet, part, number, room, f"{part}: {praise}", slips, ("not what we find", hint))
    return sheet.hand_back()


_NEIGHBOUR = "a length that grows gains at most a fifth per layer, one that dies loses up to two fifths: try the number above, too"
_HELD: dict[str, tuple[tuple[float, float], str, tuple[_Slip, ...], str]] = {
    "two decimals": (
        (32.5, 33.5),
        "33 layers, at 1.54",
        (
            (_between(29.5, 30.5), '"the best rounded number is the gain, rounded"', _NEIGHBOUR),
            (_between(100, math.inf), '"the gain holds it": only with all its digits, and only in theory', "two decimals, such as 1.53"),
            (_between(14, 16.5), "this is what one decimal holds", "1.5 or 1.6 have one; try 1.53 and its neighbours"),
            (_between(2, 8.5), "this is what He's or PyTorch's law holds", "search near the gain, 1.5335"),
            (_between(1.5, 1.6), "this is the deviation", "the number of layers is asked for"),
        ),
        "layers_held, for the numbers with two decimals near the gain, 1.5335",
    ),
    "four decimals": (
        (66.5, 67.5),
        "67 layers, at 1.5336",
        (
            (_between(64.5, 65.5), '"the best rounded number is the gain, rounded"', _NEIGHBOUR),
            (_between(150, math.inf), '"the gain holds it": only with all its digits, and only in theory', "four decimals, such as 1.5335"),
            (_between(1.5, 1.6), "this is the deviation", "the number of layers is asked for"),
        ),
        "layers_held, for the numbers with four decimals near the gain, 1.5335",
    ),
    "layers per decimal": (
        (15.5, 18.6),
        "some 17: a small deviation grows by 14 per cent per layer, and 1.144^17 is ten",
        (
            (_between(90, 1e9), '"ten times as exact, ten times as many layers"', "compare the two numbers above: two decimals more have added how many?"),
            (_between(30, 38), "this is for two decimals", "for one"),
            (_between(9.5, 10.5), "this is the factor of the exactness", "how many layers does it buy?"),
            (_between(1.1, 1.2), "this is the growth of a deviation per layer", "after how many layers has it become ten?"),
        ),
        "the difference of the two numbers above, for one decimal",
    ),
    "width 64": (
        (9, 17.5),
        "a dozen: the noise of 64 units does what a wrong second decimal does",
        (
            (_between(25, math.inf), '"real networks follow the maps": these are layers without end', "network(1.54, 64, seed), and the median over a hundred seeds"),
            (_between(17.6, 25), "more than typical", "the median, over a hundred seeds or more; a mean is carried by the lucky ones"),
            (_between(0, 8.9), "fewer than typical", "1.53 or 1.54 in networks of width 64"),
        ),
        "network(1.54, 64, seed), and the median over a hundred seeds",
    ),
}  # fmt: skip


# --- small things


def _number(sheet: Sheet, part: str, given: object, wanted: str) -> float | None:
    """Return a student's number, or note that there is none."""
    number = _finite(given)
    if is_missing(given):
        sheet.wrong(f"{part}: no answer yet", wanted)
    elif number is None:
        sheet.wrong(f"{part}: {_shown(given)} is no number", wanted)
    return number


def _raised(result: object) -> bool:
    return isinstance(result, str) and result == "raised"


def _untouched(answer: object) -> bool:
    """Whether a dictionary holds nothing but gaps."""
    return isinstance(answer, Mapping) and all(is_missing(value) for value in answer.values())


def _finite(value: object) -> float | None:
    """Return a student's number if it is one and finite; a truth value is none."""
    if isinstance(value, (bool, str, bytes, complex)) or is_missing(value):
        return None
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else None


def _shown(value: object) -> str:
    """Return an answer as text, short, whatever it is."""
    text = quietly(repr, value)
    text = text if isinstance(text, str) else "something"
    return text if len(text) <= 60 else text[:57] + "..."
