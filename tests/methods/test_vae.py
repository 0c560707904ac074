"""The VAE: its loss against closed forms and torch's distributions, and its life as a method like any other."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import yaml
from torch.distributions import Bernoulli, Normal, kl_divergence

from infogan_bench.config import ConfigError, DatasetConfig, RunConfig, apply, parse_sweep
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.methods.vae import VAE, VAEStep, bernoulli_loss, normal_kl
from infogan_bench.training import (
    FusedTrainer,
    Trainer,
    TrainingInterval,
    load_checkpoint,
    restore_trainer,
    save_checkpoint,
)
from tests.command_line import infogan_bench

CODES = {"categorical": [], "uniform": 0, "gaussian": 4, "noise": 0}
TREE = {
    "method": "vae",
    "codes": CODES,
    "architecture": {"name": "mlp", "width": 0.0625},
    "steps": 6,
    "batch": 16,
}


def vae(beta: float = 1.0) -> RunConfig:
    return RunConfig.model_validate(TREE | {"method": {"name": "vae", "options": {"beta": beta}}})


def test_the_kl_of_a_standard_normal_posterior_is_0_and_of_another_as_torch_has_it() -> None:
    mean, log_std = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0)).double()
    assert float(normal_kl(torch.zeros(8, 3), torch.zeros(8, 3))) == 0
    # mean 1, deviation e: (1 + e^2 - 1) / 2 - 1 = e^2 / 2 - 1 for each latent
    assert float(normal_kl(torch.ones(8, 3), torch.ones(8, 3))) == pytest.approx(3 * (math.e**2 / 2 - 1))
    expected = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(1).mean()  # type: ignore[no-untyped-call]
    assert float(normal_kl(mean, log_std)) == pytest.approx(float(expected))


def test_the_reconstruction_is_the_bernoulli_likelihood_of_pixels_in_0_1() -> None:
    images, real = (torch.rand(2, 5, 1, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1).unbind()
    # -x log p - (1 - x) log(1 - p), for grey x as well
    p, x = (images + 1) / 2, (real + 1) / 2
    expected = -(x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3)).mean()
    assert float(bernoulli_loss(images, real)) == pytest.approx(float(expected), rel=1e-5)
    binary = real.sign()
    of_binary = -Bernoulli(probs=p).log_prob((binary + 1) / 2).sum((1, 2, 3)).mean()  # type: ignore[no-untyped-call]
    assert float(bernoulli_loss(images, binary)) == pytest.approx(float(of_binary), rel=1e-5)
    assert float(bernoulli_loss(torch.zeros(3, 1, 4, 4), torch.ones(3, 1, 4, 4))) == pytest.approx(
        16 * math.log(2)
    )


def test_saturated_pixels_have_a_finite_loss_and_gradient() -> None:
    images = torch.tensor([-1.0, 1.0]).view(1, 1, 1, 2).requires_grad_()
    loss = bernoulli_loss(images, -images.detach())
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert images.grad is not None
    assert images.grad.isfinite().all()


def test_beta_weighs_the_kl_term(mnist: ImageDataset) -> None:
    trainer = Trainer(vae(beta=4.0), mnist.train_images, 0)
    assert isinstance(trainer.method, VAE)
    networks = trainer.model.networks
    encoding = trainer.method.encode(networks, torch.rand(16, 1, 28, 28) * 2 - 1, torch.randn(16, 4))
    step = VAEStep(torch.rand(16, 1, 28, 28) * 2 - 1, encoding, {}, {})
    loss, (reconstruction, kl) = trainer.method.loss(networks, step)
    assert float(loss.detach()) == pytest.approx(float((reconstruction + 4 * kl).detach()))


def test_it_learns_and_reports_both_parts(mnist: ImageDataset) -> None:
    trainer = Trainer(vae(), mnist.train_images, 0)
    first = trainer.train(5).metrics
    assert list(first) == ["loss/reconstruction", "loss/kl"]
    assert first["loss/reconstruction"] < 1.2 * 784 * math.log(
        2
    )  # about that of grey images, where it begins
    assert trainer.train(40).metrics["loss/reconstruction"] < 0.97 * first["loss/reconstruction"]
    posterior = trainer.model.encode(mnist.test_images[:10], mnist.train_images)
    assert posterior.mean.shape == (10, 4)
    assert trainer.model.generate(trainer.model.codes.sample(3, torch.Generator())).shape == (3, 1, 28, 28)


def test_it_resumes_bit_for_bit(mnist: ImageDataset, tmp_path: Path) -> None:
    whole, stopped = (Trainer(vae(), mnist.train_images, 1) for _ in range(2))
    whole.train(3)
    stopped.train(3)
    save_checkpoint(stopped, DatasetConfig(), tmp_path / "checkpoint.safetensors")
    resumed = restore_trainer(load_checkpoint(tmp_path / "checkpoint.safetensors"), mnist.train_images)
    assert resumed.train(3).metrics == whole.train(3).metrics
    for name, tensor in whole.state().items():
        assert torch.equal(resumed.state()[name], tensor), name


def test_fused_seeds_train_as_each_would_alone(mnist: ImageDataset) -> None:
    together, alone = ([Trainer(vae(), mnist.train_images, seed) for seed in (0, 1)] for _ in range(2))
    for found, single in zip(FusedTrainer(together).train(4), alone, strict=True):
        assert isinstance(found, TrainingInterval)
        assert found.metrics == pytest.approx(single.train(4).metrics, rel=0.02)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"codes.categorical": [10]}, "every latent of a `vae` is a Gaussian code"),
        ({"codes.noise": 5}, "every latent of a `vae` is a Gaussian code"),
        (
            {"objective.lambda_cont": 0.5},
            r"objective\.lambda_cont: a `vae` does not read InfoGAN's objective",
        ),
        ({"method.options.gamma": 2.0}, r"method\.options\.gamma: no such option of vae"),
        ({"method.name": "vea"}, r"method\.name: no method 'vea'.*vae.*`extensions`"),
    ],
)
def test_what_it_cannot_train_is_refused(
    mnist: ImageDataset, params: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Trainer(apply(vae(), params), mnist.train_images, 0)


def test_its_losses_are_goals_and_beta_is_swept() -> None:
    tree = {"name": "v", "base": TREE, "space": {"method.options.beta": [1, 4]},
            "goal": {"metric": "loss/reconstruction"}, "evaluation": {"scores": []}}  # fmt: skip
    sweep = parse_sweep(tree)
    assert sweep.goal.mode == "min"
    assert apply(sweep.base, {"method.options.beta": 4.0}).method.options == {"beta": 4.0}
    with pytest.raises(ConfigError, match="loss/d"):
        parse_sweep(tree | {"goal": {"metric": "loss/d"}})


@pytest.mark.parametrize("algorithm", ["random", "tpe"])
def test_what_it_cannot_train_is_refused_before_a_sweep_whatever_its_search(
    tmp_path: Path, algorithm: str
) -> None:
    file = tmp_path / "sweep.yaml"
    tree = {
        "name": "v",
        "dataset": {"name": "mnist", "train_size": 64, "test_size": 64},
        "base": {**TREE, "codes": {**CODES, "noise": 5}},
        "space": {"method.options.beta": {"uniform": [1, 4]}},
        "search": {"algorithm": algorithm, "trials": 3},
        "goal": {"metric": "loss/reconstruction"},
        "evaluation": {"scores": []},
        "tracking": {"enabled": False},
        "output": str(tmp_path / "runs"),
    }
    file.write_text(yaml.safe_dump(tree))
    done = infogan_bench("sweep", str(file), cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("method.name: every latent of a `vae` is a Gaussian code") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()
