"""Checks for the exercises of chapter 6, on depth and nonlinearity."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from labs.checks import Feedback, Sheet, is_missing
from labs.checks.answers import as_number, as_tensor, quietly

#: The five linear networks of exercise 1: their widths from the input to the output.
WIDTHS = {
    "A": (8, 5),
    "B": (8, 64, 5),
    "C": (8, 3, 5),
    "D": (8, 64, 3, 64, 5),
    "E": (8, 5, 5, 5, 5),
}

Layers = Sequence[nn.Linear]
Affine = tuple[Tensor, Tensor]


def largest_ranks(answer: Sequence[float]) -> Feedback:
    """Exercise 1a: the largest rank of the folded matrix of each of the five networks."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    given = as_tensor(answer)
    if given is None or given.shape != (5,):
        sheet.wrong("that is not one number per network", "give five numbers, such as [1, 2, 3, 4, 5]")
        return sheet.hand_back()

    widths = list(WIDTHS.values())
    right = [min(w) for w in widths]
    mistakes = {
        "this counts the parameters": ([_parameters(w) for w in widths], "W' has five rows whatever is behind it, so five is the most"),
        "this takes the widest layer": ([max(w) for w in widths], "the rank of a product is at most that of EACH factor: the narrowest decides"),
        "this overlooks the bottleneck": ([5] * 5, "in C and D everything has to pass through three numbers"),
        "this leaves out the output": ([min(w[:-1]) for w in widths], "W' has five rows, one per output"),
        "this looks at the last matrix only": ([min(w[-2:]) for w in widths], "every factor sets a limit, also one further down"),
        "this looks at the first matrix only": ([min(w[:2]) for w in widths], "every factor sets a limit, also one further up"),
        "this counts the layers": ([len(w) - 1 for w in widths], "the widths set the rank; the number of layers does not"),
    }  # fmt: skip
    if given.tolist() == right:
        sheet.right("the narrowest width sets the rank, input and output included")
        return sheet.hand_back()
    for finding, (wrong, hint) in mistakes.items():
        if given.tolist() == wrong:
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    if given.tolist()[1:] == [min(w[1:-1]) for w in widths[1:]]:
        hint = "W' has eight columns and five rows: it cannot have rank 64"
        sheet.wrong("this takes the narrowest HIDDEN layer, and forgets the input and the output", hint)
        return sheet.hand_back()
    off = [name for name, a, b in zip(WIDTHS, given.tolist(), right, strict=True) if a != b]
    sheet.wrong(
        f"not right for {', '.join(off)}", "write the matrices below each other: which side is smallest?"
    )
    return sheet.hand_back()


def same_family(answer: Sequence[str]) -> Feedback:
    """Exercise 1b: the five networks in groups; those in a group compute the same functions."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    groups = _groups(answer)
    if groups is None:
        sheet.wrong(f"got {answer!r}", 'give a list of words, such as ["AB", "CDE"]')
        return sheet.hand_back()
    letters = sorted("".join("".join(group) for group in groups))
    if letters != list(WIDTHS):
        sheet.wrong("each of A, B, C, D and E has to be in exactly one group", 'for instance ["AB", "CDE"]')
        return sheet.hand_back()

    mistakes = {
        ("ABCDE",): (
            "all in one group: this forgets that a bottleneck takes functions away",
            "all of them compute W'x + b', but C and D only with a W' of rank three or less",
        ),
        ("A", "B", "C", "D", "E"): (
            'five groups: this is "the number of parameters is the capacity"',
            "without a nonlinearity B can do nothing that A cannot: it is W'x + b' as well",
        ),
        ("A", "BC", "DE"): (
            'these are groups of equal depth: this is "more layers are always more powerful"',
            "without a nonlinearity the number of layers does not matter; which W' can occur?",
        ),
        ("AB", "CD", "E"): (
            "E is not on its own",
            "five outputs need a rank of five, and no layer of E is narrower than that",
        ),
        ("ABE", "C", "D"): (
            "C and D belong together",
            "the wide layers of D do not bring back what its bottleneck has taken away, and they take nothing",
        ),
        ("A", "BE", "CD"): ("A is not on its own", "B and E fold into one layer, and A is one layer"),
        ("AE", "B", "CD"): ("B is not on its own", "a rank of 64 is not to be had: W' has five rows"),
        ("ACE", "BD"): ("these are groups of equal WIDEST layers", "the narrowest width decides"),
    }  # fmt: skip
    if groups == _groups(["ABE", "CD"]):
        sheet.right("A, B and E: all affine maps from eight numbers to five")
        sheet.right("C and D: those whose matrix has rank three or less")
        return sheet.hand_back()
    for wrong, (finding, hint) in mistakes.items():
        if groups == _groups(wrong):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    sheet.wrong(
        "these are not the groups", "two networks compute the same functions if the same W' can occur"
    )
    return sheet.hand_back()


def fold(function: Callable[[Layers, float, float], Affine]) -> Feedback:
    """Exercise 2: one affine map from linear layers with f(z) = cz + d between them."""
    sheet = Sheet()
    shapes = (
        ("two layers", (3, 4, 2), 0.5, -1.0),
        ("three square layers", (3, 3, 3, 3), -2.0, 0.3),
        ("one layer: no activation follows the last", (3, 2), 2.0, 1.0),
        ("the identity, c = 1 and d = 0", (5, 2, 4, 1, 3), 1.0, 0.0),
        ("c = 0: every input gives the same output", (2, 3, 2), 0.0, 2.0),
    )
    cases = [(_layers(widths, seed), c, d) for seed, (_, widths, c, d) in enumerate(shapes)]
    if is_missing(function) or is_missing(quietly(function, *copy.deepcopy(cases[0]))):
        return sheet.not_yet()

    handed = copy.deepcopy(cases)
    given = [_pair(quietly(function, *case)) for case in handed]
    if all(_agree(g, _folded(*case)) for g, case in zip(given, cases, strict=True)):
        for promise, *_ in shapes:
            sheet.right(promise)
        if any(
            not torch.equal(p, q)
            for (new, *_), (old, *_) in zip(handed, cases, strict=True)
            for a, b in zip(new, old, strict=True)
            for p, q in zip(a.parameters(), b.parameters(), strict=True)
        ):
            sheet.wrong(
                "the layers were changed", "compute new tensors; +=, *= and copy_ write into the old ones"
            )
        return sheet.hand_back()
    for finding, (wrong, hint) in _FOLD_MISTAKES.items():
        if all(_agree(g, _pair(quietly(wrong, *case))) for g, case in zip(given, cases, strict=True)):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    for (promise, *_), case, found in zip(shapes, cases, given, strict=True):
        wanted = _folded(*case)
        if _agree(found, wanted):
            sheet.right(promise)
        elif found is None and is_missing(sheet.call(function, *copy.deepcopy(case))):
            break
        elif found is None or [f.shape for f in found] != [w.shape for w in wanted]:
            shapes_wanted = " and ".join(str(tuple(w.shape)) for w in wanted)
            sheet.wrong(f"{promise}: that is not a pair of shapes {shapes_wanted}", "return weight, bias")
        else:
            off = [
                n for n, f, w in zip(("weight", "bias"), found, wanted, strict=True) if not _agree([f], [w])
            ]
            sheet.wrong(
                f"{promise}: wrong {' and '.join(off)}", "put c (W x + b) + d into the next layer, on paper"
            )
    return sheet.hand_back()


def zigzag(coefficients: Sequence[float], thresholds: Sequence[float]) -> Feedback:
    """Exercise 3a: three ReLU units whose sum goes up, down and up again between 0 and 1."""
    sheet = Sheet()
    if is_missing(coefficients) or is_missing(thresholds):
        return sheet.not_yet()
    v, t = as_tensor(coefficients), as_tensor(thresholds)
    if (
        v is None
        or t is None
        or v.shape != (3,)
        or t.shape != (3,)
        or not (v.isfinite() & t.isfinite()).all()
    ):
        sheet.wrong("that is not three coefficients and three thresholds", "give two lists of three numbers")
        return sheet.hand_back()
    ends = torch.cat([t[(t > 1e-6) & (t < 1 - 1e-6)], torch.tensor([0.0, 1.0]).double()]).unique()
    heights = _units(v, t, ends)
    if len(ends) == 4 and _close(heights, [0.0, 1.0, 0.0, 1.0]):
        sheet.right("up, down and up, each time all the way between 0 and 1")
        _, second, third, _ = ends.tolist()  # exact slopes, as 0.333 is meant to be a third
        slopes = torch.tensor([0.0, 1 / second, -1 / (third - second), 1 / (1 - third)]).double()
        kinks = torch.tensor([0.0, second, third]).double()
        counts = [_pieces(slopes.diff(), kinks, layers) for layers in range(1, 6)]
        if counts == [3**layers for layers in range(1, 6)]:
            sheet.right(f"one to five layers have {', '.join(map(str, counts))} pieces")
        else:
            sheet.wrong(f"one to five layers have {counts} pieces", "move the thresholds away from the ends")
        return sheet.hand_back()

    thirds = torch.tensor([0.0, 1 / 3, 2 / 3]).double()
    sorted_v, sorted_t = v[t.argsort()], t.sort().values
    if _close(sorted_t, thirds) and _close(sorted_v, [3, -3, 3]):
        finding, hint = "these are the slopes", "a coefficient is a CHANGE of slope: what makes 3 into -3?"
    elif _close(sorted_t, thirds) and _close(sorted_v, [-3, 6, -6]):
        finding, hint = "upside down: this goes to -1", "turn all signs round"
    elif _close(sorted_t, thirds) and sorted_v[0] > 0 and _close(sorted_v / sorted_v[0], [1, -2, 2]):
        finding = f"the zigzag has the right shape and the wrong height, {heights.max():.2f}"
        hint = "the next layer folds everything only if each piece runs over the whole of [0, 1]"
    elif _close((-t).sort().values, thirds) and not _close(t, thirds):
        finding, hint = (
            "these are the biases",
            "max(0, x - t) has its kink at t: turn the signs of the thresholds",
        )
    elif len(ends) < 4:
        finding, hint = f"this has {len(ends) - 1} pieces at most", "two thresholds have to lie inside (0, 1)"
    else:
        finding = f"at {_show(ends)} this has the heights {_show(heights)}"
        hint = "the heights should be 0, 1, 0, 1; begin with the slope of each piece"
    sheet.wrong(finding, hint)
    return sheet.hand_back()


def price(function: Callable[[int, int], tuple[int, int]]) -> Feedback:
    """Exercise 3b: hidden units for k ** layers pieces, in a tower of k-unit layers and in one single layer."""
    sheet = Sheet()
    cases = ((2, 10), (3, 5), (4, 3), (3, 1), (1, 4))
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    given = [sheet.call(function, *case) for case in cases]
    pairs = [as_tensor(pair) for pair in given]
    if any(pair is None or pair.shape != (2,) for pair in pairs):
        sheet.wrong("that is not a pair of numbers", "return units of the tower, units of the single layer")
        return sheet.hand_back()

    def matches(which: int, formula: Callable[[int, int], float]) -> bool:
        wanted = [formula(*case) for case in cases]
        return all(abs(pair[which].item() - w) < 1e-6 for pair, w in zip(pairs, wanted, strict=True))

    tower = {
        "the tower: layers multiply PIECES, and their units add up": (lambda k, n: k**n, "n layers of k units: how many units?"),
        "the tower: this counts the layers": (lambda k, n: n, "k units in each of the layers"),
    }  # fmt: skip
    flat = {
        "the single layer: one unit too many": (lambda k, n: k**n, "a line without a kink is one piece already"),
        "the single layer: this takes the bound, not what the tower has": (lambda k, n: (k + 1) ** n - 1, "the tower of zigzags has k ** layers pieces; the bound (k + 1) ** layers is not reached"),
        "the single layer: as many units as the tower": (lambda k, n: k * n, "in ONE layer each unit adds one kink, and does not multiply"),
        "the single layer: base and exponent changed places": (lambda k, n: n**k - 1, "each LAYER multiplies the pieces by k"),
        "the single layer: one kink more than pieces": (lambda k, n: k**n + 1, "pieces = kinks + 1: solve for the kinks"),
    }  # fmt: skip
    parts = (
        (0, lambda k, n: k * n, tower, "the tower: k units per layer", "the tower: k units, layers times"),
        (1, lambda k, n: k**n - 1, flat, "the single layer: one kink fewer than pieces", "h units give at most h + 1 pieces"),
    )  # fmt: skip
    for which, right, mistakes, praise, hint in parts:
        if matches(which, right):
            sheet.right(praise)
            continue
        known = [(finding, advice) for finding, (wrong, advice) in mistakes.items() if matches(which, wrong)]
        name = ("the tower", "the single layer")[which]
        found = [pair[which].item() for pair in pairs]
        sheet.wrong(
            *(known[0] if known else (f"{name}: for (k, layers) in {cases} this gives {found}", hint))
        )
    return sheet.hand_back()


def best_width(answer: float) -> Feedback:
    """Exercise 3c: which k gives most pieces with twelve units."""
    mistakes = {
        1: ('twelve layers of one unit: this is "more layers are always more powerful"', "one ReLU cannot fold: 1 ** 12 pieces"),
        2: ("six layers of two give 2 ** 6 = 64 pieces", "is there a k with k ** (12 / k) larger than that?"),
        4: ("three layers of four give 4 ** 3 = 64 pieces", "is there a k with k ** (12 / k) larger than that?"),
        6: ("two layers of six give 6 ** 2 = 36 pieces", "more layers, each of fewer units"),
        12: ("one layer of twelve gives 12 pieces", "here depth does pay: fold more often"),
        81: ("that is the number of pieces", "which k gives it?"),
    }  # fmt: skip
    praise = "four layers of three: 3 ** 4 = 81 pieces, and 64 for two and for four units"
    return _choice(answer, 3, praise, mistakes, "k is a divisor of twelve: compare k ** (12 / k)")


def units_needed(function: Callable[[float, float, float], int]) -> Feedback:
    """Exercise 4a: how many units the broken line needs, by the bound, for a given largest error."""
    sheet = Sheet()
    cases = (
        (4 * math.pi**2, 1.0, 0.01),
        (8.0, 1.0, 1 / 64),
        (2.0, 3.0, 0.001),
        (1.0, 1.0, 0.01),
        (9.0, 0.5, 0.3),
    )
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    given = [as_number(sheet.call(function, *case)) for case in cases]

    def agrees(candidate: Callable[..., float]) -> bool:
        wanted = [candidate(*case) for case in cases]
        return all(g is not None and abs(g - w) < 1e-6 for g, w in zip(given, wanted, strict=True))

    def exact(m: float, length: float, error: float) -> float:
        return length * math.sqrt(m / (8 * error))

    mistakes = {
        "this is not a whole number": (exact, "there is no fraction of a unit: round up"),
        "rounded down": (lambda *a: math.floor(exact(*a)), "with one unit too few the error is too large: round up"),
        "rounded down, but at least one": (lambda *a: max(1, math.floor(exact(*a))), "with one unit too few the error is too large: round up"),
        "rounded to the nearest": (lambda *a: round(exact(*a)), "that may be one unit too few: round up"),
        "one unit too many where the root is a whole number": (lambda *a: math.floor(exact(*a)) + 1, "math.ceil leaves a whole number as it is"),
        "one unit too many": (lambda *a: math.ceil(exact(*a)) + 1, "h units make h intervals, and the line through h + 1 points"),
        "the root is missing": (lambda m, s, e: math.ceil(s * s * m / (8 * e)), "the length of an interval enters squared: (length / h) ** 2"),
        "the length of the interval is missing": (lambda m, s, e: math.ceil(math.sqrt(m / (8 * e))), "an interval has the length (b - a) / h"),
        "the length is under the root, without its square": (lambda m, s, e: math.ceil(math.sqrt(s * m / (8 * e))), "(length / h) ** 2 * M / 8 = error: solve for h"),
        "the 8 is missing": (lambda m, s, e: math.ceil(s * math.sqrt(m / e)), "the bound is M / 8 times the square of the interval"),
        "2 in place of 8": (lambda m, s, e: math.ceil(s * math.sqrt(m / (2 * e))), "(x - p)(q - x) is at most a QUARTER of the squared interval"),
    }  # fmt: skip
    if agrees(lambda *a: math.ceil(exact(*a))):
        sheet.right("23 units for the wave of the chapter and an error of 0.01")
        sheet.right("rounded up, and only where it has to be")
        straight = as_number(sheet.call(function, 0.0, 1.0, 0.1))
        if straight == 1:
            sheet.right("a straight line needs one unit")
        else:
            sheet.wrong(
                f"for a straight line, M = 0, this gives {straight}", "a slope needs a unit: at least one"
            )
        return sheet.hand_back()
    for finding, (wrong, hint) in mistakes.items():
        if agrees(wrong):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    sheet.wrong(
        f"for (M, length, error) in {_rounded(cases)} this gives {given}",
        "(length / h) ** 2 * M / 8 = error: solve for h",
    )
    return sheet.hand_back()


def growth(smooth: float, root: float) -> Feedback:
    """Exercise 4b: by which factor the units grow for a quarter of the error, for a wave and for a square root."""
    sheet = Sheet()
    if is_missing(smooth) and is_missing(root):
        return sheet.not_yet()
    wave, kink = as_number(smooth), as_number(root)
    known_wave = {
        4.0: ("the wave: this would be an error that falls like 1 / h", "it falls like 1 / h ** 2: twice the units, a quarter of the error"),
        16.0: ("the wave: the square the wrong way round", "twice the units already give a quarter"),
        0.5: ("the wave: the number of units has to grow", "units afterwards divided by units before"),
        2**0.5: ("the wave: this halves the error", "a quarter is asked for"),
    }  # fmt: skip
    known_root = {
        2.0: ("the root: this is the rate for a bounded second derivative", "that of the root grows without bound at 0, so the bound says nothing: measure"),
        4.0: ("the root: this halves the error", "a quarter is asked for: 4 times the units, and again"),
        8.0: ("the root: measure once more", "compare the errors with 4, 16 and 64 units"),
        1 / 16: ("the root: the number of units has to grow", "units afterwards divided by units before"),
    }  # fmt: skip
    parts = (
        (wave, 2.0, known_wave, "the wave: twice the units for a quarter of the error", "compare 16 units with 32", "the wave"),
        (kink, 16.0, known_root, "the root: sixteen times the units for a quarter of the error", "compare 4 units with 64", "the root"),
    )  # fmt: skip
    for value, right, mistakes, praise, hint, name in parts:
        if value is None or not math.isfinite(value):
            sheet.wrong(f"{name}: no number yet", hint)
        elif math.isclose(value, right, rel_tol=0.08):
            sheet.right(praise)
        else:
            near = [texts for wrong, texts in mistakes.items() if math.isclose(value, wrong, rel_tol=0.08)]
            sheet.wrong(*(near[0] if near else (f"{name}: {value:g} is not it", hint)))
    return sheet.hand_back()


def error_floor(function: Callable[[Callable[[Tensor], Tensor], int], float]) -> Feedback:
    """Exercise 5a: root mean square distance on [-1, 1] from the polynomials of a degree or less."""
    sheet = Sheet()
    cases = (
        (_magnitude, 2),
        (_sine, 3),
        (_cube, 3),
        (_cube, 2),
        (_exponential, 0),
        (_exponential, 1),
        (_magnitude, 5),
    )
    if is_missing(function) or is_missing(quietly(function, *cases[0])):
        return sheet.not_yet()
    given = [as_number(sheet.call(function, *case)) for case in cases]

    def agrees(candidate: Callable[..., float]) -> bool:
        return all(
            g is not None and math.isclose(g, candidate(*case), rel_tol=0.03, abs_tol=2e-3)
            for g, case in zip(given, cases, strict=True)
        )

    mistakes = {
        'no floor at all: this is "any nonlinear function will do"': (lambda f, k: 0.0, "a polynomial of degree two has three coefficients, and |x| is not among them"),
        "the root is missing": (lambda f, k: _rest(f, k).square().mean().item(), "root mean square: take the square root at the end"),
        "this is the largest error": (lambda f, k: _rest(f, k).abs().max().item(), "root mean square, over the whole interval"),
        "this is the mean absolute error": (lambda f, k: _rest(f, k).abs().mean().item(), "root mean square: square before the mean, root after it"),
        "the highest power is missing": (lambda f, k: _rms(_rest(f, k - 1)), "degree k has the powers 0 to k: range(k + 1)"),
        "one power too many": (lambda f, k: _rms(_rest(f, k + 1)), "degree k has the powers 0 to k: range(k + 1)"),
        "the constant is missing": (lambda f, k: _rms(_rest(f, k, lowest=1)), "the powers begin with x ** 0"),
        "this is the highest power alone": (lambda f, k: _rms(_rest(f, k, lowest=k)), "all powers from 0 to the degree, together"),
        "this is the size of F, not what is left of it": (lambda f, k: _rms(f(_GRID)), "subtract the best polynomial first"),
    }  # fmt: skip
    if agrees(lambda f, k: _rms(_rest(f, k))):
        sheet.right("|x| and degree two: 0.072, the floor of the chapter")
        sheet.right("the sine, the exponential, and an x ** 3 that degree three hits exactly")
        return sheet.hand_back()
    for finding, (wrong, hint) in mistakes.items():
        if agrees(wrong):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    shown = [g if g is None else round(g, 4) for g in given]
    wanted = [round(_rms(_rest(*case)), 4) for case in cases]
    sheet.wrong(
        f"|x| and degree 2, sin and 3, x ** 3 and 3, 2, exp and 0, 1, |x| and 5: {shown}, wanted {wanted}",
        "a grid on [-1, 1], one column per power, torch.linalg.lstsq, and the rest",
    )
    return sheet.hand_back()


def cubes(width: float, degree: float) -> Feedback:
    """Exercise 5b: from which width cubes sit on their floor, and the degree of two hidden layers of cubes."""
    sheet = Sheet()
    if is_missing(width) and is_missing(degree):
        return sheet.not_yet()
    known_width = {
        2: ("width: this is where SQUARES arrive", "a cubic polynomial has one coefficient more"),
        4: ("width: one unit too many", "four coefficients, but the output layer has a bias of its own: measure"),
        1: ("width: one cube and a constant are two columns", "a cubic polynomial has four coefficients"),
        128: ("width: it is reached long before", "go through the widths one by one"),
    }  # fmt: skip
    known_degree = {
        6: ("degree: the layers do not add their degrees", "a cube of a polynomial of degree three: multiply"),
        8: ("degree: base and exponent changed places", "degree k per layer, H layers: k ** H"),
        3: ("degree: that is one layer", "the second layer cubes polynomials of degree three"),
        27: ("degree: that is three layers", "two hidden layers: 3 ** 2"),
        4: ("degree: that is two layers of squares", "here k = 3"),
    }  # fmt: skip
    parts = (
        (width, 3, known_width, "width: three cubes and a constant span all cubic polynomials", "width: how many coefficients has a cubic polynomial, and which of them does the output bias bring?"),
        (degree, 9, known_degree, "degree: the cube of a cube is a ninth power", "degree: k ** H"),
    )  # fmt: skip
    for value, right, mistakes, praise, hint in parts:
        number = as_number(value)
        if number == right:
            sheet.right(praise)
        else:
            head, _, advice = hint.partition(": ")
            sheet.wrong(*mistakes.get(number, (f"{head}: {value!r} is not it", advice)))
    return sheet.hand_back()


def solved(function: Callable[[Sequence[nn.Module], Tensor, Tensor], int]) -> Feedback:
    """Exercise 6a: how many networks answer all four corners, each with a lead of at least 0.1."""
    sheet = Sheet()
    xor, conjunction, alternative = [0, 1, 1, 0], [0, 0, 0, 1], [0, 1, 1, 1]
    whole, weak, tie, three, none = [2.0] * 4, [2, 2, 2, 0.01], [0.0] * 4, [5, 5, 5, -1], [-2.0] * 4
    cases = (
        ("two networks that know all corners", [whole, whole], xor, 2),
        ("no network at all", [], xor, 0),
        ("three corners out of four are not a solution", [whole, three, three], xor, 1),
        ("one corner out of four is none either", [[9, -1, -1, -2], [-4, -4, -4, 1]], xor, 0),
        ("a tie is no answer", [tie, whole, tie], xor, 1),
        ("a lead of 0.01 is too small", [weak, whole], xor, 1),
        ("a lead of 0.2 is enough", [[0.2] * 4, none], xor, 1),
        ("all four wrong", [none, none], xor, 0),
        ("other labels: AND", [whole, three, whole, whole], conjunction, 3),
        ("other labels: OR", [none, whole, weak], alternative, 1),
    )
    corners = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

    def arguments(leads: Sequence[Sequence[float]], labels: Sequence[int]) -> tuple:
        wanted = torch.tensor(labels)
        return (
            [_Corners(torch.tensor(lead, dtype=torch.float32), wanted) for lead in leads],
            corners.clone(),
            wanted,
        )

    if is_missing(function) or is_missing(quietly(function, *arguments(cases[0][1], xor))):
        return sheet.not_yet()
    given = [as_number(quietly(function, *arguments(leads, labels))) for _, leads, labels, _ in cases]
    if given == [wanted for *_, wanted in cases]:
        for promise, *_ in cases:
            sheet.right(promise)
        return sheet.hand_back()

    def count(rule: Callable[[Tensor, Tensor], float]) -> list[float]:
        """What a function counts that takes this for a solved network."""
        return [
            float(sum(rule(torch.tensor(lead, dtype=torch.float32), torch.tensor(labels)) for lead in leads))
            for _, leads, labels, _ in cases
        ]

    mistakes = {
        "this counts corners, not networks": (lambda lead, y: int((lead > 0.1).sum()), "one network counts once, if all of its corners are right"),
        "this averages over the corners": (lambda lead, y: bool(lead.mean() > 0.1), "three large leads hide a wrong corner: .all(), not .mean()"),
        "one right corner is enough here": (lambda lead, y: bool((lead > 0.1).any()), ".all(), not .any()"),
        "this counts every tie and every tiny lead": (lambda lead, y: bool((lead >= 0).all()), "a network that says nothing has not solved anything: ask for a lead of 0.1"),
        "this takes any lead, however small": (lambda lead, y: bool((lead > 0).all()), "ask for a lead of 0.1"),
        "this counts those that have NOT solved it": (lambda lead, y: not bool((lead > 0.1).all()), "turn it round"),
        "this takes the lead of class 1 at every corner": (lambda lead, y: bool(((2 * y - 1) * lead > 0.1).all()), "where the label is 0, class 0 has to lead: multiply by 2 * wanted - 1"),
    }  # fmt: skip
    for finding, (rule, hint) in mistakes.items():
        if given == count(rule):
            sheet.wrong(finding, hint)
            return sheet.hand_back()
    for (promise, leads, labels, wanted), found in zip(cases, given, strict=True):
        if found == wanted:
            sheet.right(promise)
        else:
            result = sheet.call(function, *arguments(leads, labels))
            if as_number(result) is None:
                sheet.wrong("that is not a number", "return how many networks there are")
                break
            sheet.wrong(
                f"{promise}: {wanted}, not {as_number(result):g}", "all four leads of a network above 0.1"
            )
    return sheet.hand_back()


def xor_counts(few: int, more_units: int, more_steps: int, verdict: str) -> Feedback:
    """Exercise 6b: how many of fifty seeds solve XOR, in three settings, and what helps more."""
    sheet = Sheet()
    answers = {"few": few, "more_units": more_units, "more_steps": more_steps}
    if all(is_missing(answer) for answer in answers.values()):
        return sheet.not_yet()
    numbers = {name: as_number(answer) for name, answer in answers.items()}
    if odd := [name for name, n in numbers.items() if n is None or not 0 <= n <= 50 or n != round(n)]:
        shares = all(n is not None and 0 <= n <= 1 for n in numbers.values())
        hint = "counts, not shares: solved(...) of fifty networks" if shares else "whole numbers from 0 to 50"
        sheet.wrong(f"{', '.join(odd)}: not a count of networks", hint)
        return sheet.hand_back()
    base, units, steps = numbers.values()
    if base <= 20 and units >= 35 and steps <= 20:
        sheet.right(
            f"{base:g} of 50 at first, {units:g} with four times the units, {steps:g} with four times the steps"
        )
    elif steps >= 35 and units <= 20:
        sheet.wrong(
            "units and steps have changed places",
            "trained(8, 400) has more units, trained(2, 1600) more steps",
        )
    elif base >= 35:
        sheet.wrong(
            f"few: {base:g} of 50 is far more than two units manage", "trained(2, 400), and the lead of 0.1"
        )
    elif units < 35:
        sheet.wrong(f"more_units: {units:g} of 50 is too few", "trained(8, 400)")
    else:
        sheet.wrong(
            f"at first {base:g}, with more steps {steps:g}: one of them is off",
            "trained(2, 400), trained(2, 1600)",
        )
    word = verdict.strip().lower() if isinstance(verdict, str) else None
    if word == "units":
        sheet.right("units help, steps do not")
    elif word == "steps":
        sheet.wrong(
            'steps: this is "universal approximation means that the network will learn it"',
            "two units can, but a network that is stuck stays stuck: compare your three counts",
        )
    else:
        sheet.wrong("verdict: not one of the two words", '"units" or "steps"')
    return sheet.hand_back()


class _Corners(nn.Module):
    """A network that answers the four corners with given leads of the right class, and with given logits besides."""

    def __init__(self, lead: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.half = (2 * labels - 1) * lead / 2

    def forward(self, points: Tensor) -> Tensor:
        half = self.half[(2 * points[:, 0] + points[:, 1]).round().long()]
        return torch.stack([-half, half], dim=1) + 3


def _parameters(widths: Sequence[int]) -> int:
    return sum((n + 1) * m for n, m in zip(widths, widths[1:], strict=False))


def _groups(answer: Iterable[str]) -> list[list[str]] | None:
    """Return ``["BA", "C"]`` as ``[["A", "B"], ["C"]]``, or ``None`` if it is anything else than groups of letters."""
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        return None
    try:
        return sorted(sorted(letter.strip().upper() for letter in group) for group in answer)
    except Exception:
        return None


def _layers(widths: Sequence[int], seed: int) -> list[nn.Linear]:
    """Return linear layers of these widths with weights of their own; the seed outside is left alone."""
    generator = torch.Generator().manual_seed(seed)
    layers = []
    for n, m in zip(widths, widths[1:], strict=False):
        layer = nn.utils.skip_init(nn.Linear, n, m)
        for parameter in layer.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)
        layers.append(layer)
    return layers


def _folded(layers: Layers, c: float, d: float) -> Affine:
    weight, bias = layers[0].weight, layers[0].bias
    for layer in layers[1:]:
        weight, bias = layer.weight @ (c * weight), layer.weight @ (c * bias + d) + layer.bias
    return weight, bias


def _bias_by(
    step: Callable[[nn.Linear, Tensor, float, float], Tensor],
) -> Callable[[Layers, float, float], Affine]:
    """Return a fold whose weight is right and whose bias goes from layer to layer by ``step``."""

    def function(layers: Layers, c: float, d: float) -> Affine:
        bias = layers[0].bias
        for layer in layers[1:]:
            bias = step(layer, bias, c, d)
        return _folded(layers, c, d)[0], bias

    return function


def _activated(layers: Layers, c: float, d: float) -> Affine:
    weight, bias = _folded(layers, c, d)
    return c * weight, c * bias + d


def _no_bias(layers: Layers, c: float, d: float) -> Affine:
    weight, _ = _folded(layers, c, d)
    return weight, torch.zeros(len(weight))


def _wrong_order(layers: Layers, c: float, d: float) -> Affine:
    weight, bias = layers[0].weight, layers[0].bias
    for layer in layers[1:]:
        weight, bias = (c * weight) @ layer.weight, layer.weight @ (c * bias + d) + layer.bias
    return weight, bias


def _c_once(layers: Layers, c: float, d: float) -> Affine:
    weight, _ = _folded(layers, 1.0, 0.0)
    return (weight if len(layers) == 1 else c * weight), _folded(layers, c, d)[1]


def _transposed(layers: Layers, c: float, d: float) -> Affine:
    weight, bias = _folded(layers, c, d)
    return weight.T, bias


def _swapped(layers: Layers, c: float, d: float) -> Affine:
    return _folded(layers, c, d)[::-1]


_FOLD_MISTAKES: dict[str, tuple[Callable[[Layers, float, float], Affine], str]] = {
    "c and d are not used": (lambda s, c, d: _folded(s, 1.0, 0.0), "f(z) = cz + d stands between the layers: substitute it too"),
    "d is not used": (lambda s, c, d: _folded(s, c, 0.0), "d is added to every unit, and the next W multiplies it"),
    "c is not used": (lambda s, c, d: _folded(s, 1.0, d), "f multiplies W x + b by c before the next layer"),
    "f stands after the last layer too": (_activated, "only hidden layers have an activation"),
    "d is added behind the next W, and not in front of it": (_bias_by(lambda s, b, c, d: s.weight @ (c * b) + s.bias + d), "W (a + d) is W a plus d times the row sums of W"),
    "the bias is zero": (_no_bias, "each layer has a bias, and the layers above multiply it"),
    "the biases are added up as they are": (_bias_by(lambda s, b, c, d: b + s.bias), "the next W multiplies the bias below it: W2 b1 + b2"),
    "the biases are added up, and no W multiplies them": (_bias_by(lambda s, b, c, d: c * b + d + s.bias), "the next W multiplies what comes from below: W2 (c b1 + d) + b2"),
    "only the last bias is there": (lambda s, c, d: (_folded(s, c, d)[0], s[-1].bias), "what is added below goes through the layers above"),
    "only the first bias is there": (_bias_by(lambda s, b, c, d: s.weight @ (c * b + d)), "each layer adds its own: W2 b1 + b2"),
    "the matrices are multiplied in the wrong order": (_wrong_order, "the first layer is applied first, so it stands on the right: W2 W1"),
    "c multiplies once, and not at every hidden layer": (_c_once, "three layers have two activations between them: c twice"),
    "c multiplies the weights and not the biases": (_bias_by(lambda s, b, c, d: s.weight @ (b + d) + s.bias), "f gets W x + b as a whole: c (W x + b) + d"),
    "the matrix is transposed": (_transposed, "one row per output, as in nn.Linear"),
    "weight and bias have changed places": (_swapped, "return weight, bias"),
}  # fmt: skip


def _pair(value: object) -> list[Tensor] | None:
    """Return a student's weight and bias as tensors, or ``None`` if they are none."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        return None
    tensors = [as_tensor(v) for v in value]
    return None if any(v is None for v in tensors) else tensors


def _agree(found: Sequence[Tensor] | None, wanted: Sequence[Tensor] | None) -> bool:
    """Return whether both are the same numbers, or both no numbers at all."""
    if found is None or wanted is None:
        return found is wanted
    return all(
        f.shape == w.shape and torch.allclose(f.double(), w.double(), rtol=1e-4, atol=1e-4)
        for f, w in zip(found, wanted, strict=True)
    )


def _units(v: Tensor, t: Tensor, x: Tensor) -> Tensor:
    return (x[:, None] - t).relu() @ v


def _pieces(v: Tensor, t: Tensor, layers: int) -> int:
    """Count the linear pieces on [0, 1] of a sum of ReLU units that is applied ``layers`` times."""
    x = torch.tensor([0.0, 1.0], dtype=torch.float64)
    y = x
    for _ in range(layers):
        left, right = y[:-1, None] - t, y[1:, None] - t
        piece, unit = torch.nonzero(
            (left * right < 0) & (left.abs() > 1e-9) & (right.abs() > 1e-9), as_tuple=True
        )
        share = left[piece, unit] / (left[piece, unit] - right[piece, unit])
        new_x, new_y = x[piece] + share * (x[piece + 1] - x[piece]), t[unit]
        x, order = torch.cat([x, new_x]).sort()
        y = _units(v, t, torch.cat([y, new_y])[order])
    slope = y.diff() / x.diff()
    return 1 + int((slope.diff().abs() > 1e-6 * slope.abs().max()).sum())


def _close(found: Tensor, wanted: Sequence[float] | Tensor) -> bool:
    wanted = torch.as_tensor(wanted, dtype=torch.float64)
    return found.shape == wanted.shape and torch.allclose(found, wanted, rtol=0, atol=1e-3)


def _show(values: Tensor) -> str:
    return ", ".join(f"{value:.2f}" for value in values.tolist())


def _rounded(cases: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    return [tuple(round(value, 4) for value in case) for case in cases]


def _choice(
    answer: object, right: float, praise: str, mistakes: dict[int, tuple[str, str]], hint: str
) -> Feedback:
    """Compare one number with the right one, and if it differs with the mistakes we know."""
    sheet = Sheet()
    if is_missing(answer):
        return sheet.not_yet()
    number = as_number(answer)
    if number == right:
        sheet.right(praise)
    else:
        sheet.wrong(*mistakes.get(number, (f"{answer!r} is not it", hint)))
    return sheet.hand_back()


_GRID = (torch.arange(2000, dtype=torch.float64) + 0.5) / 1000 - 1


def _magnitude(x: Tensor) -> Tensor:
    return torch.as_tensor(x).abs()


def _sine(x: Tensor) -> Tensor:
    return (math.pi * torch.as_tensor(x)).sin()


def _cube(x: Tensor) -> Tensor:
    return torch.as_tensor(x) ** 3


def _exponential(x: Tensor) -> Tensor:
    return torch.as_tensor(x).exp()


def _rest(f: Callable[[Tensor], Tensor], degree: int, *, lowest: int = 0) -> Tensor:
    """Return what the best polynomial with the powers ``lowest`` to ``degree`` leaves of ``f`` on the grid."""
    y = f(_GRID)
    if degree < lowest:
        return y
    powers = torch.stack([_GRID**k for k in range(lowest, degree + 1)], dim=1)
    return y - powers @ torch.linalg.lstsq(powers, y[:, None]).solution[:, 0]


def _rms(values: Tensor) -> float:
    return values.square().mean().sqrt().item()
