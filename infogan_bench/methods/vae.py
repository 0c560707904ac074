"""The variational autoencoder (arXiv 1312.6114) with beta-VAE's weight beta on its KL term, and the base of other VAEs.

The encoder is the trunk with Q's head and gives a factored normal posterior of the latents. The decoder is G and gives
the means of the pixels. Both descend

    -E_q(z|x) log p(x|z) + beta KL(q(z|x) || N(0, 1)), nats an image,

where each pixel, scaled to [0, 1], is a Bernoulli variable, as in the reference of arXiv 1804.03599. Beta 1 is the
variational bound of the negative log-likelihood. A further VAE of the study of Locatello et al. (arXiv 1811.12359) is a
subclass with another `regulariser` in the place of the KL term.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

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


class Encoding(NamedTuple):
    """The posteriors q(z|x) of a batch of images, factored normal, and a sample of each."""

    mean: Tensor  # (B, n_codes)
    log_std: Tensor  # (B, n_codes)
    sample: Tensor  # (B, n_codes)
    kl: Tensor  # a scalar: KL(q(z|x) || N(0, 1)) in nats an image


class VAEStep(NamedTuple):
    """The tensors that the loss of an update reads."""

    real: Tensor  # (B, C, H, W) in [-1, 1]
    encoding: Encoding  # of `real`
    prepared: Draws  # what the method's `prepare` returned
    own_weights: dict[str, Tensor]


@register_method("vae")
class VAE(Method):
    """Trains encoder and decoder in one phase, with the step size `optimiser.lr_g`.

    Its latents are the Gaussian codes; there is no other noise. The encoder learns their deviations, so
    `objective.fixed_std` and all else in `objective` has no meaning.
    """

    parts: ClassVar[tuple[str, ...]] = ()  # names of the values that `regulariser` reports beside the KL term

    @classmethod
    def check(cls, run: RunConfig) -> None:
        """Refuse latents that have no normal posterior, and keys of InfoGAN's objective."""
        codes, name = run.codes, cls.row.name
        if codes.categorical or codes.uniform or codes.noise or not codes.gaussian:
            raise InputError(
                f"method.name: every latent of a `{name}` is a Gaussian code, so give "
                "`codes: {categorical: [], uniform: 0, gaussian: 10, noise: 0}` with as many as there are to be"
            )
        defaults = ObjectiveConfig()
        for key in ObjectiveConfig.model_fields:
            if getattr(run.objective, key) != getattr(defaults, key):
                raise InputError(
                    f"objective.{key}: a `{name}` does not read InfoGAN's objective; remove the key, and "
                    f"weigh its loss by {' or '.join(f'`method.options.{key}`' for key in cls.row.options)}"
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
        initialise(networks, generator, glorot=networks.glorot)
        return Model(codes, networks, device, averaged=bool(run.optimiser.ema))

    @property
    def phases(self) -> tuple[Phase, ...]:
        """A single phase, of encoder and decoder together."""
        networks = self.model.networks
        parameters = [*networks.G.parameters(), *networks.trunk.parameters(), *networks.Q_head.parameters()]
        logged = ("loss/reconstruction", "loss/kl", *self.parts)
        return (Phase("VAE", "lr_g", parameters, self.loss, logged),)

    @property
    def weights(self) -> Mapping[str, float]:
        """The options of the method, such as beta."""
        return self.options

    def weight(self, name: str, step: VAEStep) -> float | Tensor:
        """The option `name`, which may be a replica's own."""
        return step.own_weights.get(name, self.options[name])

    def draw(self, generator: torch.Generator) -> Draws:
        """The noise of the posterior's samples."""
        shape = (self.run.batch, len(self.model.codes.continuous))
        return {"noise": [torch.randn(shape, generator=generator, device=generator.device)]}

    def begin(self, call: Call, real: Tensor, prepared: Draws, own_weights: dict[str, Tensor]) -> VAEStep:
        """Encode the images."""
        return VAEStep(real, call(self.encode, real, prepared["noise"][0]), prepared, own_weights)

    def encode(self, networks: Networks, real: Tensor, noise: Tensor) -> Encoding:
        """Encode images (B, C, H, W), by the reparametrisation z = mean + std * noise with `noise` (B, n_codes)."""
        posterior = self.model.codes.split(networks.Q_head(networks.trunk(real)).float())
        mean, log_std = posterior.mean, posterior.log_std
        return Encoding(mean, log_std, mean + log_std.exp() * noise, normal_kl(mean, log_std))

    def loss(self, networks: Networks, step: VAEStep) -> Losses:
        """The reconstruction loss + the regulariser."""
        sample = step.encoding.sample
        empty = sample[:, :0]
        images = networks.G(self.model.codes.flatten(Latents(empty, empty.long(), sample)))
        reconstruction = bernoulli_loss(images, step.real)
        regulariser, parts = self.regulariser(networks, step)
        return reconstruction + regulariser, [reconstruction, step.encoding.kl, *parts]

    def regulariser(self, networks: Networks, step: VAEStep) -> Losses:
        """beta KL, a scalar in nats an image that is added to the reconstruction loss, and the values of `parts`."""
        return self.weight("beta", step) * step.encoding.kl, []


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
