"""Images of the user's own: files, tables and arrays of every kind, and the words for those that are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from infogan_bench.config import ConfigError, DatasetConfig, parse_sweep
from infogan_bench.datasets import DatasetError, ImageDataset, load_dataset
from infogan_bench.datasets.images import load_images
from tests.command_line import infogan_bench

KINDS = {
    "shape": {"kind": "category"},
    "scale": {"kind": "ordered"},
    "height": {"kind": "continuous", "low": 0, "high": 2, "unit": "metres"},
    "turn": {"kind": "circular", "period": 360, "unit": "degrees"},
}
ROWS = [("round" if k % 2 else "flat", 10 * (k % 3), k / 5, 36 * k) for k in range(10)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFOGAN_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten grey images of 6x4 pixels, whose first pixel is their number, and their table."""
    place = tmp_path / "photos"
    (place / "more").mkdir(parents=True)
    for k in range(10):
        pixels = np.random.default_rng(k).integers(0, 256, (4, 6), dtype=np.uint8)
        pixels[0, 0] = k
        Image.fromarray(pixels).save(place / names()[k])
    rows = [f"{name},{','.join(map(str, row))}" for name, row in zip(names(), ROWS, strict=True)]
    (place / "factors.csv").write_text("\n".join(["file,shape,scale,height,turn", *rows, ""]))
    (place / "readme.txt").write_text("not an image")
    return place


def names() -> list[str]:
    return [f"{'more/' if k > 7 else ''}image {k}.png" for k in range(10)]


def config(folder: Path, **options: object) -> DatasetConfig:
    return DatasetConfig(name="images", data_dir=str(folder), options=options)


def load(folder: Path, **options: object) -> ImageDataset:
    return load_images(config(folder, **options))


def message(folder: Path, **options: object) -> str:
    with pytest.raises(DatasetError) as caught:
        load(folder, **options)
    return str(caught.value)


def numbers(images: torch.Tensor) -> list[int]:
    """The number of each image, which its first pixel holds."""
    return images[:, 0, 0, 0].tolist()


def test_a_folder_with_a_table_gives_images_and_factors(folder: Path) -> None:
    dataset = load(folder, factors=KINDS, label="shape")
    assert dataset.image_shape == (1, 4, 6)
    test = numbers(dataset.test_images)
    assert len(test) == 2  # a fifth
    assert sorted(test + numbers(dataset.train_images)) == list(range(10))
    factors = dataset.factors
    assert factors is not None
    assert factors.names == ("shape", "scale", "height", "turn")
    assert factors.sizes == (2, 3, None, None)
    assert [str(kind) for kind in factors.kinds] == ["category", "ordered", "continuous", "circular:360"]
    assert factors.ranges[2] == (0, 2, "metres")
    assert factors.test.tolist() == [[k % 2, k % 3, k / 5, 36.0 * k] for k in test]
    assert dataset.class_names == ("flat", "round")
    assert dataset.test_labels is not None
    assert dataset.test_labels.tolist() == [k % 2 for k in test]
    assert numbers(load(folder).test_images) == test  # always the same ones, with and without factors
    assert load(folder).factors is None


def test_a_column_may_say_which_images_are_the_test_set(folder: Path) -> None:
    table = (folder / "factors.csv").read_text().splitlines()
    split = ["split", *("test" if k in (2, 9) else "train" for k in range(10))]
    (folder / "factors.csv").write_text(
        "\n".join(f"{row},{say}" for row, say in zip(table, split, strict=True))
    )
    dataset = load(folder, factors=KINDS, split="split")
    assert numbers(dataset.test_images) == [2, 9]
    assert numbers(dataset.train_images) == [0, 1, 3, 4, 5, 6, 7, 8]
    given = config(folder, factors=KINDS, split="split").model_copy(update={"train_size": 3})
    assert numbers(load_images(given).train_images) == [0, 1, 3]
    (folder / "factors.csv").write_text((folder / "factors.csv").read_text().replace("test", "tset"))
    assert "factors.csv:4: `split` must be train or test, found 'tset'" in message(
        folder, factors=KINDS, split="split"
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("file,shape,scale", "file,shape,scael", "factors.csv:1: unknown column `scael`, which `dataset.options"),
        ("file,shape", "name,shape", "factors.csv:1: unknown column `name`"),
        (",height,turn", ",height,height", "factors.csv:1: column `height` is there twice"),
        ("image 3.png", "image 2.png", "factors.csv:5: `image 2.png` is there twice, in line 4 as well"),
        ("image 3.png", "image 33.png", "factors.csv:5: no image `image 33.png` in"),
        ("image 3.png,round,0,0.6,108\n", "", "has no row for 1 of 10 images, such as `image 3.png`"),
        ("0.6,108", "0.6", "factors.csv:5: expected 5 values, found 4"),
        ("0.6,108", "2.6,108", "factors.csv:5: `height` must be a number from 0 to 2, found '2.6'"),
        ("0.6,108", ",108", "factors.csv:5: `height` must be a number from 0 to 2, found ''"),
        ("0.6,108", "0.6,south", "factors.csv:5: `turn` must be a number, found 'south'"),
        ("png,round,0,0.6", "png,,0,0.6", "factors.csv:5: `shape` has no value"),
    ],
)  # fmt: skip
def test_a_fault_of_the_table_is_named_with_its_line(folder: Path, old: str, new: str, fault: str) -> None:
    table = folder / "factors.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    assert fault in message(folder, factors=KINDS)


def test_declared_values_are_the_only_ones_and_keep_their_order(folder: Path) -> None:
    shape = {"kind": "category", "values": ["round", "flat", "square"]}
    dataset = load(folder, factors={**KINDS, "shape": shape}, label="shape")
    assert dataset.class_names == ("round", "flat", "square")
    shape["values"] = ["round", "square"]
    text = message(folder, factors={**KINDS, "shape": shape})
    assert "factors.csv:2: `shape` must be one of round, square, found 'flat'" in text


def test_images_of_many_formats_become_8_bits(tmp_path: Path) -> None:
    place = tmp_path / "formats"
    place.mkdir()
    ramp = np.linspace(0, 65_535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(ramp).save(place / "a wide.png")  # 16 bits
    Image.fromarray((ramp // 257).astype(np.uint8)).convert("P").save(place / "b palette.gif")
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(place / "c clear.png")
    Image.new("1", (8, 8), 1).save(place / "d bits.tif")
    Image.new("RGB", (8, 8), (10, 20, 30)).save(place / "e colour.webp", lossless=True)
    Image.new("CMYK", (8, 8), (0, 0, 0, 255)).save(place / "f print.jpg")
    dataset = load(place, test_share=0.2)
    order = np.random.default_rng(0).permutation(6)
    images = torch.cat([dataset.test_images, dataset.train_images])[np.argsort(order)]
    assert images.shape == (6, 3, 8, 8)
    np.testing.assert_array_equal(images[0, 0], np.rint(ramp / 257))
    assert images[2].unique().tolist() == [255]  # laid on white
    assert images[3].unique().tolist() == [255]
    assert images[4, :, 0, 0].tolist() == [10, 20, 30]
    assert int(images[5].max()) < 8
    grey = load(place, channels=1)
    assert grey.image_shape == (1, 8, 8)
    luma = torch.cat([grey.test_images, grey.train_images])[np.argsort(order)][4, 0, 0, 0]
    with Image.open(place / "e colour.webp") as picture:
        assert int(luma) == picture.convert("L").getpixel((0, 0)) == 18  # 0.299, 0.587, 0.114


def test_images_of_different_shapes_need_a_size(folder: Path) -> None:
    Image.new("L", (9, 7)).save(folder / "more" / "tall.png")
    text = message(folder)
    assert "is 9x7, but" in text or "is 6x4, but" in text
    assert "`dataset.options.size` cuts and scales all to one" in text
    assert load(folder, size=4).image_shape == (1, 4, 4)


def test_a_file_that_is_no_image_is_named(folder: Path) -> None:
    (folder / "image 1.png").write_text("<!DOCTYPE html>")
    assert f"{folder / 'image 1.png'}: no image that can be read" in message(folder)
    whole = (folder / "image 2.png").read_bytes()
    (folder / "image 1.png").write_bytes(whole[:50])
    assert f"{folder / 'image 1.png'}: no image that can be read" in message(folder)


def test_a_changed_file_is_read_again_and_others_come_from_the_cache(folder: Path, tmp_path: Path) -> None:
    load(folder)
    [kept] = (tmp_path / "cache" / "datasets").iterdir()
    load(folder)
    assert list((tmp_path / "cache" / "datasets").iterdir()) == [kept]
    Image.new("L", (6, 4), 200).save(folder / "image 0.png")
    assert 200 in numbers(load(folder).train_images) + numbers(load(folder).test_images)


def arrays(n: int = 20) -> dict[str, NDArray[np.generic]]:
    images = np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    images[:, 0, 0, 0] = np.arange(n)
    return {
        "images": images,
        "labels": np.stack([np.arange(n) % 4 / 4, np.arange(n) % 5], axis=1),
        "turn": np.arange(n) * 18.0,
        "fold": np.where(np.arange(n) % 4 == 0, "test", "train").astype("S5"),
    }


def write_h5(path: Path, content: Mapping[str, NDArray[np.generic]]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in content.items():
            file[name] = values
    return path


@pytest.mark.parametrize("name", ["set.npz", "set.h5"])
def test_arrays_of_a_file_keep_images_and_factors_together(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "set.npz", **arrays())
    write_h5(tmp_path / "set.h5", arrays())
    factors = {"hue": {"kind": "ordered"}, "size": {"kind": "category"}}
    dataset = load(tmp_path, file=name, factor_array="labels", factors=factors)
    test = numbers(dataset.test_images)
    assert sorted(test + numbers(dataset.train_images)) == list(range(20))
    assert dataset.factors is not None
    assert dataset.factors.sizes == (4, 5)
    assert dataset.factors.test.tolist() == [[k % 4, k % 5] for k in test]
    np.testing.assert_array_equal(
        dataset.test_images.numpy(), np.asarray(arrays()["images"]).transpose(0, 3, 1, 2)[test]
    )
    turned = load(tmp_path, file=name, factors={"turn": KINDS["turn"]}, split="fold")
    assert numbers(turned.test_images) == [0, 4, 8, 12, 16]
    assert turned.factors is not None
    assert turned.factors.test[:, 0].tolist() == [0, 72, 144, 216, 288]


def test_arrays_in_other_ranges_and_orders(tmp_path: Path) -> None:
    images = np.asarray(arrays()["images"])
    first = images.transpose(0, 3, 1, 2)
    for name, stored in {
        "first.npz": first,
        "wide.npz": images.astype(np.uint16) * 257,
        "shares.npz": (images / 255).astype(np.float32),
    }.items():
        np.savez(tmp_path / name, images=stored)
        dataset = load(tmp_path, file=name)
        assert torch.equal(
            dataset.train_images, torch.from_numpy(first[numbers(dataset.train_images)].copy())
        ), name
    np.savez(tmp_path / "grey.npz", x=images[..., 0])
    assert load(tmp_path, file="grey.npz", array="x").image_shape == (1, 8, 8)
    assert load(tmp_path, file="grey.npz", array="x", size=4, channels=3).image_shape == (3, 4, 4)


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "odd.npz", images=np.array([{"a": 1}], dtype=object))
    assert "`images` holds pickled Python objects, which are never read" in message(tmp_path, file="odd.npz")


@pytest.mark.parametrize(
    ("content", "options", "fault"),
    [
        ({"x": np.zeros((3, 4, 4), np.uint8)}, {}, "holds no array `images`; known: `x`"),
        ({"images": np.zeros((3, 4), np.uint8)}, {}, "`images` must be (N, H, W) or (N, H, W, C), found (3, 4)"),
        ({"images": np.zeros((3, 4, 4, 2), np.uint8)}, {}, "must have 1 or 3 channels, found shape (3, 4, 4, 2)"),
        ({"images": np.full((3, 4, 4), 300)}, {}, "must be uint8, uint16 or floats from 0 to 1, found int64 from 300"),
        (arrays(), {"factors": {"trun": KINDS["turn"]}}, "holds no array `trun`; did you mean `turn`?"),
        (arrays(), {"factors": {"turn": KINDS["turn"]}, "factor_array": "labels"}, "`labels` must be (20, 1), a"),
        (arrays(), {"factors": {"labels": KINDS["turn"]}}, "`labels` must be (20,), as there are images, found"),
        (arrays(), {"factors": {"turn": {**KINDS["turn"], "low": 0, "high": 300}}}, "row 17: `turn` must be a number"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, content: dict[str, NDArray[np.generic]], options: dict[str, object], fault: str
) -> None:
    np.savez(tmp_path / "set.npz", **content)
    assert fault in message(tmp_path, file="set.npz", **options)


def test_files_that_are_no_arrays_are_named(tmp_path: Path) -> None:
    (tmp_path / "page.npz").write_text("<!DOCTYPE html>")
    (tmp_path / "page.h5").write_text("<!DOCTYPE html>")
    for name in ("page.npz", "page.h5"):
        assert f"{tmp_path / name}: not a sound .npz or HDF5 file but an HTML page" in message(
            tmp_path, file=name
        )
    assert f"{tmp_path / 'none.npz'}: no such file" in message(tmp_path, file="none.npz")
    write_h5(tmp_path / "whole.h5", arrays())
    (tmp_path / "cut.h5").write_bytes((tmp_path / "whole.h5").read_bytes()[:3000])
    assert "cut.h5: not a sound .npz or HDF5 file" in message(tmp_path, file="cut.h5")


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_h5(tmp_path / "set.h5", arrays())
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    assert "pip install 'infogan-bench[hdf5]'" in message(tmp_path, file="set.h5")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"factors": {"turn": {"kind": "circular"}}}, "factors.turn: a circular factor needs its `period`"),
        ({"factors": {"a": {"kind": "category", "low": 0}}}, "factors.a: `low` does not go with a factor that is"),
        ({"factors": {"a": {"kind": "kategory"}}}, "factors.a.kind: expected `category`, `ordered`"),
        ({"factors": {"a": {"kind": "ordered", "values": [1, 1]}}}, "factors.a: `values` must be two or more"),
        ({"factors": {"a": {"kind": "continuous", "low": 2, "high": 1}}}, "factors.a: give both `low` and `high`"),
        ({"label": "a"}, "`label` must be a category that `factors` declares, got 'a'"),
        ({"channels": 2}, "channels: expected "),
        ({"tabel": "x.csv"}, "tabel: unknown key; did you mean `table`?"),
    ],
)  # fmt: skip
def test_a_fault_of_the_declaration_is_named_with_its_key(options: dict[str, object], fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_sweep({"name": "x", "dataset": {"name": "images", "data_dir": ".", "options": options}})
    assert f"dataset.options.{fault}".replace("options.`", "options: `") in str(caught.value)


def test_a_sheet_of_one_s_own_images(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndataset:\n  name: images\n  data_dir: photos\n  options:\n    factors:\n"
        "      shape: {kind: category}\n      scale: {kind: ordered}\n      height: {kind: continuous}\n"
        "      turn: {kind: circular, period: 360}\n"
    )
    done = infogan_bench("data", "show", "mine.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "images.png\n"), done.stderr
    assert load_dataset(config(folder, factors=KINDS)) is load_dataset(config(folder, factors=KINDS))
