"""List what the book is built from and under which licence: writes ``THIRD-PARTY.md``.

``python -m tools.licences`` reads ``requirements.txt`` and what each installed package says of itself; ``--check``
only says whether the list names every package. What travels inside the repository or the site stands in the
introduction, by hand.
"""

import argparse
import re
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from labs.files import replacing

INTRODUCTION = """\
# What the book is built from, and under which licence

Our own code is under the Apache licence 2.0 ([LICENSE](LICENSE)).
Text, figures and results are under CC BY 4.0 ([LICENSE-CONTENT](LICENSE-CONTENT)).

## In the repository or on the site

| What | Where | Licence |
| --- | --- | --- |
| MathJax 3 | `assets/vendor/mathjax` | Apache-2.0 |
| Sphinx Book Theme and PyData theme, with Bootstrap | copied into the site by the build | BSD-3-Clause, MIT |
| FontAwesome Free icons | copied into the site by the build | CC BY 4.0 (icons), SIL OFL 1.1 (fonts), MIT (code) |

## Data

| What | Where it comes from | Licence |
| --- | --- | --- |
| Fashion-MNIST | downloaded by torchvision on the reader's machine | MIT |
| the digits, and the other small sets of scikit-learn | inside scikit-learn | as scikit-learn says |

## Packages

What `requirements.txt` pins, with the licence that each states of itself.
The list is made by `make requirements`.
"""
NAMES = {
    "Apache Software License": "Apache-2.0", "Apache 2.0": "Apache-2.0", "BSD License": "BSD", "MIT License": "MIT",
    "BSD 3-Clause License": "BSD-3-Clause", "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF",
    "Public Domain": "public domain", "GNU General Public License (GPL)": "GPL",
}  # fmt: skip
ELSEWHERE = "installed on another system or Python only"


def licence(about: PackageMetadata) -> str:
    """Return the licence that a package states: as an expression, else by classifiers, else in its own words.

    Args:
        about: the metadata of an installed package.

    Example:
        >>> from email.message import Message
        >>> about = Message()
        >>> about["Classifier"] = "License :: OSI Approved :: MIT License"
        >>> licence(about)
        'MIT'
    """
    words = (about.get("License") or "").strip()
    short = words if words and "\n" not in words and len(words) < 40 and words != "UNKNOWN" else ""
    stated = [
        text.split(" :: ")[-1] for text in about.get_all("Classifier") or [] if text.startswith("License ::")
    ]
    found = about.get("License-Expression") or " or ".join(NAMES.get(name, name) for name in stated)
    if not found or (found == "BSD" and "Clause" in short):  # the classifier does not say which BSD
        found = NAMES.get(short, short) or found
    return found or "see the package"


def page(pins: str) -> str:
    """Return ``THIRD-PARTY.md``.

    Args:
        pins: the text of ``requirements.txt``.
    """
    rows = {}
    for line in pins.splitlines():
        if not re.match(r"[a-z]", line):
            continue
        name = Requirement(line).name
        try:
            rows[name] = licence(distribution(name).metadata)
        except PackageNotFoundError:
            rows.setdefault(name, ELSEWHERE)
    lines = [INTRODUCTION, "| Package | Licence |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {name} | {rows[name]} |" for name in sorted(rows))]) + "\n"


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.licences", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; say whether every package is listed"
    )
    options = parser.parse_args(arguments)
    folder = folder or Path()
    try:
        pins = (folder / "requirements.txt").read_text(encoding="utf-8")
        target = folder / "THIRD-PARTY.md"
        if options.check:
            listed = re.findall(r"^\| ([a-z][a-z0-9.-]*) \|", target.read_text(encoding="utf-8"), re.M)
            missing = {match[1] for match in re.finditer(r"^([a-z0-9.-]+)==", pins, re.M)} ^ set(listed)
            if missing:
                raise ValueError(f"{target} lacks or need not name {sorted(missing)}; run: make requirements")
            return 0
        with replacing(target) as temporary:
            temporary.write_text(page(pins), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
