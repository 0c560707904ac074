"""A contact sheet of a data set: a row of images for each class, or for each factor in the order of its values."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from infogan_bench.datasets import Factors, ImageDataset

_COLUMNS = 12
_MAX_ROWS = 60  # of classes or factors
_UNLABELLED_ROWS = 8
_TILE = 64  # pixels; smaller images are enlarged to it by whole factors
_GAP = 4
_NAMES = 190  # pixels, the width of the column of names
_TEXT = 14  # pixels, the height of a line of text
_INK, _PAPER = (32, 32, 32), (255, 255, 255)


class _Row(NamedTuple):
    name: str
    images: Tensor  # places in the test set
    captions: list[str]  # of each image; none: []


def write_contact_sheet(dataset: ImageDataset, heading: str, path: Path) -> None:
    """Write a PNG of test images.

    With labels it has a row for each class. With factors it has a row for each factor, in which the factor's value
    rises from left to right, below each image. The value is that of the row alone; all other factors differ.

    Args:
        dataset: the images.
        heading: a line above them.
        path: the file.
    """
    rows = _rows(dataset)
    _, height, width = dataset.image_shape
    scale = max(1, _TILE // max(height, width))
    step_x = width * scale + _GAP
    step_y = height * scale + _GAP + (_TEXT if any(row.captions for row in rows) else 0)
    top = 2 * _TEXT
    size = (_NAMES + _COLUMNS * step_x, top + len(rows) * step_y)
    sheet = Image.new("RGB", size, _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    pen.text((_GAP, _GAP), heading, _INK, font)
    for number, row in enumerate(rows):
        y = top + number * step_y
        pen.text((_GAP, y + _GAP), row.name, _INK, font)
        for column, place in enumerate(row.images.tolist()):
            x = _NAMES + column * step_x
            sheet.paste(_picture(dataset.test_images[place], scale), (x, y))
            if row.captions:
                pen.text((x, y + height * scale), row.captions[column], _INK, font)
    sheet.save(path, format="PNG")


def _picture(image: Tensor, scale: int) -> Image.Image:
    """Return a uint8 image (C, H, W), C being 1 or 3, enlarged by a whole factor, each pixel as a square."""
    pixels = image.permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def _rows(dataset: ImageDataset) -> list[_Row]:
    if dataset.factors is not None:
        factors = dataset.factors
        return [_by_factor(factors, k) for k in range(min(len(factors.names), _MAX_ROWS))]
    if dataset.test_labels is not None:
        labels = dataset.test_labels
        places = [(labels == k).nonzero().flatten()[:_COLUMNS] for k in range(len(dataset.class_names))]
        return [_Row(n, p, []) for n, p in zip(dataset.class_names, places, strict=True) if len(p)][
            :_MAX_ROWS
        ]
    first = torch.arange(min(len(dataset.test_images), _COLUMNS * _UNLABELLED_ROWS))
    return [_Row("", places, []) for places in torch.split(first, _COLUMNS)]


def _by_factor(factors: Factors, k: int) -> _Row:
    """Choose images whose values are spread evenly over the values that there are; of few values, several of each."""
    values, size, kind, span = factors.test[:, k], factors.sizes[k], factors.kinds[k], factors.ranges[k]
    different = torch.unique(values)
    spread = torch.linspace(0, len(different) - 1, min(len(different), _COLUMNS)).round().long()
    each = _COLUMNS // len(spread)
    with_value = [(values == value).nonzero().flatten() for value in different[spread]]
    places = torch.cat(
        [torch.roll(found, -k * each)[:each] for found in with_value]
    )  # not the same ones in each row
    extent = f"{size} values" if size is not None else kind.name
    if span is not None:
        extent = f"{span.low:g} to {span.high:g} {span.unit}".rstrip()
    return _Row(
        f"{factors.names[k]} ({extent})", places, [f"{value:.3g}" for value in values[places].tolist()]
    )
