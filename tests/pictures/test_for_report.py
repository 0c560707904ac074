"""Pictures that are drawn when a report is made: those that a trial would have drawn at its own end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from infogan_reports import load, summarise
from infogan_reports.sections import codes

from infogan_bench.errors import InputError
from infogan_bench.pictures.explorer import write_explorer
from infogan_bench.pictures.for_report import write_report_pictures
from infogan_bench.pictures.generator import write_generator
from infogan_bench.records import read_explorer_record
from infogan_bench.training import load_checkpoint, restore_model

GALLERY = ("categories.json", "categories.png")


@pytest.fixture
def sweep_folder(trained_sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a sweep of two trials of six steps, taken for long enough to be explored."""
    monkeypatch.setattr("infogan_bench.pictures.for_report._LEAST_STEPS", 6)
    return Path(shutil.copytree(trained_sweep, tmp_path / "sweep"))


def best_place(folder: Path) -> Path:
    """Of the first seed of the best trial."""
    best = summarise(load(folder)).sweep.best
    assert best is not None
    return folder / "trials" / best.trial_id / "seed-0"


def test_the_best_trials_get_the_generator_of_their_checkpoint_stopped_ones_too(
    sweep_folder: Path, tmp_path: Path
) -> None:
    rows = pd.read_parquet(sweep_folder / "trials.parquet")
    rows.assign(status="stopped").to_parquet(sweep_folder / "trials.parquet")
    assert write_report_pictures(sweep_folder) == []
    for trial in ("0000", "0001"):
        place = sweep_folder / "trials" / trial / "seed-0"
        write_generator(restore_model(load_checkpoint(place / "checkpoint.safetensors")), tmp_path)
        for name in ("generator.json", "generator.bin"):
            assert (place / name).read_bytes() == (tmp_path / name).read_bytes()
    assert len(list(sweep_folder.glob("trials/*/*/generator.bin"))) == 2  # of the first seeds alone
    assert list(sweep_folder.glob("trials/*/*/explorer.*")) == []


@pytest.mark.parametrize(
    ("largest", "room", "reason"),
    [
        (100, 10**7, "its weights take 0.2 MB, and the page takes 0 MB a trial"),
        (10**6, 100, "the page holds at most 10 MB of generators"),
    ],
)
def test_a_generator_that_is_too_large_becomes_pictures_once(
    sweep_folder: Path, monkeypatch: pytest.MonkeyPatch, largest: int, room: int, reason: str
) -> None:
    monkeypatch.setattr("infogan_bench.pictures.generator.MAX_BYTES", largest)
    monkeypatch.setattr("infogan_bench.pictures.for_report.MAX_GENERATORS", room)
    assert write_report_pictures(sweep_folder) == []
    place = best_place(sweep_folder)
    assert read_explorer_record(place).reason == reason
    assert (place / "generator.bin").is_file() == (largest > 100)
    (place / "checkpoint.safetensors").write_bytes(b"nothing")  # which is not read again
    assert write_report_pictures(sweep_folder) == []


def test_a_sheet_of_an_older_version_gets_a_generator_beside_it(sweep_folder: Path) -> None:
    place = best_place(sweep_folder)
    write_explorer(restore_model(load_checkpoint(place / "checkpoint.safetensors")), place)
    assert write_report_pictures(sweep_folder) == []
    assert (place / "generator.bin").is_file()


def test_a_best_trial_that_was_stopped_gets_the_gallery_that_it_would_have_drawn_at_its_end(
    sweep_folder: Path,
) -> None:
    place = best_place(sweep_folder)
    drawn_by_the_trial = {name: (place / name).read_bytes() for name in GALLERY}
    for path in sweep_folder.glob("trials/*/*/categories.*"):
        path.unlink()  # as if all had been stopped
    assert write_report_pictures(sweep_folder) == []
    assert {name: (place / name).read_bytes() for name in GALLERY} == drawn_by_the_trial
    assert {path.parent for path in sweep_folder.glob("trials/*/*/categories.*")} == {place}
    meaning = summarise(load(sweep_folder)).of(codes.SECTION).meaning
    assert meaning is not None
    assert meaning.gallery is not None


def test_what_is_there_stays_and_what_cannot_be_drawn_is_named(sweep_folder: Path) -> None:
    there = best_place(sweep_folder)
    (damaged,) = set(sweep_folder.glob("trials/*/seed-0")) - {there}
    (there / "generator.json").write_bytes(b"mine")
    (damaged / "checkpoint.safetensors").write_bytes(b"nothing")
    (problem,) = write_report_pictures(sweep_folder)
    assert problem.startswith(f"no explorer of trial {damaged.parent.name}: ")
    assert (there / "generator.json").read_bytes() == b"mine"


def test_a_dataset_that_is_gone_leaves_the_explorer(
    sweep_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = best_place(sweep_folder)
    for name in GALLERY:
        (place / name).unlink()
    monkeypatch.setattr("infogan_bench.datasets.load_dataset", _no_dataset)
    (problem,) = write_report_pictures(sweep_folder)
    assert problem == f"no test images by category of trial {place.parent.name}: dataset: it is gone"
    assert (place / "generator.bin").is_file()


def test_a_trial_of_few_steps_has_none(trained_sweep: Path) -> None:
    assert write_report_pictures(trained_sweep) == []
    for name in ("generator.bin", "explorer.webp"):
        assert list(trained_sweep.glob(f"trials/*/*/{name}")) == []


def _no_dataset(config: object) -> None:
    raise InputError("dataset: it is gone")
