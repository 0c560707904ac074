"""Datasets by name: those that are built in and those that a user adds."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.mnist import FASHION_MNIST, KMNIST, MNIST

Loader = Callable[[Path | None], ImageDataset]

_LOADERS: dict[str, Loader] = {family.name: family.load for family in (MNIST, FASHION_MNIST, KMNIST)}


def register_dataset(name: str) -> Callable[[Loader], Loader]:
    """Make a dataset of your own loadable by `name`; decorates a function of `data_dir` (None if not given).

    Raises:
        ValueError: if the name is taken.
    """

    def register(loader: Loader) -> Loader:
        if name in _LOADERS:
            raise ValueError(f"a dataset named `{name}` is registered already")
        _LOADERS[name] = loader
        return loader

    return register


def dataset_names() -> tuple[str, ...]:
    """Return the names that `load_dataset` knows, sorted."""
    return tuple(sorted(_LOADERS))


def load_dataset(config: DatasetConfig) -> ImageDataset:
    """Load the dataset that `config` names, cut to its first `train_size` and `test_size` images.

    A process reads each (name, data_dir) once and keeps it: every call returns views of the same memory.

    Raises:
        DatasetError: if the name is unknown, the data cannot be used, or a size is larger than the data.
    """
    loader = _LOADERS.get(config.name)
    if loader is None:
        raise DatasetError(_unknown(config.name))
    data_dir = None if config.data_dir is None else Path(config.data_dir).expanduser().absolute()
    return _load_whole(loader, data_dir).first(config.train_size, config.test_size)


@cache
def _load_whole(loader: Loader, data_dir: Path | None) -> ImageDataset:
    return loader(data_dir)


def _unknown(name: str) -> str:
    nearest = difflib.get_close_matches(name, _LOADERS, n=1)
    hint = f"; did you mean `{nearest[0]}`?" if nearest else "."
    return f"unknown dataset `{name}`{hint} There are {', '.join(dataset_names())}."
