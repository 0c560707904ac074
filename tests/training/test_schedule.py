"""What changes from update to update by plan, and the penalty on D: averages, noise, step sizes, R1."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from infogan_bench.config import RunConfig, apply
from infogan_bench.datasets import ImageDataset
from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp
from infogan_bench.training import Trainer
from tests.training.support import PAPER, assert_same_state, copied, numbered, shown_images

# The averaged G --------------------------------------------------------------------------------------------


def test_the_averaged_g_is_the_mean_of_g_over_the_updates_weighted_by_age(
    tiny_run: RunConfig, mnist: ImageDataset
) -> None:
    trainer = Trainer(apply(tiny_run, {"optimiser.ema": 0.5}), mnist.train_images, 0)
    G = trainer.model.networks.G
    states = []
    for _ in range(3):
        trainer.train(1)
        states.append(copied(G.state_dict()))
    shares = [1 / 7, 2 / 7, 4 / 7]  # 0.5^2, 0.5 and 1, over their sum 1.75
    found = {
        name.removeprefix("averaged_G/"): value
        for name, value in trainer.state().items()
        if name.startswith("averaged_G/")
    }
    assert found.keys() == G.state_dict().keys()
    for name, value in found.items():
        if value.is_floating_point():  # weights, and BatchNorm's running statistics
            mean = sum(share * state[name] for share, state in zip(shares, states, strict=True))
            torch.testing.assert_close(value, mean, msg=name)
        else:
            assert int(value) == 3  # BatchNorm's count of batches

    G.load_state_dict(found)
    latents = trainer.model.codes.sample(5, torch.Generator().manual_seed(0))
    by_hand = G.eval()(trainer.model.codes.flatten(latents))
    assert torch.equal(trainer.model.generate(latents), by_hand)


def test_averaging_changes_no_number_of_the_training(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    plain, averaging = (
        Trainer(apply(tiny_run, {"optimiser.ema": decay}), mnist.train_images, 0) for decay in (0, 0.9)
    )
    assert plain.train(4).metrics == averaging.train(4).metrics
    state = averaging.state()
    assert_same_state({name: state[name] for name in plain.state()}, plain.state())
    assert not any(name.startswith("averaged_G/") for name in plain.state())


# Instance noise --------------------------------------------------------------------------------------------


def test_instance_noise_falls_linearly_over_the_run(tiny_run: RunConfig) -> None:
    black = torch.zeros(64, 1, 28, 28, dtype=torch.uint8)
    run = apply(tiny_run, {"objective.instance_noise": 0.4, "steps": 4, "batch": 64})
    trainer = Trainer(run, black, 0)
    batches = shown_images(trainer)
    trainer.train(4)
    noise = [batch + 1 for batch in batches]  # black is -1
    for values, std in zip(noise, (0.4, 0.3, 0.2, 0.1), strict=True):
        # five standard errors, of a mean and of a standard deviation
        assert float(values.mean()) == pytest.approx(0, abs=5 * std / values.numel() ** 0.5)
        assert float(values.std()) == pytest.approx(std, abs=5 * std / (2 * values.numel()) ** 0.5)
    assert abs(float(torch.corrcoef(torch.stack([each.flatten() for each in noise[:2]]))[0, 1])) < 0.05


# R1 --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scratch_registry")
def test_r1_pulls_the_weights_of_a_linear_d_to_0(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    @register_architecture("linear")
    def linear(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        networks = mlp(image_shape, latent_dim, q_dim, width)
        pixels = math.prod(image_shape)
        heads = {"D_head": nn.Linear(pixels, 1), "Q_head": nn.Linear(pixels, q_dim)}
        return Networks(G=networks.G, trunk=nn.Flatten(), **heads)

    run = apply(tiny_run, {"architecture.name": "linear", "objective.r1": 1e6, "optimiser.lr_d": 0.01})
    trainer = Trainer(run, mnist.train_images, 0)
    D_head = trainer.model.networks.D_head
    assert isinstance(D_head, nn.Linear)
    nn.init.constant_(D_head.weight, 0.5)
    with torch.no_grad():
        D_head.weight[:, ::2] *= -1
    trainer.train(1)
    # the gradient is 1e6 w and at most 2 from the adversarial part, and Adam's first step is lr times its sign
    torch.testing.assert_close(D_head.weight.abs(), torch.full_like(D_head.weight, 0.49))


# A step size that falls at the end -------------------------------------------------------------------------


def test_step_sizes_are_whole_until_the_decay_and_fall_to_0_over_it() -> None:
    settings = {**PAPER, "steps": 10, "batch": 4, "optimiser.decay": 0.4}
    trainer = Trainer(apply(RunConfig(), settings), numbered(8).repeat(1, 1, 2, 2), 0)
    seen = []
    for _ in range(12):
        trainer.train(1)
        seen.append([float(trainer.optimisers[name].lr) for name in ("G", "D")])
    # (steps left before the update) / (0.4 * 10), between 0 and 1
    falling = [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25, 0, 0]
    assert seen == [pytest.approx([1e-3 * share, 2e-4 * share]) for share in falling]
