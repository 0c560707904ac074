"""The protocol of a term of the objective, and the registry of terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config.names import suggestion
from infogan_bench.config.objective import ObjectiveConfig
from infogan_bench.config.terms import OUTSIDE_TERMS, TERMS, TermRow, share_of
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape
from infogan_bench.objective.step import Call, Contribution, Parts, Pass, Step, Weight


@dataclass(frozen=True)
class TermSetting:
    """All that a term may depend on besides the step itself."""

    objective: ObjectiveConfig
    codes: LatentCodes
    image_shape: ImageShape
    batch: int


class Term:
    """A part of the objective.

    A term draws random numbers, prepares tensors from them, may ask for further images to pass through the trunk, and
    contributes to the loss of D, Q and their trunk (`of_d`), to the loss of G (`of_g`), or to both. The default of each
    of these methods does nothing. All methods except `draw` and `begin` run under `torch.func.vmap`, so they must not
    look at values and must not draw random numbers.

    Args:
        setting: the configuration, the codes and the images' shape.
    """

    row: ClassVar[TermRow]
    pass_alone: ClassVar[tuple[str, ...]] = ()
    """Names of the judged batches that must pass through the trunk in a pass of their own."""

    def __init__(self, setting: TermSetting) -> None:
        self.setting = setting
        weights = {key: getattr(setting.objective, key, 0.0) for key in self.row.weights}
        self.options = dict(_OUTSIDE_OPTIONS.get(self.row.name, {})) | setting.objective.terms.get(
            self.row.name, {}
        )
        outside = self.row.name in OUTSIDE_TERMS
        self.weights: dict[str, float] = (
            {self.row.weights[0]: self.options["weight"]} if outside else weights
        )  # by their keys in `objective`

    @property
    def n(self) -> int:
        """The number of images of a batch that the term uses: its share, but at least 2, for BatchNorm."""
        return max(2, round(share_of(self.setting.objective, self.row) * self.setting.batch))

    @property
    def is_on(self) -> bool:
        """True if the term has a weight and the codes that it needs exist."""
        return any(self.weights.values()) and not (
            self.row.categorical and not self.setting.codes.categorical
        )

    def logged(self, phase: str) -> tuple[str, ...]:
        """The names under which the term's contributions to a phase, D or G, are reported."""
        own_phase = "D" if type(self).of_d is not Term.of_d else "G"
        return (self.row.metric,) if self.row.metric and phase == own_phase else ()

    def draw(self, generator: torch.Generator) -> list[Tensor]:
        """Draw the term's random numbers of an update, on the generator's device."""
        return []

    def prepare(self, drawn: list[Tensor], latents: Latents, noise: Tensor) -> Parts:
        """Compute from `drawn` the tensors that the losses read.

        Args:
            drawn: what `draw` returned.
            latents: of the update.
            noise: standard deviation of the instance noise, a scalar.
        """
        return tuple(drawn)

    def begin(self, call: Call, real: Tensor, parts: Parts) -> Parts:
        """Complete `parts` with tensors that need the networks before the losses. It does not run under vmap."""
        return parts

    def shown(self, phase: str, step: Step, judged: dict[str, Tensor]) -> dict[str, Tensor]:
        """The images `real` and `fake` in the form in which D sees them."""
        return judged

    def images(self, phase: str, step: Step) -> dict[str, Tensor]:
        """Return further batches of images that pass through the trunk together with the judged ones."""
        return {}

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """Return the contributions to the loss of D, Q and their trunk."""
        return []

    def of_g(self, trunk_pass: Pass) -> list[Contribution]:
        """Return the contributions to the loss of G."""
        return []

    def weight(self, trunk_pass: Pass, key: str | None = None) -> Weight:
        """The weight under `key`; None means the term's only key. If replicas differ, it is the weight of this
        replica."""
        key = self.row.weights[0] if key is None else key
        return trunk_pass.step.weights.get(key, self.weights[key])

    def contribution(self, trunk_pass: Pass, value: Tensor) -> Contribution:
        """Return `value` with the term's weight; it is reported in the phase in which the term reports."""
        names = self.logged(trunk_pass.phase)
        return Contribution(self.weight(trunk_pass), value, names[0] if names else None)


def counts(weight: Weight) -> bool:
    """Say whether a term with this weight has any effect."""
    return isinstance(weight, Tensor) or weight != 0


_OUTSIDE: dict[str, type[Term]] = {}
_OUTSIDE_OPTIONS: dict[str, Mapping[str, float]] = {}
_Kind = TypeVar("_Kind", bound=type[Term])


def register_term(
    name: str,
    *,
    title: str = "",
    explanation: str = "",
    unit: str = "",
    source: str = "",
    options: Mapping[str, float] | None = None,
) -> Callable[[_Kind], _Kind]:
    """Register a term of your own, for `objective.terms.NAME` in a sweep file.

    Args:
        name: of the term; runs report it as `loss/NAME`.
        title: a few words for reports.
        explanation: a sentence about the number that is reported.
        unit: of that number.
        source: paper or equation.
        options: numbers that `objective.terms.NAME` may set besides `weight`, with their defaults; `self.options` in
            the term.

    Raises:
        InputError: if `name` is that of a term that ships.
    """
    if name in TERMS or name in ObjectiveConfig.model_fields or not name.isidentifier():
        raise InputError(f"register_term: {name!r} is taken, or no name such as `sharpness`")

    def register(kind: _Kind) -> _Kind:
        kind.row = TermRow(name, (f"terms.{name}.weight",), title or name, explanation, unit, source)
        OUTSIDE_TERMS[name] = kind.row
        _OUTSIDE[name] = kind
        _OUTSIDE_OPTIONS[name] = {"weight": 0.0, **(options or {})}
        return kind

    return register


def outside_terms(objective: ObjectiveConfig) -> list[type[Term]]:
    """The user's own terms that a configuration names.

    Raises:
        InputError: if a term is not registered or has no such option.
    """
    for name, options in objective.terms.items():
        if name not in _OUTSIDE:
            raise InputError(
                f"objective.terms.{name}: no such term; a term of your own is registered by a module that "
                f"`extensions` names ({suggestion(name, tuple(_OUTSIDE)) if _OUTSIDE else 'none is registered'})"
            )
        known = tuple(_OUTSIDE_OPTIONS[name])
        for key in options:
            if key not in known:
                raise InputError(f"objective.terms.{name}.{key}: no such option; {suggestion(key, known)}")
    return [_OUTSIDE[name] for name in objective.terms]
