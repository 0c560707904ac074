"""Entropy and mutual information by counting (the plug-in estimate), in nats."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import (
    Codes,
    Indices,
    as_codes,
    as_codes_and_factors,
    constant_columns,
    unit_size,
)
from infogan_metrics.score import NotDefinedError, Score

NO_INFORMATION = 1e-12  # nats; below it, which factor a code "knows best" is a matter of rounding


def bin_codes(codes: Codes, n_bins: int) -> Indices:
    """Cut each code into `n_bins` bins of equal width between its smallest and its largest value.

    Args:
        codes: float array (n_samples, n_codes), finite.
    Returns:
        Bin numbers (n_samples, n_codes) from 0 to `n_bins` - 1; a constant code lies in one bin. The edges
        are those of numpy's histogram, which decide where values lie on an edge.
    Raises:
        ValueError: if `n_bins` is below 2.
    """
    if n_bins < 2:
        raise ValueError(f"`n_bins` must be at least 2, but is {n_bins}")
    bins = np.full(codes.shape, n_bins // 2, dtype=np.intp, order="F")  # where a histogram puts a constant
    scaled, _ = unit_size(codes)
    for i in np.flatnonzero(~constant_columns(codes)):
        bins[:, i] = _bin(np.ascontiguousarray(scaled[:, i]), n_bins)
    return bins


def _bin(code: NDArray[np.float64], n_bins: int) -> Indices:
    low, high = code.min(), code.max()
    edges = np.linspace(low, high, n_bins + 1)
    width = (high - low) / n_bins
    if width < 2.0**-40 * max(abs(low), abs(high)):  # a division could miss the right bin by more than one
        found: Indices = np.searchsorted(edges[1:-1], code, side="right")
        return found
    bins: Indices = ((code - low) * (1 / width)).astype(np.intp)
    np.minimum(bins, n_bins - 1, out=bins)
    inner = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    bins -= code < inner[bins]
    bins += code >= inner[bins + 1]
    return bins


def bin_factors(
    factors: ArrayLike, n_bins: int = 20, *, like: ArrayLike | None = None, whole: bool = True
) -> Indices:
    """Cut continuous factors into bins of equal width, for the scores that need discrete ones.

    Args:
        factors: numbers (n_samples, n_factors).
        n_bins: part of every score that is computed from the result.
        like: the factors whose smallest and largest values bound the bins, such as the training split's; by
            default `factors` themselves. What lies outside goes into the first or the last bin.
        whole: leave a factor that holds whole numbers alone as it is.
    Returns:
        Whole numbers (n_samples, n_factors): bin numbers from 0, or the values of a discrete factor.
    Raises:
        ValueError: if an array is not 2-D or not finite, `like` has other columns, or `n_bins` is below 2.
    """
    values = as_codes(factors, "factors")
    bounds = values if like is None else as_codes(like, "like")
    if values.shape[1] != bounds.shape[1]:
        raise ValueError(
            f"`like` must have the {values.shape[1]} columns of `factors`, but has {bounds.shape[1]}"
        )
    discrete = (values == np.floor(values)).all(axis=0) & (bounds == np.floor(bounds)).all(axis=0)
    bins = bin_codes(
        np.concatenate([bounds, np.clip(values, bounds.min(axis=0), bounds.max(axis=0))]), n_bins
    )
    return np.where(discrete & whole, values, bins[len(bounds) :]).astype(np.intp)


def joint_counts(bins: Indices, factors: Indices) -> NDArray[np.intp]:
    """Count each bin of each code together with each value of each factor.

    Args:
        bins: (n_samples, n_codes) from 0.
        factors: (n_samples, n_factors) from 0.
    Returns:
        Counts (n_codes, n_factors, n_bins, n_values).
    """
    n_factors, n_bins, n_values = factors.shape[1], bins.max() + 1, factors.max() + 1
    columns = factors + np.arange(n_factors) * n_values  # every factor gets its own range of indices
    width = n_factors * n_values
    counts = [
        np.bincount((code[:, None] * width + columns).ravel(), minlength=n_bins * width) for code in bins.T
    ]
    return np.stack(counts).reshape(-1, n_bins, n_factors, n_values).transpose(0, 2, 1, 3)


def entropy(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Entropy in nats over the last axis of `counts`, exactly 0 where one value has all the counts."""
    p = counts / counts.sum(axis=-1, keepdims=True)
    inverse = np.divide(1, p, out=np.ones_like(p), where=p > 0)
    total: NDArray[np.float64] = np.sum(p * np.log(inverse), axis=-1)
    return total


def mutual_information(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mutual information in nats of the variables on the last two axes of `counts`.

    Exactly 0 where either variable is constant, and never negative.
    """
    return _information_of_shares(counts / counts.sum(axis=(-2, -1), keepdims=True))


def information_with(bins: Indices, values: Indices) -> NDArray[np.float64]:
    """Mutual information in nats of each of several discrete variables with another one.

    Exactly 0 where either variable is constant, and never negative. Memory grows with the number of samples,
    not with the number of values: a column of identifiers costs no more than any other.

    Args:
        bins: (n_samples, n_codes) from 0.
        values: (n_samples,) from 0.
    Returns:
        (n_codes,) nats.
    """
    n_bins, n_values, n = int(bins.max()) + 1, int(values.max()) + 1, len(values)
    rows = values * n_bins
    if n_bins * n_values <= max(n, 1 << 16):
        tables = [np.bincount(rows + code, minlength=n_values * n_bins) for code in bins.T]
        return _information_of_shares(np.stack(tables).reshape(-1, n_values, n_bins) / n)
    share_of_value = np.bincount(values) / n
    return np.array([_information_of_cells(rows + code, n_bins, share_of_value) for code in bins.T])


def _information_of_shares(joint: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mutual information of the variables on the last two axes of shares that sum to 1."""
    independent = joint.sum(axis=-1, keepdims=True) * joint.sum(axis=-2, keepdims=True)
    ratio = np.divide(joint, independent, out=np.ones_like(joint), where=joint > 0)
    total: NDArray[np.float64] = np.maximum(np.sum(joint * np.log(ratio), axis=(-2, -1)), 0.0)
    return total


def _information_of_cells(cells: Indices, n_bins: int, share_of_value: NDArray[np.float64]) -> float:
    """Return the mutual information of cells // n_bins and cells % n_bins, of the cells that occur alone."""
    occurring, counts = np.unique(cells, return_counts=True)
    joint = counts / len(cells)
    value, code = np.divmod(occurring, n_bins)
    ratio = joint / (share_of_value[value] * np.bincount(code, weights=joint)[code])
    return max(float(np.sum(joint * np.log(ratio))), 0.0)


def mutual_information_matrix(
    codes: ArrayLike, factors: ArrayLike, *, n_bins: int = 20
) -> NDArray[np.float64]:
    """Mutual information of every code, cut into bins, with every factor.

    Args:
        codes: float array (n_samples, n_codes).
        factors: int array (n_samples, n_factors).
        n_bins: bins of equal width per code.
    Returns:
        (n_codes, n_factors) in nats, at least 0; a row of exact zeros for a constant code.
    Raises:
        ValueError: if the arrays are malformed or their numbers of rows differ.
    """
    x, y = as_codes_and_factors(codes, factors)
    return _information_matrix(bin_codes(x, n_bins), y)


def _information_matrix(bins: Indices, factors: Indices) -> NDArray[np.float64]:
    return np.stack([information_with(bins, factor) for factor in factors.T], axis=1)


@dataclass(frozen=True, eq=False)
class Informations:
    """Mutual information and entropies of codes, cut into bins, and factors: all that scores of gaps rest on."""

    n: int  # samples
    n_bins: int  # per code
    n_values: int  # the most values that a factor has
    mutual: NDArray[np.float64]  # (n_codes, n_factors), nats
    code_entropy: NDArray[np.float64]  # (n_codes,), nats, of the bins
    factor_entropy: NDArray[np.float64]  # (n_factors,), nats

    @property
    def alive(self) -> NDArray[np.bool_]:
        """(n_codes,): which codes know anything of any factor."""
        known: NDArray[np.bool_] = self.mutual.max(axis=1) > NO_INFORMATION
        return known

    def check_factors(self, score: str, *, values_may_exceed_bins: bool = False) -> None:
        """Warn where samples are fewer than bins, or a factor has more values than there are bins.

        Even a perfect code then stays below 1, unless `values_may_exceed_bins` says that the score does not mind; such
        a score is misled by a factor that has nearly as many values as there are samples.

        Raises:
            NotDefinedError: if a factor is constant, in the name of `score`.
        """
        if not self.factor_entropy.all():
            raise NotDefinedError(
                f"{score} is not defined: factor {int(np.argmin(self.factor_entropy))} is constant"
            )
        _warn_of_few_samples(self.n, self.n_bins)
        if self.n_values <= self.n_bins:
            return
        if not values_may_exceed_bins:
            warnings.warn(
                f"a factor has {self.n_values} values, but codes are cut into {self.n_bins} bins: "
                "even a perfect code scores below 1",
                stacklevel=4,
            )
        elif 2 * self.n_values > self.n:
            warnings.warn(
                f"a factor has {self.n_values} values in {self.n} samples, so that every code seems to know it: "
                "is it a number that each sample has for itself?",
                stacklevel=4,
            )


def informations(codes: ArrayLike, factors: ArrayLike, n_bins: int) -> Informations:
    """Cut each code into `n_bins` bins of equal width and count it together with each factor.

    Within `one_pass` the same arrays and bins are counted once.

    Raises:
        ValueError: if the arrays are malformed or their numbers of rows differ.
    """
    kept = _counted.get()
    if kept is None:
        return _count(codes, factors, n_bins)
    for known_codes, known_factors, known in kept:
        if known_codes is codes and known_factors is factors and known.n_bins == n_bins:
            return known
    known = _count(codes, factors, n_bins)
    kept.append((codes, factors, known))
    return known


@contextmanager
def one_pass() -> Iterator[None]:
    """Let the scores that are computed within share what they count of the same arrays.

    Arrays are told apart by identity, so they must not be written to within.
    """
    token = _counted.set([])
    try:
        yield
    finally:
        _counted.reset(token)


_counted: ContextVar[list[tuple[ArrayLike, ArrayLike, Informations]] | None] = ContextVar(
    "_counted", default=None
)


def _count(codes: ArrayLike, factors: ArrayLike, n_bins: int) -> Informations:
    x, y = as_codes_and_factors(codes, factors)
    bins = bin_codes(x, n_bins)
    return Informations(
        n=len(x),
        n_bins=n_bins,
        n_values=int(y.max()) + 1,
        mutual=_information_matrix(bins, y),
        code_entropy=_entropies(bins),
        factor_entropy=_entropies(y),
    )


def _entropies(columns: Indices) -> NDArray[np.float64]:
    return np.array([float(entropy(np.bincount(column))) for column in columns.T])


def informations_of_counts(counts: NDArray[np.intp], n_bins: int) -> Informations:
    """Return what counts (n_codes, n_factors, up to n_bins, n_values) of the same samples say."""
    return Informations(
        n=int(counts[0, 0].sum()),
        n_bins=n_bins,
        n_values=counts.shape[-1],
        mutual=mutual_information(counts),
        code_entropy=entropy(counts[:, 0].sum(axis=-1)),
        factor_entropy=entropy(counts[0].sum(axis=1)),
    )


def _warn_of_few_samples(n: int, n_bins: int) -> None:
    if n < n_bins:
        warnings.warn(
            f"{n} samples are cut into {n_bins} bins: mutual information is far too high where bins are more "
            "than samples",
            stacklevel=5,
        )


@dataclass(frozen=True, eq=False)
class MutualInfoScore(Score):
    """The mean over pairs of codes, and the matrix behind it."""

    mutual_information: NDArray[np.float64]  # (n_codes, n_codes), nats; a code's entropy on the diagonal
    n_bins: int


def mutual_info_score(codes: ArrayLike, *, n_bins: int = 20) -> MutualInfoScore:
    """Mean mutual information of two different codes, each cut into bins. No labels and no factors are used.

    Args:
        codes: float array (n_samples, n_codes).
        n_bins: bins of equal width per code.
    Returns:
        Nats, at least 0 and at most ln n_bins; lower is better. Few samples raise it: independent codes have
        about (n_bins - 1)^2 / 2n. Codes that are all constant have 0, the best value, and hold nothing.
    Raises:
        NotDefinedError: if there is one code.
        ValueError: if `codes` is malformed.
    Reference: Locatello et al. 2019, arXiv:1811.12359, section 5.2.
    """
    x = as_codes(codes)
    n_codes = x.shape[1]
    if n_codes == 1:
        raise NotDefinedError("mutual information between codes is not defined for a single code")
    _warn_of_few_samples(len(x), n_bins)
    bins = bin_codes(x, n_bins)
    matrix = np.zeros((n_codes, n_codes))
    for i, code in enumerate(bins.T):
        matrix[: i + 1, i] = matrix[i, : i + 1] = information_with(bins[:, : i + 1], code)
    between = (matrix.sum() - np.trace(matrix)) / (n_codes * (n_codes - 1))
    return MutualInfoScore(max(float(between), 0.0), len(x), matrix, n_bins)
