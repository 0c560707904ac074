"""Linear SVMs on a single feature, solved exactly and for all classes of all factors at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infogan_metrics.arrays import Indices

_MOST_STEPS = 100
_TOLERANCE = 1e-10  # of a Newton step; far below what moves a prediction
_ROUNDING = 4 * np.finfo(np.float64).eps  # of the place where two lines cross

Vector = NDArray[np.float64]  # (n_classes,) or (n,)
Matrix = NDArray[np.float64]  # (2, n_classes) or (3, n_classes)


def one_code_svms(x: Vector, factors: Indices, *, C: float = 0.01) -> list[tuple[Vector, Vector]]:
    """Fit what `sklearn.svm.LinearSVC(C=C, class_weight="balanced")` fits, for each factor, to a single feature.

    One class against the rest: minimise (w^2 + b^2) / 2 + sum_i C_i max(0, 1 - s_i (w x_i + b))^2, s_i being
    1 in the class and -1 outside. As in liblinear, C_i is C n / (n_classes n_class) in the class; the others
    keep C, but with two classes each has its own weight. The samples within the margin are those on one side
    of a threshold, so prefix sums over the sorted feature give each Newton step of all classes in
    O(n_classes log n).

    Args:
        x: (n,) sorted feature.
        factors: (n, n_factors) classes from 0, each up to a factor's largest at least once, two or more; best of the
            smallest type that holds them, since numpy sorts that fastest.
    Returns:
        For each factor weights and biases, (n_classes,) each: the class of x is where weights * x + biases is
        largest.
    """
    sizes = factors.max(axis=0).astype(np.intp) + 1
    sums = _Sums(x, factors, sizes)
    inside = C * len(x) / (np.repeat(sizes, sizes) * sums.totals[0])
    outside = np.concatenate(
        [part[::-1] if len(part) == 2 else np.full(len(part), C) for part in _by_factor(inside, sizes)]
    )
    weights, biases = _minimise(sums, inside, outside)
    return list(zip(_by_factor(weights, sizes), _by_factor(biases, sizes), strict=True))


def highest_lines(x: Vector, weights: Vector, biases: Vector) -> Indices:
    """Return for each x the line that is highest there: argmax of weights * x + biases, the first of equal ones.

    Args:
        x: (n,) sorted.
        weights, biases: (n_lines,)
    """
    lines, crossings = _upper_envelope(weights, biases)
    bounds = np.searchsorted(x, crossings)
    found: Indices = np.repeat(lines, np.diff(bounds, prepend=0, append=len(x)))
    for left, right, crossing in zip(lines, lines[1:], crossings, strict=False):
        heights = abs(biases[left]) + abs(biases[right])
        rounding = _ROUNDING * (abs(crossing) + heights / (weights[right] - weights[left]))
        first = np.searchsorted(x, crossing - rounding)
        last = np.searchsorted(x, crossing + rounding, side="right")
        if first < last:  # too near for the crossing to tell
            found[first:last] = (np.multiply.outer(x[first:last], weights) + biases).argmax(axis=1)
    return found


def _upper_envelope(weights: Vector, biases: Vector) -> tuple[list[int], list[float]]:
    """Return the lines that are highest somewhere, from left to right, and where each crosses the one before it."""
    slopes, heights = weights.tolist(), biases.tolist()
    lines: list[int] = []
    crossings: list[float] = []
    for line in np.lexsort(
        (-np.arange(len(weights)), biases, weights)
    ).tolist():  # of equal ones, the first is last
        while lines:
            rise = slopes[line] - slopes[lines[-1]]
            crossing = (heights[lines[-1]] - heights[line]) / rise if rise > 0 else -np.inf
            if rise > 0 and (not crossings or crossing > crossings[-1]):
                crossings.append(crossing)
                break
            lines.pop()
            if crossings:
                crossings.pop()
        lines.append(line)
    return lines, crossings


def _by_factor(values: Vector, sizes: Indices) -> list[Vector]:
    return np.split(values, np.cumsum(sizes)[:-1])


class _Sums:
    """Sums of 1, x and x^2 over the samples below a threshold: of each class, and of all."""

    def __init__(self, x: Vector, factors: Indices, sizes: Indices) -> None:
        self._x, self._row = x, len(x) + 1
        columns = np.ascontiguousarray(factors.T)
        ranks = np.argsort(columns, axis=1, kind="stable").ravel()  # the samples of a class stay sorted
        counts = np.concatenate([np.bincount(column) for column in columns])
        self._class_keys = np.arange(sizes.sum()) * self._row
        self._keys = np.repeat(self._class_keys, counts) + ranks
        self._all = _running_sums(x)
        self._grouped = _running_sums(x.take(ranks))
        last = np.cumsum(counts)
        self._before = self._grouped[:, last - counts]
        self.totals: Matrix = self._grouped[:, last] - self._before
        self.all: Matrix = self._all[:, -1:]

    def below(self, thresholds: Vector) -> tuple[Matrix, Matrix]:
        """(3, n_classes) each, for a threshold of each class: over x < threshold in the class, and over all."""
        rank = np.searchsorted(self._x, thresholds)
        place = np.searchsorted(self._keys, self._class_keys + rank)
        return self._grouped[:, place] - self._before, self._all[:, rank]


def _running_sums(x: Vector) -> Matrix:
    """Return the sums of 1, x and x^2 over the first 0, 1, ... entries, (3, len(x) + 1)."""
    sums = np.zeros((3, len(x) + 1))
    sums[0] = np.arange(len(x) + 1)
    np.cumsum(x, out=sums[1, 1:])
    np.cumsum(x * x, out=sums[2, 1:])
    return sums


def _minimise(sums: _Sums, inside: Vector, outside: Vector) -> tuple[Vector, Vector]:
    """Newton's method with halved steps; it ends after finitely many, the loss being piecewise quadratic."""
    point = np.zeros((2, len(inside)))  # rows: weights, biases
    here = _within_margin(sums, point, inside, outside)
    for _ in range(_MOST_STEPS):
        step = _minimum(*here) - point
        size = np.ones(len(inside))
        while True:  # halve the steps of classes whose loss they would raise
            there = _within_margin(sums, point + size * step, inside, outside)
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
    others_below, others = all_below - also_own, sums.all - sums.totals
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
