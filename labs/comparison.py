"""Train several networks and put them side by side, with the spread over their seeds."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from labs.data import ImageData, PointData
from labs.fitting import fit
from labs.intervals import Interval, interval
from labs.networks import SimpleNetwork
from labs.progress import track
from labs.seeds import set_seed
from labs.tables import Table


@dataclass(frozen=True)
class Run:
    """What came of training one network from one seed.

    Attributes:
        seed: of the start, of the batches, and of what random layers draw.
        loss: mean cross-entropy on the test data after the last epoch [nats].
        accuracy: share of the test data classified correctly after the last epoch, from 0 to 1.
        train_loss, test_loss: one entry per epoch [nats].
        train_accuracy, test_accuracy: one entry per epoch, from 0 to 1.
        seconds: wall time of the training, evaluation included; says little on a busy machine.

    Example:
        >>> Run(0, 0.5, 0.81, [0.9], [0.5], [0.6], [0.81], 1.0).accuracy
        0.81
    """

    seed: int
    loss: float
    accuracy: float
    train_loss: list[float]
    test_loss: list[float]
    train_accuracy: list[float]
    test_accuracy: list[float]
    seconds: float


class ComparisonTable(Mapping[str, Sequence[Run]]):
    """The runs of each network, by its label; shown as a table of test results.

    Args:
        runs: for each label one :class:`Run` per seed; all labels with the same seeds.
        caption: what was compared, in a few words.

    Raises:
        ValueError: no runs, or labels with different seeds.

    Example:
        >>> def run(seed, accuracy):
        ...     return Run(seed, 0.5, accuracy, [0.9], [0.5], [0.6], [accuracy], 1.0)
        >>> table = ComparisonTable({"ReLU": [run(0, 0.81), run(1, 0.83)], "Tanh": [run(0, 0.82), run(1, 0.82)]})
        >>> table
        Test results, mean over 2 seeds
        network  accuracy [%]  95 % interval  loss [nats]   95 % interval
        ReLU             82.0   69.3 to 94.7        0.500  0.500 to 0.500
        Tanh             82.0   82.0 to 82.0        0.500  0.500 to 0.500
        >>> round(table.accuracy("ReLU").mean, 3)
        0.82
    """

    def __init__(self, runs: Mapping[str, Sequence[Run]], *, caption: str = "Test results") -> None:
        seeds = {tuple(run.seed for run in of_label) for of_label in runs.values()}
        if len(seeds) != 1 or not all(seeds):
            raise ValueError(
                f"got runs with the seeds {sorted(seeds)}; wanted the same seeds for every label"
            )
        self._runs = {label: tuple(of_label) for label, of_label in runs.items()}
        self.seeds = seeds.pop()
        self.caption = caption

    def __getitem__(self, label: str) -> Sequence[Run]:
        return self._runs[label]

    def __iter__(self):
        return iter(self._runs)

    def __len__(self) -> int:
        return len(self._runs)

    def accuracy(self, label: str) -> Interval:
        """Return mean and 95 % interval of the test accuracy (0 to 1); both ends are NaN for a single seed.

        Args:
            label: of a network.

        Raises:
            KeyError: there is no such label.

        Source: Student 1908.

        Example:
            >>> run = Run(0, 0.5, 0.81, [0.9], [0.5], [0.6], [0.81], 1.0)
            >>> ComparisonTable({"ReLU": [run]}).accuracy("ReLU")
            Interval(mean=0.81, low=nan, high=nan)
        """
        return _interval([run.accuracy for run in self[label]])

    def loss(self, label: str) -> Interval:
        """Return mean and 95 % interval of the test loss [nats]; both ends are NaN for a single seed.

        Args:
            label: of a network.

        Raises:
            KeyError: there is no such label.

        Source: Student 1908.

        Example:
            >>> run = Run(0, 0.5, 0.81, [0.9], [0.5], [0.6], [0.81], 1.0)
            >>> ComparisonTable({"ReLU": [run]}).loss("ReLU")
            Interval(mean=0.5, low=nan, high=nan)
        """
        return _interval([run.loss for run in self[label]])

    def table(self) -> Table:
        """Return the means and intervals as a table, in the order in which the networks were given.

        Returns:
            Accuracies in percent and losses in nats; for a single seed without intervals.

        Example:
            >>> run = Run(0, 0.5, 0.81, [0.9], [0.5], [0.6], [0.81], 1.0)
            >>> ComparisonTable({"ReLU": [run]}).table()
            Test results, one seed
            network  accuracy [%]  loss [nats]
            ReLU             81.0        0.500
        """
        one = len(self.seeds) == 1
        rows = []
        for label in self:
            accuracy, loss = self.accuracy(label), self.loss(label)
            row = [label, f"{100 * accuracy.mean:.1f}", f"{loss.mean:.3f}"]
            if not one:
                row.insert(2, f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f}")
                row.append(f"{loss.low:.3f} to {loss.high:.3f}")
            rows.append(row)
        if one:
            columns = ["network", "accuracy [%]", "loss [nats]"]
            return Table(columns, rows, caption=f"{self.caption}, one seed")
        columns = ["network", "accuracy [%]", "95 % interval", "loss [nats]", "95 % interval"]
        return Table(columns, rows, caption=f"{self.caption}, mean over {len(self.seeds)} seeds")

    def __repr__(self) -> str:
        return repr(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def _interval(values: Sequence[float]) -> Interval:
    if len(values) == 1:
        return Interval(values[0], float("nan"), float("nan"))
    return interval(values)


def compare(
    names: Sequence[str | None] | Mapping[str, Mapping],
    train: ImageData | PointData,
    test: ImageData | PointData,
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    jobs: int = 1,
    progress: bool = True,
    network: Mapping | None = None,
    **training,
) -> ComparisonTable:
    """Train a :class:`labs.networks.SimpleNetwork` per activation and seed, and put the test results side by side.

    One seed decides the start of a network, its batches and its random layers, the same for every activation.

    Args:
        names: activations by name (None for a linear network), or labels with the settings of their networks, such
            as ``{"shared": {"activation": "PReLU", "share_activation": True}}``.
        train: what to learn from.
        test: what to report on.
        seeds: one training each.
        jobs: processes at a time, with one thread each; 1 trains here, -1 uses every core.
        progress: show a bar over the trainings when it takes more than two seconds.
        network: settings for all networks, such as ``{"init": "he"}``; number of inputs and classes are the data's.
        training: what :func:`fit` takes, such as ``epochs=15`` or ``lr=1e-3``.

    Returns:
        The runs by label, in the order of ``names``; it shows itself as a table.

    Raises:
        ValueError: no names, no seeds, the same label twice, or settings that the network or ``fit`` refuse.

    Example:
        >>> from labs.data import make_moons
        >>> table = compare(["ReLU", "Tanh"], make_moons(100), make_moons(50, seed=1), seeds=(0, 1),
        ...                 network={"hidden_features": (8,)}, epochs=2, batch_size=20)
        >>> {name: [len(run.test_loss) for run in runs] for name, runs in table.items()}
        {'ReLU': [2, 2], 'Tanh': [2, 2]}
    """
    if not isinstance(names, Mapping):
        labels = ["linear" if name is None else name for name in names]
        if len(set(labels)) < len(labels):
            raise ValueError(
                f"got the names {labels}; wanted each once: give a mapping of labels to settings"
            )
        names = {label: {"activation": name} for label, name in zip(labels, names, strict=True)}
    if not names or not seeds:
        raise ValueError(f"got {len(names)} names and {len(seeds)} seeds; wanted at least one of each")
    size = {"in_features": train.inputs[0].numel(), "out_features": len(train.class_names)}
    networks = {label: {**size, **(network or {}), **own} for label, own in names.items()}
    cells = [(label, seed) for seed in seeds for label in networks]
    if jobs == 1:
        found = (_run(networks[label], train, test, seed, training) for label, seed in cells)
    else:
        found = _run_in_processes(
            jobs, [(networks[label], seed) for label, seed in cells], train, test, training
        )
    runs: dict[str, list[Run]] = {label: [] for label in networks}
    bar = track(zip(cells, found, strict=True), "networks", progress=progress, total=len(cells))
    for (label, _), run in bar:
        runs[label].append(run)
    return ComparisonTable(runs)


def _run(network: Mapping, train, test, seed: int, training: Mapping) -> Run:
    set_seed(seed)
    model, started = SimpleNetwork(**network), time.perf_counter()
    history = fit(model, train, test, seed=seed, progress=False, **training)
    seconds = time.perf_counter() - started
    return Run(seed, history.test_loss[-1], history.test_accuracy[-1], **vars(history), seconds=seconds)


def _run_in_processes(jobs: int, cells: Sequence[tuple[Mapping, int]], train, test, training: Mapping):
    from joblib import Parallel, delayed

    # joblib writes large numpy arrays to disk once and maps them into every process; tensors it would copy for each.
    data = [(type(d), d.inputs.cpu().numpy(), d.labels.cpu().numpy(), d.class_names) for d in (train, test)]
    tasks = (delayed(_run_mapped)(network, data, seed, training) for network, seed in cells)
    return Parallel(n_jobs=jobs, return_as="generator")(tasks)


def _run_mapped(network: Mapping, data: Sequence[tuple], seed: int, training: Mapping) -> Run:
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="The given NumPy array is not writable"
        )  # nobody writes to it
        train, test = (
            kind(torch.from_numpy(inputs), torch.from_numpy(labels), class_names)
            for kind, inputs, labels, class_names in data
        )
    return _run(network, train, test, seed, training)
