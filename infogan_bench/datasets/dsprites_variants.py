"""dSprites in colour, on noise, and on parts of a painting.

They are made of dSprites' archive as in the study of Locatello et al. 2019 (arXiv 1811.12359, disentanglement_lib).

The random parts of an image depend on its row in the archive alone, so the same row gives the same image every time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.dsprites import find_dsprites, read_sprites
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.listed_images import find_published
from infogan_bench.datasets.parallel import in_parallel

PAINTING = "scream.jpg"
_MOST = (350, 274)  # pixels to which the study shrinks the painting, its proportions kept
_SEED = 0
_HOW_TO_GET = (
    f"`data_dir` must hold {PAINTING}, an image file of Munch's The Scream, besides dSprites' archive; the study takes "
    "The_Scream.jpg of Wikimedia Commons"
)

Floats = NDArray[np.float64]
Painter = Callable[[NDArray[np.bool_], np.random.Generator], Floats]
"""Takes the mask (H, W) of a sprite and random numbers, and returns an image (3, H, W) from 0 to 1."""


def load_colour(config: DatasetConfig) -> ImageDataset:
    """Read dSprites with each sprite in a random colour: red, green and blue are uniform from 0.5 to 1.

    Raises:
        DatasetError: as `load_dsprites` does.
    """
    return _load("dsprites-colour", config, in_colour)


def load_noisy(config: DatasetConfig) -> ImageDataset:
    """Read dSprites with noise around the sprites: each value of each pixel is uniform from 0 to 1.

    Raises:
        DatasetError: as `load_dsprites` does.
    """
    return _load("dsprites-noisy", config, on_noise)


def load_scream(config: DatasetConfig) -> ImageDataset:
    """Read dSprites with parts of a painting around the sprites, which the sprites invert.

    Raises:
        DatasetError: as `load_dsprites` does, or if the painting is missing, no image, or too small.
    """
    _, path = find_scream(config.data_folder)
    painting = _read_painting(path)
    return _load("dsprites-scream", config, lambda mask, random: on_painting(painting, mask, random))


def find_scream(data_dir: Path | None) -> tuple[Path, Path]:
    """Return the paths of dSprites' archive and of the painting, which is in `data_dir` or its folder `scream`.

    Raises:
        DatasetError: if one is missing.
    """
    places = (PAINTING, f"scream/{PAINTING}")
    return find_dsprites(data_dir), find_published("dsprites-scream", data_dir, places, _HOW_TO_GET)


def in_colour(mask: NDArray[np.bool_], random: np.random.Generator) -> Floats:
    """Return the sprite (3, H, W) in a colour drawn from [0.5, 1] for each of red, green and blue, on black."""
    return random.uniform(0.5, 1, (3, 1, 1)) * mask


def on_noise(mask: NDArray[np.bool_], random: np.random.Generator) -> Floats:
    """Return the sprite (3, H, W) in white on noise: min(sprite + noise, 1)."""
    return np.minimum(mask + random.random((3, *mask.shape)), 1)


def on_painting(painting: Floats, mask: NDArray[np.bool_], random: np.random.Generator) -> Floats:
    """Return a part of a painting (3, height, width) with the sprite in it, (3, H, W).

    The part lies at a random place and is averaged with a random colour. The sprite inverts it: 1 minus the value.
    """
    height, width = mask.shape
    top = random.integers(0, painting.shape[1] - height)
    left = random.integers(0, painting.shape[2] - width)
    part = painting[:, top : top + height, left : left + width]
    ground = (part + random.random((3, 1, 1))) / 2
    return np.where(mask, 1 - ground, ground)


def _load(name: str, config: DatasetConfig, paint: Painter) -> ImageDataset:
    sprites = read_sprites(find_dsprites(config.data_folder), config.train_size, config.test_size)
    train, test = (_painted(name, *split, paint) for split in (sprites.train, sprites.test))
    return ImageDataset(name, train, None, test, None, factors=sprites.factors)


def _painted(name: str, rows: NDArray[np.int64], sprites: Tensor, paint: Painter) -> Tensor:
    masks = sprites[:, 0].numpy() > 0
    images = np.empty((len(masks), 3, *masks.shape[1:]), np.uint8)

    def draw(k: int) -> None:
        random = np.random.default_rng([_SEED, int(rows[k])])
        images[k] = np.rint(paint(masks[k], random) * 255)

    in_parallel(draw, len(masks), f"drawing {name}")
    return torch.from_numpy(images)


def _read_painting(path: Path) -> Floats:
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

        raise DatasetError(f"{path}: no sound image but {what_it_is(path)}: {error}; {_HOW_TO_GET}") from None
    picture.thumbnail(_MOST)
    if min(picture.size) <= 64:
        raise DatasetError(
            f"{path}: must be larger than 64x64, found {picture.width}x{picture.height}; {_HOW_TO_GET}"
        )
    return np.asarray(picture, np.float64).transpose(2, 0, 1) / 255
