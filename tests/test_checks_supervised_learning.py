"""The checks of chapter 1 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import hinge_loss
from sklearn.model_selection import GroupShuffleSplit

from labs.checks import Feedback
from labs.checks import supervised_learning as check

NOISE = {"training error": 0, "best possible": 0.2, "nearest neighbour": 0.32}
COINS = {"validation accuracy": 0.725, "fresh accuracy": 0.5, "examples needed": 1050}
FUNCTIONS = (check.hinge_and_mistakes, check.bayes_risk, check.choose_ridge, check.held_out)
NUMBERS = ((check.where_it_ends, NOISE), (check.best_coin, COINS))


def silent(*_):
    """What a starter does: nothing."""


def dots(*_):
    """What a starter does that returns its dots."""
    return ...


@pytest.mark.parametrize(
    ("function", "starter"),
    [
        *((function, dict.fromkeys(keys, ...)) for function, keys in NUMBERS),
        *((function, {}) for function, _ in NUMBERS),
        *((function, silent) for function in FUNCTIONS),
        *((function, dots) for function in FUNCTIONS),
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


NAN = float("nan")
NONSENSE = [
    "text", "raised", "", 0, 1, 0.5, True, [], [1, 2], (1, 2), (None, None), (..., ...), ([], []), {"a": 1}, object(),
    NAN, (NAN, NAN), (0.5, NAN), ("a", "b"), 1j, (1j, 1j), np.zeros(7), np.array(["a"]), np.array([0.5, 0.5]),
    np.zeros(300, dtype=bool), np.ones(300, dtype=bool), [[1], [1, 2]], np.array(None), torch.zeros(2),
    torch.ones(3, 4), torch.zeros(300, dtype=torch.bool), (0.0, 0.0), (math.inf, 1.0), lambda *_: 1,
    {key: "a" for key in NOISE}, {key: NAN for key in COINS}, {key: [1, 2] for key in NOISE},
    {key: math.inf for key in COINS}, {key: 0.5 for key in NOISE}, {key: -1 for key in COINS},
    {key: 1e300 for key in COINS}, {key: object() for key in NOISE},
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense):
    assert not function(lambda *_: nonsense).passed


@pytest.mark.parametrize("function", [check.where_it_ends, check.best_coin, *FUNCTIONS])
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
def test_nonsense_in_place_of_the_answer_does_not_pass(function, nonsense):
    assert not function(nonsense).passed


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_takes_nothing_does_not_pass(function, capsys):
    assert not function(lambda: 0.5).passed
    assert "TypeError" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_spoils_what_it_is_given_and_stops_half_way_does_not_stop_the_check(function):
    calls = []

    def spoil(*arguments):
        calls.append(1)
        for part in arguments:
            for array in part if isinstance(part, tuple) else [part]:
                if isinstance(array, np.ndarray) and array.dtype.kind in "fi":
                    array[:] = 0
        if len(calls) > 3:
            raise ValueError("enough")
        return 0.5, 0.5

    assert not function(spoil).passed


# --- exercise 1


def test_the_right_shares_pass_also_rounded_and_as_arrays():
    assert check.where_it_ends(NOISE).passed
    assert check.where_it_ends({key: np.array([value]) for key, value in NOISE.items()}).passed
    assert check.where_it_ends({key: torch.tensor(value) for key, value in NOISE.items()}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"training error": 0.2}, "the flipped labels are stored too"),
        ({"training error": 0.32}, "that is on fresh points"),
        ({"training error": 0.1}, "training error: 0.1 is not it"),
        ({"best possible": 0}, "no classifier gets there"),
        ({"best possible": 0.32}, "what the nearest neighbour reaches"),
        ({"best possible": 0.8}, "share of right answers"),
        ({"best possible": 0.1}, "Bayes risk of the chapter"),
        ({"best possible": 0.5}, "that is a guess"),
        ({"best possible": 20}, "best possible: this is a percentage"),
        ({"nearest neighbour": 0}, "zero training error is good"),
        ({"nearest neighbour": 0.2}, "only one of the two labels"),
        ({"nearest neighbour": 0.4}, "2 R*"),
        ({"nearest neighbour": 0.36}, "counts two flips as a mistake"),
        ({"nearest neighbour": 0.16}, "one of two ways to disagree"),
        ({"nearest neighbour": 0.04}, "how often both labels are flipped"),
        ({"nearest neighbour": 0.68}, "how often it is right"),
        ({"nearest neighbour": 0.18}, "one label in ten"),
        ({"nearest neighbour": 0.5}, "that is a guess"),
        ({"nearest neighbour": 32}, "nearest neighbour: this is a percentage"),
        ({"nearest neighbour": 0.27}, "0.27 is not it"),
        ({"nearest neighbour": ...}, "no number yet for: nearest neighbour"),
        (
            {"training error": NAN, "best possible": "a fifth"},
            "no number yet for: training error, best possible",
        ),
    ],
)
def test_each_wrong_share_gets_its_message(change, message, capsys):
    assert not check.where_it_ends({**NOISE, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def simulated(coins, examples, tries=1000):
    right = np.random.default_rng(1).binomial(examples, 0.5, (tries, coins))
    return (right / examples).max(axis=1)


def test_the_coins_pass_as_simulated_and_with_a_few_more_or_fewer_examples():
    luck = simulated(1000, 50)

    assert check.best_coin({**COINS, "validation accuracy": luck.mean()}).passed
    assert check.best_coin({**COINS, "fresh accuracy": 0.51}).passed
    for needed in (900, 1000, 1200):
        assert abs(simulated(1000, needed).mean() - 0.55) < 0.005
        assert check.best_coin({**COINS, "examples needed": needed}).passed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"validation accuracy": 0.676}, "the best of a hundred coins"),
        ({"validation accuracy": 0.5}, "the mean over the coins"),
        ({"validation accuracy": 0.275}, "the worst coin"),
        ({"validation accuracy": simulated(50, 1000).mean()}, "have changed places"),
        ({"validation accuracy": simulated(1000, 500).mean()}, "that is with 500 examples"),
        ({"validation accuracy": 1}, "not even the best of a thousand"),
        ({"validation accuracy": 2.256}, "not ten times as lucky"),
        ({"validation accuracy": 72.5}, "this is a percentage"),
        ({"validation accuracy": 0.9}, "0.9 is not it"),
        ({"fresh accuracy": 0.725}, "the validation error of the model I chose is its risk"),
        ({"fresh accuracy": 0.4}, "worse than a coin"),
        ({"fresh accuracy": 50}, "fresh accuracy: this is a percentage"),
        ({"fresh accuracy": 0.6}, "what can a coin know"),
        ({"examples needed": 225}, "as if luck shrank with the number of examples"),
        ({"examples needed": 500}, "do not ask for ten times the examples"),
        ({"examples needed": 50}, "the best still looks 0.725"),
        ({"examples needed": 5000}, "fewer will do"),
        ({"examples needed": 10**9}, "far more than that"),
        ({"examples needed": 0}, "not a number of examples"),
        ({"examples needed": 1050.5}, "not a number of examples"),
        ({"examples needed": None}, "no number yet for: examples needed"),
    ],
)
def test_each_wrong_guess_about_the_coins_gets_its_message(change, message, capsys):
    assert not check.best_coin({**COINS, **change}).passed
    assert message in capsys.readouterr().out


# --- exercise 3


def hinge(labels, scores):
    return np.maximum(0, 1 - labels * scores).mean()


def mistakes(labels, scores):
    return (labels * scores <= 0).mean()


def in_a_loop(labels, scores):
    margins = [y * s for y, s in zip(labels.tolist(), scores.tolist(), strict=True)]
    losses = [max(0.0, 1 - m) for m in margins]
    return [sum(losses) / len(losses), sum(m <= 0 for m in margins) / len(margins)]


def with_the_library(labels, scores):
    return hinge_loss(labels, scores, labels=[-1, 1]), np.mean(np.sign(scores) != labels)


def in_torch(labels, scores):
    margins = torch.tensor(labels * scores)
    return torch.relu(1 - margins).mean(), (margins <= 0).double().mean()


@pytest.mark.parametrize(
    "function", [lambda y, s: (hinge(y, s), mistakes(y, s)), in_a_loop, with_the_library, in_torch]
)
def test_the_right_two_numbers_pass(function):
    assert check.hinge_and_mistakes(function).passed


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda y, s: np.mean(1 - y * s), "a margin above one is paid back"),
        (lambda y, s: max(0, np.mean(1 - y * s)), "the maximum is taken of the mean"),
        (lambda y, s: np.mean(np.maximum(0, 1 - s)), "the labels do not enter"),
        (lambda y, s: np.mean(np.maximum(0, -y * s)), "a margin of zero is taken for enough"),
        (lambda y, s: np.mean(np.maximum(0, 1 + y * s)), "turned round"),
        (lambda y, s: np.mean(np.maximum(0, 1 - (y > 0) * s)), "labels 0 and 1"),
        (lambda y, s: np.mean(np.maximum(0, 1 - y * np.sign(s))), "turned into signs"),
        (lambda y, s: np.maximum(0, 1 - y * s).sum(), "this is a sum"),
        (lambda y, s: sum(np.maximum(0, 1 - y * s)) / max(1, sum(y * s < 1)), "those that pay"),
        (lambda y, s: np.mean(np.maximum(0, 1 - y * s) ** 2), "squared hinge"),
        (lambda y, s: np.mean((1 - y * s) ** 2), "squared loss"),
        (lambda y, s: np.mean(np.abs(1 - y * s)), "distance of the margin from one"),
        (lambda y, s: np.mean(np.log1p(np.exp(-y * s))), "logistic loss"),
        (lambda y, s: np.max(np.maximum(0, 1 - y * s)), "largest loss"),
        (lambda y, s: 0.45, "this gives 0.45"),
        (lambda y, s: 0.3, "for labels [1, 1, -1, -1]"),
    ],
)
def test_each_wrong_hinge_loss_gets_its_message(wrong, message, capsys):
    assert not check.hinge_and_mistakes(lambda y, s: (wrong(y, s), mistakes(y, s))).passed
    printed = capsys.readouterr().out
    assert message in printed
    assert "[ok] share of mistakes" in printed


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda y, s: np.mean(y * s > 0), "share of right answers"),
        (lambda y, s: np.mean(y * s < 0), "a score of zero is taken for right"),
        (lambda y, s: np.mean(np.where(s > 0, 1, -1) != y), "taken for class -1"),
        (lambda y, s: np.mean(np.where(s >= 0, 1, -1) != y), "taken for class +1"),
        (lambda y, s: np.mean(y * s < 1), "every margin below one"),
        (lambda y, s: np.mean(y * s <= 1), "at most one"),
        (lambda y, s: np.mean(s != y), "compares the score with the label"),
        (lambda y, s: np.sum(y * s <= 0), "a number of mistakes"),
        (lambda y, s: 100 * np.mean(y * s <= 0), "percentage"),
        (lambda y, s: np.mean(s < 0), "counts the negative scores"),
        (lambda y, s: 0.25, "this gives 0.25"),
    ],
)
def test_each_wrong_share_of_mistakes_gets_its_message(wrong, message, capsys):
    assert not check.hinge_and_mistakes(lambda y, s: (hinge(y, s), wrong(y, s))).passed
    printed = capsys.readouterr().out
    assert message in printed
    assert "[ok] mean hinge loss" in printed


def test_two_numbers_in_the_wrong_order_are_noticed(capsys):
    assert not check.hinge_and_mistakes(lambda y, s: (mistakes(y, s), hinge(y, s))).passed
    assert "have changed places" in capsys.readouterr().out


def test_one_number_is_no_pair(capsys):
    assert not check.hinge_and_mistakes(hinge).passed
    assert "not a pair of numbers" in capsys.readouterr().out


# --- exercise 4

phi = stats.norm.cdf


def integrated(d, w):
    across = np.linspace(-12 * w - d, 12 * w + d, 20001)
    heights = np.minimum(stats.norm.pdf(across, -d / 2, w), stats.norm.pdf(across, d / 2, w))
    return heights.sum() * (across[1] - across[0]) / 2


def test_the_right_risk_passes_by_formula_and_by_integral():
    assert check.bayes_risk(lambda d, w: phi(-d / (2 * w))).passed
    assert check.bayes_risk(lambda d, w: torch.special.ndtr(torch.tensor(-d / w / 2))).passed
    assert check.bayes_risk(integrated).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda d, w: phi(-1), "does not depend on the distance"),
        (lambda d, w: phi(-d / 2), "the width does not enter"),
        (lambda d, w: phi(-d / w), "the whole way"),
        (lambda d, w: phi(d / 2 / w), "share of right answers"),
        (lambda d, w: 2 * phi(-d / 2 / w), "both clouds are counted in full"),
        (lambda d, w: phi(-d / 2 / w) / 2, "one class, counted half"),
        (lambda d, w: phi(-d / 2 / w**2), "the variance is used"),
        (lambda d, w: phi(-d / w / 2**0.5), "the order of two points"),
        (lambda d, w: 2 * phi(-d / 2 / w) * phi(d / 2 / w), "nearest neighbour"),
        (lambda d, w: np.exp(-((d / w) ** 2) / 8) / 2, "upper bound"),
        (lambda d, w: stats.norm.pdf(d / 2 / w), "height of the density"),
        (lambda d, w: 100 * phi(-d / 2 / w), "percentage"),
        (lambda d, w: phi(-d * w / 2), "the width multiplies"),
        (lambda d, w: 0.3, "this gives 0.3"),
        (lambda d, w: NAN, "this gives nan"),
        (lambda d, w: "a few", "not one number"),
        (lambda d, w: 0.0 if d == 0 else phi(-d / 2 / w), "centres that coincide"),
        (lambda d, w: max(0.01, phi(-d / 2 / w)), "far apart hardly"),
    ],
)
def test_each_wrong_risk_gets_its_message(function, message, capsys):
    assert not check.bayes_risk(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def ridge(train, validation, test, strengths, *, choose=1, report=2, times_n=True, intercept=False, refit=False,
          better=np.argmin, error=lambda y, said: np.mean((y - said) ** 2)):  # fmt: skip
    parts = train, validation, test
    count = len(train[1]) if times_n else 1
    models = [Ridge(alpha=count * s, fit_intercept=intercept).fit(*train) for s in strengths]
    scores = [np.mean((parts[choose][1] - model.predict(parts[choose][0])) ** 2) for model in models]
    best = better(scores)
    model = models[best]
    if refit:
        x, y = (np.concatenate(pair) for pair in zip(train, validation, strict=True))
        model = Ridge(alpha=len(y) * strengths[best], fit_intercept=False).fit(x, y)
    return strengths[best], error(parts[report][1], model.predict(parts[report][0]))


def by_hand(train, validation, test, strengths):
    (x, y), found = train, []
    for strength in strengths:
        theta = np.linalg.solve(x.T @ x + len(y) * strength * np.eye(x.shape[1]), x.T @ y)
        found.append(
            [np.mean((target - part @ theta) ** 2) for part, target in (validation, test)] + [strength]
        )
    _, error, strength = min(found)
    return torch.tensor([strength, error])


def test_the_right_strength_and_error_pass_with_the_library_and_by_hand():
    assert check.choose_ridge(ridge).passed
    assert check.choose_ridge(by_hand).passed


def r_squared(y, said):
    return 1 - np.mean((y - said) ** 2) / np.var(y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"choose": 0}, "training minimises the risk"),
        ({"choose": 2}, "the strength with the smallest test error is taken"),
        ({"report": 1}, "the validation error of the model I chose is its risk"),
        ({"report": 0}, "the error reported is that of the training data"),
        ({"choose": 0, "report": 0}, "both choice and error come from the training data"),
        ({"choose": 2, "report": 1}, "validation and test data have changed places"),
        ({"times_n": False}, "the factor N is missing"),
        ({"intercept": True}, "an intercept is fitted\n"),
        ({"intercept": True, "times_n": False}, "an intercept is fitted, and the factor N is missing"),
        ({"refit": True}, "fitted once more"),
        ({"better": np.argmax}, "the strength with the largest error"),
        ({"error": lambda y, said: np.mean((y - said) ** 2) ** 0.5}, "the root of the mean square"),
        ({"error": lambda y, said: np.sum((y - said) ** 2)}, "the error is a sum"),
        ({"error": r_squared}, "R^2"),
        ({"error": lambda y, said: np.mean(np.abs(y - said))}, "the strength is right"),
        ({"better": lambda scores: len(scores) // 2}, "not the one the validation data choose"),
    ],
)
def test_each_wrong_strength_or_error_gets_its_message(options, message, capsys):
    assert not check.choose_ridge(lambda *arguments: ridge(*arguments, **options)).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda strengths, s, e: (e, s), "strength and error have changed places"),
        (lambda strengths, s, e: (list(strengths).index(s), e), "the place of the strength"),
        (lambda strengths, s, e: e, "not a pair of numbers"),
        (lambda strengths, s, e: (0.3, 1.3), "not the one the validation data choose"),
    ],
)
def test_a_right_choice_handed_back_wrongly_gets_its_message(change, message, capsys):
    assert not check.choose_ridge(lambda *arguments: change(arguments[-1], *ridge(*arguments))).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def chosen(who, seed, count=None):
    patients = np.unique(who)
    return np.random.default_rng(seed).choice(patients, count or len(patients) // 4, replace=False)


def with_a_splitter(who, seed):
    _, rows = next(GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(who, who, who))
    return np.isin(np.arange(len(who)), rows)


@pytest.mark.parametrize(
    "function",
    [
        lambda who, seed: np.isin(who, chosen(who, seed)),
        lambda who, seed: [name in set(chosen(who, seed)) for name in who],
        lambda who, seed: torch.tensor(np.isin(who, chosen(who, seed))),
        with_a_splitter,
    ],
)
def test_a_split_by_patients_passes(function):
    assert check.held_out(function).passed


def quarter_of_rows(who, seed):
    rows = np.random.default_rng(seed).permutation(len(who))[: len(who) // 4]
    return np.isin(np.arange(len(who)), rows)


def coins_for_patients(who, seed):
    patients = np.unique(who)
    return np.isin(who, patients[np.random.default_rng(seed).random(len(patients)) < 0.25])


def until_a_quarter_of_the_scans(who, seed):
    names, counts = np.unique(who, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.cumsum(counts[order]) - counts[order]
    return np.isin(who, names[order[before < 0.24 * len(who)]])


def blocks_of_five(who, seed):
    blocks = np.random.default_rng(seed).permutation(len(who) // 5)[: len(who) // 20]
    return np.isin(np.arange(len(who)) // 5, blocks)


def numbers_from_zero(who, seed):
    count = len(np.unique(who))
    return np.isin(who, np.random.default_rng(seed).choice(count, count // 4, replace=False))


def one_scan_each(who, seed):
    return np.isin(np.arange(len(who)), np.unique(who, return_index=True)[1])


def from_the_first_half(who, seed):
    patients = np.unique(who)
    return np.isin(who, chosen(patients[: -(-len(patients) // 2)], seed, count=-(-len(patients) // 4)))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (quarter_of_rows, "a random split is a fair split"),
        (one_scan_each, "all 60 patients have scans on both sides"),
        (blocks_of_five, "scans in no particular order: "),
        (numbers_from_zero, "numbers with gaps: "),
        (coins_for_patients, "not a quarter"),
        (until_a_quarter_of_the_scans, "the scans are counted"),
        (lambda who, seed: ~np.isin(who, chosen(who, seed)), "this marks the training data"),
        (lambda who, seed: np.zeros(len(who), dtype=bool), "nobody is left in the test data"),
        (lambda who, seed: np.ones(len(who), dtype=bool), "nobody is left in the training data"),
        (lambda who, seed: np.isin(who, np.unique(who)[: len(np.unique(who)) // 4]), "the seed changes nothing"),
        (lambda who, seed: np.isin(who, chosen(who, None)), "another split when asked again"),
        (from_the_first_half, "more often than others"),
        (lambda who, seed: np.isin(who, chosen(who, seed)).astype(int), "zeros and ones"),
        (lambda who, seed: np.flatnonzero(np.isin(who, chosen(who, seed))), "numbers of rows"),
        (lambda who, seed: (who == who[0], who != who[0]), "these are two things"),
        (lambda who, seed: np.isin(who[1:], chosen(who, seed)), "not one truth value per scan"),
        (lambda who, seed: np.isin(who, chosen(who, seed)) * 1.0, "not one truth value per scan"),
        (lambda who, seed: np.arange(who.max() + 1)[who] < 15, "any names"),
        (lambda who, seed: np.isin(who, chosen(who, min(seed, 50), 1 + (seed > 60) + len(set(who.tolist())) // 4 - 1)),
         "for some seeds"),
    ],
)  # fmt: skip
def test_each_wrong_split_gets_its_message(function, message, capsys):
    assert not check.held_out(function).passed
    assert message in capsys.readouterr().out
