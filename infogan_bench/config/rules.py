"""Rules between the parts of a sweep: faults that no section can find on its own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from itertools import islice, product

from infogan_bench.config.catalogue import metric_of
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
from infogan_bench.config.params import MUTABLE, Params, apply, get_value
from infogan_bench.config.run import RunConfig
from infogan_bench.config.schedulers import OPTIONS as SCHEDULER_OPTIONS
from infogan_bench.config.schedulers import Scheduler, find_scheduler
from infogan_bench.config.searches import OPTIONS as SEARCH_OPTIONS
from infogan_bench.config.searches import Search, find_search, searches_that
from infogan_bench.config.space import Choice
from infogan_bench.config.sweep_config import SweepConfig
from infogan_bench.config.terms import TERMS
from infogan_bench.errors import InputError

_MAX_CORNERS = 10_000  # combinations that are looked at
_OF_INFOGAN = (
    "loss/",
    "L_I",
    "gaussian_mi_bound",
    "code_r2",
    "H",
)  # prefixes of what InfoGAN's training reports
_TERMS_BY_METRIC = {row.metric: row for row in TERMS.values() if row.metric}


def broken_rules(sweep: SweepConfig) -> list[Fault]:
    """Find the faults of `sweep` that lie between its sections, each of which is valid."""
    try:
        search = find_search(sweep.search.algorithm, sweep.extensions)
    except InputError as error:
        return [Fault(str(error), "search.algorithm")]
    try:
        scheduler = find_scheduler(sweep.scheduler)
    except InputError as error:
        return [Fault(str(error), "scheduler.name")]
    return [
        *_search_rules(sweep, search), *_scheduler_rules(sweep, scheduler, search), *_goal_rules(sweep, scheduler),
        *_dataset_rules(sweep),
    ]  # fmt: skip


def corners(sweep: SweepConfig, *prefixes: str) -> Iterator[Params]:
    """Combinations of the probes of all domains, or of those whose key starts with one of `prefixes`.

    At most 10,000 of them.
    """
    domains = {
        key: domain.probes() for key, domain in sweep.space.items() if key.startswith(prefixes or ("",))
    }
    for values in islice(product(*domains.values()), _MAX_CORNERS):
        yield dict(zip(domains, values, strict=True))


def _search_rules(sweep: SweepConfig, search: Search) -> Iterator[Fault]:
    yield from _option_rules(sweep, search)
    yield from _space_rules(sweep, search)
    wanted = sweep.space and "trials" in search.options and (search.learns or _endless(sweep))
    if sweep.search.trials is None and wanted:
        yield Fault(f"is missing: say how many trials `{search.name}` is to try", "search.trials")
    if search.learns and not search.several_goals and sweep.goal.also:
        others = searches_that(lambda row: row.learns and row.several_goals)
        yield Fault(f"{search.name} has one goal; with several, search by {others}", "goal.also")


def _option_rules(sweep: SweepConfig, search: Search) -> Iterator[Fault]:
    for option in SEARCH_OPTIONS:
        if getattr(sweep.search, option) is None:
            continue
        if option not in search.options:
            takers = searches_that(partial(_takes, option))
            yield Fault(_NO_OPTION[option].format(search=search.name, others=takers), f"search.{option}")
        elif option == "warm_start" and not sweep.space:
            yield Fault("nothing is swept, so there is nothing to learn", "search.warm_start")


def _takes(option: str, search: Search) -> bool:
    return option in search.options


_NO_OPTION = {
    "trials": "a {search} has its own number of trials; remove this, and ask for repeats by `seeds`",
    "population": "{search} has no generations; remove this, or search by {others}",
    "startup": "{search} does not begin at random; remove this, or search by {others}",
    "warm_start": "{search} does not learn from trials, so those of an earlier sweep are of no use to it; search by "
    "{others}",
}


def _space_rules(sweep: SweepConfig, search: Search) -> Iterator[Fault]:
    for key, domain in sweep.space.items():
        if search.exhaustive and domain.size is None:
            yield Fault(
                f"a {search.name} cannot list every value of `{domain.kind}`; use `choice`, or search by `random` or "
                "`tpe`",
                f"space.{key}",
            )
        if search.learns and isinstance(domain, Choice) and domain.grid:
            what = f"{search.name} draws every value, so `grid` has no meaning; use `choice`"
            yield Fault(what, f"space.{key}")
        if not search.lists and isinstance(domain, Choice):
            others = searches_that(lambda row: row.learns and row.lists)
            yield Fault(
                f"{search.name} searches ranges of numbers, and a list has no order that it could use; give a range "
                f"such as `uniform` or `int`, or search by {others}",
                f"space.{key}",
            )
    varied = sum(domain.size != 1 for domain in sweep.space.values())
    if 0 < varied < search.least_parameters:
        others = searches_that(lambda row: row.learns and row.least_parameters <= varied)
        yield Fault(
            f"{search.name} needs {search.least_parameters} parameters or more; with {varied}, search by {others}",
            "space",
        )


def _scheduler_rules(sweep: SweepConfig, scheduler: Scheduler, search: Search) -> Iterator[Fault]:
    defaults = SchedulerConfig()
    for key in SCHEDULER_OPTIONS:
        if key not in scheduler.options and getattr(sweep.scheduler, key) != getattr(defaults, key):
            yield Fault(f"has no meaning for `scheduler: {scheduler.name}`; remove it", f"scheduler.{key}")
    if scheduler.population:
        yield from _population_rules(sweep, scheduler, search)


def _population_rules(sweep: SweepConfig, scheduler: Scheduler, search: Search) -> Iterator[Fault]:
    changes = f"`{scheduler.name}` changes swept values while they train"
    if not sweep.space:
        yield Fault(f"{changes}, and nothing is swept", "space")
    for key in sweep.space:
        if key not in MUTABLE:
            yield Fault(
                f"{changes}, and this one cannot change then; give it one value in `base`, or use another scheduler. "
                f"What can change: {code_list(MUTABLE)}",
                f"space.{key}",
            )
    if search.learns:
        planned = searches_that(lambda row: not row.learns)
        yield Fault(
            f"`{scheduler.name}` needs its whole population at the start; use {planned}", "search.algorithm"
        )
    every = sweep.scheduler.every
    if every is not None and every % sweep.evaluation.every:
        yield Fault(
            f"must be a multiple of `evaluation.every` ({sweep.evaluation.every}), since trials are compared by "
            f"what they report then, got {every}",
            "scheduler.every",
        )


def _endless(sweep: SweepConfig) -> bool:
    return any(domain.size is None for domain in sweep.space.values())


def _goal_rules(sweep: SweepConfig, scheduler: Scheduler) -> Iterator[Fault]:
    yield from _metric_rules(sweep, scheduler, sweep.goal.metric, "goal.metric")
    named = {sweep.goal.metric}
    for place, goal in enumerate(sweep.goal.also):
        key = f"goal.also[{place}].metric"
        if goal.metric in named:
            yield Fault(f"`{goal.metric}` is a goal twice", key)
        else:
            yield from _metric_rules(sweep, scheduler, goal.metric, key)
        named.add(goal.metric)


def _metric_rules(sweep: SweepConfig, scheduler: Scheduler, metric: str, where: str) -> Iterator[Fault]:
    row = _TERMS_BY_METRIC.get(metric)
    weights = tuple(f"objective.{key}" for key in row.weights) if row else ()
    prefixes = ("codes.", "method.", "objective.terms.", *weights)
    for params, run in _runs(sweep, *prefixes):
        names = _names(run)
        if metric.startswith("loss/") and not is_known_method(run.method.name):
            continue  # the module that registers the method says which losses it reports
        if _reports(names, metric) and all(get_value(run, key) for key in weights):
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
    if at_last_evaluation_only(metric) and scheduler.compares:
        yield Fault(
            f"`{metric}` is computed once a run, at its end, so `scheduler: {scheduler.name}` could not "
            "compare runs by it before; use `scheduler: none`, or a score such as `mig`",
            where,
        )


def _reports(names: Collection[str], metric: str) -> bool:
    """Return whether a run reports `metric`; the factors of NAME/FACTOR are known once the data set is read."""
    row = metric_of(metric)
    return metric in names or (row is not None and row.per_factor and score_of(metric) in names)


def _names(run: RunConfig) -> tuple[str, ...]:
    """Names of the metrics that a run can report."""
    outside = tuple(f"loss/{name}" for name in run.objective.terms)
    of_method = method_metrics(run.method.name)
    if of_method is None:
        return (*metric_names(run.codes.names), *outside)
    scores = (name for name in metric_names(run.codes.names) if not name.startswith(_OF_INFOGAN))
    return (*scores, *of_method, *outside)


def _undefined(metric: str, params: Params) -> str:
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


def _runs(sweep: SweepConfig, *prefixes: str) -> Iterator[tuple[Params, RunConfig]]:
    """The runs at the corners of a part of the space, without invalid ones, which the plan reports."""
    for params in corners(sweep, *prefixes):
        try:
            yield params, apply(sweep.base, params)
        except ConfigError:
            continue


def combination(params: Params) -> str:
    """`a = 1, b = [2, 3]`."""
    return ", ".join(f"{key} = {show(value)}" for key, value in params.items())
