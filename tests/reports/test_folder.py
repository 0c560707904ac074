"""Reading a sweep folder, whole, half written or broken."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from infogan_reports import ReportError, build_report, load, summarise
from infogan_reports.folder import read_history
from infogan_reports.sections import codes


def test_a_folder_is_read_with_its_types(mixed: Path) -> None:
    data = load(mixed)
    assert (data.metric, data.mode) == ("cluster_accuracy", "max")
    assert list(data.trials["trial"]) == [f"{i:04d}" for i in range(6) for _ in range(2)]
    first = data.trials.iloc[0]
    assert first["params"] == {"optimiser.lr_g": 1e-4, "architecture.name": "paper"}
    assert first["scores"] == {"cluster_accuracy": 0.5}
    assert first["error"] is None
    assert len(data.history) == 6 * 2 * 5 * 12 - 2 * 5  # the failed trial's objective is NaN
    assert data.environment["versions"] == {"torch": "2.14"}


def test_the_history_of_some_trials_is_that_part_of_the_whole(mixed: Path) -> None:
    whole = load(mixed).history
    some = read_history(mixed, ["0003", "0001", "no such trial"])
    expected = whole[whole["trial"].isin(["0001", "0003"])].astype({"trial": str, "metric": str})
    found = some.astype({"trial": str, "metric": str})
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True))
    assert len(found) == 2 * 2 * 5 * 12
    assert read_history(mixed, []).empty


def test_the_environment_is_no_part_of_the_sweep_that_is_shown(mixed: Path) -> None:
    data = load(mixed)
    assert data.text.startswith("name: demo\n")
    assert "environment" not in data.text
    assert "environment" not in data.config


@pytest.mark.parametrize("number", ["NaN", "Infinity", "null"])
def test_a_score_that_is_not_finite_is_absent(
    sweep: Callable[..., Path], written_trial: type, number: str
) -> None:
    folder = sweep(written_trial("0000", {}, (0.5,)))
    rows = pd.read_parquet(folder / "trials.parquet")
    rows["scores"] = f'{{"cluster_accuracy": 0.5, "nmi": {number}}}'
    rows.to_parquet(folder / "trials.parquet")
    assert load(folder).trials.iloc[0]["scores"] == {"cluster_accuracy": 0.5}


def test_secrets_in_what_earlier_versions_wrote_are_not_shown(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    error = "OSError: no answer from postgresql://me:s3cret@db/runs"
    folder = sweep(
        written_trial("0000", {}, (0.5,)), written_trial("0001", {}, (None,), status="failed", error=error),
        config={"tracking": {"uri": "postgresql://me:s3cret@db/runs"}},
    )  # fmt: skip
    (folder / "sweep.log").write_text(f"2026-01-01 00:00:00,000 ERROR sweep: trial 0001 failed:\n{error}\n")
    page = build_report(folder).read_text()
    assert page.count("postgresql://me:***@db/runs") >= 3  # of the sweep file, the error and the log
    assert "s3cret" not in page


def test_a_trial_without_a_row_is_pending(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("0000", {"steps": 10}, (0.5,)))
    (folder / "trials" / "0001").mkdir()
    described = {
        "trial": "0001",
        "params": {"steps": 20},
        "run": {},
        "dataset": {},
        "seeds": [3, 4],
        "progress": [],
        "history": [],
    }
    (folder / "trials" / "0001" / "trial.json").write_text(json.dumps(described))
    rows = load(folder).trials
    assert list(zip(rows["trial"], rows["seed"], rows["status"], strict=True)) == [
        ("0000", 0, "finished"),
        ("0001", 3, "pending"),
        ("0001", 4, "pending"),
    ]
    assert rows.iloc[1]["params"] == {"steps": 20}


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="there is no such folder"):
        load(tmp_path / "nowhere")


def test_a_folder_without_a_sweep_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"no sweep\.yaml .*a sweep folder holds .*trials\.parquet"):
        build_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def _replace(name: str, content: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text(content)


def _without_column(folder: Path) -> None:
    pd.read_parquet(folder / "trials.parquet").drop(columns="seconds").to_parquet(folder / "trials.parquet")


def _with(column: str, value: str) -> Callable[[Path], Any]:
    def change(folder: Path) -> None:
        rows = pd.read_parquet(folder / "trials.parquet")
        rows[column] = value
        rows.to_parquet(folder / "trials.parquet")

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_replace("sweep.yaml", "a: [1"), r"sweep\.yaml is not YAML"),
        (_replace("sweep.yaml", "- 1"), "must hold a mapping"),
        (_replace("sweep.yaml", "name: x"), "must say `goal"),
        (_replace("sweep.yaml", "objective: {metric: nmi, mode: most}"), "must be max or min, but is 'most'"),
        (_replace("trials.parquet", "text"), r"trials\.parquet: cannot be read as Parquet"),
        (_without_column, "lacks seconds"),
        (_with("params", "{"), "params: is not JSON"),
        (_with("scores", "[1]"), "must hold a JSON object"),
        (_with("status", "odd"), r"must be one of .*finished.* but there is \['odd'\]"),
    ],
)
def test_a_broken_file_is_named(mixed: Path, damage: Callable[[Path], Any], message: str) -> None:
    damage(mixed)
    with pytest.raises(ReportError, match=message):
        build_report(mixed)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("history.parquet", b"", "history.parquet: cannot be read as Parquet"),
        ("trials/0001/seed-0/samples.png", b"GIF89a", "samples.png is not a PNG"),
        ("trials/0001/seed-0/evaluation.json", b"{", "evaluation.json: is not JSON"),
        ("trials/0001/seed-0/evaluation.json", b"\xff{}", "evaluation.json: is not UTF-8 text (byte 0)"),
        ("sessions.jsonl", b"\xff{}", "sessions.jsonl: is not UTF-8 text (byte 0)"),
        ("quantities.json", b"[1]", "quantities.json: must hold an object, but holds [1]"),
        ("trials/0009/trial.json", b"\xff", "trial.json: is not UTF-8 text (byte 0)"),
    ],
)
def test_a_damaged_file_that_can_be_left_out_is_named_on_the_page(
    mixed: Path, name: str, content: bytes, message: str
) -> None:
    (mixed / name).parent.mkdir(exist_ok=True)
    (mixed / name).write_bytes(content)
    page = html.unescape(build_report(mixed).read_text(encoding="utf-8"))
    assert message in page.partition('id="left-out"')[2].partition("</ul>")[0]
    assert "Trial 0001 (optimiser.lr_g = 0.001" in page


def test_a_sweep_file_that_is_not_utf_8_is_one_line(mixed: Path) -> None:
    (mixed / "sweep.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(ReportError, match=r"sweep\.yaml: is not UTF-8 text \(byte 6\)$"):
        build_report(mixed)


@pytest.mark.parametrize("name", ["../../elsewhere", "a/b", "/tmp", "..", "", "n" * 300, "nul\0"])
def test_a_trial_that_no_folder_can_be_called_has_no_files(mixed: Path, name: str) -> None:
    (mixed.parent / "elsewhere" / "seed-0").mkdir(parents=True)  # must not be read
    (mixed.parent / "elsewhere" / "seed-0" / "evaluation.json").write_text("{")
    rows = pd.read_parquet(mixed / "trials.parquet").replace({"trial": {"0001": name}})
    rows.to_parquet(mixed / "trials.parquet")
    report = summarise(load(mixed))
    assert report.sweep.best is not None
    assert report.sweep.best.trial_id == name
    meaning = report.of(codes.SECTION).meaning
    assert meaning is not None
    assert (meaning.has_folder, meaning.samples, meaning.codes) == (False, None, ())
    assert "cannot be that of a folder" in build_report(mixed).read_text(encoding="utf-8")


def test_a_code_that_no_file_can_be_called_has_no_picture(mixed: Path) -> None:
    path = mixed / "trials" / "0001" / "seed-0" / "evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["codes"][0]["name"] = "../cat"
    path.write_text(json.dumps(evaluation))
    meaning = summarise(load(mixed)).of(codes.SECTION).meaning
    assert meaning is not None
    assert [(code.name, code.traversal is None) for code in meaning.codes] == [
        ("../cat", True),
        ("uniform_0", False),
    ]
