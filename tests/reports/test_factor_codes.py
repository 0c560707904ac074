"""The report's words and pictures on which code shows each ground-truth factor."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from infogan_reports import build_report, load, summarise
from infogan_reports.noise import mean_interval
from infogan_reports.sections import codes

from tests.reports.conftest import EVALUATION

FACTORS: list[dict[str, Any]] = [
    {
        "name": "azimuth", "kind": "circular:360", "unit": "degrees", "correlations": [0.2, 0.9], "code": "uniform_0",
        "correlation": 0.9, "share": 1.0, "second_code": "cat_0", "matched_code": "uniform_0",
        "matched_correlation": 0.9,
        "measured": {"values": [-1.0, 0.0, 1.0], "low": [10.0, None, 190.0], "middle": [20.0, None, 200.0],
                     "high": [30.0, None, 210.0], "n": [40, 2, 58]},
    },
    {
        "name": "<b>light", "kind": "continuous", "unit": "", "correlations": [0.3, 0.5], "code": "uniform_0",
        "correlation": 0.5, "share": 0.6, "second_code": "cat_0", "matched_code": "cat_0", "matched_correlation": 0.3,
        "measured": None,
    },
]  # fmt: skip
CATEGORIES = {
    "codes": ["cat_0"], "factors": ["glasses", "hair"], "nmi": [[0.1, 0.6]], "purity": [[0.9, 0.7]],
    "balanced_accuracy": [[0.5, 0.75]], "n": 100,
}  # fmt: skip


@pytest.fixture
def folder(sweep: Callable[..., Path], written_trial: type) -> Path:
    evaluation = EVALUATION | {
        "factor_codes": {"codes": ["cat_0", "uniform_0"], "factors": FACTORS, "n": 100},
        "category_codes": CATEGORIES,
    }
    folder = sweep(written_trial("0000", {}, (0.5, 0.4, 0.3)), evaluation=evaluation)
    for seed, value in ((1, 0.8), (2, 0.7)):  # azimuth in the other seeds
        path = folder / f"trials/0000/seed-{seed}/evaluation.json"
        other = copy.deepcopy(evaluation)
        other["factor_codes"]["factors"][0]["correlation"] = value
        path.write_text(json.dumps(other))
    return folder


def meaning_of(folder: Path) -> codes.Meaning:
    meaning = summarise(load(folder)).of(codes.SECTION).meaning
    assert meaning is not None
    return meaning


def test_each_factor_has_its_code_and_how_sure_that_is(folder: Path) -> None:
    azimuth, light = meaning_of(folder).shown_factors
    assert (azimuth.code, azimuth.correlation, azimuth.share) == ("uniform_0", 0.9, 1.0)
    assert (azimuth.second, azimuth.matched) == (("cat_0", 0.2), None)
    seeds = azimuth.over_seeds
    assert seeds is not None
    assert (seeds.n, seeds.mean, seeds.least) == (3, pytest.approx(0.8), 0.7)
    interval = mean_interval([0.9, 0.8, 0.7])
    assert interval is not None
    assert (seeds.low, seeds.high) == pytest.approx((interval[0], min(interval[1], 1.0)))
    assert light.matched == ("cat_0", 0.3)  # the azimuth has the better code


def test_a_weak_correlation_is_no_meaning(folder: Path) -> None:
    azimuth = meaning_of(folder).shown_factors[0]
    assert replace(azimuth, correlation=0.39).claim == "No code shows the azimuth; the nearest is uniform_0"


def test_the_measured_factor_stands_below_the_traversal(folder: Path) -> None:
    azimuth, light = meaning_of(folder).shown_factors
    plot = azimuth.measured
    assert plot is not None
    assert (plot.columns, plot.low, plot.high, plot.first, plot.last, plot.n) == (3, 10, 210, 20, 200, 100)
    left, right = plot.bars  # the middle column has too few images
    assert (left.x, left.y, left.height, left.middle) == pytest.approx((0, 90, 10, 95))
    assert (right.x, right.y, right.height, right.middle) == pytest.approx((2, 0, 10, 5))
    assert light.measured is None


def test_the_page_says_it_in_words(folder: Path) -> None:
    text = " ".join(build_report(folder).read_text(encoding="utf-8").split())
    assert (
        "<strong>uniform_0 is the azimuth</strong> (an angle, 360 a turn, degrees): correlation 0.90, the best code "
        "in 100 % of the resampled test sets; next is cat_0 with 0.20." in text
    )
    assert "uniform_0 follows the &lt;b&gt;light in part</strong> (continuous): correlation 0.50" in text
    assert "Over 3 seeds the best code has 0.80 (mean; 95 % from 0.55 to 1.00; worst seed 0.70)." in text
    assert "If each factor gets a code of its own, cat_0 stands for it, with 0.30." in text
    assert "<b>light" not in text
    assert (
        "Measured azimuth, from 10.00 (bottom) to 210.00 (top) degrees: middle half and median of the 100 test"
        in text
    )
    assert "cat_0 tells hair best: NMI 0.60, purity 0.70, balanced accuracy 0.75." in text


def test_tables_of_another_shape_are_left_out(folder: Path) -> None:
    path = folder / "trials/0000/seed-0/evaluation.json"
    for key, change in (
        ("factor_codes", {"codes": ["cat_0"]}),
        ("category_codes", {"nmi": [[0.1]]}),
    ):
        whole = json.loads(path.read_text())
        path.write_text(json.dumps(whole | {key: whole[key] | change}))
        data = load(folder)
        assert summarise(data).of(codes.SECTION).meaning is not None
        assert any("another shape" in each for each in data.left_out)
        path.write_text(json.dumps(whole))
