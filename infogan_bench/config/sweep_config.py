"""The configuration of a sweep."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from infogan_bench.config.errors import show
from infogan_bench.config.goal import GoalConfig
from infogan_bench.config.models import (
    DatasetConfig,
    EvaluationConfig,
    ResourcesConfig,
    SchedulerConfig,
    SearchConfig,
    TrackingConfig,
)
from infogan_bench.config.run import RunConfig
from infogan_bench.config.section import ConfigSection, Count, folder, named, sequence
from infogan_bench.config.space import Choice, Range
from infogan_bench.config.yaml_file import is_number
from infogan_bench.secrets import hide_secrets

MAX_SEEDS = 1000
SeedsTogether = Literal["auto", "fused", "one-by-one"]
_MAX_SLUG = 80
_NOT_IN_A_NAME = ("Cc", "Cs", "Zl", "Zp")  # Unicode: control characters, half characters, line breaks


def _headed(value: Any) -> Any:
    """A list of goals: the first, with the rest as `also`."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "also" not in value[0]:
        return {**value[0], "also": value[1:]}
    return value


def _tracked(value: Any) -> Any:
    if value is False:
        raise ValueError("MLflow is turned off by `tracking: none`")
    if isinstance(value, str):
        return {"enabled": False} if value == "none" else {"uri": value}
    return value


def _seed_list(value: Any) -> Any:
    """A number n stands for the seeds 0 to n - 1."""
    if isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        quoted = "; remove the quotes" if isinstance(value, str) and is_number(value) else ""
        raise ValueError(f"expected how many seeds, or a list of seeds, got {show(value)}{quoted}")
    if not 1 <= value <= MAX_SEEDS:
        raise ValueError(f"must be from 1 to {MAX_SEEDS}, got {show(value)}")
    return tuple(range(value))


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if not 1 <= len(seeds) <= MAX_SEEDS:
        raise ValueError(f"give from 1 to {MAX_SEEDS} seeds, got {len(seeds)}")
    repeated = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if repeated is not None:
        raise ValueError(f"seed {repeated} is given twice; the same seed trains the same model")
    return seeds


def _one_line(name: str) -> str:
    if not name.strip():
        raise ValueError("must not be empty")
    odd = next((c for c in name if unicodedata.category(c) in _NOT_IN_A_NAME), None)
    if odd is not None:
        raise ValueError(f"must be one line of printable text, but holds {show(odd)}")
    return name


def storage_place(place: str) -> str:
    """A folder as an absolute path, since workers run in other folders; a URI as it is.

    Raises:
        ValueError: if the URI holds credentials, which would be written to the sweep folder.
    """
    if "://" not in place:
        return str(Path(place).expanduser().absolute())
    if hide_secrets(place) != place:
        raise ValueError("must not hold credentials: give them by the environment, such as AWS_ACCESS_KEY_ID")
    return place


class SweepConfig(ConfigSection):
    """The content of a sweep file with all defaults.

    `parse_sweep` and `load_sweep` build it and check its parts against each other. If it is built directly, only each
    part is checked, and `plan` checks the rest.
    """

    name: Annotated[
        str,
        Field(max_length=200, description="Shown in the report and in MLflow."),
        AfterValidator(_one_line),
    ]
    dataset: Annotated[DatasetConfig, BeforeValidator(named)] = DatasetConfig()
    base: Annotated[RunConfig, Field(description="The run that the sweep varies.")] = RunConfig()
    space: Annotated[
        dict[str, Choice | Range],
        Field(description="The values that the sweep varies: dotted key of the base run -> domain."),
    ] = Field(default_factory=dict)
    seeds: Annotated[
        tuple[Annotated[Count, Field(lt=2**32)], ...],
        BeforeValidator(_seed_list),
        AfterValidator(_distinct),
        Field(description="Seeds that every trial trains: a list, or their number (counted from 0)."),
    ] = (0,)
    seeds_together: Annotated[
        SeedsTogether,
        Field(
            description="fused: the kernels of a step train all seeds of a trial at once; auto: "
            "they do so on a GPU, if the "
            "architecture allows it."
        ),
    ] = "auto"
    search: SearchConfig = SearchConfig()
    scheduler: Annotated[SchedulerConfig, BeforeValidator(named)] = SchedulerConfig()
    goal: Annotated[GoalConfig, BeforeValidator(_headed)] = GoalConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    resources: ResourcesConfig = ResourcesConfig()
    tracking: Annotated[TrackingConfig, BeforeValidator(_tracked)] = TrackingConfig()
    output: Annotated[
        str,
        Field(min_length=1, description="The folder in which sweep folders are made."),
        AfterValidator(folder),
    ] = "runs"
    storage: Annotated[
        Annotated[str, Field(min_length=1), AfterValidator(storage_place)] | None,
        Field(
            description="Place of the checkpoints of running trials, which every node must reach: a folder, or a URI "
            "such as s3://bucket/prefix; default: the sweep folder."
        ),
    ] = None
    extensions: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        BeforeValidator(sequence),
        Field(description="Python modules or .py files that register parts of your own."),
    ] = ()

    @property
    def slug(self) -> str:
        """The name as a folder's name: letters, digits, `_`, `-` and inner dots, 1 to 80 characters.

        Two names can have one slug.
        """
        ascii_name = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode()
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", ascii_name)
        safe = re.sub(r"\.{2,}", ".", safe).lstrip("-.")[:_MAX_SLUG].rstrip("-.")
        return safe or "sweep"
