"""A sweep that is compared with others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from infogan_reports.ranked import RankedSweep
from infogan_reports.ranking import RankedTrial

ABSENT = "–"


@dataclass(frozen=True, kw_only=True)
class Compared(RankedSweep):
    """A sweep of a comparison; `letter` names it on the page, since two sweeps may have the same name."""

    letter: str

    @property
    def open(self) -> int:
        """The number of trials that have not ended."""
        return sum(self.counts[status] for status in ("pending", "running", "interrupted"))

    @cached_property
    def machines(self) -> tuple[tuple[str, str, int], ...]:
        """The machines as (node, device, trials), first the one with most trials."""
        places = self.data.trials.drop_duplicates("trial")[["node", "device"]].astype(str)
        used = Counter(place for place in places.itertuples(index=False, name=None) if any(place))
        return tuple((node, device, n) for (node, device), n in used.most_common())

    def by_seed(self, trial_id: str, metric: str) -> dict[int, float]:
        """Return a score of each seed of a trial that has it."""
        rows = self.data.trials[self.data.trials["trial"] == trial_id]
        return {
            int(seed): scores[metric]
            for seed, scores in zip(rows["seed"], rows["scores"], strict=True)
            if metric in scores
        }

    def value_of(self, trial: RankedTrial, key: str) -> object:
        """Return the value of a dotted key in a trial's run: swept, else of the base run, else None."""
        return trial.params.get(key, self.base.get(key))

    @cached_property
    def base(self) -> Mapping[str, object]:
        """The base run by dotted keys."""
        return flat(self.data.config.get("base") or {})


def flat(mapping: Mapping[str, object], prefix: str = "") -> Mapping[str, object]:
    """Return nested mappings by dotted keys."""
    found: dict[str, object] = {}
    for key, value in mapping.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def uses_in(sweeps: Iterable[RankedSweep], metric: str) -> str:
    """Return `labels` or `factors` where a sweep says that a metric compares with them, else an empty text."""
    return next((uses for sweep in sweeps if (uses := sweep.data.uses(metric))), "")
