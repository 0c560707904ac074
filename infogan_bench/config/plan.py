"""The trials of a sweep, worked out before any of them starts."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from infogan_bench.config.errors import ConfigError, Fault, count, show
from infogan_bench.config.packing import packing_of
from infogan_bench.config.params import Params, apply, get_value, is_given
from infogan_bench.config.rules import broken_rules, combination, corners
from infogan_bench.config.schedulers import find_scheduler
from infogan_bench.config.searches import Search, find_search
from infogan_bench.config.space import Choice, Domain, Range, canonical
from infogan_bench.config.sweep_config import SweepConfig

MAX_TRIALS = 100_000
_PATIENCE = 1000  # repeats in a row after which drawing is given up


@dataclass(frozen=True)
class Plan:
    """The trials that a sweep will try.

    `assignments` has the parameters of each trial in order, without repeats. It is None for a search that learns, which
    decides while the sweep runs. `total` is the number of trials. `notices` are sentences for the user.
    """

    assignments: tuple[Params, ...] | None
    total: int
    notices: tuple[str, ...] = ()


def plan(sweep: SweepConfig) -> Plan:
    """Plan the trials of `sweep`. A random or Sobol search draws trials that depend only on the space and
    `search.seed`.

    Raises:
        ConfigError: if the parts of the sweep do not fit together, a combination of values is impossible, or
            there are more than `MAX_TRIALS` trials.
    """
    faults = broken_rules(sweep) or _too_many(sweep)
    if faults:
        raise ConfigError(None, faults)
    search = find_search(sweep.search.algorithm)
    notices = _notices(sweep)
    if sweep.space and search.learns:
        total = sweep.search.trials or 0  # broken_rules requires a number for a search that learns
        _check_all(sweep, corners(sweep))
        _check_packing(sweep, None)
        return Plan(None, total, (*notices, *_learning_notices(sweep, search, total)))
    if search.exhaustive or search.learns:
        assignments = _crossed(sweep.space)
    else:
        assignments, shortfall = _sampled(sweep)
        notices += shortfall
    if find_scheduler(sweep.scheduler).population:
        _check_population(sweep, assignments)
    _check_all(sweep, assignments)
    _check_packing(sweep, assignments)
    return Plan(tuple(assignments), len(assignments), tuple(notices))


# How many -------------------------------------------------------------------------------------------------


def _too_many(sweep: SweepConfig) -> list[Fault]:
    """A fault if the sweep is too large, found without listing its trials."""
    total = _count(sweep)
    if total <= MAX_TRIALS:
        return []
    key = "space" if sweep.search.trials is None else "search.trials"
    return [Fault(f"this would be {total:,} trials; at most {MAX_TRIALS:,} are planned", key)]


def _count(sweep: SweepConfig) -> int:
    search = find_search(sweep.search.algorithm)
    if search.learns:
        return sweep.search.trials or 1
    if search.exhaustive:
        return _size(sweep.space) or 0
    grid, rest = _split(sweep.space)
    return (_size(grid) or 0) * _samples(sweep, rest)


def _samples(sweep: SweepConfig, rest: Mapping[str, Domain]) -> int:
    """Return the number of configurations that a random or Sobol search draws."""
    return min(number for number in (sweep.search.trials, _size(rest)) if number is not None)


def _size(space: Mapping[str, Domain]) -> int | None:
    """The number of configurations; None if there are infinitely many."""
    sizes = [domain.size for domain in space.values()]
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def _split(space: Mapping[str, Domain]) -> tuple[dict[str, Domain], dict[str, Domain]]:
    """The domains that are tried in full, and those that are drawn from."""
    grid: dict[str, Domain] = {}
    rest: dict[str, Domain] = {}
    for key, domain in space.items():
        (grid if isinstance(domain, Choice) and domain.grid else rest)[key] = domain
    return grid, rest


# Which ----------------------------------------------------------------------------------------------------


def _crossed(space: Mapping[str, Domain]) -> list[Params]:
    """Every combination; the last key varies fastest."""
    values = [list(domain.all_values()) for domain in space.values()]
    return [dict(zip(space, combined, strict=True)) for combined in product(*values)]


def _sampled(sweep: SweepConfig) -> tuple[list[Params], list[str]]:
    """Combine each sample with each point of the grid, so that the points are compared on the same samples."""
    grid, rest = _split(sweep.space)
    points = _crossed(grid)
    samples = _distinct_samples(rest, _samples(sweep, rest), sweep)
    assignments: list[Params] = [
        {key: {**sample, **point}[key] for key in sweep.space} for sample in samples for point in points
    ]
    wanted = sweep.search.trials
    if wanted is None or len(samples) == wanted:
        return assignments, []
    if rest:
        reason = f"there {'is' if len(samples) == 1 else 'are'} only {len(samples)} to draw"
    else:
        reason = "every domain is a `grid`" if grid else "the space is empty"
    total = count(len(assignments), "trial")
    return assignments, [f"search.trials asks for {count(wanted, 'sample')}, but {reason}: {total}"]


def _distinct_samples(space: Mapping[str, Domain], number: int, sweep: SweepConfig) -> list[Params]:
    """Draw `number` different configurations; fewer if the space does not have as many."""
    if number == _size(space):
        return _crossed(space)
    rng = random.Random(sweep.search.seed)  # noqa: S311
    endless = find_search(sweep.search.algorithm).maker()(space, sweep.search.seed, rng)
    drawn: dict[Any, Params] = {}
    repeats = 0
    while len(drawn) < number and repeats < _PATIENCE:
        sample = next(endless)
        repeats = 0 if _key(sample) not in drawn else repeats + 1
        drawn.setdefault(_key(sample), sample)
    if len(drawn) < number and _size(space) is not None:
        left = [sample for sample in _crossed(space) if _key(sample) not in drawn]
        return [*drawn.values(), *rng.sample(left, number - len(drawn))]
    return list(drawn.values())


def _key(sample: Params) -> Any:
    return canonical(list(sample.values()))


def _check_population(sweep: SweepConfig, assignments: Sequence[Params]) -> None:
    if len(assignments) < 2:
        key = "space" if sweep.search.trials is None else "search.trials"
        raise ConfigError(None, [Fault("`pbt` compares trials, and this would be one alone", key)])
    _check_all(sweep, corners(sweep))  # pbt may give a trial any values


def _check_packing(sweep: SweepConfig, assignments: Sequence[Params] | None) -> None:
    """Refuse `packed` where no trials can train together."""
    if sweep.resources.trials_together == "packed":
        obstacle = packing_of(sweep, assignments).obstacle
        if obstacle is not None:
            message = f"`packed`, but no trials can train together: {obstacle}"
            raise ConfigError(None, [Fault(message, "resources.trials_together")])


def _check_all(sweep: SweepConfig, assignments: Iterable[Params]) -> None:
    for assignment in assignments:
        try:
            apply(sweep.base, assignment)
        except ConfigError as error:
            reasons = "; ".join(fault.message for fault in error.faults)
            message = f"no run can have {combination(assignment)}: {reasons}"
            raise ConfigError(None, [Fault(message, "space")]) from None


# What to tell ---------------------------------------------------------------------------------------------


def _notices(sweep: SweepConfig) -> list[str]:
    notices = [
        f"{key} is {show(get_value(sweep.base, key))} in `base` and swept in `space`: the sweep wins"
        for key in sweep.space
        if is_given(sweep.base, key)
    ]
    steps = _largest(sweep.space["steps"]) if "steps" in sweep.space else sweep.base.steps
    scheduler = find_scheduler(sweep.scheduler)
    if scheduler.population:
        every = sweep.scheduler.interval(steps, sweep.evaluation.every)
        if every >= steps:
            notices.append(
                f"trials are compared every {every} steps, and a run has {steps}: none takes over from another"
            )
        return notices
    grace = sweep.scheduler.grace_steps(steps)
    if scheduler.stops and grace >= steps:
        notices.append(f"scheduler.grace is {grace} and a run has {steps} steps: no trial is stopped early")
    return notices


def _largest(domain: Domain) -> int:
    return int(domain.high if isinstance(domain, Range) else max(domain.values))


def _learning_notices(sweep: SweepConfig, search: Search, total: int) -> list[str]:
    """Notices on the behaviour of a search that learns with this number of trials."""
    size, notices = _size(sweep.space), []
    if size is not None and size < total:
        notices.append(
            f"search.trials is {total}, but the space has {count(size, 'configuration')}: "
            f"{search.name} will repeat some"
        )
    if caution := search.caution(total):
        notices.append(f"search.trials is {total}: {caution}")
    at_random = search.random_trials(sweep.search)
    if search.random_start and sweep.search.warm_start is None and total <= at_random:
        notices.append(
            f"search.trials is {total} and {search.random_start.name} {at_random}: {search.name} will draw all trials "
            "at random"
        )
    return notices
