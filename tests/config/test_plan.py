"""The trials of a sweep, and what is said of them before they start."""

from __future__ import annotations

import importlib
import json
import math
import os
import subprocess
import sys
import tracemalloc
from itertools import pairwise, product
from typing import Any

import pytest
import yaml

from infogan_bench.config import (
    ConfigError,
    Plan,
    RunConfig,
    SweepConfig,
    apply,
    describe,
    parse_sweep,
    plan,
    resolved_yaml,
)
from infogan_bench.config.searches import find_search
from infogan_bench.config.space import parse_domain

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


@pytest.mark.parametrize("algorithm", ["grid", "random", "sobol", "tpe", "gp", "nsga2"])
def test_an_empty_space_is_one_trial_of_the_base_run(algorithm) -> None:
    assert _assignments(_plan({}, algorithm=algorithm)) == [{}]


# Random and Sobol -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["random", "sobol"])
def test_a_grid_among_samples_is_grid_times_samples_on_the_same_samples(algorithm) -> None:
    planned = _plan(
        {CAT: {"grid": [1, 2, 3]}, LR: {"loguniform": [1e-5, 1e-2]}}, algorithm=algorithm, trials=5
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


@pytest.mark.parametrize("algorithm", ["random", "sobol"])
def test_a_small_space_is_taken_whole_with_a_notice(algorithm) -> None:
    planned = _plan({"batch": [4, 8], CAT: [0, 1]}, algorithm=algorithm, trials=10)
    assert len(_assignments(planned)) == 4
    assert planned.notices == ("search.trials asks for 10 samples, but there are only 4 to draw: 4 trials",)


def test_a_finite_space_needs_no_number() -> None:
    assert _plan({"batch": [4, 8], CAT: [0, 1]}, algorithm="random").total == 4
    assert _refusal({LR: {"uniform": [0.1, 1]}}, algorithm="random") == (
        "search.trials: is missing: say how many trials `random` is to try"
    )


@pytest.mark.parametrize("algorithm", ["random", "sobol"])
@pytest.mark.parametrize("trials", [1, 500, 999])
def test_no_configuration_is_drawn_twice_even_where_nearly_all_are(trials, algorithm) -> None:
    planned = _plan({"steps": {"logint": [1, 1000]}}, algorithm=algorithm, trials=trials)
    steps = [a["steps"] for a in _assignments(planned)]
    assert len(set(steps)) == trials
    assert set(steps) <= set(range(1, 1001))


def test_a_range_too_narrow_for_the_samples_gives_what_there_is() -> None:
    planned = _plan({CAT: {"uniform": [1, 1.00001]}}, algorithm="random", trials=20)
    # Six significant digits leave 1.0 and 1.00001.
    assert sorted(a[CAT] for a in _assignments(planned)) == [1.0, 1.00001]
    assert "only 2 to draw" in planned.notices[0]


def test_samples_depend_on_the_seed_of_the_search_alone() -> None:
    """And not on the order in which a process, here one of another hash seed, keeps its sets."""
    script = (
        "import json; from infogan_bench.config import parse_sweep, plan\n"
        "space = {'optimiser.lr_g': {'loguniform': [1e-5, 1e-2]}, 'batch': [4, 8, 16], 'steps': {'int': [1, 99]}}\n"
        "for algorithm in ('random', 'sobol'):\n"
        "    search = {'algorithm': algorithm, 'trials': 4, 'seed': 3}\n"
        "    print(json.dumps(plan(parse_sweep({'name': 'x', 'space': space, 'search': search})).assignments))"
    )
    other = "0" if os.environ.get("PYTHONHASHSEED") == "12345" else "12345"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": other},
        capture_output=True,
        text=True,
        check=True,
    )
    space = {LR: {"loguniform": [1e-5, 1e-2]}, "batch": [4, 8, 16], "steps": {"int": [1, 99]}}
    for algorithm, line in zip(("random", "sobol"), done.stdout.splitlines(), strict=True):
        here = [_plan(space, algorithm=algorithm, trials=4, seed=seed).assignments for seed in (3, 4)]
        assert json.loads(line) == list(here[0] or ())
        assert here[0] != here[1]


def test_more_samples_than_can_be_planned_are_refused() -> None:
    message = _refusal({LR: {"uniform": [0.1, 1]}, CAT: {"grid": [1, 2]}}, algorithm="random", trials=50_001)
    assert message == "search.trials: this would be 100,002 trials; at most 100,000 are planned"


def test_each_half_each_quarter_and_each_value_has_its_share_of_a_sobol_search() -> None:
    """The first 2^k points of a Sobol sequence have equally many in each of 2^j equal parts of each dimension, j <= k,
    and in each of the four quarters of each two of the first dimensions (Sobol's property A)."""
    space = {
        LR: {"loguniform": [1e-4, 1]},
        "batch": [4, 8, 16, 32],
        CAT: {"uniform": [0, 16]},
        "steps": {"int": [1, 8]},
    }
    trials = _assignments(_plan(space, algorithm="sobol", trials=16))
    assert [sum(1 for t in trials if 10.0**k <= t[LR] < 10.0 ** (k + 1)) for k in range(-4, 0)] == [4] * 4
    assert [sum(1 for t in trials if t["batch"] == size) for size in (4, 8, 16, 32)] == [4] * 4
    assert sorted(int(t[CAT]) for t in trials) == list(range(16))
    assert sorted(t["steps"] for t in trials) == sorted([*range(1, 9)] * 2)
    quarters = [(t[LR] < 1e-2, t["batch"] < 16) for t in trials]
    assert {quarters.count((a, b)) for a in (True, False) for b in (True, False)} == {4}


def test_more_trials_of_a_sobol_search_begin_with_the_same_ones() -> None:
    space = {LR: {"loguniform": [1e-4, 1]}, CAT: {"quniform": [0, 1, 0.1]}}
    few, many = (_assignments(_plan(space, algorithm="sobol", trials=n)) for n in (5, 300))
    assert few == many[:5]


def test_a_share_of_a_logarithmic_range_of_whole_numbers() -> None:
    """Tick k has the share of log(x) from k - 1/2 to k + 1/2: of 1 to 3 that is log 3, log 5/3, log 7/5 over log 7."""
    domain = parse_sweep({"name": "x", "space": {"steps": {"logint": [1, 3]}}}).space["steps"]
    edges = [0.0, math.log(3) / math.log(7), math.log(5) / math.log(7), 1.0]
    for value, (low, high) in enumerate(pairwise(edges), start=1):
        assert [domain.at_quantile(low + 1e-9), domain.at_quantile(high - 1e-9)] == [value, value]


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        ({"choice": [1, 2.5, [1]]}, [1.0, 2.5, [1]], [2, True, "1", [2]]),
        ({"uniform": [0, 1]}, [0, 0.123456789, 1], [-1e-9, 1.1, True, "0.5", None]),
        ({"quniform": [0, 1, 0.1]}, [0.3, 1, 0.7], [0.25, 1.1]),
        ({"int": [1, 9]}, [1, 2.0, 9], [0, 2.5, 10]),
        ({"qint": [4, 20, 8]}, [8, 16], [4, 12, 20, 24]),
    ],
)
def test_what_a_domain_holds(domain, inside, outside) -> None:
    held = parse_domain(domain)
    assert [value for value in inside if not held.holds(value)] == []
    assert [value for value in outside if held.holds(value)] == []


# Searches that learn --------------------------------------------------------------------------------------

TWO = {LR: {"loguniform": [1e-5, 1e-2]}, CAT: {"uniform": [0, 1]}}


@pytest.mark.parametrize("algorithm", ["tpe", "cmaes", "gp", "nsga2"])
def test_some_searches_decide_while_they_run(algorithm) -> None:
    assert _plan(TWO, algorithm=algorithm, trials=17) == Plan(None, 17)
    assert _refusal(TWO, algorithm=algorithm) == (
        f"search.trials: is missing: say how many trials `{algorithm}` is to try"
    )


@pytest.mark.parametrize("algorithm", ["tpe", "gp", "nsga2"])
def test_a_search_that_learns_draws_every_value(algorithm) -> None:
    assert _refusal({"batch": {"grid": [4, 8]}}, algorithm=algorithm, trials=2) == (
        f"space.batch: {algorithm} draws every value, so `grid` has no meaning; use `choice`"
    )


def test_cmaes_takes_ranges_two_or_more_and_one_objective() -> None:
    assert _refusal({**TWO, "batch": [4, 8]}, algorithm="cmaes", trials=9) == (
        "space.batch: cmaes searches ranges of numbers, and a list has no order that it could use; give a range such "
        "as `uniform` or `int`, or search by `tpe`, `gp` or `nsga2`"
    )
    assert _refusal({LR: TWO[LR]}, algorithm="cmaes", trials=9) == (
        "space: cmaes needs 2 parameters or more; with 1, search by `tpe`, `gp` or `nsga2`"
    )
    with pytest.raises(
        ConfigError, match="cmaes has one goal; with several, search by `tpe`, `gp` or `nsga2`"
    ):
        _sweep(TWO, search={"algorithm": "cmaes", "trials": 9}, goal=BOTH)


def test_what_a_search_that_learns_is_known_to_do_is_said() -> None:
    assert _plan(TWO, algorithm="gp", trials=501).notices == (
        "search.trials is 501: the time that gp takes for a proposal grows as the cube of the trials so far; beyond "
        "500, `tpe` is quicker",
    )
    assert _plan(TWO, algorithm="tpe", trials=4).notices == (
        "search.trials is 4 and search.startup 4: tpe will draw all trials at random",
    )
    assert _plan(TWO, algorithm="gp", trials=6, startup=6).notices == (
        "search.trials is 6 and search.startup 6: gp will draw all trials at random",
    )
    assert _plan(TWO, algorithm="tpe", trials=4, startup=3).notices == ()
    assert _refusal(TWO, algorithm="cmaes", trials=8, startup=4) == (
        "search.startup: cmaes does not begin at random; remove this, or search by `tpe` or `gp`"
    )
    assert _plan(TWO, algorithm="nsga2", trials=8).notices == (
        "search.trials is 8 and a generation 8: nsga2 will draw all trials at random",
    )
    assert _plan(TWO, algorithm="nsga2", trials=8, population=4).notices == ()
    assert _refusal(TWO, algorithm="tpe", trials=8, population=4) == (
        "search.population: tpe has no generations; remove this, or search by `cmaes` or `nsga2`"
    )


@pytest.mark.parametrize("algorithm", ["grid", "random", "sobol"])
def test_a_search_that_does_not_learn_takes_no_earlier_sweep(algorithm) -> None:
    assert _refusal({CAT: [0, 1]}, algorithm=algorithm, warm_start="runs/other") == (
        f"search.warm_start: {algorithm} does not learn from trials, so those of an earlier sweep are of no use to it; "
        "search by `tpe`, `cmaes`, `gp` or `nsga2`"
    )


# Several objectives ---------------------------------------------------------------------------------------

BOTH = [{"metric": "cluster_accuracy"}, {"metric": "loss/d", "mode": "min"}]


def test_a_list_of_objectives_is_the_first_with_the_others() -> None:
    sweep = _sweep(TWO, search={"algorithm": "nsga2", "trials": 20}, goal=BOTH)
    assert (sweep.goal.metric, sweep.goal.mode) == ("cluster_accuracy", "max")
    assert [(goal.metric, goal.mode) for goal in sweep.goal.goals] == [
        ("cluster_accuracy", "max"),
        ("loss/d", "min"),
    ]
    assert _sweep({}, goal=[BOTH[0]]) == _sweep({}, goal=BOTH[0]) == _sweep({})
    assert parse_sweep(yaml.safe_load(resolved_yaml(sweep))) == sweep
    assert "\n".join(describe(sweep, plan(sweep)).splitlines()[-5:-1]) == (
        "search     nsga2, seed 0, generations of 8\n"
        "scheduler  none\n"
        "goal       max cluster_accuracy (uses labels), mean over the seeds, which ranks\n"
        "           min loss/d"
    )


@pytest.mark.parametrize(
    ("metric", "mode"),
    [("loss/d", "min"), ("fid_digits", "min"), ("L_I", "max"), ("cluster_accuracy", "max")],
)
def test_without_a_mode_losses_and_distances_are_to_be_low(metric: str, mode: str) -> None:
    evaluation = {"scores": ["cluster_accuracy", "fid_digits"]}
    assert _sweep({}, goal={"metric": metric}, evaluation=evaluation).goal.mode == mode
    listed = _sweep(TWO, search={"algorithm": "tpe", "trials": 9}, goal=[{"metric": "loss/g"}, {"metric": metric}],
                    evaluation=evaluation)  # fmt: skip
    assert [goal.mode for goal in listed.goal.goals] == ["min", mode]
    other = "min" if mode == "max" else "max"
    assert _sweep({}, goal={"metric": metric, "mode": other}, evaluation=evaluation).goal.mode == other


TRANSFORM = {"rotation": 15}


def test_runs_can_be_ranked_by_their_disagreement_on_real_images_which_takes_no_labels() -> None:
    base = {"objective": {"transform": TRANSFORM, "consistency": 1}}
    sweep = _sweep({}, base=base, goal={"metric": "loss/consistency", "mode": "min"})
    assert "goal       min loss/consistency, mean" in describe(sweep, plan(sweep))


@pytest.mark.parametrize(
    ("space", "metric", "fault"),
    [
        ({}, "loss/balance", "`objective.balance` above 0, which there is not"),
        ({}, "loss/vat", "`objective.vat` above 0, which there is not"),
        (
            {"objective.consistency": [1, 0]},
            "loss/consistency",
            "`objective.consistency` above 0, which there is not with objective.consistency = 0.0",
        ),
        (
            {"codes.categorical": [[10], []]},
            "loss/consistency",
            "`objective.consistency` above 0, which there is not with codes.categorical = []",
        ),
    ],
)
def test_a_loss_that_some_run_does_not_have_cannot_rank(space, metric, fault) -> None:
    base = {"objective": {"transform": TRANSFORM, "consistency": 1}}
    with pytest.raises(ConfigError) as caught:
        _sweep(space, base=base, goal={"metric": metric, "mode": "min"})
    assert str(caught.value).endswith(f"goal.metric: `{metric}` needs a categorical code and an {fault}")


def test_the_contrastive_term_and_its_loss_need_two_continuous_codes() -> None:
    goal = {"metric": "loss/contrastive", "mode": "min"}
    sweep = _sweep({"codes.uniform": [2, 3]}, base={"objective": {"contrastive": 1}}, goal=goal)
    assert plan(sweep).total == 2
    with pytest.raises(
        ConfigError, match=r"codes\.uniform = 1: `objective\.contrastive` .*: give two or more of them$"
    ):
        _sweep({"codes.uniform": [1, 2]}, base={"objective": {"contrastive": 1}})
    with pytest.raises(
        ConfigError, match=r"needs two continuous codes and an `objective\.contrastive` above 0"
    ):
        _sweep({}, goal=goal)


@pytest.mark.parametrize(
    ("goal", "fault"),
    [
        ([], "goal: expected a section with keys of its own, got []"),
        ([BOTH[0], BOTH[0]], "goal.also[0].metric: `cluster_accuracy` is a goal twice"),
        ([BOTH[0], {"metric": "nim"}], "goal.also[0].metric: unknown metric 'nim'; did you mean `nmi`?"),
        ([BOTH[0], {"metrik": "nmi"}], "goal.also[0].metrik: unknown key; did you mean `metric`?"),
        ([BOTH[0], {"mode": "up"}], "goal.also[0].mode: expected `max` or `min`, got 'up'"),
    ],
)
def test_each_goal_is_checked(goal, fault) -> None:
    with pytest.raises(ConfigError) as caught:
        _sweep({}, goal=goal)
    assert str(caught.value) == fault


@pytest.mark.parametrize(("trials", "at_random"), [(5, 4), (16, 4), (20, 5), (39, 9), (40, 10), (1000, 10)])
def test_a_search_learns_from_the_first_quarter_of_its_trials(trials: int, at_random: int) -> None:
    sweep = _sweep(TWO, search={"algorithm": "tpe", "trials": trials})
    assert find_search("tpe").random_trials(sweep.search) == at_random
    assert (
        f"search     tpe, seed 0, the first {at_random} at random"
        in describe(sweep, plan(sweep)).splitlines()
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


def test_a_sweep_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("infogan_bench.config.describe")  # not the function of that name
    monkeypatch.setattr(module, "computes_in_bfloat16", lambda: False)
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
        "sweeps     objective.lambda_cat  grid [0.1, 1]",
        "           optimiser.lr_g        loguniform [1e-05, 0.01]",
        "trials     6 x 2 seeds = 12 runs",
        "together   on a GPU 6 trials in one stack, as many as run at once",
        "steps      400, scored every 100",
        "precision  float32",
        "search     random, seed 0, stopped after 7200 s",
        "scheduler  asha: no trial is stopped before step 100, the best 1/3 go on",
        "goal       max cluster_accuracy (uses labels), mean over the seeds",
        "scores     cluster_accuracy (uses labels), nmi (uses labels)",
        "notices    optimiser.lr_g is 0.001 in `base` and swept in `space`: the sweep wins",
    ]


def test_a_label_free_objective_is_not_marked() -> None:
    sweep = _sweep({}, goal={"metric": "L_I"})
    assert "goal       max L_I, mean over the seeds" in describe(sweep, plan(sweep))
