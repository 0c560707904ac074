"""The listener that follows a sweep and hands its events to the thread that writes to MLflow."""

from __future__ import annotations

import logging
import math
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from infogan_reports.text import counted

from infogan_bench.config import TrackingConfig
from infogan_bench.errors import InputError
from infogan_bench.records import Status, SweepPaths, TrialUpdate
from infogan_bench.secrets import hide_secrets
from infogan_bench.tracking._described import (
    legal_params,
    modified,
    never_reported_text,
    not_finite_text,
    trial_files,
    trial_tags,
    user_name,
    values_of,
)
from infogan_bench.tracking._names import (
    MAX_RUN_NAME,
    MAX_TAG,
    cut,
    experiment_name,
    legal_key,
    markdown_text,
    one_line,
    run_name,
    value_text,
)
from infogan_bench.tracking._outbox import Outbox
from infogan_bench.tracking._record import Artifact, End, Measurement, Record, milliseconds
from infogan_bench.tracking._runs import Runs
from infogan_bench.tracking._standing import MAX_RANKED, Standing, read_standing, standing_text
from infogan_bench.tracking._store import import_mlflow, resolve_uri
from infogan_bench.tracking._sweep import TrackedSweep
from infogan_bench.tracking._tags import (
    NEVER_REPORTED_TAG,
    NOTE_TAG,
    OBJECTIVE,
    PARENT_TAG,
    RANK_TAG,
    STATUS_TAG,
    SWEEP,
)
from infogan_bench.tracking._writer import refused_for_good

_log = logging.getLogger(__name__)

_MAX_REASON = 300


class MlflowTracker:
    """A `SweepListener` that writes a sweep to MLflow: a parent run, and a child run for each trial.

    No call waits for the store, and no fault of the store raises an exception: a server that is down misses records,
    but does not stop the sweep.

    Args:
        config: the store, the experiment, the tags and the note.
        sweep: the sweep that is tracked.
        replay: the updates of a trial so far, by its name; called from another thread.
        flush_seconds: how long `ended` waits for what is not written yet; None waits as long as the store answers.

    Raises:
        InputError: if `config.uri` (or MLFLOW_TRACKING_URI) is no store that MLflow still writes to.
    """

    def __init__(
        self,
        config: TrackingConfig,
        sweep: TrackedSweep,
        replay: Callable[[str], Iterable[TrialUpdate]],
        flush_seconds: float | None = 60.0,
    ) -> None:
        self.uri = resolve_uri(config.uri)
        import_mlflow()  # before any thread starts: imports in two threads may see a module half made
        self.experiment = experiment_name(config.experiment or sweep.name)
        self._config = config
        self._sweep = sweep.name
        self._folder = sweep.folder
        self._metric = sweep.metric
        self._replay = replay
        self._fixed = {key: value for key, value in sweep.run_params.items() if key not in sweep.swept}
        self._flush_seconds = flush_seconds
        self._description = self._describe(sweep.swept, sweep.mode)
        self._tags = self._common_tags()
        self._sweep_tags = {
            "infogan.sweep": cut(sweep.name, MAX_TAG),
            "infogan.swept": value_text(list(sweep.swept), MAX_TAG),
            "infogan.objective": cut(sweep.metric, MAX_TAG),
            "infogan.mode": sweep.mode,
        }
        self._open: dict[str, TrialUpdate] = {}  # trials that have not ended, by their last update
        self._ended = False
        self._checks_files = False  # whether to look which files the store lacks, a request for each folder
        self._no_standing: str | None = None  # why the ranking could not be read
        self._runs = Runs(self.uri, self.experiment, sweep, register_as=config.register_as)
        self._outbox = Outbox(self._send, parent=SWEEP)

    def preflight(self) -> str | None:
        """Reach the store, and make the tables of a new database and the experiment, before the first trial.

        Returns:
            A warning if a server does not answer now; the records for it wait.
        Raises:
            InputError: if the store or the experiment cannot be used: a SQLite database that is
                read-only, somebody else's or in a folder that is not there, or a server that refuses us.
        """
        try:
            self._runs.connect()
        except InputError:
            raise
        except Exception as error:
            store, reason = hide_secrets(self.uri), one_line(hide_secrets(str(error)))
            if refused_for_good(error):
                raise InputError(f"MLflow cannot use `{store}`: {reason}") from error
            return (
                f"MLflow's store {store} does not answer: what is to be tracked waits "
                f"({cut(reason, _MAX_REASON)})"
            )
        return None

    @property
    def behind(self) -> int:
        """The number of runs with records that have not reached the store yet."""
        return self._outbox.unsent

    @property
    def warning(self) -> str | None:
        """A sentence, after the sweep, on what MLflow does not have, and why; None if it has everything."""
        if not self._ended:
            return None
        return (
            "\n".join(filter(None, (self._no_standing, self._what_was_refused(), self._what_waits()))) or None
        )

    def _what_was_refused(self) -> str | None:
        if not self._outbox.refused:
            return None
        return (
            f"MLflow ({hide_secrets(self.uri)}) refused values or files, {self._outbox.refused} in all: see "
            "sweep.log; the sweep folder has them."
        )

    def _what_waits(self) -> str | None:
        if not self.behind:
            return None
        error = self._outbox.last_error
        reason = f" ({cut(one_line(error), _MAX_REASON)})" if error else ""
        return (
            f"MLflow's store {hide_secrets(self.uri)} has not got everything of "
            f"{counted(self.behind, 'run')}{reason}. The sweep folder has it: "
            f"`infogan-bench track {shlex.quote(str(self._folder))}` sends what is missing."
        )

    # SweepListener ----------------------------------------------------------------------------------------

    def started(self, total: int | None) -> None:
        """Open the sweep's run, or go on with it."""
        self._outbox.start()
        self._outbox.put(SWEEP, self._opening(total))

    def catch_up(self, updates: Iterable[TrialUpdate]) -> None:
        """Send the store the missing parts of trials of an earlier session, given their last updates."""
        now = milliseconds()
        for update in updates:
            end = End(update.status if update.status.ended else Status.INTERRUPTED, now)
            name = run_name(update.trial_id, update.params)
            self._outbox.put(update.trial_id, Record(name, end=end, from_folder=True))

    def deliver(self, updates: Sequence[TrialUpdate], total: int | None, status: Status) -> None:
        """Send the store the missing parts of a sweep that does not run, instead of the calls `started` to `ended`."""
        self._checks_files = True
        # The beginning and the end in one record, so that a run that has ended is not opened again.
        self._outbox.put(SWEEP, self._opening(total))
        self.catch_up(updates)
        self._close(status, modified(self._folder / "trials.parquet"))
        self._outbox.start()
        self._wait()

    def updated(self, update: TrialUpdate) -> None:
        """Log a report of a trial, and at its end also its pictures."""
        if update.status is Status.PENDING:
            return
        record = self._record(update, milliseconds(), is_new=update.trial_id not in self._open)
        if update.status is Status.RUNNING:
            self._open[update.trial_id] = update
        else:
            self._open.pop(update.trial_id, None)
        self._outbox.put(update.trial_id, record)

    def tick(self) -> None:
        """Nothing: the store has a thread of its own."""

    def ended(self, status: Status) -> None:
        """Close every run, write the ranking, log the best model of a finished sweep, and wait up to `flush_seconds`
        until the store has everything."""
        self._close(status, milliseconds())
        self._wait()

    def _close(self, status: Status, now: int) -> None:
        for trial, update in list(self._open.items()):
            tags = {STATUS_TAG: Status.INTERRUPTED.value}
            end = End(Status.INTERRUPTED, now)
            self._outbox.put(trial, Record(run_name(trial, update.params), tags=tags, end=end))
        standing = self._standing()
        self._outbox.put(
            SWEEP,
            Record(
                name=cut(one_line(self._sweep), MAX_RUN_NAME) or "unnamed",
                tags={
                    NOTE_TAG: _note(standing_text(standing), self._description),
                    STATUS_TAG: status.value,
                },
                artifacts=self._sweep_files(),
                model=standing.best if status is Status.FINISHED else None,
                end=End(status, now),
            ),
        )
        for ranked in standing.trials:
            rank = str(ranked.rank) if ranked.rank is not None and ranked.rank <= MAX_RANKED else ""
            name = run_name(ranked.trial_id, ranked.params)
            self._outbox.put(ranked.trial_id, Record(name, tags={RANK_TAG: rank}, postscript=True))

    def _wait(self) -> None:
        self._outbox.close(self._flush_seconds)
        self._ended = True

    def _standing(self) -> Standing:
        try:
            return read_standing(self._folder)
        except Exception as error:  # whatever is wrong with the folder must not end the sweep
            _log.info("no ranking and no best model for MLflow", exc_info=True)
            self._no_standing = (
                f"MLflow was told no ranking and no best model: {cut(one_line(str(error)), _MAX_REASON)}"
            )
            return Standing(self._metric, (), None)

    # Records ----------------------------------------------------------------------------------------------

    def _send(self, key: str, record: Record) -> int:
        """`Runs.send`, with what the record leaves to the sweep folder."""
        if not record.from_folder:
            return self._runs.send(key, record)
        if record.end is not None and self._runs.has_all(key, record.end.status):
            whole = replace(record, from_folder=False, end=None, postscript=True)
            if self._checks_files:
                files = trial_files(SweepPaths(self._folder).trial(key).folder)
                whole.artifacts = self._runs.missing_files(key, files)
        else:
            whole = self._from_folder(key)
            whole = whole.followed_by(replace(record, from_folder=False, end=whole.end or record.end))
        return self._runs.send(key, whole)

    def _from_folder(self, trial_id: str) -> Record:
        """Return everything that the sweep folder has on a trial, as a record.

        The folder has no times. So a trial ended when its folder was written, and its reports are spread evenly over
        the seconds that it took.
        """
        *_, last = updates = list(self._replay(trial_id))
        ended = modified(SweepPaths(self._folder).trial(trial_id).record)
        took = round(1000 * sum(seed.seconds for seed in last.seeds))
        record = self._record(last, ended, is_new=True)
        record.since = ended - took
        record.metrics = [
            measured
            for update in updates
            for measured in self._metrics(update, ended - took + took * update.step // max(last.step, 1))[0]
        ]
        if record.end is not None:
            record.end = End(last.status, ended)
        return record

    def _opening(self, total: int | None) -> Record:
        planned = {"infogan.trials.planned": str(total)} if total is not None else {}
        return Record(
            name=cut(one_line(self._sweep), MAX_RUN_NAME) or "unnamed",
            params=legal_params(self._fixed),
            tags={
                **self._tags,
                **self._sweep_tags,
                **planned,
                NOTE_TAG: _note(self._description),
                STATUS_TAG: Status.RUNNING.value,
            },
            artifacts=self._sweep_files(),
            since=modified(self._folder / "sweep.yaml"),
        )

    def _record(self, update: TrialUpdate, now: int, *, is_new: bool) -> Record:
        """Return a report as a record; with a trial's end also its files, with that of a new trial its parameters."""
        metrics, not_finite = self._metrics(update, now)
        record = Record(
            name=run_name(update.trial_id, update.params),
            params=legal_params({**update.params, **self._fixed}) if is_new else {},
            tags=(self._tags if is_new else {}) | trial_tags(update, not_finite),
            metrics=metrics,
        )
        if update.status is not Status.RUNNING:
            record.end = End(update.status, now)
            folder = SweepPaths(self._folder).trial(update.trial_id).folder
            record.artifacts = trial_files(folder)
            score = update.mean(self._metric)
            never = never_reported_text(update, self._metric, folder)
            if update.status.ended and never:
                record.tags[NEVER_REPORTED_TAG] = cut(never, MAX_TAG)
            if update.status.ended and not update.status.bad and score is not None and math.isfinite(score):
                record.final = Measurement(self._metric, score, update.step, now)
        return record

    def _metrics(self, update: TrialUpdate, now: int) -> tuple[list[Measurement], list[str]]:
        """The values of a report under the names they are logged by, and the names of those not finite."""
        values = values_of(update)
        if (score := update.mean(self._metric)) is not None:
            values.setdefault(OBJECTIVE, score)
        finite = [
            Measurement(legal_key(name), value, update.step, now)
            for name, value in values.items()
            if math.isfinite(value)
        ]
        return finite, [
            not_finite_text(name, value, update.step)
            for name, value in values.items()
            if not math.isfinite(value)
        ]

    def _common_tags(self) -> dict[str, str]:
        ours = {
            "mlflow.user": user_name(),
            "mlflow.source.name": "infogan-bench",
            "mlflow.source.type": "LOCAL",
        }
        theirs = {
            legal_key(key): cut(value, MAX_TAG)
            for key, value in self._config.tags.items()
            if key not in (PARENT_TAG, "mlflow.runName") and not key.startswith("infogan.")
        }
        return ours | theirs

    def _describe(self, swept: Sequence[str], mode: str) -> str:
        lines = [
            f"Sweep **{markdown_text(one_line(self._sweep))}** of InfoGAN Bench",
            f"swept: {', '.join(map(markdown_text, swept)) or 'nothing'}",
            f"objective: {'highest' if mode == 'max' else 'lowest'} {markdown_text(self._metric)}, "
            "the mean over a trial's seeds",
        ]
        # before markdown_text, whose backslashes would hide a URI from `hide_secrets`
        note = [markdown_text(hide_secrets(self._config.note))] if self._config.note else []
        return "\n\n".join([*note, "\n".join(f"- {line}" for line in lines)])

    def _sweep_files(self) -> list[Artifact]:
        files = (self._folder / name for name in ("sweep.yaml", "report.html"))
        return [Artifact(file, None) for file in files if file.is_file()]


def _note(*paragraphs: str) -> str:
    """The description of the sweep's run, with room for the links that are put before it."""
    return cut("\n\n".join(filter(None, paragraphs)), MAX_TAG - 400)
