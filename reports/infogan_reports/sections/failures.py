"""Seeds that diverged or failed, and why."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infogan_bench.records import SweepPaths
from infogan_reports.failure_log import failure_logs
from infogan_reports.folder import SweepData
from infogan_reports.ranked import RankedSweep
from infogan_reports.ranking import UNRANKED
from infogan_reports.section import Section

_HERE = Path(__file__).parent
LONGEST_REASON = 1000  # characters of a failure's reason; the log has all of it


@dataclass(frozen=True)
class Failure:
    """Seeds of a trial that diverged or failed at one step for one reason."""

    trial_id: str
    seeds: tuple[int, ...]
    status: str
    step: int
    params: Mapping[str, object]
    reason: str


@dataclass(frozen=True)
class Failures:
    """All failures, and for failed trials the end of their entry in the sweep's log."""

    failures: tuple[Failure, ...]
    log: Path | None  # None where the folder has no log
    log_ends: Mapping[str, str]  # trial -> lines


def failures(sweep: RankedSweep) -> Failures | None:
    """Collect the failures; None where there are none, so that the page has no such section."""
    found = _failures(sweep.data)
    if not found:
        return None
    log = SweepPaths(sweep.data.folder).log
    failed = {failure.trial_id for failure in found if failure.status == "failed"}
    nothing: Mapping[str, str] = {}
    ends = sweep.data.read_or_leave_out(lambda: failure_logs(log, failed), nothing)
    return Failures(found, log if log.is_file() else None, ends)


def _failures(data: SweepData) -> tuple[Failure, ...]:
    """Collect the failures; seeds of a trial with the same end are one entry."""
    bad = data.trials[data.trials["status"].isin(list(UNRANKED))]
    alike: dict[tuple[str, str, int, str], list[Mapping[Hashable, object]]] = {}
    for row in bad.to_dict("records"):
        reason = _cut(row["error"] or "no reason was recorded")
        alike.setdefault((row["trial"], row["status"], int(row["step"]), reason), []).append(row)
    return tuple(
        Failure(trial, tuple(int(str(row["seed"])) for row in rows), status, step, _params(rows[0]), reason)
        for (trial, status, step, reason), rows in alike.items()
    )


def _params(row: Mapping[Hashable, object]) -> Mapping[str, object]:
    params = row["params"]
    assert isinstance(params, Mapping)  # noqa: S101
    return params


def _cut(reason: str) -> str:
    """Return a long reason without its middle, since the last lines of a traceback name the error."""
    if len(reason) <= LONGEST_REASON:
        return reason
    half = LONGEST_REASON // 2
    return f"{reason[:half]}\n[{len(reason) - 2 * half} characters left out]\n{reason[-half:]}"


SECTION = Section(
    id="failures",
    title="Failures",
    template=_HERE / "failures.html.j2",
    compute=failures,
)
