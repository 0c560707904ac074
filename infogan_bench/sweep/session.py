"""A sweep from its configuration to its report: `start` begins one, `resume` finishes one that was stopped."""

from __future__ import annotations

import logging
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from infogan_bench.config import Plan, SweepConfig, plan, storage_place
from infogan_bench.config.packing import packing_of
from infogan_bench.config.schedulers import find_scheduler
from infogan_bench.errors import InputError
from infogan_bench.records import Status, SweepListener, trial_id_at, trial_order
from infogan_bench.sweep.check import check
from infogan_bench.sweep.engine.engine import Engine
from infogan_bench.sweep.engine.pbt import interval, rejoined
from infogan_bench.sweep.logs import logging_to
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoints import fetch_left, moved_store, newest_checkpoint
from infogan_bench.sweep.record.disk import disk_fault, is_disk_fault
from infogan_bench.sweep.record.edits import accepted_edits
from infogan_bench.sweep.record.environment import environment_of
from infogan_bench.sweep.record.folder import AS_RUN, SweepFolder, require_sweep_folder
from infogan_bench.sweep.record.lock import sole_user
from infogan_bench.sweep.record.outcome import SweepOutcome
from infogan_bench.sweep.record.sessions import SessionRecorder
from infogan_bench.sweep.search.warm_start import keep_warm_start, kept_earlier_trials, read_warm_start
from infogan_bench.sweep.signals import StopSignals
from infogan_bench.sweep.track import tracker_of
from infogan_bench.tracking import check_store, import_mlflow, resolve_uri

if TYPE_CHECKING:
    from infogan_bench.sweep.search.proposals import Proposals

log = logging.getLogger(__name__)


def start(
    sweep: SweepConfig,
    *,
    address: str | None = None,
    storage: str | None = None,
    ship_code: bool = False,
    listeners: Sequence[SweepListener] = (),
) -> SweepOutcome:
    """Run a sweep in a new sweep folder, and report it.

    Args:
        sweep: what to run.
        address: of a running Ray cluster; None starts Ray on this machine.
        storage: in place of the sweep's own.
        ship_code: bring this project's packages, and the user's modules, to the workers.
        listeners: told of every trial, besides the sweep folder and MLflow.

    Raises:
        InputError: for a fault that the user can correct, before the first trial; no folder is left behind.
    """
    if storage is not None:
        sweep = sweep.model_copy(update={"storage": _place(storage)})
    if sweep.tracking.enabled:
        tracking = sweep.tracking.model_copy(update={"uri": resolve_uri(sweep.tracking.uri)})
        sweep = sweep.model_copy(
            update={"tracking": tracking}
        )  # the recorded URI does not depend on the folder of a resume
        _check_tracking(sweep)
    planned = plan(sweep)
    check(sweep, planned)
    earlier = read_warm_start(sweep)
    folder = SweepFolder.create(sweep, environment_of(sweep).to_mapping())
    keep_warm_start(folder.path, earlier)
    trials = [
        PlannedTrial(trial_id_at(place), params) for place, params in enumerate(planned.assignments or ())
    ]
    with sole_user(folder.path):
        try:
            return Session(sweep, planned, folder, listeners).run(trials, address, ship_code)
        except InputError:
            if not folder.updates:
                shutil.rmtree(folder.path)
            raise


def resume(
    path: Path,
    *,
    address: str | None = None,
    storage: str | None = None,
    ship_code: bool = False,
    listeners: Sequence[SweepListener] = (),
) -> SweepOutcome:
    """Finish the sweep in `path`. Trials that have ended are not run again.

    A trial that was interrupted continues from its last complete checkpoint, bit for bit as if nothing had happened.
    The arguments are those of `start`. Checkpoints move to another `storage` if one is named.

    Raises:
        InputError: if `path` is no sweep folder, is in use or cannot be written; if its sweep no longer holds (a
            dataset is gone, say), or was changed in more than `accepted_edits` accepts.
    """
    require_sweep_folder(path)
    with sole_user(path):
        folder = SweepFolder.open(path)
        if storage is not None:
            folder.change_storage(_place(storage))
        return _resume(folder, address, ship_code, listeners)


def _resume(
    folder: SweepFolder, address: str | None, ship_code: bool, listeners: Sequence[SweepListener]
) -> SweepOutcome:
    sweep = folder.sweep
    planned = plan(sweep)
    warnings = _edits(folder, sweep, planned)
    _check_tracking(sweep)
    check(sweep, planned)
    store = moved_store(folder, sweep)
    try:
        folder.note_as_run(sweep)
        folder.flush()
    except OSError as error:
        raise InputError(disk_fault(error, folder.path) if is_disk_fault(error) else str(error)) from None
    known = {trial_id: update.params for trial_id, update in folder.updates.items()}
    known |= {trial_id_at(place): params for place, params in enumerate(planned.assignments or ())}
    with store.required():
        left = [
            PlannedTrial(trial_id, params, newest_checkpoint(folder, store, trial_id, warnings))
            for trial_id, params in sorted(known.items(), key=lambda item: trial_order(item[0]))
            if trial_id not in folder.updates or not folder.updates[trial_id].status.ended
        ]
    compared = 0
    if find_scheduler(sweep.scheduler).population:
        ended = (update.step for update in folder.updates.values() if update.status.ended)
        left, compared = rejoined(left, ended, interval(sweep), store)
    session = Session(sweep, planned, folder, listeners, compared)
    session.warnings += warnings
    return session.run(left, address, ship_code)


def _check_tracking(sweep: SweepConfig) -> None:
    """Raise InputError if it is certain now that MLflow cannot be used."""
    if sweep.tracking.enabled:
        check_store(resolve_uri(sweep.tracking.uri))
        import_mlflow()


def _place(storage: str) -> str:
    try:
        return storage_place(storage)
    except ValueError as error:
        raise InputError(f"--storage: {error}") from None


def _edits(folder: SweepFolder, sweep: SweepConfig, planned: Plan) -> list[str]:
    """Return sentences on the changes of `sweep` since it ran."""
    was = folder.as_run
    if was is None:
        return [f"{folder.path}: holds no {AS_RUN}, so a change of sweep.yaml since it ran would not be seen"]
    edits = accepted_edits(was, sweep, planned, folder.path / "sweep.yaml")
    return [f"sweep.yaml has changed since it ran: {edit}" for edit in edits]


class Session:
    """A stretch of a sweep, from the start of Ray to the report.

    Args:
        sweep: the sweep.
        planned: the plan of the sweep.
        folder: its folder.
        listeners: told of every trial, besides the sweep folder and MLflow.
        compared: the step at which a population was compared last, before a resume.
    """

    def __init__(
        self,
        sweep: SweepConfig,
        planned: Plan,
        folder: SweepFolder,
        listeners: Sequence[SweepListener],
        compared: int = 0,
    ) -> None:
        self._sweep = sweep
        self._total = planned.total
        self._folder = folder
        self._store = folder.checkpoint_store(sweep.storage)
        self._tracker = tracker_of(sweep, folder) if sweep.tracking.enabled else None
        self._search = _learning_search() if planned.assignments is None else None
        self._record = SessionRecorder(folder.path)
        self._listeners = [*listeners, self._record, *([self._tracker] if self._tracker else [])]
        self._started: list[SweepListener] = []
        self._signals = StopSignals()
        packing = packing_of(sweep, planned.assignments)
        self._engine = Engine(sweep, folder, self._store, self._signals, packing, compared)
        self.warnings: list[str] = []

    def run(self, planned: Sequence[PlannedTrial], address: str | None, ship_code: bool) -> SweepOutcome:
        """Run the remaining planned trials and the proposals of the search, and make the report."""
        with self._signals, logging_to(self._folder.path / "sweep.log"):
            for warning in self.warnings:
                log.warning(warning)
            try:
                self._train(planned, address, ship_code)
            except (KeyboardInterrupt, SystemExit) as stop:
                if isinstance(stop, SystemExit):  # Ray raises it for a SIGTERM while it starts
                    self._signals.received = signal.SIGTERM
                log.warning("stopped by a signal while no trial ran")
            except BaseException:
                self._end(Status.FAILED)
                raise
            outcome = self._finish()
        return replace(outcome, signal=self._signals.received)

    def _train(self, planned: Sequence[PlannedTrial], address: str | None, ship_code: bool) -> None:
        """Start or join Ray, tell the listeners that the sweep begins, and train."""
        proposals = None
        if self._search:
            earlier = kept_earlier_trials(self._folder.path, self._sweep)
            known = self._folder.updates
            proposals = self._search(self._sweep, self._folder.path, self._total, known, earlier)
        with ExitStack() as stack:
            reached = stack.enter_context(self._reaching_mlflow())
            ready = None
            if planned or (proposals and proposals.left):
                ready = stack.enter_context(self._engine.started(planned, address, ship_code=ship_code))
                self._record.request = ready.request
            if (warning := reached.result()) is not None:
                self.warnings.append(warning)
            for listener in self._listeners:
                listener.started(self._total)
                self._started.append(listener)
            if self._tracker:
                self._tracker.catch_up(self._folder.updates.values())  # sends what an earlier stop cut off
            if ready:
                self._engine.train(ready, planned, proposals, self._listeners)
        if proposals:
            proposals.close(self._folder.updates)
        with self._engine.noting_a_fault():
            self._folder.flush()

    @contextmanager
    def _reaching_mlflow(self) -> Iterator[Future[str | None]]:
        """Run the tracker's `preflight` in a thread while Ray starts, since a new database takes a second. It always
        runs to its end, since half a database would be useless to the next sweep."""
        with ThreadPoolExecutor(max_workers=1) as thread:
            yield thread.submit(lambda: self._tracker.preflight() if self._tracker else None)

    def _finish(self) -> SweepOutcome:
        """Fetch the remaining files, make the report, and tell the listeners that the sweep has ended."""
        fault = self._engine.fault
        outcome = SweepOutcome(
            folder=self._folder.path,
            planned=self._total,
            trials=tuple(self._folder.updates.values()),
            signal=self._signals.received,
            fault=disk_fault(fault, self._folder.path) if fault else None,
            tracking_uri=self._tracker.uri if self._tracker else None,
        )
        warnings: list[str | None] = [*self.warnings, *self._engine.warnings]
        if fault is None:
            left = fetch_left(self._folder, self._store)
            if outcome.complete and not left:
                self._store.clear()  # no trial is left to resume
            self._record.note(outcome.status)
            warnings += [left, _report(self._folder)]
        self._end(outcome.status)
        warnings.append(self._tracker.warning if self._tracker else None)
        return replace(outcome, warnings=tuple(warning for warning in warnings if warning))

    def _end(self, status: Status) -> None:
        for listener in self._started:
            listener.ended(status)


def _learning_search() -> type[Proposals]:
    """Import the class that proposes trials, and Optuna with it, which only a search that learns needs.

    Call it before `logging_to`, which takes over Optuna's loggers as the import leaves them.
    """
    from infogan_bench.sweep.search.proposals import Proposals

    return Proposals


def _report(folder: SweepFolder) -> str | None:
    """Make the report; a warning if that fails. The results are safe in the folder, and it can be made again."""
    import infogan_reports  # imported here, so that a sweep begins sooner

    from infogan_bench.pictures.for_report import write_report_pictures

    try:
        for problem in write_report_pictures(folder.path):
            log.warning(problem)
        infogan_reports.build_report(folder.path)
    except Exception as error:
        log.exception("the report could not be made")
        return f"the report could not be made: {error}; see {folder.path / 'sweep.log'}"
    return None
