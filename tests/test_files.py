"""Promise of labs.files: whoever reads a file finds the old one or the new one, never a part."""

import errno
import os

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


def write(target, size):
    with replacing(target) as temporary:
        temporary.write_bytes(b"x" * size)


def test_a_full_disk_keeps_the_old_file_and_the_error_names_it_and_what_to_do(tmp_path, full_disk):
    target = tmp_path / "a.txt"
    target.write_text("old")

    with full_disk(100), pytest.raises(OSError, match="as it was before.*ulimit.*a.txt") as caught:
        write(target, 101)

    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def refuse(path, *_):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def test_a_folder_that_can_only_be_read_is_told_of_under_the_name_that_was_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", refuse)

    with pytest.raises(OSError, match="choose another folder.*a.txt") as caught:
        write(tmp_path / "a.txt", 1)

    assert caught.value.filename == str(tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


def test_trouble_with_another_file_is_told_as_it_is(tmp_path):
    with pytest.raises(OSError, match="Read-only") as caught, replacing(tmp_path / "a.txt"):
        refuse("other.txt")

    assert caught.value.filename == "other.txt"


def test_the_content_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(os, "fsync", lambda handle: done.append("content"))
    monkeypatch.setattr(os, "replace", lambda *paths: done.append("name"))

    write(tmp_path / "a.txt", 1)

    assert done == ["content", "name"]
