"""The content of a report, computed before anything is drawn."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from infogan_reports.folder import SweepData
from infogan_reports.ranked import RankedSweep
from infogan_reports.section import Section, registered_sections
from infogan_reports.sections import SHIPPED

_log = logging.getLogger(__name__)
Content = TypeVar("Content")


@dataclass(frozen=True)
class ReportData:
    """The sweep and the content of each section. A section of a user that raised an exception is in `faults`."""

    sweep: RankedSweep
    sections: tuple[Section[Any], ...]  # that the page shows, in its order
    contents: Mapping[str, object]  # id of a section -> what its `compute` returned
    faults: Mapping[str, str]  # id of a section -> the reason why it has no content

    def of(self, section: Section[Content]) -> Content:
        """Return the content of a section that the page shows."""
        content: Content = self.contents[section.id]  # type: ignore[assignment]
        return content


def summarise(data: SweepData) -> ReportData:
    """Compute the report of a sweep: every section that ships, and those that users registered."""
    sweep = RankedSweep.of(data)
    contents: dict[str, object] = {}
    faults: dict[str, str] = {}
    for section in (*SHIPPED[:-1], *registered_sections(), SHIPPED[-1]):  # `Reproduce` is the last
        try:
            content = section.compute(sweep)
        except Exception as error:
            if section in SHIPPED:
                raise
            faults[section.id] = fault_text(section, error)
            continue
        if content is not None:
            contents[section.id] = content
    order = (*SHIPPED[:-1], *registered_sections(), SHIPPED[-1])
    shown = tuple(section for section in order if section.id in contents or section.id in faults)
    return ReportData(sweep, shown, contents, faults)


def fault_text(section: Section[Any], error: Exception) -> str:
    """Return the text that replaces a user's section after an exception, and log the traceback."""
    _log.error("the section %s of the report failed", section.id, exc_info=error)
    return f"This section, of an extension, could not be made: {type(error).__name__}: {error}"
