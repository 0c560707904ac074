"""The sections of a sweep file around the base run: one frozen pydantic model each, unknown keys refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from infogan_bench.config.catalogue import DEFAULT_SCORES, require_score
from infogan_bench.config.datasets import NoOptions, dataset_options
from infogan_bench.config.errors import show
from infogan_bench.config.metrics import DciEstimator
from infogan_bench.config.section import (
    ConfigSection,
    Count,
    Flag,
    NonNegative,
    NumberOrAuto,
    Positive,
    PositiveCount,
    Real,
    Whole,
    folder,
    seconds,
    sequence,
)

TrialsTogether = Literal["auto", "packed", "apart"]


class DatasetConfig(ConfigSection):
    """The dataset; `dataset: mnist` is short for `dataset: {name: mnist}`."""

    name: str = "mnist"
    data_dir: Annotated[
        Annotated[str, AfterValidator(folder)] | None,
        Field(
            description="The folder that holds the data set's files, or torchvision's root; see docs/datasets.md."
        ),
    ] = None
    train_size: Annotated[PositiveCount | None, Field(description="Use the first N training images.")] = None
    test_size: Annotated[PositiveCount | None, Field(description="Use the first N test images.")] = None
    options: Annotated[
        SerializeAsAny[ConfigSection],
        Field(
            validate_default=True,
            description="The data set's own keys, such as `size` of celeba; see docs/datasets.md.",
        ),
    ] = NoOptions()

    @property
    def data_folder(self) -> Path | None:
        """`data_dir` as an absolute path; None if there is none."""
        return None if self.data_dir is None else Path(self.data_dir).expanduser().absolute()

    @field_validator("options", mode="before")
    @classmethod
    def _options_of_the_set(cls, given: object, info: ValidationInfo) -> ConfigSection:
        return dataset_options(info.data.get("name", ""), given)

    @model_serializer(mode="wrap")
    def _without_empty_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        tree: dict[str, object] = dump(self)
        return {key: value for key, value in tree.items() if key != "options" or value}


class SearchConfig(ConfigSection):
    """The choice of configurations from the space."""

    algorithm: Annotated[str, Field(description="The name of a search; see docs/search.md.")] = "grid"
    trials: Annotated[
        PositiveCount | None, Field(description="Number of trials; a grid has its own number.")
    ] = None
    time_limit: Annotated[
        Positive | None,
        BeforeValidator(seconds),
        Field(
            description="Stop the sweep after this long: seconds, or `90s`, `25m`, `2h`. No trial begins that would "
            "not reach its end by then, judged by the slowest so far."
        ),
    ] = None
    seed: Annotated[Count, Field(description="Seed of the search itself.")] = 0
    population: Annotated[
        Annotated[Whole, Field(ge=4)] | None,
        Field(
            description="Number of configurations in a generation of cmaes (default: 4 + 3 ln n for n "
            "parameters) and of nsga2 "
            "(default: an eighth of the trials, from 8 to 50)."
        ),
    ] = None
    startup: Annotated[
        PositiveCount | None,
        Field(
            description="Trials that tpe and gp draw at random before they learn (default: a quarter of the trials, "
            "from 4 to 10)."
        ),
    ] = None
    warm_start: Annotated[
        str | None,
        Field(
            min_length=1,
            description="A sweep folder whose finished trials the search learns from before its first trial.",
        ),
    ] = None


class SchedulerConfig(ConfigSection):
    """The scheduler, which stops trials early or, as `pbt`, lets them take over from better ones while they train.
    `scheduler: asha` is short for `scheduler: {name: asha}`."""

    name: Annotated[str, Field(description="The name of a scheduler; see docs/search.md.")] = "none"
    grace: Annotated[
        PositiveCount | None, Field(description="No trial is stopped before this step; default: steps / 4.")
    ] = None
    reduction: Annotated[
        Annotated[Real, Field(gt=1)],
        Field(description="ASHA and HyperBand keep the best 1/reduction at each rung."),
    ] = 3.0
    every: Annotated[
        PositiveCount | None,
        Field(description="pbt: steps between two comparisons of the population, a multiple of evaluation.every; "
              "default: a tenth of the steps, rounded up to one."),
    ] = None  # fmt: skip
    quantile: Annotated[
        Real,
        Field(
            gt=0,
            le=0.5,
            description="pbt: share of the trials, the worst ones, that take over the networks of as many of the best.",
        ),
    ] = 0.25
    resample: Annotated[
        Real,
        Field(
            ge=0,
            le=1,
            description="pbt: probability that a value is drawn anew from its domain instead of being perturbed.",
        ),
    ] = 0.25
    factors: Annotated[
        tuple[Positive, ...],
        BeforeValidator(sequence),
        Field(
            min_length=1,
            description="pbt: a value is multiplied by one of these factors; a value of a list moves by one place.",
        ),
    ] = (0.8, 1.25)

    def interval(self, steps: int, reported: int) -> int:
        """Steps between two comparisons of a population whose runs of `steps` steps report every `reported`."""
        return reported * -(-steps // (10 * reported)) if self.every is None else self.every

    def grace_steps(self, steps: int) -> int:
        """Steps that a run of `steps` steps is granted before it may be stopped."""
        return max(1, steps // 4) if self.grace is None else self.grace


class EvaluationConfig(ConfigSection):
    """The scores of a run, and the steps at which it is scored."""

    every: Annotated[
        PositiveCount,
        Field(description="Steps between two reports: each scores the model and writes a checkpoint."),
    ] = 250
    scores: Annotated[
        tuple[Annotated[str, AfterValidator(require_score)], ...],
        BeforeValidator(sequence),
        Field(
            description="Scores to compute: of the encoder on the test set, against the labels or "
            "ground-truth factors that "
            "the dataset has; of G's images; and your own. `infogan-bench metrics` lists them."
        ),
    ] = DEFAULT_SCORES
    dci_estimator: Annotated[
        DciEstimator,
        Field(description="The predictor of factors for DCI: a forest (seconds) or boosted trees (minutes)."),
    ] = "forest"
    factor_bins: Annotated[
        Annotated[Whole, Field(ge=2, le=1000)] | None,
        Field(
            description="Bins of equal width into which continuous factors and angles are cut, for the scores that "
            "take whole numbers alone (`mig`, DCI); null: these are refused."
        ),
    ] = None


class ResourcesConfig(ConfigSection):
    """The resources that a trial occupies while it runs."""

    cpus: Annotated[
        NumberOrAuto, Field(description="CPUs of a trial, and the number of torch's threads; auto is 1.")
    ] = "auto"
    gpus: Annotated[
        NumberOrAuto,
        Field(
            description="GPUs of a trial: a fraction up to 1, or a whole number; auto: "
            "measured by training a few steps."
        ),
    ] = "auto"
    memory: Annotated[Positive | None, Field(description="Memory that is reserved for a trial, in GiB.")] = (
        None
    )
    custom: Annotated[dict[str, Positive], Field(description="Custom Ray resources that a trial needs.")] = (
        Field(default_factory=dict)
    )
    wait: Annotated[
        NonNegative, Field(description="Seconds to wait for a node that fits before giving up.")
    ] = 0.0
    retries: Annotated[
        Count,
        Field(description="Number of times that a trial whose process died continues from its checkpoint."),
    ] = 2

    trials_together: Annotated[
        TrialsTogether,
        Field(
            description="packed: trials of one structure train as one stack in one process, as many as run at once; "
            "apart: each in a process of its own; auto: packed on a GPU."
        ),
    ] = "auto"

    @field_validator("cpus")
    @classmethod
    def _some_cpu(cls, value: float | Literal["auto"]) -> float | Literal["auto"]:
        if value != "auto" and not (math.isfinite(value) and value > 0):
            raise ValueError(f"must be greater than 0 and finite, got {show(value)}")
        return value

    @field_validator("gpus")
    @classmethod
    def _whole_above_one(cls, value: float | Literal["auto"]) -> float | Literal["auto"]:
        if value == "auto":
            return value
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"must be at least 0 and finite, got {show(value)}")
        if value > 1 and not value.is_integer():
            raise ValueError(f"must be a fraction up to 1, or a whole number, got {show(value)}")
        return value


def _model_name(name: str | None) -> str | None:
    if name is not None and (not name.strip() or set("/:") & set(name) or len(name) > 250):
        raise ValueError(
            "expected a name without `/` and `:`, which MLflow does not take, of 1 to 250 characters"
        )
    return name


def _store(uri: str) -> str:
    if uri.strip().lower() in ("", "none", "null", "off", "no", "false", "disabled"):
        raise ValueError(f"{show(uri)} is no store; MLflow is turned off by `tracking: none`")
    return uri


class TrackingConfig(ConfigSection):
    """The MLflow store that runs go to; `tracking: none` turns tracking off."""

    enabled: Flag = True
    uri: Annotated[
        Annotated[str, AfterValidator(_store)] | None,
        Field(description="Default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db."),
    ] = None
    experiment: Annotated[str | None, Field(description="Default: the sweep's name.")] = None
    tags: dict[str, str] = Field(default_factory=dict)
    note: Annotated[str | None, Field(description="Free text, shown in MLflow and in the report.")] = None
    register_as: Annotated[
        str | None,
        AfterValidator(_model_name),
        Field(
            description="Registered model that gets the best model as a new version, with the alias `best`."
        ),
    ] = None
