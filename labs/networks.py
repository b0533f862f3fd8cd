"""The fully connected network on which most experiments of the book run."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from labs.activations import inputs_per_output, make_activation

#: What ``init=`` accepts, with the law of a weight that has ``n`` inputs (``m`` is the number of outputs).
INITS = {
    "torch": "U(-1/sqrt(n), 1/sqrt(n)), PyTorch's default: variance 1/(3n)",
    "lecun": "N(0, 1/n)",
    "xavier": "N(0, 2/(n + m))",
    "he": "N(0, 2/n) in hidden layers, N(0, 1/n) in the output layer, which no ReLU follows",
    "orthogonal": "sqrt(2) times a random orthogonal matrix in hidden layers, gain 1 in the output layer",
}

_NORMS = {None: None, "batch": nn.BatchNorm1d, "layer": nn.LayerNorm}


class SimpleNetwork(nn.Sequential):
    """A stack of linear layers with one activation after each hidden layer.

    The children are named ``flatten``, ``linear1``, ``act1``, ``linear2``, ``act2``, ... and the last linear layer
    gives the logits, so that ``print(model)`` shows the whole network.
    The default has the widths 784-256-192-128-64-10 and 283,914 parameters.

    Maxout and the gated functions (GLU, GEGLU, SwiGLU) take several numbers in for each one they put out. The linear
    layer in front of them is made that much wider: ``hidden_features`` is always what comes out of the activation.

    Args:
        activation: a name from :data:`labs.activations.ACTIVATIONS`, a function without arguments that returns a
            fresh module, or ``None`` for a purely linear network.
        in_features: numbers per example.
        hidden_features: width of each hidden layer, from the input to the output.
        out_features: number of logits.
        share_activation: use one activation module in all layers. A learnable activation then has one set of
            parameters for the whole network, which collects the gradients of every layer. Without it, each layer
            has its own set.
        per_channel: give a learnable activation one set of parameters for every unit of its layer (a unit is
            what a channel is to ``nn.PReLU``).
        init: law of the weights, a key of :data:`INITS`. The layers are initialised in order, so two networks of
            different depth made from the same seed agree in the layers they have in common.
        zero_bias: start with all biases at zero; otherwise they keep PyTorch's U(-1/sqrt(n), 1/sqrt(n)).
        norm: ``"batch"`` or ``"layer"`` puts a normalisation between each hidden linear layer and its activation.

    Shape:
        - Input: :math:`(N, *)` with ``in_features`` numbers per example, for example ``(N, 1, 28, 28)``.
        - Output: :math:`(N, C)` with :math:`C` = ``out_features``; logits, no softmax.

    Raises:
        ValueError: an unknown ``init`` or ``norm``, a width below one, ``per_channel`` together with
            ``share_activation``, or an input of another size.
        TypeError: ``per_channel`` for an activation that has no parameters to give.

    Example:
        >>> sum(p.numel() for p in SimpleNetwork("ReLU").parameters())
        283914
        >>> SimpleNetwork("ReLU", in_features=2, hidden_features=(3,), out_features=2)(torch.zeros(5, 2)).shape
        torch.Size([5, 2])
        >>> [layer.out_features for layer in SimpleNetwork("SwiGLU").linear_layers]
        [512, 384, 256, 128, 10]
        >>> SimpleNetwork("PReLU", per_channel=True).act1
        PReLU(num_parameters=256)
    """

    def __init__(
        self,
        activation: str | Callable[[], nn.Module] | None = "ReLU",
        *,
        in_features: int = 784,
        hidden_features: Sequence[int] = (256, 192, 128, 64),
        out_features: int = 10,
        share_activation: bool = False,
        per_channel: bool = False,
        init: str = "torch",
        zero_bias: bool = False,
        norm: str | None = None,
    ) -> None:
        widths = [in_features, *hidden_features, out_features]
        if any(not isinstance(width, int) or width < 1 for width in widths):
            raise ValueError(f"every width must be a whole number of at least 1, got {widths}")
        if init not in INITS:
            raise ValueError(f"unknown init {init!r}; choose one of: {', '.join(INITS)}")
        if norm not in _NORMS:
            raise ValueError(f"unknown norm {norm!r}; choose None, 'batch' or 'layer'")
        if isinstance(activation, nn.Module):
            raise ValueError(
                f"activation is a module ({type(activation).__name__}), which every layer would share; "
                "give its name or a function that makes one, and share_activation=True if sharing is meant"
            )
        if per_channel and share_activation:
            raise ValueError(
                "share_activation means one set of parameters for all, per_channel one for each; choose one"
            )

        make = _activation_factory(activation, share_activation, per_channel)
        # The laws other than PyTorch's get a random stream of their own, branched off here. So a layer's weights do
        # not depend on how many layers follow, and the default draws below are those of plain nn.Linear.
        with torch.random.fork_rng(devices=[]):
            generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
            wider = 1 if make is None else inputs_per_output(make(1))  # in here, for STAF draws its parameters
        children: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        for i, (n, m) in enumerate(itertools.pairwise(widths), start=1):
            if i == len(widths) - 1:
                children[f"linear{i}"] = nn.Linear(n, m)
                break
            children[f"linear{i}"] = nn.Linear(n, wider * m)
            if norm is not None:
                children[f"norm{i}"] = _NORMS[norm](wider * m)
            if make is not None:
                children[f"act{i}"] = make(m)
        super().__init__(children)
        self.in_features = in_features
        self.out_features = out_features
        self._initialise(init, zero_bias, generator)

    @property
    def linear_layers(self) -> list[nn.Linear]:
        """The linear layers from the input to the output."""
        return [child for child in self.children() if isinstance(child, nn.Linear)]

    def forward(self, x: Tensor) -> Tensor:
        numbers = math.prod(x.shape[1:])
        if x.dim() < 2 or numbers != self.in_features:
            raise ValueError(
                f"got an input of shape {tuple(x.shape)}, wanted (N, ...) with {self.in_features} numbers per "
                "example; reshape the data or build the network with another in_features"
            )
        return super().forward(x)

    @torch.no_grad()
    def _initialise(self, init: str, zero_bias: bool, generator: torch.Generator) -> None:
        # nn.Linear has already drawn PyTorch's default, weights and biases. Drawing the other laws afterwards keeps
        # the default biases, so that an experiment can change the weights alone.
        *hidden, last = self.linear_layers
        for layer in [*hidden, last]:
            if init == "he":
                std = math.sqrt((1 if layer is last else 2) / layer.in_features)
                nn.init.normal_(layer.weight, std=std, generator=generator)
            elif init == "lecun":
                nn.init.normal_(layer.weight, std=math.sqrt(1 / layer.in_features), generator=generator)
            elif init == "xavier":
                nn.init.xavier_normal_(layer.weight, generator=generator)
            elif init == "orthogonal":
                gain = 1.0 if layer is last else math.sqrt(2)
                nn.init.orthogonal_(layer.weight, gain=gain, generator=generator)
            if zero_bias:
                nn.init.zeros_(layer.bias)


def _activation_factory(activation, share: bool, per_channel: bool) -> Callable[[int], nn.Module] | None:
    """Return a function from the width of a layer to its activation."""
    if activation is None:
        if per_channel:
            raise TypeError("a linear network (activation=None) has no parameters to give to each channel")
        return None
    make = activation if callable(activation) else partial(make_activation, activation)
    if share:
        shared = make()
        return lambda width: shared
    return lambda width: make(num_parameters=width) if per_channel else make()
