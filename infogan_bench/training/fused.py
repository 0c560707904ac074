"""Many seeds at once: replicas of one configuration, stacked, so that one stream of kernels trains them all.

A small network leaves a GPU idle between its kernels. Stacked over replicas (torch.func), the kernels of one step are
as many as before and R times as large (compare HFTA, arXiv 2102.02344).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from infogan_bench.codes import LatentCodes
from infogan_bench.config.models import ObjectiveConfig
from infogan_bench.config.sweep_config import SeedsTogether
from infogan_bench.datasets import to_float
from infogan_bench.errors import InputError
from infogan_bench.networks import Networks
from infogan_bench.training.trainer import DivergedError, Interval, Tally, Trainer, epoch_order


class FusedTrainer:
    """Trains several `Trainer`s as each would train alone, to float tolerance.

    Training starts from their weights, BatchNorm statistics, optimisers and random states, and puts them back at the
    end of every interval: between intervals each is a trainer like any other, to be evaluated, saved and loaded.
    What a replica draws comes from its own generators, so that its numbers depend on its seed alone, whatever else
    trains beside it.

    Args:
        trainers: one or more of one configuration, on the same images and device, at the same step.

    Raises:
        InputError: if the objective or the architecture cannot be stacked, see `check_objective`, `check_stackable`.
    """

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        first = trainers[0]
        check_objective(first.run.objective)
        check_stackable([trainer.model.networks for trainer in trainers], first.model.codes)
        self.trainers = trainers
        self._images = first.images
        self._epoch = -1
        self._orders = torch.empty(0, dtype=torch.int64)  # (R, N)

    def train(self, steps: int) -> list[Interval | DivergedError]:
        """Do `steps` updates of every replica; what became of each, in order.

        A replica that diverges leaves the others as they are. `seconds` is a replica's share of the wall time. A GPU
        is waited for at the end alone.
        """
        started = time.perf_counter()
        for trainer in self.trainers:
            trainer.model.networks.train()
        stack = _Stack([trainer.model.networks for trainer in self.trainers])
        optimisers = {name: self._stacked_adam(name, stack) for name in ("G", "D")}
        averages = self._stacked_averages()
        first = self.trainers[0]
        tally = Tally((len(first.quantities), len(self.trainers)), first.device)
        for _ in range(steps):
            draws = [torch.stack(each) for each in zip(*(t.draw() for t in self.trainers), strict=True)]
            given = vmap(lambda *draws: first.given(draws))(*draws)
            tally.add(first.update(stack.call, optimisers, self._next_batches(), given), first.step + 1)
            if averages:
                first.average_G(averages, stack.G)
            for trainer in self.trainers:
                trainer.step += 1
        self._put_back(stack, optimisers, averages)
        found: list[dict[str, float] | DivergedError] = []
        for trainer, totals, bad_since in zip(
            self.trainers, tally.totals.T.tolist(), tally.bad_since.T.tolist(), strict=True
        ):
            try:
                found.append(trainer.interval_metrics(steps, totals, bad_since))
            except DivergedError as error:
                found.append(error)
        seconds = (time.perf_counter() - started) / len(self.trainers)
        return [
            each
            if isinstance(each, DivergedError)
            else Interval(each, seconds, steps * first.run.batch / seconds)
            for each in found
        ]

    def _next_batches(self) -> Tensor:
        """The real images (R, B, C, H, W) of the current step."""
        n, batch = len(self._images), self.trainers[0].run.batch
        epoch, place = divmod(self.trainers[0].step, n // batch)
        if epoch != self._epoch:
            orders = torch.stack([epoch_order(trainer.seed, epoch, n) for trainer in self.trainers])
            if self._images.is_cuda:
                orders = orders.pin_memory()  # else the copy would wait for the GPU
            self._orders = orders.to(self._images.device, non_blocking=True)
            self._epoch = epoch
        return to_float(self._images[self._orders[:, place * batch : (place + 1) * batch]])

    def _stacked_adam(self, name: str, stack: _Stack) -> torch.optim.Adam:
        """One Adam for all replicas: it works elementwise, so on stacked tensors it does what each one's own does."""
        owners = [trainer.optimisers[name] for trainer in self.trainers]
        replicas = list(zip(*(owner.param_groups[0]["params"] for owner in owners), strict=True))
        optimiser = torch.optim.Adam(
            [stack.of(parameters[0]) for parameters in replicas], **owners[0].defaults
        )
        for stacked, parameters in zip(optimiser.param_groups[0]["params"], replicas, strict=True):
            states = [owner.state[p] for owner, p in zip(owners, parameters, strict=True) if p in owner.state]
            if states:
                optimiser.state[stacked] = {"step": states[0]["step"].clone()} | {
                    key: torch.stack([state[key] for state in states]) for key in ("exp_avg", "exp_avg_sq")
                }
        return optimiser

    def _stacked_averages(self) -> dict[str, Tensor]:
        """The averaged Gs, each tensor (R, ...); empty where there are none."""
        states = [t.model.averaged_G.state_dict() for t in self.trainers if t.model.averaged_G is not None]
        return {
            name: torch.stack([state[name] for state in states]) for name in (states[0] if states else ())
        }

    @torch.no_grad()
    def _put_back(
        self, stack: _Stack, optimisers: Mapping[str, torch.optim.Adam], averages: Mapping[str, Tensor]
    ) -> None:
        """Give every trainer its weights, statistics, averages and moments."""
        for replica, trainer in enumerate(self.trainers):
            stack.unstack(replica, trainer.model.networks)
            if trainer.model.averaged_G is not None:
                for name_in_G, tensor in trainer.model.averaged_G.state_dict().items():
                    tensor.copy_(averages[name_in_G][replica])
            for name, optimiser in optimisers.items():
                owner = trainer.optimisers[name]
                for parameter, stacked in zip(
                    owner.param_groups[0]["params"], optimiser.param_groups[0]["params"], strict=True
                ):
                    state = optimiser.state[stacked]
                    # fused Adam walks memory, so a moment must lie as its parameter does (channels_last)
                    owner.state[parameter] = {"step": state["step"].clone()} | {
                        key: torch.empty_like(parameter).copy_(state[key][replica])
                        for key in ("exp_avg", "exp_avg_sq")
                    }


def fuse(choice: SeedsTogether, trainers: Sequence[Trainer]) -> FusedTrainer | None:
    """What trains all seeds at once, or None where they are to go one by one.

    On a CPU, which one small network keeps busy, "auto" does not fuse: at width 0.25 that is slower.

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


class _Applied(nn.Module):
    """A function of networks as a module, which is what `functional_call` takes."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.networks = networks

    def forward(self, function: Callable[..., Any], *inputs: Any) -> Any:
        return function(self.networks, *inputs)


class _Stack:
    """Copies of the parameters and buffers of replicas, stacked: each is (R, ...)."""

    def __init__(self, replicas: Sequence[Networks]) -> None:
        self._module = _Applied(replicas[0])
        self._parameters, self._buffers = stack_module_state([_Applied(networks) for networks in replicas])
        self._stacked = {
            parameter: self._parameters[name] for name, parameter in self._module.named_parameters()
        }

    def of(self, parameter: nn.Parameter) -> Tensor:
        """The stack that holds `parameter` of the first replica."""
        stacked: Tensor = self._stacked[parameter]
        return stacked

    @property
    def G(self) -> dict[str, Tensor]:
        """G's parameters and buffers, by their names in G."""
        prefix = "networks.G."
        tensors = {**self._parameters, **self._buffers}
        return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

    def call(self, function: Callable[..., Any], *inputs: Any) -> Any:
        """`function(networks, *inputs)` of every replica, inputs and outputs (R, ...); BatchNorm's statistics move."""

        def of_one(parameters: dict[str, Tensor], buffers: dict[str, Tensor], *inputs: Any) -> Any:
            return functional_call(self._module, (parameters, buffers), (function, *inputs))

        return vmap(of_one)(self._parameters, self._buffers, *inputs)

    @torch.no_grad()
    def unstack(self, replica: int, networks: Networks) -> None:
        """Copy one replica's parameters and buffers into `networks`."""
        module = _Applied(networks)
        for stacked, own in (
            (self._parameters, module.named_parameters()),
            (self._buffers, module.named_buffers()),
        ):
            for name, tensor in own:
                tensor.copy_(stacked[name][replica])


def check_objective(objective: ObjectiveConfig) -> None:
    """Refuse what vmap does not take.

    Raises:
        InputError: with `r1`, the gradient of a gradient.
    """
    if objective.r1:
        raise InputError(
            "seeds_together: with `objective.r1` seeds cannot be trained fused, use `one-by-one`"
        )


def check_stackable(replicas: Sequence[Networks], codes: LatentCodes) -> None:
    """Try a pass of copies of the first two `replicas`, on the CPU: stacked, and each alone.

    Raises:
        InputError: if they cannot be stacked, as where a module replaces its buffers or writes them through `out=`
            (torch's spectral normalisation), looks at values or draws random numbers; or if that gives other numbers.
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
            stack.unstack(replica, networks)
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
    """What D and Q say of G's images for `inputs` (B, latent_dim), (B, 1 + q_dim)."""
    features = networks.trunk(networks.G(inputs))
    return torch.cat([networks.D_head(features), networks.Q_head(features)], dim=1)


def _cannot(reason: str) -> str:
    return f"seeds_together: this architecture cannot train its seeds fused, use `one-by-one` ({reason})"
