"""The protocol of a method, and the registry of methods.

A method trains a model in phases. Each phase descends a loss in the parameters of some of the networks. Trainers, fused
seeds, CUDA graphs and checkpoints know nothing else about a method.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from infogan_bench.config.methods import METHODS, OUTSIDE_METHODS, MethodRow, method_row
from infogan_bench.config.run import RunConfig
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape, Model, Networks
from infogan_bench.objective import Call, Draws
from infogan_bench.records.quantities import Quantity

Tensors = Any
"""Tensors of a method, in tuples, lists and dicts that `torch.func.vmap` takes, nested in any way."""

Losses = tuple[Tensor, list[Tensor]]
"""The loss of a phase, and the values that it reports; all are scalars."""


class Phase(NamedTuple):
    """A part of an update: one step of one optimiser."""

    name: str  # of the optimiser, which stands in checkpoints
    rate: Literal["lr_g", "lr_d"]  # the key in `optimiser` of its step size
    parameters: Sequence[nn.Parameter]
    loss: Callable[[Networks, Tensors], Losses]  # under vmap: a pure function of networks and step
    logged: tuple[str, ...]  # names of the values that `loss` reports
    inputs: Callable[[Tensors], Tensors] = lambda step: (
        step
    )  # the step as `loss` takes it, such as without gradients
    betas: tuple[float, float] | None = None  # of Adam in this phase; None: `optimiser.beta1` and `beta2`


class Method(ABC):
    """Trains the model of one run.

    Args:
        run: the configuration.
        model: what `build` made for it.
        image_shape: (C, H, W).
    """

    row: ClassVar[MethodRow]

    def __init__(self, run: RunConfig, model: Model, image_shape: ImageShape) -> None:
        self.run = run
        self.model = model
        self.image_shape = image_shape
        self.options = options_of(run)

    @classmethod  # noqa: B027  most methods train whatever is valid
    def check(cls, run: RunConfig) -> None:
        """Refuse a configuration that the method cannot train.

        Raises:
            InputError: naming the key and what was expected.
        """

    @classmethod
    @abstractmethod
    def build(
        cls,
        run: RunConfig,
        image_shape: ImageShape,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> Model:
        """Build and initialise the model; all that is random comes from `generator`, on the CPU.

        Raises:
            InputError: if the architecture is unknown or does not fit the images.
        """

    @property
    @abstractmethod
    def phases(self) -> tuple[Phase, ...]:
        """The phases of an update, in order."""

    @property
    def weights(self) -> Mapping[str, float]:
        """Factors of the losses that may differ among replicas, by names of the method's own."""
        return {}

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Draws:
        """Draw all random numbers of an update, except the order of the images, on the generator's device."""

    def prepare(self, draws: Draws, noise: Tensor, done: Tensor) -> Tensors:
        """Compute from `draws` the tensors that the losses read. It runs under vmap.

        Args:
            draws: what `draw` returned.
            noise: the standard deviation of the instance noise, a scalar.
            done: the number of updates before this one, a scalar.
        """
        return draws

    @abstractmethod
    def begin(self, call: Call, real: Tensor, prepared: Tensors, own_weights: dict[str, Tensor]) -> Tensors:
        """Make the step that all phases read, with whatever needs the networks before the losses.

        Args:
            call: `call(function, *inputs)` is function(networks, *inputs), in each replica.
            real: images (B, C, H, W) in [-1, 1]; for R replicas (R, B, C, H, W), and likewise all other tensors.
            prepared: what `prepare` returned.
            own_weights: those of `weights` that differ among replicas, (R,) each.
        """

    def summary(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Further metrics, worked out from the means of the reported values over an interval."""
        return {}


def options_of(run: RunConfig) -> dict[str, float]:
    """The options of a run's method, with the defaults of those that it does not set."""
    return {**method_row(run.method).options, **run.method.options}


_METHODS: dict[str, type[Method]] = {}
_Kind = TypeVar("_Kind", bound=type[Method])


def register_method(
    name: str,
    *,
    title: str = "",
    source: str = "",
    options: Mapping[str, float] | None = None,
    quantities: Sequence[Quantity] = (),
) -> Callable[[_Kind], _Kind]:
    """Register a method of your own, for `method.name` in a sweep file.

    Args:
        name: as in `method.name`.
        title: a few words for reports.
        source: paper.
        options: numbers that `method.options` may set, with their defaults; `self.options` in the method.
        quantities: the numbers that its phases report.

    Raises:
        InputError: if `name` is that of a method that ships.
    """
    ships = name in METHODS

    def register(kind: _Kind) -> _Kind:
        if ships and not kind.__module__.startswith(f"{__package__}."):
            raise InputError(f"a method {name!r} ships already; register yours under another name")
        if not ships:
            OUTSIDE_METHODS[name] = MethodRow(name, title or name, source, options or {}, tuple(quantities))
        kind.row = METHODS.get(name) or OUTSIDE_METHODS[name]
        _METHODS[name] = kind
        return kind

    return register


def method_of(run: RunConfig) -> type[Method]:
    """The class of a run's method, which can train the run.

    Raises:
        InputError: if there is no such method or option, or the method cannot train the run.
    """
    row = method_row(run.method)
    kind = _METHODS[row.name]
    kind.check(run)
    return kind


def build_model(
    run: RunConfig,
    image_shape: ImageShape,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Model:
    """Build the model of a run, by the run's method.

    Raises:
        InputError: as `method_of`; or if the architecture is unknown or does not fit the images.
    """
    return method_of(run).build(run, image_shape, generator, device)
