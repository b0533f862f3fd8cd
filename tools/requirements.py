"""Compile ``requirements.txt``, where everything is pinned, from ``requirements.in``, where the choices stand.

``python -m tools.requirements`` asks the package index, and keeps each pin that still fits; ``--upgrade`` renews
what is not chosen. What torch brings for its own GPU build is left out, so that a CPU build of it fits as well.
``--check`` asks nobody: it says whether the two files belong together.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from labs.files import replacing

GPU = re.compile(r"(?:nvidia-|cuda-|triton==)")
OLDEST = "3.10"
SEAL = "# requirements.in: sha256 "


def seal(source: str) -> str:
    """Return the line by which a compiled list names the choices it was made from.

    Args:
        source: the text of ``requirements.in``.
    """
    return SEAL + hashlib.sha256(source.encode()).hexdigest()


def compiled(printed: str, source: str) -> str:
    """Return the list as it is stored: without the parts of a GPU build, and with its seal.

    Args:
        printed: what ``uv pip compile`` wrote, comments included.
        source: the text of ``requirements.in``.

    Example:
        >>> compiled("a==1\\n    # via b\\nnvidia-x==2\\n    # via torch\\n", "a").splitlines()[2:]
        ['a==1', '    # via b']
    """
    kept, gpu = [], False
    for line in printed.splitlines():
        if not line.startswith(("#", " ")):
            gpu = bool(GPU.match(line))
        if not gpu and not line.startswith("#"):
            kept.append(line)
    first = "# Compiled from requirements.in by `make requirements`: do not edit."
    return "\n".join([first, seal(source), *kept]) + "\n"


def resolve(folder: Path, *, upgrade: bool) -> str:
    """Return what ``uv`` makes of ``requirements.in`` for all supported versions of Python.

    Args:
        folder: where both lists lie.
        upgrade: whether pins that still fit are renewed.

    Raises:
        RuntimeError: if the choices contradict each other, or the index cannot be reached; with what uv said.
    """
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "requirements.txt"
        shutil.copy(folder / "requirements.txt", target)  # its pins are kept where they fit
        command = [
            sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", OLDEST,
            "--no-emit-index-url", "--output-file", str(target), *(["--upgrade"] if upgrade else []), "requirements.in",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"uv could not compile requirements.in:\n{done.stderr.strip()}")
        return target.read_text(encoding="utf-8")


def main(arguments: list[str] | None = None, folder: Path | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.requirements", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the list is current")
    parser.add_argument("--upgrade", action="store_true", help="renew the pins of what is not chosen")
    options = parser.parse_args(arguments)
    folder = folder or Path()
    try:
        source = (folder / "requirements.in").read_text(encoding="utf-8")
        target = folder / "requirements.txt"
        if options.check:
            if seal(source) not in target.read_text(encoding="utf-8").splitlines():
                raise RuntimeError(
                    f"{target} was not made from the present requirements.in; run: make requirements"
                )
            return 0
        text = compiled(resolve(folder, upgrade=options.upgrade), source)
        with replacing(target) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except (OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
