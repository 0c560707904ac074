"""The translation of records from and to JSON. A frozen dataclass defines a document; a fault names file and key."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from infogan_bench.records.errors import RecordError

JsonObject: TypeAlias = dict[str, object]
Record = TypeVar("Record")
_Converter: TypeAlias = Callable[
    [object, str], Any
]  # (a value of JSON, its dotted key) -> a value of the record

_SHOWN = 60  # characters of a value in a message


class _MismatchError(Exception):
    """A value that is not of the type that its key must have."""


def decode(kind: type[Record], document: object, source: Path | str) -> Record:
    """Read a record from plain JSON values. Keys that the record does not define are left out.

    Args:
        kind: a dataclass. Its fields may be text, numbers, flags, enumerations, other dataclasses, tuples and mappings
            of them, and optional; a field without a default must be in the document.
        document: what `json.loads` gave.
        source: the file, for the message.

    Raises:
        RecordError: if a key is missing or a value has another type.
    """
    try:
        value: Record = _converter(cast(Any, kind))(document, "")
    except _MismatchError as error:
        raise RecordError(f"{source}: {error}") from None
    return value


def encode(record: object) -> JsonObject:
    """Return a dataclass as plain JSON values, under the keys that `decode` reads."""
    assert is_dataclass(record)  # noqa: S101
    return {key_of(field): _plain(getattr(record, field.name)) for field in fields(record)}


def key_of(field: Field[Any]) -> str:
    """Return the key of a field in the document: its name, or the `key` in its metadata."""
    key: str = field.metadata.get("key", field.name)
    return key


def keys_of(kind: type) -> tuple[str, ...]:
    """Return the keys of a record's document."""
    return tuple(key_of(field) for field in fields(kind))


def _plain(value: object) -> object:
    if is_dataclass(value):
        return encode(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


# From JSON to the types of a dataclass --------------------------------------------------------------------


@cache
def _converter(annotation: Any) -> _Converter:
    """Return the function that reads a value of the annotated type."""
    if annotation is Any or annotation is object:
        return lambda value, key: value
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _enumeration(annotation)
    if is_dataclass(annotation):
        return _DataclassConverter.of(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _tuple(arguments)
    assert isinstance(origin, type), annotation  # noqa: S101
    assert issubclass(origin, Mapping), annotation  # noqa: S101
    return _mapping(_converter(arguments[1]))


@dataclass(frozen=True)
class _DataclassConverter:
    kind: Any
    keys: tuple[tuple[str, str, bool, _Converter], ...]  # (name, key, whether it must be there, converter)

    @classmethod
    def of(cls, kind: Any) -> _DataclassConverter:
        hints = get_type_hints(kind)
        return cls(
            kind,
            tuple(
                (
                    field.name,
                    key_of(field),
                    field.default is MISSING and field.default_factory is MISSING,
                    _converter(hints[field.name]),
                )
                for field in fields(kind)
            ),
        )

    def __call__(self, value: object, key: str) -> Any:
        document = _object(value, key)
        prefix = f"{key}." if key else ""
        values = {}
        for name, part, required, convert in self.keys:
            if part in document:
                values[name] = convert(document[part], prefix + part)
            elif required:
                raise _MismatchError(f"`{prefix}{part}` is missing")
        try:
            return self.kind(**values)
        except ValueError as error:  # a value that the record itself refuses
            raise _MismatchError(f"`{key}`: {error}" if key else str(error)) from None


def _object(value: object, key: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _mismatch(key, "an object", value)
    return value


def _optional(arguments: tuple[Any, ...]) -> _Converter:
    """Return the function for `X | None`."""
    [annotation] = [each for each in arguments if each is not types.NoneType]
    convert = _converter(annotation)
    return lambda value, key: None if value is None else convert(value, key)


def _tuple(arguments: tuple[Any, ...]) -> _Converter:
    """Return the function for `tuple[X, ...]`, or for a tuple of a fixed length."""
    length = None if arguments[-1] is ... else len(arguments)
    convert = _converter(arguments[0])

    def read(value: object, key: str) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise _mismatch(key, "a list", value)
        if length is not None and len(value) != length:
            raise _mismatch(key, f"a list of {length}", value)
        return tuple(convert(each, f"{key}[{place}]") for place, each in enumerate(value))

    return read


def _mapping(convert: _Converter) -> _Converter:
    def read(value: object, key: str) -> Mapping[str, Any]:
        return {str(name): convert(each, f"{key}.{name}") for name, each in _object(value, key).items()}

    return read


def _enumeration(kind: type[Enum]) -> _Converter:
    def read(value: object, key: str) -> Enum:
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(str(each.value) for each in kind)
            raise _mismatch(key, f"one of {allowed}", value) from None

    return read


def _text(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise _mismatch(key, "text", value)
    return value


def _whole(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(key, "a whole number", value)
    return value


def _number(value: object, key: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _mismatch(key, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise _mismatch(key, "a number", value) from None


def _flag(value: object, key: str) -> bool:
    if not isinstance(value, bool):
        raise _mismatch(key, "true or false", value)
    return value


_SCALARS: dict[Any, _Converter] = {str: _text, int: _whole, float: _number, bool: _flag}


def _mismatch(key: str, expected: str, value: object) -> _MismatchError:
    text = repr(value)
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    place = f"`{key}` must be {expected}" if key else f"must hold {expected}"
    return _MismatchError(f"{place}, but is {shown}" if key else f"{place}, but holds {shown}")
