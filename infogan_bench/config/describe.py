"""A sweep in a few lines, as `infogan-bench validate` prints it."""

from __future__ import annotations

from infogan_bench.config.errors import count, printable, show
from infogan_bench.config.metrics import uses_factors, uses_labels
from infogan_bench.config.packing import packing_of
from infogan_bench.config.plan import Plan
from infogan_bench.config.processor import computes_in_bfloat16, processor_name
from infogan_bench.config.schedulers import find_scheduler
from infogan_bench.config.searches import find_search
from infogan_bench.config.space import Domain
from infogan_bench.config.sweep_config import SweepConfig

_SHOWN_VALUES = 12  # values of a choice that are shown; the others are counted


def describe(sweep: SweepConfig, plan: Plan) -> str:
    """Describe the sweep, a fact a line, notices last."""
    rows = [
        ("name", sweep.name),
        ("dataset", sweep.dataset.name),
        *_numbered("sweeps", _space_lines(sweep)),
        ("trials", _trials(sweep, plan)),
        ("together", _together(sweep, plan)),
        ("steps", _steps(sweep)),
        ("precision", _precision(sweep)),
        ("search", _search(sweep)),
        ("scheduler", _scheduler(sweep)),
        *_numbered("goal", _goals(sweep)),
        ("scores", ", ".join(map(metric_text, sweep.evaluation.scores)) or "none"),
        *_numbered("notices", list(plan.notices)),
    ]
    return "\n".join(f"{title:<11}{printable(text)}" for title, text in rows)


def metric_text(metric: str) -> str:
    """The metric's name, marked where it compares with labels or with factors."""
    if uses_factors(metric):
        return f"{metric} (uses factors)"
    return f"{metric} (uses labels)" if uses_labels(metric) else metric


def _numbered(title: str, lines: list[str]) -> list[tuple[str, str]]:
    """Rows under one title."""
    return [(title if index == 0 else "", line) for index, line in enumerate(lines)]


def _space_lines(sweep: SweepConfig) -> list[str]:
    width = max(map(len, sweep.space), default=0)
    lines = [f"{key:<{width}}  {_domain(domain)}" for key, domain in sweep.space.items()]
    return lines or ["nothing: the base run alone"]


def _domain(domain: Domain) -> str:
    [(kind, values)] = domain.dump().items()
    shown = ", ".join(map(_value, values[:_SHOWN_VALUES]))
    more = len(values) - _SHOWN_VALUES
    values_text = f"[{shown}{f', and {more} more' if more > 0 else ''}]"
    return f"{kind} {values_text}"


def _value(value: object) -> str:
    """Return a value as a person would write it: 1, not 1.0."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e6
    return f"{value:.0f}" if whole else show(value)


def _goals(sweep: SweepConfig) -> list[str]:
    """Return a line for each goal."""
    first, *others = (f"{goal.mode} {metric_text(goal.metric)}" for goal in sweep.goal.goals)
    return [f"{first}, mean over the seeds{', which ranks' if others else ''}", *others]


def _trials(sweep: SweepConfig, plan: Plan) -> str:
    seeds = len(sweep.seeds)
    return f"{plan.total:,} x {count(seeds, 'seed')} = {count(plan.total * seeds, 'run')}"


def _together(sweep: SweepConfig, plan: Plan) -> str:
    where = "on a GPU " if sweep.resources.trials_together == "auto" else ""
    return where + packing_of(sweep, plan.assignments).text


def _steps(sweep: SweepConfig) -> str:
    steps = "swept" if "steps" in sweep.space else str(sweep.base.steps)
    return f"{steps}, scored every {sweep.evaluation.every}"


def _precision(sweep: SweepConfig) -> str:
    domain = sweep.space.get("precision")
    precisions = [sweep.base.precision] if domain is None else list(domain.probes())
    text, native = ", ".join(map(str, precisions)), computes_in_bfloat16()
    if "bf16" in precisions and native is False:
        return f"{text}; bf16 needs a GPU here, since {processor_name()} emulates it"
    if "bf16" not in precisions and native:
        return (
            f"{text}; on this processor `base.precision: bf16` is faster for networks of width 0.5 and more"
        )
    return text


def _search(sweep: SweepConfig) -> str:
    search, row = sweep.search, find_search(sweep.search.algorithm)
    parts = [
        search.algorithm,
        "" if row.exhaustive else f"seed {search.seed}",
        row.random_start.described.format(row.random_trials(search)) if row.random_start else "",
        "" if search.warm_start is None else f"learning from {search.warm_start} first",
        "" if search.time_limit is None else f"stopped after {search.time_limit:g} s",
    ]
    return ", ".join(filter(None, parts))


def _scheduler(sweep: SweepConfig) -> str:
    scheduler, row = sweep.scheduler, find_scheduler(sweep.scheduler)
    if row.population:
        every = scheduler.interval(sweep.base.steps, sweep.evaluation.every)
        percent = f"{100 * scheduler.quantile:g} %"
        return f"{row.name}: every {every} steps the worst {percent} of the trials take over from the best {percent}"
    if not row.stops:
        return row.name
    grace = f"{scheduler.grace_steps(sweep.base.steps)}"
    if scheduler.grace is None and "steps" in sweep.space:
        grace = "a quarter of its steps"
    kept = f", the best 1/{scheduler.reduction:g} go on" if row.halves else ""
    return f"{scheduler.name}: no trial is stopped before step {grace}{kept}"
