from __future__ import annotations

import hashlib
import shutil
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.mnist import MNIST

WriteSet = Callable[..., Path]


@pytest.fixture(scope="module")
def mnist() -> ImageDataset:
    start = time.perf_counter()
    dataset = load_dataset(DatasetConfig())
    print(f"MNIST loaded in {time.perf_counter() - start:.2f} s")
    return dataset


def load(data_dir: Path, name: str = "mnist", **sizes: int) -> ImageDataset:
    return load_dataset(DatasetConfig(name=name, data_dir=str(data_dir), **sizes))


def message(data_dir: Path, name: str = "mnist", **sizes: int) -> str:
    with pytest.raises(DatasetError) as caught:
        load(data_dir, name, **sizes)
    return str(caught.value)


# The files that ship --------------------------------------------------------------------------------------


def test_counts_and_shapes(mnist: ImageDataset) -> None:
    assert mnist.train_images.shape == (60_000, 1, 28, 28)
    assert mnist.test_images.shape == (10_000, 1, 28, 28)
    assert mnist.image_shape == (1, 28, 28)
    assert mnist.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    counts = torch.bincount(mnist.train_labels).tolist()
    assert counts == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_files_are_mnist_to_the_byte(mnist: ImageDataset) -> None:
    def md5(ndim: int, values: torch.Tensor) -> str:
        shape = values.squeeze(1).shape if ndim == 3 else values.shape
        header = struct.pack(f">4B{ndim}I", 0, 0, 8, ndim, *shape)
        return hashlib.md5(header + values.to(torch.uint8).numpy().tobytes()).hexdigest()

    assert md5(3, mnist.train_images) == "6bbc9ace898e44ae57da46a324031adb"
    assert md5(1, mnist.train_labels) == "a25bea736e30d166cdddb491f175f624"
    assert md5(3, mnist.test_images) == "2646ac647ad5339dbf082846283269ea"
    assert md5(1, mnist.test_labels) == "27ae3e4e09519cfbb04c329615203637"


def test_images_stay_bytes(mnist: ImageDataset) -> None:
    assert mnist.train_images.dtype == mnist.test_images.dtype == torch.uint8
    assert mnist.train_labels.dtype == mnist.test_labels.dtype == torch.int64
    assert mnist.train_images.untyped_storage().nbytes() == 60_000 * 28 * 28


def test_damage_to_a_shipped_file_is_found(tmp_path: Path) -> None:
    assert MNIST.shipped is not None
    shutil.copytree(MNIST.shipped, tmp_path / "files")
    labels = tmp_path / "files" / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(labels.read_bytes().replace(b"\x08", b"\x09", 1))
    with pytest.raises(DatasetError, match=r"t10k-labels.*\.gz: damaged .* expected sha256 b91679a0"):
        replace(MNIST, shipped=tmp_path / "files").load(None)


# A folder of the user's -----------------------------------------------------------------------------------


def test_plain_and_gzipped_files_give_equal_tensors(write_set: WriteSet) -> None:
    zipped, plain = load(write_set("zipped")), load(write_set("plain", zipped=False))
    expected = np.random.default_rng(0).integers(0, 256, (30, 5, 4), dtype=np.uint8)  # as the fixture draws
    np.testing.assert_array_equal(zipped.train_images.squeeze(1).numpy(), expected)
    assert zipped.image_shape == (1, 5, 4)
    assert zipped.test_labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    for field in ("train_images", "train_labels", "test_images", "test_labels"):
        assert torch.equal(getattr(zipped, field), getattr(plain, field))


@pytest.mark.parametrize(
    ("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")]
)
def test_torchvision_s_layout_is_understood(write_set: WriteSet, name: str, folder: str) -> None:
    raw = write_set(f"{name}/{folder}/raw")
    for data_dir in (raw, raw.parent.parent):
        dataset = load(data_dir, name)
        assert (dataset.name, len(dataset.train_images), len(dataset.class_names)) == (name, 30, 10)


@pytest.mark.parametrize("name", ["fashion-mnist", "kmnist"])
def test_sets_that_do_not_ship_say_how_to_get_them(name: str) -> None:
    with pytest.raises(
        DatasetError, match=rf"{name} does not ship .* `data_dir`\. `infogan-bench data fetch {name}`"
    ):
        load_dataset(DatasetConfig(name=name))


def test_all_missing_files_are_named_with_their_checksums(write_set: WriteSet, tmp_path: Path) -> None:
    data_dir = write_set()
    (data_dir / "train-images-idx3-ubyte.gz").unlink()
    (data_dir / "t10k-labels-idx1-ubyte.gz").unlink()
    text = message(data_dir)
    assert f"in {data_dir} and in {data_dir / 'MNIST' / 'raw'}" in text
    assert "train-images-idx3-ubyte.gz (9,912,422 bytes, md5 f68b3c2dcbeaaa9fbdd348bbdeb94873)" in text
    assert "t10k-labels-idx1-ubyte.gz (4,542 bytes, md5 ec29112dd5afa0611ce80d1b7f02629c)" in text
    assert "train-labels" not in text
    assert message(tmp_path / "nowhere").count(" bytes, md5 ") == 4


@pytest.mark.parametrize("layout", ["{dotted}", "{file}/{file}", "{file}/{dotted}", "{dotted}/{dotted}"])
def test_files_under_their_other_common_names_are_taken(write_set: WriteSet, layout: str) -> None:
    expected, data_dir = load(write_set("usual")), write_set("other", zipped=False)
    for path in list(data_dir.iterdir()):
        path.rename(data_dir / "moved")
        place = data_dir / layout.format(file=path.name, dotted=path.name.replace("-idx", ".idx"))
        place.parent.mkdir(exist_ok=True)
        (data_dir / "moved").rename(place)
    assert torch.equal(load(data_dir).train_images, expected.train_images)


def test_a_file_of_nearly_the_wanted_name_is_named(write_set: WriteSet) -> None:
    data_dir = write_set()
    for path in list(data_dir.iterdir()):
        path.rename(data_dir / f"emnist-letters-{path.name.replace('t10k', 'test')}")
    text = message(data_dir)
    assert (
        "near it lies `emnist-letters-train-images-idx3-ubyte.gz` (expected: `train-images-idx3-ubyte.gz`), which must "
        "be renamed" in text
    )


def test_images_in_colour_are_named_as_such(write_set: WriteSet) -> None:
    images = b"\0\0\x08\x04" + struct.pack(">4I", 30, 3, 5, 4) + bytes(30 * 60)
    data_dir = write_set(change={"train-images-idx3-ubyte": images})
    assert "expected 3 dimension(s), found 4; images in colour are not read" in message(data_dir)


def test_a_web_page_in_place_of_a_file(write_set: WriteSet) -> None:
    data_dir = write_set(zipped=False, change={"train-images-idx3-ubyte": b"<!DOCTYPE html>" * 200})
    text = message(data_dir)
    assert (
        "train-images-idx3-ubyte: not an IDX file but an HTML page (was a web page saved in place of the file?)"
        in text
    )


def test_images_and_labels_of_different_sets(write_set: WriteSet) -> None:
    labels = b"\0\0\x08\x01" + struct.pack(">I", 29) + bytes(29)
    data_dir = write_set(change={"train-labels-idx1-ubyte": labels})
    text = message(data_dir)
    assert f"{data_dir / 'train-images-idx3-ubyte.gz'} holds 30 images" in text
    assert f"{data_dir / 'train-labels-idx1-ubyte.gz'} holds 29 labels" in text


def test_images_and_labels_swapped(write_set: WriteSet) -> None:
    data_dir = write_set(
        change={"train-images-idx3-ubyte": b"\0\0\x08\x01" + struct.pack(">I", 3) + bytes(3)}
    )
    assert "expected 3 dimension(s), found 1; are two files swapped?" in message(data_dir)


def test_a_label_that_names_no_class(write_set: WriteSet) -> None:
    labels = b"\0\0\x08\x01" + struct.pack(">I", 12) + bytes([10] * 12)
    data_dir = write_set(change={"t10k-labels-idx1-ubyte": labels})
    assert "mnist: test labels must be 0 to 9, found 10 to 10" in message(data_dir)


def test_splits_of_different_image_sizes(write_set: WriteSet) -> None:
    images = b"\0\0\x08\x03" + struct.pack(">3I", 12, 2, 2) + bytes(48)
    data_dir = write_set(change={"t10k-images-idx3-ubyte": images})
    assert "one shape, found (1, 5, 4) and (1, 2, 2)" in message(data_dir)


@pytest.mark.parametrize("shape", [(0, 5, 4), (12, 0, 4)])
def test_sets_without_pixels(write_set: WriteSet, shape: tuple[int, int, int]) -> None:
    data_dir = write_set(
        change={
            "t10k-images-idx3-ubyte": b"\0\0\x08\x03" + struct.pack(">3I", *shape),
            "t10k-labels-idx1-ubyte": b"\0\0\x08\x01" + struct.pack(">I", shape[0]) + bytes(shape[0]),
        }
    )
    assert "test images must be a non-empty uint8 tensor" in message(data_dir)


# Sizes ----------------------------------------------------------------------------------------------------


def test_sizes_cut_views_from_the_front(mnist: ImageDataset) -> None:
    small = load_dataset(DatasetConfig(train_size=100, test_size=7))
    assert (len(small.train_images), len(small.train_labels)) == (100, 100)
    assert (len(small.test_images), len(small.test_labels)) == (7, 7)
    assert small.train_images.data_ptr() == mnist.train_images.data_ptr()
    assert small.test_labels.data_ptr() == mnist.test_labels.data_ptr()


def test_sizes_may_equal_the_data_but_not_exceed_it(write_set: WriteSet) -> None:
    data_dir = write_set()
    assert len(load(data_dir, train_size=30, test_size=12).test_images) == 12
    assert message(data_dir, train_size=31) == "`train_size` is 31, but mnist has 30 training images"
    assert message(data_dir, test_size=10_000) == "`test_size` is 10,000, but mnist has 12 test images"
