"""The sections of the report, one file each, in the order of the page."""

from __future__ import annotations

from typing import Any

from infogan_reports.section import Section
from infogan_reports.sections import (
    codes,
    curves,
    failures,
    leaderboard,
    mattered,
    metrics,
    reproduce,
    summary,
)

SHIPPED: tuple[Section[Any], ...] = (
    summary.SECTION,
    leaderboard.SECTION,
    mattered.SECTION,
    curves.SECTION,
    codes.SECTION,
    metrics.SECTION,
    failures.SECTION,
    reproduce.SECTION,
)
