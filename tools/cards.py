"""Write one card of the atlas: everything that ``labs`` and the results know about one activation function."""

import re

import torch

from labs.activations import ACTIVATIONS, ActivationInfo, property_table
from labs.guide import GUIDE, Advice
from labs.results import interval, load_result

CHANCE = 0.1  # ten classes; a run that diverged counts as this, as in the chapter on the comparison
LONG = 110  # characters of LaTeX that fit on a line, by and large
BASIS = {
    "used": "used in",
    "advised": "advised in",
    "proposed": "proposed in",
    "definition": "by definition, see",
}
COMPARISON = load_result("comparison_fair")
COST = load_result("benchmarks")["data"]["functions"]
WAYS = {"Cost, forward": "forward / ReLU's", "Cost, there and back": "forward and backward / ReLU's"}


def label(name: str) -> str:
    """Return the label of a card."""
    return f"atlas-{name.lower()}"


def link(name: str) -> str:
    """Return a link to the card of a function, or its name where it has none."""
    return f"{{ref}}`{name} <{label(name)}>`" if name in ACTIVATIONS else name


# --- Results --------------------------------------------------------------------------------------------


def ratio(name: str, way: str) -> str:
    """Return the cost of a function, its median with the quartiles."""
    value = COST[way][name]
    digits = 1 if value["median"] >= 10 else 2
    median, low, high = (f"{value[key]:.{digits}f}" for key in ("median", "low", "high"))
    return f"{median} ({low} to {high})"


def better_start(name: str) -> str:
    """Return the start from which a candidate has the higher validation accuracy."""
    return max(("default", "fitting"), key=lambda start: COMPARISON["data"][name][start]["validation"])


def accuracies(name: str, start: str) -> list[float]:
    """Return one test accuracy per seed."""
    runs = COMPARISON["data"][name][start]["runs"]
    return [CHANCE if run["accuracy"] is None else run["accuracy"] for run in runs]


def trained(name: str, start: str) -> bool:
    """Return whether any run of a candidate came away from chance."""
    return set(accuracies(name, start)) != {CHANCE}


def accuracy(name: str, start: str) -> str:
    """Return the mean accuracy in per cent with its interval, or that there is none worth a mean."""
    if not trained(name, start):
        return "did not train"
    mean, low, high = (f"{100 * value:.1f}" for value in interval(accuracies(name, start)))
    return f"{mean} ({low} to {high})"


def accuracy_rows(name: str) -> list[list[str]]:
    """Return what the comparison says of a function, the better start first."""
    if name not in COMPARISON["data"]:
        return [["Accuracy", "not in the comparison"]]
    first = better_start(name)
    rows = []
    for start in (first, "fitting" if first == "default" else "default"):
        found = COMPARISON["data"][name][start]
        diverged = sum(run["accuracy"] is None for run in found["runs"])
        text = f"{accuracy(name, start)} %, {start} start, learning rate {found['lr']:g}"
        if not trained(name, start):
            text = f"did not train, {start} start: all {len(found['runs'])} runs at chance, {diverged} of them diverged"
        rows.append([f"Accuracy, {'better' if start == first else 'other'} start", text])
    return rows


# --- Cards ----------------------------------------------------------------------------------------------


def broken(latex: str) -> str:
    """Return a formula with a new line before the sums and differences of its outermost level, if it is long."""
    if len(latex) <= LONG:
        return latex
    deep, lines = 0, [""]
    for token in re.findall(r"\\begin|\\end|\\?[({})]| [+-] |.", latex):
        deep += (token in ("{", "(", r"\begin")) - (token in ("}", ")", r"\end"))
        if token in (" + ", " - ") and deep == 0:
            lines.append("")
        lines[-1] += token
    return " \\\\[4pt]\n&\\quad ".join(line.strip() for line in lines)


def formula(info: ActivationInfo) -> str:
    """Return the function and its derivative as displayed mathematics."""
    inputs, slope = ("x", "f'(x)") if info.inputs_per_output == 1 else ("a, b", r"\nabla f(a, b)")
    lines = [f"f({inputs}) &= {broken(info.formula)}", f"{slope} &= {broken(info.derivative_formula)}"]
    return "\n".join(["```{math}", r"\begin{aligned}", " \\\\[6pt]\n".join(lines), r"\end{aligned}", "```"])


def parameters(info: ActivationInfo) -> str:
    """Return the parameters of the formula with their default values, and which of them are learned."""
    module, again = info.factory(), info.factory()
    told = []
    for symbol, where in info.symbols.items():
        value, other = (getattr(m, where) if isinstance(where, str) else where for m in (module, again))
        values, others = (torch.as_tensor(v).flatten().tolist() for v in (value, other))
        text = ", ".join(f"{v:.4g}".replace("-", "\N{MINUS SIGN}") for v in values)
        if len(values) > 5:
            text = f"{len(values)} numbers" + ", drawn at random" * (values != others)
        told.append(f"${symbol}$: {text}" + " (learned)" * isinstance(value, torch.nn.Parameter))
    return "; ".join(told) or "none"


def properties(info: ActivationInfo) -> list[list[str]]:
    """Return what holds for a function, as rows of two."""
    columns = [
        "range",
        "left",
        "right",
        "monotone",
        "convex",
        "symmetry",
        "Lipschitz",
        "kinks",
        "smooth",
        "gain",
    ]
    found = property_table([info.name], columns=columns).rows[0][1:]
    cell = dict(zip(columns, found, strict=True))
    for column in ("range", "Lipschitz", "gain"):
        cell[column] = cell[column].replace("\N{EN DASH}", "depends on the parameters drawn")
    limits = f"{cell['left']} on the left, {cell['right']} on the right"
    if info.inputs_per_output > 1:
        limits = "none, as there are two inputs"
        cell["kinks"] = "none" if info.properties.smooth else "where the inputs are equal"
    elif info.properties.left is None and info.properties.right is None:
        limits = "none"
    return [
        ["Range", cell["range"]],
        ["Limits", limits],
        ["Monotone", cell["monotone"]],
        ["Convex", cell["convex"]],
        ["Symmetry", cell["symmetry"]],
        ["Lipschitz constant", cell["Lipschitz"]],
        ["Kinks", cell["kinks"]],
        ["Smooth", cell["smooth"]],
        ["Gain", cell["gain"]],
    ]


def costs(name: str) -> list[list[str]]:
    """Return what a function costs, as rows of two."""
    if name == "ReLU":
        return [
            [row, f"1, being the unit; measured again: {ratio('ReLU again', way)}"]
            for row, way in WAYS.items()
        ]
    return [[row, ratio(name, way)] for row, way in WAYS.items()]


def advice(name: str, line: Advice) -> str:
    """Return one line of the guide, as the card of ``name`` tells it."""
    others = [link(other) for other in line.functions if other != name]
    place = (
        line.place + ", small devices" * (line.hardware == "small") + ", many layers" * (line.depth == "deep")
    )
    beside = f" (with {' and '.join(others)})" if others else ""
    return (
        f"- *{line.domain}*, {place}{beside}: {line.reason}; {BASIS[line.basis]} {{cite:t}}`{line.source}`."
    )


def table(caption: str, rows: list[list[str]]) -> list[str]:
    """Return the lines of a table of two columns, of which the first says what the second is."""
    cells = [f"* - {head}\n  - {cell}" for head, cell in rows]
    return [f"```{{list-table}} {caption}", ":stub-columns: 1", ":class: generated-table", "", *cells, "```"]


def card(info: ActivationInfo) -> str:
    """Return everything about one function."""
    more = [["Parameters", parameters(info)], *costs(info.name), *accuracy_rows(info.name)]
    lines = [advice(info.name, line) for line in GUIDE if info.name in line.functions]
    return "\n".join(
        [
            f"({label(info.name)})=", f"### {info.name}", "", formula(info), "",
            "::::{grid} 1 1 1 2", ":gutter: 2", "",
            ":::{grid-item}", "```{raw} html", f":file: {picture(info.name)}", "```", ":::", "",
            ":::{grid-item}", *table(f"Properties: {info.name}", properties(info)), ":::", "::::", "",
            *table(f"Parameters, cost and accuracy: {info.name}", more), "",
            "When, and who:", "",
            *(lines or ["- no line of {ref}`the guide <sec-choosing-guide>` names it."]), "",
            f"Source: {{cite:t}}`{','.join(info.source)}`.", "",
        ]
    )  # fmt: skip


def picture(name: str) -> str:
    """Return where the picture of a function lies, seen from the page."""
    return f"atlas/{name.lower()}.svg"
