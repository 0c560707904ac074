"""Datasets of trained models, whose files may have moved since."""

from __future__ import annotations

from pathlib import Path

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.registry import load_dataset


def at_folder(config: DatasetConfig, data_dir: Path | str | None) -> DatasetConfig:
    """Return a dataset's configuration with its files in `data_dir`; None: unchanged."""
    return (
        config if data_dir is None else config.model_copy(update={"data_dir": str(Path(data_dir).absolute())})
    )


def load_moved(config: DatasetConfig) -> ImageDataset:
    """Load a dataset whose files a user may have moved since.

    Raises:
        DatasetError: if it cannot be loaded; the message names the option for its folder.
    """
    try:
        return load_dataset(config)
    except DatasetError as error:
        if config.data_dir is None:
            raise
        raise DatasetError(
            f"{str(error).removesuffix('.')}. If the data has moved, name its folder by --data-dir"
        ) from None
