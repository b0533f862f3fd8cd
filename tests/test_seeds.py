"""Promises of labs.seeds: the same seed gives the same draws, and a bad seed says so."""

import random

import numpy
import pytest
import torch

from labs.seeds import make_generator, set_seed


def draws():
    return random.random(), numpy.random.rand(), torch.rand(1).item()


def test_the_same_seed_repeats_the_draws_of_all_three_libraries():
    set_seed(7)
    first = draws()

    set_seed(7)

    assert draws() == first


def test_another_seed_changes_the_draws_of_all_three_libraries():
    set_seed(7)
    first = draws()

    set_seed(8)

    assert all(one != other for one, other in zip(draws(), first, strict=True))


def test_a_seed_gives_what_torch_gives_for_it():
    torch.manual_seed(7)
    expected = torch.rand(5)

    set_seed(7)

    assert torch.equal(torch.rand(5), expected)


def test_a_generator_repeats_its_draws_and_leaves_the_global_ones_alone():
    set_seed(0)
    untouched = torch.rand(3)
    set_seed(0)

    first = torch.rand(5, generator=make_generator(7))
    again = torch.rand(5, generator=make_generator(7))

    assert torch.equal(first, again)
    assert torch.equal(torch.rand(3), untouched)


def test_a_seed_from_numpy_is_as_good_as_python_s_own():
    one = torch.rand(3, generator=make_generator(numpy.int64(7)))

    assert torch.equal(one, torch.rand(3, generator=make_generator(7)))


@pytest.mark.parametrize("function", [set_seed, make_generator])
@pytest.mark.parametrize("seed", [1.0, "7", None, True])
def test_a_seed_that_is_no_whole_number_is_refused(function, seed):
    with pytest.raises(TypeError, match="wanted a whole number"):
        function(seed)


@pytest.mark.parametrize("function", [set_seed, make_generator])
@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(function, seed):
    with pytest.raises(ValueError, match=rf"seed is {seed}; wanted 0 to"):
        function(seed)


def test_a_refused_seed_changes_no_draw():
    set_seed(0)
    expected = draws()
    set_seed(0)

    with pytest.raises(ValueError, match="wanted 0 to"):
        set_seed(-1)

    assert draws() == expected
