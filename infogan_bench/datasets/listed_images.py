"""Images of published files, each with its factors, of which a training and a test set are drawn before any is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import Factors, draw_split

CATEGORY, ORDERED, TURN = Kind("category"), Kind("ordered"), Kind("circular", 360)


@dataclass(frozen=True)
class ListedImages:
    """The factors of all images of a set, and the function that reads some of the images.

    Attributes:
        name: of the data set.
        factors: names of the factors.
        sizes: numbers of values of the factors; None for a circular one.
        kinds: of the factors.
        values: (N, n_factors), the factors of each image.
        read: takes row numbers (n,) and returns those images in that order, uint8 (n, C, H, W).
    """

    name: str
    factors: tuple[str, ...]
    sizes: tuple[int | None, ...]
    kinds: tuple[Kind, ...]
    values: NDArray[np.number[Any]]
    read: Callable[[NDArray[np.int64]], NDArray[np.uint8]]

    def draw(self, config: DatasetConfig) -> ImageDataset:
        """Read the training and the test images that `draw_split` draws, and no others.

        Raises:
            DatasetError: if there are fewer images than asked for, or they cannot be read.
        """
        train, test = draw_split(len(self.values), config.train_size, config.test_size)
        images = torch.from_numpy(self.read(np.concatenate([train, test])))
        values = self.values[test].astype(np.float64 if None in self.sizes else np.int64)
        return ImageDataset(
            self.name,
            train_images=images[: len(train)],
            train_labels=None,
            test_images=images[len(train) :],
            test_labels=None,
            factors=Factors(self.factors, self.sizes, torch.from_numpy(values), kinds=self.kinds),
        )


def find_published(name: str, data_dir: Path | None, places: Sequence[str], how_to_get: str) -> Path:
    """Return the first of `places` below `data_dir` where a file is.

    Raises:
        DatasetError: if there is no folder, or a file in none of the places.
    """
    if data_dir is None:
        raise DatasetError(f"{name} does not ship with InfoGAN Bench: {how_to_get}")
    for place in places:
        if (data_dir / place).is_file():
            return data_dir / place
    raise DatasetError(f"{data_dir / places[0]}: no such file; {how_to_get}")
