"""CelebA: small files in the true format, compared with torchvision; and what users find in their place."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torchvision.datasets import CelebA
from torchvision.transforms import CenterCrop, Compose, Resize

from infogan_bench.config import ConfigError, DatasetConfig, parse_sweep
from infogan_bench.config.load import load_shipped
from infogan_bench.datasets import DatasetError, ImageDataset, celeba, load_dataset
from tests.command_line import infogan_bench
from tests.datasets.shrunk import shrunk
from tests.without_ray import train

N = 20  # images: 12 of the training set, 3 of the validation set, 5 of the test set
SPLITS = [0] * 12 + [1] * 3 + [2] * 5
NAMES = [f"{k + 1:06d}.jpg" for k in range(N)]
ATTRIBUTES = np.random.default_rng(0).integers(0, 2, (N, 40))
PAGE = b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>" * 40
Write = Callable[..., Path]


def jpeg(k: int, size: tuple[int, int] = (178, 218)) -> bytes:
    random = np.random.default_rng(k)
    coarse = Image.fromarray(random.integers(0, 256, (9, 7, 3), dtype=np.uint8))
    stream = io.BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFOGAN_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the three files below `folder/celeba`; the images as an archive, or as a folder with the first `unpacked`
    ones."""

    def write(folder: str = "root", unpacked: int | None = None, **changed: bytes) -> Path:
        place = tmp_path / folder / "celeba"
        place.mkdir(parents=True, exist_ok=True)
        names = " ".join(f"Attribute_{k}" for k in range(40))
        rows = [
            f"{name} {' '.join(f'{2 * value - 1:2d}' for value in row)}"
            for name, row in zip(NAMES, ATTRIBUTES, strict=True)
        ]
        partition = "".join(f"{name} {split}\n" for name, split in zip(NAMES, SPLITS, strict=True))
        attributes = "\n".join([str(N), names, *rows, ""])
        (place / "list_attr_celeba.txt").write_bytes(changed.get("attributes", attributes.encode()))
        (place / "list_eval_partition.txt").write_bytes(changed.get("partition", partition.encode()))
        if unpacked is None:
            with zipfile.ZipFile(place / "img_align_celeba.zip", "w") as archive:
                archive.writestr("../../escaped.jpg", jpeg(99))
                archive.writestr("img_align_celeba/../../../escaped.jpg", jpeg(99))
                for k, name in enumerate(NAMES):
                    archive.writestr(f"img_align_celeba/{name}", changed.get(name[:-4], jpeg(k)))
        else:
            (place / "img_align_celeba").mkdir()
            for k, name in enumerate(NAMES[:unpacked]):
                (place / "img_align_celeba" / name).write_bytes(jpeg(k))
        return place.parent

    return write


def load(data_dir: Path, train_size: int | None = None, **options: object) -> ImageDataset:
    given = {"partial": True, **options}
    return load_dataset(
        DatasetConfig(name="celeba", data_dir=str(data_dir), train_size=train_size, options=given)
    )


def message(data_dir: Path, train_size: int | None = None, **options: object) -> str:
    with pytest.raises(DatasetError) as caught:
        load(data_dir, train_size, **options)
    return str(caught.value)


@pytest.mark.parametrize(("size", "crop"), [(32, 148), (64, 108)])
def test_images_and_attributes_are_torchvision_s(
    write: Write, monkeypatch: pytest.MonkeyPatch, size: int, crop: int
) -> None:
    data_dir = write(unpacked=N)
    dataset = load(data_dir, size=size, crop=crop)
    monkeypatch.setattr(CelebA, "_check_integrity", lambda self: True)
    for name in ("identity_CelebA", "list_bbox_celeba", "list_landmarks_align_celeba"):
        (data_dir / "celeba" / f"{name}.txt").write_text(
            "".join(f"{each} 1\n" for each in ["2", "x", *NAMES])
        )
    monkeypatch.setattr("torchvision.datasets.celeba.CelebA._load_csv", _load_csv(CelebA._load_csv))
    expected = CelebA(str(data_dir), "test", transform=Compose([CenterCrop(crop), Resize(size)]))
    assert len(dataset.test_images) == len(expected) == 5
    assert dataset.factors is not None
    for k in range(5):
        picture, attributes = expected[k]
        np.testing.assert_array_equal(dataset.test_images[k].permute(1, 2, 0).numpy(), np.asarray(picture))
        assert torch.equal(dataset.factors.test[k], attributes)
    assert dataset.factors.names == tuple(expected.attr_names[:40])
    assert set(dataset.factors.sizes) == {2}
    assert {kind.name for kind in dataset.factors.kinds} == {"category"}


def _load_csv(read: Callable[..., object]) -> Callable[..., object]:
    """torchvision reads three more lists, which are not needed here: it gets the partition in their place."""

    def load_csv(self: CelebA, filename: str, header: int | None = None) -> object:
        if filename in ("list_eval_partition.txt", "list_attr_celeba.txt"):
            return read(self, filename, header)
        return read(self, "list_eval_partition.txt")

    return load_csv


def test_the_archive_and_the_unpacked_folder_give_the_same(write: Write, tmp_path: Path) -> None:
    zipped, unpacked = load(write("a")), load(write("b", unpacked=N))
    assert torch.equal(zipped.train_images, unpacked.train_images)
    assert torch.equal(zipped.test_images, unpacked.test_images)
    assert zipped.train_images.shape == (12, 3, 32, 32)
    assert not list(tmp_path.rglob("escaped*"))
    assert {path.name for path in (tmp_path / "a" / "celeba").iterdir()} == {
        "img_align_celeba.zip", "list_attr_celeba.txt", "list_eval_partition.txt"
    }  # fmt: skip


def test_the_validation_set_and_fewer_images(write: Write) -> None:
    data_dir = write()
    whole, part = load(data_dir), load(data_dir, 5, test_split="validation")
    assert torch.equal(part.train_images, whole.train_images[:5])
    assert part.factors is not None
    assert part.factors.test.tolist() == ATTRIBUTES[12:15].tolist()
    assert "`train_size` is 13, but celeba has 12 images in its train set" in message(data_dir, 13)


def test_images_are_decoded_once(write: Write, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = DatasetConfig(name="celeba", data_dir=str(write()), options={"partial": True})
    first = celeba.load_celeba(config)  # `load_dataset` would keep it in memory
    with monkeypatch.context() as patch:
        patch.setattr(celeba, "_decoded", None)  # a call would fail
        assert torch.equal(celeba.load_celeba(config).train_images, first.train_images)
        other = config.model_copy(update={"options": config.options.model_copy(update={"size": 16})})
        with pytest.raises(TypeError):
            celeba.load_celeba(other)
    [kept] = (own_cache / "datasets").glob("celeba-*")
    (kept / "train.npy").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match=r"celeba-[0-9a-f]{16}: damaged, and made anew"):
        assert torch.equal(celeba.load_celeba(config).train_images, first.train_images)


def test_a_folder_that_lacks_images_needs_a_key(write: Write, tmp_path: Path) -> None:
    data_dir = write(unpacked=18)
    folder = data_dir / "celeba" / "img_align_celeba"
    text = message(data_dir, partial=False)
    assert text.startswith(
        f"{folder}: has 18 of 20 listed images, but CelebA has 202,599; set `dataset.options.partial"
    )
    assert len(load(data_dir).test_images) == 3
    ten = write("ten", unpacked=10)
    assert "celeba: none of the 10 images is in the test set" in message(ten)
    (tmp_path / "ten.yaml").write_text(f"name: ten\ndataset: {{name: celeba, data_dir: {ten}}}\n")
    done = infogan_bench("sweep", "ten.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "has 10 of 20 listed images" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_web_page_in_place_of_a_file_is_named(write: Write) -> None:
    for number, key in enumerate(("attributes", "partition")):
        text = message(write(f"list{number}", **{key: PAGE}))
        assert "this file is a web page, not the list (the notice of a drive's quota or virus scan)" in text
    data_dir = write("zip")
    archive = data_dir / "celeba" / "img_align_celeba.zip"
    whole = archive.read_bytes()
    archive.write_bytes(PAGE)
    text = message(data_dir)
    assert text.startswith(f"{archive}: this file is a web page, not the archive")
    assert (
        "img_align_celeba.zip (1,443,490,838 bytes, md5 00d2c5bc6d35e252742224ab0c1e8fcb) was expected"
        in text
    )
    assert "mmlab.ie.cuhk.edu.hk/projects/CelebA.html" in text
    assert archive.read_bytes() == PAGE
    archive.write_bytes(whole[: len(whole) // 2])
    assert f"{archive}: truncated or damaged" in message(data_dir)


def test_images_that_cannot_be_read_are_named(write: Write) -> None:
    for name, content, fault in (
        ("000003", PAGE, "000003.jpg: no image that can be read"),
        ("000003", jpeg(2)[:600], "000003.jpg: no image that can be read"),
        ("000017", jpeg(2, (100, 120)), "000017.jpg: is 100x120, but CelebA's aligned images are 178x218"),
    ):
        data_dir = write(f"{name}{len(content)}", **{name: content})
        assert f"img_align_celeba.zip: {fault}" in message(data_dir)


def test_lists_that_are_cut_or_differ_are_named_with_their_line(write: Write) -> None:
    good = write("good") / "celeba"
    attributes = (good / "list_attr_celeba.txt").read_bytes()
    partition = (good / "list_eval_partition.txt").read_bytes()
    for number, (key, content, fault) in enumerate(
        (
            (
                "attributes",
                attributes[: attributes.index(b"000016")],
                "cut short: line 1 announces 20 images, found 15",
            ),
            (
                "attributes",
                attributes[:-30],
                "list_attr_celeba.txt:22: expected an image and 40 times 1 or -1",
            ),
            (
                "attributes",
                b"x" + attributes,
                "list_attr_celeba.txt:1: expected the number of images, found 'x20'",
            ),
            (
                "partition",
                partition.replace(b"000007.jpg 0", b"000007.jpg 3"),
                "list_eval_partition.txt:7: expected an",
            ),
            (
                "partition",
                partition.replace(b"000007", b"000777"),
                "list_eval_partition.txt:7: lists other images",
            ),
            ("partition", b"", "list_eval_partition.txt: the file is empty"),
        )
    ):
        assert fault in message(write(f"list{number}", **{key: content}))


def test_missing_files_are_named(tmp_path: Path, write: Write) -> None:
    text = message(tmp_path)
    assert f"missing in {tmp_path / 'celeba'}: img_align_celeba.zip (1,443,490,838 bytes" in text
    data_dir = write()
    (data_dir / "celeba" / "list_attr_celeba.txt").unlink()
    assert (
        f"missing in {data_dir / 'celeba'}: list_attr_celeba.txt (26,721,026 bytes, md5 75e246fa48"
        in message(data_dir)
    )


def test_an_image_is_never_enlarged() -> None:
    dataset = {"name": "celeba", "options": {"size": 128, "crop": 108}}
    with pytest.raises(ConfigError, match=r"dataset\.options: `size` \(128\) must be at most `crop` \(108\)"):
        parse_sweep({"name": "x", "dataset": dataset})


@pytest.mark.filterwarnings("ignore:.* has fewer rows than columns")  # 40 attributes of a handful of images
def test_the_sweep_that_ships_trains_on_such_files(write: Write, tmp_path: Path) -> None:
    data = {"name": "celeba", "data_dir": str(write()), "options": {"partial": True}}
    folder = train(shrunk(load_shipped("celeba"), data, tmp_path))
    table = pd.read_parquet(folder / "trials.parquet")
    assert set(table["status"]) == {"finished"}
    for found in map(json.loads, table["scores"]):
        attributes = [name for name in found if name.startswith("category_nmi/")]
        assert attributes
        assert found["category_nmi"] == pytest.approx(np.mean([found[name] for name in attributes]))
        assert 0 <= found["category_nmi"] <= 1
