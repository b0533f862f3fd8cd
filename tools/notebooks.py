"""Execute the MyST notebooks that people write, and keep each with its twin ``.ipynb``.

``python -m tools.notebooks [NAME ...]`` runs each source alone in a fresh kernel and writes the twin with its
outputs; two runs write the same bytes. ``--prose`` runs nothing: it brings changed text into a twin whose code is
still the same. ``--check`` runs nothing either: it says where a pair has drifted apart.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools.sources import NotebookError, find_sources, read_source, read_twin, write

OUTPUTS = "outputs_sha256"  # in the twin's metadata: outputs that somebody edits by hand no longer fit it
CELL_SECONDS, SLOW_SECONDS, LARGE_BYTES = 300, 120, 1_500_000
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def kernel_environment() -> dict[str, str]:
    """Return what a kernel of the book runs in: one thread, silent, nothing from the user's own set-up."""
    fixed = {"LABS_PROGRESS": "0", "PYTHONHASHSEED": "0", "JUPYTER_PREFER_ENV_PATH": "1", "JUPYTER_PATH": ""}
    fixed["IPYTHONDIR"] = str(Path(tempfile.gettempdir()) / f"nonlinear-ipython-{os.getpid()}")
    # The order of a sum depends on the number of threads, so all runs use the same unless told otherwise.
    return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), **fixed}


def execute(source: Path) -> nbformat.NotebookNode:
    """Return ``source`` executed in a fresh kernel; a failing cell raises NotebookError that shows it."""
    notebook, at = read_source(source), [0]
    total = len(notebook.cells)

    def started(cell: nbformat.NotebookNode, cell_index: int) -> None:
        at[0] = cell_index
        if sys.stderr.isatty():
            print(f"\r{source.name}: cell {cell_index + 1} of {total} ", end="", file=sys.stderr, flush=True)

    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, store_widget_state=False,
        coalesce_streams=True, resources={"metadata": {"path": str(source.parent)}}, on_cell_start=started,
        extra_arguments=["--IPKernelApp.log_level=40"],
    )  # fmt: skip
    os.environ.update(kernel_environment())
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        if isinstance(error, CellExecutionError):
            reason = f"{error.ename}: {error.evalue}"
        else:
            timed_out = isinstance(error, CellTimeoutError)
            reason = f"no answer within {CELL_SECONDS} s" if timed_out else "the kernel died"
        head = "\n".join(f"    {line}" for line in notebook.cells[at[0]].source.splitlines()[:8])
        reason = re.sub(r"\x1b\[[0-9;]*m", "", reason)
        raise NotebookError(f"{source}, cell {at[0] + 1} of {total}:\n{head}\n  {reason}") from None
    finally:
        if sys.stderr.isatty():
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)
    notebook.metadata.pop("language_info", None)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        if "text/html" in output.get("data", {}):
            output.data.pop(WIDGET_VIEW, None)  # a random id; the html is the still form of the widget
    notebook.metadata[OUTPUTS] = outputs_sha256(notebook)
    return notebook


def with_new_prose(source: Path) -> nbformat.NotebookNode:
    """Return ``source`` with the outputs of its twin; raises NotebookError when the code is not the same."""
    notebook, stored = read_source(source), read_twin(source.with_suffix(".ipynb"))
    new, old = ([cell for cell in nb.cells if cell.cell_type == "code"] for nb in (notebook, stored))
    if [cell.source for cell in new] != [cell.source for cell in old]:
        raise NotebookError(
            f"{source}: the code differs from its twin's; run: make notebook NAME={source.stem}"
        )
    for cell, known in zip(new, old, strict=True):
        cell.outputs, cell.execution_count = known.outputs, known.execution_count
    notebook.metadata[OUTPUTS] = stored.metadata.get(OUTPUTS)
    return notebook


def outputs_sha256(notebook: nbformat.NotebookNode) -> str:
    """Return a checksum of all stored outputs, those included that are too fickle to be compared on a rerun."""
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def check_pair(source: Path) -> list[str]:
    """Return what is wrong between ``source`` and its twin, one line each; empty when all is well."""
    twin = source.with_suffix(".ipynb")
    try:
        written, stored = read_source(source), read_twin(twin)
    except NotebookError as error:
        return [str(error)]
    problems = []
    if stored.metadata.get(OUTPUTS) != outputs_sha256(stored):
        problems.append(
            f"{twin}: the stored outputs were changed by hand; run: make notebook NAME={source.stem}"
        )
    if written.metadata != {k: v for k, v in stored.metadata.items() if k not in ("language_info", OUTPUTS)}:
        problems.append(f"{source}: the header differs from its twin's metadata")
    pairs = [[(c.cell_type, c.source, c.metadata) for c in nb.cells] for nb in (written, stored)]
    if pairs[0] != pairs[1]:
        same = next((i for i, (a, b) in enumerate(zip(*pairs, strict=False)) if a != b), min(map(len, pairs)))
        remedy = f"make notebook NAME={source.stem}"
        problems.append(f"{source}: cell {same + 1} differs from its twin; run: {remedy}")
    code = [cell for cell in stored.cells if cell.cell_type == "code" and cell.source.strip()]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        problems.append(f"{twin}: not executed from top to bottom in a fresh kernel")
    for cell in code:
        failed = any(output.output_type == "error" for output in cell.outputs)
        if failed and "raises-exception" not in cell.metadata.get("tags", []):
            first = cell.source.splitlines()[0]
            problems.append(f"{twin}: an error is stored in the cell that begins {first!r}")
    return problems


def main(arguments: list[str] | None = None, root: Path | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="stem such as 16-dead-neurons; default: all")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="execute nothing, compare each pair")
    how.add_argument(
        "--prose", action="store_true", help="execute nothing, bring changed text into the twins"
    )
    options = parser.parse_args(arguments)
    try:
        for source in (sources := find_sources(options.names, root or Path())):
            if options.check:
                if problems := check_pair(source):
                    raise NotebookError("\n".join(problems))
                continue
            started = time.monotonic()
            make = with_new_prose if options.prose else execute
            write(make(source), twin := source.with_suffix(".ipynb"))
            seconds, size = time.monotonic() - started, twin.stat().st_size
            print(f"{twin}: {seconds:.0f} s, {size / 1e6:.2f} MB", flush=True)
            if seconds > SLOW_SECONDS or size > LARGE_BYTES:
                print(f"  warning: more than {SLOW_SECONDS} s or {LARGE_BYTES / 1e6} MB", file=sys.stderr)
    except (NotebookError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(sources)} notebooks, all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
