"""The step against a plain implementation in the style of public ports, which the benchmark calls the same step."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from plain_infogan import PlainInfoGAN
from torch import Tensor, nn

from infogan_bench.config import ArchitectureConfig, RunConfig
from infogan_bench.datasets import ImageDataset, to_float
from infogan_bench.objective.information import code_weights
from infogan_bench.training import Trainer
from tests.objective.losses import discriminator_loss, generator_loss

BATCH, WIDTH = 16, 0.0625
CHANNELS, SIDE = 8, 7  # of the smallest images inside the networks


class Pair:
    """A trainer at the paper's recipe and the plain implementation with its weights, both in double precision."""

    def __init__(self, images: Tensor) -> None:
        run = RunConfig(architecture=ArchitectureConfig(name="paper", width=WIDTH), batch=BATCH)
        self.trainer = Trainer(run, images, seed=3)
        self.networks = self.trainer.model.networks.double()
        self.plain = PlainInfoGAN(images, width=WIDTH, batch=BATCH)
        self.plain_G = list(self.plain.G.double().parameters())
        for part in (self.plain.trunk, self.plain.D_head, self.plain.Q_head):
            part.double()
        self.plain_DQ = self.plain.D_and_Q_parameters()
        self.G = list(self.networks.G.parameters())
        self.DQ = self.networks.D_and_Q_parameters()
        with torch.no_grad():
            for ours, plain in zip([*self.G, *self.DQ], [*self.plain_G, *self.plain_DQ], strict=True):
                plain.copy_(as_plain(ours, plain))


def as_plain(ours: Tensor, plain: Tensor) -> Tensor:
    """A weight of a linear layer, (out, in), in the layout of the convolution that stands for it: (out, in, h, w), or
    (in, out, h, w) if it is transposed; whatever else, unchanged but for its shape. Rows made of images have their
    channels innermost, the plain ones' outermost."""
    for dim, size in enumerate(ours.shape):
        if size == CHANNELS * SIDE * SIDE:
            ours = ours.unflatten(dim, (SIDE, SIDE, CHANNELS)).movedim(dim + 2, dim).flatten(dim, dim + 2)
    if ours.ndim == 2 and len(ours) != len(plain):
        ours = ours.t()
    return ours.reshape(plain.shape)


def assert_as_plain(ours: Iterable[Tensor], plain: Iterable[Tensor]) -> None:
    """Compare to 1e-8 of each tensor's largest entry."""
    for found, expected in zip(ours, plain, strict=True):
        tolerance = 1e-8 * float(expected.detach().abs().max())
        torch.testing.assert_close(as_plain(found, expected), expected, rtol=0, atol=tolerance)


def gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


@pytest.fixture
def pair(mnist: ImageDataset) -> Pair:
    return Pair(mnist.train_images)


def test_the_gradients_of_both_losses_are_those_of_the_plain_implementation(
    pair: Pair, mnist: ImageDataset
) -> None:
    codes = pair.trainer.model.codes
    weights = code_weights(pair.trainer.run.objective, codes)
    latents = codes.sample(BATCH, torch.Generator().manual_seed(0))
    real = to_float(mnist.train_images[:BATCH]).double()
    fake = pair.networks.G(codes.flatten(latents).double())
    d = discriminator_loss(pair.networks, codes, weights, real, fake.detach(), latents)
    g, _ = generator_loss(pair.networks, codes, weights, fake, latents)

    noise, categories, continuous = latents.z.double(), latents.categories[:, 0], latents.continuous.double()
    plain_fake = pair.plain.generate(noise, categories, continuous)
    pair.plain.backward_D(real, plain_fake, categories, continuous)
    assert_as_plain(torch.autograd.grad(d.loss, pair.DQ), gradients(pair.plain_DQ))
    pair.plain.backward_G(plain_fake, categories, continuous)
    assert_as_plain(torch.autograd.grad(g, pair.G), gradients(pair.plain_G))


def test_three_updates_of_the_trainer_leave_the_weights_of_the_plain_implementation(pair: Pair) -> None:
    """Updates see each other's results: the order of the two steps, Adam and its rates are the same, too."""
    inputs: dict[str, list[Tensor]] = {"G": [], "trunk": []}
    for name, part in (("G", pair.networks.G), ("trunk", pair.networks.trunk)):

        def to_double(_module: nn.Module, args: tuple[Tensor], name: str = name) -> Tensor:
            inputs[name].append(args[0].detach().double())
            return args[0].double()

        part.register_forward_pre_hook(to_double)
    pair.trainer.train(3)

    for step in range(3):
        noise, one_hot, continuous = inputs["G"][step].split([62, 10, 2], dim=1)
        real = inputs["trunk"][2 * step][:BATCH]  # and the fake ones, in D's step; then those in G's
        pair.plain.update(real, noise, one_hot.argmax(dim=1), continuous)
    assert_as_plain(pair.G, pair.plain_G)
    assert_as_plain(pair.DQ, pair.plain_DQ)


@pytest.mark.parametrize("index", [0, 5, 511])
def test_the_plain_loader_gives_the_same_pixels(pair: Pair, mnist: ImageDataset, index: int) -> None:
    image = pair.plain.loader.dataset[index]
    torch.testing.assert_close(image, to_float(mnist.train_images)[index], rtol=0, atol=1e-6)
