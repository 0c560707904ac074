"""Datasets by name: those that are built in and those that a user adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from infogan_bench.config.dataset_options import ChairsOptions, FacesOptions, SvhnOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.config.names import nearest
from infogan_bench.config.section import ConfigSection
from infogan_bench.datasets.avatars import AVATARS, load_avatars
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.cars3d import find_cars3d, load_cars3d
from infogan_bench.datasets.celeba import find_celeba, load_celeba
from infogan_bench.datasets.chairs3d import chairs3d, load_chairs3d
from infogan_bench.datasets.drawn import DrawnSet
from infogan_bench.datasets.dsprites import find_dsprites, load_dsprites
from infogan_bench.datasets.dsprites_variants import find_scream, load_colour, load_noisy, load_scream
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.faces3d import faces3d, load_faces3d
from infogan_bench.datasets.images import load_images
from infogan_bench.datasets.mnist import FASHION_MNIST, KMNIST, MNIST
from infogan_bench.datasets.mpi3d import find_mpi3d, load_mpi3d
from infogan_bench.datasets.pixel_range import check_pixel_range
from infogan_bench.datasets.shapes3d import find_shapes3d, load_shapes3d
from infogan_bench.datasets.smallnorb import find_smallnorb, load_smallnorb
from infogan_bench.datasets.sprites import load_sprites
from infogan_bench.datasets.street_digits import STREET_DIGITS, load_street_digits
from infogan_bench.datasets.svhn import find_svhn, load_svhn

Loader = Callable[[Path | None], ImageDataset]  # reads the whole dataset
Options = TypeVar("Options", bound=ConfigSection)
SizedLoader = Callable[[DatasetConfig], ImageDataset]  # makes no more images than are asked for


def _cut_to_size(loader: Loader) -> SizedLoader:
    whole = cache(loader)

    def load(config: DatasetConfig) -> ImageDataset:
        return whole(config.data_folder).head(config.train_size, config.test_size)

    return load


def _with_options(kind: type[Options], loader: Callable[[Path | None, Options], ImageDataset]) -> SizedLoader:
    whole = cache(loader)

    def load(config: DatasetConfig) -> ImageDataset:
        assert isinstance(config.options, kind)  # noqa: S101
        return whole(config.data_folder, config.options).head(config.train_size, config.test_size)

    return load


def _kept(loader: SizedLoader) -> SizedLoader:
    """Let a process keep what it has read of each configuration."""
    kept: dict[tuple[Path | None, str], ImageDataset] = {}

    def load(config: DatasetConfig) -> ImageDataset:
        key = (config.data_folder, config.model_dump_json(exclude={"data_dir"}))
        if key not in kept:
            kept[key] = loader(config)
        return kept[key]

    return load


@dataclass(frozen=True)
class Reader:
    """The functions of a data set: `load` reads or draws it; `find` looks for its files, and raises a `DatasetError`
    that names the missing ones. `find` is None where there are no files to look for. `drawn` gives the set that
    is drawn with default options, and is None where none is."""

    load: SizedLoader
    find: Callable[[Path | None], object] | None = None
    drawn: Callable[[], DrawnSet] | None = None


_READERS: dict[str, Reader] = {
    **{
        family.name: Reader(_cut_to_size(family.load), family.find)
        for family in (MNIST, FASHION_MNIST, KMNIST)
    },
    "sprites": Reader(load_sprites),
    "faces3d": Reader(load_faces3d, drawn=lambda: faces3d(FacesOptions().identities)),
    "chairs3d": Reader(load_chairs3d, drawn=lambda: chairs3d(ChairsOptions().chairs)),
    "dsprites": Reader(load_dsprites, find_dsprites),
    "dsprites-colour": Reader(_kept(load_colour), find_dsprites),
    "dsprites-noisy": Reader(_kept(load_noisy), find_dsprites),
    "dsprites-scream": Reader(_kept(load_scream), find_scream),
    "shapes3d": Reader(_kept(load_shapes3d), find_shapes3d),
    "mpi3d": Reader(_kept(load_mpi3d), find_mpi3d),
    "cars3d": Reader(_kept(load_cars3d), find_cars3d),
    "smallnorb": Reader(_kept(load_smallnorb), find_smallnorb),
    "street-digits": Reader(_kept(load_street_digits), drawn=lambda: STREET_DIGITS),
    "avatars": Reader(_kept(load_avatars), drawn=lambda: AVATARS[32]),
    "svhn": Reader(_with_options(SvhnOptions, load_svhn), find_svhn),
    "celeba": Reader(_kept(load_celeba), find_celeba),
    "images": Reader(_kept(load_images)),
}


def register_dataset(name: str) -> Callable[[Loader], Loader]:
    """Register a dataset of your own under `name`; decorates a function of `data_dir`, which may be None.

    Raises:
        ValueError: if the name is taken.
    """

    def register(loader: Loader) -> Loader:
        if name in _READERS:
            raise ValueError(f"a dataset named `{name}` is registered already")
        _READERS[name] = Reader(_cut_to_size(loader))
        return loader

    return register


def dataset_names() -> tuple[str, ...]:
    """Return the names that `load_dataset` knows, sorted."""
    return tuple(sorted(_READERS))


def load_dataset(config: DatasetConfig) -> ImageDataset:
    """Load the dataset that `config` names, cut to its first `train_size` and `test_size` images.

    A process reads or draws the same images once and keeps them: every call returns the same memory.

    Warns:
        DataWarning: if the images hardly use the range of pixels, see `check_pixel_range`.

    Raises:
        DatasetError: if the name is unknown, the data cannot be used, or a size is larger than the data.
    """
    dataset = reader(config.name).load(config)
    check_pixel_range(dataset)
    return dataset


def reader(name: str) -> Reader:
    """Return the functions of a data set.

    Raises:
        DatasetError: if the name is unknown.
    """
    if name in _READERS:
        return _READERS[name]
    found = nearest(name, _READERS)
    hint = f"; did you mean `{found}`?" if found else "."
    raise DatasetError(f"unknown dataset `{name}`{hint} There are {', '.join(dataset_names())}.")
