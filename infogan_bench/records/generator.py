"""`generator.json` and `generator.bin`: a generator as a list of layers, which the report's page runs."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path

from infogan_bench.records.errors import RecordError
from infogan_bench.records.files import read_record, write_record, write_whole
from infogan_bench.records.paths import SeedPaths

MAX_SIDE = 4096  # of a picture that a layer makes, in pixels
MAX_NUMBERS = 2**26  # that a layer makes for one image
_POINTWISE = frozenset({"relu", "leaky_relu", "tanh", "sigmoid"})
_CONVOLUTIONS = frozenset({"conv", "conv_transpose"})
Size = tuple[int, int, int]  # channels, height, width; a row of n numbers is (n, 1, 1)


@dataclass(frozen=True)
class LayerRecord:
    """A layer of G in evaluation mode.

    `kind` is `linear`, `conv` or `conv_transpose` (weights of `shape` as torch holds them, and a bias), `scale` (a
    factor and a summand for each channel; BatchNorm becomes that), `relu`, `leaky_relu` (with `slope`), `tanh`,
    `sigmoid`, `pad` (zeros around an image: `shape` is left, right, top, bottom), `images` (a row becomes images of
    `shape` (C, H, W), the channels of a pixel side by side in the row) or `unflatten` (the same, but the pixels of a
    channel stand side by side).

    The numbers of all layers follow each other in their order, little-endian: weights in the order of torch's tensor,
    as float16 if the layer has `halves`, else as float32; then the bias, or factors and summands, as float32.
    """

    kind: str
    shape: tuple[int, ...] = ()
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    output_padding: tuple[int, int] = (0, 0)
    slope: float = 0.0
    halves: bool = False

    @property
    def n_weights(self) -> int:
        """The count of weights."""
        return math.prod(self.shape) if self.kind in _CONVOLUTIONS or self.kind == "linear" else 0

    @property
    def n_channels(self) -> int:
        """The count of channels that the layer has a bias, or a factor and a summand for."""
        if self.kind == "scale":
            return self.shape[0]
        return self.shape[1 if self.kind == "conv_transpose" else 0] if self.n_weights else 0

    @property
    def n_bytes(self) -> int:
        """The size of the layer's numbers."""
        per_channel = 8 if self.kind == "scale" else 4
        return (2 if self.halves else 4) * self.n_weights + per_channel * self.n_channels

    def output_size(self, size: Size) -> Size:
        """Return the size of what the layer makes of an input of `size`.

        Raises:
            ValueError: if the layer cannot take such an input, or is none that the page knows.
        """
        made = self._output_size(size)
        if min(made) < 1 or max(made[1:]) > MAX_SIDE or math.prod(made) > MAX_NUMBERS:
            raise ValueError(f"a layer `{self.kind}` makes {made} of {size}")
        return made

    def _output_size(self, size: Size) -> Size:
        channels, *sides = size
        if self.kind in _POINTWISE:
            return size
        if self.kind == "pad" and len(self.shape) == 4 and min(self.shape) >= 0:
            left, right, top, bottom = self.shape
            return channels, size[1] + top + bottom, size[2] + left + right
        if min(self.shape, default=0) >= 1:
            if self.kind == "scale" and self.shape == (channels,):
                return size
            if self.kind == "linear" and self.shape[1:] == (channels,) and size[1:] == (1, 1):
                return self.shape[0], 1, 1
            if self.kind in ("images", "unflatten") and len(self.shape) == 3 and sides == [1, 1]:
                made = self.shape[0], self.shape[1], self.shape[2]
                if math.prod(made) == channels:
                    return made
            if self.kind in _CONVOLUTIONS and len(self.shape) == 4:
                return self._convolved(size)
        raise ValueError(f"a layer `{self.kind}` of {self.shape} cannot take {size}")

    def _convolved(self, size: Size) -> Size:
        transposed = self.kind == "conv_transpose"
        n_in, n_out = self.shape[:2] if transposed else self.shape[1::-1]
        if n_in != size[0] or min(self.stride) < 1 or min(*self.padding, *self.output_padding) < 0:
            raise ValueError(f"a layer `{self.kind}` of {self.shape} cannot take {size}")
        sides = zip(size[1:], self.shape[2:], self.stride, self.padding, self.output_padding, strict=True)
        height, width = (
            (side - 1) * stride - 2 * padding + kernel + more
            if transposed
            else (side + 2 * padding - kernel) // stride + 1
            for side, kernel, stride, padding, more in sides
        )
        return n_out, height, width


@dataclass(frozen=True)
class GeneratorCode:
    """A latent code: `kind` is `categorical`, `uniform` or `gaussian`; `size` is its number of categories, or 1."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True)
class GeneratorRecord:
    """G of a trained model. Its input is a row: the noise, then each code, a categorical one as a one-hot vector."""

    image: Size
    noise: int
    noise_distribution: str  # `uniform` on (-1, 1), or `normal`
    codes: tuple[GeneratorCode, ...]
    scored: str | None  # the code that is scored against labels
    layers: tuple[LayerRecord, ...]
    difference: float  # from the model's own images, the largest of any pixel, in [-1, 1]

    def __post_init__(self) -> None:
        """Check that the layers fit each other.

        Raises:
            ValueError: if they do not.
        """
        if self.noise < 0 or any(code.size < 1 for code in self.codes):
            raise ValueError("a size is negative")
        if not all(map(math.isfinite, (self.difference, *(layer.slope for layer in self.layers)))):
            raise ValueError("a number is not finite")
        size: Size = self.noise + sum(code.size for code in self.codes), 1, 1
        for layer in self.layers:
            size = layer.output_size(size)
        if size != self.image or size[0] not in (1, 3):
            raise ValueError(f"the layers make {size} and not images of {self.image}, grey or in colour")

    @property
    def n_bytes(self) -> int:
        """The size of all numbers."""
        return sum(layer.n_bytes for layer in self.layers)


def pack_numbers(numbers: bytes) -> bytes:
    """Return numbers as `generator.bin` holds them: all bytes at even places, then those at odd places, by zlib.

    The upper byte of a float16, its sign and exponent, is often the same. Apart from the lower bytes, it takes less.
    """
    return zlib.compress(numbers[0::2] + numbers[1::2])


def unpack_numbers(content: bytes, n_bytes: int) -> bytes:
    """Undo `pack_numbers`.

    Raises:
        ValueError: if `content` is damaged, or does not hold `n_bytes` of numbers.
    """
    unpacker = zlib.decompressobj()
    try:
        apart = unpacker.decompress(content, n_bytes + 1)
    except zlib.error as error:
        raise ValueError(f"is damaged: {error}") from None
    if len(apart) != n_bytes or not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"does not hold {n_bytes} bytes of numbers")
    numbers = bytearray(n_bytes)
    numbers[0::2], numbers[1::2] = apart[: n_bytes // 2], apart[n_bytes // 2 :]
    return bytes(numbers)


def read_generator(folder: Path) -> tuple[GeneratorRecord, bytes]:
    """Read `generator.json` and the content of `generator.bin` of a seed's folder.

    Raises:
        RecordError: if one is missing or damaged, or they do not fit each other.
    """
    paths = SeedPaths(folder)
    record = read_record(paths.generator, GeneratorRecord)
    try:
        content = paths.generator_weights.read_bytes()
        unpack_numbers(content, record.n_bytes)
    except OSError as error:
        raise RecordError(f"{paths.generator_weights}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise RecordError(f"{paths.generator_weights}: {error}") from None
    return record, content


def write_generator_record(folder: Path, record: GeneratorRecord, content: bytes) -> None:
    """Write `generator.bin`, then `generator.json`, into a seed's folder; `content` is that of `pack_numbers`."""
    paths = SeedPaths(folder)
    write_whole(paths.generator_weights, content)
    write_record(paths.generator, record)
