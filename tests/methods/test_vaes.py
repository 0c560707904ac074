"""The VAEs of the study of Locatello et al. (arXiv 1811.12359): losses on fixed tensors, and a few steps of each."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import Tensor

from infogan_bench.config import DatasetConfig, RunConfig, apply, load_sweep
from infogan_bench.config.methods import METHODS
from infogan_bench.datasets import ImageDataset
from infogan_bench.errors import InputError
from infogan_bench.methods.beta_tcvae import total_correlation
from infogan_bench.methods.dip_vae import covariance_of_means, penalties
from infogan_bench.methods.vae import VAE, Encoding, VAEStep, normal_kl
from infogan_bench.training import (
    FusedTrainer,
    Trainer,
    TrainingInterval,
    load_checkpoint,
    restore_trainer,
    save_checkpoint,
)

PAGE = Path(__file__).parents[2] / "docs" / "vaes.md"
BASE = {
    "codes": {"categorical": [], "uniform": 0, "gaussian": 4, "noise": 0},
    "architecture": {"name": "mlp", "width": 0.0625},
    "steps": 6,
    "batch": 16,
}
OPTIONS = {
    "beta-tcvae": {"beta": 4.0},
    "dip-vae-i": {"lambda_od": 2.0, "lambda_d_factor": 10.0},
    "dip-vae-ii": {"lambda_od": 2.0, "lambda_d_factor": 1.0},
    "annealed-vae": {"gamma": 10.0, "c_max": 8.0, "annealing_steps": 4.0},
    "factor-vae": {"gamma": 5.0},
}


def run_of(name: str, **options: float) -> RunConfig:
    return RunConfig.model_validate(BASE | {"method": {"name": name, "options": OPTIONS[name] | options}})


def encoding_of(mean: Tensor, log_std: Tensor, seed: int = 0) -> Encoding:
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(seed), dtype=mean.dtype)
    return Encoding(mean, log_std, mean + log_std.exp() * noise, normal_kl(mean, log_std))


def random_encoding(n_images: int = 12, n_codes: int = 3) -> Encoding:
    mean, log_std = torch.randn(
        2, n_images, n_codes, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    return encoding_of(mean, log_std / 3)


# Total correlation -------------------------------------------------------------------------------------------


def test_posteriors_that_are_all_alike_have_no_total_correlation() -> None:
    encoding = encoding_of(torch.full((7, 4), 0.3), torch.full((7, 4), -1.0))
    assert float(total_correlation(encoding)) == pytest.approx(0, abs=1e-5)


def test_two_latents_that_hold_the_same_bit_have_a_total_correlation_of_ln_2() -> None:
    # (1, 1) or (-1, -1), each in half of the images: H + H - H(joint) = ln 2
    mean = torch.tensor([[1.0, 1.0], [-1.0, -1.0]]).repeat(4, 1)
    assert float(total_correlation(encoding_of(mean, torch.full((8, 2), -4.0)))) == pytest.approx(math.log(2))


def test_the_total_correlation_of_a_gaussian_batch_is_that_of_its_correlation() -> None:
    generator = torch.Generator().manual_seed(0)
    covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]])
    mean = torch.randn(2000, 2, generator=generator) @ torch.linalg.cholesky(covariance).T
    correlation = 0.8 / (1 + 0.3**2)  # the posteriors' own variance adds to the diagonal
    expected = -math.log(1 - correlation**2) / 2  # 0.387 nats
    encoding = encoding_of(mean, torch.full((2000, 2), math.log(0.3)), seed=1)
    found = float(total_correlation(encoding))
    assert found == pytest.approx(expected, abs=0.03)


def test_the_total_correlation_is_that_of_a_plain_loop() -> None:
    encoding = random_encoding()
    mean, std, sample = encoding.mean.numpy(), encoding.log_std.exp().numpy(), encoding.sample.numpy()
    n_images, n_codes = mean.shape
    values = []
    for z in sample:
        joint = [
            sum(norm.logpdf(z[k], mean[i, k], std[i, k]) for k in range(n_codes)) for i in range(n_images)
        ]
        margins = [
            logsumexp(norm.logpdf(z[k], mean[:, k], std[:, k]), b=1 / n_images) for k in range(n_codes)
        ]
        values.append(logsumexp(joint, b=1 / n_images) - sum(margins))
    assert float(total_correlation(encoding)) == pytest.approx(np.mean(values))


# Covariances -------------------------------------------------------------------------------------------------


def test_the_covariance_is_that_of_numpy() -> None:
    encoding = random_encoding()
    expected = np.cov(encoding.mean.numpy().T, bias=True)
    assert covariance_of_means(encoding).numpy() == pytest.approx(expected)
    off_diagonal, diagonal = penalties(covariance_of_means(encoding))
    assert float(diagonal) == pytest.approx(((np.diag(expected) - 1) ** 2).sum())
    assert float(off_diagonal + diagonal) == pytest.approx(
        ((expected - np.eye(3)) ** 2).sum()
    )  # the squared Frobenius distance from the identity


def test_the_penalties_of_a_covariance_are_as_counted_by_hand() -> None:
    off_diagonal, diagonal = penalties(torch.tensor([[3.0, 0.5], [0.5, 0.0]]))
    assert (float(off_diagonal), float(diagonal)) == (0.5, 5.0)  # 2 * 0.5^2, (3 - 1)^2 + (0 - 1)^2


# The loss of each --------------------------------------------------------------------------------------------


def loss_of(trainer: Trainer, encoding: Encoding, share: float = 0.0) -> tuple[float, dict[str, float]]:
    """The loss of a VAE for given posteriors of black images, and its parts."""
    method = trainer.method
    assert isinstance(method, VAE)
    step = VAEStep(-torch.ones(len(encoding.mean), 1, 28, 28), encoding, {"share": [torch.tensor(share)]}, {})
    loss, values = method.loss(trainer.model.networks, step)
    names = method.phases[0].logged
    return float(loss), {name: float(value) for name, value in zip(names, values, strict=True)}


def made(name: str, dataset: ImageDataset, **options: float) -> Trainer:
    return Trainer(run_of(name, **options), dataset.train_images, 0)


@torch.no_grad()
def test_the_loss_of_beta_tcvae_is_the_vae_s_and_beta_minus_1_times_the_total_correlation(
    mnist: ImageDataset,
) -> None:
    encoding = random_encoding(n_codes=4)
    encoding = Encoding(*(tensor.float() for tensor in encoding))
    loss, parts = loss_of(made("beta-tcvae", mnist, beta=6.0), encoding)
    assert parts["loss/total_correlation"] == pytest.approx(float(total_correlation(encoding)))
    assert loss == pytest.approx(
        parts["loss/reconstruction"] + float(encoding.kl) + 5 * parts["loss/total_correlation"]
    )
    loss, parts = loss_of(made("beta-tcvae", mnist, beta=1.0), encoding)
    assert loss == pytest.approx(parts["loss/reconstruction"] + parts["loss/kl"])


@torch.no_grad()
@pytest.mark.parametrize("name", ["dip-vae-i", "dip-vae-ii"])
def test_the_loss_of_a_dip_vae_has_the_penalties_of_its_covariance(name: str, mnist: ImageDataset) -> None:
    encoding = Encoding(*(tensor.float() for tensor in random_encoding(n_codes=4)))
    covariance = np.cov(encoding.mean.numpy().T, bias=True)
    if name == "dip-vae-ii":
        covariance += np.diag((encoding.log_std.exp() ** 2).mean(0).numpy())
    diagonal = ((np.diag(covariance) - 1) ** 2).sum()
    off_diagonal = (covariance**2).sum() - (np.diag(covariance) ** 2).sum()
    loss, parts = loss_of(made(name, mnist, lambda_od=5.0, lambda_d_factor=3.0), encoding)
    assert parts["loss/covariance_off_diagonal"] == pytest.approx(off_diagonal, rel=1e-4)
    assert parts["loss/covariance_diagonal"] == pytest.approx(diagonal, rel=1e-4)
    expected = parts["loss/reconstruction"] + float(encoding.kl) + 5 * off_diagonal + 15 * diagonal
    assert loss == pytest.approx(expected, rel=1e-5)


@torch.no_grad()
def test_the_loss_of_annealed_vae_is_the_distance_of_the_kl_to_the_capacity(mnist: ImageDataset) -> None:
    trainer = made("annealed-vae", mnist, gamma=1000.0, c_max=25.0)
    encoding = encoding_of(torch.ones(3, 4), torch.ones(3, 4))
    kl = 4 * (math.e**2 / 2 - 1)  # 10.78 nats: (1 + e^2 - 1) / 2 - 1 for each latent
    loss, parts = loss_of(trainer, encoding, share=0.8)
    assert parts["loss/capacity"] == pytest.approx(20 - kl, rel=1e-5)
    assert loss == pytest.approx(parts["loss/reconstruction"] + 1000 * (20 - kl), rel=1e-5)


def test_the_capacity_grows_from_0_to_c_max_and_stays(mnist: ImageDataset) -> None:
    trainer = made("annealed-vae", mnist)
    for capacity in (0, 2, 4, 6, 8, 8):  # c_max 8 in 4 updates
        found = trainer.train(1).metrics
        assert found["loss/capacity"] == pytest.approx(abs(found["loss/kl"] - capacity), rel=1e-4)


# Each as a method like any other -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPTIONS)
def test_it_reports_its_parts_and_learns(name: str, mnist: ImageDataset) -> None:
    trainer = made(name, mnist)
    first = trainer.train(5).metrics
    assert list(first) == [quantity.name for quantity in METHODS[name].quantities]
    assert trainer.train(40).metrics["loss/reconstruction"] < 0.97 * first["loss/reconstruction"]


@pytest.mark.parametrize("name", OPTIONS)
def test_it_resumes_bit_for_bit(name: str, mnist: ImageDataset, tmp_path: Path) -> None:
    whole, stopped = (made(name, mnist) for _ in range(2))
    whole.train(3)
    stopped.train(3)
    save_checkpoint(stopped, DatasetConfig(), tmp_path / "checkpoint.safetensors")
    resumed = restore_trainer(load_checkpoint(tmp_path / "checkpoint.safetensors"), mnist.train_images)
    assert resumed.train(3).metrics == whole.train(3).metrics
    for key, tensor in whole.state().items():
        assert torch.equal(resumed.state()[key], tensor), key


@pytest.mark.parametrize("name", OPTIONS)
def test_fused_seeds_train_as_each_would_alone(name: str, mnist: ImageDataset) -> None:
    together, alone = ([Trainer(run_of(name), mnist.train_images, seed) for seed in (0, 1)] for _ in range(2))
    alone[0].train(2)  # each at a step of its own
    together[0].train(2)
    for found, single in zip(FusedTrainer(together).train(3), alone, strict=True):
        assert isinstance(found, TrainingInterval)
        assert found.metrics == pytest.approx(single.train(3).metrics, rel=0.02)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"codes.uniform": 2}, r"method\.name: every latent of a `{}` is a Gaussian code"),
        ({"objective.lambda_cont": 0.5}, r"objective\.lambda_cont: a `{}` does not read.*`method\.options\."),
        ({"method.options.alpha": 2.0}, r"method\.options\.alpha: no such option of {}"),
    ],
)
def test_what_it_cannot_train_is_refused(
    name: str, mnist: ImageDataset, params: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message.format(name)):
        Trainer(apply(run_of(name), params), mnist.train_images, 0)


def test_the_page_has_the_methods_with_their_defaults_and_the_study_s_settings(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in ("vae", *OPTIONS):
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
        assert ", ".join(f"{key}: {value:g}" for key, value in METHODS[name].options.items()) in row
    (tmp_path / "study.yaml").write_text(
        "name: study\ngoal: {metric: loss/kl}\nevaluation: {scores: []}\n"
        + page.partition("```yaml\n")[2].partition("```")[0]
    )
    run = load_sweep(tmp_path / "study.yaml").base
    assert (run.optimiser.lr_g, run.optimiser.lr_d, run.optimiser.beta1) == (1e-4, 1e-4, 0.9)
    assert (run.batch, run.steps, run.codes.gaussian) == (64, 300_000, 10)


def test_an_annealing_of_no_step_is_refused(mnist: ImageDataset) -> None:
    with pytest.raises(
        InputError, match=r"method\.options\.annealing_steps: expected 1 update or more, got 0"
    ):
        made("annealed-vae", mnist, annealing_steps=0.0)
