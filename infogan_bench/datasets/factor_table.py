"""A CSV file of factors, a row for each image, and the columns of factors, checked against their declared kinds."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogan_bench.config.dataset_options import FactorOption
from infogan_bench.config.errors import show
from infogan_bench.config.names import suggestion
from infogan_bench.datasets.errors import DatasetError

_FILE = "file"  # the column that names the image


class FactorTable(NamedTuple):
    """The texts of a CSV file by column, in the order of the images, and the place of each row: `factors.csv:7`."""

    columns: Mapping[str, Sequence[str]]
    places: Sequence[str]


class FactorColumn(NamedTuple):
    """A factor of all images.

    Attributes:
        values: (n,) float64; of a category or an ordered factor the places of its values in `names`.
        names: of the values; none for a continuous or circular factor.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]


def read_table(path: Path, images: Sequence[str], wanted: Sequence[str]) -> FactorTable:
    """Read a CSV file with a header. Its column `file` names an image, as `images` do; the others are those wanted.

    Raises:
        DatasetError: if it cannot be read, has an unknown column or lacks one, or has not one row for each image; it
            names the line.
    """
    header, rows = _read(path)
    known = (_FILE, *wanted)
    for name in header:
        if header.count(name) > 1:
            raise DatasetError(f"{path}:1: column `{name}` is there twice")
        if name not in known:
            raise DatasetError(
                f"{path}:1: unknown column `{name}`, which `dataset.options.factors` does not declare; "
                f"{suggestion(name, known)}"
            )
    if missing := next((name for name in known if name not in header), None):
        raise DatasetError(f"{path}:1: lacks the column `{missing}`; it has {', '.join(header)}")
    names, present = header.index(_FILE), set(images)
    lines: dict[str, tuple[int, list[str]]] = {}
    for line, row in rows:
        if len(row) != len(header):
            raise DatasetError(f"{path}:{line}: expected {len(header)} values, found {len(row)}")
        name = row[names]
        if name in lines:
            raise DatasetError(f"{path}:{line}: `{name}` is there twice, in line {lines[name][0]} as well")
        if name not in present:
            raise DatasetError(f"{path}:{line}: no image `{name}` in {path.parent}")
        lines[name] = (line, row)
    if len(lines) < len(images):
        lacking = [name for name in images if name not in lines]
        raise DatasetError(
            f"{path}: has no row for {len(lacking):,} of {len(images):,} images, such as `{lacking[0]}`"
        )
    ordered = [lines[name] for name in images]
    columns = {name: [row[k] for _, row in ordered] for k, name in enumerate(header)}
    return FactorTable(columns, [f"{path}:{line}" for line, _ in ordered])


def _read(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file, but `dataset.options` names factors or a split") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not a CSV file in UTF-8: {error}") from None
    if not rows:
        raise DatasetError(f"{path}: the file is empty")
    return rows[0][1], rows[1:]


def column_of(
    name: str, option: FactorOption, given: Sequence[object], places: Sequence[str]
) -> FactorColumn:
    """Read a factor's values as its kind says.

    Args:
        name: of the factor.
        option: its declaration.
        given: texts or numbers, one for each image.
        places: of each value, for messages.

    Raises:
        DatasetError: if a value is missing, none of those that are declared, no number, or out of range.
    """
    if option.kind in ("category", "ordered"):
        return _discrete(name, option, [as_text(value) for value in given], places)
    low = -math.inf if option.low is None else option.low
    high = math.inf if option.high is None else option.high
    values = np.empty(len(given))
    for row, text in enumerate(given):
        values[row] = _number(text)
        if not (math.isfinite(values[row]) and low <= values[row] <= high):
            expected = "a number" if option.low is None else f"a number from {low:g} to {high:g}"
            raise DatasetError(f"{places[row]}: `{name}` must be {expected}, found {show(text)}")
    return FactorColumn(values, ())


def _discrete(name: str, option: FactorOption, texts: list[str], places: Sequence[str]) -> FactorColumn:
    empty = next((row for row, text in enumerate(texts) if not text or text == "nan"), None)
    if empty is not None:
        raise DatasetError(f"{places[empty]}: `{name}` has no value")
    known = _sorted(set(texts)) if option.values is None else tuple(map(as_text, option.values))
    if len(known) < 2:
        raise DatasetError(
            f"images: factor `{name}` has the value {known[0]!r} in all images, so it is no factor"
        )
    places_of = {text: place for place, text in enumerate(known)}
    wrong = next((row for row, text in enumerate(texts) if text not in places_of), None)
    if wrong is not None:
        raise DatasetError(
            f"{places[wrong]}: `{name}` must be one of {', '.join(known[:20])}, found {texts[wrong]!r}"
        )
    return FactorColumn(np.array([places_of[text] for text in texts], dtype=np.float64), known)


def _sorted(texts: set[str]) -> tuple[str, ...]:
    """Sort numbers by their values, and other texts by the alphabet."""
    by_value = {text: _number(text) for text in texts}
    numbers = not any(map(math.isnan, by_value.values()))
    return tuple(sorted(texts, key=by_value.__getitem__ if numbers else str))


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan


def as_text(value: object) -> str:
    """Return a value of a table or an array as text; a whole float has no point."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return f"{value:.12g}" if isinstance(value, float) else str(value)
