"""Our training loop against the tutorials' and against the limit; and on a machine that is busy."""

from __future__ import annotations

import itertools
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.matrix_products import products, work
from benchmarks.pairs import best, ratio, side_by_side
from benchmarks.plain_loop import loader, train_epoch
from labs.data import ImageData, load_fashion_mnist
from labs.evaluation import evaluate
from labs.networks import SimpleNetwork
from labs.seeds import set_seed
from labs.training import fit

STEPS = math.ceil(60_000 / 128)


def descent_of(model: nn.Module, *, fused: bool = False) -> torch.optim.SGD:
    """Return the optimiser of ``fit`` and of most tutorials, or the one that does a step in a single kernel."""
    return torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=fused)


def step_of(model: nn.Module, inputs: Tensor, labels: Tensor) -> Callable[[], None]:
    """Return one training step of ``model`` on one batch."""
    descent = descent_of(model)

    def step() -> None:
        loss = F.cross_entropy(model(inputs), labels)
        descent.zero_grad()
        loss.backward()
        descent.step()

    return step


def plain() -> SimpleNetwork:
    """Train SimpleNetwork for one epoch as tutorials do, and return it."""
    set_seed(7)
    model = SimpleNetwork()
    train_epoch(model, descent_of(model), loader(seed=7))
    return model


def ours() -> SimpleNetwork:
    """Train SimpleNetwork for one epoch with ``fit``, and return it."""
    set_seed(7)
    model = SimpleNetwork()
    fit(model, load_once(), epochs=1, seed=7, progress=False)
    return model


@lru_cache
def load_once() -> ImageData:
    """Return the training images; reading them is not what is measured."""
    return load_fashion_mnist("train")


def epoch(rounds: int = 3, rounds_of_the_limit: int = 8) -> dict:
    """Whole epochs of SimpleNetwork with ReLU on Fashion-MNIST: the tutorials' loop, ours, and the products alone."""
    threads, product = torch.get_num_threads(), products(load_once().inputs)

    def limit() -> None:
        for _ in range(STEPS):
            product()

    slow = side_by_side({"plain": plain, "ours": ours}, rounds=rounds)
    fast = {}
    for count in sorted({1, threads}):
        torch.set_num_threads(count)
        fast[count] = side_by_side({"ours": ours, "limit": limit}, rounds=rounds_of_the_limit)
    torch.set_num_threads(1)  # ours might go down to one thread on its own, which rounds in another way
    same = all(map(torch.equal, plain().parameters(), ours().parameters()))
    torch.set_num_threads(threads)
    return {
        "speed-up over the plain loop": ratio(slow, "plain", "ours"),
        "fraction of the limit": {f"threads: {count}": ratio(fast[count], "limit", "ours") for count in fast},
        "parameters bit-identical": same,
        "threads": threads,
        "seconds": {
            "plain": statistics.median(slow["plain"]),
            "ours": statistics.median(fast[threads]["ours"]),
            "limit": statistics.median(fast[threads]["limit"]),
        },
    }


def steps(rounds: int = 40) -> dict:
    """Where a step goes: the parts of our loop in bursts of twenty, against the products alone."""
    data = load_fashion_mnist("train", limit=12_800)
    set_seed(7)
    model = SimpleNetwork()
    descent, one_kernel = descent_of(model), descent_of(model, fused=True)
    product = products(data.inputs)
    inputs, labels = data.inputs[:128], data.labels[:128]
    orders = itertools.cycle(torch.randperm(12_800).split(128))

    def burst(step):
        return lambda: [step() for _ in range(20)]

    def forward_backward():
        descent.zero_grad()
        F.cross_entropy(model(inputs), labels).backward()

    def forward():
        with torch.no_grad():
            model(inputs)

    def gather():
        chosen = next(orders)
        data.inputs.index_select(0, chosen), data.labels.index_select(0, chosen)

    def full():
        gather()
        forward_backward()
        descent.step()

    ways = {
        "products alone": product, "forward": forward, "forward and backward": forward_backward,
        "optimiser": descent.step,
        "optimiser, fused": one_kernel.step, "gather the batch": gather, "step": full,
    }  # fmt: skip
    forward_backward()
    seconds = side_by_side({name: burst(step) for name, step in ways.items()}, rounds=rounds, warm_up=3)
    parts = {f"{name} / step": ratio(seconds, name, "step") for name in ways if name != "step"}
    rate = 20 * work() / best(seconds, "products alone") / 1e9
    return {**parts, "products alone [GFLOP/s]": rate, "threads": torch.get_num_threads()}


def evaluation(rounds: int = 5) -> dict:
    """Measuring 10,000 test images in one pass of large batches, against batches of 128."""
    test, model = load_fashion_mnist("test"), SimpleNetwork()
    ways = {"128": lambda: evaluate(model, test, batch_size=128), "2000": lambda: evaluate(model, test)}
    seconds = side_by_side(ways, rounds=rounds)
    return {"batches of 128 / of 2000": ratio(seconds, "128", "2000")}


def busy(programs: int = 4, seconds: float = 10.0) -> dict:
    """The same steps while other programs spin: a plain loop with one thread and with all, and ours with all.

    The plain loop with all threads may need minutes for an epoch here. So each way gets some seconds, and what is
    compared is how many steps it takes in them.
    """
    train, threads = load_fashion_mnist("train", limit=12_800), torch.get_num_threads()
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        time.sleep(1)
        rate = {}
        for label, count in (
            ("one thread", 1),
            ("plain, all threads", threads),
            ("labs, all threads", threads),
        ):
            torch.set_num_threads(count)
            rate[label] = (_labs_rate if label.startswith("labs") else _plain_rate)(train, seconds)
    finally:
        torch.set_num_threads(threads)
        for other in others:
            other.kill()
            other.wait()
    slower = {
        f"{label} / one thread": rate["one thread"] / rate[label] for label in rate if label != "one thread"
    }
    return {"time, relative to one thread": slower, "other programs": programs, "threads": threads}


def _labs_rate(train, seconds: float) -> float:
    set_seed(7)
    model, started, done = SimpleNetwork(), time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        fit(model, train, epochs=1, progress=False)
        done += len(train) // 128
    return done / (time.perf_counter() - started)


def _plain_rate(train, seconds: float) -> float:
    set_seed(7)
    model = SimpleNetwork()
    descent = descent_of(model)
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        chosen = torch.randint(len(train), (128,))
        train_epoch(model, descent, [(train.inputs[chosen], train.labels[chosen])])
        done += 1
    return done / (time.perf_counter() - started)
