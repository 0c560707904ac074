"""No trial begins that would not reach its end before the time limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from ray.tune.search import Searcher

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import Status
from infogan_bench.sweep import start
from infogan_bench.sweep.engine.searcher import TrialSearcher
from infogan_bench.sweep.engine.time_left import Beginning, TimeLeft
from infogan_bench.sweep.planned_trial import PlannedTrial
from tests.sweep.three_trials import UNRULY, tiny


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def time_left(clock: Clock) -> TimeLeft:
    """1,000 s for trials of 100 steps in two slots. The slower trial needs 2 s a step: a whole one takes 220 s."""
    time_left = TimeLeft(1000, slots=2, steps=100, clock=clock)
    time_left.note_report("0000", seconds=10, steps=10)
    time_left.note_report("0001", seconds=10, steps=10)
    time_left.note_report("0001", seconds=30, steps=10)
    return time_left


def test_a_trial_takes_as_long_as_the_slowest_so_far_and_a_tenth(time_left: TimeLeft) -> None:
    assert time_left.needed == pytest.approx(220)
    time_left.note_report(
        "0000", seconds=500, steps=0
    )  # a member of a population that reports where it stands
    time_left.note_report("0000", seconds=500, steps=-10)  # and one that took over an earlier state
    assert time_left.needed == pytest.approx(220)
    assert TimeLeft(1000, slots=2, steps=100).needed == 0


@pytest.mark.parametrize(
    ("passed", "live", "beginning"),
    [
        (0, 2, Beginning.NOW),
        (559, 2, Beginning.NOW),  # a slot is free within 220 s, and the trial takes 220 s: 441 s are left
        (561, 2, Beginning.WITH_A_FREE_SLOT),
        (561, 1, Beginning.NOW),
        (779, 1, Beginning.NOW),
        (779, 2, Beginning.WITH_A_FREE_SLOT),
        (781, 1, Beginning.NEVER),
        (1001, 0, Beginning.NEVER),
    ],
)
def test_a_trial_begins_if_it_reaches_its_end(
    time_left: TimeLeft, clock: Clock, passed: float, live: int, beginning: Beginning
) -> None:
    clock.now += passed
    time_left.note_live(live)
    assert time_left.beginning() is beginning


def test_every_trial_begins_without_a_limit_and_before_the_first_report(clock: Clock) -> None:
    unlimited, new = TimeLeft(None, slots=1, steps=100), TimeLeft(10, slots=1, steps=100, clock=clock)
    unlimited.note_report("0000", seconds=1e9, steps=1)
    new.note_live(3)
    clock.now += 9
    assert unlimited.beginning() is new.beginning() is Beginning.NOW
    assert (unlimited.is_limited, unlimited.is_up, new.is_limited, new.is_up) == (False, False, True, False)
    clock.now += 1
    assert new.is_up


def test_the_searcher_waits_and_ends_but_lets_begun_trials_go_on(time_left: TimeLeft, clock: Clock) -> None:
    planned = [PlannedTrial("0000", {}, checkpoint="a"), PlannedTrial("0001", {}), PlannedTrial("0002", {})]
    searcher = TrialSearcher(planned, None, "max", time_left)
    clock.now += 900
    assert isinstance(searcher.suggest("a"), dict)  # it has begun
    clock.now -= 200
    time_left.note_live(2)
    assert searcher.suggest("b") is None
    time_left.note_live(1)
    assert isinstance(searcher.suggest("b"), dict)
    assert not searcher.out_of_time
    clock.now += 200
    assert searcher.suggest("c") == Searcher.FINISHED
    assert searcher.out_of_time


def test_a_sweep_with_too_little_time_ends_with_whole_trials(tmp_path: Path, two_cpus: None) -> None:
    """The first trial shows that a step takes 0.05 s or more, so that the third one would take over half an hour."""
    sweep = parse_sweep(
        tiny(
            tmp_path,
            base={"architecture": {"name": "takes-its-time", "width": 0.1}, "batch": 32},
            space={"steps": [40, 60, 40_000]},
            search={"time_limit": 1000},
            extensions=[UNRULY],
        )
    )
    outcome = start(sweep)
    assert [(trial.status, trial.step) for trial in outcome.trials] == [
        (Status.FINISHED, 40),
        (Status.FINISHED, 60),
    ]
    assert [warning for warning in outcome.warnings if "it would not have reached its end" in warning]
    assert not outcome.complete
