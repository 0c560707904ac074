"""G, D and Q as one module, and the architectures that build them.

A user's own architecture is a function with the same arguments, registered under a name:

    @register_architecture("tiny")
    def tiny(image_shape: tuple[int, int, int], latent_dim: int, q_dim: int, width: float) -> Networks: ...

in a module that the sweep file names under `extensions`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from infogan_bench.codes import LatentCodes
from infogan_bench.config.run import ArchitectureConfig
from infogan_bench.errors import InputError
from infogan_bench.networks.layers import each_apart

ImageShape = tuple[int, int, int]  # channels, height, width
_POWER_ITERATIONS = 15  # of a spectral normalisation before training, torch's own number


class Networks(nn.Module):
    """Generator, the trunk that D and Q share, and the two heads.

    G: (B, latent_dim) -> (B, C, H, W) in [-1, 1]. trunk: images -> (B, features). D_head: features -> (B, 1)
    logits. Q_head: features -> (B, q_dim). CR, where the objective has a contrastive term: two images, one after the
    other in their channels (B, 2 C, H, W) -> (B, n_continuous) logits of which continuous code they share.
    """

    def __init__(self, *, G: nn.Module, trunk: nn.Module, D_head: nn.Module, Q_head: nn.Module) -> None:
        super().__init__()
        self.G = G
        self.trunk = trunk
        self.D_head = D_head
        self.Q_head = Q_head
        self.CR: nn.Module | None = None

    def features(self, batches: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The trunk's (n, features) of several batches of images, BatchNorm's statistics of each taken apart."""
        return each_apart(self.trunk, batches)

    def D(self, features: Tensor) -> Tensor:
        """Logits (B,) that the images behind `features` are real."""
        logits: Tensor = self.D_head(features)
        return logits.squeeze(1)

    def D_and_Q_parameters(self) -> list[nn.Parameter]:
        """What D's optimiser owns: the trunk and both heads, and CR if it is there."""
        parts = [self.trunk, self.D_head, self.Q_head, *([] if self.CR is None else [self.CR])]
        return [p for part in parts for p in part.parameters()]


Architecture = Callable[[ImageShape, int, int, float], Networks]
_ARCHITECTURES: dict[str, Architecture] = {}
_TAKE_CUDA_GRAPH: set[str] = set()


def register_architecture(name: str, *, cuda_graph: bool = False) -> Callable[[Architecture], Architecture]:
    """Make an architecture known under `name`, for `architecture.name` in a sweep file.

    Args:
        name: as in `architecture.name`.
        cuda_graph: that on a GPU a CUDA graph may repeat what a forward and a backward pass do once: they wait for no
            value, and what they change from pass to pass are buffers, in place. Several times as fast where the
            networks are small.

    Raises:
        InputError: if `name` is that of an architecture that ships.
    """

    def register(build: Architecture) -> Architecture:
        known = _ARCHITECTURES.get(name)
        if known is not None and known.__module__.startswith(f"{__package__}."):
            raise InputError(f"an architecture {name!r} ships already; register yours under another name")
        _ARCHITECTURES[name] = build
        (_TAKE_CUDA_GRAPH.add if cuda_graph else _TAKE_CUDA_GRAPH.discard)(name)
        return build

    return register


def architecture_names() -> list[str]:
    """The names that `architecture.name` may take."""
    return sorted(_ARCHITECTURES)


def takes_cuda_graph(config: ArchitectureConfig) -> bool:
    """Whether the networks of `config` were registered for CUDA graphs."""
    return config.name in _TAKE_CUDA_GRAPH


def build_networks(config: ArchitectureConfig, image_shape: ImageShape, codes: LatentCodes) -> Networks:
    """Build the networks of `config` for these images and codes, not yet initialised.

    Raises:
        InputError: if the name is unknown or the architecture cannot make images of this shape.
    """
    if config.name not in _ARCHITECTURES:
        nearest = difflib.get_close_matches(config.name, _ARCHITECTURES, n=1)
        hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
        raise InputError(
            f"architecture.name: no architecture {config.name!r} among {', '.join(architecture_names())}{hint}"
        )
    networks = _ARCHITECTURES[config.name](image_shape, codes.latent_dim, codes.q_dim, config.width)
    if config.spectral_norm:
        for part in (networks.trunk, networks.D_head):
            _normalise_spectrally(part)
    return networks


def build_contrastive(config: ArchitectureConfig, image_shape: ImageShape, codes: LatentCodes) -> nn.Module:
    """`Networks.CR` for these images and codes: a trunk and a head of Q of its own, of the same architecture.

    Raises:
        InputError: as `build_networks`.
    """
    channels, height, width = image_shape
    n_codes = len(codes.continuous)
    twin = _ARCHITECTURES[config.name]((2 * channels, height, width), codes.latent_dim, n_codes, config.width)
    if config.spectral_norm:
        _normalise_spectrally(twin.trunk)
    return nn.Sequential(twin.trunk, twin.Q_head)


def _normalise_spectrally(part: nn.Module) -> None:
    """Give each layer a weight of largest singular value 1 (arXiv 1802.05957).

    BatchNorm goes, as in that paper's D: it would undo any scaling of the weights before it. Layers without a bias,
    which had BatchNorm's, get one.
    """
    for module in list(part.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
        if isinstance(module, nn.Linear | nn.Conv2d) and not parametrize.is_parametrized(module, "weight"):
            if module.bias is None:
                module.bias = nn.Parameter(module.weight.new_zeros(len(module.weight)))
            spectral_norm(module)


@torch.no_grad()
def check_networks(networks: Networks, image_shape: ImageShape, codes: LatentCodes) -> None:
    """Pass two latents through: what a user's own architecture may get wrong, told before anything trains.

    Raises:
        InputError: if G's images or Q's output do not have the shape that they must have.
    """
    networks.eval()
    images = networks.G(torch.zeros(2, codes.latent_dim))
    if tuple(images.shape) != (2, *image_shape):
        raise InputError(
            f"architecture.name: G makes images of shape {tuple(images.shape[1:])}, not {image_shape}"
        )
    features = networks.trunk(images)
    for head, output, width in (
        ("D_head", networks.D_head(features), 1),
        ("Q_head", networks.Q_head(features), codes.q_dim),
    ):
        if tuple(output.shape) != (2, width):
            raise InputError(
                f"architecture.name: {head} gives {tuple(output.shape[1:])} numbers an image, not {width}"
            )


def initialise(networks: Networks, generator: torch.Generator) -> None:
    """Weights from N(0, 0.02), biases 0 (InfoGAN, appendix C, after DCGAN); BatchNorm starts as identity.

    All that is random comes from `generator`, the vectors of a spectral normalisation included.
    """
    for module in networks.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if parametrize.is_parametrized(module, "weight"):
                _initialise_parametrized(module, generator)
            else:
                nn.init.normal_(module.weight, std=0.02, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


@torch.no_grad()
def _initialise_parametrized(module: nn.Module, generator: torch.Generator) -> None:
    """Draw a weight through its parametrization, and the vectors with which spectral normalisation starts."""
    weight = torch.empty_like(cast(Tensor, module.weight)).normal_(std=0.02, generator=generator)
    module.weight = weight
    vectors = list(module.get_submodule("parametrizations.weight").buffers())
    for vector in vectors:
        vector.normal_(generator=generator)
    for _ in range(_POWER_ITERATIONS if vectors else 0):
        _ = module.weight  # in training mode, each use takes one step towards the singular vectors
