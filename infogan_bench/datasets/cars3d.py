"""Cars3D (Reed et al. 2015, "Deep Visual Analogy-Making"): 183 cars from 24 sides and 4 heights, from MATLAB files.

As in the study of Locatello et al. 2019 (arXiv 1811.12359), images are scaled from 128x128 to 64x64.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infogan_bench.config.dataset_options import TurntableOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import combinations
from infogan_bench.datasets.listed_images import CATEGORY, ORDERED, TURN, ListedImages
from infogan_bench.datasets.matlab import read_matlab
from infogan_bench.datasets.parallel import in_parallel

FACTORS = ("elevation", "azimuth", "object")  # the study's order
N_CARS = 183
SIDE = 64
_AZIMUTHS, _ELEVATIONS = 24, 4
_STEP = 15  # degrees from one azimuth to the next
_STORED = (128, 128, 3, _AZIMUTHS, _ELEVATIONS)
_LIST = "list.txt"
_HOW_TO_GET = (
    "`data_dir` must hold the folder `cars` of nips2015-analogy-data.tar.gz (md5 4e866a7919c1beedf53964e6f7a23686), "
    "from www.scottreed.info/files: 183 files such as car_001_mesh.mat, and list.txt"
)


def load_cars3d(config: DatasetConfig) -> ImageDataset:
    """Read `train_size` (default 14,054) and `test_size` (3,514) of the 17,568 images, drawn at random.

    The azimuth is an angle in degrees, or with the option `azimuth: ordered` a whole number from 0 to 23.

    Raises:
        DatasetError: if files are missing or damaged, or fewer than 183 without `partial`.
    """
    options = config.options
    assert isinstance(options, TurntableOptions)  # noqa: S101
    files = find_cars3d(config.data_folder, options)
    grid = (_ELEVATIONS, _AZIMUTHS, len(files))
    values = combinations(grid, np.arange(np.prod(grid)))
    turns = options.azimuth == "circular"
    shown = values * np.array([1, _STEP, 1]) if turns else values
    sizes = (_ELEVATIONS, None if turns else _AZIMUTHS, len(files))
    kinds = (ORDERED, TURN if turns else ORDERED, CATEGORY)
    return ListedImages("cars3d", FACTORS, sizes, kinds, shown, partial(_read, files, values)).draw(config)


def find_cars3d(data_dir: Path | None, options: TurntableOptions | None = None) -> list[Path]:
    """Return the paths of the cars' files in the order of list.txt, which is that of their names if there is no list.

    They are in the folder `cars` of `data_dir`, or in `data_dir` itself.

    Raises:
        DatasetError: if there is no folder, a listed file is missing, or, without `partial`, there are not 183.
    """
    if data_dir is None:
        raise DatasetError(f"cars3d does not ship with InfoGAN Bench: {_HOW_TO_GET}")
    folder = data_dir / "cars" if (data_dir / "cars").is_dir() else data_dir
    files = _listed(folder)
    if missing := [path.name for path in files if not path.is_file()]:
        raise DatasetError(f"{folder}: {_LIST} names {missing[0]}, which is not there; {_HOW_TO_GET}")
    complete = len(files) == N_CARS or (files and options is not None and options.partial)
    if not complete:
        raise DatasetError(
            f"{folder}: {N_CARS} cars are expected, found {len(files)}; {_HOW_TO_GET}; `dataset.options.partial: true` "
            "takes fewer"
        )
    return files


def _listed(folder: Path) -> list[Path]:
    try:
        names = (folder / _LIST).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return sorted(path for path in folder.glob("*.mat") if not path.name.startswith("."))
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{folder / _LIST}: cannot be read: {error}") from None
    return [folder / f"{name}.mat" for name in names]


def _read(files: Sequence[Path], values: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the wanted images. Each file is read once, and those of cars that nobody wants are not."""
    images = np.empty((len(wanted), 3, SIDE, SIDE), np.uint8)
    elevations, azimuths, cars = values[wanted].T
    present = np.unique(cars)

    def place(k: int) -> None:
        stored = _stored(files[present[k]])
        for row in np.flatnonzero(cars == present[k]):
            image = Image.fromarray(np.ascontiguousarray(stored[..., azimuths[row], elevations[row]]))
            scaled = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            images[row] = np.asarray(scaled).transpose(2, 0, 1)

    in_parallel(place, len(present), "reading cars3d")
    return images


def _stored(path: Path) -> NDArray[np.uint8]:
    try:
        images = read_matlab(path, "im")["im"]
    except DatasetError as error:
        raise DatasetError(f"{error}; {_HOW_TO_GET}") from None
    if images.dtype != np.uint8 or images.shape != _STORED:
        raise DatasetError(
            f"{path}: `im` must be uint8 {_STORED}, found {images.dtype} {images.shape}; {_HOW_TO_GET}"
        )
    return np.asarray(images, np.uint8)
