"""Cars3D: files of the published layout, written by scipy, and what can be wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset

NAMES = ("car_002_mesh", "car_010_mesh", "car_001_mesh")  # as list.txt has them


def car(number: int) -> NDArray[np.uint8]:
    """(128, 128, 3, 24, 4): red spells the azimuth, green the elevation, blue the car."""
    made = np.empty((128, 128, 3, 24, 4), np.uint8)
    made[:, :, 0] = np.arange(24)[:, None] * 10
    made[:, :, 1] = np.arange(4) * 50
    made[:, :, 2] = number * 60
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cars = tmp_path / "cars"
    cars.mkdir()
    for number, name in enumerate(NAMES):
        mask = np.ones((128, 128, 24, 4), np.uint8)
        savemat(cars / f"{name}.mat", {"im": car(number), "mask": mask}, do_compression=True)
    (cars / "list.txt").write_text("".join(f"{name}\n" for name in NAMES))
    return tmp_path


def load(folder: Path, **options: Any) -> ImageDataset:
    return load_dataset(
        DatasetConfig(name="cars3d", data_dir=str(folder), options={"partial": True, **options})
    )


def message(folder: Path, **options: Any) -> str:
    with pytest.raises(DatasetError) as caught:
        load(folder, **options)
    return str(caught.value)


def spelt(shown: torch.Tensor) -> NDArray[np.int64]:
    """Elevation, azimuth, car."""
    red, green, blue = shown[:, :, 31, 31].numpy().astype(np.int64).T
    return np.stack([green // 50, red // 10, blue // 60], axis=1)


def test_images_come_with_their_own_factors(folder: Path) -> None:
    dataset = load(folder, azimuth="ordered")
    assert dataset.factors is not None
    assert dataset.factors.names == ("elevation", "azimuth", "object")
    assert dataset.factors.sizes == (4, 24, 3)
    assert dataset.factors.kinds == (Kind("ordered"), Kind("ordered"), Kind("category"))
    assert dataset.image_shape == (3, 64, 64)
    np.testing.assert_array_equal(dataset.factors.test.numpy(), spelt(dataset.test_images))
    both = np.concatenate([spelt(dataset.train_images), spelt(dataset.test_images)])
    assert len(both) == len(np.unique(both, axis=0)) == 3 * 24 * 4  # each image once, in one split


def test_the_azimuth_is_an_angle_by_default(folder: Path) -> None:
    turned, whole = load(folder).factors, load(folder, azimuth="ordered").factors
    assert turned is not None
    assert whole is not None
    assert turned.kinds[1] == Kind("circular", 360)
    assert turned.sizes == (4, None, 3)
    np.testing.assert_array_equal(turned.test.numpy(), whole.test.numpy() * [1, 15, 1])


def test_without_a_list_files_are_taken_by_name(folder: Path) -> None:
    (folder / "cars" / "list.txt").unlink()
    (folder / "cars" / "._car_001_mesh.mat").write_bytes(b"of a Macintosh")
    dataset = load(folder / "cars", azimuth="ordered")
    assert dataset.factors is not None
    by_name = np.argsort(np.argsort(NAMES))[spelt(dataset.test_images)[:, 2]]
    np.testing.assert_array_equal(dataset.factors.test[:, 2].numpy(), by_name)


def test_images_are_scaled_as_the_study_scales_them(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (128, 128, 3, 24, 4), dtype=np.uint8)
    savemat(tmp_path / "car_001_mesh.mat", {"im": images})
    dataset = load_dataset(
        DatasetConfig(
            name="cars3d", data_dir=str(tmp_path), train_size=1, test_size=1,
            options={"partial": True, "azimuth": "ordered"},
        )
    )  # fmt: skip
    assert dataset.factors is not None
    elevation, azimuth, _ = dataset.factors.test[0].tolist()
    picture = Image.fromarray(np.einsum("abcde->deabc", images)[azimuth, elevation])
    picture.thumbnail((64, 64), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(dataset.test_images[0].numpy(), np.asarray(picture).transpose(2, 0, 1))


def test_missing_and_damaged_files_are_named(folder: Path) -> None:
    assert "183 cars are expected, found 3; `data_dir` must hold the folder `cars`" in message(
        folder, partial=False
    )
    path = folder / "cars" / "car_010_mesh.mat"
    whole = path.read_bytes()
    for content, fault in (
        (b"<!DOCTYPE html><html>" * 100, "not a sound MATLAB file but an HTML page"),
        (whole[: len(whole) // 2], "truncated: it ends before its arrays do"),
    ):
        path.write_bytes(content)
        assert f"{path}: {fault}" in message(folder)
        assert "www.scottreed.info" in message(folder)
    savemat(path, {"im": car(0)[:64]})
    assert "`im` must be uint8 (128, 128, 3, 24, 4), found uint8 (64, 128, 3, 24, 4)" in message(folder)
    savemat(path, {"mask": car(0)})
    assert f"{path}: holds no array `im` of numbers" in message(folder)
    path.unlink()
    assert "list.txt names car_010_mesh.mat, which is not there" in message(folder)
    with pytest.raises(DatasetError, match="cars3d does not ship with InfoGAN Bench"):
        load_dataset(DatasetConfig(name="cars3d"))
