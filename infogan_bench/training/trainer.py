"""The training loop of one model: one method, one seed, no Ray and no MLflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from infogan_bench.config.run import RunConfig
from infogan_bench.datasets import to_float
from infogan_bench.errors import InputError
from infogan_bench.methods import Tensors, method_of
from infogan_bench.networks import Networks, takes_cuda_graph
from infogan_bench.objective import Call, Draws
from infogan_bench.training.adam import Adam
from infogan_bench.training.device import arithmetic
from infogan_bench.training.divergence import raise_if_diverged
from infogan_bench.training.loop import Loop
from infogan_bench.training.memory import reuse_memory
from infogan_bench.training.order import image_indices, seeded
from infogan_bench.training.schedule import Rates, rates
from infogan_bench.training.state import load_networks, load_optimisers, tensors_of

Descend = Callable[[str, Tensor], None]


@dataclass(frozen=True)
class Updates:
    """Updates of a trainer that are done and not reported yet.

    Attributes:
        steps: their number.
        totals: the sums over them of the trainer's `quantities`.
        bad_since: for each quantity, the first of the updates, from 0, at which it was not finite, or -1.
        seconds: wall time; of a trainer in a stack, its share of it.
    """

    steps: int
    totals: tuple[float, ...]
    bad_since: tuple[int, ...]
    seconds: float

    def then(self, later: Updates) -> Updates:
        """Return the sum of these updates and of those that followed them."""
        return Updates(
            self.steps + later.steps,
            tuple(a + b for a, b in zip(self.totals, later.totals, strict=True)),
            tuple(
                now if now >= 0 or after < 0 else self.steps + after
                for now, after in zip(self.bad_since, later.bad_since, strict=True)
            ),
            self.seconds + later.seconds,
        )


@dataclass(frozen=True)
class TrainingInterval:
    """Metrics of `Trainer.train`, averaged over its updates, and its wall time in seconds."""

    metrics: Mapping[str, float]
    seconds: float
    images_per_second: float


class Trainer:
    """Trains the model of a run's method on uint8 images.

    Equal arguments on the same machine, with the same number of torch threads, give equal numbers, and a
    trainer that loads another's `state()` goes on bit for bit as the other would have. On a GPU the last bits may
    differ, since some of its kernels add up in any order.

    Args:
        run: the configuration.
        images: uint8 (N, C, H, W), the real images; kept on `device`.
        seed: of the weights, the latents and the order of the images.
        device: the place of images and networks.

    Raises:
        InputError: if there are fewer images than one batch, the method cannot train the run, or the architecture does
            not fit the images.
    """

    def __init__(self, run: RunConfig, images: Tensor, seed: int, device: torch.device | str = "cpu") -> None:
        if len(images) < run.batch:
            raise InputError(
                f"batch: {run.batch} images a step were asked for, but the training set has {len(images)}"
            )
        self.run = run
        self.seed = seed
        self.device = torch.device(device)
        if self.device.type == "cpu":
            reuse_memory()
        self.images = images.to(self.device)
        channels, height, width = images.shape[1:]
        image_shape = (channels, height, width)
        kind = method_of(run)
        self.model = kind.build(run, image_shape, seeded(seed, 0), self.device)
        self.method = kind(run, self.model, image_shape)
        self.phases = self.method.phases
        self.step = 0
        self.generator = seeded(seed, 1, device=self.device)
        betas = (run.optimiser.beta1, run.optimiser.beta2)
        self.optimisers = {
            phase.name: Adam(phase.parameters, getattr(run.optimiser, phase.rate), phase.betas or betas)
            for phase in self.phases
        }
        self._loop = Loop(
            self._update, (len(self.quantities),), cuda_graph=takes_cuda_graph(run.architecture)
        )

    def train(self, steps: int) -> TrainingInterval:
        """Do `steps` updates, each of all phases.

        Raises:
            DivergedError: if a loss was not finite at any of them. The check waits for the end of the
                interval, so that a GPU is not stopped at every step.
        """
        return self.report(self.advance(steps))

    def advance(self, steps: int) -> Updates:
        """Do `steps` updates without a look at whether the losses are finite."""
        started = time.perf_counter()
        self.model.networks.train()
        inputs = on_device([self.image_indices(steps), self.rates(steps)], self.device)
        with arithmetic(self.run.precision):
            tally = self._loop.run(inputs, [self.generator])
        self.step += steps
        totals, bad_since = tally.totals.tolist(), tally.bad_since.tolist()
        return Updates(steps, tuple(totals), tuple(bad_since), time.perf_counter() - started)

    def report(self, done: Updates) -> TrainingInterval:
        """The report of the last updates, `done`.

        Raises:
            DivergedError: if a quantity was not finite, or a weight is not finite now.
        """
        raise_if_diverged(self.model.networks, self.step, done.steps, self.quantities, done.bad_since)
        metrics = {name: total / done.steps for name, total in zip(self.quantities, done.totals, strict=True)}
        return TrainingInterval(
            metrics | self.method.summary(metrics),
            done.seconds,
            done.steps * self.run.batch / done.seconds,
        )

    @property
    def quantities(self) -> list[str]:
        """Names of the values that an update returns, in the order in which the phases compute them."""
        return [name for phase in self.phases for name in phase.logged]

    def image_indices(self, steps: int) -> Tensor:
        """The numbers (steps, B) of the images of the next `steps` updates."""
        return image_indices(self.seed, len(self.images), self.run.batch, self.step, steps)

    def rates(self, steps: int) -> Tensor:
        """`Rates` of the next `steps` updates, (steps, 5)."""
        every = torch.stack(rates(self.run, self.step, steps), dim=1)
        return every.float() if self.device.type == "cuda" else every  # as each device's fused Adam takes it

    def set_step_sizes(self, now: Rates) -> None:
        """Let the optimisers take the step sizes of the current update."""
        for phase in self.phases:
            self.optimisers[phase.name].lr = getattr(now, phase.rate)

    def draw(self) -> Draws:
        """Draw all random numbers of an update, except the order of the images, from the trainer's generator."""
        return self.method.draw(self.generator)

    def update(
        self, call: Call, descend: Descend, real: Tensor, prepared: Tensors, own_weights: dict[str, Tensor]
    ) -> Tensor:
        """Do one update, of this trainer or of several stacked trainers.

        Args:
            call: `call(function, *inputs)` is function(networks, *inputs), in each replica.
            descend: `descend(phase, loss)` makes a step of that phase's optimiser; loss a scalar or (R,).
            real: images (B, C, H, W) in [-1, 1]; for R replicas (R, B, C, H, W), and likewise all other tensors.
            prepared: what the method's `prepare` returned.
            own_weights: the method's weights that differ among replicas, (R,) each.

        Returns:
            `quantities`, detached, (Q,) or (Q, R).
        """
        values: list[Tensor] = []
        step = None
        for phase in self.phases:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.run.precision == "bf16"):
                if step is None:
                    step = self.method.begin(call, real, prepared, own_weights)
                loss, reported = call(phase.loss, phase.inputs(step))
            descend(phase.name, loss)
            values += reported
        return torch.stack(values).detach()

    def _update(self, indices: Tensor, rates: Tensor) -> Tensor:
        """Do one update on the images (B,) at `indices`; returns `quantities`, (Q,)."""

        def descend(name: str, loss: Tensor) -> None:
            optimiser = self.optimisers[name]
            optimiser.zero_grad()
            # no gradient is computed for any other weight
            loss.backward(inputs=optimiser.parameters)  # type: ignore[no-untyped-call]
            optimiser.step()

        now = Rates(*rates)
        self.set_step_sizes(now)
        real = to_float(self.images[indices]).contiguous(memory_format=torch.channels_last)
        prepared = self.method.prepare(self.draw(), now.noise, now.done)
        values = self.update(_Alone(self.model.networks), descend, real, prepared, {})
        self.average_G(now.ema_weight)
        return values

    @torch.no_grad()
    def average_G(self, ema_weight: Tensor) -> None:
        """Update the average of G's weights and BatchNorm's statistics, if there is one (arXiv 1806.04498).

        Each average is a mean over the updates so far, weighted by decay^age. The initial weights are not part of it.
        """
        if self.model.averaged_G is None:
            return
        averages = self.model.averaged_G.state_dict()
        for name, tensor in self.model.networks.G.state_dict().items():
            if tensor.is_floating_point():
                averages[name].lerp_(tensor, ema_weight.to(tensor.dtype))
            else:  # BatchNorm's count of batches
                averages[name].copy_(tensor)

    def forget_graph(self) -> None:
        """Capture a new CUDA graph before the next update, because the weights have moved to another place."""
        self._loop.forget()

    def reseed(self, *stream: int) -> None:
        """Continue with a new stream of latents, transforms and noise; the order of the images stays."""
        self.generator = seeded(self.seed, 1, *stream, device=self.device)

    def state(self) -> dict[str, Tensor]:
        """All tensors that training changes, flat and by name: see `tensors_of`."""
        return tensors_of(self.model, self.optimisers, self.generator, self.step)

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over another trainer's `state()`; the two must have the same configuration.

        Raises:
            InputError: if the tensors are of another architecture or other codes, or some of Adam's are missing.
        """
        load_networks(self.model, tensors)
        load_optimisers(self.optimisers, tensors)
        self.generator.set_state(tensors["random"].cpu())
        self._loop.forget()
        self.step = int(tensors["step"])


class _Alone:
    """`Call` for the networks of one trainer."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def __call__(self, function: Callable[..., Tensors], *inputs: Tensors) -> Tensors:
        return function(self._networks, *inputs)


def on_device(inputs: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Move `inputs` from the CPU to `device`, without waiting for a GPU."""
    if device.type != "cuda":
        return [each.to(device) for each in inputs]
    return [each.pin_memory().to(device, non_blocking=True) for each in inputs]
