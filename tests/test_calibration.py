"""The calibration error against examples whose answer is known, and against a loop written out."""

import pytest
import torch

from labs.data import load_digits
from labs.networks import SimpleNetwork
from labs.training import calibration_error


def logits_of(probabilities):
    """Logits whose softmax are these probabilities of the first of two classes."""
    p = torch.tensor(probabilities, dtype=torch.float64)
    return torch.stack([p, 1 - p], dim=1).log()


def written_out(logits, labels, bins):
    """The definition, bin by bin."""
    confidence, predicted = logits.double().softmax(dim=1).max(dim=1)
    error = 0.0
    for k in range(bins):
        inside = (confidence > k / bins) & (confidence <= (k + 1) / bins)
        if inside.any():
            right = (predicted[inside] == labels[inside]).double().mean()
            error += inside.double().mean() * abs(right - confidence[inside].mean())
    return float(error)


def test_who_is_right_as_often_as_sure_has_no_error():
    logits = logits_of([0.75] * 4)

    assert calibration_error(logits, torch.tensor([0, 0, 0, 1])) == pytest.approx(0, abs=1e-12)


def test_who_is_sure_and_always_wrong_has_an_error_of_one():
    logits = torch.tensor([[100.0, -100.0]] * 3)

    assert calibration_error(logits, torch.tensor([1, 1, 1])) == pytest.approx(1)


def test_errors_in_two_bins_do_not_cancel():
    # Ten examples said 0.9 and are right half of the time; ten said 0.6 and are always right.
    logits = logits_of([0.9] * 10 + [0.6] * 10)
    labels = torch.tensor([0, 1] * 5 + [0] * 10)

    assert calibration_error(logits, labels) == pytest.approx((0.4 + 0.4) / 2)


@pytest.mark.parametrize("bins", [1, 2, 15, 100])
def test_the_error_is_that_of_the_definition(bins):
    data = load_digits("test", limit=300)
    torch.manual_seed(0)
    with torch.no_grad():
        logits = 30 * SimpleNetwork("Tanh")(data.images)

    assert calibration_error(logits, data.labels, bins=bins) == pytest.approx(
        written_out(logits, data.labels, bins), abs=1e-9
    )


@pytest.mark.parametrize(
    ("logits", "labels", "bins"),
    [
        (torch.zeros(0, 3), torch.zeros(0).long(), 15),
        (torch.zeros(4, 3), torch.zeros(3).long(), 15),
        (torch.zeros(4), torch.zeros(4).long(), 15),
        (torch.zeros(4, 3), torch.zeros(4).long(), 0),
    ],
)
def test_what_does_not_fit_is_refused(logits, labels, bins):
    with pytest.raises(ValueError, match=r"wanted \(N, C\), \(N\)"):
        calibration_error(logits, labels, bins=bins)
