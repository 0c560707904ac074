"""`infogan-bench track`, and a tracking server that comes and goes."""

from __future__ import annotations

import pandas as pd
import pytest

from infogan_bench import cli
from infogan_bench.errors import InputError
from infogan_bench.records.results import Status
from infogan_bench.sweep.track import track as send_folder
from infogan_bench.tracking import _outbox, free_port
from tests.tracking.support import (
    a_tracker,
    artifacts,
    metrics,
    query,
    report,
    run_id,
    runs,
    serving,
    standing,
    tags,
    wait_for,
    write_trial,
)


def store(place):
    """All that a store holds of the sweep."""
    tables = ("experiments", "runs", "params", "tags", "metrics", "latest_metrics", "logged_models")
    return {table: sorted(map(repr, query(place, f"SELECT * FROM {table}"))) for table in tables}


def assert_all_of(place, folder, trial):
    """Every mean over the seeds that the sweep folder has is in the store, and no other step is."""
    history = pd.read_parquet(folder / "history.parquet")
    means = history[history["trial"] == trial].groupby(["metric", "step"])["value"].mean().to_dict()
    names = {metric for metric, _ in means}
    sent = {key: value for key, value in metrics(place, trial).items() if key[0] in names}
    assert sent == pytest.approx(means)
    assert {"seed-0/samples.png", "seed-1/confusion.png"} <= artifacts(place, trial)


def test_track_sends_a_store_that_never_saw_the_sweep_all_of_it_and_a_second_time_nothing(place, finished):
    delivery = send_folder(finished, f"sqlite:///{place}/mlflow.db")
    assert (delivery.trials, delivery.warning) == (2, None)
    assert [(trial, status) for _, trial, _, status in runs(place)] == [
        (None, "FINISHED"),
        ("0000", "FINISHED"),
        ("0001", "FINISHED"),
    ]
    for trial in ("0000", "0001"):
        assert_all_of(place, finished, trial)
    assert "infogan.best_model" in tags(place)
    before = store(place)
    assert send_folder(finished, f"sqlite:///{place}/mlflow.db").warning is None
    assert store(place) == before


def test_a_trial_sent_later_has_the_time_that_its_folder_tells(place, finished):
    folder = finished / "trials" / "0000"
    seconds = pd.read_parquet(finished / "trials.parquet").groupby("trial")["seconds"].sum()["0000"]
    send_folder(finished, f"sqlite:///{place}/mlflow.db")
    ((start, end),) = query(
        place, "SELECT start_time, end_time FROM runs WHERE run_uuid = ?", run_id(place, "0000")
    )
    assert end == round(1000 * (folder / "trial.json").stat().st_mtime)
    assert end - start == round(1000 * seconds)


def test_a_sweep_without_tracking_is_sent_where_it_is_told_to(place, finished):
    file = finished / "sweep.yaml"
    text = file.read_text()
    assert "tracking:\n  enabled: true" in text
    file.write_text(text.replace("tracking:\n  enabled: true", "tracking:\n  enabled: false"))
    with pytest.raises(InputError, match=r"this sweep has `tracking: none`; name a store with --uri"):
        send_folder(finished)
    assert send_folder(finished, f"sqlite:///{place}/mlflow.db").warning is None
    assert len(runs(place)) == 3


@pytest.mark.slow
def test_what_a_server_missed_to_the_end_is_sent_by_the_command_that_the_warning_names(
    place, finished, monkeypatch, capsys
):
    port = free_port(0)
    uri = f"http://127.0.0.1:{port}"
    away = standing(finished, config={"uri": uri}, flush_seconds=1)
    assert f"`infogan-bench track {finished}`" in away.warning
    monkeypatch.setattr("sys.argv", ["infogan-bench", "track", str(finished), "--uri", uri])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert "does not answer" in capsys.readouterr().err
    with serving(place, port), pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 0
    assert capsys.readouterr().out == f"{uri}: has all of 2 trial(s)\n"
    assert [status for *_, status in runs(place)] == ["FINISHED"] * 3
    for trial in ("0000", "0001"):
        assert_all_of(place, finished, trial)


@pytest.mark.slow
def test_a_server_that_goes_away_in_mid_sweep_and_comes_back_has_everything_in_the_end(place, monkeypatch):
    monkeypatch.setattr(_outbox, "_LONGEST_WAIT", 1.0)
    port = free_port(0)
    tracker = a_tracker(place, config={"uri": f"http://127.0.0.1:{port}"}, flush_seconds=120)
    for trial in ("0000", "0001", "0002"):
        write_trial(place / "runs" / "mnist" / "trials" / trial)
    assert tracker.preflight() is not None  # it is not there yet
    tracker.started(3)
    tracker.updated(report("0000", 10, 0.1))
    with serving(place, port):
        tracker.updated(report("0001", 10, 0.1))
        wait_for(lambda: len(runs(place)) == 3)
    for trial in ("0000", "0001", "0002"):
        tracker.updated(report(trial, 20, 0.2))
    tracker.updated(report("0000", 30, 0.3, status=Status.FINISHED))
    tracker.updated(report("0002", 30, 0.3, status=Status.FINISHED))
    with serving(place, port):
        tracker.updated(report("0001", 30, 0.4, status=Status.FINISHED))
        tracker.ended(Status.FINISHED)
    assert tracker.warning is None
    assert [(trial, status) for _, trial, _, status in runs(place)] == [
        (None, "FINISHED"),
        ("0000", "FINISHED"),
        ("0001", "FINISHED"),
        ("0002", "FINISHED"),
    ]
    steps = {
        trial: [step for key, step in metrics(place, trial) if key == "cluster_accuracy"]
        for trial in ("0000", "0001", "0002")
    }
    assert steps == {"0000": [10, 20, 30], "0001": [10, 20, 30], "0002": [20, 30]}
    assert all("seed-0/confusion.png" in artifacts(place, trial) for trial in steps)
    twice = "SELECT key, step FROM metrics GROUP BY run_uuid, key, step HAVING count(*) > 1"
    assert query(place, twice) == []
    assert tags(place)["infogan.best_trial"] == "0001"
