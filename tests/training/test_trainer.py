"""The training loop: reproducible, resumable, right to a plain loop, and loud when it diverges."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from infogan_bench.codes import Latents
from infogan_bench.config import DatasetConfig, RunConfig, apply
from infogan_bench.datasets import ImageDataset, to_uint8
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape, Networks, register_architecture
from infogan_bench.networks.architectures import mlp
from infogan_bench.training import (
    DivergedError,
    Trainer,
    load_checkpoint,
    restore_trainer,
    save_checkpoint,
)
from tests.training.support import PAPER, assert_same_state, copied, numbered, shown_images

DCGAN = {"architecture.name": "dcgan", "architecture.width": 0.0625}
SPECTRAL = PAPER | {"architecture.spectral_norm": True, "objective.r1": 1.0}
NOISY = PAPER | {"objective.instance_noise": 0.3, "objective.r1": 1.0, "steps": 7}


def order(trainer: Trainer, steps: int) -> list[list[int]]:
    """Indices of the real images of each of `steps` steps."""
    batches = shown_images(trainer)
    trainer.train(steps)
    pixels = [to_uint8(batch)[:, 0, 0, :2].long() for batch in batches]
    return [(256 * pair[:, 0] + pair[:, 1]).tolist() for pair in pixels]


@pytest.fixture
def run(tiny_run: RunConfig) -> RunConfig:
    """`tiny_run` in batches of 64."""
    return apply(tiny_run, {"batch": 64})


# Reproducible ----------------------------------------------------------------------------------------------


def test_equal_seeds_give_equal_numbers_and_others_do_not(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    first, again, other = (Trainer(tiny_run, mnist.train_images, seed) for seed in (0, 0, 1))
    metrics = [trainer.train(6).metrics for trainer in (first, again, other)]
    assert metrics[0] == metrics[1]
    assert_same_state(first.state(), again.state())
    for name in ("loss/d", "loss/g", "L_I/cat_0", "L_I/uniform_0", "L_I/gaussian_0"):
        assert metrics[0][name] != metrics[2][name]


@pytest.mark.usefixtures("scratch_registry")
def test_torch_s_global_random_state_is_neither_read_nor_changed(
    tiny_run: RunConfig, mnist: ImageDataset
) -> None:
    @register_architecture("noisy")
    def noisy(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        networks = mlp(image_shape, latent_dim, q_dim, width)
        # a layer that starts from torch's own random weights, unlike those that start from N(0, 0.02)
        networks.D_head = nn.Sequential(
            networks.D_head, nn.Unflatten(1, (1, 1)), nn.Conv1d(1, 1, 1), nn.Flatten()
        )
        return networks

    run = apply(tiny_run, {"architecture.name": "noisy"})
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = Trainer(run, mnist.train_images, 0)
    first.train(2)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    second = Trainer(run, mnist.train_images, 0)
    second.train(2)
    assert_same_state(first.state(), second.state())


@pytest.mark.parametrize("architecture", [PAPER, DCGAN, PAPER | {"optimiser.ema": 0.9}, NOISY, SPECTRAL])
def test_stopped_and_resumed_through_a_file_equals_uninterrupted(
    tiny_run: RunConfig, mnist: ImageDataset, tmp_path: Path, architecture: dict[str, object]
) -> None:
    run = apply(tiny_run, architecture)
    images = mnist.train_images[:128]  # 4 steps an epoch: 3 + 4 steps cross into the second one
    whole = Trainer(run, images, 5)
    whole.train(3)
    expected = whole.train(4)

    stopped = Trainer(run, images, 5)
    stopped.train(3)
    save_checkpoint(stopped, DatasetConfig(), tmp_path / "checkpoint.safetensors")
    del stopped
    resumed = restore_trainer(load_checkpoint(tmp_path / "checkpoint.safetensors"), images)
    found = resumed.train(4)

    assert found.metrics == expected.metrics
    assert_same_state(resumed.state(), whole.state())
    assert resumed.step == 7


def test_a_trainer_that_has_trained_can_be_set_back(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    trainer = Trainer(tiny_run, mnist.train_images, 0)
    start, expected = copied(trainer.state()), copied_after(trainer, 3)
    trainer.load_state(start)
    assert trainer.step == 0
    trainer.train(3)
    assert_same_state(trainer.state(), expected)


def copied_after(trainer: Trainer, steps: int) -> dict[str, Tensor]:
    trainer.train(steps)
    return copied(trainer.state())


def test_intervals_of_any_length_add_up(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    whole, cut = (Trainer(tiny_run, mnist.train_images, 0) for _ in range(2))
    mean = whole.train(6).metrics
    parts = [cut.train(steps).metrics for steps in (1, 2, 3)]
    assert_same_state(cut.state(), whole.state())
    for name in ("loss/d", "loss/g", "L_I", "L_I/cat_0"):  # means over an interval's updates
        total = sum(steps * part[name] for steps, part in zip((1, 2, 3), parts, strict=True))
        assert mean[name] == pytest.approx(total / 6, rel=1e-5)


# The images ------------------------------------------------------------------------------------------------


def test_an_epoch_is_a_permutation_without_the_last_partial_batch(run: RunConfig) -> None:
    batches = order(Trainer(run, numbered(257), 0), 12)
    assert [len(batch) for batch in batches] == [64] * 12
    # 257 // 64 = 4 steps an epoch
    epochs = [[i for batch in batches[start : start + 4] for i in batch] for start in (0, 4, 8)]
    for epoch in epochs:
        assert len(set(epoch)) == 256
        assert set(epoch) <= set(range(257))
        assert epoch != sorted(epoch)
    assert epochs[0] != epochs[1]
    assert epochs[1] != epochs[2]
    # the image that is left over is another one each time, so that none is lost for good
    assert len({(set(range(257)) - set(epoch)).pop() for epoch in epochs}) == 3


def test_the_order_depends_on_the_seed_alone(run: RunConfig) -> None:
    images = numbered(128)
    first = order(Trainer(run, images, 0), 4)
    assert order(Trainer(apply(run, {"architecture.width": 0.25}), images, 0), 4) == first
    assert order(Trainer(run, images, 1), 4) != first


def test_no_random_numbers_are_used_twice(run: RunConfig) -> None:
    # weights, latents and order are drawn from streams of their own: had latents and order one source, then
    # the epoch's order would be the permutation that the latents' generator draws first
    trainer = Trainer(run, numbered(64), 3)
    latents_stream = torch.Generator()
    latents_stream.set_state(trainer.generator.get_state())
    assert torch.randperm(64, generator=latents_stream).tolist() != order(trainer, 1)[0]

    fresh = Trainer(run, numbered(64), 3)
    z = fresh.model.codes.sample(64, fresh.generator).z
    first_weight = next(fresh.model.networks.parameters()).detach().flatten()[: z.numel()]
    correlation = torch.corrcoef(torch.stack([z.flatten()[: len(first_weight)], first_weight]))[0, 1]
    assert abs(float(correlation)) < 5 / math.sqrt(len(first_weight))


@pytest.mark.parametrize("n", [64, 65, 127])
def test_one_batch_is_enough_for_an_epoch(run: RunConfig, n: int) -> None:
    batches = order(Trainer(run, numbered(n), 0), 3)
    assert [len(set(batch)) for batch in batches] == [64, 64, 64]


def test_fewer_images_than_a_batch_are_refused(run: RunConfig) -> None:
    with pytest.raises(InputError, match=r"^batch: 64 images a step .* the training set has 63$"):
        Trainer(run, numbered(63), 0)


def test_an_architecture_that_cannot_make_the_images_is_refused(run: RunConfig) -> None:
    with pytest.raises(InputError, match="4x4"):
        Trainer(apply(run, PAPER), numbered(64), 0)


# The update ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes", [PAPER, DCGAN, {"objective.lambda_cat": 0.0, "objective.lambda_cont": 0.1}]
)
def test_three_steps_equal_a_plain_loop(
    tiny_run: RunConfig, mnist: ImageDataset, changes: dict[str, object]
) -> None:
    run = apply(tiny_run, changes | {"objective.fixed_std": False, "optimiser.beta2": 0.9})
    trainer = Trainer(run, mnist.train_images, 0)
    use_double_precision(trainer.model.networks)  # Adam makes a full step of a gradient that is all rounding
    start = copied(trainer.model.networks.state_dict())
    plain = plain_loop(trainer, run)
    batches = shown_images(trainer)
    losses = trainer.train(3).metrics
    plain_weights, plain_losses = plain(batches)

    assert losses["loss/d"] == pytest.approx(plain_losses["loss/d"])
    assert losses["loss/g"] == pytest.approx(plain_losses["loss/g"])
    for name, weight in trainer.model.networks.named_parameters():
        moved, expected = weight.detach() - start[name], plain_weights[name] - start[name]
        assert float(expected.norm()) > 0
        assert float((moved - expected).norm()) < 1e-6 * float(expected.norm()), name


def use_double_precision(networks: Networks) -> None:
    def widen(_module: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
        return inputs[0].double()

    networks.double()
    networks.G.register_forward_pre_hook(widen)
    networks.trunk.register_forward_pre_hook(widen)


def plain_loop(
    trainer: Trainer, run: RunConfig
) -> Callable[[list[Tensor]], tuple[dict[str, Tensor], dict[str, float]]]:
    """InfoGAN's updates written out, with torch's plain Adam on contiguous copies of the weights. What is
    returned trains on given real images, a batch a step."""
    networks = copy.deepcopy(trainer.model.networks).to(memory_format=torch.contiguous_format)
    generator = torch.Generator()
    generator.set_state(trainer.generator.get_state())
    codes, objective, optimiser = trainer.model.codes, run.objective, run.optimiser

    def adam(parts: list[nn.Module], lr: float) -> torch.optim.Adam:
        parameters = [parameter for part in parts for parameter in part.parameters()]
        betas = (optimiser.beta1, optimiser.beta2)
        return torch.optim.Adam(parameters, lr=lr, betas=betas, foreach=False, fused=False)

    def information(features: Tensor, latents: Latents) -> tuple[Tensor, Tensor]:
        """-L_I of the categorical and of the continuous codes, up to constants."""
        posterior = codes.split(networks.Q_head(features))
        categorical = nn.functional.cross_entropy(posterior.logits[0], latents.categories[:, 0])
        variance = (2 * posterior.log_std).exp()
        nll = nn.functional.gaussian_nll_loss(
            posterior.mean, latents.continuous, variance, reduction="none", full=True
        )
        return categorical, nll.mean(0).sum()

    def train(batches: list[Tensor]) -> tuple[dict[str, Tensor], dict[str, float]]:
        d_adam = adam([networks.trunk, networks.D_head, networks.Q_head], optimiser.lr_d)
        g_adam = adam([networks.G], optimiser.lr_g)
        totals = {"loss/d": 0.0, "loss/g": 0.0}
        bce = nn.functional.binary_cross_entropy_with_logits
        ones = torch.ones(run.batch, 1, dtype=torch.float64)
        zeros = torch.zeros_like(ones)
        for real in batches:
            latents = codes.sample(run.batch, generator)
            fake = networks.G(codes.flatten(latents))

            d_adam.zero_grad()
            features = networks.trunk(fake.detach())
            d_loss = bce(networks.D_head(networks.trunk(real)), ones) + bce(networks.D_head(features), zeros)
            categorical, continuous = information(features, latents)
            if not objective.lambda_cat:
                categorical, _ = information(features.detach(), latents)
            lambda_cat_of_head = objective.lambda_cat or 1.0
            (d_loss + lambda_cat_of_head * categorical + objective.lambda_cont * continuous).backward()  # type: ignore[no-untyped-call]
            d_adam.step()

            g_adam.zero_grad()
            features = networks.trunk(fake)
            g_loss = bce(networks.D_head(features), ones)
            categorical, continuous = information(features, latents)
            (g_loss + objective.lambda_cat * categorical + objective.lambda_cont * continuous).backward()  # type: ignore[no-untyped-call]
            g_adam.step()

            totals["loss/d"] += float(d_loss.detach()) / len(batches)
            totals["loss/g"] += float(g_loss.detach()) / len(batches)
        return {name: weight.detach() for name, weight in networks.named_parameters()}, totals

    return train


def test_each_optimiser_moves_its_own_weights_alone(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    still = {"optimiser.lr_g": 1e-30, "optimiser.lr_d": 1e-30}
    for key, moving in (("optimiser.lr_g", {"G"}), ("optimiser.lr_d", {"trunk", "D_head", "Q_head"})):
        trainer = Trainer(apply(tiny_run, still | {key: 1e-3}), mnist.train_images, 0)
        before = copied(dict(trainer.model.networks.named_parameters()))
        trainer.train(2)
        moved = {
            name.partition(".")[0]
            for name, weight in trainer.model.networks.named_parameters()
            if float((weight - before[name]).detach().abs().max()) > 1e-6
        }
        assert moved == moving


# What it reports -------------------------------------------------------------------------------------------


def test_d_s_loss_at_a_draw_is_2_ln_2(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    trainer = Trainer(tiny_run, mnist.train_images, 0)
    assert isinstance(trainer.model.networks.D_head, nn.Linear)
    nn.init.zeros_(trainer.model.networks.D_head.weight)
    # D says 0 everywhere: -ln(1/2) - ln(1/2), and no part of it is Q's
    assert trainer.train(1).metrics["loss/d"] == pytest.approx(2 * math.log(2))


def test_metrics_of_an_interval(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    interval = Trainer(tiny_run, mnist.train_images, 0).train(6)
    metrics = interval.metrics
    assert set(metrics) == {
        *("loss/d", "loss/g", "L_I", "L_I/cat_0", "L_I/uniform_0", "L_I/gaussian_0"),
        *("H", "H/cat_0", "H/uniform_0", "H/gaussian_0"),
        *("code_r2", "code_r2/uniform_0", "code_r2/gaussian_0"),
        *("gaussian_mi_bound", "gaussian_mi_bound/uniform_0", "gaussian_mi_bound/gaussian_0"),
    }
    assert metrics["H/cat_0"] == pytest.approx(2.302585)
    assert metrics["L_I/cat_0"] <= metrics["H/cat_0"]
    assert metrics["L_I"] == pytest.approx(
        metrics["L_I/cat_0"] + metrics["L_I/uniform_0"] + metrics["L_I/gaussian_0"]
    )
    assert interval.images_per_second == pytest.approx(6 * 32 / interval.seconds)
    # With a deviation of 1, L_I = H - 1/2 ln(2 pi) - MSE / 2, and the best deviation gives H - 1/2 ln(2 pi e MSE)
    for name, variance in (("uniform_0", 1 / 3), ("gaussian_0", 1.0)):
        entropy, error = metrics[f"H/{name}"], (1 - metrics[f"code_r2/{name}"]) * variance
        assert metrics[f"L_I/{name}"] == pytest.approx(entropy - (math.log(math.tau) + error) / 2, abs=1e-6)
        best = entropy - math.log(math.tau * math.e * error) / 2
        assert metrics[f"gaussian_mi_bound/{name}"] == pytest.approx(best, abs=1e-6)
        assert best >= metrics[f"L_I/{name}"]


@pytest.mark.parametrize(
    ("r2", "bound"),
    [
        (0.0, -0.176485),  # ln 2 - 1/2 ln(2 pi e / 3)
        (0.97, 1.576794),  # MSE 0.01: ln 2 - 1/2 ln(2 pi e / 100)
        (1.0, 5.774209),  # exact, and the smallest deviation is e^-6: ln 2 - 1/2 ln(2 pi) + 6
    ],
)
def test_the_information_about_a_uniform_code_that_q_reads_so_well(
    tiny_run: RunConfig, mnist: ImageDataset, r2: float, bound: float
) -> None:
    run = apply(tiny_run, {"codes.categorical": [], "codes.gaussian": 0, "codes.uniform": 2})
    method = Trainer(run, mnist.train_images, 0).method
    found = method.summary(
        {"L_I/uniform_0": 0.0, "L_I/uniform_1": 0.0, "code_r2/uniform_0": r2, "code_r2/uniform_1": 0.0}
    )
    assert found["gaussian_mi_bound/uniform_0"] == pytest.approx(bound, abs=1e-6)
    assert found["gaussian_mi_bound"] == pytest.approx(bound - 0.176485, abs=1e-6)
    assert found["code_r2"] == r2 / 2


def test_without_a_continuous_code_there_is_no_reading_of_one(
    tiny_run: RunConfig, mnist: ImageDataset
) -> None:
    run = apply(tiny_run, {"codes.gaussian": 0, "codes.uniform": 0})
    metrics = Trainer(run, mnist.train_images, 0).train(1).metrics
    assert not [name for name in metrics if name.startswith(("code_r2", "gaussian_mi_bound"))]


@pytest.mark.parametrize(("lambda_cat", "learns"), [(1.0, True), (0.0, False)])
def test_only_with_lambda_above_0_g_learns_to_show_the_category(
    mnist: ImageDataset, lambda_cat: float, learns: bool
) -> None:
    run = RunConfig.model_validate(
        {
            "codes": {"categorical": [10], "uniform": 0},
            "architecture": {"name": "mlp", "width": 0.25},
            "objective": {"lambda_cat": lambda_cat},
            "optimiser": {"lr_d": 1e-3},
            "batch": 64,
        }
    )
    trainer = Trainer(run, mnist.train_images, 0)
    bounds = [trainer.train(steps).metrics["L_I/cat_0"] for steps in (10, 140, 50)]
    assert max(bounds) <= math.log(10) + 1e-6
    assert bounds[0] < 0.3  # nats
    assert bounds[-1] > 1.5 if learns else bounds[-1] < 0.3


# Divergence ------------------------------------------------------------------------------------------------


def test_a_weight_that_is_not_finite_stops_training_at_once(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    trainer = Trainer(tiny_run, mnist.train_images, 0)
    trainer.train(2)
    with torch.no_grad():
        next(trainer.model.networks.G.parameters())[0, 0] = math.inf
    with pytest.raises(DivergedError, match=r"^diverged at step 3: loss/d is not finite$") as caught:
        trainer.train(3)
    assert caught.value.step == 3


def test_the_first_bad_loss_is_named(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    trainer = Trainer(tiny_run, mnist.train_images, 0)
    *_, q_bias = trainer.model.networks.Q_head.parameters()
    with torch.no_grad():
        q_bias[10] = math.nan  # 10 logits, then the mean of uniform_0
    with pytest.raises(DivergedError, match=r"^diverged at step 1: L_I/uniform_0 is not finite$"):
        trainer.train(1)


def test_steps_that_are_too_long_diverge(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    run = apply(tiny_run, {"optimiser.lr_d": 1e30})  # its square is beyond float32
    trainer = Trainer(run, mnist.train_images, 0)
    with pytest.raises(DivergedError) as caught:
        trainer.train(6)
    assert caught.value.step == 1  # the loss of G, which D's first step has gone before
    assert "loss/g" in str(caught.value)


def test_a_weight_that_goes_bad_in_the_last_update_is_named(tiny_run: RunConfig, mnist: ImageDataset) -> None:
    run = apply(tiny_run, {"optimiser.lr_g": 3e38})  # no loss has seen G's weights after the update
    trainer = Trainer(apply(run, {"optimiser.beta1": 0.9}), mnist.train_images, 0)
    with pytest.raises(DivergedError, match=r"^diverged at step 1: G\.\S+ is not finite$"):
        trainer.train(1)
