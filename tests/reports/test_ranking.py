"""The order of trials, with means and spreads that follow from the objective's values by hand."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from infogan_reports import load, pareto_front, ranking


def test_trials_are_ordered_by_mean_and_bad_ones_are_not_ranked(mixed: Path) -> None:
    trials = ranking(load(mixed))
    assert [(trial.rank, trial.trial_id) for trial in trials] == [
        (1, "0001"),  # (0.8 + 0.9) / 2
        (2, "0000"),  # (0.5 + 0.7) / 2, level with 0002: they share a rank, in the order of their ids
        (2, "0002"),
        (4, "0003"),  # stopped early, still ranked by its last score
        (None, "0004"),  # 0.95, but one seed diverged
        (None, "0005"),
    ]
    assert [trial.status for trial in trials] == [
        "finished", "finished", "finished", "stopped", "diverged", "failed",
    ]  # fmt: skip


def test_mean_spread_and_totals_over_seeds(mixed: Path) -> None:
    best = ranking(load(mixed))[0]
    assert best.mean == pytest.approx(0.85)
    assert best.std == pytest.approx(0.1 / math.sqrt(2))  # two values 0.1 apart, ddof 1
    assert (best.n_seeds, best.step, best.seconds) == (2, 100, 20.0)
    assert best.scores == pytest.approx({"cluster_accuracy": 0.85, "nmi": 0.75})


def test_the_smallest_is_first_where_the_objective_is_minimised(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    folder = sweep(
        written_trial("0000", {}, (0.4,)),
        written_trial("0001", {}, (-0.2,)),
        written_trial("0002", {}, (0.4,)),
        config={"objective": {"metric": "L_I", "mode": "min"}},
    )
    assert [trial.trial_id for trial in ranking(load(folder))] == ["0001", "0000", "0002"]


def test_one_seed_has_no_spread(sweep: Callable[..., Path], written_trial: type) -> None:
    (trial,) = ranking(load(sweep(written_trial("0000", {}, (0.4,)))))
    assert trial.mean == pytest.approx(0.4)
    assert trial.std is None


def test_a_trial_is_not_ranked_before_every_seed_has_a_score(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    folder = sweep(
        written_trial("0000", {}, (0.4, None), status=("finished", "pending"), scores={"nmi": 0.5})
    )
    (trial,) = ranking(load(folder))
    assert (trial.rank, trial.mean, trial.std) == (None, None, None)
    assert trial.status == "running"  # begun, with a seed to go
    assert trial.scores == {"nmi": 0.5}  # what both seeds have


def test_nothing_to_rank(sweep: Callable[..., Path]) -> None:
    assert ranking(load(sweep())) == ()


def test_the_front_is_what_no_other_trial_beats_in_both_objectives(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    folder = sweep(
        written_trial("0000", {}, (0.9,), scores={"fid_digits": 7.0}),
        written_trial("0001", {}, (0.8,), scores={"fid_digits": 5.0}),
        written_trial("0002", {}, (0.8,), scores={"fid_digits": 6.0}),  # 0001 is as accurate, and nearer
        written_trial("0003", {}, (0.7,), scores={"fid_digits": 5.0}),  # 0001 is as near, and more accurate
        written_trial("0004", {}, (0.1,), scores={"fid_digits": 1.0}),
        written_trial("0005", {}, (0.8,), scores={"fid_digits": 5.0}),  # level with 0001
        written_trial("0006", {}, (0.95,)),  # stopped before its distance was measured, say
        written_trial("0007", {}, (0.99,), scores={"fid_digits": 0.5}, status="diverged"),
        config={
            "objective": {
                "metric": "cluster_accuracy",
                "mode": "max",
                "also": [{"metric": "fid_digits", "mode": "min"}],
            }
        },
    )
    data = load(folder)
    assert data.goals == (("cluster_accuracy", "max"), ("fid_digits", "min"))
    front = pareto_front(data, ranking(data))
    assert [trial.trial_id for trial in front] == ["0000", "0001", "0005", "0004"]
