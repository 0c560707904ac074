"""How fast `infogan-cr` trains on images of 64 x 64, alone and fused, against a plain step and the arithmetic limit.

    python benchmarks/factors.py [--device cuda] [--batch 64] [--seeds 16] [--steps 30] [--profile 15] [--seconds 340]

Every line is a way to train the same step, with and without the contrastive term. *plain* is launched kernel by kernel
with torch's spectral normalisation, *torch's* is replayed with it. The others are replayed with ours: in three
precisions, with convolutions in several forms (`infogan_bench/training/convolutions.py`), and with seeds fused. The
two columns are two processes, without and with `torch.backends.cudnn.benchmark`, since cuDNN keeps its choices for as
long as a process lives. Times are of one seed's step, the best of three turns. The limit is the step's products at the
rate of a large product of matrices in that precision, and Adam's memory traffic at the rate of a copy. A loss that
differs from that of *torch's* after a few steps is marked. The kernels that took the most time come first.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch.nn.utils import parametrizations
from torch.utils.flop_counter import FlopCounterMode

from infogan_bench.config import RunConfig, apply
from infogan_bench.networks import architectures, registry, spectral, spectral_norm
from infogan_bench.training import FusedTrainer, Trainer, TrainingInterval, fused, patches
from infogan_bench.training.batched import BatchedLayers
from infogan_bench.training.convolutions import Convolutions
from infogan_bench.training.device import arithmetic

TURNS = 3
WARM_UP = 6  # steps; the first three are launched, the fourth is captured
ADAM_ACCESSES = 7  # reads of weight, gradient and both moments, writes of all but the gradient
FACTORS = {
    "architecture.name": "infogan-cr",
    "codes.categorical": (),
    "codes.uniform": 5,
    "codes.noise": 5,
    "steps": 10**6,
}


class Way(NamedTuple):
    """A way to train the step."""

    name: str
    precision: str = "float32"
    seeds: int = 1
    form: str | None = None  # of the convolutions of one seed: one of `FORMS`, or "measured"
    contiguous: bool = False  # weights channels first in memory
    graph: bool = True
    norm: str = (
        "kernels"  # of spectral normalisation: "torch's" own; ours in "operations" of torch, or in "kernels"
    )
    patches: str = "kernels"  # of products: in Triton's kernels, or in "operations" of torch
    grouped: bool = False  # convolutions of fused seeds by cuDNN's groups instead of products
    profiled: bool = False

    @property
    def chooses(self) -> bool:
        """cuDNN has a choice, unless all convolutions are products."""
        return self.grouped or (self.seeds == 1 and self.form != "products")


def ways(seeds: int) -> list[Way]:
    """All ways, those that matter most first."""
    together = f"{seeds} seeds, products"
    return [
        Way("torch's", norm="torch's"),
        Way("plain", norm="torch's", graph=False),
        Way("norm in operations", norm="operations"),
        Way("as they lie", profiled=True),
        Way("channels first", form="channels first", contiguous=True, profiled=True),
        Way("measured", form="measured", profiled=True),
        Way(together, seeds=seeds, profiled=True),
        Way(f"{together}, weights first", seeds=seeds, contiguous=True, profiled=True),
        Way(f"{seeds} seeds, patches in operations", seeds=seeds, patches="operations", profiled=True),
        Way("products", form="products"),
        Way("channels first, weights last", form="channels first"),
        Way("as they lie, tf32", "tf32"),
        Way("as they lie, bf16", "bf16"),
        Way("channels first, tf32", "tf32", form="channels first", contiguous=True),
        Way("channels first, bf16", "bf16", form="channels first", contiguous=True),
        Way("measured, tf32", "tf32", form="measured"),
        Way("measured, bf16", "bf16", form="measured"),
        Way(f"{together}, tf32", "tf32", seeds),
        Way(f"{together}, bf16", "bf16", seeds),
        Way(f"{seeds} seeds, groups", seeds=seeds, grouped=True),
    ]


class Found(NamedTuple):
    """The result of a way: milliseconds of one seed's step, D's loss after the warm-up, and what else it tells."""

    ms: float
    loss: float
    notes: list[str]


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
) -> tuple[list[Trainer], Callable[[int], TrainingInterval]]:
    """The trainers of a way, and a function that does so many steps of them and returns the first one's interval."""
    norm = parametrizations.spectral_norm if way.norm == "torch's" else spectral_norm
    takes_graph = registry._TAKE_CUDA_GRAPH if way.graph else set()
    run = apply(run, {"precision": way.precision})
    with (
        replaced(architectures, "spectral_norm", norm),
        replaced(registry, "_TAKE_CUDA_GRAPH", takes_graph),
    ):
        trainers = [Trainer(run, images, seed, device) for seed in range(way.seeds)]
        for trainer in trainers:
            if way.contiguous:
                trainer.model.networks.to(memory_format=torch.contiguous_format)
            trainer.layers = Convolutions(None if way.form == "measured" else way.form or "as they lie")
        if way.seeds == 1:
            return trainers, trainers[0].train
        together = FusedTrainer(trainers)

    def first(steps: int) -> TrainingInterval:
        with replaced(fused, "layers", lambda device: BatchedLayers(convolutions=not way.grouped)):
            found = together.train(steps)[0]
        if not isinstance(found, TrainingInterval):
            raise found
        return found

    return trainers, first


def measure(
    way: Way, run: RunConfig, images: torch.Tensor, device: torch.device, steps: int, top: int
) -> Found:
    """Time a way, and profile it if it is to be."""
    trainers, train = build(way, run, images, device)
    loss = train(WARM_UP).metrics["loss/d"]
    turns = [timed(partial(train, steps), device) for _ in range(TURNS if way.graph else 1)]
    notes = []
    if way.form == "measured":
        chosen = trainers[0].layers.chosen  # type: ignore[attr-defined]
        notes += [f"{form:<15} {key[0]} {key[1][0]} by {key[2][0]}" for key, form in chosen.items()]
    if way.profiled and top:
        notes += kernels(partial(train, steps), steps, top, device)
    return Found(1e3 * min(turns) / steps / way.seeds, loss, notes)


def timed(function: Callable[[], object], device: torch.device) -> float:
    """Seconds of a call, on a GPU until its last kernel has ended."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def kernels(function: Callable[[], object], steps: int, top: int, device: torch.device) -> list[str]:
    """The kernels of `steps` steps that took the most time, a line each: microseconds and calls a step, name."""
    activity = torch.profiler.ProfilerActivity
    kind = activity.CUDA if device.type == "cuda" else activity.CPU
    with torch.profiler.profile(activities=[kind]) as profile:
        timed(function, device)
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
    copy_s = min(timed(lambda: target.copy_(source), device) for _ in range(TURNS))
    found = {"GFLOP": flops / 1e9}
    side = 8192 if device.type == "cuda" else 512
    for precision in ("float32", "tf32", "bf16"):
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
        with arithmetic("float32" if precision == "float32" else "tf32"):
            product_s = min(timed(lambda a=a, b=b: torch.mm(a, b), device) for _ in range(TURNS))  # type: ignore[misc]
        found[precision] = 1e3 * (flops / (2 * side**3) * product_s + copy_s * n / n_copied)
    return found


def work(arguments: argparse.Namespace) -> None:
    """Measure everything in this process, and print each result as a line of JSON."""
    device = torch.device(arguments.device)
    torch.backends.cudnn.benchmark = arguments.worker == "on"
    shape = (16 * arguments.batch, 1, 64, 64)
    images = torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = images.to(device)
    base = apply(RunConfig(), {**FACTORS, "batch": arguments.batch, "architecture.width": arguments.width})
    runs = {weight: apply(base, {"objective.contrastive": weight}) for weight in (0.0, 1.0)}

    def tell(**what: object) -> None:
        print(json.dumps(what), flush=True)

    forms = {
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
            tell(contrastive=0.0, way=f"Triton's {what}", failed=f"{type(error).__name__}: {error}"[:1000])
            forms[what, "kernels"] = forms[what, "operations"]
    for weight, run in runs.items():
        tell(contrastive=weight, limit=limit(run, images, device))
    for way in ways(arguments.seeds):
        if not way.chooses and arguments.worker == "on":
            continue
        for weight, run in runs.items():
            if time.time() > arguments.until:
                tell(contrastive=weight, way=way.name, failed="no time left")
                continue
            try:
                with (
                    replaced(spectral, "form_of", forms["norm", way.norm]),
                    replaced(patches, "form_of", forms["patches", way.patches]),
                ):
                    found = measure(way, run, images, device, arguments.steps, arguments.profile)
            except Exception as error:  # the other ways are still worth their time
                tell(contrastive=weight, way=way.name, failed=f"{type(error).__name__}: {error}"[:200])
            else:
                tell(contrastive=weight, way=way.name, **found._asdict())
            gc.collect()
            if device.type == "cuda":
                torch.cuda.empty_cache()


Results = dict[tuple[float, str], dict[str, Any]]  # by the weight of the contrastive term and the way


def collect(
    arguments: argparse.Namespace, benchmark: str, until: float
) -> tuple[Results, dict[float, dict[str, float]]]:
    """Run a process that measures, with `cudnn.benchmark` on or off; returns its results and the limits."""
    command = [sys.executable, __file__, "--worker", benchmark, "--until", str(until)]
    for name in ("device", "batch", "width", "seeds", "steps", "profile"):
        command += [f"--{name}", str(getattr(arguments, name))]
    results: Results = {}
    limits: dict[float, dict[str, float]] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith("{"):
                continue
            told = json.loads(line)
            if "limit" in told:
                limits[told["contrastive"]] = told["limit"]
                continue
            results[told["contrastive"], told["way"]] = told
            what = told.get("failed") or f"{told['ms']:.3f} ms"
            print(
                f"cudnn.benchmark {benchmark}, contrastive {told['contrastive']:g}, {told['way']}: {what}",
                file=sys.stderr, flush=True,
            )  # fmt: skip
    return results, limits


def show(weight: float, columns: dict[str, Results], limits: dict[str, float], seeds: int) -> None:
    """Print the table of one objective."""
    print(f"\ncontrastive {weight:g}: {limits['GFLOP']:.1f} GFLOP a step; limits in ms: ", end="")
    print(", ".join(f"{name} {limits[name]:.3f}" for name in ("float32", "tf32", "bf16")))
    cell = f"{'ms':>8} {'torch/it':>9} {'it/limit':>9}"
    print(f"{'a step of one seed':<32}" + "".join(f" | {cell}" for _ in columns))
    for way in ways(seeds):
        line = f"{way.name:<32}"
        for results in columns.values():
            torch_s, found = results.get((weight, "torch's"), {}), results.get((weight, way.name), {})
            if "ms" not in found or "ms" not in torch_s:
                line += f" | {found.get('failed', 'the same')[:28]:>28}"
                continue
            odd = not math.isclose(found["loss"], torch_s["loss"], rel_tol=0.05)
            ratio, over = torch_s["ms"] / found["ms"], found["ms"] / limits[way.precision]
            line += f" | {found['ms']:8.3f} {ratio:8.2f}x {over:8.1f}x" + (
                f" loss {found['loss']:.3f}!" if odd else ""
            )
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=16, help="trained fused")
    parser.add_argument("--steps", type=int, default=30, help="of a turn")
    parser.add_argument("--profile", type=int, default=15, help="kernels to list, 0: no profile")
    parser.add_argument("--seconds", type=float, default=340, help="after which no further way is begun")
    parser.add_argument("--worker", choices=("off", "on"), help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments)
        return
    began = time.time()
    shares = {"off": 0.62, "on": 1.0}  # of the time, at the end of each process
    columns: dict[str, Results] = {}
    limits: dict[float, dict[str, float]] = {}
    for benchmark, share in shares.items():
        columns[benchmark], limits = collect(arguments, benchmark, began + share * arguments.seconds)
    on_card = arguments.device.startswith("cuda")
    name = torch.cuda.get_device_name(arguments.device) if on_card else platform.machine()
    for benchmark, results in columns.items():
        for (weight, way), found in results.items():
            if found.get("notes"):
                print(f"\n{way}, contrastive {weight:g}, cudnn.benchmark {benchmark}")
                print("\n".join(f"  {line}" for line in found["notes"]))
    print(f"\n{name}, torch {torch.__version__}, batch {arguments.batch}, width {arguments.width:g}")
    print(
        "left: cuDNN's own choice; right: cudnn.benchmark. torch/it: torch's spectral normalisation over this way"
    )
    for weight, of_objective in limits.items():
        show(weight, columns, of_objective, arguments.seeds)


if __name__ == "__main__":
    main()
