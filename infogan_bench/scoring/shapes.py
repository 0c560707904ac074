"""Whether continuous codes slant and thicken what G draws: their correlation with both, measured on its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from infogan_metrics import NotDefinedError, rank_correlation, slant, stroke_width
from numpy.typing import NDArray

from infogan_bench.codes import Latents
from infogan_bench.config.metrics import SHAPE_SCORES
from infogan_bench.datasets import to_uint8
from infogan_bench.networks import Model

N_IMAGES = 1_000
MEASURES = {"slant": slant, "width": stroke_width}  # in the order of SHAPE_SCORES
_BATCH = 500


@dataclass(frozen=True, eq=False)
class ShapeCorrelation:
    """Absolute rank correlation of each continuous code with each measure, within categories."""

    codes: tuple[str, ...]
    correlation: NDArray[np.float64]  # (n_codes, n_measures) in [0, 1]
    n: int  # images with ink, of N_IMAGES
    within: str | None  # the categorical code whose categories are the groups

    def scores(self, names: Sequence[str]) -> dict[str, float]:
        """For each of `names` (of SHAPE_SCORES) the best code's value, and as NAME/CODE that of each code."""
        values: dict[str, float] = {}
        for name in names:
            column = self.correlation[:, SHAPE_SCORES.index(name)].tolist()
            values[name] = max(column)
            values |= {f"{name}/{code}": value for code, value in zip(self.codes, column, strict=True)}
        return values


def shape_correlation(model: Model, *, seed: int = 0) -> ShapeCorrelation:
    """Measure N_IMAGES images of random latents, as they would be saved.

    What a category is (which digit) slants and thickens too, so codes are compared within the categories of the code
    that is scored. Neither labels nor factors are used. Equal seeds give equal latents.

    Raises:
        NotDefinedError: if there is no continuous code, the images have colours, or there is no ink on them.
    """
    codes = model.codes
    if not codes.continuous:
        raise NotDefinedError("there is no continuous code")
    latents = codes.sample(N_IMAGES, torch.Generator(model.device).manual_seed(seed))
    parts = zip(*(torch.split(part, _BATCH) for part in latents), strict=True)
    images = torch.cat([to_uint8(model.generate(Latents(*part))).cpu() for part in parts])
    if images.shape[1] != 1:
        raise NotDefinedError(f"the images have {images.shape[1]} channels")
    measures = np.column_stack([measure(images[:, 0].numpy()) for measure in MEASURES.values()])
    inked = np.isfinite(measures).all(axis=1)
    if not inked.any():
        raise NotDefinedError("no generated image has ink")
    groups = None
    if codes.scored is not None:
        groups = latents.categories[:, codes.categorical.index(codes.scored)].cpu().numpy()[inked]
    return ShapeCorrelation(
        codes=tuple(code.name for code in codes.continuous),
        correlation=rank_correlation(latents.continuous.cpu().numpy()[inked], measures[inked], groups),
        n=int(inked.sum()),
        within=None if codes.scored is None else codes.scored.name,
    )
