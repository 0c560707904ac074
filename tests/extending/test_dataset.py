"""A data set from outside, in one file, through a whole sweep."""

from __future__ import annotations

from pathlib import Path

import torch

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import load_dataset
from infogan_bench.extensions import load_extensions

EXAMPLE = Path(__file__).with_name("dataset_example.py")


def test_it_is_loaded_by_its_name_and_cut_to_size() -> None:
    load_extensions([str(EXAMPLE)])
    dataset = load_dataset(DatasetConfig(name="bars", train_size=50, test_size=8))
    assert (len(dataset.train_images), dataset.image_shape) == (50, (1, 8, 8))
    assert torch.bincount(dataset.test_labels).tolist() == [2, 2, 2, 2]
