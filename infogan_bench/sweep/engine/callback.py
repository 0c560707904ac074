"""Translation of Ray Tune's callbacks into calls of `SweepListener`s."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ray.exceptions import RayActorError
from ray.tune import Callback
from ray.tune.experiment import Trial as RayTrial
from ray.tune.result import SHOULD_CHECKPOINT, TIME_THIS_ITER_S

from infogan_bench.errors import reason
from infogan_bench.records import Status, SweepListener, TrialUpdate
from infogan_bench.records.results import EndedBy
from infogan_bench.sweep.engine.full_card import FullCardError, PackLostError, alone_reason
from infogan_bench.sweep.engine.ray_private import error_of, forgive_failure, node_was_lost
from infogan_bench.sweep.engine.time_left import TimeLeft
from infogan_bench.sweep.engine.trainable import (
    STEP,
    TRACEBACK,
    UPDATE,
    WARNING,
    at_step_0,
    planned_trial_of,
)
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.sweep.record.disk import is_disk_fault
from infogan_bench.sweep.record.folder import SweepFolder
from infogan_bench.training.memory import is_out_of_memory

log = logging.getLogger(__name__)


class Events(Callback):  # type: ignore[misc]
    """Tells the listeners what happens to the trials, and keeps the files of ended trials.

    `fault` is the reason if the sweep folder, or a checkpoint, could not be written. `warnings` are messages of the
    trials to the user. `dropped` are trials that Tune gave up and that must run again.
    """

    def __init__(
        self,
        folder: SweepFolder,
        store: CheckpointStore,
        seeds: Sequence[int],
        listeners: Sequence[SweepListener],
        time_left: TimeLeft,
    ) -> None:
        self._time_left = time_left
        self._folder = folder
        self._store = store
        self._seeds = seeds
        self._listeners = (folder, *listeners)
        self._live: dict[str, tuple[RayTrial, TrialUpdate]] = {}
        self.fault: OSError | None = None
        self.warnings: list[str] = []
        self.dropped: list[PlannedTrial] = []
        self._recovered: dict[str, int] = {}  # trial id -> Tune's iteration at its last fault
        self._fault_steps: dict[str, int] = {}  # trial id -> its step at that fault

    def on_step_begin(self, iteration: int, trials: list[RayTrial], **info: Any) -> None:
        """Count the trials that hold a slot or wait for one."""
        if self._time_left.is_limited:
            live = (trial.status in (RayTrial.RUNNING, RayTrial.PENDING) for trial in trials)
            self._time_left.note_live(sum(live))

    def on_trial_start(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        planned = planned_trial_of(trial.config)
        known = self._folder.last(planned.trial_id)
        self._tell(trial, _first_update(planned, self._seeds, known))

    def on_trial_result(
        self, iteration: int, trials: list[RayTrial], trial: RayTrial, result: dict[str, Any], **info: Any
    ) -> None:
        update = TrialUpdate.from_json(result[UPDATE])
        steps = update.step - self._last_update(trial).step
        self._time_left.note_report(update.trial_id, result[TIME_THIS_ITER_S], steps)
        if result[SHOULD_CHECKPOINT]:
            self._make_room(trial)
        if WARNING in result and result[WARNING] not in self.warnings:
            self.warnings.append(result[WARNING])
            log.warning(result[WARNING])
        if TRACEBACK in result:
            log.error("trial %s failed\n%s", update.trial_id, result[TRACEBACK])
        # Listeners hear of the end when the trial's last checkpoint is written: on_trial_complete.
        self._tell(
            trial, replace(update, status=Status.RUNNING) if update.status.ended else update, last=update
        )

    def on_trial_complete(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._end(trial, Status.STOPPED, EndedBy.SCHEDULER)

    def on_trial_error(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        error = error_of(trial)
        if self._note_fault(error):
            return  # the trial has no fault; `end_all` interrupts it
        planned = planned_trial_of(trial.config)
        if self._recovered.get(planned.trial_id) == iteration:
            # Tune reports the death of a process twice if the process dies while it gets its next trial. The first
            # time, Tune queues the trial again. The second time, it gives the trial up, and would never run it.
            self.dropped.append(planned)
            self._end(trial, Status.INTERRUPTED, EndedBy.INTERRUPT)
            log.warning("trial %s begins at the end: its process died before it began", planned.trial_id)
            return
        self._end(trial, Status.FAILED, EndedBy.DONE, error=_reason(error))
        log.error("trial %s failed: %s", planned.trial_id, error)

    def on_trial_recover(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        error, name, step = (
            error_of(trial),
            planned_trial_of(trial.config).trial_id,
            trial.last_result.get(STEP, 0),
        )
        if self._note_fault(error):
            return
        if node_was_lost(error) and step > self._fault_steps.get(name, -1):
            # A trial that got further since its last fault did not bring its node down, so this fault is not counted.
            forgive_failure(trial)
        self._recovered[name], self._fault_steps[name] = iteration, step
        log.warning("trial %s goes on from its last checkpoint: %s", name, _reason(error))

    def on_step_end(self, iteration: int, trials: list[RayTrial], **info: Any) -> None:
        """Tick, or raise the `fault`, which ends Ray Tune's loop: without a disk the sweep cannot continue."""
        for listener in self._listeners:
            with self._noting_faults():
                listener.tick()
        if self.fault is not None:
            raise self.fault

    def end_all(self, status: Status) -> None:
        """End the trials that Ray dropped without an event: STOPPED at the time limit, else INTERRUPTED."""
        ended_by = EndedBy.INTERRUPT if status is Status.INTERRUPTED else EndedBy.TIME_LIMIT
        for trial, _ in list(self._live.values()):
            self._end(trial, status, ended_by)

    def _end(self, trial: RayTrial, status: Status, ended_by: EndedBy, error: str | None = None) -> None:
        """Tell listeners the last update. A trial that has ended by itself keeps its own status, unless it was
        interrupted before its last checkpoint was written."""
        name = planned_trial_of(trial.config).trial_id
        update = self._last_update(trial)
        if not update.status.ended or (status is Status.INTERRUPTED and not update.status.bad):
            update = replace(update, status=status, error=error or update.error, ended_by=ended_by)
        else:
            update = replace(update, ended_by=EndedBy.DONE)
        checkpoint = trial.checkpoint
        if update.status.ended and checkpoint is not None:
            self._keep(name, checkpoint.path)
        if self.fault is None or status is Status.INTERRUPTED:  # `end_all` interrupts the others
            self._live.pop(name, None)
            self._send(update)

    def _last_update(self, trial: RayTrial) -> TrialUpdate:
        """The last update of a trial; that with which it begins, if it has not begun."""
        planned = planned_trial_of(trial.config)
        if planned.trial_id in self._live:
            return self._live[planned.trial_id][1]
        return _first_update(planned, self._seeds, self._folder.last(planned.trial_id))

    def _keep(self, trial_id: str, checkpoint: str) -> None:
        try:
            self._folder.keep(trial_id, self._store, checkpoint)
        except OSError as error:
            if not self._note_fault(error):  # an object store that does not answer now may do so at the end
                log.warning("what trial %s wrote stays in %s for now: %s", trial_id, self._store.place, error)

    def _make_room(self, trial: RayTrial) -> None:
        """Remove all but the last checkpoint of a trial before another one is written, so that there are at most two.
        After a takeover there are three: Ray does not know the last one, and would count the loss of its own as a
        fault.

        Ray's own `num_to_keep` would write all its state at every save.
        """
        planned = planned_trial_of(trial.config)
        of_ray = trial.checkpoint.path if trial.checkpoint is not None else None
        saved = self._store.saved(planned.trial_id)
        last = next((path for path in saved if path in (of_ray, planned.checkpoint)), None)
        for path in saved:
            if path not in (of_ray, last):
                self._store.remove(path)

    def _note_fault(self, error: BaseException | None) -> bool:
        """Say whether `error`, of the driver or a worker, is a lack of space or of a permission, and keep it as the
        `fault`."""
        cause = getattr(error, "cause", None) or error
        if not isinstance(cause, OSError) or not is_disk_fault(cause):
            return False
        log.error("cannot write: %s", cause)
        self.fault = cause
        return True

    @contextmanager
    def _noting_faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._note_fault(error):
                raise

    def _tell(self, trial: RayTrial, update: TrialUpdate, last: TrialUpdate | None = None) -> None:
        self._live[update.trial_id] = (trial, last or update)
        self._send(update)

    def _send(self, update: TrialUpdate) -> None:
        for listener in self._listeners:
            with self._noting_faults():
                listener.updated(update)


def _first_update(planned: PlannedTrial, seeds: Sequence[int], known: TrialUpdate | None) -> TrialUpdate:
    """The first update of a trial: at step 0, or as it was when it was interrupted."""
    if known is not None:
        resumed = tuple(replace(seed, status=Status.RUNNING) for seed in known.seeds)
        return replace(
            known,
            status=Status.RUNNING,
            seeds=resumed,
            error=None,
            ended_by=None,
            mutations=planned.mutations,
        )
    return at_step_0(planned, seeds, Status.RUNNING)


def _import_error(error: BaseException) -> str | None:
    """The line on an import that failed in a new process; Ray hands it on in the text of its own error."""
    lines = [line.strip() for line in str(error).splitlines()]
    found = [line for line in lines if line.startswith(("ImportError:", "ModuleNotFoundError:"))]
    return found[-1] if found else None


def _reason(error: BaseException | None) -> str:
    """The reason why a trial failed, in one line."""
    if error is None:
        return "failed for a reason that Ray does not tell; see sweep.log"
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, FullCardError):
        return f"its share of a card was too small, so it waits for a whole one ({cause})"
    if isinstance(cause, PackLostError):
        return (
            f"the trials that trained with it lost their process or their stack, so it trains apart ({cause})"
        )
    if is_out_of_memory(cause):
        return alone_reason(cause)
    if node_was_lost(error):
        return "its node was lost, or the way to it"
    if isinstance(error, RayActorError) and (missing := _import_error(error)):
        return f"its process could not import what it needs: {missing}"
    if isinstance(error, RayActorError) or isinstance(cause, RayActorError):
        return "its process died (killed, out of memory, or a crash in native code); see sweep.log"
    return reason(cause)
