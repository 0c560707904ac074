"""Population based training: who takes over from whom, with what values, and what a sweep records of it."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import signal
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from infogan_bench.config import (
    Choice,
    ConfigError,
    DatasetConfig,
    EvaluationConfig,
    Range,
    RunConfig,
    SchedulerConfig,
    apply,
    describe,
    parse_sweep,
    plan,
)
from infogan_bench.errors import InputError
from infogan_bench.records.results import Mutation, SeedResult, Status, TrialUpdate
from infogan_bench.records.trial import TrialRecord, write_trial
from infogan_bench.sweep import SweepOutcome, resume, start
from infogan_bench.sweep.engine.pbt import donors, explore, rejoined
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.sweep.record.checkpoints import exploit
from infogan_bench.training import load_checkpoint
from infogan_bench.trial import Trial, TrialSpec

LAMBDA, LR = "objective.lambda_cat", "optimiser.lr_g"


# Exploit ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "mode", "quantile", "expected"),
    [
        ([0.1, 0.9, 0.5, 0.4], "max", 0.25, {"0": "1"}),
        ([0.1, 0.9, 0.5, 0.4], "min", 0.25, {"1": "0"}),
        ([0.2, math.nan, 0.5, 0.4], "max", 0.25, {"1": "2"}),
        ([0.2, None, 0.5, 0.4], "min", 0.25, {"1": "0"}),
        ([0.2, 0.2, 0.5, 0.4], "max", 0.25, {"1": "2"}),  # of equals, the later one is below
        ([0.3, 0.3, 0.3, 0.3], "max", 0.25, {}),  # none is better
        ([None, None, None, None], "max", 0.25, {}),
        ([0.3, 0.7], "max", 0.25, {"0": "1"}),  # a quarter of 2, rounded up
        ([0.3, 0.7, 0.5], "max", 0.5, {"0": "1"}),  # half of 3, at most one that teaches one
        ([0.3], "max", 0.5, {}),
    ],
)
def test_the_worst_take_over_from_the_best(
    scores: list[float | None], mode: str, quantile: float, expected: dict[str, str]
) -> None:
    named = {str(place): score for place, score in enumerate(scores)}
    assert donors(named, quantile=quantile, mode=mode, seed=0, step=20) == expected


def test_each_of_the_lower_quantile_draws_its_donor_from_the_upper_one() -> None:
    scores: dict[str, float | None] = {f"{k:04d}": float(k) for k in range(100)}
    found = donors(scores, quantile=0.25, mode="max", seed=0, step=20)
    assert sorted(found) == [f"{k:04d}" for k in range(25)]
    assert set(found.values()) <= {f"{k:04d}" for k in range(75, 100)}
    assert len(set(found.values())) > 10

    backwards = dict(reversed(scores.items()))
    assert donors(backwards, quantile=0.25, mode="max", seed=0, step=20) == found
    assert donors(scores, quantile=0.25, mode="max", seed=1, step=20) != found
    assert donors(scores, quantile=0.25, mode="max", seed=0, step=40) != found


# Explore ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "value", "expected"),
    [
        (Range(0.1, 10, log=True), 1.0, {0.8, 1.25}),
        (Range(0.1, 10, log=True), 9.0, {7.2, 10.0}),  # not above the range
        (Range(0.1, 10), 0.11, {0.1, 0.1375}),
        (Range(0.5, 3, step=0.5), 2.0, {1.5, 2.5}),  # 1.6 and 2.5, on the nearest tick
        (Choice((0.1, 1, 10)), 1, {0.1, 10}),
        (Choice((0.1, 1, 10)), 10, {1, 10}),
        (Choice((3.0,)), 3.0, {3.0}),
    ],
)
def test_a_value_moves_by_a_factor_or_by_a_place(
    domain: Range | Choice, value: float, expected: set[float]
) -> None:
    config = SchedulerConfig(name="pbt", resample=0.0)
    rng = random.Random(0)
    found = [explore({LAMBDA: value}, {LAMBDA: domain}, config, rng)[LAMBDA] for _ in range(50)]
    assert set(found) == expected


def test_a_share_of_the_values_is_drawn_anew() -> None:
    config = SchedulerConfig(name="pbt", resample=0.25, factors=(0.5, 2.0))
    rng = random.Random(0)
    space = {LAMBDA: Range(0.1, 10, log=True)}
    found = [explore({LAMBDA: 1.0}, space, config, rng)[LAMBDA] for _ in range(4000)]
    anew = [value for value in found if value not in (0.5, 2.0)]
    assert len(anew) / len(found) == pytest.approx(0.25, abs=0.03)  # 4 standard deviations
    assert all(0.1 <= value <= 10 for value in anew)
    # log10 of a loguniform value of [0.1, 10] has mean 0
    assert sum(map(math.log10, anew)) / len(anew) == pytest.approx(0, abs=0.08)


# What may be asked for ----------------------------------------------------------------------------------------


def sweep_of(**changes: Any) -> dict[str, Any]:
    """Four trials of a small MLP that are compared at step 20, of 40."""
    return {
        "name": "population",
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
        "base": {"architecture": {"name": "mlp", "width": 0.1}, "steps": 40, "batch": 32},
        "space": {LAMBDA: [0.1, 10], LR: {"choice": [0.0001, 0.002]}},
        "scheduler": {"name": "pbt", "every": 20},
        "goal": {"metric": "L_I", "mode": "max"},
        "evaluation": {"every": 10, "scores": []},
        "resources": {"cpus": 1},
        "tracking": "none",
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"space": {"batch": [32, 64]}},
            "space.batch: `pbt` changes swept values while they train, and this one",
        ),
        ({"space": {}}, "space: `pbt` changes swept values while they train, and nothing is swept"),
        (
            {"search": {"algorithm": "tpe", "trials": 4}},
            "search.algorithm: `pbt` needs its whole population at the start; use `grid`, `random` or `sobol`",
        ),
        (
            {"scheduler": {"name": "pbt", "every": 25}},
            "scheduler.every: must be a multiple of `evaluation.every` (10)",
        ),
        ({"scheduler": {"name": "pbt", "grace": 10}}, "scheduler.grace: has no meaning for `scheduler: pbt`"),
        (
            {"scheduler": {"name": "asha", "every": 10}},
            "scheduler.every: has no meaning for `scheduler: asha`",
        ),
        ({"scheduler": {"name": "pbt", "quantile": 0.6}}, "scheduler.quantile: "),
        ({"scheduler": {"name": "pbt", "factors": []}}, "scheduler.factors: "),
        ({"space": {LAMBDA: [1]}}, "space: `pbt` compares trials, and this would be one alone"),
        (
            {"space": {"objective.consistency": [0, 0.1]}},
            "space: no run can have objective.consistency = 0.1: `consistency` compares",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(parse_sweep(sweep_of(**changes)))
    assert message in str(caught.value)


def test_a_population_that_is_never_compared_is_said_to_be() -> None:
    planned = plan(parse_sweep(sweep_of(scheduler={"name": "pbt", "every": 40})))
    assert planned.notices == (
        "trials are compared every 40 steps, and a run has 40: none takes over from another",
    )


@pytest.mark.parametrize(("steps", "reported", "every"), [(5000, 250, 500), (600, 250, 250), (2501, 50, 300)])
def test_the_default_interval_is_a_tenth_of_the_steps(steps: int, reported: int, every: int) -> None:
    sweep = parse_sweep(sweep_of(base={"steps": steps}, evaluation={"every": reported}, scheduler="pbt"))
    assert sweep.scheduler.interval(steps, reported) == every
    assert f"pbt: every {every} steps the worst 25 % of the trials" in describe(sweep, plan(sweep))


# A trial that takes over --------------------------------------------------------------------------------------

MUTATION = Mutation(2, "0001", {LAMBDA: 2.4})


def spec(run: RunConfig, trial_id: str, value: float, *mutations: Mutation) -> TrialSpec:
    newest = mutations[-1].params if mutations else {LAMBDA: value}
    return TrialSpec(
        trial_id=trial_id,
        params={LAMBDA: value},
        run=apply(run, newest),
        dataset=DatasetConfig(train_size=256, test_size=100),
        evaluation=EvaluationConfig(every=2),
        seeds=(0, 1),
        mutations=mutations,
        moving=(LAMBDA,),
    )


@pytest.fixture
def taken_over(tiny_run: RunConfig, tmp_path: Path) -> Path:
    """After two steps, trial 0000 (lambda 0.5) has taken over from 0001 (3.0), and goes on with 2.4."""
    for name, value in (("0000", 0.5), ("0001", 3.0)):
        trial = Trial(spec(tiny_run, name, value))
        trial.advance()
        trial.save(tmp_path / name)
    run = apply(tiny_run, MUTATION.params)
    exploit(tmp_path / "0000", tmp_path / "0001", tmp_path / "new", MUTATION, run)
    return tmp_path / "new"


def tensors(folder: Path, seed: int) -> Mapping[str, torch.Tensor]:
    return load_checkpoint(folder / f"seed-{seed}" / "checkpoint.safetensors").tensors


def equal(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> set[str]:
    """The names under which both hold the same."""
    assert one.keys() == other.keys()
    return {name for name in one if torch.equal(one[name], other[name])}


class TestTakingOver:
    def test_the_networks_are_the_donors_and_what_is_drawn_is_not(
        self, taken_over: Path, tiny_run: RunConfig, tmp_path: Path
    ) -> None:
        trial = Trial(spec(tiny_run, "0000", 0.5, MUTATION))
        trial.load(taken_over)
        trial.save(tmp_path / "saved")
        for seed in (0, 1):
            donor, own = (tensors(tmp_path / name, seed) for name in ("0001", "0000"))
            found = tensors(tmp_path / "saved", seed)
            assert torch.equal(own["random"], donor["random"])  # until then, trials draw alike
            assert equal(found, donor) == set(found) - {"random"}
            assert any(name.startswith("networks/") for name in set(found) - equal(found, own))

    def test_curves_stay_its_own_and_go_on_with_the_new_value(
        self, taken_over: Path, tiny_run: RunConfig
    ) -> None:
        before = Trial(spec(tiny_run, "0000", 0.5))
        before.advance()
        trial = Trial(spec(tiny_run, "0000", 0.5, MUTATION))
        trial.load(taken_over)
        assert [seed.metrics for seed in trial.update.seeds] == [seed.metrics for seed in before.update.seeds]
        assert {seed.metrics[f"param/{LAMBDA}"] for seed in trial.update.seeds} == {0.5}
        update = trial.advance()
        assert {seed.metrics[f"param/{LAMBDA}"] for seed in update.seeds} == {2.4}
        assert update.mutations == (MUTATION,)
        assert dict(update.params) == {LAMBDA: 0.5}

    def test_it_goes_on_bit_for_bit_after_another_load(
        self, taken_over: Path, tiny_run: RunConfig, tmp_path: Path
    ) -> None:
        straight = Trial(spec(tiny_run, "0000", 0.5, MUTATION))
        straight.load(taken_over)
        for _ in range(2):
            straight.advance()
        straight.save(tmp_path / "straight")

        trial = Trial(spec(tiny_run, "0000", 0.5, MUTATION))
        trial.load(taken_over)
        for name in (
            "at once",
            "halfway",
        ):  # a checkpoint of the new state before it was trained, and one after
            trial.save(tmp_path / name)
            trial = Trial(spec(tiny_run, "0000", 0.5, MUTATION))
            trial.load(tmp_path / name)
            trial.advance()
        trial.save(tmp_path / "again")
        for seed in (0, 1):
            found = tensors(tmp_path / "again", seed)
            assert equal(found, tensors(tmp_path / "straight", seed)) == set(found)

    @pytest.mark.parametrize(
        ("changes", "mutations"),
        [
            ({}, ()),  # it is not told that it took over
            ({}, (replace(MUTATION, from_trial="0002"),)),
            ({"optimiser.beta1": 0.4}, (MUTATION,)),  # what cannot change while a run trains
            ({"steps": 8}, (MUTATION,)),
        ],
    )
    def test_another_configuration_is_refused(
        self, taken_over: Path, tiny_run: RunConfig, changes: dict[str, Any], mutations: tuple[Mutation, ...]
    ) -> None:
        trial = Trial(spec(apply(tiny_run, changes), "0000", 0.5, *mutations))
        with pytest.raises(InputError, match="was written by another configuration"):
            trial.load(taken_over)


def test_a_resumed_population_stands_where_its_checkpoints_do(tmp_path: Path) -> None:
    def saved(name: str, step: int, *mutations: Mutation) -> PlannedTrial:
        folder = tmp_path / name
        folder.mkdir()
        seed = SeedResult(0, Status.RUNNING, step)
        record = TrialRecord(trial_id=name, params={}, run={}, dataset={}, seeds=(0,), progress=(seed,),
                             history=(), mutations=mutations)  # fmt: skip
        write_trial(folder, record)
        return PlannedTrial(name, {LAMBDA: 1}, checkpoint=str(folder))

    storage = CheckpointStore.in_folder(tmp_path)
    mutation = Mutation(20, "b", {LAMBDA: 2})
    fresh, early = PlannedTrial("a", {LAMBDA: 1}), saved("b", 10)
    first, again = saved("c", 20), saved("d", 20, mutation)

    # all have come to step 20 or are on the way: what was begun of that comparison is finished
    left, compared = rejoined([fresh, early, first, again], [], 20, storage)
    assert compared == 0
    assert [each.waits for each in left] == [False, False, True, True]
    assert left[3].mutations == (mutation,)

    # one trial has left step 20, so that comparison is over
    left, compared = rejoined([first, saved("e", 30)], [], 20, storage)
    assert (compared, [each.waits for each in left]) == (20, [False, False])
    left, compared = rejoined([first], [34], 20, storage)  # it diverged in step 34
    assert (compared, [each.waits for each in left]) == (20, [False])


# Whole sweeps -------------------------------------------------------------------------------------------------


SEARCH = {
    "space": {LAMBDA: {"loguniform": [0.1, 10]}, LR: {"loguniform": [0.0001, 0.01]}},
    "search": {"algorithm": "random", "trials": 4},
}


class Watcher:
    """A listener that hands every update on to a function."""

    def __init__(self, see: Callable[[TrialUpdate], None]) -> None:
        self.updated = see

    def started(self, total: int | None) -> None: ...
    def tick(self) -> None: ...
    def ended(self, status: Status) -> None: ...


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, two_cpus: None) -> Path:
    return tmp_path_factory.mktemp("population")


@pytest.fixture(scope="module")
def population(workplace: Path) -> SweepOutcome:
    """Four trials, one of which takes over from another; what it then went on from is copied to `taken-over`."""

    def keep(update: TrialUpdate) -> None:
        if update.mutations and not (workplace / "taken-over").exists():
            (place,) = workplace.glob(f"runs/population/tune/*/{update.trial_id}/checkpoint_*-from-*")
            shutil.copytree(place, workplace / "taken-over")

    tracking = {"uri": f"sqlite:///{workplace / 'mlflow.db'}"}
    sweep = parse_sweep(sweep_of(**SEARCH, seeds=2, tracking=tracking, output=str(workplace / "runs")))
    return start(sweep, listeners=[Watcher(keep)])


def changed(outcome: SweepOutcome) -> tuple[TrialUpdate, Mutation]:
    """The one trial that took over from another, and when and from whom."""
    (trial,) = (trial for trial in outcome.trials if trial.mutations)
    (mutation,) = trial.mutations
    return trial, mutation


@pytest.mark.slow
class TestSweep:
    def test_the_weakest_trial_at_step_20_took_over_from_the_strongest(
        self, population: SweepOutcome
    ) -> None:
        assert {trial.status for trial in population.trials} == {Status.FINISHED}
        trial, mutation = changed(population)
        history = pd.read_parquet(population.folder / "history.parquet")
        scores = history.query("metric == 'L_I' and step == 20").groupby("trial")["value"].mean()
        assert mutation.step == 20
        assert (trial.trial_id, mutation.from_trial) == (scores.idxmin(), scores.idxmax())

    def test_its_values_are_near_the_donors_or_drawn_anew_in_the_space(
        self, population: SweepOutcome
    ) -> None:
        _, mutation = changed(population)
        (donor,) = (trial for trial in population.trials if trial.trial_id == mutation.from_trial)
        space = parse_sweep(sweep_of(**SEARCH)).space
        for key, value in mutation.params.items():
            perturbed = [pytest.approx(factor * donor.params[key], rel=1e-5) for factor in (0.8, 1.25)]
            assert value in perturbed or space[key].low <= value <= space[key].high
        assert mutation.params.keys() == donor.params.keys() == space.keys()

    def test_its_networks_are_those_that_the_donor_has_after_20_steps(
        self, population: SweepOutcome, workplace: Path, tmp_path: Path
    ) -> None:
        _, mutation = changed(population)
        (donor,) = (trial for trial in population.trials if trial.trial_id == mutation.from_trial)
        alone = Trial(trial_spec(donor))
        for _ in range(2):
            alone.advance()
        alone.save(tmp_path)
        for seed in (0, 1):
            found, expected = tensors(workplace / "taken-over", seed), tensors(tmp_path, seed)
            assert equal(found, expected) == set(expected)

    def test_from_there_it_scored_as_it_does_outside_ray(
        self, population: SweepOutcome, workplace: Path
    ) -> None:
        trial, _ = changed(population)
        alone = Trial(trial_spec(trial))
        alone.load(workplace / "taken-over")
        for _ in range(2):
            update = alone.advance()
        assert [dict(seed.metrics) for seed in update.seeds] == [dict(seed.metrics) for seed in trial.seeds]

    def test_the_folder_says_what_became_of_its_values(self, population: SweepOutcome) -> None:
        trial, mutation = changed(population)
        rows = pd.read_parquet(population.folder / "trials.parquet").groupby("trial").first()
        assert json.loads(rows.loc[trial.trial_id, "params"]) == trial.params
        assert json.loads(rows.loc[trial.trial_id, "mutations"]) == [asdict(mutation)]
        assert json.loads(rows.loc[mutation.from_trial, "mutations"]) == []
        document = json.loads((population.folder / "trials" / trial.trial_id / "trial.json").read_text())
        assert (document["params"], document["mutations"]) == (dict(trial.params), [asdict(mutation)])
        assert document["run"]["objective"]["lambda_cat"] == mutation.params[LAMBDA]

        history = pd.read_parquet(population.folder / "history.parquet")
        values = history[(history["trial"] == trial.trial_id) & (history["metric"] == f"param/{LAMBDA}")]
        started, became = trial.params[LAMBDA], mutation.params[LAMBDA]
        expected = {10: started, 20: started, 30: became, 40: became}
        assert [dict(zip(v["step"], v["value"], strict=True)) for _, v in values.groupby("seed")] == [
            expected
        ] * 2

    def test_mlflow_keeps_the_first_values_as_parameters_and_the_moving_ones_as_metrics(
        self, population: SweepOutcome, workplace: Path
    ) -> None:
        trial, mutation = changed(population)
        with sqlite3.connect(workplace / "mlflow.db") as database:

            def rows(query: str) -> list[Any]:
                of_trial = "run_uuid in (select run_uuid from tags where key = 'infogan.trial' and value = ?)"
                return database.execute(f"{query} and {of_trial}", [trial.trial_id]).fetchall()

            params = dict(rows(f"select key, value from params where key in ('{LAMBDA}', '{LR}')"))
            moving = rows(f"select step, value from metrics where key = 'param/{LAMBDA}'")
            ((tag,),) = rows("select value from tags where key = 'infogan.mutations'")
            changed_params = rows("select key from tags where key like 'infogan.param_changed%'")
            twice = database.execute(
                "select count(*) from metrics group by run_uuid, key, step having count(*) > 1"
            ).fetchall()
        assert {key: float(value) for key, value in params.items()} == trial.params
        started, became = trial.params[LAMBDA], mutation.params[LAMBDA]
        assert sorted(moving) == [(10, started), (20, started), (30, became), (40, became)]
        assert json.loads(tag) == [asdict(mutation)]
        assert changed_params == twice == []

    @pytest.mark.parametrize("moment", ["two have come to the comparison", "one has taken over"])
    def test_a_stopped_one_resumes_to_the_same_tables(
        self, population: SweepOutcome, workplace: Path, tmp_path: Path, moment: str
    ) -> None:
        come: set[str] = set()
        sent: list[int] = []

        def stop(update: TrialUpdate) -> None:
            come.update({update.trial_id} if update.step == 20 else ())
            now = update.mutations if moment == "one has taken over" else len(come) == 2
            if now and not sent:
                sent.append(signal.SIGTERM)
                os.kill(os.getpid(), signal.SIGTERM)

        tracking = {"uri": f"sqlite:///{tmp_path / 'mlflow.db'}"}
        one_at_a_time = {"cpus": 2}  # so nothing depends on who runs beside whom
        sweep = parse_sweep(
            sweep_of(**SEARCH, seeds=2, tracking=tracking, output=str(tmp_path), resources=one_at_a_time)
        )
        stopped = start(sweep, listeners=[Watcher(stop)])
        assert stopped.signal == signal.SIGTERM
        assert not stopped.complete
        assert resume(stopped.folder).complete
        for table, columns in (
            ("trials", ["trial", "seed", "status", "step", "params", "scores", "mutations"]),
            ("history", ["trial", "seed", "step", "metric", "value"]),
        ):
            found, expected = (
                pd.read_parquet(folder / f"{table}.parquet")[columns].sort_values(
                    columns[:4], ignore_index=True
                )
                for folder in (stopped.folder, population.folder)
            )
            pd.testing.assert_frame_equal(found, expected)
        with sqlite3.connect(tmp_path / "mlflow.db") as database:
            tags = database.execute("select value from tags where key = 'infogan.mutations'").fetchall()
            twice = "select count(*) from metrics group by run_uuid, key, step having count(*) > 1"
            assert database.execute(twice).fetchall() == []
        assert [json.loads(tag) for (tag,) in tags] == [[asdict(changed(population)[1])]]


def trial_spec(trial: TrialUpdate) -> TrialSpec:
    """What the sweep trains, with what the trial's values became."""
    sweep = parse_sweep(sweep_of(**SEARCH, seeds=2))
    values = trial.mutations[-1].params if trial.mutations else trial.params
    return TrialSpec(
        trial.trial_id, trial.params, apply(sweep.base, values), sweep.dataset, sweep.evaluation, (0, 1),
        mutations=trial.mutations, moving=tuple(sweep.space),
    )  # fmt: skip
