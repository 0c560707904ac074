"""Effects of the swept parameters on the goal, or the lineage of a population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infogan_reports.effects import ParameterEffect
from infogan_reports.figures import Figure, effect_figure
from infogan_reports.lineage import Lineage, lineage_figures
from infogan_reports.mattered import Mattered, what_mattered
from infogan_reports.mattered_figures import mattered_figures, pareto_figure
from infogan_reports.ranked import RankedSweep
from infogan_reports.section import Section

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class WhatMattered:
    """The goal against each parameter, and the results for all parameters together."""

    effects: tuple[ParameterEffect, ...]
    together: Mattered
    lineage: Lineage | None  # of a sweep by population based training


def mattered(sweep: RankedSweep) -> WhatMattered:
    """Compute the section."""
    together = what_mattered(sweep.data, sweep.trials, sweep.effects, sweep.leaderboard)
    return WhatMattered(sweep.effects, together, sweep.lineage)


def figures(content: WhatMattered, sweep: RankedSweep) -> Sequence[Figure]:
    """Draw the figures in the groups `effects`, `lineage`, `together` and `pareto`."""
    if content.lineage:
        return lineage_figures(content.lineage)
    uses = sweep.data.uses
    return [
        *(
            effect_figure(effect, sweep.metric, place, uses(sweep.metric))
            for place, effect in enumerate(content.effects)
        ),
        *mattered_figures(content.together, sweep.metric, uses),
        *pareto_figure(content.together),
    ]


SECTION = Section(
    id="mattered",
    title="What mattered",
    template=_HERE / "mattered.html.j2",
    compute=mattered,
    figures=figures,
    styles=(_HERE / "mattered.css",),
    scripts=(_HERE / "mattered.js",),
)
