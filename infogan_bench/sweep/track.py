"""MLflow for a sweep folder: the tracker of a running sweep, and the sending of one that has run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infogan_bench.config import SweepConfig, get_value, plan, run_keys
from infogan_bench.errors import InputError
from infogan_bench.records import Status, SweepPaths, TrialUpdate
from infogan_bench.sweep.logs import logging_to
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.tracking import MlflowTracker, TrackedSweep

_FLUSH_SECONDS = 60.0


@dataclass(frozen=True)
class Delivery:
    """The result of `track`: the store, the number of trials, and what is still missing there."""

    uri: str
    trials: int
    warning: str | None


def track(path: Path, uri: str | None = None) -> Delivery:
    """Send MLflow the missing parts of a sweep that does not run now. The store is asked first, so nothing is there
    twice.

    Args:
        path: the sweep folder.
        uri: a store instead of the one that the sweep names; a store that never saw the sweep gets all of it.

    Raises:
        InputError: if `path` is no sweep folder, or the store cannot be used or does not answer.
    """
    folder = SweepFolder.open(path)
    sweep = folder.sweep
    if uri is not None:
        sweep = sweep.model_copy(update={"tracking": sweep.tracking.model_copy(update={"uri": uri})})
    elif not sweep.tracking.enabled:
        raise InputError(f"{path}: this sweep has `tracking: none`; name a store with --uri")
    if SweepPaths(path).journal.is_file():  # the sweep was killed, and its tables lack the newest updates
        _flush(folder)
    tracker = tracker_of(sweep, folder, flush_seconds=None)
    log = SweepPaths(path).log
    writable = os.access(log if log.exists() else path, os.W_OK)
    with logging_to(log if writable else Path(os.devnull)):  # without a log where the folder is read-only
        silent = tracker.preflight()
        if silent is not None:
            raise InputError(silent)
        updates = tuple(folder.updates.values())
        total = plan(sweep).total
        tracker.deliver(updates, total, _status(sweep, total, updates))
    return Delivery(tracker.uri, len(updates), tracker.warning)


def _flush(folder: SweepFolder) -> None:
    """Rewrite the tables.

    Raises:
        InputError: if the folder is read-only.
    """
    try:
        folder.flush()
    except OSError as error:
        raise InputError(
            f"{folder.path}: its tables lack what its journal has, and it cannot be written "
            f"({error.strerror or error}): copy the folder, and track the copy"
        ) from None


def tracker_of(
    sweep: SweepConfig, folder: SweepFolder, flush_seconds: float | None = _FLUSH_SECONDS
) -> MlflowTracker:
    """The listener that tells MLflow of a sweep."""
    return MlflowTracker(
        sweep.tracking,
        TrackedSweep(
            name=sweep.name,
            sweep_id=folder.sweep_id,
            folder=folder.path,
            run_params={key: get_value(sweep.base, key) for key in run_keys()},
            swept=list(sweep.space),
            metric=sweep.goal.metric,
            mode=sweep.goal.mode,
        ),
        replay=folder.replay,
        flush_seconds=flush_seconds,
    )


def _status(sweep: SweepConfig, total: int, trials: Sequence[TrialUpdate]) -> Status:
    """The status of a sweep at its end, as its trials tell it."""
    cut_short = len(trials) < total and sweep.search.time_limit is None
    if cut_short or not all(trial.status.ended for trial in trials):
        return Status.INTERRUPTED
    return Status.FAILED if all(trial.status.bad for trial in trials) else Status.FINISHED
