"""Categorical codes, each a clustering, against factors that are categories: attributes, identities, labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import as_factors, check_same_rows
from infogan_metrics.clustering import Confusion, balanced_accuracy_of, confusion
from infogan_metrics.information import entropy, mutual_information
from infogan_metrics.kinds import Kinds, as_columns
from infogan_metrics.of_images import OfCodes
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class OfFactors(Score):
    """A score of every code with every factor; the value is the mean, over factors, of the best code's."""

    per_factor: NDArray[np.float64]  # (n_factors,), the best code's
    code: NDArray[np.intp]  # (n_factors,), the best code
    matrix: NDArray[np.float64]  # (n_codes, n_factors)


@dataclass(frozen=True, eq=False)
class CategoryCodes(Score):
    """Three scores of categorical codes; the value is that of NMI."""

    nmi: OfFactors
    purity: OfFactors
    balanced_accuracy: OfFactors
    factors: tuple[int, ...]  # the columns of `factors` that are categories


def category_codes(categories: ArrayLike, factors: ArrayLike, *, kinds: Kinds | None = None) -> CategoryCodes:
    """NMI, purity and balanced accuracy of every categorical code with every factor that is a category.

    Args:
        categories: int array (n_samples, n_codes), the most likely category of each code.
        factors: (n_samples, n_factors), numbers or text; those of other kinds are left out.
        kinds: of the factors (`as_columns`); None: whole numbers and text are categories.
    Returns:
        Scores in [0, 1], no unit; higher is better. They are as `nmi`, `purity` and `balanced_accuracy` define them.
        For each factor the best code counts, so several factors may share one.
    Raises:
        NotDefinedError: if no factor is a category.
        ValueError: if the arrays are malformed or do not fit together.
    """
    codes, columns = as_factors(categories, "categories"), as_columns(factors, kinds)
    check_same_rows(codes, columns.values, ("categories", "factors"))
    places = tuple(k for k, kind in enumerate(columns.kinds) if kind.name == "category")
    if not places:
        raise NotDefinedError("a score of categories is not defined: no factor is a category")
    tables = [[confusion(code, columns.indices(k)) for k in places] for code in codes.T]
    nmi, purity, balanced = (
        _of_factors(np.array([[score(table) for table in row] for row in tables]), len(codes))
        for score in (_nmi, _purity, balanced_accuracy_of)
    )
    return CategoryCodes(nmi.value, len(codes), nmi, purity, balanced, places)


def best_code_of(score: Callable[..., Score]) -> Callable[[ArrayLike, ArrayLike], Score]:
    """Return a function of (categories, labels) that computes `score` of each categorical code, (n_samples, n_codes).

    Its result is that of the only code; of several codes, the largest value with the results of all as `per_code`.
    """

    def of_codes(categories: ArrayLike, labels: ArrayLike) -> Score:
        each = [score(code, labels) for code in as_factors(categories, "categories").T]
        if len(each) == 1:
            return each[0]
        return OfCodes(max(one.value for one in each), each[0].n, tuple(each))

    return of_codes


def _of_factors(matrix: NDArray[np.float64], n: int) -> OfFactors:
    best = matrix.max(axis=0)
    return OfFactors(float(best.mean()), n, best, matrix.argmax(axis=0), matrix)


def _nmi(table: Confusion) -> float:
    counts = table.counts
    both = entropy(counts.sum(axis=1)) + entropy(counts.sum(axis=0))
    return float(np.clip(2 * mutual_information(counts) / both, 0, 1)) if both else 1.0


def _purity(table: Confusion) -> float:
    return float(table.counts.max(axis=1).sum() / table.n)
