"""A comparison of sweeps as one HTML file that needs nothing beside it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from plotly.offline import get_plotlyjs

from infogan_bench.records import Quantity
from infogan_reports.compare import Comparison, compare
from infogan_reports.compare_figures import (
    curve_figures,
    look,
    parameter_figures,
    progress_figures,
    score_figures,
)
from infogan_reports.compared import uses_in
from infogan_reports.curves import MAX_POINTS
from infogan_reports.figures import TRIAL_DASHES
from infogan_reports.folder import load
from infogan_reports.matched import MOST_MATCHES
from infogan_reports.page import TEMPLATES, csp_hash, environment, texts, write_page
from infogan_reports.section import text_of
from infogan_reports.sections.leaderboard import SECTION as LEADERBOARD

_STYLES = (TEMPLATES / "style.css", *LEADERBOARD.styles, TEMPLATES / "compare.css")
_SVG_DASHES = dict(zip(TRIAL_DASHES, ("", "7 4", "2 4", "7 3 2 3", "12 4"), strict=True))


def build_comparison(
    folders: Sequence[Path], output: Path | None = None, known: Iterable[Quantity] = ()
) -> Path:
    """Write the comparison of two sweep folders or more and return its path, `comparison.html` in the current folder
    unless `output` is given.

    Args:
        known: the quantities that runs report, for folders without `quantities.json`.

    Raises:
        ReportError: if one is no sweep folder or cannot be read, one is given twice, or the
            comparison cannot be written.
    """
    page = render_comparison(compare([load(folder, known) for folder in folders]))
    output = Path("comparison.html") if output is None else output
    write_page(output, page)
    return output


def render_comparison(comparison: Comparison) -> str:
    """Return the page as HTML: style and scripts inside, and nothing fetched from anywhere."""
    engine = environment(partial(uses_in, comparison.sweeps))
    drawn = {
        "score_figures": score_figures(comparison),
        "progress_figures": progress_figures(comparison),
        "parameter_figures": parameter_figures(comparison),
        "curve_figures": curve_figures(comparison),
    }
    plots = {figure.id: figure.plot for figures in drawn.values() for figure in figures}
    scripts = [get_plotlyjs(), text_of(TEMPLATES / "figures.js")] if plots else []
    folders = (str(sweep.data.folder) for sweep in comparison.sweeps)
    return engine.get_template("compare.html.j2").render(
        c=comparison,
        **drawn,
        plots=plots,
        looks=[look(place) for place in range(len(comparison.sweeps))],
        dashes=_SVG_DASHES,
        style=texts(_STYLES),
        scripts=scripts,
        script_hashes=[csp_hash(script) for script in scripts] or ["'none'"],
        command=f"infogan-bench report {shlex.join(folders)}",
        max_points=MAX_POINTS,
        most_matches=MOST_MATCHES,
    )
