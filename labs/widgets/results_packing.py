"""Pack the two results of the great comparison for the results explorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labs.activations import ACTIVATIONS
from labs.experiments.comparison import PRINTED, STARTS
from labs.experiments.runs.comparison import CHANCE

# What is measured: its name, the unit it is shown in, the factor into that unit, digits, whether low is good.
MEASURES = {
    "accuracy": ("test accuracy", "%", 100, 2, False),
    "loss": ("test loss", "nats", 1, 3, True),
    "calibration": ("calibration error", "%", 100, 2, True),
    "dead": ("dead hidden units", "%", 100, 2, True),
    "bytes": ("kept for the backward pass of 128 images", "MB", 1e-6, 2, True),
}
CURVES = {
    "test_accuracy": "test accuracy [%]",
    "test_loss": "test loss [nats]",
    "train_accuracy": "training accuracy [%]",
    "train_loss": "training loss [nats]",
}
COLUMNS = {
    "name": "network",
    "picture": "picture",
    "mean": "mean",
    "half": "± of the mean",
    "predict": "± of a further seed",
    "family": "family",
    "lr": "learning rate",
    "printed": "printed",
    "lost": "diverged",
}
LEGEND = {
    "mean": "mean",
    "half": "95 % interval of the mean",
    "predict": "95 % prediction interval of a further seed",
    "seed": "one seed",
    "cross": "printed by the tutorial",
    "lost": "diverged: counts as chance in the accuracy, left out elsewhere",
    "away": "beyond the axis",
}
CURVE_STEPS = 10_000  # curves travel as whole numbers of this fraction: four digits
WIDTHS = (256, 192, 128, 64)  # of the hidden layers, to weigh their shares of dead units


def pack_results(table: Mapping | None, fair: Mapping | None) -> dict[str, Any]:
    """Return all that the explorer needs, in JSON's types; lists of pairs where the order matters.

    Args:
        table: the result ``comparison_table``, or ``None``.
        fair: the result ``comparison_fair``, or ``None``.

    Returns:
        The experiments with their networks, and the words and factors to show them with. Per network: final values
        per seed (``None`` for a diverged run), curves as whole numbers of ten-thousandths, the share of dead units of
        all hidden layers together (0 to 1).

    Example:
        >>> empty = {"data": {}, "provenance": {"config": {}, "seeds": [0, 1]}}
        >>> [one["key"] for one in pack_results(None, empty)["experiments"]]
        ['fair-default', 'fair-fitting', 'fair-both']
    """
    experiments = [*(_recipe(table) if table else ()), *(_fair(fair) if fair else ())]
    spec_names = ("name", "unit", "scale", "digits", "lowest")
    return {
        "chance": CHANCE,
        "steps": CURVE_STEPS,
        "measures": [[key, dict(zip(spec_names, spec, strict=True))] for key, spec in MEASURES.items()],
        "columns": list(COLUMNS.items()),
        "legend": list(LEGEND.items()),
        "curves": list(CURVES.items()),
        "t": student_quantiles(max((len(one["seeds"]) for one in experiments), default=2)),
        "families": _families(experiments),
        "experiments": experiments,
    }


def student_quantiles(most: int) -> list[float | None]:
    """Return the factor of a 95 % interval by the number of values.

    Args:
        most: largest number of values.

    Returns:
        Student's two-sided quantile with one degree of freedom less than values, at the index of their number;
        ``None`` for no value and for one, which have no spread.

    Example:
        >>> [quantile and round(quantile, 3) for quantile in student_quantiles(3)]
        [None, None, 12.706, 4.303]
    """
    from scipy import special  # here, for only results need it

    return [None, None, *(round(float(special.stdtrit(n - 1, 0.975)), 12) for n in range(2, most + 1))]


def _recipe(table: Mapping) -> list[dict[str, Any]]:
    """The experiments of the tutorial's table, one per momentum."""
    rows, seeds = table["provenance"]["config"]["rows"], table["provenance"]["seeds"]
    momenta = dict.fromkeys(momentum for runs in table["data"].values() for momentum in runs)
    return [
        {
            "key": momentum.replace(" ", "-"),
            "label": f"the tutorial's recipe, {momentum}",
            "seeds": seeds,
            "networks": [
                {**_network(row, rows[row]["activation"], runs[momentum]), **_printed(row)}
                for row, runs in table["data"].items()
            ],
        }
        for momentum in momenta
    ]


def _fair(fair: Mapping) -> list[dict[str, Any]]:
    """The two starts of the fair comparison, and both together, which is made in the browser."""
    alone = [
        {
            "key": f"fair-{start}",
            "label": f"fair comparison, {start} start",
            "start": start,
            "seeds": fair["provenance"]["seeds"],
            "networks": [
                {
                    **_network(name, name, found[start]["runs"]),
                    "lr": found[start]["lr"],
                    "bytes": found["bytes kept"],
                }
                for name, found in fair["data"].items()
            ],
        }
        for start in STARTS
    ]
    both = {"key": "fair-both", "label": "fair comparison, both starts", "parts": [e["key"] for e in alone]}
    return [*alone, {**both, "seeds": fair["provenance"]["seeds"]}]


def _network(name: str, activation: str | None, runs: Sequence[Mapping]) -> dict[str, Any]:
    return {
        "name": name,
        "family": ACTIVATIONS[activation].family if activation in ACTIVATIONS else "linear",
        "accuracy": [_rounded(run["accuracy"]) for run in runs],
        "loss": [_rounded(run["loss"]) for run in runs],
        "calibration": [_rounded(run.get("calibration")) for run in runs],
        "dead": [_dead_share(run["dead"]) for run in runs],
        "curves": {key: [_packed(run["curves"].get(key, ())) for run in runs] for key in CURVES},
    }


def _printed(row: str) -> dict[str, Any]:
    if row not in PRINTED:
        return {}
    accuracy, loss, _seconds = PRINTED[row]
    return {"printed": {"accuracy": round(accuracy / 100, 6), "loss": loss}}


def _dead_share(by_layer: Sequence[float]) -> float | None:
    """Of all hidden units together; ``None`` where there is no activation, or no network any more."""
    if not by_layer:
        return None
    return round(sum(s * w for s, w in zip(by_layer, WIDTHS, strict=True)) / sum(WIDTHS), 6)


def _packed(curve: Sequence[float]) -> list[int]:
    return [round(value * CURVE_STEPS) for value in curve]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _families(experiments: Sequence[Mapping]) -> list[str]:
    found = {network["family"] for one in experiments for network in one.get("networks", ())}
    return sorted(found, key=lambda family: (family == "linear", family))
