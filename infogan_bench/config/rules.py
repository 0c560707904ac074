"""Rules that tie the parts of a sweep together: the faults that no section can see on its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

from infogan_bench.config.errors import ConfigError, Fault, code_list, show
from infogan_bench.config.methods import is_known_method, method_metrics
from infogan_bench.config.metrics import (
    at_last_evaluation_only,
    is_score,
    metric_names,
    needs_a_category,
    needs_a_continuous_code,
    score_of,
)
from infogan_bench.config.models import SchedulerConfig
from infogan_bench.config.names import suggestion
from infogan_bench.config.params import MUTABLE, apply, get_value
from infogan_bench.config.run import RunConfig
from infogan_bench.config.space import Choice
from infogan_bench.config.sweep_config import SweepConfig
from infogan_bench.config.terms import TERMS

PLANNED_AHEAD = ("grid", "random", "sobol")
"""Algorithms that know all their trials before the first one runs."""

_MAX_CORNERS = 10_000  # combinations that are looked at
_POPULATION_KEYS = ("every", "quantile", "resample", "factors")
_TERMS_BY_METRIC = {row.metric: row for row in TERMS.values() if row.metric}
_STOPPING_KEYS = ("grace", "reduction")


def broken_rules(sweep: SweepConfig) -> list[Fault]:
    """Find what is wrong with `sweep` although each of its sections is right."""
    return [
        *_search_rules(sweep), *_scheduler_rules(sweep), *_goal_rules(sweep), *_dataset_rules(sweep),
    ]  # fmt: skip


def corners(sweep: SweepConfig, *prefixes: str) -> Iterator[dict[str, Any]]:
    """Combinations of the probes of all domains, or of those whose key starts with one of `prefixes`.

    At most 10,000 of them.
    """
    domains = {
        key: domain.probes() for key, domain in sweep.space.items() if key.startswith(prefixes or ("",))
    }
    for values in islice(product(*domains.values()), _MAX_CORNERS):
        yield dict(zip(domains, values, strict=True))


def _search_rules(sweep: SweepConfig) -> Iterator[Fault]:
    search = sweep.search
    endless = [key for key, domain in sweep.space.items() if domain.size is None]
    if search.algorithm == "grid":
        if search.trials is not None:
            yield Fault(
                "a grid has its own number of trials; remove this, and ask for repeats by `seeds`",
                "search.trials",
            )
        for key in endless:
            kind = sweep.space[key].kind
            yield Fault(
                f"a grid cannot list every value of `{kind}`; use `choice`, or search by `random` or `tpe`",
                f"space.{key}",
            )
    adaptive = search.algorithm not in PLANNED_AHEAD
    if adaptive:
        for key, domain in sweep.space.items():
            if isinstance(domain, Choice) and domain.grid:
                what = f"{search.algorithm} draws every value, so `grid` has no meaning; use `choice`"
                yield Fault(what, f"space.{key}")
    if search.trials is None and sweep.space and (adaptive or _needs_trials(sweep)):
        yield Fault(f"is missing: say how many trials `{search.algorithm}` is to try", "search.trials")
    if search.algorithm == "cmaes":
        yield from _cmaes_rules(sweep)
    if search.population is not None and search.algorithm not in ("cmaes", "nsga2"):
        what = f"{search.algorithm} has no generations; remove this, or search by `cmaes` or `nsga2`"
        yield Fault(what, "search.population")
    if search.startup is not None and not search.at_random:
        what = f"{search.algorithm} does not begin at random; remove this, or search by `tpe` or `gp`"
        yield Fault(what, "search.startup")
    if search.warm_start is not None and not (adaptive and sweep.space):
        yield Fault(
            f"{search.algorithm} does not learn from trials, so those of an earlier sweep are of no use to it; search "
            "by `tpe`, `cmaes`, `gp` or `nsga2`"
            if sweep.space
            else "nothing is swept, so there is nothing to learn",
            "search.warm_start",
        )


def _cmaes_rules(sweep: SweepConfig) -> Iterator[Fault]:
    for key, domain in sweep.space.items():
        if isinstance(domain, Choice):
            yield Fault(
                "cmaes searches ranges of numbers, and a list has no order that it could use; give a range such as "
                "`uniform` or `int`, or search by `tpe`, `gp` or `nsga2`",
                f"space.{key}",
            )
    if sum(domain.size != 1 for domain in sweep.space.values()) == 1:
        yield Fault("cmaes needs two parameters or more; with one, search by `tpe` or `gp`", "space")
    if sweep.goal.also:
        yield Fault("cmaes has one goal; with several, search by `nsga2`, `tpe` or `gp`", "goal.also")


def _scheduler_rules(sweep: SweepConfig) -> Iterator[Fault]:
    scheduler, defaults = sweep.scheduler, SchedulerConfig()
    foreign = _STOPPING_KEYS if scheduler.name == "pbt" else _POPULATION_KEYS
    for key in foreign:
        if getattr(scheduler, key) != getattr(defaults, key):
            yield Fault(f"has no meaning for `scheduler: {scheduler.name}`; remove it", f"scheduler.{key}")
    if scheduler.name != "pbt":
        return
    if not sweep.space:
        yield Fault("`pbt` changes swept values while they train, and nothing is swept", "space")
    for key in sweep.space:
        if key not in MUTABLE:
            yield Fault(
                "`pbt` changes swept values while they train, and this one cannot change then; give it one value in "
                f"`base`, or use another scheduler. What can change: {code_list(MUTABLE)}",
                f"space.{key}",
            )
    if sweep.search.algorithm not in PLANNED_AHEAD:
        yield Fault(
            f"`pbt` needs its whole population at the start; use {code_list(PLANNED_AHEAD)}",
            "search.algorithm",
        )
    if scheduler.every is not None and scheduler.every % sweep.evaluation.every:
        yield Fault(
            f"must be a multiple of `evaluation.every` ({sweep.evaluation.every}), since trials are compared by "
            f"what they report then, got {scheduler.every}",
            "scheduler.every",
        )


def _needs_trials(sweep: SweepConfig) -> bool:
    return sweep.search.algorithm in ("random", "sobol") and any(
        domain.size is None for domain in sweep.space.values()
    )


def _goal_rules(sweep: SweepConfig) -> Iterator[Fault]:
    yield from _metric_rules(sweep, sweep.goal.metric, "goal.metric")
    named = {sweep.goal.metric}
    for place, goal in enumerate(sweep.goal.also):
        key = f"goal.also[{place}].metric"
        if goal.metric in named:
            yield Fault(f"`{goal.metric}` is a goal twice", key)
        else:
            yield from _metric_rules(sweep, goal.metric, key)
        named.add(goal.metric)


def _metric_rules(sweep: SweepConfig, metric: str, where: str) -> Iterator[Fault]:
    row = _TERMS_BY_METRIC.get(metric)
    weights = tuple(f"objective.{key}" for key in row.weights) if row else ()
    prefixes = ("codes.", "method.", "objective.terms.", *weights)
    for params, run in _runs(sweep, *prefixes):
        names = _names(run)
        if metric.startswith("loss/") and not is_known_method(run.method.name):
            continue  # the module that registers the method says which losses it reports
        if metric in names and all(get_value(run, key) for key in weights):
            continue
        known = {name for _, other in _runs(sweep, *prefixes) for name in _names(other)}
        if metric not in known and not is_score(metric) and metric not in _TERMS_BY_METRIC:
            yield Fault(f"unknown metric {show(metric)}; {suggestion(metric, names)}", where)
        else:
            yield Fault(_undefined(metric, params), where)
        return
    score = score_of(metric)
    if is_score(metric) and score not in sweep.evaluation.scores:
        yield Fault(f"`{score}` is not in `evaluation.scores`, so it is never computed", where)
    if at_last_evaluation_only(metric) and sweep.scheduler.name != "none":
        yield Fault(
            f"`{metric}` is computed once a run, at its end, so `scheduler: {sweep.scheduler.name}` could not "
            "compare runs by it before; use `scheduler: none`, or a score such as `mig`",
            where,
        )


def _names(run: RunConfig) -> tuple[str, ...]:
    """Names of the metrics that a run can report."""
    outside = tuple(f"loss/{name}" for name in run.objective.terms)
    of_method = method_metrics(run.method.name)
    if of_method is None:
        return (*metric_names(run.codes.names), *outside)
    scores = (name for name in metric_names(run.codes.names) if not name.startswith(("loss/", "L_I", "H")))
    return (*scores, *of_method, *outside)


def _undefined(metric: str, params: dict[str, Any]) -> str:
    where = f" with {combination(params)}" if params else ""
    if row := _TERMS_BY_METRIC.get(metric):
        needs = f"{row.needs} and an `objective.{row.weights[0]}` above 0"
        return f"`{metric}` needs {needs}, which there is not{where}"
    if needs_a_category(metric):
        why = "needs a categorical code, and there is none"
    elif needs_a_continuous_code(metric) and "/" not in metric:
        why = "needs a continuous code, and there is none"
    elif "/" not in metric:
        why = "needs two codes or more, and there is one"
    else:
        why = "needs that code, and there is none"
    return f"`{metric}` {why}{where}"


def _dataset_rules(sweep: SweepConfig) -> Iterator[Fault]:
    images = sweep.dataset.train_size
    if images is None:
        return
    largest = max((run.batch for _, run in _runs(sweep, "batch")), default=0)
    if largest > images:
        yield Fault(f"{images} images are fewer than one batch ({largest})", "dataset.train_size")


def _runs(sweep: SweepConfig, *prefixes: str) -> Iterator[tuple[dict[str, Any], RunConfig]]:
    """The runs at the corners of part of the space; those that cannot be are left to the plan."""
    for params in corners(sweep, *prefixes):
        try:
            yield params, apply(sweep.base, params)
        except ConfigError:
            continue


def combination(params: dict[str, Any]) -> str:
    """`a = 1, b = [2, 3]`."""
    return ", ".join(f"{key} = {show(value)}" for key, value in params.items())
