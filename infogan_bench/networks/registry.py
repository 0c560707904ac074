"""The architectures by their names.

A user's own architecture is a function with the same arguments, registered under a name:

    @register_architecture("tiny")
    def tiny(image_shape: tuple[int, int, int], latent_dim: int, q_dim: int, width: float) -> Networks: ...

in a module that the sweep file names under `extensions`.
"""

from __future__ import annotations

from collections.abc import Callable

from infogan_bench.config.names import nearest
from infogan_bench.config.run import ArchitectureConfig
from infogan_bench.errors import InputError
from infogan_bench.networks.module import ImageShape, Networks

Architecture = Callable[[ImageShape, int, int, float], Networks]
_ARCHITECTURES: dict[str, Architecture] = {}
_TAKE_CUDA_GRAPH: set[str] = set()


def register_architecture(name: str, *, cuda_graph: bool = False) -> Callable[[Architecture], Architecture]:
    """Register an architecture under `name`, for `architecture.name` in a sweep file.

    Args:
        name: as in `architecture.name`.
        cuda_graph: whether a CUDA graph may repeat the forward and backward pass on a GPU, which is several times as
            fast for small networks. Then the passes must not wait for values, and may change only buffers, in place.

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
    """Say whether the networks of `config` were registered for CUDA graphs."""
    return config.name in _TAKE_CUDA_GRAPH


def architecture_of(config: ArchitectureConfig) -> Architecture:
    """The function that builds the networks of `config`.

    Raises:
        InputError: if no architecture has that name.
    """
    if config.name not in _ARCHITECTURES:
        found = nearest(config.name, _ARCHITECTURES)
        hint = f"; did you mean {found!r}?" if found else ""
        raise InputError(
            f"architecture.name: no architecture {config.name!r} among {', '.join(architecture_names())}{hint}"
        )
    return _ARCHITECTURES[config.name]
