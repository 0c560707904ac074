from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infogan_metrics import fid
from infogan_metrics.digit_features import DigitFeatures, cache_folder, digit_features
from safetensors import safe_open

from infogan_bench.config.models import DatasetConfig
from infogan_bench.datasets import load_dataset

Digits = tuple[Any, Any, Any, Any]


@pytest.fixture(scope="module")
def digits() -> Digits:
    data = load_dataset(DatasetConfig(train_size=2000, test_size=500))
    tensors = (data.train_images, data.train_labels, data.test_images, data.test_labels)
    return tuple(tensor.numpy() for tensor in tensors if tensor is not None)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def network(digits: Digits, folder: Path) -> DigitFeatures:
    return digit_features(*digits, cache=folder)


def test_it_learns_to_read(network: DigitFeatures, digits: Digits) -> None:
    assert 0.85 < network.accuracy < 1
    with torch.no_grad():
        guesses = network.network(torch.from_numpy(digits[2]).float() / 255).argmax(dim=1).numpy()
    assert (guesses == digits[3]).mean() == pytest.approx(network.accuracy)
    assert f"accuracy {network.accuracy:.4f}" in str(network)


def test_features_have_a_mean_variance_of_one(network: DigitFeatures, digits: Digits) -> None:
    features = network(digits[0], pixels="0..255")
    assert features.shape == (2000, 64)
    assert features.dtype == np.float32
    assert features.var(axis=0, ddof=1).mean() == pytest.approx(1.0, rel=1e-4)


def test_the_same_pictures_in_each_range_have_the_same_features(
    network: DigitFeatures, digits: Digits
) -> None:
    pictures = digits[2][:100]
    expected = network(pictures, pixels="0..255")
    for images, pixels in ((pictures / 255, "0..1"), (pictures / np.float32(127.5) - 1, "-1..1")):
        np.testing.assert_allclose(network(images, pixels=pixels), expected, atol=1e-4)  # type: ignore[arg-type]
    np.testing.assert_array_equal(network(pictures[:, 0], pixels="0..255"), expected)


def test_fid_tells_digits_from_noise_and_from_one_class(network: DigitFeatures, digits: Digits) -> None:
    real, other = (network(part, pixels="0..255") for part in (digits[0][:1000], digits[0][1000:]))
    noise = np.random.default_rng(0).integers(0, 256, (500, 28, 28), dtype=np.uint8)
    ones = digits[0][digits[1] == 1]
    alike = fid(real, other).value
    assert 20 * alike < fid(real, network(ones, pixels="0..255")).value
    assert 20 * alike < fid(real, network(noise, pixels="0..255")).value


def test_the_cache_is_used_and_says_what_it_holds(
    network: DigitFeatures, digits: Digits, folder: Path
) -> None:
    (path,) = folder.iterdir()
    written = path.stat().st_mtime_ns
    again = digit_features(*digits, cache=folder)
    assert path.stat().st_mtime_ns == written
    assert (again.accuracy, again.data_hash) == (network.accuracy, network.data_hash)
    np.testing.assert_array_equal(again(digits[2], pixels="0..255"), network(digits[2], pixels="0..255"))
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {
            "accuracy": repr(network.accuracy),
            "data_sha256": network.data_hash,
            "network_version": "1",
        }


def test_training_is_repeatable_and_leaves_the_random_state_alone(
    network: DigitFeatures, digits: Digits, tmp_path: Path
) -> None:
    before = torch.get_rng_state()
    again = digit_features(*digits, cache=tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(again(digits[2], pixels="0..255"), network(digits[2], pixels="0..255"))


def test_other_data_and_other_seeds_have_files_of_their_own(digits: Digits, tmp_path: Path) -> None:
    small = tuple(part[:200] for part in digits)
    first = digit_features(*small, cache=tmp_path)
    second = digit_features(*small, cache=tmp_path, seed=1)
    shifted = digit_features(small[0], (small[1] + 1) % 10, *small[2:], cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    assert first.data_hash == second.data_hash != shifted.data_hash


@pytest.mark.parametrize(
    "damage", [lambda data: data[:100], lambda data: b"<!DOCTYPE html>", lambda data: b""]
)
def test_a_damaged_file_is_replaced(digits: Digits, tmp_path: Path, damage: Any) -> None:
    small = tuple(part[:200] for part in digits)
    first = digit_features(*small, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match="damaged .*; the network is trained again"):
        again = digit_features(*small, cache=tmp_path)
    assert again.accuracy == first.accuracy
    with warnings.catch_warnings(action="error"):
        assert digit_features(*small, cache=tmp_path).accuracy == first.accuracy


def test_a_cache_that_cannot_be_written_costs_the_cache_alone(digits: Digits, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.warns(UserWarning, match="the network cannot be cached"):
        network = digit_features(*(part[:200] for part in digits), cache=tmp_path / "file" / "cache")
    assert network(digits[2][:3], pixels="0..255").shape == (3, 64)


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INFOGAN_METRICS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("INFOGAN_METRICS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for platform, base in (("linux", "xdg"), ("win32", "local"), ("darwin", "Library/Caches")):
        monkeypatch.setattr(sys, "platform", platform)
        assert cache_folder() == tmp_path / base / "infogan-metrics"


@pytest.mark.parametrize(
    ("images", "pixels", "fault"),
    [
        (np.zeros((2, 28, 28), np.uint8), "0..1", "`pixels` '0..1' means floats, but the images are uint8"),
        (np.zeros((2, 28, 28)), "0..255", "`pixels` '0..255' means uint8, but the images are float64"),
        (np.full((2, 28, 28), -0.5), "0..1", "images must lie in 0..1, but reach from -0.5 to -0.5"),
        (np.full((2, 28, 28), np.nan), "-1..1", "images must lie in -1..1, but reach from nan"),
        (np.zeros((2, 3, 28, 28)), "0..1", r"images must be \(n, 28, 28\) or \(n, 1, 28, 28\)"),
        (np.zeros((2, 64, 64)), "0..1", r"but have shape \(2, 64, 64\)"),
        (np.zeros((0, 28, 28)), "0..1", r"but have shape \(0, 28, 28\)"),
        (np.zeros((2, 28, 28)), "0..2", "`pixels` must be"),
    ],
)
def test_wrong_images_are_refused(network: DigitFeatures, images: Any, pixels: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        network(images, pixels=pixels)


def test_wrong_data_are_refused(digits: Digits, tmp_path: Path) -> None:
    images, labels = digits[2][:20], digits[3][:20]
    with pytest.raises(ValueError, match="`train_images` must be uint8, but are float64"):
        digit_features(images / 255, labels, images, labels, cache=tmp_path)
    with pytest.raises(ValueError, match=r"`test_labels` must be integers, one per image, \(20,\)"):
        digit_features(images, labels, images, labels[:7], cache=tmp_path)
    with pytest.raises(ValueError, match="`train_labels` must be 0 to 9, but are 10"):
        digit_features(images, labels + 10, images, labels, cache=tmp_path)
