"""Every number of the ledger is where it claims to be, and a changed result is noticed."""

import json
import re
import shutil
from pathlib import Path

import pytest

from labs.results import load_result, save_result, stale
from tools.evidence import EvidenceError, check, main, measured, read_entries

ROOT = Path(__file__).parent.parent
ENTRIES = read_entries(ROOT / "book" / "evidence.yml")
RESULTS = sorted(path.stem for path in (ROOT / "results").glob("*.json"))
PICTURES = {"landscape_slices"}  # maps of the loss around one network each, of one seed


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_quote_section_and_number_agree(entry):
    check(entry, ROOT)


def test_the_page_is_current():
    assert main(["--check"], ROOT) == 0


@pytest.mark.parametrize("name", RESULTS)
def test_the_code_behind_a_result_is_the_code_of_today(name):
    changed = stale(load_result(name))

    assert not changed, f"{name}.json was made by other code ({', '.join(changed)}); run: make results"


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_carries_its_provenance(name):
    made = load_result(name)["provenance"]

    assert made["config"]
    assert made["data_md5"], "say what was measured on: a checksum, or that the points were generated"
    # What a benchmark measures does not depend on chance in the weights, and a picture shows one network.
    assert len(made["seeds"]) >= (1 if name.startswith("benchmark") or name in PICTURES else 5)
    assert {"torch", "python", "date", "device", "code"} <= set(made)


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_is_used_by_a_number_of_the_ledger(name):
    assert name in {entry["source"].get("result") for entry in ENTRIES}


@pytest.fixture
def copy(tmp_path):
    """A copy of the book and its results that a test may spoil."""
    for folder in ("book", "results"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def first_with_result():
    return next(entry for entry in ENTRIES if "result" in entry["source"])


def test_a_result_edited_by_hand_is_refused(copy):
    entry = first_with_result()
    path = copy / "results" / f"{entry['source']['result']}.json"
    text = path.read_text()
    digit = text.index("0.", text.index('"data"')) + 2
    path.write_text(text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :])

    with pytest.raises(ValueError, match="was changed after it was written"):
        check(entry, copy)


def test_a_result_that_contradicts_the_prose_is_noticed(copy):
    entry = first_with_result()
    result = load_result(entry["source"]["result"])
    spoilt = json.loads(json.dumps(result["data"]), parse_float=lambda _: 0.999)
    save_result(
        entry["source"]["result"], spoilt, config={"x": 1}, seeds=[0], functions=[], folder=copy / "results"
    )

    with pytest.raises(EvidenceError, match=f"{entry['id']}: found 0.999"):
        check(entry, copy)


def test_an_output_that_contradicts_the_prose_is_noticed(copy):
    entry = next(entry for entry in ENTRIES if entry["id"] == "reg-shifts-gentle")
    twin = copy / "book" / f"{entry['chapter']}.ipynb"
    text = twin.read_text(encoding="utf-8")
    assert check(entry, copy) == 17.7

    twin.write_text(text.replace("gently       17.7%", "gently       27.7%"), encoding="utf-8")

    with pytest.raises(EvidenceError, match=r"reg-shifts-gentle: found 27\.7"):
        check(entry, copy)


def test_the_page_says_of_each_entry_where_it_comes_from_with_seeds_device_and_date():
    text = (ROOT / "book" / "evidence.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^- \(evidence-(.*?)\)=\n(.*?)\n(?:\n|$)", text, re.MULTILINE | re.DOTALL))
    full = r"\*Full:\* .*`results/\w+\.json` \(.*seeds?,? \d.*; cpu.*; torch [\d.]+; 20\d\d-\d\d-\d\d\)"
    quick = r"\*Quick:\* cell \d+ of \{ref\}`[\w-]+`.*; seeds: "

    assert list(blocks) == [e["id"] for e in sorted(ENTRIES, key=lambda entry: entry["chapter"])]
    for entry in ENTRIES:
        block = blocks[entry["id"]]
        assert f"{{ref}}`{entry['section']}`: {entry['statement']}" in block
        assert f"it has to lie between {entry['low']:g} and {entry['high']:g}." in block
        assert re.search(f"{full}|{quick}", block), block


def test_words_that_are_no_longer_in_the_chapter_are_noticed(copy):
    entry = ENTRIES[0]
    chapter = copy / "book" / f"{entry['chapter']}.md"
    chapter.write_text(chapter.read_text().replace(entry["quote"].split()[0], "something", 1000))

    with pytest.raises(EvidenceError, match="any more"):
        check(entry, copy)


def test_a_path_that_leads_nowhere_is_named():
    entry = {**first_with_result(), "source": {**first_with_result()["source"], "path": ["nowhere"]}}

    with pytest.raises(EvidenceError, match="leads nowhere at 'nowhere'"):
        measured(entry, ROOT)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"low": 2, "high": 1}, "is not below"), ({"quotes": "x"}, "fields missing or unknown: quotes")],
)
def test_an_entry_that_cannot_hold_is_named(tmp_path, change, message):
    path = tmp_path / "evidence.yml"
    path.write_text(json.dumps([{**ENTRIES[0], **change}]))

    with pytest.raises(EvidenceError, match=message):
        read_entries(path)
