"""Virtual adversarial training (arXiv 1704.03976): Q's category of an image shall survive the worst small change of it.

So no boundary between categories runs where images are dense. IMSAT (arXiv 1702.08720) uses it in the same way. It
uses no labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config.terms import TERMS
from infogan_bench.networks import Networks
from infogan_bench.objective.step import Call, Contribution, Parts, Pass, Step
from infogan_bench.objective.term import Term

_PROBE = 1.0  # length of the step at whose end the power iteration takes the gradient


class Change(NamedTuple):
    """Changes (n, C, H, W) of a batch's first n real images; before `begin`, the directions where the search begins."""

    pixels: Tensor


class Vat(Term):
    """The move of Q's categories of real images under the worst change of size `vat_radius`, nats."""

    row = TERMS["vat"]

    def draw(self, generator: torch.Generator) -> list[Tensor]:
        """A normal direction for each image."""
        shape = (self.n, *self.setting.image_shape)
        return [torch.randn(shape, generator=generator, device=generator.device)]

    def prepare(self, drawn: list[Tensor], latents: Latents, noise: Tensor) -> Parts:
        """The directions."""
        return Change(*drawn)

    def begin(self, call: Call, real: Tensor, parts: Parts) -> Parts:
        """Find the worst changes, with the networks as they are before the update."""
        codes = self.setting.codes

        def shift(networks: Networks, real: Tensor, change: Tensor) -> Tensor:
            return category_shift(networks, codes, real[: len(change)], change)

        (directions,) = parts
        radius = self.setting.objective.vat_radius
        return Change(worst_change(lambda change: call(shift, real, change), directions, radius))

    def images(self, phase: str, step: Step) -> dict[str, Tensor]:
        """The first n real images, changed."""
        if phase == "G":
            return {}
        change = cast(Change, step.parts[self.row.name]).pixels
        return {"changed": step.real[: len(change)] + change}

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """The divergence of Q's categories of changed images from those of the images, which are held fixed."""
        logits, moved = trunk_pass.posterior("real").logits, trunk_pass.posterior("changed").logits
        return [self.contribution(trunk_pass, divergence(logits, moved))]


def category_shift(networks: Networks, codes: LatentCodes, images: Tensor, change: Tensor) -> Tensor:
    """KL in nats from Q's categorical posteriors of images (n, C, H, W), held fixed, to those of images + change;
    summed over the codes."""
    with torch.no_grad():
        logits = codes.split(networks.Q_head(networks.trunk(images))).logits
    return divergence(logits, codes.split(networks.Q_head(networks.trunk(images + change))).logits)


def worst_change(shift: Callable[[Tensor], Tensor], directions: Tensor, radius: float) -> Tensor:
    """The change (..., n, C, H, W) of images, each of Euclidean length `radius`, that moves Q's categories most, by one
    power iteration (arXiv 1704.03976, algorithm 1).

    Args:
        shift: how far a change moves the categories: `category_shift`, or that of each replica.
        directions: normal, shaped like a change; the search begins there.
        radius: over all pixels of an image in [-1, 1].
    """
    direction = _unit(directions).requires_grad_()
    (gradient,) = torch.autograd.grad(shift(_PROBE * direction).sum(), direction)
    return radius * _unit(gradient)


def _unit(images: Tensor) -> Tensor:
    """Each of (..., n, C, H, W) scaled to length 1; an image of zeros stays."""
    return F.normalize(images.flatten(-3), dim=-1).view_as(images)


def divergence(logits: Sequence[Tensor], moved: Sequence[Tensor]) -> Tensor:
    """KL in nats from categorical posteriors, held fixed, of the first n images to others (n, K), over the codes."""
    total = moved[0].new_zeros(())
    for a, b in zip(logits, moved, strict=True):
        target = a[: len(b)].detach().softmax(1)
        negative_entropy = torch.special.xlogy(target, target).sum(1).mean()
        total = total + F.cross_entropy(b, target) + negative_entropy
    return total
