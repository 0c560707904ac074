"""The training loop of one InfoGAN: one model, one seed, no Ray and no MLflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from infogan_bench.codes import Latents
from infogan_bench.config.run import RunConfig
from infogan_bench.datasets import to_float
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN, Model, Networks, takes_cuda_graph
from infogan_bench.training.adam import Adam
from infogan_bench.training.device import arithmetic, reuse_memory
from infogan_bench.training.loop import Loop
from infogan_bench.training.objective import (
    NO_WEIGHTS,
    DiscriminatorTerms,
    InstanceNoise,
    Pairs,
    Views,
    Weights,
    category_shift,
    discriminator_loss,
    generator_loss,
    worst_change,
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


class Rates(NamedTuple):
    """What changes from update to update by plan: each a scalar, or (steps,)."""

    lr_g: Tensor  # Adam's step size for G, 0 beyond the run's steps where it decays
    lr_d: Tensor  # and for D, Q and their trunk
    noise: Tensor  # standard deviation of the instance noise
    newest: Tensor  # weight of the newest weights in the averaged G


def rates(run: RunConfig, first: int, steps: int) -> Rates:
    """Those of the `steps` updates after the first `first` ones, each (steps,)."""
    optimiser = run.optimiser
    step = torch.arange(first, first + steps, dtype=torch.float64)
    left = (run.steps - step) / run.steps
    share = (left / optimiser.decay).clamp(0, 1) if optimiser.decay else torch.ones_like(step)
    # an average weighted by decay^age, corrected for bias as Adam's moments are
    newest = (1 - optimiser.ema) / (1 - optimiser.ema ** (step + 1))
    return Rates(
        optimiser.lr_g * share,
        optimiser.lr_d * share,
        run.objective.instance_noise * left.clamp(min=0),
        newest,
    )


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
        if self.device.type == "cpu":
            reuse_memory()
        self.images = images.to(self.device)
        channels, height, width = images.shape[1:]
        self.model = InfoGAN(run, (channels, height, width), _seeded(seed, 0), self.device)
        self.weights = Weights.of(run.objective, self.model.codes)
        self.step = 0
        self.generator = _seeded(seed, 1, device=self.device)
        networks, optimiser = self.model.networks, run.optimiser
        betas = (optimiser.beta1, optimiser.beta2)
        self.optimisers = {
            "G": Adam(list(networks.G.parameters()), optimiser.lr_g, betas),
            "D": Adam(networks.D_and_Q_parameters(), optimiser.lr_d, betas),
        }
        self._loop = Loop(
            self._update, (len(self.quantities),), cuda_graph=takes_cuda_graph(run.architecture)
        )

    def train(self, steps: int) -> Interval:
        """Do `steps` updates of D and of G.

        Raises:
            DivergedError: if a loss was not finite at any of them. The check waits for the end of the
                interval, so that a GPU is not stopped at every step.
        """
        started = time.perf_counter()
        self.model.networks.train()
        inputs = on_device([self.image_indices(steps), self.rates(steps)], self.device)
        with arithmetic(self.run.precision):
            tally = self._loop.run(inputs, [self.generator])
        self.step += steps
        metrics = self.interval_metrics(steps, tally.totals.tolist(), tally.bad_since.tolist())
        seconds = time.perf_counter() - started
        return Interval(metrics, seconds, steps * self.run.batch / seconds)

    @property
    def quantities(self) -> list[str]:
        """Names of what an update returns, in the order in which it is computed."""
        bounds = (f"L_I/{code.name}" for code in self.model.codes.all)
        return [
            "loss/d",
            *bounds,
            "loss/consistency",
            "loss/balance",
            "loss/vat",
            "loss/contrastive",
            "loss/g",
        ]

    def interval_metrics(
        self, steps: int, totals: Sequence[float], bad_since: Sequence[int]
    ) -> dict[str, float]:
        """What is reported of the last `steps` updates, given the `Tally` of their quantities.

        Raises:
            DivergedError: if a quantity was not finite, or a weight is not by now.
        """
        self._raise_if_diverged(steps, bad_since)
        metrics = {name: total / steps for name, total in zip(self.quantities, totals, strict=True)}
        for name, weight in self.weights.terms.items():
            if not weight:
                del metrics[f"loss/{name}"]
        metrics |= {f"H/{code.name}": code.entropy for code in self.model.codes.all}
        metrics["L_I"] = sum(metrics[f"L_I/{code.name}"] for code in self.model.codes.all)
        metrics["H"] = sum(code.entropy for code in self.model.codes.all)
        return metrics

    def image_indices(self, steps: int) -> Tensor:
        """Which images the next `steps` updates take, (steps, B): a new order every epoch, the last partial batch
        dropped."""
        n, batch = len(self.images), self.run.batch
        per_epoch = n // batch
        epochs = range(self.step // per_epoch, (self.step + steps - 1) // per_epoch + 1)
        rows = [epoch_order(self.seed, epoch, n)[: per_epoch * batch].view(-1, batch) for epoch in epochs]
        first = self.step % per_epoch
        return torch.cat(rows)[first : first + steps]

    def rates(self, steps: int) -> Tensor:
        """`Rates` of the next `steps` updates, (steps, 4)."""
        every = torch.stack(rates(self.run, self.step, steps), dim=1)
        return every.float() if self.device.type == "cuda" else every  # what the fused Adam of each takes

    def _update(self, indices: Tensor, rates: Tensor) -> Tensor:
        """One update of D and one of G on the images (B,) at `indices`; returns `quantities`, (5 + n_codes,)."""

        def call(function: Callable[..., Any], *inputs: Any) -> Any:
            return function(self.model.networks, *inputs)

        def descend(name: str, loss: Tensor) -> None:
            optimiser = self.optimisers[name]
            optimiser.zero_grad()
            # no gradient is computed for any other weight
            loss.backward(inputs=optimiser.parameters)  # type: ignore[no-untyped-call]
            optimiser.step()

        now = Rates(*rates)
        self.set_step_sizes(now)
        real = to_float(self.images[indices]).contiguous(memory_format=torch.channels_last)
        values = self.update(call, descend, real, self.given(self.draw(), now.noise))
        self.average_G(now.newest)
        return values

    def set_step_sizes(self, now: Rates) -> None:
        """Let the optimisers take the step sizes of the current update."""
        self.optimisers["G"].lr, self.optimisers["D"].lr = now.lr_g, now.lr_d

    def update(
        self,
        call: Callable[..., Any],
        descend: Callable[[str, Tensor], None],
        real: Tensor,
        given: Mapping[str, Any],
        own_weights: Weights = NO_WEIGHTS,
    ) -> Tensor:
        """One update of D and one of G, of this trainer or, all of them stacked, of several.

        Args:
            call: `call(function, *inputs)` is function(networks, *inputs), in each replica.
            descend: `descend("G" or "D", loss)` makes a step of that optimiser; loss a scalar or (R,).
            real: images (B, C, H, W) in [-1, 1]; of replicas, (R, B, C, H, W), and so on for all that follows.
            given: what `given` makes of the draws.
            own_weights: those of the objective's weights that differ among replicas, (R,) each.

        Returns:
            `quantities`, detached, (5 + n_codes,) or (5 + n_codes, R).
        """
        codes, r1 = self.model.codes, self.run.objective.r1

        def images(networks: Networks, latents: Latents) -> Tensor:
            made: Tensor = networks.G(codes.flatten(latents))
            return made

        def d_terms(
            networks: Networks, real: Tensor, fake: Tensor, given: Mapping[str, Any], own: Weights
        ) -> DiscriminatorTerms:
            weights = self.weights.but_for(own)
            terms: dict[str, Any] = {**weights.terms}
            return discriminator_loss(networks, codes, weights.codes, real, fake, **given, **terms, r1=r1)

        def g_terms(
            networks: Networks, fake: Tensor, given: Mapping[str, Any], own: Weights
        ) -> tuple[Tensor, Tensor]:
            weights = self.weights.but_for(own)
            of_g = {name: value for name, value in given.items() if name != "change"}
            contrastive = weights.terms["contrastive"]
            return generator_loss(networks, codes, weights.codes, fake, **of_g, contrastive=contrastive)

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.run.precision == "bf16"):
            # D, Q and their trunk, G given: up on log D(x) + log(1 - D(G(z, c))) and on lambda L_I
            fake = call(images, given["latents"])
            if "change" in given:
                given = {**given, "change": self._worst_change(call, real, given["change"])}
            if "pairs" in given:
                latents, shared = given["pairs"]
                given = {**given, "pairs": Pairs(call(images, latents), shared)}
            d = call(d_terms, real, *_detached(fake, given), own_weights)
        descend("D", d.loss)

        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.run.precision == "bf16"):
            # G, the others given: up on log D(G(z, c)) and on lambda L_I, with the same latents and one pass of G
            g_loss, g_adversarial = call(g_terms, fake, given, own_weights)
        descend("G", g_loss)
        return torch.stack([*d.logged, g_adversarial]).detach()

    def _worst_change(self, call: Callable[..., Any], real: Tensor, directions: Tensor) -> Tensor:
        """Of the first images of each batch, where the search begins with `directions`."""

        def shift(networks: Networks, real: Tensor, change: Tensor) -> Tensor:
            return category_shift(networks, self.model.codes, real[: len(change)], change)

        return worst_change(
            lambda change: call(shift, real, change), directions, self.run.objective.vat_radius
        )

    @torch.no_grad()
    def average_G(self, newest: Tensor) -> None:
        """Let the averaged G, if there is one, follow G's weights and BatchNorm's statistics (arXiv 1806.04498).

        Each average is a mean over the updates so far, weighted by decay^age; the initial weights have no part in it.
        """
        if self.model.averaged_G is None:
            return
        averages = self.model.averaged_G.state_dict()
        for name, tensor in self.model.networks.G.state_dict().items():
            if tensor.is_floating_point():
                averages[name].lerp_(tensor, newest.to(tensor.dtype))
            else:  # BatchNorm's count of batches
                averages[name].copy_(tensor)

    @property
    def _n_views(self) -> int:
        """Images of a batch that are transformed, changed by an adversary or given a partner; at least 2, for
        BatchNorm."""
        return max(2, round(self.run.objective.transform.share * self.run.batch))

    def draw(self) -> dict[str, list[Tensor]]:
        """All that is random in an update, but for the order of the images, as it comes from the generator; by what it
        is for."""
        objective, codes, n = self.run.objective, self.model.codes, self._n_views
        how: dict[str, Any] = {"generator": self.generator, "device": self.device}
        draws = {"latents": codes.draw(self.run.batch, self.generator)}
        if objective.transform.any and codes.categorical:
            draws["views"] = [torch.rand(3 * n, 6, **how)]
        if objective.instance_noise:
            draws["noise"] = [torch.randn(3, self.run.batch, *self.images.shape[1:], **how)]
        if self.weights.terms["vat"]:
            draws["change"] = [torch.randn(n, *self.images.shape[1:], **how)]
        if objective.contrastive:
            draws["shared"] = [torch.randint(len(codes.continuous), (n,), **how)]
            draws["partners"] = codes.draw(n, self.generator)
        return draws

    def given(self, draws: Mapping[str, list[Tensor]], noise: Tensor) -> dict[str, Any]:
        """What an update makes of `draws`: latents and, where they are on, views, instance noise of standard deviation
        `noise` (a scalar), directions for the worst change, and latents of partners with the codes that they share."""
        codes = self.model.codes
        found: dict[str, Any] = {"latents": codes.latents(draws["latents"])}
        if "views" in draws:
            height, width = self.images.shape[2:]
            affines = random_affines(self.run.objective.transform, draws["views"][0], (height, width))
            found["views"] = Views(*torch.split(affines, self._n_views))
        if "noise" in draws:
            (normal,) = draws["noise"]
            found["noise"] = InstanceNoise(*normal * noise.to(normal.dtype))
        if "change" in draws:
            (found["change"],) = draws["change"]
        if "shared" in draws:
            (shared,) = draws["shared"]
            partners = codes.sharing(found["latents"], codes.latents(draws["partners"]), shared)
            found["pairs"] = partners, shared
        return found

    def _raise_if_diverged(self, steps: int, bad_since: Sequence[int]) -> None:
        bad = [(turn, name) for turn, name in zip(bad_since, self.quantities, strict=True) if turn >= 0]
        if bad:
            turn, name = min(bad, key=lambda item: item[0])
            raise DivergedError(self.step - steps + turn + 1, name)
        weights = dict(self.model.networks.named_parameters())
        finite = torch.stack([weight.sum().isfinite() for weight in weights.values()])
        for name, fine in zip(weights, finite.tolist(), strict=True):  # a GPU is waited for once
            if not fine:
                raise DivergedError(self.step, name)

    def reseed(self, *stream: int) -> None:
        """Go on with latents, transforms and noise of a stream of their own; the order of the images stays."""
        self.generator = _seeded(self.seed, 1, *stream, device=self.device)

    def state(self) -> dict[str, Tensor]:
        """Everything that training changes, as flat named tensors: weights, BatchNorm's statistics, the averaged G if
        there is one, both optimisers, the random state and the step."""
        tensors = {
            f"{part}/{name}": tensor
            for part, module in self.model.modules.items()
            for name, tensor in module.state_dict().items()
        }
        for name, optimiser in self.optimisers.items():
            tensors |= {f"adam/{name}/{key}": value for key, value in optimiser.state().items()}
        tensors["random"] = self.generator.get_state()
        tensors["step"] = torch.tensor(self.step)
        return tensors

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over another trainer's `state()`; the two must have the same configuration.

        Raises:
            InputError: if the tensors are of another architecture or other codes, or some of Adam's are missing.
        """
        load_networks(self.model, tensors)
        for name, optimiser in self.optimisers.items():
            prefix = f"adam/{name}/"
            moments = _under(prefix, tensors)
            if not moments and int(tensors["step"]):
                raise InputError(
                    f"the checkpoint has weights alone, and no {prefix}...: nothing can go on from it"
                )
            try:
                optimiser.load_state(moments)
            except KeyError as error:
                raise InputError(f"the checkpoint has no tensor {prefix}{error.args[0]}") from None
        self.generator.set_state(tensors["random"].cpu())
        self._loop.forget()
        self.step = int(tensors["step"])


def load_networks(model: Model, tensors: Mapping[str, Tensor]) -> None:
    """Take over the weights and BatchNorm's statistics of a trainer's `state()`.

    Raises:
        InputError: if they are of another architecture or other codes.
    """
    for part, module in model.modules.items():
        try:
            module.load_state_dict(_under(f"{part}/", tensors))
        except RuntimeError as error:
            raise InputError(f"the checkpoint is of another architecture or other codes: {error}") from None


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _detached(fake: Tensor, given: Mapping[str, Any]) -> tuple[Tensor, Mapping[str, Any]]:
    """Generated images, and what else is given, as D's step takes them: no gradient goes to G."""
    pairs = given.get("pairs")
    return fake.detach(), given if pairs is None else {
        **given,
        "pairs": Pairs(pairs.images.detach(), pairs.shared),
    }


def on_device(inputs: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """`inputs`, from the CPU, on `device`, without waiting for a GPU."""
    if device.type != "cuda":
        return [each.to(device) for each in inputs]
    return [each.pin_memory().to(device, non_blocking=True) for each in inputs]
