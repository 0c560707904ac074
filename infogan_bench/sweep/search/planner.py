"""Which trial comes next, and which is stopped early: a sweep file's search and scheduler for Ray Tune."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, MedianStoppingRule, TrialScheduler
from ray.tune.search import Searcher

from infogan_bench.config import SweepConfig
from infogan_bench.records.results import TrialUpdate
from infogan_bench.sweep.engine.full_card import AloneOnFullCard
from infogan_bench.sweep.engine.hyperband import HyperBand
from infogan_bench.sweep.engine.pbt import PopulationBasedTraining
from infogan_bench.sweep.engine.trainable import OBJECTIVE, STEP, UPDATE, Assignment

if TYPE_CHECKING:  # Optuna, with its database, is imported where a search needs it
    from infogan_bench.sweep.search.proposals import Proposals


class Planner(Searcher):  # type: ignore[misc]
    """Hands out the planned trials in order, then what `proposals` comes up with.

    One searcher for all algorithms, so that a trial's id is its place in the plan whatever the algorithm.
    """

    def __init__(self, planned: Iterable[Assignment], proposals: Proposals | None, mode: str) -> None:
        super().__init__(metric=OBJECTIVE, mode=mode)
        self._planned = deque(planned)
        self._proposals = proposals
        self._open: dict[str, Assignment] = {}
        self._reports: dict[str, str] = {}  # the last one of each open trial: a paused one ends without any

    @property
    def learns(self) -> bool:
        """Whether what comes next depends on what has ended."""
        return self._proposals is not None

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """The next trial's part of the configuration, or FINISHED."""
        if self._planned:
            assignment = self._planned.popleft()
        elif self._proposals is not None and self._proposals.left:
            assignment = self._proposals.propose()
        else:
            return str(Searcher.FINISHED)
        if self._proposals is not None:
            self._open[trial_id] = assignment
        return {"assignment": assignment.to_json()}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Remember the report."""
        if trial_id in self._open:
            self._reports[trial_id] = result[UPDATE]

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the proposals how the trial ended."""
        assignment, report = self._open.pop(trial_id, None), self._reports.pop(trial_id, None)
        if assignment is not None and self._proposals is not None:
            text = result[UPDATE] if result else report
            known = None if error or text is None else TrialUpdate.from_json(text)
            self._proposals.observe(assignment.trial, known)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: a resumed sweep plans anew from what the sweep folder says has ended."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """See `save`."""


def trials_ahead(slots: int, learns: bool) -> int:
    """How many trials wait for one of the `slots` in which trials run.

    Ray starts as many processes at a time as trials wait, and keeps no more free ones for the next trials. A search
    that learns knows more the later it is asked; but with one trial that waits, 1,000 slots would be filled one after
    the other, in hours, and no more of them from where on trials end faster than processes start.
    """
    return max(1, slots // 4 if learns else slots)


class _Line(AloneOnFullCard):
    """Mixed into a scheduler: the trials that wait start in the order of the plan.

    Ray's own choice looks at all trials of the sweep at every event. And it gives a process that is free to the first
    one that waits, even if a process starts for that one already, and is then thrown away: where trials end more often
    than a process takes to start, one that was lost would never be replaced.
    """

    def choose_trial_to_run(self, tune_controller: Any) -> RayTrial | None:
        """The first that waits and that no process starts for; else the first that waits, or that was paused."""
        live = tune_controller.get_live_trials()
        waiting = [trial for trial in live if trial.status == RayTrial.PENDING]
        unserved = [trial for trial in waiting if not _process_starts(tune_controller, trial)]
        paused = [trial for trial in live if trial.status == RayTrial.PAUSED]
        return min(unserved or waiting or paused, key=lambda trial: trial.trial_id, default=None)


def _process_starts(tune_controller: Any, trial: RayTrial) -> bool:
    """Whether Ray starts a process for a trial that waits, for which it has no public word."""
    controller = tune_controller._tune_controller
    actor = controller._trial_to_actor.get(trial)
    return actor is not None and bool(controller._actor_manager.is_actor_started(actor))


class _ASHA(_Line, AsyncHyperBandScheduler):  # type: ignore[misc]
    """Ray's ASHA."""


class _Median(_Line, MedianStoppingRule):  # type: ignore[misc]
    """Ray's median stopping rule."""


class _InOrder(_Line, FIFOScheduler):  # type: ignore[misc]
    """No early stop."""


def scheduler(sweep: SweepConfig, *, population: int = 0, compared: int = 0) -> TrialScheduler:
    """The scheduler for `sweep.scheduler`; it counts in training steps.

    Args:
        sweep: the sweep.
        population, compared: for pbt, how many trials run, and the step of their last comparison before a resume.
    """
    config = sweep.scheduler
    lengths = sweep.space["steps"].probes() if "steps" in sweep.space else (sweep.base.steps,)
    longest, grace = int(max(lengths)), config.grace_steps(int(min(lengths)))
    if config.name == "asha":
        return _ASHA(
            time_attr=STEP,
            metric=OBJECTIVE,
            mode=sweep.goal.mode,
            grace_period=grace,
            max_t=max(longest, grace + 1),
            reduction_factor=config.reduction,
        )
    if config.name == "median":
        return _Median(time_attr=STEP, metric=OBJECTIVE, mode=sweep.goal.mode, grace_period=grace)
    if config.name == "pbt":
        return PopulationBasedTraining(sweep, population, compared)
    if config.name == "hyperband":
        return HyperBand(longest=longest, grace=grace, reduction=config.reduction, mode=sweep.goal.mode)
    return _InOrder()
