"""A folder of image files, decoded once and kept as an array."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from infogan_bench.datasets.array_cache import cached_arrays
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.parallel import in_parallel

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
_CODE = 1  # raised when the same files give other pixels
_WIDE = ("I", "I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes of 16-bit grey images
_NO_IMAGE = (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError)
Pixels = NDArray[np.uint8]


class ImageFolder:
    """The image files in a folder and its folders, sorted by name.

    Raises:
        DatasetError: if it is no folder, or has no image files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.is_dir():
            raise DatasetError(f"images: {folder} is no folder; `data_dir` must be the folder of your images")
        self._facts: dict[str, tuple[int, int]] = {}
        self._look_into(folder, "")
        self.names = sorted(self._facts)
        if not self.names:
            raise DatasetError(f"images: {folder} has no image files ({', '.join(SUFFIXES)})")

    def __len__(self) -> int:
        return len(self.names)

    def _look_into(self, folder: Path, prefix: str) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    self._look_into(Path(entry.path), f"{prefix}{entry.name}/")
                elif entry.name.lower().endswith(SUFFIXES):
                    status = entry.stat()
                    self._facts[prefix + entry.name] = (status.st_size, status.st_mtime_ns)

    def read(self, rows: NDArray[np.intp], size: int | None, channels: int | None) -> Pixels:
        """Return the images of these rows, (len(rows), C, H, W).

        Args:
            rows: places in `names`.
            size: cut the largest square from the centre and scale it to this side; None: as they are.
            channels: 1 or 3; None: 3 if one of the images has colour.

        Raises:
            DatasetError: if an image cannot be read, or they differ in shape and there is no `size`.
        """
        names = [self.names[row] for row in rows]
        key: dict[str, object] = {
            "code": _CODE, "folder": str(self.folder), "size": size, "channels": channels,
            "files": [[name, *self._facts[name]] for name in names],
        }  # fmt: skip
        kept = cached_arrays("images", key, lambda: {"images": self._decode(names, size, channels)})
        return np.array(kept["images"], dtype=np.uint8)

    def _decode(self, names: list[str], size: int | None, channels: int | None) -> Pixels:
        found: list[Pixels | None] = [None] * len(names)

        def work(k: int) -> None:
            found[k] = _decoded(self.folder / names[k], size)

        in_parallel(work, len(names), "decoding images")
        images = [image for image in found if image is not None]
        depth = channels or max(image.shape[2] for image in images)
        for name, image in zip(names, images, strict=True):
            if image.shape[:2] != images[0].shape[:2]:
                raise DatasetError(
                    f"{self.folder / name}: is {image.shape[1]}x{image.shape[0]}, but {names[0]} is "
                    f"{images[0].shape[1]}x{images[0].shape[0]}; `dataset.options.size` cuts and scales all to one"
                )
        return np.stack([with_channels(image, depth) for image in images]).transpose(0, 3, 1, 2).copy()


def _decoded(path: Path, size: int | None) -> Pixels:
    """Return an image (H, W, 1 or 3)."""
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode in _WIDE:
                picture = _from_16_bits(picture, path)
            elif picture.mode == "F":
                raise DatasetError(f"{path}: holds numbers with a fraction; give 8 or 16 bits a pixel")
            elif picture.has_transparency_data:  # laid on white
                picture = picture.convert("RGBA")
                ground = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(ground, picture).convert("RGB")
            elif picture.mode not in ("L", "RGB"):
                picture = picture.convert("L" if picture.mode in ("1", "LA") else "RGB")
            if size is not None:
                picture = ImageOps.fit(picture, (size, size), Image.Resampling.BILINEAR)
    except DatasetError:
        raise
    except _NO_IMAGE as error:
        raise DatasetError(f"{path}: no image that can be read: {error}") from None
    pixels = np.asarray(picture)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _from_16_bits(picture: Image.Image, path: Path) -> Image.Image:
    wide = np.asarray(picture).astype(np.int64)
    if wide.min() < 0 or wide.max() > 65_535:
        raise DatasetError(
            f"{path}: holds {wide.min()} to {wide.max()}; 0 to 65535 are the values of 16 bits"
        )
    return Image.fromarray(to_8_bits(wide))


def to_8_bits(wide: NDArray[np.int64]) -> Pixels:
    """Return values of 16 bits as the nearest of 8 bits: 65535 becomes 255."""
    narrow: Pixels = ((wide + 128) // 257).astype(np.uint8)
    return narrow


def with_channels(images: Pixels, channels: int) -> Pixels:
    """Return images (..., 1 or 3) with this number of channels; grey is ITU-R 601's luma, as in Pillow."""
    if images.shape[-1] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=-1)
    weights = np.array([19_595, 38_470, 7_471])  # of 65536
    grey: Pixels = ((images.astype(np.int64) @ weights + 0x8000) >> 16).astype(np.uint8)
    return grey[..., None]
