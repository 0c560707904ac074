"""Images and factors as arrays in an .npz file or an HDF5 file. Pickled objects are refused; no file stays open."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from infogan_bench.config.names import suggestion
from infogan_bench.datasets.errors import DatasetError
from infogan_bench.datasets.image_folder import Pixels, to_8_bits, with_channels

HDF5 = (".h5", ".hdf5", ".he5")
_CHUNK = 1024  # images read at a time
_MANY = 16  # images in a chunk of an HDF5 file, from which on it is read as a whole


class ArrayFile:
    """A file of arrays, the image array among them.

    Args:
        path: an .npz or HDF5 file.
        images: the name of the array of images: (N, H, W), (N, H, W, C) or (N, C, H, W), C being 1 or 3.

    Raises:
        DatasetError: if the file cannot be read, or has no such array.
    """

    def __init__(self, path: Path, images: str) -> None:
        self.path, self._images = path, images
        with self._open() as arrays:
            self._shape: tuple[int, ...] = tuple(self._array(arrays, images).shape)
        if len(self._shape) not in (3, 4) or 0 in self._shape:
            raise DatasetError(f"{path}: `{images}` must be (N, H, W) or (N, H, W, C), found {self._shape}")

    def __len__(self) -> int:
        return self._shape[0]

    def column(self, name: str) -> list[object]:
        """Return an array (N,) as a list.

        Raises:
            DatasetError: if there is none, or it has another shape.
        """
        values = self._whole(name)
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.shape != (len(self),):
            raise DatasetError(
                f"{self.path}: `{name}` must be ({len(self)},), as there are images, found {values.shape}"
            )
        return list(values.tolist())

    def matrix(self, name: str, columns: int) -> NDArray[Any]:
        """Return an array (N, columns).

        Raises:
            DatasetError: if there is none, or it has another shape.
        """
        values = self._whole(name)
        if values.shape != (len(self), columns):
            raise DatasetError(
                f"{self.path}: `{name}` must be ({len(self)}, {columns}), a column for each of the declared factors, "
                f"found {values.shape}"
            )
        return values

    def read(self, rows: NDArray[np.intp], size: int | None, channels: int | None) -> Pixels:
        """Return the images of these rows, (len(rows), C, H, W); the arguments are those of `ImageFolder.read`.

        Raises:
            DatasetError: if the values are no images.
        """
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        with self._open() as arrays:
            stored = self._array(arrays, self._images)
            parts = [self._pixels(values, size, channels) for values in _pieces(stored, ordered)]
        images = np.concatenate(parts)
        placed = np.empty_like(images)
        placed[order] = images
        return placed.transpose(0, 3, 1, 2).copy()

    def _pixels(self, values: NDArray[Any], size: int | None, channels: int | None) -> Pixels:
        """Return images (n, H, W, C)."""
        if values.ndim == 3:
            values = values[..., None]
        elif values.shape[3] not in (1, 3) and values.shape[1] in (1, 3):
            values = values.transpose(0, 2, 3, 1)
        if values.shape[3] not in (1, 3):
            raise DatasetError(
                f"{self.path}: `{self._images}` must have 1 or 3 channels, found shape {self._shape}"
            )
        pixels = with_channels(self._to_bytes(values), channels or values.shape[3])
        if size is None:
            return pixels
        scaled = np.empty((len(pixels), size, size, pixels.shape[3]), np.uint8)
        for k, image in enumerate(pixels):
            picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
            fitted = np.asarray(ImageOps.fit(picture, (size, size), Image.Resampling.BILINEAR))
            scaled[k] = fitted.reshape(size, size, -1)
        return scaled

    def _to_bytes(self, values: NDArray[Any]) -> Pixels:
        if values.dtype == np.uint8:
            return np.asarray(values, np.uint8)
        if values.dtype == np.uint16:
            return to_8_bits(values.astype(np.int64))
        low, high = values.min(), values.max()
        if values.dtype.kind == "f" and low >= 0 and high <= 1:
            return np.asarray(np.rint(values * 255), np.uint8)
        raise DatasetError(
            f"{self.path}: `{self._images}` must be uint8, uint16 or floats from 0 to 1, found {values.dtype} from "
            f"{low} to {high}"
        )

    def _whole(self, name: str) -> NDArray[Any]:
        with self._open() as arrays:
            return np.asarray(self._array(arrays, name)[...])

    def _array(self, arrays: Mapping[str, Any], name: str) -> Any:
        if name not in arrays:
            raise DatasetError(
                f"{self.path}: holds no array `{name}`; {suggestion(name, tuple(arrays) or ('none',))}"
            )
        try:
            array = arrays[name]
        except ValueError:
            raise DatasetError(
                f"{self.path}: `{name}` holds pickled Python objects, which are never read"
            ) from None
        if not hasattr(array, "shape"):
            raise DatasetError(f"{self.path}: `{name}` is a group, not an array")
        return array

    @contextmanager
    def _open(self) -> Iterator[Mapping[str, Any]]:
        if not self.path.is_file():
            raise DatasetError(f"{self.path}: no such file")
        try:
            if self.path.suffix.lower() in HDF5:
                with import_h5py().File(self.path, "r") as file:
                    yield file
            else:
                with np.load(self.path, allow_pickle=False) as archive:
                    if not isinstance(archive, np.lib.npyio.NpzFile):
                        raise DatasetError(f"{self.path}: one array, but an .npz of named arrays is expected")
                    yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            if isinstance(error, DatasetError):
                raise
            from infogan_metrics.files import what_it_is  # here, since it takes time and is seldom wanted

            raise DatasetError(
                f"{self.path}: not a sound .npz or HDF5 file but {what_it_is(self.path)}: {error}"
            ) from None


def _pieces(stored: Any, rows: NDArray[np.intp]) -> Iterator[NDArray[Any]]:
    """Yield the images of rising rows, in pieces.

    A chunk of an HDF5 file is unpacked as a whole. Where chunks hold many images, each chunk is therefore read once, as
    a slice, which takes a fraction of the time of reading its rows one by one.
    """
    in_a_chunk = (getattr(stored, "chunks", None) or (1,))[0]
    if in_a_chunk < _MANY:
        for at in range(0, len(rows), _CHUNK):
            yield np.asarray(stored[rows[at : at + _CHUNK]])
        return
    step = min(in_a_chunk, _CHUNK * 4)  # bounds the memory
    for piece in np.split(rows, np.flatnonzero(np.diff(rows // step)) + 1):
        yield np.asarray(stored[piece[0] : piece[-1] + 1])[piece - piece[0]]


def import_h5py() -> Any:
    """Return the module h5py.

    Raises:
        DatasetError: naming the extra that installs it, if it is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise DatasetError(
            "HDF5 files need h5py: install the extra, pip install 'infogan-bench[hdf5]'"
        ) from None
    return h5py
