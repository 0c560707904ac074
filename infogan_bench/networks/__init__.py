"""Generator, discriminator and recognition network, and the registry of architectures."""

from infogan_bench.networks import architectures as _architectures  # noqa: F401  fills the registry
from infogan_bench.networks.build import build_networks, check_networks
from infogan_bench.networks.model import InfoGAN, Model
from infogan_bench.networks.module import ImageShape, Networks
from infogan_bench.networks.registry import (
    Architecture,
    architecture_names,
    register_architecture,
    takes_cuda_graph,
)
from infogan_bench.networks.spectral import spectral_norm
from infogan_bench.networks.weights import initialise

__all__ = [
    "Architecture",
    "ImageShape",
    "InfoGAN",
    "Model",
    "Networks",
    "architecture_names",
    "build_networks",
    "check_networks",
    "initialise",
    "register_architecture",
    "spectral_norm",
    "takes_cuda_graph",
]
