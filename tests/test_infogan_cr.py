"""InfoGAN-CR's networks: their sizes, their spectral norms, and training that can be stopped and resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from infogan_bench.codes import LatentCodes
from infogan_bench.config import ArchitectureConfig, CodesConfig, DatasetConfig, RunConfig
from infogan_bench.datasets import ImageDataset, load_dataset
from infogan_bench.errors import InputError
from infogan_bench.networks import InfoGAN, Networks, build_networks
from infogan_bench.training import Trainer, load_checkpoint, restore_trainer, save_checkpoint

CONFIG = DatasetConfig(name="sprites", train_size=64, test_size=32)
RUN = RunConfig(
    codes=CodesConfig(categorical=(3,), uniform=4, noise=5),
    architecture=ArchitectureConfig(name="infogan-cr", width=0.25),
    batch=16,
)


@pytest.fixture(scope="module")
def sprites() -> ImageDataset:
    return load_dataset(CONFIG)


def build(shape: tuple[int, int, int] = (1, 64, 64), width: float = 1.0) -> Networks:
    config = ArchitectureConfig(name="infogan-cr", width=width)
    return build_networks(
        config, shape, LatentCodes(CodesConfig(categorical=(), uniform=5, noise=5), fixed_std=True)
    )


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def normalised(networks: Networks) -> list[nn.Module]:
    return [module for module in networks.modules() if parametrize.is_parametrized(module)]


def test_parameters_counted_by_hand() -> None:
    networks = build()  # 5 + 5 numbers into G, 5 out of Q
    assert count(networks.G) == (
        (10 * 128 + 128 + 2 * 128)  # FC 128, batchnorm
        + (128 * 1024 + 1024 + 2 * 1024)  # FC 4 x 4 x 64, batchnorm
        + (64 * 64 * 16 + 2 * 64)  # upconv 64, batchnorm
        + (64 * 32 * 16 + 2 * 32)
        + (32 * 32 * 16 + 2 * 32)
        + (32 * 1 * 16 + 1)
    )
    assert count(networks.trunk) == (
        (1 * 32 * 16 + 32)
        + (32 * 32 * 16 + 32)
        + (32 * 64 * 16 + 64)
        + (64 * 64 * 16 + 64)
        + (1024 * 128 + 128)
    )
    assert count(networks.D_head) == 129
    assert count(networks.Q_head) == (128 * 128 + 128) + (128 * 5 + 5)


@pytest.mark.parametrize(("shape", "width"), [((1, 64, 64), 0.01), ((3, 32, 48), 0.5)])
def test_images_of_other_sizes_and_widths(shape: tuple[int, int, int], width: float) -> None:
    networks = build(shape, width)
    assert networks.G(torch.zeros(2, 10)).shape == (2, *shape)
    features = networks.trunk(torch.zeros(2, *shape))
    assert networks.D(features).shape == (2,)
    assert networks.Q_head(features).shape == (2, 5)


@pytest.mark.parametrize("shape", [(1, 30, 30), (1, 4, 64), (1, 64, 41)])
def test_sides_that_cannot_be_halved_twice_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(
        InputError, match="halves the image 2 times, so both sides must be multiples of 4 and at l"
    ):
        build(shape)


def test_every_layer_of_d_has_a_largest_singular_value_of_1() -> None:
    networks = InfoGAN(RUN, (1, 64, 64), torch.Generator().manual_seed(0)).networks.eval()
    layers = normalised(networks)
    assert len(layers) == 4 + 1 + 1  # convolutions, FC 128, D's output
    for layer in layers:
        weight = layer.get_parameter("parametrizations.weight.original")
        assert float(weight.detach().std()) == pytest.approx(
            0.02, rel=0.5
        )  # DCGAN's initial weights, behind the normalisation
        normal = getattr(layer, "weight").flatten(1)  # noqa: B009  no attribute that mypy knows
        assert float(torch.linalg.matrix_norm(normal.detach(), ord=2)) == pytest.approx(1, abs=0.15)


def test_the_seed_alone_decides_the_initial_networks() -> None:
    torch.manual_seed(1)
    first = InfoGAN(RUN, (1, 64, 64), torch.Generator().manual_seed(0)).networks.state_dict()
    torch.manual_seed(2)
    again = InfoGAN(RUN, (1, 64, 64), torch.Generator().manual_seed(0)).networks.state_dict()
    other = InfoGAN(RUN, (1, 64, 64), torch.Generator().manual_seed(1)).networks.state_dict()
    vectors = [name for name in first if name.endswith(("_u", "_v"))]
    assert len(vectors) == 12
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in vectors if first[name].numel() > 1)


def test_training_resumed_from_a_checkpoint_goes_on_bit_for_bit(
    sprites: ImageDataset, tmp_path: Path
) -> None:
    whole = Trainer(RUN, sprites.train_images, seed=0)
    whole.train(5)
    stopped = Trainer(RUN, sprites.train_images, seed=0)
    stopped.train(2)
    save_checkpoint(stopped, CONFIG, tmp_path / "checkpoint.safetensors")
    resumed = restore_trainer(load_checkpoint(tmp_path / "checkpoint.safetensors"), sprites.train_images)
    resumed.train(3)
    assert whole.state().keys() == resumed.state().keys()
    for name, tensor in whole.state().items():
        assert torch.equal(tensor, resumed.state()[name]), name


def test_encoding_leaves_training_as_it_was(sprites: ImageDataset) -> None:
    trainer = Trainer(RUN, sprites.train_images, seed=0)
    trainer.train(1)
    before = {name: tensor.clone() for name, tensor in trainer.state().items()}
    first = trainer.model.encode(sprites.test_images, sprites.train_images)
    again = trainer.model.encode(sprites.test_images, sprites.train_images)
    assert torch.equal(first.mean, again.mean)
    for name, tensor in trainer.state().items():
        assert torch.equal(tensor, before[name]), name
