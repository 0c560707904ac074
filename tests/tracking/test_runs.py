"""A sweep's runs: the parent, its children, and what is logged of each."""

from __future__ import annotations

import json
import math

import pytest
from PIL import Image

from infogan_bench.records.results import Status
from infogan_bench.tracking import (
    legal_key,
)
from tests.tracking.support import (
    LAMBDA,
    a_tracker,
    artifacts,
    metrics,
    params,
    query,
    report,
    run_id,
    runs,
    tags,
    track,
    wait_for,
    write_trial,
)


def test_a_sweep_is_a_parent_run_and_each_trial_a_child(place):
    track(
        a_tracker(place),
        report("0000", 0),
        report("0000", 10, 0.3),
        report("0000", 20, 0.5, status=Status.FINISHED),
        report("0001", 10, 0.4, params={LAMBDA: 1.0}, status=Status.STOPPED),
    )
    assert [(trial, name, status) for _, trial, name, status in runs(place)] == [
        (None, "mnist", "FINISHED"),
        ("0000", "trial 0000 lambda_cat=0.5", "FINISHED"),
        ("0001", "trial 0001 lambda_cat=1.0", "FINISHED"),
    ]
    assert tags(place, "0001")["mlflow.parentRunId"] == run_id(place)
    assert tags(place, "0001")["infogan.status"] == "stopped"
    assert metrics(place, "0000") == {
        ("best/cluster_accuracy", 20): 0.5,
        ("cluster_accuracy", 10): 0.3,
        ("cluster_accuracy", 20): 0.5,
        ("final/cluster_accuracy", 20): 0.5,
        ("objective", 10): 0.3,
        ("objective", 20): 0.5,
    }
    # The sweep's own run counts the trials that have ended: step 1, then 2.
    assert metrics(place) == {
        ("best_trial/cluster_accuracy", 1): 0.5,
        ("best_trial/cluster_accuracy", 2): 0.5,
    }
    assert {key: value for key, value in tags(place).items() if "trial" in key} == {
        "infogan.trials.planned": "4",
        "infogan.trials.finished": "1",
        "infogan.trials.stopped": "1",
        "infogan.best_trial": "0000",
    }
    assert params(place, "0001") == {
        LAMBDA: "1.0", "architecture.width": "1.0", "codes.categorical": "[10]", "optimiser.lr_g": "0.001"
    }  # fmt: skip
    assert LAMBDA not in params(place)  # it has no one value there


def test_several_seeds_give_their_mean_their_spread_and_each_value(place):
    track(a_tracker(place), report("0000", 10, 0.2, 0.4, status=Status.FINISHED))
    logged = metrics(place, "0000")
    assert logged["cluster_accuracy", 10] == pytest.approx(0.3)
    assert logged["std/cluster_accuracy", 10] == pytest.approx(0.2 / math.sqrt(2))  # of a sample: n - 1
    assert logged["seed-0/cluster_accuracy", 10] == 0.2
    assert logged["seed-1/cluster_accuracy", 10] == 0.4
    assert tags(place, "0000")["infogan.seeds"] == "0, 1"


def test_best_is_over_a_trials_reports_and_in_the_objectives_direction(place):
    updates = [report("0000", step, value) for step, value in ((1, 3.0), (2, 1.0), (3, 2.0))]
    end = report("0000", 3, 2.0, status=Status.FINISHED)
    worse = report("0001", 3, 2.5, status=Status.FINISHED)
    track(a_tracker(place, mode="min"), *updates, end, worse)
    logged = metrics(place, "0000")
    assert (logged["best/cluster_accuracy", 3], logged["final/cluster_accuracy", 3]) == (1.0, 2.0)
    assert (tags(place)["infogan.best_trial"], tags(place)["infogan.best_score"]) == ("0000", "2.0")


def test_a_diverged_trial_failed_and_has_no_score(place):
    bad = report("0000", 20, math.nan, status=Status.DIVERGED, error="the loss of D is nan at step 20")
    track(a_tracker(place), report("0000", 10, 0.3), bad, end=Status.FAILED)
    assert [status for *_, status in runs(place)] == ["FAILED", "FAILED"]
    assert metrics(place, "0000") == {("cluster_accuracy", 10): 0.3, ("objective", 10): 0.3}
    found = tags(place, "0000")
    assert found["infogan.error"] == "the loss of D is nan at step 20"
    assert found["infogan.not_finite"] == "cluster_accuracy NaN at step 20, objective NaN at step 20"
    assert found["infogan.status"] == "diverged"
    assert "infogan.never_reported" not in found


def test_values_that_were_not_finite_are_named_with_step_and_kind_until_they_are(place):
    tracker = a_tracker(place)
    tracker.started(1)
    tracker.updated(report("0000", 10, math.inf))
    tracker.updated(report("0000", 20, -math.inf))
    wait_for(lambda: len(runs(place)) == 2 and "20" in tags(place, "0000").get("infogan.not_finite", ""))
    both = "cluster_accuracy -infinity at step 20, objective -infinity at step 20"
    assert tags(place, "0000")["infogan.not_finite"] == both
    tracker.updated(report("0000", 30, 0.5, status=Status.FINISHED))
    tracker.ended(Status.FINISHED)
    assert "infogan.not_finite" not in tags(place, "0000")


def test_a_goal_that_a_trial_never_reported_is_said(place):
    track(a_tracker(place), report("0000", 10, 0.3, status=Status.FINISHED, name="purity"))
    assert tags(place, "0000")["infogan.never_reported"] == "cluster_accuracy"


def test_a_score_that_was_not_defined_is_said_with_its_reason(place):
    tracker = a_tracker(place)
    seed = place / "runs" / "mnist" / "trials" / "0000" / "seed-0"
    seed.mkdir(parents=True)
    evaluation = {"step": 10, "scores": {}, "not_defined": {"modularity": "one factor alone"}}
    (seed / "evaluation.json").write_text(json.dumps(evaluation))
    track(tracker, report("0000", 10, 0.3, status=Status.FINISHED))
    assert tags(place, "0000")["infogan.never_reported"] == "modularity: one factor alone"


def test_an_interrupted_sweep_leaves_nothing_running(place):
    done = report("0000", 10, 0.3, status=Status.FINISHED)
    track(a_tracker(place), done, report("0001", 5, 0.1), end=Status.INTERRUPTED)
    assert [(trial, status) for _, trial, _, status in runs(place)] == [
        (None, "KILLED"), ("0000", "FINISHED"), ("0001", "KILLED")
    ]  # fmt: skip
    assert tags(place, "0001")["infogan.status"] == "interrupted"


def test_an_ended_trial_has_its_pictures_but_not_its_checkpoint(place):
    tracker = a_tracker(place)
    write_trial(place / "runs" / "mnist" / "trials" / "0000")
    (place / "runs" / "mnist" / "report.html").write_text("<p>report</p>")
    track(tracker, report("0000", 10, 0.3, status=Status.FINISHED))
    seed = ("samples.png", "traversal-cat_0.png", "evaluation.json", "confusion.png")
    assert artifacts(place, "0000") == {"trial.json", *(f"seed-0/{name}" for name in seed)}
    assert artifacts(place) == {"sweep.yaml", "report.html"}
    picture = Image.open(
        place / "mlartifacts" / run_id(place, "0000") / "artifacts" / "seed-0" / "confusion.png"
    ).convert("RGB")
    cell = [[picture.getpixel((76 + 44 * x + 6, 76 + 44 * y + 6)) for x in (0, 1)] for y in (0, 1)]
    assert cell[0] == [(8, 69, 148), (255, 255, 255)]  # 9 of 9, 0 of 9
    assert cell[1][1] == tuple(round(255 + 8 / 9 * (full - 255)) for full in (8, 69, 148))


def test_a_users_note_and_tags_are_kept_and_cannot_take_our_places(place):
    config = {
        "note": "a *b* <script> [x](y)",
        "tags": {"team": "vision", "infogan.sweep_id": "mine", "mlflow.runName": "mine", "odd@key": "1"},
    }
    track(a_tracker(place, config=config), report("0000", 1, 0.1, status=Status.FINISHED))
    found = tags(place)
    assert found["infogan.sweep_id"] == "sweep-1"
    assert found["mlflow.runName"] == "mnist"
    assert found["team"] == tags(place, "0000")["team"] == "vision"
    assert found[legal_key("odd@key")] == "1"
    link = "[**Trials, best first**](#/experiments/2/runs?viewStateShareKey=sweep-1&workflowType=machine_learning)\n\n"
    assert found["mlflow.note.content"].startswith(f"{link}a \\*b\\* &lt;script\\> \\[x\\]\\(y\\)\n\n- Sweep")


def test_the_linked_view_shows_the_swept_parameters_and_the_objective(place):
    track(a_tracker(place), report("0000", 1, 0.1, status=Status.FINISHED))
    ((view,),) = query(
        place, "SELECT value FROM experiment_tags WHERE key = 'mlflow.sharedViewState.sweep-1'"
    )
    state = json.loads(view)
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`final/cluster_accuracy`", False)
    assert f"params.`{LAMBDA}`" in state["selectedColumns"]
    assert [section["name"] for section in state["compareRunSections"]] == [
        "Model metrics",
        "pictures",
        "L_I",
        "gaussian_mi_bound",
        "loss",
    ]


def test_the_pictures_of_a_trial_step_through_its_training(place):
    """MLflow's page reads key and step from the name of a file in `images`; sent twice, it is there once."""
    seed = place / "runs" / "mnist" / "trials" / "0000" / "seed-0"
    for step in (10, 20):
        (seed / "steps" / str(step)).mkdir(parents=True)
        Image.new("L", (8, 8), step).save(seed / "steps" / str(step) / "traversal-cat_0.webp")
    update = report("0000", 20, 0.3, status=Status.FINISHED)
    track(a_tracker(place), update)
    track(a_tracker(place), update)
    names = sorted(artifacts(place, "0000"))
    assert [name.split("+")[:5] for name in names] == [
        ["images/pictures~traversal-cat_0", "step", step, "timestamp", step]
        for step in ("10", "10", "20", "20")
    ]
    assert sum(name.endswith("+compressed.webp") for name in names) == 2
    assert tags(place, "0000")["mlflow.loggedImages"] == "True"
    folder = place / "mlartifacts" / run_id(place, "0000") / "artifacts"
    assert [Image.open(folder / name).convert("L").getpixel((4, 4)) for name in names] == pytest.approx(
        [10, 10, 20, 20], abs=3
    )
