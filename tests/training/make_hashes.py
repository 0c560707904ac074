"""Hashes of what training computes, to be compared bit for bit with those of an earlier version.

    python tests/training/make_hashes.py RUNS.json          prints the hashes of the runs in RUNS.json, as JSON
    python tests/training/make_hashes.py --runs RUNS.json   first writes RUNS.json anew, from the sweeps that ship

The environment variables that `ENVIRONMENT` names have to be set before Python starts: they hold torch to arithmetic
that every x86-64 processor has. The canary is a hash of plain torch operations: where it differs, so may all else, and
a comparison says nothing about this package.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from infogan_bench.config import RunConfig, apply, get_value, load_shipped, shipped_sweeps
from infogan_bench.errors import InputError
from infogan_bench.training import FusedTrainer, Trainer

ENVIRONMENT = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
STEPS = 6
SEEDS = (3, 4)
_SMALL = {"batch": 8, "steps": 8}  # the six updates end within the decay of the step sizes
_EVERY_TERM = {
    "codes": {"categorical": [10, 4], "uniform": 1, "gaussian": 2, "noise": 8, "noise_distribution": "normal"},
    "architecture": {"name": "paper", "width": 0.125},
    "objective": {
        "lambda_cat": 0.8, "lambda_cont": 0.3, "fixed_std": False,
        "transform": {"rotation": 15, "scale": 0.15, "shear": 0.25, "shift": 3, "share": 0.5},
        "consistency": 0.7, "balance": 0.3, "vat": 0.6, "vat_radius": 1.5, "contrastive": 0.4, "instance_noise": 0.1,
    },
    "optimiser": {"ema": 0.9, "decay": 0.5},
}  # fmt: skip
_VARIANTS: dict[str, dict[str, Any]] = {
    "every-term": {},
    "every-term-mlp": {"architecture.name": "mlp"},
    "every-term-whole-batch": {"objective.transform.share": 1.0},
    "every-term-spectral": {"architecture.spectral_norm": True},
    "every-term-r1": {"objective.r1": 2.0},
    "every-term-lambda-cat-0": {"objective.lambda_cat": 0.0},
    "every-term-lambda-0": {"objective.lambda_cat": 0.0, "objective.lambda_cont": 0.0},
    "consistency-alone": {
        f"objective.{name}": 0.0 for name in ("balance", "vat", "contrastive", "instance_noise")
    },
    "vat-alone": {
        "objective.transform.rotation": 0.0, "objective.transform.scale": 0.0, "objective.transform.shear": 0.0,
        "objective.transform.shift": 0.0, "objective.consistency": 0.0, "objective.balance": 0.0,
        "objective.contrastive": 0.0, "objective.instance_noise": 0.0,
    },
    "balance-r1": {
        "objective.consistency": 0.0, "objective.vat": 0.0, "objective.contrastive": 0.0, "objective.r1": 1.0,
    },
}  # fmt: skip


def runs() -> dict[str, dict[str, Any]]:
    """Every run to be hashed: those of the sweeps that ship, made small, and some with many terms on."""
    found: dict[str, dict[str, Any]] = {}
    for sweep, name, run in _shipped():
        shape = [1, 64, 64] if sweep == "sprites" else [1, 28, 28]
        document = {"run": run.model_dump(mode="json"), "image_shape": shape}
        if document not in found.values():
            found[name] = document
    base = apply(RunConfig.model_validate(_EVERY_TERM), _SMALL)
    for name, params in _VARIANTS.items():
        found[name] = {"run": apply(base, params).model_dump(mode="json"), "image_shape": [1, 28, 28]}
    return found


def _shipped() -> Iterator[tuple[str, str, RunConfig]]:
    """The base run of each sweep that ships, and the base run with one value, not its own, of each domain."""
    for name in shipped_sweeps():
        sweep = load_shipped(name)
        base = apply(sweep.base, {**_SMALL, "architecture.width": 0.125})
        yield name, name, base
        for key, domain in sweep.space.items():
            value = next(each for each in domain.probes() if each != get_value(sweep.base, key))
            yield name, f"{name} {key}={value}", apply(base, {key: value})


def hashes(document: Mapping[str, Any]) -> dict[str, Any]:
    """The state and the metrics of a run after six updates, alone and fused; `fused` is None where it cannot be."""
    run = RunConfig.model_validate(document["run"])
    images = _images(tuple(document["image_shape"]))
    alone = Trainer(run, images, SEEDS[0])
    metrics = dict(alone.train(STEPS).metrics)
    found: dict[str, Any] = {"single": _hash([alone.state()]), "metrics": metrics, "fused": None}
    try:
        fused = FusedTrainer([Trainer(run, images, seed) for seed in SEEDS])
    except InputError:
        return found
    fused.train(STEPS)
    return found | {"fused": _hash([trainer.state() for trainer in fused.trainers])}


def _images(shape: tuple[int, int, int]) -> Tensor:
    """24 grey images with bright blocks, so that neither noise nor a constant is learned."""
    generator = torch.Generator().manual_seed(0)
    channels, height, width = shape
    coarse = torch.randint(
        256, (24, channels, height // 4, width // 4), generator=generator, dtype=torch.uint8
    )
    return coarse.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)


def _hash(states: list[dict[str, Tensor]]) -> str:
    digest = hashlib.sha256()
    for state in states:
        for name in sorted(state):
            tensor = state[name].detach().contiguous().cpu()
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()[:24]


def canary() -> str:
    """A hash of the torch operations that training is made of, none of them called through this package."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    images, weight = normal(12, 8, 14, 14), normal(16, 8, 4, 4).requires_grad_()
    rows, matrix = normal(24, 200), normal(200, 128).requires_grad_()
    maps = F.conv2d(images.contiguous(memory_format=torch.channels_last), weight, stride=2, padding=1)
    up = F.conv_transpose2d(maps, normal(16, 8, 4, 4), stride=2, padding=1)
    normed = F.batch_norm(rows @ matrix, None, None, training=True)
    warped = F.grid_sample(images, normal(12, 14, 14, 2), align_corners=False)
    loss = (
        F.softplus(up).mean()
        + normed.exp().mean()
        + F.cross_entropy(normed, torch.arange(24))
        + maps.tanh().mean()
    )
    gradients = torch.autograd.grad(loss, [weight, matrix])
    stacked = torch.bmm(normal(2, 24, 200), normal(2, 200, 128))
    adam = gradients[1] / (gradients[1].square().lerp(torch.ones(200, 128), 0.25).sqrt() + 1e-8)
    trigonometric = rows.sin() + rows.cos() + rows.sigmoid().log() + torch.linspace(0.1, 1, 200).pow(0.9)
    tensors = [
        loss,
        *gradients,
        up,
        warped,
        stacked,
        adam,
        trigonometric,
        torch.rand(50, generator=generator),
    ]
    return _hash([{str(index): tensor for index, tensor in enumerate(tensors)}])


def main() -> None:
    """Print the canary and the hashes of all runs of a file."""
    torch.set_num_threads(1)
    path = Path(sys.argv[-1])
    if "--runs" in sys.argv:
        path.write_text(json.dumps(runs(), indent=1))
    documents = json.loads(path.read_text())
    found = {name: hashes(document) for name, document in documents.items()}
    print(json.dumps({"canary": canary(), "runs": found}))


if __name__ == "__main__":
    main()
