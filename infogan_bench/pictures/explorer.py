"""The latent explorer's pictures: G's images on a grid of codes and noises, packed into one sheet."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from infogan_bench.codes import Code, LatentCodes, Latents
from infogan_bench.datasets import to_uint8
from infogan_bench.networks import Model
from infogan_bench.records import ExplorerRecord, PlaneRecord, SeedPaths, write_explorer_record, write_whole

_STEPS = 9  # values of a continuous code
_NOISES = 8
_MAX_CATEGORIES = 100
_MAX_PLANES = 12
_MAX_TILES = 13_000  # 20 categories x 9 x 9 values x 8 noises
_MAX_PIXELS = 54_000_000  # the same for images of 64 x 64 pixels
_MAX_SHEET = 27_000_000  # pixels; a browser unpacks them to 4 bytes each
_MAX_BYTES = 900_000  # a report of at most 10 MB carries up to three sheets, a third larger in base64
_BATCH = 500
_GREYS = (32, 16)  # levels that greys are rounded to
_QUALITIES = (80, 60, 40)  # of WebP with loss


@dataclass(frozen=True)
class _Plane:
    """The codes that are varied together (two, one or none) and their values; all other codes are fixed."""

    codes: tuple[Code, ...]
    values: tuple[Tensor, ...]

    @property
    def n_tiles(self) -> int:
        return math.prod(map(len, self.values))


@dataclass(frozen=True)
class _Grid:
    """The tiles to draw: for each category of the scored code and each noise, the tiles of all planes."""

    planes: tuple[_Plane, ...]
    n_categories: int  # 1 where there is no categorical code
    n_noises: int

    @property
    def n_tiles(self) -> int:
        return self.n_categories * self.n_noises * sum(plane.n_tiles for plane in self.planes)


@dataclass(frozen=True)
class _Packed:
    """A sheet as it is written."""

    content: bytes  # WebP
    tile: tuple[int, int]  # height, width in pixels
    encoding: str  # in words


def write_explorer(model: Model, folder: Path, *, seed: int = 0, reason: str = "") -> None:
    """Write `explorer.webp`, a sheet of G's images, and `explorer.json`, which says what each tile shows.

    A tile is an image of G. It has a category of the scored code, one of a few noises, and values of the codes of
    one plane: the first two continuous codes, then every further code by itself. Codes that a plane does not vary
    are 0: the middle of a continuous code, the first category of a categorical one. docs/architecture.md describes
    the layout.

    Args:
        seed: of the noises; equal latents for equal seeds.
        reason: why the page shows pictures and does not run G.
    """
    noises = model.codes.sample(_NOISES, torch.Generator(model.device).manual_seed(seed)).z
    at_zero = _settings(model.codes, _Plane((), ()), model.device)
    height, width = model.generate(at_zero._replace(z=noises[:1])).shape[-2:]
    grid = _grid(model.codes, max_tiles=min(_MAX_TILES, _MAX_PIXELS // (height * width)))
    latents = _latents(model.codes, grid, noises)
    batches = (
        Latents(*parts) for parts in zip(*(torch.split(part, _BATCH) for part in latents), strict=True)
    )
    tiles = torch.cat([to_uint8(model.generate(batch)).cpu() for batch in batches])
    columns = math.ceil(math.sqrt(len(tiles)))
    packed = _pack(tiles, columns)
    write_whole(SeedPaths(folder).explorer_sheet, packed.content)
    record = ExplorerRecord(
        tile=packed.tile,
        columns=columns,
        category=model.codes.scored.name if model.codes.scored else None,
        n_categories=grid.n_categories,
        n_noises=grid.n_noises,
        planes=tuple(map(_describe, grid.planes)),
        encoding=packed.encoding,
        reason=reason,
    )
    write_explorer_record(folder, record)


def _grid(codes: LatentCodes, *, max_tiles: int) -> _Grid:
    """The whole grid if it has at most `max_tiles` tiles; else one with fewer noises, then fewer categories."""
    planes = _planes(codes)
    per_setting = sum(plane.n_tiles for plane in planes)
    size = min(codes.scored.size, _MAX_CATEGORIES) if codes.scored else 1
    n_categories = max(1, min(size, max_tiles // per_setting))
    n_noises = max(1, min(_NOISES, max_tiles // (per_setting * n_categories)))
    return _Grid(planes, n_categories, n_noises)


def _planes(codes: LatentCodes) -> tuple[_Plane, ...]:
    others = [code for code in codes.categorical if code is not codes.scored]
    together = [codes.continuous[:2], *((code,) for code in (*codes.continuous[2:], *others))]
    groups = [group for group in together if group][:_MAX_PLANES] or [()]
    return tuple(
        _Plane(group, tuple(codes.traversal(code, _STEPS)[:_MAX_CATEGORIES] for code in group))
        for group in groups
    )


def _describe(plane: _Plane) -> PlaneRecord:
    return PlaneRecord(
        codes=tuple(code.name for code in plane.codes),
        values=tuple(tuple(round(value, 4) for value in values.tolist()) for values in plane.values),
    )


def _settings(codes: LatentCodes, plane: _Plane, device: torch.device) -> Latents:
    """The codes of a plane's tiles, the last code varying fastest, at the first category and without noise."""
    n = plane.n_tiles
    latents = Latents(
        torch.empty(n, 0, device=device),
        torch.zeros(n, len(codes.categorical), dtype=torch.int64, device=device),
        torch.zeros(n, len(codes.continuous), device=device),
    )
    points = torch.tensor(
        list(itertools.product(*(values.tolist() for values in plane.values)))
    )  # (n, codes)
    for column, code in zip(points.unbind(1), plane.codes, strict=True):
        latents = codes.with_value(latents, code, column.to(device))
    return latents


def _latents(codes: LatentCodes, grid: _Grid, noises: Tensor) -> Latents:
    """A row for each tile: by category, then noise, then plane, then the plane's values."""
    planes = [_settings(codes, plane, noises.device) for plane in grid.planes]
    settings = Latents(*(torch.cat(parts) for parts in zip(*planes, strict=True)))
    repeats = grid.n_categories * grid.n_noises
    latents = Latents(
        noises[: grid.n_noises].repeat_interleave(len(settings.z), dim=0).repeat(grid.n_categories, 1),
        settings.categories.repeat(repeats, 1),
        settings.continuous.repeat(repeats, 1),
    )
    if codes.scored is None:
        return latents
    category = torch.arange(grid.n_categories, device=noises.device)
    return codes.with_value(
        latents, codes.scored, category.repeat_interleave(grid.n_tiles // grid.n_categories)
    )


def _sheet(tiles: Tensor, columns: int) -> Tensor:
    """uint8 tiles (n, C, H, W) row by row on one picture (rows * H, columns * W, C); what is left over is black."""
    n, channels, height, width = tiles.shape
    rows = math.ceil(n / columns)
    padded = torch.cat([tiles, tiles.new_zeros(rows * columns - n, channels, height, width)])
    placed = padded.view(rows, columns, channels, height, width).permute(0, 3, 1, 4, 2)
    return placed.reshape(rows * height, columns * width, channels)


def _pack(tiles: Tensor, columns: int) -> _Packed:
    """The sheet of `tiles` as WebP, with the best quality in `_MAX_BYTES`: at full size, else at half the size.

    Greys are rounded to few levels and packed without loss. Colour, and what would be too large, is packed with
    loss. 6,480 MNIST images of a trained model take 1.6 MB at 32 greys and 1.0 MB at 16.
    """
    if len(tiles) * math.prod(tiles.shape[-2:]) <= _MAX_SHEET:
        for content, encoding in _encodings(_sheet(tiles, columns)):
            if len(content) <= _MAX_BYTES:
                return _Packed(content, (tiles.shape[-2], tiles.shape[-1]), encoding)
    half = _halved(tiles)
    for content, encoding in _encodings(_sheet(half, columns)):
        packed = _Packed(content, (half.shape[-2], half.shape[-1]), f"{encoding}, at half their size")
        if len(content) <= _MAX_BYTES:
            break
    return packed


def _halved(tiles: Tensor) -> Tensor:
    """`tiles` at half their height and width, rounded up: means over 2 x 2 pixels."""
    size = (-(-tiles.shape[-2] // 2), -(-tiles.shape[-1] // 2))
    batches = (functional.adaptive_avg_pool2d(batch.float(), size) for batch in torch.split(tiles, _BATCH))
    return torch.cat([batch.round().to(torch.uint8) for batch in batches])


def _encodings(sheet: Tensor) -> Iterator[tuple[bytes, str]]:
    """`sheet` as WebP and how it was packed, in words: the most faithful and largest first."""
    if sheet.shape[-1] == 1:
        sheet = sheet[..., 0]
        for levels in _GREYS:
            step = 255 / (levels - 1)
            rounded = ((sheet / step).round() * step).round().to(torch.uint8)
            yield _webp(rounded, lossless=True, quality=20, method=0), f"rounded to {levels} greys"
    for quality in _QUALITIES:
        yield _webp(sheet, quality=quality, method=2), f"compressed with loss (WebP, quality {quality})"


def _webp(pixels: Tensor, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(buffer, format="WEBP", **options)
    return buffer.getvalue()
