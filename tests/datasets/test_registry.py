from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets import (
    DatasetError,
    ImageDataset,
    dataset_names,
    load_dataset,
    register_dataset,
)
from infogan_bench.errors import InputError

WriteSet = Callable[..., Path]

COLOURED = ImageDataset(
    name="coloured",
    train_images=torch.arange(4 * 3 * 8 * 6).view(4, 3, 8, 6).to(torch.uint8),
    train_labels=torch.tensor([0, 1, 0, 1]),
    test_images=torch.zeros(2, 3, 8, 6, dtype=torch.uint8),
    test_labels=torch.tensor([0, 1]),
    class_names=("cat", "dog"),
)


def test_one_process_keeps_one_copy() -> None:
    assert load_dataset(DatasetConfig()) is load_dataset(DatasetConfig(name="mnist"))


def test_a_folder_is_read_once_whatever_it_is_called(
    write_set: WriteSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = write_set()
    monkeypatch.chdir(data_dir.parent)
    monkeypatch.setenv("HOME", str(data_dir.parent))
    whole = load_dataset(DatasetConfig(data_dir=str(data_dir)))
    assert load_dataset(DatasetConfig(data_dir="data")) is whole
    assert load_dataset(DatasetConfig(data_dir="~/data")) is whole


def test_a_failed_load_is_tried_again(write_set: WriteSet, tmp_path: Path) -> None:
    config = DatasetConfig(data_dir=str(tmp_path / "late"))
    with pytest.raises(DatasetError, match="missing"):
        load_dataset(config)
    write_set("late")
    assert len(load_dataset(config).train_images) == 30


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(DatasetError, match=r"unknown dataset `minst`; did you mean `mnist`\? There are "):
        load_dataset(DatasetConfig(name="minst"))
    with pytest.raises(
        InputError, match=r"unknown dataset `xyz`\. There are .*fashion-mnist, images, kmnist, mnist"
    ):
        load_dataset(DatasetConfig(name="xyz"))


def test_a_dataset_of_the_user_s_own(tmp_path: Path) -> None:
    given = []

    @register_dataset("coloured")
    def load_coloured(data_dir: Path | None) -> ImageDataset:
        given.append(data_dir)
        return COLOURED

    assert "coloured" in dataset_names()
    assert load_dataset(DatasetConfig(name="coloured")) is COLOURED
    load_dataset(DatasetConfig(name="coloured", data_dir=str(tmp_path)))
    assert given == [None, tmp_path]
    assert load_dataset(DatasetConfig(name="coloured", train_size=3)).train_images.shape == (3, 3, 8, 6)
    with pytest.raises(ValueError, match="`coloured` is registered already"):
        register_dataset("coloured")(load_coloured)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            {"train_images": torch.zeros(4, 3, 8, 6)},
            r"must be a non-empty uint8 tensor \(N, C, H, W\)",
        ),
        ({"train_images": torch.zeros(4, 8, 6, dtype=torch.uint8)}, r"found torch\.uint8 \(4, 8, 6\)"),
        ({"train_labels": torch.tensor([0, 1, 0])}, r"labels must be an int64 tensor \(4,\), found"),
        ({"train_labels": torch.zeros(4)}, r"labels must be an int64 tensor \(4,\), found torch\.float32"),
        ({"train_labels": torch.tensor([0, 1, 0, -1])}, r"training labels must be 0 to 1, found -1 to 1"),
        ({"class_names": ("cat",)}, r"labels must be 0 to 0, found 0 to 1"),
    ],
)
def test_a_dataset_that_breaks_its_promise_is_refused(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(DatasetError, match=f"coloured: .*{fault}"):
        replace(COLOURED, **change)


def test_loading_opens_no_connection() -> None:
    script = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('network used')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from infogan_bench.config.models import DatasetConfig\n"
        "from infogan_bench.datasets import load_dataset\n"
        "print(len(load_dataset(DatasetConfig()).train_images))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "60000"
