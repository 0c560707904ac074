"""Parameters: dotted keys of the base run (`objective.lambda_cat`) and the values a trial gives them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

from pydantic import BaseModel, ValidationError

from infogan_bench.config.errors import ConfigError, Fault
from infogan_bench.config.explain import explain, leaf_keys
from infogan_bench.config.names import nearest, suggestion
from infogan_bench.config.run import RunConfig
from infogan_bench.config.terms import TERMS, weight_keys
from infogan_bench.config.yaml_file import parse_value

Params: TypeAlias = Mapping[str, object]
"""Swept values: dotted key of the base run -> value, as YAML has it."""

MUTABLE = (
    *weight_keys(row for row in TERMS.values() if row.mutable),
    "optimiser.lr_g",
    "optimiser.lr_d",
)
"""Keys of a run whose values may change while it trains: weights of losses and step sizes. No shape of a tensor and no
random draw depends on them."""

_OWN_WEIGHTS = weight_keys(row for row in TERMS.values() if row.own)

OWN_TO_A_REPLICA = (*_OWN_WEIGHTS, "optimiser.lr_g", "optimiser.lr_d", "optimiser.decay", "steps")
"""Keys of a run whose values may differ between replicas that train as one stack: factors of an update, which may be
vectors over the replicas."""

_OPEN = ("objective.terms", "method.options")
"""Sections whose keys are those that a module of the user's own registers."""


@cache
def run_keys() -> tuple[str, ...]:
    """All dotted keys that a run has, so all that can be swept."""
    return tuple(leaf_keys(RunConfig))


def is_run_key(key: str) -> bool:
    """Say whether `key` is the key of one value of a run, which can be swept.

    `objective.terms.NAME.OPTION` and `method.options.OPTION` are such keys for any names, since the modules under
    `extensions`, which define the names, may not be loaded yet.
    """
    names = key.split(".")
    if key.startswith("objective.terms."):
        return len(names) == 4 and all(names)
    if key.startswith("method.options."):
        return len(names) == 3 and all(names)
    return key in run_keys() and key not in _OPEN


def apply(base: RunConfig, params: Params) -> RunConfig:
    """Return `base` with each dotted key of `params` set, validated again.

    Raises:
        ConfigError: naming every dotted key that does not exist or whose value is refused.
    """
    unknown = [Fault(unknown_param(key), key) for key in params if not is_run_key(key) and key not in _OPEN]
    if unknown:
        raise ConfigError(None, unknown)
    tree = base.model_dump(exclude_unset=True)
    for key, value in params.items():
        set_value(tree, key, value)
    try:
        return RunConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(None, explain(error, RunConfig)) from None


def structure_of(run: RunConfig) -> str:
    """A text that is the same for runs whose replicas can train as one stack.

    Such runs differ in nothing but values of `OWN_TO_A_REPLICA`, and the same terms have a weight in each of them. A
    term without a weight draws no random numbers and sends no images through BatchNorm, so it cannot be computed for
    some replicas and count in others alone.
    """
    shown = run.model_dump(mode="json")
    for key in OWN_TO_A_REPLICA:
        set_value(shown, key, bool(get_value(run, key)) if key in _OWN_WEIGHTS else None)
    return json.dumps(shown, sort_keys=True)


def parse_settings(settings: Iterable[str]) -> dict[str, object]:
    """`["objective.lambda_cat=0.5", ...]` as {dotted key: value}, the values read as in a sweep file.

    Raises:
        ConfigError: if a setting is not KEY=VALUE, or gives a key twice.
    """
    params: dict[str, object] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise ConfigError(None, [Fault(f"expected KEY=VALUE, got {setting!r}", "--set")])
        if key in params:
            raise ConfigError(None, [Fault(f"{key} is given twice", "--set")])
        params[key] = parse_value(text)
    return params


def get_value(run: BaseModel, key: str) -> Any:
    """The value at a dotted key; None for an option that is not set."""
    found: Any = run
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else getattr(found, part)
    return found


def set_value(tree: dict[str, object], key: str, value: object) -> None:
    """Put `value` at a dotted key of nested dicts."""
    *sections, leaf = key.split(".")
    for name in sections:
        section = tree.setdefault(name, {})
        assert isinstance(section, dict), f"{name} of {key} is no section"  # noqa: S101
        tree = section
    tree[leaf] = value


def is_given(run: BaseModel | Mapping[str, Any], key: str) -> bool:
    """Say whether the value at a dotted key was written down, rather than left at its default."""
    section, _, rest = key.partition(".")
    if isinstance(run, Mapping):
        return section in run and (not rest or is_given(run[section], rest))
    return section in run.model_fields_set and (not rest or is_given(getattr(run, section), rest))


def unknown_param(key: str) -> str:
    """A sentence on a dotted key that no run has, with the most similar one."""
    last = key.rpartition(".")[2]
    same_last = [known for known in run_keys() if known.rpartition(".")[2] == last]
    if same_last:
        return f"unknown key; did you mean `{same_last[0]}`?"
    found = nearest(key, run_keys())
    by_last = {known.rpartition(".")[2]: known for known in reversed(run_keys())}
    if found is None and (leaf := nearest(last, by_last)):
        return f"unknown key; did you mean `{by_last[leaf]}`?"
    return f"unknown key; {suggestion(key, run_keys())}"
