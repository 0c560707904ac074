"""Sections that users add: their place, their faults, and the ids that they may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from infogan_reports import RankedSweep, Section, build_report, register_section, section


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No section that a test registers outlives it."""
    monkeypatch.setattr(section, "_registered", {})
    return


def best(sweep: RankedSweep) -> str | None:
    return sweep.best.trial_id if sweep.best else None


def test_it_stands_before_reproduce_and_its_texts_are_escaped(mixed: Path) -> None:
    register_section(Section("mine", "<b>Mine", "<p>{{ content }} of {{ '<i>' }}</p>", best))
    page = build_report(mixed).read_text(encoding="utf-8")
    ids = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert ids == [
        "summary",
        "leaderboard",
        "mattered",
        "curves",
        "codes",
        "metrics",
        "failures",
        "mine",
        "reproduce",
    ]
    assert '<h2 id="mine-title">&lt;b&gt;Mine</h2>\n<p>0001 of &lt;i&gt;</p>' in page


def test_one_without_content_is_left_off(mixed: Path) -> None:
    register_section(Section("mine", "Mine", "never", lambda sweep: None))
    assert "#mine" not in build_report(mixed).read_text(encoding="utf-8")


@pytest.mark.parametrize("template", ["{{ content.nothing }}", "{% if %}"])
def test_a_template_that_fails_is_said_in_its_place(mixed: Path, template: str) -> None:
    register_section(Section("mine", "Mine", template, best))
    page = build_report(mixed).read_text(encoding="utf-8")
    assert "This section, of an extension, could not be made: " in page
    assert 'id="reproduce-title"' in page


def test_a_computation_that_fails_is_said_in_its_place(mixed: Path) -> None:
    def fails(sweep: RankedSweep) -> str:
        raise ZeroDivisionError("by <nothing>")

    register_section(Section("mine", "Mine", "never", fails))
    page = build_report(mixed).read_text(encoding="utf-8")
    assert "could not be made: ZeroDivisionError: by &lt;nothing&gt;</p>" in page


@pytest.mark.parametrize("name", ["summary", "Mine", "a b", ""])
def test_an_id_that_is_taken_or_no_anchor_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="section"):
        register_section(Section(name, "Mine", "", best))
