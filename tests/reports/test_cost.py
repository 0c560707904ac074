"""What a sweep took, from its sessions.jsonl, its trials and its sweep file."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from infogan_reports import build_comparison, build_report, load, ranking
from infogan_reports.cost import Cost, cost
from infogan_reports.text import amount_hours

FIRST, SECOND = "2026-11-25T14:53:39.123+00:00", "2026-11-26T08:00:00.000+00:00"


def line(began: str, seconds: float, status: str | None = None, **request: float) -> str:
    return json.dumps({"began": began, "seconds": seconds, "status": status, "request": request}) + "\n"


def cost_of(folder: Path, sessions: str | None = None) -> Cost:
    if sessions is not None:
        (folder / "sessions.jsonl").write_text(sessions)
    data = load(folder)
    return cost(data, ranking(data))


def text_of(page: Path) -> str:
    words = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", page.read_text(encoding="utf-8"), flags=re.S)
    return " ".join(words.split())


def test_hours_are_what_a_trial_occupies_times_the_seconds_of_all(mixed: Path) -> None:
    """Six trials of two seeds, 10 s each: 120 s. Two cores: 240 s = 1/15 h. A quarter of a GPU: 30 s = 1/120 h."""
    found = cost_of(
        mixed,
        line(FIRST, 0.0, CPU=2.0, GPU=0.25)
        + line(FIRST, 61.5, CPU=2.0, GPU=0.25)  # then it was killed
        + line(SECOND, 0.0, CPU=2.0, GPU=0.25)
        + line(SECOND, 30.0, "finished", CPU=2.0, GPU=0.25),
    )
    assert [(each.began, each.seconds, each.status) for each in found.sessions] == [
        (FIRST, 61.5, None),
        (SECOND, 30.0, "finished"),
    ]
    assert found.wall_seconds == 91.5
    assert found.core_hours == pytest.approx(1 / 15)
    assert found.gpu_hours == pytest.approx(1 / 120)


def test_a_session_that_had_nothing_left_to_run_asked_for_nothing(mixed: Path) -> None:
    found = cost_of(mixed, line(FIRST, 9.0, "finished", CPU=1.0) + line(SECOND, 1.0, "finished"))
    assert (found.cpus, found.gpus) == (1.0, 0.0)


def test_sessions_that_asked_for_different_resources_leave_the_hours_open(mixed: Path) -> None:
    found = cost_of(mixed, line(FIRST, 9.0, "interrupted", CPU=1.0) + line(SECOND, 9.0, "finished", CPU=4.0))
    assert (found.core_hours, found.gpu_hours) == (None, 0.0)


@pytest.mark.parametrize(
    ("resources", "cpus", "gpus"),
    [({"cpus": 3, "gpus": 0}, 3.0, 0.0), ({"cpus": "auto", "gpus": 0.5}, None, 0.5), ({}, None, None)],
)
def test_an_older_folder_knows_what_its_sweep_file_names(
    sweep: Callable[..., Path],
    written_trial: type,
    resources: Mapping[str, Any],
    cpus: float | None,
    gpus: float | None,
) -> None:
    folder = sweep(written_trial("0000", {}, (0.5,)), config={"resources": dict(resources)})
    found = cost_of(folder)
    assert (found.wall_seconds, found.cpus, found.gpus) == (None, cpus, gpus)


def test_a_line_that_a_crash_cut_short_does_not_count(mixed: Path) -> None:
    whole = line(FIRST, 5.0, CPU=1.0)
    assert cost_of(mixed, whole + whole[:30]).wall_seconds == 5.0
    assert cost_of(mixed, whole + whole[:30] + "\n" + line(FIRST, 7.0, CPU=1.0)).wall_seconds == 7.0


def test_another_file_of_that_name_is_left_out_and_named(mixed: Path) -> None:
    (mixed / "sessions.jsonl").write_text('{"began": 1}\n')
    assert "sessions.jsonl:1: `began` must be text, but is 1" in text_of(build_report(mixed))
    assert cost_of(mixed).sessions == ()


def test_the_page_says_what_it_took(mixed: Path) -> None:
    assert "Wall time not recorded CPUs not known GPUs not known" in text_of(build_report(mixed))
    sessions = line(FIRST, 7300.0, CPU=2.0) + line(SECOND, 620.0, "finished", CPU=2.0)
    (mixed / "sessions.jsonl").write_text(sessions)
    text = text_of(build_report(mixed))
    assert "Wall time 2.2 h in 2 sessions" in text  # 7,920 s
    assert "CPUs 0.0667 core hours: 2 a trial, for 2.0 min of training and evaluation GPUs none" in text
    assert "2026-11-25 14:53:39 2.0 h killed 2026-11-26 08:00:00 10.3 min finished" in text


def test_a_comparison_holds_the_costs_side_by_side(mixed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in mixed.iterdir():
        (other / path.name).symlink_to(path)
    (mixed / "sessions.jsonl").write_text(line(FIRST, 50.0, "finished", CPU=2.0, GPU=1.0))
    text = text_of(build_comparison([mixed, other], tmp_path / "both.html"))
    assert "wall time 50 s in 1 session not recorded" in text
    assert "CPUs 0.0667 core hours not known GPUs 0.0333 GPU hours not known" in text


def test_hours_in_words() -> None:
    hours = (None, 0.0, 2e-4, 0.01234, 12.345, 1234.6)
    assert [amount_hours(each, "GPU") for each in hours] == [
        "not known",
        "0 GPU hours",
        "under 0.001 GPU hours",
        "0.0123 GPU hours",
        "12.3 GPU hours",
        "1,235 GPU hours",
    ]
