"""MPI3D's archive: all its images, but of 2x2 pixels, and what can be wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from infogan_bench.config import ConfigError, DatasetConfig, parse_sweep
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.mpi3d import FACTORS, FILES

BASES = np.array([172_800, 28_800, 14_400, 4_800, 1_600, 40, 1])  # of 6 x 6 x 2 x 3 x 3 x 40 x 40
OLDER = np.array([115_200, 28_800, 14_400, 4_800, 1_600, 40, 1])  # the index as the README of 2019 gives it


def images(n: int) -> NDArray[np.uint8]:
    """Images 2x2x3; the colour of the first pixel spells the number of the row."""
    made = np.full((n, 2, 2, 3), 9, np.uint8)
    rest, made[:, 0, 0, 2] = np.divmod(np.arange(n), 256)
    made[:, 0, 0, 0], made[:, 0, 0, 1] = np.divmod(rest, 256)
    return made


def config(folder: Path, **options: str) -> DatasetConfig:
    return DatasetConfig(name="mpi3d", data_dir=str(folder), train_size=500, test_size=300, options=options)


def rows_of(shown: torch.Tensor) -> NDArray[np.int64]:
    rows: NDArray[np.int64] = shown[:, :, 0, 0].numpy().astype(np.int64) @ np.array([65_536, 256, 1])
    return rows


def check(dataset: ImageDataset, bases: NDArray[np.int64]) -> None:
    assert dataset.factors is not None
    np.testing.assert_array_equal(dataset.factors.test.numpy() @ bases, rows_of(dataset.test_images))
    assert len(np.union1d(rows_of(dataset.train_images), rows_of(dataset.test_images))) == 800
    assert (dataset.train_images[:, :, 1:] == 9).all()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_images_come_with_their_own_factors(tmp_path: Path, save: Any) -> None:
    save(tmp_path / FILES["real"], images=images(1_036_800))
    dataset = load_dataset(config(tmp_path))
    check(dataset, BASES)
    assert dataset.factors is not None
    assert dataset.factors.names == FACTORS
    assert dataset.factors.sizes == (6, 6, 2, 3, 3, 40, 40)
    assert [str(kind) for kind in dataset.factors.kinds] == [
        "category", "category", "ordered", "ordered", "category", "ordered", "ordered"
    ]  # fmt: skip


def test_older_and_complex_files_have_four_colours_and_shapes(tmp_path: Path) -> None:
    folder = tmp_path / "mpi3d_toy"
    folder.mkdir()
    np.savez(folder / FILES["toy"], images=images(460_800))
    dataset = load_dataset(config(tmp_path, version="toy"))
    check(dataset, OLDER)
    assert dataset.factors is not None
    assert dataset.factors.sizes == (4, 4, 2, 3, 3, 40, 40)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"pictures": np.zeros((3, 2, 2, 3), np.uint8)}, "not MPI3D: it holds no array `images`"),
        (
            {"images": images(10)},
            r".*N being 1,036,800 or 460,800, found uint8 \(10, 2, 2, 3\); .*rr-learning",
        ),
        ({"images": images(10) / 255}, r"`images` must be uint8 .* found float64"),
        ({"images": np.array([[], 1], dtype=object)}, "`images`: the header announces object"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, content: dict[str, NDArray[Any]], message: str) -> None:
    np.savez(tmp_path / FILES["real"], **content)  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match=rf"{FILES['real']}: {message}"):
        load_dataset(config(tmp_path))


def test_a_file_that_is_missing_cut_or_a_web_page_is_named(tmp_path: Path) -> None:
    path = tmp_path / FILES["complex"]
    with pytest.raises(
        DatasetError, match=r"ordered.npz: no such file; .*`dataset.options.version` is complex"
    ):
        load_dataset(config(tmp_path, version="complex"))
    np.savez(path, images=images(2_000))
    whole = path.read_bytes()
    for content, fault in (
        (whole[: len(whole) // 2], "truncated or damaged: "),
        (b"<!DOCTYPE html><html>" * 100, "not an .npz archive but an HTML page"),
    ):
        path.write_bytes(content)
        with pytest.raises(DatasetError) as caught:
            load_dataset(config(tmp_path, version="complex"))
        assert str(caught.value).startswith(f"{path}: {fault}")
        assert "rr-learning/disentanglement_dataset" in str(caught.value)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^dataset\.options\.version: "):
        parse_sweep({"name": "x", "dataset": {"name": "mpi3d", "options": {"version": "reel"}}})
