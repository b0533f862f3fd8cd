"""The decision guide of the book: which activation functions to try first, by domain, with reason, source and year.

A record says what was *used*, *proposed* or *advised* somewhere, or what follows by *definition*; none of them says
that nothing else would do. The chapter on choosing prints this table, and its widget asks it questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Layer = Literal["hidden", "gate", "output"]
Hardware = Literal["any", "small"]
Depth = Literal["any", "deep"]
Basis = Literal["used", "proposed", "advised", "definition"]

#: Names in the guide that are not functions of one number, or no function at all, so not in the table of activations.
NOT_ELEMENTWISE = ("Identity", "Softmax")


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One line of the guide.

    Args:
        domain: the field of work, as the table and the widget show it.
        place: where in the network the function stands.
        functions: names of :data:`labs.activations.ACTIVATIONS`, or of :data:`NOT_ELEMENTWISE`; the first is the one
            to begin with.
        reason: why, in one clause.
        source: key of the bibliography, the work in which it is so.
        year: year of that work.
        basis: ``"used"`` in a published model, ``"proposed"`` by those who publish the function, ``"advised"`` by a
            study that compared, or true by ``"definition"`` of what has to come out.
        layer: kind of layer: ``"hidden"``, ``"gate"`` (a factor for something else) or ``"output"``.
        hardware: ``"small"`` for devices on which memory or arithmetic is scarce, else ``"any"``.
        depth: ``"deep"`` for many layers without normalisation or residual connections, else ``"any"``.

    Example:
        >>> GUIDE[0].functions, GUIDE[0].year
        (('ReLU',), 2016)
    """

    domain: str
    place: str
    functions: tuple[str, ...]
    reason: str
    source: str
    year: int
    basis: Basis = "used"
    layer: Layer = "hidden"
    hardware: Hardware = "any"
    depth: Depth = "any"


_CNN = "images, convolutional"
_LANGUAGE = "language models"
_SPEECH = "speech and audio"
_RECURRENT = "sequences, recurrent"
_MAKING = "generating images"
_FIELDS = "signals as networks"
_ACTING = "reinforcement learning"
_PLAIN = "plain dense networks"
_OUTPUT = "output layers"

GUIDE: tuple[Advice, ...] = (
    Advice(
        domain=_CNN, place="hidden layers", functions=("ReLU",), source="he2016deep", year=2016,
        reason="cheap, and with He weights and batch normalisation it trains at a depth of more than a hundred layers",
    ),
    Advice(
        domain=_CNN, place="hidden layers", functions=("SiLU",), source="tan2019efficientnet", year=2019,
        reason="EfficientNet: smooth, under the name of Swish",
    ),
    Advice(
        domain=_CNN, place="hidden layers", functions=("GELU",), source="liu2022convnet", year=2022,
        reason="ConvNeXt takes it over from Transformers; its authors report an unchanged accuracy",
    ),
    Advice(
        domain=_CNN, place="hidden layers of a detector", functions=("Mish",), source="bochkovskiy2020optimal",
        year=2020, reason="YOLOv4, chosen by comparison in its own experiments",
    ),
    Advice(
        domain=_CNN, place="hidden layers", functions=("ReLU6",), source="sandler2018inverted", year=2018,
        hardware="small", reason="MobileNetV2: the bound of 6 suits low-precision arithmetic",
    ),
    Advice(
        domain=_CNN, place="hidden layers", functions=("Hardswish", "ReLU"), source="howard2019searching", year=2019,
        hardware="small", reason="MobileNetV3: Swish without an exponential in the deeper half, ReLU before",
    ),
    Advice(
        domain=_CNN, place="channel gates", functions=("Sigmoid",), source="hu2018squeeze", year=2018, layer="gate",
        reason="squeeze-and-excitation: a factor between 0 and 1 for each channel",
    ),
    Advice(
        domain=_CNN, place="channel gates", functions=("HardSigmoid",), source="howard2019searching", year=2019,
        layer="gate", hardware="small", reason="MobileNetV3: the same factor without an exponential",
    ),
    Advice(
        domain="images, Transformer", place="feed-forward layers", functions=("GELU",), source="dosovitskiy2020image",
        year=2021, reason="ViT follows BERT",
    ),
    Advice(
        domain=_LANGUAGE, place="feed-forward layers of an encoder", functions=("GELU",), source="devlin2018bert",
        year=2018, reason="BERT, and GPT-2 after it",
    ),
    Advice(
        domain=_LANGUAGE, place="feed-forward layers", functions=("SwiGLU",), source="touvron2023llama", year=2023,
        reason="LLaMA, Llama 3 and PaLM; lower perplexity than GELU and ReLU at equal size in Shazeer's tests",
    ),
    Advice(
        domain=_LANGUAGE, place="feed-forward layers", functions=("GEGLU",), source="gemma2024open", year=2024,
        reason="Gemma: the gated unit with GELU in the gate",
    ),
    Advice(
        domain=_LANGUAGE, place="feed-forward layers", functions=("SwiGLU", "GEGLU"), source="narang2021transformer",
        year=2021, basis="advised",
        reason="among the few changes to the Transformer that helped when many were tested side by side",
    ),
    Advice(
        domain=_LANGUAGE, place="feed-forward layers", functions=("SquaredReLU",), source="parmar2024nemotron",
        year=2024, reason="Nemotron-4; found by search in Primer, and one matrix less than a gated unit",
    ),
    Advice(
        domain=_LANGUAGE, place="feed-forward layers", functions=("ReLU",), source="mirzadeh2024relu", year=2024,
        basis="advised", hardware="small",
        reason="its zeros need not be multiplied; reported: little loss, up to three times less computation",
    ),
    Advice(
        domain=_SPEECH, place="recognition, feed-forward layers", functions=("GELU",), source="radford2022robust",
        year=2023, reason="Whisper, a Transformer",
    ),
    Advice(
        domain=_SPEECH, place="recognition, Conformer blocks", functions=("SiLU", "GLU"), source="gulati2020conformer",
        year=2020, reason="Swish in the feed-forward parts, a gated linear unit in the convolution",
    ),
    Advice(
        domain=_SPEECH, place="synthesis, vocoder", functions=("Snake",), source="lee2023bigvgan", year=2023,
        reason="BigVGAN: a line with a ripple of learned frequency suits periodic waveforms",
    ),
    Advice(
        domain=_SPEECH, place="real-time noise suppression", functions=("ReLU", "Tanh"), source="valin2018hybrid",
        year=2018, hardware="small", reason="RNNoise: recurrent layers for a low-power processor, sigmoid gates",
    ),
    Advice(
        domain=_RECURRENT, place="states of an LSTM", functions=("Tanh",), source="hochreiter1997long", year=1997,
        basis="proposed", reason="a state that is handed on should be bounded and may have either sign",
    ),
    Advice(
        domain=_RECURRENT, place="gates of an LSTM", functions=("Sigmoid",), source="gers2000learning", year=2000,
        basis="proposed", layer="gate", reason="how much to keep is a number between 0 and 1",
    ),
    Advice(
        domain=_MAKING, place="diffusion, U-Net blocks", functions=("SiLU",), source="ho2020denoising", year=2020,
        reason="under the name of Swish in the authors' code",
    ),
    Advice(
        domain=_MAKING, place="adversarial, generator", functions=("ReLU",), source="radford2015unsupervised",
        year=2015, basis="advised", reason="DCGAN's guidelines; tanh at the output, for pixels from -1 to 1",
    ),
    Advice(
        domain=_MAKING, place="adversarial, discriminator", functions=("LeakyReLU",), source="radford2015unsupervised",
        year=2015, basis="advised", reason="DCGAN's guidelines",
    ),
    Advice(
        domain=_MAKING, place="last layer of a generator", functions=("Tanh",), source="radford2015unsupervised",
        year=2015, basis="advised", layer="output", reason="pixels scaled to the range from -1 to 1",
    ),
    Advice(
        domain=_FIELDS, place="hidden layers", functions=("Sine",), source="sitzmann2020implicit", year=2020,
        basis="proposed", reason="SIREN: details and derivatives of a signal, with the authors' own initialisation",
    ),
    Advice(
        domain=_FIELDS, place="hidden layers", functions=("STAF",), source="morsali2025staf", year=2025,
        basis="proposed", reason="a sum of sines with learned frequencies; far dearer than one sine",
    ),
    Advice(
        domain=_FIELDS, place="solving differential equations", functions=("Tanh",), source="jagtap2020adaptive",
        year=2020, basis="proposed", reason="smooth, for it is differentiated several times; with a learned slope",
    ),
    Advice(
        domain=_ACTING, place="hidden layers, on-policy", functions=("Tanh",), source="andrychowicz2021what", year=2021,
        basis="advised", reason="advised by a study of more than 250,000 agents, for networks that are not too deep",
    ),
    Advice(
        domain=_ACTING, place="hidden layers", functions=("SiLU",), source="elfwing2018sigmoid", year=2018,
        basis="proposed", reason="introduced for learning to play games",
    ),
    Advice(
        domain=_PLAIN, place="hidden layers", functions=("ReLU",), source="he2015delving", year=2015,
        basis="proposed", reason="with weights of variance 2/n, which keep its signal",
    ),
    Advice(
        domain=_PLAIN, place="hidden layers", functions=("SELU",), source="klambauer2017self", year=2017,
        basis="proposed", depth="deep", reason="with weights of variance 1/n it draws mean and variance to 0 and 1",
    ),
    Advice(
        domain=_PLAIN, place="hidden layers", functions=("Tanh",), source="glorot2010understanding", year=2010,
        basis="advised", depth="deep", reason="with Xavier's weights the signal fades slowly, as a power of the depth",
    ),
    Advice(
        domain=_OUTPUT, place="one of several classes", functions=("Softmax",), source="bridle1990probabilistic",
        year=1990, basis="definition", layer="output",
        reason="shares that add up to one; in training it is part of the loss, and the layer puts out logits",
    ),
    Advice(
        domain=_OUTPUT, place="yes or no, each by itself", functions=("Sigmoid",), source="bridle1990probabilistic",
        year=1990, basis="definition", layer="output",
        reason="one share between 0 and 1; in training it is part of the loss",
    ),
    Advice(
        domain=_OUTPUT, place="a number", functions=("Identity",), source="geman1992neural", year=1992,
        basis="definition", layer="output", reason="the squared error is lowest at a mean, which may be any number",
    ),
    Advice(
        domain=_OUTPUT, place="a positive number", functions=("Softplus",), source="dugas2000incorporating", year=2000,
        basis="definition", layer="output", reason="above zero, and close to the identity for large values",
    ),
)  # fmt: skip

#: The domains of the guide, in the order of the table.
DOMAINS: tuple[str, ...] = tuple(dict.fromkeys(advice.domain for advice in GUIDE))


def advise(
    *,
    domain: str | None = None,
    layer: Layer | None = None,
    hardware: Hardware = "any",
    depth: Depth = "any",
) -> tuple[Advice, ...]:
    """Return the lines of the guide that fit, the more special ones first.

    A line for small devices or for deep plain networks appears only if that is asked for; all others always may.

    Args:
        domain: one of :data:`DOMAINS`; None for all of them.
        layer: kind of layer; None for all kinds.
        hardware: ``"small"`` to see what was made for small devices as well.
        depth: ``"deep"`` to see what was made for many layers without normalisation as well.

    Returns:
        The lines, in the order of the guide where they are equally special; perhaps none.

    Raises:
        ValueError: an unknown domain, layer, hardware or depth.

    Example:
        >>> [line.functions[0] for line in advise(domain="sequences, recurrent", layer="gate")]
        ['Sigmoid']
        >>> [line.functions[0] for line in advise(domain="plain dense networks", depth="deep")]
        ['SELU', 'Tanh', 'ReLU']
    """
    for name, value, known in (
        ("domain", domain, (*DOMAINS, None)),
        ("layer", layer, (*get_args(Layer), None)),
        ("hardware", hardware, get_args(Hardware)),
        ("depth", depth, get_args(Depth)),
    ):
        if value not in known:
            wanted = ", ".join(repr(k) for k in known if k is not None)
            raise ValueError(f"unknown {name} {value!r}; choose one of: {wanted}")
    fitting = [
        line
        for line in GUIDE
        if domain in (None, line.domain)
        and layer in (None, line.layer)
        and line.hardware in ("any", hardware)
        and line.depth in ("any", depth)
    ]
    return tuple(sorted(fitting, key=lambda line: (line.hardware == "any") + (line.depth == "any")))
