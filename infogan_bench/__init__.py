"""InfoGAN Bench: sweep InfoGAN and measure what its latent codes disentangle."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infogan_bench.api.sweep import Sweep
    from infogan_bench.api.trained import TrainedModel

__version__ = "0.1.0"
__all__ = ["Sweep", "TrainedModel", "__version__"]


def __getattr__(name: str) -> Any:
    """Import on first use what needs torch and pandas: `infogan-bench --help` should not wait for them."""
    if name == "Sweep":
        from infogan_bench.api.sweep import Sweep

        return Sweep
    if name == "TrainedModel":
        from infogan_bench.api.trained import TrainedModel

        return TrainedModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
