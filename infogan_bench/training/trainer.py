"""The training loop of one InfoGAN: one model, one seed, no Ray and no MLflow."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from infogan_bench.config.models import RunConfig
from infogan_bench.datasets import to_float
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN
from infogan_bench.training.objective import Views, code_weights, discriminator_loss, generator_loss
from infogan_bench.training.transforms import random_affines


def _seeded(seed: int, stream: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of its own for each use of randomness: 0 weights, 1 latents, 2 + epoch the images' order.

    The two numbers are mixed into one of 32 bits, since torch's CPU generator ignores the higher ones.
    """
    mixed = np.random.SeedSequence([seed, stream]).generate_state(1)
    return torch.Generator(device).manual_seed(int(mixed[0]))


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
        self.generator = _seeded(seed, 1, self.device)
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
        names = [
            "loss/d",
            *(f"L_I/{code.name}" for code in self.model.codes.all),
            "loss/consistency",
            "loss/g",
        ]
        totals = torch.zeros(len(names), device=self.device)
        bad_since = torch.full((len(names),), -1, device=self.device)
        for _ in range(steps):
            values = self._update()
            self.step += 1
            totals += values
            bad_since = torch.where((bad_since < 0) & ~values.isfinite(), self.step, bad_since)
        self._raise_if_diverged(names, bad_since.tolist())
        metrics = dict(zip(names, (totals / steps).tolist(), strict=True))
        if not self.run.objective.consistency:
            del metrics["loss/consistency"]
        metrics |= {f"H/{code.name}": code.entropy for code in self.model.codes.all}
        metrics["L_I"] = sum(metrics[f"L_I/{code.name}"] for code in self.model.codes.all)
        metrics["H"] = sum(code.entropy for code in self.model.codes.all)
        seconds = time.perf_counter() - started
        return Interval(metrics, seconds, steps * self.run.batch / seconds)

    def _update(self) -> Tensor:
        """One update of D and one of G; returns, in the order they were computed, D's adversarial loss, each
        L_I, the consistency term and G's adversarial loss, detached, (3 + n_codes,)."""
        networks, codes, weights = self.model.networks, self.model.codes, self.weights
        self._set_step_sizes()

        # D, Q and their trunk, G given: up on log D(x) + log(1 - D(G(z, c))) and on lambda L_I
        real = self._next_batch()
        latents = codes.sample(self.run.batch, self.generator)
        fake = networks.G(codes.flatten(latents))
        views = self._draw_views()
        d = discriminator_loss(
            networks, codes, weights, real, fake.detach(), latents, views, self.run.objective.consistency
        )
        _descend(self.optimisers["D"], d.loss, self._DQ_parameters)

        # G, the others given: up on log D(G(z, c)) and on lambda L_I, with the same latents and one pass of G
        g_loss, g_adversarial = generator_loss(networks, codes, weights, fake, latents, views)
        _descend(self.optimisers["G"], g_loss, self._G_parameters)

        return torch.stack([d.adversarial, *d.bounds.values(), d.consistency, g_adversarial]).detach()

    def _draw_views(self) -> Views | None:
        transform = self.run.objective.transform
        if not transform.any or not self.model.codes.categorical:
            return None
        height, width = self.images.shape[2:]
        affines = random_affines(transform, 3 * self.run.batch, (height, width), self.generator)
        return Views(*torch.split(affines, self.run.batch))

    def _set_step_sizes(self) -> None:
        optimiser = self.run.optimiser
        if not optimiser.decay:
            return
        remaining = (self.run.steps - self.step) / (optimiser.decay * self.run.steps)
        for name, lr in (("G", optimiser.lr_g), ("D", optimiser.lr_d)):
            self.optimisers[name].param_groups[0]["lr"] = lr * min(1.0, remaining)

    def _next_batch(self) -> Tensor:
        """The real images of the current step: a new order every epoch, the last partial batch dropped."""
        batches = len(self.images) // self.run.batch
        epoch, place = divmod(self.step, batches)
        if epoch != self._epoch:  # it follows from seed and epoch, so no checkpoint need hold it
            shuffled = torch.randperm(len(self.images), generator=_seeded(self.seed, 2 + epoch))
            self._order = shuffled.to(self.device)
            self._epoch = epoch
        indices = self._order[place * self.run.batch : (place + 1) * self.run.batch]
        return to_float(self.images[indices]).contiguous(memory_format=torch.channels_last)

    def _raise_if_diverged(self, names: Sequence[str], bad_since: Sequence[int]) -> None:
        bad = [(step, name) for step, name in zip(bad_since, names, strict=True) if step >= 0]
        if bad:
            raise DivergedError(*min(bad, key=lambda item: item[0]))
        for name, weight in self.model.networks.named_parameters():
            if not weight.isfinite().all():
                raise DivergedError(self.step, name)

    def state(self) -> dict[str, Tensor]:
        """Everything that training changes, as flat named tensors: weights, BatchNorm's statistics, both
        optimisers, the random state and the step."""
        tensors = {f"networks/{name}": tensor for name, tensor in self.model.networks.state_dict().items()}
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
    prefix = "networks/"
    weights = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    try:
        model.networks.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(f"the checkpoint is of another architecture or other codes: {error}") from None


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor, parameters: Sequence[nn.Parameter]) -> None:
    """One optimiser step on `loss` in `parameters` alone: no gradient is computed for any other weight."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]
    optimiser.step()
