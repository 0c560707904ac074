"""The leaderboard's columns: values worked out by hand."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from infogan_reports import load, summarise
from infogan_reports.leaderboard import LeaderboardColumn


def columns(folder: Path) -> dict[str, LeaderboardColumn]:
    return {column.label: column for column in summarise(load(folder)).sweep.leaderboard.columns}


def test_every_trial_has_its_mean_and_spread(mixed: Path) -> None:
    table = columns(mixed)
    assert table["trial"].values == ["0001", "0000", "0002", "0003", "0004", "0005"]
    assert table["rank"].values == [1, 2, 2, 4, None, None]
    accuracy = table["cluster_accuracy"]
    assert accuracy.values == pytest.approx([0.85, 0.6, 0.6, 0.3, None, None])
    assert accuracy.spreads == pytest.approx([0.1 / math.sqrt(2), 0.2 / math.sqrt(2), 0, 0, None, None])
    assert (accuracy.supervision, accuracy.direction, accuracy.objective) == ("labels", "max", True)
    assert table["nmi"].values == [0.75, None, None, None, None, None]
    assert table["optimiser.lr_g"].scale == "log"
    assert table["architecture.name"].categories == ["paper", "mlp"]  # the order of the sweep file
    assert table["architecture.name"].values == [0, 0, 1, 1, 0, 1]


def test_bold_is_what_beats_every_other_beyond_the_noise(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    folder = sweep(
        written_trial("a", {}, (0.80, 0.81, 0.82)),
        written_trial("b", {}, (0.70, 0.71, 0.73)),
        written_trial("c", {}, (0.10, 0.90, 0.50)),
    )
    table = columns(folder)["cluster_accuracy"]
    assert (table.leader, list(table.level)) == (None, [2])  # b is beaten, c swings too far
    noise = summarise(load(folder)).sweep.leaderboard.noise
    assert "1 of the other 2 ranked trials cannot be told apart from trial a" in noise


def test_a_clear_lead_is_bold(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(
        written_trial("a", {}, (0.70, 0.71, 0.73)), written_trial("b", {}, (0.80, 0.81, 0.82)),
        written_trial("c", {}, (0.99, 0.99, 0.99), status="diverged"),
    )  # fmt: skip
    report = summarise(load(folder))
    assert columns(folder)["cluster_accuracy"].leader == 0
    assert report.sweep.leaderboard.noise.startswith(
        "In cluster_accuracy, trial b is better than every other"
    )


def test_with_one_seed_nothing_can_be_told_apart(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("a", {}, (0.9,)), written_trial("b", {}, (0.1,)))
    assert columns(folder)["cluster_accuracy"].leader is None
    noise = summarise(load(folder)).sweep.leaderboard.noise
    assert noise == "Each trial has one seed, so no two trials can be told apart: nothing is bold."


def test_lower_is_better_for_distances_and_unknown_scores_have_no_best(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    folder = sweep(
        written_trial("a", {}, (0.9, 0.8), scores={"fid_digits": 9.0, "mine": 1.0, "L_I/cat_0": 1.0}),
        written_trial("b", {}, (0.1, 0.2), scores={"fid_digits": 3.0, "mine": 2.0, "L_I/cat_0": 2.0}),
    )
    table = columns(folder)
    assert (table["fid_digits"].direction, table["fid_digits"].leader) == ("min", 1)
    assert (table["mine"].direction, table["mine"].leader) == (None, None)
    assert (table["L_I/cat_0"].direction, table["L_I/cat_0"].shown) == ("max", False)


def test_values_that_read_alike_stay_apart(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("a", {"k": 1}, (0.2,)), written_trial("b", {"k": "1"}, (0.1,)))
    assert sorted(columns(folder)["k"].categories) == ['"1"', "1"]


def test_why_a_score_has_no_value_is_said(sweep: Callable[..., Path], written_trial: type) -> None:
    """NaN, infinite, not defined and never reported differ from each other."""
    folder = sweep(
        written_trial("a", {}, (0.9,), scores={"mig": 0.4, "modularity": 0.5}),
        written_trial("b", {}, (0.8,)),
        written_trial("c", {}, (None,), status="failed"),
        written_trial("d", {}, (None,), status="diverged"),
        written_trial("e", {}, (None,), status="interrupted"),
    )
    history = pd.read_parquet(folder / "history.parquet")
    history = history[~((history["trial"] == "c") & (history["metric"] == "cluster_accuracy"))]
    history.loc[(history["trial"] == "e") & (history["metric"] == "cluster_accuracy"), "value"] = math.inf
    history.to_parquet(folder / "history.parquet")
    place = folder / "trials" / "b" / "seed-0" / "evaluation.json"
    place.write_text(
        json.dumps({"step": 100, "scores": {}, "not_defined": {"modularity": "one factor alone"}})
    )
    table = summarise(load(folder)).sweep.leaderboard
    found = {column.label: column for column in table.columns}
    assert found["cluster_accuracy"].words == {3: "NaN", 4: "∞"}  # c has no word: it never reported it
    assert (found["modularity"].values, found["modularity"].words) == (
        [0.5, None, None, None, None],
        {1: "not defined"},
    )
    assert (found["mig"].values, found["mig"].words) == ([0.4, None, None, None, None], {})
    assert table.absent == (
        "modularity is not defined for trial b: one factor alone.",
        "Trial c ended without a report of cluster_accuracy.",
    )


def test_a_score_that_no_trial_has_is_a_column_with_its_reason(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    evaluation = {"step": 100, "scores": {}, "codes": [], "not_defined": {"mig": "factor 1 is constant"}}
    trials = (written_trial(f"000{i}", {}, (i / 10, i / 10)) for i in range(5))
    table = summarise(load(sweep(*trials, evaluation=evaluation))).sweep.leaderboard
    found = {column.label: column for column in table.columns}
    assert found["mig"].words == dict.fromkeys(range(5), "not defined")
    assert table.absent == ("mig is not defined for 5 trials (0004, 0003, 0002, ...): factor 1 is constant.",)
