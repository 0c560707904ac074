"""The schedulers for Ray Tune, made for a sweep; config/schedulers.py has a row for each of them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, MedianStoppingRule, TrialScheduler

from infogan_bench.config import SweepConfig
from infogan_bench.config.schedulers import find_scheduler
from infogan_bench.sweep.engine.alone import AloneAfterFault
from infogan_bench.sweep.engine.hyperband import HyperBand
from infogan_bench.sweep.engine.pbt import PopulationBasedTraining
from infogan_bench.sweep.engine.ray_private import process_starts
from infogan_bench.sweep.engine.trainable import GOAL, STEP


class SchedulerRequest(NamedTuple):
    """A request for the scheduler of a stretch of a sweep. All steps are training steps.

    Attributes:
        sweep: the sweep.
        population: how many trials run in this stretch.
        compared: the step at which a population was compared last, before a resume; 0 if it never was.
    """

    sweep: SweepConfig
    population: int = 0
    compared: int = 0

    @property
    def mode(self) -> Literal["max", "min"]:
        """The direction of the goal."""
        return self.sweep.goal.mode

    @property
    def lengths(self) -> tuple[int, ...]:
        """The steps that runs have: one number, or probes of its domain where `steps` is swept."""
        domain = self.sweep.space.get("steps")
        return tuple(map(int, domain.probes())) if domain else (self.sweep.base.steps,)

    @property
    def longest(self) -> int:
        """Steps of the longest run."""
        return max(self.lengths)

    @property
    def grace(self) -> int:
        """Steps before which no run is stopped."""
        return self.sweep.scheduler.grace_steps(min(self.lengths))


def make_scheduler(request: SchedulerRequest) -> TrialScheduler:
    """The scheduler that `scheduler.name` names."""
    return find_scheduler(request.sweep.scheduler).maker()(request)


class InPlanOrder(AloneAfterFault):
    """A mixin of schedulers: waiting trials start in the order of the plan.

    Ray's own choice looks at all trials of the sweep at every event. It also gives a free process to the first waiting
    trial, even if a process already starts for that trial (see `process_starts`).
    """

    def choose_trial_to_run(self, tune_controller: Any) -> RayTrial | None:
        """The first waiting trial for which no process starts; else the first waiting trial, or the first paused
        one."""
        live = tune_controller.get_live_trials()
        waiting = [trial for trial in live if trial.status == RayTrial.PENDING]
        unserved = [trial for trial in waiting if not process_starts(tune_controller, trial)]
        paused = [trial for trial in live if trial.status == RayTrial.PAUSED]
        return min(unserved or waiting or paused, key=lambda trial: trial.trial_id, default=None)


class _ASHA(InPlanOrder, AsyncHyperBandScheduler):  # type: ignore[misc]
    """Ray's ASHA."""


class _Median(InPlanOrder, MedianStoppingRule):  # type: ignore[misc]
    """Ray's median stopping rule."""


class _FirstCome(InPlanOrder, FIFOScheduler):  # type: ignore[misc]
    """No early stop."""


def first_come(request: SchedulerRequest) -> TrialScheduler:
    """`none`: every trial does all its steps."""
    return _FirstCome()


def asha(request: SchedulerRequest) -> TrialScheduler:
    """`asha`: Li et al., 2020, arXiv 1810.05934."""
    return _ASHA(
        time_attr=STEP,
        metric=GOAL,
        mode=request.mode,
        grace_period=request.grace,
        max_t=max(request.longest, request.grace + 1),
        reduction_factor=request.sweep.scheduler.reduction,
    )


def median(request: SchedulerRequest) -> TrialScheduler:
    """`median`: Golovin et al., 2017, section 3.2.2."""
    return _Median(time_attr=STEP, metric=GOAL, mode=request.mode, grace_period=request.grace)


def hyperband(request: SchedulerRequest) -> TrialScheduler:
    """`hyperband`: Li et al., 2018, JMLR 18/185."""
    reduction = request.sweep.scheduler.reduction
    return HyperBand(longest=request.longest, grace=request.grace, reduction=reduction, mode=request.mode)


def pbt(request: SchedulerRequest) -> TrialScheduler:
    """`pbt`: Jaderberg et al., 2017, arXiv 1711.09846."""
    return PopulationBasedTraining(request.sweep, request.population, request.compared)
