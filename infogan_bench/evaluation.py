"""A trained InfoGAN and a dataset in; scores, pictures and the numbers behind them out."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import infogan_metrics
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn
from torchvision.utils import make_grid, save_image

from infogan_bench.codes import Code, Latents, Posterior
from infogan_bench.datasets import ImageDataset, to_float
from infogan_bench.networks import InfoGAN

_BATCH = 500
_CALIBRATION_IMAGES = 5_000
_TRAVERSAL_POINTS = 10
_TRAVERSAL_ROWS = 8
_SAMPLES_SIDE = 10


@dataclass(frozen=True)
class Evaluation:
    """Scores by name (only those that are defined), and the confusion of the scored code with the labels."""

    scores: dict[str, float]
    confusion: infogan_metrics.Confusion | None


def encode(model: InfoGAN, images: Tensor, calibration: Tensor, batch: int = _BATCH) -> Posterior:
    """Q(c|x) of uint8 images (N, C, H, W); the same for any batch size.

    D's running statistics blend real and fake batches, and reading real images with them costs accuracy, so
    BatchNorm's statistics are first estimated on `calibration`, real training images (uint8), in a copy that
    training never sees.
    """
    encoder = nn.Sequential(copy.deepcopy(model.networks.trunk), copy.deepcopy(model.networks.Q_head))
    encoder.requires_grad_(False)
    parts = torch.split(calibration[:_CALIBRATION_IMAGES].to(model.device), _BATCH)
    update_bn((to_float(part) for part in parts if len(part) > 1), encoder)
    encoder.eval()
    with torch.no_grad():
        outputs = [encoder(to_float(part.to(model.device))) for part in torch.split(images, batch)]
    return model.codes.split(torch.cat(outputs).cpu())


def evaluate(model: InfoGAN, dataset: ImageDataset, scores: Sequence[str]) -> Evaluation:
    """Score Q's categorical posterior on the test set. Without a categorical code no score is defined."""
    scored = model.codes.scored
    if scored is None:
        return Evaluation({}, None)
    posterior = encode(model, dataset.test_images, dataset.train_images)
    assignments = posterior.logits[model.codes.categorical.index(scored)].argmax(dim=1).numpy()
    labels = dataset.test_labels.numpy()
    values = {name: float(infogan_metrics.METRICS[name].function(assignments, labels)) for name in scores}
    return Evaluation(values, infogan_metrics.confusion(assignments, labels))


def write_pictures(model: InfoGAN, folder: Path, *, seed: int = 0) -> None:
    """Write `samples.png` and `traversal-CODE.png` of each code; the same latents for equal `seed`."""
    generator = torch.Generator(model.device).manual_seed(seed)
    _write_grid(model, model.codes.sample(_SAMPLES_SIDE**2, generator), _SAMPLES_SIDE, folder / "samples.png")
    for code in model.codes.all:
        generator.manual_seed(seed)
        values = model.codes.traversal(code, _TRAVERSAL_POINTS)
        latents = model.codes.sample(_TRAVERSAL_ROWS, generator)
        if (
            model.codes.categorical and code.kind != "categorical"
        ):  # one category a row, as in the paper's figure 2
            first = model.codes.categorical[0]
            latents = model.codes.with_value(latents, first, torch.arange(_TRAVERSAL_ROWS) % first.size)
        repeated = Latents(*(part.repeat_interleave(len(values), dim=0) for part in latents))
        varied = model.codes.with_value(repeated, code, values.repeat(_TRAVERSAL_ROWS).to(model.device))
        _write_grid(model, varied, len(values), folder / f"traversal-{code.name}.png")


def _write_grid(model: InfoGAN, latents: Latents, columns: int, path: Path) -> None:
    images = model.generate(latents)
    grid = make_grid(images, nrow=columns, padding=1, normalize=True, value_range=(-1, 1), pad_value=0.5)
    save_image(grid, path)


def write_evaluation(
    model: InfoGAN,
    dataset: ImageDataset,
    evaluation: Evaluation,
    *,
    step: int,
    metrics: Mapping[str, float],
    path: Path,
) -> None:
    """Write `evaluation.json` (its layout stands in docs/architecture.md)."""
    document = {
        "step": step,
        "scores": {name: value for name, value in metrics.items() if math.isfinite(value)},
        "codes": [_describe(model, code, metrics) for code in model.codes.all],
        "confusion": _confusion(model, dataset, evaluation),
    }
    path.write_text(json.dumps(document, indent=1))


def _describe(model: InfoGAN, code: Code, metrics: Mapping[str, float]) -> dict[str, Any]:
    return {
        "name": code.name,
        "kind": code.kind,
        "size": code.size,
        "entropy": code.entropy,
        "mi_bound": metrics.get(f"L_I/{code.name}"),
        "traversal": [round(value, 4) for value in model.codes.traversal(code, _TRAVERSAL_POINTS).tolist()],
    }


def _confusion(model: InfoGAN, dataset: ImageDataset, evaluation: Evaluation) -> dict[str, Any] | None:
    """Counts of every category (also those that Q never chooses) against every class."""
    confusion, scored = evaluation.confusion, model.codes.scored
    if confusion is None or scored is None:
        return None
    counts = [[0] * len(dataset.class_names) for _ in range(scored.size)]
    match: list[int | None] = [None] * scored.size
    for category, row, matched in zip(confusion.clusters, confusion.counts, confusion.match, strict=True):
        match[category] = None if matched is None else int(confusion.classes[matched])
        for label, count in zip(confusion.classes, row, strict=True):
            counts[category][label] = int(count)
    return {"code": scored.name, "classes": list(dataset.class_names), "counts": counts, "match": match}
