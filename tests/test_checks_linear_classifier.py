"""The checks of chapter 5 accept what is right, turn the starter away kindly, and know the usual mistakes."""

import pytest
import torch
from torch.nn import functional as F

from labs.checks import Feedback
from labs.checks import linear_classifier as check


def silent(*_):
    """What a starter does: nothing."""


def raises(*_):
    raise ZeroDivisionError("by zero")


def some_scores():
    """Scores that are right in nine of ten images, and much too sure."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 4
    scores = 8 * F.one_hot(labels, 4) + 6 * torch.randn(200, 4, generator=generator)
    return scores.double(), labels


SCORES, LABELS = some_scores()


def scaled(answer):
    return check.scaled_scores(answer, SCORES, LABELS)


DICTIONARIES = [check.scores_by_hand, scaled]
FUNCTIONS = [check.gradient, check.centred, check.nearest_mean, check.ratios]


@pytest.mark.parametrize("untouched", [None, ...])
@pytest.mark.parametrize("function", DICTIONARIES + FUNCTIONS)
def test_the_starter_is_turned_away_kindly(function, untouched, capsys):
    feedback = function(untouched)

    assert isinstance(feedback, Feedback)
    assert not feedback.passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "starter", [silent, lambda *_: ..., lambda *_: (None, None), lambda *_: (..., ..., ...)]
)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_returns_nothing_is_turned_away_kindly(function, starter, capsys):
    assert not function(starter).passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", DICTIONARIES)
def test_an_empty_dictionary_is_turned_away_kindly(function, capsys):
    assert not function({}).passed
    assert "Nothing to check yet" in capsys.readouterr().out


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_answer_that_raises_is_reported_and_not_passed_on(function, capsys):
    assert not function(raises).passed
    assert "ZeroDivisionError" in capsys.readouterr().out


class Unprintable:
    def __repr__(self):
        raise ValueError("no words")


NONSENSE = [
    "yes", "", 3, True, [], (), [1], (1, 2), (1, 2, 3), [None, 1], {"a": 1}, object(), Unprintable(), float("nan"),
    1 + 2j, torch.zeros(7), torch.zeros(3, 5), torch.full((3, 5), float("nan")), torch.zeros(3, 5).numpy(),
    (torch.zeros(3, 5), torch.zeros(3)), (torch.full((3, 5), float("nan")),) * 2, (float("nan"), float("nan")),
    (torch.zeros(0), torch.zeros(0)), (torch.zeros(0),) * 3, (torch.zeros(3, 4), torch.zeros(3), "many"),
    (torch.zeros(3, 2), torch.zeros(3)), ([[1.0]], [2.0]), ("a", "b"), (0, 0), (0, 0, 0), (None, 1), len,
]  # fmt: skip


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("function", DICTIONARIES + FUNCTIONS)
def test_nonsense_is_answered_and_not_passed(function, nonsense, capsys):
    assert not function(nonsense).passed
    assert "[--]" in capsys.readouterr().out


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_returns_nonsense_does_not_pass(function, nonsense, capsys):
    assert not function(lambda *_: nonsense).passed
    assert "[--]" in capsys.readouterr().out


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("function", DICTIONARIES)
def test_nonsense_inside_a_dictionary_does_not_pass(function, nonsense, capsys):
    names = ("scores", "winner", "brighter", "accuracy", "confidence", "loss", "calibration", "best")

    assert not function(dict.fromkeys(names, nonsense)).passed
    assert "[--]" in capsys.readouterr().out


# --- exercise 1


def by_hand(**changes):
    return {"scores": [2, 0.5, 1], "winner": "cup", "brighter": "hat", **changes}


@pytest.mark.parametrize(
    "answer",
    [
        by_hand(),
        by_hand(scores=torch.tensor([2.0, 0.5, 1.0])),
        by_hand(scores=(2.0, 0.5, 1.0), winner=" Cup", brighter="HAT"),
    ],
)
def test_the_right_scores_pass(answer):
    assert check.scores_by_hand(answer).passed


def test_the_scores_are_what_torch_computes():
    x = check.IMAGE.flatten()
    scores = check.WEIGHTS @ x + check.BIASES
    brighter = check.WEIGHTS @ (x + 1) + check.BIASES

    assert scores.tolist() == [2, 0.5, 1]
    assert brighter.tolist() == [1, 6.5, 5]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": [3, 1, 4]}, "without the biases"),
        ({"scores": [4, 1.5, 7]}, "biases are subtracted"),
        ({"scores": [-6, 10.5, 1]}, "column by column"),
        ({"scores": [0.63, 0.14, 0.23]}, "these are probabilities"),
        ({"scores": [1, 6.5, 5]}, "of the brighter image"),
        ({"scores": [-0.25, -0.25, -2]}, "means over the pixels"),
        ({"scores": [2, 0.5, 7]}, "the score of key is not right"),
        ({"scores": [0, 0, 0]}, "the score of cup and hat and key"),
        ({"scores": [2, 0.5]}, "three numbers"),
        ({"scores": ...}, "scores: no answer yet"),
        ({"winner": "key"}, "if there were no biases"),
        ({"winner": "hat"}, "column by column"),
        ({"winner": None}, "winner: no answer yet"),
        ({"winner": 0}, "is no class"),
        ({"winner": "bird"}, "is no class"),
        ({"brighter": "cup"}, "the sum of its row of weights"),
        ({"brighter": "key"}, "key gains 4"),
    ],
)
def test_each_wrong_score_or_winner_gets_its_message(changes, message, capsys):
    assert not check.scores_by_hand(by_hand(**changes)).passed
    assert message in capsys.readouterr().out


# --- exercise 2


def best_factor():
    tried = torch.logspace(-2, 2, 801, dtype=torch.float64)
    return tried[torch.stack([F.cross_entropy(t * SCORES, LABELS) for t in tried]).argmin()].item()


def courses(**changes):
    turn = "falls, then rises"
    words = {"accuracy": "stays", "confidence": "rises", "loss": turn, "calibration": turn}
    return {**words, "best": best_factor(), **changes}


@pytest.mark.parametrize("factor", [0.95, 1.0, 1.05])
def test_the_right_courses_pass_and_the_factor_need_not_be_exact(factor):
    assert scaled(courses(best=factor * best_factor())).passed
    assert scaled(courses(loss="Falls,then rises ", best=torch.tensor([best_factor()]))).passed


@pytest.mark.parametrize("part", ["accuracy", "confidence", "loss", "calibration"])
@pytest.mark.parametrize("word", check.WORDS)
def test_each_wrong_course_gets_a_hint_of_its_own(part, word, capsys):
    right = courses()[part] == word

    assert scaled(courses(**{part: word})).passed == right
    assert (f"{part}: not" in capsys.readouterr().out) == (not right)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accuracy": "rises"}, "to be more sure is not to be right more often"),
        ({"loss": "falls"}, "this forgets the wrong answers"),
        ({"loss": "stays"}, "not at the answer"),
        ({"calibration": "falls"}, "the confidence is 1 and the accuracy is not"),
        ({"confidence": "stays"}, "the differences of the scores"),
        ({"loss": "up"}, "is no answer"),
        ({"loss": None}, "loss: no answer yet"),
        ({"best": None}, "best: no answer yet"),
        ({"best": 1}, "not 1, the scores as they are"),
        ({"best": 100.0}, "try a smaller one"),
        ({"best": 0.01}, "try a larger one"),
        ({"best": -2}, "a number above zero"),
        ({"best": 0}, "a number above zero"),
        ({"best": float("inf")}, "a number above zero"),
        ({"best": True}, "a number above zero"),
        ({"best": "two"}, "a number above zero"),
    ],
)
def test_each_wrong_course_or_factor_gets_its_message(changes, message, capsys):
    assert not scaled(courses(**changes)).passed
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        (None, LABELS),
        ("scores", LABELS),
        (SCORES[0], LABELS),
        (SCORES[:5], LABELS),
        (SCORES[:0], LABELS[:0]),
        (SCORES * float("nan"), LABELS),
        (SCORES, LABELS + 3),
        (SCORES, LABELS - 1),
        (SCORES, None),
        (SCORES, LABELS * float("nan")),
    ],
)
def test_other_scores_and_labels_than_those_of_the_notebook_are_turned_away(scores, labels, capsys):
    assert not check.scaled_scores(courses(), scores, labels).passed
    assert "of the notebook" in capsys.readouterr().out


def test_the_courses_are_those_of_the_scores():
    factors = (0.01, 0.1, 0.3, 1, 3, 10)
    probabilities = [(t * SCORES).softmax(1) for t in factors]
    accuracy = {tuple(p.argmax(1).tolist()) for p in probabilities}
    confidence = [p.amax(1).mean().item() for p in probabilities]
    loss = torch.stack([F.cross_entropy(t * SCORES, LABELS) for t in factors])

    assert len(accuracy) == 1
    assert confidence == sorted(confidence)
    assert 0 < loss.argmin() < len(factors) - 1


# --- exercise 3


def slope(error, *, divide=True):
    """A gradient from the errors ``error(scores, target)``, the rest as it should be."""

    def function(W, b, x, y):
        found = error(x @ W.T + b, F.one_hot(y, len(W)).to(W.dtype))
        found = found / len(y) if divide else found
        return found.T @ x, found.sum(dim=0)

    return function


def right_error(scores, target):
    return scores.softmax(1) - target


right_gradient = slope(right_error)


def test_the_right_gradient_passes_also_as_lists():
    assert check.gradient(right_gradient).passed
    assert check.gradient(lambda *inputs: [part.tolist() for part in right_gradient(*inputs)]).passed


def test_the_right_gradient_is_the_one_of_autograd():
    W, b = torch.randn(3, 5).double().requires_grad_(), torch.randn(3).double().requires_grad_()
    x, y = torch.randn(4, 5).double(), torch.tensor([0, 2, 1, 2])
    F.cross_entropy(x @ W.T + b, y).backward()

    dW, db = right_gradient(W.detach(), b.detach(), x, y)

    assert torch.allclose(dW, W.grad)
    assert torch.allclose(db, b.grad)


def by_autograd(W, b, x, y):
    W, b = W.clone().requires_grad_(), b.clone().requires_grad_()
    F.cross_entropy(x @ W.T + b, y).backward()
    return W.grad, b.grad


def in_place(W, b, x, y):
    dW, db = right_gradient(W, b, x, y)
    W -= 0.1 * dW
    return dW, db


def without_bias(W, b, x, y):
    return right_gradient(W, 0 * b, x, y)


def classes_of_the_batch(W, b, x, y):
    error = ((x @ W.T + b).softmax(1) - F.one_hot(y)) / len(y)
    return error.T @ x, error.sum(0)


def by_plain_exp(scores, target):
    return scores.exp() / scores.exp().sum(1, keepdim=True) - target


def over_a_flat_batch(scores, target):
    p = scores.softmax(1) if len(scores) > 1 else scores.softmax(0)
    return p - target


def squeezed(W, b, x, y):
    return right_gradient(W, b, x.squeeze(), y)


def changed(change):
    return lambda *inputs: change(*right_gradient(*inputs))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (slope(right_error, divide=False), "the sum over the batch"),
        (slope(lambda s, t: t - s.softmax(1)), "the sign is turned round"),
        (slope(lambda s, t: right_error(s, t) / t.shape[1]), "a mean over images and classes"),
        (slope(lambda s, t: right_error(s, t) * t), "only the row of the right class learns"),
        (slope(lambda s, t: right_error(s, t) * (1 - t)), "only the rows of the wrong classes learn"),
        (slope(lambda s, t: s.softmax(1)), "the labels are missing"),
        (slope(lambda s, t: s - t), "these are scores, where probabilities should be"),
        (slope(lambda s, t: s.softmax(0) - t), "the softmax goes over the images"),
        (slope(lambda s, t: F.one_hot(s.argmax(1), t.shape[1]) - t), "classified wrongly"),
        (slope(by_plain_exp), "exp(1000) is infinite"),
        (slope(over_a_flat_batch), "the softmax goes over the images"),
        (squeezed, "when there is only one row"),
        (slope(lambda s, t: torch.full_like(s, 1 / t.shape[1]) - t), "four images of five pixels"),
        (without_bias, "the bias is missing from the scores"),
        (classes_of_the_batch, "one_hot(y, len(W))"),
        (by_autograd, "this asks autograd"),
        (in_place, "changes what it is given"),
        (changed(lambda dW, db: (db, dW)), "in the wrong order"),
        (changed(lambda dW, db: (dW.T, db)), "dW is transposed"),
        (changed(lambda dW, db: (dW, 4 * db)), "db is a sum over the batch"),
        (changed(lambda dW, db: (dW, 0 * db)), "db is zero"),
        (changed(lambda dW, db: (dW, db.mean())), "db is a mean over the classes too"),
        (changed(lambda dW, db: (dW, -db)), "dW is right, db is not"),
        (changed(lambda dW, db: (dW[:1], db)), "dW has the shape (1, 5)"),
        (changed(lambda dW, db: dW), "return the pair"),
        (changed(lambda dW, db: (0 * dW, 0 * db)), "over the number of images"),
    ],
)
def test_each_wrong_gradient_gets_its_message(function, message, capsys):
    assert not check.gradient(function).passed
    assert message in capsys.readouterr().out


# --- exercise 4


def centring(
    rows=lambda W: W - W.mean(0), biases=lambda b: b - b.mean(), count=lambda C, n: (C - 1) * (n + 1)
):
    return lambda W, b: (rows(W), biases(b), count(*W.shape))


def test_the_right_centring_passes_also_as_lists():
    assert check.centred(centring()).passed
    assert check.centred(
        lambda W, b: [part.tolist() for part in map(torch.as_tensor, centring()(W, b))]
    ).passed


def centre_in_place(W, b):
    W -= W.mean(0)
    return W, b - b.mean(), (len(W) - 1) * (W.shape[1] + 1)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (centring(rows=lambda W: W - W.mean(1, keepdim=True)), "each template is centred by itself"),
        (centring(rows=lambda W: W - W.mean()), "one number was taken from all weights"),
        (centring(rows=lambda W: W - W[-1]), "the last class is the reference"),
        (centring(rows=lambda W: W - W[0]), "the first class is the reference"),
        (centring(rows=lambda W: W - W.sum(0)), "the sum of the rows was taken away"),
        (centring(rows=lambda W: W), "W is as it was"),
        (
            centring(rows=lambda W: (W - W.mean(0)) / (W.std(0) if len(W) > 1 else 1)),
            "the weights are scaled as well",
        ),
        (centring(rows=lambda W: 0 * W), "all weights are zero"),
        (centring(rows=lambda W: W[:-1]), "W has another shape"),
        (centring(rows=lambda W: W + 1), "the rows do not add up to zero"),
        (centring(rows=lambda W: 2 * (W - W.mean(0))), "the differences between the rows have changed"),
        (centring(biases=lambda b: b), "b is as it was"),
        (centring(biases=lambda b: 0 * b), "all biases are zero"),
        (centring(biases=lambda b: b - b[-1]), "the last class is the reference"),
        (centring(biases=lambda b: b - b[0]), "the first class is the reference"),
        (centring(biases=lambda b: 2 * b), "the biases are not centred"),
        (lambda W, b: (W - W.mean(0), b - W.mean(1), 0), "the mean image was taken from the biases"),
        (centring(count=lambda C, n: C * (n + 1)), "counts all parameters"),
        (centring(count=lambda C, n: C * n), "counts all weights"),
        (centring(count=lambda C, n: (C - 1) * n), "the biases are missing"),
        (centring(count=lambda C, n: n + 1), "counts the free ones"),
        (centring(count=lambda C, n: C * (n + 1) - n), "one too few was taken off"),
        (centring(count=lambda C, n: C * (n + 1) - 1), "one number was taken off"),
        (centring(count=lambda C, n: 7065), "the count is 7065, 7065, 7065"),
        (centring(count=lambda C, n: [1, 2]), "the count is no number"),
        (centre_in_place, "changes the W and b it is given"),
        (lambda W, b: (W - W.mean(0), b - b.mean()), "return three things"),
    ],
)
def test_each_wrong_centring_gets_its_message(function, message, capsys):
    assert not check.centred(function).passed
    assert message in capsys.readouterr().out


# --- exercise 5


def means(x, y):
    return torch.stack([x[y == k].mean(0) for k in range(int(y.max()) + 1)])


def sums(x, y):
    return torch.stack([x[y == k].sum(0) for k in range(int(y.max()) + 1)])


def half(m):
    return m.square().sum(1) / 2


def nearest(rows=means, bias=lambda m: -half(m)):
    return lambda x, y: (rows(x, y), bias(rows(x, y)))


@pytest.mark.parametrize(
    "function",
    [
        nearest(),
        lambda x, y: (2 * means(x, y), -2 * half(means(x, y))),
        lambda x, y: (means(x, y) - x.mean(0), -half(means(x, y)) + 3),
        lambda x, y: tuple(part.tolist() for part in nearest()(x, y)),
        lambda x, y: tuple(part.numpy() for part in nearest()(x.float(), y)),
    ],
)
def test_the_nearest_mean_passes_in_each_of_its_forms(function):
    assert check.nearest_mean(function).passed


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (nearest(bias=lambda m: 0 * half(m)), "the biases are zero"),
        (nearest(bias=lambda m: -2 * half(m)), "twice too large"),
        (nearest(bias=half), "the wrong sign"),
        (nearest(bias=lambda m: -m.norm(dim=1) / 2), "lengths, not their squares"),
        (lambda x, y: (-means(x, y), half(means(x, y))), "the farthest mean"),
        (nearest(rows=lambda x, y: sums(x, y) / len(y)), "divided by the number of all images"),
        (nearest(rows=sums), "the sums were not divided"),
        (lambda x, y: (F.normalize(means(x, y), dim=1), 0 * half(means(x, y))), "angles, not distances"),
        (nearest(rows=lambda x, y: means(x, y) - x.mean(0)), "the images were not"),
        (lambda x, y: (means(x, y), (y.bincount() / len(y)).log() - half(means(x, y))), "frequencies"),
        (nearest(bias=lambda m: half(m) + m[:, 0]), "the biases do not fit"),
        (nearest(rows=lambda x, y: x[: int(y.max()) + 1]), "this is not the nearest class mean"),
        (lambda x, y: (0 * means(x, y), 0 * half(means(x, y))), "this is not the nearest class mean"),
        (lambda x, y: (means(x, y).T, -half(means(x, y))), "the shapes are"),
        (lambda x, y: means(x, y), "return the pair"),
    ],
)
def test_each_wrong_nearest_mean_gets_its_message(function, message, capsys):
    assert not check.nearest_mean(function).passed
    assert message in capsys.readouterr().out


# --- exercise 6


def right_ratio(v, e, c):
    return -c * v / (c * c * v + e)


def pair(weight=right_ratio, covariance=lambda v, e, c: 0.0):
    return lambda v, e, c: (weight(v, e, c), covariance(v, e, c))


def test_the_right_ratios_pass_also_as_tensors():
    assert check.ratios(pair()).passed
    assert check.ratios(lambda *case: [torch.tensor(part).double() for part in pair()(*case)]).passed


def test_the_right_ratios_are_those_of_the_covariance_matrix():
    v, e, c = 4.0, 0.25, 2.0
    within = torch.tensor([[v + e, c * v], [c * v, c * c * v + e]], dtype=torch.float64)
    weights = torch.linalg.solve(within, torch.tensor([2.0, 0.0], dtype=torch.float64))
    overall = within + torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)

    assert (weights[1] / weights[0]).item() == pytest.approx(right_ratio(v, e, c))
    assert (overall @ weights)[1].item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (pair(lambda v, e, c: 0.0), "no information, no weight"),
        (pair(lambda v, e, c: c * v / (c * c * v + e)), "the shadow is added"),
        (pair(lambda v, e, c: -1 / c), "the noise is missing"),
        (pair(lambda v, e, c: -1.0), "minus one, whatever the noise"),
        (pair(lambda v, e, c: -c), "not the other way round"),
        (pair(lambda v, e, c: -v / (v + e)), "the factor c is missing"),
        (pair(lambda v, e, c: -c * v / (c * v + e)), "the factor c is not squared"),
        (pair(lambda v, e, c: -c * v / (v + e)), "this predicts pixel 2 from pixel 1"),
        (pair(lambda v, e, c: -c * v / (v + e + 1)), "the signal counts as a disturbance"),
        (pair(lambda v, e, c: -(c * c * v + e) / (c * v) if v else -1.0), "upside down"),
        (pair(lambda v, e, c: -c * c * v / (c * c * v + e)), "the share of the shadow in pixel 2"),
        (pair(lambda v, e, c: -0.94), "for v = 4, e = 0.25, c = 1 this gives -0.94"),
        (pair(covariance=right_ratio), "the covariances are taken for the weights"),
        (pair(covariance=lambda v, e, c: c * v / (v + e + 1)), "with pixel 1, not with the score"),
        (pair(covariance=lambda v, e, c: c * v / (v + e)), "within a class, and with pixel 1"),
        (pair(covariance=lambda v, e, c: -right_ratio(v, e, c)), "the sign turned round"),
        (pair(covariance=lambda v, e, c: -1.0), "covariances: minus one"),
        (pair(covariance=lambda v, e, c: 0.5), "this gives 0.5"),
        (right_ratio, "return two numbers"),
    ],
)
def test_each_wrong_ratio_gets_its_message(function, message, capsys):
    assert not check.ratios(function).passed
    assert message in capsys.readouterr().out
