"""The order of what Ray is handed, and whole sweeps whose search or scheduler learns from what ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import optuna
import pandas as pd
import pytest
from ray.tune.search import Searcher
from typer.testing import CliRunner

from infogan_bench.cli import app
from infogan_bench.config import apply, parse_sweep, resolved_yaml
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep import SweepOutcome, start
from infogan_bench.sweep.engine.searcher import TrialSearcher
from infogan_bench.sweep.engine.time_left import TimeLeft
from infogan_bench.sweep.engine.trainable import PLANNED_TRIAL, UPDATE
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.search.proposals import Proposals
from infogan_bench.sweep.summary import summary
from infogan_bench.trial import Trial, TrialSpec

NO_LIMIT = TimeLeft(None, slots=2, steps=100)
RANGES = {"objective.lambda_cat": {"uniform": [0, 1]}, "optimiser.lr_g": {"loguniform": [1e-4, 1e-2]}}
BOTH = [{"metric": "cluster_accuracy"}, {"metric": "loss/d", "mode": "min"}]


def study_in(folder: Path) -> optuna.Study:
    return optuna.load_study(study_name=None, storage=f"sqlite:///{folder / 'optuna.db'}")


def test_the_planner_hands_out_what_is_left_before_anything_new(tmp_path: Path) -> None:
    sweep = parse_sweep({"name": "s", "space": RANGES, "search": {"algorithm": "tpe", "trials": 4}})
    params = {"objective.lambda_cat": 0.5, "optimiser.lr_g": 0.001}
    seeds = (SeedResult(0, Status.INTERRUPTED, 3),)
    record = {name: TrialUpdate(name, params, Status.INTERRUPTED, 3, seeds) for name in ("0001", "0002")}
    left = [PlannedTrial("0001", params, checkpoint="somewhere"), PlannedTrial("0002", params)]
    planner = TrialSearcher(left, Proposals(sweep, tmp_path, 4, record), "max", NO_LIMIT)
    handed = [json.loads(planner.suggest(f"ray-{k}")[PLANNED_TRIAL]) for k in range(4)]
    assert [each["trial_id"] for each in handed] == ["0001", "0002", "0000", "0003"]
    assert handed[0].items() >= {"trial_id": "0001", "params": params, "checkpoint": "somewhere"}.items()
    assert planner.suggest("ray-4") == Searcher.FINISHED


def test_the_planner_tells_the_search_of_every_end(tmp_path: Path) -> None:
    """One that ends with its report, one that was paused and ends without, one whose process died, one that failed."""
    sweep = parse_sweep(
        {"name": "s", "space": RANGES, "search": {"algorithm": "nsga2", "trials": 4}, "goal": BOTH}
    )
    planner = TrialSearcher([], Proposals(sweep, tmp_path, 4, {}), "max", NO_LIMIT)
    results = []
    for k in range(4):
        trial = json.loads(planner.suggest(f"ray-{k}")[PLANNED_TRIAL])["trial_id"]
        seeds = (SeedResult(0, Status.RUNNING, 3, {"cluster_accuracy": k / 8, "loss/d": 1 + k / 8}),)
        results.append(TrialUpdate(trial, {}, Status.RUNNING, 3, seeds))
    results[3] = replace(results[3], status=Status.DIVERGED)
    for k in range(3):
        planner.on_trial_result(f"ray-{k}", {UPDATE: results[k].to_json()})
    planner.on_trial_complete("ray-0", {UPDATE: results[0].to_json()})
    planner.on_trial_complete("ray-1")
    planner.on_trial_complete("ray-2", error=True)
    planner.on_trial_complete("ray-3", {UPDATE: results[3].to_json()})
    ends = [(trial.state.name, trial.values) for trial in study_in(tmp_path).trials]
    assert ends == [("COMPLETE", [0.0, 1.0]), ("COMPLETE", [0.125, 1.125]), ("FAIL", None), ("FAIL", None)]


# Whole sweeps -----------------------------------------------------------------------------------------------------


def tiny(workplace: Path, **sections: object) -> dict[str, object]:
    """A sweep of seconds: 40 steps of a small MLP on 512 images."""
    return {
        "name": "tiny",
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
        "base": {"architecture": {"name": "mlp", "width": 0.1}, "steps": 40, "batch": 32},
        "evaluation": {"every": 10},
        "resources": {"cpus": 2, "gpus": 0},  # one trial at a time
        "tracking": "none",
        "output": str(workplace),
        **sections,
    }


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory, two_cpus: None) -> SweepOutcome:
    """HyperBand with two brackets, of two trials each: the first compares none, the second at step 20."""
    sections = {
        "space": {"objective.lambda_cat": [0.1, 0.4, 0.7, 1]},
        "scheduler": {"name": "hyperband", "grace": 20, "reduction": 2},
        "resources": {"cpus": 1, "gpus": 0},
    }
    return start(parse_sweep(tiny(tmp_path_factory.mktemp("halved"), **sections)))


@pytest.fixture(scope="module")
def bred(halved: SweepOutcome, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A sweep by NSGA-II that learned from `halved`, started on the command line: its folder, and what was said."""
    workplace = tmp_path_factory.mktemp("bred")
    search = {"algorithm": "nsga2", "trials": 4, "population": 4}
    space = {"objective.lambda_cat": {"uniform": [0, 1]}, "objective.lambda_cont": {"uniform": [0, 1]}}
    sections = {"search": search, "space": space, "goal": BOTH}
    file = workplace / "sweep.yaml"
    file.write_text(resolved_yaml(parse_sweep(tiny(workplace, **sections))))
    result = CliRunner().invoke(
        app, ["sweep", str(file), "--from", str(halved.folder)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return workplace / "tiny", result.output


@pytest.mark.slow
class TestHyperBand:
    def test_the_worse_of_a_bracket_is_stopped_where_it_was_compared(self, halved: SweepOutcome) -> None:
        history = pd.read_parquet(halved.folder / "history.parquet")
        at_20 = history[(history.metric == "cluster_accuracy") & (history.step == 20)]
        scores = at_20.set_index("trial").value
        worse = min(("0002", "0003"), key=lambda trial: (scores[trial], trial))
        ends = {trial.trial_id: (trial.status, trial.step) for trial in halved.trials}
        expected = dict.fromkeys(("0000", "0001", "0002", "0003"), (Status.FINISHED, 40))
        assert ends == {**expected, worse: (Status.STOPPED, 20)}

    def test_a_trial_that_was_paused_is_bit_for_bit_one_that_was_not(self, halved: SweepOutcome) -> None:
        (paused,) = (t for t in halved.trials if t.trial_id > "0001" and t.status is Status.FINISHED)
        sweep = parse_sweep(tiny(Path()))
        spec = TrialSpec(
            trial_id=paused.trial_id,
            params=paused.params,
            run=apply(sweep.base, paused.params),
            dataset=sweep.dataset,
            evaluation=sweep.evaluation,
            seeds=(0,),
        )
        alone = Trial(spec)
        for _ in range(4):
            update = alone.advance()
        assert update.seeds[0].metrics == paused.seeds[0].metrics
        history = pd.read_parquet(halved.folder / "history.parquet")
        steps = history[(history.trial == paused.trial_id) & (history.metric == "L_I")].step
        assert list(steps) == [10, 20, 30, 40]


@pytest.mark.slow
class TestTwoObjectivesAfterAnEarlierSweep:
    def test_the_earlier_trials_are_in_the_study_and_not_in_the_sweep(
        self, bred: tuple[Path, str], halved: SweepOutcome
    ) -> None:
        folder, output = bred
        assert f"the search learns from 3 of the 4 trials of {halved.folder}" in output
        trials = study_in(folder).trials
        assert [t.user_attrs.get("source", "")[-10:] for t in trials[:3]] == [
            f"trial {t.trial_id}" for t in halved.trials if t.status is Status.FINISHED
        ]
        assert [t.user_attrs.get("trial") for t in trials[3:]] == ["0000", "0001", "0002", "0003"]
        assert all(t.state.name == "COMPLETE" for t in trials)
        assert sorted(pd.read_parquet(folder / "trials.parquet").trial) == ["0000", "0001", "0002", "0003"]

    def test_the_study_holds_what_the_record_holds(self, bred: tuple[Path, str]) -> None:
        folder, _ = bred
        table = pd.read_parquet(folder / "trials.parquet").set_index("trial")
        for trial in study_in(folder).trials[3:]:
            row = table.loc[trial.user_attrs["trial"]]
            scores = json.loads(row.scores)
            assert trial.values == [scores["cluster_accuracy"], scores["loss/d"]]
            assert trial.params == pytest.approx(json.loads(row.params), rel=1e-5)

    def test_the_front_is_shown(self, bred: tuple[Path, str]) -> None:
        folder, output = bred
        table = pd.read_parquet(folder / "trials.parquet").set_index("trial")
        points = {name: json.loads(scores) for name, scores in table.scores.items()}
        front = [
            name
            for name, point in points.items()
            if not any(
                other["cluster_accuracy"] >= point["cluster_accuracy"]
                and other["loss/d"] <= point["loss/d"]
                and other != point
                for other in points.values()
            )
        ]
        lines = output.splitlines()
        title = f"Pareto front of max cluster_accuracy (uses labels), min loss/d: {len(front)} trial"
        (start_,) = (k for k, line in enumerate(lines) if line.startswith(title))
        shown = [line.split()[0] for line in lines[start_ + 2 : start_ + 2 + len(front)]]
        assert shown == sorted(front, key=lambda name: -points[name]["cluster_accuracy"])
        page = (folder / "report.html").read_text()
        assert 'data-across="loss/d" data-up="cluster_accuracy"' in page


@pytest.mark.slow
def test_one_objective_has_no_front(halved: SweepOutcome) -> None:
    assert "Pareto" not in summary(halved)


@pytest.mark.slow
def test_what_optuna_says_is_in_the_log_and_not_on_the_screen(
    halved: SweepOutcome, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    search = {"algorithm": "tpe", "trials": 1}
    outcome = start(parse_sweep(tiny(tmp_path, name="quiet", space=RANGES, search=search)))
    assert "A new study created" in (outcome.folder / "sweep.log").read_text()
    assert "A new study created" not in "".join(capfd.readouterr())
