"""The latent explorer and the gallery of real images, from the files of one seed."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from infogan_bench.records import (
    EvaluationRecord,
    GalleryRecord,
    GeneratorRecord,
    PlaneRecord,
    SeedPaths,
    read_explorer_record,
    read_gallery_record,
    read_generator,
)
from infogan_reports.folder import PNG_SIGNATURE, ReportError, read_bytes

MAX_EXPLORERS = 3
MAX_SHEETS = 2_700_000  # bytes of all sheets of pictures together
MAX_GENERATORS = 10_000_000  # bytes of the numbers of all generators together


@dataclass(frozen=True)
class Pictures:
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
    reason: str  # why they stand for G; empty where it is not known


@dataclass(frozen=True)
class Generator:
    """G of one seed, which the page runs."""

    trial_id: str
    seed: int
    record: GeneratorRecord
    weights: bytes
    matches: tuple[str | None, ...]  # the class that each category of the scored code is matched with


Explorer = Pictures | Generator


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

    @property
    def side(self) -> int:
        """The side in pixels of a picture on the page: small ones are enlarged, large ones reduced."""
        return min(max(*self.tile, 42), 64)

    @property
    def smooth(self) -> bool:
        """Say whether the page reduces pictures."""
        return max(self.tile) > self.side


def best_explorers(found: Iterable[tuple[Generator | None, Pictures | None]]) -> tuple[Explorer, ...]:
    """Choose the explorers of the first trials, in order, that fit into the report.

    `found` has G and the sheet of pictures of each trial, None where there is none. G is preferred. The page holds at
    most 10 MB of generators and 2.7 MB of sheets.
    """
    chosen: list[Explorer] = []
    room = {Generator: MAX_GENERATORS, Pictures: MAX_SHEETS}
    for candidates in found:
        for explorer in candidates:
            if explorer is None or len(chosen) == MAX_EXPLORERS:
                continue
            size = len(explorer.weights if isinstance(explorer, Generator) else explorer.sheet)
            if size <= room[type(explorer)]:
                room[type(explorer)] -= size
                chosen.append(explorer)
                break
    return tuple(chosen)


def read_explorer_generator(
    place: SeedPaths, trial_id: str, seed: int, evaluation: EvaluationRecord | None
) -> Generator | None:
    """Read G of a seed's folder, or None where none was written.

    Raises:
        RecordError: if its files are damaged.
    """
    if not (place.generator.is_file() and place.generator_weights.is_file()):
        return None
    record, weights = read_generator(place.folder)
    matches = _matches(evaluation)
    sizes = (code.size for code in record.codes if code.name == record.scored)
    of_scored = tuple(matches.get(category) for category in range(next(sizes, 0)))
    return Generator(trial_id, seed, record, weights, of_scored)


def read_pictures(
    place: SeedPaths, trial_id: str, seed: int, evaluation: EvaluationRecord | None
) -> Pictures | None:
    """Read the sheet of pictures of a seed's folder, or None where none was written.

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
    return Pictures(
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
        reason=record.reason,
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


class PicturesData(TypedDict):
    """A sheet of pictures for the page's script; the sheet itself is an image on the page."""

    trial: str
    sheet: int  # its place among the sheets of the page
    tile: tuple[int, int]
    columns: int
    category: str | None
    matches: tuple[str | None, ...]
    noises: int
    planes: list[Mapping[str, object]]


class GeneratorData(TypedDict):
    """G for the page's script."""

    trial: str
    layers: list[Mapping[str, object]]
    noise: int
    distribution: str
    codes: list[Mapping[str, object]]
    scored: str | None
    matches: tuple[str | None, ...]
    weights: str  # base64 of generator.bin


def explorer_data(explorers: Sequence[Explorer]) -> list[PicturesData | GeneratorData]:
    """Return each explorer for the page's script."""
    sheets = [explorer for explorer in explorers if isinstance(explorer, Pictures)]
    return [
        _generator_data(explorer)
        if isinstance(explorer, Generator)
        else _pictures_data(explorer, sheets.index(explorer))
        for explorer in explorers
    ]


def _pictures_data(explorer: Pictures, sheet: int) -> PicturesData:
    return {
        "trial": explorer.trial_id,
        "sheet": sheet,
        "tile": explorer.tile,
        "columns": explorer.columns,
        "category": explorer.category,
        "matches": explorer.matches,
        "noises": explorer.n_noises,
        "planes": [vars(plane) for plane in explorer.planes],
    }


def _generator_data(explorer: Generator) -> GeneratorData:
    record = explorer.record
    return {
        "trial": explorer.trial_id,
        "layers": [vars(layer) for layer in record.layers],
        "noise": record.noise,
        "distribution": record.noise_distribution,
        "codes": [vars(code) for code in record.codes],
        "scored": record.scored,
        "matches": explorer.matches,
        "weights": base64.b64encode(explorer.weights).decode(),
    }


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
