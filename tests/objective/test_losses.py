"""The two losses against a plain implementation on probabilities, and where their gradients end."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan_bench.networks import Networks
from tests.objective.losses import (
    CODES,
    LAMBDAS,
    TermSetting,
    assert_equal_gradients,
    discriminator_loss,
    generator_loss,
    number,
    plain_bounds,
    say,
    size,
    weights,
)


@pytest.fixture
def setting() -> TermSetting:
    return TermSetting()


def verdict(networks: Networks, images: Tensor) -> Tensor:
    """D's probability that each image is real."""
    return torch.sigmoid(networks.D_head(networks.trunk(images)))


def sum_of_gradients(*parts: Mapping[str, Tensor | None]) -> dict[str, Tensor | None]:
    total: dict[str, Tensor | None] = dict(parts[0])
    for part in parts[1:]:
        for name, gradient in part.items():
            before = total[name]
            total[name] = before if gradient is None else gradient if before is None else before + gradient
    return total


# Values and gradients --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lambda_cat", "lambda_cont"), LAMBDAS)
def test_d_s_loss_and_gradients(setting: TermSetting, lambda_cat: float, lambda_cont: float) -> None:
    networks, latents, fake = setting.networks, setting.latents, setting.fake.detach()
    loss, adversarial, bounds, *_ = discriminator_loss(
        networks, CODES, weights(lambda_cat, lambda_cont), setting.real, fake, latents
    )

    on_real, on_fake = verdict(networks, setting.real), verdict(networks, fake)
    plain_adversarial = F.binary_cross_entropy(on_real, torch.ones_like(on_real)) + F.binary_cross_entropy(
        on_fake, torch.zeros_like(on_fake)
    )
    plain = plain_bounds(networks.Q_head(networks.trunk(fake)), latents)
    assert number(adversarial) == pytest.approx(number(plain_adversarial), abs=1e-5)
    assert {name: number(bound) for name, bound in bounds.items()} == pytest.approx(
        {name: number(bound) for name, bound in plain.items()}, abs=1e-5
    )

    # D's head descends the adversarial part, Q's head fits every code, the trunk serves both, weighted
    gradients = setting.gradients(plain_adversarial)
    for name, bound in plain.items():
        weight = weights(lambda_cat, lambda_cont)[name]
        of_bound = setting.gradients(-(weight or 1.0) * bound)
        at_head = {key: value if key.startswith("Q_head") else None for key, value in of_bound.items()}
        gradients = sum_of_gradients(gradients, of_bound if weight else at_head)
    assert_equal_gradients(setting.gradients(loss), gradients)

    head_weights = {name: weight or 1.0 for name, weight in weights(lambda_cat, lambda_cont).items()}
    expected = number(plain_adversarial) - sum(head_weights[name] * number(plain[name]) for name in plain)
    assert number(loss) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("lambda_cat", "lambda_cont"), LAMBDAS)
def test_g_s_loss_and_gradients(setting: TermSetting, lambda_cat: float, lambda_cont: float) -> None:
    networks, latents = setting.networks, setting.latents
    loss, adversarial = generator_loss(
        networks, CODES, weights(lambda_cat, lambda_cont), setting.fake, latents
    )

    on_fake = verdict(networks, setting.fake)
    plain_adversarial = F.binary_cross_entropy(on_fake, torch.ones_like(on_fake))
    plain = plain_bounds(networks.Q_head(networks.trunk(setting.fake)), latents)
    plain_loss = plain_adversarial - (
        lambda_cat * (plain["cat_0"] + plain["cat_1"])
        + lambda_cont * (plain["uniform_0"] + plain["gaussian_0"])
    )
    assert number(adversarial) == pytest.approx(number(plain_adversarial), abs=1e-5)
    assert number(loss) == pytest.approx(number(plain_loss), abs=1e-5)
    of_g = {name: value for name, value in setting.gradients(plain_loss).items() if name.startswith("G.")}
    assert_equal_gradients(setting.gradients(loss), of_g)


# Where the information term goes ---------------------------------------------------------------------------


def information_of_d(setting: TermSetting, lambda_cat: float, lambda_cont: float) -> dict[str, Tensor | None]:
    """Gradients of D's loss less its adversarial part."""
    loss, adversarial, *_ = discriminator_loss(
        setting.networks,
        CODES,
        weights(lambda_cat, lambda_cont),
        setting.real,
        setting.fake.detach(),
        setting.latents,
    )
    return setting.gradients(loss - adversarial)


@pytest.mark.parametrize(("lambda_cat", "lambda_cont"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
def test_the_information_term_trains_the_trunk(
    setting: TermSetting, lambda_cat: float, lambda_cont: float
) -> None:
    assert size(information_of_d(setting, lambda_cat, lambda_cont), "trunk") > 1e-3


def test_with_lambda_0_it_trains_q_s_head_alone(setting: TermSetting) -> None:
    gradients = information_of_d(setting, 0, 0)
    assert size(gradients, "trunk") == 0
    assert size(gradients, "D_head") == 0
    assert size(gradients, "Q_head") > 1e-3

    loss, adversarial = generator_loss(setting.networks, CODES, weights(0, 0), setting.fake, setting.latents)
    assert_equal_gradients(setting.gradients(loss), setting.gradients(adversarial))


def test_a_code_with_lambda_0_sends_nothing_to_trunk_and_g_beside_one_that_counts(
    setting: TermSetting,
) -> None:
    # with lambda_cat 0 the categories may be anything: neither trunk nor G can tell, but Q's head can
    others = setting.latents._replace(categories=(setting.latents.categories + 1) % torch.tensor([5, 3]))
    gradients, changed = [], []
    for latents in (setting.latents, others):
        d_loss, *_ = discriminator_loss(
            setting.networks, CODES, weights(0, 1), setting.real, setting.fake.detach(), latents
        )
        g_loss, _ = generator_loss(setting.networks, CODES, weights(0, 1), setting.fake, latents)
        of_d, of_g = setting.gradients(d_loss), setting.gradients(g_loss)
        gradients.append(
            {f"d/{name}": value for name, value in of_d.items() if name.startswith(("trunk", "D_head"))}
            | {f"g/{name}": value for name, value in of_g.items() if name.startswith("G.")}
        )
        changed.append({name: value for name, value in of_d.items() if name.startswith("Q_head")})
    for name, gradient in gradients[0].items():
        other = gradients[1][name]
        assert gradient is not None
        assert other is not None
        assert torch.equal(gradient, other), name
    assert any(not torch.equal(changed[0][name], changed[1][name]) for name in changed[0])  # type: ignore[arg-type]


def test_each_kind_of_code_has_its_lambda() -> None:
    assert weights(0.7, 0.1) == {"cat_0": 0.7, "cat_1": 0.7, "uniform_0": 0.1, "gaussian_0": 0.1}


# Statistics and extremes -----------------------------------------------------------------------------------


def test_what_d_says_of_real_images_does_not_depend_on_the_fakes(setting: TermSetting) -> None:
    said: list[Tensor] = []
    setting.networks.D_head.register_forward_hook(lambda _module, _inputs, output: said.append(output))
    for fake in (setting.fake.detach(), torch.full_like(setting.real, 0.9), -setting.real):
        discriminator_loss(setting.networks, CODES, weights(1, 1), setting.real, fake, setting.latents)
    of_real, of_fake = said[0::2], said[1::2]
    assert torch.equal(of_real[0], of_real[1])
    assert torch.equal(of_real[0], of_real[2])
    assert not torch.equal(of_fake[0], of_fake[2])


@pytest.mark.parametrize(
    ("logit", "d", "g"),
    [
        # softplus(-logit) + softplus(logit), and softplus(-logit)
        (0.0, 2 * math.log(2), math.log(2)),
        (1e4, 1e4, 0.0),
        (-1e4, 1e4, 1e4),
    ],
)
def test_d_s_logits_of_any_size_give_exact_losses(
    setting: TermSetting, logit: float, d: float, g: float
) -> None:
    say(setting.networks.D_head, torch.tensor([logit]))
    d_loss, d_adversarial, *_ = discriminator_loss(
        setting.networks, CODES, weights(1, 1), setting.real, setting.fake.detach(), setting.latents
    )
    g_loss, g_adversarial = generator_loss(
        setting.networks, CODES, weights(1, 1), setting.fake, setting.latents
    )
    assert number(d_adversarial) == pytest.approx(d)
    assert number(g_adversarial) == pytest.approx(g)
    for loss in (d_loss, g_loss):
        for name, gradient in setting.gradients(loss).items():
            assert gradient is None or gradient.isfinite().all(), name


def test_q_s_logits_of_any_size_give_finite_losses(setting: TermSetting) -> None:
    assert isinstance(setting.networks.Q_head, nn.Sequential)
    say(setting.networks.Q_head[-1], torch.tensor([1e4, *[-1e4] * 4, *[0.0] * 3, 0, 0, -1e4, 1e4]))
    loss, _, bounds, *_ = discriminator_loss(
        setting.networks, CODES, weights(1, 1), setting.real, setting.fake.detach(), setting.latents
    )
    wrong = (setting.latents.categories[:, 0] != 0).double().mean()
    assert number(bounds["cat_0"]) == pytest.approx(math.log(5) - 2e4 * float(wrong))  # log Q: 0 or -2e4
    assert number(bounds["cat_1"]) == pytest.approx(0, abs=1e-12)
    for name, gradient in setting.gradients(loss).items():
        assert gradient is None or gradient.isfinite().all(), name
