"""Mutual information from the distances of nearest neighbours, in nats: no bins for continuous variables."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_JITTER = 1e-10  # standard deviations, or radians: breaks ties, and is far below any distance of interest
_INSIDE = 1 - 1e-8  # of the distance to the k-th neighbour, which itself is not to be counted


class Axis(NamedTuple):
    """A continuous variable, ready for distances."""

    values: NDArray[np.float64]  # (n_samples,): of unit standard deviation, or radians in [0, 2 pi)
    period: float  # 2 pi for an angle, 0 for a number


def number_axis(values: NDArray[np.float64], random: np.random.Generator) -> Axis:
    """Return numbers (n_samples,), which may not be constant, at unit standard deviation, their ties broken."""
    scaled = (values - values.mean()) / values.std()
    return Axis(scaled + _JITTER * random.standard_normal(len(values)), 0.0)


def angle_axis(angles: NDArray[np.float64], random: np.random.Generator) -> Axis:
    """Return angles (n_samples,) in radians, their ties broken."""
    turned = np.mod(angles + _JITTER * random.standard_normal(len(angles)), math.tau)
    return Axis(np.where(turned < math.tau, turned, 0.0), math.tau)


def continuous_information(x: Axis, y: Axis, n_neighbors: int) -> float:
    """Estimate the mutual information of two continuous variables.

    psi(n) + psi(k) - <psi(n_x + 1) + psi(n_y + 1)>, where n_x and n_y count the samples that are nearer in one
    variable than the k-th neighbour is in both, by the larger of the two distances.

    Returns:
        Nats; near independence it may fall below 0.
    Reference: Kraskov, Stögbauer and Grassberger 2004, arXiv:cond-mat/0305641, equation 8 (estimator 1).
    """
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    points = np.column_stack([x.values, y.values])
    tree = cKDTree(points, boxsize=[x.period, y.period])
    radius = tree.query(points, k=[n_neighbors + 1], p=np.inf)[0][:, 0] * _INSIDE
    counted = digamma(_count_within(x, radius)) + digamma(_count_within(y, radius))
    return float(digamma(len(points)) + digamma(n_neighbors) - counted.mean())


def mixed_information(x: Axis, labels: NDArray[np.intp], n_neighbors: int) -> float:
    """Estimate the mutual information of a continuous variable and a discrete one.

    psi(n) + <psi(k) - psi(n_label) - psi(m)>, where m counts the samples of any label that are nearer than the k-th
    neighbour of the same label. A label with k samples or fewer takes all its samples as neighbours; one with a
    single sample is left out.

    Args:
        labels: (n_samples,) from 0.
    Returns:
        Nats; near independence it may fall below 0. 0 if no label has two samples.
    Reference: Ross 2014, "Mutual information between discrete and continuous data sets", PLoS ONE 9(2), equation 2.
    """
    from scipy.special import digamma

    by_label = np.lexsort((x.values, labels))  # sorted within each label
    sizes = np.bincount(labels)
    ends = np.cumsum(sizes)
    kept, radii, neighbours = [], [], []
    for start, end in zip(ends - sizes, ends, strict=True):
        if end - start < 2:
            continue
        rows = by_label[start:end]
        k = min(n_neighbors, end - start - 1)
        kept.append(rows)
        radii.append(_kth_distances(x.values[rows], k, x.period))
        neighbours.append(np.full(end - start, k))
    if not kept:
        return 0.0
    rows = np.concatenate(kept)
    part = Axis(x.values[rows], x.period)
    within = digamma(_count_within(part, np.concatenate(radii) * _INSIDE))
    same = digamma(sizes[labels[rows]])
    return float(digamma(len(rows)) + np.mean(digamma(np.concatenate(neighbours)) - same - within))


def _kth_distances(ordered: NDArray[np.float64], k: int, period: float) -> NDArray[np.float64]:
    """Return the distance of each of some ordered values (n,) to its k-th neighbour."""
    if period:
        padded = np.concatenate([ordered[-k:] - period, ordered, ordered[:k] + period])
    else:
        padded = np.concatenate([np.full(k, -np.inf), ordered, np.full(k, np.inf)])
    n = len(ordered)
    nearest = np.full(n, np.inf)
    for left in range(k + 1):  # so many of the k neighbours lie to the left
        lowest, highest = padded[k - left :][:n], padded[2 * k - left :][:n]
        np.minimum(nearest, np.maximum(ordered - lowest, highest - ordered), out=nearest)
    return nearest


def _count_within(axis: Axis, radius: NDArray[np.float64]) -> NDArray[np.intp]:
    """Count the samples within `radius` of each sample, itself included."""
    ordered = np.sort(axis.values)
    if axis.period:
        ordered = np.concatenate([ordered - axis.period, ordered, ordered + axis.period])
        radius = np.minimum(radius, axis.period / 2 * _INSIDE)
    ordered = np.concatenate([[-np.inf], ordered, [np.inf]])
    first = np.searchsorted(ordered, axis.values - radius, side="left")
    last = np.searchsorted(ordered, axis.values + radius, side="right") - 1
    # The sums above are rounded, which matters among ties that were broken by 1e-10; distances are not
    first += axis.values - ordered[first] > radius
    first -= axis.values - ordered[first - 1] <= radius
    last -= ordered[last] - axis.values > radius
    last += ordered[last + 1] - axis.values <= radius
    counts: NDArray[np.intp] = last - first + 1
    return np.maximum(counts, 1)
