"""What a sweep file may say: one frozen pydantic model a section, unknown keys refused.

A number is a number and a flag is a flag: `"1e-3"` in quotes, `no` for false and `.nan` are errors, while
`1e3` is accepted where an integer is meant. Nothing here imports torch, so that a file can be checked in
a fraction of a second.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    field_validator,
    model_validator,
)

from infogan_bench.config.errors import show
from infogan_bench.config.metrics import LABEL_SCORES, DciEstimator, ScoreName, is_better_low
from infogan_bench.config.yaml_file import is_number


def _whole(value: Any) -> Any:
    """Let a float without a fraction (`1e3` in YAML) stand for an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def sequence(value: Any) -> Any:
    """Let one value stand for a list of one, and hand lists over as tuples."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value,)


def _number_or_auto(value: Any) -> Any:
    if value == "auto" or isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**63 else math.inf
    raise ValueError(f"expected a number or `auto`, got {show(value)}")


_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _seconds(value: Any) -> Any:
    """Read `90s`, `25m` and `2h` as seconds."""
    if not isinstance(value, str):
        return value
    match = _TIME.fullmatch(value)
    if not match:
        quoted = "; remove the quotes" if is_number(value) else ""
        raise ValueError(
            f"expected seconds or a time such as `90s`, `25m` or `2h`, got {show(value)}{quoted}"
        )
    return float(match[1]) * _SECONDS[match[2]]


Flag = Annotated[bool, Strict()]
Real = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Whole = Annotated[int, Strict(), BeforeValidator(_whole)]
Positive = Annotated[Real, Field(gt=0)]
NonNegative = Annotated[Real, Field(ge=0)]
Count = Annotated[Whole, Field(ge=0)]
PositiveCount = Annotated[Whole, Field(ge=1)]
NumberOrAuto = Annotated[float | Literal["auto"], BeforeValidator(_number_or_auto)]
Decay = Annotated[Real, Field(ge=0, lt=1)]

MAX_CODE = 10_000  # categories of one code, codes of one kind, dimensions of z: far above any use


class Section(BaseModel):
    """Base of every section: immutable, and a key that is not named is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# The base run ---------------------------------------------------------------------------------------------


class CodesConfig(Section):
    """The latent code c and the noise z that G is fed."""

    categorical: Annotated[
        tuple[Annotated[Whole, Field(ge=2, le=MAX_CODE)], ...],
        BeforeValidator(sequence),
        Field(description="Sizes of the categorical codes; `10` is short for `[10]`, `[]` means none."),
    ] = (10,)
    uniform: Annotated[Count, Field(le=MAX_CODE, description="How many codes are uniform on (-1, 1).")] = 2
    gaussian: Annotated[Count, Field(le=MAX_CODE, description="How many codes are standard normal.")] = 0
    noise: Annotated[Count, Field(le=MAX_CODE, description="Dimension of z.")] = 62
    noise_distribution: Annotated[
        Literal["uniform", "normal"], Field(description="z is uniform on (-1, 1) or standard normal.")
    ] = "uniform"

    @model_validator(mode="after")
    def _at_least_one_code(self) -> CodesConfig:
        if not self.categorical and not self.uniform and not self.gaussian:
            raise ValueError("InfoGAN needs at least one code: give `categorical`, `uniform` or `gaussian`")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the codes: `cat_0`, ..., `uniform_0`, ..., `gaussian_0`, ..."""
        counts = {"cat": len(self.categorical), "uniform": self.uniform, "gaussian": self.gaussian}
        return tuple(f"{kind}_{index}" for kind, count in counts.items() for index in range(count))


class ArchitectureConfig(Section):
    """Which networks are built."""

    name: Annotated[
        str, Field(description="A registered architecture: paper, mlp, dcgan, infogan-cr or your own.")
    ] = "paper"
    width: Annotated[Positive, Field(le=16, description="Multiplier of all channel counts.")] = 1.0
    spectral_norm: Annotated[
        Flag,
        Field(description="The trunk and D's head have spectral normalisation, and no BatchNorm."),
    ] = False


class TransformConfig(Section):
    """How far images are transformed at random where Q's category is not to change; all 0: not at all."""

    rotation: Annotated[Real, Field(ge=0, le=180, description="Degrees, either way.")] = 0.0
    scale: Annotated[Real, Field(ge=0, le=1, description="Each axis by 1 / (1 + scale) to 1 + scale.")] = 0.0
    shear: Annotated[Real, Field(ge=0, le=1, description="Pixels a pixel, either way.")] = 0.0
    shift: Annotated[NonNegative, Field(le=1000, description="Pixels along each axis, either way.")] = 0.0
    share: Annotated[
        Real,
        Field(
            gt=0,
            le=1,
            description="Share of a batch that is transformed, two images at least; less costs less.",
        ),
    ] = 1.0

    @property
    def any(self) -> bool:
        """Whether anything is transformed."""
        return bool(self.rotation or self.scale or self.shear or self.shift)


class ObjectiveConfig(Section):
    """min over G, Q, max over D of V(D, G) - lambda L_I(G, Q): InfoGAN, equation 6."""

    lambda_cat: Annotated[
        NonNegative, Field(description="Weight of L_I of the categorical codes; 0 sends G and D nothing.")
    ] = 1.0
    lambda_cont: Annotated[NonNegative, Field(description="Weight of L_I of the continuous codes.")] = 1.0
    fixed_std: Annotated[
        Flag,
        Field(description="Q's standard deviation of a continuous code is 1 (the authors' MNIST run), "
              "not learned."),
    ] = True  # fmt: skip
    transform: Annotated[
        TransformConfig,
        Field(description="The categorical part of L_I is computed on images transformed so."),
    ] = TransformConfig()
    consistency: Annotated[
        NonNegative,
        Field(description="Weight of the disagreement, in nats, of Q's categories of a real image and of the same "
              "transformed."),
    ] = 0.0  # fmt: skip
    balance: Annotated[
        NonNegative,
        Field(
            description="Weight of the divergence, in nats, of Q's mean categories of real images from uniform."
        ),
    ] = 0.0
    vat: Annotated[
        NonNegative,
        Field(description="Weight of the move, in nats, of Q's categories of a real image under the worst small change "
              "of it."),
    ] = 0.0  # fmt: skip
    vat_radius: Annotated[
        Positive, Field(description="Euclidean size of that change of an image, pixels in [-1, 1].")
    ] = 2.0
    instance_noise: Annotated[
        NonNegative,
        Field(
            description="Standard deviation of normal noise on the images (in [-1, 1]) that D judges; it falls "
            "linearly to 0 over the run."
        ),
    ] = 0.0
    contrastive: Annotated[
        NonNegative,
        Field(description="Weight of telling which continuous code two generated images share (InfoGAN-CR)."),
    ] = 0.0  # fmt: skip
    r1: Annotated[
        NonNegative,
        Field(description="gamma of the penalty gamma/2 E|grad D(x)|^2 on D's logits of real images."),
    ] = 0.0

    @model_validator(mode="after")
    def _something_to_agree_on(self) -> ObjectiveConfig:
        if self.consistency and not self.transform.any:
            raise ValueError(
                "`consistency` compares an image with its transformed copy: give `transform` as well"
            )
        return self


class OptimiserConfig(Section):
    """Adam, with one learning rate for G and one for D, Q and their trunk."""

    lr_g: Annotated[Positive, Field(description="Adam's step size for G.")] = 1e-3
    lr_d: Annotated[Positive, Field(description="Adam's step size for D, Q and their shared trunk.")] = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    decay: Annotated[
        Real,
        Field(
            ge=0, le=1, description="Share of the steps, at the end, over which both step sizes fall to 0."
        ),
    ] = 0.0
    ema: Annotated[
        Decay,
        Field(
            description="Decay an update, such as 0.999, of the average of G's weights that makes all images after "
            "training; 0: none."
        ),
    ] = 0.0


Precision = Literal["float32", "tf32", "bf16"]


class RunConfig(Section):
    """One training run, but for its dataset and its seed; the defaults are the paper's MNIST run."""

    codes: CodesConfig = CodesConfig()
    architecture: ArchitectureConfig = ArchitectureConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    steps: Annotated[PositiveCount, Field(description="Updates of D and of G.")] = 5000
    batch: Annotated[
        Annotated[Whole, Field(ge=2)],
        Field(description="Images a step; at least 2, since BatchNorm has no statistics over one image."),
    ] = 128
    precision: Annotated[
        Precision,
        Field(
            description="Of training's products: float32; tf32, on a GPU with factors of 10 bits; bf16, in which the "
            "networks compute (autocast). Weights and losses are float32."
        ),
    ] = "float32"

    @model_validator(mode="after")
    def _codes_to_tell_apart(self) -> RunConfig:
        if self.objective.contrastive and self.codes.uniform + self.codes.gaussian < 2:
            raise ValueError("`objective.contrastive` tells continuous codes apart: give two or more of them")
        return self


# Around the base run --------------------------------------------------------------------------------------


class DatasetConfig(Section):
    """Which images; `dataset: mnist` is short for `dataset: {name: mnist}`."""

    name: str = "mnist"
    data_dir: Annotated[
        str | None,
        Field(description="A folder with the four IDX files (gzipped or not), or with dSprites' archive."),
    ] = None
    train_size: Annotated[PositiveCount | None, Field(description="Use the first N training images.")] = None
    test_size: Annotated[PositiveCount | None, Field(description="Use the first N test images.")] = None


class SearchConfig(Section):
    """How configurations are chosen from the space."""

    algorithm: Literal["grid", "random", "sobol", "tpe", "cmaes", "gp", "nsga2"] = "grid"
    trials: Annotated[
        PositiveCount | None, Field(description="Number of trials; a grid has its own number.")
    ] = None
    time_limit: Annotated[
        Positive | None,
        BeforeValidator(_seconds),
        Field(description="Stop the sweep after this long: seconds, or `90s`, `25m`, `2h`."),
    ] = None
    seed: Annotated[Count, Field(description="Seed of the search itself.")] = 0
    population: Annotated[
        Annotated[Whole, Field(ge=4)] | None,
        Field(
            description="Configurations a generation of cmaes (default: 4 + 3 ln n for n parameters) and of nsga2 "
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

    @property
    def generation(self) -> int:
        """Configurations a generation of nsga2."""
        return self.population or min(max((self.trials or 0) // 8, 8), 50)

    @property
    def at_random(self) -> int:
        """Trials that tpe and gp draw at random first; 0 for the others."""
        if self.algorithm not in ("tpe", "gp"):
            return 0
        return self.startup or min(max((self.trials or 0) // 4, 4), 10)


class SchedulerConfig(Section):
    """Which trials are stopped early, or (`pbt`) take over from better ones while they train; `scheduler: asha` is
    short for `scheduler: {name: asha}`."""

    name: Literal["none", "asha", "median", "hyperband", "pbt"] = "none"
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
            description="pbt: this share of the trials, the worst, takes over from as many best.",
        ),
    ] = 0.25
    resample: Annotated[
        Real,
        Field(
            ge=0, le=1, description="pbt: how likely a value is drawn anew from its domain, not perturbed."
        ),
    ] = 0.25
    factors: Annotated[
        tuple[Positive, ...],
        BeforeValidator(sequence),
        Field(
            min_length=1,
            description="pbt: a value is perturbed by one of these; one of a list moves by a place.",
        ),
    ] = (0.8, 1.25)

    def interval(self, steps: int, reported: int) -> int:
        """Steps between two comparisons of a population whose runs of `steps` steps report every `reported`."""
        return reported * -(-steps // (10 * reported)) if self.every is None else self.every

    def grace_steps(self, steps: int) -> int:
        """Steps that a run of `steps` steps is granted before it may be stopped."""
        return max(1, steps // 4) if self.grace is None else self.grace


class Goal(Section):
    """A score (the mean over a trial's seeds) and its direction."""

    metric: str = "cluster_accuracy"
    mode: Annotated[
        Literal["max", "min"], Field(description="Default: min for losses and distances, max for all else.")
    ] = "max"

    @model_validator(mode="before")
    @classmethod
    def _direction_of_the_metric(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "mode" not in given and is_better_low(str(given.get("metric"))):
            return {**given, "mode": "min"}
        return given


class GoalConfig(Goal):
    """The score that ranks trials, and others that the search weighs against it; a list of goals is short for the
    first one with the rest as `also`."""

    also: tuple[Goal, ...] = ()

    @property
    def goals(self) -> tuple[Goal, ...]:
        """All of them, the one that ranks first."""
        return (Goal(metric=self.metric, mode=self.mode), *self.also)


class EvaluationConfig(Section):
    """When a run is scored, and by what."""

    every: Annotated[PositiveCount, Field(description="Score, report and checkpoint every N steps.")] = 250
    scores: Annotated[
        tuple[ScoreName, ...],
        BeforeValidator(sequence),
        Field(
            description="Scores of Q on the test set: of its categorical posterior against labels, or of all its "
            "codes against ground-truth factors, whichever the dataset has; and of what G's continuous codes do to "
            "slant and stroke width, and of how far its digits are from MNIST's."
        ),
    ] = LABEL_SCORES
    dci_estimator: Annotated[
        DciEstimator,
        Field(description="What predicts factors for DCI: a forest (seconds) or boosted trees (minutes)."),
    ] = "forest"


class ResourcesConfig(Section):
    """What one trial occupies while it runs."""

    cpus: Annotated[NumberOrAuto, Field(description="CPUs, also torch's threads; auto is 1.")] = "auto"
    gpus: Annotated[
        NumberOrAuto,
        Field(description="GPUs: a fraction up to 1, or a whole number; auto: as a few steps measure."),
    ] = "auto"
    memory: Annotated[Positive | None, Field(description="GiB of memory reserved for a trial.")] = None
    custom: Annotated[dict[str, Positive], Field(description="Custom Ray resources.")] = Field(
        default_factory=dict
    )
    wait: Annotated[
        NonNegative, Field(description="Seconds to wait for a node that fits before giving up.")
    ] = 0.0
    retries: Annotated[
        Count, Field(description="How often a trial whose process died continues from its checkpoint.")
    ] = 2

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


class TrackingConfig(Section):
    """Where MLflow runs go; `tracking: none` turns tracking off."""

    enabled: Flag = True
    uri: Annotated[
        str | None, Field(description="Default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db.")
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
