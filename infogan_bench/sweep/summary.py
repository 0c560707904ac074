"""The lines that the command line prints at the end of a sweep."""

from __future__ import annotations

import io
import shlex
from collections.abc import Sequence

import infogan_reports
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infogan_bench.config.describe import metric_text
from infogan_bench.config.errors import count
from infogan_bench.records import Status
from infogan_bench.records.results import EndedBy
from infogan_bench.secrets import hide_secrets
from infogan_bench.sweep.record.outcome import SweepOutcome

_ROWS = 10


def summary(outcome: SweepOutcome) -> str:
    """The ranking, the counts, and the places of the report and of the MLflow runs."""
    data = infogan_reports.load(outcome.folder)
    ranked = infogan_reports.ranking(data)
    lines = [_table(ranked[:_ROWS], data.metric)] if ranked else []
    if len(ranked) > _ROWS:
        lines.append(f"and {len(ranked) - _ROWS} more in the report")
    if ranked and all(trial.rank is None for trial in ranked):
        lines.append(f"no best trial: none has a finite {metric_text(data.metric)}")
    if len(data.goals) > 1:
        lines += ["", *_front_lines(data, ranked), ""]
    lines.append(_counts(outcome))
    if (outcome.folder / "report.html").is_file():
        lines.append(f"report  {outcome.folder / 'report.html'}")
    if outcome.tracking_uri:
        command = f"infogan-bench ui {shlex.quote(str(outcome.folder))}"
        lines.append(f"MLflow  {command}   ({hide_secrets(outcome.tracking_uri)})")
    return "\n".join(lines)


def _front_lines(data: infogan_reports.SweepData, ranked: Sequence[infogan_reports.RankedTrial]) -> list[str]:
    """The trials that no other trial beats in all goals, a line each."""
    goals = ", ".join(f"{mode} {metric_text(metric)}" for metric, mode in data.goals)
    front = infogan_reports.pareto_front(data, ranked)
    table = Table(box=None, pad_edge=False, header_style="")
    for name in ("trial", *(metric for metric, _ in data.goals)):
        table.add_column(Text(name))
    for trial in front[:_ROWS]:
        table.add_row(Text(trial.trial_id), *(f"{trial.scores[metric]:.4f}" for metric, _ in data.goals))
    more = [f"and {len(front) - _ROWS} more in the report"] if len(front) > _ROWS else []
    title = f"Pareto front of {goals}: {count(len(front), 'trial')}"
    return [title, *([_text(table)] if front else []), *more]


def _counts(outcome: SweepOutcome) -> str:
    stopped = outcome.count(Status.STOPPED)
    by_limit = sum(trial.ended_by == EndedBy.TIME_LIMIT for trial in outcome.trials)
    counted = [
        (outcome.count(Status.FINISHED), "finished"),
        (stopped - by_limit, "stopped early"),
        (by_limit, "stopped by the time limit"),
        (outcome.count(Status.DIVERGED), "diverged"),
        (outcome.count(Status.FAILED), "failed"),
        (outcome.count(Status.INTERRUPTED), "interrupted"),
        (outcome.planned - len(outcome.trials), "not started"),
    ]
    return f"{outcome.planned} trials: " + ", ".join(f"{number} {what}" for number, what in counted if number)


def _table(ranked: tuple[infogan_reports.RankedTrial, ...], metric: str) -> str:
    table = Table(box=None, pad_edge=False, header_style="")
    for name in (
        "rank",
        "trial",
        metric_text(metric),
        "seeds",
        "status",
    ):
        table.add_column(name)
    for key in ranked[0].params:
        table.add_column(Text(key))
    for trial in ranked:
        score = "-" if trial.mean is None else f"{trial.mean:.4f}"
        spread = "" if trial.std is None else f" +- {trial.std:.4f}"
        rank = "-" if trial.rank is None else str(trial.rank)
        cells = [rank, trial.trial_id, score + spread, str(trial.n_seeds), trial.status]
        table.add_row(*(Text(cell) for cell in (*cells, *(_shown(value) for value in trial.params.values()))))
    return _text(table)


def _text(table: Table) -> str:
    text = io.StringIO()
    Console(file=text, width=200).print(table)
    return text.getvalue().rstrip()


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
