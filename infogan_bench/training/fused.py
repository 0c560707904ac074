"""Training of many seeds at once: replicas of one configuration are stacked, and one stream of kernels trains them all.

A small network leaves a GPU idle between its kernels. If R replicas are stacked (torch.func), a step has as many
kernels as before, each R times as large (compare HFTA, arXiv 2102.02344).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from infogan_bench.codes import LatentCodes
from infogan_bench.config import get_value
from infogan_bench.config.objective import ObjectiveConfig
from infogan_bench.config.params import OWN_TO_A_REPLICA, structure_of
from infogan_bench.config.sweep_config import SeedsTogether
from infogan_bench.datasets import to_float
from infogan_bench.errors import InputError
from infogan_bench.networks import Networks, takes_cuda_graph
from infogan_bench.training.batched import BatchedLayers
from infogan_bench.training.device import arithmetic
from infogan_bench.training.divergence import DivergedError
from infogan_bench.training.loop import Loop
from infogan_bench.training.schedule import Rates
from infogan_bench.training.trainer import Trainer, TrainingInterval, Updates, on_device


class FusedTrainer:
    """Trains several `Trainer`s as each would train alone, to float tolerance.

    The weights and BatchNorm statistics move into stacks, of which each trainer keeps a view. Each trainer keeps its
    own optimisers, and can be evaluated, saved and loaded like any other. A replica draws from its own generator, so
    its numbers depend only on its seed, and not on the replicas beside it.

    Args:
        trainers: one or more, on the same images and device; each may be at a step of its own. The configurations have
            the same structure (`structure_of`). Trainers that were in another `FusedTrainer` leave it.
        stackable: whether it is known already that the networks can be stacked.

    Raises:
        InputError: if the objective or the architecture cannot be stacked, see `check_objective`, `check_stackable`;
            or the configurations differ in structure.
    """

    def __init__(self, trainers: Sequence[Trainer], *, stackable: bool = False) -> None:
        template = trainers[0]
        check_objective(template.run.objective)
        _check_alike(trainers)
        networks = [trainer.model.networks for trainer in trainers]
        if not stackable:
            check_stackable(networks, template.model.codes)
        self.trainers = trainers
        self._stack = _Stack(networks)
        for trainer in trainers:
            trainer.forget_graph()
        self._own_weights = _own_weights(trainers)
        self._loop = Loop(
            self._update,
            (len(template.quantities), len(trainers)),
            cuda_graph=takes_cuda_graph(template.run.architecture),
        )

    def train(self, steps: int) -> list[TrainingInterval | DivergedError]:
        """Do `steps` updates of every replica; return the interval, or the divergence, of each in order.

        A replica that diverges does not change the others. `seconds` is a replica's share of the wall time.
        """
        found: list[TrainingInterval | DivergedError] = []
        for trainer, done in zip(self.trainers, self.advance(steps), strict=True):
            try:
                found.append(trainer.report(done))
            except DivergedError as error:
                found.append(error)
        return found

    def advance(self, steps: int) -> list[Updates]:
        """Do `steps` updates of every replica, without a look at whether the losses are finite.

        The method waits for a GPU only at the end.
        """
        started = time.perf_counter()
        template = self.trainers[0]
        for trainer in self.trainers:
            trainer.model.networks.train()
        inputs = (
            torch.stack([trainer.image_indices(steps) for trainer in self.trainers], dim=1),
            torch.stack([trainer.rates(steps) for trainer in self.trainers], dim=1),
        )
        with arithmetic(template.run.precision):
            tally = self._loop.run(
                on_device(inputs, template.images.device), [trainer.generator for trainer in self.trainers]
            )
        for trainer in self.trainers:
            trainer.step += steps
        totals, bad_since = tally.totals.T.tolist(), tally.bad_since.T.tolist()
        seconds = (time.perf_counter() - started) / len(self.trainers)
        return [
            Updates(steps, tuple(sums), tuple(bad), seconds)
            for sums, bad in zip(totals, bad_since, strict=True)
        ]

    def _update(self, indices: Tensor, rates: Tensor) -> Tensor:
        """Update every replica once: `indices` (R, B) of its images, its `rates` (R, 5)."""
        template = self.trainers[0]
        for trainer, now in zip(self.trainers, rates, strict=True):
            trainer.set_step_sizes(Rates(*now))
        each = [trainer.draw() for trainer in self.trainers]
        draws = {
            name: [torch.stack(same) for same in zip(*(draws[name] for draws in each), strict=True)]
            for name in each[0]
        }
        now_of_all = Rates(*rates.T)
        prepared = vmap(template.method.prepare)(draws, now_of_all.noise, now_of_all.done)
        real = to_float(template.images[indices])
        values = template.update(self._stack.call, self._descend, real, prepared, self._own_weights)
        for trainer, now in zip(self.trainers, rates, strict=True):
            trainer.average_G(Rates(*now).ema_weight)
        return values

    def _descend(self, name: str, losses: Tensor) -> None:
        """Make a step of the optimiser `name` of each replica, on its loss among the (R,) losses."""
        owners = [trainer.optimisers[name] for trainer in self.trainers]
        replicas = [owner.parameters for owner in owners]
        stacked = [self._stack.of(parameter) for parameter in replicas[0]]
        # In the weights of a replica, the gradient of the sum is the gradient of the replica's own loss.
        losses.sum().backward(inputs=stacked)  # type: ignore[no-untyped-call]
        gradients_of = [cast(Tensor, of_all.grad) for of_all in stacked]
        for index, (owner, parameters) in enumerate(zip(owners, replicas, strict=True)):
            for parameter, gradients in zip(parameters, gradients_of, strict=True):
                parameter.grad = gradients[index]
            owner.step()
            owner.zero_grad()
        for of_all in stacked:
            of_all.grad = None


def fuse(choice: SeedsTogether, trainers: Sequence[Trainer]) -> FusedTrainer | None:
    """Make a trainer of all seeds at once; None if they are to train one by one.

    On a CPU "auto" does not fuse: one small network keeps a CPU busy, and fused training at width 0.25 is slower.

    Raises:
        InputError: if `fused` was asked for and the architecture cannot be stacked.
    """
    on_cpu = trainers[0].device.type == "cpu"
    if len(trainers) == 1 or choice == "one-by-one" or (choice == "auto" and on_cpu):
        return None
    try:
        return FusedTrainer(trainers)
    except InputError:
        if choice == "fused":
            raise
        return None


def layers(device: torch.device) -> BatchedLayers:
    """Return the layers that replace torch's under vmap."""
    return BatchedLayers(convolutions=device.type == "cuda")


class _Applied(nn.Module):
    """A module that calls a function of the networks, since `functional_call` takes only modules."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, function: Callable[..., Any], *inputs: Any) -> Any:
        return function(self.networks, *inputs)


class _Stack:
    """The stacked parameters and buffers of replicas, each (R, ...). Those of a replica become views of the stacks."""

    def __init__(self, replicas: Sequence[Networks]) -> None:
        self._module = _Applied(replicas[0])
        modules = [_Applied(networks) for networks in replicas]
        self._parameters = _stacked_tensors(dict(module.named_parameters()) for module in modules)
        self._buffers = _stacked_tensors(dict(module.named_buffers()) for module in modules)
        self._stacked = {
            parameter: self._parameters[name].requires_grad_(parameter.requires_grad)
            for name, parameter in self._module.named_parameters()
        }

    def of(self, parameter: nn.Parameter) -> Tensor:
        """Return the stack that holds `parameter` of the first replica."""
        return self._stacked[parameter]

    def call(self, function: Callable[..., Any], *inputs: Any) -> Any:
        """Call `function(networks, *inputs)` in every replica, with inputs and outputs (R, ...); update BatchNorm."""

        def of_one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], *inputs: Any) -> Any:
            return functional_call(self._module, (parameters, buffers), (function, *inputs))

        with layers(next(iter(self._stacked.values())).device):
            return vmap(of_one)(self._parameters, self._buffers, *inputs)


@torch.no_grad()
def _stacked_tensors(replicas: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Move tensors of several modules into one stack for each name."""
    modules = list(replicas)
    stacks = {}
    for name, like in modules[0].items():
        # Each tensor keeps its memory format (channels_last) in the stack, since optimisers rely on it.
        stack = like.new_empty_strided((len(modules), *like.shape), (like.numel(), *like.stride()))
        for place, module in zip(stack, modules, strict=True):
            place.copy_(module[name])
            module[name].data = place
        stacks[name] = stack
    return stacks


def _check_alike(trainers: Sequence[Trainer]) -> None:
    """Raise InputError if configurations differ in structure."""
    template = trainers[0].run
    for run in (trainer.run for trainer in trainers[1:]):
        if structure_of(run) == structure_of(template):
            continue
        for key in OWN_TO_A_REPLICA:
            if key.startswith("objective.") and bool(get_value(run, key)) != bool(get_value(template, key)):
                raise InputError(f"{key}: 0 in some of the runs that are to train fused, and not in others")
        raise InputError(
            f"runs that train fused may differ in {', '.join(OWN_TO_A_REPLICA)}, and nothing else"
        )


def _own_weights(trainers: Sequence[Trainer]) -> dict[str, Tensor]:
    """Return the weights of losses that differ between replicas, each (R,)."""
    device = trainers[0].images.device
    each = {
        name: [float(one.method.weights[name]) for one in trainers] for name in trainers[0].method.weights
    }
    return {
        name: torch.tensor(values, device=device) for name, values in each.items() if len(set(values)) > 1
    }


def check_objective(objective: ObjectiveConfig) -> None:
    """Refuse objectives that vmap cannot train.

    Raises:
        InputError: if `r1` has a weight, since it needs the gradient of a gradient.
    """
    if objective.r1:
        raise InputError(
            "seeds_together: with `objective.r1` seeds cannot be trained fused, use `one-by-one`"
        )


def check_stackable(replicas: Sequence[Networks], codes: LatentCodes) -> None:
    """Compare a pass of copies of the first two `replicas` on the CPU: stacked, and each alone.

    Raises:
        InputError: if they cannot be stacked, because a module replaces its buffers, writes them through `out=` (as
            torch's own spectral normalisation does), looks at values or draws random numbers; or if the two passes
            differ.
    """
    with torch.random.fork_rng(devices=[]):
        alone, stacked = (
            [copy.deepcopy(networks).cpu().train() for networks in replicas[:2]] for _ in range(2)
        )
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(len(alone), 8, codes.latent_dim, generator=generator)
        expected = [_outputs(networks, x) for networks, x in zip(alone, inputs, strict=True)]
        try:
            stack = _Stack(stacked)
            found = stack.call(_outputs, inputs)
            found.sum().backward()
        except Exception as error:  # user modules raise what they like
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise InputError(_cannot(f"torch.func.vmap says: {reason}")) from None
        for replica, networks in enumerate(stacked):
            same = torch.allclose(found[replica], expected[replica], rtol=1e-2, atol=1e-3, equal_nan=True)
            buffers = zip(networks.buffers(), alone[replica].buffers(), strict=True)
            if not same or not all(
                torch.allclose(a, b, rtol=1e-2, atol=1e-3, equal_nan=True) for a, b in buffers
            ):
                raise InputError(
                    _cannot(
                        "a module keeps something that is neither a parameter nor a buffer changed in place"
                    )
                )


def _outputs(networks: Networks, inputs: Tensor) -> Tensor:
    """Return the outputs (B, 1 + q_dim) of D and Q for G's images of `inputs` (B, latent_dim)."""
    features = networks.trunk(networks.G(inputs))
    return torch.cat([networks.D_head(features), networks.Q_head(features)], dim=1)


def _cannot(reason: str) -> str:
    return f"seeds_together: this architecture cannot train its seeds fused, use `one-by-one` ({reason})"
