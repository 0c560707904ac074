"""What each code knows of each factor: the numbers, their shades, and the table on the page."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from infogan_reports import build_report, load, summarise
from infogan_reports.sections import codes, summary

MATRIX: dict[str, Any] = {
    "codes": ["cat_0", "uniform_0", "<b>"],
    "factors": ["shape", "x", "constant"],
    "mutual_information": [[math.log(3), 0.1, 0.0], [0.2, 1.5, 0.0], [0.0, 0.0, 0.0]],
    "factor_entropy": [math.log(3), 3.0, 0.0],
    "n": 1000,
    "n_bins": 20,
}


@pytest.fixture
def folder(sweep: Callable[..., Path], written_trial: type) -> Path:
    evaluation = {"step": 100, "scores": {}, "codes": [], "confusion": None, "factor_matrix": MATRIX}
    return sweep(
        written_trial("0000", {}, (0.5,), scores={"cluster_accuracy": 0.25, "beta_vae": 0.75}),
        config={"dataset": "sprites", "objective": {"metric": "mig", "mode": "max"}},
        evaluation=evaluation,
    )


def test_a_cell_is_shaded_by_its_share_of_the_factor_s_entropy(folder: Path) -> None:
    meaning = summarise(load(folder)).of(codes.SECTION).meaning
    assert meaning is not None
    matrix = meaning.factor_matrix
    assert matrix is not None
    assert [code for code, _ in matrix.rows] == MATRIX["codes"]
    cells = [cells for _, cells in matrix.rows]
    assert [[cell.nats for cell in row] for row in cells] == MATRIX["mutual_information"]
    # shares: 1, 0.03, none; 0.18, 0.5, none; of 5 shades, to the nearest
    assert [[cell.shade for cell in row] for row in cells] == [[5, 0, 0], [1, 2, 0], [0, 0, 0]]


def test_the_code_that_knows_a_factor_best_is_marked_unless_none_knows_it(folder: Path) -> None:
    meaning = summarise(load(folder)).of(codes.SECTION).meaning
    assert meaning is not None
    assert meaning.factor_matrix is not None
    best = [[cell.best for cell in cells] for _, cells in meaning.factor_matrix.rows]
    assert best == [[True, False, False], [False, True, False], [False, False, False]]


def test_the_table_is_on_the_page(folder: Path) -> None:
    page = build_report(folder).read_text(encoding="utf-8")
    assert "What each code knows of each factor" in page
    assert "on 1000 test images" in page
    assert "No confusion matrix" not in page
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page)
    found = {
        html.unescape(code): re.findall(r'<td class="([^"]*)">([^<]*)</td>', cells) for code, cells in rows
    }
    assert found == {
        "cat_0": [("s5 matched", "1.10"), ("s0", "0.10"), ("s0", "0.00")],
        "uniform_0": [("s1", "0.20"), ("s2 matched", "1.50"), ("s0", "0.00")],
        "<b>": [("s0", "0.00")] * 3,
    }


def test_scores_that_use_factors_are_marked_apart_from_those_that_use_labels(folder: Path) -> None:
    report = summarise(load(folder))
    assert report.of(summary.SECTION).question.uses == "factors"
    page = build_report(folder).read_text(encoding="utf-8")
    used = {
        column.label: column.supervision for column in report.sweep.leaderboard.columns if column.supervision
    }
    assert used == {"beta_vae": "factors", "mig": "factors", "cluster_accuracy": "labels"}
    assert "mig uses ground-truth factors, so choosing a trial by it is supervision" in page


def test_without_factors_there_is_no_such_table(mixed: Path) -> None:
    meaning = summarise(load(mixed)).of(codes.SECTION).meaning
    assert meaning is not None
    assert meaning.factor_matrix is None
    assert "What each code knows" not in build_report(mixed).read_text(encoding="utf-8")
