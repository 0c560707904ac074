"""The sweep folder: plain files with everything that a sweep found (layout: docs/architecture.md)."""

from __future__ import annotations

import itertools
import math
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa

from infogan_bench.config import SweepConfig, load_resolved, resolved_yaml
from infogan_bench.config.base import Base, base_record, recorded_base
from infogan_bench.config.quantities import run_quantities
from infogan_bench.errors import InputError
from infogan_bench.records import (
    RecordError,
    SeedResult,
    Status,
    SweepPaths,
    TrialUpdate,
    append_update,
    read_environment,
    read_journal,
    read_trial,
    read_updates,
    replacing,
    trial_order,
    trials_frame,
    write_quantities,
    write_whole,
)
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.sweep.record.history import History, HistoryPoint

AS_RUN = "as-run.yaml"
_SHARE_OF_TIME = 0.02  # at most this share of the time goes into rewriting the tables while trials run
_SECONDS = 2.0  # least time between two rewrites, unless a trial has ended


class SweepFolder:
    """Reads and writes `runs/NAME/`; as a `SweepListener` it records every update.

    Each update is appended to a journal at once. The tables are rewritten whole when a trial ends, and from time to
    time in between. That takes at most 2% of the time, so that the record does not slow a large sweep. After a crash
    the journal has the updates that the tables do not have.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.paths = SweepPaths(path)
        self._updates: dict[str, TrialUpdate] = {}
        self._history = History()
        self._written, self._cost = -math.inf, 0.0

    @classmethod
    def create(cls, sweep: SweepConfig, environment: Mapping[str, object]) -> SweepFolder:
        """Make `OUTPUT/NAME`, or `OUTPUT/NAME-2` and so on if that exists.

        Raises:
            InputError: if no folder can be made there.
        """
        output = Path(sweep.output)
        path = None
        try:
            output.mkdir(parents=True, exist_ok=True)
            path = _first_free(output, sweep.slug)
            folder = cls(path)
            folder.paths.trials.mkdir()
            environment = {**environment, **base_record(path)}
            base = recorded_base(environment, path)
            write_whole(folder.paths.sweep, resolved_yaml(sweep, environment, base))
            folder.note_as_run(sweep)
            folder.flush()
        except OSError as error:
            if path is not None:
                shutil.rmtree(path, ignore_errors=True)
            raise InputError(f"output: {output} cannot be written: {error.strerror or error}") from None
        return folder

    @classmethod
    def open(cls, path: Path) -> SweepFolder:
        """An existing sweep folder with its record.

        Raises:
            InputError: if `path` holds no sweep, or its record is damaged or of a newer version.
        """
        require_sweep_folder(path)
        folder = cls(path)
        read_environment(folder.paths.sweep)  # refuses a newer version
        for table in (folder.paths.trials_table, folder.paths.history):
            if not table.is_file():
                raise InputError(f"{path}: its tables cannot be read: there is no {table.name}")
        folder._updates = read_updates(folder.paths.trials_table)
        folder._history = History.read(folder.paths.history)
        for update in read_journal(folder.paths.journal):
            folder._take(update)
        return folder

    @property
    def sweep(self) -> SweepConfig:
        """The sweep that the folder holds."""
        return load_resolved(self.paths.sweep)

    @property
    def as_run(self) -> SweepConfig | None:
        """The sweep as it ran last, whatever `sweep.yaml` has become since; None in a folder without a record."""
        file = self.paths.as_run
        return load_resolved(file, self._base) if file.is_file() else None

    def note_as_run(self, sweep: SweepConfig) -> None:
        """Record the sweep that runs now, and all numbers that its runs can report.

        Call it after the sweep's extensions are loaded, since they may add numbers.
        """
        write_whole(self.paths.as_run, resolved_yaml(sweep, base=self._base))
        write_quantities(self.paths.quantities, run_quantities())

    @property
    def updates(self) -> Mapping[str, TrialUpdate]:
        """The last update of every trial that ever started, in the order of their ids."""
        return dict(sorted(self._updates.items(), key=lambda item: trial_order(item[0])))

    def last(self, trial_id: str) -> TrialUpdate | None:
        """The last update of a trial, if it ever started."""
        return self._updates.get(trial_id)

    def trial_folder(self, trial_id: str) -> Path:
        """The folder of a trial's checkpoint and pictures."""
        return self.paths.trial(trial_id).folder

    def checkpoint_store(self, place: str | None) -> CheckpointStore:
        """The store of the checkpoints of trials that have not ended: at `place`, or in this folder.

        Raises:
            InputError: if `place` cannot be understood, or names a server that does not answer.
        """
        if place is None:
            return CheckpointStore.in_folder(self.paths.tune)
        return CheckpointStore.at(place, self.sweep_id)

    def change_storage(self, place: str) -> None:
        """Write another `storage` to the sweep file."""
        sweep = self.sweep.model_copy(update={"storage": place})
        environment = read_environment(self.paths.sweep).to_mapping()
        write_whole(self.paths.sweep, resolved_yaml(sweep, environment, self._base))

    @property
    def _base(self) -> Base | None:
        """The base of the sweep's paths."""
        return recorded_base(read_environment(self.paths.sweep).to_mapping(), self.path)

    @property
    def sweep_id(self) -> str:
        """The name of this sweep and no other.

        Raises:
            RecordError: if sweep.yaml does not say it.
        """
        sweep_id = read_environment(self.paths.sweep).sweep_id
        if sweep_id is None:
            raise RecordError(
                f"{self.paths.sweep}: `environment.sweep_id` is missing, by which a sweep is known"
            )
        return sweep_id

    def keep(self, trial_id: str, store: CheckpointStore, checkpoint: str) -> None:
        """Fetch the last files of an ended trial (checkpoint, pictures, trial.json) to its own folder, and remove its
        other checkpoints.

        Raises:
            OSError: if it cannot be read there, or written here; then it stays where it is.
        """
        store.fetch(checkpoint, self.trial_folder(trial_id))
        store.forget(trial_id)

    def take_history(self, trial_id: str, checkpoint: Path) -> None:
        """Replace a trial's curves by those of its checkpoint, since a driver that was killed may have written fewer or
        more values."""
        record = read_trial(checkpoint)
        self._history.replace(
            trial_id,
            (
                HistoryPoint(result.seed, result.step, name, value)
                for result in record.history
                for name, value in result.metrics.items()
            ),
        )

    def replay(self, trial_id: str) -> Iterator[TrialUpdate]:
        """The updates of a trial so far, in the order of their steps; its own last one if it has ended.

        Another thread may call it while the trial is updated.
        """
        last = self._updates[trial_id]
        points: dict[int, dict[int, dict[str, float]]] = {}
        for point in self._history.points(trial_id):
            points.setdefault(point.step, {}).setdefault(point.seed, {})[point.metric] = point.value
        for step, seeds in sorted(points.items()):
            results = tuple(SeedResult(seed, Status.RUNNING, step, values) for seed, values in seeds.items())
            yield replace(last, status=Status.RUNNING, step=step, seeds=results, error=None)
        if last.status.ended:
            yield last
        elif not points:
            yield replace(last, status=Status.RUNNING, error=None)

    # As a SweepListener -----------------------------------------------------------------------------------

    def started(self, total: int | None) -> None:
        """Do nothing, since there is nothing to record yet."""

    def updated(self, update: TrialUpdate) -> None:
        """Put the update on record."""
        self._take(update)  # before anything is written, so that it is known even if the disk is full
        append_update(self.paths.journal, update)
        if self._due(at_least=0.0 if update.status.ended else _SECONDS):
            self.flush()

    def _take(self, update: TrialUpdate) -> None:
        for seed in update.seeds:
            self._history.add(update.trial_id, seed.seed, seed.step, seed.metrics)
        self._updates[update.trial_id] = update

    def tick(self) -> None:
        """Rewrite the tables if the last rewrite is long enough ago."""
        if self._due(at_least=_SECONDS):
            self.flush()

    def _due(self, *, at_least: float) -> bool:
        """Say whether the tables are so many seconds old, and rewriting them stays within its share of the time."""
        return time.monotonic() - self._written > max(at_least, self._cost / _SHARE_OF_TIME)

    def ended(self, status: Status) -> None:
        """Write the remaining updates to the tables."""
        self.flush()

    def flush(self) -> None:
        """Rewrite both tables, and begin the journal anew."""
        began = time.monotonic()
        with replacing(self.paths.trials_table) as partial:
            self.trials().to_parquet(partial, index=False)
        with replacing(self.paths.history) as partial:
            self._history.write(partial)
        self.paths.journal.unlink(missing_ok=True)
        self._written = time.monotonic()
        self._cost = self._written - began

    def trials(self) -> pd.DataFrame:
        """A row for each trial and seed, in the order of trial ids."""
        return trials_frame(self.updates.values())

    def history(self) -> pd.DataFrame:
        """trial, seed, step, metric, value; trial and metric as categories."""
        frame: pd.DataFrame = pa.concat_tables(self._history.tables(), promote_options="none").to_pandas()
        return frame


def require_sweep_folder(path: Path) -> None:
    """Raise InputError if `path` holds no sweep."""
    if not (path / "sweep.yaml").is_file():
        raise InputError(f"{path}: no sweep folder (there is no sweep.yaml in it)")


def _first_free(output: Path, slug: str) -> Path:
    """Make and return `output/slug`, or the first `output/slug-N` that is not there."""
    for number in itertools.count(1):
        path = output / (slug if number == 1 else f"{slug}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise AssertionError("itertools.count ends never")
