"""Samples of a trained generator, and traversals of its codes."""

from __future__ import annotations

from pathlib import Path

import torch

from infogan_bench.codes import Code, LatentCodes, Latents
from infogan_bench.datasets import to_uint8
from infogan_bench.networks import Model
from infogan_bench.pictures.grid import write_grid

_TRAVERSAL_POINTS = 10
_TRAVERSAL_ROWS = 8
_SAMPLES_SIDE = 10


def write_pictures(model: Model, folder: Path, *, seed: int = 0) -> dict[str, list[float]]:
    """Write `samples.png` and `traversal-CODE.png` of each code; the same latents for equal `seed`.

    Returns:
        {name of a code: its values in the picture of its traversal, from left to right}.
    """
    generator = torch.Generator(model.device).manual_seed(seed)
    _write_grid(model, model.codes.sample(_SAMPLES_SIDE**2, generator), _SAMPLES_SIDE, folder / "samples.png")
    values = {}
    for code in model.codes.all:
        generator.manual_seed(seed)
        latents = traversal_latents(model.codes, code, generator)
        _write_grid(model, latents, len(latents.z) // _TRAVERSAL_ROWS, folder / f"traversal-{code.name}.png")
        values[code.name] = model.codes.traversal(code, _TRAVERSAL_POINTS).tolist()
    return values


def traversal_latents(
    codes: LatentCodes,
    code: Code,
    generator: torch.Generator,
    *,
    points: int = _TRAVERSAL_POINTS,
    rows: int = _TRAVERSAL_ROWS,
) -> Latents:
    """Return latents that show the effect of `code`: `rows` latents, each at every value of `codes.traversal`.

    Args:
        codes: the distribution of the latents.
        code: the one that changes from column to column.
        generator: draws the latents.
        points: values of a continuous code.
        rows: latents.

    Returns:
        Row after row, (rows * values) latents on the generator's device. Where there are categories, a row of a
        continuous code has a category of its own, as in figure 2 of the InfoGAN paper.
    """
    values = codes.traversal(code, points).to(generator.device)
    latents = codes.sample(rows, generator)
    if codes.categorical and code.kind != "categorical":
        shown = codes.categorical[0]
        latents = codes.with_value(latents, shown, torch.arange(rows) % shown.size)
    repeated = Latents(*(part.repeat_interleave(len(values), dim=0) for part in latents))
    return codes.with_value(repeated, code, values.repeat(rows))


def _write_grid(model: Model, latents: Latents, columns: int, path: Path) -> None:
    write_grid(to_uint8(model.generate(latents)), columns, path, gap=1, around=128)
