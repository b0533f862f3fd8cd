"""References are well-formed, findable and cited, none leads nowhere, and the book itself can be cited."""

import re
import unicodedata
from pathlib import Path

import pytest
import yaml
from pybtex import database as pybtex  # comes with sphinxcontrib-bibtex
from pybtex.backends.plaintext import Backend
from pybtex.style.formatting.plain import Style  # the style of the page

import labs
from labs.activations import ACTIVATIONS
from labs.guide import GUIDE

ROOT = Path(__file__).resolve().parents[1]
BIBLIOGRAPHY = ROOT / "book" / "references.bib"
PAGES = sorted([*ROOT.glob("book/*.md"), *ROOT.glob("solutions/*.md")])

DOI = re.compile(r"10\.\d{4,9}/[^\s{},%<>\"]*[^\s{},%<>\".;:]")
ARXIV = re.compile(r"(\d{2})(0[1-9]|1[0-2])\.(\d{4,5})")
OLD_ARXIV = re.compile(r"[a-z]+(?:-[a-z]+)?/(\d{2})(0[1-9]|1[0-2])\d{3}")  # until March 2007
URL = re.compile(r"https://([\w-]+\.)+[a-z]{2,}(/\S*)?")
PAGE_RANGE = re.compile(r"(\d+)(?:--(\d+))?")
CITATION = re.compile(r"\{cite(?::[a-z]+)?\}`([^`]+)`")
KEY = re.compile(r"([a-z]+)(\d{4})([a-z]+)")

# What each kind of work must name, and all that an entry may hold: a field with a slip in its name is never printed.
PLACES = {
    "article": "journal", "inproceedings": "booktitle", "incollection": "booktitle", "book": "publisher",
    "techreport": "institution", "misc": "title",
}  # fmt: skip
FIELDS = {
    "title", "editor", *PLACES.values(), "howpublished", "series", "volume", "number", "pages", "year", "isbn",
    "doi", "eprint", "archiveprefix", "url",
}  # fmt: skip
# Numbers that look like DOIs and say no more than the eprint, or are known to the ACM alone.
NO_DOI = ("10.48550/arxiv", "10.5555/")

# The works that have neither a DOI nor an arXiv number, by the reason.
NEITHER = {
    "the proceedings give no DOI": {
        "nair2010rectified", "glorot2011deep", "glorot2010understanding", "maas2013rectifier",
        "sutskever2013importance", "welling2011bayesian", "dugas2000incorporating", "rahimi2007random",
        "cho2009kernel", "krizhevsky2012imagenet", "elkan2001foundations", "weston1999support",
        "novikoff1962convergence",
    },
    "the journal gives no DOI, or gave none yet": {
        "verhulst1838notice", "holm1979simple", "duchi2011adaptive", "srivastava2014dropout",
    },
    "a book of which this edition has no DOI": {
        "minsky1969perceptrons", "nielsen2015neural", "goodfellow2016deep",
    },
    "a report or a manuscript": {
        "elliott1993better", "bergstra2009quadratic", "krizhevsky2010convolutional",
    },
    "a page of the web": {
        "pytorch2018kaiming", "pytorch2022init", "lippe2024uva", "schmidhuber2014who",
    },
}  # fmt: skip
# Known by an address without encryption only.
PLAIN_HTTP = {"nielsen2015neural"}
# Put on arXiv in a year after the one of the article.
POSTED_LATER = {"pedregosa2011scikit"}

# Citations in circulation that lead to nothing, or with their number to another work. The book names some as such.
UNTRACEABLE_NUMBERS = ("2405.13607", "2006.05937", "2304.12586", "2401.7695", "2401.07695", "2303.11189")
UNTRACEABLE_TITLES = (
    "A unified view on the escape of saddle points",
    "The spectrum of the Fisher information matrix and its implications",
    "Investigation of the Fisher information matrix and loss landscape",
    "Quantum-inspired machine learning",
    "Quantum machine learning for optimization",
    "Topological data analysis for machine learning",
    "Topological analysis of neural loss landscapes",
    "Bio-plausible deep learning with natural gradients",
    "Bio-inspired adaptive natural gradient descent",
    "Surgical modification of the landscape",
    "Shift-invariant Hessian",
)
EXPOSING = {"book/corrections.md", "book/myths.md"}


def read(text: str) -> dict[str, pybtex.Entry]:
    """Return the entries by key; pybtex itself refuses a key that comes twice."""
    return dict(pybtex.parse_string(text, "bibtex").entries)


def problems(key: str, entry: pybtex.Entry) -> list[str]:
    """Return what is wrong with one entry, nothing for a good one."""
    fields = entry.fields
    wanted = ("title", "year", PLACES.get(entry.type, "title"))
    found = [f"no {name}" for name in dict.fromkeys(wanted) if not fields.get(name, "").strip()]
    found += [f"unknown field {name!r}" for name in fields if name.lower() not in FIELDS]
    if entry.type not in PLACES:
        found.append(f"unknown kind of work {entry.type!r}; choose one of: {', '.join(PLACES)}")
    if not entry.persons.get("author"):
        found.append("no author")
    for name, check in CHECKS.items():
        value = fields.get(name, "")
        if name == "url" and key in PLAIN_HTTP:
            value = value.replace("http:", "https:")
        if value and (complaint := check(value)):
            found.append(complaint)
    if ("eprint" in fields) != (fields.get("archiveprefix") == "arXiv"):
        found.append("eprint without archiveprefix = {arXiv}, or the other way round")
    if not {"doi", "eprint", "url", "pages", "isbn"} & set(fields) and entry.type != "techreport":
        found.append("no way to find it: give doi, eprint, url, pages or isbn")
    return found or _disagreements(key, entry)


def _year(year: str) -> str | None:
    """Return what is wrong with a year."""
    return None if re.fullmatch(r"1[89]\d\d|20\d\d", year) else f"malformed year {year!r}: wanted four digits"


def _doi(doi: str) -> str | None:
    """Return what is wrong with a DOI."""
    if not DOI.fullmatch(doi) or doi.count("(") != doi.count(")"):
        return f"malformed DOI {doi!r}: wanted 10.prefix/suffix, without https://doi.org/"
    return f"{doi!r} is registered nowhere: give the eprint" if doi.lower().startswith(NO_DOI) else None


def _eprint(number: str) -> str | None:
    """Return what is wrong with an arXiv number."""
    wanted = "wanted YYMM.NNNNN (NNNN until 2014) or archive/YYMMNNN, without version"
    return None if posted(number) else f"malformed arXiv number {number!r}: {wanted}"


def _isbn(isbn: str) -> str | None:
    """Return what is wrong with an ISBN: its digits, every second one three times, sum to a multiple of ten."""
    digits = isbn.replace("-", "")
    if not re.fullmatch(r"97[89]\d{10}", digits):
        return f"malformed ISBN {isbn!r}: wanted thirteen digits that begin with 978 or 979"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"ISBN {isbn!r}: the last digit does not fit the others" if total % 10 else None


def _url(url: str) -> str | None:
    """Return what is wrong with an address."""
    if not URL.fullmatch(url):
        return f"malformed address {url!r}: wanted https://host/path"
    return (
        "give eprint or doi instead of their address"
        if re.search(r"//(www\.|dx\.)?(arxiv|doi)\.org/", url)
        else None
    )


def _pages(pages: str) -> str | None:
    """Return what is wrong with page numbers."""
    given = PAGE_RANGE.fullmatch(pages)
    if given and (not given[2] or int(given[1]) < int(given[2])):
        return None
    return f"malformed pages {pages!r}: wanted first--last, or one article number"


CHECKS = {"year": _year, "doi": _doi, "eprint": _eprint, "isbn": _isbn, "url": _url, "pages": _pages}


def posted(number: str) -> int | None:
    """Return the year in which an arXiv number was given, or None if it is none."""
    if old := OLD_ARXIV.fullmatch(number):
        year = int(old[1]) + (1900 if old[1] > "90" else 2000)
        return year if (1991, 8) <= (year, int(old[2])) <= (2007, 3) else None
    if new := ARXIV.fullmatch(number):
        when = (2000 + int(new[1]), int(new[2]))
        digits = 5 if when >= (2015, 1) else 4
        return when[0] if when >= (2007, 4) and len(new[3]) == digits else None
    return None


def _disagreements(key: str, entry: pybtex.Entry) -> list[str]:
    """Return where key, year, author and arXiv number of a complete entry contradict each other."""
    year = int(entry.fields["year"])
    first = posted(entry.fields.get("eprint", "")) or year
    found = []
    if first > year and key not in POSTED_LATER:
        found.append(f"arXiv number of {first} is younger than the year {year}")
    parts = KEY.fullmatch(key)
    surname = _plain(" ".join(entry.persons["author"][0].last_names))
    if not parts or not surname.startswith(parts[1]):
        found.append(f"key {key!r} does not begin with the first author, {surname!r}")
    elif int(parts[2]) not in (year, first):
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


def repeated(entries: dict[str, pybtex.Entry], name: str) -> set[str]:
    """Return the DOIs, arXiv numbers or addresses that stand in more than one entry."""
    values = [entry.fields[name].lower().rstrip("/") for entry in entries.values() if name in entry.fields]
    return {value for value in values if values.count(value) > 1}


def misjudged(entries: dict[str, pybtex.Entry], listed: dict[str, set[str]]) -> set[str]:
    """Return the entries without any number that are not listed, and those listed that have one or are gone."""
    without = {key for key, entry in entries.items() if not {"doi", "eprint"} & set(entry.fields)}
    return without ^ set().union(*listed.values())


def untraceable(text: str) -> list[str]:
    """Return which citations that lead nowhere are in ``text``."""
    plain = _plain(text)
    numbers = [number for number in UNTRACEABLE_NUMBERS if number in text]
    return numbers + [title for title in UNTRACEABLE_TITLES if _plain(title) in plain]


ENTRIES = read(BIBLIOGRAPHY.read_text(encoding="utf-8"))
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}


@pytest.mark.parametrize("key", ENTRIES)
def test_every_reference_is_complete_and_well_formed(key):
    assert problems(key, ENTRIES[key]) == []


@pytest.mark.parametrize("page", TEXTS)
def test_every_cited_work_is_in_the_bibliography(page):
    keys = cited(TEXTS[page])

    assert keys - set(ENTRIES) == set(), "add the work to book/references.bib, or mend the key"


def test_every_work_in_the_bibliography_is_cited():
    used = set().union(*(cited(text) for text in TEXTS.values()))
    used |= {key for info in ACTIVATIONS.values() for key in info.source} | {
        advice.source for advice in GUIDE
    }

    assert set(ENTRIES) - used == set(), "cite the work for what is in it, or take it out"


def test_every_activation_names_a_source_in_the_bibliography():
    unlisted = {name: set(info.source) - set(ENTRIES) for name, info in ACTIVATIONS.items()}

    assert all(info.source for info in ACTIVATIONS.values())
    assert not any(unlisted.values()), unlisted


@pytest.mark.parametrize("name", ["doi", "eprint", "url", "isbn"])
def test_no_two_entries_lead_to_the_same_work(name):
    assert repeated(ENTRIES, name) == set()


def test_only_listed_works_have_neither_doi_nor_arxiv_number():
    assert misjudged(ENTRIES, NEITHER) == set(), (
        "look the number up; a work that has none is listed with the reason"
    )
    assert sum(map(len, NEITHER.values())) == len(set().union(*NEITHER.values())), "one reason for each"


def test_exceptions_are_needed():
    plain = {key for key, entry in ENTRIES.items() if entry.fields.get("url", "").startswith("http:")}
    later = {
        key
        for key, entry in ENTRIES.items()
        if (posted(entry.fields.get("eprint", "")) or 0) > int(entry.fields["year"])
    }

    assert plain == PLAIN_HTTP
    assert later == POSTED_LATER


def test_every_number_is_printed():
    data = pybtex.BibliographyData(ENTRIES)

    printed = {item.key: item.text.render(Backend()) for item in Style().format_bibliography(data)}
    missing = {
        key: value
        for key, entry in ENTRIES.items()
        for name, value in entry.fields.items()
        if name in ("doi", "eprint", "isbn") and value.lower() not in printed[key].lower()
    }

    assert set(printed) == set(ENTRIES)
    assert missing == {}


def test_no_reference_leads_nowhere():
    exposed = {name: found for name, text in TEXTS.items() if (found := untraceable(text))}

    assert untraceable(BIBLIOGRAPHY.read_text(encoding="utf-8")) == []
    assert set(exposed) <= EXPOSING, exposed


GOOD = """@article{he2015delving, author = {He, Kaiming}, title = {Delving deep}, year = {2015}, journal = {Vision},
    doi = {10.1109/ICCV.2015.123}, eprint = {1502.01852}, archiveprefix = {arXiv}, pages = {1026--1034},
    isbn = {978-0-262-03561-3}, url = {https://example.org/he}}"""


def test_the_checks_accept_a_sound_entry():
    assert problems("he2015delving", read(GOOD)["he2015delving"]) == []


@pytest.mark.parametrize(
    ("sound", "broken", "complaint"),
    [
        ("10.1109/ICCV.2015.123", "https://doi.org/10.1109/ICCV.2015.123", "malformed DOI"),
        ("10.1109/ICCV.2015.123", "10.1109", "malformed DOI"),
        ("10.1109/ICCV.2015.123", "10.1109/ICCV.2015.123.", "malformed DOI"),  # the full stop of a sentence
        ("10.1109/ICCV.2015.123", "10.1016/0893-6080(89", "malformed DOI"),  # cut at a bracket
        ("10.1109/ICCV.2015.123", "10.48550/arXiv.1502.01852", "registered nowhere"),
        ("10.1109/ICCV.2015.123", "10.5555/3104322.3104425", "registered nowhere"),
        ("1502.01852", "1502.1852v2", "malformed arXiv number"),
        ("1502.01852", "1513.01852", "malformed arXiv number"),  # there is no thirteenth month
        ("1502.01852", "1502.0185", "malformed arXiv number"),  # five digits since 2015
        ("1502.01852", "1412.69801", "malformed arXiv number"),  # four before
        ("1502.01852", "0703.0185", "malformed arXiv number"),  # the old kind was still in use
        ("1502.01852", "cs/0713001", "malformed arXiv number"),
        ("1502.01852", "cs/1502001", "malformed arXiv number"),  # the old kind was out of use
        ("1502.01852", "math.GT/0309136", "malformed arXiv number"),
        ("1502.01852", "cs/0501001", None),
        ("1502.01852", "cond-mat/9609651", None),
        ("1502.01852", "1412.6980", None),
        ("1502.01852", "1602.01852", "younger than the year"),
        ("archiveprefix = {arXiv}", "number = {1}", "eprint without archiveprefix"),
        ("eprint = {1502.01852}, ", "", "eprint without archiveprefix"),
        ("978-0-262-03561-3", "978-0-262-03561-4", "last digit"),
        ("978-0-262-03561-3", "0-262-03561-8", "malformed ISBN"),
        ("https://example.org/he", "http://example.org/he", "malformed address"),
        ("https://example.org/he", "https://example", "malformed address"),
        ("https://example.org/he", "https://example.org/he et al", "malformed address"),
        ("https://example.org/he", "https://arxiv.org/abs/1502.01852", "instead of their address"),
        ("https://example.org/he", "https://doi.org/10.1109/ICCV.2015.123", "instead of their address"),
        ("1026--1034", "1026-1034", "malformed pages"),
        ("1026--1034", "1034--1026", "malformed pages"),
        ("1026--1034", "109136", None),  # the number of an article
        ("journal = {Vision}", "number = {1}", "no journal"),
        ("journal = {Vision}", "journal = {Vision}, note = {to appear}", "unknown field"),
        ("@article", "@unpublished", "unknown kind of work"),
        ("author = {He, Kaiming}, ", "", "no author"),
        ("title = {Delving deep}, ", "", "no title"),
        ("year = {2015},", "", "no year"),
        ("year = {2015}", "year = {to appear}", "malformed year"),
        ("author = {He, Kaiming}", "author = {Sun, Jian}", "does not begin with the first author"),
        ("year = {2015}", "year = {2016}, number = {1}", None),  # the preprint's year may stand in the key
        ("year = {2015}", "year = {2017}", None),
        ("title = {Delving deep}", "title = {Batch normalization}", "not in the title"),
    ],
)
def test_the_checks_name_what_is_wrong_with_an_entry(sound, broken, complaint):
    assert GOOD.count(sound) == 1
    entry = read(GOOD.replace(sound, broken))["he2015delving"]

    found = problems("he2015delving", entry)

    assert found == [] if complaint is None else any(complaint in problem for problem in found)


def test_an_entry_that_cannot_be_found_is_refused():
    entry = read("@misc{he2015delving, author = {He, Kaiming}, title = {Delving deep}, year = {2015}}")

    assert any(
        "no way to find it" in problem for problem in problems("he2015delving", entry["he2015delving"])
    )


def test_a_key_that_comes_twice_is_refused():
    with pytest.raises(pybtex.BibliographyDataError, match="repeated"):
        read(GOOD + "\n" + GOOD)


def test_a_number_that_comes_twice_is_found():
    twice = read(GOOD + "\n" + GOOD.replace("he2015delving", "he2015again").replace("ICCV", "iccv"))

    assert repeated(twice, "doi") == {"10.1109/iccv.2015.123"}
    assert repeated(twice, "eprint") == {"1502.01852"}
    assert repeated(read(GOOD), "doi") == set()


def test_the_list_of_works_without_number_is_exact():
    numbered = read(GOOD)
    bare = read(re.sub(r"doi = .*? archiveprefix = \{arXiv\},", "", GOOD))

    assert misjudged(numbered, {"reason": {"he2015delving"}}) == {"he2015delving"}, "it has a number by now"
    assert misjudged(bare, {"reason": set()}) == {"he2015delving"}, "it is not listed"
    assert misjudged(bare, {"reason": {"he2015delving"}}) == set()
    assert misjudged({}, {"reason": {"he2015delving"}}) == {"he2015delving"}, "it is gone"


def test_a_citation_that_leads_nowhere_is_found():
    assert untraceable("STAF, arXiv:2405.13607") == ["2405.13607"]
    assert untraceable("{SHINE}: {S}hift-invariant\n {H}essian") == ["Shift-invariant Hessian"]
    assert untraceable("Ghorbani et al., arXiv:1901.10159") == []


def test_citations_are_found_in_every_form_of_the_role():
    text = "{cite:t}`he2015delving` shows {cite:p}`lu2019dying, poole2016exponential`; {cite}`cho2009kernel`."

    assert cited(text) == {"he2015delving", "lu2019dying", "poole2016exponential", "cho2009kernel"}


def test_the_citation_file_names_the_version_of_labs():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))

    assert citation["version"] == labs.__version__
