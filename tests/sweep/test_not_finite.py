"""Goals that are not finite, or missing: the trial ends at once, and neither scheduler nor search hears of it."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import ray
from ray.tune.result import DONE, SHOULD_CHECKPOINT

from infogan_bench.config import parse_sweep
from infogan_bench.records import SeedResult, Status, TrialUpdate
from infogan_bench.sweep.engine import own_trial
from infogan_bench.sweep.engine.trainable import GOAL, PLANNED_TRIAL, UPDATE, InfoGANTrainable
from infogan_bench.sweep.planned_trial import PlannedTrial


def reported(
    monkeypatch: pytest.MonkeyPatch, values: tuple[float | None, ...], **sections: object
) -> dict[str, object]:
    """The first report of a trial whose seeds have these values of the goal."""
    seeds = tuple(
        SeedResult(seed, Status.RUNNING, 20, {} if value is None else {"L_I": value})
        for seed, value in enumerate(values)
    )
    update = TrialUpdate("0000", {}, Status.RUNNING, 20, seeds)
    fake = SimpleNamespace(advance=lambda: update, update=update, peak_memory=None)
    monkeypatch.setattr(own_trial, "Trial", lambda *arguments: fake)
    monkeypatch.setattr(ray, "get", lambda reference: reference)  # without Ray
    monkeypatch.setattr(ray, "get_gpu_ids", lambda: [])
    monkeypatch.setattr(ray.util, "get_node_ip_address", lambda: "127.0.0.1")
    sweep = parse_sweep({"name": "s", "goal": {"metric": "L_I"}, "seeds": len(values)})
    shared = SimpleNamespace(sweep=sweep, threads=1, extensions={}, dataset=None)
    config = {"shared": shared, PLANNED_TRIAL: PlannedTrial("0000", {}).to_json()}
    return InfoGANTrainable(config).step()


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_trial_whose_goal_is_not_finite_ends_at_its_first_report(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    result = reported(monkeypatch, (0.5, value))
    update = TrialUpdate.from_json(str(result[UPDATE]))
    assert GOAL not in result
    assert (result[DONE], result[SHOULD_CHECKPOINT]) == (True, False)
    assert (update.status, update.error) == (Status.DIVERGED, f"goal: `L_I` is {value} at step 20")
    assert [seed.status for seed in update.seeds] == [Status.RUNNING, Status.DIVERGED]


def test_a_trial_without_its_goal_says_which_metric_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    result = reported(monkeypatch, (None,))
    update = TrialUpdate.from_json(str(result[UPDATE]))
    assert GOAL not in result
    assert (update.status, update.error) == (Status.FAILED, "goal: `L_I` has no value at step 20")


def test_a_finite_goal_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    result = reported(monkeypatch, (0.25, 0.75))
    assert (result[GOAL], result[DONE]) == (0.5, False)
