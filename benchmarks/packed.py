"""The speed of trials that train as one stack (`trials_together: packed`), as a ratio to processes that share the card.

    python benchmarks/packed.py [--device cuda] [--trials 16] [--width 0.5] [--seconds 20] [--set KEY=VALUE]

Each trial has its own weight of L_I and its own step size. Apart, one process a trial trains for `--seconds`, all at
once, and the images a second of all of them are added up; the clock runs when all have warmed up. Packed, the same
trials train in this process as one stack. The goals of docs/results.md are for a GPU.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import platform
import time
from multiprocessing.synchronize import Barrier
from typing import Any

import torch

from infogan_bench.config import RunConfig, apply, parse_settings
from infogan_bench.config.load import load_shipped
from infogan_bench.training import PackedTrainer, Trainer
from infogan_bench.training.device import pick_device

STEPS = 25  # of a stretch, between two looks at the clock
GOALS = {"float32": 2.5, "tf32": 4.0}


def run_of(base: RunConfig, number: int) -> RunConfig:
    """The run of a trial."""
    own = {"objective.lambda_cat": 0.5 + 0.1 * number, "optimiser.lr_g": 1e-4 * (1 + number)}
    return apply(base, own)


def trainer_of(base: RunConfig, number: int, device: str) -> Trainer:
    """The trainer of a trial, on images of noise."""
    noise = torch.Generator().manual_seed(0)
    images = torch.randint(256, (10 * base.batch, 1, 28, 28), dtype=torch.uint8, generator=noise)
    return Trainer(run_of(base, number), images.to(device), number, device)


def apart(base: RunConfig, trials: int, device: str, seconds: float) -> float:
    """Images a second of all trials, each in a process of its own."""
    context = mp.get_context("spawn")
    barrier, found = context.Barrier(trials), context.SimpleQueue()
    processes = [
        context.Process(target=_one, args=(base, number, device, seconds, barrier, found))
        for number in range(trials)
    ]
    for process in processes:
        process.start()
    total = sum(found.get() for _ in processes)
    for process in processes:
        process.join()
    return total


def _one(base: RunConfig, number: int, device: str, seconds: float, barrier: Barrier, found: Any) -> None:
    torch.set_num_threads(1)
    trainer = trainer_of(base, number, device)
    trainer.advance(STEPS)
    barrier.wait()
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        trainer.advance(STEPS)
        steps += STEPS
    found.put(steps * base.batch / (time.perf_counter() - began))


def packed(base: RunConfig, trials: int, device: str, seconds: float) -> float:
    """Images a second of all trials, as one stack."""
    trainers = [trainer_of(base, number, device) for number in range(trials)]
    pack = PackedTrainer(trainers[0])
    pack.advance(trainers, STEPS)
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        pack.advance(trainers, STEPS)
        steps += STEPS
    return trials * steps * base.batch / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--width", type=float, default=0.5)
    parser.add_argument("--seconds", type=float, default=20, help="of each of the two")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the base run")
    arguments = parser.parse_args()
    device = pick_device(arguments.device)
    settings = {"architecture.width": arguments.width, "steps": 10**6, **parse_settings(arguments.set)}
    base = apply(load_shipped("mnist").base, settings)
    on_gpu = device.startswith("cuda")
    name = torch.cuda.get_device_name(device) if on_gpu else platform.machine()
    print(f"{name}, torch {torch.__version__}; {arguments.trials} trials of mnist's recipe, {base.precision}")
    each = apart(base, arguments.trials, device, arguments.seconds)
    stack = packed(base, arguments.trials, device, arguments.seconds)
    print(f"apart  {each:9,.0f} images/s\npacked {stack:9,.0f} images/s\nratio  {stack / each:9.2f}")
    goal = GOALS.get(base.precision)
    if not on_gpu:
        print("The goals, 2.5 in float32 and 4 in TF32, are for a GPU: a small network keeps a CPU busy.")
    elif goal is not None:
        print(f"goal   {goal:9.2f}: {'reached' if stack / each >= goal else 'missed'}")


if __name__ == "__main__":
    main()
