"""How fast a training step is: ours, a plain one, and what the arithmetic alone would take, all in one run.

    python benchmarks/train.py [--width 1.0] [--steps 10] [--rounds 5] [--threads 2] [--device cpu] [--seeds 1]

Plain means: benchmarks/plain_infogan.py, the same step (tests/training/test_gradients.py) as public ports write it.
The limit is the step's floating-point operations at the rate of a float32 matrix product, and the memory traffic of
Adam at the rate of a copy. Every round times all of them one after another, so that whatever else the machine does
falls on all, and ratios are taken within a round. Shown are medians and quartiles over the rounds. Ours pays once a
round for the check that all weights are finite, as in training once an interval. The machine must have nothing else
to do.

With `--seeds N`, N seeds stacked into one trainer are timed as well, by the step of one seed; on a GPU, ours in TF32
and in bf16.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from plain_infogan import PlainInfoGAN
from torch.utils.flop_counter import FlopCounterMode

from infogan_bench.config import ArchitectureConfig, DatasetConfig, RunConfig
from infogan_bench.datasets import load_dataset
from infogan_bench.training import Trainer
from infogan_bench.training.device import arithmetic
from infogan_bench.training.fused import FusedTrainer

ADAM_ACCESSES = 7  # reads of weight, gradient and both moments, writes of all but the gradient

Times = NDArray[np.float64]


def seconds(function: Callable[[], object], device: torch.device) -> float:
    """Wall time of a call, on a GPU until its last kernel has ended."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def count_flops(trainer: Trainer) -> int:
    """Floating-point operations of the matrix products and convolutions of one update."""
    with FlopCounterMode(display=False) as counter:
        trainer.train(1)
    return int(counter.get_total_flops())


def matrix_product(device: torch.device) -> tuple[Callable[[], object], int]:
    """A square float32 matrix product that keeps `device` busy for a while, and its operations."""
    n = 2048 if device.type == "cpu" else 8192
    a, b, out = (torch.randn(n, n, device=device) for _ in range(3))
    return lambda: torch.mm(a, b, out=out), 2 * n**3


def adam_traffic(trainer: Trainer) -> tuple[Callable[[], object], int]:
    """A copy that reads and writes as many bytes as Adam does in one update of all weights, and that number."""
    n = sum(p.numel() for p in trainer.model.networks.parameters()) * ADAM_ACCESSES // 2
    source, target = (torch.ones(n, device=trainer.device) for _ in range(2))
    return lambda: target.copy_(source), 2 * source.nbytes


def show(name: str, values: Times, unit: str, goal: str = "") -> None:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    print(f"{name:<28}{median:9.2f}{unit:<3}  ({low:.2f} to {high:.2f}){goal}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--width", type=float, default=1.0, help="multiplier of all channel counts")
    parser.add_argument("--steps", type=int, default=10, help="steps of each in a round")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds, after one that is not")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="torch's, on the CPU")
    parser.add_argument("--device", type=torch.device, default="cpu", help="cpu or cuda")
    parser.add_argument("--seeds", type=int, default=1, help="seeds trained together")
    arguments = parser.parse_args()
    device, steps, seeds = arguments.device, arguments.steps, arguments.seeds
    torch.set_num_threads(arguments.threads)

    run = RunConfig(architecture=ArchitectureConfig(width=arguments.width))
    images = load_dataset(DatasetConfig()).train_images
    trainer = Trainer(run, images, seed=0, device=device)
    plain = PlainInfoGAN(images, arguments.width, run.batch, device)
    flops = count_flops(trainer)
    product, product_flops = matrix_product(device)
    copy, copy_bytes = adam_traffic(trainer)

    timed: dict[str, Callable[[], object]] = {
        "ours": lambda: trainer.train(steps),
        "plain": lambda: plain.train(steps),
        "product": product,
        "copy": copy,
    }
    if device.type == "cuda":
        for precision in ("tf32", "bf16"):
            rough = Trainer(run.model_copy(update={"precision": precision}), images, seed=0, device=device)
            timed[f"ours, {precision}"] = partial(rough.train, steps)
    if seeds > 1:
        fused = FusedTrainer([Trainer(run, images, seed, device) for seed in range(seeds)])
        timed[f"ours, {seeds} seeds at once"] = lambda: fused.train(steps)
    with arithmetic("float32"):  # the plain one and the product too
        rounds = [
            {name: seconds(function, device) for name, function in timed.items()}
            for _ in range(1 + arguments.rounds)
        ][1:]
    times: dict[str, Times] = {name: np.array([each[name] for each in rounds]) for name in timed}
    product_s, copy_s = times.pop("product"), times.pop("copy")
    ms = {name: 1e3 * total / steps for name, total in times.items()}
    if seeds > 1:
        ms[f"ours, {seeds} seeds at once"] /= seeds
    products = 1e3 * flops / product_flops * product_s
    adam = 1e3 * copy_s
    limit = products + adam

    where = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    print(
        f"{where}, {arguments.threads} threads, torch {torch.__version__}, width {arguments.width}, batch {run.batch}"
    )
    print(f"{arguments.rounds} rounds of {steps} steps; a step has {flops / 1e9:.1f} GFLOP\n")
    for name, values in ms.items():
        show(f"{name}, a step", values, " ms")
    show("limit, a step", limit, " ms")
    show("  products", products, " ms", f"  at {np.median(product_flops / product_s) / 1e9:.0f} GFLOP/s")
    show("  Adam", adam, " ms", f"  at {np.median(copy_bytes / copy_s) / 1e9:.0f} GB/s")
    print()
    for name, values in ms.items():
        if name != "plain":
            show(f"plain / {name}", ms["plain"] / values, "x")
    show("ours / limit", ms["ours"] / limit, "x")


if __name__ == "__main__":
    main()
