"""The tensors of an update that terms read, as tuples that `torch.func.vmap` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from torch import Tensor

from infogan_bench.codes import LatentCodes, Latents, Posterior
from infogan_bench.networks import Networks

Draws = dict[str, list[Tensor]]
"""The random numbers of an update, by the name of the term that drew them; `latents` are for all terms."""

Parts = tuple[Tensor, ...]
"""The tensors that a term prepared from its draws: a NamedTuple, or a plain tuple."""

Weight = float | Tensor
"""The weight of a term. A tensor is the weight of one replica under vmap, where code cannot look at its value; it is
never 0."""

Call = Callable[..., Any]
"""`call(function, *inputs)` is `function(networks, *inputs)`, in each replica: inputs and outputs are tensors, or
tuples, lists and dicts of them, which `torch.func.vmap` takes; of replicas, each has a leading axis R."""


class Prepared(NamedTuple):
    """The tensors that the losses of an update read, made from its draws."""

    latents: Latents
    parts: dict[str, Parts]  # by the name of the term


class Step(NamedTuple):
    """Images, latents and the terms' own tensors of one update; of replicas, with a leading axis R under vmap."""

    real: Tensor  # (B, C, H, W) in [-1, 1]
    fake: Tensor  # (B, C, H, W), G's images of `latents`
    latents: Latents
    parts: dict[str, Parts]  # by the name of the term
    weights: dict[str, Tensor]  # of terms whose weight differs among replicas, by the key of the weight

    def detached(self) -> Step:
        """Return the same step without gradients to G."""
        parts = {name: _detached(own) for name, own in self.parts.items()}
        return self._replace(fake=self.fake.detach(), parts=parts)


def _detached(parts: Parts) -> Parts:
    make: Callable[..., Parts] = getattr(parts, "_make", tuple)
    return make(part.detach() for part in parts)


class Contribution(NamedTuple):
    """A scalar that a loss contains, with its weight, or that is only reported."""

    weight: Weight | None  # None: it is no part of the loss
    value: Tensor
    name: str | None  # the name under which `value` is reported


class Pass:
    """The networks' outputs for the images of one step, computed once for all terms.

    Args:
        phase: D for the step of D, Q and their trunk; G for that of G.
        networks: of this replica.
        codes: the distribution of the latents.
        step: of this replica.
        judged: the images `real` and `fake` as D is shown them.
        features: the trunk's (n, features) of each batch of images, by its name.
    """

    def __init__(
        self,
        phase: Literal["D", "G"],
        networks: Networks,
        codes: LatentCodes,
        step: Step,
        judged: Mapping[str, Tensor],
        features: Mapping[str, Tensor],
    ) -> None:
        self.phase = phase
        self.networks = networks
        self.codes = codes
        self.step = step
        self.judged = judged
        self.features = features
        self._verdicts: dict[str, Tensor] = {}
        self._posteriors: dict[str, Posterior] = {}

    def verdict(self, batch: str) -> Tensor:
        """Return D's logits (n,) that the images of a batch are real."""
        if batch not in self._verdicts:
            self._verdicts[batch] = self.networks.D(self.features[batch])
        return self._verdicts[batch]

    def posterior(self, batch: str) -> Posterior:
        """Return Q(c|x) of the images of a batch."""
        if batch not in self._posteriors:
            self._posteriors[batch] = self.codes.split(self.networks.Q_head(self.features[batch]))
        return self._posteriors[batch]
