"""CelebA (Liu et al. 2015): faces that are aligned, cut, scaled and kept as one array, with 40 attributes as factors.

Images come from the archive of aligned images, which is never unpacked to disk, or from the folder that it unpacks to.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from infogan_bench.config.dataset_options import CelebaOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.config.published import CELEBA_FILES
from infogan_bench.datasets.array_cache import cached_arrays
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.celeba_lists import CelebaLists, read_lists
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import Factors
from infogan_bench.datasets.parallel import in_parallel

N_IMAGES = 202_599
SHAPE = (178, 218)  # width and height of an aligned image
_FOLDER = "img_align_celeba"
_ARCHIVE, _ATTRIBUTES, _PARTITION = CELEBA_FILES
_MOST_BYTES = 10_000_000  # of an image in the archive; the largest real one has 0.02 MB
_NO_IMAGE = (
    UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError,  # Pillow
    zipfile.BadZipFile, zlib.error, RuntimeError,
)  # fmt: skip
_CODE = 1  # raised when the same files give other pixels
_HOW_TO_GET = (
    "`infogan-bench data fetch celeba` fetches the files where there is a network; by hand they are in the Google "
    "Drive of mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
)


@dataclass(frozen=True)
class CelebaFiles:
    """The files that were found: the archive or the folder of images, and the two lists."""

    images: Path
    attributes: Path
    partition: Path


def load_celeba(config: DatasetConfig) -> ImageDataset:
    """Read the first `train_size` and `test_size` images of the splits; None: all of them.

    A decoded set is kept in the cache, so that it is decoded once.

    Raises:
        DatasetError: if files are missing, are not what their names say, or lack images and `partial` is not set.
    """
    options = config.options
    assert isinstance(options, CelebaOptions)  # noqa: S101
    files = find_celeba(config.data_folder)
    lists = read_lists(files.attributes, files.partition)
    present, read = _source(files.images)
    lists = _checked(lists, present, files.images, options)
    train = _first(lists, "train", config.train_size, "train_size")
    test = _first(lists, options.test_split, config.test_size, "test_size")
    key: dict[str, object] = {
        "code": _CODE, "source": _identity(files.images), "size": options.size, "crop": options.crop,
        "names": _digest([*(lists.names[k] for k in train), *(lists.names[k] for k in test)]),
    }  # fmt: skip

    def decode() -> dict[str, NDArray[np.uint8]]:
        chosen = [lists.names[k] for k in (*train, *test)]
        images = np.empty((len(chosen), 3, options.size, options.size), np.uint8)

        def place(k: int) -> None:
            images[k] = _decoded(read, chosen[k], files.images, options)

        in_parallel(place, len(chosen), "decoding CelebA")
        return {"train": images[: len(train)], "test": images[len(train) :]}

    arrays = cached_arrays("celeba", key, decode)
    attributes = torch.from_numpy(lists.attributes[test].astype(np.int64))
    n = len(lists.attribute_names)
    return ImageDataset(
        "celeba",
        train_images=torch.from_numpy(np.array(arrays["train"], np.uint8)),
        train_labels=None,
        test_images=torch.from_numpy(np.array(arrays["test"], np.uint8)),
        test_labels=None,
        factors=Factors(lists.attribute_names, (2,) * n, attributes, kinds=(Kind("category"),) * n),
    )


def find_celeba(data_dir: Path | None) -> CelebaFiles:
    """Find the files in `data_dir` or, as torchvision lays them, in its folder `celeba`.

    Raises:
        DatasetError: naming the missing files, with their sizes and checksums.
    """
    if data_dir is None:
        raise DatasetError(f"celeba does not ship with InfoGAN Bench: give `data_dir`. {_HOW_TO_GET}")
    found = [_present(folder) for folder in (data_dir, data_dir / "celeba")]
    best = max(found, key=lambda paths: sum(path is not None for path in paths))
    images, attributes, partition = best
    if images is None or attributes is None or partition is None:
        missing = [str(each) for each, path in zip(CELEBA_FILES, best, strict=True) if path is None]
        folder = data_dir if any(found[0]) else data_dir / "celeba"
        raise DatasetError(
            f"celeba: missing in {folder}: {', '.join(missing)}; the folder {_FOLDER} may stand for the archive. "
            f"{_HOW_TO_GET}"
        )
    return CelebaFiles(images, attributes, partition)


def _present(folder: Path) -> tuple[Path | None, Path | None, Path | None]:
    """Return each of the three files that is there. Of the archive and the unpacked folder, a complete folder wins."""
    unpacked, archive = folder / _FOLDER, folder / _ARCHIVE.name
    if unpacked.is_dir() and (not archive.is_file() or len(_names(unpacked)) >= N_IMAGES):
        images: Path | None = unpacked
    else:
        images = archive if archive.is_file() else None
    lists = (folder / _ATTRIBUTES.name, folder / _PARTITION.name)
    attributes, partition = (path if path.is_file() else None for path in lists)
    return images, attributes, partition


Read = Callable[[str], bytes]


def _source(images: Path) -> tuple[set[str], Read]:
    """Return the names of the images that are there, and a function that reads one."""
    if images.is_dir():
        return _names(images), lambda name: (images / name).read_bytes()
    try:
        archive = zipfile.ZipFile(images)
    except (zipfile.BadZipFile, OSError) as error:
        raise DatasetError(f"{images}: {_archive_fault(images, error)}. {_HOW_TO_GET}") from None
    entries = {  # names are looked up, never used as paths
        info.filename.removeprefix(f"{_FOLDER}/"): info
        for info in archive.infolist()
        if info.filename.startswith(f"{_FOLDER}/") and info.file_size <= _MOST_BYTES
    }
    return set(entries), lambda name: archive.read(entries[name])


def _names(folder: Path) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries}


def _archive_fault(path: Path, error: Exception) -> str:
    from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

    expected = f"{_ARCHIVE} was expected"
    if (kind := what_it_is(path)).startswith("an HTML page"):
        return f"this file is a web page, not the archive (the notice of a drive's quota or virus scan); {expected}"
    if kind != "a zip archive":
        return f"not the archive but {kind}; {expected}"
    return f"truncated or damaged ({error}): it has {path.stat().st_size:,} bytes; {expected}"


def _checked(lists: CelebaLists, present: set[str], images: Path, options: CelebaOptions) -> CelebaLists:
    """Return the lists without images that are missing, if that is allowed."""
    here = np.array([name in present for name in lists.names])
    if not options.partial and (not here.all() or len(here) != N_IMAGES):
        raise DatasetError(
            f"{images}: has {int(here.sum()):,} of {len(here):,} listed images, but CelebA has {N_IMAGES:,}; set "
            "`dataset.options.partial: true` to use those that are there"
        )
    if not here.any():
        raise DatasetError(
            f"{images}: holds none of the {len(here):,} listed images, such as {lists.names[0]}"
        )
    return lists.only(here)


def _first(lists: CelebaLists, split: str, size: int | None, key: str) -> NDArray[np.intp]:
    """Return the places of the first `size` images of a split."""
    places = lists.places(split)
    if not len(places):
        raise DatasetError(f"celeba: none of the {len(lists.names):,} images is in the {split} set")
    if size is not None and size > len(places):
        raise DatasetError(f"`{key}` is {size:,}, but celeba has {len(places):,} images in its {split} set")
    return places[:size]


def _decoded(read: Read, name: str, source: Path, options: CelebaOptions) -> NDArray[np.uint8]:
    """Return an image (3, size, size): the centre, scaled by areas as torchvision's Resize does."""
    try:
        with Image.open(io.BytesIO(read(name)), formats=("JPEG", "PNG")) as picture:
            if picture.size != SHAPE:
                raise DatasetError(
                    f"{source}: {name}: is {picture.width}x{picture.height}, but CelebA's aligned images are "
                    f"{SHAPE[0]}x{SHAPE[1]}"
                )
            left, top = (round((side - options.crop) / 2) for side in SHAPE)
            centre = picture.convert("RGB").crop((left, top, left + options.crop, top + options.crop))
            scaled = centre.resize((options.size, options.size), Image.Resampling.BILINEAR)
    except _NO_IMAGE as error:
        raise DatasetError(f"{source}: {name}: no image that can be read: {error}") from None
    return np.asarray(scaled).transpose(2, 0, 1)


def _identity(images: Path) -> list[object]:
    """Return what tells files from others: the place, and when they were written."""
    status = images.stat()
    return [str(images), status.st_mtime_ns, status.st_size]


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
