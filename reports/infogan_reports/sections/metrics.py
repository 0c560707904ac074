"""The explanation of the sweep's scores: the question of each, and the uncertainty of its value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infogan_reports.explained import Explained, explain, other_quantities
from infogan_reports.ranked import RankedSweep
from infogan_reports.section import Section

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class MetricsExplained:
    """The scores, and the (name, meaning) of each other quantity that trials report."""

    scores: tuple[Explained, ...]
    others: tuple[tuple[str, str], ...]


def explained(sweep: RankedSweep) -> MetricsExplained:
    """Compute the section."""
    scores = explain(sweep.data, sweep.trials, sweep.scores, sweep.best_files, sweep.best_seed)
    return MetricsExplained(scores, other_quantities(sweep.data, sweep.trials))


SECTION = Section(
    id="metrics",
    title="Metrics explained",
    template=_HERE / "metrics.html.j2",
    compute=explained,
    styles=(_HERE / "metrics.css",),
)
