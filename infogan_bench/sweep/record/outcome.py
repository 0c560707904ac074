"""The end of a sweep: the counts, the status, the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infogan_bench.records import Status, TrialUpdate, trial_order


@dataclass(frozen=True)
class SweepOutcome:
    """The state of a sweep when no trial runs any more.

    `trials` are those that ever started; `signal` is the number of the signal that stopped the sweep, if one did;
    `fault` says why it could not go on (a full disk), and what to do.
    """

    folder: Path
    planned: int
    trials: tuple[TrialUpdate, ...]
    signal: int | None = None
    fault: str | None = None
    tracking_uri: str | None = None
    warnings: tuple[str, ...] = ()

    def count(self, *statuses: Status) -> int:
        """The number of trials that have one of these statuses."""
        return sum(trial.status in statuses for trial in self.trials)

    @property
    def failed(self) -> int:
        """Trials without a score: they diverged or failed."""
        return sum(trial.status.bad for trial in self.trials)

    @property
    def complete(self) -> bool:
        """Say whether every planned trial has ended."""
        return len(self.trials) == self.planned and all(trial.status.ended for trial in self.trials)

    @property
    def first_error(self) -> str | None:
        """The first trial that failed, and why."""
        failed = [trial for trial in self.trials if trial.status.bad]
        first = min(failed, key=lambda trial: trial_order(trial.trial_id), default=None)
        return None if first is None else f"trial {first.trial_id}: {first.error}"

    @property
    def status(self) -> Status:
        """FINISHED, INTERRUPTED by a signal or a full disk, or FAILED where every trial failed or reported nothing."""
        if self.signal is not None or self.fault is not None:
            return Status.INTERRUPTED
        nothing = all(trial.status.bad or not trial.step for trial in self.trials)
        return Status.FAILED if nothing else Status.FINISHED

    def exit_code(self, *, allow_failures: bool = False) -> int:
        """0 done, 1 no trial came to a report or a full disk, 3 some failed (0 with `allow_failures`), 128 + n stopped
        by signal n."""
        if self.fault is not None:
            return 1
        if self.signal is not None:
            return 128 + self.signal
        if self.status is Status.FAILED:
            return 1
        return 3 if self.failed and not allow_failures else 0
