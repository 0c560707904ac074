"""A sweep with its ranked trials, and the results that several sections of the report need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from infogan_reports.cost import Cost, cost
from infogan_reports.curves import Panel, rows_with_curves, training_panels
from infogan_reports.effects import ParameterEffect, parameter_effects
from infogan_reports.folder import STATUSES, SeedFiles, SweepData, read_seed_files
from infogan_reports.leaderboard import Leaderboard, leaderboard
from infogan_reports.lineage import Lineage, lineage
from infogan_reports.ranking import RankedTrial, ranking


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class RankedSweep:
    """A sweep with its trials, the best first. Results that several sections need are computed at their first use."""

    data: SweepData
    trials: tuple[RankedTrial, ...]
    made: datetime = field(default_factory=_now)  # when the folder was read

    @classmethod
    def of(cls, data: SweepData) -> RankedSweep:
        """Rank the trials of a sweep folder."""
        return cls(data, ranking(data))

    @property
    def name(self) -> str:
        """The name in the sweep file."""
        return str(self.data.config.get("name", self.data.folder.resolve().name))

    @property
    def metric(self) -> str:
        """The metric of the goal that ranks."""
        return self.data.metric

    @property
    def best(self) -> RankedTrial | None:
        """The trial that the sweep's goal puts first; None where none can be ranked."""
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
    def running(self) -> bool:
        """Say whether the sweep had trials left to run."""
        return self.counts["pending"] + self.counts["running"] > 0

    @cached_property
    def cost(self) -> Cost:
        """The cost of the sweep so far."""
        return cost(self.data, self.trials)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The swept keys in the order of the plan; before the first trial, the keys of the space."""
        by_plan = sorted(self.trials, key=lambda trial: trial.trial_id)
        keys = dict.fromkeys(key for trial in by_plan for key in trial.params)
        return tuple(keys or map(str, self.data.config.get("space") or {}))

    @cached_property
    def scores(self) -> tuple[str, ...]:
        """The scores worth a column beside the goal: not parts of a sum (`L_I/cat_0`), losses, constants or speeds."""
        names = {name for trial in self.trials for name in trial.scores if "/" not in name}
        return tuple(sorted(names - {self.metric, "H", "images_per_second"}))

    @cached_property
    def leaderboard(self) -> Leaderboard:
        """Every trial with all its values."""
        return leaderboard(self.data, self.trials, self.parameters, self.scores)

    @cached_property
    def lineage(self) -> Lineage | None:
        """The takeovers of trials from each other; None unless the sweep is by population based training."""
        return lineage(self.data, self.trials)

    @cached_property
    def effects(self) -> tuple[ParameterEffect, ...]:
        """The goal against each swept parameter; empty where values changed while trials trained."""
        return () if self.lineage else parameter_effects(self.data, self.trials, self.parameters)

    @cached_property
    def panels(self) -> tuple[Panel, ...]:
        """The training curves of the trials that a page has room for."""
        return training_panels(self.data, self.trials, rows_with_curves(len(self.trials)))

    @cached_property
    def best_seed(self) -> int | None:
        """The first seed of the best trial, the one whose pictures are shown."""
        return self.first_seed(self.best.trial_id) if self.best else None

    @cached_property
    def best_files(self) -> SeedFiles | None:
        """The files of that seed."""
        if self.best is None or self.best_seed is None:
            return None
        return read_seed_files(self.data, self.best.trial_id, self.best_seed)

    def first_seed(self, trial_id: str) -> int:
        """Return the first seed of a trial."""
        return int(self.data.trials.loc[self.data.trials["trial"] == trial_id, "seed"].iloc[0])
