"""Balls around samples that reach to their k-th neighbours, and which samples of another set lie in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infogan_metrics.arrays import Codes, Indices

_TABLE = 1 << 22  # distances at once: 32 MiB
_EPS = float(np.finfo(np.float64).eps)

Vector = NDArray[np.float64]


class Neighbourhoods:
    """Balls around real and around fake samples, from distances by matrix products.

    A product of matrices finds |a|^2 + |b|^2 - 2 a.b some times faster than differences do, up to rounding errors.
    What those could decide, such as whether duplicates have distance 0, is found again from the differences.

    Args:
        real, fake: (n, d) and (n_fake, d).
        k: which neighbour sets the radius of a ball.
    Raises:
        ValueError: if `k` is below 1, or not below the number of samples of a set whose balls are asked for.
    """

    def __init__(self, real: Codes, fake: Codes, k: int) -> None:
        centre = real.mean(axis=0)  # small norms have small rounding errors
        self._real, self._fake, self._k = real - centre, fake - centre, k
        self._norms = [np.einsum("ij,ij->i", x, x) for x in (self._real, self._fake)]
        self._error = _EPS * (real.shape[1] + 8)  # of a squared distance, relative to the squared norms
        self.held: Indices = np.zeros(len(real), dtype=np.intp)  # fakes in each real ball, after `counts`

    def counts(self, *, of_fake: bool = False) -> tuple[Indices, Indices]:
        """Return in how many real balls each fake lies, and, if asked for, in how many fake balls each real."""
        radii = self._radii(self._real, self._norms[0])
        fake_radii = self._radii(self._fake, self._norms[1]) if of_fake else None
        in_real, in_fake = np.zeros(len(self._fake), np.intp), np.zeros(len(self._real), np.intp)
        for rows in _blocks(len(self._real), len(self._fake)):
            squares, errors = self._squares(rows)
            inside = self._within(squares, errors, radii[rows, None], rows)
            self.held[rows] = inside.sum(axis=1)
            in_real += inside.sum(axis=0)
            if fake_radii is not None:
                in_fake[rows] = self._within(squares, errors, fake_radii[None], rows).sum(axis=1)
        return in_real, in_fake

    def _squares(self, rows: slice) -> tuple[Codes, Vector]:
        """Squared distances of some real samples from all fakes, and a bound of each row's rounding errors."""
        a, norms = self._real[rows], self._norms[0][rows]
        squares = _squared_distances(a, self._fake, norms, self._norms[1])
        return squares, self._error * (norms + self._norms[1].max())

    def _within(self, squares: Codes, errors: Vector, radii: Codes, rows: slice) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = squares <= radii - errors[:, None]
        possible = squares <= radii + errors[:, None]
        if np.count_nonzero(possible) != np.count_nonzero(inside):
            row, column = np.nonzero(possible & ~inside)
            exact = _exact(self._real[rows], self._fake, row, column)
            inside[row, column] = exact <= np.broadcast_to(radii, squares.shape)[row, column]
        return inside

    def _radii(self, x: Codes, norms: Vector) -> Vector:
        """Return the squared distance of each sample from its k-th neighbour, exact up to one rounding."""
        k = self._k
        if not 1 <= k < len(x):
            raise ValueError(f"`k` must be at least 1 and below the number of samples, {len(x)}, but is {k}")
        radii = np.empty(len(x))
        for rows in _blocks(len(x), len(x)):
            squares = _squared_distances(x[rows], x, norms[rows], norms)
            # The 0-th neighbour is the sample itself.
            before, nearest, after = np.partition(squares, [k - 1, k, min(k + 1, len(x) - 1)], axis=1)[
                :, [k - 1, k, min(k + 1, len(x) - 1)]
            ].T
            errors = 2 * self._error * (norms[rows] + norms.max())
            column = np.argmax(squares == nearest[:, None], axis=1)
            radii[rows] = _exact(x[rows], x, np.arange(len(nearest)), column)
            tied = (nearest - before <= errors) | (after - nearest <= errors)
            for i in np.flatnonzero(tied):
                near = np.flatnonzero(squares[i] <= nearest[i] + errors[i])
                exact = _exact(x[rows], x, np.full(len(near), i), near)
                radii[rows.start + i] = np.partition(exact, k)[k]
        return radii


def _blocks(n: int, width: int) -> list[slice]:
    step = max(_TABLE // width, 1)
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def _squared_distances(a: Codes, b: Codes, norms_a: Vector, norms_b: Vector) -> Codes:
    squares: Codes = a @ b.T
    squares *= -2
    squares += norms_a[:, None]
    squares += norms_b
    return squares


def _exact(a: Codes, b: Codes, row: Indices, column: Indices) -> Vector:
    """Return squared distances of single pairs from their differences."""
    exact = np.empty(len(row))
    for pairs in _blocks(len(row), 16 * a.shape[1]):  # few enough to stay in the processor's cache
        difference = a[row[pairs]] - b[column[pairs]]
        exact[pairs] = np.einsum("ij,ij->i", difference, difference)
    return exact
