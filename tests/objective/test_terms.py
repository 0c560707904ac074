"""Each term of the objective against a closed form or torch's distributions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical, kl_divergence
from torch.nn import functional as F

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config import CodesConfig, ObjectiveConfig
from infogan_bench.networks import Networks
from infogan_bench.objective.contrastive import Pairs
from infogan_bench.objective.information import Views, code_weights
from infogan_bench.objective.instance_noise import Noise
from infogan_bench.objective.transforms import warp
from infogan_bench.objective.vat import category_shift, worst_change
from tests.objective.losses import (
    CODES,
    LAMBDAS,
    DiscriminatorTerms,
    TermSetting,
    assert_equal_gradients,
    discriminator_loss,
    generator_loss,
    number,
    plain_bounds,
    say,
    size,
    some_views,
    weights,
)


@pytest.fixture
def setting() -> TermSetting:
    return TermSetting()


# What D is shown -------------------------------------------------------------------------------------------


def test_instance_noise_shifts_what_d_judges_and_not_the_transformed_images(setting: TermSetting) -> None:
    networks, latents, fake, scale = setting.networks, setting.latents, setting.fake.detach(), weights(1, 1)
    noise = Noise(*(torch.randn(3, *fake.shape, dtype=torch.float64) * 0.3))

    def d_terms(real: Tensor, fake: Tensor, **more: Any) -> DiscriminatorTerms:
        return discriminator_loss(networks, CODES, scale, real, fake, latents, **more)

    noisy = d_terms(setting.real, fake, noise=noise)
    assert_equal_terms(noisy, d_terms(setting.real + noise.real, fake + noise.fake_in_d_step))
    assert abs(number(noisy.adversarial - d_terms(setting.real, fake).adversarial)) > 1e-3
    g_noisy = generator_loss(networks, CODES, scale, fake, latents, noise=noise)
    torch.testing.assert_close(
        g_noisy, generator_loss(networks, CODES, scale, fake + noise.fake_in_g_step, latents)
    )

    views = some_views()
    clean, noisy = (d_terms(setting.real, fake, views=views, noise=each) for each in (None, noise))
    assert number(clean.bounds["cat_0"]) == number(noisy.bounds["cat_0"])


def terms_with_r1(setting: TermSetting, r1: float) -> DiscriminatorTerms:
    fake = setting.fake.detach()
    return discriminator_loss(
        setting.networks, CODES, weights(1, 1), setting.real, fake, setting.latents, r1=r1
    )


def linear_networks(setting: TermSetting) -> Networks:
    """Heads that read the pixels as they are."""
    networks = setting.networks
    networks.trunk, networks.Q_head = nn.Flatten(), nn.Linear(64, CODES.q_dim).double()
    networks.D_head = nn.Linear(64, 1).double()
    return networks


def test_r1_of_a_linear_d_is_half_gamma_times_its_squared_weights(setting: TermSetting) -> None:
    networks = linear_networks(setting)
    plain, penalised = (terms_with_r1(setting, r1) for r1 in (0.0, 3.0))
    w = networks.get_parameter("D_head.weight").detach()  # grad D(x) = w, whatever x is
    assert number(penalised.loss - plain.loss) == pytest.approx(1.5 * number(w.square().sum()))
    assert number(penalised.adversarial) == number(plain.adversarial)
    change = setting.gradients(penalised.loss - plain.loss)
    torch.testing.assert_close(change["D_head.weight"], 3.0 * w)
    for name in ("D_head.bias", "Q_head.weight"):
        torch.testing.assert_close(change[name], torch.zeros_like(networks.get_parameter(name)))


def test_r1_is_the_mean_over_images_of_the_squared_gradient(setting: TermSetting) -> None:
    inner, outer = nn.Linear(64, 3).double(), nn.Linear(3, 1).double()
    linear_networks(setting).D_head = nn.Sequential(inner, nn.Tanh(), outer)
    plain, penalised = (terms_with_r1(setting, r1) for r1 in (0.0, 2.0))
    # grad D(x) = inner^T (outer (1 - tanh^2(inner x + b)))
    slopes = outer.weight * (1 - inner(setting.real.flatten(1)).tanh().square())  # (B, 3)
    expected = (slopes @ inner.weight).square().sum(1).mean()
    assert number(penalised.loss - plain.loss) == pytest.approx(number(expected))


def assert_equal_terms(found: DiscriminatorTerms, expected: DiscriminatorTerms) -> None:
    torch.testing.assert_close([found.loss, *found.logged], [expected.loss, *expected.logged])


# Transformed views -----------------------------------------------------------------------------------------


def bounds_with_views(
    networks: Networks, fake: Tensor, latents: Latents, affines: Tensor
) -> dict[str, Tensor]:
    """Categorical codes from the transformed images, continuous ones from the images as they are."""
    plain = plain_bounds(networks.Q_head(networks.trunk(fake)), latents)
    transformed = plain_bounds(networks.Q_head(networks.trunk(warp(fake, affines))), latents)
    return {name: (transformed if name.startswith("cat") else plain)[name] for name in plain}


@pytest.mark.parametrize(("lambda_cat", "lambda_cont"), LAMBDAS)
def test_views_change_what_the_categorical_codes_are_read_from(
    setting: TermSetting, lambda_cat: float, lambda_cont: float
) -> None:
    networks, latents, views, fake = setting.networks, setting.latents, some_views(), setting.fake
    scale = weights(lambda_cat, lambda_cont)
    d = discriminator_loss(networks, CODES, scale, setting.real, fake.detach(), latents, views)
    expected = bounds_with_views(networks, fake.detach(), latents, views.fake_in_d_step)
    assert {name: number(bound) for name, bound in d.bounds.items()} == pytest.approx(
        {name: number(bound) for name, bound in expected.items()}, abs=1e-6
    )
    of_trunk = setting.gradients(
        -sum(scale[name] * bound for name, bound in expected.items()) + d.adversarial
    )
    found = setting.gradients(d.loss)
    for name, gradient in of_trunk.items():
        if name.startswith("trunk"):
            torch.testing.assert_close(found[name], gradient, rtol=1e-6, atol=1e-10, msg=name)

    g_loss, g_adversarial = generator_loss(networks, CODES, scale, fake, latents, views)
    of_g = bounds_with_views(networks, fake, latents, views.fake_in_g_step)
    assert number(g_loss) == pytest.approx(
        number(g_adversarial) - sum(scale[name] * number(bound) for name, bound in of_g.items()), abs=1e-6
    )


def test_consistency_is_the_cross_entropy_of_both_views_of_real_images(setting: TermSetting) -> None:
    networks, views = setting.networks, some_views()
    with_, without = (
        discriminator_loss(
            networks,
            CODES,
            weights(1, 1),
            setting.real,
            setting.fake.detach(),
            setting.latents,
            views,
            consistency=weight,
        )
        for weight in (0.5, 0.0)
    )
    expected = 0.0
    outputs = [networks.Q_head(networks.trunk(x)) for x in (setting.real, warp(setting.real, views.real))]
    for start, stop in ((0, 5), (5, 8)):
        p, q = (output[:, start:stop].softmax(1) for output in outputs)
        expected += number(-(p * q.log()).sum(1).mean() - (q * p.log()).sum(1).mean())
    assert number(with_.consistency) == pytest.approx(expected, abs=1e-6)
    assert number(with_.loss) == pytest.approx(number(without.loss) + 0.5 * expected, abs=1e-6)
    assert number(without.consistency) == 0
    assert size(setting.gradients(with_.consistency), "D_head") == 0


def test_views_and_consistency_are_off_in_the_paper_s_objective() -> None:
    assert not ObjectiveConfig().transform.any
    assert ObjectiveConfig().consistency == 0
    with pytest.raises(ValueError, match="give `transform` as well"):
        ObjectiveConfig(consistency=0.5)


def test_balance_is_the_divergence_of_the_mean_categories_of_real_images_from_uniform(
    setting: TermSetting,
) -> None:
    networks = setting.networks
    arguments = (networks, CODES, weights(1, 1), setting.real, setting.fake.detach(), setting.latents)
    d = discriminator_loss(*arguments, balance=2.0)
    expected = 0.0
    output = networks.Q_head(networks.trunk(setting.real))
    for start, stop in ((0, 5), (5, 8)):
        mean = output[:, start:stop].softmax(1).mean(0)
        uniform = torch.full_like(mean, 1 / (stop - start))
        expected += number(F.kl_div(uniform.log(), mean, reduction="sum"))  # KL(mean || uniform)
    assert number(d.balance) == pytest.approx(expected, abs=1e-9)
    assert number(d.loss) == pytest.approx(
        number(discriminator_loss(*arguments).loss) + 2 * expected, abs=1e-6
    )

    assert isinstance(networks.Q_head, nn.Sequential)
    say(
        networks.Q_head[-1], torch.tensor([1e4, *[-1e4] * 4, *[0.0] * 3, 0, 0, 0, 0])
    )  # one of 5; all 3 alike
    assert number(discriminator_loss(*arguments, balance=2.0).balance) == pytest.approx(math.log(5))


def test_a_share_of_the_batch_is_what_transforming_that_share_alone_gives(setting: TermSetting) -> None:
    networks, latents, views = setting.networks, setting.latents, some_views()
    few = Views(*(affines[:4] for affines in views))
    d = discriminator_loss(
        networks, CODES, weights(1, 1), setting.real, setting.fake.detach(), latents, few, consistency=1.0
    )
    first = Latents(*(part[:4] for part in latents))
    of_cat = bounds_with_views(networks, setting.fake[:4].detach(), first, views.fake_in_d_step[:4])
    of_rest = plain_bounds(networks.Q_head(networks.trunk(setting.fake.detach())), latents)
    for name, bound in d.bounds.items():
        expected = of_cat[name] if name.startswith("cat") else of_rest[name]
        assert number(bound) == pytest.approx(number(expected), abs=1e-6), name
    p = networks.Q_head(networks.trunk(setting.real))[:4, :5]
    q = networks.Q_head(networks.trunk(warp(setting.real[:4], views.real[:4])))[:, :5]
    of_5 = number(
        -(p.softmax(1) * q.log_softmax(1)).sum(1).mean() - (q.softmax(1) * p.log_softmax(1)).sum(1).mean()
    )
    assert 0 < of_5 < number(d.consistency)  # the other code, of 3 categories, adds its own


# The worst change of an image ------------------------------------------------------------------------------


def test_the_worst_change_of_a_linear_q_is_along_its_weights() -> None:
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(16, generator=generator, dtype=torch.float64)
    real, directions = (torch.randn(6, 1, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    networks = Networks(
        G=nn.Identity(),
        trunk=nn.Flatten(),
        D_head=nn.Linear(16, 1).double(),
        Q_head=nn.Linear(16, 2).double(),
    )
    codes = LatentCodes(CodesConfig(categorical=(2,), uniform=0, noise=4), fixed_std=True)
    say(networks.Q_head, torch.zeros(2))
    with torch.no_grad():  # log odds of category 0 are weight . x
        networks.get_parameter("Q_head.weight").copy_(torch.stack([weight, torch.zeros_like(weight)]))
    change = worst_change(
        lambda change: category_shift(networks, codes, real[:4], change), directions[:4], 0.5
    )
    # wherever the search begins, the gradient is along the weights, away from or towards category 0
    signs = (directions.flatten(1) @ weight)[:4].sign()
    torch.testing.assert_close(change.flatten(1), 0.5 * signs[:, None] * weight / weight.norm())

    odds = (real.flatten(1) @ weight)[:4]
    moved = odds + 0.5 * signs * weight.norm()
    before, after = (Bernoulli(logits=each) for each in (odds, moved))  # type: ignore[no-untyped-call]
    expected = number(kl_divergence(before, after).mean())
    assert number(category_shift(networks, codes, real[:4], change)) == pytest.approx(expected)

    def terms(vat: float) -> DiscriminatorTerms:
        latents = codes.sample(6, torch.Generator().manual_seed(4))
        scale = code_weights(ObjectiveConfig(), codes)
        return discriminator_loss(networks, codes, scale, real, real.flip(0), latents, vat=vat, change=change)

    assert number(terms(1.0).vat) == pytest.approx(expected)
    assert number(terms(3.0).loss - terms(0.0).loss) == pytest.approx(3 * expected)
    assert number(terms(0.0).vat) == 0


def test_the_worst_change_is_worse_than_another_one_and_its_target_is_held_fixed(
    setting: TermSetting,
) -> None:
    networks, (n, *shape) = setting.networks, setting.real.shape
    directions = torch.randn(n, *shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def shift(change: Tensor) -> Tensor:
        return category_shift(networks, CODES, setting.real, change)

    change = worst_change(shift, directions, 1.0)
    torch.testing.assert_close(change.flatten(1).norm(dim=1), torch.ones(n, dtype=torch.float64))
    assert number(shift(change)) > 2 * number(shift(F.normalize(directions.flatten(1)).view_as(directions)))
    d = discriminator_loss(
        networks, CODES, weights(1, 1), setting.real, setting.fake.detach(), setting.latents,
        vat=1.0, change=change,
    )  # fmt: skip
    p, q = (networks.Q_head(networks.trunk(x)) for x in (setting.real, setting.real + change))
    expected = torch.zeros((), dtype=torch.float64)
    for a, b in ((0, 5), (5, 8)):
        target, other = Categorical(logits=p[:, a:b].detach()), Categorical(logits=q[:, a:b])  # type: ignore[no-untyped-call]
        expected = expected + kl_divergence(target, other).mean()
    assert number(d.vat) == pytest.approx(number(expected))
    assert_equal_gradients(setting.gradients(d.vat), setting.gradients(expected))


# Which code two images share -------------------------------------------------------------------------------


def test_partners_share_one_continuous_code_and_nothing_else() -> None:
    generator = torch.Generator().manual_seed(0)
    latents, others = CODES.sample(8, generator), CODES.sample(5, generator)
    shared = torch.tensor([0, 1, 1, 0, 1])
    partners = CODES.sharing(latents, others, shared)
    assert torch.equal(partners.z, others.z)
    assert torch.equal(partners.categories, others.categories)
    for row, code in enumerate(shared.tolist()):
        assert partners.continuous[row, code] == latents.continuous[row, code]
        assert partners.continuous[row, 1 - code] == others.continuous[row, 1 - code]


def test_the_contrastive_term_is_the_cross_entropy_of_the_shared_code(setting: TermSetting) -> None:
    networks, fake, latents = setting.networks, setting.fake.detach(), setting.latents
    networks.CR = nn.Sequential(nn.Flatten(), nn.Linear(2 * 64, 2)).double()
    pairs = Pairs(setting.real[:4], torch.tensor([0, 1, 1, 0]))
    both = torch.cat([fake[:4].flatten(1), setting.real[:4].flatten(1)], dim=1)
    logits = networks.CR[1](both)
    expected = -Categorical(logits=logits).log_prob(pairs.shared).mean()  # type: ignore[no-untyped-call]
    arguments = (networks, CODES, weights(1, 1), setting.real, fake, latents)
    d = discriminator_loss(*arguments, contrastive=2.0, pairs=pairs)
    assert number(d.contrastive) == pytest.approx(number(expected))
    assert number(d.loss - discriminator_loss(*arguments).loss) == pytest.approx(2 * number(expected))
    g, without = (
        generator_loss(networks, CODES, weights(1, 1), fake, latents, contrastive=weight, pairs=pairs)[0]
        for weight in (2.0, 0.0)
    )
    assert number(g - without) == pytest.approx(2 * number(expected))
