"""The base of all sections of a sweep file, and the kinds of numbers in them.

Types are strict: `"1e-3"` in quotes, `no` for false and `.nan` are errors. `1e3` is accepted as an integer. Nothing in
`config` imports torch, so a file is checked in a fraction of a second.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict

from infogan_bench.config.errors import show
from infogan_bench.config.yaml_file import is_number
from infogan_bench.secrets import hide_secrets


def _whole(value: Any) -> Any:
    """Let a float without a fraction (`1e3` in YAML) stand for an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def sequence(value: Any) -> Any:
    """Let a single value stand for a list of one, and turn lists into tuples."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value,)


def named(value: Any) -> Any:
    """Let a text stand for a section with that name."""
    return {"name": value} if isinstance(value, str) else value


def _number_or_auto(value: Any) -> Any:
    if value == "auto" or isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**63 else math.inf
    raise ValueError(f"expected a number or `auto`, got {show(value)}")


_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def seconds(value: Any) -> Any:
    """Read `90s`, `25m` and `2h` as seconds."""
    if not isinstance(value, str):
        return value
    match = _TIME.fullmatch(value)
    if not match:
        quoted = "; remove the quotes" if is_number(value) else ""
        raise ValueError(
            f"expected seconds or a time such as `90s`, `25m` or `2h`, got {show(value)}{quoted}"
        )
    return float(match[1]) * _SECONDS[match[2]]


def folder(place: str) -> str:
    """Refuse a URI for a folder of this machine, since as a path it would lose a slash and keep its login."""
    if "://" in place:
        raise ValueError(f"expected a folder, got the URI {show(hide_secrets(place))}")
    return place


Flag = Annotated[bool, Strict()]
Real = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Whole = Annotated[int, Strict(), BeforeValidator(_whole)]
Positive = Annotated[Real, Field(gt=0)]
NonNegative = Annotated[Real, Field(ge=0)]
Count = Annotated[Whole, Field(ge=0)]
PositiveCount = Annotated[Whole, Field(ge=1)]
NumberOrAuto = Annotated[float | Literal["auto"], BeforeValidator(_number_or_auto)]
Decay = Annotated[Real, Field(ge=0, lt=1)]
Share = Annotated[Real, Field(gt=0, le=1)]


class ConfigSection(BaseModel):
    """Base of every section: immutable, and a key that is not named is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
