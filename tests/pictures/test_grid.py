from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.utils import make_grid

from infogan_bench.pictures.grid import write_grid


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("count", "columns", "gap", "around"), [(6, 3, 1, 128), (7, 3, 0, 0), (2, 4, 2, 255), (1, 1, 0, 9)]
)
def test_it_is_torchvision_s_grid(tmp_path, channels, count, columns, gap, around):
    images = torch.randint(256, (count, channels, 5, 4), dtype=torch.uint8)
    write_grid(images, columns, tmp_path / "grid.png", gap, around)

    theirs = make_grid(
        torch.cat([images, images.new_full((-count % columns, channels, 5, 4), around)]),
        nrow=columns, padding=gap, pad_value=around,
    )  # fmt: skip
    if count == columns == 1:  # which torchvision gives no edges
        theirs = images[0].expand(3, 5, 4)
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.mode == ("L" if channels == 1 else "RGB")
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), theirs.permute(1, 2, 0))
