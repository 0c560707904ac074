"""The files of a sweep folder: each is read back as it was written, also without a version."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infogan_bench.records import (
    Environment,
    Mutation,
    Quantity,
    RecordError,
    SeedResult,
    SessionRecord,
    Status,
    SweepPaths,
    TrialPaths,
    TrialRecord,
    TrialUpdate,
    append_session,
    append_update,
    is_file_name,
    quantity_of,
    read_environment,
    read_journal,
    read_quantities,
    read_sessions,
    read_table,
    read_trial,
    read_updates,
    trial_order,
    trials_frame,
    write_quantities,
    write_trial,
)
from infogan_bench.records.tables import TRIAL_COLUMNS

RESULT = SeedResult(3, Status.FINISHED, 6, {"nmi": 0.5}, 1.0, 2.0)
UPDATE = TrialUpdate(
    "0001", {"steps": 6}, Status.FINISHED, 6, (RESULT,), mutations=(Mutation(2, "0000", {"steps": 4}),)
)


def test_trial_json(tmp_path: Path) -> None:
    record = TrialRecord(
        "0001", {"a": [1, 2]}, {"steps": 6}, {"name": "mnist"}, (3,), (RESULT,), (RESULT,),
        (Mutation(2, "0000", {"a": 1}),), "cpu", 2,
    )  # fmt: skip
    write_trial(tmp_path, record)
    assert read_trial(tmp_path) == record
    assert record.step == 6


def test_trial_json_as_it_was_written_before(tmp_path: Path) -> None:
    result = {
        "seed": 0, "status": "running", "step": 2, "metrics": {"L_I": float("nan")}, "seconds": 1.5,
        "images_per_second": 3.0, "error": None,
    }  # fmt: skip
    document = {
        "trial": "0000", "params": {}, "run": {}, "dataset": {}, "seeds": [0], "progress": [result],
        "history": [result],
    }  # fmt: skip
    TrialPaths(tmp_path).record.write_text(json.dumps(document))
    record = read_trial(tmp_path)
    assert (record.mutations, record.device, record.threads) == ((), None, None)
    assert record.history[0].status is Status.RUNNING


def test_an_update_is_one_line_of_json() -> None:
    assert TrialUpdate.from_json(UPDATE.to_json()) == UPDATE
    with pytest.raises(RecordError, match="a trial's update: `trial` is missing"):
        TrialUpdate.from_json("{}")


def test_a_journal_goes_on_after_a_line_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert list(read_journal(path)) == []
    append_update(path, UPDATE)
    with path.open("a") as file:
        file.write('{"trial": "00\n')
    append_update(path, UPDATE)
    assert list(read_journal(path)) == [UPDATE, UPDATE]


def test_the_last_line_of_a_session_counts(tmp_path: Path) -> None:
    path = tmp_path / "sessions.jsonl"
    assert read_sessions(path) == ()
    for session in (
        SessionRecord("2026-01-01", 0.0, None, {}),
        SessionRecord("2026-01-01", 9.5, Status.FINISHED, {"CPU": 1.0}),
        SessionRecord("2026-01-02", 1.0, None, {}),
    ):
        append_session(path, session)
    with path.open("a") as file:
        file.write('{"began": ')
    assert [(each.began, each.seconds) for each in read_sessions(path)] == [
        ("2026-01-01", 9.5),
        ("2026-01-02", 1.0),
    ]


def test_quantities(tmp_path: Path) -> None:
    path = tmp_path / "quantities.json"
    assert read_quantities(path) == ()
    mig = Quantity("mig", "MIG", "The gap.", "", "max", "factors", "arXiv:1802.04942", (0.0, None))
    bound = Quantity("L_I", "bound", "What Q knows.", "nats", None, None, "InfoGAN, eq. 5")
    write_quantities(path, [mig, bound])
    assert read_quantities(path) == (mig, bound)
    document = json.loads(path.read_text())
    assert [each["range"] for each in document["quantities"]] == [[0.0, None], None]
    del document["quantities"][0]["range"]  # as in files written before
    path.write_text(json.dumps(document))
    assert read_quantities(path) == (replace(mig, range=None), bound)
    known = {"mig": mig, "L_I": bound}
    assert quantity_of("floor/shuffled/mig", known) == mig
    assert quantity_of("L_I/cat_0", known) == bound
    assert quantity_of("mig/azimuth", known) == mig
    assert quantity_of("loss/d", known) is None
    with pytest.raises(ValueError, match="direction of mig: expected max, min or None, got 'up'"):
        Quantity("mig", "", "", "", "up", None, "")
    with pytest.raises(
        ValueError, match=r"range of mig: expected the lowest value, then the highest, got \(1"
    ):
        Quantity("mig", "", "", "", "max", None, "", (1.0, 0.0))


def test_the_table_of_trials_is_the_updates(tmp_path: Path) -> None:
    path = tmp_path / "trials.parquet"
    trials_frame([UPDATE]).to_parquet(path, index=False)
    assert read_updates(path) == {"0001": UPDATE}
    assert list(read_table(path, TRIAL_COLUMNS)) == list(TRIAL_COLUMNS)


def test_a_table_without_rows_and_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "trials.parquet"
    assert read_table(path, TRIAL_COLUMNS).empty
    trials_frame([]).to_parquet(path, index=False)
    assert read_updates(path) == {}


def test_a_table_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "trials.parquet"
    frame = trials_frame([UPDATE])
    frame.drop(columns="seed").to_parquet(path)
    with pytest.raises(RecordError, match=rf"^{path}: must have the columns trial, .*, but lacks seed$"):
        read_updates(path)
    frame.assign(step="six").to_parquet(path)
    with pytest.raises(
        RecordError, match=r"the column step must hold whole numbers, but holds (large_)?string"
    ):
        read_updates(path)
    frame.assign(scores="[]").to_parquet(path)
    with pytest.raises(RecordError, match=r"scores must hold a JSON object, but holds '\[\]'"):
        read_updates(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(RecordError, match="cannot be read as Parquet"):
        read_updates(path)


def test_the_environment_keeps_the_versions_of_packages(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "name: a\nenvironment: {sweep_id: abc, torch: 2.9.0, cpus: 2, gpus: [H100], commit: null}\n"
    )
    found = read_environment(path)
    assert found == Environment(sweep_id="abc", cpus=2, gpus=("H100",), packages={"torch": "2.9.0"})
    assert found.to_mapping()["torch"] == "2.9.0"
    path.write_text("name: a\n")
    assert read_environment(path) == Environment()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("environment: {version: 2}", "was written by a newer infogan-bench"),
        ("environment: [1]", r"`environment` must have keys of its own, but is \[1\]"),
        ("environment: {cpus: many}", "`cpus` must be a whole number, but is 'many'"),
        ("a: [", "is not YAML"),
        ("a", "must hold the resolved sweep, but holds 'a'"),
    ],
)
def test_an_environment_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(RecordError, match=f"^{path}: {message}"):
        read_environment(path)


def test_trial_ids_sort_as_numbers() -> None:
    assert sorted(["10000", "9999", "b", "0002", "a"], key=trial_order) == ["0002", "9999", "10000", "a", "b"]


def test_the_places_of_files(tmp_path: Path) -> None:
    paths = SweepPaths(tmp_path)
    seed = paths.trial("0003").seed(1)
    assert seed.checkpoint == tmp_path / "trials" / "0003" / "seed-1" / "checkpoint.safetensors"
    assert seed.traversal("cat_0").name == "traversal-cat_0.png"
    for step in ("100", "20", "no"):
        (seed.steps / step).mkdir(parents=True)
    assert list(seed.step_folders()) == [20, 100]


@pytest.mark.parametrize("name", ["..", "", "a/b", "a\0", "x" * 300])
def test_names_that_are_no_file_names(name: str) -> None:
    assert not is_file_name(name)
    assert is_file_name("cat_0")
