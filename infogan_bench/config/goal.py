"""`goal`: the score that ranks trials, and others that the search weighs against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from infogan_bench.config.metrics import is_better_low
from infogan_bench.config.section import ConfigSection


class Goal(ConfigSection):
    """A score (the mean over a trial's seeds) and its direction."""

    metric: str = "cluster_accuracy"
    mode: Annotated[
        Literal["max", "min"], Field(description="Default: min for losses and distances, max for all else.")
    ] = "max"

    @model_validator(mode="before")
    @classmethod
    def _direction_of_the_metric(cls, section: Any) -> Any:
        if (
            isinstance(section, Mapping)
            and "mode" not in section
            and is_better_low(str(section.get("metric")))
        ):
            return {**section, "mode": "min"}
        return section


class GoalConfig(Goal):
    """The score that ranks trials, and others that the search weighs against it; a list of goals is short for the
    first one with the rest as `also`."""

    also: tuple[Goal, ...] = ()

    @property
    def goals(self) -> tuple[Goal, ...]:
        """All of them, the one that ranks first."""
        return (Goal(metric=self.metric, mode=self.mode), *self.also)
