"""Promises of the checkpoints: weights only, whole or not at all, and never into the wrong model."""

import os
import pickle

import pytest
import torch
from torch import nn

from labs.networks import SimpleNetwork
from labs.training import load_checkpoint, save_checkpoint


def network(seed=0, activation="ReLU", hidden_features=(5, 4)):
    torch.manual_seed(seed)
    return SimpleNetwork(activation, in_features=3, hidden_features=hidden_features, out_features=2)


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "model.pt"
    save_checkpoint(network(seed=1), path, epoch=15, seed=7)
    return path


def refused(model, path, message):
    """Check that loading fails with ``message`` and leaves ``model`` as it is."""
    before = state(model)

    with pytest.raises(ValueError, match=message):
        load_checkpoint(model, path)

    assert same(state(model), before)


def test_what_was_saved_comes_back_with_its_note(checkpoint):
    model = network(seed=2)

    note = load_checkpoint(model, checkpoint)

    assert same(state(model), state(network(seed=1)))
    assert note == {"epoch": 15, "seed": 7}


def test_buffers_are_kept_too(tmp_path):
    saved, model = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    saved(torch.randn(10, 3) + 5)
    save_checkpoint(saved, tmp_path / "a.pt")

    load_checkpoint(model, tmp_path / "a.pt")

    assert same(state(model), state(saved))


def test_a_file_holds_tensors_and_text_only(checkpoint):
    content = torch.load(checkpoint, weights_only=True)

    assert {type(value) for value in content.values()} == {str, dict}
    assert all(isinstance(value, torch.Tensor) for value in content["weights"].values())


def test_saving_replaces_the_old_file_only_when_the_new_one_is_complete(checkpoint, full_disk):
    before = checkpoint.read_bytes()

    with full_disk(1000), pytest.raises(OSError, match=r"as it was before.*model\.pt"):
        save_checkpoint(network(seed=3), checkpoint)

    assert checkpoint.read_bytes() == before
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


@pytest.mark.parametrize("value", [torch.ones(2), object(), float("nan")])
def test_a_note_that_json_cannot_hold_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="cannot keep the note"):
        save_checkpoint(network(), tmp_path / "a.pt", value=value)

    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        save_checkpoint(network(), tmp_path / "nowhere" / "a.pt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint at .*a.pt"):
        load_checkpoint(network(), tmp_path / "a.pt")


def test_weights_of_other_widths_are_refused_and_the_first_difference_is_shown(checkpoint):
    refused(
        network(hidden_features=(6, 4)),
        checkpoint,
        r"another architecture.*linear1.weight is torch.float32 \(5, 3\) in the file, "
        r"torch.float32 \(6, 3\) in the model; linear1.bias .*; linear2.weight .*; build the model",
    )


def test_of_many_differences_three_are_shown(checkpoint):
    refused(nn.Linear(3, 2), checkpoint, r"weight is missing in the file.* and \d+ more; build the model")


def test_weights_of_a_shallower_network_are_refused(checkpoint):
    refused(network(hidden_features=(5, 4, 4)), checkpoint, "is missing in the file, .* in the model")


def test_weights_of_a_deeper_network_are_refused(checkpoint):
    refused(network(hidden_features=(5,)), checkpoint, "in the file, missing in the model")


def test_weights_trained_with_another_activation_are_refused_although_they_would_fit(checkpoint):
    refused(network(activation="Tanh"), checkpoint, "act1 is ReLU in the file, Tanh in the model")


def test_weights_of_another_precision_are_refused(checkpoint):
    refused(network().double(), checkpoint, "torch.float32 .* in the file, torch.float64")


def test_tensors_that_do_not_match_their_own_description_are_refused(checkpoint):
    content = torch.load(checkpoint, weights_only=True)
    content["weights"]["linear1.weight"] = torch.zeros(9, 9)
    torch.save(content, checkpoint)

    refused(network(), checkpoint, r"linear1.weight is torch.float32 \(9, 9\) in the file")


@pytest.mark.parametrize("part", ["architecture", "note", "weights"])
@pytest.mark.parametrize("damage", [None, "{", 3, [1, 2]])
def test_a_file_with_a_damaged_part_is_refused(checkpoint, part, damage):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, part: damage}, checkpoint)

    refused(network(), checkpoint, "damaged checkpoint")


def test_a_truncated_file_is_refused(checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[:-200])

    refused(network(), checkpoint, "is no checkpoint, or a damaged one")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x80\x02.", bytes(range(256)) * 20])
def test_bytes_that_are_no_checkpoint_are_refused(tmp_path, content):
    path = tmp_path / "a.pt"
    path.write_bytes(content)

    refused(network(), path, "is no checkpoint, or a damaged one")


def test_a_bare_state_dict_is_refused_with_the_way_to_load_it(tmp_path):
    path = tmp_path / "a.pt"
    torch.save(network(seed=1).state_dict(), path)

    refused(network(), path, "was not written by save_checkpoint; for a bare state_dict use")


def test_another_object_that_torch_can_load_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    torch.save([1, 2, 3], path)

    refused(network(), path, "was not written by save_checkpoint")


class Trap:
    """Makes a folder as soon as somebody unpickles it."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def write_pickle(trap, path):
    path.write_bytes(pickle.dumps(trap, protocol=2))


@pytest.mark.parametrize("write", [torch.save, write_pickle])
def test_code_in_a_file_is_never_run(tmp_path, write):
    path = tmp_path / "a.pt"
    write(Trap(tmp_path / "sprung"), path)

    refused(network(), path, "nothing in it was run")

    assert not (tmp_path / "sprung").exists()


def test_code_beside_good_weights_is_never_run(tmp_path, checkpoint):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({**content, "more": Trap(tmp_path / "sprung")}, checkpoint)

    refused(network(), checkpoint, "nothing in it was run")

    assert not (tmp_path / "sprung").exists()
