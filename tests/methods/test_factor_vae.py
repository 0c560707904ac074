"""FactorVAE's discriminator of latents: the density ratio, its loss, the permutations and its optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal

from infogan_bench.config import RunConfig
from infogan_bench.datasets import ImageDataset
from infogan_bench.methods.factor_vae import FactorVAEMethod, density_ratio, discriminator_loss
from infogan_bench.methods.vae import Encoding, VAEStep
from infogan_bench.training import Trainer

RUN = RunConfig.model_validate(
    {
        "method": {"name": "factor-vae", "options": {"gamma": 5.0}},
        "codes": {"categorical": [], "uniform": 0, "gaussian": 4, "noise": 0},
        "architecture": {"name": "mlp", "width": 0.0625},
        "optimiser": {"lr_d": 1e-4},
        "batch": 16,
    }
)


def test_the_density_ratio_of_a_gaussian_is_its_total_correlation() -> None:
    torch.manual_seed(0)
    joint = MultivariateNormal(torch.zeros(2), torch.tensor([[1.0, 0.8], [0.8, 1.0]]))  # type: ignore[no-untyped-call]
    z = joint.sample((20_000,))
    margins = Normal(0.0, 1.0).log_prob(z).sum(1)  # type: ignore[no-untyped-call]
    perfect = torch.stack([joint.log_prob(z), margins], dim=1)  # type: ignore[no-untyped-call]
    expected = -math.log(1 - 0.8**2) / 2  # 0.511 nats
    assert float(density_ratio(perfect)) == pytest.approx(expected, abs=0.02)
    assert float(density_ratio(torch.tensor([[2.0, 0.5], [0.0, 1.0]]))) == 0.25  # (1.5 - 1) / 2


def test_the_loss_of_the_discriminator_is_its_cross_entropy() -> None:
    guess = torch.zeros(5, 2)
    assert float(discriminator_loss(guess, guess)) == pytest.approx(math.log(2))
    # -(log sigmoid(2) + log sigmoid(1)) / 2, since the right logits are 2 and 1 above the others
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2
    found = discriminator_loss(torch.tensor([[2.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    assert float(found) == pytest.approx(expected)
    logits = np.random.default_rng(0).normal(size=(2, 9, 2))
    shares = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    expected = -0.5 * np.log(shares[0, :, 0]).mean() - 0.5 * np.log(shares[1, :, 1]).mean()
    assert float(discriminator_loss(*torch.tensor(logits))) == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="module")
def trainer(mnist: ImageDataset) -> Trainer:
    return Trainer(RUN, mnist.train_images, 0)


def method_of(trainer: Trainer) -> FactorVAEMethod:
    assert isinstance(trainer.method, FactorVAEMethod)
    return trainer.method


def test_the_discriminator_has_six_layers_of_1000_units(trainer: Trainer) -> None:
    discriminator = trainer.model.networks.TC
    assert discriminator is not None
    layers = [layer for layer in discriminator.modules() if isinstance(layer, nn.Linear)]
    widths = [(layer.in_features, layer.out_features) for layer in layers]
    assert widths == [(4, 1000), *[(1000, 1000)] * 5, (1000, 2)]
    slopes = [layer.negative_slope for layer in discriminator.modules() if isinstance(layer, nn.LeakyReLU)]
    assert slopes == [0.2] * 6
    # Glorot: U(-a, a), a^2 = 6 / 2000
    assert float(layers[1].weight.detach().abs().max()) == pytest.approx((6 / 2000) ** 0.5, rel=1e-3)


def test_each_latent_is_permuted_on_its_own(trainer: Trainer) -> None:
    method = method_of(trainer)
    draws = method.draw(torch.Generator().manual_seed(0))
    order = method.prepare(draws, torch.zeros(()), torch.zeros(()))["order"][0]
    assert torch.equal(order.sort(dim=0).values, torch.arange(16)[:, None].expand(16, 4))
    assert len({tuple(column.tolist()) for column in order.T}) == 4


def test_the_loss_is_the_vae_s_and_gamma_times_the_total_correlation(trainer: Trainer) -> None:
    method, networks = method_of(trainer), trainer.model.networks
    mean = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    step = VAEStep(-torch.ones(16, 1, 28, 28), Encoding(mean, mean, mean, torch.tensor(3.0)), {}, {})
    loss, (reconstruction, kl, correlation) = method.loss(networks, step)
    assert networks.TC is not None
    logits = networks.TC(mean).detach()
    assert float(kl) == 3
    assert float(correlation.detach()) == pytest.approx(float((logits[:, 0] - logits[:, 1]).mean()), abs=1e-6)
    expected = reconstruction.detach() + 3 + 5 * correlation.detach()
    assert float(loss.detach()) == pytest.approx(float(expected))


def test_its_phase_leaves_the_encoder_alone_and_learns(trainer: Trainer) -> None:
    """Four latents that are all alike are told from permuted ones."""
    method, networks = method_of(trainer), trainer.model.networks
    phase = method.phases[1]
    latent = torch.randn(16, 1, generator=torch.Generator().manual_seed(0)).repeat(1, 4).requires_grad_()
    encoding = Encoding(latent, latent, latent, torch.tensor(0.0))
    optimiser = torch.optim.Adam(phase.parameters, 1e-4)
    losses = []
    for seed in range(25):
        draws = method.draw(torch.Generator().manual_seed(seed))
        prepared = method.prepare(draws, torch.zeros(()), torch.zeros(()))
        loss, _ = phase.loss(networks, phase.inputs(VAEStep(latent, encoding, prepared, {})))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert latent.grad is None
    assert losses[0] == pytest.approx(math.log(2), abs=0.05)
    assert losses[-1] < 0.5


def test_its_adam_has_betas_of_its_own(mnist: ImageDataset) -> None:
    trainer = Trainer(RUN, mnist.train_images, 0)
    parameters = trainer.optimisers["TC"].parameters
    copies = [nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    reference = torch.optim.Adam(copies, 1e-4, betas=(0.5, 0.9))
    for scale in (1.0, -3.0):  # the first step of Adam does not depend on them
        for ours, theirs in zip(parameters, copies, strict=True):
            ours.grad = torch.full_like(ours, scale)
            theirs.grad = ours.grad.clone()
        trainer.optimisers["TC"].step()
        reference.step()
    for ours, theirs in zip(parameters, copies, strict=True):
        torch.testing.assert_close(ours, theirs)
