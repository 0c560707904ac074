"""The schedulers: a row for each that `scheduler.name` may name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infogan_bench.config.makers import imported
from infogan_bench.config.names import not_among
from infogan_bench.errors import InputError

if TYPE_CHECKING:
    from infogan_bench.config.models import SchedulerConfig

OPTIONS = ("grace", "reduction", "every", "quantile", "resample", "factors")
"""Keys of `scheduler:` that some schedulers take and others do not."""

# All schedulers except pbt accept these two, so that a file keeps them when early stopping is changed or turned off.
_STOPPING = ("grace", "reduction")
_POPULATION = ("every", "quantile", "resample", "factors")


@dataclass(frozen=True)
class Scheduler:
    """A scheduler.

    Attributes:
        name: as in `scheduler.name`.
        title: for the report; empty where there is nothing to tell.
        make: "MODULE:FUNCTION" that makes Ray Tune's scheduler from a `SchedulerRequest`
            (infogan_bench/sweep/engine/schedulers.py).
        options: those of `OPTIONS` that it takes.
        compares: it compares trials while they run, so the goal has to be known then.
        stops: it ends trials early.
        population: all trials run at once and take over from each other, so the swept values change during training.
        halves: it keeps the best 1/reduction at each rung.
        does: what it does, for docs/search.md.
        use: when to take it, for docs/search.md.
        source: the paper.
    """

    name: str
    title: str
    make: str
    options: Sequence[str] = _STOPPING
    compares: bool = True
    stops: bool = True
    population: bool = False
    halves: bool = False
    does: str = ""
    use: str = ""
    source: str = ""

    def maker(self) -> Callable[..., Any]:
        """Import and return the function `make`."""
        return imported(self.make)


_ENGINE = "infogan_bench.sweep.engine.schedulers"

SCHEDULERS: dict[str, Scheduler] = {
    row.name: row
    for row in (
        Scheduler(
            "none",
            "",
            f"{_ENGINE}:first_come",
            compares=False,
            stops=False,
            does="lets every trial do all its steps",
            use="curves cross late, or the goal is measured only at the end",
        ),
        Scheduler(
            "asha",
            "ASHA",
            f"{_ENGINE}:asha",
            halves=True,
            does="at steps grace, grace x reduction, ... ends each trial that is not among the best 1/reduction so "
            "far; no trial waits for another",
            use="you have many trials and many workers",
            source="Li et al., 2020, arXiv 1810.05934",
        ),
        Scheduler(
            "median",
            "the median rule",
            f"{_ENGINE}:median",
            does="after `grace` ends a trial whose best score is worse than the median of the other trials' means",
            use="you want to stop few trials",
            source="Golovin et al., 2017 (Vizier), section 3.2.2",
        ),
        Scheduler(
            "hyperband",
            "HyperBand",
            f"{_ENGINE}:hyperband",
            halves=True,
            does="puts trials into brackets that first compare at longest, longest / reduction, ... steps; the trials "
            "of a bracket wait for each other",
            use="as `asha`, if early scores mislead",
            source="Li et al., 2018, JMLR 18/185",
        ),
        Scheduler(
            "pbt",
            "population based training",
            f"{_ENGINE}:pbt",
            options=_POPULATION,
            stops=False,
            population=True,
            does="copies the networks of the best trials to the worst, and changes weights and step sizes during "
            "training",
            use="values that change during training may be better than fixed ones",
            source="Jaderberg et al., 2017, arXiv 1711.09846",
        ),
    )
}


def find_scheduler(scheduler: SchedulerConfig) -> Scheduler:
    """The row of a scheduler.

    Raises:
        InputError: if there is no such scheduler.
    """
    if scheduler.name not in SCHEDULERS:
        raise InputError(not_among(scheduler.name, SCHEDULERS))
    return SCHEDULERS[scheduler.name]


def table() -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table in docs/search.md: name, what it does, when to take it."""
    for row in SCHEDULERS.values():
        yield row.name, row.does, row.use
