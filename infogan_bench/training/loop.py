"""A loop over updates whose inputs lie on the device. On a GPU it replays one CUDA graph.

A step of a small InfoGAN has hundreds of kernels of a few microseconds each. Python launches them more slowly than they
run. A CUDA graph is captured once and launches all of them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from infogan_bench.errors import InputError
from infogan_bench.training.memory import is_out_of_memory, no_garbage_collection

# Updates before the capture: in the first ones, libraries and optimisers allocate what the later ones use.
EAGER_UPDATES = 3

Update = Callable[[Tensor, Tensor], Tensor]


class Tally:
    """Sums of the values that the updates of an interval returned. They stay on the device; only reading them waits.

    Args:
        shape: of what an update returns.
        device: where that is.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self.totals = torch.zeros(shape, device=device)
        self.bad_since = torch.zeros(shape, dtype=torch.int64, device=device)
        self.reset()

    def reset(self) -> None:
        """Forget what was added."""
        self.totals.zero_()
        self.bad_since.fill_(-1)  # the first update, from 0, whose value was not finite, or -1

    def add(self, values: Tensor, turn: Tensor) -> None:
        """Add the `values` that the update of number `turn` (1,) returned."""
        self.totals += values
        bad = (self.bad_since < 0) & ~values.isfinite()
        self.bad_since.copy_(torch.where(bad, turn, self.bad_since))


class Loop:
    """Runs `update(images, rates)` for each row of an interval's inputs.

    Args:
        update: does one update and returns values of shape `shape`. In a CUDA graph its Python code runs only a few
            times, so whatever changes from update to update must be a tensor that is changed in place.
        shape: of what an update returns.
        cuda_graph: whether `update` may be captured, where it runs on a GPU.
    """

    def __init__(self, update: Update, shape: tuple[int, ...], *, cuda_graph: bool) -> None:
        self._update = update
        self._shape = shape
        self._cuda_graph = cuda_graph
        self._graph: torch.cuda.CUDAGraph | None = None
        self._generators: tuple[torch.Generator, ...] = ()
        self._inputs: tuple[Tensor, ...] = ()

    def forget(self) -> None:
        """Capture a new graph next time, because tensors that the update uses have been replaced."""
        self._graph = None

    def run(self, inputs: Sequence[Tensor], generators: Sequence[torch.Generator]) -> Tally:
        """Do an update for each row of `inputs`.

        Args:
            inputs: indices of images (S, ...) int64 and rates (S, ...), on the device.
            generators: all from which an update draws.

        Raises:
            InputError: if the update cannot be captured.
        """
        steps = len(inputs[0])
        self._take(inputs)
        if self._generators != tuple(generators):
            self.forget()
        left = steps
        if self._cuda_graph and inputs[0].is_cuda and self._graph is None and steps > EAGER_UPDATES:
            with torch.cuda.device(inputs[0].device):
                self._capture(generators)
            left -= EAGER_UPDATES
        replay = self._once if self._graph is None else self._graph.replay
        for _ in range(left):
            replay()
        return self._tally

    def _take(self, inputs: Sequence[Tensor]) -> None:
        """Copy the inputs to the memory from which the graph, if there is one, reads them."""
        if not self._inputs or len(self._inputs[0]) < len(inputs[0]):
            self.forget()
            self._inputs = tuple(each.clone() for each in inputs)
            self._turn = torch.zeros(1, dtype=torch.int64, device=inputs[0].device)
            self._tally = Tally(self._shape, inputs[0].device)
            return
        for place, values in zip(self._inputs, inputs, strict=True):
            place[: len(values)].copy_(values)
        self._turn.zero_()
        self._tally.reset()

    def _once(self) -> None:
        """Do one update with the inputs of the current turn."""
        images, rates = (each.index_select(0, self._turn).squeeze(0) for each in self._inputs)
        self._tally.add(self._update(images, rates), self._turn)
        self._turn += 1

    def _capture(self, generators: Sequence[torch.Generator]) -> None:
        """Do `EAGER_UPDATES` updates, then capture the next one, which is not executed."""
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(EAGER_UPDATES):
                self._once()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        for generator in generators:
            graph.register_generator_state(generator)
        try:
            # Other threads may use CUDA meanwhile. But the garbage collector must not free an earlier trainer's graph
            # during a capture, which that would spoil.
            with no_garbage_collection(), torch.cuda.graph(graph, capture_error_mode="thread_local"):
                self._once()
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise InputError(
                "architecture.name: an update of this architecture cannot be captured as a CUDA graph "
                f"({str(error).strip().partition(chr(10))[0]}); register it without `cuda_graph=True`"
            ) from error
        self._graph, self._generators = graph, tuple(generators)
