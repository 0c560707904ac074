"""The changes of a sweep's file that are accepted before a resume, and those that are refused, since they would mix two
sweeps.

`sweep.yaml` is the user's to edit; `as-run.yaml` beside it is what ran last, and the two are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from infogan_bench.config import Choice, Plan, Range, SweepConfig, plan
from infogan_bench.errors import InputError
from infogan_bench.secrets import hide_secrets_in

_WITHOUT_EFFECT = ("resources.", "tracking.", "output", "storage", "search.time_limit", "dataset.data_dir")
_ADDING = ("space", "search.trials")
_ABSENT = "nothing"


def accepted_edits(was: SweepConfig, now: SweepConfig, planned: Plan, file: Path) -> list[str]:
    """Return a text `key: was -> is` for each difference.

    A change is accepted if it cannot change results (resources, tracking, output, the time limit, the folders of data
    and extensions), or if it adds trials and the earlier ones keep their numbers and parameters.

    Args:
        was: the sweep as it ran last.
        now: the sweep as its file stands.
        planned: the plan of `now`.
        file: that file, for the message.

    Raises:
        InputError: for any other change, with every difference that is refused.
    """
    edits = dict(_differences(was, now))
    adds_only = bool(edits) and _adds_only(was, now, planned)
    accepted = (*_WITHOUT_EFFECT, *_ADDING) if adds_only else _WITHOUT_EFFECT
    refused = [f"  {key}: {edit}" for key, edit in edits.items() if not key.startswith(accepted)]
    if refused:
        raise InputError(
            "\n".join(
                [f"{file}: changed since it ran, so that its trials would no longer belong to it:", *refused]
            )
            + "\nChange it back, or start a new sweep from it. What may change is resources, tracking, output, "
            "storage, search.time_limit, dataset.data_dir, and what only adds trials: a higher search.trials, or "
            "values at the end of a grid's first key"
        )
    return [f"{key}: {edit}" for key, edit in edits.items()]


def _adds_only(was: SweepConfig, now: SweepConfig, after: Plan) -> bool:
    """Say whether the trials of `was` are the first of `now`."""
    before = plan(was)
    if (
        before.assignments is None or after.assignments is None
    ):  # the search proposes its trials while the sweep runs
        return was.space == now.space and after.total >= before.total
    return after.assignments[: before.total] == before.assignments


def _differences(was: SweepConfig, now: SweepConfig) -> Iterator[tuple[str, str]]:
    before, after = _leaves(_tree(was)), _leaves(_tree(now))
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if one != other:
            yield key, f"{one} -> {other}"
    if before.keys() == after.keys() and list(was.space) != list(now.space):
        yield "space", f"the keys are in another order, {', '.join(was.space)} -> {', '.join(now.space)}"


def _tree(sweep: SweepConfig) -> Mapping[str, object]:
    """Return the sweep as nested dicts. Secrets are hidden as in files; of a .py file only the name counts."""
    tree = hide_secrets_in(sweep.model_dump(mode="json"))
    tree["space"] = dict(sweep.space)
    tree["extensions"] = [Path(name).name if name.endswith(".py") else name for name in sweep.extensions]
    return tree


def _leaves(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Return {dotted key: value as JSON} of all values that are no mappings."""
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            leaves |= _leaves(value, f"{prefix}{key}.")
        else:
            plain = value.dump() if isinstance(value, Choice | Range) else value
            leaves[f"{prefix}{key}"] = json.dumps(plain, ensure_ascii=False)
    return leaves
