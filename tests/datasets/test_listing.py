"""The rows of the data sets, `data list` and `data show`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from infogan_bench.config import ConfigError, DatasetConfig, parse_sweep
from infogan_bench.config.datasets import DATASETS
from infogan_bench.datasets import ImageDataset, dataset_names, load_dataset, registry
from infogan_bench.datasets.listing import list_datasets
from infogan_bench.datasets.registry import reader
from infogan_bench.datasets.street_digits import STREET_DIGITS, load_street_digits
from infogan_bench.pictures.contact_sheet import write_contact_sheet
from tests.command_line import infogan_bench

WriteSet = Callable[..., Path]
DRAWN = [row.name for row in DATASETS.values() if row.origin in ("drawn", "stand-in")]


def test_each_row_has_a_reader_and_each_reader_that_ships_a_row() -> None:
    assert set(DATASETS) <= set(dataset_names())
    for row in DATASETS.values():
        needs_files = row.origin == "files"
        assert (reader(row.name).find is not None) >= needs_files, row.name
        assert bool(row.files) <= (row.origin in ("files", "package")), row.name


def test_the_page_lists_every_set_and_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text()
    for row in DATASETS.values():
        assert f"| `{row.name}` | {row.title.split(',')[0]}" in page.replace("**", ""), row.name
        for option in row.options.model_fields:
            assert f"`{option}`" in page or f"{option}:" in page, f"{row.name}: {option}"
        if row.images:
            assert f"{row.images[0]:,}, {row.images[1]:,}" in page


@pytest.mark.parametrize("name", DRAWN)
def test_the_row_of_a_drawn_set_says_what_it_is(name: str) -> None:
    row, dataset = DATASETS[name], load_dataset(DatasetConfig(name=name, train_size=3, test_size=40))
    assert dataset.image_shape == row.shape
    assert dataset.factors is not None
    assert all(factor in row.truth for factor in dataset.factors.names)


def test_the_list_says_what_is_here_and_what_is_missing(write_set: WriteSet, tmp_path: Path) -> None:
    write_set("data/KMNIST/raw")
    done = infogan_bench("data", "list", cwd=tmp_path)
    assert done.returncode == 0
    table, missing = done.stdout.split("\n\nMissing:\n")
    states = {line.split()[0]: line.split("  ")[-1].strip() for line in table.splitlines()[1:]}
    assert states["mnist"] == "ships"
    assert states["kmnist"] == "found"
    assert states["sprites"] == "drawn here"
    assert states["fashion-mnist"] == states["dsprites"] == "missing"
    assert "kmnist" not in missing
    assert f"fashion-mnist: missing, gzipped or not, in {tmp_path / 'data'}" in missing
    assert "train-images-idx3-ubyte.gz (26,421,880 bytes, md5 8d4fb7e6c68d591d4c3dfef9ec88bf0d)" in missing
    assert "55 MB" in table  # 70,000 x 28 x 28 bytes


def test_a_drawn_set_that_is_cached_is_listed_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOGAN_BENCH_CACHE", str(tmp_path / "cache"))
    small = replace(STREET_DIGITS, sizes=(8, 4))
    monkeypatch.setitem(
        registry._READERS, "street-digits", registry.Reader(load_street_digits, drawn=lambda: small)
    )

    def state() -> str:
        return next(each.state for each in list_datasets(tmp_path) if each.name == "street-digits")

    assert state() == "drawn here"
    small.load(DatasetConfig(name="street-digits"))
    assert state() == "drawn and cached"


def test_the_list_as_json(tmp_path: Path) -> None:
    listed = json.loads(infogan_bench("data", "list", "--json", "--data-dir", str(tmp_path)).stdout)
    assert [each["name"] for each in listed][: len(DATASETS)] == list(DATASETS)
    mnist = next(each for each in listed if each["name"] == "mnist")
    assert (mnist["state"], mnist["shape"], mnist["megabytes"]) == ("ships", [1, 28, 28], 54.88)
    dsprites = next(each for each in listed if each["name"] == "dsprites")
    assert dsprites["missing"].startswith(f"{tmp_path}")


def test_show_draws_a_sheet_of_a_sweep_file_s_data(write_set: WriteSet, tmp_path: Path) -> None:
    write_set("own")
    (tmp_path / "mine.yaml").write_text("name: mine\ndataset: {name: kmnist, data_dir: own}\n")
    done = infogan_bench("data", "show", "mine.yaml", "--out", "sheet.png", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "sheet.png\n")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (
            190 + 12 * (4 * 12 + 4),
            28 + 10 * (5 * 12 + 4),
        )  # 10 classes, 5x4 pixels 12 times


def test_show_refuses_bad_input_in_one_line(tmp_path: Path) -> None:
    for arguments, message in (
        (("minst",), "unknown dataset `minst`; did you mean `mnist`?"),
        (("mnist", "--set", "options.size=64"), "dataset.options: `mnist` has no options"),
        (("mnist", "--set", "trian_size=64"), "dataset.trian_size: unknown key; did you mean `train_size`?"),
        (("mnist", "--out", "sheet.jpg"), "--out: sheet.jpg: the picture is a PNG; name it sheet.png"),
        (("mnist", "--out", "none/sheet.png"), "--out: none/sheet.png: cannot be written: No such file"),
    ):
        done = infogan_bench("data", "show", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"error: {message}")
        assert done.stderr.count("\n") == 1


def test_the_sheet_keeps_colours_and_sorts_by_class(tmp_path: Path) -> None:
    colours = torch.tensor([[255, 0, 0], [0, 0, 255], [0, 255, 0]], dtype=torch.uint8)
    images = colours[:, :, None, None].expand(3, 3, 32, 32).contiguous()
    labels = torch.tensor([1, 0, 1])
    dataset = ImageDataset("tones", images, labels, images, labels, ("one", "two"))
    write_contact_sheet(dataset, "tones", tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as picture:
        sheet = np.asarray(picture)
    assert sheet[28 + 10, 190 + 10].tolist() == [0, 0, 255]  # class `one`
    assert sheet[28 + 68 + 10, 190 + 10].tolist() == [255, 0, 0]  # class `two`
    assert sheet[28 + 68 + 10, 190 + 68 + 10].tolist() == [0, 255, 0]


def test_faults_of_options_have_their_keys() -> None:
    with pytest.raises(ConfigError, match=r"dataset\.options: `mnist` has no options"):
        parse_sweep({"name": "x", "dataset": {"name": "mnist", "options": {"size": 64}}})
    with pytest.raises(ConfigError, match=r"dataset\.options: expected a section with keys"):
        parse_sweep({"name": "x", "dataset": {"name": "mnist", "options": 3}})
    assert "options" not in DatasetConfig().model_dump()
