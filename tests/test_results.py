"""Promises of labs.results: a number keeps its origin, and a changed number or changed code is noticed."""

import importlib
import itertools
import json
import linecache
import math
import random
import sys
from functools import partial

import numpy
import pytest
import torch
from scipy import stats

from labs import results
from labs.results import code_hash, interval, load_result, save_result, stale
from labs.seeds import set_seed

DATA = {"dead": [0.0, 0.25], "share": 1 / 3, "label": "Übung", "many": 12, "nothing": None, "true": True}


def save(folder, data=DATA, name="dead-by-depth", **changes):
    config = {"lr": 1e-3, "hidden": (64, 32)}
    usual = {"config": config, "seeds": range(3), "functions": [set_seed], "folder": folder}
    return save_result(name, data, **{**usual, **changes})


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes the source of a module, and gives it freshly imported."""
    (tmp_path / "code").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    versions = itertools.count()

    def write(source, name="experiment_of_a_test"):
        # Python tells versions of a file apart by time and size; a test is too quick for the time.
        (tmp_path / "code" / f"{name}.py").write_text(source + "\n" * next(versions), encoding="utf-8")
        linecache.checkcache()
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    yield write
    for name in ("experiment_of_a_test", "another_experiment_of_a_test"):
        sys.modules.pop(name, None)


# --- saving and loading


def test_data_come_back_as_they_were(tmp_path):
    save(tmp_path)

    assert load_result("dead-by-depth", folder=tmp_path)["data"] == DATA


def test_floats_come_back_to_the_last_bit(tmp_path):
    draw = random.Random(0)
    numbers = [draw.gauss(0, 1) * 10 ** draw.randint(-300, 300) for _ in range(200)]
    save(tmp_path, {"numbers": numbers})

    assert load_result("dead-by-depth", folder=tmp_path)["data"]["numbers"] == numbers


def test_tensors_and_arrays_become_lists(tmp_path):
    data = {"tensor": torch.tensor([[1, 2]]), "array": numpy.array([0.5]), "number": numpy.float64(2.0)}
    save(tmp_path, {**data, "pair": (1, 2)})

    found = load_result("dead-by-depth", folder=tmp_path)["data"]

    assert found == {"tensor": [[1, 2]], "array": [0.5], "number": 2.0, "pair": [1, 2]}


def test_provenance_says_what_ran(tmp_path):
    save(tmp_path, data_md5={"train": "abc"})

    provenance = load_result("dead-by-depth", folder=tmp_path)["provenance"]

    assert provenance["config"] == {"lr": 1e-3, "hidden": [64, 32]}
    assert provenance["seeds"] == [0, 1, 2]
    assert provenance["code"] == {"labs.seeds.set_seed": code_hash(set_seed)}
    assert provenance["data_md5"] == {"train": "abc"}
    assert provenance["device"].startswith("cpu: ")
    assert provenance["torch"] == torch.__version__
    assert provenance["python"] == ".".join(map(str, sys.version_info[:3]))
    assert len(provenance["date"]) == len("2026-01-31")


def test_the_same_outcome_written_twice_is_the_same_file(tmp_path):
    first = save(tmp_path).read_bytes()

    assert save(tmp_path).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["dead-by-depth.json"]


@pytest.mark.parametrize("bad", [math.nan, -math.inf, torch.tensor([0.0, math.nan]), numpy.float32("inf")])
def test_a_number_that_is_not_finite_is_refused_with_its_place(tmp_path, bad):
    with pytest.raises(ValueError, match=r"data\['relu'\]\[1\].* is (nan|-?inf); wanted a finite number"):
        save(tmp_path, {"relu": [0.5, bad]})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", [object(), {1, 2}, 1j])
def test_a_value_without_a_form_in_json_is_refused_with_its_place(tmp_path, bad):
    with pytest.raises(ValueError, match=r"data\['a'\] is a .*; wanted numbers"):
        save(tmp_path, {"a": bad})


def test_a_key_that_is_no_text_is_refused_since_json_would_change_it(tmp_path):
    with pytest.raises(ValueError, match=r"data\['by depth'\] has the key 5; wanted text: use str"):
        save(tmp_path, {"by depth": {5: 0.1}})


@pytest.mark.parametrize("name", ["", "../escape", "a/b", "Dead", "a.b", ".hidden"])
def test_a_name_that_is_no_plain_word_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="wanted small letters"):
        save(tmp_path, name=name)
    with pytest.raises(ValueError, match="wanted small letters"):
        load_result(name, folder=tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere"):
        save(tmp_path / "nowhere")


def test_an_unknown_name_lists_those_that_exist(tmp_path):
    save(tmp_path, name="dead-by-depth")
    save(tmp_path, name="activation-table")

    with pytest.raises(FileNotFoundError, match="choose one of: activation-table, dead-by-depth"):
        load_result("dead-by-dept", folder=tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.25", "0.26"), ('y": 12', 'y": 13'), ("Übung", "Ubung"), ("0.001", "0.01"), ("null", "false")],
)
def test_a_file_in_which_one_thing_was_changed_is_refused(tmp_path, old, new):
    path = save(tmp_path, data_md5="abc")
    edit(path, old, new)

    with pytest.raises(ValueError, match="was changed after it was written.*run the experiment again"):
        load_result("dead-by-depth", folder=tmp_path)


def test_a_file_that_was_only_laid_out_anew_is_accepted(tmp_path):
    path = save(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")

    assert load_result("dead-by-depth", folder=tmp_path)["data"] == DATA


def test_a_renamed_file_is_refused(tmp_path):
    save(tmp_path, name="old").rename(tmp_path / "new.json")

    with pytest.raises(ValueError, match="holds the result 'old' under another name"):
        load_result("new", folder=tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "3", "{}", '{"checksum": "0"}', '{"data": NaN}', "\xff"),
        pytest.param("[" * 100_000, id="too deep"),
    ],
)
def test_a_file_that_is_no_result_is_refused(tmp_path, text):
    (tmp_path / "broken.json").write_text(text, encoding="latin-1")

    with pytest.raises(ValueError, match="is not a complete result.*run the experiment again"):
        load_result("broken", folder=tmp_path)


def test_results_are_looked_for_in_the_package_and_then_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "_PACKAGE", tmp_path / "labs")
    (tmp_path / "labs").mkdir()
    (tmp_path / "results").mkdir()

    path = save(None, {"from": "checkout"})
    in_checkout = load_result("dead-by-depth")
    (tmp_path / "labs" / "_results").mkdir()
    save(tmp_path / "labs" / "_results", {"from": "wheel"})
    in_wheel = load_result("dead-by-depth")

    assert path.parent == tmp_path / "results"
    assert (in_checkout["data"], in_wheel["data"]) == ({"from": "checkout"}, {"from": "wheel"})


# --- the code behind a result

SOURCE = '''
def answer(x, *, offset=1):
    """Return the answer."""
    # why: because
    return f"{x + offset:.{2}f}"


class Machine:
    """A machine."""

    def run(self):
        """Run."""
        return """text
at the left margin"""
'''


def test_comments_docstrings_and_layout_do_not_count(module):
    before = code_hash(module(SOURCE).answer)

    after = code_hash(
        module(
            SOURCE.replace("# why: because", "# a better reason")
            .replace("Return the answer.", "Say it.")
            .replace("x + offset", "x+offset")
            .replace("(x, *, offset=1)", "(\n    x,\n    *,\n    offset=1,\n)")
        ).answer
    )

    assert after == before


@pytest.mark.parametrize(
    ("old", "new"), [("x + off", "x - off"), ("offset=1", "offset=2"), ("{2}f", "{3}f"), (".{2}", "{2}")]
)
def test_code_counts(module, old, new):
    before = code_hash(module(SOURCE).answer)

    assert code_hash(module(SOURCE.replace(old, new)).answer) != before


def test_a_docstring_is_no_code_but_a_returned_string_is(module):
    first = module(SOURCE)
    second = module(SOURCE.replace("at the left margin", "elsewhere"), "another_experiment_of_a_test")

    assert code_hash(first.Machine.run) != code_hash(second.Machine.run)
    assert code_hash(first.Machine) != code_hash(second.Machine)
    assert code_hash(first) != code_hash(second)
    assert code_hash(first.answer) == code_hash(second.answer)


def test_the_hash_is_the_same_on_every_python(module):
    # Taken from Python 3.10, 3.11, 3.12 and 3.13, whose own dumps of this tree differ.
    assert code_hash(module(SOURCE).answer).startswith("442a3dc655438fbb")


@pytest.mark.parametrize("thing", [len, torch.relu, partial(set_seed, 1)])
def test_what_has_no_source_is_refused(thing):
    with pytest.raises(ValueError, match="has no Python source"):
        code_hash(thing)


def test_a_function_that_another_process_cannot_find_is_refused(tmp_path):
    def local():
        return 1

    for function in (local, lambda: 1, partial(set_seed, 1)):
        with pytest.raises(ValueError, match="another process could not find .* again"):
            save(tmp_path, functions=[function])


def test_a_result_is_stale_when_a_function_behind_it_changed_or_is_gone(tmp_path, module):
    code = module(SOURCE)
    save(tmp_path, functions=[set_seed, code.answer, code.Machine.run])
    result = load_result("dead-by-depth", folder=tmp_path)
    fresh = stale(result)

    module(SOURCE.replace("x + offset", "x * offset").replace("class Machine", "class Engine"))

    assert fresh == []
    assert stale(result) == ["experiment_of_a_test.answer", "experiment_of_a_test.Machine.run"]


def test_a_whole_module_can_stand_behind_a_result(tmp_path, module):
    save(tmp_path, functions=[module(SOURCE)])
    result = load_result("dead-by-depth", folder=tmp_path)

    module(SOURCE.replace("offset=1", "offset=2"))

    assert stale(result) == ["experiment_of_a_test"]


# --- intervals


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_the_interval_is_scipy_s_own(confidence):
    draw = numpy.random.default_rng(0).normal(3, 2, size=5)
    expected = stats.t.interval(confidence, df=4, loc=draw.mean(), scale=stats.sem(draw))

    mean, low, high = interval(draw, confidence)

    assert mean == pytest.approx(draw.mean())
    assert (low, high) == pytest.approx(expected)


def test_the_interval_of_equal_values_is_a_point():
    assert interval(torch.tensor([0.5, 0.5, 0.5])) == (0.5, 0.5, 0.5)


def test_an_interval_holds_the_true_mean_as_often_as_it_says():
    draws = numpy.random.default_rng(0).normal(size=(2000, 5))

    hits = sum(low <= 0 <= high for _, low, high in map(interval, draws))

    # 2000 draws of a chance of 0.95 have a standard deviation of 0.005; four of them
    assert hits / 2000 == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("values", [[], [0.5]])
def test_an_interval_needs_two_values(values):
    with pytest.raises(ValueError, match=f"got {len(values)} values; wanted at least 2"):
        interval(values)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_interval_needs_finite_values(bad):
    with pytest.raises(ValueError, match="NaN or infinity among the values"):
        interval([0.5, bad])


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5, math.nan])
def test_a_confidence_is_a_fraction(confidence):
    with pytest.raises(ValueError, match=f"confidence is {confidence}; wanted a fraction"):
        interval([0.5, 0.6], confidence)
