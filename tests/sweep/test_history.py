"""The curves of a sweep: what is reported is what is read, and a report costs the same when there are many."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd
import pytest

from infogan_bench.errors import InputError
from infogan_bench.sweep.record import history as module
from infogan_bench.sweep.record.history import History, HistoryPoint

Rows = list[tuple[str, int, int, str, float]]


def random_reports(count: int) -> list[tuple[str, int, int, dict[str, float]]]:
    """trial, seed, step and values of reports, some of which go back to an earlier step."""
    rng = random.Random(5)
    steps: dict[tuple[str, int], int] = {}
    reports = []
    for _ in range(count):
        who = f"{rng.randrange(4):04d}", rng.randrange(2)
        steps[who] = max(1, steps.get(who, 0) + rng.choice([1, 1, 1, 1, 0, -2]))
        names = rng.sample(["L_I", "nmi", "loss/d"], 2)
        reports.append((*who, steps[who], {name: rng.random() for name in names}))
    return reports


def by_the_rule(reports: list[tuple[str, int, int, dict[str, float]]]) -> Rows:
    """Plainly: a report takes the place of what its seed had from that step on."""
    rows: Rows = []
    for trial, seed, step, values in reports:
        rows = [row for row in rows if row[:2] != (trial, seed) or row[2] < step]
        rows += [(trial, seed, step, name, value) for name, value in values.items()]
    return sorted(rows, key=lambda row: row[0])


def filled(reports: list[tuple[str, int, int, dict[str, float]]]) -> History:
    history = History()
    for report in reports:
        history.add(*report)
    return history


def rows_of(path: Path) -> Rows:
    return list(pd.read_parquet(path).itertuples(index=False, name=None))


@pytest.mark.parametrize("rows_a_block", [1, 50, 2**20])
def test_the_file_holds_what_was_reported_last_of_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_a_block: int
) -> None:
    monkeypatch.setattr(module, "_ROWS_A_BLOCK", rows_a_block)
    reports = random_reports(200)
    filled(reports).write(tmp_path / "history.parquet")
    assert rows_of(tmp_path / "history.parquet") == by_the_rule(reports)


def test_its_words_are_plain_text(tmp_path: Path) -> None:
    filled(random_reports(10)).write(tmp_path / "history.parquet")
    types = pd.read_parquet(tmp_path / "history.parquet").dtypes.astype(str).to_dict()
    assert types == {"trial": "str", "seed": "int64", "step": "int64", "metric": "str", "value": "float64"}


def test_one_that_was_read_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    reports = random_reports(200)
    filled(reports[:120]).write(tmp_path / "history.parquet")
    found = History.read(tmp_path / "history.parquet")
    for report in reports[120:]:
        found.add(*report)
    found.write(tmp_path / "history.parquet")
    assert rows_of(tmp_path / "history.parquet") == by_the_rule(reports)


def test_a_file_of_pandas_is_read_too(tmp_path: Path) -> None:
    """Such are the folders of earlier versions; the rows of a trial need not lie together."""
    rows = [("0001", 0, 1, "L_I", 0.5), ("0000", 0, 1, "L_I", 0.25), ("0001", 0, 2, "L_I", 1.0)]
    pd.DataFrame(rows, columns=["trial", "seed", "step", "metric", "value"]).to_parquet(tmp_path / "h")
    found = History.read(tmp_path / "h")
    assert found.points("0001") == [HistoryPoint(0, 1, "L_I", 0.5), HistoryPoint(0, 2, "L_I", 1.0)]
    assert found.points("0000") == [HistoryPoint(0, 1, "L_I", 0.25)]


def test_an_empty_one(tmp_path: Path) -> None:
    History().write(tmp_path / "history.parquet")
    assert rows_of(tmp_path / "history.parquet") == []
    assert History.read(tmp_path / "history.parquet").points("0000") == []


def test_another_table_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"trial": ["0000"], "value": [1.0]}).to_parquet(tmp_path / "history.parquet")
    with pytest.raises(
        InputError, match=r"history\.parquet: must have the columns .*, but lacks seed, step, metric"
    ):
        History.read(tmp_path / "history.parquet")


def test_a_new_step_moves_nothing_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a report takes the same time whether 10 or 10,000 came before."""
    copied: list[int] = []
    monkeypatch.setattr(module._Curve, "before", lambda curve, seed, step: copied.append(step) or curve)
    history = History()
    for step in range(1, 1001):
        history.add("0000", step % 2, step, {"L_I": 0.5})
    assert copied == []
    history.add("0000", 1, 999, {"L_I": 0.5})  # reported again: only now
    assert copied == [999]
