"""Convolutions of one trainer on a GPU, in the form that is fastest there for their sizes.

cuDNN has fast kernels for many channels. For few of them it falls back to slow ones, and which layout and which form
avoid those depends on the card, the version of cuDNN and the sizes. So the forms are measured, in the first updates of
a trainer, which are not part of its CUDA graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from infogan_bench.training.batched import conv2d, conv_transpose2d
from infogan_bench.training.memory import no_garbage_collection

Convolution = Callable[..., Any]

_MARGIN = 0.9  # another form is chosen only if it takes less than this share of torch's time
_REPEATS = 5  # passes in a measurement's graph
_REPLAYS = 3  # of which the fastest counts


def channels_first(tensor: Tensor) -> Tensor:
    """The same images or weights (N, C, H, W), with the strides of that order.

    Of a tensor with a single channel torch says that it lies in any order, but cuDNN's kernels are chosen by strides.
    """
    return tensor.contiguous().view(-1).view(tensor.shape)


def _in_channels_first(function: Convolution) -> Convolution:
    def convolution(input: Tensor, weight: Tensor, *more: Any, **named: Any) -> Any:
        return function(channels_first(input), channels_first(weight), *more, **named)

    return convolution


FORMS: Mapping[str, Mapping[Convolution, Convolution]] = {
    "as they lie": {F.conv2d: F.conv2d, F.conv_transpose2d: F.conv_transpose2d},
    "channels first": {each: _in_channels_first(each) for each in (F.conv2d, F.conv_transpose2d)},
    "products": {F.conv2d: conv2d, F.conv_transpose2d: conv_transpose2d},
}
"""Ways to compute torch's two convolutions, by name. A form may answer NotImplemented."""


class Convolutions(TorchFunctionMode):
    """A context in which torch's convolutions are computed in another form.

    Args:
        form: one of `FORMS` for all; None: for each size the fastest, forward and backward, measured at its first use.
    """

    def __init__(self, form: str | None = None) -> None:
        super().__init__()
        self._form = form
        self.chosen: dict[Hashable, str] = {}  # by the sizes

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if func not in FORMS["as they lie"]:
            return func(*args, **named)
        made = FORMS[self._form or self._fastest(func, args, named)][func](*args, **named)
        return func(*args, **named) if made is NotImplemented else made

    def _fastest(self, function: Convolution, args: tuple[Any, ...], named: Mapping[str, Any]) -> str:
        arguments = (*args, *named.items())
        key = (
            function.__name__,
            *(
                (tuple(x.shape), x.stride(), x.requires_grad) if isinstance(x, Tensor) else x
                for x in arguments
            ),
        )
        if key not in self.chosen:
            if torch.cuda.is_current_stream_capturing():  # nothing can be measured now
                return "as they lie"
            seconds = {name: _seconds(form[function], args, named) for name, form in FORMS.items()}
            fastest = min(seconds, key=lambda name: seconds[name])
            pays = seconds[fastest] < _MARGIN * seconds["as they lie"]
            self.chosen[key] = fastest if pays else "as they lie"
        return self.chosen[key]


def _seconds(form: Convolution, args: tuple[Any, ...], named: Mapping[str, Any]) -> float:
    """Time of a pass of `form` forward and backward, as a CUDA graph replays it; infinite if the form cannot do it."""

    def copied(x: Any) -> Any:
        return x.detach().clone().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x

    args, named = tuple(map(copied, args)), {name: copied(x) for name, x in named.items()}
    leaves = [x for x in (*args, *named.values()) if isinstance(x, Tensor) and x.requires_grad]

    def passes(times: int) -> bool:
        for _ in range(times):
            with torch.set_grad_enabled(bool(leaves)):
                made = form(*args, **named)
                if made is NotImplemented:
                    return False
                if leaves:
                    torch.autograd.grad(made, leaves, torch.ones_like(made))
        return True

    autocast = torch.is_autocast_enabled("cuda")
    dtype = torch.get_autocast_dtype("cuda")
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with (
        torch.autocast("cuda", dtype, enabled=autocast, cache_enabled=False),
        no_garbage_collection(first=False),
        torch.cuda.stream(aside),
    ):
        if not passes(2):
            return math.inf
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        graph.capture_begin(
            capture_error_mode="thread_local"
        )  # `torch.cuda.graph` takes long to empty caches
        try:
            passes(_REPEATS)
        finally:
            graph.capture_end()
        seconds = min(_replay(graph) for _ in range(1 + _REPLAYS))
    torch.cuda.current_stream().wait_stream(aside)
    return seconds


def _replay(graph: torch.cuda.CUDAGraph) -> float:
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    began.record()
    graph.replay()
    ended.record()
    torch.cuda.synchronize()
    return float(began.elapsed_time(ended)) / 1e3
