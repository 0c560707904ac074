"""A sweep without Ray: what its folder holds in the end depends neither on processes nor on their order."""

from __future__ import annotations

from pathlib import Path

from infogan_bench.config import SweepConfig, apply, plan
from infogan_bench.records.results import Status
from infogan_bench.trial import Trial, TrialSpec


def train(sweep: SweepConfig) -> Path:
    """Train the trials of a planned sweep one after the other, and return the sweep's folder, without a report."""
    from infogan_bench.sweep.record.folder import (
        SweepFolder,  # imports Ray, which the tests of training do without
    )

    folder = SweepFolder.create(sweep, {"sweep_id": f"{sweep.name}-1"})
    for number, params in enumerate(plan(sweep).assignments):
        run = apply(sweep.base, params)
        trial = Trial(TrialSpec(f"{number:04}", params, run, sweep.dataset, sweep.evaluation, sweep.seeds))
        while trial.update.status is Status.RUNNING:
            folder.updated(trial.advance())
        if not trial.update.status.bad:
            trial.save(folder.trial_folder(f"{number:04}"))
    folder.ended(Status.FINISHED)
    return folder.path
