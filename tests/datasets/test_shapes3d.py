"""Shapes3D: a small file of the published layout, written by h5py, and what can be wrong with it."""

from __future__ import annotations

import math
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.shapes3d import FACTORS, FILE, load_shapes3d

SIZES = (3, 2, 4, 2, 4, 5)
N = math.prod(SIZES)  # 960


def labels() -> NDArray[np.float64]:
    """The values of the factors as the published file has them: hues and scales in steps, angles from -30 to 30."""
    hues = [np.arange(n) / 10 for n in SIZES[:3]]
    values = [*hues, np.linspace(0.75, 1.25, SIZES[3]), np.arange(SIZES[4]), np.linspace(-30, 30, SIZES[5])]
    return np.stack([grid.ravel() for grid in np.meshgrid(*values, indexing="ij")], axis=1)


def images(n: int = N) -> NDArray[np.uint8]:
    """Images 4x4x3 whose first two pixels spell the number of the row in their red values."""
    made = np.full((n, 4, 4, 3), 7, np.uint8)
    made[:, 0, 0, 0], made[:, 0, 1, 0] = np.divmod(np.arange(n), 256)
    return made


def write(folder: Path, **changed: NDArray[Any] | None) -> DatasetConfig:
    with h5py.File(folder / FILE, "w") as file:
        for name, array in ({"images": images(), "labels": labels()} | changed).items():
            if array is not None:
                file.create_dataset(name, data=array, chunks=True, compression="gzip")
    return DatasetConfig(name="shapes3d", data_dir=str(folder), train_size=700, test_size=200)


def rows_of(shown: torch.Tensor) -> NDArray[np.int64]:
    red = shown[:, 0, 0, :2].numpy().astype(np.int64)
    return red[:, 0] * 256 + red[:, 1]


def check(dataset: ImageDataset) -> None:
    factors = dataset.factors
    assert factors is not None
    expected = np.stack(np.unravel_index(rows_of(dataset.test_images), SIZES), axis=1)
    np.testing.assert_array_equal(factors.test.numpy(), expected)
    assert len(np.union1d(rows_of(dataset.train_images), rows_of(dataset.test_images))) == 900


def test_images_come_with_their_own_factors(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path))
    check(dataset)
    assert dataset.factors is not None
    assert dataset.factors.names == FACTORS
    assert dataset.factors.sizes == SIZES
    assert [str(kind) for kind in dataset.factors.kinds] == [
        *["category"] * 3, "ordered", "category", "ordered"
    ]  # fmt: skip
    assert dataset.factors.kinds[5] == Kind("ordered")  # -30 to 30 degrees are no whole turn
    assert dataset.image_shape == (3, 4, 4)
    assert (dataset.train_images[:, 1:] == 7).all()  # red alone spells: channels come first


def test_no_open_file_is_shared_by_threads_or_pickled(tmp_path: Path) -> None:
    config = write(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        for dataset in pool.map(load_shapes3d, [config] * 4):
            check(pickle.loads(pickle.dumps(dataset)))


def test_a_smaller_part_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    config = write(tmp_path)
    large = load_dataset(config)
    small = load_dataset(config.model_copy(update={"train_size": 30, "test_size": 20}))
    assert torch.equal(small.train_images, large.train_images[:30])
    assert torch.equal(small.test_images, large.test_images[:20])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": None}, r"holds no array `labels`"),
        ({"labels": labels()[:, 1:]}, r"`labels` must be \(960, 6\).*found \(960, 5\)"),
        ({"labels": labels()[:-1]}, r"`labels` must be \(960, 6\).*found \(959, 6\)"),
        ({"labels": labels()[::-1]}, r"each combination of the six factors once.*found 960 rows with 3 x 2 x 4 x 2"),
        ({"images": images()[0]}, r"`labels` must be \(4, 6\)"),
        ({"images": np.arange(N)}, r"`images` must be \(N, H, W\)"),
    ],
)  # fmt: skip
def test_other_content_is_refused(
    tmp_path: Path, changed: dict[str, NDArray[Any] | None], message: str
) -> None:
    with pytest.raises(DatasetError, match=rf"{FILE}: .*{message}.*google-deepmind/3d-shapes"):
        load_dataset(write(tmp_path, **changed))


def test_a_file_that_is_missing_cut_or_a_web_page_is_named(tmp_path: Path) -> None:
    config = write(tmp_path)
    path = tmp_path / FILE
    whole = path.read_bytes()
    for content, fault in (
        (whole[: len(whole) // 2], "not a sound .npz or HDF5 file but an HDF5 file: "),
        (b"<!DOCTYPE html><html>" * 100, "not a sound .npz or HDF5 file but an HTML page"),
    ):
        path.write_bytes(content)
        with pytest.raises(DatasetError) as caught:
            load_dataset(config)
        assert str(caught.value).startswith(f"{path}: {fault}")
        assert "google-deepmind/3d-shapes" in str(caught.value)
    path.unlink()
    with pytest.raises(DatasetError, match=rf"{FILE}: no such file; `data_dir` must be .*3d-shapes"):
        load_dataset(config)
    with pytest.raises(DatasetError, match="shapes3d does not ship with InfoGAN Bench"):
        load_dataset(DatasetConfig(name="shapes3d"))


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DatasetError, match=r"install the extra, pip install 'infogan-bench\[hdf5\]'$"):
        load_dataset(config)
