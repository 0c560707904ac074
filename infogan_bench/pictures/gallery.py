"""Real test images, sorted by Q's category: the most confident ones of each category, and the worst mistakes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from infogan_bench.datasets import ImageDataset
from infogan_bench.pictures.grid import write_grid
from infogan_bench.records import GalleryImage, GalleryRecord, SeedPaths, write_gallery_record
from infogan_bench.scoring.evaluation import Evaluation

_COLUMNS = 12
_MISTAKES = 24
_MAX_CATEGORIES = 100


def write_gallery(dataset: ImageDataset, evaluation: Evaluation, folder: Path) -> None:
    """Write `categories.png` and `categories.json` (docs/architecture.md), unless no code is categorical.

    The picture has the 12 test images that Q puts into each category of `evaluation.shown` with the highest
    probability. With labels, it also has the 24 worst mistakes: images whose class is not the one matched with their
    category, the highest probability first.
    """
    code, probabilities = evaluation.shown, evaluation.probabilities
    if code is None or probabilities is None:
        return
    confidence, category = probabilities.max(dim=1)
    order = confidence.argsort(descending=True, stable=True)
    best = [order[category[order] == k][:_COLUMNS] for k in range(min(code.size, _MAX_CATEGORIES))]
    shown = torch.cat(best)
    mistakes = order[_is_mistake(dataset, evaluation, category)[order]][:_MISTAKES]
    chosen = torch.cat([shown, mistakes])
    write_grid(dataset.test_images[chosen], _COLUMNS, SeedPaths(folder).gallery_sheet)
    entries = tuple(_describe(dataset, int(i), int(category[i]), float(confidence[i])) for i in chosen)
    record = GalleryRecord(
        code=code.name,
        tile=(dataset.image_shape[1], dataset.image_shape[2]),
        columns=_COLUMNS,
        images=entries[: len(shown)],
        mistakes=entries[len(shown) :],
    )
    write_gallery_record(folder, record)


def _is_mistake(dataset: ImageDataset, evaluation: Evaluation, category: Tensor) -> Tensor:
    """(n_test,) bool: whether the label is another than the class that the image's category is matched with."""
    found, labels = evaluation.confusion, dataset.test_labels
    if found is None or labels is None:
        return torch.zeros_like(category, dtype=torch.bool)
    match = labels.new_full((int(category.max()) + 1,), -1)
    for cluster, column in zip(found.clusters, found.match, strict=True):
        if column is not None:
            match[cluster] = int(found.classes[column])
    return (match[category] >= 0) & (match[category] != labels)


def _describe(dataset: ImageDataset, image: int, category: int, confidence: float) -> GalleryImage:
    label = None if dataset.test_labels is None else int(dataset.test_labels[image])
    return GalleryImage(image, category, label, round(confidence, 4))
