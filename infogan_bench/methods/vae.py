"""The variational autoencoder (arXiv 1312.6114) with the weight beta of beta-VAE on its KL term.

The encoder is the trunk with Q's head and gives a factored normal posterior of the latents. The decoder is G and gives
the means of the pixels. Both descend

    -E_q(z|x) log p(x|z) + beta KL(q(z|x) || N(0, 1)), nats an image,

where each pixel, scaled to [0, 1], is a Bernoulli variable, as in the reference of arXiv 1804.03599. Beta 1 is the
variational bound of the negative log-likelihood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config.objective import ObjectiveConfig
from infogan_bench.config.run import RunConfig
from infogan_bench.errors import InputError
from infogan_bench.methods.method import Losses, Method, Phase, register_method
from infogan_bench.networks import ImageShape, Model, Networks, build_networks, initialise
from infogan_bench.objective import Call, Draws

_LARGEST_MEAN = 1 - 1e-6  # of G's tanh: beyond it the logit has no finite float32 value to descend from


class VAEStep(NamedTuple):
    """The tensors that the loss of an update reads."""

    real: Tensor  # (B, C, H, W) in [-1, 1]
    noise: Tensor  # (B, n_codes), standard normal: the sample of the posterior, before its mean and deviation
    own_weights: dict[str, Tensor]


@register_method("vae")
class VAE(Method):
    """Trains encoder and decoder in one phase, with the step size `optimiser.lr_g`.

    Its latents are the Gaussian codes; there is no other noise. The encoder learns their deviations, so
    `objective.fixed_std` and all else in `objective` has no meaning.
    """

    @classmethod
    def check(cls, run: RunConfig) -> None:
        """Refuse latents that have no normal posterior, and keys of InfoGAN's objective."""
        codes = run.codes
        if codes.categorical or codes.uniform or codes.noise or not codes.gaussian:
            raise InputError(
                "method.name: every latent of a `vae` is a Gaussian code, so give "
                "`codes: {categorical: [], uniform: 0, gaussian: 10, noise: 0}` with as many as there are to be"
            )
        defaults = ObjectiveConfig()
        for key in ObjectiveConfig.model_fields:
            if getattr(run.objective, key) != getattr(defaults, key):
                raise InputError(
                    f"objective.{key}: a `vae` does not read InfoGAN's objective; remove the key, and "
                    "weigh its KL term by `method.options.beta`"
                )

    @classmethod
    def build(
        cls,
        run: RunConfig,
        image_shape: ImageShape,
        generator: torch.Generator,
        device: torch.device | str = "cpu",
    ) -> Model:
        """The networks of an architecture without D's head."""
        codes = LatentCodes(run.codes, fixed_std=False)
        with torch.random.fork_rng(devices=[]):  # an architecture may draw from torch's global generator
            torch.default_generator.manual_seed(generator.initial_seed())
            networks = build_networks(run.architecture, image_shape, codes)
        networks.D_head = nn.Identity()
        initialise(networks, generator)
        return Model(codes, networks, device, averaged=bool(run.optimiser.ema))

    @property
    def phases(self) -> tuple[Phase, ...]:
        """A single phase, of encoder and decoder together."""
        networks = self.model.networks
        parameters = [*networks.G.parameters(), *networks.trunk.parameters(), *networks.Q_head.parameters()]
        return (Phase("VAE", "lr_g", parameters, self.loss, ("loss/reconstruction", "loss/kl")),)

    @property
    def weights(self) -> Mapping[str, float]:
        """beta."""
        return {"beta": self.options["beta"]}

    def draw(self, generator: torch.Generator) -> Draws:
        """The noise of the posterior's samples."""
        shape = (self.run.batch, len(self.model.codes.continuous))
        return {"noise": [torch.randn(shape, generator=generator, device=generator.device)]}

    def begin(self, call: Call, real: Tensor, prepared: Draws, own_weights: dict[str, Tensor]) -> VAEStep:
        """Collect the tensors of the step; the loss needs nothing else from the networks before."""
        return VAEStep(real, prepared["noise"][0], own_weights)

    def loss(self, networks: Networks, step: VAEStep) -> Losses:
        """Reconstruction + beta KL, by the reparametrisation z = mean + std * noise."""
        codes = self.model.codes
        posterior = codes.split(networks.Q_head(networks.trunk(step.real)))
        sample = posterior.mean + posterior.log_std.exp() * step.noise
        empty = sample[:, :0]
        images = networks.G(codes.flatten(Latents(empty, empty.long(), sample)))
        reconstruction = bernoulli_loss(images, step.real)
        kl = normal_kl(posterior.mean, posterior.log_std)
        beta = step.own_weights.get("beta", self.options["beta"])
        return reconstruction + beta * kl, [reconstruction, kl]


def bernoulli_loss(images: Tensor, real: Tensor) -> Tensor:
    """-log p(x|z) in nats an image, a mean over the batch, for G's images (B, C, H, W) and real ones, in [-1, 1].

    A pixel (v + 1) / 2 of `images` is the probability of white; G ends in tanh, so that its logit is 2 artanh(v).
    """
    logits = 2 * torch.atanh(images.float().clamp(-_LARGEST_MEAN, _LARGEST_MEAN))
    return F.binary_cross_entropy_with_logits(logits, (real.float() + 1) / 2, reduction="sum") / len(images)


def normal_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(mean, std^2) || N(0, 1)) in nats, summed over the latents (B, n), a mean over the batch.

    (mean^2 + std^2 - 1) / 2 - log std for each latent: arXiv 1312.6114, appendix B.
    """
    return ((mean.square() + (2 * log_std).exp() - 1) / 2 - log_std).sum(1).mean()
