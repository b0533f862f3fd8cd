"""Promises of labs.training: the plain loop, nothing hidden, and clear words when it cannot work."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from labs.data import PointData, load_digits, make_moons, make_spirals
from labs.networks import SimpleNetwork
from labs.training import Evaluation, History, evaluate, fit


def small_network(seed=0, activation=nn.ReLU):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 16), activation(), nn.Dropout(0.2), nn.Linear(16, 3))


def plain_loop(model, data, *, epochs, lr, momentum, batch_size, seed, fused=False):
    """What a reader would write by hand, for data in memory; returns the losses of the last epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum, fused=fused)
    model.train()
    for _ in range(epochs):
        losses = []
        for indices in torch.randperm(len(data), generator=generator).split(batch_size):
            optimizer.zero_grad()
            losses.append(F.cross_entropy(model(data.points[indices]), data.labels[indices]))
            losses[-1].backward()
            optimizer.step()
    return torch.stack(losses).detach()


SETTINGS = {"epochs": 3, "lr": 0.1, "momentum": 0.9, "batch_size": 50, "seed": 7}


# --- fit


# RReLU and the dropout draw random numbers while they train.
@pytest.mark.parametrize("activation", [nn.ReLU, nn.RReLU])
@pytest.mark.parametrize("fused", [False, True])
def test_fit_is_the_plain_loop_to_the_last_bit(activation, fused):
    data = make_spirals(150)  # three full batches of 50
    by_hand, by_fit = small_network(activation=activation), small_network(activation=activation)
    with_one_kernel = partial(torch.optim.SGD, lr=SETTINGS["lr"], momentum=SETTINGS["momentum"], fused=True)

    losses = plain_loop(by_hand, data, **SETTINGS, fused=fused)
    history = fit(by_fit, data, **SETTINGS, optimizer=with_one_kernel if fused else None)

    for expected, found in zip(by_hand.parameters(), by_fit.parameters(), strict=True):
        assert torch.equal(expected, found)
    assert history.train_loss[-1] == pytest.approx(losses.mean().item(), rel=1e-6)  # another order of adding


def test_measuring_on_test_data_does_not_change_what_is_learned():
    with_test, without = small_network(), small_network()

    fit(with_test, make_spirals(150), make_spirals(30, seed=1), **SETTINGS)
    fit(without, make_spirals(150), **SETTINGS)

    for one, other in zip(with_test.parameters(), without.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_seed_takes_the_examples_in_another_order():
    one, other = small_network(), small_network()

    fit(one, make_spirals(150), **{**SETTINGS, "seed": 7})
    fit(other, make_spirals(150), **{**SETTINGS, "seed": 8})

    assert not torch.equal(one[0].weight, other[0].weight)


def test_digits_are_learned():
    torch.manual_seed(0)
    model = SimpleNetwork("ReLU", hidden_features=(64,))

    history = fit(model, load_digits("train"), load_digits("test"), epochs=5, lr=0.01, batch_size=32)

    assert history.test_accuracy[-1] > 0.9  # measured 0.931 to 0.964 over 8 seeds; chance is 0.1


def test_the_history_has_one_entry_per_epoch_and_a_short_repr():
    history = fit(small_network(), make_spirals(150), make_spirals(30), **SETTINGS)

    assert len(history) == 3
    assert [len(values) for values in vars(history).values()] == [3, 3, 3, 3]
    assert repr(history).startswith("History(3 epochs, train loss ")
    assert len(repr(history)) < 120


def test_without_test_data_the_test_figures_stay_empty():
    history = fit(small_network(), make_spirals(150), **SETTINGS)

    assert history.test_loss == history.test_accuracy == []
    assert repr(History()) == "History(0 epochs)"


def test_the_last_test_figures_are_those_of_evaluate():
    model, test = small_network(), make_spirals(30, seed=1)

    history = fit(model, make_spirals(150), test, **SETTINGS)

    assert evaluate(model, test) == (history.test_loss[-1], history.test_accuracy[-1])


def test_training_accuracy_counts_the_answers_given_before_each_step():
    data = make_spirals(150)
    model, copy = small_network(), small_network()
    model[2], copy[2] = nn.Identity(), nn.Identity()
    correct = (copy(data.points).argmax(dim=1) == data.labels).float().mean().item()

    history = fit(model, data, epochs=1, lr=0.1, batch_size=150)

    assert history.train_accuracy == [pytest.approx(correct, abs=1e-6)]


def test_fit_leaves_modes_and_gradients_as_they_were():
    model = small_network()
    model.eval()
    model[2].train()
    model[0].weight.grad = torch.ones(16, 2)

    fit(model, make_spirals(150), make_spirals(30), **SETTINGS)

    assert [module.training for module in model] == [False, False, True, False]
    assert torch.equal(model[0].weight.grad, torch.ones(16, 2))
    assert model[0].bias.grad is None


def test_fit_leaves_torch_s_random_numbers_as_they_were():
    torch.manual_seed(3)
    expected = torch.rand(4)
    model = small_network()

    torch.manual_seed(3)
    fit(model, make_spirals(150), **SETTINGS)

    assert torch.equal(torch.rand(4), expected)


def test_frozen_parameters_stay_as_they_are():
    model = small_network()
    model[0].requires_grad_(False)
    before, moving = model[0].weight.clone(), model[3].weight.clone()

    fit(model, make_spirals(150), **SETTINGS)

    assert torch.equal(model[0].weight, before)
    assert not torch.equal(model[3].weight, moving)


def test_on_epoch_sees_every_epoch_with_its_history():
    model, seen = small_network(), []

    def look(epoch, what, history):
        seen.append((epoch, what is model, len(history)))

    fit(model, make_spirals(150), on_epoch=look, **SETTINGS)

    assert seen == [(1, True, 1), (2, True, 2), (3, True, 3)]


def test_on_epoch_may_change_the_mode_and_draw_numbers_without_changing_the_batches():
    data, plain, watched = make_spirals(150), small_network(), small_network()
    plain[2], watched[2] = nn.Identity(), nn.Identity()

    def look(epoch, model, history):
        model.eval()
        torch.rand(10)

    fit(plain, data, **SETTINGS)
    fit(watched, data, on_epoch=look, **SETTINGS)

    assert torch.equal(plain[0].weight, watched[0].weight)


def test_another_optimizer_can_be_given():
    data, by_hand, by_fit = make_spirals(150), small_network(), small_network()
    by_hand[2], by_fit[2] = nn.Identity(), nn.Identity()
    adam = torch.optim.Adam(by_hand.parameters(), lr=0.01)
    F.cross_entropy(by_hand(data.points), data.labels).backward()
    adam.step()

    fit(by_fit, data, epochs=1, batch_size=150, optimizer=partial(torch.optim.Adam, lr=0.01))

    # the one batch comes shuffled, so its gradients are added in another order
    assert torch.allclose(by_fit[0].weight, by_hand[0].weight, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_on_a_gpu_the_same_batches_lead_to_the_same_place():
    data, on_cpu, on_gpu = make_spirals(150), small_network(), small_network()
    on_cpu[2], on_gpu[2] = nn.Identity(), nn.Identity()
    on_gpu.cuda()

    fit(on_cpu, data, data, **SETTINGS)
    history = fit(on_gpu, data, data, **SETTINGS)

    assert on_gpu[0].weight.device.type == "cuda"
    # other kernels round differently
    assert torch.allclose(on_gpu[0].weight.cpu(), on_cpu[0].weight, atol=1e-4)
    assert history.test_loss[-1] == pytest.approx(evaluate(on_cpu, data).loss, abs=1e-4)


# --- evaluate


def test_evaluate_agrees_with_torch_on_all_data_at_once():
    model, data = small_network().eval(), make_spirals(150)
    with torch.no_grad():
        logits = model(data.points)

    result = evaluate(model, data, batch_size=40)

    assert result.loss == pytest.approx(F.cross_entropy(logits, data.labels).item(), rel=1e-6)
    assert result.accuracy == pytest.approx((logits.argmax(1) == data.labels).float().mean().item(), rel=1e-6)


def test_the_loss_is_in_nats_and_the_accuracy_a_fraction():
    undecided = nn.Linear(2, 3)
    nn.init.zeros_(undecided.weight)
    nn.init.zeros_(undecided.bias)

    loss, accuracy = evaluate(undecided, make_spirals(150))

    assert loss == pytest.approx(math.log(3), rel=1e-6)
    assert accuracy == pytest.approx(1 / 3)
    assert repr(Evaluation(loss, accuracy)) == "Evaluation(loss=1.0986, accuracy=0.3333)"


def test_evaluate_turns_dropout_off_and_leaves_the_model_as_it_was():
    model = small_network()
    model[0].eval()

    first, second = evaluate(model, make_spirals(150)), evaluate(model, make_spirals(150))

    assert first == second
    assert [module.training for module in model] == [False, True, True, True]
    assert all(p.grad is None for p in model.parameters())


def test_evaluate_restores_the_mode_after_a_failure():
    model = small_network()

    with pytest.raises(ValueError, match="cannot take inputs"):
        evaluate(model, load_digits("test", limit=5))

    assert model.training


# --- bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is 0; wanted a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size is 0; wanted"),
        ({"lr": 0.0}, "lr is 0.0; wanted a learning rate above 0"),
        ({"lr": -0.1}, "lr is -0.1; wanted"),
        ({"lr": float("nan")}, "lr is nan; wanted"),
        ({"lr": float("inf")}, "lr is inf; wanted"),
        ({"momentum": 1.0}, "momentum is 1.0; wanted 0 to below 1"),
        ({"momentum": -0.1}, "momentum is -0.1; wanted"),
        ({"seed": -1}, "seed is -1; wanted"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_changes(settings, message):
    model = small_network()
    before = model[0].weight.clone()

    with pytest.raises(ValueError, match=message):
        fit(model, make_spirals(150), **{**SETTINGS, **settings})

    assert torch.equal(model[0].weight, before)


def test_a_loss_that_overflows_names_the_epoch_and_the_learning_rate():
    model = small_network().eval()

    with pytest.raises(FloatingPointError, match=r"became (nan|inf) in epoch 1 \(lr=1e\+30\).*smaller lr"):
        fit(model, make_spirals(150), epochs=2, lr=1e30, batch_size=50)

    assert not model.training
    assert model[0].weight.grad is None


@pytest.mark.parametrize("run", [fit, evaluate])
def test_inputs_of_another_width_are_refused_with_both_widths(run):
    data = load_digits("train", limit=10)

    with pytest.raises(ValueError, match=r"shape \(10, 1, 28, 28\); .* wants 2 numbers per example"):
        run(small_network(), data)


@pytest.mark.parametrize("run", [fit, evaluate])
def test_a_label_without_an_output_is_refused(run):
    model = nn.Linear(2, 2)

    with pytest.raises(ValueError, match="labels up to 2, but the model 2 outputs; .*with 3 or more"):
        run(model, make_spirals(150, classes=3))


def test_a_test_set_with_more_labels_than_outputs_is_refused():
    model = nn.Linear(2, 2)

    with pytest.raises(ValueError, match="labels up to 2"):
        fit(model, make_moons(20), make_spirals(30, classes=3), epochs=1)


@pytest.mark.parametrize("run", [fit, evaluate])
def test_a_model_that_returns_no_logits_is_refused(run):
    model = nn.Sequential(nn.Linear(2, 1), nn.Flatten(start_dim=0))

    with pytest.raises(ValueError, match=r"returned shape \(20,\); wanted logits of \(20, classes\)"):
        run(model, make_moons(20))


@pytest.mark.parametrize("run", [fit, evaluate])
def test_something_that_is_no_data_set_is_refused(run):
    with pytest.raises(TypeError, match="is a Tensor; wanted ImageData or PointData"):
        run(nn.Linear(2, 2), torch.zeros(5, 2))


@pytest.mark.parametrize("run", [fit, evaluate])
def test_data_without_examples_are_refused(run):
    class Nothing:
        inputs, labels = torch.zeros(0, 2), torch.zeros(0).long()

        def __len__(self):
            return 0

    with pytest.raises(ValueError, match="has no examples; wanted at least one"):
        run(nn.Linear(2, 2), Nothing())


@pytest.mark.parametrize("model", [nn.ReLU(), nn.Linear(2, 2).requires_grad_(False)])
def test_a_model_that_cannot_learn_is_refused(model):
    with pytest.raises(ValueError, match="requires a gradient, so it cannot learn"):
        fit(model, make_moons(20))


def test_an_error_of_another_kind_in_the_model_comes_through_unchanged():
    class Faulty(nn.Linear):
        def forward(self, x):
            raise RuntimeError("a fault of its own")

    with pytest.raises(RuntimeError, match="a fault of its own"):
        fit(Faulty(2, 2), PointData(torch.zeros(4, 2), torch.zeros(4).long(), ("one",)))
