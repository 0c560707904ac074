"""Array-likes of other libraries as plain numpy arrays: tensors, data frames, masked arrays."""

from __future__ import annotations

import numbers
import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_plain(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return a numpy array of anything array-like, without a copy where that is possible.

    Tensors of torch are taken from any device, with their gradients left behind, and bfloat16 becomes float32.
    Nullable and mixed columns of pandas become an array of objects, which `as_numbers` and `column_values` read.

    Raises:
        ValueError: if an entry of a masked array is masked, or if rows differ in length.
    """
    torch = sys.modules.get("torch")  # a tensor can only come from a torch that is loaded
    if torch is not None and isinstance(values, torch.Tensor):
        tensor = values.detach().cpu()
        return np.asarray((tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy())
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.getmaskarray(values).any():
            place = np.argwhere(np.ma.getmaskarray(values))[0].tolist()
            raise ValueError(f"`{name}` must have no missing values, but its entry {place} is masked")
        return np.asarray(values.data)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"`{name}` cannot be read as one array: {error}") from error
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def off_device(values: Any, name: str) -> Any:
    """Return tensors, also those inside of lists, as numpy arrays, and anything else as it is."""
    if isinstance(values, (list, tuple)):
        return [off_device(each, name) for each in values]
    torch = sys.modules.get("torch")
    return as_plain(values, name) if torch is not None and isinstance(values, torch.Tensor) else values


def as_numbers(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return a 2-D array of real numbers, with objects read one by one.

    Raises:
        ValueError: if an entry is missing, or is not a real number.
    """
    if array.dtype.kind == "O":
        for row, column in np.ndindex(*array.shape):
            _refuse_missing(array[row, column], name, row, column)
            if not _is_number(array[row, column]):
                raise ValueError(
                    f"`{name}` must hold real numbers, but row {row}, column {column} is {array[row, column]!r}"
                )
        return array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"`{name}` must hold real numbers, but has dtype {array.dtype}")
    return array


def column_values(column: NDArray[Any], name: str, number: int) -> NDArray[Any]:
    """Return one column of discrete values as an array of numbers or of text.

    Raises:
        ValueError: if an entry is missing or infinite, or if the column mixes text with numbers.
    """
    if column.dtype.kind == "O":
        for row, value in enumerate(column):
            _refuse_missing(value, name, row, number)
        text = np.array([isinstance(value, str | bytes) for value in column])
        if text.all():
            return column.astype(np.str_)
        if text.any() or not all(map(_is_number, column)):
            other = next(value for value in column if not _is_number(value))
            raise ValueError(
                f"`{name}` must hold whole numbers or text, one of them in each column, "
                f"but column {number} holds {other!r} among others"
            )
        column = column.astype(np.float64)
    if column.dtype.kind not in "biufUS":
        raise ValueError(f"`{name}` must hold integers or strings, but has dtype {column.dtype}")
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        row = int(np.argmin(np.isfinite(column)))
        _refuse_missing(column[row], name, row, number)
        raise ValueError(f"`{name}` must be finite, but row {row}, column {number} is {column[row]}")
    return column


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real | np.bool_)


def _refuse_missing(value: Any, name: str, row: int, column: int) -> None:
    if isinstance(value, float | np.floating) and np.isnan(value):
        raise ValueError(
            f"`{name}` must be finite, but row {row}, column {column} is NaN; leave out samples without a value"
        )
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        raise ValueError(
            f"`{name}` must have no missing values, but row {row}, column {column} is {value}; "
            "leave out samples without a value"
        )
