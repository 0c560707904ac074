"""dSprites' archive: a small one of the same layout, and everything that can be wrong with it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from infogan_bench.config import DatasetConfig, RunConfig
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.dsprites import ARCHIVE
from infogan_bench.training import Trainer, save_checkpoint
from tests.command_line import infogan_bench

SIZES = (1, 3, 2, 4, 5, 5)  # colour first
CLASSES = np.array(list(product(*map(range, SIZES))))  # (600, 6)
Arrays = dict[str, NDArray[Any]]


class Bomb:
    """Fails the test if anybody unpickles it."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return pytest.fail, ("the pickled metadata was read",)


def arrays() -> Arrays:
    """600 images of 8 x 8; each spells the number of its row in bits."""
    bits = (np.arange(len(CLASSES))[:, None] >> np.arange(64)) & 1
    return {
        "metadata": np.array(Bomb(), dtype=object),
        "imgs": bits.astype(np.uint8).reshape(-1, 8, 8),
        "latents_classes": CLASSES,
        "latents_values": CLASSES.astype(np.float64),
    }


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., ImageDataset]:
    """Write the arrays as an archive and load that."""

    def write_and_load(content: Arrays | None = None, **sizes: int) -> ImageDataset:
        np.savez_compressed(tmp_path / ARCHIVE, **(content or arrays()))  # type: ignore[arg-type]
        return load_dataset(DatasetConfig(name="dsprites", data_dir=str(tmp_path), **sizes))

    return write_and_load


def row_of(images: torch.Tensor) -> NDArray[np.int64]:
    bits = (images.reshape(len(images), 64) // 255).numpy().astype(np.int64)
    rows: NDArray[np.int64] = (bits << np.arange(64)).sum(axis=1)
    return rows


def test_images_come_with_their_own_factors(load: Callable[..., ImageDataset]) -> None:
    dataset = load(train_size=300, test_size=100)
    assert dataset.factors is not None
    assert dataset.factors.names == ("shape", "scale", "orientation", "x", "y")
    assert dataset.factors.sizes == SIZES[1:]
    assert dataset.factors.always_alike == ("colour",)
    np.testing.assert_array_equal(dataset.factors.test, CLASSES[row_of(dataset.test_images), 1:])
    assert dataset.train_images.shape == (300, 1, 8, 8)
    assert np.unique(dataset.train_images).tolist() == [0, 255]
    assert dataset.test_labels is None


def test_evaluate_says_that_the_colour_is_left_out(
    load: Callable[..., ImageDataset], tmp_path: Path, tiny_run: RunConfig
) -> None:
    sizes = {"train_size": 300, "test_size": 300}
    trainer = Trainer(tiny_run, load(**sizes).train_images, seed=0)
    config = DatasetConfig(name="dsprites", data_dir=str(tmp_path), train_size=300, test_size=300)
    save_checkpoint(trainer, config, tmp_path / "model.safetensors")
    command = ("evaluate", str(tmp_path / "model.safetensors"), "--score", "mig")
    done, as_json = infogan_bench(*command), infogan_bench(*command, "--json")
    assert "mig: left out, constant in the test set: `colour`\n" in done.stdout
    notes = json.loads(as_json.stdout)["scores"]["mig"]["notes"]
    assert notes == ["left out, constant in the test set: `colour`"]


def test_training_and_test_images_are_different_ones_drawn_at_random(
    load: Callable[..., ImageDataset],
) -> None:
    dataset = load(train_size=450, test_size=150)
    train, test = row_of(dataset.train_images), row_of(dataset.test_images)
    assert sorted([*train, *test]) == list(range(600))
    assert abs(float(np.corrcoef(np.arange(450), train)[0, 1])) < 0.2  # 4 standard deviations of chance


def test_by_default_a_fifth_of_a_small_archive_tests(load: Callable[..., ImageDataset]) -> None:
    dataset = load()
    assert (len(dataset.train_images), len(dataset.test_images)) == (480, 120)


def test_an_archive_that_numpy_wrote_unpacked_is_read_as_well(tmp_path: Path) -> None:
    np.savez(tmp_path / ARCHIVE, **arrays())  # type: ignore[arg-type]
    dataset = load_dataset(
        DatasetConfig(name="dsprites", data_dir=str(tmp_path), train_size=10, test_size=10)
    )
    assert len(np.union1d(row_of(dataset.train_images), row_of(dataset.test_images))) == 20


def test_more_images_than_there_are_are_refused(load: Callable[..., ImageDataset]) -> None:
    with pytest.raises(DatasetError, match=r"are 601 images, but there are 600"):
        load(train_size=501, test_size=100)


def changed(**arrays_: NDArray[Any]) -> Arrays:
    return arrays() | arrays_


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": np.zeros(3)}, "not dSprites: it holds no array `latents_classes`"),
        ({"latents_classes": CLASSES}, "not dSprites: it holds no array `imgs`"),
        (
            changed(latents_classes=CLASSES[:, 1:]),
            r"`latents_classes` must be integers \(N, 6\), found int64",
        ),
        (
            changed(latents_classes=CLASSES * 1.0),
            r"`latents_classes` must be integers \(N, 6\), found float64",
        ),
        (changed(latents_classes=-CLASSES), "`latents_classes` must be at least 0, found -4"),
        (changed(latents_classes=CLASSES[1:]), "`imgs` has 600 images, but `latents_classes` has 599 rows"),
        (changed(imgs=np.zeros((600, 8, 8))), r"`imgs` must be uint8 \(N, height, width\), found float64"),
        (changed(imgs=np.full((600, 8, 8), 255, np.uint8)), "`imgs` must hold 0 and 1, found 255"),
        (changed(imgs=np.array([Bomb()])), "`imgs`: the header announces object"),
    ],
)
def test_other_content_is_refused(load: Callable[..., ImageDataset], content: Arrays, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        load(content)


def test_a_missing_archive_is_named_with_the_place_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=rf"{ARCHIVE}: no such file; .*google-deepmind/dsprites-dataset"):
        load_dataset(DatasetConfig(name="dsprites", data_dir=str(tmp_path)))
    with pytest.raises(DatasetError, match="dsprites does not ship with InfoGAN Bench: `data_dir` must be"):
        load_dataset(DatasetConfig(name="dsprites"))


def damaged(content: bytes, kind: str) -> bytes:
    if kind == "truncated":
        return content[: len(content) // 2]
    middle = content.index(b"imgs.npy") + 200  # in the deflated stream of the images
    return (
        content[:middle]
        + bytes(255 - byte for byte in content[middle : middle + 20])
        + content[middle + 20 :]
    )


@pytest.mark.parametrize("kind", ["truncated", "flipped bits"])
def test_a_damaged_archive_is_refused(tmp_path: Path, kind: str) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays())  # type: ignore[arg-type]
    (tmp_path / ARCHIVE).write_bytes(damaged(buffer.getvalue(), kind))
    with pytest.raises(DatasetError, match=rf"{ARCHIVE}: truncated or damaged: "):
        load_dataset(DatasetConfig(name="dsprites", data_dir=str(tmp_path)))


def test_a_header_that_announces_more_than_there_is_allocates_nothing(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i8", "fortran_order": False, "shape": (10**15, 6)}
    )
    with zipfile.ZipFile(tmp_path / ARCHIVE, "w") as archive:
        archive.writestr("latents_classes.npy", header.getvalue())
    with pytest.raises(DatasetError, match=r"= 48,000,000,000,000,000 bytes, but there are 0"):
        load_dataset(DatasetConfig(name="dsprites", data_dir=str(tmp_path)))
