"""What STAF's twenty-five sines cost beside ReLU, in time and in memory, in its several forms."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.pairs import ratio, side_by_side
from benchmarks.training import step_of
from labs.activations import STAF
from labs.networks import SimpleNetwork
from labs.seeds import set_seed


class LoopSTAF(nn.Module):
    """STAF as tutorials write it: one sine after the other in a Python loop."""

    def __init__(self, tau: int = 25) -> None:
        super().__init__()
        self.C, self.omega, self.phi = (nn.Parameter(torch.randn(tau)) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros_like(x)
        for c, omega, phi in zip(self.C, self.omega, self.phi, strict=True):
            total = total + c * torch.sin(omega * x + phi)
        return total


class FormulaSTAF(STAF):
    """STAF by its formula in one piece: all sines of all inputs at once."""

    forward = STAF.plain


FORMS: dict[str, Callable[[], nn.Module]] = {
    "ReLU": nn.ReLU,
    "loop over the sines": LoopSTAF,
    "formula in one piece": FormulaSTAF,
    "labs, block by block": STAF,
}


def cost(rounds: int = 40) -> dict:
    """A training step of SimpleNetwork with each form, relative to ReLU: time, and bytes kept for the way back."""
    inputs, labels = torch.randn(128, 784), torch.randint(10, (128,))
    models = {}
    for name, make in FORMS.items():
        set_seed(7)
        models[name] = SimpleNetwork(make)
    ways = {name: step_of(model, inputs, labels) for name, model in models.items()}
    compiled = _compiled(inputs, labels)
    if compiled is not None:
        ways["labs, compiled"] = compiled
    seconds = side_by_side(ways, rounds=rounds, warm_up=3)
    kept = {
        name: saved_bytes(make(), torch.randn(128, 640, requires_grad=True)) for name, make in FORMS.items()
    }
    peak = {name: peak_growth(name) for name in FORMS}
    return {
        "time of a step / ReLU's": {name: ratio(seconds, name, "ReLU") for name in ways if name != "ReLU"},
        "bytes kept / ReLU's": {name: kept[name] / kept["ReLU"] for name in FORMS if name != "ReLU"},
        "growth of peak memory / ReLU's": {
            name: value and value / peak["ReLU"] for name, value in peak.items() if name != "ReLU"
        },
        "compiled": "no compiler here" if compiled is None else "STAF of labs under torch.compile",
        "threads": torch.get_num_threads(),
    }


def _compiled(inputs: Tensor, labels: Tensor) -> Callable[[], None] | None:
    set_seed(7)
    model = SimpleNetwork(STAF)
    step = step_of(torch.compile(model), inputs, labels)
    try:
        step()
    except Exception:  # no C++ compiler, or a platform that torch.compile does not know
        return None
    return step


def saved_bytes(module: nn.Module, x: Tensor) -> int:
    """Return how many bytes ``module`` keeps for the way back through ``x``; tensors kept twice count once."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = module(x)
    del y
    return sum(kept.values())


def peak_growth(form: str, examples: int = 8192) -> float | None:
    """Return by how much the peak memory of a process of its own grows in one step with this form [MiB].

    Only Linux can forget an earlier peak, such as that of importing torch; elsewhere the answer is None.
    """
    if not Path("/proc/self/clear_refs").exists():
        return None
    script = f"from benchmarks.staf import grow; print(grow({form!r}, {examples}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(done.stdout)


def grow(form: str, examples: int) -> float:
    """Return the growth of this process's peak memory [MiB] over one forward and backward pass of one activation."""
    torch.set_num_threads(1)
    set_seed(7)
    module = FORMS[form]()
    module(
        torch.randn(64, 64, requires_grad=True)
    ).sum().backward()  # what is loaded at first use shall not count
    x = torch.randn(examples, 640, requires_grad=True)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # 5: the peak is what is in use now
    before = _peak()
    y = module(x)
    y.backward(torch.ones_like(y))
    return _peak() - before


def _peak() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
