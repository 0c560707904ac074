"""G as a list of layers and its weights in 16 bits, so that the report's page can run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan_bench.codes import LatentCodes
from infogan_bench.networks import Model
from infogan_bench.networks.layers import ToImages
from infogan_bench.records import (
    GeneratorCode,
    GeneratorRecord,
    LayerRecord,
    pack_numbers,
    write_generator_record,
)

MAX_BYTES = 4_000_000  # of a generator.bin
MAX_DIFFERENCE = 0.01  # of a pixel in [-1, 1], from the model's own images
_COMPARED = 64  # images
_EXACT = (
    2**16
)  # weights: a layer with no more keeps them all in float32, which costs little and halves the difference
_LARGEST = torch.finfo(torch.float16).max


class CannotRunError(Exception):
    """The report's page cannot run a generator; the message says why."""


class _Layer(NamedTuple):
    """A layer with its numbers, all in float32: none, a weight and a bias, or factors and summands."""

    record: LayerRecord
    numbers: tuple[Tensor, ...] = ()


def write_generator(model: Model, folder: Path, *, seed: int = 0) -> None:
    """Write `generator.bin` and `generator.json`, with which the report's page runs G (docs/architecture.md).

    G has its averaged weights if `optimiser.ema` is on, and BatchNorm's running statistics, as in all pictures. The
    weights of large layers are rounded to float16. The layers make 64 images, which are compared with those of `model`.

    Args:
        seed: of the latents of these images.

    Raises:
        CannotRunError: if G has a layer that the page does not know, is too large, or loses too much by the rounding.
    """
    layers = [layer for module in _flat(model.G) for layer in _described(module)]
    content = pack_numbers(b"".join(map(_bytes, layers)))
    if len(content) > MAX_BYTES:
        raise CannotRunError(
            f"its weights take {len(content) / 1e6:.1f} MB, and the page takes {MAX_BYTES / 1e6:.0f} MB a trial"
        )
    latents = model.codes.sample(_COMPARED, torch.Generator(model.device).manual_seed(seed))
    images = model.generate(latents).cpu()
    record = _record(model.codes, images, layers)
    difference = float((_run(layers, model.codes.flatten(latents).cpu()) - images).abs().max())
    if not difference <= MAX_DIFFERENCE:  # NaN is too much as well
        raise CannotRunError(f"with weights of 16 bits a pixel differs by {difference:.2g} of a range of 2")
    record = replace(record, difference=difference)
    write_generator_record(folder, record, content)


def _record(codes: LatentCodes, images: Tensor, layers: Sequence[_Layer]) -> GeneratorRecord:
    """The record of layers that make images of the shape of `images`.

    Raises:
        CannotRunError: if they do not.
    """
    channels, height, width = images.shape[1:]
    try:
        return GeneratorRecord(
            image=(channels, height, width),
            noise=codes.config.noise,
            noise_distribution=codes.config.noise_distribution,
            codes=tuple(GeneratorCode(code.name, code.kind, code.size) for code in codes.all),
            scored=codes.scored.name if codes.scored else None,
            layers=tuple(layer.record for layer in layers),
            difference=0.0,
        )
    except ValueError as error:
        raise CannotRunError(str(error)) from None


def _bytes(layer: _Layer) -> bytes:
    """The numbers of a layer, little-endian."""
    numbers = [part.numpy() for part in layer.numbers]
    kinds = ("<f2" if layer.record.halves else "<f4", "<f4")
    return b"".join(part.astype(kind).tobytes() for part, kind in zip(numbers, kinds, strict=False))


# From modules to layers -----------------------------------------------------------------------------------


def _flat(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules that are no `nn.Sequential`, in the order in which they run."""
    if type(module) is nn.Sequential:
        for child in module:
            yield from _flat(child)
    else:
        yield module


def _described(module: nn.Module) -> Sequence[_Layer]:
    """The layers of a module, none for an identity.

    Raises:
        CannotRunError: if the page does not know it.
    """
    describe = _DESCRIBE.get(type(module))  # a subclass may compute something else
    if describe is None:
        raise CannotRunError(f"the page does not know its layer {type(module).__name__}")
    return describe(module)


def _linear(module: nn.Linear) -> list[_Layer]:
    return [_weighted(LayerRecord("linear", tuple(module.weight.shape)), module.weight, module.bias)]


def _convolution(kind: str) -> Callable[[nn.Conv2d | nn.ConvTranspose2d], list[_Layer]]:
    def describe(module: nn.Conv2d | nn.ConvTranspose2d) -> list[_Layer]:
        padding = module.padding
        plain = module.groups == 1 and set(module.dilation) == {1} and module.padding_mode == "zeros"
        if isinstance(padding, str) or not plain:
            raise CannotRunError(f"the page does not know a {type(module).__name__} with these options")
        record = LayerRecord(
            kind=kind,
            shape=tuple(module.weight.shape),
            stride=(module.stride[0], module.stride[1]),
            padding=(padding[0], padding[1]),
            output_padding=(module.output_padding[0], module.output_padding[1]),
        )
        return [_weighted(record, module.weight, module.bias)]

    return describe


def _weighted(record: LayerRecord, weight: Tensor, bias: Tensor | None) -> _Layer:
    """A layer with its weight, rounded to what float16 holds if it is large; a missing bias is zero."""
    exact = weight.detach().float().cpu().contiguous()
    if not bool((exact.abs() <= _LARGEST).all()):
        raise CannotRunError("a weight is not finite, or too large for 16 bits")
    halves = record.n_weights > _EXACT
    summand = torch.zeros(record.n_channels) if bias is None else bias.detach().float().cpu()
    return _Layer(replace(record, halves=halves), (exact.half().float() if halves else exact, summand))


def _batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d) -> list[_Layer]:
    """The factor and summand of each channel, in evaluation mode: (x - mean) / sqrt(var + eps) * gamma + beta."""
    if module.running_mean is None or module.running_var is None:
        raise CannotRunError("its BatchNorm has no running statistics")
    gamma, beta = (part.detach().double() if module.affine else None for part in (module.weight, module.bias))
    factor = (module.running_var.double() + module.eps).rsqrt()
    factor = factor if gamma is None else factor * gamma
    summand = -module.running_mean.double() * factor
    summand = summand if beta is None else summand + beta
    numbers = (factor.float().cpu(), summand.float().cpu())
    return [_Layer(LayerRecord("scale", tuple(factor.shape)), numbers)]


def _to_images(module: ToImages) -> list[_Layer]:
    height, width, channels = module.shape
    return [_Layer(LayerRecord("images", (channels, height, width)))]


def _unflatten(module: nn.Unflatten) -> list[_Layer]:
    if module.dim != 1 or len(module.unflattened_size) != 3:
        raise CannotRunError("the page does not know an Unflatten with these options")
    return [_Layer(LayerRecord("unflatten", tuple(map(int, module.unflattened_size))))]


def _pad(module: nn.ZeroPad2d) -> list[_Layer]:
    if min(module.padding) < 0:
        raise CannotRunError("the page does not know a ZeroPad2d that cuts off pixels")
    return [_Layer(LayerRecord("pad", module.padding))]


def _pointwise(kind: str) -> Callable[[nn.Module], list[_Layer]]:
    return lambda module: [_Layer(LayerRecord(kind, slope=float(getattr(module, "negative_slope", 0))))]


_DESCRIBE: dict[type[nn.Module], Callable[..., Sequence[_Layer]]] = {
    nn.Identity: lambda module: (),
    nn.Linear: _linear,
    nn.Conv2d: _convolution("conv"),
    nn.ConvTranspose2d: _convolution("conv_transpose"),
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    ToImages: _to_images,
    nn.Unflatten: _unflatten,
    nn.ZeroPad2d: _pad,
    nn.ReLU: _pointwise("relu"),
    nn.LeakyReLU: _pointwise("leaky_relu"),
    nn.Tanh: _pointwise("tanh"),
    nn.Sigmoid: _pointwise("sigmoid"),
}


# From layers to images ------------------------------------------------------------------------------------


def _run(layers: Sequence[_Layer], rows: Tensor) -> Tensor:
    """Compute the images (B, C, H, W) of G's inputs (B, latent_dim) from the layers alone, as the page does."""
    x = rows
    for record, numbers in layers:
        x = _RUN[record.kind](x, record, *numbers)
    return x


def _scaled(x: Tensor, record: LayerRecord, factor: Tensor, summand: Tensor) -> Tensor:
    shape = (1, -1, *(1,) * (x.dim() - 2))
    return x * factor.view(shape) + summand.view(shape)


def _images(x: Tensor, record: LayerRecord) -> Tensor:
    channels, height, width = record.shape
    return x.view(-1, height, width, channels).permute(0, 3, 1, 2)


_RUN: dict[str, Callable[..., Tensor]] = {
    "linear": lambda x, record, weight, bias: F.linear(x, weight, bias),
    "conv": lambda x, record, weight, bias: F.conv2d(x, weight, bias, record.stride, record.padding),
    "conv_transpose": lambda x, record, weight, bias: F.conv_transpose2d(
        x, weight, bias, record.stride, record.padding, record.output_padding
    ),
    "scale": _scaled,
    "images": _images,
    "pad": lambda x, record: F.pad(x, record.shape),
    "unflatten": lambda x, record: x.view(-1, *record.shape),
    "relu": lambda x, record: x.relu(),
    "leaky_relu": lambda x, record: F.leaky_relu(x, record.slope),
    "tanh": lambda x, record: x.tanh(),
    "sigmoid": lambda x, record: x.sigmoid(),
}
