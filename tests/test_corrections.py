"""The corrections register: every entry says what is heard, gives a verdict, and leads to what settles it."""

import re
from pathlib import Path

import pytest
from pybtex import database as pybtex  # comes with sphinxcontrib-bibtex

ROOT = Path(__file__).resolve().parents[1]
REGISTER = (ROOT / "book" / "corrections.md").read_text(encoding="utf-8")
CHAPTERS = {
    path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("[0-9][0-9]-*.md"))
}
VERDICTS = ("false", "imprecise", "no source", "untraceable citation", "cannot run")
GROUPS = (
    "Definitions",
    "Mathematics",
    "History, and who uses what",
    "Numbers and claims without a source",
    "Citations that do not exist",
    "Code that cannot run",
    "Experiments that do not show what they say",
)
ENTRY = re.compile(
    r"^\((cor-[a-z0-9-]+)\)=\n### ([^\n]+)\n(.*?)(?=^\(cor-|^## |\Z)", re.MULTILINE | re.DOTALL
)
ENTRIES = {label: (title, body) for label, title, body in ENTRY.findall(REGISTER)}
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", REGISTER, re.MULTILINE | re.DOTALL))
LISTS = re.findall(r"^:::\{dropdown\} ([^\n]+)\n(.*?)^:::$", SECTIONS["By chapter"], re.MULTILINE | re.DOTALL)
LEAD = re.compile(r"\{(?:ref|doc|numref|eq)\}`(?:[^`<]*<)?([^`<>]+)>?`")
LEADS = {label: set(LEAD.findall(body)) for label, (_, body) in ENTRIES.items()}
PLACE = re.compile(r"^\(([a-z0-9-]+)\)=$|^:label: (\S+)$|^\s*:?name: (\S+)$", re.MULTILINE)
# Claims that a chapter settles without a link to the register; a new entry gets its link instead of a line here.
WITHOUT_LINK: set[str] = set()
# References that circulate and do not exist as printed: arXiv numbers of other works or of none, and titles.
UNTRACEABLE_NUMBERS = {"2405.13607", "2006.05937", "2304.12586", "2401.7695", "2303.11189"}
UNTRACEABLE_TITLES = (
    "STAF: A Sinusoidal Trainable Activation Function for Deep Learning",
    "A Unified View on the Escape of Saddle Points",
    "The Spectrum of the Fisher Information Matrix and Its Implications for Deep Learning",
    "Investigation of the Fisher information matrix and loss landscape",
    "SHINE: Shift-invariant Hessian",
    "Quantum-Inspired Machine Learning",
    "Quantum Machine Learning for Optimization",
    "Topological Data Analysis for Machine Learning",
    "Topological analysis of neural loss landscapes",
    "Bio-Plausible Deep Learning with Natural Gradients",
    "Bio-inspired adaptive natural gradient descent",
    "Surgical modification of the landscape for deep learning",
)


def links(text: str) -> set[str]:
    """The entries to which a text links."""
    return set(re.findall(r"\{ref\}`(?:[^`<]*<)?(cor-[a-z0-9-]+)>?`", text))


def met_in(name: str) -> list[str]:
    """The entries that a chapter links to or that lead into it, in the order of the page."""
    places = {Path(name).stem, *(label for found in PLACE.findall(CHAPTERS[name]) for label in found)}
    met = links(CHAPTERS[name]) | {label for label, leads in LEADS.items() if leads & places}
    return [label for label in ENTRIES if label in met]


def plain(title: str) -> str:
    """Letters and digits of a title, in lower case."""
    return re.sub(r"[^a-z0-9]", "", title.lower())


MET = {name: met_in(name) for name in CHAPTERS}


def test_labels_are_unique_and_none_is_overlooked():
    labels = re.findall(r"^\((cor-[^)]*)\)=$", REGISTER, re.MULTILINE)

    assert len(labels) > 20
    assert sorted(labels) == sorted(ENTRIES)


def test_the_list_by_chapter_comes_first_and_then_the_groups():
    assert list(SECTIONS) == ["By chapter", *GROUPS]
    assert len(re.findall(r"^## ", REGISTER, re.MULTILINE)) == len(SECTIONS)


def test_every_entry_stands_in_exactly_one_group():
    grouped = [label for group in GROUPS for label, _, _ in ENTRY.findall(SECTIONS[group])]

    assert grouped == list(ENTRIES)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_begins_with_one_sentence_on_what_is_in_it(group):
    before, first, _ = SECTIONS[group].partition("(cor-")
    sentence = before.strip()

    assert first, f"{group} is empty"
    assert re.fullmatch(r"[^\n]+\.", sentence), f"{group}: one sentence on one line, please"
    assert not re.search(r"[.!?]\s", sentence), f"{group}: one sentence, please"


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_follows_the_order_of_the_chapters(group):
    reached = 0
    for label, title, _ in ENTRY.findall(SECTIONS[group]):
        numbers = [int(name[:2]) for name in CHAPTERS if label in MET[name]]
        later = [number for number in numbers if number >= reached]
        assert later, f"{title}: of chapter {numbers}, but it stands below one of chapter {reached}"
        reached = min(later)


def test_the_list_has_every_chapter_under_its_title():
    titles = [re.search(r"^# (.+)$", text, re.MULTILINE)[1] for text in CHAPTERS.values()]

    assert [title for title, _ in LISTS] == titles


@pytest.mark.parametrize("number", range(len(CHAPTERS)), ids=list(CHAPTERS))
def test_a_chapter_finds_its_entries_in_the_list(number):
    title, items = LISTS[number]
    wanted = [f"- {{ref}}`{label}`" for label in list(MET.values())[number]]

    assert items.splitlines() == wanted, f"put under {title}:\n" + "\n".join(wanted)


def test_every_entry_stands_in_the_list():
    assert links(SECTIONS["By chapter"]) == set(ENTRIES)


def test_the_page_explains_the_verdicts():
    explained = re.findall(r"^- \*\*([^*]+)\*\*: ", REGISTER.partition("\n## ")[0], re.MULTILINE)

    assert tuple(explained) == VERDICTS


@pytest.mark.parametrize("label", ENTRIES)
def test_an_entry_says_what_is_heard_and_gives_a_verdict(label):
    title, body = ENTRIES[label]

    assert len(re.findall(r"\*\*Heard:\*\* \S", body)) == 1, f"{title}: one **Heard:**, please"
    verdicts = re.findall(r"\*\*Verdict:\*\* ([^.;(]+)", body)
    assert len(verdicts) == 1, f"{title}: one **Verdict:**, please"
    assert verdicts[0].strip() in VERDICTS, f"{title}: the verdict {verdicts[0]!r} is none of {VERDICTS}"


@pytest.mark.parametrize("label", ENTRIES)
def test_an_entry_leads_to_what_settles_it(label):
    title, body = ENTRIES[label]

    leads = re.findall(r"\{(?:ref|doc|numref|eq|cite:[tp])\}`", body)
    assert leads or "no source" in body, f"{title}: no section, no citation"


@pytest.mark.parametrize("label", ENTRIES)
def test_a_chapter_leads_to_every_entry(label):
    linked = any(label in links(text) for text in CHAPTERS.values())

    assert linked or label in WITHOUT_LINK, f"no chapter links to {label}"
    assert not (linked and label in WITHOUT_LINK), f"a chapter links to {label}: take it out of WITHOUT_LINK"


def test_the_exceptions_are_entries():
    assert set(ENTRIES) >= WITHOUT_LINK


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_links_to_entries_that_exist(name):
    assert links(CHAPTERS[name]) <= set(ENTRIES)


def test_no_untraceable_reference_is_listed():
    listed = pybtex.parse_file(str(ROOT / "book" / "references.bib"), "bibtex").entries.values()
    titles = {plain(entry.fields["title"]) for entry in listed}

    assert not {entry.fields.get("eprint") for entry in listed} & UNTRACEABLE_NUMBERS
    for title in UNTRACEABLE_TITLES:
        assert not [known for known in titles if known.startswith(plain(title))], title
