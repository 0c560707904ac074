"""A sweep folder in, one self-contained HTML page out.

>>> build_report(Path("runs/mnist"))                                        # doctest: +SKIP
PosixPath('runs/mnist/report.html')

The steps stand alone as well: `load` reads the folder, `ranking` orders its trials, `summarise` computes
every number of the page and `render` draws it.
"""

from infogan_reports.folder import ReportError, SweepData, load
from infogan_reports.page import build_report, render
from infogan_reports.ranking import USES_FACTORS, USES_LABELS, RankedTrial, pareto_front, ranking
from infogan_reports.summary import ReportData, summarise

__all__ = [
    "USES_FACTORS",
    "USES_LABELS",
    "RankedTrial",
    "ReportData",
    "ReportError",
    "SweepData",
    "build_report",
    "load",
    "pareto_front",
    "ranking",
    "render",
    "summarise",
]
