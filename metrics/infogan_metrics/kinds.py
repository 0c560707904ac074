"""The kinds of factors and codes: categories, ordered values, numbers, angles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.arrays import Codes, as_codes, as_factors, check_same_rows, constant_columns, unit_size
from infogan_metrics.score import NotDefinedError

KindName = Literal["category", "ordered", "continuous", "circular"]
NAMES: tuple[str, ...] = get_args(KindName)


@dataclass(frozen=True)
class Kind:
    """The kind of one column.

    `category`: values without an order. `ordered`: discrete values with an order, whose distances mean nothing.
    `continuous`: numbers. `circular`: angles, where `period` is the same as 0.
    """

    name: KindName
    period: float = math.tau  # of a circular column, in the column's own unit

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"a kind must be one of {', '.join(NAMES)}, but is {self.name!r}")
        if not (math.isfinite(self.period) and self.period > 0):
            raise ValueError(f"the period of a circular kind must be above 0, but is {self.period}")

    @classmethod
    def parse(cls, text: str) -> Kind:
        """Read a kind from text: a name, or `circular:PERIOD`, as in `circular:360` for degrees.

        Raises:
            ValueError: if the name is unknown or the period is not a number above 0.
        """
        name, _, period = text.partition(":")
        if not period:
            return cls(name)  # type: ignore[arg-type]
        if name != "circular":
            raise ValueError(f"a period belongs to a circular kind alone, but the kind is {text!r}")
        try:
            return cls("circular", float(period))
        except ValueError:
            raise ValueError(
                f"the period of a circular kind must be above 0, but the kind is {text!r}"
            ) from None

    @property
    def discrete(self) -> bool:
        """True for `category` and `ordered`, whose values are counted."""
        return self.name in ("category", "ordered")

    def __str__(self) -> str:
        if self.name != "circular" or self.period == math.tau:
            return self.name
        short = f"{self.period:g}"
        return f"circular:{short if float(short) == self.period else repr(self.period)}"


AnyKind = Kind | str
Kinds = AnyKind | Sequence[AnyKind | None]  # one for all columns, or one for each; None: as without kinds
NamedKinds = Mapping[str, AnyKind]  # of some columns, by name or number; the others are as without kinds


@dataclass(frozen=True, eq=False)
class Columns:
    """An array of columns, each with its kind."""

    values: Codes  # (n_samples, n_columns); 0, 1, ... for the values of a category
    kinds: tuple[Kind, ...]  # one for each column

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, rows: slice) -> Columns:
        """Return some of the samples."""
        return Columns(self.values[rows], self.kinds)

    def indices(self, k: int) -> NDArray[np.intp]:
        """Return the values of a discrete column as 0, 1, ... (n_samples,)."""
        return np.unique(self.values[:, k], return_inverse=True)[1].ravel()

    def angles(self, k: int) -> NDArray[np.float64]:
        """Return a circular column in radians, in [0, 2 pi) (n_samples,)."""
        period = self.kinds[k].period
        turns = np.mod(self.values[:, k], period) / period
        return np.where(turns < 1, turns, 0.0) * math.tau

    def targets(self, k: int) -> Codes:
        """Return the numbers that a regression predicts for column k.

        Returns:
            (n_samples, d): an indicator of each value of a category, cosine and sine of an angle, the value itself
            otherwise.
        """
        kind = self.kinds[k]
        if kind.name == "category":
            indicators: Codes = (self.values[:, [k]] == np.arange(self.values[:, k].max() + 1)).astype(
                np.float64
            )
            return indicators
        if kind.name == "circular":
            angles = self.angles(k)
            return np.column_stack([np.cos(angles), np.sin(angles)])
        return self.values[:, [k]]


def as_columns(
    values: ArrayLike,
    kinds: Kinds | None = None,
    name: str = "factors",
    *,
    whole: Literal["category", "ordered"] = "category",
) -> Columns:
    """Return an array as columns of known kinds.

    Args:
        values: (n_samples, n_columns) numbers or text; an array of objects may mix both by column.
        kinds: the kind of all columns, or one for each column, as a `Kind` or its text (`Kind.parse`). None: text is
            a `category`, a column of whole numbers alone is of the kind `whole`, any other is `continuous`. An angle
            is never guessed.
        name: of the array, in messages.
    Raises:
        ValueError: if the array is not 2-D, is empty or not finite, if the numbers of kinds and columns differ, a
            category holds fractions, or text is not a category.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "OUS":
        array = as_codes(array, name)
    elif array.ndim != 2 or not array.size:
        as_codes(np.zeros(array.shape), name)  # raises, in the same words
    given = given_kinds(kinds, array.shape[1], name)
    columns, found = [], []
    for k, column in enumerate(array.T):
        numbers, kind = _as_column(column, given[k], whole, f"{name}[:, {k}]")
        columns.append(numbers)
        found.append(kind)
    return Columns(np.column_stack(columns), tuple(found))


def as_codes_and_columns(
    codes: ArrayLike,
    factors: ArrayLike,
    kinds: Kinds | None = None,
    *,
    whole: Literal["category", "ordered"] = "category",
) -> tuple[Codes, Columns]:
    """Return both, checked to have one row per sample. Codes too large or too small to be squared are rescaled.

    Raises:
        ValueError: as `as_codes` and `as_columns` do, or if the numbers of rows differ.
    """
    (x, _), columns = unit_size(as_codes(codes)), as_columns(factors, kinds, whole=whole)
    check_same_rows(x, columns.values)
    return x, columns


def as_split(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike,
    test_factors: ArrayLike,
    kinds: Kinds | None = None,
) -> tuple[Codes, Columns, Codes, Columns]:
    """Return codes and factors of the training and the test split, with the same kinds and categories in both.

    Raises:
        ValueError: as `as_codes_and_columns` does, if the splits differ in their numbers of columns, or if a
            discrete factor has a value in the test split that no training sample has.
    """
    x, test_x = as_codes(codes), as_codes(test_codes, "test_codes")
    y, test_y = np.asarray(factors), np.asarray(test_factors)
    as_columns(y, kinds)  # alone first, so that messages name the right array
    as_columns(test_y, kinds, "test_factors")
    check_same_rows(x, y)
    check_same_rows(test_x, test_y, ("test_codes", "test_factors"))
    for name, train, test in (("codes", x, test_x), ("factors", y, test_y)):
        if train.shape[1] != test.shape[1]:
            raise ValueError(
                f"`{name}` and `test_{name}` must have the same columns, "
                f"but have {train.shape[1]} and {test.shape[1]}"
            )
    both = as_columns(np.concatenate([y, test_y]), kinds)
    train_part, test_part = both.rows(slice(len(y))), both.rows(slice(len(y), None))
    for k, kind in enumerate(both.kinds):
        if kind.discrete and np.setdiff1d(test_part.values[:, k], train_part.values[:, k]).size:
            raise ValueError(f"factor {k} has values in the test split that no training sample has")
    return x, train_part, test_x, test_part


def kinds_of_columns(
    kinds: Kinds | NamedKinds | None, names: Sequence[str]
) -> tuple[Kind | None, ...] | None:
    """Return the kind of each of the columns that are called `names`, None for one that is not said.

    Args:
        kinds: one for all, one for each, or by name; a column without a name goes by its number, from 0.
        names: of the columns.
    Raises:
        ValueError: if there is no such column or kind, or if the numbers of kinds and columns differ.
    """
    if not isinstance(kinds, Mapping):
        return None if kinds is None else given_kinds(kinds, len(names), "factors")
    found: list[Kind | None] = [None] * len(names)
    for name, kind in kinds.items():
        if name in names:
            place = names.index(name)
        elif str(name).isdecimal() and int(name) < len(names):
            place = int(name)
        else:
            there = ", ".join(f"`{each}`" for each in names)
            raise ValueError(f"`kinds` names the factor `{name}`, which is not there; there is {there}")
        found[place] = Kind.parse(kind) if isinstance(kind, str) else kind
    return tuple(found)


def check_factors_vary(factors: Columns, score: str) -> None:
    """Raise NotDefinedError, in the name of `score`, if a factor is constant."""
    for k, kind in enumerate(factors.kinds):
        column = factors.targets(k) if kind.name == "circular" else factors.values[:, [k]]
        if constant_columns(column).all():
            raise NotDefinedError(f"{score} is not defined: factor {k} is constant")


def given_kinds(
    kinds: Kinds | None, n_columns: int, name: str, *, argument: str = "kinds"
) -> tuple[Kind | None, ...]:
    """Return the kind of each of `n_columns` columns of the array `name`, None for one that is not said.

    Raises:
        ValueError: if there are not as many kinds as columns, or one is unknown; the message names `argument`.
    """
    if kinds is None:
        return (None,) * n_columns
    if isinstance(kinds, (Kind, str)):
        kinds = [kinds] * n_columns
    if len(kinds) != n_columns:
        raise ValueError(
            f"`{argument}` must name one kind for each of the {n_columns} columns of `{name}`, but names {len(kinds)}"
        )
    return tuple(Kind.parse(kind) if isinstance(kind, str) else kind for kind in kinds)


def _as_column(
    column: NDArray[Any], kind: Kind | None, whole: Literal["category", "ordered"], name: str
) -> tuple[NDArray[np.float64], Kind]:
    """Return one column as numbers (n_samples,), and its kind."""
    if column.dtype.kind == "O":
        column = np.asarray(column.tolist())
    if column.dtype.kind in "US":
        kind = kind or Kind("category")
        if kind.name != "category":
            raise ValueError(f"`{name}` holds text, so its kind must be category, but is {kind}")
    else:
        column = as_codes(column[:, None], name)[:, 0]
        kind = kind or Kind(whole if (column == np.floor(column)).all() else "continuous")
    if kind.name == "category":
        column = as_factors(column[:, None], name)[:, 0].astype(np.float64)
    return column, kind
