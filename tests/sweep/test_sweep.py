"""Whole sweeps on real Ray and real MLflow: what a trial's fault does, and what is left afterwards."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import cloudpickle
import pandas as pd
import pytest

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import Status
from infogan_bench.sweep import SweepOutcome, resume, start
from infogan_bench.sweep.engine.trainable import InfoGANTrainable
from infogan_bench.trial import Trial, TrialSpec

FAULTY = str(Path(__file__).with_name("faulty.py"))
HOSTILE = "</script><script>alert(1)</script> {{7*7}}"


def tiny(**changes: object) -> dict[str, object]:
    """A sweep of seconds: 40 steps of a small MLP on 512 images."""
    return {
        "name": "tiny",
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
        "base": {"architecture": {"name": "mlp", "width": 0.1}, "steps": 40, "batch": 32},
        "evaluation": {"every": 20},
        "resources": {"cpus": 2, "gpus": 0},  # one trial at a time
        "tracking": "none",
        **changes,
    }


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweeps")


@pytest.fixture(scope="module")
def faulty(workplace: Path, no_ray: None) -> SweepOutcome:
    """One healthy trial among one of each kind of fault, with a hostile name, tracked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTY_MARK", str(workplace / "mark"))
        names = ["mlp", "raises", "exits", "killed-once", "killed", "diverges"]
        sweep = parse_sweep(
            tiny(
                name=HOSTILE,
                space={"architecture.name": names},
                seeds=2,
                extensions=[FAULTY],
                resources={"cpus": 2, "gpus": 0, "retries": 1},
                tracking={"uri": f"sqlite:///{workplace / 'mlflow.db'}"},
                output=str(workplace / "runs"),
            )
        )
        return start(sweep)


@pytest.mark.slow
class TestFaults:
    def statuses(self, faulty: SweepOutcome) -> dict[str, Status]:
        return {trial.params["architecture.name"]: trial.status for trial in faulty.trials}

    def error(self, faulty: SweepOutcome, name: str) -> str:
        (trial,) = (trial for trial in faulty.trials if trial.params["architecture.name"] == name)
        assert trial.error is not None
        return trial.error

    def test_a_fault_ends_its_own_trial_and_no_other(self, faulty: SweepOutcome) -> None:
        assert self.statuses(faulty) == {
            "mlp": Status.FINISHED,
            "raises": Status.FAILED,
            "exits": Status.FAILED,
            "killed-once": Status.FINISHED,  # continued from its checkpoint of step 20
            "killed": Status.FAILED,
            "diverges": Status.DIVERGED,
        }

    def test_each_failed_trial_says_why(self, faulty: SweepOutcome) -> None:
        assert self.error(faulty, "raises") == "RuntimeError: <b>a fault of the user's own</b> with 1 threads"
        assert self.error(faulty, "exits") == "SystemExit: 0"
        assert self.error(faulty, "killed").startswith("its process died (killed, out of memory")
        # every step reads D three times: real, fake, and fake again for G; the 100th reading is in step 34
        seeds = [f"seed {seed}: diverged at step 34: loss/d is not finite" for seed in (0, 1)]
        assert self.error(faulty, "diverges") == "; ".join(seeds)

    def test_exit_code_tells_partial_failure(self, faulty: SweepOutcome) -> None:
        assert faulty.exit_code() == 3
        assert faulty.exit_code(allow_failures=True) == 0
        assert faulty.first_error is not None
        assert faulty.first_error.startswith("trial 0001: RuntimeError")

    def test_the_log_has_ray_s_and_our_words_and_none_of_files_that_are_not_kept(
        self, faulty: SweepOutcome
    ) -> None:
        log = (faulty.folder / "sweep.log").read_text()
        assert "Started a local Ray instance" in log
        assert "infogan_bench" in log
        assert "result.json" not in log

    def test_plan_folders_rows_and_runs_agree(self, faulty: SweepOutcome, workplace: Path) -> None:
        rows = pd.read_parquet(faulty.folder / "trials.parquet")
        with sqlite3.connect(workplace / "mlflow.db") as database:
            statuses = dict(database.execute("select name, status from runs").fetchall())
        children = {name: status for name, status in statuses.items() if name.startswith("trial ")}
        assert faulty.planned == rows["trial"].nunique() == len(children) == 6
        assert list(rows.groupby("trial")["seed"].apply(list)) == [[0, 1]] * 6
        assert sorted(children.values()) == ["FAILED"] * 4 + ["FINISHED"] * 2

    def test_curves_have_no_gap_and_no_double_step(self, faulty: SweepOutcome) -> None:
        history = pd.read_parquet(faulty.folder / "history.parquet")
        curve = history[(history["metric"] == "cluster_accuracy") & (history["trial"] == "0003")]
        assert curve.groupby("seed")["step"].apply(list).to_dict() == {0: [20, 40], 1: [20, 40]}

    def test_finished_trials_keep_checkpoint_pictures_and_numbers(self, faulty: SweepOutcome) -> None:
        place = faulty.folder / "trials" / "0000" / "seed-1"
        names = {file.name for file in place.iterdir()}
        codes = {"traversal-cat_0.png", "traversal-uniform_0.png", "traversal-uniform_1.png"}
        gallery = {"categories.png", "categories.json"}
        assert names == {"checkpoint.safetensors", "samples.png", "evaluation.json", *codes, *gallery}
        evaluation = json.loads((place / "evaluation.json").read_text())
        assert evaluation["step"] == 40
        assert sum(map(sum, evaluation["confusion"]["counts"])) == 200

    def test_a_diverged_trial_keeps_its_last_finite_checkpoint(self, faulty: SweepOutcome) -> None:
        document = json.loads((faulty.folder / "trials" / "0005" / "trial.json").read_text())
        assert [seed["step"] for seed in document["progress"]] == [20, 20]

    def test_hostile_names_stay_text(self, faulty: SweepOutcome, workplace: Path) -> None:
        report = (faulty.folder / "report.html").read_text()
        assert HOSTILE not in report
        assert "<b>a fault" not in report
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}}" in report
        assert [path.name for path in (workplace / "runs").iterdir()] == [faulty.folder.name]

    def test_scores_are_those_of_the_same_trial_outside_ray(self, faulty: SweepOutcome) -> None:
        sweep = parse_sweep(tiny())
        trial = Trial(TrialSpec("again", {}, sweep.base, sweep.dataset, sweep.evaluation, (0, 1)))
        trial.advance()
        again = [dict(seed.metrics) for seed in trial.advance().seeds]
        assert [dict(seed.metrics) for seed in faulty.trials[0].seeds] == again

    def test_nothing_is_left_to_resume(self, faulty: SweepOutcome) -> None:
        before = {file: file.stat().st_mtime for file in (faulty.folder / "trials").rglob("*")}
        again = resume(faulty.folder)
        assert [(t.trial_id, t.status) for t in again.trials] == [
            (t.trial_id, t.status) for t in faulty.trials
        ]
        assert {file: file.stat().st_mtime for file in (faulty.folder / "trials").rglob("*")} == before


@pytest.mark.slow
def test_a_sweep_that_fails_altogether_still_reports(tmp_path: Path) -> None:
    sweep = parse_sweep(
        tiny(space={"architecture.name": ["raises", "exits"]}, extensions=[FAULTY], output=str(tmp_path))
    )
    outcome = start(sweep)
    assert outcome.exit_code() == outcome.exit_code(allow_failures=True) == 1
    assert "SystemExit: 0" in (outcome.folder / "report.html").read_text()


@pytest.mark.slow
def test_early_stopping_and_tpe_make_the_planned_number_of_trials(tmp_path: Path) -> None:
    sweep = parse_sweep(
        tiny(
            space={
                "objective.lambda_cat": {"loguniform": [0.1, 10]},
                "codes.categorical": [[10], [5, 5]],
                "optimiser.lr_g": {"qloguniform": [0.0005, 0.002, 0.0005]},
            },
            search={"algorithm": "tpe", "trials": 7},
            scheduler={"name": "asha", "grace": 20, "reduction": 2},
            goal={"metric": "L_I", "mode": "max"},
            output=str(tmp_path),
        )
    )
    outcome = start(sweep)
    assert [trial.trial_id for trial in outcome.trials] == [f"{number:04d}" for number in range(7)]
    assert {trial.status for trial in outcome.trials} == {Status.FINISHED, Status.STOPPED}
    # a rung of ASHA keeps the best half, so whoever is in the lower half of step 20 when it reports ends there
    assert {trial.step for trial in outcome.trials if trial.status is Status.STOPPED} == {20}
    for trial in outcome.trials:
        assert 0.1 <= trial.params["objective.lambda_cat"] <= 10
        assert trial.params["codes.categorical"] in ([10], [5, 5])
        assert trial.params["optimiser.lr_g"] in (0.0005, 0.001, 0.0015, 0.002)


def test_a_second_sweep_of_the_same_name_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    from infogan_bench.sweep import SweepFolder

    sweep = parse_sweep(tiny(output=str(tmp_path)))
    paths = [SweepFolder.create(sweep, {}).path.name for _ in range(3)]
    assert paths == ["tiny", "tiny-2", "tiny-3"]


def test_the_trainable_travels_light() -> None:
    assert len(cloudpickle.dumps(InfoGANTrainable)) < 1_000_000
