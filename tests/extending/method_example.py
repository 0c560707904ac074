"""A method of one's own: an autoencoder whose codes are noisy."""

import torch
from torch import Tensor

from infogan_bench.methods import Losses, Phase, register_method
from infogan_bench.methods.vae import VAE, VAEStep
from infogan_bench.networks import Networks
from infogan_bench.records.quantities import Quantity

_ERROR = Quantity("loss/error", "Error", "mean squared error of a pixel", "", "min", None, "")


@register_method("autoencoder", options={"noise": 0.1}, quantities=[_ERROR])
class Autoencoder(VAE):
    """The networks and codes of a VAE; it descends the squared error of the pixels alone."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        """One, which reports the error."""
        return tuple(phase._replace(logged=("loss/error",)) for phase in super().phases)

    @property
    def weights(self) -> dict[str, float]:
        """There is none."""
        return {}

    def loss(self, networks: Networks, step: VAEStep) -> Losses:
        """Mean squared error of images that G makes of noisy codes."""
        mean = self.model.codes.split(networks.Q_head(networks.trunk(step.real))).mean
        images: Tensor = networks.G(mean + self.options["noise"] * step.noise)
        error = torch.mean((images - step.real) ** 2)
        return error, [error]
