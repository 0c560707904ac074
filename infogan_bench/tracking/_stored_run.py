"""The state of a run in the store, as far as later sending needs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infogan_bench.tracking._tags import NOT_FINITE_TAG, RANK_TAG, STATUS_TAG, SWEEP, TRIAL_TAG

_KEPT_TAGS = frozenset((STATUS_TAG, RANK_TAG, NOT_FINITE_TAG))


@dataclass
class StoredRun:
    id: str
    status: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    last_step: dict[str, int] = field(default_factory=dict)  # by metric
    in_store: bool = False  # the store may know steps that `last_step` does not

    def forget(self) -> None:
        """Keep only the few facts of an ended run that are needed later, since a sweep may have 10,000 runs."""
        self.params, self.last_step, self.in_store = {}, {}, True
        self.tags = {key: value for key, value in self.tags.items() if key in _KEPT_TAGS}


def stored_run(run: Any) -> tuple[str, StoredRun]:
    """A run that the store had already, and its key."""
    tags = dict(run.data.tags)
    known = StoredRun(run.info.run_id, run.info.status, dict(run.data.params), tags, in_store=True)
    return tags.get(TRIAL_TAG, SWEEP), known
