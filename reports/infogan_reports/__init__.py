"""A sweep folder in, one self-contained HTML page out.

>>> build_report(Path("runs/mnist"))                                        # doctest: +SKIP
PosixPath('runs/mnist/report.html')

The steps stand alone as well: `load` reads the folder, `ranking` orders its trials, `summarise` computes
every number of the page and `render` draws it. `build_comparison` does the same for several sweeps side by side,
with `compare` and `render_comparison`.
"""

from infogan_reports.compare import Comparison, compare
from infogan_reports.compare_page import build_comparison, render_comparison
from infogan_reports.folder import ReportError, SweepData, load
from infogan_reports.page import build_report, render
from infogan_reports.ranking import USES_FACTORS, USES_LABELS, RankedTrial, pareto_front, ranking
from infogan_reports.summary import ReportData, summarise

__all__ = [
    "USES_FACTORS",
    "USES_LABELS",
    "Comparison",
    "RankedTrial",
    "ReportData",
    "ReportError",
    "SweepData",
    "build_comparison",
    "build_report",
    "compare",
    "load",
    "pareto_front",
    "ranking",
    "render",
    "render_comparison",
    "summarise",
]
