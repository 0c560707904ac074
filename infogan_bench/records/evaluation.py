"""`evaluation.json`: the last evaluation of one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infogan_bench.records.files import read_record, write_record
from infogan_bench.records.paths import SeedPaths


@dataclass(frozen=True)
class CodeRecord:
    """A latent code."""

    name: str  # cat_0, uniform_0, gaussian_0
    kind: str  # categorical, uniform or gaussian
    size: int  # categories; 1 for a continuous code
    entropy: float | None = None  # nats
    mi_bound: float | None = None  # L_I in nats
    gaussian_mi_bound: float | None = None  # nats, of a continuous code: L_I with the best Gaussian deviation
    r2: float | None = None  # of a continuous code: the share of its variance that Q reads
    traversal: tuple[float, ...] = ()  # its values in traversal-CODE.png, from left to right


@dataclass(frozen=True)
class ConfusionRecord:
    """Categories of a code against the classes of the test set."""

    code: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]  # (categories, classes)
    match: tuple[int | None, ...]  # index of the class that each category is matched with


@dataclass(frozen=True)
class FactorMatrixRecord:
    """Mutual information of codes and ground-truth factors, in nats, on the test set."""

    codes: tuple[str, ...]
    factors: tuple[str, ...]
    mutual_information: tuple[tuple[float, ...], ...]  # (codes, factors)
    factor_entropy: tuple[float, ...]
    n: int  # images
    n_bins: int  # that a continuous code is cut into


@dataclass(frozen=True)
class ShapeCorrelationRecord:
    """Absolute rank correlation of continuous codes with measures of the generated shapes."""

    codes: tuple[str, ...]
    measures: tuple[str, ...]  # slant, width
    correlation: tuple[tuple[float | None, ...], ...]  # (codes, measures)
    n: int  # images
    within: str | None  # the code within whose categories they were compared


@dataclass(frozen=True)
class MeasuredRecord:
    """A factor of the test images at each value of a code's traversal: those whose code Q reads nearest to the value.

    The quartiles are None where there are too few images. An angle runs on beyond its period, so that it has no jump.
    """

    values: tuple[float, ...]  # of the code, as in its traversal
    low: tuple[float | None, ...]  # the lower quartile, in the factor's unit
    middle: tuple[float | None, ...]  # the median
    high: tuple[float | None, ...]  # the upper quartile
    n: tuple[int, ...]  # images


@dataclass(frozen=True)
class FactorCodeRecord:
    """The code that shows a ground-truth factor best. Correlations are absolute, in [0, 1], by ranks."""

    name: str
    kind: str  # category, ordered, continuous, circular:PERIOD
    unit: str
    correlations: tuple[float, ...]  # of each code
    code: str  # the best one
    correlation: float
    share: float | None  # of the resampled test sets, those in which this code is the best
    second_code: str | None  # None: there is one code
    matched_code: str | None  # where each factor gets a code of its own; None: none was left
    matched_correlation: float  # 0 without a code
    measured: MeasuredRecord | None  # None for a category, or without a traversal


@dataclass(frozen=True)
class FactorCodesRecord:
    """The codes that show each factor, on `n` test images."""

    codes: tuple[str, ...]
    factors: tuple[FactorCodeRecord, ...]
    n: int


@dataclass(frozen=True)
class CategoryCodesRecord:
    """Scores of each categorical code (rows) with each factor that is a category (columns), on `n` test images."""

    codes: tuple[str, ...]
    factors: tuple[str, ...]
    nmi: tuple[tuple[float, ...], ...]
    purity: tuple[tuple[float, ...], ...]
    balanced_accuracy: tuple[tuple[float, ...], ...]
    n: int


@dataclass(frozen=True)
class EvaluationRecord:
    """The scores of one seed at a step, and further results that the report shows."""

    step: int
    scores: Mapping[str, float]
    codes: tuple[CodeRecord, ...] = ()
    confusion: ConfusionRecord | None = None  # None without a categorical code or a label
    factor_matrix: FactorMatrixRecord | None = None  # None without ground-truth factors
    factor_codes: FactorCodesRecord | None = None  # None without factors that the data set knows
    category_codes: CategoryCodesRecord | None = None  # None without a factor or a code that is a category
    shape_correlation: ShapeCorrelationRecord | None = None  # None unless it was asked for
    protocols: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # score -> how it was computed
    not_defined: Mapping[str, str] = field(default_factory=dict)  # score -> why it has no value


def read_evaluation(folder: Path) -> EvaluationRecord:
    """Read the evaluation in a seed's folder.

    Raises:
        RecordError: if there is none, or it is damaged.
    """
    return read_record(SeedPaths(folder).evaluation, EvaluationRecord)


@dataclass(frozen=True)
class _Reasons:
    not_defined: Mapping[str, str] = field(default_factory=dict)


def read_not_defined(folder: Path) -> Mapping[str, str]:
    """Read why scores of the seed in `folder` have no value, and nothing else of its evaluation; {} without one.

    Raises:
        RecordError: if the evaluation is damaged.
    """
    path = SeedPaths(folder).evaluation
    return read_record(path, _Reasons).not_defined if path.is_file() else {}


def write_evaluation_record(folder: Path, record: EvaluationRecord) -> None:
    """Write the evaluation into a seed's folder."""
    write_record(SeedPaths(folder).evaluation, record)
