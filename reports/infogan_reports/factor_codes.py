"""The codes that show each ground-truth factor: in words, over the seeds of a trial, and as the measured factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infogan_bench.records import (
    CategoryCodesRecord,
    EvaluationRecord,
    FactorCodeRecord,
    MeasuredRecord,
)
from infogan_reports.matrices import SHADES
from infogan_reports.noise import mean_interval

_HEIGHT = 100.0  # of the plot of a measured factor, in its own unit
_LEAST_BAR = 1.0
_IS, _IN_PART = 0.8, 0.4  # least correlations at which a code is said to be a factor, or to follow it in part


@dataclass(frozen=True)
class Bar:
    """The middle half of the test images at one value of a code; heights run from 0, the top, to 100."""

    x: float  # the left end, in columns
    y: float  # the upper quartile
    height: float
    middle: float  # the median


@dataclass(frozen=True)
class MeasuredFactor:
    """The plot of a factor below its code's traversal: a bar for each column that has enough test images."""

    columns: int
    bars: tuple[Bar, ...]
    low: float  # the factor at the bottom
    high: float  # and at the top
    first: float  # the median at the first bar
    last: float
    n: int  # test images


@dataclass(frozen=True)
class OverSeeds:
    """The correlation of the best code of each seed of a trial, in [0, 1]."""

    n: int
    mean: float
    low: float  # Student's interval of the mean, 95 %
    high: float
    least: float  # of a single seed


@dataclass(frozen=True)
class ShownFactor:
    """A factor and the code that shows it best, in one seed and over all seeds of the trial."""

    name: str
    kind: str  # in words
    unit: str
    code: str
    correlation: float
    share: float | None
    second: tuple[str, float] | None  # the next code and its correlation
    matched: tuple[str, float] | None  # the code of its own, if that is another one
    over_seeds: OverSeeds | None  # None for one seed
    measured: MeasuredFactor | None

    @property
    def claim(self) -> str:
        """The meaning of the code in words, as strong as its correlation."""
        if self.correlation >= _IS:
            return f"{self.code} is the {self.name}"
        if self.correlation >= _IN_PART:
            return f"{self.code} follows the {self.name} in part"
        return f"No code shows the {self.name}; the nearest is {self.code}"


@dataclass(frozen=True)
class ValueCell:
    """A value in [0, 1]; `shade` in 0..SHADES; `best` marks the best code of a factor. `further` stands beside it."""

    value: float
    shade: int
    best: bool
    further: float | None = None


Rows = tuple[tuple[str, tuple[ValueCell, ...]], ...]
"""A code's name, and a cell for each factor."""


@dataclass(frozen=True)
class CorrelationTable:
    """The rank correlation of each code (rows) with each factor (columns)."""

    factors: tuple[str, ...]
    rows: Rows
    n: int


@dataclass(frozen=True)
class BestAttribute:
    """The factor that a categorical code tells best, by NMI."""

    code: str
    factor: str
    nmi: float
    purity: float
    balanced_accuracy: float


@dataclass(frozen=True)
class CategoryTable:
    """NMI, and balanced accuracy beside it, of each categorical code (rows) with each category (columns)."""

    factors: tuple[str, ...]
    rows: Rows
    best: tuple[BestAttribute, ...]  # of each code
    n: int


def shown_factors(
    evaluation: EvaluationRecord | None,
    others: Sequence[EvaluationRecord],
) -> tuple[ShownFactor, ...]:
    """Say which code shows each factor of one seed.

    Args:
        evaluation: of the seed; None where it has none.
        others: of the other seeds of its trial.
    """
    if evaluation is None or evaluation.factor_codes is None:
        return ()
    found = evaluation.factor_codes
    return tuple(
        ShownFactor(
            name=factor.name,
            kind=_kind_in_words(factor.kind),
            unit=factor.unit,
            code=factor.code,
            correlation=factor.correlation,
            share=factor.share,
            second=_with_value(factor, factor.second_code, found.codes),
            matched=None
            if factor.matched_code in (None, factor.code)
            else _with_value(factor, factor.matched_code, found.codes),
            over_seeds=_over_seeds(factor, others),
            measured=_measured(factor.measured),
        )
        for factor in found.factors
    )


def _with_value(factor: FactorCodeRecord, code: str | None, codes: Sequence[str]) -> tuple[str, float] | None:
    return None if code is None else (code, factor.correlations[codes.index(code)])


def _kind_in_words(kind: str) -> str:
    name, _, period = kind.partition(":")
    if name == "circular":
        return f"an angle, {period or '2 pi'} a turn"
    return {"category": "a category", "ordered": "ordered values"}.get(name, name)


def _over_seeds(factor: FactorCodeRecord, others: Sequence[EvaluationRecord]) -> OverSeeds | None:
    values = [factor.correlation]
    for other in others:
        of_seed = other.factor_codes.factors if other.factor_codes else ()
        values += [each.correlation for each in of_seed if each.name == factor.name]
    interval = mean_interval(values)
    if interval is None:
        return None
    low, high = (min(max(end, 0.0), 1.0) for end in interval)
    return OverSeeds(len(values), sum(values) / len(values), low, high, min(values))


def _measured(record: MeasuredRecord | None) -> MeasuredFactor | None:
    """Return the plot of a factor; None where no column has enough images, or the factor does not vary over them."""
    if record is None:
        return None
    quartiles = [
        (place, low, middle, high)
        for place, (low, middle, high) in enumerate(zip(record.low, record.middle, record.high, strict=True))
        if low is not None and middle is not None and high is not None
    ]
    if not quartiles:
        return None
    bottom, top = min(low for _, low, _, _ in quartiles), max(high for *_, high in quartiles)
    if not bottom < top:
        return None

    def at(value: float) -> float:
        return _HEIGHT * (top - value) / (top - bottom)

    bars = tuple(
        Bar(place, at(high), max(at(low) - at(high), _LEAST_BAR), at(middle))
        for place, low, middle, high in quartiles
    )
    middles = [middle for _, _, middle, _ in quartiles]
    return MeasuredFactor(len(record.values), bars, bottom, top, middles[0], middles[-1], sum(record.n))


def correlation_table(evaluation: EvaluationRecord | None) -> CorrelationTable | None:
    """Return the table of rank correlations."""
    if evaluation is None or evaluation.factor_codes is None:
        return None
    found = evaluation.factor_codes
    rows = tuple(
        (code, tuple(_cell(factor.correlations[i], best=code == factor.code) for factor in found.factors))
        for i, code in enumerate(found.codes)
    )
    return CorrelationTable(tuple(factor.name for factor in found.factors), rows, found.n)


def category_table(record: CategoryCodesRecord | None) -> CategoryTable | None:
    """Return the table of categorical codes."""
    if record is None or not record.factors:
        return None
    highest = [max(column) for column in zip(*record.nmi, strict=True)]
    rows = tuple(
        (
            code,
            tuple(
                _cell(value, best=value == top > 0, further=balanced)
                for value, balanced, top in zip(nmi, accuracy, highest, strict=True)
            ),
        )
        for code, nmi, accuracy in zip(record.codes, record.nmi, record.balanced_accuracy, strict=True)
    )
    return CategoryTable(
        record.factors, rows, tuple(_best(record, i) for i in range(len(record.codes))), record.n
    )


def _best(record: CategoryCodesRecord, i: int) -> BestAttribute:
    place = max(range(len(record.factors)), key=lambda k: record.nmi[i][k])
    values = (table[i][place] for table in (record.nmi, record.purity, record.balanced_accuracy))
    return BestAttribute(record.codes[i], record.factors[place], *values)


def _cell(value: float, *, best: bool, further: float | None = None) -> ValueCell:
    return ValueCell(value, min(max(round(SHADES * value), 0), SHADES), best, further)
