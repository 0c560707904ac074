"""The domains of a search space: a `Choice` among values, or a `Range` of numbers.

In YAML a domain is a mapping with one key, its kind:

    choice: [v, ...]          one of the values; a bare list is short for it
    grid: [v, ...]            every one of the values, crossed with whatever else is searched
    uniform: [low, high]      loguniform: [low, high]        real numbers
    quniform: [low, high, q]  qloguniform: [low, high, q]    multiples of q, as real numbers
    int: [low, high]          logint: [low, high]            whole numbers, both bounds included
    qint: [low, high, q]      qlogint: [low, high, q]        multiples of q, as whole numbers
"""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from infogan_bench.config.errors import code_list, show
from infogan_bench.config.names import suggestion
from infogan_bench.config.yaml_file import is_number

_DIGITS = 6  # significant digits of a drawn real number: what one can read and write back
_MOST_TICKS = 10**30  # tick numbers beyond 1e308 are no floats
_INNER = 0.381966  # a fraction of a range at which no round number lies


class _RangeKind(NamedTuple):
    log: bool
    integer: bool
    quantised: bool


_RANGE_KINDS = {
    "uniform": _RangeKind(log=False, integer=False, quantised=False),
    "loguniform": _RangeKind(log=True, integer=False, quantised=False),
    "quniform": _RangeKind(log=False, integer=False, quantised=True),
    "qloguniform": _RangeKind(log=True, integer=False, quantised=True),
    "int": _RangeKind(log=False, integer=True, quantised=False),
    "logint": _RangeKind(log=True, integer=True, quantised=False),
    "qint": _RangeKind(log=False, integer=True, quantised=True),
    "qlogint": _RangeKind(log=True, integer=True, quantised=True),
}
KINDS = ("choice", "grid", *_RANGE_KINDS)


@dataclass(frozen=True)
class Choice:
    """A choice of `values`: numbers, text, flags, or lists of them, in the order of the file and each once.

    With `grid`, a random search tries every value instead of drawing values.

    Raises:
        ValueError: if there is no value, or a value is a mapping or not finite.
    """

    values: tuple[Any, ...]
    grid: bool = False

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("the list is empty; give at least one value")
        distinct: dict[Hashable, Any] = {}
        for value in self.values:
            distinct.setdefault(canonical(value), value)
        object.__setattr__(self, "values", tuple(distinct.values()))

    @property
    def kind(self) -> str:
        return "grid" if self.grid else "choice"

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.values)

    def all_values(self) -> Iterator[Any]:
        """Yield every value, in order."""
        return iter(self.values)

    def probes(self) -> tuple[Any, ...]:
        """The values to check before a sweep starts: all of them."""
        return self.values

    def sample(self, rng: random.Random) -> Any:
        """Draw a value, each with the same probability."""
        return rng.choice(self.values)

    def at_quantile(self, quantile: float) -> Any:
        """The value at `quantile` of the way along the list, 0 <= quantile < 1."""
        return self.values[int(quantile * len(self.values))]

    def holds(self, value: Any) -> bool:
        """Say whether `value` is one of the values."""
        return canonical(value) in map(canonical, self.values)

    def dump(self) -> dict[str, list[Any]]:
        """The YAML form."""
        return {self.kind: list(self.values)}


@dataclass(frozen=True)
class Range:
    """Numbers in [low, high], drawn evenly, or evenly in log(x) where `log` is set.

    With `integer` they are whole; with `step` they are the multiples of `step` inside the bounds.

    Raises:
        ValueError: if a bound or the step is no finite number (or not whole where `integer` is set), if
            low >= high, if low <= 0 where `log` is set, or if there is no value or more than 10^30 of them.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _number(value, self.integer))
        if self.low >= self.high:
            raise ValueError(
                f"the lower bound must be below the upper one, got {show(self.low)} and {show(self.high)}"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"a logarithmic range must start above 0, got {show(self.low)}")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"the step must be greater than 0, got {show(self.step)}")
        if self.size == 0:
            raise ValueError(
                f"no multiple of {show(self.step)} is between {show(self.low)} and {show(self.high)}"
            )
        if self.size is not None and self.size > _MOST_TICKS:
            raise ValueError("holds more than 10^30 values; use a larger step or a range without one")

    @property
    def kind(self) -> str:
        wanted = _RangeKind(self.log, self.integer, self.step is not None)
        return next(kind for kind, meaning in _RANGE_KINDS.items() if meaning == wanted)

    @property
    def ticks(self) -> range | None:
        """The k for which `at(k)` is in the range, or None where the range is continuous."""
        if self.step is None and not self.integer:
            return None
        step = _exact(self.step or 1)
        return range(math.ceil(_exact(self.low) / step), math.floor(_exact(self.high) / step) + 1)

    @property
    def size(self) -> int | None:
        """The number of values, or None where the range is continuous."""
        ticks = self.ticks
        return None if ticks is None else max(0, ticks.stop - ticks.start)

    def at(self, tick: int) -> float:
        """The value at one of the `ticks`: tick * step, without 0.30000000000000004 for 3 * 0.1."""
        value = _exact(self.step or 1) * tick
        return int(value) if self.integer else float(value)

    def rounded(self, value: float) -> float:
        """Return `value` rounded to six significant digits, inside the bounds."""
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    def all_values(self) -> Iterator[float]:
        """Yield every value, in order.

        Raises:
            ValueError: if the range is continuous.
        """
        if self.ticks is None:
            raise ValueError(f"`{self.kind}` has no list of values")
        return map(self.at, self.ticks)

    def probes(self) -> tuple[float, ...]:
        """The values to check before a sweep starts: both ends and one between them."""
        ticks = self.ticks
        if ticks is None:
            return (self.low, self.rounded(self.low + _INNER * (self.high - self.low)), self.high)
        first, last = ticks.start, ticks.stop - 1
        return tuple(self.at(tick) for tick in dict.fromkeys((first, min(first + 1, last), last)))

    def sample(self, rng: random.Random) -> float:
        """Draw a value; in a logarithmic range, tick k has the share of log(x) from k - 1/2 to k + 1/2."""
        ticks = self.ticks
        if ticks is None:
            return self.rounded(_draw(rng, self.low, self.high, self.log))
        first, last = ticks.start, ticks.stop - 1
        if not self.log:
            return self.at(rng.randint(first, last))
        tick = round(_draw(rng, first - 0.5, last + 0.5, log=True))
        return self.at(min(max(tick, first), last))

    def at_quantile(self, quantile: float) -> float:
        """The value below which `sample` finds that part of its values, 0 <= quantile < 1."""
        ticks = self.ticks
        if ticks is None:
            return self.rounded(_between(quantile, self.low, self.high, self.log))
        first, last = ticks.start, ticks.stop - 1
        if not self.log:
            return self.at(first + int(quantile * len(ticks)))
        tick = round(_between(quantile, first - 0.5, last + 0.5, log=True))
        return self.at(min(max(tick, first), last))

    def holds(self, value: Any) -> bool:
        """Say whether `value` is a number in the range, and a multiple of the step where there is one."""
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not self.low <= value <= self.high
        ):
            return False
        return self.ticks is None or _exact(value) % _exact(self.step or 1) == 0

    def dump(self) -> dict[str, list[Any]]:
        """The YAML form."""
        bounds = [self.low, self.high]
        return {self.kind: bounds if self.step is None else [*bounds, self.step]}


Domain = Choice | Range


def parse_domain(tree: Any) -> Domain:
    """The domain that a YAML value describes.

    Raises:
        ValueError: saying what was expected, if it describes none.
    """
    if isinstance(tree, list | tuple):
        return Choice(tuple(tree))
    if not isinstance(tree, Mapping):
        raise ValueError(
            f"expected what to try, such as `choice: [...]` or `uniform: [low, high]`, got {show(tree)}; "
            "a fixed value belongs in `base`"
        )
    if len(tree) != 1:
        raise ValueError(f"expected one of {code_list(KINDS)}, got {len(tree)} keys")
    [(kind, arguments)] = tree.items()
    if kind not in KINDS:
        raise ValueError(f"unknown kind of domain `{kind}`; {suggestion(kind, KINDS)}")
    if not isinstance(arguments, list | tuple):
        raise ValueError(f"`{kind}` needs a list, got {show(arguments)}")
    if kind in _RANGE_KINDS:
        return _parse_range(kind, arguments)
    return Choice(tuple(arguments), grid=kind == "grid")


def is_domain(tree: Any) -> bool:
    """Say whether a YAML value looks like a domain, rather than like a section that holds domains."""
    if not isinstance(tree, Mapping):
        return True
    return len(tree) == 1 and all(k in KINDS and isinstance(v, list | tuple) for k, v in tree.items())


def canonical(value: Any) -> Hashable:
    """A key that is equal for equal values: 100 and 1e2 are one value, true and 1 are two.

    Raises:
        ValueError: if the value is a mapping or holds a number that is not finite.
    """
    if isinstance(value, list | tuple):
        return ("list", *map(canonical, value))
    if isinstance(value, Mapping):
        raise ValueError(f"a value cannot be a mapping, got {show(dict(value))}")
    if isinstance(value, bool | str) or value is None:
        return (type(value).__name__, value)
    return ("number", _finite(value))


def _parse_range(kind: str, arguments: list[Any] | tuple[Any, ...]) -> Range:
    log, integer, quantised = _RANGE_KINDS[kind]
    form = "[low, high, step]" if quantised else "[low, high]"
    if len(arguments) != 2 + quantised:
        raise ValueError(f"`{kind}` needs {form}, got {len(arguments)} values")
    for value in arguments:
        _finite(value)
    low, high, *step = arguments
    return Range(low, high, log=log, integer=integer, step=step[0] if quantised else None)


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        quoted = isinstance(value, str) and is_number(value)
        raise ValueError(f"expected a number, got {show(value)}{'; remove the quotes' if quoted else ''}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # a whole number beyond 1e308
        finite = False
    if not finite:
        raise ValueError(f"expected a finite number, got {show(value)}")
    return value


def _number(value: Any, whole: bool) -> float:
    value = _finite(value)
    if not whole:
        return float(value)
    if value != int(value):
        raise ValueError(f"expected a whole number, got {show(value)}")
    return int(value)


def _exact(value: float) -> Fraction:
    """The decimal number that is printed for `value`, and not the nearest binary number."""
    return Fraction(repr(value))


def _draw(rng: random.Random, low: float, high: float, log: bool) -> float:
    return _between(rng.random(), low, high, log)


def _between(fraction: float, low: float, high: float, log: bool) -> float:
    """The number at `fraction` of the way from `low` to `high`, or of that from log(low) to log(high)."""
    if log:
        return math.exp(_between(fraction, math.log(low), math.log(high), log=False))
    return low + (high - low) * fraction  # as random.uniform computes it
