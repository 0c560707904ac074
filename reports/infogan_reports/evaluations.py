"""Evaluations whose tables have the shapes that their headings say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from infogan_bench.records import (
    CategoryCodesRecord,
    ConfusionRecord,
    EvaluationRecord,
    FactorCodesRecord,
    FactorMatrixRecord,
    RecordError,
    SeedPaths,
    read_evaluation,
)
from infogan_reports.text import LARGEST_EXACT


def read_whole_evaluation(place: SeedPaths) -> EvaluationRecord:
    """Read the evaluation of a seed.

    Raises:
        RecordError: if there is none, it is damaged, or a table has another shape than its headings or values that
            cannot be.
    """
    found = read_evaluation(place.folder)
    whole = (
        (found.confusion is None or _is_confusion(found.confusion))
        and (found.factor_matrix is None or _is_matrix(found.factor_matrix))
        and (found.factor_codes is None or _are_factor_codes(found.factor_codes))
        and (found.category_codes is None or _are_category_codes(found.category_codes))
    )
    if not whole:
        raise RecordError(
            f"{place.evaluation}: a table has another shape than its headings, or impossible values"
        )
    return found


def _is_confusion(record: ConfusionRecord) -> bool:
    n = len(record.classes)
    return (
        len(record.match) == len(record.counts)
        and all(len(row) == n for row in record.counts)
        and all(match is None or 0 <= match < n for match in record.match)
        and all(0 <= count < LARGEST_EXACT for row in record.counts for count in row)
    )


def _is_matrix(record: FactorMatrixRecord) -> bool:
    return len(record.factor_entropy) == len(record.factors) and _is_table(
        (record.factor_entropy, *record.mutual_information), len(record.codes) + 1, len(record.factors)
    )


def _are_factor_codes(record: FactorCodesRecord) -> bool:
    codes = set(record.codes)
    for factor in record.factors:
        named = {factor.code, factor.second_code, factor.matched_code} - {None}
        numbers = (factor.correlation, factor.matched_correlation, factor.share or 0.0)
        if not (_is_table((factor.correlations,), 1, len(codes)) and named <= codes and _are_finite(numbers)):
            return False
        if (measured := factor.measured) is not None:
            columns = (measured.low, measured.middle, measured.high, measured.n)
            if any(len(column) != len(measured.values) for column in columns):
                return False
            if not _are_finite(value for column in columns for value in column if value is not None):
                return False
    return True


def _are_category_codes(record: CategoryCodesRecord) -> bool:
    tables = (record.nmi, record.purity, record.balanced_accuracy)
    return all(_is_table(table, len(record.codes), len(record.factors)) for table in tables)


def _is_table(rows: Sequence[Sequence[float]], n_rows: int, n_columns: int) -> bool:
    whole = len(rows) == n_rows and all(len(row) == n_columns for row in rows)
    return whole and _are_finite(value for row in rows for value in row)


def _are_finite(values: Iterable[float]) -> bool:
    return all(map(math.isfinite, values))
