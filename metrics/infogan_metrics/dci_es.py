"""DCI-ES: disentanglement, completeness and informativeness, with explicitness and size."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, constant_columns
from infogan_metrics.dci import Completeness, Disentanglement, completeness, disentanglement
from infogan_metrics.dci_continuous import forest_of, r2, unit_variance
from infogan_metrics.kinds import Columns, Kinds, as_split, check_factors_vary
from infogan_metrics.score import NotDefinedError, Score

_READ = 0.98  # of the baseline loss: a probe above it has read nothing


@dataclass(frozen=True, eq=False)
class DCIES(Score):
    """The five scores; the value is explicitness."""

    explicitness_per_factor: NDArray[np.float64]  # (n_factors,), at most 1
    losses: NDArray[np.float64]  # (n_depths, n_factors): 1 - accuracy, or 1 - R2, on the test split
    baseline_losses: NDArray[np.float64]  # (n_factors,): the loss of the best constant prediction
    depths: tuple[int, ...]  # the capacities, in levels of a tree
    disentanglement: Disentanglement
    completeness: Completeness
    informativeness: float  # mean over factors of 1 - the smallest loss
    size: float  # n_factors / n_codes, at most 1 where each factor has a code of its own
    importance: NDArray[np.float64]  # (n_codes, n_factors)

    @property
    def explicitness(self) -> float:
        """Mean over factors of `explicitness_per_factor`: the value."""
        return self.value


class _Curve(NamedTuple):
    losses: NDArray[np.float64]  # (n_depths,)
    baseline: float
    importance: NDArray[np.float64]  # (n_codes,)


def explicitness_of_curve(capacities: ArrayLike, losses: ArrayLike, baseline_loss: float) -> float:
    """Explicitness of a loss-capacity curve: 1 less its area over the area below a straight fall to a loss of 0.

    The curve is made non-increasing, as a probe of larger capacity can do what a smaller one does. Its area is taken
    above its own smallest loss, by the trapezoidal rule, and compared with half of (largest - smallest capacity) times
    the baseline loss.

    Args:
        capacities: (n,) of the probes, increasing.
        losses: (n,) of the probes, 0 at best.
        baseline_loss: of a probe without any capacity.
    Returns:
        At most 1, for a curve that is at its smallest loss from the first probe on; 0 for a straight fall from the
        baseline to 0; below 0 where the loss falls late. No unit.
    Raises:
        ValueError: if there are fewer than two capacities, they do not increase, or the baseline is not above 0.
    Reference: Eastwood et al. 2023, arXiv:2210.00364, section 4.1, with a smallest possible loss of 0 as in the
    authors' code.
    """
    x, y = np.asarray(capacities, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2 or not (np.diff(x) > 0).all():
        raise ValueError(
            "`capacities` and `losses` must be 1-D and of one length of at least 2, the first increasing, "
            f"but have shapes {x.shape} and {y.shape}"
        )
    if not baseline_loss > 0:
        raise ValueError(f"`baseline_loss` must be above 0, but is {baseline_loss}")
    best = np.minimum.accumulate(y)
    best -= best[-1]
    area = float(np.sum(np.diff(x) * (best[:-1] + best[1:]) / 2))
    return 1 - 2 * area / (float(x[-1] - x[0]) * baseline_loss)


def dci_es(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    depths: Sequence[int] = (1, 2, 3, 4, 8, 12, 16, 20),
    n_trees: int = 50,
    seed: int = 0,
) -> DCIES:
    """DCI-ES of `codes` about factors of any kind, with random forests as probes and their depth as capacity.

    One forest is grown for each factor, to the largest depth. A probe of a smaller depth is the same forest cut off at
    that level, so the curve costs no further forest. Importances are those of the whole forest.

    Args:
        codes, test_codes: float arrays (n_samples, n_codes) and (n_test, n_codes).
        factors, test_factors: (n_samples, n_factors) and (n_test, n_factors), numbers or text.
        kinds: of the factors (`as_columns`); None: whole numbers and text are categories, others continuous.
        depths: capacities, increasing; explicitness depends on the smallest and the largest.
        n_trees: of each forest; the time grows with it.
        seed: of the forests.
    Returns:
        Mean explicitness over factors, at most 1, no unit; higher is better. 1 where one threshold on one code tells
        all that the codes tell, but 1 as well where they tell nothing, which is warned of.
    Raises:
        NotDefinedError: if there is one code or one factor, all codes are constant, or a factor is in a split.
        ValueError: if the arrays are malformed or do not fit together, or `depths` is not increasing from 1 on.
    Reference: Eastwood et al. 2023, arXiv:2210.00364, section 4.
    """
    levels = _checked(depths)
    x, y, test_x, test_y = as_split(codes, factors, test_codes, test_factors, kinds)
    if x.shape[1] == 1 or len(y.kinds) == 1:
        raise NotDefinedError("DCI-ES is not defined for a single code or a single factor")
    for part in (y, test_y):
        check_factors_vary(part, "DCI-ES")
    if constant_columns(x).all():
        raise NotDefinedError("DCI-ES is not defined: all codes are constant")
    x, test_x = unit_variance(x, test_x)  # the trees compare float32
    curves = [_curve(x, y, test_x, test_y, k, levels, n_trees, seed) for k in range(len(y.kinds))]
    losses = np.stack([curve.losses for curve in curves], axis=1)
    per_factor = np.array([explicitness_of_curve(levels, curve.losses, curve.baseline) for curve in curves])
    importance = np.stack([curve.importance for curve in curves], axis=1)
    baselines = np.array([curve.baseline for curve in curves])
    _warn_of_unread_factors(losses, baselines)
    return DCIES(
        float(per_factor.mean()),
        len(x),
        per_factor,
        losses,
        baselines,
        levels,
        disentanglement(importance),
        completeness(importance),
        informativeness=float(1 - losses.min(axis=0).mean()),
        size=len(y.kinds) / x.shape[1],
        importance=importance,
    )


def _checked(depths: Sequence[int]) -> tuple[int, ...]:
    levels = tuple(depths)
    if len(levels) < 2 or levels[0] < 1 or not (np.diff(levels) > 0).all():
        raise ValueError(f"`depths` must hold two numbers or more, increasing from 1 on, but is {levels}")
    return levels


def _warn_of_unread_factors(losses: NDArray[np.float64], baselines: NDArray[np.float64]) -> None:
    unread = np.flatnonzero(losses.min(axis=0) > _READ * baselines)
    if unread.size:
        warnings.warn(
            f"no probe reads factor {unread[0]} better than a guess, so its explicitness means nothing",
            stacklevel=3,
        )


def _curve(
    x: Codes,
    y: Columns,
    test_x: Codes,
    test_y: Columns,
    k: int,
    depths: tuple[int, ...],
    n_trees: int,
    seed: int,
) -> _Curve:
    """Grow one factor's forest and return the test loss at each depth."""
    kind = y.kinds[k]
    forest = forest_of(kind, n_trees, seed, max_depth=depths[-1], min_samples_leaf=1)
    category = kind.name == "category"
    forest.fit(x, y.indices(k) if category else y.targets(k).squeeze())
    outputs = np.zeros((len(depths), len(test_x), y.targets(k).shape[1]))
    inputs = test_x.astype(np.float32)  # as scikit-learn's trees compare them
    for tree in forest.estimators_:
        outputs += _outputs_by_depth(tree.tree_, inputs, depths)
    if category:
        truth = test_y.values[:, k]
        losses = np.mean(outputs.argmax(axis=2) != truth, axis=1)
        baseline = 1 - float(np.bincount(truth.astype(np.intp)).max()) / len(truth)
    else:
        truth = test_y.targets(k)
        losses = np.array([1 - r2(truth, output / n_trees) for output in outputs])
        baseline = 1.0
    return _Curve(losses, baseline, forest.feature_importances_)


def _outputs_by_depth(tree: Any, inputs: NDArray[np.float32], depths: tuple[int, ...]) -> NDArray[np.float64]:
    """Return what one of scikit-learn's trees says, cut off at each depth (n_depths, n_samples, n_outputs)."""
    values = tree.value.reshape(len(tree.value), -1)  # shares of classes, or means of the targets
    node = np.zeros(len(inputs), dtype=np.intp)
    rows = np.arange(len(inputs))
    outputs = []
    for depth in range(1, depths[-1] + 1):
        split = tree.children_left[node] >= 0
        left = inputs[rows, np.maximum(tree.feature[node], 0)] <= tree.threshold[node]
        child = np.where(left, tree.children_left[node], tree.children_right[node])
        node = np.where(split, child, node)
        if depth in depths:
            outputs.append(values[node])
    return np.stack(outputs)
