"""One sweep of a comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infogan_reports.cost import Cost, cost
from infogan_reports.folder import STATUSES, SeedFiles, SweepData, read_seed_files
from infogan_reports.ranking import RankedTrial

ABSENT = "–"


@dataclass(frozen=True)
class Compared:
    """One of the sweeps; `letter` names it on the page, since two sweeps may have the same name."""

    letter: str
    data: SweepData
    trials: tuple[RankedTrial, ...]

    @property
    def name(self) -> str:
        """As its sweep file has it."""
        return str(self.data.config.get("name", self.data.folder.resolve().name))

    @property
    def best(self) -> RankedTrial | None:
        """The trial that its own objective puts first."""
        return self.trials[0] if self.trials and self.trials[0].rank is not None else None

    @property
    def ranked(self) -> tuple[RankedTrial, ...]:
        """The trials that have a rank."""
        return tuple(trial for trial in self.trials if trial.rank is not None)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Status -> trials; every status is there."""
        return dict.fromkeys(STATUSES, 0) | Counter(trial.status for trial in self.trials)

    @property
    def open(self) -> int:
        """Trials that have not ended."""
        return sum(self.counts[status] for status in ("pending", "running", "interrupted"))

    @cached_property
    def cost(self) -> Cost:
        """What it took so far."""
        return cost(self.data, self.trials)

    @cached_property
    def machines(self) -> tuple[tuple[str, str, int], ...]:
        """Where trials ran, as (node, device, trials): those that most of them ran on first."""
        places = self.data.trials.drop_duplicates("trial")[["node", "device"]].astype(str)
        used = Counter(place for place in places.itertuples(index=False, name=None) if any(place))
        return tuple((node, device, n) for (node, device), n in used.most_common())

    @cached_property
    def files(self) -> SeedFiles | None:
        """What the evaluation of the best trial's first seed wrote."""
        if self.best is None:
            return None
        rows = self.data.trials[self.data.trials["trial"] == self.best.trial]
        return read_seed_files(self.data.folder, self.best.trial, int(rows["seed"].iloc[0]))

    def by_seed(self, trial: str, metric: str) -> dict[int, float]:
        """A score of each seed of a trial that has it."""
        rows = self.data.trials[self.data.trials["trial"] == trial]
        return {
            int(seed): scores[metric]
            for seed, scores in zip(rows["seed"], rows["scores"], strict=True)
            if metric in scores
        }

    def value_of(self, trial: RankedTrial, key: str) -> Any:
        """The value of a dotted key in a trial's run: swept, else of the base run, else None."""
        return trial.params.get(key, self.base.get(key))

    @cached_property
    def base(self) -> Mapping[str, Any]:
        """The base run by dotted keys."""
        return flat(self.data.config.get("base") or {})


def flat(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings by dotted keys."""
    found: dict[str, Any] = {}
    for key, value in mapping.items():
        inner = isinstance(value, dict)
        found |= flat(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": value}
    return found
