"""The adversarial term: D learns to tell real images from generated ones, and G learns to prevent it.

D descends -log D(x) - log(1 - D(G(z, c))), and G the non-saturating -log D(G(z, c)) (arXiv 1406.2661), on logits:
softplus(-x) is -log sigmoid(x) and softplus(x) is -log(1 - sigmoid(x)), finite for any logit.
"""

from __future__ import annotations

from torch.nn import functional as F

from infogan_bench.config.terms import TermRow
from infogan_bench.objective.step import Contribution, Pass
from infogan_bench.objective.term import Term


class Adversarial(Term):
    """V(D, G) of InfoGAN's equation 1. Its weight is always 1, so no key sets it."""

    row = TermRow("adversarial", (), "adversarial loss", source="arXiv 1406.2661")

    @property
    def is_on(self) -> bool:
        """Always true."""
        return True

    def logged(self, phase: str) -> tuple[str, ...]:
        """`loss/d` and `loss/g`."""
        return (f"loss/{phase.lower()}",)

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """-log D(x) - log(1 - D(G(z, c))), nats: 2 ln 2 where D cannot tell them apart."""
        loss = F.softplus(-trunk_pass.verdict("real")).mean() + F.softplus(trunk_pass.verdict("fake")).mean()
        return [Contribution(1.0, loss, "loss/d")]

    def of_g(self, trunk_pass: Pass) -> list[Contribution]:
        """-log D(G(z, c)), nats."""
        return [Contribution(1.0, F.softplus(-trunk_pass.verdict("fake")).mean(), "loss/g")]
