"""The training loop of one InfoGAN: one model, one seed, no Ray and no MLflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infogan_bench.codes import Latents
from infogan_bench.config.models import RunConfig
from infogan_bench.datasets import to_float
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN, Networks
from infogan_bench.training.objective import (
    DiscriminatorTerms,
    InstanceNoise,
    Views,
    code_weights,
    discriminator_loss,
    generator_loss,
)
from infogan_bench.training.transforms import random_affines


def _seeded(seed: int, *stream: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for each use of randomness: 0 weights, 1 latents, 2 + epoch the images' order.

    The numbers are mixed into one of 32 bits, since torch's CPU generator ignores the higher ones.
    """
    mixed = np.random.SeedSequence([seed, *stream]).generate_state(1)
    return torch.Generator(device).manual_seed(int(mixed[0]))


def epoch_order(seed: int, epoch: int, n: int) -> Tensor:
    """The order (n,) of the images in an epoch: it follows from seed and epoch, so no checkpoint need hold it."""
    return torch.randperm(n, generator=_seeded(seed, 2 + epoch))


def step_sizes(run: RunConfig, step: int) -> dict[str, float]:
    """Adam's step sizes for G and for D in the update after `step`; 0 beyond the run's steps where they decay."""
    optimiser = run.optimiser
    left = (run.steps - step) / (optimiser.decay * run.steps) if optimiser.decay else 1.0
    share = min(1.0, max(0.0, left))
    return {"G": optimiser.lr_g * share, "D": optimiser.lr_d * share}


class DivergedError(RuntimeError):
    """A loss or a weight stopped being finite; `step` is the first update where that was seen."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"diverged at step {step}: {what} is not finite")
        self.step = step


@dataclass(frozen=True)
class Interval:
    """What `Trainer.train` did: metrics averaged over its updates, and its wall time in seconds."""

    metrics: Mapping[str, float]
    seconds: float
    images_per_second: float


class Tally:
    """What the updates of an interval returned, summed on their device: only reading it waits for a GPU.

    Args:
        shape: of what an update returns.
        device: where that is.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self.totals = torch.zeros(shape, device=device)
        self.bad_since = torch.full(shape, -1, device=device)  # the first step where it was not finite, or -1

    def add(self, values: Tensor, step: int) -> None:
        """Take in what the update to `step` returned."""
        self.totals += values
        self.bad_since = torch.where((self.bad_since < 0) & ~values.isfinite(), step, self.bad_since)


class Trainer:
    """Trains G, D and Q on uint8 images by InfoGAN's objective.

    Equal arguments on the same machine, with the same number of torch threads, give equal numbers, and a
    trainer that loads another's `state()` goes on bit for bit as the other would have.

    Args:
        run: the configuration.
        images: uint8 (N, C, H, W), the real images; kept on `device`.
        seed: of the weights, the latents and the order of the images.
        device: where everything lives.

    Raises:
        InputError: if there are fewer images than one batch, or the architecture does not fit the images.
    """

    def __init__(self, run: RunConfig, images: Tensor, seed: int, device: torch.device | str = "cpu") -> None:
        if len(images) < run.batch:
            raise InputError(
                f"batch: {run.batch} images a step were asked for, but the training set has {len(images)}"
            )
        self.run = run
        self.seed = seed
        self.device = torch.device(device)
        self.images = images.to(self.device)
        channels, height, width = images.shape[1:]
        self.model = InfoGAN(run, (channels, height, width), _seeded(seed, 0), self.device)
        self.weights = code_weights(run.objective, self.model.codes)
        self.step = 0
        self.generator = _seeded(seed, 1, device=self.device)
        self._G_parameters = list(self.model.networks.G.parameters())
        self._DQ_parameters = self.model.networks.D_and_Q_parameters()
        self.optimisers = {
            "G": self._adam(self._G_parameters, run.optimiser.lr_g),
            "D": self._adam(self._DQ_parameters, run.optimiser.lr_d),
        }
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def _adam(self, parameters: list[nn.Parameter], lr: float) -> torch.optim.Adam:
        optimiser = self.run.optimiser
        return torch.optim.Adam(parameters, lr=lr, betas=(optimiser.beta1, optimiser.beta2), fused=True)

    def train(self, steps: int) -> Interval:
        """Do `steps` updates of D and of G.

        Raises:
            DivergedError: if a loss was not finite at any of them. The check waits for the end of the
                interval, so that a GPU is not stopped at every step.
        """
        started = time.perf_counter()
        self.model.networks.train()
        tally = Tally((len(self.quantities),), self.device)
        for _ in range(steps):
            tally.add(self._update(), self.step + 1)
            self.step += 1
        metrics = self.interval_metrics(steps, tally.totals.tolist(), tally.bad_since.tolist())
        seconds = time.perf_counter() - started
        return Interval(metrics, seconds, steps * self.run.batch / seconds)

    @property
    def quantities(self) -> list[str]:
        """Names of what an update returns, in the order in which it is computed."""
        bounds = (f"L_I/{code.name}" for code in self.model.codes.all)
        return ["loss/d", *bounds, "loss/consistency", "loss/balance", "loss/g"]

    def interval_metrics(
        self, steps: int, totals: Sequence[float], bad_since: Sequence[int]
    ) -> dict[str, float]:
        """What is reported of the last `steps` updates, given the `Tally` of their quantities.

        Raises:
            DivergedError: if a quantity was not finite, or a weight is not by now.
        """
        self._raise_if_diverged(bad_since)
        metrics = {name: total / steps for name, total in zip(self.quantities, totals, strict=True)}
        for name, weight in zip(("loss/consistency", "loss/balance"), self.real_weights, strict=True):
            if not weight:
                del metrics[name]
        metrics |= {f"H/{code.name}": code.entropy for code in self.model.codes.all}
        metrics["L_I"] = sum(metrics[f"L_I/{code.name}"] for code in self.model.codes.all)
        metrics["H"] = sum(code.entropy for code in self.model.codes.all)
        return metrics

    def _update(self) -> Tensor:
        """One update of D and one of G; returns `quantities`, (4 + n_codes,)."""

        def call(function: Callable[..., Any], *inputs: Any) -> Any:
            return function(self.model.networks, *inputs)

        values = self.update(call, self.optimisers, self._next_batch(), self.given(self.draw()))
        if self.model.averaged_G is not None:
            self.average_G(self.model.averaged_G.state_dict(), self.model.networks.G.state_dict())
        return values

    def update(
        self,
        call: Callable[..., Any],
        optimisers: Mapping[str, torch.optim.Optimizer],
        real: Tensor,
        given: Mapping[str, Any],
    ) -> Tensor:
        """One update of D and one of G, of this trainer or, all of them stacked, of several of one configuration.

        Args:
            call: `call(function, *inputs)` is function(networks, *inputs), in each replica.
            optimisers: "G" and "D", of the weights in `call`'s networks.
            real: images (B, C, H, W) in [-1, 1]; of replicas, (R, B, C, H, W), and so on for all that follows.
            given: what `given` makes of the draws.

        Returns:
            `quantities`, detached, (4 + n_codes,) or (4 + n_codes, R).
        """
        codes, weights = self.model.codes, self.weights
        for name, lr in step_sizes(self.run, self.step).items():
            optimisers[name].param_groups[0]["lr"] = lr

        def images(networks: Networks, latents: Latents) -> Tensor:
            made: Tensor = networks.G(codes.flatten(latents))
            return made

        def d_terms(
            networks: Networks, real: Tensor, fake: Tensor, given: Mapping[str, Any]
        ) -> DiscriminatorTerms:
            consistency, balance = self.real_weights
            return discriminator_loss(
                networks, codes, weights, real, fake, **given,
                consistency=consistency, balance=balance, r1=self.run.objective.r1,
            )  # fmt: skip

        def g_terms(networks: Networks, fake: Tensor, given: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
            return generator_loss(networks, codes, weights, fake, **given)

        # the gradient of a sum over replicas is, in the weights of each, that of its own loss
        # D, Q and their trunk, G given: up on log D(x) + log(1 - D(G(z, c))) and on lambda L_I
        fake = call(images, given["latents"])
        d = call(d_terms, real, fake.detach(), given)
        _descend(optimisers["D"], d.loss.sum())

        # G, the others given: up on log D(G(z, c)) and on lambda L_I, with the same latents and one pass of G
        g_loss, g_adversarial = call(g_terms, fake, given)
        _descend(optimisers["G"], g_loss.sum())
        return torch.stack([*d.logged, g_adversarial]).detach()

    @torch.no_grad()
    def average_G(self, averages: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
        """Let the averaged G follow G's weights and BatchNorm's statistics, `tensors` (arXiv 1806.04498).

        Each average is a mean over the updates so far, weighted by decay^age. Corrected for bias as Adam's moments
        are: the initial weights have no part in it, which in a short run would be large.
        """
        decay, updates = self.run.optimiser.ema, self.step + 1
        newest = (1 - decay) / (1 - decay**updates)
        for name, tensor in tensors.items():
            if tensor.is_floating_point():
                averages[name].lerp_(tensor, newest)
            else:  # BatchNorm's count of batches
                averages[name].copy_(tensor)

    @property
    def real_weights(self) -> tuple[float, float]:
        """Weights of consistency and of balance; 0 where there is no categorical code to which they apply."""
        objective = self.run.objective
        return (objective.consistency, objective.balance) if self.model.codes.categorical else (0.0, 0.0)

    @property
    def _has_views(self) -> bool:
        return self.run.objective.transform.any and bool(self.model.codes.categorical)

    @property
    def _n_views(self) -> int:
        """Images of a batch that are transformed; at least 2, for BatchNorm."""
        return max(2, round(self.run.objective.transform.share * self.run.batch))

    @property
    def _noise_std(self) -> float:
        """Of the instance noise in the current update: less from update to update."""
        return self.run.objective.instance_noise * (1 - self.step / self.run.steps)

    def draw(self) -> list[Tensor]:
        """All that is random in an update, but for the order of the images, as it comes from the generator."""
        draws = self.model.codes.draw(self.run.batch, self.generator)
        if self._has_views:
            draws.append(torch.rand(3 * self._n_views, 6, generator=self.generator, device=self.device))
        if self._noise_std > 0:
            shape = (3, self.run.batch, *self.images.shape[1:])
            draws.append(torch.randn(shape, generator=self.generator, device=self.device))
        return draws

    def given(self, draws: Sequence[Tensor]) -> dict[str, Any]:
        """What an update makes of `draws`, by the name of the losses' argument: latents and, where they are on, views
        and noise."""
        left = list(draws)
        found: dict[str, Any] = {}
        if self._noise_std > 0:
            found["noise"] = InstanceNoise(*left.pop() * self._noise_std)
        if self._has_views:
            height, width = self.images.shape[2:]
            affines = random_affines(self.run.objective.transform, left.pop(), (height, width))
            found["views"] = Views(*torch.split(affines, self._n_views))
        return found | {"latents": self.model.codes.latents(left)}

    def _next_batch(self) -> Tensor:
        """The real images of the current step: a new order every epoch, the last partial batch dropped."""
        batches = len(self.images) // self.run.batch
        epoch, place = divmod(self.step, batches)
        if epoch != self._epoch:
            self._order = epoch_order(self.seed, epoch, len(self.images)).to(self.device)
            self._epoch = epoch
        indices = self._order[place * self.run.batch : (place + 1) * self.run.batch]
        return to_float(self.images[indices]).contiguous(memory_format=torch.channels_last)

    def _raise_if_diverged(self, bad_since: Sequence[int]) -> None:
        bad = [(step, name) for step, name in zip(bad_since, self.quantities, strict=True) if step >= 0]
        if bad:
            raise DivergedError(*min(bad, key=lambda item: item[0]))
        for name, weight in self.model.networks.named_parameters():
            if not weight.isfinite().all():
                raise DivergedError(self.step, name)

    def reseed(self, *stream: int) -> None:
        """Go on with latents, transforms and noise of a stream of their own; the order of the images stays."""
        self.generator = _seeded(self.seed, 1, *stream, device=self.device)

    def state(self) -> dict[str, Tensor]:
        """Everything that training changes, as flat named tensors: weights, BatchNorm's statistics, the averaged G if
        there is one, both optimisers, the random state and the step."""
        tensors = {
            f"{part}/{name}": tensor
            for part, module in _modules(self.model).items()
            for name, tensor in module.state_dict().items()
        }
        for name, optimiser in self.optimisers.items():
            for index, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"adam/{name}/{index}/{key}": value for key, value in moments.items()}
        tensors["random"] = self.generator.get_state()
        tensors["step"] = torch.tensor(self.step)
        return tensors

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over another trainer's `state()`; the two must have the same configuration.

        Raises:
            InputError: if the tensors are of another architecture or other codes.
        """
        load_networks(self.model, tensors)
        for name, parameters in (("G", self._G_parameters), ("D", self._DQ_parameters)):
            moments: dict[int, dict[str, Tensor]] = {}
            for key, tensor in tensors.items():
                if key.startswith(f"adam/{name}/"):
                    index, moment = key.removeprefix(f"adam/{name}/").split("/")
                    # fused Adam walks memory, so a moment must lie as its parameter does (channels_last)
                    like = parameters[int(index)] if moment != "step" else tensor
                    moments.setdefault(int(index), {})[moment] = torch.empty_like(like).copy_(tensor).detach()
            optimiser = self.optimisers[name]
            optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})
        self.generator.set_state(tensors["random"].cpu())
        self.step = int(tensors["step"])


def load_networks(model: InfoGAN, tensors: Mapping[str, Tensor]) -> None:
    """Take over the weights and BatchNorm's statistics of a trainer's `state()`.

    Raises:
        InputError: if they are of another architecture or other codes.
    """
    for part, module in _modules(model).items():
        prefix = f"{part}/"
        weights = {
            name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)
        }
        try:
            module.load_state_dict(weights)
        except RuntimeError as error:
            raise InputError(f"the checkpoint is of another architecture or other codes: {error}") from None


def _modules(model: InfoGAN) -> dict[str, nn.Module]:
    """What of a model a checkpoint holds, by the first part of the tensors' names."""
    averaged = {} if model.averaged_G is None else {"averaged_G": model.averaged_G}
    return {"networks": model.networks, **averaged}


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One optimiser step on `loss` in its own parameters: no gradient is computed for any other weight."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward(inputs=optimiser.param_groups[0]["params"])  # type: ignore[no-untyped-call]
    optimiser.step()
