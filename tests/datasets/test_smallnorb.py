"""SmallNORB: small binary matrices in the published format, written by this code, and what can be wrong with them."""

from __future__ import annotations

import gzip
import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infogan_metrics import Kind
from numpy.typing import NDArray
from PIL import Image

from infogan_bench.config import DatasetConfig
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.smallnorb import STEMS

Matrices = dict[str, NDArray[Any]]


def matrix(values: NDArray[Any]) -> bytes:
    """A matrix as the authors' page describes it: kind, number of dimensions, at least three sizes, values."""
    kind = {"u": 0x1E3D4C55, "i": 0x1E3D4C54}[values.dtype.kind]
    sizes = (*values.shape, 1, 1)[: max(3, values.ndim)]
    return struct.pack(f"<ii{len(sizes)}i", kind, values.ndim, *sizes) + values.tobytes()


def matrices(instance: int) -> Matrices:
    """90 pairs: every category, every elevation, two azimuths. The left images spell them; the right ones are white."""
    rows = np.array([*product(range(5), range(9), (0, 34))])
    info = np.column_stack([np.full(90, instance), rows[:, 1], rows[:, 2], np.arange(90) % 6])
    dat = np.full((90, 2, 96, 96), 255, np.uint8)
    dat[:, 0, :32] = rows[:, 0, None, None] * 50
    dat[:, 0, 32:64] = rows[:, 1, None, None] * 20
    dat[:, 0, 64:] = rows[:, 2, None, None] * 5 + (np.arange(90) % 6)[:, None, None] * 3 + instance
    return {"dat": dat, "cat": rows[:, 0].astype("<i4"), "info": info.astype("<i4")}


def write(folder: Path, change: dict[str, bytes] | None = None, *, zipped: bool = False) -> Path:
    folder.mkdir(exist_ok=True)
    for stem, instance in zip(STEMS, (4, 0), strict=True):
        for kind, values in matrices(instance).items():
            content = (change or {}).get(f"{stem}-{kind}", matrix(values))
            name = f"{stem}-{kind}.mat"
            (folder / (f"{name}.gz" if zipped else name)).write_bytes(
                gzip.compress(content, 1) if zipped else content
            )
    return folder


def load(folder: Path, **options: Any) -> ImageDataset:
    return load_dataset(
        DatasetConfig(name="smallnorb", data_dir=str(folder), options={"partial": True, **options})
    )


def message(folder: Path, **options: Any) -> str:
    with pytest.raises(DatasetError) as caught:
        load(folder, **options)
    return str(caught.value)


def spelt(shown: torch.Tensor) -> NDArray[np.int64]:
    """Category, elevation, azimuth (0 or 17), lighting and instance of scaled images."""
    top, middle, bottom = shown[:, 0, [10, 31, 60], 30].numpy().astype(np.int64).T
    azimuth, rest = np.divmod(bottom, 170)
    light, instance = np.divmod(rest, 3)
    # instance 4 adds one light and 1
    late = instance == 1
    return np.column_stack([top // 50, middle // 20, azimuth * 17, light - late, late * 4])


@pytest.mark.parametrize("zipped", [False, True])
def test_images_come_with_their_own_factors(tmp_path: Path, zipped: bool) -> None:
    dataset = load(write(tmp_path / "data", zipped=zipped), azimuth="ordered")
    assert dataset.factors is not None
    assert dataset.factors.names == ("category", "elevation", "azimuth", "lighting")
    assert dataset.factors.sizes == (5, 9, 18, 6)
    assert [str(kind) for kind in dataset.factors.kinds] == ["category", "ordered", "ordered", "category"]
    assert dataset.image_shape == (1, 64, 64)
    np.testing.assert_array_equal(dataset.factors.test.numpy(), spelt(dataset.test_images)[:, :4])
    both = np.concatenate([spelt(dataset.train_images), spelt(dataset.test_images)])
    assert (
        len(both) == len(np.unique(both, axis=0)) == 180
    )  # the left images of both parts, each in one split


def test_the_azimuth_is_an_angle_by_default(tmp_path: Path) -> None:
    factors = load(write(tmp_path / "small_norb").parent).factors
    assert factors is not None
    assert factors.kinds[2] == Kind("circular", 360)
    assert set(factors.test[:, 2].tolist()) == {0.0, 340.0}  # the files' 34 stands for 340 degrees


def test_images_are_scaled_as_the_study_scales_them(tmp_path: Path) -> None:
    random = np.random.default_rng(0).integers(0, 256, (90, 2, 96, 96), dtype=np.uint8)
    dataset = load(write(tmp_path / "data", {f"{stem}-dat": matrix(random) for stem in STEMS}))
    scaled = {
        np.asarray(Image.fromarray(pair[0]).resize((64, 64), Image.Resampling.LANCZOS)).tobytes()
        for pair in random
    }
    assert {image.numpy().tobytes() for image in dataset.train_images} <= scaled


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    training = STEMS[0]
    whole = {kind: matrix(values) for kind, values in matrices(4).items()}
    wrong_azimuth, wrong_light = matrices(4)["info"], matrices(4)["info"]
    wrong_azimuth[3, 2], wrong_light[3, 3] = 33, 6
    for number, (kind, content, fault) in enumerate(
        (
            ("dat", b"<!DOCTYPE html><html>" * 100, "not a binary matrix of SmallNORB but an HTML page"),
            ("dat", whole["cat"], "not a binary matrix of SmallNORB but a file of an unknown kind"),
            ("cat", b"", "not a binary matrix of SmallNORB but an empty file"),
            ("dat", whole["dat"][:-5000], "its header (90, 2, 96, 96) announces 1,658,904 bytes, but there"),
            ("dat", matrix(matrices(4)["dat"][:80]), "must be (90, 2, 96, 96), as "),
            ("info", matrix(matrices(4)["info"][:80]), "must be 24,300 x 4 numbers and "),
            ("info", matrix(matrices(4)["cat"]), "must have 2 dimension(s), found (90,)"),
            ("info", matrix(wrong_azimuth), "`azimuth` is not one of its 18 values"),
            ("info", matrix(wrong_light), "`lighting` is not one of its 6 values"),
        )
    ):
        folder = write(tmp_path / f"case{number}", {f"{training}-{kind}": content})
        text = message(folder)
        assert text.startswith(f"{folder / f'{training}-{kind}.mat'}: {fault}"), text
        assert "cs.nyu.edu/~ylclab/data/norb-v1.0-small" in text
    folder = write(tmp_path / "zipped", zipped=True)
    path = folder / f"{training}-dat.mat.gz"
    path.write_bytes(path.read_bytes()[:-2000])
    assert message(folder).startswith(f"{path}: truncated or damaged, a gzip archive: ")
    path.unlink()
    assert f"{path.with_suffix('')}: no such file; `data_dir` must be" in message(folder)
    with pytest.raises(DatasetError, match="smallnorb does not ship with InfoGAN Bench"):
        load_dataset(DatasetConfig(name="smallnorb"))


def test_without_partial_all_pairs_must_be_there(tmp_path: Path) -> None:
    assert "must be 24,300 x 4 numbers" in message(write(tmp_path / "data"), partial=False)
