"""What a sweep took: the wall time of its sessions, and the cores and GPUs that its trials occupied."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infogan_reports.folder import ReportError, SweepData
from infogan_reports.ranking import RankedTrial

SESSIONS = "sessions.jsonl"
_FIELDS = {"began", "seconds", "status", "request"}


@dataclass(frozen=True)
class Session:
    """One stretch of a sweep, the first or one of its resumes.

    `began` is UTC in ISO 8601; `status` is None where no end is on record, since it was killed or still runs.
    `request` is what a trial asked for, {resource: amount}; empty where no trial was left to run.
    """

    began: str
    seconds: float
    status: str | None
    request: Mapping[str, float]


@dataclass(frozen=True)
class Cost:
    """`cpus` and `gpus` are what each trial occupied, None where that is not on record or changed from session to
    session; `trial_seconds` is training and evaluation, summed over all trials.
    """

    sessions: tuple[Session, ...]
    trial_seconds: float
    cpus: float | None
    gpus: float | None

    @property
    def wall_seconds(self) -> float | None:
        """Of all sessions, None where none is on record."""
        return sum(session.seconds for session in self.sessions) if self.sessions else None

    @property
    def core_hours(self) -> float | None:
        """CPU cores that trials occupied, times the hours."""
        return None if self.cpus is None else self.cpus * self.trial_seconds / 3600

    @property
    def gpu_hours(self) -> float | None:
        """GPUs that trials occupied, times the hours."""
        return None if self.gpus is None else self.gpus * self.trial_seconds / 3600


def cost(data: SweepData, trials: Sequence[RankedTrial]) -> Cost:
    """The cost of a sweep so far.

    Raises:
        ReportError: if sessions.jsonl is not what it should be.
    """
    sessions = _read_sessions(data.folder / SESSIONS)
    return Cost(
        sessions=sessions,
        trial_seconds=sum(trial.seconds for trial in trials),
        cpus=_each_occupied(data, sessions, "CPU", "cpus"),
        gpus=_each_occupied(data, sessions, "GPU", "gpus"),
    )


def _each_occupied(data: SweepData, sessions: Sequence[Session], resource: str, key: str) -> float | None:
    """What Ray was asked for; in a folder that does not say so, what the sweep file names, unless it is `auto`."""
    asked = {session.request.get(resource, 0.0) for session in sessions if session.request}
    if asked:
        return asked.pop() if len(asked) == 1 else None
    named = (data.config.get("resources") or {}).get(key)
    return float(named) if isinstance(named, int | float) else None


def _read_sessions(path: Path) -> tuple[Session, ...]:
    """In their order; the last line of each counts, and a line that was cut short does not."""
    found: dict[str, Session] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
            raise ReportError(f"{path}: a line must hold {', '.join(sorted(_FIELDS))}, but is {line!r:.60}.")
        status = entry["status"]
        found[str(entry["began"])] = Session(
            began=str(entry["began"]),
            seconds=float(entry["seconds"]),
            status=None if status is None else str(status),
            request=entry["request"],
        )
    return tuple(found.values())
