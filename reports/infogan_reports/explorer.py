"""The latent explorer and the gallery of real images, from the files of one seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from infogan_bench.records import (
    EvaluationRecord,
    GalleryRecord,
    PlaneRecord,
    SeedPaths,
    read_explorer_record,
    read_gallery_record,
)
from infogan_reports.folder import PNG_SIGNATURE, ReportError, read_bytes

MAX_EXPLORERS = 3
MAX_BYTES = 2_700_000  # of all sheets together, so that the report stays below 10 MB


@dataclass(frozen=True)
class Explorer:
    """A sheet of G's images of one seed (layout: docs/architecture.md, explorer.json)."""

    trial_id: str
    seed: int
    sheet: bytes  # WebP
    tile: tuple[int, int]  # height, width in pixels
    columns: int
    category: str | None  # the name of the code whose categories are shown
    matches: tuple[str | None, ...]  # the class that each shown category is matched with
    n_noises: int
    planes: tuple[PlaneRecord, ...]
    encoding: str


@dataclass(frozen=True)
class Picture:
    """A test image on the gallery's sheet: its corner in pixels, its class and Q's category of it."""

    x: int
    y: int
    category: int
    label: str | None
    match: str | None  # of its category
    confidence: float

    @property
    def wrong(self) -> bool:
        """Say whether it shows another class than its category's."""
        return self.label is not None and self.match is not None and self.label != self.match


@dataclass(frozen=True)
class Gallery:
    """Test images by Q's category, the most confident first, and the worst mistakes."""

    code: str
    sheet: bytes  # PNG
    tile: tuple[int, int]  # height, width in pixels
    categories: tuple[tuple[int, str | None, tuple[Picture, ...]], ...]  # index, match, pictures
    mistakes: tuple[Picture, ...]


def best_explorers(found: Iterable[Explorer | None]) -> tuple[Explorer, ...]:
    """Choose the explorers of the first trials that fit into the report, in order; None stands for a trial without
    one."""
    chosen: list[Explorer] = []
    for explorer in found:
        size = sum(len(each.sheet) for each in chosen)
        if explorer and len(chosen) < MAX_EXPLORERS and size + len(explorer.sheet) <= MAX_BYTES:
            chosen.append(explorer)
    return tuple(chosen)


def read_explorer(
    place: SeedPaths, trial_id: str, seed: int, evaluation: EvaluationRecord | None
) -> Explorer | None:
    """Read the explorer of a seed's folder, or None where none was written.

    Raises:
        ReportError: if its files are damaged.
    """
    content = _sheet(place.explorer_sheet, place.explorer)
    if content is None:
        return None
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise ReportError(f"{place.explorer_sheet} is not a WebP file.")
    record = read_explorer_record(place.folder)
    if record.columns < 1 or min(record.tile) < 1:
        raise ReportError(
            f"{place.explorer} does not describe an explorer: no tiles of {record.tile} pixels."
        )
    matches = _matches(evaluation)
    return Explorer(
        trial_id=trial_id,
        seed=seed,
        sheet=content,
        tile=record.tile,
        columns=record.columns,
        category=record.category,
        matches=tuple(matches.get(category) for category in range(record.n_categories)),
        n_noises=record.n_noises,
        planes=record.planes,
        encoding=record.encoding,
    )


def read_gallery(place: SeedPaths, evaluation: EvaluationRecord | None) -> Gallery | None:
    """Read the gallery of a seed's folder, or None where none was written.

    Raises:
        ReportError: if its files are damaged.
    """
    content = _sheet(place.gallery_sheet, place.gallery)
    if content is None:
        return None
    if not content.startswith(PNG_SIGNATURE):
        raise ReportError(f"{place.gallery_sheet} is not a PNG file.")
    record = read_gallery_record(place.folder)
    try:
        pictures = _pictures(record, evaluation)
    except (IndexError, ZeroDivisionError) as error:
        raise ReportError(f"{place.gallery} does not describe a gallery: {error!r}.") from None
    shown, mistakes = pictures[: len(record.images)], pictures[len(record.images) :]
    by_category: dict[int, list[Picture]] = {}
    for picture in shown:
        by_category.setdefault(picture.category, []).append(picture)
    return Gallery(
        code=record.code,
        sheet=content,
        tile=record.tile,
        categories=tuple((k, each[0].match, tuple(each)) for k, each in by_category.items()),
        mistakes=mistakes,
    )


class ExplorerData(TypedDict):
    """An explorer for the page's script; its sheet is an image on the page."""

    trial: str
    tile: tuple[int, int]
    columns: int
    category: str | None
    matches: tuple[str | None, ...]
    noises: int
    planes: list[Mapping[str, object]]


def explorer_data(explorers: Sequence[Explorer]) -> list[ExplorerData]:
    """Return the layout of each explorer for the page's script."""
    return [
        {
            "trial": explorer.trial_id,
            "tile": explorer.tile,
            "columns": explorer.columns,
            "category": explorer.category,
            "matches": explorer.matches,
            "noises": explorer.n_noises,
            "planes": [vars(plane) for plane in explorer.planes],
        }
        for explorer in explorers
    ]


def _pictures(record: GalleryRecord, evaluation: EvaluationRecord | None) -> tuple[Picture, ...]:
    height, width = record.tile
    matches = _matches(evaluation)
    classes = evaluation.confusion.classes if evaluation and evaluation.confusion else ()
    return tuple(
        Picture(
            x=k % record.columns * width,
            y=k // record.columns * height,
            category=image.category,
            label=None if image.label is None else classes[image.label],
            match=matches.get(image.category),
            confidence=image.confidence,
        )
        for k, image in enumerate((*record.images, *record.mistakes))
    )


def _matches(evaluation: EvaluationRecord | None) -> Mapping[int, str]:
    """Return the class that each category is matched with, for those that are."""
    found = evaluation.confusion if evaluation else None
    if found is None:
        return {}
    return {k: found.classes[match] for k, match in enumerate(found.match) if match is not None}


def _sheet(sheet: Path, index: Path) -> bytes | None:
    """Return the bytes of a sheet of pictures, or None where it or its index is missing."""
    return read_bytes(sheet) if sheet.is_file() and index.is_file() else None
