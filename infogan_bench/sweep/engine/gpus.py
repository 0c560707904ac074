"""`gpus: auto`: the share of a card for a trial, measured by a few steps of the largest trial."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import ray
import torch
from ray.exceptions import RayError
from ray.util import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from infogan_bench.codes import LatentCodes
from infogan_bench.config import Params, RunConfig, SweepConfig, apply
from infogan_bench.config.rules import corners
from infogan_bench.config.schedulers import find_scheduler
from infogan_bench.config.searches import find_search
from infogan_bench.config.terms import MEMORY_KEYS, memory_sizes
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.pack import TrialPack
from infogan_bench.sweep.engine.full_card import GPU
from infogan_bench.sweep.engine.nodes import live_nodes
from infogan_bench.sweep.engine.own_trial import granted_device, trial_spec
from infogan_bench.sweep.engine.trainable import Shared
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.training.loop import EAGER_UPDATES
from infogan_bench.training.memory import free_memory, is_out_of_memory
from infogan_bench.trial import Trial, TrialSpec

log = logging.getLogger(__name__)

_STEPS = EAGER_UPDATES + 2  # enough to capture a CUDA graph, whose memory counts too
_SAFETY = 0.9  # share of a card's memory; the rest is for fragments and the last evaluation
_PRECISION = 10_000  # Ray counts ten thousandths of a GPU
_CARD_SECONDS = 120.0  # to wait for a free card while another sweep has them all
_GIB = 2**30
_CARD = "accelerator_type:"  # a resource by which Ray names the kind of a node's cards
_SIZED = ("method.", "architecture.", "batch", "codes.", *MEMORY_KEYS, "optimiser.ema")


@dataclass(frozen=True)
class Footprint:
    """The memory, in bytes, that the largest trial of a sweep takes on a card, with CUDA's own."""

    card: str
    taken: int
    total: int

    @property
    def trials(self) -> int:
        """The number of trials that fit at once; at least one, since a trial cannot have more than a card of its
        own."""
        return max(1, int(_SAFETY * self.total / self.taken))


def measured_gpus(
    sweep: SweepConfig,
    planned: Iterable[Params],
    shared: ray.ObjectRef,
    request: Mapping[str, float],
) -> tuple[float, str | None]:
    """The share of a card for `gpus: auto`: 1/n, if n trials at once fit on the smallest card and a node has the CPUs
    (memory, custom resources) for them. It is a whole card, with a warning, if no step could be measured.

    Args:
        sweep: the sweep.
        planned: the swept values of the trials to come, as far as they are planned.
        shared: of `Shared`.
        request: what a trial asks of Ray, with a whole card.

    Raises:
        InputError: if torch sees no CUDA where Ray has a card, or no card becomes free.
    """
    nodes = [node["Resources"] for node in live_nodes()]
    nodes = [node for node in nodes if all(node.get(name, 0) >= amount for name, amount in request.items())]
    largest = largest_params(sweep, planned)
    try:
        found = [_on_a_card(kind, request, shared, largest) for kind in _kinds_of_card(nodes)]
    except (RayError, ImportError) as error:  # a fault of a user's module fails trials, never a sweep
        why = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        return 1.0, f"gpus: auto: no step could be measured ({why}), so every trial gets a whole card"
    at_once = min(min(each.trials for each in found), max(_slots(node, request) for node in nodes))
    card_share = math.floor(_PRECISION / at_once) / _PRECISION
    for each in found:
        log.info(
            "gpus: auto is %g: a trial takes %.2f GiB of %.2f GiB on %s, where %d fit; %d at once on a card",
            card_share, each.taken / _GIB, each.total / _GIB, each.card, each.trials, at_once,
        )  # fmt: skip
    return card_share, None


def largest_params(sweep: SweepConfig, planned: Iterable[Params]) -> list[Params]:
    """The swept values whose trials may take most memory: for each method and architecture, those that no others exceed
    in width, batch, codes and terms of the objective at once.

    If the search learns, or `pbt` changes values, they are the corners of the space.
    """
    if find_search(sweep.search.algorithm).learns or find_scheduler(sweep.scheduler).population:
        planned = corners(sweep, *_SIZED)
    largest: list[tuple[tuple[str, str], tuple[float, ...], Params]] = []
    for params in planned:
        sized = {key: value for key, value in params.items() if key.startswith(_SIZED)}
        run = apply(sweep.base, sized)
        name, sizes = (run.method.name, run.architecture.name), _sizes(run)
        if any(name == other and _covers(others, sizes) for other, others, _ in largest):
            continue
        largest = [each for each in largest if each[0] != name or not _covers(sizes, each[1])]
        largest.append((name, sizes, sized))
    return [params for _, _, params in largest]


def _sizes(run: RunConfig) -> tuple[float, ...]:
    """Numbers that grow with the memory of a step."""
    codes = LatentCodes(run.codes, fixed_std=run.objective.fixed_std)
    return (
        run.architecture.width,
        run.batch,
        codes.latent_dim,
        codes.q_dim,
        *memory_sizes(run.objective),
        bool(run.optimiser.ema),
        run.architecture.spectral_norm,
        not run.architecture.spectral_norm,  # we do not know which of the two takes more memory
    )


def _covers(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True))


def _kinds_of_card(nodes: Sequence[Mapping[str, float]]) -> Iterator[str | None]:
    """The names of the kinds of card that there are; None for one without a name."""
    kinds: dict[str | None, None] = {}
    for node in nodes:
        names: list[str | None] = [name for name in node if name.startswith(_CARD)]
        kinds |= dict.fromkeys(names or [None])
    yield from kinds


def _slots(node: Mapping[str, float], request: Mapping[str, float]) -> int:
    """The number of trials at once on each card of a node, as far as its CPUs and other resources allow."""
    at_once = min(round(node[name] / amount, 6) // 1 for name, amount in request.items() if name != GPU)
    return math.ceil(at_once / node[GPU])


def _on_a_card(
    kind: str | None,
    request: Mapping[str, float],
    shared: ray.ObjectRef,
    largest: Sequence[Params],
) -> Footprint:
    """Measure on a whole card of a kind, once one is free."""
    group = placement_group([{**request, **({kind: 0.001} if kind else {})}])
    try:
        if not group.wait(timeout_seconds=_CARD_SECONDS):
            raise InputError(
                f"resources.gpus: `auto` measures a trial on a whole card, and none was free for {_CARD_SECONDS:g} "
                "seconds: give a share, such as `gpus: 0.25`"
            )
        task = ray.remote(max_retries=0, max_calls=1)(measure)  # its process ends with it and frees the card
        found: Footprint | str = ray.get(
            task.options(
                num_cpus=request.get("CPU", 0),
                num_gpus=1,
                scheduling_strategy=PlacementGroupSchedulingStrategy(group),
            ).remote(shared, largest)
        )
    finally:
        remove_placement_group(group)
    if isinstance(found, str):
        raise InputError(found)
    return found


def measure(shared: Shared, largest: Sequence[Params]) -> Footprint | str:
    """Train a few steps of each trial, with all its seeds and the scores after them, on this process's card.

    Returns:
        The memory of the trial that takes most, or the reason why the card cannot be used.
    """
    torch.set_num_threads(shared.threads)
    load_extensions(shared.sweep.extensions, shared.extensions)
    if not torch.cuda.is_available():
        return (
            f"resources.gpus: Ray has a GPU on node {ray.util.get_node_ip_address()}, but torch sees no CUDA there: "
            "install a torch with CUDA and a driver for it, or give `gpus: 0` (or a share, such as 0.25: Ray packs "
            "trials by it, and they train on the CPU)"
        )
    reserved = 0
    try:
        for params in largest:
            reserved = max(reserved, _reserved(shared, params))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        reserved = torch.cuda.mem_get_info()[1]  # a trial does not fit even alone
    free, total = torch.cuda.mem_get_info()
    others = (
        total - free - torch.cuda.memory_reserved()
    )  # the memory of CUDA's context, of libraries and of other processes on the card
    return Footprint(torch.cuda.get_device_name(), reserved + others, total)


def _reserved(shared: Shared, params: Params) -> int:
    """The most bytes that torch reserved on the card for a trial; where trials may train together, half of what two of
    them take as one stack, since a stack needs more for each than a trial alone."""
    spec = trial_spec(shared.sweep, PlannedTrial("measured", params))
    few = replace(spec, evaluation=spec.evaluation.model_copy(update={"every": _STEPS}))
    if shared.together and not spec.run.objective.r1:
        return _reserved_together(shared, few) // 2
    trial = Trial(few, granted_device(), ray.get(shared.dataset))
    trial.advance()
    reserved = torch.cuda.max_memory_reserved()
    del trial
    free_memory()
    return reserved


def _reserved_together(shared: Shared, spec: TrialSpec) -> int:
    """The most bytes that torch reserved on the card for two trials in one stack."""
    pack = TrialPack(ray.get(shared.dataset), granted_device(), threads=shared.threads)
    both = [replace(spec, trial_id=name) for name in ("one", "other")]
    try:
        for each in both:
            pack.open(each).result()
        for promise in [pack.advance(each.trial_id) for each in both]:
            promise.result()
        return torch.cuda.max_memory_reserved()
    finally:
        for each in both:
            pack.close(each.trial_id)
        pack.end()
