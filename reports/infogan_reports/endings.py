"""The ends of the trials: the numbers of planned, begun and never begun ones, and the reasons of their ends."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infogan_reports.ranked import RankedSweep
from infogan_reports.text import STATUS_WORDS, counted

TIME_LIMIT, INTERRUPT = "time limit", "interrupt"
_LEARNING = ("tpe", "cmaes", "gp", "nsga2")  # these propose `search.trials` trials while the sweep runs


@dataclass(frozen=True)
class Endings:
    """The trials of a sweep by their ends.

    `cards` are (words, trials). `planned` is None where the sweep file does not settle it.
    """

    planned: int | None
    begun: int
    never_begun: int
    by_time_limit: int
    by_interrupt: int
    cards: tuple[tuple[str, int], ...]
    statement: str  # empty where every planned trial ended by itself or by the scheduler


def endings(sweep: RankedSweep) -> Endings:
    """Count the ends of the trials."""
    ended_by = Counter(trial.ended_by for trial in sweep.trials)
    waiting = sweep.counts["pending"]
    begun = len(sweep.trials) - waiting
    planned = planned_trials(sweep.data.config)
    never_begun = max(planned - begun, waiting) if planned is not None else waiting
    if sweep.counts["running"]:
        never_begun = waiting  # the others may still begin
    return Endings(
        planned=planned,
        begun=begun,
        never_begun=never_begun,
        by_time_limit=ended_by[TIME_LIMIT],
        by_interrupt=ended_by[INTERRUPT],
        cards=_cards(sweep, never_begun),
        statement=_statement(begun, never_begun, ended_by) if sweep.trials else "",
    )


def planned_trials(config: Mapping[str, Any]) -> int | None:
    """Return the number of trials that a sweep file plans; None if only the search can tell."""
    search = config.get("search")
    settings = search if isinstance(search, dict) else {"algorithm": search}
    algorithm, trials = settings.get("algorithm", "grid"), settings.get("trials")
    space = config.get("space")
    domains = list(space.values()) if isinstance(space, dict) else []
    sizes = [_size(domain) for domain in domains]
    if algorithm in _LEARNING and domains:
        return trials if isinstance(trials, int) else None
    in_full = [algorithm == "grid" or (isinstance(domain, dict) and "grid" in domain) for domain in domains]
    crossed = math.prod(size or 0 for size, full in zip(sizes, in_full, strict=True) if full)
    drawn = [size for size, full in zip(sizes, in_full, strict=True) if not full]
    if crossed == 0:
        return None
    if not drawn:
        return crossed
    if not isinstance(trials, int) or any(size == 0 for size in drawn):
        return None
    return crossed * min(trials, math.inf if None in drawn else math.prod(size or 1 for size in drawn))  # type: ignore[return-value]


def _size(domain: object) -> int | None:
    """Return the number of values of a domain: None for real numbers, 0 where it cannot be told here."""
    values = domain
    if isinstance(domain, dict) and len(domain) == 1:
        kind, values = next(iter(domain.items()))
        if kind in ("uniform", "loguniform"):
            return None
        if kind not in ("choice", "grid"):
            return 0
    return len(values) if isinstance(values, list) else 0


def _cards(sweep: RankedSweep, never_begun: int) -> tuple[tuple[str, int], ...]:
    """Return the number of trials of each status; the time limit and an early stop are counted apart."""
    by_limit = sum(trial.status == "stopped" and trial.ended_by == TIME_LIMIT for trial in sweep.trials)
    cards = []
    for status, words in STATUS_WORDS.items():
        n = sweep.counts[status] - (by_limit if status == "stopped" else 0)
        if status == "pending" and not sweep.counts["running"]:
            continue  # they are among those that never began
        if n or status not in ("running", "pending"):
            cards.append((words, n))
        if status == "stopped" and by_limit:
            cards.append(("ended by the time limit", by_limit))
    if never_begun and not sweep.counts["running"]:
        cards.append(("never begun", never_begun))
    return tuple(cards)


def _statement(begun: int, never_begun: int, ended_by: Mapping[str | None, int]) -> str:
    parts = []
    if n := ended_by.get(TIME_LIMIT, 0):
        parts.append(f"The time limit ended {counted(n, 'trial')} before all steps were done.")
    if n := ended_by.get(INTERRUPT, 0):
        parts.append(f"An interruption ended {counted(n, 'trial')}.")
    if never_begun:
        planned = begun + never_begun
        parts.append(f"Of {counted(planned, 'planned trial')} {begun} began and {never_begun} never did.")
    return " ".join(parts)
