"""Probes: how well simple predictors read the factors off all codes together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, constant_columns, standardise
from infogan_metrics.dci_continuous import r2
from infogan_metrics.kinds import Columns, Kind, Kinds, as_split, check_factors_vary
from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class Probe(Score):
    """The mean over factors on the test split, and what it is made of."""

    per_factor: NDArray[np.float64]  # (n_factors,): accuracy of a discrete factor, R2 of another
    chance: NDArray[np.float64]  # (n_factors,): accuracy of the commonest value; 0 for R2
    kinds: tuple[Kind, ...]  # of the factors


def linear_probe(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
) -> Probe:
    """Read each factor off all codes by a linear model.

    A discrete factor by logistic regression (scikit-learn's L2 penalty of 1), with the accuracy as score; a continuous
    one, and cosine and sine of an angle, by least squares, with R2 as score. Codes are standardised by the training
    split; constant codes are left out.

    Args:
        codes, test_codes: float arrays (n_samples, n_codes) and (n_test, n_codes).
        factors, test_factors: (n_samples, n_factors) and (n_test, n_factors), numbers or text.
        kinds: of the factors (`as_columns`); None: whole numbers and text are categories, others continuous.
    Returns:
        Mean over factors, at most 1, no unit; higher is better. Chance is in the result: R2 of it is 0, and below 0
        where the model is worse than the mean.
    Raises:
        NotDefinedError: if a factor is constant in a split.
        ValueError: if the arrays are malformed or do not fit together.
    Reference: Alain and Bengio 2016, arXiv:1610.01644.
    """
    return _probe("linear", codes, factors, test_codes, test_factors, kinds, 0)


def neighbour_probe(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    n_neighbors: int = 5,
) -> Probe:
    """Read each factor off the nearest training samples in the space of all codes.

    A discrete factor by the vote of the neighbours, with the accuracy as score; a continuous one, and cosine and sine
    of an angle, by their mean, with R2 as score. Unlike `linear_probe` it reads factors that lie in the codes in a
    curved way, but codes that hold nothing disturb its distances. Codes are standardised by the training split;
    constant codes are left out.

    Args:
        codes, factors, test_codes, test_factors, kinds: as in `linear_probe`.
        n_neighbors: at most the number of training samples.
    Returns:
        Mean over factors, at most 1, no unit; higher is better.
    Raises:
        NotDefinedError: if a factor is constant in a split.
        ValueError: if the arrays are malformed or do not fit together, or `n_neighbors` is out of range.
    Reference: Cover and Hart 1967, "Nearest neighbor pattern classification".
    """
    return _probe("neighbours", codes, factors, test_codes, test_factors, kinds, n_neighbors)


def _probe(
    model: Literal["linear", "neighbours"],
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    kinds: Kinds | None,
    n_neighbors: int,
) -> Probe:
    x, y, test_x, test_y = as_split(codes, factors, test_codes, test_factors, kinds)
    for part in (y, test_y):
        check_factors_vary(part, "a probe")
    if model == "neighbours" and not 1 <= n_neighbors <= len(x):
        raise ValueError(
            f"`n_neighbors` must be at least 1 and at most the {len(x)} training samples, but is {n_neighbors}"
        )
    alive = ~constant_columns(x)
    chance = np.array([_chance(y, test_y, k) for k in range(len(y.kinds))])
    if not alive.any():
        return Probe(float(chance.mean()), len(x), chance, chance, y.kinds)
    x, test_x = standardise(x[:, alive], test_x[:, alive])
    read = _linear if model == "linear" else _Neighbours(x, test_x, n_neighbors)
    per_factor = np.array([_score(read(x, y, test_x, k), test_y, k) for k in range(len(y.kinds))])
    return Probe(float(per_factor.mean()), len(x), per_factor, chance, y.kinds)


def _score(predicted: Codes, test: Columns, k: int) -> float:
    """Return the accuracy of predicted values (n_test,), or R2 of predicted targets (n_test, d)."""
    if test.kinds[k].discrete:
        return float(np.mean(predicted == test.values[:, k]))
    return r2(test.targets(k), predicted)


def _chance(train: Columns, test: Columns, k: int) -> float:
    if not train.kinds[k].discrete:
        return 0.0
    values, counts = np.unique(train.values[:, k], return_counts=True)
    return float(np.mean(test.values[:, k] == values[counts.argmax()]))


def _linear(x: Codes, train: Columns, test_x: Codes, k: int) -> Codes:
    from sklearn.linear_model import LogisticRegression

    if train.kinds[k].discrete:
        model = LogisticRegression(max_iter=1000).fit(x, train.indices(k))
        return np.asarray(np.unique(train.values[:, k])[model.predict(test_x)])
    inputs, test_inputs = (np.column_stack([part, np.ones(len(part))]) for part in (x, test_x))
    return np.asarray(test_inputs @ np.linalg.lstsq(inputs, train.targets(k), rcond=None)[0])


class _Neighbours:
    """The nearest training samples of every test sample, found once for all factors."""

    def __init__(self, x: Codes, test_x: Codes, n_neighbors: int) -> None:
        from sklearn.neighbors import NearestNeighbors

        self._rows = NearestNeighbors(n_neighbors=n_neighbors).fit(x).kneighbors(test_x)[1]  # (n_test, k)

    def __call__(self, x: Codes, train: Columns, test_x: Codes, k: int) -> Codes:
        if not train.kinds[k].discrete:
            return np.asarray(train.targets(k)[self._rows].mean(axis=1))
        labels = train.indices(k)[self._rows]
        votes = np.zeros((len(labels), labels.max() + 1), dtype=np.intp)
        np.add.at(votes, (np.arange(len(labels))[:, None], labels), 1)
        return np.asarray(np.unique(train.values[:, k])[votes.argmax(axis=1)])
