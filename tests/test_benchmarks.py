"""The benchmarks compare what they say they compare; how long it takes is nobody's business here."""

import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.matrix_products import WIDTHS, products, work
from benchmarks.pairs import best, ratio, side_by_side
from benchmarks.plain_loop import dead_masks, loader, train_epoch
from benchmarks.playground import BURST, SETUP
from benchmarks.staf import FORMS, saved_bytes
from labs.activations import make_activation
from labs.data import batches, load_digits, load_fashion_mnist
from labs.networks import SimpleNetwork
from labs.neurons import dead_neuron_masks
from labs.playground import make_model
from labs.seeds import make_generator, set_seed


def test_every_other_round_goes_backwards_and_the_warm_up_does_not_count():
    calls = []

    seconds = side_by_side(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2, warm_up=1
    )

    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert [len(values) for values in seconds.values()] == [2, 2]


def test_a_ratio_is_taken_within_each_round():
    seconds = {"a": [2.0, 40.0, 6.0], "b": [1.0, 10.0, 2.0]}  # the second round was ten times slower for both

    assert ratio(seconds, "a", "b")["median"] == 3.0
    assert best({"a": [3.0, 1.0, 2.0]}, "a") == 1.0


def test_the_products_are_those_of_a_training_step_and_no_more():
    model, counter = SimpleNetwork(), FlopCounterMode(display=False)

    with counter:
        model(torch.randn(128, 784)).sum().backward()
    alone = FlopCounterMode(display=False)
    with alone:
        products(torch.randn(256, 1, 28, 28))()

    assert tuple(itertools.chain([784], (layer.out_features for layer in model.linear_layers))) == WIDTHS
    assert counter.get_total_flops() == alone.get_total_flops() == work()


def test_the_naive_mask_and_ours_find_the_same_units():
    set_seed(0)
    data, model = load_digits("test"), SimpleNetwork()

    naive = dead_masks(model, batches(data, 50, shuffle=False))
    ours = dead_neuron_masks(model, data)

    assert any(mask.any() for mask in ours.values())
    assert all(torch.equal(naive[name], ours[name]) for name in ours)


def test_the_plain_loader_gives_the_batches_that_labs_gives(fashion_mnist_root):
    data = load_fashion_mnist("train")

    plain = itertools.islice(loader(seed=7), 3)
    ours = batches(data, 128, generator=make_generator(7))

    for (images, labels), (our_images, our_labels) in zip(plain, ours, strict=False):
        assert torch.equal(images, our_images)
        assert torch.equal(labels, our_labels)


def test_the_plain_epoch_learns():
    set_seed(0)
    data, model = load_digits("train"), SimpleNetwork("Tanh")
    descent = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    first, _ = train_epoch(model, descent, batches(data, 64))
    second, accuracy = train_epoch(model, descent, batches(data, 64))

    assert second < first
    assert 0 < accuracy <= 1


@pytest.mark.parametrize("form", ["formula in one piece", "labs, block by block"])
def test_the_forms_of_staf_compute_what_the_loop_computes(form):
    set_seed(0)
    loop, x = FORMS["loop over the sines"](), torch.randn(5, 7)
    other = FORMS[form]()
    other.load_state_dict(loop.state_dict())

    torch.testing.assert_close(other(x), loop(x), rtol=1e-5, atol=1e-5)


def test_relu_keeps_its_output_for_the_way_back_and_nothing_else():
    x = torch.randn(100, 10, requires_grad=True)

    assert saved_bytes(make_activation("ReLU"), x) == 100 * 10 * 4


def test_the_playground_is_measured_with_the_network_and_the_speed_that_it_promises():
    widths = [layer.out_features for layer in make_model(SETUP) if isinstance(layer, torch.nn.Linear)]

    assert (widths, SETUP.batch, BURST) == ([8, 8, 2], 32, 300)
