"""Several trainings at once: in processes, and as one stack of networks in one process."""

from __future__ import annotations

import copy

import torch
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional as F

from benchmarks.pairs import ratio, side_by_side
from benchmarks.training import step_of
from labs.data import load_fashion_mnist
from labs.networks import SimpleNetwork
from labs.seeds import set_seed
from labs.training import compare


def processes(rounds: int = 3, seeds: int = 4) -> dict:
    """One epoch of several networks: one process with all threads, against one process with one thread per core."""
    train, test = load_fashion_mnist("train"), load_fashion_mnist("test")

    def run(jobs: int):
        return lambda: compare(["ReLU"], train, test, seeds=range(seeds), epochs=1, jobs=jobs, progress=False)

    seconds = side_by_side({"processes": run(-1), "threads": run(1)}, rounds=rounds)
    return {"processes with one thread / one process": ratio(seconds, "processes", "threads")}


def stacked_seeds(rounds: int = 12, networks: int = 5) -> dict:
    """Steps of several networks of one configuration: as a stack under vmap, against one after the other."""
    models = []
    for seed in range(networks):
        set_seed(seed)
        models.append(SimpleNetwork())
    inputs, labels = torch.randn(networks, 128, 784), torch.randint(10, (networks, 128))
    stack, _ = stack_module_state(models)
    stack = {name: value.detach() for name, value in stack.items()}
    velocity = {name: torch.zeros_like(value) for name, value in stack.items()}
    skeleton = copy.deepcopy(models[0]).to("meta")

    def loss(parameters, x, y):
        return F.cross_entropy(functional_call(skeleton, parameters, (x,)), y)

    gradient = vmap(grad(loss))

    def together() -> None:
        for name, g in gradient(stack, inputs, labels).items():
            velocity[name].mul_(0.9).add_(g)
            stack[name].sub_(velocity[name], alpha=1e-3)

    steps = [step_of(model, inputs[i], labels[i]) for i, model in enumerate(models)]

    def burst(step):
        return lambda: [step() for _ in range(10)]

    ways = {"together": burst(together), "one after the other": burst(lambda: [step() for step in steps])}
    threads, found = torch.get_num_threads(), {}
    for count in sorted({1, threads}):
        torch.set_num_threads(count)
        seconds = side_by_side(ways, rounds=rounds, warm_up=2)
        found[f"threads: {count}"] = ratio(seconds, "together", "one after the other")
    return {"stack of networks / one after the other": found}
