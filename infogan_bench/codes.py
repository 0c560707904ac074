"""The latent code c beside the noise z: its distribution, its layout, and the posterior that Q gives it.

InfoGAN, section 4 and appendix C (arXiv 1606.03657). Entropies and bounds are in nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from infogan_bench.config.objective import LOG_STD_RANGE
from infogan_bench.config.run import CodesConfig

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Code:
    """A latent code. `size` is the number of categories, or 1; `entropy` is H(c) in nats (differential
    for a continuous code)."""

    name: str
    kind: Literal["categorical", "uniform", "gaussian"]
    size: int
    entropy: float

    @property
    def variance(self) -> float:
        """The variance of a continuous code: 1/3 for U(-1, 1), 1 for a standard normal code."""
        return 1 / 3 if self.kind == "uniform" else 1.0


class Latents(NamedTuple):
    """A batch of (z, c)."""

    z: Tensor  # (B, noise) float
    categories: Tensor  # (B, n_categorical) int64
    continuous: Tensor  # (B, n_continuous) float, the uniform codes first


class Posterior(NamedTuple):
    """Q(c|x) for a batch: a softmax for each categorical code, a factored Gaussian for the others."""

    logits: tuple[Tensor, ...]  # (B, size) for each categorical code
    mean: Tensor  # (B, n_continuous)
    log_std: Tensor  # (B, n_continuous)


class LatentCodes:
    """The distribution of (z, c) that a `CodesConfig` describes, and Q's output for it.

    G's input is laid out as [z | one-hot of each categorical code | uniform codes | Gaussian codes]; Q's
    output as [logits of each categorical code | means | log standard deviations, unless they are fixed].
    """

    def __init__(self, config: CodesConfig, *, fixed_std: bool) -> None:
        self.config = config
        self.fixed_std = fixed_std
        self.categorical = tuple(
            Code(f"cat_{k}", "categorical", size, math.log(size)) for k, size in enumerate(config.categorical)
        )
        self.continuous = (
            *(Code(f"uniform_{k}", "uniform", 1, math.log(2)) for k in range(config.uniform)),
            *(Code(f"gaussian_{k}", "gaussian", 1, _HALF_LOG_2PI + 0.5) for k in range(config.gaussian)),
        )
        self.all = (*self.categorical, *self.continuous)

    @property
    def latent_dim(self) -> int:
        """The width of G's input."""
        return self.config.noise + sum(code.size for code in self.all)

    @property
    def q_dim(self) -> int:
        """The width of Q's output."""
        per_continuous = 1 if self.fixed_std else 2
        return sum(self.config.categorical) + per_continuous * len(self.continuous)

    @property
    def scored(self) -> Code | None:
        """The code that is scored against labels: the categorical code with the most categories, or the first of
        several that have as many."""
        return max(self.categorical, key=lambda code: code.size, default=None)

    def sample(self, n: int, generator: torch.Generator) -> Latents:
        """Draw `n` latents on the generator's device."""
        return self.latents(self.draw(n, generator))

    def draw(self, n: int, generator: torch.Generator) -> list[Tensor]:
        """Draw the random numbers of `n` latents, which `latents` transforms."""
        device = generator.device

        def uniform(width: int) -> Tensor:
            return torch.rand(n, width, generator=generator, device=device)

        def normal(width: int) -> Tensor:
            return torch.randn(n, width, generator=generator, device=device)

        z = (uniform if self.config.noise_distribution == "uniform" else normal)(self.config.noise)
        categories = [
            torch.randint(code.size, (n, 1), generator=generator, device=device) for code in self.categorical
        ]
        return [z, *categories, uniform(self.config.uniform), normal(self.config.gaussian)]

    def latents(self, draws: list[Tensor]) -> Latents:
        """Transform the random numbers that `draw` returned into latents."""
        z, *categories, uniform, gaussian = draws
        return Latents(
            z * 2 - 1 if self.config.noise_distribution == "uniform" else z,
            torch.cat(categories, dim=1)
            if categories
            else torch.empty(len(z), 0, dtype=torch.int64, device=z.device),
            torch.cat([uniform * 2 - 1, gaussian], dim=1),
        )

    def sharing(self, latents: Latents, others: Latents, shared: Tensor) -> Latents:
        """Return `others` (n,) with one continuous code of each replaced by its value in the first n `latents`.

        `shared` (n,) int64 is the number of that code.
        """
        same = F.one_hot(shared, len(self.continuous)).bool()
        values = torch.where(same, latents.continuous[: len(shared)], others.continuous)
        return others._replace(continuous=values)

    def flatten(self, latents: Latents) -> Tensor:
        """Return G's input (B, latent_dim)."""
        one_hots = [
            F.one_hot(latents.categories[:, k], code.size).to(latents.z.dtype)
            for k, code in enumerate(self.categorical)
        ]
        return torch.cat([latents.z, *one_hots, latents.continuous], dim=1)

    def split(self, q_output: Tensor) -> Posterior:
        """Read Q's output (B, q_dim)."""
        logits = torch.split(
            q_output[:, : sum(self.config.categorical)], list(self.config.categorical), dim=1
        )
        gaussian = q_output[:, sum(self.config.categorical) :]
        if self.fixed_std:
            return Posterior(tuple(logits), gaussian, torch.zeros_like(gaussian))
        mean, log_std = gaussian.chunk(2, dim=1)
        return Posterior(tuple(logits), mean, log_std.clamp(*LOG_STD_RANGE))

    def log_q(self, latents: Latents, posterior: Posterior) -> dict[str, Tensor]:
        """Return log Q(c_k|x) of each code, (B,) in nats."""
        log_q = {
            code.name: -F.cross_entropy(logits, latents.categories[:, k], reduction="none")
            for k, (code, logits) in enumerate(zip(self.categorical, posterior.logits, strict=True))
        }
        if self.continuous:
            log_density = gaussian_log_density(latents.continuous, posterior.mean, posterior.log_std)
            names = [code.name for code in self.continuous]
            log_q |= zip(names, log_density.unbind(1), strict=True)  # its gradient is one operation
        return log_q

    def mi_bounds(self, latents: Latents, posterior: Posterior) -> dict[str, Tensor]:
        """Return L_I of each code, a scalar in nats: H(c_k) + mean log Q(c_k|x), InfoGAN equation 5.

        For a categorical code the bound is at most H(c_k). For a continuous code it may be negative: it is below zero
        while Q predicts worse than the density of the prior.
        """
        log_q = self.log_q(latents, posterior)
        return {code.name: code.entropy + log_q[code.name].mean() for code in self.all}

    def r2(self, latents: Latents, posterior: Posterior) -> dict[str, Tensor]:
        """Return R2 of Q's reading of each continuous code, a scalar without gradient: 1 - MSE / Var(c).

        The reading is the posterior's mean. R2 is 1 for an exact reading, 0 for one that always says 0, the mean of the
        prior, and negative for a worse one.
        """
        error = (latents.continuous - posterior.mean.detach()).square().mean(0)
        return {
            code.name: 1 - mse / code.variance
            for code, mse in zip(self.continuous, error.unbind(), strict=True)
        }

    def traversal(self, code: Code, n: int) -> Tensor:
        """Values of `code` that show its effect: every category; `n` points across (-1, 1) for a uniform
        code; `n` quantiles of the standard normal from 2.5% to 97.5% for a Gaussian one."""
        if code.kind == "categorical":
            return torch.arange(code.size)
        if code.kind == "uniform":
            return torch.linspace(-1, 1, n)
        quantiles: Tensor = torch.special.ndtri(torch.linspace(0.025, 0.975, n))
        return quantiles

    def with_value(self, latents: Latents, code: Code, value: Tensor) -> Latents:
        """Return `latents` with `code` set to `value`, a scalar or (B,), in every row."""
        if code.kind == "categorical":
            categories = latents.categories.clone()
            categories[:, self.categorical.index(code)] = value
            return latents._replace(categories=categories)
        continuous = latents.continuous.clone()
        continuous[:, self.continuous.index(code)] = value
        return latents._replace(continuous=continuous)


def gaussian_log_density(x: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """log N(x; mean, exp(log_std)^2), elementwise, in nats."""
    return -_HALF_LOG_2PI - log_std - 0.5 * ((x - mean) * torch.exp(-log_std)).square()
