"""The consistency term: Q shall put a real image and its transformed copy into the same category.

Compare IMSAT (arXiv 1702.08720). It takes no labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor
from torch.nn import functional as F

from infogan_bench.config.terms import TERMS
from infogan_bench.objective.information import Views, transformed
from infogan_bench.objective.step import Contribution, Pass, Step
from infogan_bench.objective.term import Term


class Consistency(Term):
    """Disagreement of Q's categories of an image and of its transformed copy, nats."""

    row = TERMS["consistency"]

    def images(self, phase: str, step: Step) -> dict[str, Tensor]:
        """The first n real images, transformed by the maps that the information term drew for them."""
        if phase == "G":
            return {}
        return {"real view": transformed(step.real, cast(Views, step.parts["information"]).real)}

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """The cross-entropy of Q's two posteriors, in both directions."""
        logits, of_views = trunk_pass.posterior("real").logits, trunk_pass.posterior("real view").logits
        return [self.contribution(trunk_pass, disagreement(logits, of_views))]


def disagreement(logits: Sequence[Tensor], of_views: Sequence[Tensor]) -> Tensor:
    """Cross-entropy in nats between Q's categorical posteriors of images (B, K) and those of their first n transformed
    copies (n, K), in both directions, summed over the categorical codes. No gradient reaches the target."""
    total = of_views[0].new_zeros(())
    for a, b in zip((each[: len(of_views[0])] for each in logits), of_views, strict=True):
        total = total + F.cross_entropy(a, b.detach().softmax(1)) + F.cross_entropy(b, a.detach().softmax(1))
    return total
