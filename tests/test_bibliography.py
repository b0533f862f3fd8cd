"""References are well-formed, nothing is cited that is not listed, and the book itself can be cited."""

import re
import unicodedata
from pathlib import Path

import pytest
import yaml
from pybtex import database as pybtex  # comes with sphinxcontrib-bibtex

import labs
from labs.activations import ACTIVATIONS

ROOT = Path(__file__).resolve().parents[1]
BIBLIOGRAPHY = ROOT / "book" / "references.bib"
PAGES = sorted([*ROOT.glob("book/*.md"), *ROOT.glob("solutions/*.md")])

DOI = re.compile(r"10\.\d{4,9}/[^\s{},]+")
ARXIV = re.compile(r"(\d{2})(0[1-9]|1[0-2])\.\d{4,5}")
CITATION = re.compile(r"\{cite(?::[a-z]+)?\}`([^`]+)`")
KEY = re.compile(r"([a-z]+)(\d{4})([a-z]+)")


def read(text: str) -> dict[str, pybtex.Entry]:
    """Return the entries by key; pybtex itself refuses a key that comes twice."""
    return dict(pybtex.parse_string(text, "bibtex").entries)


def problems(key: str, entry: pybtex.Entry) -> list[str]:
    """Return what is wrong with one entry, nothing for a good one."""
    fields = entry.fields
    found = [f"no {name}" for name in ("title", "year") if not fields.get(name, "").strip()]
    if not entry.persons.get("author"):
        found.append("no author")
    if "doi" in fields and not DOI.fullmatch(fields["doi"]):
        found.append(f"malformed DOI {fields['doi']!r}: wanted 10.prefix/suffix, without https://doi.org/")
    arxiv = ARXIV.fullmatch(fields.get("eprint", ""))
    if "eprint" in fields and not arxiv:
        found.append(f"malformed arXiv number {fields['eprint']!r}: wanted YYMM.NNNNN, without version")
    if "eprint" in fields and fields.get("archiveprefix") != "arXiv":
        found.append("eprint without archiveprefix = {arXiv}")
    if not {"doi", "eprint", "url", "pages"} & set(fields):
        found.append("no way to find it: give doi, eprint, url or pages")
    return found or _disagreements(key, entry, arxiv)


def _disagreements(key: str, entry: pybtex.Entry, arxiv: re.Match | None) -> list[str]:
    """Return where key, year, author and arXiv number of a complete entry contradict each other."""
    year = int(entry.fields["year"])
    posted = 2000 + int(arxiv[1]) if arxiv else year
    found = []
    if posted > year:
        found.append(f"arXiv number of {posted} is younger than the year {year}")
    parts = KEY.fullmatch(key)
    surname = _plain(" ".join(entry.persons["author"][0].last_names))
    if not parts or not surname.startswith(parts[1]):
        found.append(f"key {key!r} does not begin with the first author, {surname!r}")
    elif int(parts[2]) not in (year, posted):
        found.append(f"key {key!r} carries neither the year {year} nor that of the preprint")
    elif parts[3] not in _plain(entry.fields["title"]):
        found.append(f"key {key!r} ends in a word that is not in the title")
    return found


def _plain(text: str) -> str:
    """Return ``text`` in small letters a to z, without accents, TeX commands and punctuation."""
    text = unicodedata.normalize("NFKD", re.sub(r"\\[a-zA-Z]+|\\.", "", text)).lower()
    return re.sub(r"[^a-z]", "", text)


def cited(text: str) -> set[str]:
    """Return the keys that a page cites, one or several per role."""
    return {key.strip() for group in CITATION.findall(text) for key in group.split(",")}


ENTRIES = read(BIBLIOGRAPHY.read_text(encoding="utf-8"))


@pytest.mark.parametrize("key", ENTRIES)
def test_every_reference_is_complete_and_well_formed(key):
    assert problems(key, ENTRIES[key]) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_cited_work_is_in_the_bibliography(page):
    keys = cited(page.read_text(encoding="utf-8"))

    assert keys - set(ENTRIES) == set(), "add the work to book/references.bib, or mend the key"


def test_every_activation_names_a_source_in_the_bibliography():
    unlisted = {name: set(info.source) - set(ENTRIES) for name, info in ACTIVATIONS.items()}

    assert all(info.source for info in ACTIVATIONS.values())
    assert not any(unlisted.values()), unlisted


def test_no_two_entries_claim_the_same_doi_or_arxiv_number():
    numbers = [
        e.fields[name].lower() for e in ENTRIES.values() for name in ("doi", "eprint") if name in e.fields
    ]

    assert len(numbers) == len(set(numbers))


GOOD = """@article{he2015delving, author = {He, Kaiming}, title = {Delving deep}, year = {2015},
    doi = {10.1109/ICCV.2015.123}, eprint = {1502.01852}, archiveprefix = {arXiv}}"""


def test_the_checks_accept_a_sound_entry():
    assert problems("he2015delving", read(GOOD)["he2015delving"]) == []


@pytest.mark.parametrize(
    ("sound", "broken", "complaint"),
    [
        ("10.1109/ICCV.2015.123", "https://doi.org/10.1109/ICCV.2015.123", "malformed DOI"),
        ("10.1109/ICCV.2015.123", "10.1109", "malformed DOI"),
        ("1502.01852", "1502.1852v2", "malformed arXiv number"),
        ("1502.01852", "1513.01852", "malformed arXiv number"),  # there is no thirteenth month
        ("1502.01852", "1602.01852", "younger than the year"),
        ("archiveprefix = {arXiv}", "note = {preprint}", "eprint without archiveprefix"),
        ("author = {He, Kaiming}, ", "", "no author"),
        ("title = {Delving deep}, ", "", "no title"),
        ("year = {2015},", "", "no year"),
        ("author = {He, Kaiming}", "author = {Sun, Jian}", "does not begin with the first author"),
        ("year = {2015}", "year = {2016}, month = {1}", None),  # the preprint's year may stand in the key
        ("title = {Delving deep}", "title = {Batch normalization}", "not in the title"),
    ],
)
def test_the_checks_name_what_is_wrong_with_an_entry(sound, broken, complaint):
    entry = read(GOOD.replace(sound, broken))["he2015delving"]

    found = problems("he2015delving", entry)

    assert found == [] if complaint is None else any(complaint in problem for problem in found)


def test_a_key_that_comes_twice_is_refused():
    with pytest.raises(pybtex.BibliographyDataError, match="repeated"):
        read(GOOD + "\n" + GOOD)


def test_citations_are_found_in_every_form_of_the_role():
    text = "{cite:t}`he2015delving` shows {cite:p}`lu2019dying, poole2016exponential`; {cite}`cho2009kernel`."

    assert cited(text) == {"he2015delving", "lu2019dying", "poole2016exponential", "cho2009kernel"}


def test_the_citation_file_names_the_version_of_labs():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert citation["version"] == labs.__version__
