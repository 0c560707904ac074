"""Rules that tie the parts of a sweep together: the faults that no section can see on its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

from infogan_bench.config.errors import ConfigError, Fault, show
from infogan_bench.config.metrics import (
    FACTOR_SCORES,
    LABEL_SCORES,
    LAST_EVALUATION_ONLY,
    SHAPE_SCORES,
    metric_names,
    score_of,
    uses_labels,
)
from infogan_bench.config.models import RunConfig
from infogan_bench.config.names import suggestion
from infogan_bench.config.params import apply
from infogan_bench.config.space import Choice
from infogan_bench.config.sweep_config import SweepConfig

_MAX_CORNERS = 10_000  # combinations that are looked at


def broken_rules(sweep: SweepConfig) -> list[Fault]:
    """What is wrong with `sweep` although each of its sections is right."""
    return [*_search_rules(sweep), *_objective_rules(sweep), *_dataset_rules(sweep)]


def corners(sweep: SweepConfig, prefix: str = "") -> Iterator[dict[str, Any]]:
    """Combinations of the probes of all domains whose key starts with `prefix`, at most 10,000 of them."""
    domains = {key: domain.probes() for key, domain in sweep.space.items() if key.startswith(prefix)}
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
    if search.algorithm == "tpe":
        for key, domain in sweep.space.items():
            if isinstance(domain, Choice) and domain.grid:
                yield Fault("tpe draws every value, so `grid` has no meaning; use `choice`", f"space.{key}")
    if search.trials is None and sweep.space and (search.algorithm == "tpe" or _needs_trials(sweep)):
        yield Fault(f"is missing: say how many trials `{search.algorithm}` is to try", "search.trials")


def _needs_trials(sweep: SweepConfig) -> bool:
    return sweep.search.algorithm == "random" and any(domain.size is None for domain in sweep.space.values())


def _objective_rules(sweep: SweepConfig) -> Iterator[Fault]:
    metric = sweep.objective.metric
    for params, run in _runs(sweep, "codes."):
        names = metric_names(run.codes.names)
        if metric in names:
            continue
        known = {name for _, other in _runs(sweep, "codes.") for name in metric_names(other.codes.names)}
        if metric not in known and score_of(metric) not in (*LABEL_SCORES, *SHAPE_SCORES):
            yield Fault(f"unknown metric {show(metric)}; {suggestion(metric, names)}", "objective.metric")
        else:
            yield Fault(_undefined(metric, params), "objective.metric")
        return
    score = score_of(metric)
    if score in (*LABEL_SCORES, *FACTOR_SCORES, *SHAPE_SCORES) and score not in sweep.evaluation.scores:
        yield Fault(f"`{score}` is not in `evaluation.scores`, so it is never computed", "objective.metric")
    if score in LAST_EVALUATION_ONLY and sweep.scheduler.name != "none":
        yield Fault(
            f"`{metric}` is computed once a run, at its end, so `scheduler: {sweep.scheduler.name}` could not "
            "compare runs by it before; use `scheduler: none`, or a score such as `mig`",
            "objective.metric",
        )


def _undefined(metric: str, params: dict[str, Any]) -> str:
    where = f" with {combination(params)}" if params else ""
    why = "needs that code"
    if uses_labels(metric) or metric == "H":
        why = "needs a categorical code"
    elif metric in SHAPE_SCORES:
        why = "needs a continuous code"
    return f"`{metric}` {why}, and there is none{where}"


def _dataset_rules(sweep: SweepConfig) -> Iterator[Fault]:
    images = sweep.dataset.train_size
    if images is None:
        return
    largest = max((run.batch for _, run in _runs(sweep, "batch")), default=0)
    if largest > images:
        yield Fault(f"{images} images are fewer than one batch ({largest})", "dataset.train_size")


def _runs(sweep: SweepConfig, prefix: str) -> Iterator[tuple[dict[str, Any], RunConfig]]:
    """The runs at the corners of part of the space; those that cannot be are left to the plan."""
    for params in corners(sweep, prefix):
        try:
            yield params, apply(sweep.base, params)
        except ConfigError:
            continue


def combination(params: dict[str, Any]) -> str:
    """`a = 1, b = [2, 3]`."""
    return ", ".join(f"{key} = {show(value)}" for key, value in params.items())
