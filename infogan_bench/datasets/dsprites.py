"""dSprites from its archive on disk (Matthey et al. 2017). Nothing here uses the network.

The archive's images are 3 GB unpacked. They are unpacked as a stream, and only the images of the training and the test
set are kept, so memory holds those once and nothing else. The archive's `metadata` is pickled and never read.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import SPRITE_FACTORS, SPRITE_KINDS, Factors, draw_split
from infogan_bench.datasets.npz import NpzFile, open_npz

ARCHIVE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
_HOW_TO_GET = (
    f"`data_dir` must be the folder that holds {ARCHIVE}, from GitHub's google-deepmind/dsprites-dataset"
)


class SpriteSplit(NamedTuple):
    """The images of a split, and the rows of the archive from which they come."""

    rows: NDArray[np.int64]  # (n,)
    images: Tensor  # (n, 1, H, W) uint8, 0 and 255


class Sprites(NamedTuple):
    """The images of the archive that were drawn, and the factors of those in the test set."""

    train: SpriteSplit
    test: SpriteSplit
    factors: Factors


def load_dsprites(config: DatasetConfig) -> ImageDataset:
    """Read `train_size` (default 40,000) and `test_size` (10,000) images of the archive, drawn at random.

    Raises:
        DatasetError: if the archive is missing, damaged or not dSprites', or has fewer images than asked for.
    """
    sprites = read_sprites(find_dsprites(config.data_folder), config.train_size, config.test_size)
    train, test = sprites.train.images, sprites.test.images
    return ImageDataset("dsprites", train, None, test, None, factors=sprites.factors)


def find_dsprites(data_dir: Path | None) -> Path:
    """Return the path of the archive in `data_dir`.

    Raises:
        DatasetError: if there is no folder, or no archive in it.
    """
    if data_dir is None:
        raise DatasetError(f"dsprites does not ship with InfoGAN Bench: {_HOW_TO_GET}")
    path = data_dir / ARCHIVE
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; {_HOW_TO_GET}")
    return path


@cache
def read_sprites(path: Path, train_size: int | None, test_size: int | None) -> Sprites:
    """Read the images of the archive that `draw_split` draws. A process keeps what it has read.

    Raises:
        DatasetError: as `load_dsprites` does.
    """
    with open_npz(path, "dSprites", _HOW_TO_GET) as archive:
        classes = _read_classes(archive)
        train, test = draw_split(len(classes), train_size, test_size)
        images = _read_images(archive, len(classes), np.concatenate([train, test]))
    sizes = tuple(int(size) for size in classes.max(axis=0) + 1)
    factors = Factors(SPRITE_FACTORS, sizes, torch.from_numpy(classes[test]), ("colour",), SPRITE_KINDS)
    return Sprites(SpriteSplit(train, images[: len(train)]), SpriteSplit(test, images[len(train) :]), factors)


def _read_classes(archive: NpzFile) -> NDArray[np.int64]:
    """The factors of every image (n, 5); the archive's first column, the colour, is always white."""
    with archive.array("latents_classes") as stored:
        shape, dtype = stored.shape, stored.dtype
        if len(shape) != 2 or shape[1] != len(SPRITE_FACTORS) + 1 or dtype.kind not in "iu" or not shape[0]:
            raise DatasetError(f"`latents_classes` must be integers (N, 6), found {dtype} {shape}")
        classes: NDArray[np.int64] = stored.whole()[:, 1:].astype(np.int64)
    if classes.min() < 0:
        raise DatasetError(f"`latents_classes` must be at least 0, found {classes.min()}")
    return classes


def _read_images(archive: NpzFile, n: int, wanted: NDArray[np.int64]) -> Tensor:
    """The images of these rows, in their order: uint8 (len(wanted), 1, H, W), white as 255."""
    with archive.array("imgs") as stored:
        shape, dtype = stored.shape, stored.dtype
        if len(shape) != 3 or dtype != np.uint8:
            raise DatasetError(f"`imgs` must be uint8 (N, height, width), found {dtype} {shape}")
        if shape[0] != n:
            raise DatasetError(f"`imgs` has {shape[0]:,} images, but `latents_classes` has {n:,} rows")
        images = np.empty((len(wanted), *shape[1:]), dtype=np.uint8)
        for places, rows in stored.rows(wanted):
            if rows.max() > 1:
                raise DatasetError(f"`imgs` must hold 0 and 1, found {rows.max()}")
            images[places] = rows * np.uint8(255)
    return torch.from_numpy(images).unsqueeze(1)
