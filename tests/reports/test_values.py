"""Values that are no plain numbers: NaN, infinite, absent, or with more digits than a float64 holds."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from infogan_reports import ReportError, build_report, load, ranking, summarise
from infogan_reports.leaderboard import LeaderboardColumn
from infogan_reports.sections import curves, failures, mattered, summary

LARGE = 2**53 + 1


def columns(folder: Path) -> dict[str, LeaderboardColumn]:
    return {column.label: column for column in summarise(load(folder)).sweep.leaderboard.columns}


def report(folder: Path, trial_id: str, metric: str, value: float) -> None:
    """Add a last report of a metric to the history."""
    history = pd.read_parquet(folder / "history.parquet")
    row = pd.DataFrame([(trial_id, 0, 100, metric, value)], columns=history.columns)
    pd.concat([history, row]).to_parquet(folder / "history.parquet")


def test_nan_infinity_and_no_value_differ(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(
        *(written_trial(f"{i}", {}, (0.5,), scores={"nmi": 0.5} if i == 3 else {}) for i in range(4))
    )
    report(folder, "0", "nmi", math.nan)
    report(folder, "1", "nmi", -math.inf)
    nmi = columns(folder)["nmi"]
    assert nmi.values == [None, None, None, 0.5]
    assert nmi.words == {0: "NaN", 1: "−∞"}


def test_a_figure_says_which_values_it_left_out(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("0", {}, (0.5,)))
    for value in (math.nan, math.inf, math.inf):
        report(folder, "0", "loss/d", value)
    found = summarise(load(folder)).of(curves.SECTION).panels
    by_metric = {panel.metric: panel.left_out for panel in found}
    assert by_metric["loss/d"] == "Left out: 2 of value ∞, 1 of value NaN."
    assert by_metric["loss/g"] == ""


def test_parameters_that_are_no_plain_numbers(sweep: Callable[..., Path], written_trial: type) -> None:
    values = [0.5, math.nan, math.inf, LARGE, 10**400]
    folder = sweep(*(written_trial(f"{i}", {"a": value}, (0.9 - i / 10,)) for i, value in enumerate(values)))
    column = columns(folder)["a"]
    assert column.values == [0.5, None, None, float(LARGE), None]
    assert column.words == {1: "NaN", 2: "∞", 3: "9007199254740993", 4: str(10**400)}
    [effect] = summarise(load(folder)).of(mattered.SECTION).effects
    assert [point.trial_id for point in effect.points] == ["0", "3"]
    assert effect.left_out == "Left out: 3 trials (3 whose a is not a finite number)."
    page = build_report(folder).read_text(encoding="utf-8")

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    table = json.loads(page.partition('id="trials">')[2].partition("</script>")[0], parse_constant=refuse)
    assert [each["words"] for each in table["columns"] if each["label"] == "a"] == [
        {str(row): text for row, text in column.words.items()}
    ]


def test_equal_trials_share_a_rank(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(
        *(written_trial(f"{i}", {}, (value,)) for i, value in enumerate([0.5, 0.7, 0.7, 0.6, 0.5]))
    )
    assert [(trial.rank, trial.trial_id) for trial in ranking(load(folder))] == [
        (1, "1"), (1, "2"), (3, "3"), (4, "0"), (4, "4"),
    ]  # fmt: skip


def statement(sweep: Callable[..., Path], trials: list[object]) -> str:
    [effect] = summarise(load(sweep(*trials, files=False))).of(mattered.SECTION).effects
    return effect.statement


def test_too_few_is_said_only_where_that_is_why(sweep: Callable[..., Path], written_trial: type) -> None:
    def of(values: list[object], means: list[float]) -> str:
        pairs = zip(values, means, strict=True)
        return statement(
            sweep, [written_trial(f"{i}", {"a": v}, (mean,)) for i, (v, mean) in enumerate(pairs)]
        )

    assert of([1, 2], [0.5, 0.6]) == "2 finished trials: too few to say how much it mattered."
    assert of([1] * 6, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == (
        "6 finished trials, all at 1: no other value to compare with."
    )
    assert of([1, 2, 3, 4, 5, 6], [0.5] * 6) == (
        "6 finished trials, all with a cluster_accuracy of 0.5000: it made no difference."
    )
    assert of(["a", "b", "c", "d", "e"], [0.1, 0.2, 0.3, 0.4, 0.5]) == (
        "5 finished trials, each at a value of its own: nothing to average over."
    )


def test_a_sweep_that_its_time_limit_ended_says_so(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(
        *(written_trial(f"{i}", {"a": i}, (0.5 + i / 10,), status="stopped", step=40) for i in range(2)),
        config={"space": {"a": list(range(10))}},
    )
    rows = pd.read_parquet(folder / "trials.parquet").assign(ended_by="time limit")
    rows.to_parquet(folder / "trials.parquet")
    found = summarise(load(folder)).of(summary.SECTION)
    ends = found.endings
    assert (ends.planned, ends.begun, ends.never_begun, ends.by_time_limit) == (10, 2, 8, 2)
    assert ends.statement == (
        "The time limit ended 2 trials before all steps were done. Of 10 planned trials 2 began and 8 never did."
    )
    cards = dict(ends.cards)
    assert (cards["stopped early"], cards["ended by the time limit"], cards["never begun"]) == (0, 2, 8)
    assert found.caution == ("The best trial has not done all its steps: the time limit ended it at step 40.")
    ended_by = columns(folder)["ended by"]
    assert [ended_by.categories[place] for place in ended_by.values] == ["time limit"] * 2


def test_a_failed_trial_shows_the_end_of_its_log(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("0000", {}, (None,), status="failed", error="boom"))
    frames = "\n".join(f"  frame {i}" for i in range(100))
    (folder / "sweep.log").write_text(
        "2026-11-27 08:00:00,123 INFO infogan_bench.sweep: another\n"
        f"2026-11-27 08:00:01,123 ERROR infogan_bench.sweep: trial 0000 failed\n{frames}\nRuntimeError: boom\n"
        "2026-11-27 08:00:02,123 INFO infogan_bench.sweep: trial 0001 goes on\n"
    )
    found = summarise(load(folder)).of(failures.SECTION)
    lines = found.log_ends["0000"].split("\n")
    assert (lines[0], lines[1], lines[-1], len(lines)) == (
        "[77 lines left out]", "  frame 76", "RuntimeError: boom", 26,
    )  # fmt: skip
    assert str(folder / "sweep.log") in build_report(folder).read_text(encoding="utf-8")


def test_a_report_that_cannot_be_written_names_output(mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ReportError, match=r"report\.html cannot be written \(.*\); --output names another place"
    ):
        build_report(mixed, tmp_path / "file" / "report.html")


def test_a_parameter_of_one_value_has_no_figure(sweep: Callable[..., Path], written_trial: type) -> None:
    trials = [written_trial(f"{i}", {"a": i, "b": 64, "c": 2}, (0.5 + i / 10,)) for i in range(3)]
    space = {"a": {"choice": [0, 1, 2]}, "b": {"choice": [64]}, "c": [2]}
    data = summarise(load(sweep(*trials, files=False, config={"space": space})))
    assert [effect.key for effect in data.of(mattered.SECTION).effects] == ["a"]
