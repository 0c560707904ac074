"""Adam (arXiv 1412.6980) by torch's fused kernel, as `torch.optim.Adam(fused=True)` calls it.

The class imports torch's compiler when it is first used, which takes a second in each process that trains. The kernel
itself does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

_EPS = 1e-8  # torch's, and the paper's


class Adam:
    """Descends the gradients of `parameters`.

    Args:
        parameters: all on one device.
        lr: step size; on a GPU, as a tensor there.
        betas: decay of the means of gradients and of their squares.
    """

    def __init__(
        self, parameters: Sequence[nn.Parameter], lr: float | Tensor, betas: tuple[float, float]
    ) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        self._betas = betas
        self._capturable = any(each.is_cuda for each in self.parameters)  # in a CUDA graph
        self._moments: dict[str, list[Tensor]] = {}  # empty until the first step, which makes them

    def _start(self) -> None:
        """Moments of 0, each with the memory layout of its parameter, since the kernel walks through both together."""
        self._moments = {
            "step": [torch.zeros((), dtype=torch.float32, device=each.device) for each in self.parameters],
            "exp_avg": [torch.zeros_like(each, requires_grad=False) for each in self.parameters],
            "exp_avg_sq": [torch.zeros_like(each, requires_grad=False) for each in self.parameters],
        }

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        if not self._moments:
            self._start()
        present = [index for index, parameter in enumerate(self.parameters) if parameter.grad is not None]
        parameters: list[Tensor] = [self.parameters[index] for index in present]
        moments = {name: [each[index] for index in present] for name, each in self._moments.items()}
        adam(
            parameters,
            [parameter.grad for parameter in parameters if parameter.grad is not None],
            moments["exp_avg"],
            moments["exp_avg_sq"],
            [],
            moments["step"],
            fused=True,
            capturable=self._capturable,
            amsgrad=False,
            beta1=self._betas[0],
            beta2=self._betas[1],
            lr=self.lr,
            weight_decay=0.0,
            eps=_EPS,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """All tensors that `step` changes except the parameters, by names such as "0/exp_avg"; none before the first
        step."""
        return {
            f"{index}/{name}": tensor
            for name, tensors in self._moments.items()
            for index, tensor in enumerate(tensors)
        }

    @torch.no_grad()
    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over another optimiser's `state()`.

        Raises:
            KeyError: if a tensor is missing.
        """
        self._moments = {}
        if tensors:
            self._start()
        for name, tensor in self.state().items():
            tensor.copy_(tensors[name])
