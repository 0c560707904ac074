from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infogan_metrics.inception_features import InceptionFeatures, inception_features
from PIL import Image
from torch import nn
from torchvision.models import Inception3

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 3, 40, 28), dtype=np.uint8)


@pytest.fixture(scope="module")
def untrained() -> Inception3:
    """Inception with random weights, its BatchNorm having seen some noise, so that features are of order 1."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Inception3(init_weights=False)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
        with torch.no_grad():
            network(
                nn.functional.interpolate(torch.rand(4, 3, 40, 28) * 2 - 1, size=(299, 299), mode="bilinear")
            )
    return network.eval()


@pytest.fixture(scope="module")
def weights(untrained: Inception3, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(untrained.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def features(weights: Path) -> InceptionFeatures:
    return inception_features(weights)


@pytest.fixture(scope="module")
def expected(features: InceptionFeatures) -> Any:
    return features(IMAGES, pixels="0..255")


def test_they_are_what_torchvision_s_own_pipeline_feeds_its_classifier(
    untrained: Inception3, expected: Any
) -> None:
    resized = nn.functional.interpolate(
        torch.from_numpy(IMAGES).double() / 255, size=(299, 299), mode="bilinear", antialias=True
    ).float()
    mean, std = (
        torch.tensor(values)[:, None, None] for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    seen: list[torch.Tensor] = []
    hook = untrained.fc.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    untrained.transform_input = True  # as torchvision sets it together with its weights
    with torch.no_grad():
        untrained((resized - mean) / std)
    hook.remove()
    assert expected.shape == (2, 2048)
    assert expected.dtype == np.float32
    assert (
        expected.std(axis=0).mean() > 0.05
    )  # against which rounding, which random weights amplify, is little
    np.testing.assert_allclose(expected, seen[0].numpy(), atol=2e-3)


def test_large_images_are_resized_with_antialiasing(features: InceptionFeatures) -> None:
    large = np.random.default_rng(1).integers(0, 256, (897, 897, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(large).resize((299, 299), Image.Resampling.BILINEAR))  # antialiased
    ours, theirs, aliased = (
        features(image.transpose(2, 0, 1)[None], pixels="0..255")
        for image in (large, smooth, large[1::3, 1::3])
    )
    assert np.abs(ours - theirs).max() < 0.05 * np.abs(ours - aliased).max()


def test_the_same_pictures_in_each_range_have_the_same_features(
    features: InceptionFeatures, expected: Any
) -> None:
    for images, pixels in ((IMAGES / 255, "0..1"), (IMAGES / np.float32(127.5) - 1, "-1..1")):
        np.testing.assert_allclose(features(images, pixels=pixels), expected, atol=2e-3)  # type: ignore[arg-type]


def test_batches_change_nothing(features: InceptionFeatures, expected: Any) -> None:
    np.testing.assert_allclose(features(IMAGES, pixels="0..255", batch=1), expected, atol=2e-3)


def test_one_channel_counts_as_three_equal_ones(features: InceptionFeatures) -> None:
    grey = IMAGES[:1, :1]
    np.testing.assert_array_equal(
        features(grey, pixels="0..255"), features(grey.repeat(3, axis=1), pixels="0..255")
    )


def test_it_names_its_weights(features: InceptionFeatures, weights: Path) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert features.weights_hash == digest
    assert str(features) == f"torchvision's Inception v3 (weights {digest[:12]})"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "No such file or directory"),
        (b"", "damaged, or not a file of tensors"),
        (b"<!DOCTYPE html>", "damaged, or not a file of tensors"),
        (nn.Linear(2, 2), "damaged, or not a file of tensors"),  # a pickled module is not run
        ([torch.ones(2)], "holds a list"),
        ({"fc.weight": torch.ones(10, 2048)}, "holds the tensors of another network"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, content: Any, fault: str) -> None:
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(ValueError, match=rf"weights\.pth: {fault}; expected .*Inception_V3_Weights") as error:
        inception_features(path)
    assert len(str(error.value).splitlines()) == 1


def test_a_truncated_file_and_another_number_of_classes_are_refused(
    weights: Path, untrained: Inception3, tmp_path: Path
) -> None:
    (tmp_path / "half.pth").write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    with pytest.raises(ValueError, match="damaged"):
        inception_features(tmp_path / "half.pth")
    state = untrained.state_dict()
    torch.save({**state, "fc.weight": state["fc.weight"][:10]}, tmp_path / "ten.pth")
    with pytest.raises(ValueError, match="another network"):
        inception_features(tmp_path / "ten.pth")


@pytest.mark.parametrize(
    ("images", "pixels", "fault"),
    [
        (IMAGES, "0..1", "`pixels` '0..1' means floats, but the images are uint8"),
        (IMAGES - 0.5, "0..255", "`pixels` '0..255' means uint8, but the images are float64"),
        (IMAGES / 200, "0..1", "images must lie in 0..1, but reach from 0 to 1.275"),
        (IMAGES[:, 0], "0..255", r"\(n, 1, H, W\) or \(n, 3, H, W\), but have shape \(2, 40, 28\)"),
        (IMAGES[:, :2], "0..255", r"but have shape \(2, 2, 40, 28\)"),
        (IMAGES[:0], "0..255", r"but have shape \(0, 3, 40, 28\)"),
        (IMAGES, "0..2", "`pixels` must be"),
    ],
)
def test_wrong_images_are_refused(features: InceptionFeatures, images: Any, pixels: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        features(images, pixels=pixels)
