"""Run one function over many settings: on all cores or on a cluster, and after an interruption only what is missing.

Every finished cell (one setting and what came out) is a small file from the moment it is finished, so a sweep that was
killed goes on where it was, and its outcome is the same as that of a sweep nobody disturbed.
"""

from __future__ import annotations

import copy
import logging
import operator
import os
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from labs.cells import Cell, cells_folder, checksum, make_cells, name_of, plain
from labs.progress import progress_bar
from labs.seeds import set_seed

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Sweep", "cells_folder", "on_cluster"]

_PATIENCE = 10.0  # seconds for a scheduler to answer
_LOOK_AROUND = 1.0  # seconds between two looks at what another sweep may have finished meanwhile
# Chance and the number of threads belong to a whole process, and a Dask worker may be started with several threads.
_one_at_a_time = threading.RLock()


@dataclass(kw_only=True)
class Sweep:
    """How to compute many cells, and where to keep them until their result is saved.

    Args:
        jobs: processes at a time, each with one torch thread; -1 for one per core, 1 for this process alone. A
            cluster decides for itself (:func:`on_cluster`).
        folder: where finished cells are kept; by default :func:`cells_folder`.
        fresh: forget what earlier sweeps finished, and compute every cell anew.
        progress: show a bar when it takes more than two seconds.

    Raises:
        ValueError: ``jobs`` is zero.

    Example:
        >>> import tempfile
        >>> from labs.intervals import interval
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sweep = Sweep(jobs=1, folder=folder)
        ...     found = sweep.run(interval, [{"values": [1.0, 3.0]}, {"values": [2.0, 6.0]}])
        ...     sweep.forget()
        >>> [mean for mean, low, high in found]
        [2.0, 4.0]
    """

    jobs: int = -1
    folder: str | os.PathLike | None = None
    fresh: bool = False
    progress: bool = True
    _paths: set[Path] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        if operator.index(self.jobs) == 0:
            raise ValueError("jobs is 0; wanted a number of processes, or -1 for one per core")
        self.folder = cells_folder() if self.folder is None else Path(self.folder).expanduser()

    def run(
        self,
        task: Callable,
        settings: Sequence[Mapping],
        *,
        functions: Iterable[Callable | ModuleType] = (),
        data_md5: str | Mapping[str, str] | None = None,
        description: str = "sweep",
    ) -> list:
        """Return ``[task(**setting) for setting in settings]``, in this order, computed where joblib is told to.

        A cell is found again only under the same setting, the same code, the same data and the same torch. The code
        is that of ``task`` and ``functions`` and of all modules of ``labs`` and of their own packages that they
        import at the top; of a function typed into a notebook it is that function alone. Before each cell chance is
        seeded from the setting, so a cell does not depend on which process computes it, and after which others.

        Two sweeps started at once may compute a cell twice, but mostly share the work.

        Args:
            task: a function with a name, at the top of a module; what it returns must have a form in JSON (numbers,
                text, lists, dicts, tensors) and comes back in that form, every digit kept.
            settings: keyword arguments of ``task``, with a form in JSON as well.
            functions: further functions, classes or modules whose code decides the outcome.
            data_md5: checksum of the data set, or one per file.
            description: a word or two for the progress bar.

        Returns:
            What ``task`` returned for each setting, in JSON's types.

        Raises:
            TypeError: a setting is no dict.
            ValueError: a setting without a form in JSON, or a function without a name or without Python source.
            RuntimeError: a cell failed; the message names its setting. Cells under way are finished and kept first.

        Example:
            >>> import tempfile
            >>> from labs.fixed_points import depth_scale
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     Sweep(jobs=1, folder=folder, progress=False).run(depth_scale, [{"slope": 0.0}, {"slope": 0}])
            [0.0, 0.0]
        """
        cells = make_cells(task, settings, folder=self.folder, functions=functions, data_md5=data_md5)
        distinct = {cell.path: cell for cell in cells}
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in set(distinct) - self._paths if self.fresh else ():
            path.unlink(missing_ok=True)
        self._paths |= set(distinct)
        with progress_bar(len(distinct), description, progress=self.progress) as tick:
            _compute_missing(list(distinct.values()), task, self.jobs, tick)
        return [copy.deepcopy(distinct[cell.path].value) for cell in cells]

    def finished(self) -> int:
        """Return how many of the cells asked for so far are kept in the folder.

        Returns:
            A number of files; equal settings are one cell.

        Example:
            >>> Sweep(jobs=1).finished()
            0
        """
        return sum(path.is_file() for path in self._paths)

    def forget(self) -> None:
        """Remove the cells of this sweep; call it when their result is saved.

        Example:
            >>> import tempfile
            >>> from labs.fixed_points import depth_scale
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     sweep = Sweep(jobs=1, folder=folder, progress=False)
            ...     _ = sweep.run(depth_scale, [{"slope": 0.0}])
            ...     before = sweep.finished()
            ...     sweep.forget()
            ...     before, sweep.finished()
            (1, 0)
        """
        while self._paths:
            self._paths.pop().unlink(missing_ok=True)


@contextmanager
def on_cluster(address: str) -> Iterator[Client]:
    """Let every sweep inside the block compute on a Dask cluster instead of in local processes.

    Each worker must be able to ``import labs`` (the same code, the same torch) and find the data, in ``$LABS_DATA`` or
    in its user's cache; only settings and outcomes travel, and the cells are kept here. Start workers with one thread
    each, ``dask worker tcp://host:8786 --nworkers 8 --nthreads 1``: with more, a worker still computes one cell at a
    time. For other backends of joblib, wrap the sweep in ``joblib.parallel_config`` yourself.

    Args:
        address: of the scheduler, like ``"tcp://host:8786"``; ``"local"`` starts a cluster on this machine, with one
            worker per core, for the length of the block.

    Returns:
        The Dask client, in a ``with`` block.

    Raises:
        ImportError: the package ``distributed`` is not installed.
        ConnectionError: no scheduler answers there.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ImportError(
            "a cluster needs the package distributed, which is not installed; run: "
            "pip install 'dask' 'distributed', or leave the cluster out to compute in local processes"
        ) from error
    from joblib import cpu_count, parallel_config

    with ExitStack() as stack:
        target = address
        if address == "local":
            # Nobody but this machine gets in, and there is no web page to keep a port for.
            alone = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": logging.ERROR}
            target = LocalCluster(n_workers=cpu_count(), threads_per_worker=1, **alone)
            stack.enter_context(target)
        try:
            client = stack.enter_context(Client(target, timeout=_PATIENCE, set_as_default=False))
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"no Dask scheduler answers at {address!r} ({error}); start one with `dask scheduler`, and workers "
                "with `dask worker tcp://host:8786 --nthreads 1`, or say 'local' for a cluster on this machine"
            ) from error
        with parallel_config(backend="dask", client=client):
            yield client


def _compute_missing(cells: list[Cell], task: Callable, jobs: int, tick: Callable[[], object]) -> None:
    from joblib import Parallel, delayed

    failed: list[tuple[Cell, str]] = []
    missing = {number: cell for number, cell in enumerate(cells) if not cell.look()}
    for _ in range(len(cells) - len(missing)):
        tick()
    if not missing:
        return

    def work() -> Iterator:
        """Name the next cell when a process has room for it, and not earlier."""
        # Each sweep goes its own way through the cells: then two of them share the work.
        order = random.Random().sample(list(missing), len(missing))
        last_look = time.monotonic()
        while order and not failed:
            if time.monotonic() - last_look > _LOOK_AROUND:
                for number in [n for n in order if missing[n].look()]:
                    order.remove(number)
                    tick()
                last_look = time.monotonic()
                continue
            number = order.pop()
            yield delayed(_compute)(number, task, missing[number].setting)

    # One cell per message, and none waiting in a queue: what is finished is kept at once.
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
    with _answering_ctrl_c_alone():
        outcomes = parallel(work())
    for number, value, error in outcomes:
        if error is None:
            cells[number].keep(value)
            tick()
        else:
            failed.append((cells[number], error))
    if failed:
        cell, error = failed[0]
        arguments = ", ".join(f"{name}={value!r}" for name, value in cell.setting.items())
        raise RuntimeError(
            f"{name_of(task)}({arguments}) failed; {sum(c.known for c in cells)} of {len(cells)} cells are finished "
            f"and kept in {str(cell.path.parent)!r}: mend it and run again. What happened there:\n{error}"
        )


def _compute(number: int, task: Callable, setting: dict) -> tuple[int, object, str | None]:
    """Compute one cell, wherever this runs; an error comes back as text, for not every exception can travel."""
    with _one_at_a_time, _undisturbed(int(checksum(plain(setting, "setting"))[:8], 16)):
        try:
            return number, plain(task(**copy.deepcopy(setting)), "what it returned"), None
        except Exception:
            return number, None, traceback.format_exc()


@contextmanager
def _answering_ctrl_c_alone() -> Iterator[None]:
    """Let processes that start in the block ignore Ctrl-C: a terminal sends it to all, and one answer is enough."""
    before = None
    if threading.current_thread() is threading.main_thread():  # no other may say
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextmanager
def _undisturbed(seed: int) -> Iterator[None]:
    """Give the block one torch thread and chance of its own, and leave the process as it was."""
    import numpy

    threads, python_state, numpy_state = torch.get_num_threads(), random.getstate(), numpy.random.get_state()
    # One thread: faster for several processes together, and sums then do not depend on the number of cores.
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            set_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        random.setstate(python_state)
        numpy.random.set_state(numpy_state)
