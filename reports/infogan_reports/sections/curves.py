"""Training curves of the trials that the reader chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infogan_reports.curves import BEST_TRIALS, MAX_POINTS, MAX_TRIALS, CurveData, Panel, curve_data
from infogan_reports.figures import TRIAL_COLOURS, TRIAL_DASHES, Figure, panel_frame
from infogan_reports.ranked import RankedSweep
from infogan_reports.section import Section

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class TrainingCurves:
    """The panels, and their curves as the page's script takes them."""

    panels: tuple[Panel, ...]
    data: CurveData
    colours: tuple[str, ...] = TRIAL_COLOURS
    dashes: tuple[str, ...] = TRIAL_DASHES
    max_trials: int = MAX_TRIALS
    best_trials: int = BEST_TRIALS
    max_points: int = MAX_POINTS


def training_curves(sweep: RankedSweep) -> TrainingCurves:
    """Take the curves of the trials that the page has room for."""
    return TrainingCurves(sweep.panels, curve_data(sweep.panels))


def frames(content: TrainingCurves, sweep: RankedSweep) -> Sequence[Figure]:
    """Draw an empty figure for each panel, which the page's script fills."""
    return [
        panel_frame(panel, place, sweep.data.uses(panel.metric)) for place, panel in enumerate(content.panels)
    ]


SECTION = Section(
    id="curves",
    title="Training curves",
    template=_HERE / "curves.html.j2",
    compute=training_curves,
    figures=frames,
    scripts=(_HERE / "curves.js",),
)
