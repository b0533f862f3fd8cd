"""Run the experiments of one chapter in full: ``python -m labs.experiments dead_neurons [experiment ...]``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil

import labs.experiments.runs


def main() -> None:
    chapters = sorted(
        m.name for m in pkgutil.iter_modules(labs.experiments.runs.__path__) if not m.name.startswith("_")
    )
    parser = argparse.ArgumentParser(prog="python -m labs.experiments", description=__doc__)
    parser.add_argument("chapter", choices=chapters)
    parser.add_argument("experiments", nargs="*", help="names of experiments; all of the chapter by default")
    parser.add_argument("--jobs", type=int, default=-1, help="processes at a time (default: one per core)")
    options = parser.parse_args()

    known = importlib.import_module(f"labs.experiments.runs.{options.chapter}").EXPERIMENTS
    for name in options.experiments or known:
        if name not in known:
            parser.error(f"unknown experiment {name!r}; choose from: {', '.join(known)}")
        print(f"wrote {known[name](options.jobs)}")


if __name__ == "__main__":
    main()
