"""The exit code of a sweep, from how its trials ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep import SweepOutcome


def ended(number: int, status: Status, step: int) -> TrialUpdate:
    seeds = (SeedResult(0, status, step, {}),)
    return TrialUpdate(f"{number:04d}", {}, status, step, seeds)


@pytest.mark.parametrize(
    ("trials", "code", "allowing_failures"),
    [
        ([(Status.FINISHED, 40), (Status.STOPPED, 20)], 0, 0),
        ([(Status.FINISHED, 40), (Status.FAILED, 20)], 3, 0),
        ([(Status.DIVERGED, 20), (Status.FAILED, 0)], 1, 1),
        ([], 1, 1),  # the time limit came before any trial began
        ([(Status.STOPPED, 0)], 1, 1),  # or before one reported
        ([(Status.STOPPED, 0), (Status.STOPPED, 20)], 0, 0),
    ],
)
def test_the_exit_code_says_whether_anything_was_found(
    trials: list[tuple[Status, int]], code: int, allowing_failures: int
) -> None:
    updates = tuple(ended(number, status, step) for number, (status, step) in enumerate(trials))
    outcome = SweepOutcome(Path("runs/tiny"), planned=10, trials=updates)
    assert (outcome.exit_code(), outcome.exit_code(allow_failures=True)) == (code, allowing_failures)
