"""Datasets by name: those that are built in and those that a user adds."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.dsprites import load_dsprites
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.mnist import FASHION_MNIST, KMNIST, MNIST
from infogan_bench.datasets.pixel_range import check_pixel_range
from infogan_bench.datasets.sprites import load_sprites

Loader = Callable[[Path | None], ImageDataset]  # reads the whole dataset
SizedLoader = Callable[[DatasetConfig], ImageDataset]  # makes no more images than are asked for


def _cut_to_size(loader: Loader) -> SizedLoader:
    whole = cache(loader)

    def load(config: DatasetConfig) -> ImageDataset:
        data_dir = None if config.data_dir is None else Path(config.data_dir).expanduser().absolute()
        return whole(data_dir).head(config.train_size, config.test_size)

    return load


_LOADERS: dict[str, SizedLoader] = {
    **{family.name: _cut_to_size(family.load) for family in (MNIST, FASHION_MNIST, KMNIST)},
    "sprites": load_sprites,
    "dsprites": load_dsprites,
}


def register_dataset(name: str) -> Callable[[Loader], Loader]:
    """Register a dataset of your own under `name`; decorates a function of `data_dir`, which may be None.

    Raises:
        ValueError: if the name is taken.
    """

    def register(loader: Loader) -> Loader:
        if name in _LOADERS:
            raise ValueError(f"a dataset named `{name}` is registered already")
        _LOADERS[name] = _cut_to_size(loader)
        return loader

    return register


def dataset_names() -> tuple[str, ...]:
    """Return the names that `load_dataset` knows, sorted."""
    return tuple(sorted(_LOADERS))


def load_dataset(config: DatasetConfig) -> ImageDataset:
    """Load the dataset that `config` names, cut to its first `train_size` and `test_size` images.

    A process reads or draws the same images once and keeps them: every call returns the same memory.

    Warns:
        DataWarning: if the images hardly use the range of pixels, see `check_pixel_range`.

    Raises:
        DatasetError: if the name is unknown, the data cannot be used, or a size is larger than the data.
    """
    loader = _LOADERS.get(config.name)
    if loader is None:
        raise DatasetError(_unknown(config.name))
    dataset = loader(config)
    check_pixel_range(dataset)
    return dataset


def _unknown(name: str) -> str:
    nearest = difflib.get_close_matches(name, _LOADERS, n=1)
    hint = f"; did you mean `{nearest[0]}`?" if nearest else "."
    return f"unknown dataset `{name}`{hint} There are {', '.join(dataset_names())}."
