"""SVHN (Netzer et al. 2011): house numbers in street views, cropped to 32x32, from MATLAB files on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from infogan_bench.config.dataset_options import SvhnOptions
from infogan_bench.config.published import SVHN_FILES, PublishedFile
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.matlab import read_matlab

_TRAIN, _TEST, _EXTRA = SVHN_FILES
_DEFAULT = SvhnOptions()
_HOW_TO_GET = (
    "`infogan-bench data fetch svhn` fetches the files where there is a network; by hand they are at "
    "ufldl.stanford.edu/housenumbers, format 2"
)


def load_svhn(data_dir: Path | None, options: SvhnOptions) -> ImageDataset:
    """Read the files, as torchvision lays them in its root.

    The label 10 of the files becomes 0, the digit that it stands for, as in torchvision.

    Raises:
        DatasetError: if files are missing, damaged or, without `partial`, not those that were published.
    """
    files = find_svhn(data_dir, options)
    if not options.partial:
        for path, published in zip(files, _wanted(options), strict=True):
            _check_md5(path, published)
    train, test, *extra = (_read(path) for path in files)
    images = torch.cat([each[0] for each in (train, *extra)])
    labels = torch.cat([each[1] for each in (train, *extra)])
    return ImageDataset("svhn", images, labels, *test, class_names=tuple("0123456789"))


def find_svhn(data_dir: Path | None, options: SvhnOptions = _DEFAULT) -> list[Path]:
    """Return the paths of the files of training, test and, if asked for, extra images: in `data_dir` or its folder
    `svhn`.

    Raises:
        DatasetError: naming the missing files, with their sizes and checksums.
    """
    if data_dir is None:
        raise DatasetError(f"svhn does not ship with InfoGAN Bench: give `data_dir`. {_HOW_TO_GET}")
    wanted = _wanted(options)
    places = (data_dir, data_dir / "svhn")
    folder = max(places, key=lambda place: sum((place / each.name).is_file() for each in wanted))
    if missing := [str(each) for each in wanted if not (folder / each.name).is_file()]:
        raise DatasetError(f"svhn: missing in {folder}: {', '.join(missing)}. {_HOW_TO_GET}")
    return [folder / each.name for each in wanted]


def _wanted(options: SvhnOptions) -> Sequence[PublishedFile]:
    return (_TRAIN, _TEST, _EXTRA) if options.extra else (_TRAIN, _TEST)


def _check_md5(path: Path, published: PublishedFile) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != published.md5:
        raise DatasetError(
            f"{path}: is {_kind(path)} of {path.stat().st_size:,} bytes with md5 {found}, but {published} was "
            f"published: fetch it anew, or set `dataset.options.partial: true` for a set of your own in this format"
        )


def _kind(path: Path) -> str:
    from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

    return what_it_is(path)


def _read(path: Path) -> tuple[Tensor, Tensor]:
    """Return images (N, 3, 32, 32) uint8 and labels (N,) int64 of a file."""
    arrays = read_matlab(path, "X", "y")
    images, labels = arrays["X"], arrays["y"]
    if images.dtype != np.uint8 or images.shape[:-1] != (32, 32, 3):
        raise DatasetError(f"{path}: `X` must be uint8 (32, 32, 3, N), found {images.dtype} {images.shape}")
    labels = labels.ravel()
    if len(labels) != images.shape[3]:
        raise DatasetError(f"{path}: has {images.shape[3]:,} images, but {len(labels):,} labels")
    wrong = (labels < 1) | (labels > 10) | (labels != np.floor(labels))
    if wrong.any():
        raise DatasetError(f"{path}: `y` must be 1 to 10, where 10 is the digit 0, found {labels[wrong][0]}")
    upright = np.ascontiguousarray(images.transpose(3, 2, 0, 1))
    return torch.from_numpy(upright), torch.from_numpy(labels.astype(np.int64) % 10)
