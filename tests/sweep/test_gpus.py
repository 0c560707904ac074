"""Trials that share a card. Ray's GPUs are numbers here: no card is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import ray

from infogan_bench.config import parse_sweep
from infogan_bench.results import Status
from infogan_bench.sweep import start

GREEDY = str(Path(__file__).with_name("greedy.py"))


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which `greedy` notes what was granted."""
    return tmp_path_factory.mktemp("greedy")


@pytest.fixture(scope="module", autouse=True)
def cluster(notes: Path) -> Iterator[None]:
    """Ray with two CPUs and a card that is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GREEDY_FOLDER", str(notes))
        patch.setenv("OMP_NUM_THREADS", "1")
        ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


@pytest.fixture(autouse=True)
def _no_notes(notes: Path) -> None:
    for file in notes.iterdir():
        file.unlink()


def tiny(output: Path, **changes: Any) -> dict[str, Any]:
    """A sweep of an architecture that has enough, one that has once it is alone, and one that never has."""
    return {
        "name": "tiny",
        "dataset": {"name": "mnist", "train_size": 512, "test_size": 200},
        "base": {"architecture": {"width": 0.1}, "steps": 40, "batch": 32},
        "space": {"architecture.name": ["greedy", "content", "insatiable"]},
        "evaluation": {"every": 20},
        "resources": {"cpus": 1, "gpus": 0.25, "retries": 0},
        "extensions": [GREEDY],
        "tracking": "none",
        "output": str(output),
        **changes,
    }


def read(notes: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (notes / name).read_text().splitlines()]


def curve(folder: Path, trial: str) -> list[tuple[Any, ...]]:
    """(step, metric, value) of a trial's reports, in order."""
    history = pd.read_parquet(folder / "history.parquet")
    rows = history[history["trial"] == trial][["step", "metric", "value"]]
    return list(rows.itertuples(index=False, name=None))


@pytest.mark.slow
def test_a_trial_that_finds_no_memory_goes_on_once_alone_on_the_card(tmp_path: Path, notes: Path) -> None:
    outcome = start(parse_sweep(tiny(tmp_path)))
    greedy, content, insatiable = outcome.trials
    assert [trial.status for trial in outcome.trials] == [Status.FINISHED, Status.FINISHED, Status.FAILED]
    assert outcome.exit_code() == 3
    assert [run["granted"]["GPU"] for run in read(notes, "content")] == [0.25]
    for name in ("greedy", "insatiable"):
        assert [run["granted"]["GPU"] for run in read(notes, name)] == [0.25, 1.0]
        assert read(notes, name)[1]["alive"] == []  # the first process took its memory along
    # Bit for bit as if there had been memory: no step is missing, none done twice
    assert greedy.step == content.step == 40
    assert curve(outcome.folder, "0000") == curve(outcome.folder, "0001")
    assert insatiable.error is not None
    assert insatiable.error.startswith("CUDA out of memory alone on the card: lower `batch`")
    assert "Tried to allocate 1 PiB" in insatiable.error
    log = (outcome.folder / "sweep.log").read_text()
    for trial in ("0000", "0002"):
        assert f"trial {trial} goes on from its last checkpoint: its share of a card was too small" in log
    [warning] = outcome.warnings
    assert "torch sees no CUDA there" in warning
