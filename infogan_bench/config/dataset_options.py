"""The options of the data sets that have some: the sections of `dataset.options`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from infogan_bench.config.section import ConfigSection, Flag, PositiveCount, Whole

CELEBA_WIDTH = 178  # pixels of an aligned image; it is 218 high
_PARTIAL = "Take as many images as the files hold, even if they are fewer than the published set has."


class SvhnOptions(ConfigSection):
    """The options of svhn."""

    extra: Annotated[
        Flag, Field(description="Add the 531,131 easier images of extra_32x32.mat to the training set.")
    ] = False
    partial: Annotated[Flag, Field(description=_PARTIAL)] = False


class CelebaOptions(ConfigSection):
    """The options of celeba."""

    size: Annotated[
        Annotated[Whole, Field(ge=8, le=CELEBA_WIDTH)],
        Field(description="Height and width of an image, in pixels."),
    ] = 32
    crop: Annotated[
        Annotated[Whole, Field(ge=8, le=CELEBA_WIDTH)],
        Field(
            description="Side of the square that is cut from the centre before it is scaled: 148, as in many "
            "VAEs, or 108, the face alone, as in DCGAN's code in TensorFlow."
        ),
    ] = 148
    test_split: Annotated[
        Literal["test", "validation"],
        Field(
            description="The images to score on: CelebA's test set (19,962) or its validation set (19,867)."
        ),
    ] = "test"
    partial: Annotated[Flag, Field(description=_PARTIAL)] = False

    @model_validator(mode="after")
    def _shrinks(self) -> CelebaOptions:
        if self.size > self.crop:
            raise ValueError(
                f"`size` ({self.size}) must be at most `crop` ({self.crop}); images are not enlarged"
            )
        return self


class FacesOptions(ConfigSection):
    """The options of faces3d."""

    identities: Annotated[PositiveCount, Field(description="The number of different heads.")] = 200
