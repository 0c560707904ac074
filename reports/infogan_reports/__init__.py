"""Reports: a sweep folder becomes one self-contained HTML page.

>>> build_report(Path("runs/mnist"))                                        # doctest: +SKIP
PosixPath('runs/mnist/report.html')

The steps can also be called one by one: `load` reads the folder, `ranking` orders its trials, `summarise` computes
the content of every section and `render` draws it. `build_comparison` does the same for several sweeps side by side,
with `compare` and `render_comparison`. `register_section` adds a section of your own.
"""

from infogan_reports.compare import Comparison, compare
from infogan_reports.compare_page import build_comparison, render_comparison
from infogan_reports.figures import Figure, plot_json
from infogan_reports.folder import ReportError, SweepData, load
from infogan_reports.page import build_report, render
from infogan_reports.ranked import RankedSweep
from infogan_reports.ranking import RankedTrial, pareto_front, ranking
from infogan_reports.report import ReportData, summarise
from infogan_reports.section import Section, register_section

__all__ = [
    "Comparison",
    "Figure",
    "RankedSweep",
    "RankedTrial",
    "ReportData",
    "ReportError",
    "Section",
    "SweepData",
    "build_comparison",
    "build_report",
    "compare",
    "load",
    "pareto_front",
    "plot_json",
    "ranking",
    "register_section",
    "render",
    "render_comparison",
    "summarise",
]
