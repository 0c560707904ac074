"""Mutual information of codes and factors of any kind, by nearest neighbours or by bins, in nats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, Indices, as_codes, check_same_rows, constant_columns, unit_size
from infogan_metrics.information import bin_codes, entropy, joint_counts, mutual_information
from infogan_metrics.kinds import Columns, Kind, Kinds, as_columns, check_factors_vary
from infogan_metrics.neighbours import (
    Axis,
    angle_axis,
    continuous_information,
    mixed_information,
    number_axis,
)

EstimatorName = Literal["neighbours", "bins"]


@dataclass(frozen=True)
class Estimator:
    """A way to estimate mutual information.

    `neighbours`: by the distances of nearest neighbours where a variable is continuous, by counting where both are
    discrete. `bins`: by counting, continuous variables cut into bins of equal width.
    """

    name: EstimatorName = "neighbours"
    n_bins: int = (
        20  # of `bins`, and of the entropies, which are those of a continuous variable at this resolution
    )
    n_neighbors: int = 3
    seed: int = 0  # of the noise of 1e-10 standard deviations that breaks ties

    def __post_init__(self) -> None:
        if self.name not in get_args(EstimatorName):
            raise ValueError(f"`estimator` must be `neighbours` or `bins`, but is {self.name!r}")
        if self.n_bins < 2:
            raise ValueError(f"`n_bins` must be at least 2, but is {self.n_bins}")
        if self.n_neighbors < 1:
            raise ValueError(f"`n_neighbors` must be at least 1, but is {self.n_neighbors}")


@dataclass(frozen=True, eq=False)
class TypedInformations:
    """Mutual information and entropies of codes and factors, and the kinds they were taken as."""

    n: int  # samples
    mutual: NDArray[np.float64]  # (n_codes, n_factors), nats, at least 0
    code_entropy: NDArray[np.float64]  # (n_codes,), nats, at the estimator's resolution
    factor_entropy: NDArray[np.float64]  # (n_factors,), nats, at the estimator's resolution
    code_kinds: tuple[Kind, ...]
    factor_kinds: tuple[Kind, ...]


def typed_information_matrix(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    kinds: Kinds | None = None,
    code_kinds: Kinds | None = None,
    estimator: EstimatorName = "neighbours",
    n_bins: int = 20,
    n_neighbors: int = 3,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Mutual information of every code with every factor, each of any kind.

    Args:
        codes: float array (n_samples, n_codes).
        factors: (n_samples, n_factors), numbers or text.
        kinds: of the factors (`as_columns`); None: whole numbers and text are categories, others continuous.
        code_kinds: of the codes. None: a code is discrete if more than half of its samples share their value with
            `n_neighbors` others or more, as the distance to the k-th neighbour says nothing there; otherwise it is
            continuous, and its ties are broken by noise of 1e-10 standard deviations.
        estimator: `neighbours` (Kraskov et al. 2004, Ross 2014) or `bins`.
        n_bins: bins of equal width for each continuous variable under `bins`.
        n_neighbors: k; more of them lower the variance and raise the bias.
        seed: of the noise that breaks ties.
    Returns:
        (n_codes, n_factors) in nats; estimates below 0 are returned as 0. A row of zeros for a constant code.
    Raises:
        NotDefinedError: if a factor is constant.
        ValueError: if the arrays are malformed, or an option is outside its range.
    """
    how = Estimator(estimator, n_bins, n_neighbors, seed)
    return typed_informations(codes, factors, kinds, code_kinds, how, score="mutual information").mutual


def typed_informations(
    codes: ArrayLike,
    factors: ArrayLike,
    kinds: Kinds | None,
    code_kinds: Kinds | None,
    estimator: Estimator,
    *,
    score: str,
) -> TypedInformations:
    """Estimate mutual information and entropies of codes and factors.

    Raises:
        NotDefinedError: if a factor is constant, in the name of `score`.
        ValueError: if the arrays are malformed, or there are not more samples than neighbours.
    """
    x, _ = unit_size(as_codes(codes))
    y = as_columns(factors, kinds)
    check_same_rows(x, y.values)
    check_factors_vary(y, score)
    if estimator.name == "neighbours" and len(x) <= estimator.n_neighbors:
        raise ValueError(
            f"{estimator.n_neighbors} nearest neighbours need more than {estimator.n_neighbors} samples, "
            f"but there are {len(x)}"
        )
    if code_kinds is None:
        code_kinds = [_kind_of_code(code, estimator.n_neighbors) for code in x.T]
    z = as_columns(x, code_kinds, "codes")
    cells, factor_cells = _cells(z, estimator.n_bins), _cells(y, estimator.n_bins)
    if estimator.name == "bins":
        mutual = _count(cells, factor_cells)
    else:
        mutual = _by_neighbours(z, y, cells, factor_cells, estimator)
    return TypedInformations(
        len(x), mutual, _entropies(cells), _entropies(factor_cells), code_kinds=z.kinds, factor_kinds=y.kinds
    )


def _kind_of_code(code: NDArray[np.float64], n_neighbors: int) -> Kind:
    _, counts = np.unique(code, return_counts=True)
    tied = counts[counts > n_neighbors].sum()
    return Kind(
        "ordered" if 2 * tied > len(code) else "continuous"
    )  # `ordered`, as the values may be fractions


def _cells(columns: Columns, n_bins: int) -> Indices:
    """Return the values of discrete columns, and the bins of others, as 0, 1, ... (n_samples, n_columns)."""
    return np.column_stack([_cells_of(columns, k, n_bins) for k in range(len(columns.kinds))])


def _cells_of(columns: Columns, k: int, n_bins: int) -> Indices:
    kind = columns.kinds[k]
    if kind.discrete:
        return columns.indices(k)
    if kind.name == "circular":  # equal parts of the whole turn, whatever part of it the samples fill
        return np.floor(columns.angles(k) / (2 * np.pi) * n_bins).astype(np.intp)
    return bin_codes(columns.values[:, [k]], n_bins)[:, 0]


def _count(cells: Indices, factor_cells: Indices) -> NDArray[np.float64]:
    """Return plug-in mutual information (n_codes, n_factors), a factor at a time so that memory stays small."""
    return np.column_stack(
        [
            [mutual_information(joint_counts(code[:, None], factor[:, None]))[0, 0] for code in cells.T]
            for factor in factor_cells.T
        ]
    )


def _entropies(cells: Indices) -> NDArray[np.float64]:
    return np.array([float(entropy(np.bincount(column))) for column in cells.T])


def _by_neighbours(
    codes: Columns, factors: Columns, cells: Indices, factor_cells: Indices, estimator: Estimator
) -> NDArray[np.float64]:
    random = np.random.default_rng(estimator.seed)
    code_axes, factor_axes = _axes(codes, random), _axes(factors, random)
    constant = _constant(codes)
    mutual = np.zeros((len(codes.kinds), len(factors.kinds)))
    for i, code in enumerate(code_axes):
        if constant[i]:
            continue
        for k, factor in enumerate(factor_axes):
            if code is not None and factor is not None:
                mutual[i, k] = continuous_information(code, factor, estimator.n_neighbors)
            elif code is not None:
                mutual[i, k] = mixed_information(code, factor_cells[:, k], estimator.n_neighbors)
            elif factor is not None:
                mutual[i, k] = mixed_information(factor, cells[:, i], estimator.n_neighbors)
            else:
                mutual[i, k] = _count(cells[:, [i]], factor_cells[:, [k]])[0, 0]
    return np.maximum(mutual, 0.0)


def _axes(columns: Columns, random: np.random.Generator) -> list[Axis | None]:
    """Return each column ready for distances, None for a discrete or a constant one."""
    constant = _constant(columns)
    axes: list[Axis | None] = []
    for k, kind in enumerate(columns.kinds):
        if kind.discrete or constant[k]:
            axes.append(None)
        elif kind.name == "circular":
            axes.append(angle_axis(columns.angles(k), random))
        else:
            axes.append(number_axis(columns.values[:, k], random))
    return axes


def _constant(columns: Columns) -> NDArray[np.bool_]:
    values: Codes = columns.values
    return constant_columns(values)
