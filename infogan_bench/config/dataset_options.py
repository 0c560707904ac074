"""The options of the data sets that have some: the sections of `dataset.options`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Strict, model_validator

from infogan_bench.config.errors import show
from infogan_bench.config.section import ConfigSection, Flag, Positive, PositiveCount, Real, Whole, sequence

CELEBA_WIDTH = 178  # pixels of an aligned image; it is 218 high
_PARTIAL = "Take as many images as the files hold, even if they are fewer than the published set has."


def _sequence_or_none(value: object) -> object:
    return None if value is None else sequence(value)


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


class Mpi3dOptions(ConfigSection):
    """The options of mpi3d."""

    version: Annotated[
        Literal["toy", "realistic", "real", "complex"],
        Field(
            description="The images: rendered simply, rendered realistically, photographed, or photographed with "
            "everyday objects."
        ),
    ] = "real"


class TurntableOptions(ConfigSection):
    """The options of cars3d and of smallnorb, whose objects are shown from all sides."""

    azimuth: Annotated[
        Literal["circular", "ordered"],
        Field(
            description="circular: an angle in degrees. ordered: a whole number, as in the study of Locatello et al. "
            "2019; MIG and other scores of whole numbers need it."
        ),
    ] = "circular"
    partial: Annotated[Flag, Field(description=_PARTIAL)] = False


class AvatarsOptions(ConfigSection):
    """The options of avatars."""

    size: Annotated[Literal[32, 64], Field(description="Height and width of an image, in pixels.")] = 32


class FacesOptions(ConfigSection):
    """The options of faces3d."""

    identities: Annotated[PositiveCount, Field(description="The number of different heads.")] = 200


class ChairsOptions(ConfigSection):
    """The options of chairs3d."""

    chairs: Annotated[
        PositiveCount,
        Field(
            description="The number of different chairs: 21 that ship, and others that are built of parts."
        ),
    ] = 100


Value = Annotated[str, Strict()] | Annotated[int, Strict()] | Annotated[float, Strict()]


class FactorOption(ConfigSection):
    """A factor of the user's images, as `dataset.options.factors` declares it."""

    kind: Annotated[
        Literal["category", "ordered", "continuous", "circular"],
        Field(
            description="category: values without an order; ordered: with one; continuous: numbers; circular: angles."
        ),
    ]
    values: Annotated[
        tuple[Value, ...] | None,
        BeforeValidator(_sequence_or_none),
        Field(
            description="category, ordered: all values, in their order; default: those that the file has, sorted."
        ),
    ] = None
    low: Annotated[
        Real | None, Field(description="continuous, circular: the lowest value that is allowed.")
    ] = None
    high: Annotated[
        Real | None, Field(description="continuous, circular: the highest value that is allowed.")
    ] = None
    period: Annotated[Positive | None, Field(description="circular: the value that is the same as 0.")] = None
    unit: Annotated[str, Field(description="continuous, circular: such as `degrees`.")] = ""

    @model_validator(mode="after")
    def _keys_of_the_kind(self) -> FactorOption:
        discrete = self.kind in ("category", "ordered")
        allowed = {"kind", "values"} if discrete else {"kind", "low", "high", "unit"}
        if self.kind == "circular":
            allowed.add("period")
            if self.period is None:
                raise ValueError("a circular factor needs its `period`, such as 360")
        fields = type(self).model_fields
        given = {key for key in fields if getattr(self, key) != fields[key].default}
        if wrong := sorted(given - allowed):
            raise ValueError(f"`{wrong[0]}` does not go with a factor that is {self.kind}")
        if self.values is not None and len(set(map(str, self.values))) < max(2, len(self.values)):
            raise ValueError("`values` must be two or more, each given once")
        low, high = self.low, self.high
        if (low is None) != (high is None) or (low is not None and high is not None and low > high):
            raise ValueError("give both `low` and `high`, and `low` must not be above `high`")
        return self


class ImagesOptions(ConfigSection):
    """The options of images."""

    file: Annotated[
        str | None,
        Field(
            min_length=1,
            description="An .npz or HDF5 file of arrays in `data_dir`; default: the image files in it.",
        ),
    ] = None
    array: Annotated[str, Field(min_length=1, description="The name of the array of images in `file`.")] = (
        "images"
    )
    size: Annotated[
        Annotated[Whole, Field(ge=4, le=512)] | None,
        Field(
            description="Cut the largest square from the centre and scale it to this height and width; default: as is."
        ),
    ] = None
    channels: Annotated[
        Literal[1, 3] | None,
        Field(description="1: grey, 3: colour; default: as the images are, colour if one is."),
    ] = None
    test_share: Annotated[
        Real, Field(gt=0, lt=1, description="Share of the images, drawn at random, that is the test set.")
    ] = 0.2
    split: Annotated[
        str | None,
        Field(
            min_length=1,
            description="The column or array that says `train` or `test`; in place of `test_share`.",
        ),
    ] = None
    table: Annotated[
        str | None,
        Field(
            min_length=1,
            description="The CSV file with a row for each image; default: factors.csv, if factors are declared.",
        ),
    ] = None
    factors: Annotated[
        dict[Annotated[str, Field(min_length=1)], FactorOption],
        Field(description="Name of a column or array -> its kind."),
    ] = Field(default_factory=dict)
    factor_array: Annotated[
        str | None,
        Field(
            min_length=1,
            description="An array (N, n_factors) in `file` whose columns are the declared factors, in order.",
        ),
    ] = None
    label: Annotated[
        str | None,
        Field(description="The declared category that is the images' class, for scores that use labels."),
    ] = None

    @model_validator(mode="after")
    def _fit_together(self) -> ImagesOptions:
        if self.label is not None and (
            self.label not in self.factors or self.factors[self.label].kind != "category"
        ):
            raise ValueError(f"`label` must be a category that `factors` declares, got {show(self.label)}")
        if self.file is None and self.factor_array is not None:
            raise ValueError("`factor_array` goes with `file`")
        if self.file is not None and self.table is not None:
            raise ValueError("`table` does not go with `file`, which holds the factors as arrays")
        if self.split is not None and self.split in self.factors:
            raise ValueError("`split` must not be one of the factors")
        return self
