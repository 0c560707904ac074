"""beta-TCVAE (Chen et al. 2018, arXiv 1802.04942): a VAE whose latents' total correlation has the weight beta.

The regulariser is KL + (beta - 1) TC, equation 4 of the paper with alpha = gamma = 1, as in the study of Locatello et
al. (arXiv 1811.12359).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from infogan_bench.codes import gaussian_log_density
from infogan_bench.methods.method import Losses, register_method
from infogan_bench.methods.vae import VAE, Encoding, VAEStep
from infogan_bench.networks import Networks


@register_method("beta-tcvae")
class BetaTCVAE(VAE):
    """Descends the reconstruction loss + KL + (beta - 1) TC; beta 1 is the plain VAE."""

    parts = ("loss/total_correlation",)

    def regulariser(self, networks: Networks, step: VAEStep) -> Losses:
        """KL + (beta - 1) TC, and TC, in nats."""
        correlation = total_correlation(step.encoding)
        return step.encoding.kl + (self.weight("beta", step) - 1) * correlation, [correlation]


def total_correlation(encoding: Encoding) -> Tensor:
    """Estimate KL(q(z) || prod_k q(z_k)) of the batch's mixture q(z) = mean_i q(z|x_i), a scalar in nats.

    The expectation is a mean over the samples of the same batch. disentanglement_lib leaves the normalisation
    (n_codes - 1) log B out; it changes no gradient, and with it posteriors that are all alike have 0.
    """
    n_images, n_codes = encoding.mean.shape
    # log q(z_j,k | x_i), (j, i, k)
    log_q = gaussian_log_density(encoding.sample[:, None], encoding.mean[None], encoding.log_std[None])
    joint = torch.logsumexp(log_q.sum(2), dim=1)
    product = torch.logsumexp(log_q, dim=1).sum(1)
    return (joint - product).mean() + (n_codes - 1) * math.log(n_images)
