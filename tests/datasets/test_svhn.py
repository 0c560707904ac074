"""SVHN: small files in the true format, written by scipy and read back as torchvision reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torchvision.datasets import SVHN

from infogan_bench.config import ConfigError, DatasetConfig, parse_sweep
from infogan_bench.config.load import load_shipped
from infogan_bench.config.published import SVHN_FILES
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from tests.datasets.shrunk import shrunk
from tests.without_ray import train

SIZES = {"train": 23, "test": 11, "extra": 7}
Write = Callable[..., Path]


def arrays(split: str) -> dict[str, Any]:
    random, n = np.random.default_rng(SIZES[split]), SIZES[split]
    images = random.integers(0, 256, (32, 32, 3, n), dtype=np.uint8)
    return {"X": images, "y": (np.arange(n, dtype=np.uint8) % 10 + 1)[:, None]}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(folder: str = "data", **changed: dict[str, Any] | bytes | None) -> Path:
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        for split in SIZES:
            content = changed.get(split, arrays(split))
            path = place / f"{split}_32x32.mat"
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif content is not None:
                savemat(path, content, do_compression=True)
        return place

    return write


def load(data_dir: Path, **options: bool) -> ImageDataset:
    return load_dataset(
        DatasetConfig(name="svhn", data_dir=str(data_dir), options={"partial": True, **options})
    )


def message(data_dir: Path, **options: bool) -> str:
    with pytest.raises(DatasetError) as caught:
        load(data_dir, **options)
    return str(caught.value)


def test_images_and_labels_are_torchvision_s(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir = write()
    monkeypatch.setattr(SVHN, "_check_integrity", lambda self: True)
    dataset = load(data_dir)
    for split, images, labels in (
        ("train", dataset.train_images, dataset.train_labels),
        ("test", dataset.test_images, dataset.test_labels),
    ):
        expected = SVHN(str(data_dir), split)
        assert labels is not None
        np.testing.assert_array_equal(images.numpy(), expected.data)
        np.testing.assert_array_equal(labels.numpy(), expected.labels)
    assert dataset.train_labels is not None
    assert dataset.train_labels[:11].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]  # the file says 10 for 0
    assert dataset.class_names == tuple("0123456789")


def test_extra_images_follow_the_training_images(write: Write) -> None:
    data_dir = write("root/svhn").parent  # a folder of that name in the root
    whole = load(data_dir, extra=True)
    assert whole.train_images.shape == (30, 3, 32, 32)
    assert torch.equal(whole.train_images[:23], load(data_dir).train_images)
    np.testing.assert_array_equal(whole.train_images[23:].numpy(), arrays("extra")["X"].transpose(3, 2, 0, 1))


def test_without_partial_the_checksums_must_be_the_published_ones(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = write()
    text = message(data_dir, partial=False)
    found = hashlib.md5((data_dir / "train_32x32.mat").read_bytes()).hexdigest()
    assert f"with md5 {found}, but train_32x32.mat (182,040,794 bytes, md5 {SVHN_FILES[0].md5}) was" in text
    assert "`dataset.options.partial: true`" in text
    monkeypatch.setattr("infogan_bench.datasets.svhn._check_md5", lambda path, published: None)
    assert len(load(data_dir, partial=False).train_images) == 23


def test_missing_files_are_named_with_size_and_checksum(write: Write, tmp_path: Path) -> None:
    text = message(write(test=None))
    assert f"missing in {tmp_path / 'data'}: test_32x32.mat (64,275,384 bytes, md5 eb5a983be6a3" in text
    assert "infogan-bench data fetch svhn" in text
    with pytest.raises(DatasetError, match="svhn does not ship with InfoGAN Bench: give `data_dir`"):
        load_dataset(DatasetConfig(name="svhn"))


def test_damaged_files_are_named_as_what_they_are(write: Write) -> None:
    whole = (write("whole") / "train_32x32.mat").read_bytes()
    for number, (content, fault) in enumerate(
        (
            (b"<!DOCTYPE html><html>" * 100, "not a sound MATLAB file but an HTML page"),
            (b"", "not a sound MATLAB file but an empty file"),
            (whole[: len(whole) // 2], "truncated: it ends before its arrays do"),
            ({"y": arrays("train")["y"]}, "holds no array `X` of numbers"),
            ({**arrays("train"), "y": np.ones((22, 1))}, "has 23 images, but 22 labels"),
            (
                {**arrays("train"), "y": np.zeros((23, 1))},
                "`y` must be 1 to 10, where 10 is the digit 0, found 0",
            ),
            (
                {**arrays("train"), "X": np.zeros((32, 32, 3, 23))},
                "`X` must be uint8 (32, 32, 3, N), found float64",
            ),
        )
    ):
        data_dir = write(f"case{number}", train=content)
        assert f"{data_dir / 'train_32x32.mat'}: {fault}" in message(data_dir)


def test_a_misspelt_option_is_named_with_its_key() -> None:
    dataset = {"name": "svhn", "options": {"ekstra": True}}
    with pytest.raises(ConfigError, match=r"^dataset\.options\.ekstra: unknown key; did you mean `extra`\?$"):
        parse_sweep({"name": "x", "dataset": dataset})


def test_the_sweep_that_ships_trains_on_such_files(write: Write, tmp_path: Path) -> None:
    data = {"name": "svhn", "data_dir": str(write()), "options": {"partial": True}}
    folder = train(shrunk(load_shipped("svhn"), data, tmp_path))
    table = pd.read_parquet(folder / "trials.parquet")
    scores = [json.loads(text) for text in table["scores"]]
    assert set(table["status"]) == {"finished"}
    assert len(scores) == 2  # lambda_cont 0.1 and 1
    for found in scores:  # four categorical codes; the score is that of the best
        each = [found[f"cluster_accuracy/cat_{k}"] for k in range(4)]
        assert found["cluster_accuracy"] == max(each)
    pictures = sorted(folder.glob("trials/0000/seed-0/traversal-*.png"))
    assert [picture.stem.removeprefix("traversal-") for picture in pictures] == [
        *(f"cat_{k}" for k in range(4)),
        *(f"uniform_{k}" for k in range(4)),
    ]
    assert {Image.open(picture).mode for picture in pictures} == {"RGB"}
