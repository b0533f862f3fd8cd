"""Draw the picture that a chat or a feed shows beside a link to the book: ``python -m tools.social_picture``.

It is drawn from ``labs`` like any figure of the book, 1200 by 630 pixels as Open Graph wants it, and stored in
``assets/social.png``; drawn again with the same libraries it is the same file.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch

from labs.activations import make_activation
from labs.files import replacing

SIZE = (12.0, 6.3)  # inches, at 100 dots each
INK, GROUND = "#14181e", "#ffffff"
CURVES = {  # from the back to the front
    "Tanh": "#009e73",
    "ELU": "#cc79a7",
    "GELU": "#d55e00",
    "ReLU": "#0072b2",
}


def draw() -> plt.Figure:
    """Return the picture: name and subject of the book on the left, four activation functions on the right."""
    figure = plt.figure(figsize=SIZE, dpi=100, facecolor=GROUND)
    figure.text(0.065, 0.6, "Nonlinear", size=62, weight="bold", color=INK)
    lines = "An executable textbook on\nactivation functions and the\ntraining of neural networks"
    figure.text(0.068, 0.53, lines, size=23, color=INK, va="top", linespacing=1.45)
    ax = figure.add_axes((0.55, 0.1, 0.41, 0.8))
    x = torch.linspace(-3.2, 2.4, 800)
    ax.axhline(0, color=INK, linewidth=1.2, alpha=0.45)
    ax.axvline(0, color=INK, linewidth=1.2, alpha=0.45)
    for name, colour in CURVES.items():
        y = make_activation(name)(x).detach()
        ax.plot(x, y, color=colour, linewidth=7, solid_capstyle="round", label=name)
    ax.legend(loc="upper left", frameon=False, fontsize=19, reverse=True)
    ax.set(xlim=(-3.3, 2.5), ylim=(-1.25, 2.5))
    ax.axis("off")
    return figure


def main(target: Path = Path("assets/social.png")) -> None:
    """Draw the picture into ``target``."""
    with replacing(target) as temporary:
        draw().savefig(temporary, format="png", metadata={"Software": None})


if __name__ == "__main__":
    main()
