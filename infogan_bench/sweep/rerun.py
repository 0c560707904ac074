"""The rerun of a trial in this process, without Ray, and the comparison of its numbers with the record."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from infogan_bench.config import RunConfig
from infogan_bench.config.models import DatasetConfig
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.records import (
    Status,
    SweepPaths,
    TrialRecord,
    TrialUpdate,
    read_environment,
    read_trial,
)
from infogan_bench.sweep.record.environment import describe_environment
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.training.device import pick_device
from infogan_bench.trial import Trial, TrialSpec

_WHAT_BITS_DEPEND_ON = ("infogan_bench", "commit", "python", "torch", "numpy", "scikit-learn", "system")


@dataclass(frozen=True)
class RerunValue:
    """A value of one report: the recorded one, and that of the rerun, which is None if the rerun has none."""

    step: int
    seed: int
    name: str
    recorded: float
    now: float | None

    @property
    def same(self) -> bool:
        """Say whether both are the same bit for bit."""
        if self.now is None:
            return False
        return self.recorded == self.now or (math.isnan(self.recorded) and math.isnan(self.now))


_ON_A_GPU = "on a GPU the last bits differ from run to run"


@dataclass(frozen=True)
class RerunComparison:
    """All values of all reports, in the order in which they were recorded.

    `error` is the reason if the rerun ended before its last report. `elsewhere` lists what differs here from the sweep
    and can change bits, and says so where the device itself does not repeat them.
    """

    trial_id: str
    scores: tuple[RerunValue, ...]
    error: str | None
    elsewhere: tuple[str, ...]

    @property
    def last(self) -> tuple[RerunValue, ...]:
        """The values of the last report of each seed."""
        steps = {score.seed: score.step for score in self.scores}
        return tuple(score for score in self.scores if score.step == steps[score.seed])

    @property
    def first_difference(self) -> RerunValue | None:
        """The first value that differs."""
        return next((score for score in self.scores if not score.same), None)


def rerun(
    path: Path,
    trial_id: str,
    *,
    seed: int | None = None,
    output: Path | None = None,
    device: str | None = None,
    on_report: Callable[[TrialUpdate], None] = lambda update: None,
) -> RerunComparison:
    """Train a trial anew, up to the step of its last checkpoint, and compare every report with its record.

    Args:
        path: the sweep folder.
        trial_id: its id, leading zeros or not.
        seed: one of its seeds; None for all.
        output: a folder that is not there yet, for checkpoint, pictures and scores.
        device: where to train; None is the kind of device that the trial ran on.
        on_report: called after every report.

    Raises:
        InputError: if there is no such trial or seed, no checkpoint was kept of it, or it took over from others.
    """
    folder = SweepFolder.open(path)
    record = _record(folder, trial_id)
    if output is not None and output.exists():
        raise InputError(f"--output: {output}: it exists already; name another")
    spec = _spec(folder, record, seed)
    history = [result for result in record.history if result.seed in spec.seeds]
    place = pick_device(device or record.device or "cpu")
    with _threads(record.threads):
        again = Trial(spec, place)
        now = {}
        end = max(result.step for result in history)
        while again.update.status is Status.RUNNING and again.update.step < end:
            update = again.advance()
            on_report(update)
            now.update({(result.seed, result.step): result.metrics for result in update.seeds})
        if output is not None and not again.update.status.bad:
            again.save(output)
    scores = [
        RerunValue(was.step, was.seed, name, value, now.get((was.seed, was.step), {}).get(name))
        for was in history
        for name, value in was.metrics.items()
    ]
    reasons = [*_elsewhere(folder), *([_ON_A_GPU] if place.startswith("cuda") else [])]
    if record.packed:
        reasons.append("it trained in one stack with other trials, on whose number the last bits depend")
    return RerunComparison(spec.trial_id, tuple(scores), again.update.error, tuple(reasons))


def comparison_text(compared: RerunComparison) -> str:
    """The last report of each seed, a score a line, and whether all reports are the same."""
    rows = [("seed", "step", "score", "recorded", "now", "")]
    for score in compared.last:
        now = "-" if score.now is None else repr(score.now)
        same = "same" if score.same else "differs"
        rows.append((str(score.seed), str(score.step), score.name, repr(score.recorded), now, same))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ((cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    lines = ["  ".join(row).rstrip() for row in cells]
    if compared.first_difference is None:
        reports = len({(score.seed, score.step) for score in compared.scores})
        lines.append(f"trial {compared.trial_id}: the same bit for bit, in all {reports} report(s)")
    return "\n".join(lines)


def difference_text(difference: RerunValue, compared: RerunComparison) -> str:
    """A sentence on the first difference of a rerun from the record, and its possible reason."""
    now = compared.error or "nothing" if difference.now is None else repr(difference.now)
    why = (
        "; ".join(compared.elsewhere) or "versions and system are the same; the processor may be another one"
    )
    return (
        f"trial {compared.trial_id} differs, first at step {difference.step}, seed {difference.seed}: "
        f"{difference.name} was {difference.recorded!r}, now {now} ({why})"
    )


def _record(folder: SweepFolder, trial_id: str) -> TrialRecord:
    """Read the record of a trial in its last checkpoint."""
    known = folder.updates
    name = trial_id if trial_id in known else trial_id.zfill(4)
    if name not in known:
        ids = list(known)
        there = f"there are {ids[0]} to {ids[-1]}" if ids else "none has started"
        raise InputError(f"{folder.path}: no trial {trial_id!r}; {there}")
    if not SweepPaths(folder.path).trial(name).record.is_file():
        why = (
            "it has not ended; `infogan-bench resume` ends it"
            if not known[name].status.ended
            else known[name].error
        )
        raise InputError(f"{folder.path}: nothing is kept of trial {name} to compare with: {why}")
    record = read_trial(folder.trial_folder(name))
    if record.mutations:
        raise InputError(
            f"{folder.path}: trial {name} took over the networks of other trials (population based training), so it "
            "cannot be trained on its own"
        )
    return record


def _spec(folder: SweepFolder, record: TrialRecord, seed: int | None) -> TrialSpec:
    sweep = folder.as_run or folder.sweep
    load_extensions(sweep.extensions)
    seeds = record.seeds
    if seed is not None and seed not in seeds:
        raise InputError(
            f"--seed: trial {record.trial_id} has the seeds {', '.join(map(str, seeds))}, not {seed}"
        )
    reported = record.history[0].metrics if record.history else ()
    return TrialSpec(
        trial_id=record.trial_id,
        params=record.params,
        run=RunConfig.model_validate(record.run),
        dataset=DatasetConfig.model_validate({**record.dataset, "data_dir": folder.sweep.dataset.data_dir}),
        evaluation=sweep.evaluation,
        seeds=seeds if seed is None else (seed,),
        seeds_together=sweep.seeds_together,
        moving=tuple(name.removeprefix("param/") for name in reported if name.startswith("param/")),
    )


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """A context with the trial's number of threads, on which the order of sums depends."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _elsewhere(folder: SweepFolder) -> Iterator[str]:
    recorded = read_environment(SweepPaths(folder.path).sweep).to_mapping()
    here = describe_environment().to_mapping()
    for key in _WHAT_BITS_DEPEND_ON:
        if key in recorded and recorded[key] != here[key]:
            yield f"{key} was {recorded[key]}, here it is {here[key]}"
