"""The two text files of CelebA: the attributes of each image, and the split that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infogan_bench.datasets.errors import DatasetError

SPLITS = ("train", "validation", "test")  # 0, 1, 2 in the file
N_ATTRIBUTES = 40


@dataclass(frozen=True, eq=False)
class CelebaLists:
    """The images in the order of the files."""

    names: tuple[str, ...]
    splits: NDArray[np.int8]  # (n,): 0, 1 or 2
    attribute_names: tuple[str, ...]
    attributes: NDArray[np.int8]  # (n, 40): 0 or 1

    def only(self, kept: NDArray[np.bool_]) -> CelebaLists:
        """Return the lists of the images for which `kept` (n,) is True."""
        names = tuple(name for name, keep in zip(self.names, kept, strict=True) if keep)
        return replace(self, names=names, splits=self.splits[kept], attributes=self.attributes[kept])

    def places(self, split: str) -> NDArray[np.intp]:
        """Return the places of the images of a split."""
        return np.flatnonzero(self.splits == SPLITS.index(split))


def read_lists(attributes_file: Path, partition_file: Path) -> CelebaLists:
    """Read `list_attr_celeba.txt` and `list_eval_partition.txt`.

    Raises:
        DatasetError: if a file is not such a list, is cut short, or the two name different images; it names the line.
    """
    names, attribute_names, attributes = _read_attributes(attributes_file)
    rows = [line.split() for line in _lines(partition_file)]
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or row[1] not in ("0", "1", "2"):
            raise DatasetError(
                f"{partition_file}:{number}: expected an image and 0, 1 or 2, found {' '.join(row)[:60]!r}"
            )
    if tuple(row[0] for row in rows) != names:
        pairs = zip((row[0] for row in rows), names, strict=False)
        number = next((n for n, (a, b) in enumerate(pairs, 1) if a != b), min(len(rows), len(names)) + 1)
        raise DatasetError(
            f"{partition_file}:{number}: lists other images than {attributes_file} ({len(rows):,} and {len(names):,})"
        )
    return CelebaLists(names, np.array([int(row[1]) for row in rows], np.int8), attribute_names, attributes)


def _read_attributes(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], NDArray[np.int8]]:
    lines = _lines(path)
    if len(lines) < 3 or not lines[0].strip().isdigit():
        raise DatasetError(f"{path}:1: expected the number of images, found {lines[0][:60]!r}")
    header = tuple(lines[1].split())
    if len(header) != N_ATTRIBUTES or len(set(header)) != N_ATTRIBUTES:
        raise DatasetError(f"{path}:2: expected the names of {N_ATTRIBUTES} attributes, found {len(header)}")
    announced, rows = int(lines[0]), [line.split() for line in lines[2:]]
    for number, row in enumerate(rows, 3):
        if len(row) != 1 + N_ATTRIBUTES or set(row[1:]) - {"1", "-1"}:
            raise DatasetError(f"{path}:{number}: expected an image and {N_ATTRIBUTES} times 1 or -1")
    if len(rows) != announced:
        raise DatasetError(f"{path}: cut short: line 1 announces {announced:,} images, found {len(rows):,}")
    names = tuple(row[0] for row in rows)
    if len(set(names)) != len(names):
        raise DatasetError(f"{path}: an image is listed twice")
    return names, header, np.array([[value == "1" for value in row[1:]] for row in rows], np.int8)


def _lines(path: Path) -> list[str]:
    from infogan_metrics.files import what_it_is

    try:
        if (kind := what_it_is(path)).startswith("an HTML page"):
            raise DatasetError(
                f"{path}: this file is a web page, not the list (the notice of a drive's quota or virus scan); "
                "fetch it anew"
            )
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not a list of images but {kind}") from None
    lines = text.splitlines()
    if not lines:
        raise DatasetError(f"{path}: the file is empty")
    return lines
