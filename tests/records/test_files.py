"""Files in and out: whole, with a version, and one sentence for what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from infogan_bench.records import (
    VERSION,
    RecordError,
    read_record,
    read_text,
    replacing,
    write_record,
    write_whole,
)


@dataclass(frozen=True)
class Small:
    step: int


def test_a_record_is_written_with_the_version_and_read_back(tmp_path: Path) -> None:
    write_record(tmp_path / "small.json", Small(3))
    assert json.loads((tmp_path / "small.json").read_text()) == {"version": VERSION, "step": 3}
    assert read_record(tmp_path / "small.json", Small) == Small(3)
    assert [path.name for path in tmp_path.iterdir()] == ["small.json"]


def test_a_file_without_a_version_reads_and_a_newer_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text('{"step": 3}')
    assert read_record(path, Small) == Small(3)
    path.write_text('{"version": 99, "step": 3}')
    with pytest.raises(RecordError, match=rf"^{path}: was written by a newer infogan-bench \(version 99 "):
        read_record(path, Small)
    path.write_text('{"version": "a", "step": 3}')
    with pytest.raises(RecordError, match="`version` must be a whole number from 1 on, but is 'a'"):
        read_record(path, Small)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", r"is not UTF-8 text \(byte 0\)"),
        (b'{"step": ', "is not JSON, or cut short"),
        (b"[" * 100_000, "is not JSON, or cut short"),
        (b"", "is not JSON, or cut short"),
        (b"[]", r"must hold an object, but holds \[\]"),
    ],
)
def test_a_damaged_file(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "small.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=rf"^{path}: {message}"):
        read_record(path, Small)


def test_a_file_that_is_missing_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        read_text(tmp_path / "none")
    with pytest.raises(RecordError, match="cannot be read: Is a directory"):
        read_text(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_whole(path, "old")

    def write_a_part() -> None:
        with replacing(path) as partial:
            partial.write_text("ne")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_a_part()
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]
