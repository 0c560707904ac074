"""The contrastive term of InfoGAN-CR: a network tells which continuous code two generated images share.

arXiv 1906.06034, section 4. The two images differ in everything else: their other codes, noise and categories.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan_bench.codes import Latents
from infogan_bench.config.terms import TERMS
from infogan_bench.networks import Networks
from infogan_bench.objective.step import Call, Contribution, Parts, Pass
from infogan_bench.objective.term import Term


class Partners(NamedTuple):
    """Latents of partners of a batch's first n images, and the code that each shares with its own image."""

    z: Tensor
    categories: Tensor
    continuous: Tensor
    shared: Tensor  # (n,) int64


class Pairs(NamedTuple):
    """Partners of a batch's first n generated images: each shares the value of one continuous code with its own."""

    images: Tensor  # (n, C, H, W)
    shared: Tensor  # (n,) int64, the number of that code


class Contrastive(Term):
    """Cross-entropy in nats of the network that tells the shared code; log n_continuous for a guess."""

    row = TERMS["contrastive"]

    def draw(self, generator: torch.Generator) -> list[Tensor]:
        """The shared code of each pair, and latents of the partners."""
        codes, n = self.setting.codes, self.n
        shared = torch.randint(len(codes.continuous), (n,), generator=generator, device=generator.device)
        return [shared, *codes.draw(n, generator)]

    def prepare(self, drawn: list[Tensor], latents: Latents, noise: Tensor) -> Parts:
        """`Partners`."""
        shared, *partners = drawn
        codes = self.setting.codes
        return Partners(*codes.sharing(latents, codes.latents(partners), shared), shared)

    def begin(self, call: Call, real: Tensor, parts: Parts) -> Parts:
        """`Pairs`: the partners' images."""

        def images(networks: Networks, latents: Latents) -> Tensor:
            made: Tensor = networks.G(self.setting.codes.flatten(latents))
            return made

        *latents, shared = parts
        return Pairs(call(images, Latents(*latents)), shared)

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """The loss of the network that tells the codes apart, which learns in D's step."""
        return [self.contribution(trunk_pass, self._cross_entropy(trunk_pass))]

    def of_g(self, trunk_pass: Pass) -> list[Contribution]:
        """The same loss for G, which makes the shared code easy to tell."""
        return [self.contribution(trunk_pass, self._cross_entropy(trunk_pass))]

    def _cross_entropy(self, trunk_pass: Pass) -> Tensor:
        pairs = cast(Pairs, trunk_pass.step.parts[self.row.name])
        both = torch.cat([trunk_pass.step.fake[: len(pairs.images)], pairs.images], dim=1)
        return F.cross_entropy(cast(nn.Module, trunk_pass.networks.CR)(both), pairs.shared)
