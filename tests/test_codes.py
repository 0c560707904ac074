"""Samples, entropies and bounds of the latent code, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from infogan_bench.codes import LatentCodes, Latents, Posterior, gaussian_log_density
from infogan_bench.config import CodesConfig

LN_2 = math.log(2)
HALF_LOG_2PI = math.log(2 * math.pi) / 2  # 0.918939
MIXED = CodesConfig(categorical=(3, 5), uniform=2, gaussian=1, noise=4)


def codes(config: CodesConfig, *, fixed_std: bool = True) -> LatentCodes:
    return LatentCodes(config, fixed_std=fixed_std)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def only_categorical(size: int = 10) -> LatentCodes:
    return codes(CodesConfig(categorical=(size,), uniform=0, noise=0))


def only_uniform(*, fixed_std: bool = True) -> LatentCodes:
    return codes(CodesConfig(categorical=(), uniform=1, noise=0), fixed_std=fixed_std)


def categories(values: Tensor) -> Latents:
    return Latents(torch.empty(len(values), 0), values[:, None], torch.empty(len(values), 0))


def categorical_bound(model: LatentCodes, values: Tensor, logits: Tensor) -> float:
    empty = torch.empty(len(values), 0)
    return float(model.mi_bounds(categories(values), Posterior((logits,), empty, empty))["cat_0"])


def uniform_bound(c: Tensor, mean: Tensor, log_std: Tensor) -> float:
    latents = Latents(torch.empty(len(c), 0), torch.empty(len(c), 0, dtype=torch.int64), c[:, None])
    posterior = Posterior((), mean[:, None], log_std[:, None])
    return float(only_uniform().mi_bounds(latents, posterior)["uniform_0"])


# What there is ---------------------------------------------------------------------------------------------


def test_codes_are_named_by_kind_and_know_their_entropy() -> None:
    assert [(code.name, code.kind, code.size) for code in codes(MIXED).all] == [
        ("cat_0", "categorical", 3),
        ("cat_1", "categorical", 5),
        ("uniform_0", "uniform", 1),
        ("uniform_1", "uniform", 1),
        ("gaussian_0", "gaussian", 1),
    ]
    # ln K of K equal categories; ln (1 - (-1)) of the uniform density; 0.5 ln(2 pi e) of N(0, 1)
    entropies = [math.log(3), math.log(5), LN_2, LN_2, 0.5 * math.log(2 * math.pi * math.e)]
    assert [code.entropy for code in codes(MIXED).all] == pytest.approx(entropies)
    assert tuple(code.name for code in codes(MIXED).all) == MIXED.names


def test_widths_follow_from_the_codes() -> None:
    assert codes(MIXED).latent_dim == 4 + 3 + 5 + 2 + 1
    assert codes(MIXED, fixed_std=True).q_dim == 3 + 5 + 3  # logits, means
    assert codes(MIXED, fixed_std=False).q_dim == 3 + 5 + 3 + 3  # logits, means, log standard deviations


@pytest.mark.parametrize(
    ("sizes", "scored"), [((3, 10, 5), "cat_1"), ((10, 10), "cat_0"), ((2, 7, 7), "cat_1")]
)
def test_the_scored_code_is_the_largest_and_the_first_of_equals(sizes: tuple[int, ...], scored: str) -> None:
    code = codes(CodesConfig(categorical=sizes)).scored
    assert code is not None
    assert code.name == scored


def test_without_a_categorical_code_none_is_scored() -> None:
    assert codes(CodesConfig(categorical=(), uniform=2)).scored is None


# Samples ---------------------------------------------------------------------------------------------------


def test_samples_have_the_prior_s_range_and_moments() -> None:
    n = 40_000
    latents = codes(MIXED).sample(n, rng())
    uniform, gaussian = latents.continuous[:, :2], latents.continuous[:, 2]
    for values in (latents.z, uniform):
        # mean 0; variance (1 - (-1))^2 / 12 = 1/3. Five standard errors: 5 sqrt(1/3 / n) = 0.0144
        assert float(values.min()) >= -1
        assert float(values.max()) < 1
        assert values.mean(0).abs().max() < 0.0144
        assert float((values.var(0) - 1 / 3).abs().max()) < 0.01
    assert float(gaussian.abs().max()) > 3
    assert abs(float(gaussian.mean())) < 5 / math.sqrt(n)
    assert abs(float(gaussian.var()) - 1) < 5 * math.sqrt(2 / n)
    for k, size in enumerate((3, 5)):
        counts = torch.bincount(latents.categories[:, k], minlength=size)
        expected = n / size
        assert len(counts) == size
        # chi-squared with at most 4 degrees of freedom exceeds 25 less than once in 10,000
        assert float(((counts - expected) ** 2 / expected).sum()) < 25


def test_noise_may_be_normal() -> None:
    z = codes(CodesConfig(noise=3, noise_distribution="normal")).sample(40_000, rng()).z
    assert abs(float(z.var()) - 1) < 0.02
    assert float(z.abs().max()) > 3


def test_equal_seeds_give_equal_samples_and_others_do_not() -> None:
    first, again, other = (codes(MIXED).sample(8, rng(seed)) for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_codes_are_independent_of_each_other() -> None:
    latents = codes(CodesConfig(categorical=(10, 10), uniform=2, gaussian=2, noise=1)).sample(20_000, rng())
    columns = torch.cat([latents.z, latents.categories.float(), latents.continuous], dim=1)
    correlation = torch.corrcoef(columns.T) - torch.eye(7)
    assert float(correlation.abs().max()) < 5 / math.sqrt(20_000)


# Layout ----------------------------------------------------------------------------------------------------


def test_g_is_fed_noise_one_hots_uniform_then_gaussian() -> None:
    latents = Latents(
        z=torch.tensor([[0.1, 0.2, 0.3, 0.4]]),
        categories=torch.tensor([[2, 0]]),
        continuous=torch.tensor([[-0.5, 0.5, 2.0]]),
    )
    expected = [0.1, 0.2, 0.3, 0.4, *(0, 0, 1), *(1, 0, 0, 0, 0), -0.5, 0.5, 2.0]
    assert codes(MIXED).flatten(latents).tolist()[0] == pytest.approx(expected)


def test_q_s_output_is_read_as_logits_means_then_log_stds() -> None:
    output = torch.arange(14.0)[None] / 10  # 3 + 5 logits, 3 means, 3 log standard deviations
    posterior = codes(MIXED, fixed_std=False).split(output)
    assert [logits.tolist() for logits in posterior.logits] == [
        output[:, :3].tolist(),
        output[:, 3:8].tolist(),
    ]
    assert posterior.mean.tolist() == output[:, 8:11].tolist()
    assert posterior.log_std.tolist() == output[:, 11:].tolist()


def test_a_fixed_standard_deviation_is_one() -> None:
    output = torch.arange(11.0)[None]
    posterior = codes(MIXED, fixed_std=True).split(output)
    assert posterior.mean.tolist() == [[8, 9, 10]]
    assert posterior.log_std.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("fixed_std", [True, False])
@pytest.mark.parametrize(
    "config",
    [
        CodesConfig(categorical=(), uniform=2, gaussian=0, noise=0),
        CodesConfig(categorical=(), uniform=0, gaussian=3, noise=2),
        CodesConfig(categorical=(4,), uniform=0, gaussian=0, noise=1),
        CodesConfig(categorical=(2, 3, 4), uniform=2, gaussian=2, noise=5),
    ],
)
def test_any_mix_of_codes_has_the_widths_it_states_and_a_bound_each(
    config: CodesConfig, fixed_std: bool
) -> None:
    model = codes(config, fixed_std=fixed_std)
    latents = model.sample(6, rng())
    assert model.flatten(latents).shape == (6, model.latent_dim)
    # Q's output is 0: each category has 1/K, so its bound is 0; N(0, 1) is Q of every other code
    bounds = model.mi_bounds(latents, model.split(torch.zeros(6, model.q_dim)))
    assert tuple(bounds) == config.names
    for code in model.categorical:
        assert float(bounds[code.name]) == pytest.approx(0, abs=1e-6)
    for k, code in enumerate(model.continuous):
        log_density = -HALF_LOG_2PI - latents.continuous[:, k].square().mean() / 2
        assert float(bounds[code.name]) == pytest.approx(code.entropy + float(log_density), abs=1e-6)


# L_I of a categorical code ---------------------------------------------------------------------------------

VALUES = torch.arange(10).repeat(3)
TRUTH = torch.eye(10)[VALUES]


def test_a_perfect_q_reaches_the_entropy_of_ten_categories() -> None:
    assert categorical_bound(only_categorical(), VALUES, 1e4 * TRUTH) == pytest.approx(2.302585)  # ln 10


def test_a_uniform_q_says_nothing() -> None:
    # ln 10 + ln (1 / 10)
    assert categorical_bound(only_categorical(), VALUES, torch.zeros(30, 10)) == pytest.approx(0, abs=1e-6)


def test_a_q_that_is_sure_of_the_wrong_category_is_below_zero() -> None:
    probabilities = torch.where(TRUTH > 0, 0.001, 0.111)  # 0.001 + 9 * 0.111 = 1
    model = only_categorical()
    posterior = Posterior((probabilities.log(),), torch.empty(30, 0), torch.empty(30, 0))
    log_q = model.log_q(categories(VALUES), posterior)["cat_0"]
    assert float(log_q.mean()) == pytest.approx(-6.907755, abs=1e-5)  # ln 0.001
    bound = categorical_bound(model, VALUES, probabilities.log())
    assert bound == pytest.approx(-4.605170, abs=1e-5)  # ln 10 + ln 0.001 = -ln 100


def test_huge_logits_give_finite_numbers() -> None:
    # the truth 2e4 above the rest: log Q = 0; 2e4 below the 9 others: log Q = -2e4 - ln 9
    assert categorical_bound(only_categorical(), VALUES, 1e4 * (2 * TRUTH - 1)) == pytest.approx(2.302585)
    wrong = categorical_bound(only_categorical(), VALUES, -1e4 * (2 * TRUTH - 1))
    assert wrong == pytest.approx(math.log(10) - 2e4 - math.log(9))


@given(
    size=st.integers(2, 20),
    seed=st.integers(0, 2**31),
    scale=st.sampled_from([0.0, 0.1, 1.0, 10.0, 1e4]),
    known=st.booleans(),
)
def test_no_q_exceeds_the_entropy(size: int, seed: int, scale: float, known: bool) -> None:
    values = torch.randint(size, (16,), generator=rng(seed))
    logits = scale * torch.randn(16, size, generator=rng(seed + 1))
    if known:
        logits += scale * torch.eye(size)[values]
    assert categorical_bound(only_categorical(size), values, logits) <= math.log(size) + 1e-6


# L_I of a continuous code ----------------------------------------------------------------------------------

# The midpoints of n equal parts of (-1, 1): their mean square is 1/3 - 1/(3 n^2), so that a mean over them is
# the expectation over the uniform code to within 1e-7.
GRID = (torch.arange(2001, dtype=torch.float64) + 0.5) / 1000.5 - 1
ZERO = torch.zeros_like(GRID)


def test_a_perfect_mean_with_a_fixed_standard_deviation_is_still_below_zero() -> None:
    # ln 2 - 0.5 ln(2 pi)
    assert uniform_bound(GRID, GRID, ZERO) == pytest.approx(-0.225791, abs=1e-6)


def test_a_perfect_mean_with_a_standard_deviation_of_a_tenth() -> None:
    # ln 2 - 0.5 ln(2 pi) + ln 10
    assert uniform_bound(GRID, GRID, ZERO + math.log(0.1)) == pytest.approx(2.076794, abs=1e-6)


def test_a_standard_normal_q_that_ignores_the_image() -> None:
    # ln 2 - 0.5 ln(2 pi) - E[c^2] / 2 with E[c^2] = 1/3; given as it is, not clipped at 0
    assert uniform_bound(GRID, ZERO, ZERO) == pytest.approx(-0.392458, abs=1e-6)


def test_the_best_gaussian_q_that_ignores_the_image() -> None:
    # variance 1/3, the prior's own: ln 2 - 0.5 ln(2 pi e / 3); below 0, as the prior is no Gaussian
    bound = uniform_bound(GRID, ZERO, ZERO + 0.5 * math.log(1 / 3))
    assert bound == pytest.approx(-0.176485, abs=1e-6)
    for other in (0.9, 1.1):
        assert uniform_bound(GRID, ZERO, ZERO + 0.5 * math.log(other / 3)) < bound


def test_the_learned_standard_deviation_is_floored_so_that_a_perfect_q_stays_finite() -> None:
    model = only_uniform(fixed_std=False)
    latents = model.sample(16, rng())
    output = torch.cat([latents.continuous, torch.full((16, 1), -1e6)], dim=1)
    bound = float(model.mi_bounds(latents, model.split(output))["uniform_0"])
    assert bound == pytest.approx(LN_2 - HALF_LOG_2PI + 6)  # the floor is e^-6


def test_the_learned_standard_deviation_is_capped_so_that_an_untrained_q_stays_finite() -> None:
    model = only_uniform(fixed_std=False)
    latents = model.sample(16, rng())
    output = torch.cat([latents.continuous, torch.full((16, 1), 1e6)], dim=1)
    bound = float(model.mi_bounds(latents, model.split(output))["uniform_0"])
    assert bound == pytest.approx(LN_2 - HALF_LOG_2PI - 3)  # the cap is e^3


def test_r2_of_a_reading() -> None:
    model = codes(CodesConfig(categorical=(), uniform=2, gaussian=1))
    normal = torch.randn(len(GRID), generator=rng()).double()
    latents = Latents(
        torch.empty(len(GRID), 0), torch.empty(len(GRID), 0).long(), torch.stack([GRID, GRID, normal], 1)
    )
    read = torch.stack([GRID, ZERO + 0.1, normal + 0.5], 1)
    r2 = model.r2(latents, Posterior((), read, torch.zeros_like(read)))
    assert r2["uniform_0"] == 1
    assert float(r2["uniform_1"]) == pytest.approx(-0.03, abs=1e-6)  # 1 - (1/3 + 0.01) / (1/3)
    assert float(r2["gaussian_0"]) == pytest.approx(0.75)  # 1 - 0.25


@pytest.mark.parametrize(
    ("x", "mean", "std", "nll"),
    [
        # 0.5 ln(2 pi) + ln sd + 0.5 ((x - mean) / sd)^2
        (0, 0, 1, 0.918939),
        (1, 0, 1, 1.418939),
        (0.5, 0, 0.5, 0.725791),
        (-1, 1, 0.1, 198.616353),
        (0, 0, 1e-4, -8.291402),
    ],
)
def test_gaussian_log_density(x: float, mean: float, std: float, nll: float) -> None:
    values = (torch.tensor(value, dtype=torch.float64) for value in (x, mean, math.log(std)))
    assert -float(gaussian_log_density(*values)) == pytest.approx(nll, abs=1e-6)


def test_every_code_has_the_log_density_of_its_own_column() -> None:
    model = codes(MIXED, fixed_std=False)
    latents = model.sample(5, rng())
    posterior = model.split(torch.randn(5, model.q_dim, generator=rng(1)))
    log_q = model.log_q(latents, posterior)
    for k, code in enumerate(model.categorical):
        expected = torch.distributions.Categorical(logits=posterior.logits[k])
        log_prob = expected.log_prob(latents.categories[:, k])  # type: ignore[no-untyped-call]
        torch.testing.assert_close(log_q[code.name], log_prob)
    for k, code in enumerate(model.continuous):
        normal = torch.distributions.Normal(posterior.mean[:, k], posterior.log_std[:, k].exp())
        log_prob = normal.log_prob(latents.continuous[:, k])  # type: ignore[no-untyped-call]
        torch.testing.assert_close(log_q[code.name], log_prob)


# Traversals ------------------------------------------------------------------------------------------------


def test_traversals_show_all_categories_and_the_width_of_a_prior() -> None:
    model = codes(MIXED)
    cat_0, cat_1, uniform_0, _, gaussian_0 = model.all
    assert model.traversal(cat_0, 7).tolist() == [0, 1, 2]
    assert model.traversal(cat_1, 7).tolist() == [0, 1, 2, 3, 4]
    assert model.traversal(uniform_0, 5).tolist() == [-1, -0.5, 0, 0.5, 1]
    # quantiles at 2.5%, 50% and 97.5%
    assert model.traversal(gaussian_0, 3).tolist() == pytest.approx([-1.959964, 0, 1.959964], abs=1e-5)


def test_with_value_changes_one_code_and_leaves_its_argument_alone() -> None:
    model = codes(MIXED)
    latents = model.sample(4, rng())
    before = Latents(*(part.clone() for part in latents))
    _, cat_1, _, uniform_1, gaussian_0 = model.all

    changed = model.with_value(latents, cat_1, torch.tensor([0, 1, 2, 3]))
    assert changed.categories[:, 1].tolist() == [0, 1, 2, 3]
    assert torch.equal(changed.categories[:, 0], before.categories[:, 0])
    assert torch.equal(changed.continuous, before.continuous)

    changed = model.with_value(
        model.with_value(latents, uniform_1, torch.tensor(0.25)), gaussian_0, torch.tensor(-3.0)
    )
    assert changed.continuous[:, 1].tolist() == [0.25] * 4
    assert changed.continuous[:, 2].tolist() == [-3.0] * 4
    assert torch.equal(changed.continuous[:, 0], before.continuous[:, 0])
    assert torch.equal(changed.z, before.z)

    for part, kept in zip(latents, before, strict=True):
        assert torch.equal(part, kept)
