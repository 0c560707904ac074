"""Drawing the report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from infogan_reports import figures
from infogan_reports.curves import BEST_TRIALS, MAX_POINTS, MAX_TRIALS, curve_data
from infogan_reports.explorer import explorer_data
from infogan_reports.folder import load
from infogan_reports.leaderboard import Leaderboard
from infogan_reports.lineage import lineage_figures
from infogan_reports.mattered_figures import mattered_figures, pareto_figure
from infogan_reports.ranking import supervision
from infogan_reports.summary import STATUS_WORDS, ReportData, summarise
from infogan_reports.text import amount_hours, counted, duration, number, value_text

SCRIPTS = ("report.js", "trials.js", "curves.js", "leaderboard.js", "mattered.js")
STYLES = ("style.css", "leaderboard.css", "mattered.css", "explorer.css", "explained.css")


def build_report(folder: Path, output: Path | None = None) -> Path:
    """Write the report of a sweep folder and return its path, `folder/report.html` unless `output` is given.

    The file appears whole: an older report stays until the new one is complete.

    Raises:
        ReportError: if `folder` is no sweep folder, or one of its files cannot be read as what it should be.
    """
    page = render(summarise(load(folder)))
    output = folder / "report.html" if output is None else output
    write_whole(output, page)
    return output


def render(report: ReportData) -> str:
    """The page as HTML: style, scripts and pictures inside, and nothing fetched from anywhere."""
    engine = environment()
    effects = [figures.effect_figure(e, report.question.metric, i) for i, e in enumerate(report.effects)]
    mattered = mattered_figures(report.mattered, report.question.metric)
    pareto = pareto_figure(report.mattered)
    curves = [figures.panel_frame(panel, i) for i, panel in enumerate(report.panels)]
    lineage = lineage_figures(report.lineage) if report.lineage else []
    drawn = [*effects, *mattered, *lineage, *curves, *([pareto] if pareto else [])]
    scripts = [get_plotlyjs()] if drawn else []
    scripts += [template_text(engine, name) for name in SCRIPTS]
    scripts += [template_text(engine, "explorer.js")] if report.explorers else []
    return engine.get_template("report.html.j2").render(
        report=report,
        effects=effects,
        mattered=mattered,
        lineage=lineage,
        pareto=pareto,
        curves=curves,
        plots={figure.id: figure.plot for figure in drawn},
        table=_compact(report.leaderboard),
        style="\n".join(template_text(engine, name) for name in STYLES),
        scripts=scripts,
        script_hashes=[csp_hash(script) for script in scripts],
        curve_data=curve_data(report.panels)
        | {"colours": figures.TRIAL_COLOURS, "dashes": figures.TRIAL_DASHES},
        max_trials=MAX_TRIALS,
        best_trials=BEST_TRIALS,
        explorer_data=explorer_data(report.explorers),
        max_points=MAX_POINTS,
        status_words=STATUS_WORDS,
    )


def environment() -> Environment:
    """The template engine: all texts are escaped, and a name that is not given is an error."""
    engine = Environment(
        loader=PackageLoader("infogan_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    engine.filters |= {
        "number": number, "supervision": supervision, "value": value_text, "duration": duration, "counted": counted,
        "hours": amount_hours,
        "png": partial(_data_uri, "png"), "webp": partial(_data_uri, "webp"),
    }  # fmt: skip
    return engine


def template_text(engine: Environment, name: str) -> str:
    """A style sheet or script as it stands: the template engine fills nothing into it."""
    assert engine.loader is not None  # noqa: S101
    return engine.loader.get_source(engine, name)[0]


def csp_hash(script: str) -> str:
    """How the page's policy names a script, so that a browser runs ours and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _compact(table: Leaderboard) -> dict[str, Any]:
    """The leaderboard for the page's scripts, without the fields of a column that say nothing."""

    def says_nothing(value: Any) -> bool:
        return (
            value is None
            or value is False
            or (not isinstance(value, int) and not any(each is not None for each in value))
        )

    columns = [
        {name: value for name, value in vars(column).items() if name == "values" or not says_nothing(value)}
        for column in table.columns
    ]
    return {"columns": columns, "status_words": STATUS_WORDS}


def write_whole(path: Path, text: str) -> None:
    """Write a file that appears whole: an older one stays until this one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
