"""What the latent explorer and the gallery of real images need, from the files of one seed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infogan_reports.folder import PNG_SIGNATURE, ReportError

MAX_EXPLORERS = 3
MAX_BYTES = 2_700_000  # of all sheets together: they are to leave the report below 10 MB


@dataclass(frozen=True)
class Plane:
    """Codes that are varied together (two, one or none) and the values of each."""

    codes: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Explorer:
    """A sheet of G's images of one seed (layout: docs/architecture.md, explorer.json)."""

    trial: str
    seed: int
    sheet: bytes  # WebP
    tile: tuple[int, int]  # height, width in pixels
    columns: int
    category: str | None  # the name of the code whose categories are shown
    matches: tuple[str | None, ...]  # the class that each shown category is matched with
    n_noises: int
    planes: tuple[Plane, ...]
    encoding: str


@dataclass(frozen=True)
class Picture:
    """A test image on the gallery's sheet: its corner in pixels, what it shows and what Q says of it."""

    x: int
    y: int
    category: int
    label: str | None
    match: str | None  # of its category
    confidence: float

    @property
    def wrong(self) -> bool:
        """Whether it shows another class than its category's."""
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
    """Those of the first trials (None: it has none) that fit into the report, in their order."""
    chosen: list[Explorer] = []
    for explorer in found:
        size = sum(len(each.sheet) for each in chosen)
        if explorer and len(chosen) < MAX_EXPLORERS and size + len(explorer.sheet) <= MAX_BYTES:
            chosen.append(explorer)
    return tuple(chosen)


def read_explorer(place: Path, trial: str, seed: int, evaluation: Mapping[str, Any]) -> Explorer | None:
    """The explorer of a seed's folder, or None where none was written.

    Raises:
        ReportError: if its files are not what docs/architecture.md says.
    """
    path = place / "explorer.json"
    content = _sheet(place / "explorer.webp", path)
    if content is None:
        return None
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise ReportError(f"{place / 'explorer.webp'} is not a WebP file.")
    index = _load(path)
    try:
        matches = _matches(evaluation)
        height, width = map(int, index["tile"])
        return Explorer(
            trial=trial,
            seed=seed,
            sheet=content,
            tile=(height, width),
            columns=int(index["columns"]),
            category=None if index["category"] is None else str(index["category"]),
            matches=tuple(matches.get(category) for category in range(int(index["n_categories"]))),
            n_noises=int(index["n_noises"]),
            planes=tuple(
                Plane(
                    tuple(map(str, plane["codes"])),
                    tuple(tuple(map(float, values)) for values in plane["values"]),
                )
                for plane in index["planes"]
            ),
            encoding=str(index["encoding"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReportError(f"{path} does not describe an explorer: {error!r}.") from None


def read_gallery(place: Path, evaluation: Mapping[str, Any]) -> Gallery | None:
    """The gallery of a seed's folder, or None where none was written.

    Raises:
        ReportError: if its files are not what docs/architecture.md says.
    """
    path = place / "categories.json"
    content = _sheet(place / "categories.png", path)
    if content is None:
        return None
    if not content.startswith(PNG_SIGNATURE):
        raise ReportError(f"{place / 'categories.png'} is not a PNG file.")
    index = _load(path)
    try:
        pictures = _pictures(index, evaluation)
        shown, mistakes = pictures[: len(index["images"])], pictures[len(index["images"]) :]
        height, width = map(int, index["tile"])
        by_category: dict[int, list[Picture]] = {}
        for picture in shown:
            by_category.setdefault(picture.category, []).append(picture)
        return Gallery(
            code=str(index["code"]),
            sheet=content,
            tile=(height, width),
            categories=tuple((k, each[0].match, tuple(each)) for k, each in by_category.items()),
            mistakes=mistakes,
        )
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise ReportError(f"{path} does not describe a gallery: {error!r}.") from None


def explorer_data(explorers: Sequence[Explorer]) -> list[dict[str, Any]]:
    """What the page's script needs to know of each."""
    return [
        {
            "trial": explorer.trial,
            "tile": explorer.tile,
            "columns": explorer.columns,
            "category": explorer.category,
            "matches": explorer.matches,
            "noises": explorer.n_noises,
            "planes": [vars(plane) for plane in explorer.planes],
        }
        for explorer in explorers
    ]


def _pictures(index: Mapping[str, Any], evaluation: Mapping[str, Any]) -> tuple[Picture, ...]:
    height, width = map(int, index["tile"])
    matches, classes = _matches(evaluation), (evaluation.get("confusion") or {}).get("classes", ())
    return tuple(
        Picture(
            x=k % int(index["columns"]) * width,
            y=k // int(index["columns"]) * height,
            category=int(entry["category"]),
            label=None if entry["label"] is None else str(classes[entry["label"]]),
            match=matches.get(int(entry["category"])),
            confidence=float(entry["confidence"]),
        )
        for k, entry in enumerate((*index["images"], *index["mistakes"]))
    )


def _matches(evaluation: Mapping[str, Any]) -> dict[int, str]:
    """The class that each category is matched with, for those that are."""
    confusion = evaluation.get("confusion") or {"classes": (), "match": ()}
    classes = confusion["classes"]
    return {k: str(classes[match]) for k, match in enumerate(confusion["match"]) if match is not None}


def _sheet(sheet: Path, index: Path) -> bytes | None:
    """The bytes of a sheet of pictures, or None where it or its index is missing."""
    return sheet.read_bytes() if sheet.is_file() and index.is_file() else None


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReportError(f"{path} is not JSON: {error}") from None
