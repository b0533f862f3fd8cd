"""The page of the playground: its widgets, links and experiments say what the engine and the stored outputs say."""

import ast
import re

import nbformat
import pytest

from labs.playground import Setup
from labs.widgets import Playground
from labs.widgets.playground_presets import PRESETS
from tests.conftest import ROOT
from tests.playground_node import engine
from tools.notebooks import check_pair

SOURCE = ROOT / "book" / "playground.md"
PAGE = SOURCE.read_text(encoding="utf-8")
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))
EXPERIMENTS = dict(re.findall(r"^### (\d\. [^\n]+)\n(.*?)(?=^\(sec-|\Z)", PAGE, re.MULTILINE | re.DOTALL))
WIDGET = re.compile(r"^Playground\((.*)\)$", re.MULTILINE)
CODE = re.compile(r"^```\{code-cell\} ipython3\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCES = re.compile(r"^(`{3,})\{[\w-]+\}.*?^\1$", re.MULTILINE | re.DOTALL)
COUNT = r"\b\d+ of 10\b"
# The names under which the experiments hold their settings, and the parts that these are made of.
SETTINGS = ("units", "functions", "starts", "alike", "rates")
PARTS = ("adam", "six", *SETTINGS)
# For each setup how many starts part more than nine tenths of the points, and the same for tanh units in disguise.
SUCCESSES = """(E, [texts, rates, starts]) => {
    const STEPS = 400, right = (run) => {
        while (run.at < STEPS && run.step());
        return run.score().train.accuracy > 0.9;
    };
    const made = (text, start) => new E.Run({ ...E.readSetup(text).setup, start });
    const disguised = (rate, start) => {
        const [tanh, run] = ["Tanh", "Sigmoid"].map((name) => made(`layers.8${name}*8${name}~rate.${rate}`, start));
        run.network.layers.forEach(({ weights, bias, n }, l) => {
            const old = tanh.network.layers[l], before = l ? 2 : 1, after = l < 2 ? 2 : 1;
            bias.forEach((_, o) => {
                const row = old.weights.slice(o * n, (o + 1) * n);
                row.forEach((w, i) => { weights[o * n + i] = after * before * w; });
                bias[o] = after * (old.bias[o] - (before - 1) * row.reduce((sum, w) => sum + w, 0));
            });
        });
        return run;
    };
    const count = (make) => starts.filter((start) => right(make(start))).length;
    return [texts.map((text) => count((start) => made(text, start))), rates.map((rate) => count((start) => disguised(rate, start)))];
}"""  # noqa: E501


def outputs_of(text: str) -> str:
    """What the cells that stand in ``text`` have printed, from the twin."""
    twin = nbformat.read(SOURCE.with_suffix(".ipynb"), as_version=4)
    shown = [cell for cell in twin.cells if cell.cell_type == "code" and cell.source.strip() in text]
    found = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for c in shown
        for output in c.outputs
    ]
    return "\n".join(found)


def settings_of_the_page() -> dict[str, str]:
    """The text of the setup of each row of the experiments' tables, by the name of the row."""
    names: dict = {}
    for cell in CODE.findall(PAGE):
        code = re.sub(r"\A(?:---\n.*?^---\n|(?::[^\n]*\n)+)", "", cell, flags=re.MULTILINE | re.DOTALL)
        for node in ast.parse(re.sub(r"^\s*%", "# %", code, flags=re.MULTILINE)).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in PARTS:
                exec(compile(ast.Module([node], []), "page", "exec"), names)
    return {row: text for name in SETTINGS for row, text in names[name].items()}


def counts_of_the_page(rows: list[str]) -> dict[str, int]:
    """How many of ten starts the stored tables call successful, by the name of the row."""
    tables = outputs_of(PAGE)
    found = {
        row: re.findall(rf"^{re.escape(row)}(?: +\d+){{10}} +(\d+) of 10$", tables, re.MULTILINE)
        for row in rows
    }
    assert all(len(counts) == 1 for counts in found.values()), found
    return {row: int(count) for row, (count,) in found.items()}


def test_the_notebook_has_the_cells_of_its_source():
    assert check_pair(SOURCE) == []


@pytest.mark.parametrize("path", [SOURCE, *CHAPTERS], ids=lambda path: path.stem)
def test_each_playground_of_the_book_is_a_preset_that_there_is(path):
    found = WIDGET.findall(path.read_text(encoding="utf-8"))

    if path == SOURCE:
        assert found.pop(0) == ""  # the large one, with its controls
        assert len(found) == len(EXPERIMENTS)
    for call in found:
        name = re.fullmatch(r'"([a-z-]+)", controls=False', call)
        assert name, call
        assert name[1] in PRESETS


def test_the_still_figure_of_the_large_one_is_made_from_the_preset_that_it_opens_with():
    drawn = re.search(r'name: fig-play-circles\n.*?Run\("([^"]+)"\)', PAGE, re.DOTALL)

    assert drawn[1] == Playground().setup


def test_five_chapters_have_one():
    with_one = [path.stem[:2] for path in CHAPTERS if WIDGET.search(path.read_text(encoding="utf-8"))]

    assert with_one == ["04", "06", "11", "12", "16"]


def test_links_and_settings_on_the_page_are_read_without_a_fault():
    texts = re.findall(r"#playground=([^,`\s]+),\d+", PAGE)
    texts += re.findall(r'(?:Setup\.read|Run)\("([^"{}]+)"\)', PAGE)
    texts += settings_of_the_page().values()

    assert len(texts) > 15
    assert [Setup.read(text).text() for text in texts]  # a fault would raise
    assert engine("(E, texts) => texts.flatMap((text) => E.readSetup(text).faults)", texts) == []


def test_the_file_of_points_is_as_the_page_describes_it():
    line = re.search(r"such as `(-?[\d.]+,-?[\d.]+,\d)`", PAGE)[1]
    first = re.search(r"first line of names such as `([\w,]+)`", PAGE)[1]
    read = "(E, text) => [E.readCsv(text), E.MOST_POINTS, E.readCsv(text.replaceAll('0.25', '1.51')).faults.length]"

    found, most, refused = engine(read, f"{first}\n{line}\n{line.replace(',', ';')}\n")

    assert found["faults"] == []
    assert len(found["points"]) == 2
    assert found["points"][0] == pytest.approx(
        {"x": 0.25, "y": -0.4, "label": 1}, abs=0.0004
    )  # half a place on the map
    assert refused == 2
    assert f"{most} points is the limit" in PAGE


def test_there_are_five_experiments():
    assert [title[0] for title in EXPERIMENTS] == list("12345")


@pytest.mark.parametrize("title", EXPERIMENTS)
def test_an_experiment_asks_lets_run_and_explains_with_a_figure_and_an_assertion(title):
    text = EXPERIMENTS[title]
    predict, run, explain = (text.index(f"**{word}.**") for word in ("Predict", "Run", "Explain"))

    assert predict < text.index("```{quiz} quiz-play-") < run < WIDGET.search(text).start() < explain
    assert "    name: fig-play-" in text[explain:]
    assert any("hide-cell" in cell and "assert " in cell for cell in CODE.findall(text))


@pytest.mark.parametrize("title", EXPERIMENTS)
def test_the_counts_in_the_text_are_those_of_the_cells(title):
    text = EXPERIMENTS[title]

    said = set(re.findall(COUNT, FENCES.sub("", text)))

    assert said
    assert said <= set(re.findall(COUNT, outputs_of(text)))


def test_the_browser_finds_what_the_tables_say_and_ten_further_starts_differ_by_two_at_most():
    settings = settings_of_the_page()
    shown = list(counts_of_the_page(list(settings)).values())
    rates = [0.3, 2.4]
    ends = re.search(r"^tanh's +(\d+) of 10 +(\d+) of 10$", outputs_of(PAGE), re.MULTILINE)
    disguised = [int(count) for count in ends.groups()]

    same, same_disguised = engine(SUCCESSES, [list(settings.values()), rates, list(range(10))])
    further, further_disguised = engine(SUCCESSES, [list(settings.values()), rates, list(range(10, 20))])

    # The sums of torch and of the browser are rounded differently, and a start may lie close to nine tenths.
    assert same + same_disguised == pytest.approx(shown + disguised, abs=1)
    assert further + further_disguised == pytest.approx(shown + disguised, abs=2)


def test_the_starts_that_chapter_6_names_do_not_find_a_closed_border():
    chapter = (ROOT / "book" / "06-depth.md").read_text(encoding="utf-8")
    a, b, c = map(int, re.search(r"try the starts (\d), (\d) and (\d), which do not", chapter).groups())

    found = engine(SUCCESSES, [[PRESETS["three-units"]["setup"]], [], [a, b, c]])

    assert found == [[0], []]
    assert engine(SUCCESSES, [[PRESETS["three-units"]["setup"]], [], [0]]) == [[1], []]  # "This one does"


# For each setup the step, a multiple of twenty, at which each start first parts more than nine tenths of the points.
FIRST = """(E, [texts, most, starts]) => texts.map((text) => starts.map((start) => {
    const run = new E.Run({ ...E.readSetup(text).setup, start });
    while (run.at < most && (run.at % 20 || run.score().train.accuracy <= 0.9) && run.step());
    return run.at;
}))"""


def test_what_does_not_learn_in_four_hundred_steps_learns_later_as_the_page_says():
    settings = settings_of_the_page()
    rows = ["Sigmoid", "PyTorch's weights, random biases", "PyTorch's weights, zero biases", "rate 0.01"]
    said = [
        int(re.search(pattern, PAGE)[1])
        for pattern in (
            r"each of the ten starts has succeeded before step (\d+)\.",
            r"Before step (\d+) nine of the ten starts have succeeded with random biases, and all ten with zero",
            r"more steps help: all ten arrive before step (\d+)\.",
        )
    ]

    first = engine(FIRST, [[settings[row] for row in rows], max(said), list(range(10))])

    sigmoid, default, zero, slow = (
        sum(step < most for step in steps)
        for steps, most in zip(first, (said[0], said[1], said[1], said[2]), strict=True)
    )
    assert min(first[0]) > 2000  # "their loss begins to fall after some two thousand"
    assert (sigmoid, zero, slow) == (10, 10, 10)
    assert default == pytest.approx(9, abs=1)
