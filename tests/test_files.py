"""Promise of labs.files: whoever reads a file finds the old one or the new one, never a part."""

import pytest

from labs.files import replacing


def fail_half_way(target):
    with replacing(target) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("half way")


def test_what_was_written_takes_the_place_of_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    with replacing(target) as temporary:
        temporary.write_text("new")
        before = target.read_text()

    assert before == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_half_way_keeps_the_old_file_and_leaves_no_litter(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way(target)

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere.*make it first"):
        fail_half_way(tmp_path / "nowhere" / "a.txt")
