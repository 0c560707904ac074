"""How long a sweep took, as its folder knows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infogan_bench.records.results import Status
from infogan_bench.sweep.record import sessions
from infogan_bench.sweep.record.sessions import SessionRecorder


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sessions, "time", clock)
    return clock


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "sessions.jsonl").read_text().splitlines()]


def test_a_session_from_its_beginning_to_its_end(tmp_path: Path, clock: Clock) -> None:
    record = SessionRecorder(tmp_path)
    clock.now += 5  # Ray starts
    record.request = {"CPU": 2.0}
    record.started(3)
    clock.now += 1.25
    record.ended(Status.FINISHED)
    assert [(line["seconds"], line["status"]) for line in lines(tmp_path)] == [(5.0, None), (6.2, "finished")]
    assert {line["began"] for line in lines(tmp_path)} == {lines(tmp_path)[0]["began"]}
    assert lines(tmp_path)[-1]["request"] == {"CPU": 2.0}


def test_a_session_that_is_killed_is_known_to_one_part_in_a_hundred_by_few_lines(
    tmp_path: Path, clock: Clock
) -> None:
    record = SessionRecorder(tmp_path)
    record.started(None)
    for _ in range(4 * 24 * 3600):  # a day, at four ticks a second
        clock.now += 0.25
        record.tick()
        if clock.now in (1001.5, 1060.0, 4600.0):
            known, lasted = lines(tmp_path)[-1]["seconds"], clock.now - 1000
            assert lasted - known <= max(2.25, 0.01 * lasted + 0.25)
    assert 86400 - lines(tmp_path)[-1]["seconds"] <= 865
    assert len(lines(tmp_path)) < 1000


def test_what_an_earlier_session_wrote_stays(tmp_path: Path) -> None:
    for status in (Status.INTERRUPTED, Status.FINISHED):
        record = SessionRecorder(tmp_path)
        record.started(None)
        record.ended(status)
    assert [line["status"] for line in lines(tmp_path)] == [None, "interrupted", None, "finished"]


def test_a_folder_that_cannot_be_written_is_no_matter_here(tmp_path: Path) -> None:
    record = SessionRecorder(tmp_path / "gone")
    record.started(None)
    record.ended(Status.INTERRUPTED)
    assert list(tmp_path.iterdir()) == []
