"""An autoencoder: a VAE whose noise has one deviation, and which descends the squared error alone."""

import torch

from infogan_bench.methods import register_method
from infogan_bench.methods.vae import VAE
from infogan_bench.records.quantities import Quantity

ERROR = Quantity("loss/error", "Error", "mean squared error of a pixel", "", "min", None, "")


@register_method("autoencoder", options={"noise": 0.1}, quantities=[ERROR])
class Autoencoder(VAE):
    @property
    def phases(self):
        return tuple(phase._replace(logged=("loss/error",)) for phase in super().phases)

    def loss(self, networks, step):
        noise = self.weight("noise", step) * step.prepared["noise"][0]
        images = networks.G(step.encoding.mean + noise)
        error = torch.mean((images - step.real) ** 2)
        return error, [error]
