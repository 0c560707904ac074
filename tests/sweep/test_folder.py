"""The record of a sweep: what is on it survives the process that wrote it, at any moment."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from infogan_bench.config import parse_sweep
from infogan_bench.records.results import SeedResult, Status, TrialUpdate
from infogan_bench.sweep import SweepFolder


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder.create(parse_sweep({"name": "s", "output": str(tmp_path)}), {"sweep_id": "s-1"})


def report(trial_id: str, step: int, value: float, status: Status = Status.RUNNING) -> TrialUpdate:
    seed = SeedResult(0, status, step, {"L_I": value})
    return TrialUpdate(trial_id, {"objective.lambda_cat": 0.1}, status, step, (seed,))


def curve(folder: SweepFolder, trial_id: str) -> dict[int, float]:
    table = folder.history()
    return dict(table.loc[table["trial"] == trial_id, ["step", "value"]].itertuples(index=False, name=None))


def test_a_table_of_before_peak_memory_was_recorded_is_read(folder: SweepFolder) -> None:
    known, unknown = replace(report("0000", 1, 0.5), peak_memory=2**33 + 1), report("0001", 1, 0.5)
    for update in (known, unknown):
        folder.updated(update)
    folder.flush()
    assert list(SweepFolder.open(folder.path).updates.values()) == [known, unknown]
    table = pd.read_parquet(folder.path / "trials.parquet")
    table.drop(columns="peak_memory").to_parquet(folder.path / "trials.parquet")
    found = SweepFolder.open(folder.path).updates.values()
    assert list(found) == [replace(known, peak_memory=None), unknown]


def test_what_the_tables_lack_after_a_crash_is_in_the_journal(folder: SweepFolder) -> None:
    folder.updated(report("0000", 1, 0.5))
    folder.updated(report("0000", 2, 0.7))
    assert pd.read_parquet(folder.path / "trials.parquet").empty  # they are rewritten now and then only
    found = SweepFolder.open(folder.path)
    assert found.last("0000") == report("0000", 2, 0.7)
    assert curve(found, "0000") == {1: 0.5, 2: 0.7}


def test_an_update_that_was_being_written_is_as_if_it_had_not_come(folder: SweepFolder) -> None:
    folder.updated(report("0000", 1, 0.5))
    folder.updated(report("0000", 2, 0.7))
    journal = folder.path / "journal.jsonl"
    journal.write_text(journal.read_text()[:-20])
    assert curve(SweepFolder.open(folder.path), "0000") == {1: 0.5}


def test_a_journal_that_the_tables_have_caught_up_with_adds_nothing(folder: SweepFolder) -> None:
    for step in (1, 2, 3):
        folder.updated(report("0000", step, step / 10))
    journal = (folder.path / "journal.jsonl").read_text()
    folder.flush()
    assert not (folder.path / "journal.jsonl").exists()
    (folder.path / "journal.jsonl").write_text(journal)  # killed after the tables, before the journal's end
    found = SweepFolder.open(folder.path)
    assert curve(found, "0000") == {1: 0.1, 2: 0.2, 3: 0.3}
    found.flush()
    assert len(pd.read_parquet(folder.path / "history.parquet")) == 3


def test_a_folder_that_was_opened_writes_the_same_tables(folder: SweepFolder) -> None:
    rng = random.Random(1)
    for number in range(30):
        seeds = tuple(
            SeedResult(seed, Status.FINISHED, 4, {"L_I": rng.random(), "nmi": rng.random()}, 1.5, 20.0)
            for seed in (3, 0, 7)
        )
        folder.updated(TrialUpdate(f"{number:04d}", {"batch": number}, Status.FINISHED, 4, seeds, node="n"))
    folder.flush()
    found = SweepFolder.open(folder.path)
    assert found.updates == folder.updates
    pd.testing.assert_frame_equal(found.trials(), folder.trials())
    pd.testing.assert_frame_equal(found.history(), folder.history())
