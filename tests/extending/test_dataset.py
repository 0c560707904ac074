"""A data set from outside, in one file, through a whole sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import load_dataset
from infogan_bench.extensions import load_extensions
from infogan_bench.records import read_evaluation
from tests.extending.support import follow

EXAMPLE = Path(__file__).with_name("dataset_example.py")


@pytest.mark.slow
def test_a_data_set_is_trained_on_scored_reported_and_tracked(tmp_path: Path) -> None:
    tree = {
        "dataset": "bars",
        "base": {
            "architecture": {"name": "mlp", "width": 0.05},
            "codes": {"noise": 4},
            "steps": 6,
            "batch": 16,
        },
        "space": {"optimiser.lr_g": [1e-3, 1e-4]},
        "evaluation": {"every": 3, "scores": ["cluster_accuracy"]},
    }
    found = follow(tmp_path, "dataset_example", tree)
    assert (found.history["metric"] == "cluster_accuracy").sum() == 4  # 2 trials, 2 reports
    assert "bars" in found.page
    assert "cluster_accuracy" in found.logged
    evaluation = read_evaluation(found.folder / "trials/0001/seed-0")
    assert evaluation.confusion is not None
    assert evaluation.confusion.classes == ("dim row", "bright row", "dim column", "bright column")
    assert sum(map(sum, evaluation.confusion.counts)) == 64


def test_it_is_loaded_by_its_name_and_cut_to_size() -> None:
    load_extensions([str(EXAMPLE)])
    dataset = load_dataset(DatasetConfig(name="bars", train_size=50, test_size=8))
    assert (len(dataset.train_images), dataset.image_shape) == (50, (1, 8, 8))
    assert torch.bincount(dataset.test_labels).tolist() == [2, 2, 2, 2]
