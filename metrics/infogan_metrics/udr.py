"""Unsupervised Disentanglement Ranking: do models trained alike find the same codes? No factors are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, as_codes, constant_columns, standardise
from infogan_metrics.score import NotDefinedError, Score

_LASSO_ALPHA = 0.1  # the published value


@dataclass(frozen=True, eq=False)
class UDR(Score):
    """The mean over models, and what it is made of."""

    per_model: NDArray[np.float64]  # (n_models,) in [0, 1]: the median over the other models
    pairwise: NDArray[np.float64]  # (n_models, n_models) in [0, 1]: [i, j] says how well i's codes match j's
    weighting: str  # of the two models of a pair: "models" or "codes"


def udr(
    models: Sequence[ArrayLike],
    *,
    similarity: Literal["lasso", "spearman"] = "lasso",
    informative: Sequence[ArrayLike] | None = None,
    weighting: Literal["models", "codes"] = "models",
) -> UDR:
    """Unsupervised Disentanglement Ranking of models that encode the same images.

    Args:
        models: for each model, its codes of the same samples, float array (n_samples, n_codes of that model).
        similarity: of a code of one model with one of another: the size of its Lasso coefficient (alpha 0.1,
            codes standardised) or of Spearman's rank correlation.
        informative: for each model, which codes count, bool array (n_codes,); default: those not constant.
            A constant code never counts.
        weighting: matters where two models have unequal numbers of codes. `models`: both weigh alike, the mean of
            the one's codes and the mean of the other's, as disentanglement_lib computes it. `codes`: each code of
            either model weighs alike, 1 / (d_a + d_b), as the paper's formula is written.
    Returns:
        In [0, 1], no unit; higher is better. With `lasso` at most 0.9, what alpha leaves of a coefficient of 1.
    Raises:
        NotDefinedError: if there are fewer than two models.
        ValueError: if an array is malformed or the numbers of rows differ.
    Reference: Duan et al. 2020, arXiv:1905.12614, section 4.
    """
    if len(models) < 2:
        raise NotDefinedError(f"UDR compares models, but is given {len(models)}")
    arrays = [as_codes(codes, f"models[{i}]") for i, codes in enumerate(models)]
    for i, codes in enumerate(arrays):
        if len(codes) != len(arrays[0]):
            raise ValueError(
                "all models must encode the same samples, "
                f"but models[0] has {len(arrays[0])} rows and models[{i}] has {len(codes)}"
            )
    masks = [None] * len(arrays) if informative is None else informative
    if len(masks) != len(arrays):
        raise ValueError(f"`informative` must have an entry per model, {len(arrays)}, but has {len(masks)}")
    kept = [_informative(codes, mask) for codes, mask in zip(arrays, masks, strict=True)]
    compare = _lasso if similarity == "lasso" else _spearman
    pairwise = np.array(
        [[_pair(a, b, compare, weighting) if a is not b else np.nan for b in kept] for a in kept]
    )
    per_model: NDArray[np.float64] = np.nanmedian(pairwise, axis=0)
    return UDR(float(per_model.mean()), len(arrays[0]), per_model, np.nan_to_num(pairwise), weighting)


def udr_pair(similarities: ArrayLike, *, weighting: Literal["models", "codes"] = "models") -> float:
    """Score how close a similarity matrix (n_codes, n_other_codes) is to matching codes one to one.

    Each row and each column scores its largest entry squared over its sum, or 0 if it is all zeros.

    Args:
        similarities: non-negative numbers; signs are ignored.
        weighting: `models`: the mean of the rows' mean and the columns' mean. `codes`: the mean over all rows and
            columns, so that the model with more codes weighs more. See `udr`.
    Returns:
        In [0, 1] for similarities in [0, 1].
    Raises:
        ValueError: if `weighting` is neither.
    """
    if weighting not in ("models", "codes"):
        raise ValueError(f"`weighting` must be `models` or `codes`, but is {weighting!r}")
    matrix = np.abs(np.asarray(similarities, dtype=np.float64))
    rows, columns = _dominance(matrix), _dominance(matrix.T)
    parts = [rows.mean(), columns.mean()] if weighting == "models" else np.concatenate([rows, columns])
    return float(np.mean(parts))


def _dominance(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    total = rows.sum(axis=1)
    score: NDArray[np.float64] = np.divide(
        rows.max(axis=1) ** 2, total, out=np.zeros_like(total), where=total > 0
    )
    return score


def _informative(codes: Codes, mask: ArrayLike | None) -> Codes:
    keep = ~constant_columns(codes)
    if mask is not None:
        given = np.asarray(mask, dtype=bool)
        if given.shape != keep.shape:
            raise ValueError(
                f"`informative` must have one flag per code, {keep.shape}, but has {given.shape}"
            )
        keep &= given
    return standardise(codes[:, keep])[0]


def _pair(
    a: Codes,
    b: Codes,
    compare: Callable[[Codes, Codes], NDArray[np.float64]],
    weighting: Literal["models", "codes"],
) -> float:
    return udr_pair(compare(a, b), weighting=weighting) if a.size and b.size else 0.0


def _lasso(a: Codes, b: Codes) -> NDArray[np.float64]:
    """Return the size of each coefficient (codes of a, codes of b) where the codes of a predict each of b."""
    from sklearn.linear_model import Lasso

    coefficients: NDArray[np.float64] = np.atleast_2d(Lasso(alpha=_LASSO_ALPHA).fit(a, b).coef_)
    return np.abs(coefficients).T


def _spearman(a: Codes, b: Codes) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    ranks_a, ranks_b = (standardise(rankdata(codes, axis=0))[0] for codes in (a, b))
    return np.abs(ranks_a.T @ ranks_b / len(a))
