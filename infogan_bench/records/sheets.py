"""`explorer.json` and `categories.json`: what each tile of the two sheets of images shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infogan_bench.records.files import read_record, write_record
from infogan_bench.records.paths import SeedPaths


@dataclass(frozen=True)
class PlaneRecord:
    """Codes that are varied together (two, one or none), and the values of each."""

    codes: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class ExplorerRecord:
    """A sheet of generated images: by category, then noise, then plane, then the values of the plane's codes.

    The tile of image k is at column k % columns, row k // columns.
    """

    tile: tuple[int, int]  # height, width in pixels
    columns: int
    category: str | None  # the code whose categories are shown
    n_categories: int
    n_noises: int
    planes: tuple[PlaneRecord, ...]
    encoding: str  # in words
    reason: str = ""  # why the page shows pictures and does not run G; empty in folders written before


@dataclass(frozen=True)
class GalleryImage:
    """A test image and its category by Q."""

    image: int  # place in the test set
    category: int
    label: int | None
    confidence: float  # Q's probability of the category


@dataclass(frozen=True)
class GalleryRecord:
    """A sheet of test images: the most confident ones of each category, then the worst mistakes."""

    code: str
    tile: tuple[int, int]  # height, width in pixels
    columns: int
    images: tuple[GalleryImage, ...]
    mistakes: tuple[GalleryImage, ...]


def read_explorer_record(folder: Path) -> ExplorerRecord:
    """Read `explorer.json` of a seed's folder.

    Raises:
        RecordError: if there is none, or it is damaged.
    """
    return read_record(SeedPaths(folder).explorer, ExplorerRecord)


def write_explorer_record(folder: Path, record: ExplorerRecord) -> None:
    """Write `explorer.json` into a seed's folder."""
    write_record(SeedPaths(folder).explorer, record)


def read_gallery_record(folder: Path) -> GalleryRecord:
    """Read `categories.json` of a seed's folder.

    Raises:
        RecordError: if there is none, or it is damaged.
    """
    return read_record(SeedPaths(folder).gallery, GalleryRecord)


def write_gallery_record(folder: Path, record: GalleryRecord) -> None:
    """Write `categories.json` into a seed's folder."""
    write_record(SeedPaths(folder).gallery, record)
