"""Every row once, whatever was stopped in between."""

from __future__ import annotations

from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.tracking import _outbox
from tests.tracking.support import (
    LAMBDA,
    RUN,
    a_tracker,
    metrics,
    params,
    query,
    report,
    run_id,
    runs,
    tags,
    track,
    wait_for,
)


def test_sixteen_trials_give_every_row_once(place):
    names = [f"m{n}" for n in range(20)]
    tracker = a_tracker(place, metric="m0", flush_seconds=60)
    tracker.started(16)
    for step in range(1, 51):
        for trial in range(16):
            seed = SeedResult(0, Status.RUNNING, step, dict.fromkeys(names, step + trial / 16))
            status = Status.FINISHED if step == 50 else Status.RUNNING
            tracker.updated(TrialUpdate(f"{trial:04d}", {LAMBDA: trial}, status, step, (seed,)))
    tracker.ended(Status.FINISHED)
    assert tracker.warning is None
    assert query(place, "SELECT count(*) FROM metrics WHERE key LIKE 'm%'") == [(16_000,)]
    # And `objective` at each step, `best/` and `final/` of each trial, the best of the sweep at each end.
    assert query(place, "SELECT count(*) FROM metrics") == [(16_000 + 16 * 50 + 16 * 2 + 16,)]
    assert len(runs(place)) == 17


def test_two_resumes_give_no_second_run_and_no_second_value(place):
    track(
        a_tracker(place),
        report("0000", 20, 0.5, status=Status.FINISHED),
        report("0001", 10, 0.1),
        end=Status.INTERRUPTED,
    )
    first = runs(place)
    done = query(place, "SELECT end_time FROM runs WHERE run_uuid = ?", run_id(place, "0000"))
    # The trial goes on from a checkpoint at step 5, so steps 5 and 10 come again.
    again = [report("0001", step, step / 100) for step in (5, 10, 15)]
    track(a_tracker(place), *again, end=Status.INTERRUPTED)
    end = [report("0001", 15, 0.15), report("0001", 20, 0.05, status=Status.FINISHED)]
    track(a_tracker(place), *end, report("0000", 20, 0.5, status=Status.FINISHED))
    assert [run[:3] for run in runs(place)] == [run[:3] for run in first]
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 3
    assert (
        query(place, "SELECT key, step FROM metrics GROUP BY run_uuid, key, step HAVING count(*) > 1") == []
    )
    logged = metrics(place, "0001")
    assert [step for key, step in logged if key == "cluster_accuracy"] == [10, 15, 20]
    assert logged["best/cluster_accuracy", 20] == 0.15  # of the session before
    assert tags(place)["infogan.trials.finished"] == "2"
    assert tags(place)["infogan.best_trial"] == "0000"
    assert query(place, "SELECT end_time FROM runs WHERE run_uuid = ?", run_id(place, "0000")) == done


def test_a_resume_after_a_kill_closes_what_still_claims_to_run(place):
    killed = a_tracker(place)
    killed.started(2)
    killed.updated(report("0000", 10, 0.1))
    killed.updated(report("0001", 10, 0.1))
    wait_for(lambda: len(runs(place)) == 3)
    # SIGKILL: no end is told.
    assert [status for *_, status in runs(place)] == ["RUNNING"] * 3
    track(a_tracker(place), report("0001", 20, 0.2, status=Status.FINISHED), end=Status.INTERRUPTED)
    assert [status for *_, status in runs(place)] == ["KILLED", "KILLED", "FINISHED"]
    assert tags(place, "0000")["infogan.status"] == "interrupted"


def test_a_parameter_that_changed_keeps_its_first_value_and_leaves_a_tag(place):
    track(a_tracker(place), report("0000", 10, 0.1), end=Status.INTERRUPTED)
    changed = RUN | {"optimiser.lr_g": 2e-3, "optimiser.new": True}
    track(a_tracker(place, run_params=changed), report("0000", 20, 0.2, status=Status.FINISHED))
    found = params(place, "0000")
    assert (found["optimiser.lr_g"], found["optimiser.new"]) == ("0.001", "true")
    assert tags(place, "0000")["infogan.param_changed.optimiser.lr_g"] == "0.002"


def test_two_sweeps_of_one_name_share_an_experiment_but_no_run(place):
    for sweep_id in ("sweep-1", "sweep-2"):
        track(a_tracker(place, sweep_id=sweep_id), report("0000", 1, 0.1, status=Status.FINISHED))
    assert len(runs(place)) == 4
    assert query(place, "SELECT count(*) FROM experiments WHERE name = 'mnist'") == [(1,)]


def test_runs_whose_making_was_never_confirmed_are_not_made_again(place, monkeypatch):
    """The store makes the runs of two trials, but the answers are lost on the way."""
    from mlflow import MlflowClient

    make, lost = MlflowClient.create_run, []

    def cut_off(self, *arguments, **options):
        made = make(self, *arguments, **options)
        trial = options["tags"].get("infogan.trial")
        if trial is not None and trial not in lost:
            lost.append(trial)
            raise ConnectionError("the answer was cut short")
        return made

    monkeypatch.setattr(MlflowClient, "create_run", cut_off)
    monkeypatch.setattr(_outbox, "_FIRST_WAIT", 0.01)
    tracker = a_tracker(place)
    tracker.started(2)
    for trial in ("0000", "0001"):
        tracker.updated(report(trial, 10, 0.3, status=Status.FINISHED))
    wait_for(lambda: not tracker.behind)
    tracker.ended(Status.FINISHED)
    assert sorted(lost) == ["0000", "0001"]
    assert [(trial, status) for _, trial, _, status in runs(place)] == [
        (None, "FINISHED"),
        ("0000", "FINISHED"),
        ("0001", "FINISHED"),
    ]
    assert metrics(place, "0001")["final/cluster_accuracy", 10] == 0.3
