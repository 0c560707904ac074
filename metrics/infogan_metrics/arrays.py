"""The arrays that scores of codes against factors take: checked, and in one form."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.intake import as_numbers, as_plain, column_values

_FEW_ULPS = 8  # a code that varies by no more, relative to its largest size, holds rounding errors only
_SAFE_EXPONENT = 128  # fourth powers of codes below 2^128 and above 2^-128 neither overflow nor vanish
_EPS = float(np.finfo(np.float64).eps)

Codes = NDArray[np.float64]
Indices = NDArray[np.intp]


def as_codes(codes: ArrayLike, name: str = "codes") -> Codes:
    """Return codes as float64 (n_samples, n_codes).

    A code whose range is at most 8 eps of its largest size, eps being that of the type it is given in, holds
    rounding errors alone: it is returned as the constant that every score then takes it for.

    Raises:
        ValueError: if they are not a 2-D array of finite numbers with at least one row and column.
    """
    given = as_numbers(_two_dimensional(codes, name), name)
    finite = np.isfinite(given)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(f"`{name}` must be finite, but row {row}, column {column} is {given[row, column]}")
    array = given.astype(np.float64)
    eps = float(np.finfo(given.dtype).eps) if given.dtype.kind == "f" else _EPS
    flat = constant_columns(array, eps)
    if flat.any():
        array[:, flat] = array[0, flat]
    return array


def as_factors(factors: ArrayLike, name: str = "factors") -> Indices:
    """Return discrete factors as indices (n_samples, n_factors): 0 for a factor's smallest value, and so on.

    Raises:
        ValueError: if they are not 2-D, are empty, or hold fractions, missing or infinite values, or text and
            numbers in one column.
    """
    array = _two_dimensional(factors, name)
    columns = [column_values(column, name, k) for k, column in enumerate(array.T)]
    indices = np.empty(array.shape, dtype=np.intp, order="F")
    for k, column in enumerate(columns):
        if column.dtype.kind == "f":
            if not (column == np.floor(column)).all():
                raise ValueError(
                    f"`{name}` must be discrete, but holds values that are not whole numbers; "
                    "cut continuous factors into bins with `bin_factors`"
                )
            if np.abs(column).max() < 2**53:
                column = column.astype(np.int64)
        indices[:, k] = _indices(column)
    return indices


def as_codes_and_factors(
    codes: ArrayLike, factors: ArrayLike, names: tuple[str, str] = ("codes", "factors")
) -> tuple[Codes, Indices]:
    """Return both, checked to have one row per sample; see `check_same_rows`.

    Raises:
        ValueError: as `as_codes` and `as_factors` do, or if the numbers of rows differ.
    """
    pair = as_codes(codes, names[0]), as_factors(factors, names[1])
    check_same_rows(*pair, names)
    return pair


def check_same_rows(
    codes: NDArray[Any], factors: NDArray[Any], names: tuple[str, str] = ("codes", "factors")
) -> None:
    """Check that two arrays have one row per sample. Warn of arrays that look transposed, and of two samples.

    Raises:
        ValueError: if the numbers of rows differ.
    """
    transposed = [
        name for array, name in zip((codes, factors), names, strict=True) if len(array) < array.shape[1]
    ]
    if len(codes) != len(factors):
        hint = f"; `{transposed[0]}` has fewer rows than columns: is it transposed?" if transposed else ""
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have one row per sample, "
            f"but have {len(codes)} and {len(factors)} rows{hint}"
        )
    for name in transposed:
        warnings.warn(
            f"`{name}` has fewer rows than columns: a row is a sample, so transpose it if its rows are columns",
            stacklevel=4,
        )
    if len(codes) < 3:
        warnings.warn(f"a score of {len(codes)} samples says nothing about the codes", stacklevel=4)


def as_train_and_test(
    codes: ArrayLike, factors: ArrayLike, test_codes: ArrayLike, test_factors: ArrayLike
) -> tuple[Codes, Indices, Codes, Indices]:
    """Return all four, with one index for each value of a factor in both splits.

    Raises:
        ValueError: as `as_codes_and_factors` does, if the splits differ in their numbers of columns, or if a
            factor has a value in the test split that no training sample has.
    """
    train_x, train_y = as_codes_and_factors(codes, factors)
    test_x, test_y = as_codes_and_factors(test_codes, test_factors, ("test_codes", "test_factors"))
    for name, train, test in (("codes", train_x, test_x), ("factors", train_y, test_y)):
        if train.shape[1] != test.shape[1]:
            raise ValueError(
                f"`{name}` and `test_{name}` must have the same columns, "
                f"but have {train.shape[1]} and {test.shape[1]}"
            )
    plain = [as_plain(factors, "factors"), as_plain(test_factors, "test_factors")]
    both = as_factors(np.concatenate(plain))
    train_y, test_y = both[: len(train_y)], both[len(train_y) :]
    for k, (seen, asked) in enumerate(zip(train_y.T, test_y.T, strict=True)):
        if np.setdiff1d(asked, seen).size:
            raise ValueError(f"factor {k} has values in the test split that no training sample has")
    return train_x, train_y, test_x, test_y


def constant_columns(codes: Codes, eps: float = _EPS) -> NDArray[np.bool_]:
    """Return which codes (n_codes,) are constant: their range is at most 8 `eps` of their largest size.

    All scores share this rule, and `as_codes` applies it with the precision of the type that codes are given in.
    """
    low, high = codes.min(axis=0), codes.max(axis=0)
    size = np.maximum(np.abs(low), np.abs(high))
    constant: NDArray[np.bool_] = high / 2 - low / 2 <= size * (_FEW_ULPS / 2 * eps)  # halves do not overflow
    return constant


def unit_size(codes: Codes) -> tuple[Codes, NDArray[np.intp]]:
    """Return codes that are too large or too small to be squared, each divided by a power of two, and its exponent.

    Codes of usual size are returned as they are, with exponent 0. Division by a power of two is exact, so scores
    that do not depend on the scale of a code do not change by it.
    """
    exponents = np.frexp(np.abs(codes).max(axis=0))[1].astype(np.intp)
    exponents[np.abs(exponents) < _SAFE_EXPONENT] = 0
    return (np.ldexp(codes, -exponents) if exponents.any() else codes), exponents


def standardise(codes: Codes, *others: Codes) -> tuple[Codes, ...]:
    """Return all arrays less the mean of the first, over its standard deviation; no code may be constant."""
    scaled, exponents = unit_size(codes)
    mean, std = scaled.mean(axis=0), scaled.std(axis=0)
    rest = (np.ldexp(array, -exponents) if exponents.any() else array for array in others)
    return tuple((array - mean) / std for array in (scaled, *rest))


def _indices(column: NDArray[Any]) -> Indices:
    """Return for each entry the rank of its value among the distinct values of the column."""
    if column.dtype.kind in "biu":
        low, high = int(column.min()), int(column.max())
        if high - low < 4 * len(column) + 1024:  # a table of the values is then faster than sorting them
            places = np.subtract(column, low, dtype=np.int64) if low else column.astype(np.int64)
            ranks = np.cumsum(np.bincount(places) > 0) - 1
            return np.asarray(ranks[places], dtype=np.intp)
    return np.asarray(np.unique(column, return_inverse=True)[1], dtype=np.intp)


def _two_dimensional(values: ArrayLike, name: str) -> NDArray[Any]:
    array = as_plain(values, name)
    if array.ndim != 2:
        raise ValueError(
            f"`{name}` must be 2-D, one row per sample, but has shape {array.shape}; "
            "give a single column as x[:, None]"
        )
    if array.size == 0:
        raise ValueError(f"`{name}` must hold at least one row and one column, but has shape {array.shape}")
    return array
