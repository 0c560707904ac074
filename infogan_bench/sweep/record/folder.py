"""The sweep folder: plain files that hold all that a sweep found (layout: docs/architecture.md)."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml

from infogan_bench.config import SweepConfig, load_sweep, resolved_yaml
from infogan_bench.errors import InputError
from infogan_bench.records.results import Mutation, SeedResult, Status, TrialUpdate
from infogan_bench.sweep.record.history import History, Point
from infogan_bench.sweep.record.storage import Storage

AS_RUN = "as-run.yaml"
_JOURNAL = "journal.jsonl"
_SHARE_OF_TIME = 0.02  # spent at most on rewriting the tables while trials run
_SECONDS = 2.0  # between two times, unless a trial has ended


class SweepFolder:
    """Reads and writes `runs/NAME/`; as a `SweepListener` it records every update.

    Each update is appended to a journal at once. The tables are rewritten whole, when a trial ends and now and then in
    between, but never for more than 2% of the time, so that a large sweep is not slowed by its own record; what they
    lack of it after a crash is in the journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._updates: dict[str, TrialUpdate] = {}
        self._history = History()
        self._written, self._cost = -math.inf, 0.0

    @classmethod
    def create(cls, sweep: SweepConfig, environment: Mapping[str, Any]) -> SweepFolder:
        """Make `OUTPUT/NAME`, or `OUTPUT/NAME-2` and so on where that is taken.

        Raises:
            InputError: if no folder can be made there.
        """
        output = Path(sweep.output)
        path = None
        try:
            output.mkdir(parents=True, exist_ok=True)
            path = _first_free(output, sweep.slug)
            folder = cls(path)
            (path / "trials").mkdir()
            write_whole(path / "sweep.yaml", resolved_yaml(sweep, dict(environment)))
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
            InputError: if `path` holds no sweep.
        """
        require_sweep_folder(path)
        folder = cls(path)
        try:
            trials = pd.read_parquet(path / "trials.parquet")
            folder._history = History.read(path / "history.parquet")
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: its tables cannot be read: {error}") from None
        of_trial: dict[str, list[dict[Any, Any]]] = {}
        for row in trials.to_dict("records"):
            of_trial.setdefault(row["trial"], []).append(row)
        folder._updates = {trial: _update_from_rows(rows) for trial, rows in of_trial.items()}
        for update in folder._journalled():
            folder._take(update)
        return folder

    @property
    def sweep(self) -> SweepConfig:
        """The sweep that the folder holds."""
        return load_sweep(self.path / "sweep.yaml")

    @property
    def as_run(self) -> SweepConfig | None:
        """The sweep as it ran last, whatever `sweep.yaml` has become since; None in a folder without a record."""
        file = self.path / AS_RUN
        return load_sweep(file) if file.is_file() else None

    def note_as_run(self, sweep: SweepConfig) -> None:
        """Record that `sweep` is what runs now."""
        write_whole(self.path / AS_RUN, resolved_yaml(sweep))

    @property
    def updates(self) -> Mapping[str, TrialUpdate]:
        """The last update of every trial that ever started, in the order of their ids."""
        return dict(sorted(self._updates.items()))

    def last(self, trial: str) -> TrialUpdate | None:
        """The last update of a trial, if it ever started."""
        return self._updates.get(trial)

    def trial_folder(self, trial: str) -> Path:
        """Where a trial's checkpoint and pictures lie."""
        return self.path / "trials" / trial

    def storage(self, place: str | None) -> Storage:
        """Where the checkpoints of trials that have not ended lie: at `place`, or in this folder.

        Raises:
            InputError: if `place` cannot be understood, or names a server that does not answer.
        """
        if place is None:
            return Storage.in_folder(self.path / "tune")
        return Storage.at(place, self._environment["sweep_id"])

    def change_storage(self, place: str) -> None:
        """Write another `storage` to the sweep file."""
        sweep = self.sweep.model_copy(update={"storage": place})
        write_whole(self.path / "sweep.yaml", resolved_yaml(sweep, self._environment))

    @property
    def _environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = yaml.safe_load((self.path / "sweep.yaml").read_text())["environment"]
        return environment

    def keep(self, trial: str, storage: Storage, checkpoint: str) -> None:
        """Fetch what an ended trial wrote last (checkpoint, pictures, trial.json) to its own folder, and forget the
        rest.

        Raises:
            OSError: if it cannot be read there, or written here; then it stays where it is.
        """
        storage.fetch(checkpoint, self.trial_folder(trial))
        storage.forget(trial)

    def take_history(self, trial: str, checkpoint: Path) -> None:
        """Make a trial's curves those that its checkpoint brings along: a driver that was killed may have written
        fewer of them, or more."""
        document = json.loads((checkpoint / "trial.json").read_text())
        self._history.replace(
            trial,
            (
                Point(result["seed"], result["step"], name, value)
                for result in document["history"]
                for name, value in result["metrics"].items()
            ),
        )

    def replay(self, trial: str) -> Iterator[TrialUpdate]:
        """The updates of a trial so far, in the order of their steps; its own last one if it has ended.

        Another thread may call it while the trial is updated.
        """
        last = self._updates[trial]
        points: dict[int, dict[int, dict[str, float]]] = {}
        for point in self._history.points(trial):
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
        """Nothing to record yet."""

    def updated(self, update: TrialUpdate) -> None:
        """Put the update on record."""
        self._take(update)  # first, so that it is known even if the disk is full
        with (self.path / _JOURNAL).open("a") as journal:
            journal.write(update.to_json() + "\n")
        if self._due(at_least=0.0 if update.status.ended else _SECONDS):
            self.flush()

    def _take(self, update: TrialUpdate) -> None:
        for seed in update.seeds:
            self._history.add(update.trial, seed.seed, seed.step, seed.metrics)
        self._updates[update.trial] = update

    def _journalled(self) -> Iterator[TrialUpdate]:
        """What the tables may lack: the updates since they were written. The last line may have been cut short."""
        journal = self.path / _JOURNAL
        for line in journal.read_text().splitlines() if journal.is_file() else ():
            try:
                yield TrialUpdate.from_json(line)
            except ValueError:
                return

    def tick(self) -> None:
        """Rewrite the tables if that has not been done for long enough."""
        if self._due(at_least=_SECONDS):
            self.flush()

    def _due(self, *, at_least: float) -> bool:
        """Whether the tables are that many seconds old, and rewriting them keeps to its share of the time."""
        return time.monotonic() - self._written > max(at_least, self._cost / _SHARE_OF_TIME)

    def ended(self, status: Status) -> None:
        """Write what is left to write."""
        self.flush()

    def flush(self) -> None:
        """Rewrite both tables, and begin the journal anew."""
        began = time.monotonic()
        with _replacing(self.path / "trials.parquet") as partial:
            self.trials().to_parquet(partial, index=False)
        with _replacing(self.path / "history.parquet") as partial:
            self._history.write(partial)
        (self.path / _JOURNAL).unlink(missing_ok=True)
        self._written = time.monotonic()
        self._cost = self._written - began

    def trials(self) -> pd.DataFrame:
        """One row per trial and seed, in the order of trial ids."""
        rows = [_row(update, seed) for update in self.updates.values() for seed in update.seeds]
        return pd.DataFrame(rows, columns=list(_TRIAL_TYPES)).astype(_TRIAL_TYPES)

    def history(self) -> pd.DataFrame:
        """trial, seed, step, metric, value; trial and metric as categories."""
        frame: pd.DataFrame = pa.concat_tables(self._history.tables(), promote_options="none").to_pandas()
        return frame


_TRIAL_TYPES = {
    "trial": "str",
    "seed": "int64",
    "status": "str",
    "step": "int64",
    "params": "str",
    "scores": "str",
    "seconds": "float64",
    "images_per_second": "float64",
    "node": "str",
    "device": "str",
    "peak_memory": "Int64",
    "error": "object",
    "mutations": "str",
}


def _row(update: TrialUpdate, seed: SeedResult) -> dict[str, Any]:
    return {
        "trial": update.trial,
        "seed": seed.seed,
        "status": str(seed.status if update.status is Status.DIVERGED else update.status),
        "step": seed.step,
        "params": json.dumps(dict(update.params)),
        "scores": json.dumps({name: value for name, value in seed.metrics.items() if math.isfinite(value)}),
        "seconds": seed.seconds,
        "images_per_second": seed.images_per_second,
        "node": update.node,
        "device": update.device,
        "peak_memory": update.peak_memory,
        "error": seed.error or update.error,
        "mutations": json.dumps([asdict(mutation) for mutation in update.mutations]),
    }


def _update_from_rows(rows: Sequence[Mapping[Any, Any]]) -> TrialUpdate:
    """The inverse of `_row`, over a trial's seeds."""
    seeds = tuple(
        SeedResult(
            seed=row["seed"],
            status=Status(row["status"]),
            step=row["step"],
            metrics=json.loads(row["scores"]),
            seconds=row["seconds"],
            images_per_second=row["images_per_second"],
            error=_text(row["error"]),
        )
        for row in rows
    )
    diverged = any(seed.status is Status.DIVERGED for seed in seeds)
    return TrialUpdate(
        trial=rows[0]["trial"],
        params=json.loads(rows[0]["params"]),
        status=Status.DIVERGED if diverged else seeds[0].status,
        step=max(seed.step for seed in seeds),
        seeds=seeds,
        error=_text(rows[0]["error"]),
        node=rows[0]["node"],
        device=rows[0]["device"],
        peak_memory=_whole(rows[0].get("peak_memory")),
        mutations=tuple(Mutation(**mutation) for mutation in json.loads(rows[0].get("mutations", "[]"))),
    )


def _text(value: object) -> str | None:
    """A cell of text; a missing one comes back from parquet as NaN."""
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    """A cell that holds a number or nothing; an older table has no such column."""
    return None if pd.isna(value) else int(value)


def require_sweep_folder(path: Path) -> None:
    """Raise InputError if `path` holds no sweep."""
    if not (path / "sweep.yaml").is_file():
        raise InputError(f"{path}: no sweep folder (there is no sweep.yaml in it)")


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part."""
    with _replacing(path) as partial:
        partial.write_text(text)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name, which becomes `path` once it is written; nothing of it stays where that fails."""
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


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
