"""The neuron bench: one neuron with two inputs, its output over the plane, and the perceptron rule step by step."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labs.widgets.static_page import StaticPage

HERE = Path(__file__).parent
ACTIVATIONS = ("Step", "Sigmoid", "Tanh", "ReLU", "Identity")
FARTHEST = 100.0  # a weight or a bias beyond it is refused; the perceptron rule stays far below

_CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]
_GATES = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0]}
_PAIRS = {"setosa-versicolor": (0, 1), "versicolor-virginica": (1, 2)}
_PETALS = (2, 3)  # the columns of petal length and petal width


def neuron_points() -> dict[str, dict[str, Any]]:
    """Return the sets of points to choose from: four logic gates, and two pairs of iris species.

    The flowers have petal length and petal width, both standardised over the hundred flowers of their pair and
    rounded to three decimals; the species take turns.

    Returns:
        For each name the ``points``, their ``labels`` 0 or 1, the ``classes`` in words, the ``axes`` in words, and
        the ``span`` of the plane that is shown.

    Source:
        Fisher (1936), "The use of multiple measurements in taxonomic problems"; as it comes with scikit-learn.

    Example:
        >>> neuron_points()["XOR"]["labels"]
        [0, 1, 1, 0]
    """
    from sklearn import datasets  # here, for it is slow to import

    gates = {
        name: {"points": _CORNERS, "labels": labels, "classes": ["0", "1"], "axes": ["", ""], "span": [-1, 2]}
        for name, labels in _GATES.items()
    }
    iris = datasets.load_iris()
    pairs = {}
    for name, species in _PAIRS.items():
        flowers = [iris.data[iris.target == one][:, _PETALS] for one in species]
        both = [flower for pair in zip(*flowers, strict=True) for flower in pair]
        mean, spread = (
            getattr(iris.data[[t in species for t in iris.target]][:, _PETALS], m)(axis=0)
            for m in ("mean", "std")
        )
        pairs[name] = {
            "points": [[round(float(x), 3) for x in (flower - mean) / spread] for flower in both],
            "labels": [0, 1] * (len(both) // 2),
            "classes": [str(iris.target_names[one]) for one in species],
            "axes": ["petal length, standardised", "petal width, standardised"],
            "span": [-3, 3],
        }
    return gates | pairs


class NeuronBench(StaticPage, anywidget.AnyWidget):
    r"""Turn the weights and the bias of one neuron, or let the perceptron rule do it, and watch its decision line.

    The plane of both inputs is coloured by the output :math:`f(w_1 x_1 + w_2 x_2 + b)`; a point is taken for class 1
    where :math:`z > 0`, whatever the activation. A perceptron step looks for the next point on the wrong side and
    adds it to the weights, with the sign of its class. All sums are done in the browser, and need no kernel.

    Args:
        points: ``"AND"``, ``"OR"``, ``"NAND"``, ``"XOR"``, ``"setosa-versicolor"`` or ``"versicolor-virginica"``.
        activation: ``"Step"``, ``"Sigmoid"``, ``"Tanh"``, ``"ReLU"`` or ``"Identity"``.
        w1, w2, b: weights and bias to start with.
        traits: further attributes to start with.

    Attributes:
        points, activation, w1, w2, b: what is shown.
        data: the sets of points (see :func:`labs.widgets.neuron_bench.neuron_points`).

    Raises:
        traitlets.TraitError: an attribute is given a value that is not to choose from, or not a number from -100
            to 100.

    Example:
        >>> bench = NeuronBench("OR", w1=1, w2=1, b=-0.5)
        >>> bench.activation = "step"
        Traceback (most recent call last):
        traitlets.traitlets.TraitError: activation is 'step'; choose one of: Step, Sigmoid, Tanh, ReLU, Identity
    """

    _esm = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.js", "neuron_bench.js")
    )
    _css = "\n".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("curve_drawing.css", "neuron_bench.css")
    )
    address = "neuron"
    address_traits = ("points", "activation", "w1", "w2", "b")

    data = traitlets.Dict().tag(sync=True)
    points = traitlets.Unicode("AND").tag(sync=True)
    activation = traitlets.Unicode("Step").tag(sync=True)
    w1 = traitlets.Float(1.0).tag(sync=True)
    w2 = traitlets.Float(1.0).tag(sync=True)
    b = traitlets.Float(-0.5).tag(sync=True)

    def __init__(
        self,
        points: str = "AND",
        activation: str = "Step",
        w1: float = 1.0,
        w2: float = 1.0,
        b: float = -0.5,
        **traits: Any,
    ) -> None:
        super().__init__(
            data=neuron_points(), points=points, activation=activation, w1=w1, w2=w2, b=b, **traits
        )

    @traitlets.validate("points", "activation")
    def _known(self, proposal: dict[str, Any]) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        known = (*_GATES, *_PAIRS) if name == "points" else ACTIVATIONS
        if value not in known:
            raise traitlets.TraitError(f"{name} is {value!r}; choose one of: {', '.join(known)}")
        return value

    @traitlets.validate("w1", "w2", "b")
    def _within(self, proposal: dict[str, Any]) -> float:
        value = proposal["value"]
        if not math.fabs(value) <= FARTHEST:
            raise traitlets.TraitError(
                f"{proposal['trait'].name} is {value}; wanted a number from -{FARTHEST:g} to {FARTHEST:g}"
            )
        return value
