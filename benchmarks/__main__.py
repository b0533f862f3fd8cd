"""Run the benchmarks, print their ratios, and store them: ``python -m benchmarks [name ...]``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from benchmarks import functions, masks, playground, staf, table, together, training
from labs.data import load_fashion_mnist
from labs.fashion_mnist import CHECKSUMS
from labs.results import save_result

QUICK: dict[str, Callable[[], dict]] = {
    "epoch": training.epoch,
    "steps": training.steps,
    "evaluation": training.evaluation,
    "processes": together.processes,
    "stacked": together.stacked_seeds,
    "mask": masks.mask,
    "staf": staf.cost,
    "functions": functions.per_function,
    "playground": playground.steps,
    "busy": training.busy,
}
LONG: dict[str, Callable[[], dict]] = {"table": table.thirteen_rows}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help=f"from: {', '.join([*QUICK, *LONG])}; by default all but the last"
    )
    names = parser.parse_args().names
    for name in names:
        if name not in {**QUICK, **LONG}:
            parser.error(f"unknown benchmark {name!r}; choose from: {', '.join([*QUICK, *LONG])}")

    try:
        load_fashion_mnist("test")  # a missing data set is better reported now than after minutes
    except (ConnectionError, FileNotFoundError) as error:
        parser.exit(1, f"{error}\n")
    found = {}
    for name in names or QUICK:
        started = time.perf_counter()
        found[name] = {**QUICK, **LONG}[name]()
        print(f"\n{name} ({time.perf_counter() - started:.0f} s)")
        show(found[name])
    if not names:
        store("benchmarks", found, QUICK)
    elif names == ["table"]:
        store("benchmark_table", found, LONG)
    else:
        print("\nnot stored: only a run of all is, so that its parts belong to one machine and one day")


def show(found: dict, indent: str = "  ") -> None:
    """Print what was found, one quantity per line; ratios with their quartiles."""
    for key, value in found.items():
        if isinstance(value, dict) and set(value) == {"median", "low", "high"}:
            print(f"{indent}{key:52} {value['median']:8.2f}   ({value['low']:.2f} to {value['high']:.2f})")
        elif isinstance(value, dict):
            print(f"{indent}{key}")
            show(value, indent + "  ")
        else:
            print(
                f"{indent}{key:52} {value:8.2f}"
                if isinstance(value, float)
                else f"{indent}{key:52} {value!s:>8}"
            )


def store(name: str, found: dict, code: dict[str, Callable[[], dict]]) -> None:
    """Write what was found to ``results/``."""
    path = save_result(
        name, found, config={"benchmarks": list(code)}, seeds=[7], functions=code.values(), data_md5=CHECKSUMS
    )
    print(f"\nwrote {path.relative_to(path.parents[1])}")


if __name__ == "__main__":
    main()
