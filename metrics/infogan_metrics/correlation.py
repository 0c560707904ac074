"""Correlation of codes with factors of any kind, and the mean correlation coefficient of matched pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, constant_columns
from infogan_metrics.kinds import Columns, Kind, Kinds, as_codes_and_columns, check_factors_vary, given_kinds
from infogan_metrics.score import Score

Method = Literal["pearson", "spearman"]


@dataclass(frozen=True, eq=False)
class MCC(Score):
    """The mean over factors, and the matching behind it."""

    per_factor: NDArray[np.float64]  # (n_factors,) in [0, 1]; 0 for a factor that got no code
    code: NDArray[np.intp]  # (n_factors,), the code matched to each factor; -1 for a factor that got none
    correlation: NDArray[np.float64]  # (n_codes, n_factors) in [0, 1]
    kinds: tuple[Kind, ...]  # of the factors
    method: Method


def correlation_matrix(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    code_kinds: Kinds | None = None,
    method: Method = "spearman",
) -> NDArray[np.float64]:
    """Absolute correlation of every code with every factor, by the factor's kind.

    An `ordered` or `continuous` factor: the absolute correlation coefficient. A `circular` one under `pearson`: the
    multiple correlation of the code with cosine and sine of the angle (Mardia 1976); under `spearman`: the circular
    rank correlation, the mean resultant length of the difference, or of the sum, of code and angle, both as ranks laid
    evenly on a circle (Mardia 1975), so a code that follows the angle around the turn has 1 wherever it starts. A
    `category`: epsilon (Kelley 1935), the correlation ratio less what chance gives: the root of the share of the code's
    variance that lies between the values, 1 - (1 - eta^2) (n - 1) / (n - K) for K values.

    A code that is a `category` has no order either. Its correlation with an `ordered`, `continuous` or `circular`
    factor is the root of the share of the factor's variance that lies between the code's values (of its ranks under
    `spearman`; of an angle, as a point on the circle), less chance as well. With a `category` it is Cramér's V,
    corrected as by Bergsma (2013).

    Args:
        codes: float array (n_samples, n_codes).
        factors: (n_samples, n_factors), numbers or text.
        kinds: of the factors (`as_columns`); None: whole numbers are `ordered`, text is a category.
        code_kinds: of the codes: `category`, or any other kind for a number; None: all are numbers.
        method: `pearson` or `spearman`, which replaces numbers by their ranks.
    Returns:
        (n_codes, n_factors) in [0, 1], no unit; 0 for a constant code. Independent columns of n samples have about
        sqrt(2 / (pi n)); a category has 0 in half of all cases, also one of many values, such as an identity.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed or `method` is unknown.
    """
    x, y = as_codes_and_columns(codes, factors, kinds, whole="ordered")
    return correlations(x, y, method, categories_of(code_kinds, x), score="a correlation")


def mcc(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    code_kinds: Kinds | None = None,
    method: Method = "pearson",
) -> MCC:
    """Mean correlation coefficient: codes are matched with factors one to one so that the mean is largest.

    Args:
        codes: float array (n_samples, n_codes).
        factors: (n_samples, n_factors), numbers or text.
        kinds: of the factors; None: whole numbers are `ordered`, which as in the literature makes every factor a
            number, and text is a category.
        code_kinds: of the codes, as in `correlation_matrix`; None: all are numbers.
        method: `pearson` asks for the factors up to scale and sign, `spearman` up to a monotone map of each.
    Returns:
        Mean over factors of the matched absolute correlation, in [0, 1], no unit; higher is better. With fewer codes
        than factors, the factors left over count 0.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed or `method` is unknown.
    Reference: Hyvärinen and Morioka 2016, arXiv:1605.06336, section 5; Khemakhem et al. 2020, arXiv:1907.04809.
    """
    from scipy.optimize import linear_sum_assignment

    x, y = as_codes_and_columns(codes, factors, kinds, whole="ordered")
    correlation = correlations(x, y, method, categories_of(code_kinds, x), score="MCC")
    matched, taken = linear_sum_assignment(correlation, maximize=True)
    code = np.full(len(y.kinds), -1, dtype=np.intp)
    code[taken] = matched
    per_factor = np.where(code >= 0, correlation[code, np.arange(len(code))], 0.0)
    return MCC(float(per_factor.mean()), len(x), per_factor, code, correlation, y.kinds, method)


def categories_of(code_kinds: Kinds | None, codes: Codes) -> tuple[int, ...]:
    """Return the columns of the codes that are categories.

    Raises:
        ValueError: if there are not as many kinds as codes, or one is unknown.
    """
    kinds = given_kinds(code_kinds, codes.shape[1], "codes", argument="code_kinds")
    return tuple(i for i, kind in enumerate(kinds) if kind is not None and kind.name == "category")


def correlations(
    codes: Codes, factors: Columns, method: Method, categories: Sequence[int] = (), *, score: str
) -> NDArray[np.float64]:
    """Return the matrix of `correlation_matrix` for arrays that are checked already.

    `categories` are the columns of the codes that have no order.

    Raises:
        NotDefinedError: if a factor is constant, in the name of `score`.
        ValueError: if `method` is unknown.
    """
    if method not in get_args(Method):
        raise ValueError(f"`method` must be `pearson` or `spearman`, but is {method!r}")
    check_factors_vary(factors, score)
    ranked = method == "spearman"
    standard = _standard(_ranks(codes) if ranked else codes)
    matrix = np.column_stack(
        [_correlation_with(standard, codes, factors, k, ranked=ranked) for k in range(len(factors.kinds))]
    )
    for i in categories:
        labels = np.unique(codes[:, i], return_inverse=True)[1].ravel()
        matrix[i] = [_of_category(labels, factors, k, ranked=ranked) for k in range(len(factors.kinds))]
    matrix[constant_columns(codes)] = 0
    return np.clip(matrix, 0.0, 1.0)


def _correlation_with(
    standard: Codes, codes: Codes, factors: Columns, k: int, *, ranked: bool
) -> NDArray[np.float64]:
    """Return the correlation (n_codes,) of each code, given as it is and standardised, with factor k."""
    kind = factors.kinds[k]
    if kind.name == "category":
        return _correlation_ratio(standard, factors.indices(k))
    if kind.name == "circular":
        angles = factors.angles(k)
        return _circular_rank(codes, angles) if ranked else _circular_linear(standard, angles)
    values = factors.values[:, [k]]
    other = _standard(_ranks(values) if ranked else values)
    return np.asarray(np.abs(standard.T @ other)[:, 0] / len(other))


def _of_category(labels: NDArray[np.intp], factors: Columns, k: int, *, ranked: bool) -> float:
    """Return the correlation of a code without order, whose values are 0, 1, ..., with factor k."""
    kind = factors.kinds[k]
    if kind.name == "category":
        return _cramers_v(labels, factors.indices(k))
    if kind.name == "circular":
        angles = factors.angles(k)
        if ranked:
            angles = 2 * np.pi / len(angles) * _ranks(angles[:, None])[:, 0]
        target = np.column_stack([np.cos(angles), np.sin(angles)])
    else:
        values = factors.values[:, [k]]
        target = _standard(_ranks(values) if ranked else values)
    target = target - target.mean(axis=0)
    sizes = np.bincount(labels)
    sums = np.stack([np.bincount(labels, weights=column) for column in target.T])
    between = np.sum(sums**2 / sizes) / np.sum(target**2)
    return float(np.sqrt(_less_chance(between, len(labels), len(sizes))))


def _cramers_v(labels: NDArray[np.intp], values: NDArray[np.intp]) -> float:
    """Return Cramér's V of two variables whose values are 0, 1, ...; 0 for a constant.

    It is corrected for chance as in Bergsma 2013, "A bias-correction for Cramér's V and Tschuprow's T".
    """
    rows, columns = labels.max() + 1, values.max() + 1
    if min(rows, columns) == 1:
        return 0.0
    n = len(labels)
    counts = np.bincount(labels * columns + values, minlength=rows * columns).reshape(rows, columns)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    by_chance = (rows - 1) * (columns - 1) / (n - 1)
    phi_squared = max(float(np.sum((counts - expected) ** 2 / expected)) / n - by_chance, 0.0)
    largest = min(size - 1 - (size - 1) ** 2 / (n - 1) for size in (rows, columns))
    return math.sqrt(phi_squared / largest) if largest > 0 else 0.0


def _less_chance(share: NDArray[np.float64], n: int, n_values: int) -> NDArray[np.float64]:
    """Return shares of variance between the values of a category, less what unrelated samples have: epsilon squared."""
    if n <= n_values:
        return np.zeros_like(share)
    return np.maximum(1 - (1 - share) * (n - 1) / (n - n_values), 0.0)


def _correlation_ratio(standard: Codes, labels: NDArray[np.intp]) -> NDArray[np.float64]:
    sizes = np.bincount(labels)
    sums = np.stack([np.bincount(labels, weights=code) for code in standard.T])  # (n_codes, n_values)
    between = np.sum(sums**2 / sizes, axis=1) / len(labels)
    return np.sqrt(_less_chance(between, len(labels), len(sizes)))


def _circular_linear(standard: Codes, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the multiple correlation (n_codes,) of each code with cosine and sine."""
    waves = np.column_stack([np.cos(angles), np.sin(angles)])
    waves -= waves.mean(axis=0)
    fitted = waves @ np.linalg.lstsq(waves, standard, rcond=None)[0]
    return np.asarray(np.sqrt(np.mean(fitted**2, axis=0)))


def _circular_rank(codes: Codes, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    turns = 2 * np.pi / len(angles)
    around = np.exp(1j * turns * _ranks(codes))
    factor = np.exp(1j * turns * _ranks(angles[:, None]))
    same, opposite = np.abs((around * factor.conj()).mean(axis=0)), np.abs((around * factor).mean(axis=0))
    return np.asarray(np.maximum(same, opposite))


def _ranks(values: Codes) -> Codes:
    from scipy.stats import rankdata

    ranks = np.empty(values.shape)
    for column, code in zip(
        ranks.T, values.T, strict=True
    ):  # all at once would take several times the memory
        column[:] = rankdata(code)
    return ranks


def _standard(values: Codes) -> Codes:
    """Return columns of mean 0 and standard deviation 1; zeros for a constant one."""
    constant = constant_columns(values)
    centred = values - values.mean(axis=0)
    centred[:, constant] = 0
    return np.asarray(centred / np.where(constant, 1.0, centred.std(axis=0)))
