"""`base.objective`: the terms of the loss and their weights."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from infogan_bench.config.section import ConfigSection, Flag, NonNegative, Positive, Real, Share

LOG_STD_RANGE = (-6.0, 3.0)
"""Natural logarithms of the smallest and the largest deviation of Q's Gaussians; they keep log Q finite for a perfect
Q and for an untrained one."""


def _weight(value: Any) -> Any:
    """Let a number stand for a term with that weight."""
    return {"weight": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class TransformConfig(ConfigSection):
    """Limits of the random transformations under which Q's category must not change; all 0: no transformations."""

    rotation: Annotated[
        Real, Field(ge=0, le=180, description="Largest rotation in degrees, in either direction.")
    ] = 0.0
    scale: Annotated[
        Real,
        Field(ge=0, le=1, description="Each axis is scaled by a factor from 1 / (1 + scale) to 1 + scale."),
    ] = 0.0
    shear: Annotated[
        Real,
        Field(ge=0, le=1, description="Largest shear in either direction: pixels to the side for each row."),
    ] = 0.0
    shift: Annotated[
        NonNegative,
        Field(le=1000, description="Largest shift along each axis, in pixels, in either direction."),
    ] = 0.0
    share: Annotated[
        Real,
        Field(
            gt=0,
            le=1,
            description="Share of a batch that is transformed, at least two images; a smaller share takes less time.",
        ),
    ] = 1.0

    @property
    def any(self) -> bool:
        """True if any limit is above 0."""
        return bool(self.rotation or self.scale or self.shear or self.shift)


class ObjectiveConfig(ConfigSection):
    """min over G, Q, max over D of V(D, G) - lambda L_I(G, Q): InfoGAN, equation 6."""

    lambda_cat: Annotated[
        NonNegative,
        Field(description="Weight of L_I of the categorical codes; with 0 it trains Q's head alone."),
    ] = 1.0
    lambda_cont: Annotated[NonNegative, Field(description="Weight of L_I of the continuous codes.")] = 1.0
    fixed_std: Annotated[
        Flag,
        Field(description="Q's standard deviation of a continuous code is 1 (the authors' MNIST run), "
              "not learned."),
    ] = True  # fmt: skip
    transform: Annotated[
        TransformConfig,
        Field(
            description="The categorical part of L_I is computed on images that are transformed within these limits."
        ),
    ] = TransformConfig()
    consistency: Annotated[
        NonNegative,
        Field(description="Weight of the disagreement, in nats, between Q's categories of a real image and of its "
              "transformed copy."),
    ] = 0.0  # fmt: skip
    balance: Annotated[
        NonNegative,
        Field(
            description="Weight of the divergence, in nats, of Q's mean category from a uniform one, on real images."
        ),
    ] = 0.0
    vat: Annotated[
        NonNegative,
        Field(description="Weight of the change, in nats, of Q's categories of a real image when the image is changed "
              "a little in the worst direction."),
    ] = 0.0  # fmt: skip
    vat_radius: Annotated[
        Positive, Field(description="Euclidean length of that change of an image; pixels are in [-1, 1].")
    ] = 2.0
    vat_share: Annotated[
        Share | None, Field(description="Share of a batch that `vat` uses; default: `transform.share`.")
    ] = None
    instance_noise: Annotated[
        NonNegative,
        Field(
            description="Standard deviation of normal noise on the images (in [-1, 1]) that D judges; it falls "
            "linearly to 0 over the run."
        ),
    ] = 0.0
    contrastive: Annotated[
        NonNegative,
        Field(description="Weight of the loss of telling which continuous code two generated images "
              "share (InfoGAN-CR)."),
    ] = 0.0  # fmt: skip
    contrastive_share: Annotated[
        Share | None,
        Field(description="Share of a batch that `contrastive` uses; default: `transform.share`."),
    ] = None
    r1: Annotated[
        NonNegative,
        Field(
            description="The factor gamma of the penalty gamma/2 E|grad D(x)|^2 on D's logits of real images."
        ),
    ] = 0.0
    terms: Annotated[
        dict[str, Annotated[dict[str, Real], BeforeValidator(_weight)]],
        Field(
            description="Terms of your own, which a module under `extensions` registers: name -> weight and options; "
            "a number alone is the weight."
        ),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something_to_agree_on(self) -> ObjectiveConfig:
        if self.consistency and not self.transform.any:
            raise ValueError(
                "`consistency` compares an image with its transformed copy: give `transform` as well"
            )
        return self
