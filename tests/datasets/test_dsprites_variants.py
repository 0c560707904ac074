"""dSprites in colour, on noise and on a painting: the pixels that the study's definitions give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.dsprites import ARCHIVE
from infogan_bench.datasets.dsprites_variants import on_painting
from tests.datasets.test_dsprites import CLASSES, arrays

PAINTED = (90, 120, 200)  # a painting of one colour


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.savez_compressed(tmp_path / ARCHIVE, **arrays())  # type: ignore[arg-type]
    Image.new("RGB", (700, 500), PAINTED).save(tmp_path / "scream.png")
    (tmp_path / "scream.png").rename(tmp_path / "scream.jpg")  # exact colours, which JPEG would change
    return tmp_path


def load(folder: Path, variant: str, train: int = 400, test: int = 100) -> ImageDataset:
    name = f"dsprites-{variant}" if variant else "dsprites"
    return load_dataset(DatasetConfig(name=name, data_dir=str(folder), train_size=train, test_size=test))


def both(folder: Path, variant: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The test images of a variant in floats from 0 to 1, and the masks of their sprites, alike in shape."""
    images = load(folder, variant).test_images / 255
    masks = load(folder, "").test_images > 0
    return images, masks.expand_as(images)


@pytest.mark.parametrize("variant", ["colour", "noisy", "scream"])
def test_factors_are_those_of_dsprites_and_images_depend_on_their_rows_alone(
    folder: Path, variant: str
) -> None:
    dataset, plain = load(folder, variant), load(folder, "")
    assert dataset.name == f"dsprites-{variant}"
    assert dataset.image_shape == (3, 8, 8)
    assert dataset.factors is not None
    assert plain.factors is not None
    assert torch.equal(dataset.factors.test, plain.factors.test)
    assert dataset.factors.kinds == plain.factors.kinds
    fewer = load(folder, variant, train=30, test=20)
    assert torch.equal(fewer.train_images, dataset.train_images[:30])
    assert torch.equal(fewer.test_images, dataset.test_images[:20])


def test_a_sprite_has_one_colour_from_a_half_to_one_on_black(folder: Path) -> None:
    images, masks = both(folder, "colour")
    assert not images[~masks].any()
    highest = images.amax(dim=(2, 3), keepdim=True)
    coloured = masks[:, 0].any(dim=(1, 2))  # row 0 of the archive spells 0: no pixel is white
    assert torch.equal(images, highest * masks)
    colours = highest[coloured].flatten(1)
    assert colours.min() >= 0.5
    assert colours.max() <= 1
    assert (colours.mean(dim=0) - 0.75).abs().max() < 4 * (
        1 / 48 / 99
    ) ** 0.5  # 4 standard deviations of chance
    assert (torch.corrcoef(colours.T) - torch.eye(3)).abs().max() < 0.4  # the three are independent


def test_noise_is_uniform_and_the_sprite_white(folder: Path) -> None:
    images, masks = both(folder, "noisy")
    assert (images[masks] == 1).all()
    noise = images[~masks]
    assert len(noise) > 15_000
    shares = torch.histc(noise, 10, 0, 1) / len(noise)
    assert (shares - 0.1).abs().max() < 4 * (
        0.09 / len(noise)
    ) ** 0.5 + 0.002  # rounding to bytes moves the edges


def test_the_ground_is_the_mean_of_painting_and_colour_and_the_sprite_inverts_it() -> None:
    painting = np.random.default_rng(1).random((3, 70, 80))
    mask = np.zeros((64, 64), bool)
    mask[10:20, 30:50] = True
    made = on_painting(painting, mask, np.random.default_rng(5))
    plain = on_painting(painting, np.zeros_like(mask), np.random.default_rng(5))
    np.testing.assert_array_equal(made[:, ~mask], plain[:, ~mask])
    np.testing.assert_allclose(made[:, mask], 1 - plain[:, mask])
    random = np.random.default_rng(5)
    top, left = random.integers(0, 6), random.integers(0, 16)
    shift = random.random(3)
    expected = (painting[:, top : top + 64, left : left + 64] + shift[:, None, None]) / 2
    np.testing.assert_allclose(plain, expected)


def test_the_painting_comes_from_the_user_s_file(folder: Path) -> None:
    images, masks = both(folder, "scream")
    ground = torch.where(masks, 1 - images, images)  # of one colour, as the painting is
    low, high = ground.amin(dim=(2, 3)), ground.amax(dim=(2, 3))
    assert (high - low).max() < 1.5 / 255
    shift = 2 * high - torch.tensor(PAINTED) / 255
    assert -0.01 < shift.min() < 0.1
    assert 0.9 < shift.max() < 1.01


def test_a_painting_that_is_missing_small_or_no_image_is_named(folder: Path) -> None:
    path = folder / "scream.jpg"
    path.write_bytes(b"<!DOCTYPE html><html>" * 100)
    with pytest.raises(DatasetError, match=r"scream.jpg: no sound image but an HTML page.*Wikimedia Commons"):
        load(folder, "scream")
    Image.new("RGB", (64, 900)).save(path, "png")
    with pytest.raises(DatasetError, match=r"scream.jpg: must be larger than 64x64, found 19x274"):
        load(folder, "scream")
    path.unlink()
    with pytest.raises(DatasetError, match=r"scream.jpg: no such file; `data_dir` must hold scream.jpg"):
        load(folder, "scream")
    (folder / ARCHIVE).unlink()
    with pytest.raises(DatasetError, match=rf"{ARCHIVE}: no such file; .*dsprites-dataset"):
        load(folder, "colour")


def test_each_row_of_the_archive_is_drawn_once(folder: Path) -> None:
    assert len(load(folder, "colour", 500, 100).train_images) + 100 == len(CLASSES)
