"""Speed of the training step of `infogan-cr` on images of 64 x 64, alone and fused, beside a plain one and the limit.

    python benchmarks/factors.py [--device cuda] [--batch 64] [--seeds 16] [--steps 30] [--profile 15] [--seconds 340]

Every line is a way to train the same step, with and without the contrastive term. *plain* is launched kernel by kernel
with torch's spectral normalisation, *torch's* is replayed with it. The others are replayed with ours, one seed alone or
several fused, in three precisions. Some have torch's operations in the place of the kernels in Triton. Times are of one
seed's step, the best of three turns. The limit is the step's products at the rate of a large product of matrices in
that precision, and Adam's memory traffic at the rate of a copy. A loss that differs from that of *torch's* after a few
steps is marked. The kernels that took the most time come first.
"""

from __future__ import annotations

import argparse
import gc
import math
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.nn.utils import parametrizations
from torch.utils.flop_counter import FlopCounterMode
from train import ADAM_ACCESSES, seconds

from infogan_bench.config import RunConfig, apply
from infogan_bench.networks import architectures, registry, spectral, spectral_norm
from infogan_bench.training import FusedTrainer, Trainer, TrainingInterval, fused, patches
from infogan_bench.training.batched import BatchedLayers
from infogan_bench.training.device import arithmetic

TURNS = 3
WARM_UP = 6  # steps; the first three are launched, the fourth is captured
FACTORS = {
    "architecture.name": "infogan-cr",
    "codes.categorical": (),
    "codes.uniform": 5,
    "codes.noise": 5,
    "steps": 10**6,
}


class Way(NamedTuple):
    """A way to train the step.

    Args:
        norm: spectral normalisation: "torch's" own; ours in "operations" of torch, or in "kernels".
        patches: those of fused convolutions: in "operations" of torch, or in "kernels".
        grouped: fused convolutions are cuDNN's, of many groups, instead of products.
    """

    name: str
    precision: str = "float32"
    seeds: int = 1
    graph: bool = True
    norm: str = "kernels"
    patches: str = "kernels"
    grouped: bool = False
    profiled: bool = False


def ways(seeds: int) -> list[Way]:
    """All ways, those that matter most first."""
    together = f"{seeds} seeds"
    return [
        Way("torch's", norm="torch's"),
        Way("plain", norm="torch's", graph=False),
        Way("ours", profiled=True),
        Way(together, seeds=seeds, profiled=True),
        Way("ours, tf32", "tf32"),
        Way("ours, bf16", "bf16"),
        Way(f"{together}, tf32", "tf32", seeds),
        Way(f"{together}, bf16", "bf16", seeds),
        Way("norm in operations", norm="operations"),
        Way(f"{together}, patches in operations", seeds=seeds, patches="operations"),
        Way(f"{together}, groups", seeds=seeds, grouped=True),
    ]


class Found(NamedTuple):
    """The result of a way: milliseconds of one seed's step, D's loss after the warm-up, and a profile's lines."""

    ms: float
    loss: float
    kernels: list[str]


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """A context in which an attribute has another value."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def build(
    way: Way, run: RunConfig, images: torch.Tensor, device: torch.device
) -> Callable[[int], TrainingInterval]:
    """A function that does so many steps of a way and returns the first seed's interval."""
    norm = parametrizations.spectral_norm if way.norm == "torch's" else spectral_norm
    takes_graph = registry._TAKE_CUDA_GRAPH if way.graph else set()
    run = apply(run, {"precision": way.precision})
    with (
        replaced(architectures, "spectral_norm", norm),
        replaced(registry, "_TAKE_CUDA_GRAPH", takes_graph),
    ):
        trainers = [Trainer(run, images, seed, device) for seed in range(way.seeds)]
        if way.seeds == 1:
            return trainers[0].train
        together = FusedTrainer(trainers)

    def first(steps: int) -> TrainingInterval:
        with replaced(fused, "layers", lambda device: BatchedLayers(convolutions=not way.grouped)):
            found = together.train(steps)[0]
        if not isinstance(found, TrainingInterval):
            raise found
        return found

    return first


def measure(
    way: Way, run: RunConfig, images: torch.Tensor, device: torch.device, steps: int, top: int
) -> Found:
    """Time a way, and profile it if it is to be."""
    train = build(way, run, images, device)
    loss = train(WARM_UP).metrics["loss/d"]
    turns = [seconds(partial(train, steps), device) for _ in range(TURNS if way.graph else 1)]
    profile = kernels(partial(train, steps), steps, top, device) if way.profiled and top else []
    return Found(1e3 * min(turns) / steps / way.seeds, loss, profile)


def kernels(function: Callable[[], object], steps: int, top: int, device: torch.device) -> list[str]:
    """The kernels of `steps` steps that took the most time, a line each: microseconds and calls a step, name."""
    activity = torch.profiler.ProfilerActivity
    kind = activity.CUDA if device.type == "cuda" else activity.CPU
    with torch.profiler.profile(activities=[kind]) as profile:
        seconds(function, device)
    on_card = device.type == "cuda"
    found = [
        (each.self_device_time_total if on_card else each.self_cpu_time_total, each.count, each.key)
        for each in profile.key_averages()
    ]
    found = sorted((each for each in found if each[0]), reverse=True)
    total, calls = sum(us for us, _, _ in found), sum(count for _, count, _ in found)
    lines = [f"{total / steps:8.1f} us {calls / steps:7.1f}  a step, {len(found)} kinds of kernels"]
    return lines + [
        f"{us / steps:8.1f} us {count / steps:7.1f}  {name[:130]}" for us, count, name in found[:top]
    ]


def check_norm(device: torch.device) -> None:
    """Raise an error if the kernels of spectral normalisation do not compute what torch's operations do."""

    def made(form: Any) -> tuple[torch.Tensor, ...]:
        generator = torch.Generator().manual_seed(0)
        given = [torch.randn(shape, generator=generator) for shape in ((2, 128, 1024), (2, 128), (2, 1024))]
        matrices, u, v = (each.to(device) for each in given)
        normalised = form.normalise(matrices, u, v)
        return (*normalised, u, v, form.gradient(matrices, *normalised))

    with arithmetic("float32"):
        found, expected = (
            made(spectral.form_of(torch.empty(1, device=device))),
            made(spectral.SpectralOperations),
        )
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def check_patches(device: torch.device) -> None:
    """Raise an error if the kernels of patches do not compute what torch's operations do."""
    window = patches.Window((4, 4), (2, 2), (1, 1))
    images = torch.randn(2, 3, 64, 64, 32, device=device)
    gathered = patches.PatchOperations.gather(images, window)
    kernels = patches.form_of(images)
    torch.testing.assert_close(kernels.gather(images, window), gathered)
    expected = patches.PatchOperations.add_up(gathered, 64, 64, window)
    torch.testing.assert_close(kernels.add_up(gathered, 64, 64, window), expected)


def limit(run: RunConfig, images: torch.Tensor, device: torch.device) -> dict[str, float]:
    """Milliseconds that the arithmetic of a step takes in each precision, and its operations in GFLOP."""
    trainer = Trainer(run, images, 0, device)
    with FlopCounterMode(display=False) as counter:
        trainer.train(1)
    flops = int(counter.get_total_flops())
    n = sum(p.numel() for p in trainer.model.networks.parameters()) * ADAM_ACCESSES // 2
    n_copied = 2**28 if device.type == "cuda" else 2**22  # more than a cache holds
    source, target = (torch.ones(n_copied, device=device) for _ in range(2))
    copy_s = min(seconds(lambda: target.copy_(source), device) for _ in range(TURNS))
    found = {"GFLOP": flops / 1e9}
    side = 8192 if device.type == "cuda" else 512
    for precision in ("float32", "tf32", "bf16"):
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
        with arithmetic("float32" if precision == "float32" else "tf32"):
            product_s = min(seconds(lambda a=a, b=b: torch.mm(a, b), device) for _ in range(TURNS))  # type: ignore[misc]
        found[precision] = 1e3 * (flops / (2 * side**3) * product_s + copy_s * n / n_copied)
    return found


def forms(device: torch.device) -> dict[tuple[str, str], Callable[..., Any]]:
    """The `form_of` of spectral normalisation and of patches for each value of `Way.norm` and `Way.patches`."""
    found: dict[tuple[str, str], Callable[..., Any]] = {
        ("norm", "kernels"): spectral.form_of,
        ("norm", "torch's"): spectral.form_of,
        ("norm", "operations"): lambda tensor: spectral.SpectralOperations,
        ("patches", "kernels"): patches.form_of,
        ("patches", "operations"): lambda tensor: patches.PatchOperations,
    }
    for what, check in (("norm", check_norm), ("patches", check_patches)):
        try:
            check(device)
        except Exception as error:  # whatever Triton raises: all else is measured without it
            print(f"no kernels of Triton for {what}: {type(error).__name__}: {error}", file=sys.stderr)
            found[what, "kernels"] = found[what, "operations"]
    return found


Results = dict[
    tuple[float, str], Found | str
]  # by the weight of the contrastive term and the way; or why it failed


def measure_all(
    arguments: argparse.Namespace, runs: dict[float, RunConfig], images: torch.Tensor, device: torch.device
) -> Results:
    """Measure every way with every run, until the time is up."""
    until = time.monotonic() + arguments.seconds
    form_of = forms(device)
    results: Results = {}
    for way in ways(arguments.seeds):
        for weight, run in runs.items():
            if time.monotonic() > until:
                results[weight, way.name] = "no time left"
                continue
            try:
                with (
                    replaced(spectral, "form_of", form_of["norm", way.norm]),
                    replaced(patches, "form_of", form_of["patches", way.patches]),
                ):
                    found = measure(way, run, images, device, arguments.steps, arguments.profile)
            except Exception as error:  # the other ways are still worth their time
                results[weight, way.name] = f"{type(error).__name__}: {error}"
            else:
                results[weight, way.name] = found
                print(f"contrastive {weight:g}, {way.name}: {found.ms:.3f} ms", file=sys.stderr, flush=True)
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()
    return results


def show(weight: float, results: Results, limits: dict[str, float], seeds: int) -> None:
    """Print the table of one objective."""
    print(f"\ncontrastive {weight:g}: {limits['GFLOP']:.1f} GFLOP a step; limits in ms: ", end="")
    print(", ".join(f"{name} {limits[name]:.3f}" for name in ("float32", "tf32", "bf16")))
    print(f"{'a step of one seed':<32} | {'ms':>8} {'torch/it':>9} {'it/limit':>9}")
    base = results[weight, "torch's"]
    for way in ways(seeds):
        found = results[weight, way.name]
        if isinstance(found, str) or isinstance(base, str):
            print(f"{way.name:<32} | {found if isinstance(found, str) else base}")
            continue
        odd = "" if math.isclose(found.loss, base.loss, rel_tol=0.05) else f" loss {found.loss:.3f}!"
        ratio, over = base.ms / found.ms, found.ms / limits[way.precision]
        print(f"{way.name:<32} | {found.ms:8.3f} {ratio:8.2f}x {over:8.1f}x{odd}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", type=torch.device, default="cuda")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=16, help="trained fused")
    parser.add_argument("--steps", type=int, default=30, help="of a turn")
    parser.add_argument("--profile", type=int, default=15, help="kernels to list, 0: no profile")
    parser.add_argument("--seconds", type=float, default=340, help="after which no further way is begun")
    arguments = parser.parse_args()
    device = arguments.device
    shape = (16 * arguments.batch, 1, 64, 64)
    images = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = images.to(device)
    base = apply(RunConfig(), {**FACTORS, "batch": arguments.batch, "architecture.width": arguments.width})
    runs = {weight: apply(base, {"objective.contrastive": weight}) for weight in (0.0, 1.0)}
    limits = {weight: limit(run, images, device) for weight, run in runs.items()}
    results = measure_all(arguments, runs, images, device)
    for (weight, way), found in results.items():
        if isinstance(found, Found) and found.kernels:
            print(f"\n{way}, contrastive {weight:g}", *found.kernels, sep="\n  ")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    print(f"\n{name}, torch {torch.__version__}, batch {arguments.batch}, width {arguments.width:g}")
    print("torch/it: the time with torch's spectral normalisation over that of this way")
    for weight in runs:
        show(weight, results, limits[weight], arguments.seeds)


if __name__ == "__main__":
    main()
