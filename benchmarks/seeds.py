"""How fast a trial's seeds train fused (`seeds_together: fused`), as a ratio to one by one, measured in one run.

    python benchmarks/seeds.py [--device cuda] [--width 0.125 0.25] [--replicas 4 16] [--steps 50] [--set KEY=VALUE]

A replica-step is one update of D and one of G of one seed. One by one, R seeds take R times as long as one; fused, the
time is that of an interval of all R, stacking them and putting them back included, over R. The two take turns, and the
best of their turns counts. Both must report the same losses, or nothing is printed. The limit is the step's products at
the rate of a large product of matrices in the run's precision, and Adam's memory traffic at the rate of a copy.
"""

from __future__ import annotations

import argparse
import math
import platform

import torch
from factors import limit

from infogan_bench.config import RunConfig, apply, parse_settings
from infogan_bench.training import FusedTrainer, Trainer, TrainingInterval
from infogan_bench.training.device import pick_device

TURNS = 3
WARM_UP = 3  # steps


def compare(run: RunConfig, replicas: int, steps: int, device: str) -> tuple[float, float, float]:
    """Milliseconds of a replica-step: one by one, fused, and the limit.

    Raises:
        SystemExit: if the two do not report the same.
    """
    images = torch.randint(
        256, (10 * run.batch, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    ).to(device)
    alone = Trainer(run, images, 0, device)
    together = FusedTrainer([Trainer(run, images, seed, device) for seed in range(replicas)])

    def fused(steps: int) -> TrainingInterval:
        first = together.train(steps)[0]
        if not isinstance(first, TrainingInterval):
            raise SystemExit(str(first))
        return first

    expected, found = alone.train(WARM_UP).metrics["loss/d"], fused(WARM_UP).metrics["loss/d"]
    if not math.isclose(expected, found, rel_tol=1e-2):
        raise SystemExit(f"one by one D's loss is {expected}, fused {found}: not the same training")
    turns = [(alone.train(steps).seconds, fused(steps).seconds) for _ in range(TURNS)]
    one, all_ = (1e3 * min(turn[way] for turn in turns) / steps for way in (0, 1))
    return one, all_, limit(run, images, torch.device(device))[run.precision]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto")
    parser.add_argument("--width", type=float, nargs="+", default=[0.0625, 0.125, 0.25])
    parser.add_argument("--replicas", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--steps", type=int, default=50, help="of an interval")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the base run")
    arguments = parser.parse_args()
    device = pick_device(arguments.device)
    base = apply(RunConfig(steps=10**6), parse_settings(arguments.set))
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.machine()
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads; {base.architecture.name}")
    print("\nA replica-step:")
    print(
        f"{'width':>6} {'seeds':>6} {'one by one':>14} {'fused':>14} {'ratio':>7} {'limit':>14} {'fused/limit':>12}"
    )
    for width in arguments.width:
        for replicas in arguments.replicas:
            run = apply(base, {"architecture.width": width})
            one, all_, least = compare(run, replicas, arguments.steps, device)
            print(
                f"{width:6g} {replicas:6} {one:11.2f} ms {all_:11.2f} ms {one / all_:6.2f}x {least:11.3f} ms "
                f"{all_ / least:11.1f}x"
            )


if __name__ == "__main__":
    main()
