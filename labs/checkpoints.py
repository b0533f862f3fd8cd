"""Keep the weights of a model in a file, and take back only what fits."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import torch
from torch import Tensor, nn

from labs.files import replacing

_FORMAT = "labs checkpoint 1"


def save_checkpoint(model: nn.Module, path: str | os.PathLike, **note: object) -> None:
    """Write the weights of ``model`` to ``path``, and beside them which architecture they belong to.

    Args:
        model: any module.
        path: the file to write; it is replaced only once the new one is complete.
        note: what else to remember, in JSON's types: ``epoch=15, seed=7``.

    Raises:
        ValueError: a note that JSON cannot hold.
        FileNotFoundError: the folder does not exist.
        OSError: the file cannot be written; the old one is as it was.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(nn.Linear(2, 3), f"{folder}/a.pt", epoch=15)
        ...     os.listdir(folder)
        ['a.pt']
    """
    try:
        text = json.dumps(note, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot keep the note ({error}); give numbers, text, lists, dicts") from error
    weights = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    architecture = json.dumps(_architecture(model))
    content = {"format": _FORMAT, "architecture": architecture, "note": text, "weights": weights}
    whole = io.BytesIO()  # torch itself would not say that the disk is full
    torch.save(content, whole)
    with replacing(path) as temporary:
        temporary.write_bytes(whole.getbuffer())


def load_checkpoint(model: nn.Module, path: str | os.PathLike) -> dict:
    """Fill ``model`` with the weights that :func:`save_checkpoint` wrote, and return the note.

    Only tensors and text are read; a file with anything else in it is refused, and none of it is run. When
    something is wrong, the model stays as it is.

    Args:
        model: a model of the same architecture.
        path: the file.

    Returns:
        The note as a dict, in JSON's types, so that a tuple comes back as a list.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint of this format, or one of another architecture.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(nn.Linear(2, 3), f"{folder}/a.pt", epoch=15)
        ...     load_checkpoint(nn.Linear(2, 3), f"{folder}/a.pt")
        {'epoch': 15}
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {str(path)!r}; check the path, or call save_checkpoint")
    content = _read_checkpoint(path)
    differences = _differences(content["architecture"], _architecture(model))
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise ValueError(
            f"{str(path)!r} holds another architecture than this {type(model).__name__}: "
            f"{'; '.join(differences[:3])}{more}; build the model the way it was when it was saved"
        )
    model.load_state_dict(content["weights"])
    return content["note"]


def _architecture(model: nn.Module) -> dict[str, str]:
    """Describe a model by the class of every module and the shape and type of every tensor in its state."""
    parts = {name: type(module).__name__ for name, module in model.named_modules(remove_duplicate=False)}
    parts["whole model"] = parts.pop("")
    return {**parts, **{name: _kind(value) for name, value in model.state_dict().items()}}


def _differences(saved: dict[str, str], own: dict[str, str]) -> list[str]:
    names = [*own, *(name for name in saved if name not in own)]
    return [
        f"{name} is {saved.get(name, 'missing')} in the file, {own.get(name, 'missing')} in the model"
        for name in names
        if own.get(name) != saved.get(name)
    ]


def _read_checkpoint(path: Path) -> dict:
    with path.open("rb") as file:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # bytes that are no checkpoint make torch fail in a dozen ways
            raise ValueError(
                f"{str(path)!r} is no checkpoint, or a damaged one ({type(error).__name__}); nothing in it "
                "was run: write it again with save_checkpoint"
            ) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(
            f"{str(path)!r} was not written by save_checkpoint; for a bare state_dict use "
            "model.load_state_dict(torch.load(path, weights_only=True))"
        )
    try:
        described, note = json.loads(content["architecture"]), json.loads(content["note"])
        weights = content["weights"]
        # The tensors themselves decide about shapes, whatever the description beside them says.
        architecture = {**described, **{name: _kind(value) for name, value in weights.items()}}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{str(path)!r} is a damaged checkpoint ({error!r}); write it again") from error
    return {"architecture": architecture, "note": note, "weights": weights}


def _kind(tensor: Tensor) -> str:
    return f"{tensor.dtype} {tuple(tensor.shape)}"
