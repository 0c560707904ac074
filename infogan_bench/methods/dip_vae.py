"""DIP-VAE-I and DIP-VAE-II (Kumar et al. 2018, arXiv 1711.00848): VAEs whose latents are to have the covariance 1.

The regulariser is KL + lambda_od sum_{j != k} C_jk^2 + lambda_d sum_k (C_kk - 1)^2, equations 6 and 7 of the paper,
with lambda_d = lambda_d_factor lambda_od, as in the study of Locatello et al. (arXiv 1811.12359). C is the covariance
of the posteriors' means (I), or of the latents (II).
"""

from __future__ import annotations

import torch
from torch import Tensor

from infogan_bench.methods.method import Losses, register_method
from infogan_bench.methods.vae import VAE, Encoding, VAEStep
from infogan_bench.networks import Networks


@register_method("dip-vae-i")
class DIPVAE1(VAE):
    """Penalises the covariance of the posteriors' means."""

    parts = ("loss/covariance_off_diagonal", "loss/covariance_diagonal")

    def covariance(self, encoding: Encoding) -> Tensor:
        """The covariance (n_codes, n_codes) that the method penalises."""
        return covariance_of_means(encoding)

    def regulariser(self, networks: Networks, step: VAEStep) -> Losses:
        """KL and both penalties by their weights, and the penalties."""
        off_diagonal, diagonal = penalties(self.covariance(step.encoding))
        lambda_od = self.weight("lambda_od", step)
        penalty = off_diagonal + self.weight("lambda_d_factor", step) * diagonal
        return step.encoding.kl + lambda_od * penalty, [off_diagonal, diagonal]


@register_method("dip-vae-ii")
class DIPVAE2(DIPVAE1):
    """Penalises the covariance of the latents."""

    def covariance(self, encoding: Encoding) -> Tensor:
        """The covariance of the means + the mean of the posteriors' variances."""
        return covariance_of_means(encoding) + torch.diag((2 * encoding.log_std).exp().mean(0))


def covariance_of_means(encoding: Encoding) -> Tensor:
    """The covariance (n_codes, n_codes) of the posteriors' means over the batch, divided by B."""
    centred = encoding.mean - encoding.mean.mean(0)
    return centred.T @ centred / len(centred)


def penalties(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of squares off the diagonal, and that of the diagonal's distances from 1, scalars."""
    diagonal = covariance.diagonal()
    return (covariance - torch.diag(diagonal)).square().sum(), (diagonal - 1).square().sum()
