"""From Ray Tune's callbacks to `SweepListener`s."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.exceptions import RayActorError
from ray.tune import Callback
from ray.tune.experiment import Trial as RayTrial

from infogan_bench.results import SeedResult, Status, SweepListener, TrialUpdate
from infogan_bench.sweep.folder import SweepFolder
from infogan_bench.sweep.trainable import TRACEBACK, UPDATE, Assignment, assignment_of

log = logging.getLogger(__name__)

_CHECKPOINTS_TO_KEEP = 2  # the last, and the one before it in case the last was cut short


class Events(Callback):  # type: ignore[misc]
    """Tells the listeners what happens to the trials, and keeps what an ended trial wrote."""

    def __init__(self, folder: SweepFolder, seeds: Sequence[int], listeners: Sequence[SweepListener]) -> None:
        self._folder = folder
        self._seeds = seeds
        self._listeners = (folder, *listeners)
        self._live: dict[str, tuple[RayTrial, TrialUpdate]] = {}

    def on_trial_start(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        assignment = assignment_of(trial.config)
        known = self._folder.last(assignment.trial)
        self._tell(trial, _first_update(assignment, self._seeds, known))

    def on_trial_result(
        self, iteration: int, trials: list[RayTrial], trial: RayTrial, result: dict[str, Any], **info: Any
    ) -> None:
        update = TrialUpdate.from_json(result[UPDATE])
        if TRACEBACK in result:
            log.error("trial %s failed\n%s", update.trial, result[TRACEBACK])
        # The end itself is told once the trial's last checkpoint is written: on_trial_complete.
        self._tell(
            trial, replace(update, status=Status.RUNNING) if update.status.ended else update, last=update
        )

    def on_trial_complete(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._end(trial, Status.STOPPED)

    def on_trial_error(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        error = _error(trial)
        self._end(trial, Status.FAILED, error=_reason(error))
        log.error("trial %s failed: %s", assignment_of(trial.config).trial, error)

    def on_trial_recover(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        log.warning(
            "trial %s goes on from its last checkpoint: its process died", assignment_of(trial.config).trial
        )

    def on_trial_save(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        if trial.checkpoint is not None:  # Ray's own `num_to_keep` would write all its state at every save
            saved = sorted(Path(trial.checkpoint.path).parent.glob("checkpoint_*"))
            for outdated in saved[:-_CHECKPOINTS_TO_KEEP]:
                shutil.rmtree(outdated, ignore_errors=True)

    def on_step_end(self, iteration: int, trials: list[RayTrial], **info: Any) -> None:
        for listener in self._listeners:
            listener.tick()

    def end_all(self, status: Status) -> None:
        """End the trials that Ray dropped without a word: by the time limit (STOPPED), or INTERRUPTED."""
        for trial, _ in list(self._live.values()):
            self._end(trial, status)

    def _end(self, trial: RayTrial, status: Status, error: str | None = None) -> None:
        """Tell the last update; a trial that says of itself that it has ended keeps its own status."""
        _, update = self._live.pop(assignment_of(trial.config).trial)
        if not update.status.ended:
            update = replace(update, status=status, error=error or update.error)
        checkpoint = trial.checkpoint
        if update.status.ended and checkpoint is not None:
            self._folder.keep(update.trial, Path(checkpoint.path))
        self._send(update)

    def _tell(self, trial: RayTrial, update: TrialUpdate, last: TrialUpdate | None = None) -> None:
        self._live[update.trial] = (trial, last or update)
        self._send(update)

    def _send(self, update: TrialUpdate) -> None:
        for listener in self._listeners:
            listener.updated(update)


def _first_update(assignment: Assignment, seeds: Sequence[int], known: TrialUpdate | None) -> TrialUpdate:
    """A trial as it starts, or as it was when it was interrupted."""
    if known is not None:
        resumed = tuple(replace(seed, status=Status.RUNNING) for seed in known.seeds)
        return replace(
            known, status=Status.RUNNING, seeds=resumed, error=None, mutations=assignment.mutations
        )
    return TrialUpdate(
        trial=assignment.trial,
        params=assignment.params,
        status=Status.RUNNING,
        seeds=tuple(SeedResult(seed, Status.RUNNING, 0) for seed in seeds),
        mutations=assignment.mutations,
    )


def _error(trial: RayTrial) -> BaseException | None:
    """The error for which Ray gave a trial up; Ray's own getters look on the storage, where it is not yet."""
    if trial.pickled_error_file is None:
        return None
    error: BaseException = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    return error


def _reason(error: BaseException | None) -> str:
    """One line on it."""
    if error is None:
        return "failed for a reason that Ray does not tell; see sweep.log"
    cause = getattr(error, "cause", None) or error
    if isinstance(error, RayActorError) or isinstance(cause, RayActorError):
        return "its process died (killed, out of memory, or a crash in native code); see sweep.log"
    lines = str(cause).strip().splitlines() or ["no message"]
    return f"{type(cause).__name__}: {lines[-1]}"
