"""Spectral normalisation (arXiv 1802.05957) whose vectors change in place, so that `vmap` and CUDA graphs take it.

torch's own writes its vectors through `out=`, for which `vmap` has no rule. This one computes the same numbers in the
same order, and its state has the same names, so that checkpoints fit both.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

POWER_ITERATIONS_BEFORE_TRAINING = 15  # torch's own number
_EPS = 1e-12  # least norm by which a vector is divided, torch's
_Layer = TypeVar("_Layer", bound=nn.Module)


class SpectralNorm(nn.Module):
    """A parametrization that divides a weight by an estimate of its largest singular value.

    In training mode, each use of the weight first takes one step of the power method towards the singular vectors
    u and v. The gradient takes both as constants.

    Args:
        weight: (n_out, ...); all but its first dimension are taken as one.
    """

    _u: Tensor  # (n_out,)
    _v: Tensor  # (n_in,)

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        for name, length in zip(("_u", "_v"), matrix.shape, strict=True):
            self.register_buffer(name, F.normalize(matrix.new_empty(length).normal_(), dim=0, eps=_EPS))
        for _ in range(POWER_ITERATIONS_BEFORE_TRAINING):
            self._power_iteration(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, of the same shape, with a largest singular value of about 1."""
        matrix = weight.flatten(1)
        # Under autocast the estimate would have the three digits of bfloat16.
        with torch.autocast(weight.device.type, enabled=False):
            if self.training:
                u, v = self._power_iteration(matrix)
            else:
                u, v = self._u.clone(), self._v.clone()
            sigma = torch.vdot(u, torch.mv(matrix, v))
            return weight / sigma

    def right_inverse(self, weight: Tensor) -> Tensor:
        """The weight itself: whatever is assigned is what the parametrization starts from."""
        return weight

    @torch.no_grad()
    def _power_iteration(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step; returns the new u and v, which a later step does not change."""
        u = F.normalize(torch.mv(matrix, self._v), dim=0, eps=_EPS)
        v = F.normalize(torch.mv(matrix.T, u), dim=0, eps=_EPS)
        self._u.copy_(u)
        self._v.copy_(v)
        return u, v


def spectral_norm(layer: _Layer) -> _Layer:
    """Give the `weight` of a layer, a linear one or a convolution that is not transposed, spectral normalisation."""
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.get_parameter("weight")))
    return layer
