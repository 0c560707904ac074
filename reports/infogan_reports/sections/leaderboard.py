"""The leaderboard: all trials in a table that the reader sorts, filters and saves."""

from __future__ import annotations

from pathlib import Path

from infogan_reports.leaderboard import Leaderboard
from infogan_reports.ranked import RankedSweep
from infogan_reports.section import Section

_HERE = Path(__file__).parent


def table(sweep: RankedSweep) -> Leaderboard:
    """Return the table of all trials."""
    return sweep.leaderboard


SECTION = Section(
    id="leaderboard",
    title="Leaderboard",
    template=_HERE / "leaderboard.html.j2",
    compute=table,
    styles=(_HERE / "leaderboard.css",),
    scripts=(_HERE / "curves.js", _HERE / "leaderboard.js"),  # a row of the table draws its curves
)
