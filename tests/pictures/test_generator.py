"""G as the report's page takes it: its layers, its numbers in 16 bits, and the generators that the page cannot run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from infogan_bench.config import RunConfig, apply
from infogan_bench.methods import build_model
from infogan_bench.networks import InfoGAN, Model, architecture_names
from infogan_bench.networks.layers import ToImages
from infogan_bench.pictures.generator import MAX_DIFFERENCE, CannotRunError, write_generator
from infogan_bench.records import (
    GeneratorCode,
    GeneratorRecord,
    LayerRecord,
    RecordError,
    pack_numbers,
    read_generator,
    unpack_numbers,
    write_generator_record,
)


def model_of(run: RunConfig, G: nn.Module) -> InfoGAN:
    """A model with 8 numbers of noise, 10 categories and two continuous codes, 20 inputs of G."""
    model = InfoGAN(run, (1, 28, 28), torch.Generator().manual_seed(0))
    model.networks.G = G
    return model


def test_numbers_and_layers_are_those_of_the_module(tiny_run: RunConfig, tmp_path: Path) -> None:
    linear, norm = nn.Linear(20, 6, bias=False), nn.BatchNorm1d(6, eps=0.25)
    norm.running_mean.copy_(torch.arange(6.0))  # type: ignore[union-attr]
    norm.running_var.fill_(2.0)  # type: ignore[union-attr]
    nn.init.constant_(norm.weight, 3.0)
    nn.init.constant_(norm.bias, 0.5)
    G = nn.Sequential(linear, nn.Sequential(norm, nn.LeakyReLU(0.25)), ToImages(1, 2, 3))
    write_generator(model_of(tiny_run, G), tmp_path)
    record, content = read_generator(tmp_path)
    assert [(layer.kind, layer.shape, layer.slope) for layer in record.layers] == [
        ("linear", (6, 20), 0), ("scale", (6,), 0), ("leaky_relu", (), 0.25), ("images", (1, 2, 3), 0)
    ]  # fmt: skip
    assert (record.image, record.noise, record.noise_distribution) == ((1, 2, 3), 8, "uniform")
    assert record.scored == "cat_0"
    assert record.codes == (
        GeneratorCode("cat_0", "categorical", 10),
        GeneratorCode("uniform_0", "uniform", 1),
        GeneratorCode("gaussian_0", "gaussian", 1),
    )
    numbers = np.frombuffer(unpack_numbers(content, record.n_bytes), "<f4")
    assert np.array_equal(numbers[:120], linear.weight.detach().numpy().ravel())
    assert np.array_equal(numbers[120:126], np.zeros(6))  # no bias
    # (x - k) / sqrt(2 + 0.25) * 3 + 0.5 = 2 x + (0.5 - 2 k)
    assert np.allclose(numbers[126:], [2] * 6 + [0.5 - 2 * k for k in range(6)])
    assert record.difference < 1e-6  # few weights are kept as they are


@pytest.mark.parametrize("name", architecture_names())
def test_every_architecture_that_ships_can_be_run(tiny_run: RunConfig, tmp_path: Path, name: str) -> None:
    run = apply(tiny_run, {"architecture.name": name, "architecture.width": 0.0625})
    write_generator(InfoGAN(run, (3, 32, 32), torch.Generator().manual_seed(0)), tmp_path)
    assert read_generator(tmp_path)[0].image == (3, 32, 32)


@pytest.mark.parametrize("ema", [0.0, 0.5])
def test_large_layers_are_rounded_and_the_averaged_G_is_taken(
    tiny_run: RunConfig, tmp_path: Path, ema: float
) -> None:
    run = apply(tiny_run, {"architecture.name": "paper", "architecture.width": 0.125, "optimiser.ema": ema})
    model = build_model(run, (3, 32, 32), torch.Generator().manual_seed(0))
    if model.averaged_G is not None:
        for parameter in model.averaged_G.parameters():
            parameter.mul_(2)
    write_generator(model, tmp_path)
    record, content = read_generator(tmp_path)
    big = model.G.get_submodule("3").weight.detach().numpy()
    assert [layer.halves for layer in record.layers if layer.n_weights] == [False, True, False, False]
    at = sum(layer.n_bytes for layer in record.layers[:3])
    numbers = unpack_numbers(content, record.n_bytes)
    assert np.array_equal(np.frombuffer(numbers[at:], "<f2", big.size), big.astype("<f2").ravel())
    assert 0 < record.difference <= MAX_DIFFERENCE


def test_a_decoder_of_a_vae_is_taken(tiny_run: RunConfig, tmp_path: Path) -> None:
    codes = {"codes.categorical": (), "codes.uniform": 0, "codes.gaussian": 4, "codes.noise": 0}
    run = apply(tiny_run, {"method.name": "vae"} | codes)
    write_generator(build_model(run, (1, 28, 28), torch.Generator().manual_seed(0)), tmp_path)
    record, _ = read_generator(tmp_path)
    assert (record.noise, record.scored, [code.kind for code in record.codes]) == (0, None, ["gaussian"] * 4)


class Own(nn.Module):
    """A layer of a user's."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sin()


def large() -> nn.Module:
    return nn.Sequential(nn.Linear(20, 64 * 64), nn.Linear(64 * 64, 64 * 64), ToImages(1, 64, 64))


def not_finite() -> nn.Module:
    linear = nn.Linear(20, 4)
    nn.init.constant_(linear.weight, float("nan"))
    return nn.Sequential(linear, ToImages(1, 2, 2))


def hooked() -> nn.Module:
    linear = nn.Linear(20, 4)
    linear.register_forward_hook(lambda module, inputs, output: output * 2 + 1)
    return nn.Sequential(linear, ToImages(1, 2, 2))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: nn.Sequential(nn.Linear(20, 4), Own(), ToImages(1, 2, 2)), "does not know its layer Own"),
        (lambda: nn.Sequential(nn.Linear(20, 36), ToImages(4, 3, 3), nn.Conv2d(4, 1, 3, groups=1, dilation=1,
            padding=1, padding_mode="reflect")), "does not know a Conv2d with these options"),
        (lambda: nn.Sequential(nn.Linear(20, 36), ToImages(4, 3, 3), nn.Conv2d(4, 1, 3, padding="same")),
         "does not know a Conv2d with these options"),
        (lambda: nn.Sequential(nn.Linear(20, 4), nn.BatchNorm1d(4, track_running_stats=False),
            ToImages(1, 2, 2)), "no running statistics"),
        (lambda: nn.Sequential(nn.Linear(20, 8), ToImages(2, 2, 2)), "images of"),
        (large, r"its weights take 2\d\.\d MB, and the page takes 4 MB a trial"),
        (not_finite, "a weight is not finite"),
        (hooked, "a pixel differs by"),
    ],
)  # fmt: skip
def test_what_the_page_cannot_run_is_said(
    tiny_run: RunConfig, tmp_path: Path, make: Callable[[], nn.Module], reason: str
) -> None:
    torch.manual_seed(0)
    model: Model = model_of(tiny_run, make())
    with pytest.raises(CannotRunError, match=reason):
        write_generator(model, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "layers",
    [
        (LayerRecord("linear", (4, 3)), LayerRecord("images", (1, 2, 2))),  # of 2 inputs
        (LayerRecord("linear", (4, 2)), LayerRecord("images", (1, 2, 3))),
        (LayerRecord("linear", (4, 2)), LayerRecord("scale", (3,)), LayerRecord("images", (1, 2, 2))),
        (LayerRecord("linear", (4, 2)), LayerRecord("eval", ()), LayerRecord("images", (1, 2, 2))),
        (LayerRecord("linear", (4, -2)), LayerRecord("images", (1, 2, 2))),
        (
            LayerRecord("linear", (4, 2)),
            LayerRecord("images", (1, 2, 2)),
            LayerRecord("conv_transpose", (1, 1, 2, 2), stride=(4000, 4000)),
        ),
    ],
)
def test_layers_that_do_not_fit_each_other_are_refused(layers: tuple[LayerRecord, ...]) -> None:
    with pytest.raises(ValueError, match=r"cannot take|makes? "):
        GeneratorRecord((1, 2, 2), 2, "normal", (), None, (*layers, LayerRecord("tanh")), 0.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pack_numbers(bytes(46)), "does not hold 48 bytes of numbers"),
        (pack_numbers(bytes(10**7)), "does not hold 48 bytes of numbers"),
        (pack_numbers(bytes(range(48)))[:-9], "does not hold 48 bytes of numbers"),
        (pack_numbers(bytes(48)) + b"more", "does not hold 48 bytes of numbers"),
        (b"<html>", "is damaged: "),
    ],
)
def test_damaged_numbers_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    layers = (LayerRecord("linear", (4, 2)), LayerRecord("images", (1, 2, 2)))
    record = GeneratorRecord((1, 2, 2), 2, "normal", (), None, layers, 0.0)
    write_generator_record(tmp_path, record, content)
    with pytest.raises(RecordError, match=rf"generator\.bin: {message}"):
        read_generator(tmp_path)


def test_numbers_come_back_as_they_were() -> None:
    numbers = np.random.default_rng(0).bytes(1000)
    assert unpack_numbers(pack_numbers(numbers), 1000) == numbers
