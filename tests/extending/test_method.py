"""A method from outside, in one file, and the VAE, through a whole sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infogan_bench import Sweep
from infogan_bench.config import load_sweep
from tests.extending.support import follow

BASE: dict[str, Any] = {
    "codes": {"categorical": [], "uniform": 0, "gaussian": 3, "noise": 0},
    "architecture": {"name": "mlp", "width": 0.05}, "steps": 6, "batch": 16,
}  # fmt: skip


@pytest.mark.slow
def test_a_method_is_trained_searched_by_reported_tracked_and_sampled_from(tmp_path: Path) -> None:
    tree = {"base": {**BASE, "method": "autoencoder"}, "space": {"method.options.noise": [0.1, 0.5]},
            "goal": {"metric": "loss/error", "mode": "min"}}  # fmt: skip
    found = follow(tmp_path, "method_example", tree)
    assert load_sweep(found.folder / "sweep.yaml").base.method.name == "autoencoder"
    assert (found.history["metric"] == "loss/error").sum() == 4
    assert "loss/error" in found.page
    assert found.logged["method.name"] == {"autoencoder"}
    assert found.logged["method.options.noise"] == {"0.1", "0.5"}
    assert Sweep.load(found.folder).best().sample(3).shape == (3, 1, 28, 28)


@pytest.mark.slow
def test_method_itself_is_swept(tmp_path: Path) -> None:
    tree = {"base": BASE, "space": {"method.name": ["vae", "infogan"]},
            "goal": {"metric": "irs"}, "dataset": {"name": "mnist", "train_size": 64, "test_size": 257},
            "evaluation": {"every": 3, "scores": ["irs"]}}  # fmt: skip
    found = follow(tmp_path, "method_example", tree)
    metrics = found.history.groupby("trial")["metric"].agg(set)
    assert {"loss/reconstruction", "loss/kl", "irs"} <= metrics["0000"]
    assert {"loss/d", "loss/g", "L_I/gaussian_0", "irs"} <= metrics["0001"]
    for trial in ("0000", "0001"):
        assert (found.folder / "trials" / trial / "seed-0" / "traversal-gaussian_2.png").is_file()
