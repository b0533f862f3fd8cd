"""Run the experiments of one chapter in full: ``python -m labs.experiments dead_neurons [experiment ...]``."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import pkgutil
import sys

import torch

import labs.experiments.runs
from labs.sweeps import Sweep, on_cluster


def main() -> None:
    """Run what the command line asks for; exits with 2 if that makes no sense, with 130 after Ctrl-C."""
    chapters = sorted(
        m.name for m in pkgutil.iter_modules(labs.experiments.runs.__path__) if not m.name.startswith("_")
    )
    parser = argparse.ArgumentParser(prog="python -m labs.experiments", description=__doc__)
    parser.add_argument("chapter", choices=chapters)
    parser.add_argument("experiments", nargs="*", help="names of experiments; all of the chapter by default")
    parser.add_argument("--jobs", type=int, default=-1, help="processes at a time (default: one per core)")
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="compute on this Dask cluster, like tcp://host:8786, and not here; 'local' starts one on this machine",
    )
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run finished")
    options = parser.parse_args()

    known = importlib.import_module(f"labs.experiments.runs.{options.chapter}").EXPERIMENTS
    names = options.experiments or list(known)
    for name in names:
        if name not in known:
            parser.error(f"unknown experiment {name!r}; choose from: {', '.join(known)}")
    if options.jobs == 0:
        parser.error("--jobs is 0; wanted a number of processes, or -1 for one per core")

    torch.set_num_threads(1)  # as the cells have it, and as the provenance of their result then says
    sweep = Sweep(jobs=options.jobs, fresh=options.fresh)
    print(f"until a result is written, what is finished is kept in {sweep.folder}", flush=True)
    try:
        with on_cluster(options.cluster) if options.cluster else contextlib.nullcontext():
            for name in names:
                print(f"wrote {known[name](sweep)}", flush=True)
                sweep.forget()
    except KeyboardInterrupt:
        again = "the same command without --fresh" if options.fresh else "the same command"
        print(f"interrupted: {sweep.finished()} cells are kept, {again} goes on from there", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
