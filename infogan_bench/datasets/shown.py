"""The data set that `infogan-bench data show` draws, and the line above its images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infogan_bench.config import load_sweep, parse_settings, parse_sweep
from infogan_bench.config.datasets import DATASETS
from infogan_bench.config.models import DatasetConfig
from infogan_bench.config.params import set_value
from infogan_bench.datasets.base import ImageDataset

FETCHED = "data"  # the folder into which `infogan-bench data fetch` puts files by default
_LONG = 30  # seconds
_ENOUGH = {"train_size": 64, "test_size": 1_000}  # images that are enough for a sheet


def shown_dataset(name: str, data_dir: Path | None, settings: Sequence[str] = ()) -> DatasetConfig:
    """Return the configuration of a data set that is to be shown.

    A set that takes long to draw or to decode has 64 training and 1,000 test images, if `settings` do not say
    otherwise.

    Args:
        name: a data set, or a sweep file.
        data_dir: the folder of its files; None: as the sweep file says, else `data`.
        settings: KEY=VALUE, dotted keys of `dataset`.

    Raises:
        InputError: if a key or a value is refused.
    """
    if name.endswith((".yaml", ".yml")):
        tree = load_sweep(name).dataset.model_dump()
    else:
        tree = {"name": name}
        row = DATASETS.get(name)
        if row is not None and row.seconds > _LONG and not any("partial" in each for each in settings):
            tree |= _ENOUGH
        if row is not None and row.origin == "files":
            tree["data_dir"] = FETCHED
    if data_dir is not None:
        tree["data_dir"] = str(data_dir)
    for key, value in parse_settings(settings).items():
        set_value(tree, key, value)
    return parse_sweep({"name": "show", "dataset": tree, "base": {"batch": 2}}).dataset


def heading(dataset: ImageDataset) -> str:
    """Return a line: the name, the numbers of images and their shape."""
    row = DATASETS.get(dataset.name)
    stand_in = f", {row.title}" if row is not None and row.origin == "stand-in" else ""
    shape = "x".join(map(str, dataset.image_shape))
    counts = f"{len(dataset.train_images):,} training and {len(dataset.test_images):,} test images"
    return f"{dataset.name}{stand_in}: {counts} of {shape}; test images are shown"
