"""The penalty R1 on the gradient of D at real images (arXiv 1801.04406, equation 9)."""

from __future__ import annotations

import torch
from torch import Tensor

from infogan_bench.config.terms import TERMS
from infogan_bench.objective.step import Contribution, Pass, Step
from infogan_bench.objective.term import Term


class R1(Term):
    """gamma/2 E|grad D(x)|^2, of D's logits of the real images as D judges them.

    Under BatchNorm, the gradient of an image includes its effect on the other logits of its batch.
    """

    row = TERMS["r1"]
    pass_alone = ("real",)  # the penalty takes the gradient through this pass

    def shown(self, phase: str, step: Step, judged: dict[str, Tensor]) -> dict[str, Tensor]:
        """Real images as leaves of the graph, at which the penalty's gradient is taken."""
        if phase == "G":
            return judged
        return judged | {"real": judged["real"].detach().requires_grad_()}

    def of_d(self, trunk_pass: Pass) -> list[Contribution]:
        """The penalty; it is not reported."""
        real_logits, gamma = trunk_pass.verdict("real"), self.weights["r1"]
        (gradient,) = torch.autograd.grad(real_logits.sum(), trunk_pass.judged["real"], create_graph=True)
        return [Contribution(1.0, gamma / 2 * gradient.square().sum() / len(gradient), None)]
