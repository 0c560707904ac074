"""The balance term: Q uses each category of real images as often as G is fed it, since p(c) = E_x Q(c|x).

A Q that puts two digits into one category, and spreads another digit over two, violates this. Compare RIM (Krause et
al., 2010). It takes no labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from infogan_bench.config.terms import TERMS
from infogan_bench.objective.step import Contribution, Pass
from infogan_bench.objective.term import Term


class Balance(Term):
    """Divergence of Q's mean categories of a batch of real images from uniform, nats."""

    row = TERMS["balance"]

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """The divergence over the batch of real images."""
        return [self.contribution(trunk_pass, imbalance(trunk_pass.posterior("real").logits))]


def imbalance(logits: Sequence[Tensor]) -> Tensor:
    """KL(mean || uniform) in nats of the mean of Q's categorical posteriors over the batch, summed over the categorical
    codes. It is 0 if Q uses all categories equally often."""
    total = logits[0].new_zeros(())
    for each in logits:
        mean = each.softmax(1).mean(0)
        total = total + math.log(each.shape[1]) + torch.special.xlogy(mean, mean).sum()
    return total
