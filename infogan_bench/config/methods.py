"""The rows of the methods that train a model: what a configuration must know of each, without torch.

The maths of a method is in the file of `infogan_bench/methods/` that has its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infogan_bench.config.names import suggestion
from infogan_bench.config.run import MethodConfig
from infogan_bench.config.terms import objective_quantities
from infogan_bench.errors import InputError
from infogan_bench.records.quantities import Quantity


@dataclass(frozen=True)
class MethodRow:
    """A method: its options with their defaults, and the numbers that its runs report.

    Attributes:
        name: as in `method.name`.
        title: a few words.
        source: paper.
        options: numbers that `method.options` may set, with their defaults.
        quantities: numbers that its runs report of its losses; of `infogan` those of its terms.
    """

    name: str
    title: str
    source: str = ""
    options: Mapping[str, float] = field(default_factory=dict)
    quantities: tuple[Quantity, ...] = ()


_OF_EVERY_VAE = (
    Quantity("loss/reconstruction", "Reconstruction", "negative log-likelihood of an image's pixels, each a Bernoulli "
             "variable, given its latents, in nats an image", "nats", "min", None, "arXiv 1312.6114, equation 7"),
    Quantity("loss/kl", "KL of the latents", "divergence of the latents' posterior from the standard normal prior, in "
             "nats an image: the most that they tell about the image", "nats", "min", None,
             "arXiv 1312.6114, appendix B"),
)  # fmt: skip

_TOTAL_CORRELATION = Quantity(
    "loss/total_correlation", "Total correlation", "divergence of the latents' distribution from the product of its "
    "margins: 0 if they are independent; estimated from the posteriors of the batch (beta-TCVAE) or by a "
    "discriminator (FactorVAE)", "nats", "min", None, "arXiv 1802.04942, equation 2; arXiv 1802.05983, equation 3",
)  # fmt: skip

_TC_DISCRIMINATOR = Quantity(
    "loss/tc_discriminator", "Loss of the discriminator of latents", "cross entropy with which it tells latents from "
    "permuted ones; ln 2 is a guess", "nats", None, None, "arXiv 1802.05983, algorithm 2",
)  # fmt: skip

_COVARIANCES = (
    Quantity("loss/covariance_off_diagonal", "Covariance of latents", "sum of the squared covariances of two latents, "
             "of the posteriors' means (DIP-VAE-I) or of the latents (DIP-VAE-II); 0 if no two of them vary together",
             "", "min", None, "arXiv 1711.00848, equations 6 and 7"),
    Quantity("loss/covariance_diagonal", "Variance of latents", "sum of the squared distances of the latents' "
             "variances from 1, of the posteriors' means (DIP-VAE-I) or of the latents (DIP-VAE-II)", "", "min", None,
             "arXiv 1711.00848, equations 6 and 7"),
)  # fmt: skip

_CAPACITY = Quantity(
    "loss/capacity", "Distance to the capacity", "distance of the KL of the latents from the capacity C, which grows "
    "to c_max", "nats", "min", None, "arXiv 1804.03599, equation 8",
)  # fmt: skip

METHODS: dict[str, MethodRow] = {
    row.name: row
    for row in (
        MethodRow("infogan", "InfoGAN", "arXiv 1606.03657"),
        MethodRow("vae", "variational autoencoder", "arXiv 1312.6114", {"beta": 1.0}, _OF_EVERY_VAE),
        MethodRow("beta-tcvae", "beta-TCVAE", "arXiv 1802.04942", {"beta": 6.0},
                  (*_OF_EVERY_VAE, _TOTAL_CORRELATION)),
        MethodRow("factor-vae", "FactorVAE", "arXiv 1802.05983", {"gamma": 30.0},
                  (*_OF_EVERY_VAE, _TOTAL_CORRELATION, _TC_DISCRIMINATOR)),
        MethodRow("dip-vae-i", "DIP-VAE-I", "arXiv 1711.00848", {"lambda_od": 10.0, "lambda_d_factor": 10.0},
                  (*_OF_EVERY_VAE, *_COVARIANCES)),
        MethodRow("dip-vae-ii", "DIP-VAE-II", "arXiv 1711.00848", {"lambda_od": 10.0, "lambda_d_factor": 1.0},
                  (*_OF_EVERY_VAE, *_COVARIANCES)),
        MethodRow("annealed-vae", "AnnealedVAE", "arXiv 1804.03599",
                  {"gamma": 1000.0, "c_max": 25.0, "annealing_steps": 100_000.0}, (*_OF_EVERY_VAE, _CAPACITY)),
    )
}  # fmt: skip
"""The methods that ship."""

OUTSIDE_METHODS: dict[str, MethodRow] = {}
"""Methods of the user's own, which `infogan_bench.methods.register_method` adds."""


def method_row(config: MethodConfig) -> MethodRow:
    """The row of a configuration's method.

    Raises:
        InputError: if there is no such method, or it has no such option.
    """
    known = METHODS | OUTSIDE_METHODS
    if config.name not in known:
        raise InputError(
            f"method.name: no method {config.name!r}; {suggestion(config.name, tuple(known))}, or one that a module "
            "under `extensions` registers"
        )
    row = known[config.name]
    for key in config.options:
        if key not in row.options:
            has = suggestion(key, tuple(row.options)) if row.options else f"{row.name} has no options"
            raise InputError(f"method.options.{key}: no such option of {row.name}; {has}")
    return row


def training_quantities() -> tuple[Quantity, ...]:
    """All numbers that training reports, by the methods and terms that are known: losses, bounds and entropies."""
    rows = [*METHODS.values(), *OUTSIDE_METHODS.values()]
    of_methods = {quantity.name: quantity for row in rows for quantity in row.quantities}  # VAEs share some
    return (*objective_quantities(), *of_methods.values())


def method_metrics(name: str) -> tuple[str, ...] | None:
    """Names of the losses that a method reports; None for `infogan`, where the codes and the terms have them."""
    row = (METHODS | OUTSIDE_METHODS).get(name)
    if name == "infogan":
        return None
    return tuple(quantity.name for quantity in row.quantities) if row else ()


def is_known_method(name: str) -> bool:
    """Say whether a method ships or is registered; `extensions` that are not loaded yet may register more."""
    return name in METHODS or name in OUTSIDE_METHODS
