"""Fill the generated tables of the pages: what ``labs`` knows about its functions, and what the benchmarks measured.

A page marks the place of a table with two comment lines, ``% begin NAME`` and ``% end NAME``; what stands between
them belongs to this tool. ``python -m tools.tables`` writes the pages anew, ``--check`` says which are out of date.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from labs.activations import ACTIVATIONS, Family
from labs.activations.summary import property_table
from labs.files import replacing
from labs.results import load_result
from tools.goals import goals

NAMES = {
    "classical": "classical functions", "rectifier": "the ReLU family", "smooth": "smooth functions",
    "gated": "gated functions", "learnable": "learnable and periodic functions",
}  # fmt: skip
BLOCK = re.compile(r"^% begin (\S+)\n.*?^% end \1$", re.M | re.S)


def list_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a MyST table whose first row and first column are headers, as a screen reader wants them."""
    lines = [
        f":::{{list-table}} {caption}",
        ":header-rows: 1",
        ":stub-columns: 1",
        ":class: generated-table",
        "",
    ]
    for row in [columns, *rows]:
        lines += [f"{'* ' if number == 0 else '  '}- {cell}" for number, cell in enumerate(row)]
    return "\n".join([*lines, ":::"])


def formulas(family: Family) -> str:
    """The functions of a family with their first and second derivatives."""
    rows = []
    for info in ACTIVATIONS.values():
        if info.family == family:
            texts = (info.formula, info.derivative_formula, info.second_derivative_formula)
            rows.append([info.name, *(f"${text}$" for text in texts)])
    columns = ["Function", "Value $f$", "Slope $f'$", "Second derivative $f''$"]  # a header wants words
    return list_table(f"Formulas: {NAMES[family]}", columns, rows)


def sources(family: Family) -> str:
    """Who published the functions of a family."""
    rows = [info for info in ACTIVATIONS.values() if info.family == family]
    return "\n".join(f"- {info.name}: {{cite:t}}`{','.join(info.source)}`" for info in rows)


def properties(family: Family) -> str:
    """What holds for the functions of a family at their default parameters."""
    names = [name for name, info in ACTIVATIONS.items() if info.family == family]
    columns = [
        "range",
        "left",
        "right",
        "monotone",
        "symmetry",
        "Lipschitz",
        "gain",
        "kinks",
        "smooth",
        "learnable",
    ]
    table = property_table(names, columns=columns)
    return list_table(f"Properties: {NAMES[family]}", [c.capitalize() for c in table.columns], table.rows)


def _benchmark(name: str) -> dict:
    return load_result("benchmarks")["data"][name]


def _ratio(value: dict[str, float]) -> list[str]:
    digits = 1 if value["median"] >= 10 else 2
    return [f"{value['median']:.{digits}f}", f"{value['low']:.{digits}f} to {value['high']:.{digits}f}"]


def training_cost() -> str:
    """Our training loop and mask beside the plain ones, and beside the limit."""
    epoch, mask = _benchmark("epoch"), _benchmark("mask")
    rows = [["An epoch of the tutorials' loop / of ours", *_ratio(epoch["speed-up over the plain loop"])]]
    for threads, value in epoch["fraction of the limit"].items():
        rows.append([f"The matrix products alone / an epoch of ours, {threads}", *_ratio(value)])
    rows.append(["The naive dead-neuron mask / ours", *_ratio(mask["speed-up over the naive mask"])])
    return list_table("Time ratios on Fashion-MNIST", ["What", "Ratio", "Quartiles"], rows)


def company_cost() -> str:
    """Several networks at once, and other programs on the same machine."""
    processes, busy = _benchmark("processes"), _benchmark("busy")
    rows = [
        ["Four networks: a process per core / one process with all threads", *_ratio(*processes.values())]
    ]
    for threads, value in _benchmark("stacked")["stack of networks / one after the other"].items():
        rows.append([f"Five networks: as one stack / one after the other, {threads}", *_ratio(value)])
    for way, value in busy["time, relative to one thread"].items():
        what = way.replace(" / one thread", "")
        rows.append(
            [f"Beside {busy['other programs']} busy programs: {what} / one thread", f"{value:.2f}", "one run"]
        )
    return list_table("Time ratios in company", ["What", "Ratio", "Quartiles"], rows)


def step_cost() -> str:
    """Where a training step goes."""
    parts = {
        key.removesuffix(" / step"): value
        for key, value in _benchmark("steps").items()
        if key.endswith("step")
    }
    rows = [[name.capitalize(), *_ratio(value)] for name, value in parts.items()]
    return list_table(
        "Parts of a training step, as fractions of the whole", ["Part", "Fraction", "Quartiles"], rows
    )


def staf_cost() -> str:
    """The forms of STAF beside ReLU."""
    found = _benchmark("staf")
    kept, peak = found["bytes kept / ReLU's"], found["growth of peak memory / ReLU's"]
    rows = []
    for form, time in found["time of a step / ReLU's"].items():
        memory = [f"{table[form]:.1f}" if table.get(form) else "not measured" for table in (kept, peak)]
        rows.append([form, *_ratio(time), *memory])
    columns = ["Form", "Time of a step", "Quartiles", "Kept for backward", "Growth of peak memory"]
    return list_table("STAF beside ReLU, all as ratios", columns, rows)


def function_cost() -> str:
    """Every function beside ReLU, forward alone and with the way back."""
    found = _benchmark("functions")
    forward, both = found["forward / ReLU's"], found["forward and backward / ReLU's"]
    rows = [[name, *_ratio(forward[name]), *_ratio(both[name])] for name in forward]
    columns = ["Function", "Forward", "Quartiles", "There and back", "Quartiles"]
    return list_table("Cost of each function relative to ReLU, one thread", columns, rows)


TABLES: dict[str, Callable[[], str]] = {
    **{f"formulas-{family}": lambda family=family: formulas(family) for family in Family.__args__},
    **{f"sources-{family}": lambda family=family: sources(family) for family in Family.__args__},
    **{f"properties-{family}": lambda family=family: properties(family) for family in Family.__args__},
    "cost-training": training_cost,
    "cost-company": company_cost,
    "cost-step": step_cost,
    "cost-staf": staf_cost,
    "cost-functions": function_cost,
    "goals": goals,
}  # fmt: skip


def filled(text: str) -> str:
    """Return the text of a page with every generated table made anew."""

    def table(found: re.Match) -> str:
        name = found[1]
        if name not in TABLES:
            raise ValueError(f"no table is called {name!r}; choose one of: {', '.join(TABLES)}")
        return f"% begin {name}\n\n{TABLES[name]()}\n\n% end {name}"

    return BLOCK.sub(table, text)


def main() -> int:
    """Write the pages, or with ``--check`` name those that are out of date."""
    parser = argparse.ArgumentParser(prog="python -m tools.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    late = 0
    for path in sorted(Path("book").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if filled(text) == text:
            continue
        late += 1
        if check:
            print(f"{path}: its tables are out of date; run: python -m tools.tables")
        else:
            with replacing(path) as temporary:
                temporary.write_text(filled(text), encoding="utf-8")
            print(f"wrote {path}")
    return int(check and late > 0)


if __name__ == "__main__":
    sys.exit(main())
