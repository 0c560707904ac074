"""A sweep from its configuration to its report: `start` begins one, `resume` finishes what is left of one."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # see StopSignals
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # the sweep folder is the record
os.environ.setdefault("TUNE_DISABLE_STRICT_METRIC_CHECKING", "1")  # a failed trial reports no objective
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", str(10**9))  # and all that a resume needs
# A process that does not end by itself is killed at once then; for any number below 10 the sweep would stand still
# for the rest of 10 s.
os.environ.setdefault("TUNE_FORCE_TRIAL_CLEANUP_S", "10")

import ray
from ray import tune

from infogan_bench.codes import LatentCodes
from infogan_bench.config import Plan, RunConfig, SweepConfig, apply, plan, storage_place
from infogan_bench.config.catalogue import metric_of
from infogan_bench.datasets import load_dataset
from infogan_bench.errors import InputError
from infogan_bench.extensions import extension_sources, load_extensions
from infogan_bench.methods import method_of
from infogan_bench.networks import build_networks, check_networks
from infogan_bench.records import Status, SweepListener, trial_order
from infogan_bench.scoring.digits import digit_reader
from infogan_bench.scoring.possible import check_scores
from infogan_bench.sweep.engine.callback import Events
from infogan_bench.sweep.engine.cluster import ray_cluster, require_a_node, trial_request
from infogan_bench.sweep.engine.full_card import GPU
from infogan_bench.sweep.engine.gpus import measured_gpus
from infogan_bench.sweep.engine.nodes import require_able_nodes, shipped_code
from infogan_bench.sweep.engine.pbt import interval, rejoined
from infogan_bench.sweep.engine.trainable import (
    Assignment,
    InfoGANTrainable,
    Shared,
    assignment_of,
    trial_name,
    trial_threads,
)
from infogan_bench.sweep.logs import logging_to
from infogan_bench.sweep.record.disk import disk_fault, is_disk_fault
from infogan_bench.sweep.record.edits import accepted_edits
from infogan_bench.sweep.record.environment import describe_environment
from infogan_bench.sweep.record.folder import AS_RUN, SweepFolder, require_sweep_folder
from infogan_bench.sweep.record.lock import sole_user
from infogan_bench.sweep.record.outcome import Outcome
from infogan_bench.sweep.record.sessions import SessionRecord
from infogan_bench.sweep.record.storage import Storage
from infogan_bench.sweep.search.planner import Planner, scheduler, trials_ahead
from infogan_bench.sweep.search.warm_start import keep_warm_start, kept_earlier_trials, read_warm_start
from infogan_bench.sweep.signals import StopSignals
from infogan_bench.sweep.track import tracker_of
from infogan_bench.training import check_objective, check_stackable
from infogan_bench.trial import require_whole

if TYPE_CHECKING:
    from infogan_bench.sweep.search.proposals import Proposals

log = logging.getLogger(__name__)


def check(sweep: SweepConfig) -> Plan:
    """Plan the sweep and try all that can be tried without training: extensions, data, every architecture.

    Raises:
        InputError: for whatever would fail every trial, or one of them for certain.
    """
    load_extensions(sweep.extensions)
    planned = plan(sweep)
    dataset = load_dataset(sweep.dataset)
    runs = list(_runs_to_come(sweep, planned))
    for run in runs if planned.assignments is not None else ():
        method_of(run)
    largest, images = max(run.batch for run in runs), len(dataset.train_images)
    if largest > images:
        raise InputError(f"base.batch: {largest} images a step, but the training set has {images}")
    layouts = [LatentCodes(layout, fixed_std=True) for layout in {run.codes for run in runs}]
    check_scores(dataset, layouts, sweep.evaluation.scores)
    rows = filter(None, map(metric_of, sweep.evaluation.scores))
    if any("digits" in row.inputs for row in rows):
        digit_reader(sweep.dataset.data_dir)  # trains its network, which trials then find in the cache
    fused = sweep.seeds_together == "fused" and len(sweep.seeds) > 1
    for run in runs if fused else ():
        check_objective(run.objective)
    for architecture in {run.architecture.name: run.architecture for run in runs}.values():
        narrow = architecture.model_copy(
            update={"width": 0.01}
        )  # fits if the full one does, and costs nothing
        codes = LatentCodes(sweep.base.codes, fixed_std=True)
        replicas = [build_networks(narrow, dataset.image_shape, codes) for _ in range(2)]
        check_networks(replicas[0], dataset.image_shape, codes)
        if fused:
            check_stackable(replicas, codes)
    return planned


def start(
    sweep: SweepConfig,
    *,
    address: str | None = None,
    storage: str | None = None,
    ship_code: bool = False,
    listeners: Sequence[SweepListener] = (),
) -> Outcome:
    """Run a sweep in a new sweep folder, and report it.

    Args:
        sweep: what to run.
        address: of a running Ray cluster; None starts Ray on this machine.
        storage: in place of the sweep's own.
        ship_code: bring this project's packages, and the user's modules, to the workers.
        listeners: told of every trial, besides the sweep folder and MLflow.

    Raises:
        InputError: for what a user can mend, before any trial; no folder is left behind then.
    """
    if storage is not None:
        sweep = sweep.model_copy(update={"storage": _place(storage)})
    planned = check(sweep)
    earlier = read_warm_start(sweep)
    folder = SweepFolder.create(sweep, describe_environment())
    keep_warm_start(folder.path, earlier)
    assignments = [
        Assignment(trial_name(number), params) for number, params in enumerate(planned.assignments or ())
    ]
    with sole_user(folder.path):
        try:
            return _Session(sweep, folder, planned.total, listeners).run(assignments, address, ship_code)
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
) -> Outcome:
    """Finish what is left of the sweep in `path`; trials that have ended are left as they are.

    A trial that was interrupted goes on from its last whole checkpoint, bit for bit as if it had not been.
    Arguments are those of `start`; checkpoints move to another `storage` if one is named.

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
) -> Outcome:
    sweep = folder.sweep
    warnings = _edits(folder, sweep)
    planned = check(sweep)
    storage = _moved_storage(folder, sweep)
    try:
        folder.note_as_run(sweep)
        folder.flush()
    except OSError as error:
        raise InputError(disk_fault(error, folder.path) if is_disk_fault(error) else str(error)) from None
    known = {trial: update.params for trial, update in folder.updates.items()}
    known |= {trial_name(number): params for number, params in enumerate(planned.assignments or ())}
    with storage.required():
        left = [
            Assignment(trial, params, _checkpoint(folder, storage, trial, warnings))
            for trial, params in sorted(known.items(), key=lambda item: trial_order(item[0]))
            if trial not in folder.updates or not folder.updates[trial].status.ended
        ]
    compared = 0
    if sweep.scheduler.name == "pbt":
        ended = (update.step for update in folder.updates.values() if update.status.ended)
        left, compared = rejoined(left, ended, interval(sweep), storage)
    session = _Session(sweep, folder, planned.total, listeners, compared)
    session.warnings += warnings
    return session.run(left, address, ship_code)


def _place(storage: str) -> str:
    try:
        return storage_place(storage)
    except ValueError as error:
        raise InputError(f"--storage: {error}") from None


def _moved_storage(folder: SweepFolder, sweep: SweepConfig) -> Storage:
    """The storage that `sweep` names, with all that lies in the one that it named when it ran last."""
    storage, was = folder.storage(sweep.storage), folder.as_run
    if was is not None and was.storage != sweep.storage:
        try:
            storage.take_over(folder.storage(was.storage))
        except OSError as error:
            before = was.storage or folder.path
            raise InputError(
                f"storage: the checkpoints cannot be brought from {before} to {storage.place}: {error}"
            ) from None
    return storage


def _edits(folder: SweepFolder, sweep: SweepConfig) -> list[str]:
    """What to tell of the changes of `sweep` since it ran."""
    was = folder.as_run
    if was is None:
        return [f"{folder.path}: holds no {AS_RUN}, so a change of sweep.yaml since it ran would not be seen"]
    edits = accepted_edits(was, sweep, folder.path / "sweep.yaml")
    return [f"sweep.yaml has changed since it ran: {edit}" for edit in edits]


class _Session:
    """One stretch of a sweep, from the start of Ray to the report."""

    def __init__(
        self,
        sweep: SweepConfig,
        folder: SweepFolder,
        total: int,
        listeners: Sequence[SweepListener],
        compared: int = 0,
    ) -> None:
        self.sweep = sweep
        self.folder = folder
        self.total = total
        self.storage = folder.storage(sweep.storage)
        self.compared = compared  # step of a population's last comparison
        self.tracker = tracker_of(sweep, folder) if sweep.tracking.enabled else None
        self.search = _learning_search(sweep)
        self.record = SessionRecord(folder.path)
        self.listeners = [*listeners, self.record, *([self.tracker] if self.tracker else [])]
        self.signals = StopSignals()
        self.warnings: list[str] = []
        self.fault: OSError | None = None  # why the sweep folder could not be written
        self._started: list[SweepListener] = []

    def run(self, assignments: Sequence[Assignment], address: str | None, ship_code: bool) -> Outcome:
        """Run what is left, and report."""
        with self.signals, logging_to(self.folder.path / "sweep.log"):
            warnings: list[str | None] = []
            for warning in self.warnings:
                log.warning(warning)
            try:
                self._train(assignments, address, ship_code)
            except (KeyboardInterrupt, SystemExit) as stop:
                if isinstance(stop, SystemExit):  # Ray's answer to a SIGTERM while it starts
                    self.signals.received = signal.SIGTERM
                log.warning("stopped by a signal while no trial ran")
            except BaseException:
                self._end(Status.FAILED)
                raise
            outcome = Outcome(
                folder=self.folder.path,
                planned=self.total,
                trials=tuple(self.folder.updates.values()),
                signal=self.signals.received,
                fault=disk_fault(self.fault, self.folder.path) if self.fault else None,
                tracking_uri=self.tracker.uri if self.tracker else None,
            )
            if self.fault is None:
                left = _fetch_left(self.folder, self.storage)
                warnings.append(left)
                if outcome.complete and not left:
                    self.storage.clear()  # nothing is left to resume
                self.record.note(outcome.status)
                warnings.append(_report(self.folder))
            self._end(outcome.status)
            warnings.append(self.tracker.warning if self.tracker else None)
        told = tuple(warning for warning in (*self.warnings, *warnings) if warning)
        return replace(outcome, signal=self.signals.received, warnings=told)

    def _end(self, status: Status) -> None:
        for listener in self._started:
            listener.ended(status)

    def _train(self, assignments: Sequence[Assignment], address: str | None, ship_code: bool) -> None:
        """Start or join Ray, and run what is left."""
        proposals = None
        if self.search:
            earlier = kept_earlier_trials(self.folder.path, self.sweep)
            proposals = self.search(self.sweep, self.folder.path, self.total, self.folder.updates, earlier)
        to_come = len(assignments) + (proposals.left if proposals else 0)
        code = shipped_code(self.sweep.extensions) if ship_code else None
        with ExitStack() as stack:
            reached = stack.enter_context(self._reaching_mlflow())
            if to_come:
                with self.signals.insisting():
                    stack.enter_context(ray_cluster(address, code))
                request, shared = self._prepare(assignments)
            if (warning := reached.result()) is not None:
                self.warnings.append(warning)
            for listener in self.listeners:
                listener.started(self.total)
                self._started.append(listener)
            if self.tracker:
                self.tracker.catch_up(self.folder.updates.values())  # on what an earlier stop cut off
            if to_come:
                planner = Planner(assignments, proposals, self.sweep.goal.mode)
                dropped = self._tune(planner, to_come, request, shared)
                while dropped:
                    again = [
                        replace(
                            each,
                            checkpoint=_checkpoint(self.folder, self.storage, each.trial, self.warnings),
                        )
                        for each in dropped
                    ]
                    planner = Planner(again, None, self.sweep.goal.mode)
                    dropped = self._tune(planner, len(again), request, shared)
        if proposals:
            proposals.close(self.folder.updates)
        with self._noting_a_fault():
            self.folder.flush()

    def _prepare(self, assignments: Sequence[Assignment]) -> tuple[dict[str, float], ray.ObjectRef]:
        """What a trial asks of Ray, which some node has, and a reference to what the trials share."""
        resources = self.sweep.resources
        request = trial_request(resources)
        require_a_node(request, resources.wait)
        require_able_nodes(request, self.storage, self.sweep.extensions)
        shared = ray.put(
            Shared(
                self.sweep,
                load_dataset(self.sweep.dataset),
                extension_sources(self.sweep.extensions),
                self.storage,
                trial_threads(request.get("CPU", 1)),
            )
        )
        if resources.gpus == "auto" and GPU in request:
            planned = (each.values for each in assignments)
            request[GPU], warning = measured_gpus(self.sweep, planned, shared, request)
            if warning:
                log.warning(warning)
                self.warnings.append(warning)
        self.record.request = request
        return request, shared

    @contextmanager
    def _reaching_mlflow(self) -> Iterator[Future[str | None]]:
        """Give what the tracker's `preflight` will have found, in a thread while Ray starts: a new database takes a
        second. It goes on to its end whatever happens, since half a database would be of no use to the next sweep."""
        with ThreadPoolExecutor(max_workers=1) as thread:
            yield thread.submit(lambda: self.tracker.preflight() if self.tracker else None)

    @contextmanager
    def _noting_a_fault(self) -> Iterator[None]:
        """Take a full disk for what it is: an end from which the sweep can be resumed."""
        try:
            yield
        except OSError as error:
            if not is_disk_fault(error):
                raise
            self.fault = self.fault or error

    def _tune(
        self, planner: Planner, to_come: int, request: Mapping[str, float], shared: ray.ObjectRef
    ) -> list[Assignment]:
        """Run `to_come` trials by Ray Tune, until they are done, their time is up, or a signal comes.

        Returns:
            Those that Tune dropped and that are to be run again; none after a signal or a fault, or when time is up.
        """
        there_is = ray.cluster_resources()
        slots = min((int(there_is.get(name, 0) // amount) for name, amount in request.items()), default=1)
        os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(trials_ahead(slots, planner.learns))
        events = Events(self.folder, self.storage, self.sweep.seeds, self.listeners)
        began, limit = time.monotonic(), self.sweep.search.time_limit
        try:
            with self._noting_a_fault():
                tune.run(
                    InfoGANTrainable,
                    name=self.storage.new_run(),
                    storage_path=self.storage.path,
                    storage_filesystem=self.storage.filesystem,
                    config={"shared": shared},
                    search_alg=planner,
                    scheduler=scheduler(self.sweep, population=to_come, compared=self.compared),
                    num_samples=to_come,
                    time_budget_s=self.sweep.search.time_limit,
                    resources_per_trial=tune.PlacementGroupFactory([dict(request)]),
                    max_failures=self.sweep.resources.retries,
                    trial_dirname_creator=lambda trial: assignment_of(trial.config).trial,
                    reuse_actors=True,
                    raise_on_failed_trial=False,
                    callbacks=[events],
                    verbose=0,
                )
        except KeyboardInterrupt:
            log.warning("stopped by a signal outside of Ray Tune's loop")
        cut_short = self.signals.received or self.fault
        events.end_all(Status.INTERRUPTED if cut_short else Status.STOPPED)
        self.fault = self.fault or events.fault
        self.warnings += events.warnings
        time_is_up = limit is not None and time.monotonic() - began >= limit
        return [] if cut_short or self.fault or time_is_up else events.dropped


def _report(folder: SweepFolder) -> str | None:
    """Make the report; a warning if that fails. The results are safe in the folder, and it can be made again."""
    import infogan_reports  # here, since a sweep begins sooner without

    from infogan_bench.pictures.for_report import write_report_pictures

    try:
        for problem in write_report_pictures(folder.path):
            log.warning(problem)
        infogan_reports.build_report(folder.path)
    except Exception as error:
        log.exception("the report could not be made")
        return f"the report could not be made: {error}; see {folder.path / 'sweep.log'}"
    return None


def _learning_search(sweep: SweepConfig) -> type[Proposals] | None:
    """What proposes trials while the sweep runs, if its search learns: imported with Optuna, which others do without.

    Call it before `logging_to`, which takes over Optuna's loggers as they are when it is imported.
    """
    if plan(sweep).assignments is not None:
        return None
    from infogan_bench.sweep.search.proposals import Proposals

    return Proposals


def _checkpoint(folder: SweepFolder, storage: Storage, trial: str, warnings: list[str]) -> str | None:
    """The path on the storage of a trial's newest whole checkpoint; of the one before it, with a warning, if it was cut
    short."""
    own = folder.trial_folder(trial)
    if own.is_dir():  # it had ended, and the driver died before that was on record
        storage.add(trial, own)
    for path in storage.saved(trial):
        with storage.at_hand(path) as place:
            try:
                require_whole(place)
            except InputError as error:
                what = str(error).replace(str(place), path)
                warnings.append(
                    f"trial {trial} goes on from an earlier checkpoint, or from the start: {what}"
                )
            else:
                folder.take_history(trial, place)
                return path
    return None


def _fetch_left(folder: SweepFolder, storage: Storage) -> str | None:
    """Fetch what ended trials wrote and could not be fetched when they ended; a warning if it still cannot."""
    try:
        for trial in sorted(storage.trials()):
            update = folder.last(trial)
            if update is not None and update.status.ended and not folder.trial_folder(trial).is_dir():
                for path in storage.saved(trial):
                    with storage.at_hand(path) as place, suppress(InputError):
                        require_whole(place)
                        folder.keep(trial, storage, path)
                        break
    except OSError as error:
        return f"checkpoints and pictures of ended trials lie in {storage.place} still; `resume` fetches them: {error}"
    return None


def _runs_to_come(sweep: SweepConfig, planned: Plan) -> Iterator[RunConfig]:
    """Every run of a plan; where the search makes the plan as it goes, the base run and every single choice."""
    if planned.assignments is not None:
        yield from (apply(sweep.base, params) for params in planned.assignments)
        return
    yield sweep.base
    for key, domain in sweep.space.items():
        yield from (apply(sweep.base, {key: value}) for value in domain.probes())
