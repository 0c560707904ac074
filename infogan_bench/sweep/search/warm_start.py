"""The trials that a search learns from in an earlier sweep before its first trial (`search.warm_start`, `--from`)."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

from infogan_bench.config import RunConfig, SweepConfig, apply, get_value, run_keys
from infogan_bench.errors import InputError
from infogan_bench.records import (
    EarlierTrial,
    RecordError,
    Status,
    SweepPaths,
    TrialUpdate,
    WarmStartRecord,
    read_warm_start_record,
    write_warm_start_record,
)
from infogan_bench.sweep.record.folder import SweepFolder

_SHOWN = 3  # differences of the base runs


def read_warm_start(sweep: SweepConfig) -> WarmStartRecord | None:
    """Read the trials that a search learns from in the folder that `search.warm_start` names; None where it names none.

    A trial counts if it finished, has a value of each goal, and could be a trial of the new sweep: its values of the
    keys that are swept now lie in their domains, and keys that only the earlier sweep swept have the value of the base
    run.

    Raises:
        InputError: if that is no sweep folder, or none of its trials counts.
    """
    if sweep.search.warm_start is None:
        return None
    path = Path(sweep.search.warm_start)
    try:
        folder = SweepFolder.open(path)
        earlier = folder.sweep
    except InputError as error:
        raise InputError(f"search.warm_start: {error}") from None
    usable, left_out = [], Counter[str]()
    for update in folder.updates.values():
        found = _earlier_trial(sweep, earlier, update, f"{path} trial {update.trial_id}")
        if isinstance(found, str):
            left_out[found] += 1
        else:
            usable.append(found)
    total = len(folder.updates)
    reasons = ", ".join(f"{number} {reason}" for reason, number in left_out.items())
    if not usable:
        raise InputError(
            f"search.warm_start: {path} has nothing to learn from: of its {total} trials, {reasons or 'none started'}"
        )
    parts = [f"the search learns from {len(usable)} of the {total} trials of {path}"]
    parts += [f"left out: {reasons}"] if reasons else []
    parts += _differences(sweep, earlier)
    return WarmStartRecord(tuple(usable), "; ".join(parts))


def keep_warm_start(folder: Path, found: WarmStartRecord | None) -> None:
    """Write the earlier trials into the new sweep's folder, so that it no longer needs the earlier sweep's."""
    if found is not None:
        write_warm_start_record(SweepPaths(folder).warm_start, found)


def kept_earlier_trials(folder: Path, sweep: SweepConfig) -> tuple[EarlierTrial, ...]:
    """Read the earlier trials from a sweep's own folder.

    Raises:
        InputError: if the sweep has some and they cannot be read.
    """
    if sweep.search.warm_start is None:
        return ()
    try:
        return read_warm_start_record(SweepPaths(folder).warm_start).trials
    except RecordError as error:
        raise InputError(
            f"what the search learned from {sweep.search.warm_start} cannot be read ({error})"
        ) from None


def _earlier_trial(
    sweep: SweepConfig, earlier: SweepConfig, update: TrialUpdate, source: str
) -> EarlierTrial | str:
    """Return the trial that a search learns from, or the reason why it cannot."""
    if update.status is not Status.FINISHED:
        return "not finished"
    if update.mutations:
        return "changed while they ran"
    run = apply(earlier.base, update.params)
    params = {key: _plain(get_value(run, key)) for key in sweep.space}
    inside = all(domain.holds(params[key]) for key, domain in sweep.space.items())
    fixed = (key for key in earlier.space if key not in sweep.space)
    if not inside or any(get_value(run, key) != get_value(sweep.base, key) for key in fixed):
        return "outside the space"
    values = {goal.metric: update.mean(goal.metric) for goal in sweep.goal.goals}
    for metric, value in values.items():
        if value is None or not math.isfinite(value):
            return f"without {metric}"
    return EarlierTrial(source, params, tuple(value for value in values.values() if value is not None))


def _differences(sweep: SweepConfig, earlier: SweepConfig) -> list[str]:
    """The other differences of the two sweeps, a text each."""
    found = []
    if sweep.dataset.name != earlier.dataset.name:
        found.append(f"dataset ({earlier.dataset.name}, here {sweep.dataset.name})")
    for key in run_keys():
        then, now = _value(earlier.base, key), _value(sweep.base, key)
        if then != now and key not in sweep.space and key not in earlier.space:
            found.append(f"{key} ({then}, here {now})")
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return [f"that sweep differs in {', '.join(found[:_SHOWN])}{more}"] if found else []


def _value(run: RunConfig, key: str) -> Any:
    return _plain(get_value(run, key))


def _plain(value: Any) -> Any:
    """As a file has it: a list, not a tuple."""
    return list(value) if isinstance(value, tuple) else value
