"""Images of the user's own: a folder of image files with a table of factors, or arrays in an .npz or HDF5 file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray

from infogan_bench.config.dataset_options import FactorOption, ImagesOptions
from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factor_table import FactorColumn, as_text, column_of, read_table
from infogan_bench.datasets.factors import FactorRange, Factors
from infogan_bench.datasets.image_arrays import ArrayFile
from infogan_bench.datasets.image_folder import ImageFolder

_TABLE = "factors.csv"
_SEED = 0


class _Source(NamedTuple):
    """Images that are not read yet, and what is known of each: texts by column, a row for each image."""

    images: ImageFolder | ArrayFile
    columns: Mapping[str, Sequence[object]]
    places: Sequence[str]  # of each row, for messages


def load_images(config: DatasetConfig) -> ImageDataset:
    """Read the images that `dataset.options` describe.

    Without a column that says `train` or `test`, the test set is a share of the images, drawn always alike.

    Raises:
        DatasetError: if a file is missing, or is not what its name says, or a factor has a wrong value.
    """
    options = config.options
    assert isinstance(options, ImagesOptions)  # noqa: S101
    if config.data_folder is None:
        raise DatasetError("images: give `data_dir`, the folder that holds your images")
    source = _arrays(config.data_folder, options) if options.file else _folder(config.data_folder, options)
    columns = {
        name: column_of(name, option, source.columns[name], source.places)
        for name, option in options.factors.items()
    }
    train, test = _split(source, options)
    train, test = _cut(train, config.train_size, "train_size"), _cut(test, config.test_size, "test_size")
    images = source.images.read(np.concatenate([train, test]), options.size, options.channels)
    label = None if options.label is None else columns[options.label]
    return ImageDataset(
        "images",
        train_images=torch.from_numpy(images[: len(train)]),
        train_labels=None if label is None else torch.from_numpy(label.values[train].astype(np.int64)),
        test_images=torch.from_numpy(images[len(train) :]),
        test_labels=None if label is None else torch.from_numpy(label.values[test].astype(np.int64)),
        class_names=() if label is None else label.names,
        factors=_factors(options.factors, columns, test) if columns else None,
    )


def _folder(data_dir: Path, options: ImagesOptions) -> _Source:
    images = ImageFolder(data_dir)
    wanted = [*options.factors, *filter(None, [options.split])]
    if options.table is None and not wanted:
        return _Source(images, {}, images.names)
    table = read_table(data_dir / (options.table or _TABLE), images.names, wanted)
    return _Source(images, table.columns, table.places)


def _arrays(data_dir: Path, options: ImagesOptions) -> _Source:
    assert options.file is not None  # noqa: S101
    file = ArrayFile(data_dir / options.file, options.array)
    names = list(options.factors)
    columns: dict[str, Sequence[object]] = {}
    if options.factor_array is not None:
        columns |= zip(names, file.matrix(options.factor_array, len(names)).T.tolist(), strict=True)
    else:
        columns |= {name: file.column(name) for name in names}
    if options.split is not None:
        columns[options.split] = file.column(options.split)
    places = [f"{file.path}: row {row}" for row in range(len(file))]
    return _Source(file, columns, places)


def _split(source: _Source, options: ImagesOptions) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of the training and of the test set, both in the order of the source if a column says so."""
    count = len(source.images)
    if options.split is None:
        n_test = max(1, round(count * options.test_share))
        if n_test >= count:
            raise DatasetError(f"images: {count} image(s) are too few for a training and a test set")
        order = np.random.default_rng(_SEED).permutation(count)
        return order[n_test:], order[:n_test]
    found = list(map(as_text, source.columns[options.split]))
    wrong = next((row for row, text in enumerate(found) if text not in ("train", "test")), None)
    if wrong is not None:
        raise DatasetError(
            f"{source.places[wrong]}: `{options.split}` must be train or test, found {found[wrong]!r}"
        )
    is_test = np.array([text == "test" for text in found])
    if is_test.all() or not is_test.any():
        raise DatasetError(f"images: `{options.split}` must have both train and test, found {found[0]} alone")
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _cut(rows: NDArray[np.intp], size: int | None, key: str) -> NDArray[np.intp]:
    if size is not None and size > len(rows):
        raise DatasetError(f"`{key}` is {size:,}, but images has {len(rows):,} of that split")
    return rows[:size]


def _factors(
    options: Mapping[str, FactorOption], columns: Mapping[str, FactorColumn], test: NDArray[np.intp]
) -> Factors:
    values = np.stack([column.values[test] for column in columns.values()], axis=1)
    sizes = tuple(len(column.names) or None for column in columns.values())
    return Factors(
        names=tuple(options),
        sizes=sizes,
        test=torch.from_numpy(values if None in sizes else values.astype(np.int64)),
        kinds=tuple(_kind(option) for option in options.values()),
        ranges=tuple(_range(option) for option in options.values()),
    )


def _kind(option: FactorOption) -> Kind:
    return Kind(option.kind) if option.period is None else Kind(option.kind, option.period)


def _range(option: FactorOption) -> FactorRange | None:
    if option.low is None or option.high is None:
        return None
    return FactorRange(option.low, option.high, option.unit)
