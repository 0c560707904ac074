"""The sections of a sweep file, and the trials that it asks for. Nothing here imports torch, so it is quick."""

from infogan_bench.config.catalogue import DEFAULT_SCORES, score_names
from infogan_bench.config.describe import describe
from infogan_bench.config.errors import ConfigError, Fault
from infogan_bench.config.goal import GoalConfig
from infogan_bench.config.load import (
    load_resolved,
    load_shipped,
    load_sweep,
    parse_sweep,
    resolved_yaml,
    shipped_sweeps,
)
from infogan_bench.config.metrics import (
    metric_names,
    uses_factors,
    uses_labels,
)
from infogan_bench.config.models import (
    DatasetConfig,
    EvaluationConfig,
    ResourcesConfig,
    SchedulerConfig,
    SearchConfig,
    TrackingConfig,
)
from infogan_bench.config.objective import ObjectiveConfig
from infogan_bench.config.params import MUTABLE, Params, apply, get_value, parse_settings, run_keys
from infogan_bench.config.plan import Plan, plan
from infogan_bench.config.run import ArchitectureConfig, CodesConfig, OptimiserConfig, RunConfig
from infogan_bench.config.space import Choice, Domain, Range
from infogan_bench.config.sweep_config import SweepConfig, storage_place
from infogan_bench.config.yaml_file import read_yaml

__all__ = [
    "DEFAULT_SCORES",
    "MUTABLE",
    "ArchitectureConfig",
    "Choice",
    "CodesConfig",
    "ConfigError",
    "DatasetConfig",
    "Domain",
    "EvaluationConfig",
    "Fault",
    "GoalConfig",
    "ObjectiveConfig",
    "OptimiserConfig",
    "Params",
    "Plan",
    "Range",
    "ResourcesConfig",
    "RunConfig",
    "SchedulerConfig",
    "SearchConfig",
    "SweepConfig",
    "TrackingConfig",
    "apply",
    "describe",
    "get_value",
    "load_resolved",
    "load_shipped",
    "load_sweep",
    "metric_names",
    "parse_settings",
    "parse_sweep",
    "plan",
    "read_yaml",
    "resolved_yaml",
    "run_keys",
    "score_names",
    "shipped_sweeps",
    "storage_place",
    "uses_factors",
    "uses_labels",
]
