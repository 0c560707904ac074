"""Spectral normalisation (arXiv 1802.05957) whose vectors change in place, so that `vmap` and CUDA graphs take it.

torch's own writes its vectors through `out=`, for which `vmap` has no rule. This one computes the same numbers in the
same order, and its state has the same names, so that checkpoints fit both.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
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
            self.register_buffer(name, _unit(matrix.new_empty(length).normal_())[0])
        for _ in range(POWER_ITERATIONS_BEFORE_TRAINING):
            self._power_iteration(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, of the same shape, with a largest singular value of about 1."""
        matrix = weight.flatten(1)
        # Under autocast the estimate would have the three digits of bfloat16.
        with torch.autocast(weight.device.type, enabled=False):
            if not self.training:
                u, v = self._u.clone(), self._v.clone()
            else:
                u, v, sigma = self._power_iteration(matrix)
                if on_gpu(weight):
                    return _Quotient.apply(weight, u, v, sigma)  # type: ignore[no-any-return]
            # torch's order of operations, so that a CPU gives the bits of torch's
            return weight / torch.vdot(u, torch.mv(matrix, v))

    def right_inverse(self, weight: Tensor) -> Tensor:
        """The weight itself: whatever is assigned is what the parametrization starts from."""
        return weight

    @torch.no_grad()
    def _power_iteration(self, matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take one step; returns the new u and v, which a later step does not change, and u^T W v (1,)."""
        u, _ = _unit(torch.mv(matrix, self._v))
        v, sigma = _unit(torch.mv(matrix.T, u))  # u^T W v is the length of W^T u, since v has its direction
        self._u.copy_(u)
        self._v.copy_(v)
        return u, v, sigma


class _Quotient(torch.autograd.Function):
    """weight / (u^T weight v), for a known denominator sigma (1,).

    A network as small as these takes as long as it has kernels on a GPU, and torch would launch twice as many: to find
    the denominator anew, and for its gradient.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(weight: Tensor, u: Tensor, v: Tensor, sigma: Tensor) -> Tensor:
        return weight / sigma

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(output, *inputs[1:])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """(g - <g, weight / sigma> u v^T) / sigma, as arXiv 1802.05957 has it in equation 12."""
        output, u, v, sigma = ctx.saved_tensors
        rows = gradient.flatten(1)
        along = torch.dot(rows.flatten(), output.flatten())
        return (torch.addr(rows, u * -along, v) / sigma).view_as(gradient), None, None, None


def on_gpu(weight: Tensor) -> bool:
    """Say whether fewer kernels matter more than torch's order of operations."""
    return weight.is_cuda


def _unit(vector: Tensor) -> tuple[Tensor, Tensor]:
    """The vector (n,) scaled to length 1, and its length (1,), both as `torch.nn.functional.normalize` has them."""
    length = torch.linalg.vector_norm(vector, dim=0, keepdim=True).clamp_min(_EPS)
    return vector / length, length


def spectral_norm(layer: _Layer) -> _Layer:
    """Give the `weight` of a layer, a linear one or a convolution that is not transposed, spectral normalisation."""
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.get_parameter("weight")))
    return layer
