"""Images in memory, with labels or factors: `load_dataset(config)` gives an `ImageDataset`."""

from infogan_bench.datasets.base import ImageDataset
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.factors import FactorRange, Factors
from infogan_bench.datasets.pixel_range import DataWarning
from infogan_bench.datasets.pixels import to_float, to_uint8
from infogan_bench.datasets.registry import dataset_names, load_dataset, register_dataset

__all__ = [
    "DataWarning",
    "DatasetError",
    "FactorRange",
    "Factors",
    "ImageDataset",
    "dataset_names",
    "load_dataset",
    "register_dataset",
    "to_float",
    "to_uint8",
]
