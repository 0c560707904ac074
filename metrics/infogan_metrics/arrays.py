"""The arrays that scores of codes against factors take: checked, and in one form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_RELATIVE_RANGE = 1e-12  # a code that varies by less, relative to its size, holds rounding errors only

Codes = NDArray[np.float64]
Indices = NDArray[np.intp]


def as_codes(codes: ArrayLike, name: str = "codes") -> Codes:
    """Return codes as float64 (n_samples, n_codes).

    Raises:
        ValueError: if they are not a 2-D array of finite numbers with at least one row and column.
    """
    array = _two_dimensional(codes, name)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"`{name}` must hold real numbers, but has dtype {array.dtype}")
    finite = np.isfinite(array)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(f"`{name}` must be finite, but row {row}, column {column} is {array[row, column]}")
    return array.astype(np.float64)


def as_factors(factors: ArrayLike, name: str = "factors") -> Indices:
    """Return discrete factors as indices (n_samples, n_factors): 0 for a factor's smallest value, and so on.

    Raises:
        ValueError: if they are not 2-D, are empty, or hold fractions or NaN.
    """
    array = _two_dimensional(factors, name)
    if array.dtype.kind not in "biufUS":
        raise ValueError(f"`{name}` must hold integers or strings, but has dtype {array.dtype}")
    if array.dtype.kind == "f" and not (array == np.floor(array)).all():
        raise ValueError(
            f"`{name}` must be discrete, but holds values that are not whole numbers; "
            "cut continuous factors into bins with `bin_factors`"
        )
    return np.stack([np.unique(column, return_inverse=True)[1] for column in array.T], axis=1)


def as_codes_and_factors(
    codes: ArrayLike, factors: ArrayLike, names: tuple[str, str] = ("codes", "factors")
) -> tuple[Codes, Indices]:
    """Return both, checked to have one row per sample.

    Raises:
        ValueError: as `as_codes` and `as_factors` do, or if the numbers of rows differ.
    """
    pair = as_codes(codes, names[0]), as_factors(factors, names[1])
    check_same_rows(*pair, names)
    return pair


def check_same_rows(
    codes: NDArray[Any], factors: NDArray[Any], names: tuple[str, str] = ("codes", "factors")
) -> None:
    """Raise ValueError if the numbers of rows differ."""
    if len(codes) != len(factors):
        raise ValueError(
            f"`{names[0]}` and `{names[1]}` must have one row per sample, "
            f"but have {len(codes)} and {len(factors)} rows"
        )


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
    both = as_factors(np.concatenate([np.asarray(factors), np.asarray(test_factors)]))
    train_y, test_y = both[: len(train_y)], both[len(train_y) :]
    for k, (seen, asked) in enumerate(zip(train_y.T, test_y.T, strict=True)):
        if np.setdiff1d(asked, seen).size:
            raise ValueError(f"factor {k} has values in the test split that no training sample has")
    return train_x, train_y, test_x, test_y


def constant_columns(codes: Codes) -> NDArray[np.bool_]:
    """Return which codes (n_codes,) are constant, up to rounding errors."""
    constant: NDArray[np.bool_] = np.ptp(codes, axis=0) <= _RELATIVE_RANGE * np.abs(codes).max(axis=0)
    return constant


def standardise(codes: Codes, *others: Codes) -> tuple[Codes, ...]:
    """Return all arrays less the mean of the first, over its standard deviation; no code may be constant."""
    mean, std = codes.mean(axis=0), codes.std(axis=0)
    return tuple((array - mean) / std for array in (codes, *others))


def _two_dimensional(values: ArrayLike, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 2:
        raise ValueError(
            f"`{name}` must be 2-D, one row per sample, but has shape {array.shape}; "
            "give a single column as x[:, None]"
        )
    if array.size == 0:
        raise ValueError(f"`{name}` must hold at least one row and one column, but has shape {array.shape}")
    return array
