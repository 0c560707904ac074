"""Training computes bit for bit what it computed at commit d643109, and what that commit wrote still loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infogan_bench.config import load_sweep
from infogan_bench.datasets import ImageDataset
from infogan_bench.training import load_checkpoint, restore_trainer
from tests.training.make_hashes import ENVIRONMENT

_GOLDEN = Path(__file__).parents[1] / "golden"
_HASHES = _GOLDEN / "training_hashes.json"
_BEFORE = _GOLDEN / "before"


@pytest.mark.timeout(180)
def test_six_updates_are_bit_for_bit_what_they_were(tmp_path: Path) -> None:
    before = json.loads(_HASHES.read_text())
    now = _hashes(before["runs"], tmp_path / "runs.json")
    if now["canary"] != before["canary"]:
        pytest.skip("plain torch operations give other bits here than where the hashes were made")
    for name, run in before["runs"].items():  # metrics that were added since then are no change
        assert {key: now["runs"][name]["metrics"][key] for key in run["metrics"]} == run["metrics"], name
    for what in ("single", "fused"):
        # null: that commit could not train the run fused, so there is nothing to compare. Since then spectral
        # normalisation can be; tests/training/test_fused.py compares its fused seeds with seeds trained alone.
        expected = {name: run[what] for name, run in before["runs"].items() if run[what] is not None}
        assert {name: now["runs"][name][what] for name in expected} == expected


def _hashes(runs: dict[str, Any], path: Path) -> dict[str, Any]:
    """Hashes of `runs`, computed in a process whose arithmetic is that of the oldest processors."""
    path.write_text(json.dumps(runs))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("make_hashes.py")), str(path)],
        env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_checkpoint_of_before_loads_and_trains_on(mnist: ImageDataset) -> None:
    trainer = restore_trainer(load_checkpoint(_BEFORE / "every-term.safetensors"), mnist.train_images)
    expected = json.loads((_BEFORE / "every-term.json").read_text())
    # other processors round otherwise, by far less than another draw or term would change
    metrics = trainer.train(2).metrics
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_a_resolved_sweep_of_before_loads() -> None:
    sweep = load_sweep(_BEFORE / "sweep" / "sweep.yaml")
    assert list(sweep.space) == ["objective.lambda_cat"]
    assert sweep.seeds == (0, 1)
