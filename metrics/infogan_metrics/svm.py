"""A linear SVM on a single feature, solved exactly and for all classes at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infogan_metrics.arrays import Indices

_MOST_STEPS = 100
_TOLERANCE = 1e-10  # of a Newton step; far below what moves a prediction

Vector = NDArray[np.float64]  # (n_classes,) or (n,)
Matrix = NDArray[np.float64]  # (2, n_classes) or (3, n_classes)


class _Sums:
    """Counts and power sums of samples below a threshold, for each class of a sorted feature and for all."""

    def __init__(self, x: Vector, y: Indices) -> None:
        self._x, self._n = x, len(x)
        by_class = np.argsort(y, kind="stable")  # within a class, ranks stay sorted
        self._keys = y[by_class] * (self._n + 1) + by_class
        powers = np.stack([np.ones_like(x), x, x * x])
        self._all = np.pad(np.cumsum(powers, axis=1), ((0, 0), (1, 0)))
        self._of_classes = np.pad(np.cumsum(powers[:, by_class], axis=1), ((0, 0), (1, 0)))
        self.n_classes = int(y.max()) + 1
        classes = np.arange(self.n_classes)
        self._first = np.searchsorted(self._keys, classes * (self._n + 1))
        self.totals = (
            self._of_classes[:, np.append(self._first[1:], self._n)] - self._of_classes[:, self._first]
        )

    def below(self, thresholds: Vector) -> tuple[Matrix, Matrix]:
        """Sums (3, n_classes) of 1, x and x^2 over x < threshold: of each class's own samples, and of all."""
        rank = np.searchsorted(self._x, thresholds)
        place = np.searchsorted(self._keys, np.arange(self.n_classes) * (self._n + 1) + rank)
        return self._of_classes[:, place] - self._of_classes[:, self._first], self._all[:, rank]


def one_code_svm(x: Vector, y: Indices, *, C: float = 0.01) -> tuple[Vector, Vector]:
    """Fit what `sklearn.svm.LinearSVC(C=C, class_weight="balanced")` fits to a single feature.

    One class against the rest: minimise (w^2 + b^2) / 2 + sum_i C_i max(0, 1 - s_i (w x_i + b))^2, s_i being
    1 in the class and -1 outside. As in liblinear, C_i is C n / (n_classes n_class) in the class; the others
    keep C, but with two classes each has its own weight. The samples within the margin are those on one side
    of a threshold, so sums over a sorted feature give each Newton step of all classes in O(n_classes log n).

    Args:
        x: (n,) sorted feature.
        y: (n,) classes, each of 0 to n_classes - 1 at least once, two or more.
    Returns:
        Weights and biases, (n_classes,) each: the class of x is where weights * x + biases is largest.
    """
    sums = _Sums(x, y)
    balanced = C * len(x) / (sums.n_classes * sums.totals[0])
    outside = balanced[::-1] if sums.n_classes == 2 else np.full(sums.n_classes, C)
    point = np.zeros((2, sums.n_classes))  # w and b
    here = _within_margin(sums, point, balanced, outside)
    for _ in range(_MOST_STEPS):
        step = _minimum(*here) - point
        size = np.ones(sums.n_classes)
        while True:  # halve the steps of classes whose loss they would raise
            there = _within_margin(sums, point + size * step, balanced, outside)
            worse = _loss(point + size * step, *there) > _loss(point, *here) + _TOLERANCE
            if not worse.any():
                break
            size[worse] /= 2
        point, here = point + size * step, there
        if np.abs(step).max() < _TOLERANCE:
            break
    return point[0], point[1]


def _within_margin(sums: _Sums, point: Matrix, inside: Vector, outside: Vector) -> tuple[Matrix, Matrix]:
    """Weighted sums (3, n_classes) of 1, x and x^2 over the samples within each class's margin: of the samples
    in the class plus, and minus, those outside it."""
    w, b = point
    slope = np.where(w == 0, np.finfo(np.float64).tiny, w)
    with np.errstate(over="ignore"):
        own_below, _ = sums.below((1 - b) / slope)
        also_own, all_below = sums.below((-1 - b) / slope)
    others_below, others = all_below - also_own, sums.totals.sum(axis=1, keepdims=True) - sums.totals
    rising = slope > 0
    own = inside * np.where(rising, own_below, sums.totals - own_below)  # w x + b < 1
    other = outside * np.where(rising, others - others_below, others_below)  # w x + b > -1
    return own + other, own - other


def _loss(point: Matrix, both: Matrix, difference: Matrix) -> Vector:
    w, b = point
    fit = both[0] + w * w * both[2] + b * b * both[0] + 2 * w * b * both[1]
    loss: Vector = (w * w + b * b) / 2 + fit - 2 * (w * difference[1] + b * difference[0])
    return loss


def _minimum(both: Matrix, difference: Matrix) -> Matrix:
    """The point (2, n_classes) where the loss would be least if no sample crossed the margin."""
    ww, wb, bb = 1 + 2 * both[2], 2 * both[1], 1 + 2 * both[0]
    determinant = ww * bb - wb * wb
    w = 2 * (bb * difference[1] - wb * difference[0]) / determinant
    b = 2 * (ww * difference[0] - wb * difference[1]) / determinant
    return np.stack([w, b])
