"""Shapes3D (Burgess and Kim 2018; Kim and Mnih 2018, arXiv 1802.05983) from its HDF5 file on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import combinations
from infogan_bench.datasets.image_arrays import ArrayFile, import_h5py
from infogan_bench.datasets.listed_images import CATEGORY, ORDERED, ListedImages, find_published

FILE = "3dshapes.h5"
FACTORS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")  # the file's own order
KINDS = (CATEGORY, CATEGORY, CATEGORY, ORDERED, CATEGORY, ORDERED)
_DIGITS = 9  # to which equal values of a factor agree
_HOW_TO_GET = (
    f"`data_dir` must be the folder that holds {FILE}, which GitHub's google-deepmind/3d-shapes links "
    "(480,000 images 64x64x3 and their labels)"
)


def load_shapes3d(config: DatasetConfig) -> ImageDataset:
    """Read `train_size` (default 40,000) and `test_size` (10,000) of the 480,000 images, drawn at random.

    The hues are categories, since they lie on a circle. The orientation is ordered, from -30 to 30 degrees.

    Raises:
        DatasetError: if the file is missing, damaged or not Shapes3D's, has fewer images than asked for, or h5py is not
            installed.
    """
    path = find_shapes3d(config.data_folder)
    import_h5py()
    try:
        file = ArrayFile(path, "images")
        values, sizes = _factors(path, file.matrix("labels", len(FACTORS)))
    except DatasetError as error:
        raise DatasetError(f"{error}; {_HOW_TO_GET}") from None

    def read(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return file.read(rows, None, None)

    return ListedImages("shapes3d", FACTORS, sizes, KINDS, values, read).draw(config)


def find_shapes3d(data_dir: Path | None) -> Path:
    """Return the path of the file, in `data_dir` or its folder `3dshapes`.

    Raises:
        DatasetError: if there is no folder, or no such file.
    """
    return find_published("shapes3d", data_dir, (FILE, f"3dshapes/{FILE}"), _HOW_TO_GET)


def _factors(path: Path, labels: NDArray[Any]) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    """Return the factors (N, 6) as whole numbers and their sizes: 10, 10, 10, 8, 4, 15 in the published file.

    The labels are the factors' values, such as 0.1 or -30 degrees; a value becomes its place among all of its column.
    """
    if labels.dtype.kind not in "iuf" or not len(labels):
        raise DatasetError(f"{path}: `labels` must be numbers (N, 6), found {labels.dtype} {labels.shape}")
    columns = [np.unique(column, return_inverse=True) for column in labels.round(_DIGITS).T]
    sizes = tuple(len(values) for values, _ in columns)
    places = np.stack([place.ravel() for _, place in columns], axis=1).astype(np.int64)
    if len(places) != np.prod(sizes) or (places != combinations(sizes, np.arange(len(places)))).any():
        raise DatasetError(
            f"{path}: `labels` must hold each combination of the six factors once, orientation varying fastest; "
            f"found {len(places):,} rows with {' x '.join(map(str, sizes))} values"
        )
    return places, sizes
