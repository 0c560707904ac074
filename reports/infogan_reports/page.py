"""Drawing the report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from infogan_reports import figures
from infogan_reports.curves import MAX_POINTS
from infogan_reports.folder import load
from infogan_reports.ranking import UNRANKED, USES_FACTORS, USES_LABELS
from infogan_reports.summary import STATUS_WORDS, ReportData, summarise
from infogan_reports.text import NOTHING, counted, duration, number, value_text


def build_report(folder: Path, output: Path | None = None) -> Path:
    """Write the report of a sweep folder and return its path, `folder/report.html` unless `output` is given.

    The file appears whole: an older report stays until the new one is complete.

    Raises:
        ReportError: if `folder` is no sweep folder, or one of its files cannot be read as what it should be.
    """
    page = render(summarise(load(folder)))
    output = folder / "report.html" if output is None else output
    _write_whole(output, page)
    return output


def render(report: ReportData) -> str:
    """The page as HTML: style, scripts and pictures inside, and nothing fetched from anywhere."""
    environment = _environment()
    effects = [figures.effect_figure(e, report.question.metric, i) for i, e in enumerate(report.effects)]
    curves = [figures.panel_figure(panel, i) for i, panel in enumerate(report.panels)]
    plotly = [get_plotlyjs()] if effects or curves else []
    scripts = [*plotly, _template_text(environment, "report.js")]
    return environment.get_template("report.html.j2").render(
        report=report,
        effects=effects,
        curves=curves,
        plots={figure.id: figure.plot for figure in (*effects, *curves)},
        style=_template_text(environment, "style.css"),
        scripts=scripts,
        script_hashes=[_csp_hash(script) for script in scripts],
        numeric=_numeric_parameters(report),
        line_styles=list(zip(figures.TRIAL_COLOURS, ("", "7 4", "2 4", "7 3 2 3", "12 4"), strict=True)),
        max_points=MAX_POINTS,
        status_words=STATUS_WORDS,
        uses_labels=USES_LABELS,
        uses_factors=USES_FACTORS,
        unranked=UNRANKED,
        nothing=NOTHING,
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("infogan_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters |= {
        "number": number, "value": value_text, "duration": duration, "counted": counted, "png": _data_uri,
    }  # fmt: skip
    return environment


def _template_text(environment: Environment, name: str) -> str:
    """A style sheet or script as it stands: the template engine fills nothing into it."""
    assert environment.loader is not None  # noqa: S101
    return environment.loader.get_source(environment, name)[0]


def _csp_hash(script: str) -> str:
    """How the page's policy names a script, so that a browser runs ours and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _numeric_parameters(report: ReportData) -> set[str]:
    """The swept keys that sort by number rather than by text."""

    def all_numbers(values: Sequence[Any]) -> bool:
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)

    return {
        key
        for key in report.parameters
        if all_numbers([trial.params[key] for trial in report.trials if key in trial.params])
    }


def _write_whole(path: Path, text: str) -> None:
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
