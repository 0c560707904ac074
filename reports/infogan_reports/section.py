"""Sections of the report: their definition, and those that users add.

A section is computed before anything is drawn: `compute` returns a typed record, `figures` draws it, and `template`
puts both on the page. The sections that ship are the files of `infogan_reports/sections/`; a user adds more with
`register_section`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from infogan_reports.figures import Figure
from infogan_reports.folder import ReportError
from infogan_reports.ranked import RankedSweep

Content = TypeVar("Content")
Text = str | Path  # the text itself, or the file that holds it
_ID = re.compile(r"[a-z][a-z0-9-]*")


def _no_figures(content: Any, sweep: RankedSweep) -> Sequence[Figure]:
    return ()


@dataclass(frozen=True)
class Section(Generic[Content]):
    """A section of the report.

    Args:
        id: the anchor on the page: lower-case letters, digits and hyphens.
        title: the heading, also in the navigation.
        template: Jinja2 (a text, or a file's path), in which `content` is what `compute` returned, `figures` are the
            drawn figures and `sweep` is the `RankedSweep`; `{{ draw(figures) }}` places figures. All text is escaped.
        compute: computes what the section shows; a section whose content is None is left off the page.
        figures: draws the figures of a content. Their ids must differ from those of all other figures of the page.
        styles: style sheets (texts or paths).
        scripts: scripts (texts or paths) in the order in which they run. One that several sections name runs once.
    """

    id: str
    title: str
    template: Text
    compute: Callable[[RankedSweep], Content | None]
    figures: Callable[[Content, RankedSweep], Sequence[Figure]] = _no_figures
    styles: Sequence[Text] = ()
    scripts: Sequence[Text] = ()


_registered: dict[str, Section[Any]] = {}  # sections of users, in the order of registration


def register_section(section: Section[Any]) -> Section[Any]:
    """Add a section to every report that this process builds. It stands before `Reproduce`.

    Call it in a file that a sweep names under `extensions`. If the section raises an exception, the report says so in
    the section's place.

    Raises:
        ValueError: if the id is no anchor, or is taken.
    """
    from infogan_reports.sections import SHIPPED  # imported here, since those files import `Section`

    if not _ID.fullmatch(section.id):
        raise ValueError(
            f"the id of a section must be lower-case letters, digits and hyphens, but is {section.id!r}"
        )
    if section.id in {each.id for each in SHIPPED} or section.id in _registered:
        raise ValueError(f"there is a section {section.id!r} already")
    _registered[section.id] = section
    return section


def registered_sections() -> tuple[Section[Any], ...]:
    """Return the sections that users added."""
    return tuple(_registered.values())


def text_of(text: Text) -> str:
    """Return a text, or the content of the file that holds it.

    Raises:
        ReportError: if the file cannot be read.
    """
    if isinstance(text, str):
        return text
    try:
        return text.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{text}, a file of a section, cannot be read: {error}") from None
