"""Methods that train a model on images: InfoGAN, VAEs, and a user's own."""

from infogan_bench.methods import annealed_vae as _annealed_vae  # noqa: F401  fill the registry
from infogan_bench.methods import beta_tcvae as _beta_tcvae  # noqa: F401
from infogan_bench.methods import dip_vae as _dip_vae  # noqa: F401
from infogan_bench.methods import factor_vae as _factor_vae  # noqa: F401
from infogan_bench.methods import infogan as _infogan  # noqa: F401
from infogan_bench.methods import vae as _vae  # noqa: F401
from infogan_bench.methods.method import (
    Losses,
    Method,
    Phase,
    Tensors,
    build_model,
    method_of,
    options_of,
    register_method,
)

__all__ = [
    "Losses",
    "Method",
    "Phase",
    "Tensors",
    "build_model",
    "method_of",
    "options_of",
    "register_method",
]
