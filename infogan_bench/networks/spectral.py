"""Spectral normalisation (arXiv 1802.05957) whose vectors change in place, so that `vmap` and CUDA graphs take it.

torch's own writes its vectors through `out=`, for which `vmap` has no rule. This one computes the same numbers in the
same order, and its state has the same names, so that checkpoints fit both.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from infogan_bench.networks.triton_here import triton_works

POWER_ITERATIONS_BEFORE_TRAINING = 15  # torch's own number
_EPS = 1e-12  # the smallest norm that divides a vector; torch's own value
_Layer = TypeVar("_Layer", bound=nn.Module)


class SpectralNorm(nn.Module):
    """A parametrization that divides a weight by an estimate of its largest singular value.

    In training mode, each use of the weight first takes one step of the power method towards the singular vectors
    u and v. The gradient treats both as constants.

    Args:
        weight: (n_out, ...), normalised as a matrix (n_out, n_in) with all other dimensions flattened into n_in.
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
        """Return the weight divided by the estimate, in the same shape."""
        matrix = weight.flatten(1)
        # Under autocast the estimate would have the three digits of bfloat16.
        with torch.autocast(weight.device.type, enabled=False):
            if self.training and on_gpu(weight):
                divided: Tensor = _Normalised.apply(matrix[None], self._u[None], self._v[None])[0]
                return divided.view(weight.shape)
            u, v = self._power_iteration(matrix) if self.training else (self._u.clone(), self._v.clone())
            # torch's order of operations, so that a CPU gives the bits of torch's
            return weight / torch.vdot(u, torch.mv(matrix, v))

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Return the weight itself: a weight that is assigned is the one that will be normalised."""
        return weight

    @torch.no_grad()
    def _power_iteration(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        """Take one step; returns the new u and v, which a later step does not change."""
        u = F.normalize(torch.mv(matrix, self._v), dim=0, eps=_EPS)
        v = F.normalize(torch.mv(matrix.T, u), dim=0, eps=_EPS)
        self._u.copy_(u)
        self._v.copy_(v)
        return u, v


def on_gpu(weight: Tensor) -> bool:
    """Say whether the weight lies on a GPU, where fewer kernels matter more than torch's order of operations."""
    return weight.is_cuda


class _Normalised(torch.autograd.Function):
    """`normalise`, with the gradient of its first result and a rule for vmap, in few kernels: launching each one costs
    a GPU time."""

    @staticmethod
    def forward(matrices: Tensor, u: Tensor, v: Tensor) -> Normalised:
        return form_of(matrices).normalise(matrices.contiguous(), u, v)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Normalised) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.set_materialize_grads(False)  # no zeros for u, v and sigma
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: None) -> tuple[Tensor, None, None]:
        return form_of(gradient).gradient(gradient.contiguous(), *ctx.saved_tensors), None, None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int, ...], *stacks: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        """Normalise all replicas (R, 1, ...) at once; u and v are views of the replicas' buffers, which change."""
        as_one = [each.movedim(dim, 0) for each, dim in zip(stacks, in_dims, strict=True)]
        matrices, u, v = as_one[0].flatten(0, 1), *(each.view(-1, each.shape[-1]) for each in as_one[1:])
        made = _Normalised.apply(matrices, u, v)
        return tuple(each.unflatten(0, (info.batch_size, -1)) for each in made), (0, 0, 0, 0)


Normalised = tuple[Tensor, Tensor, Tensor, Tensor]
"""Matrices divided by sigma (R, h, w), u (R, h), v (R, w) and sigma (R,)."""


class SpectralOperations:
    """Both directions in torch's operations, of any type of numbers, on any device."""

    @staticmethod
    def normalise(matrices: Tensor, u: Tensor, v: Tensor) -> Normalised:
        """Take one step of the power method with each of R matrices, and divide it by its largest singular value.

        Args:
            matrices: (R, h, w), contiguous.
            u: (R, h), contiguous, changed in place.
            v: (R, w), likewise.
        """
        u.copy_(F.normalize((matrices @ v[..., None]).squeeze(-1), dim=-1, eps=_EPS))
        preimage = (u[:, None, :] @ matrices).squeeze(1)
        sigma = torch.linalg.vector_norm(preimage, dim=-1).clamp_min(_EPS)
        v.copy_(preimage / sigma[:, None])
        return matrices / sigma[:, None, None], u.clone(), v.clone(), sigma

    @staticmethod
    def gradient(gradient: Tensor, divided: Tensor, u: Tensor, v: Tensor, sigma: Tensor) -> Tensor:
        """Return (g - <g, matrix / sigma> u v^T) / sigma: arXiv 1802.05957, equation 12.

        Args:
            gradient: g (R, h, w), of `divided`, contiguous.
            divided: the matrices divided by sigma; this, u, v and sigma are as `normalise` returned them.
        """
        along = (gradient * divided).sum((1, 2), keepdim=True)
        moved = torch.addcmul(gradient, along * u[:, :, None], v[:, None, :], value=-1)
        return moved / sigma[:, None, None]


def form_of(tensor: Tensor) -> type[SpectralOperations] | ModuleType:
    """Choose the `normalise` and `gradient` of a tensor: Triton's kernels where they run, else torch's operations."""
    if tensor.is_cuda and tensor.dtype is torch.float32 and triton_works():
        from infogan_bench.networks import spectral_kernel

        return spectral_kernel
    return SpectralOperations


def spectral_norm(layer: _Layer) -> _Layer:
    """Give the `weight` of a layer, a linear one or a convolution that is not transposed, spectral normalisation."""
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.get_parameter("weight")))
    return layer
