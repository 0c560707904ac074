"""Which trial comes next, and which is stopped early: a sweep file's search and scheduler for Ray Tune."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, MedianStoppingRule, TrialScheduler
from ray.tune.search import Searcher

from infogan_bench.config import Choice, Domain, SweepConfig
from infogan_bench.sweep.trainable import OBJECTIVE, STEP, Assignment


class Planner(Searcher):  # type: ignore[misc]
    """Hands out the planned trials in order, then what `proposals` comes up with.

    One searcher for all algorithms, so that a trial's id is its place in the plan whatever the algorithm.
    """

    def __init__(self, planned: Iterable[Assignment], proposals: Proposals | None, mode: str) -> None:
        super().__init__(metric=OBJECTIVE, mode=mode)
        self._planned = deque(planned)
        self._proposals = proposals
        self._open: dict[str, Assignment] = {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str:
        """The next trial's part of the configuration, or FINISHED."""
        if self._planned:
            assignment = self._planned.popleft()
        elif self._proposals is not None and self._proposals.left:
            assignment = self._proposals.propose()
        else:
            return str(Searcher.FINISHED)
        self._open[trial_id] = assignment
        return {"assignment": assignment.to_json()}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the proposals how the trial ended."""
        if self._proposals is not None:
            value = None if error or result is None else result.get(OBJECTIVE)
            self._proposals.observe(self._open.pop(trial_id), value)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: a resumed sweep plans anew from what the sweep folder says has ended."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """See `save`."""


class Proposals:
    """Configurations from Optuna's TPE (Bergstra et al., 2011), told of every trial that ended.

    Args:
        space: the domains by dotted key.
        first: number of the first trial to propose.
        total: number of trials of the whole sweep.
        seed: of the sampler; what is proposed depends on it and on what has been observed.
        mode: "max" or "min".
    """

    def __init__(self, space: Mapping[str, Domain], *, first: int, total: int, seed: int, mode: str) -> None:
        self._space = space
        self._distributions = {key: _distribution(domain) for key, domain in space.items()}
        self._next, self._total = first, total
        sampler = optuna.samplers.TPESampler(seed=seed + first, constant_liar=True)
        direction = "maximize" if mode == "max" else "minimize"
        self._study = optuna.create_study(sampler=sampler, direction=direction)
        self._open: dict[str, optuna.trial.Trial] = {}

    @property
    def left(self) -> int:
        """How many trials may still be proposed."""
        return max(0, self._total - self._next)

    def propose(self) -> Assignment:
        """The next configuration."""
        trial = self._study.ask(fixed_distributions=self._distributions)
        name = trial_name(self._next)
        self._next += 1
        self._open[name] = trial
        return Assignment(
            name, {key: _decode(value, self._space[key]) for key, value in trial.params.items()}
        )

    def observe(self, assignment: Assignment, value: float | None) -> None:
        """A trial ended; None or a non-finite value means that it failed."""
        trial = self._open.pop(assignment.trial, None)
        if trial is None:  # it was proposed before the sweep was resumed
            self.replay(assignment.params, value)
        elif value is None or not math.isfinite(value):
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, value)

    def replay(self, params: Mapping[str, Any], value: float | None) -> None:
        """Learn from a trial that this search did not propose; one without a finite value teaches nothing."""
        if value is None or not math.isfinite(value):
            return
        encoded = {key: _encode(params[key], domain) for key, domain in self._space.items()}
        self._study.add_trial(
            optuna.trial.create_trial(params=encoded, distributions=self._distributions, value=value)
        )


def trial_name(number: int) -> str:
    """The id of the trial at a place in the plan: "0003"."""
    return f"{number:04d}"


def scheduler(sweep: SweepConfig) -> TrialScheduler:
    """Ray's scheduler for `sweep.scheduler`; it counts in training steps."""
    config = sweep.scheduler
    lengths = sweep.space["steps"].probes() if "steps" in sweep.space else (sweep.base.steps,)
    longest, grace = int(max(lengths)), config.grace_steps(int(min(lengths)))
    if config.name == "asha":
        return AsyncHyperBandScheduler(
            time_attr=STEP,
            metric=OBJECTIVE,
            mode=sweep.objective.mode,
            grace_period=grace,
            max_t=max(longest, grace + 1),
            reduction_factor=config.reduction,
        )
    if config.name == "median":
        return MedianStoppingRule(
            time_attr=STEP, metric=OBJECTIVE, mode=sweep.objective.mode, grace_period=grace
        )
    return FIFOScheduler()


def _distribution(domain: Domain) -> BaseDistribution:
    """Optuna's form of a domain. Categories are scalars there, so lists travel as JSON; quantised and whole
    numbers are counted in ticks."""
    if isinstance(domain, Choice):
        return CategoricalDistribution([_scalar(value) for value in domain.values])
    if domain.ticks is not None:
        return IntDistribution(domain.ticks.start, domain.ticks.stop - 1, log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)


_COMPOUND = "json:"


def _scalar(value: Any) -> Any:
    return _COMPOUND + json.dumps(value) if isinstance(value, list | tuple) else value


def _encode(value: Any, domain: Domain) -> Any:
    if isinstance(domain, Choice):
        return _scalar(value)
    if domain.ticks is not None:
        return round(value / (domain.step or 1))
    return value


def _decode(value: Any, domain: Domain) -> Any:
    if isinstance(domain, Choice):
        compound = isinstance(value, str) and value.startswith(_COMPOUND)
        return json.loads(value.removeprefix(_COMPOUND)) if compound else value
    return domain.rounded(value) if domain.ticks is None else domain.at(value)
