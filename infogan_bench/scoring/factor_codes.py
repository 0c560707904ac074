"""The codes that show each ground-truth factor: by correlation, one to one, and by the categories of a code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import infogan_metrics
import numpy as np
from infogan_metrics import MCC, BestCodes, Kind
from infogan_metrics.of_categories import CategoryCodes, category_codes
from numpy.typing import NDArray

from infogan_bench.codes import LatentCodes
from infogan_bench.records import CategoryCodesRecord, FactorCodeRecord, FactorCodesRecord, MeasuredRecord
from infogan_bench.scoring.inputs import RunInputs
from infogan_bench.scoring.representation import Codes, code_kinds

N_RESAMPLES = 50  # bootstrap samples of the test images, which say how sure the best code is
_LEAST = 5  # test images from which the quartiles of a factor are taken


@dataclass(frozen=True, eq=False)
class FactorCodes:
    """The codes of one model that show the factors which vary in the test set."""

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    units: tuple[str, ...]
    codes: Codes  # (n, n_codes)
    values: NDArray[np.float64]  # (n, n_factors)
    best: BestCodes
    matched: MCC  # rank correlations; each factor has another code
    categories: CategoryCodes | None  # None without a categorical code or a factor that is a category


def factor_codes(inputs: RunInputs, *, n_resamples: int) -> FactorCodes | None:
    """Find the codes that show each factor; None if the dataset has no factors, or no code or no factor varies."""
    truth, varied = inputs.dataset.factors, inputs.varied
    if truth is None or not varied or not np.ptp(inputs.codes, axis=0).any():
        return None
    kinds = tuple(truth.kinds[k] for k in varied)
    of_codes, codes, factors = code_kinds(inputs.model.codes), inputs.codes, inputs.factors
    has_categories = inputs.scored is not None and any(kind.name == "category" for kind in kinds)
    return FactorCodes(
        names=tuple(truth.names[k] for k in varied),
        kinds=kinds,
        units=tuple(each.unit if (each := truth.ranges[k]) else "" for k in varied),
        codes=codes,
        values=factors.astype(np.float64),
        best=infogan_metrics.best_codes(
            codes, factors, kinds=kinds, code_kinds=of_codes, n_resamples=n_resamples
        ),
        matched=infogan_metrics.mcc(codes, factors, kinds=kinds, code_kinds=of_codes, method="spearman"),
        categories=category_codes(inputs.categories, factors, kinds=kinds) if has_categories else None,
    )


def factor_codes_record(
    found: FactorCodes | None, codes: LatentCodes, traversals: Mapping[str, Sequence[float]]
) -> FactorCodesRecord | None:
    """Return what `evaluation.json` has of the codes that show each factor.

    Args:
        found: of the model.
        codes: its codes.
        traversals: of each code, its values in the picture of its traversal.
    """
    if found is None:
        return None
    names = tuple(code.name for code in codes.all)
    return FactorCodesRecord(
        codes=names,
        factors=tuple(_of_factor(found, k, names, traversals) for k in range(len(found.names))),
        n=found.best.n,
    )


def _of_factor(
    found: FactorCodes, k: int, names: Sequence[str], traversals: Mapping[str, Sequence[float]]
) -> FactorCodeRecord:
    best, matched = found.best, found.matched
    code, second, own = int(best.code[k]), int(best.second_code[k]), int(matched.code[k])
    share = float(best.share[k])
    return FactorCodeRecord(
        name=found.names[k],
        kind=str(found.kinds[k]),
        unit=found.units[k],
        correlations=tuple(matched.correlation[:, k].tolist()),
        code=names[code],
        correlation=float(best.correlation[k]),
        share=share if np.isfinite(share) else None,
        second_code=names[second] if second >= 0 else None,
        matched_code=names[own] if own >= 0 else None,
        matched_correlation=float(matched.per_factor[k]),
        measured=_measured(found, k, code, traversals.get(names[code], ())),
    )


def _measured(found: FactorCodes, k: int, code: int, values: Sequence[float]) -> MeasuredRecord | None:
    """Return the factor of the test images whose code Q reads nearest to each value of the code's traversal.

    An angle is given around the mean direction of the images at the value before, so that it may leave its period and
    has no jump. None for a category, whose values have no quartiles.
    """
    kind = found.kinds[k]
    if kind.name == "category" or len(values) == 0:
        return None
    nearest = np.abs(found.codes[:, code, None] - np.asarray(values)).argmin(axis=1)
    quartiles: list[tuple[float | None, float | None, float | None]] = []
    around = 0.0
    for place in range(len(values)):
        factor = found.values[nearest == place, k]
        if len(factor) < _LEAST:
            quartiles.append((None, None, None))
            continue
        if kind.name == "circular":
            around = _direction(factor, kind.period, around)
            factor = around + np.mod(factor - around + kind.period / 2, kind.period) - kind.period / 2
        low, middle, high = np.quantile(factor, [0.25, 0.5, 0.75]).tolist()
        quartiles.append((low, middle, high))
    low, middle, high = zip(*quartiles, strict=True)
    counts = np.bincount(nearest, minlength=len(values))
    return MeasuredRecord(tuple(values), low, middle, high, tuple(counts.tolist()))


def _direction(angles: NDArray[np.float64], period: float, near: float) -> float:
    """Return the mean direction of angles, of the numbers that stand for it the nearest to `near`."""
    turns = 2 * np.pi / period
    mean = float(np.angle(np.exp(1j * turns * angles).mean())) / turns
    return mean + period * round((near - mean) / period)


def category_codes_record(found: FactorCodes | None, codes: LatentCodes) -> CategoryCodesRecord | None:
    """Return what `evaluation.json` has of the categories of each code."""
    if found is None or found.categories is None:
        return None
    scores = found.categories
    return CategoryCodesRecord(
        codes=tuple(code.name for code in codes.categorical),
        factors=tuple(found.names[k] for k in scores.factors),
        nmi=_rows(scores.nmi.matrix),
        purity=_rows(scores.purity.matrix),
        balanced_accuracy=_rows(scores.balanced_accuracy.matrix),
        n=scores.n,
    )


def _rows(matrix: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, matrix.tolist()))
