"""MPI3D (Gondal et al. 2019, arXiv 1906.03292): a robot arm that moves an object, from an .npz archive on disk.

The images are 12.7 GB unpacked. An archive that is not compressed is mapped into memory, and a compressed one is
unpacked as a stream. Either way memory holds the images of the training and the test set and nothing else.
"""

from __future__ import annotations

from functools import partial
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infogan_bench.config.dataset_options import Mpi3dOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import combinations
from infogan_bench.datasets.listed_images import CATEGORY, ORDERED, ListedImages, find_published
from infogan_bench.datasets.npz import NpzArray, open_npz

FACTORS = (
    "object_color", "object_shape", "object_size", "camera_height", "background_color", "horizontal_axis",
    "vertical_axis",
)  # fmt: skip
KINDS = (CATEGORY, CATEGORY, ORDERED, ORDERED, CATEGORY, ORDERED, ORDERED)
FILES = {
    "toy": "mpi3d_toy.npz",
    "realistic": "mpi3d_realistic.npz",
    "real": "mpi3d_real.npz",
    "complex": "real3d_complicated_shapes_ordered.npz",
}
_GRIDS = {prod(sizes): sizes for sizes in ((6, 6, 2, 3, 3, 40, 40), (4, 4, 2, 3, 3, 40, 40))}
_DEFAULT = Mpi3dOptions()


def load_mpi3d(config: DatasetConfig) -> ImageDataset:
    """Read `train_size` (default 40,000) and `test_size` (10,000) images of a version, drawn at random.

    The published files hold 1,036,800 images. The version `complex` and the first files of 2019 hold 460,800, with four
    colours and four shapes of the object.

    Raises:
        DatasetError: if the archive is missing, damaged or not MPI3D's, or has fewer images than asked for.
    """
    options = config.options
    assert isinstance(options, Mpi3dOptions)  # noqa: S101
    path = find_mpi3d(config.data_folder, options)
    with open_npz(path, "MPI3D", _how_to_get(options)) as archive, archive.array("images") as stored:
        sizes = _sizes(stored, options)
        values = combinations(sizes, np.arange(stored.shape[0]))
        return ListedImages("mpi3d", FACTORS, sizes, KINDS, values, partial(_read, stored)).draw(config)


def find_mpi3d(data_dir: Path | None, options: Mpi3dOptions = _DEFAULT) -> Path:
    """Return the path of a version's archive: in `data_dir`, or in its folder of the archive's name.

    Raises:
        DatasetError: if there is no folder, or no such archive.
    """
    file = FILES[options.version]
    places = (file, f"{file.removesuffix('.npz')}/{file}")
    return find_published("mpi3d", data_dir, places, _how_to_get(options))


def _how_to_get(options: Mpi3dOptions) -> str:
    return (
        f"`data_dir` must be the folder that holds {FILES[options.version]}, which GitHub's "
        f"rr-learning/disentanglement_dataset links; `dataset.options.version` is {options.version}"
    )


def _sizes(stored: NpzArray, options: Mpi3dOptions) -> tuple[int, ...]:
    shape, dtype = stored.shape, stored.dtype
    if len(shape) != 4 or shape[3] != 3 or dtype != np.uint8 or shape[0] not in _GRIDS:
        counts = " or ".join(f"{count:,}" for count in _GRIDS)
        raise DatasetError(
            f"`images` must be uint8 (N, height, width, 3), N being {counts}, found {dtype} {shape}; "
            f"{_how_to_get(options)}"
        )
    return _GRIDS[shape[0]]


def _read(stored: NpzArray, wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
    images = np.empty((len(wanted), 3, *stored.shape[1:3]), np.uint8)
    for places, rows in stored.rows(wanted):
        images[places] = rows.transpose(0, 3, 1, 2)
    return images
