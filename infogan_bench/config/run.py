"""`base`: a training run, except for its dataset and its seed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from infogan_bench.config.objective import ObjectiveConfig
from infogan_bench.config.section import (
    ConfigSection,
    Count,
    Decay,
    Flag,
    Positive,
    PositiveCount,
    Real,
    Whole,
    named,
    sequence,
)

MAX_CODE = 10_000  # categories of one code, codes of one kind, dimensions of z: far above any use


class CodesConfig(ConfigSection):
    """The latent code c and the noise z, the input of G."""

    categorical: Annotated[
        tuple[Annotated[Whole, Field(ge=2, le=MAX_CODE)], ...],
        BeforeValidator(sequence),
        Field(description="Sizes of the categorical codes; `10` is short for `[10]`, `[]` means none."),
    ] = (10,)
    uniform: Annotated[
        Count, Field(le=MAX_CODE, description="Number of codes that are uniform on (-1, 1).")
    ] = 2
    gaussian: Annotated[
        Count, Field(le=MAX_CODE, description="Number of codes that are standard normal.")
    ] = 0
    noise: Annotated[Count, Field(le=MAX_CODE, description="Dimension of the noise z.")] = 62
    noise_distribution: Annotated[
        Literal["uniform", "normal"],
        Field(description="Distribution of z: uniform on (-1, 1), or standard normal."),
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


class ArchitectureConfig(ConfigSection):
    """The networks that are built."""

    name: Annotated[
        str,
        Field(description="A registered architecture; docs/sweep-file.md names those that ship."),
    ] = "paper"
    width: Annotated[Positive, Field(le=16, description="Multiplier of all channel counts.")] = 1.0
    spectral_norm: Annotated[
        Flag,
        Field(description="The trunk and D's head have spectral normalisation, and no BatchNorm."),
    ] = False


class MethodConfig(ConfigSection):
    """The method by which a model is trained; `method: vae` is short for `method: {name: vae}`."""

    name: Annotated[
        str,
        Field(min_length=1, description="infogan, a VAE, or one that a module under `extensions` registers."),
    ] = "infogan"
    options: Annotated[
        dict[str, Real], Field(description="The method's own numbers, such as `beta` of `vae`.")
    ] = Field(default_factory=dict)


class OptimiserConfig(ConfigSection):
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
            description="Decay at each update, such as 0.999, of the moving average of G's weights. "
            "The averaged G makes all "
            "images after training; 0: no average."
        ),
    ] = 0.0


Precision = Literal["float32", "tf32", "bf16"]


class RunConfig(ConfigSection):
    """A training run, except for its dataset and its seed; the defaults are the paper's MNIST run."""

    method: Annotated[MethodConfig, BeforeValidator(named)] = MethodConfig()
    codes: CodesConfig = CodesConfig()
    architecture: ArchitectureConfig = ArchitectureConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    steps: Annotated[PositiveCount, Field(description="Updates of D and of G.")] = 5000
    batch: Annotated[
        Annotated[Whole, Field(ge=2)],
        Field(
            description="Images in a step; at least 2, since BatchNorm has no statistics of a single image."
        ),
    ] = 128
    precision: Annotated[
        Precision,
        Field(
            description="Precision of training: float32; tf32, in which a GPU multiplies numbers "
            "of 10 bits; bf16, in which "
            "the networks compute (autocast). Weights and losses are always float32."
        ),
    ] = "float32"

    @model_validator(mode="after")
    def _codes_to_tell_apart(self) -> RunConfig:
        if self.objective.contrastive and self.codes.uniform + self.codes.gaussian < 2:
            raise ValueError("`objective.contrastive` tells continuous codes apart: give two or more of them")
        return self
