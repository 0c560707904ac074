"""The cost of a sweep: the wall time of its sessions, and the cores and GPUs that its trials occupied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infogan_bench.records import SessionRecord, SweepPaths, read_sessions
from infogan_reports.folder import SweepData
from infogan_reports.ranking import RankedTrial


@dataclass(frozen=True)
class Cost:
    """The cost of a sweep.

    `cpus` and `gpus` are the amounts that each trial occupied, None where they are not on record or changed between
    sessions; `trial_seconds` is training and evaluation, summed over all trials.
    """

    sessions: tuple[SessionRecord, ...]
    trial_seconds: float
    cpus: float | None
    gpus: float | None

    @property
    def wall_seconds(self) -> float | None:
        """The wall time of all sessions in seconds; None if no session is on record."""
        return sum(session.seconds for session in self.sessions) if self.sessions else None

    @property
    def core_hours(self) -> float | None:
        """The CPU core hours: the cores that trials occupied, times the hours."""
        return None if self.cpus is None else self.cpus * self.trial_seconds / 3600

    @property
    def gpu_hours(self) -> float | None:
        """The GPU hours: the GPUs that trials occupied, times the hours."""
        return None if self.gpus is None else self.gpus * self.trial_seconds / 3600


def cost(data: SweepData, trials: Sequence[RankedTrial]) -> Cost:
    """Compute the cost of a sweep so far; without its sessions if their file is damaged."""
    sessions = data.read_or_leave_out(lambda: read_sessions(SweepPaths(data.folder).sessions), ())
    return Cost(
        sessions=sessions,
        trial_seconds=sum(trial.seconds for trial in trials),
        cpus=_each_occupied(data, sessions, "CPU", "cpus"),
        gpus=_each_occupied(data, sessions, "GPU", "gpus"),
    )


def _each_occupied(
    data: SweepData, sessions: Sequence[SessionRecord], resource: str, key: str
) -> float | None:
    """Return the amount that trials asked Ray for; else the one that the sweep file names, unless it is `auto`."""
    asked = {session.request.get(resource, 0.0) for session in sessions if session.request}
    if asked:
        return asked.pop() if len(asked) == 1 else None
    named = (data.config.get("resources") or {}).get(key)
    return float(named) if isinstance(named, int | float) else None
