"""docs/architecture.md against the definitions of the files of a sweep folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infogan_bench.records import (
    TRIAL_COLUMNS,
    CodeRecord,
    ConfusionRecord,
    EvaluationRecord,
    ExplorerRecord,
    FactorMatrixRecord,
    GalleryImage,
    GalleryRecord,
    GeneratorRecord,
    LayerRecord,
    Mutation,
    SeedPaths,
    SessionRecord,
    ShapeCorrelationRecord,
    Status,
    SweepPaths,
    TrialPaths,
    TrialRecord,
)
from infogan_bench.records.decoding import keys_of
from infogan_bench.records.tables import HISTORY_COLUMNS

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
FOLDER = PAGE[PAGE.index("## The sweep folder") : PAGE.index("## Names of metrics")]
WORDS = {"text": "str", "whole": "int", "number": "float"}


def places(kind: type) -> set[str]:
    """The names of the files and folders that a class of paths has as properties."""
    paths = kind(Path("x"))
    names = (name for name, each in vars(kind).items() if isinstance(each, property))
    return {getattr(paths, name).name for name in names}


def words_between(start: str, end: str) -> set[str]:
    """What stands in backquotes after `start` on the page, up to `end`."""
    begin = FOLDER.index(start) + len(start)
    return set(re.findall(r"`([^`]+)`", FOLDER[begin : FOLDER.index(end, begin)]))


def test_the_page_has_every_place() -> None:
    block = re.search(r"```\nruns/NAME/\n(.*?)```", FOLDER, re.DOTALL)
    assert block is not None
    listed = {name.split("/")[0] for name in re.findall(r"^  (\S+)", block[1], re.MULTILINE)}
    assert listed == places(SweepPaths)
    for name in places(SeedPaths) | places(TrialPaths):
        assert name in FOLDER, name


def test_the_page_has_the_columns_with_their_types() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+)( or null)? \|", FOLDER, re.MULTILINE)
    assert [(name, kind, bool(null)) for name, kind, null in rows] == [
        (name, WORDS[column.kind], column.nullable) for name, column in TRIAL_COLUMNS.items()
    ]
    assert f"history.parquet    {', '.join(HISTORY_COLUMNS)}\n" in FOLDER
    assert f"pending, {', '.join(list(Status)[1:])}" in FOLDER
    assert f"{{{', '.join(keys_of(Mutation))}}}" in FOLDER


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        (TrialRecord, "`trials/ID/trial.json` has", "\n\n"),
        (GalleryRecord, "with `categories.json` (", "; entries"),
        (ExplorerRecord, "with `explorer.json` (", ")"),
        (GeneratorRecord, "with `generator.json` (", "; layers"),
        (LayerRecord, "; layers have ", ")"),
    ],
)
def test_the_page_has_the_keys(kind: type, start: str, end: str) -> None:
    assert words_between(start, end) == set(keys_of(kind))


def test_the_page_has_the_keys_of_an_evaluation_and_of_a_session() -> None:
    block = FOLDER[FOLDER.index('{"step": 5000') : FOLDER.index('{"modularity"')]
    top = set(re.findall(r'(?:^ |[{,] ?)"(\w+)": ', block, re.MULTILINE))
    for kind in (EvaluationRecord, CodeRecord, ConfusionRecord, FactorMatrixRecord, ShapeCorrelationRecord):
        assert set(keys_of(kind)) <= top | set(re.findall(r'"(\w+)": ', block)), kind
    assert f"entries `{{{', '.join(keys_of(GalleryImage))}}}`" in FOLDER
    sessions = next(line for line in FOLDER.splitlines() if line.startswith("  sessions.jsonl"))
    assert all(key in sessions for key in keys_of(SessionRecord))


def test_the_page_names_every_loss_and_what_moves() -> None:
    for name in (
        "loss/consistency",
        "loss/balance",
        "loss/vat",
        "loss/contrastive",
        "loss/d",
        "loss/g",
        "param/KEY",
    ):
        assert f"`{name}`" in PAGE, name
