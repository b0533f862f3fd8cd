"""Every measured or comparative sentence of the chapters is bound to something, and the linter tells which are not."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

from labs.results import save_result
from tools.chapters import prose, sentences
from tools.quantities import measured, numbers
from tools.sources import NotebookError, read_source, write
from tools.statement_pages import PAGES, page
from tools.statement_pages import main as write_pages
from tools.statements import Statement, collect, main, read_allowed

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = read_allowed(ROOT / "tests" / "statements_allowed.yml")
STATEMENTS = collect([], ROOT)
HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

## A section

"""
CELL = "```{code-cell} ipython3\nshow(accuracy, epochs=15)\n```\n\n"
EQUATION = "```{math}\n:label: eq-x\n\\lambda \\le \\frac{2}{h}\n```\n\n"


# --- the chapters


def test_no_statement_of_the_chapters_is_bound_to_nothing():
    unbound = [s for s in STATEMENTS if not s.bound and not any(s.excepted(entry) for entry in ALLOWED)]

    assert not unbound, "\n".join(
        f"{s.chapter}, {s.section}: {s.text} (not found: {', '.join(s.missing) or 'no exhibit'})"
        for s in unbound
    )


def test_every_exception_is_needed_and_stands_in_the_list_once():
    needed = [s for s in STATEMENTS if not s.bound]

    idle = [entry["quote"] for entry in ALLOWED if not any(s.excepted(entry) for s in needed)]
    assert not idle, f"no longer needed in tests/statements_allowed.yml: {idle}"
    assert len({(entry["chapter"], entry["quote"]) for entry in ALLOWED}) == len(ALLOWED)


@pytest.mark.parametrize("name", PAGES)
def test_the_page_that_lists_the_statements_is_current(name):
    text = (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")

    assert text == page(name, STATEMENTS, ALLOWED), "run: python -m tools.statement_pages"


def test_every_statement_is_on_one_page_and_says_what_it_rests_on():
    pages = [page(name, STATEMENTS, ALLOWED) for name in PAGES]
    listed = re.findall(r"^- .+\\\n  (.+)\.$", "\n".join(pages), re.MULTILINE)

    assert len(listed) == len(STATEMENTS) > 900
    assert {statement.chapter for statement in STATEMENTS} >= {
        "01-supervised-learning",
        "18-choosing",
        "myths",
    }


# --- made-up pages


@pytest.fixture
def book(tmp_path):
    """A book of one chapter; ``book(text, outputs=[...])`` returns what the linter finds in it."""
    for folder in ("book", "results", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "book" / "evidence.yml").write_text("[]")
    (tmp_path / "tests" / "statements_allowed.yml").write_text("[]")

    def write_page(text: str, *, outputs: tuple[str, ...] = ()) -> list[Statement]:
        source = tmp_path / "book" / "01-page.md"
        source.write_text(HEADER + text, encoding="utf-8")
        twin = read_source(source)
        code = [cell for cell in twin.cells if cell.cell_type == "code"]
        for cell, output in zip(code, outputs, strict=False):
            cell.outputs = [nbformat.v4.new_output("stream", text=output)]
        write(twin, source.with_suffix(".ipynb"))
        return collect([], tmp_path)

    write_page.root = tmp_path
    return write_page


def grounds(found: list[Statement]) -> list[str]:
    """What each statement is bound to."""
    return [statement.bound for statement in found]


@pytest.mark.parametrize(
    "sentence",
    [
        "The network gets 84 % of the images right.",
        "It reaches an accuracy of 0.93.",
        "About a third of the units is dead.",
        "The step takes twice as long.",
        "It is eleven times faster.",
        "The loss falls by a factor of six.",
        "Three of five seeds diverge.",
        "The start costs about four points.",
        "It needs some 2,000 steps.",
        "The gradients lie five orders of magnitude apart.",
        "SiLU is better than ReLU.",
        "Mish outperforms all others.",
        "The largest effect is that of the start.",
        "Tanh takes less time than ELU.",
        "This is most useful in deep networks.",
    ],
)
def test_a_statement_without_a_ground_is_found(book, sentence):
    assert grounds(book(sentence)) == [""]


@pytest.mark.parametrize(
    "text",
    [
        "A unit computes a weighted sum of its inputs.",
        "We train five seeds for 15 epochs in batches of 128.",
        "Is SiLU better than ReLU?",
        "How many of them reach 90 %?",
        '**"SiLU is better than ReLU."**\nNobody knows.',
        "The **best** function of a set is the one with the smallest risk.",
        "Let half of the units be zero.",
        "Choose the widest network, and raise the rate to 0.5.",
        "Call `fit(lr=0.01)` more than once.",
        "```{note}\n:class: better\n```",
        "## Exercises\n\n1. Show that ReLU is faster than ELU by 20 %.\n",
        "$$\nq' = 0.5\\, q\n$$",
    ],
)
def test_what_states_nothing_is_passed_over(book, text):
    assert book(text) == []


@pytest.mark.parametrize(
    "pointer", ["{cite:t}`he2015delving`", "({ref}`sec-x`)", "by {eq}`eq-x`", "{numref}`fig-x`"]
)
def test_a_citation_or_a_reference_binds_its_sentence_and_no_other(book, pointer):
    found = book(f"{CELL}It gets 84 % right, {pointer}.\nThe other gets 17 %.", outputs=("done",))

    assert grounds(found) == ["reference", ""]


def test_a_quote_of_the_ledger_binds_the_sentence_it_stands_in(book):
    entry = {"id": "some-share", "chapter": "01-page", "quote": "gets 84 % of the images\nright"}
    (book.root / "book" / "evidence.yml").write_text(yaml.safe_dump([entry]))

    found = book("It gets 84 % of the images right, and more.\nThe other gets 17 %.")

    assert grounds(found) == ["evidence", ""]
    assert [(ground.kind, ground.text) for ground in found[0].grounds] == [("evidence", "some-share")]


@pytest.mark.parametrize(
    "said",
    ["84 %", "84.1 %", "between 84 and 84.1 %", "some 90 %", "0.84", "more than eighty per cent, 84 %"],
)
def test_a_number_that_an_output_prints_is_bound(book, said):
    assert grounds(book(f"{CELL}It gets {said} right.", outputs=("accuracy 0.841",))) == ["numbers"]


@pytest.mark.parametrize(
    "said", ["85 %", "84.2 %", "84 times as many", "0.85", "about a third of the images"]
)
def test_a_number_that_the_outputs_contradict_is_not(book, said):
    found = book(f"{CELL}It gets {said} right.", outputs=("accuracy 0.841",))

    assert grounds(found) == [""]
    assert len(found[0].missing) == 1


def test_each_number_of_a_sentence_has_to_be_found(book):
    found = book(f"{CELL}It gets 84.1 %, the other 17.5 %.", outputs=("accuracy 0.841",))

    assert found[0].missing == ["17.5"]


def test_words_are_looked_for_in_outputs_and_assertions_not_in_other_code(book):
    said = "It is down to a tenth of it."

    assert grounds(book("```{code-cell} ipython3\nx = run(lr=0.1)\n```\n\n" + said)) == [""]
    assert grounds(book("```{code-cell} ipython3\nassert 0.08 < x < 0.1\n```\n\n" + said)) == ["numbers"]


def test_digits_may_also_stand_in_the_code_of_the_section(book):
    assert grounds(book("```{code-cell} ipython3\nrun(lr=0.003)\n```\n\nThe rate is 0.003.")) == ["numbers"]


def test_the_numbers_of_another_section_do_not_count(book):
    found = book(f"{CELL}## Another\n\n{CELL}It gets 84 % right.", outputs=("accuracy 0.841", "done"))

    assert grounds(found) == [""]


def test_the_settings_of_a_result_that_the_chapter_loads_count(book):
    folder = book.root / "results"
    save_result("run", {"x": 1}, config={"lr": 0.004}, seeds=[0], functions=[], folder=folder)

    found = book('```{code-cell} ipython3\nload_result("run")\n```\n\nThe rate is 0.004, the loss 0.7.')

    assert found[0].missing == ["0.7"]


def test_a_formula_of_the_paragraph_or_a_display_equation_gives_a_number(book):
    found = book(f"{EQUATION}With $1 - 2^{{-2}} = 0.75$ it is short.\nIt is 0.75 long, a factor of two.")

    assert grounds(found) == ["numbers"]


def test_a_comparison_is_bound_by_its_own_mathematics(book):
    assert grounds(book("It is largest where $\\sigma'(z) = 0$.\nIt is largest at $z$.")) == [
        "mathematics",
        "",
    ]


def test_a_sentence_goes_on_behind_its_display_equation(book):
    found = book("It is the $x$ for which\n\n$$\nf(x) = 0\n$$\n\nis smallest.")

    assert grounds(found) == ["mathematics"]
    assert found[0].text.endswith("is smallest.")


def test_a_comparison_needs_an_exhibit_that_is_about_the_same_things(book):
    text = f"{CELL}The second epoch has the highest accuracy.\nSmooth activations are better."

    assert grounds(book(text, outputs=("accuracy by epoch: 0.7, 0.8",))) == ["shown", ""]
    assert grounds(book(text)) == ["", ""]  # a cell that shows nothing is no exhibit


def test_in_a_section_that_shows_nothing_a_reference_binds_its_paragraph(book):
    text = "## Misconceptions\n\nReLU is better.\nIt is not ({ref}`sec-x`).\n\nTanh is worse than ReLU."

    assert grounds(book(text)) == ["reference", ""]


def test_a_summary_speaks_of_the_whole_chapter(book):
    text = f"{CELL}## What we learned, in three lines\n\n1. The accuracy is 84 %, and best in the last epoch."

    assert grounds(book(text, outputs=("accuracy 0.841",))) == ["numbers"]


def test_a_row_of_a_list_table_is_bound_as_a_whole(book):
    text = (
        f"{CELL}:::{{list-table}} Claims\n\n* - Said\n* - 23 % faster\n  - no source ({{ref}}`cor-x`)\n"
        "* - 17 % faster\n  - so it is\n:::"
    )

    assert grounds(book(text, outputs=("done",))) == ["reference", ""]


# --- what binds it, and where


def test_a_number_is_traced_to_the_line_and_the_cell_that_hold_it(book):
    two = f"{CELL}{CELL}ReLU is right in 84 %, and tanh in 0.79 of all cases."

    (statement,) = book(two, outputs=("steps 84\n", "tanh 0.790\nReLU 0.841\n"))

    # The second cell holds both, and of its lines each number gets its own.
    assert [(g.kind, g.number, g.text, g.exhibit.number) for g in statement.grounds] == [
        ("output", "84", "ReLU 0.841", 2),
        ("output", "0.79", "tanh 0.790", 2),
    ]


def test_of_two_lines_the_one_about_the_same_things_counts(book):
    (statement,) = book(
        f"{CELL}The network without dropout gets 84 %.", outputs=("seed 1 0.84\nwithout dropout 0.84",)
    )

    assert statement.grounds[0].text == "without dropout 0.84"


def test_a_number_of_another_section_is_found_through_a_reference(book):
    text = f"{CELL}(sec-other)=\n## Another\n\n{CELL}(sec-x)=\n## Here\n\n{CELL}It gets 84 % ({{ref}}`sec-other`)."

    (statement,) = book(text, outputs=("", "accuracy 0.841", "done"))

    assert [(g.kind, g.text) for g in statement.grounds] == [
        ("output", "accuracy 0.841"),
        ("link", "ref sec-other"),
    ][::-1]
    assert statement.grounds[1].exhibit.section == "sec-other"


def test_a_comparison_is_traced_to_the_exhibit_that_shares_most_words(book):
    first, second = "```{code-cell} ipython3\nshow(accuracy)\n```\n\n", CELL

    (statement,) = book(f"{first}{second}The accuracy is highest in the last epochs.", outputs=("a", "b"))

    assert (statement.grounds[0].kind, statement.grounds[0].exhibit.number) == ("exhibit", 2)


def test_settings_and_code_bind_no_number_in_words(book):
    save_result(
        "run", {"x": 1}, config={"share": 0.25}, seeds=[0], functions=[], folder=book.root / "results"
    )
    cell = '```{code-cell} ipython3\nload_result("run")\n```\n\n'

    assert grounds(book(f"{cell}It is a quarter of that.")) == [""]


def test_a_source_that_its_twin_does_not_follow_is_refused(book):
    book("It gets 84 % right.")
    source = book.root / "book" / "01-page.md"
    source.write_text(source.read_text().replace("84 %", "85 %"))

    with pytest.raises(NotebookError, match="tools.notebooks --prose 01-page"):
        collect([], book.root)


def test_a_page_names_line_cell_equation_source_and_reason(book):
    cell = "```{code-cell} ipython3\n:tags: [nbval-ignore-output]\n\nshow(accuracy)\n```\n\n"
    text = (
        f"{cell}{EQUATION}It gets 84 %.\nTwo is a factor of two.\nMore in {{cite:t}}`he2015delving`.\n"
        "It is more than that ({eq}`eq-x`), and a {term}`word <words>` more than *all*.\nSome 17 % are left."
    )
    entry = {"chapter": "01-page", "quote": "Some 17 % are left.", "reason": "a made-up example"}

    written = page("statements", book(text, outputs=("accuracy *0.841*",)), [entry])

    assert "- It gets 84 %.\\\n  *84:* “accuracy \\*0.841\\*”, cell 1 (not compared).\n" in written
    assert "  *two:* {eq}`eq-x`.\n" in written
    assert "a word more than *all*.\\\n  *look at* {eq}`eq-x`.\n" in written
    assert "- Some 17 % are left.\\\n  *Exception:* a made-up example.\n" in written


def test_a_page_that_is_out_of_date_is_named(book, capsys):
    book("It gets 84 % right.")
    written = write_pages([], book.root), write_pages(["--check"], book.root)
    book("It gets 85 % right.")

    assert (*written, write_pages(["--check"], book.root)) == (0, 0, 1)
    assert "statements.md is not current; run: python -m tools.statement_pages" in capsys.readouterr().err


# --- the command line


def test_the_command_names_what_is_unbound_and_what_was_looked_for(book, capsys):
    book("It gets 84 % right.")

    assert main([], book.root) == 1
    out, err = capsys.readouterr()
    assert "01-page, A section [nothing; not found: 84]: It gets 84 % right." in out
    assert "1 statements, 1 bound to nothing" in err


def test_an_exception_with_a_reason_is_accepted(book, capsys):
    entry = {"chapter": "01-page", "quote": "gets 84 % right", "reason": "a made-up example"}
    (book.root / "tests" / "statements_allowed.yml").write_text(yaml.safe_dump([entry]))
    book("It gets 84 % right.")

    assert main(["--all"], book.root) == 0
    assert "[an exception; not found: 84]" in capsys.readouterr().out


@pytest.mark.parametrize("reason", ["", None])
def test_an_exception_without_a_reason_is_refused(book, capsys, reason):
    entry = {"chapter": "01-page", "quote": "gets 84 % right"} | (
        {} if reason is None else {"reason": reason}
    )
    (book.root / "tests" / "statements_allowed.yml").write_text(yaml.safe_dump([entry]))

    assert main([], book.root) == 2
    assert "an entry needs chapter, quote, reason" in capsys.readouterr().err


# --- reading


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("between 83 and 84 %", [83, 84]),
        ("two thirds of it", [2 / 3]),
        ("three quarters, or half of it", [3 / 4, 1 / 2]),
        ("by two to five points", [2, 5]),
        ("fifty-fold, or two hundred times as much", [50, 200]),
        ("155 of 156 units", [155, 156]),
        ("-0.28 at 1e-3 seconds", [0.28, 0.001]),
        ("1,234.5 nats", [1234.5]),
        ("layer 3 of the network, version 2.1.0, in 2015", []),
        ("one of two ways; a third matrix; the left half; a double sum", []),
    ],
)
def test_the_measured_numbers_of_a_text(text, values):
    assert sorted(found.value for found in measured(text)) == pytest.approx(sorted(values))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("45%", 0.45),
        ("60_000", 60000),
        ("10{,}000", 1e4),
        ("\\frac{1}{4}", 0.25),
        ("10^{-6}", 1e-6),
    ],
)
def test_a_number_is_read_in_the_ways_that_prose_may_say_it(text, value):
    assert any(found == pytest.approx(value) for found in numbers(text))


def test_of_formulas_only_bare_numbers_belong_to_the_prose():
    text = prose("Its minimum is $-0.353$ at $x = -1.079$, `lr=0.1`, its slope 0.76 and {math}`x` $2\\,\\%$.")

    assert [found.written for found in measured(text)] == ["0.353", "0.76", "2"]


def test_sentences_end_at_a_full_stop_before_a_capital():
    text = "- First, e.g. this. Second one?\n  *Third* at 0.5. $x$ ends it.\n:::{note}"

    assert sentences(text) == ["First, e.g. this.", "*Third* at 0.5.", "$x$ ends it."]


def test_the_answers_of_a_quiz_state_nothing(book):
    quiz = "```{quiz} quiz-a-b\nWhich?\n\n- [ ] 90 % of them.\n  > Better than most.\n- [x] All.\n  > Yes.\n```\n\n"

    found = book(f"{quiz}Of them 80 % are right.\n")

    assert [s.text for s in found] == ["Of them 80 % are right."]
