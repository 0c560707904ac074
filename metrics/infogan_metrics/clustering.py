"""Agreement of clusters with classes. A cluster is the category that Q finds most likely; classes are labels.

Clusters and classes may differ in number. Their ids may be anything hashable: integers with gaps, strings.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.score import Score

Ids = ArrayLike | Sequence[Hashable]

_MOST_CELLS = 25_000_000  # of a table of counts; beyond that the "ids" are continuous values


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of every cluster and class together, and the best one-to-one match between them."""

    clusters: tuple[Any, ...]  # ids, in the order of the rows
    classes: tuple[Any, ...]  # ids, in the order of the columns
    counts: NDArray[np.int64]  # (n_clusters, n_classes)
    match: tuple[int | None, ...]  # the column of each row; None: nothing in common, or no class was left

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.counts.sum())

    @property
    def matched(self) -> NDArray[np.int64]:
        """(n_classes,): how many samples of each class lie in the cluster that is matched to it."""
        hits = np.zeros(len(self.classes), dtype=np.int64)
        for row, column in enumerate(self.match):
            if column is not None:
                hits[column] = self.counts[row, column]
        return hits


@dataclass(frozen=True, eq=False)
class ClusteringScore(Score):
    """A score of clusters against classes, and the table behind it."""

    confusion: Confusion


@dataclass(frozen=True, eq=False)
class VMeasure(ClusteringScore):
    """V-measure, the harmonic mean of homogeneity and completeness, each in [0, 1]."""

    homogeneity: float
    completeness: float


@dataclass(frozen=True, eq=False)
class PerClassAccuracy(ClusteringScore):
    """Accuracy of each class; the value is their plain mean."""

    per_class: NDArray[np.float64]  # (n_classes,), in the order of `confusion.classes`


def confusion(
    assignments: Ids,
    labels: Ids,
    *,
    clusters: Sequence[Hashable] | None = None,
    classes: Sequence[Hashable] | None = None,
) -> Confusion:
    """Count how often each cluster meets each class, and match them one to one.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
        clusters, classes: all ids there are, in the order wanted, so that those that never occur get a row or
            column of zeros; default: the ids that occur, sorted where they can be.
    Raises:
        ValueError: if the input is empty, not 1-D, of different lengths, holds NaN, or an id is not listed.
    """
    row_ids, rows = _encode(assignments, "assignments", clusters)
    column_ids, columns = _encode(labels, "labels", classes)
    if len(rows) != len(columns):
        raise ValueError(
            "`assignments` and `labels` must have one entry per sample, "
            f"but have {len(rows)} and {len(columns)} entries"
        )
    shape = len(row_ids), len(column_ids)
    if shape[0] * shape[1] > _MOST_CELLS:
        raise ValueError(
            f"`assignments` has {shape[0]:,} distinct ids and `labels` {shape[1]:,}: "
            "are they continuous values?"
        )
    counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape)
    return Confusion(row_ids, column_ids, counts.astype(np.int64, copy=False), _match(counts))


def cluster_accuracy(assignments: Ids, labels: Ids) -> ClusteringScore:
    """Share of samples whose cluster is matched to their class, under the best one-to-one match.

    With fewer clusters than classes, the classes left over count as errors, and so do clusters left over.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
    Returns:
        Accuracy in (0, 1], higher is better; at most `purity` of the same input.
    Raises:
        ValueError: as `confusion` does.
    Reference: Yang et al. 2010, "Image clustering using local discriminant models and global integration".
    """
    table = confusion(assignments, labels)
    return ClusteringScore(float(table.matched.sum() / table.n), table.n, table)


def per_class_accuracy(assignments: Ids, labels: Ids) -> PerClassAccuracy:
    """Share of each class that lies in the cluster matched to it, under `cluster_accuracy`'s match.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
    Returns:
        `per_class` (n_classes,) in [0, 1], higher is better; a class without a cluster has 0.
    Raises:
        ValueError: as `confusion` does.
    """
    table = confusion(assignments, labels)
    per_class = table.matched / table.counts.sum(axis=0)
    return PerClassAccuracy(float(per_class.mean()), table.n, table, per_class)


def purity(assignments: Ids, labels: Ids) -> ClusteringScore:
    """Share of samples that belong to the most frequent class of their cluster (majority vote).

    It rises with the number of clusters, up to 1 where every sample is its own.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
    Returns:
        Purity in (0, 1], higher is better.
    Raises:
        ValueError: as `confusion` does.
    Reference: Manning et al. 2008, "Introduction to Information Retrieval", section 16.3.
    """
    table = confusion(assignments, labels)
    return ClusteringScore(float(table.counts.max(axis=1).sum() / table.n), table.n, table)


def balanced_accuracy(assignments: Ids, labels: Ids) -> ClusteringScore:
    """Accuracy of the classes that clusters name by majority, every class weighing alike.

    Each cluster stands for its most frequent class (the first of equally frequent ones). The score is the mean, over
    classes, of the share of the class that lies in clusters which stand for it. A rare class that is the majority of no
    cluster has 0.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
    Returns:
        In (0, 1], higher is better; 1 / n_classes if one class has all clusters.
    Raises:
        ValueError: as `confusion` does.
    Reference: Brodersen et al. 2010, "The balanced accuracy and its posterior distribution"; as in scikit-learn.
    """
    table = confusion(assignments, labels)
    return ClusteringScore(balanced_accuracy_of(table), table.n, table)


def balanced_accuracy_of(table: Confusion) -> float:
    """Return `balanced_accuracy` of a table of counts in which every class occurs."""
    named = table.counts.argmax(axis=1)
    hits = np.bincount(named, weights=table.counts.max(axis=1), minlength=len(table.classes))
    return float(np.mean(hits / table.counts.sum(axis=0)))


def nmi(assignments: Ids, labels: Ids) -> ClusteringScore:
    """Mutual information of clusters and classes over the arithmetic mean of their entropies.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
    Returns:
        NMI in [0, 1], no unit, higher is better; 1 where there is one cluster and one class.
    Raises:
        ValueError: as `confusion` does.
    Reference: Strehl and Ghosh 2002, "Cluster ensembles"; normalised as in scikit-learn.
    """
    from sklearn.metrics import normalized_mutual_info_score

    table = confusion(assignments, labels)
    clusters, classes = _samples(table)
    value = float(normalized_mutual_info_score(classes, clusters, average_method="arithmetic"))
    return ClusteringScore(min(value, 1.0), table.n, table)


def ari(assignments: Ids, labels: Ids) -> ClusteringScore:
    """Rand index of clusters and classes, adjusted for chance.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
    Returns:
        ARI in [-0.5, 1], higher is better; 0 is expected of random clusters.
    Raises:
        ValueError: as `confusion` does.
    Reference: Hubert and Arabie 1985, "Comparing partitions".
    """
    from sklearn.metrics import adjusted_rand_score

    table = confusion(assignments, labels)
    clusters, classes = _samples(table)
    return ClusteringScore(float(adjusted_rand_score(classes, clusters)), table.n, table)


def v_measure(assignments: Ids, labels: Ids) -> VMeasure:
    """Harmonic mean of homogeneity (clusters of one class) and completeness (classes in one cluster).

    The value equals `nmi`; what it adds is the two parts.

    Args:
        assignments: (n_samples,) cluster ids.
        labels: (n_samples,) class ids.
    Returns:
        V-measure in [0, 1], higher is better, with `homogeneity` and `completeness`.
    Raises:
        ValueError: as `confusion` does.
    Reference: Rosenberg and Hirschberg 2007, "V-measure".
    """
    from sklearn.metrics import homogeneity_completeness_v_measure

    table = confusion(assignments, labels)
    clusters, classes = _samples(table)
    parts = homogeneity_completeness_v_measure(classes, clusters)
    homogeneity, completeness, value = (min(float(part), 1.0) for part in parts)
    return VMeasure(value, table.n, table, homogeneity, completeness)


def _match(counts: NDArray[np.intp]) -> tuple[int | None, ...]:
    """Match rows to columns so that the most samples agree; a match with none in common is no match."""
    from scipy.optimize import linear_sum_assignment

    match: list[int | None] = [None] * len(counts)
    for row, column in zip(*linear_sum_assignment(counts, maximize=True), strict=True):
        if counts[row, column]:
            match[row] = int(column)
    return tuple(match)


def _samples(table: Confusion) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row and column of every sample; the samples' order does not matter to any score."""
    cells = np.repeat(np.arange(table.counts.size), table.counts.ravel())
    return np.divmod(cells, table.counts.shape[1])


def _encode(
    values: Ids, name: str, listed: Sequence[Hashable] | None
) -> tuple[tuple[Any, ...], NDArray[np.intp]]:
    """Return the ids there are and, for each sample, the index of its id among them."""
    ids, codes = _distinct(values, name)
    if listed is None:
        return ids, codes
    index = {identity: place for place, identity in enumerate(listed)}
    if len(index) < len(listed):
        raise ValueError(f"the ids listed for `{name}` must be distinct, but are {list(listed)}")
    unknown = [identity for identity in ids if identity not in index]
    if unknown:
        raise ValueError(f"`{name}` holds ids that are not listed: {unknown[:5]}")
    return tuple(listed), np.array([index[identity] for identity in ids])[codes]


def _distinct(values: Ids, name: str) -> tuple[tuple[Any, ...], NDArray[np.intp]]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"`{name}` must be 1-D, one id per sample, but has shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"`{name}` must hold at least one sample, but is empty")
    if array.dtype.kind in "biu":
        found, codes = np.unique(array, return_inverse=True)
        return tuple(found.tolist()), codes
    # numpy has made one string of the ids 1 and "1" of a list, so go back to the list.
    items: list[Any] = list(values) if isinstance(values, (list, tuple)) else array.tolist()
    if any(item != item for item in items):
        raise ValueError(f"`{name}` must not hold NaN")
    ids = _sorted_if_possible(dict.fromkeys(items))
    index = {identity: place for place, identity in enumerate(ids)}
    return ids, np.array([index[item] for item in items])


def _sorted_if_possible(ids: Iterable[Any]) -> tuple[Any, ...]:
    try:
        return tuple(sorted(ids))
    except TypeError:
        return tuple(ids)
