"""FactorVAE (Kim and Mnih 2018, arXiv 1802.05983): a VAE whose latents' total correlation has the weight gamma.

The regulariser is KL + gamma TC, equation 2 of the paper. A discriminator tells the latents of the batch's images from
the same latents, each permuted on its own over the batch, which have no total correlation. Its logits estimate TC =
E_q(z)[log q(z) - log prod_k q(z_k)] (equation 3). As in the study of Locatello et al. (arXiv 1811.12359), both use one
batch, and the discriminator descends after the VAE on the latents that the VAE had; the paper draws a second batch.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan_bench.config.run import RunConfig
from infogan_bench.methods.method import Losses, Phase, register_method
from infogan_bench.methods.vae import VAE, Encoding, VAEStep
from infogan_bench.networks import ImageShape, Model, Networks, initialise
from infogan_bench.objective import Draws

_BETAS = (0.5, 0.9)  # of the discriminator's Adam: arXiv 1802.05983, appendix A
_WIDTH, _HIDDEN = 1000, 6


@register_method("factor-vae")
class FactorVAEMethod(VAE):
    """Trains encoder and decoder with the step size `optimiser.lr_g`, then the discriminator with `optimiser.lr_d`."""

    parts = ("loss/total_correlation",)

    @classmethod
    def build(
        cls,
        run: RunConfig,
        image_shape: ImageShape,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> Model:
        """The networks of a VAE and the discriminator of latents, six layers of 1000 units."""
        model = super().build(run, image_shape, generator, device)
        widths = [len(model.codes.continuous), *[_WIDTH] * _HIDDEN]
        hidden = [
            layer
            for n_in, n_out in pairwise(widths)
            for layer in (nn.Linear(n_in, n_out), nn.LeakyReLU(0.2, inplace=True))
        ]
        discriminator = nn.Sequential(*hidden, nn.Linear(_WIDTH, 2))
        initialise(discriminator, generator, glorot=True)
        model.networks.TC = discriminator.to(model.device)
        return model

    @property
    def phases(self) -> tuple[Phase, ...]:
        """First encoder and decoder, then the discriminator with the latents fixed."""
        discriminator = list(_discriminator(self.model.networks).parameters())
        return (
            *super().phases,
            Phase(
                "TC", "lr_d", discriminator, self.of_discriminator, ("loss/tc_discriminator",), _fixed, _BETAS
            ),
        )

    def draw(self, generator: torch.Generator) -> Draws:
        """The noise of the posterior's samples, and numbers whose order permutes each latent."""
        shape = (self.run.batch, len(self.model.codes.continuous))
        order = torch.rand(shape, generator=generator, device=generator.device)
        return {**super().draw(generator), "order": [order]}

    def prepare(self, draws: Draws, noise: Tensor, done: Tensor) -> Draws:
        """Find the permutations (B, n_codes), a column for each latent."""
        return {**draws, "order": [draws["order"][0].argsort(dim=0)]}

    def regulariser(self, networks: Networks, step: VAEStep) -> Losses:
        """KL + gamma TC, and TC, in nats."""
        correlation = density_ratio(_discriminator(networks)(step.encoding.sample))
        return step.encoding.kl + self.weight("gamma", step) * correlation, [correlation]

    def of_discriminator(self, networks: Networks, step: VAEStep) -> Losses:
        """The loss of the discriminator, in nats."""
        discriminator = _discriminator(networks)
        sample = step.encoding.sample
        permuted = sample.gather(0, step.prepared["order"][0])
        loss = discriminator_loss(discriminator(sample), discriminator(permuted))
        return loss, [loss]


def density_ratio(logits: Tensor) -> Tensor:
    """Estimate the total correlation, a scalar in nats, from logits (B, 2) of latents: the mean of the first less the
    second."""
    return (logits[:, 0] - logits[:, 1]).float().mean()


def discriminator_loss(of_latents: Tensor, of_permuted: Tensor) -> Tensor:
    """The mean cross entropy in nats of logits (B, 2), of latents and of permuted ones; ln 2 for a guess."""
    right = F.log_softmax(of_latents.float(), 1)[:, 0], F.log_softmax(of_permuted.float(), 1)[:, 1]
    return -(right[0].mean() + right[1].mean()) / 2


def _discriminator(networks: Networks) -> nn.Module:
    assert networks.TC is not None  # noqa: S101  `build` made it
    return networks.TC


def _fixed(step: VAEStep) -> VAEStep:
    return step._replace(encoding=Encoding(*(tensor.detach() for tensor in step.encoding)))
