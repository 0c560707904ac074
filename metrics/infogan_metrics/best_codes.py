"""For each factor the code that shows it best, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.correlation import Method, categories_of, correlations
from infogan_metrics.kinds import Columns, Kind, Kinds, as_codes_and_columns
from infogan_metrics.score import NotDefinedError, Score


@dataclass(frozen=True, eq=False)
class BestCodes(Score):
    """The best code of each factor; the value is the mean of their correlations."""

    code: NDArray[np.intp]  # (n_factors,); two factors may share one
    correlation: NDArray[np.float64]  # (n_factors,) in [0, 1], absolute, by the factor's kind
    second_code: NDArray[np.intp]  # (n_factors,); -1 where there is one code
    second_correlation: NDArray[np.float64]  # (n_factors,) in [0, 1]
    share: NDArray[
        np.float64
    ]  # (n_factors,) in [0, 1]: of the resamples, those in which this code is the best
    kinds: tuple[Kind, ...]  # of the factors

    def sentences(
        self, factor_names: Sequence[str] | None = None, code_names: Sequence[str] | None = None
    ) -> list[str]:
        """Say in words which code shows each factor, how well, and how surely.

        Raises:
            ValueError: if there are fewer names than factors or codes.
        """
        n_codes = 1 + max(*self.code, *self.second_code)
        factor_names = factor_names or [f"factor {k}" for k in range(len(self.code))]
        code_names = code_names or [f"code {i}" for i in range(n_codes)]
        if len(factor_names) < len(self.code) or len(code_names) < n_codes:
            raise ValueError("`factor_names` and `code_names` must name every factor and every code")
        said = []
        for k, i in enumerate(self.code):
            text = f"{factor_names[k]}: {code_names[i]} (correlation {self.correlation[k]:.2f}"
            text += f", the best in {self.share[k]:.0%} of resamples"
            if self.second_code[k] >= 0:
                text += f"; next {code_names[self.second_code[k]]}, {self.second_correlation[k]:.2f}"
            said.append(text + ")")
        return said


def best_codes(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    code_kinds: Kinds | None = None,
    method: Method = "spearman",
    n_resamples: int = 100,
    seed: int = 0,
) -> BestCodes:
    """Find the code that shows each factor best: the one with the largest absolute correlation.

    Args:
        codes: float array (n_samples, n_codes).
        factors: (n_samples, n_factors), numbers or text.
        kinds, code_kinds, method: as in `correlation_matrix`, which says what a correlation with each kind is.
        n_resamples: bootstrap samples by which `share` says how sure the choice is; 0 leaves it NaN.
        seed: of the resamples.
    Returns:
        The value is the mean over factors, in [0, 1]. Unlike `mcc` it does not ask for a code of its own for each.
    Raises:
        NotDefinedError: if a factor is constant, or every code is.
        ValueError: if the arrays are malformed, `method` is unknown or `n_resamples` is below 0.
    """
    if n_resamples < 0:
        raise ValueError(f"`n_resamples` must be at least 0, but is {n_resamples}")
    x, y = as_codes_and_columns(codes, factors, kinds, whole="ordered")
    categories = categories_of(code_kinds, x)
    matrix = correlations(x, y, method, categories, score="the best code")
    if not matrix.any():
        raise NotDefinedError("the best code is not defined: all codes are constant")
    order = np.argsort(-matrix, axis=0, kind="stable")
    places = np.arange(matrix.shape[1])
    code, best = order[0], matrix[order[0], places]
    alone = len(matrix) == 1
    second = np.full_like(code, -1) if alone else order[1]
    second_best = np.zeros_like(best) if alone else matrix[second, places]
    wins = np.zeros(len(code))
    random = np.random.default_rng(seed)
    for _ in range(n_resamples):
        rows = random.integers(len(x), size=len(x))
        wins += _best_of(x[rows], Columns(y.values[rows], y.kinds), method, categories) == code
    share = wins / n_resamples if n_resamples else np.full(len(code), np.nan)
    return BestCodes(float(best.mean()), len(x), code, best, second, second_best, share, y.kinds)


def _best_of(
    codes: NDArray[np.float64], factors: Columns, method: Method, categories: Sequence[int]
) -> NDArray[np.intp]:
    """Return each factor's best code in one resample; -1 for all where a factor happens to be constant in it."""
    try:
        return np.asarray(correlations(codes, factors, method, categories, score="a resample").argmax(axis=0))
    except NotDefinedError:
        return np.full(len(factors.kinds), -1)
