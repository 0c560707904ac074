"""The translation of pydantic's errors into faults: one for each key, a sentence in our own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from infogan_bench.config.errors import Fault, code_list, show
from infogan_bench.config.names import nearest, not_among, suggestion
from infogan_bench.config.yaml_file import dotted, is_number

_Sentence: TypeAlias = Callable[[Any, Mapping[str, Any]], str]
"""The refused value, and the limits that pydantic names with an error (`{"ge": 0}`) -> what to tell the user."""


def explain(error: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """The faults of the values given for `model`, with dotted keys that start at `model`."""
    faults: dict[str, Fault] = {}
    for details in error.errors(include_url=False):
        path = tuple(part for part in details["loc"] if part != "[key]")
        key = dotted(path)
        faults.setdefault(key, Fault(_sentence(details, model, path), key or None))
    return list(faults.values())


def leaf_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted keys of all values in `model` and its sections."""
    for name, field in model.model_fields.items():
        if section := _as_model(field.annotation):
            yield from leaf_keys(section, f"{prefix}{name}.")
        else:
            yield prefix + name


def _sentence(details: ErrorDetails, model: type[BaseModel], path: tuple[str | int, ...]) -> str:
    value = details["input"]
    if details["type"] == "extra_forbidden":
        return _unknown(path, model)
    if details["type"] == "literal_error":
        return _not_a_literal(value, details["ctx"]["expected"])
    if details["type"] == "value_error":
        return str(details["ctx"]["error"])
    if sentence := _SENTENCES.get(details["type"]):
        return sentence(value, details.get("ctx", {}))
    return f"{details['msg'][:1].lower()}{details['msg'][1:]}, got {show(value)}"


def _expected(what: str) -> _Sentence:
    return lambda value, _: f"expected {what}, got {show(value)}{_hint(what, value)}"


def _hint(what: str, value: Any) -> str:
    if isinstance(value, str) and "number" in what and is_number(value):
        return "; remove the quotes"
    if isinstance(value, bool | int | float) and what == "text":
        return "; put it in quotes"
    return ""


def _section_expected(value: Any, _: Mapping[str, Any]) -> str:
    if value is None:
        return "is empty; give it keys or remove it"
    return f"expected a section with keys of its own, got {show(value)}"


_SENTENCES: dict[str, _Sentence] = {
    "missing": lambda value, ctx: "is missing",
    "float_type": _expected("a number"),
    "int_type": _expected("a whole number"),
    "bool_type": _expected("true or false"),
    "string_type": _expected("text"),
    "tuple_type": _expected("a list"),
    "dict_type": _section_expected,
    "model_type": _section_expected,
    "finite_number": _expected("a finite number"),
    "greater_than": lambda value, ctx: f"must be greater than {ctx['gt']:g}, got {show(value)}",
    "greater_than_equal": lambda value, ctx: f"must be at least {ctx['ge']:g}, got {show(value)}",
    "less_than": lambda value, ctx: f"must be less than {ctx['lt']:g}, got {show(value)}",
    "less_than_equal": lambda value, ctx: f"must be at most {ctx['le']:g}, got {show(value)}",
    "string_too_short": lambda value, ctx: "must not be empty",
    "string_too_long": lambda value, ctx: f"must have at most {ctx['max_length']} characters",
}


def _not_a_literal(value: Any, expected: str) -> str:
    """`expected` is pydantic's list of the allowed texts: 'grid', 'random' or 'tpe'."""
    allowed = expected.replace(" or ", ", ").replace("'", "").split(", ")
    return not_among(value, allowed)


def _unknown(path: tuple[str | int, ...], model: type[BaseModel]) -> str:
    """Suggest a key for an unknown one: a similar key beside it, or a key of the same name elsewhere."""
    *parents, name = (str(part) for part in path)
    keys = tuple(leaf_keys(model))
    if (full := ".".join((*parents, name))) in keys:
        return f"unknown key; write it nested: `{full.replace('.', ': {')}: ...{'}' * full.count('.')}`"
    siblings = tuple(_section(model, parents).model_fields)
    alike = nearest(name, siblings)
    candidates = [alike] if alike else []
    candidates += _with_last_part(name, keys)
    if not candidates and (last := nearest(name, (key.rpartition(".")[2] for key in keys))):
        candidates = _with_last_part(last, keys)
    if candidates:
        return f"unknown key; did you mean {code_list(candidates)}?"
    return f"unknown key; {suggestion(name, siblings)}"


def _with_last_part(name: str, keys: Iterable[str]) -> list[str]:
    return [key for key in keys if key.rpartition(".")[2] == name]


def _section(model: type[BaseModel], parents: list[str]) -> type[BaseModel]:
    for part in parents:
        if part in model.model_fields:  # otherwise it is the place of a section in a list
            annotation = model.model_fields[part].annotation
            of_list = get_args(annotation)[0] if get_origin(annotation) is tuple else annotation
            model = _as_model(of_list) or model
    return model


def _as_model(annotation: Any) -> type[BaseModel] | None:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None
