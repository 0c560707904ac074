"""Many small pictures as one.

torchvision's `make_grid` does the same, but importing it takes as long as importing torch, in every process of a sweep.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor


def write_grid(images: Tensor, columns: int, path: Path, gap: int = 0, around: int = 0) -> None:
    """Write uint8 images (N, C, H, W), C being 1 or 3, as one PNG, row after row.

    Args:
        images: the cells.
        columns: cells in a row; the last row may have fewer.
        path: the file.
        gap: pixels between cells and along the edges.
        around: the value of the gaps and of cells that are missing.
    """
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    cells = images.new_full((rows * columns, channels, height + gap, width + gap), around)
    cells[:count, :, gap:, gap:] = images
    lines = cells.view(rows, columns, *cells.shape[1:]).permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    sheet = np.pad(lines.cpu().numpy(), ((0, gap), (0, gap), (0, 0)), constant_values=around)
    Image.fromarray(sheet.squeeze(2) if channels == 1 else sheet).save(path)
