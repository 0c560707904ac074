"""SmallNORB (LeCun, Huang and Bottou 2004): photographs of 50 toys, from six binary matrices on disk, gzipped or not.

As in the study of Locatello et al. 2019 (arXiv 1811.12359), each image is the left one of its pair, scaled from 96x96
to 64x64, and both files of images are one set.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from infogan_bench.config.dataset_options import TurntableOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.listed_images import CATEGORY, ORDERED, TURN, ListedImages, find_published
from infogan_bench.datasets.row_pieces import streamed_rows

FACTORS = ("category", "elevation", "azimuth", "lighting")  # the study's, in its order
STEMS = ("smallnorb-5x46789x9x18x6x2x96x96-training", "smallnorb-5x01235x9x18x6x2x96x96-testing")
N_PAIRS = 24_300  # in each of the two
SIDE = 64
_SIZES = (5, 9, 18, 6)
_STORED = (2, 96, 96)  # the left and the right image of a pair
_BYTES, _INTEGERS = 0x1E3D4C55, 0x1E3D4C54  # the first number of a matrix says what it holds
_HOW_TO_GET = (
    "`data_dir` must be the folder that holds the six .mat or .mat.gz files of "
    "cs.nyu.edu/~ylclab/data/norb-v1.0-small"
)


class _Part(NamedTuple):
    """The paths of the matrices of a part: images, categories, and instance, elevation, azimuth and lighting."""

    dat: Path
    cat: Path
    info: Path


def load_smallnorb(config: DatasetConfig) -> ImageDataset:
    """Read `train_size` (default 38,880) and `test_size` (9,720) of the 48,600 left images, drawn at random.

    The azimuth is an angle in degrees, or with the option `azimuth: ordered` a whole number from 0 to 17. As in the
    study, the toy within its category is no factor.

    Raises:
        DatasetError: if files are missing or damaged, or have fewer than 24,300 pairs each without `partial`.
    """
    options = config.options
    assert isinstance(options, TurntableOptions)  # noqa: S101
    parts = find_smallnorb(config.data_folder)
    columns = [_factors(part, fewer=options.partial) for part in parts]
    values = np.concatenate(columns)
    turns = options.azimuth == "circular"
    values[:, 2] *= 20 if turns else 1
    category, elevation, azimuth, lighting = _SIZES
    sizes = (category, elevation, None if turns else azimuth, lighting)
    kinds = (CATEGORY, ORDERED, TURN if turns else ORDERED, CATEGORY)
    read = partial(_read, parts, [len(each) for each in columns])
    return ListedImages("smallnorb", FACTORS, sizes, kinds, values, read).draw(config)


def find_smallnorb(data_dir: Path | None) -> tuple[_Part, _Part]:
    """Return the paths of the files of both parts: in `data_dir` or its folder `small_norb`, gzipped or not.

    Raises:
        DatasetError: if there is no folder, or a file is missing.
    """

    def find(stem: str, kind: str) -> Path:
        name = f"{stem}-{kind}.mat"
        places = [f"{folder}{name}{end}" for folder in ("", "small_norb/") for end in ("", ".gz")]
        return find_published("smallnorb", data_dir, places, _HOW_TO_GET)

    training, testing = (_Part(*(find(stem, kind) for kind in _Part._fields)) for stem in STEMS)
    return training, testing


def _factors(part: _Part, *, fewer: bool) -> NDArray[np.int64]:
    """Return category, elevation, azimuth and lighting (N, 4) as whole numbers from 0 on."""
    category, info = _integers(part.cat, 1), _integers(part.info, 2)
    if info.shape != (len(category), 4) or not (fewer or len(category) == N_PAIRS):
        raise DatasetError(
            f"{part.info}: must be {N_PAIRS:,} x 4 numbers and {part.cat.name} as many rows, found "
            f"{' x '.join(map(str, info.shape))} and {len(category):,}; {_HOW_TO_GET}"
        )
    values = np.column_stack([category, info[:, 1], info[:, 2] / 2, info[:, 3]])  # azimuths are 0, 2, ..., 34
    for k, (factor, size) in enumerate(zip(FACTORS, _SIZES, strict=True)):
        column = values[:, k]
        if ((column < 0) | (column >= size) | (column != np.floor(column))).any():
            where = part.info if k else part.cat
            raise DatasetError(
                f"{where}: `{factor}` is not one of its {size} values in some row; {_HOW_TO_GET}"
            )
    return values.astype(np.int64)


def _read(parts: Sequence[_Part], counts: Sequence[int], wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
    images = np.empty((len(wanted), 1, SIDE, SIDE), np.uint8)
    first = 0
    for part, count in zip(parts, counts, strict=True):
        here = np.flatnonzero((wanted >= first) & (wanted < first + count))
        with _matrix(part.dat, _BYTES, 1) as (stream, shape):
            if shape != (count, *_STORED):
                raise DatasetError(
                    f"{part.dat}: must be {(count, *_STORED)}, as {part.cat.name} has rows, found {shape}; "
                    f"{_HOW_TO_GET}"
                )
            for places, pairs in streamed_rows(stream, shape, wanted[here] - first):
                for place, pair in zip(here[places], pairs, strict=True):
                    left = Image.fromarray(pair[0]).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
                    images[place, 0] = np.asarray(left)
        first += count
    return images


def _integers(path: Path, ndim: int) -> NDArray[np.int32]:
    with _matrix(path, _INTEGERS, 4) as (stream, shape):
        if len(shape) != ndim:
            raise DatasetError(f"{path}: must have {ndim} dimension(s), found {shape}; {_HOW_TO_GET}")
        return np.frombuffer(stream.read(), "<i4").reshape(shape)


@contextmanager
def _matrix(path: Path, kind: int, width: int) -> Iterator[tuple[IO[bytes], tuple[int, ...]]]:
    """Open a binary matrix at its first value, and read its shape.

    The header is the kind, the number of dimensions and at least three sizes, each four bytes, the lowest byte first.
    """
    try:
        with _open(path) as stream:
            head = stream.read(8)
            found, ndim = struct.unpack("<ii", head) if len(head) == 8 else (0, 0)
            if found != kind or not 1 <= ndim <= 4:
                raise DatasetError(
                    f"{path}: not a binary matrix of SmallNORB but {_what_it_is(path)}; {_HOW_TO_GET}"
                )
            sizes = stream.read(4 * max(3, ndim))
            shape = struct.unpack(f"<{len(sizes) // 4}i", sizes)[:ndim] if len(sizes) % 4 == 0 else ()
            expected = 8 + 4 * max(3, ndim) + width * int(np.prod(shape, dtype=object))
            if len(shape) != ndim or (path.suffix != ".gz" and path.stat().st_size != expected):
                raise DatasetError(
                    f"{path}: its header {shape} announces {expected:,} bytes, but there are "
                    f"{path.stat().st_size:,}; {_HOW_TO_GET}"
                )
            yield stream, shape
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(
            f"{path}: truncated or damaged, {_what_it_is(path)}: {error}; {_HOW_TO_GET}"
        ) from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _what_it_is(path: Path) -> str:
    from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

    return what_it_is(path)
