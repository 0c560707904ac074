from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets import DatasetError, DataWarning, ImageDataset, load_dataset, registry


def load(monkeypatch: pytest.MonkeyPatch, images: Tensor) -> ImageDataset:
    """`images` (n, 8, 8) as a dataset that a user registered."""
    monkeypatch.setattr(registry, "_READERS", dict(registry._READERS))
    stored = images.to(torch.uint8).unsqueeze(1)
    registry.register_dataset("mine")(lambda data_dir: ImageDataset("mine", stored, None, stored[:5], None))
    return load_dataset(DatasetConfig(name="mine"))


def noise(low: int, high: int) -> Tensor:
    """(3000, 8, 8) whole numbers from `low` to `high`."""
    return torch.randint(low, high + 1, (3000, 8, 8), generator=torch.Generator().manual_seed(0))


def test_images_of_zeros_and_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        DatasetError, match="mine: the pixels of its training images are 0 to 1, but 0 to 255"
    ):
        load(monkeypatch, noise(0, 1))


@pytest.mark.parametrize("value", [0, 7, 255])
def test_images_all_alike_are_refused(monkeypatch: pytest.MonkeyPatch, value: int) -> None:
    with pytest.raises(DatasetError, match=f"mine: all pixels of its training images are {value}, so"):
        load(monkeypatch, torch.full((10, 8, 8), value))


def test_one_bright_pixel_that_was_not_looked_at_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.zeros(4001, 8, 8)
    images[3, 0, 0] = 200  # every second image is looked at
    with pytest.warns(DataWarning, match=r"mine: 100\.0% of the pixels"):
        load(monkeypatch, images)


@pytest.mark.parametrize(("value", "name"), [(0, "black"), (255, "white")])
def test_nearly_all_pixels_at_one_end_are_warned_of(
    monkeypatch: pytest.MonkeyPatch, value: int, name: str
) -> None:
    images = noise(0, 255)
    images[:, 1:] = value
    images[:, 0, 1:] = value
    images[:1500, 0, 0] = value  # half of the images keep one pixel of 64: 99.2% are `value`
    with pytest.warns(DataWarning, match=rf"mine: 99\.2% of the pixels .* are {value} \({name}\)"):
        load(monkeypatch, images)


@pytest.mark.parametrize("name", ["mnist", "sprites"])
def test_the_sets_that_ship_are_taken_in_silence(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        dataset = load_dataset(DatasetConfig(name=name, train_size=3000, test_size=100))
    assert len(dataset.train_images) == 3000


def test_the_whole_range_is_taken_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        assert load(monkeypatch, noise(0, 255)).image_shape == (1, 8, 8)
