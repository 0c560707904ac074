"""L_I: how much of a latent code can Q read off the generated images?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from infogan_metrics.score import Score


@dataclass(frozen=True, eq=False)
class MIBound(Score):
    """The bound in nats, and what it is made of."""

    entropy: float  # H(c), nats; differential for a continuous code
    cross_entropy: float  # -E log Q(c|x), nats, what stands for H(c|x)
    standard_error: float  # of the value, from the spread of log Q over samples; NaN for one sample


def mi_bound(log_q: ArrayLike, entropy: float) -> MIBound:
    """InfoGAN's variational lower bound of I(c; G(z, c)): H(c) + E log Q(c|x).

    A lower bound: H(c|x) is replaced by the cross-entropy of Q, which is larger by the mean KL divergence of
    Q(c|x) from the true posterior. So a low value may mean that G ignores the code, or only that Q is poor.
    As Q was trained together with G, the bound says what Q knows, not what another encoder could.

    Args:
        log_q: float array (n_samples,), log Q(c|x) in nats of the code that each image was generated with.
        entropy: H(c) in nats of the code's prior; ln K for a K-way categorical code, ln 2 for U(-1, 1).
    Returns:
        Nats; higher is better. At most `entropy` for a categorical code (whose log Q is never above 0); a
        continuous code's may be negative, and is not clipped.
    Raises:
        ValueError: if `log_q` is not 1-D, is empty, or it or `entropy` is not finite.
    Reference: Chen et al. 2016, arXiv:1606.03657, equation 4.
    """
    values = np.asarray(log_q, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"`log_q` must be 1-D, one value per sample, but has shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"`log_q` must be finite, but row {int(np.argmin(np.isfinite(values)))} is not")
    if not np.isfinite(entropy):
        raise ValueError(f"`entropy` must be finite, but is {entropy}")
    cross_entropy = -float(values.mean())
    error = float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return MIBound(float(entropy) - cross_entropy, len(values), float(entropy), cross_entropy, float(error))
