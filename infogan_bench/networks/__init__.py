"""Generator, discriminator and recognition network, and the registry of architectures."""

from infogan_bench.networks import architectures as _architectures  # noqa: F401  fills the registry
from infogan_bench.networks.model import InfoGAN, Model
from infogan_bench.networks.registry import (
    Architecture,
    ImageShape,
    Networks,
    architecture_names,
    build_networks,
    check_networks,
    initialise,
    register_architecture,
    takes_cuda_graph,
)

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
    "takes_cuda_graph",
]
