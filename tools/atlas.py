"""Write the atlas, ``book/atlas.md``, and its pictures in ``book/atlas/``: one card per activation function.

Every number comes from ``labs.activations``, ``labs.guide`` or ``results/``. ``python -m tools.atlas`` writes page and
pictures anew, ``--check`` says which are out of date.
"""

import argparse
import sys
from pathlib import Path

from labs.activations import ACTIVATIONS, Family, property_table
from labs.files import replacing
from tools.cards import COMPARISON, WAYS, accuracy, better_start, card, link, picture, ratio
from tools.curves import SEED, draw
from tools.tables import NAMES, list_table

INTRODUCTION = """\
(atlas)=
# Activation atlas

One card for each of the {count} activation functions of `labs`: what it looks like, what holds for it, what it costs, how it did in our comparison, and who uses it.
For a first choice there is {{ref}}`the guide <sec-choosing-guide>`, and second derivatives are in {{doc}}`functions`.
The reasons are told in {{doc}}`07-relu-family` (with Maxout), {{doc}}`08-smooth-gated` (with SquaredReLU) and {{doc}}`09-learnable`.

How to read a card:

- *Picture.*
  The value is solid, the slope dashed, both at the default parameters; the scales differ from card to card, and a steep climb is cut off.
  A function of a value $a$ and a gate $b$ is cut at $a = 1$ and drawn against $b$; the limits, kinks and constants beside it are those of both inputs together.
  Of STAF, which draws its parameters at random, the picture shows one draw (seed {seed}).
- *Formula.*
  $\\sigma$ is the logistic function, $\\Phi$ the distribution function and $\\varphi$ the density of the standard normal; derivatives are meant away from the kinks.
- *Limits* are those far out on the left and on the right, the *Lipschitz constant* is the steepest slope in absolute value, *kinks* are points without a slope, and *smooth* means derivatives of every order.
- *Gain* is the factor $g$ with $g^2\\,\\mathrm{{E}}[f(z)^2] = 1$ for a standard normal $z$: weights of variance $g^2/n$ keep the mean square of such signals ({{doc}}`12-initialisation`).
- *Cost* is time relative to ReLU on one thread, the median and in brackets the quartiles ({{ref}}`sec-cost-functions`).
  ReLU measured a second time came out at {again}; a difference of that order means nothing.
- *Accuracy* is that on the test images of Fashion-MNIST in {{ref}}`the fair comparison <sec-fair>`: one small network, {epochs} epochs, the learning rate tuned for each start; the mean of {seeds} seeds, in brackets its 95 % interval.
  The *default* start is PyTorch's, the *fitting* one has weights chosen for the function and zero biases; the better one is that with the higher validation accuracy.
  Without any activation the same network reaches {linear} %.
  The runs of all functions share their seeds, so overlapping intervals do not decide who can be told apart; the chapter compares in pairs.
- *When, and who* repeats the lines of {{ref}}`the guide <sec-choosing-guide>`.
  *Used*, *advised*, *proposed* and *definition* say what kind of evidence that is; none says that nothing else would do.

This page and its pictures are printed from `labs` and `results/` by `python -m tools.atlas`.

## Overview

The cost is that of the way there and back, the accuracy in per cent that from the better start; a dash stands for what depends on the parameters drawn, or for a function that is not in the comparison.
"""  # noqa: E501 (one sentence per line)


def overview(family: Family) -> str:
    """Return the functions of a family with a few numbers, linked to their cards."""
    names = [name for name, info in ACTIVATIONS.items() if info.family == family]
    gains = property_table(names, columns=["gain"]).rows
    rows = [
        [
            link(name),
            gain,
            "1" if name == "ReLU" else ratio(name, WAYS["Cost, there and back"]).split(" (")[0],
            accuracy(name, better_start(name)) if name in COMPARISON["data"] else "\N{EN DASH}",
        ]
        for name, gain in gains
    ]
    return list_table(f"Overview: {NAMES[family]}", ["Function", "Gain", "Cost", "Accuracy"], rows)


def page() -> str:
    """Return the text of ``book/atlas.md``."""
    made = COMPARISON["provenance"]
    text = INTRODUCTION.format(
        count=len(ACTIVATIONS),
        seed=SEED,
        again=" and ".join(f"{ratio('ReLU again', way)} {row.split(', ')[1]}" for row, way in WAYS.items()),
        epochs=made["config"]["epochs"],
        seeds=len(made["seeds"]),
        linear=accuracy("no activation", better_start("no activation")),
    )
    parts = [text, *(overview(family) + "\n" for family in Family.__args__)]
    for family in Family.__args__:
        title = NAMES[family][0].upper() + NAMES[family][1:]
        parts += [f"## {title}\n", *(card(info) for info in ACTIVATIONS.values() if info.family == family)]
    return "\n".join(parts).rstrip("\n") + "\n"


def written() -> dict[str, str]:
    """Return every file of the atlas, by its path below ``book/``."""
    return {"atlas.md": page(), **{picture(name): draw(info) for name, info in ACTIVATIONS.items()}}


def main(arguments: list[str] | None = None, folder: Path = Path("book")) -> int:
    """Write the atlas, or with ``--check`` name what is out of date."""
    parser = argparse.ArgumentParser(prog="python -m tools.atlas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    (folder / "atlas").mkdir(exist_ok=True)
    late = 0
    for name, text in written().items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        late += 1
        if check:
            print(f"{path} is out of date; run: python -m tools.atlas")
        else:
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    return int(check and late > 0)


if __name__ == "__main__":
    sys.exit(main())
