"""The trials of a sweep, and what is said of them before they start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from itertools import product
from typing import Any

import pytest

from infogan_bench.config import ConfigError, Plan, RunConfig, SweepConfig, apply, describe, parse_sweep, plan

CAT, CONT, LR = "objective.lambda_cat", "objective.lambda_cont", "optimiser.lr_g"


def _sweep(space: dict[str, Any], **rest: Any) -> SweepConfig:
    return parse_sweep({"name": "x", "space": space, **rest})


def _plan(space: dict[str, Any], **search: Any) -> Plan:
    return plan(_sweep(space, search=search))


def _assignments(planned: Plan) -> list[dict[str, Any]]:
    assert planned.assignments is not None
    assert planned.total == len(planned.assignments)
    distinct = {json.dumps(assignment, sort_keys=True) for assignment in planned.assignments}
    assert len(distinct) == planned.total
    return list(planned.assignments)


def _refusal(space: dict[str, Any], **search: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        _plan(space, **search)
    return str(caught.value)


# Grid -----------------------------------------------------------------------------------------------------


def test_a_grid_of_three_by_three_by_three_is_27_trials_in_the_order_of_the_file() -> None:
    assignments = _assignments(_plan({CAT: [3.0, 1.0, 2.0], CONT: [0.1, 0.2, 0.3], "batch": [4, 8, 16]}))
    expected = product([3.0, 1.0, 2.0], [0.1, 0.2, 0.3], [4, 8, 16])
    assert assignments == [dict(zip((CAT, CONT, "batch"), values, strict=True)) for values in expected]
    assert list(assignments[0]) == [CAT, CONT, "batch"]


def test_trials_beside_a_grid_are_refused_and_repeats_are_seeds() -> None:
    assert _refusal({CAT: [1, 2, 3]}, trials=2) == (
        "search.trials: a grid has its own number of trials; remove this, and ask for repeats by `seeds`"
    )
    sweep = _sweep({CAT: [1, 2, 3], CONT: [1, 2, 3], "batch": [4, 8, 16]}, seeds=2)
    planned = plan(sweep)
    assert (planned.total, sweep.seeds) == (27, (0, 1))
    assert "27 x 2 seeds = 54 runs" in describe(sweep, planned)


def test_equal_numbers_are_one_trial() -> None:
    assignments = _assignments(_plan({CAT: [1, 10, 1e2, 100.0, 1e15, 1000000000000000]}))
    assert [assignment[CAT] for assignment in assignments] == [1, 10, 100, 1e15]


def test_lists_are_values() -> None:
    assignments = _assignments(_plan({"codes.categorical": [[64], [64, 128]]}))
    assert assignments == [{"codes.categorical": [64]}, {"codes.categorical": [64, 128]}]
    assert apply(RunConfig(), assignments[1]).codes.categorical == (64, 128)


def test_a_million_points_are_refused_by_their_number_without_being_listed() -> None:
    hundred = list(range(2, 102))
    tracemalloc.start()
    message = _refusal({CAT: hundred, CONT: hundred, "batch": hundred})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message == "space: this would be 1,000,000 trials; at most 100,000 are planned"
    assert peak < 20e6
    assert "1,000,000,000,000,000,000 trials" in _refusal({"steps": {"int": [1, 10**18]}})


def test_integer_and_quantised_ranges_are_listed_in_a_grid() -> None:
    assignments = _assignments(_plan({"batch": {"qint": [16, 70, 16]}, CAT: {"quniform": [0, 0.3, 0.1]}}))
    assert [a["batch"] for a in assignments[::4]] == [16, 32, 48, 64]
    assert [a[CAT] for a in assignments[:4]] == [0.0, 0.1, 0.2, 0.3]


def test_an_empty_list_names_its_key() -> None:
    assert _refusal({CAT: []}) == f"space.{CAT}: the list is empty; give at least one value"


@pytest.mark.parametrize("algorithm", ["grid", "random", "tpe"])
def test_an_empty_space_is_one_trial_of_the_base_run(algorithm) -> None:
    assert _assignments(_plan({}, algorithm=algorithm)) == [{}]


# Random ---------------------------------------------------------------------------------------------------


def test_a_grid_among_samples_is_grid_times_samples_on_the_same_samples() -> None:
    planned = _plan(
        {CAT: {"grid": [1, 2, 3]}, LR: {"loguniform": [1e-5, 1e-2]}}, algorithm="random", trials=5
    )
    assignments = _assignments(planned)
    assert planned.total == 15
    assert planned.notices == ()
    rates = {value: [a[LR] for a in assignments if a[CAT] == value] for value in (1, 2, 3)}
    assert rates[1] == rates[2] == rates[3]
    assert len(set(rates[1])) == 5


def test_a_grid_alone_is_not_repeated_by_samples() -> None:
    planned = _plan({CAT: {"grid": [1, 2, 3]}}, algorithm="random", trials=2)
    assert [a[CAT] for a in _assignments(planned)] == [1, 2, 3]
    assert planned.notices == ("search.trials asks for 2 samples, but every domain is a `grid`: 3 trials",)


def test_a_small_space_is_taken_whole_with_a_notice() -> None:
    planned = _plan({"batch": [4, 8], CAT: [0, 1]}, algorithm="random", trials=10)
    assert len(_assignments(planned)) == 4
    assert planned.notices == ("search.trials asks for 10 samples, but there are only 4 to draw: 4 trials",)


def test_a_finite_space_needs_no_number() -> None:
    assert _plan({"batch": [4, 8], CAT: [0, 1]}, algorithm="random").total == 4
    assert _refusal({LR: {"uniform": [0.1, 1]}}, algorithm="random") == (
        "search.trials: is missing: say how many trials `random` is to try"
    )


@pytest.mark.parametrize("trials", [1, 500, 999])
def test_no_configuration_is_drawn_twice_even_where_nearly_all_are(trials) -> None:
    planned = _plan({"steps": {"logint": [1, 1000]}}, algorithm="random", trials=trials)
    steps = [a["steps"] for a in _assignments(planned)]
    assert len(set(steps)) == trials
    assert set(steps) <= set(range(1, 1001))


def test_a_range_too_narrow_for_the_samples_gives_what_there_is() -> None:
    planned = _plan({CAT: {"uniform": [1, 1.00001]}}, algorithm="random", trials=20)
    # Six significant digits leave 1.0 and 1.00001.
    assert sorted(a[CAT] for a in _assignments(planned)) == [1.0, 1.00001]
    assert "only 2 to draw" in planned.notices[0]


def test_samples_depend_on_the_seed_of_the_search_alone() -> None:
    script = (
        "import json; from infogan_bench.config import parse_sweep, plan\n"
        "space = {'optimiser.lr_g': {'loguniform': [1e-5, 1e-2]}, 'batch': [4, 8, 16], 'steps': {'int': [1, 99]}}\n"
        "search = {'algorithm': 'random', 'trials': 4, 'seed': 3}\n"
        "print(json.dumps(plan(parse_sweep({'name': 'x', 'space': space, 'search': search})).assignments))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "12345")
    }
    assert len(outputs) == 1
    space = {LR: {"loguniform": [1e-5, 1e-2]}, "batch": [4, 8, 16], "steps": {"int": [1, 99]}}
    here = [_plan(space, algorithm="random", trials=4, seed=seed).assignments for seed in (3, 4)]
    assert json.loads(outputs.pop()) == list(here[0] or ())
    assert here[0] != here[1]


def test_more_samples_than_can_be_planned_are_refused() -> None:
    message = _refusal({LR: {"uniform": [0.1, 1]}, CAT: {"grid": [1, 2]}}, algorithm="random", trials=50_001)
    assert message == "search.trials: this would be 100,002 trials; at most 100,000 are planned"


# TPE ------------------------------------------------------------------------------------------------------


def test_tpe_decides_while_it_runs() -> None:
    assert _plan({LR: {"loguniform": [1e-5, 1e-2]}}, algorithm="tpe", trials=7) == Plan(None, 7)


def test_tpe_needs_a_number_and_draws_every_value() -> None:
    assert _refusal({"batch": [4, 8]}, algorithm="tpe") == (
        "search.trials: is missing: say how many trials `tpe` is to try"
    )
    assert _refusal({"batch": {"grid": [4, 8]}}, algorithm="tpe", trials=2) == (
        "space.batch: tpe draws every value, so `grid` has no meaning; use `choice`"
    )


def test_tpe_with_more_trials_than_configurations_has_a_notice() -> None:
    assert _plan({"batch": [4, 8]}, algorithm="tpe", trials=5).notices == (
        "search.trials is 5, but the space has 2 configurations: tpe will repeat some",
    )


# What is said ---------------------------------------------------------------------------------------------


def test_a_key_given_in_base_and_swept_has_a_notice_and_the_sweep_wins() -> None:
    planned = plan(_sweep({"batch": [4, 8]}, base={"batch": 32, "steps": 10}))
    assert planned.notices == ("batch is 32 in `base` and swept in `space`: the sweep wins",)
    assert [apply(RunConfig(batch=32), a).batch for a in _assignments(planned)] == [4, 8]


def test_a_grace_that_no_run_outlives_has_a_notice() -> None:
    sweep = _sweep({}, scheduler={"name": "asha", "grace": 100}, base={"steps": 100})
    assert plan(sweep).notices == (
        "scheduler.grace is 100 and a run has 100 steps: no trial is stopped early",
    )


def test_a_sweep_in_words() -> None:
    sweep = _sweep(
        {CAT: {"grid": [0.1, 1]}, LR: {"loguniform": [1e-5, 1e-2]}},
        search={"algorithm": "random", "trials": 3, "time_limit": "2h"},
        scheduler="asha",
        seeds=2,
        base={"steps": 400, "optimiser": {"lr_g": 1e-3}},
        evaluation={"every": 100, "scores": ["cluster_accuracy", "nmi"]},
    )
    assert describe(sweep, plan(sweep)).splitlines() == [
        "name       x",
        "dataset    mnist",
        "sweeps     objective.lambda_cat  grid [0.1, 1.0]",
        "           optimiser.lr_g        loguniform [1e-05, 0.01]",
        "trials     6 x 2 seeds = 12 runs",
        "steps      400, scored every 100",
        "search     random, seed 0, stopped after 7200 s",
        "scheduler  asha: no trial is stopped before step 100, the best 1/3 go on",
        "objective  max cluster_accuracy (uses labels), mean over the seeds",
        "scores     cluster_accuracy (uses labels), nmi (uses labels)",
        "notices    optimiser.lr_g is 0.001 in `base` and swept in `space`: the sweep wins",
    ]


def test_a_label_free_objective_is_not_marked() -> None:
    sweep = _sweep({}, objective={"metric": "L_I"})
    assert "objective  max L_I, mean over the seeds" in describe(sweep, plan(sweep))
