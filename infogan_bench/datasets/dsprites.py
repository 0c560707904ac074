"""dSprites from its archive on disk (Matthey et al. 2017). Nothing here uses the network.

The archive's images are 3 GB unpacked. They are unpacked as a stream, and only the images of the training and the test
set are kept, so memory holds those once and nothing else. The archive's `metadata` is pickled and never read.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import SPRITE_FACTORS, SPRITE_KINDS, Factors, draw_split

ARCHIVE = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
_CHUNK = 1 << 22  # bytes unpacked at a time
_HOW_TO_GET = (
    f"`data_dir` must be the folder that holds {ARCHIVE}, from GitHub's google-deepmind/dsprites-dataset"
)


class _Fault(Exception):  # noqa: N818 - becomes a DatasetError once the file's name is known
    pass


def load_dsprites(config: DatasetConfig) -> ImageDataset:
    """Read `train_size` (default 40,000) and `test_size` (10,000) images of the archive, drawn at random.

    Raises:
        DatasetError: if the archive is missing, damaged or not dSprites', or has fewer images than asked for.
    """
    return _load(find_dsprites(config.data_folder), config.train_size, config.test_size)


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
def _load(path: Path, train_size: int | None, test_size: int | None) -> ImageDataset:
    try:
        with zipfile.ZipFile(path) as archive:
            classes = _read_classes(archive)
            train, test = draw_split(len(classes), train_size, test_size)
            images = _read_images(archive, len(classes), np.concatenate([train, test]))
    except (_Fault, DatasetError) as fault:
        raise DatasetError(f"{path}: {fault}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

        if (kind := what_it_is(path)) != "a zip archive":
            raise DatasetError(f"{path}: not an .npz archive but {kind}; {_HOW_TO_GET}") from None
        raise DatasetError(f"{path}: truncated or damaged: {error}") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    sizes = tuple(int(size) for size in classes.max(axis=0) + 1)
    return ImageDataset(
        "dsprites",
        train_images=images[: len(train)],
        train_labels=None,
        test_images=images[len(train) :],
        test_labels=None,
        factors=Factors(SPRITE_FACTORS, sizes, torch.from_numpy(classes[test]), ("colour",), SPRITE_KINDS),
    )


def _read_classes(archive: zipfile.ZipFile) -> NDArray[np.int64]:
    """The factors of every image (n, 5); the archive's first column, the colour, is always white."""
    with _member(archive, "latents_classes") as stream:
        shape, dtype, size = _read_header(stream, archive, "latents_classes")
        if len(shape) != 2 or shape[1] != len(SPRITE_FACTORS) + 1 or dtype.kind not in "iu" or not shape[0]:
            raise _Fault(f"`latents_classes` must be integers (N, 6), found {dtype} {shape}")
        content = stream.read(size)
    classes: NDArray[np.int64] = np.frombuffer(content, dtype).reshape(shape)[:, 1:].astype(np.int64)
    if classes.min() < 0:
        raise _Fault(f"`latents_classes` must be at least 0, found {classes.min()}")
    return classes


def _read_images(archive: zipfile.ZipFile, n: int, wanted: NDArray[np.int64]) -> Tensor:
    """The images of these rows, in their order: uint8 (len(wanted), 1, H, W), white as 255."""
    with _member(archive, "imgs") as stream:
        shape, dtype, _ = _read_header(stream, archive, "imgs")
        if len(shape) != 3 or dtype != np.uint8:
            raise _Fault(f"`imgs` must be uint8 (N, height, width), found {dtype} {shape}")
        if shape[0] != n:
            raise _Fault(f"`imgs` has {shape[0]:,} images, but `latents_classes` has {n:,} rows")
        images = np.empty((len(wanted), *shape[1:]), dtype=np.uint8)
        order = np.argsort(wanted)
        ordered = wanted[order]
        for start, rows in _rows(stream, shape):
            if rows.max() > 1:
                raise _Fault(f"`imgs` must hold 0 and 1, found {rows.max()}")
            low, high = np.searchsorted(ordered, (start, start + len(rows)))
            images[order[low:high]] = rows[ordered[low:high] - start] * np.uint8(255)
    return torch.from_numpy(images).unsqueeze(1)


def _rows(stream: IO[bytes], shape: tuple[int, ...]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The images in pieces: the number of the first one, and the pixels. Reading to the end checks the CRC."""
    size = shape[1] * shape[2]
    step = max(1, _CHUNK // size)
    for start in range(0, shape[0], step):
        count = min(step, shape[0] - start)
        yield start, np.frombuffer(stream.read(count * size), np.uint8).reshape(count, *shape[1:])
    stream.read()


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        return archive.open(f"{name}.npy")
    except KeyError:
        raise _Fault(f"not dSprites: it holds no array `{name}`") from None


def _read_header(
    stream: IO[bytes], archive: zipfile.ZipFile, name: str
) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Read the shape, dtype and size of an array. A header that does not fit the data is refused."""
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, column_order, dtype = read(stream)
    except ValueError as error:
        raise _Fault(f"`{name}` is no numpy array: {error}") from None
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    present = archive.getinfo(f"{name}.npy").file_size - stream.tell()
    if column_order or dtype.hasobject or size != present:
        raise _Fault(
            f"`{name}`: the header announces {dtype} {shape} = {size:,} bytes, but there are {present:,}"
        )
    return shape, dtype, size
