"""What is proposed and in which order; without Ray's loop."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, MedianStoppingRule
from ray.tune.search import Searcher

from infogan_bench.config import Choice, Range, parse_sweep
from infogan_bench.sweep.search import Planner, Proposals, scheduler
from infogan_bench.sweep.trainable import OBJECTIVE, Assignment

SPACE = {
    "objective.lambda_cat": Range(0.1, 10, log=True),
    "codes.categorical": Choice(([10], [10, 2])),
    "codes.uniform": Range(1, 4, integer=True),
    "batch": Range(32, 128, integer=True, step=32),
    "optimiser.lr_g": Range(0.0005, 0.002, step=0.0005),
}


def proposals(first: int = 0, total: int = 20, seed: int = 0) -> Proposals:
    return Proposals(SPACE, first=first, total=total, seed=seed, mode="max")


def score(params: Mapping[str, Any]) -> float:
    """Best at lambda 1 with four uniform codes."""
    return float(params["codes.uniform"]) - abs(params["objective.lambda_cat"] - 1)


def test_proposals_are_inside_the_space() -> None:
    search = proposals()
    for number in range(20):
        assignment = search.propose()
        params = assignment.params
        assert assignment.trial == f"{number:04d}"
        assert 0.1 <= params["objective.lambda_cat"] <= 10
        assert params["codes.categorical"] in ([10], [10, 2])
        assert params["codes.uniform"] in (1, 2, 3, 4)
        assert params["batch"] in (32, 64, 96, 128)
        assert params["optimiser.lr_g"] in (0.0005, 0.001, 0.0015, 0.002)
        search.observe(assignment, score(params))
    assert search.left == 0


def test_equal_seeds_and_results_give_equal_proposals() -> None:
    def run(seed: int) -> list[Mapping[str, Any]]:
        search = proposals(seed=seed)
        found = []
        for _ in range(20):
            assignment = search.propose()
            search.observe(assignment, score(assignment.params))
            found.append(assignment.params)
        return found

    assert run(0) == run(0)
    assert run(0) != run(1)


def test_a_search_that_was_told_of_good_trials_proposes_near_them() -> None:
    """After 40 results whose best have four uniform codes, TPE proposes four more often than one in four."""
    teacher = Proposals(SPACE, first=0, total=40, seed=0, mode="max")
    pupil = Proposals(SPACE, first=40, total=80, seed=0, mode="max")
    for _ in range(40):
        params = teacher.propose().params
        pupil.replay(params, score(params))
    proposed = [pupil.propose().params["codes.uniform"] for _ in range(40)]
    assert proposed.count(4) > 20


def test_failures_and_missing_values_teach_nothing() -> None:
    search = proposals()
    search.replay({}, None)
    search.replay({}, float("nan"))
    search.observe(search.propose(), None)
    search.observe(search.propose(), float("inf"))
    assert search.left == 18


def test_the_planner_hands_out_what_is_left_before_anything_new() -> None:
    left = [Assignment("0001", {"batch": 64}, checkpoint="somewhere"), Assignment("0004", {"batch": 32})]
    planner = Planner(left, proposals(first=5, total=7), "max")
    handed = [json.loads(planner.suggest(f"ray-{k}")["assignment"]) for k in range(4)]
    assert [each["trial"] for each in handed] == ["0001", "0004", "0005", "0006"]
    assert handed[0].items() >= {"trial": "0001", "params": {"batch": 64}, "checkpoint": "somewhere"}.items()
    assert planner.suggest("ray-4") == Searcher.FINISHED
    for k in range(2, 4):
        planner.on_trial_complete(f"ray-{k}", {OBJECTIVE: 0.5})


@pytest.mark.parametrize(
    ("name", "kind"),
    [("none", FIFOScheduler), ("asha", AsyncHyperBandScheduler), ("median", MedianStoppingRule)],
)
def test_schedulers(name: str, kind: type) -> None:
    assert type(scheduler(parse_sweep({"name": "s", "scheduler": name}))) is kind
