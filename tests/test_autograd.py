"""Promises of labs.autograd: the gradients are torch's, on any graph, with its conventions at kinks and ties."""

import math
import random

import pytest
import torch

from labs.autograd import Value

UNARY = ("tanh", "sigmoid", "relu", "exp", "log", "**3", "**-1", "neg")
BINARY = ("+", "*", "-", "/", "maximum")


def unary(name, a):
    """One operation on a Value or a tensor; the arguments are kept where the operation is tame."""
    if name == "log":
        return (a * a + 1.0).log()
    if name == "exp":
        return (a.tanh() * 2.0).exp()
    if name == "**3":
        return a.tanh() ** 3
    if name == "**-1":
        return (a * a + 0.5) ** -1
    return -a if name == "neg" else getattr(a, name)()


def binary(name, a, b):
    if name == "/":
        return a / (b * b + 1.0)
    if name == "maximum":
        return a.maximum(b)
    return {"+": a + b, "*": a.tanh() * b, "-": a - b}[name]


def random_graph(leaves, seed):
    """The same random expression for Values and tensors: thirty steps, each on any of the earlier results."""
    draw = random.Random(seed)
    known = list(leaves)
    for _ in range(30):
        if draw.random() < 0.4:
            known.append(unary(draw.choice(UNARY), draw.choice(known)))
        else:
            known.append(binary(draw.choice(BINARY), draw.choice(known), draw.choice(known)))
    return sum(known[1:], known[0])


@pytest.mark.parametrize("seed", range(100))
def test_a_random_graph_with_shared_parts_has_the_gradients_of_torch(seed):
    draw = random.Random(1000 + seed)
    numbers = [draw.choice((draw.uniform(-2, 2), 1.0, 0.0)) for _ in range(4)]  # equal ones make ties
    ours = [Value(number) for number in numbers]
    theirs = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in numbers]

    mine, reference = random_graph(ours, seed), random_graph(theirs, seed)
    mine.backward()
    reference.backward()

    assert math.isclose(mine.data, reference.item(), rel_tol=1e-10, abs_tol=1e-10)
    for value, tensor in zip(ours, theirs, strict=True):
        assert math.isclose(value.grad, tensor.grad.item(), rel_tol=1e-10, abs_tol=1e-10)


def test_the_example_of_the_chapter_has_the_values_found_by_hand():
    x, y, z, w = (Value(number) for number in (4, -2, 5, -1))

    f = (x * y + z.maximum(w)) ** 2
    f.backward()

    assert (f.data, x.grad, y.grad, z.grad, w.grad) == (9.0, 12.0, -24.0, -6.0, 0.0)


def test_a_tie_is_split_as_torch_splits_it():
    a, b = Value(2.0), Value(2.0)
    s, t = (torch.tensor(2.0, requires_grad=True) for _ in range(2))

    (a.maximum(b) * 3).backward()
    (torch.maximum(s, t) * 3).backward()

    assert (a.grad, b.grad) == (s.grad.item(), t.grad.item()) == (1.5, 1.5)


def test_a_value_compared_with_itself_gets_the_whole_gradient():
    a = Value(2.0)

    a.maximum(a).backward()

    assert a.grad == 1.0


@pytest.mark.parametrize("number", [-1e4, -1.0, 0.0, 1.0, 1e4])
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_the_activations_agree_with_torch_at_the_kink_and_far_out(name, number):
    value, tensor = Value(number), torch.tensor(number, dtype=torch.float64, requires_grad=True)

    getattr(value, name)().backward()
    getattr(torch, name)(tensor).backward()

    assert math.isclose(value.grad, tensor.grad.item(), rel_tol=1e-10, abs_tol=1e-12)


def test_a_shared_value_is_visited_once_and_not_once_per_path():
    x = value = Value(1.0)
    for _ in range(60):  # two to the sixty paths
        value = value + value

    value.backward()

    assert len(value.graph()) == 61
    assert x.grad == 2.0**60


def test_a_chain_longer_than_the_recursion_limit_works():
    x = value = Value(1.0)
    for _ in range(5000):
        value = value + 1.0

    value.backward()

    assert x.grad == 1.0


def test_two_calls_add_up_as_in_torch():
    x, t = Value(3.0), torch.tensor(3.0, requires_grad=True)

    for _ in range(2):
        (x * x).backward()
        (t * t).backward()

    assert x.grad == t.grad.item() == 12.0


def test_calling_twice_on_the_same_value_doubles_and_does_not_compound():
    x = Value(3.0)
    f = x * x * x

    f.backward()
    f.backward()

    assert x.grad == 2 * 27.0


def test_plain_numbers_work_on_either_side():
    x = Value(4.0)

    results = (x + 1, 1 + x, x - 1, 1 - x, x * 2, 2 * x, x / 2, 2 / x, -x, x**0)

    assert [value.data for value in results] == [5, 5, 3, -3, 8, 8, 2, 0.5, -4, 1]


def test_a_constant_does_not_disturb_and_zero_to_the_zero_has_slope_zero():
    x = Value(0.0)

    (x**0 + 5).backward()

    assert x.grad == 0.0


def test_every_value_comes_after_its_inputs():
    x, y = Value(1.0), Value(2.0)
    f = (x * y + x).tanh() * (y - x * y)

    order = f.graph()

    assert order[-1] is f
    assert len(set(order)) == len(order)
    for place, value in enumerate(order):
        assert all(below in order[:place] for below, _ in value.inputs)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda: Value(-1.0) ** 0.5, ValueError),
        (lambda: Value(0.0) ** -1, ValueError),
        (lambda: 1 / Value(0.0), ValueError),
        (lambda: Value(0.0).log(), ValueError),
        (lambda: Value(1000.0).exp(), OverflowError),
        (lambda: Value(2.0) ** Value(3.0), TypeError),
    ],
)
def test_what_has_no_finite_value_or_slope_is_refused(wrong, error):
    with pytest.raises(error):
        wrong()
