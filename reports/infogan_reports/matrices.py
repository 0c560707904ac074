"""Tables of the codes of one model: categories against classes, and codes against ground-truth factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infogan_bench.records import ConfusionRecord, FactorMatrixRecord

SHADES = 5  # shades of both tables


@dataclass(frozen=True)
class ConfusionCell:
    """A count of the confusion matrix; `shade` in 0..SHADES is its share of the category."""

    count: int
    shade: int
    matched: bool


@dataclass(frozen=True)
class Category:
    """A value of the categorical code: the class it was matched with, and its images by class."""

    index: int
    match: str | None
    cells: tuple[ConfusionCell, ...]


@dataclass(frozen=True)
class ConfusionTable:
    """Test images by category of Q's posterior and by class. `matched` of `total` lie in a matched cell."""

    code: str
    classes: tuple[str, ...]
    categories: tuple[Category, ...]
    matched: int
    total: int


@dataclass(frozen=True)
class InformationCell:
    """The mutual information of a code and a factor.

    `shade` in 0..SHADES is its share of the factor's entropy, the ceiling. `best` marks the code that knows the factor
    best, if any knows it.
    """

    nats: float
    shade: int
    best: bool


@dataclass(frozen=True)
class FactorMatrix:
    """Mutual information of every code (rows) and ground-truth factor (columns) on `n` test images."""

    factors: tuple[str, ...]
    entropies: tuple[float, ...]  # nats, the ceiling of each column
    rows: tuple[tuple[str, tuple[InformationCell, ...]], ...]  # code, and a cell for each factor
    n: int
    n_bins: int


def confusion(record: ConfusionRecord | None) -> ConfusionTable | None:
    """Return the table of a confusion matrix."""
    if record is None:
        return None
    pairs = tuple(zip(record.counts, record.match, strict=True))
    return ConfusionTable(
        code=record.code,
        classes=record.classes,
        categories=tuple(
            Category(index, None if match is None else record.classes[match], _cells(row, match))
            for index, (row, match) in enumerate(pairs)
        ),
        matched=sum(row[match] for row, match in pairs if match is not None),
        total=sum(map(sum, record.counts)),
    )


def _cells(row: Sequence[int], match: int | None) -> tuple[ConfusionCell, ...]:
    total = sum(row)
    shades = [-(-SHADES * count // total) if total else 0 for count in row]  # rounded up: only 0 is blank
    return tuple(
        ConfusionCell(count, shade, index == match)
        for index, (count, shade) in enumerate(zip(row, shades, strict=True))
    )


def factor_matrix(record: FactorMatrixRecord | None) -> FactorMatrix | None:
    """Return the table of mutual information."""
    if record is None:
        return None
    best = [max(column) for column in zip(*record.mutual_information, strict=True)]
    rows = (
        tuple(
            InformationCell(nats, _shade(nats / entropy if entropy else 0.0), nats == highest > 0)
            for nats, entropy, highest in zip(row, record.factor_entropy, best, strict=True)
        )
        for row in record.mutual_information
    )
    return FactorMatrix(
        factors=record.factors,
        entropies=record.factor_entropy,
        rows=tuple(zip(record.codes, rows, strict=True)),
        n=record.n,
        n_bins=record.n_bins,
    )


def _shade(fraction: float) -> int:
    """Round to the nearest shade: unlike a count, mutual information is never quite 0."""
    return min(round(SHADES * fraction), SHADES)
