"""Features of natural images: torchvision's Inception v3, with weights that are at hand, for FID and KID."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.pixels import Pixels, check_pixels, to_unit

if TYPE_CHECKING:
    from torch import Tensor, nn

_SIDE = 299
_EXPECTED = (
    "expected the state dict of torchvision's inception_v3 for ImageNet, auxiliary classifier included, as "
    "torchvision.models.Inception_V3_Weights.IMAGENET1K_V1 names and downloads it"
)


@dataclass(frozen=True, eq=False)
class InceptionFeatures:
    """The network without its classifier; called with images, it gives their features."""

    network: nn.Module
    weights_hash: str  # sha256 of the weights file, hexadecimal

    def __call__(self, images: ArrayLike, *, pixels: Pixels, batch: int = 32) -> NDArray[np.float32]:
        """Return the activations of the last pooling layer.

        Images are resized to 299 x 299, bilinear and antialiased.

        Args:
            images: (n, 1, H, W) or (n, 3, H, W); one channel counts as three equal ones.
            pixels: the range that the images are in, which is not guessed. Equal pictures in different ranges
                give equal features, up to float32's rounding.
            batch: images that are read at once; decides memory and speed alone.
        Returns:
            (n, 2048).
        Raises:
            ValueError: if the shape or dtype is another, or values lie outside the range.
        """
        import torch

        pictures = np.asarray(images)
        if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or not pictures.size:
            raise ValueError(f"images must be (n, 1, H, W) or (n, 3, H, W), but have shape {pictures.shape}")
        check_pixels(pictures, pixels)
        device = next(self.network.parameters()).device
        with torch.no_grad():
            parts = [
                self.network(_as_input(to_unit(pictures[start : start + batch], pixels)).to(device)).cpu()
                for start in range(0, len(pictures), batch)
            ]
        features: NDArray[np.float32] = torch.cat(parts).numpy()
        return features

    def __str__(self) -> str:
        return f"torchvision's Inception v3 (weights {self.weights_hash[:12]})"


def inception_features(weights: Path | str, *, device: str = "cpu") -> InceptionFeatures:
    """Build Inception v3 from a weights file. Nothing is downloaded.

    FID and KID in these features compare only with values from the same weights, images being prepared as here.
    They are not comparable with published values, which mostly come from the Inception network ported from
    TensorFlow.

    Args:
        weights: file with the state dict of torchvision's `inception_v3`, read without running pickled code.
        device: where torch computes.
    Raises:
        ValueError: if the file is missing, cannot be read, or holds anything else.
    """
    path = Path(weights)
    try:
        weights_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; {_EXPECTED}") from None
    network = _build()
    try:
        network.load_state_dict(_state(path))
    except RuntimeError:  # torch lists hundreds of tensors here
        raise ValueError(f"{path}: holds the tensors of another network; {_EXPECTED}") from None
    network = _without_classifiers(network).to(device).eval().requires_grad_(False)
    return InceptionFeatures(network, weights_hash)


def _build() -> nn.Module:
    from torchvision.models import inception_v3

    network: nn.Module = inception_v3(weights=None, aux_logits=True, init_weights=False)
    return network


def _state(path: Path) -> Mapping[str, Any]:
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, LookupError, ValueError):
        # torch's own message would have the user load the file with pickle
        raise ValueError(f"{path}: damaged, or not a file of tensors; {_EXPECTED}") from None
    if not isinstance(state, Mapping):
        raise ValueError(f"{path}: holds a {type(state).__name__}; {_EXPECTED}")
    return state


def _without_classifiers(network: nn.Module) -> nn.Module:
    from torch import nn

    network.aux_logits, network.AuxLogits = False, None  # type: ignore[assignment]
    network.fc = nn.Identity()
    return network


def _as_input(images: NDArray[np.float32]) -> Tensor:
    """(b, 1 or 3, H, W) in [0, 1] as (b, 3, 299, 299) in [-1, 1], which the weights were trained on."""
    import torch
    from torch.nn import functional as F

    resized = F.interpolate(torch.from_numpy(images), size=(_SIDE, _SIDE), mode="bilinear", antialias=True)
    return (2 * resized - 1).expand(-1, 3, -1, -1)
