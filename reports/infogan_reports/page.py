"""The report as one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from infogan_bench.records import Quantity, SweepPaths, write_whole
from infogan_reports.explorer import explorer_data
from infogan_reports.figures import Figure
from infogan_reports.folder import ReportError, load
from infogan_reports.leaderboard import Leaderboard
from infogan_reports.report import ReportData, fault_text, summarise
from infogan_reports.section import Section, Text, text_of
from infogan_reports.sections import SHIPPED
from infogan_reports.text import STATUS_WORDS, amount_hours, counted, duration, number, value_text

TEMPLATES = Path(__file__).parent / "templates"
_SECTIONS = Path(__file__).parent / "sections"
_STYLES = (TEMPLATES / "style.css",)
_SCRIPTS = (TEMPLATES / "figures.js", TEMPLATES / "trials.js")
JsonObject = dict[str, object]


def build_report(folder: Path, output: Path | None = None, known: Iterable[Quantity] = ()) -> Path:
    """Write the report of a sweep folder and return its path, `folder/report.html` unless `output` is given.

    The file appears whole: an older report stays until the new one is complete.

    Args:
        known: the quantities that runs report, for a folder without `quantities.json`.

    Raises:
        ReportError: if `folder` is no sweep folder, its YAML or its table of trials is damaged, or the report cannot be
            written.
    """
    page = render(summarise(load(folder, known)))
    output = SweepPaths(folder).report if output is None else output
    write_page(output, page)
    return output


def write_page(path: Path, page: str) -> None:
    """Write a page whole.

    Raises:
        ReportError: if it cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.encode("utf-8", "replace"))  # UTF-8 cannot encode half of a surrogate pair
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportError(f"{path} cannot be written ({reason}); --output names another place") from None


@dataclass(frozen=True)
class _DrawnSection:
    """A section as the page places it."""

    id: str
    title: str
    html: Markup


def render(report: ReportData) -> str:
    """Return the page as HTML: style, scripts and pictures inside, and nothing fetched from anywhere."""
    engine = environment(report.sweep.data.uses)
    figures: dict[str, Figure] = {}
    drawn = [_drawn_section(engine, report, section, figures) for section in report.sections]
    own = [text for section in report.sections for text in section.scripts]
    scripts = [get_plotlyjs()] if figures else []
    scripts += [text_of(text) for text in dict.fromkeys((*_SCRIPTS, *own))]
    styles = dict.fromkeys((*_STYLES, *(text for section in report.sections for text in section.styles)))
    return engine.get_template("page.html.j2").render(
        sweep=report.sweep,
        sections=drawn,
        plots={figure.id: figure.plot for figure in figures.values()},
        style=texts(styles),
        scripts=scripts,
        script_hashes=[csp_hash(script) for script in scripts],
    )


def _drawn_section(
    engine: Environment, report: ReportData, section: Section[Any], figures: dict[str, Figure]
) -> _DrawnSection:
    """Draw a section, and add its figures to those of the page."""
    fault = report.faults.get(section.id)
    if fault is None:
        try:
            own = section.figures(report.of(section), report.sweep)
            _refuse_repeats([*figures, *(figure.id for figure in own)])
            html = _filled(engine, report, section, own)
            figures |= {figure.id: figure for figure in own}
            return _DrawnSection(section.id, section.title, Markup(html))  # noqa: S704  (the template escaped it)
        except Exception as error:
            if section in SHIPPED:
                raise
            fault = fault_text(section, error)
    html = engine.from_string('<p class="caution">{{ fault }}</p>').render(fault=fault)
    return _DrawnSection(section.id, section.title, Markup(html))  # noqa: S704


def _refuse_repeats(ids: Sequence[str]) -> None:
    repeated = {each for each in ids if ids.count(each) > 1}
    if repeated:
        raise ValueError(f"two figures of the page have the id {', '.join(sorted(repeated))}")


def _filled(engine: Environment, report: ReportData, section: Section[Any], figures: Sequence[Figure]) -> str:
    template = engine.from_string(text_of(section.template))
    macros = engine.get_template("macros.html.j2").module
    return template.render(
        content=report.of(section),
        figures=figures,
        sweep=report.sweep,
        draw=macros.draw,  # type: ignore[attr-defined]
        labels=macros.labels,  # type: ignore[attr-defined]
        params=macros.params,  # type: ignore[attr-defined]
    )


def environment(uses: Callable[[str], str]) -> Environment:
    """Return the template engine: all texts are escaped, and a name that is not given is an error.

    Args:
        uses: a metric -> `labels`, `factors` or an empty text.
    """
    engine = Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FileSystemLoader(_SECTIONS)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    engine.filters |= {
        "number": number, "supervision": uses, "value": value_text, "duration": duration, "counted": counted,
        "hours": amount_hours, "columns": _columns, "explorer_data": explorer_data,
        "png": partial(_data_uri, "png"), "webp": partial(_data_uri, "webp"),
    }  # fmt: skip
    engine.globals["status_words"] = STATUS_WORDS
    return engine


def csp_hash(script: str) -> str:
    """Return the hash of a script for the page's policy, so that a browser runs only our scripts."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def texts(paths: Iterable[Text]) -> str:
    """Return the content of several files in their order."""
    return "\n".join(map(text_of, paths))


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _columns(table: Leaderboard) -> JsonObject:
    """Return the leaderboard for the page's scripts, without empty fields of columns."""

    def says_nothing(value: object) -> bool:
        if value is None or value is False:
            return True
        if isinstance(value, str | list | tuple | dict):
            return not any(each is not None for each in value)
        return False

    columns = [
        {name: value for name, value in vars(column).items() if name == "values" or not says_nothing(value)}
        for column in table.columns
    ]
    return {"columns": columns, "status_words": STATUS_WORDS}
