"""The range of a dataset's pixels, checked before anything is trained on them.

Images in another range than 0 to 255 would train without an error, to no effect: for the networks, pixels of 0 and 1
are all nearly black, and 16-bit images that were opened as 8-bit ones are nearly all white.
"""

from __future__ import annotations

import warnings

from torch import Tensor

from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError

_LOOKED_AT = 2_000  # images, spread evenly over the training set
_NEARLY_ALL = 0.99


class DataWarning(UserWarning):
    """Data that can be trained on, but are probably not what the user meant."""


def check_pixel_range(dataset: ImageDataset) -> None:
    """Refuse training images without contrast, and warn where nearly all pixels are black or nearly all white.

    Warns:
        DataWarning: if 99% of the pixels of 2,000 training images are 0, or 99% are 255.

    Raises:
        DatasetError: if no pixel of the training images is above 1, or all have one value.
    """
    images = dataset.train_images
    some = images[:: max(1, len(images) // _LOOKED_AT)]
    if int(some.max()) <= 1 or int(some.min()) == int(some.max()):
        _require_contrast(dataset.name, images)
    for value, name in ((0, "black"), (255, "white")):
        fraction = float((some == value).float().mean())
        if fraction >= _NEARLY_ALL:
            warnings.warn(
                f"{dataset.name}: {fraction:.1%} of the pixels of its training images are {value} ({name}). Pixels "
                "must span 0 to 255: were 16-bit images opened as 8-bit ones, or were they scaled to another range?",
                DataWarning,
                stacklevel=2,
            )


def _require_contrast(name: str, images: Tensor) -> None:
    low, high = int(images.min()), int(images.max())
    if low == high:
        raise DatasetError(
            f"{name}: all pixels of its training images are {low}, so there is nothing to learn"
        )
    if high <= 1:
        raise DatasetError(
            f"{name}: the pixels of its training images are {low} to {high}, but 0 to 255 are expected; "
            "multiply images of 0 and 1 by 255"
        )
