"""A run as the store has it, as far as it matters for what is sent next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infogan_bench.tracking._tags import RANK_TAG, STATUS_TAG, SWEEP, TRIAL_TAG

_KEPT_TAGS = frozenset((STATUS_TAG, RANK_TAG))


@dataclass
class StoredRun:
    id: str
    status: str
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    last_step: dict[str, int] = field(default_factory=dict)  # by metric
    in_store: bool = False  # the store may know steps that `last_step` does not

    def forget(self) -> None:
        """Keep of a run that has ended what little is asked of it later: a sweep may have 10,000."""
        self.params, self.last_step, self.in_store = {}, {}, True
        self.tags = {key: value for key, value in self.tags.items() if key in _KEPT_TAGS}


def stored_run(run: Any) -> tuple[str, StoredRun]:
    """A run that the store had already, and its key."""
    tags = dict(run.data.tags)
    known = StoredRun(run.info.run_id, run.info.status, dict(run.data.params), tags, in_store=True)
    return tags.get(TRIAL_TAG, SWEEP), known
