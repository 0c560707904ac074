"""The confusion matrix of a trained model as a picture, since MLflow shows pictures in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from infogan_bench.records import ConfusionRecord, read_evaluation

_CELL = 44  # pixels
_MARGIN = 76
_FULL = (8, 69, 148)  # the colour of a row's whole count
_MATCHED = (217, 95, 14)
_INK = (40, 40, 40)
_MAX_SIDE = 40  # categories or classes; a larger matrix is not readable


def confusion_picture(folder: Path) -> Image.Image | None:
    """Counts of categories (rows) against classes (columns), each row coloured by its share; a frame marks
    the class a category is matched with.

    Args:
        folder: of a seed.

    Returns:
        None where there is no categorical code, no label, or more than 40 of either.

    Raises:
        RecordError: if the seed's evaluation cannot be read.
    """
    confusion = read_evaluation(folder).confusion
    if confusion is None or max(len(confusion.counts), len(confusion.classes)) > _MAX_SIDE:
        return None
    return _draw(confusion)


def _draw(confusion: ConfusionRecord) -> Image.Image:
    counts, classes = confusion.counts, confusion.classes
    size = (_MARGIN + _CELL * len(classes) + 12, _MARGIN + _CELL * len(counts) + 12)
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(13)
    middle = _MARGIN + _CELL * len(classes) / 2
    draw.text((middle, 14), f"class (columns) and category of {confusion.code} (rows)", _INK, font, "mm")
    for column, name in enumerate(classes):
        draw.text((_centre(column), _MARGIN - 16), str(name)[:6], _INK, font, "mm")
    for row, line in enumerate(counts):
        draw.text((_MARGIN - 16, _centre(row)), str(row), _INK, font, "rm")
        for column, count in enumerate(line):
            _draw_cell(draw, font, row, column, count, count / max(sum(line), 1))
        match = confusion.match[row]
        if match is not None:
            draw.rectangle(_box(row, match), outline=_MATCHED, width=3)
    return image


def _draw_cell(draw: Any, font: Any, row: int, column: int, count: int, fraction: float) -> None:
    colour = tuple(round(255 + fraction * (full - 255)) for full in _FULL)
    draw.rectangle(_box(row, column), fill=colour)
    ink = "white" if fraction > 0.5 else _INK
    draw.text((_centre(column), _centre(row)), str(count), ink, font, "mm")


def _box(row: int, column: int) -> tuple[int, int, int, int]:
    left, top = _MARGIN + column * _CELL, _MARGIN + row * _CELL
    return left, top, left + _CELL - 2, top + _CELL - 2


def _centre(index: int) -> float:
    return _MARGIN + index * _CELL + _CELL / 2 - 1
