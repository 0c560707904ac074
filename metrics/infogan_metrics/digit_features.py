"""Features of digits: a small convolutional network that learned to read MNIST, for distances like FID.

Inception's features say little of 28 x 28 digits. Values measured with this network compare only with values
measured with the same one, so each carries the network's accuracy and the hash of what it was trained on.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.pixels import Pixels, check_pixels, to_unit

if TYPE_CHECKING:
    from torch import Tensor, nn

NETWORK_VERSION = 1  # goes up with any change to the network or to its training
_EPOCHS = 3
_BATCH = 128
_UNIT_IMAGES = 10_000  # whose features' variance is the unit
_WIDTH = 64  # of the features
_SIDE = 28
_CACHE_VARIABLE = "INFOGAN_METRICS_CACHE"


@dataclass(frozen=True, eq=False)
class DigitFeatures:
    """The trained network; called with images, it gives their features."""

    network: nn.Module
    accuracy: float  # of its classification, on the test images it was given, in [0, 1]
    data_hash: str  # sha256 of the images and labels it was trained and tested on, hexadecimal
    version: int = NETWORK_VERSION

    def __call__(self, images: ArrayLike, *, pixels: Pixels) -> NDArray[np.float32]:
        """Return the activations of the last hidden layer.

        Args:
            images: (n, 28, 28) or (n, 1, 28, 28), light digits on black.
            pixels: the range that the images are in, which is not guessed. Equal pictures in different ranges
                give equal features, up to float32's rounding.
        Returns:
            (n, 64), in a unit that gives the training images' features a mean variance of 1.
        Raises:
            ValueError: if the shape or dtype is another, or values lie outside the range.
        """
        import torch

        inputs = _as_input(np.asarray(images), pixels)
        with torch.no_grad():
            parts = [self.network[:-1](torch.from_numpy(part)) for part in _batches(inputs, 1000)]  # type: ignore[index]
        features: NDArray[np.float32] = torch.cat(parts).numpy()
        return features

    def __str__(self) -> str:
        return f"digit network v{self.version} (accuracy {self.accuracy:.4f}, data {self.data_hash[:12]})"


def digit_features(
    train_images: ArrayLike,
    train_labels: ArrayLike,
    test_images: ArrayLike,
    test_labels: ArrayLike,
    *,
    cache: Path | None = None,
    seed: int = 0,
) -> DigitFeatures:
    """The digit network for these data: read from the cache, or trained once (under a minute for MNIST).

    The same data and seed give the same network on the same machine.

    Args:
        train_images, test_images: uint8 arrays (n, 28, 28) or (n, 1, 28, 28), 0..255.
        train_labels, test_labels: int arrays (n,), 0 to 9.
        cache: folder of the cached networks. Default: the environment variable INFOGAN_METRICS_CACHE, else
            `infogan-metrics` in the user's cache folder.
        seed: of weights and batches.
    Raises:
        ValueError: if the arrays are malformed or do not fit together.
    """
    train = _as_labelled(train_images, train_labels, "train")
    test = _as_labelled(test_images, test_labels, "test")
    data_hash = _hash(*train, *test)
    folder = cache_folder() if cache is None else cache
    path = folder / f"digit-features-v{NETWORK_VERSION}-{data_hash[:16]}-seed{seed}.safetensors"
    if path.is_file():
        try:
            return _load(path, data_hash)
        except _DamagedError as error:
            warnings.warn(f"{path}: {error}; the network is trained again", stacklevel=2)
    network = _train(*train, seed)
    features = DigitFeatures(network, _accuracy(network, *test), data_hash)
    try:
        _save(features, path)
    except OSError as error:
        warnings.warn(f"{path}: the network cannot be cached ({error.strerror})", stacklevel=2)
    return features


def cache_folder() -> Path:
    """The folder that networks are cached in: INFOGAN_METRICS_CACHE, else the platform's cache folder."""
    if override := os.environ.get(_CACHE_VARIABLE):
        return Path(override).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "infogan-metrics"


# The network ----------------------------------------------------------------------------------------------


def _build() -> nn.Sequential:
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, _WIDTH),
        nn.LeakyReLU(0.1),  # the features; leaky, so that none is dead
        nn.Linear(_WIDTH, 10),
    )


def _train(images: NDArray[np.uint8], labels: NDArray[np.int64], seed: int) -> nn.Sequential:
    import torch
    from torch.nn import functional as F

    inputs, targets = torch.from_numpy(_as_input(images, "0..255")), torch.from_numpy(labels)
    with torch.random.fork_rng(devices=[]):  # leave the caller's random state as it was
        torch.manual_seed(seed)
        network = _build()
        optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
        steps = _EPOCHS * -(-len(inputs) // _BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
        for _ in range(_EPOCHS):
            for rows in torch.split(torch.randperm(len(inputs)), _BATCH):
                optimiser.zero_grad()
                loss = F.cross_entropy(network(inputs[rows]), targets[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
    network.eval().requires_grad_(False)
    _set_unit(network, inputs[:_UNIT_IMAGES])
    return network


def _set_unit(network: nn.Sequential, inputs: Tensor) -> None:
    """Scale the features to a mean variance of 1, and the last layer back: the network's output stays."""
    scale = network[:-1](inputs).var(dim=0).mean().sqrt()
    for parameter in network[-3].parameters():
        parameter.div_(scale)
    network[-1].get_parameter("weight").mul_(scale)


def _accuracy(network: nn.Sequential, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> float:
    import torch

    inputs = _as_input(images, "0..255")
    guesses: list[Tensor] = [network(torch.from_numpy(part)).argmax(dim=1) for part in _batches(inputs, 1000)]
    return float((torch.cat(guesses).numpy() == labels).mean())


# The cache ------------------------------------------------------------------------------------------------


class _DamagedError(Exception):
    pass


def _save(features: DigitFeatures, path: Path) -> None:
    """Write whole or not at all, also where two processes train at once."""
    from safetensors.torch import save_file

    metadata = {
        "accuracy": repr(features.accuracy),
        "data_sha256": features.data_hash,
        "network_version": str(features.version),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        partial = Path(scratch) / path.name
        save_file(features.network.state_dict(), partial, metadata=metadata)
        partial.replace(path)


def _load(path: Path, data_hash: str) -> DigitFeatures:
    from safetensors import SafetensorError, safe_open

    network = _build().eval().requires_grad_(False)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            network.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        accuracy = float(metadata["accuracy"])
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise _DamagedError(f"damaged ({error})") from None
    if metadata.get("data_sha256") != data_hash:
        raise _DamagedError("was trained on other data")
    return DigitFeatures(network, accuracy, data_hash)


def _hash(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


# Images ---------------------------------------------------------------------------------------------------


def _as_labelled(
    images: ArrayLike, labels: ArrayLike, split: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    pictures, ids = np.asarray(images), np.asarray(labels)
    pictures = _square(pictures)
    if pictures.dtype != np.uint8:
        raise ValueError(f"`{split}_images` must be uint8, but are {pictures.dtype}")
    if ids.shape != pictures.shape[:1] or ids.dtype.kind not in "iu":
        raise ValueError(
            f"`{split}_labels` must be integers, one per image, ({len(pictures)},), "
            f"but are {ids.dtype} {ids.shape}"
        )
    if ids.min() < 0 or ids.max() > 9:
        raise ValueError(f"`{split}_labels` must be 0 to 9, but are {ids.min()} to {ids.max()}")
    return pictures, ids.astype(np.int64)


def _square(images: NDArray[Any]) -> NDArray[Any]:
    """Return (n, 28, 28)."""
    squares = images[:, 0] if images.ndim == 4 and images.shape[1] == 1 else images
    if squares.ndim != 3 or squares.shape[1:] != (_SIDE, _SIDE) or not len(squares):
        raise ValueError(
            f"images must be (n, {_SIDE}, {_SIDE}) or (n, 1, {_SIDE}, {_SIDE}), but have shape {images.shape}"
        )
    return squares


def _as_input(images: NDArray[Any], pixels: Pixels) -> NDArray[np.float32]:
    """Return float32 (n, 1, 28, 28) in [0, 1]."""
    squares = _square(images)
    check_pixels(squares, pixels)
    return to_unit(squares[:, None], pixels)


def _batches(inputs: NDArray[np.float32], size: int) -> list[NDArray[np.float32]]:
    return [inputs[start : start + size] for start in range(0, len(inputs), size)]
