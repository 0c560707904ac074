"""Population based training (Jaderberg et al., 2017, arXiv 1711.09846): trials that learn from one another.

Every `scheduler.every` steps the population stops and is ranked. Each trial of the lower quantile takes over the
networks and optimisers of a trial drawn from the upper quantile (exploit). It continues with values near the values of
that trial (explore).

The population waits for its slowest trial, as in appendix A.1 of the paper. So takeovers depend only on the scores, and
not on the speed of machines: the same file and seed give the same run. Random numbers follow from `search.seed`, the
step and the trial.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from infogan_bench.config import Choice, Domain, SchedulerConfig, SweepConfig, apply
from infogan_bench.records import Mutation, read_trial
from infogan_bench.sweep.engine.alone import AloneAfterFault
from infogan_bench.sweep.engine.trainable import GOAL, PLANNED_TRIAL, STEP, planned_trial_of
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore, upload
from infogan_bench.sweep.record.checkpoints import exploit

log = logging.getLogger(__name__)


def donors(
    scores: Mapping[str, float | None], *, quantile: float, mode: str, seed: int, step: int
) -> dict[str, str]:
    """The trials that take over from others: {trial of the lower quantile: trial of the upper one}.

    A trial without a finite score ranks below all others, and of equal trials the later one ranks lower. No trial takes
    over from a trial that is not better.

    Args:
        scores: the goal of every trial at `step`.
        quantile: share of the trials, rounded up, at most half of them.
        mode: "max" or "min".
        seed, step: of what is drawn.
    """
    sign = 1.0 if mode == "max" else -1.0
    worth = {
        trial: sign * score if score is not None and math.isfinite(score) else -math.inf
        for trial, score in scores.items()
    }
    best_first = sorted(worth, key=lambda trial: (-worth[trial], trial))
    count = min(math.ceil(len(best_first) * quantile), len(best_first) // 2)
    upper, lower = best_first[:count], best_first[len(best_first) - count :]
    drawn = {trial: _rng(seed, step, trial, "donor").choice(upper) for trial in sorted(lower)}
    return {trial: donor for trial, donor in drawn.items() if worth[donor] > worth[trial]}


def explore(
    values: Mapping[str, float], space: Mapping[str, Domain], scheduler: SchedulerConfig, rng: random.Random
) -> dict[str, float]:
    """Return values near `values`, inside `space`.

    With probability `resample` a value is drawn anew from its domain. Else a number of a range is multiplied by one
    of `factors` (and kept inside the range, on its ticks), and one of a list moves to the entry before or after it.
    """
    return {
        key: space[key].sample(rng)
        if rng.random() < scheduler.resample
        else _perturbed(value, space[key], scheduler.factors, rng)
        for key, value in values.items()
    }


def _perturbed(value: float, domain: Domain, factors: Sequence[float], rng: random.Random) -> Any:
    if isinstance(domain, Choice):
        place = domain.values.index(value) + rng.choice((-1, 1))
        return domain.values[min(max(place, 0), len(domain.values) - 1)]
    moved = value * rng.choice(factors)
    if domain.ticks is None:
        return domain.rounded(moved)
    tick = round(moved / (domain.step or 1))
    return domain.at(min(max(tick, domain.ticks.start), domain.ticks.stop - 1))


def _rng(seed: int, step: int, trial_id: str, purpose: str) -> random.Random:
    return random.Random(f"{seed} {step} {trial_id} {purpose}")  # noqa: S311


class PopulationBasedTraining(AloneAfterFault, FIFOScheduler):  # type: ignore[misc]
    """Pauses every trial at each comparison of the population, and lets all trials continue after it.

    Ray's own scheduler of this name takes no searcher, draws from Python's global random state, and cannot resume from
    our checkpoints.

    Args:
        sweep: the sweep.
        size: number of trials that run, all of them one population.
        compared: step of the last comparison of an earlier stretch of the sweep; 0 if there was none.
    """

    def __init__(self, sweep: SweepConfig, size: int, compared: int = 0) -> None:
        super().__init__()
        self._sweep = sweep
        self._size = size
        self._every = interval(sweep)
        self._next = compared + self._every

    def on_trial_result(self, tune_controller: Any, trial: RayTrial, result: dict[str, Any]) -> str:
        """Pause the trial if it has reached the step of the next comparison."""
        return str(TrialScheduler.PAUSE if result[STEP] >= self._next else TrialScheduler.CONTINUE)

    def choose_trial_to_run(self, tune_controller: Any) -> RayTrial | None:
        """A trial that waits to start, else one that waited for its population. Compares the population when all of it
        waits.

        Ray calls this several times a second. The population does not wait for a trial that has ended, such as a failed
        one.
        """
        trials = tune_controller.get_trials()
        pending = next((trial for trial in trials if trial.status == RayTrial.PENDING), None)
        if pending is not None:
            return pending
        population = [trial for trial in trials if not trial.is_finished()]
        all_wait = all(trial.status == RayTrial.PAUSED for trial in population)
        if len(trials) == self._size and population and all_wait:
            self._compare(population)
            self._next += self._every
        held = (trial for trial in population if trial.status == RayTrial.PAUSED)
        return next((trial for trial in held if trial.last_result[STEP] < self._next), None)

    def debug_string(self) -> str:
        """Return a line for Ray's log."""
        return f"population based training, next comparison at step {self._next}"

    def _compare(self, population: Sequence[RayTrial]) -> None:
        """Let the worst trials take over from the best, except for takeovers that an earlier stretch of the sweep
        made."""
        by_id = {planned_trial_of(trial.config).trial_id: trial for trial in population}
        scores = {name: trial.last_result.get(GOAL) for name, trial in by_id.items()}
        config, seed = self._sweep.scheduler, self._sweep.search.seed
        found = donors(
            scores, quantile=config.quantile, mode=self._sweep.goal.mode, seed=seed, step=self._next
        )
        for name, donor in found.items():
            if any(
                mutation.step == self._next for mutation in planned_trial_of(by_id[name].config).mutations
            ):
                continue
            self._take_over(by_id[name], by_id[donor])
            log.info("step %d: trial %s (%s) takes over from trial %s (%s)",
                     self._next, name, scores[name], donor, scores[donor])  # fmt: skip

    def _take_over(self, trial: RayTrial, donor: RayTrial) -> None:
        """Give `trial` a checkpoint with the donor's networks, and values near the donor's."""
        own, other = planned_trial_of(trial.config), planned_trial_of(donor.config)
        rng = _rng(self._sweep.search.seed, self._next, own.trial_id, "values")
        values = explore(other.values, self._sweep.space, self._sweep.scheduler, rng)
        mutation = Mutation(self._next, other.trial_id, values)
        target = f"{trial.checkpoint.path}-from-{other.trial_id}"  # sorts after that one, before the next
        with (
            TemporaryDirectory() as scratch,
            trial.checkpoint.as_directory() as last,
            donor.checkpoint.as_directory() as best,
        ):
            new = Path(scratch) / "new"
            exploit(Path(last), Path(best), new, mutation, apply(self._sweep.base, values))
            upload(new, trial.checkpoint.filesystem, target)
        changed = replace(own, checkpoint=target, mutations=(*own.mutations, mutation), waits=False)
        trial.set_config({**trial.config, PLANNED_TRIAL: changed.to_json()})


def interval(sweep: SweepConfig) -> int:
    """Return the number of steps between two comparisons."""
    return sweep.scheduler.interval(sweep.base.steps, sweep.evaluation.every)


def rejoined(
    planned: Iterable[PlannedTrial], ended: Iterable[int], every: int, store: CheckpointStore
) -> tuple[list[PlannedTrial], int]:
    """The trials of a resumed sweep with the state of their checkpoints, and the step of the last comparison.

    A comparison is over if a trial has trained beyond it. If all trials have reached it and none has trained on, it is
    made again, with the same outcome: the trials report that step once more.

    Args:
        planned: the trials that have not ended.
        ended: the steps at which the others ended.
        every: steps between two comparisons.
        store: where the checkpoints lie.
    """
    known, steps = [], {}
    for each in planned:
        if each.checkpoint:
            with store.at_hand(each.checkpoint) as folder:
                record = read_trial(folder)
                each, steps[each.trial_id] = replace(each, mutations=record.mutations), record.step
        known.append(each)
    furthest = max((*steps.values(), *ended), default=0)
    compared = max(0, furthest - 1) // every * every
    return [replace(each, waits=steps.get(each.trial_id, 0) >= compared + every) for each in known], compared
