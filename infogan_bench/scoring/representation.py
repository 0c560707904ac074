"""The codes that an encoder reads off images, as the numbers that scores take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infogan_bench.codes import LatentCodes, Posterior

N_BINS = 20  # what papers cut codes into, so that scores compare with theirs

Codes = NDArray[np.float64]
FactorValues = NDArray[np.int64]


def representation(codes: LatentCodes, posterior: Posterior) -> Codes:
    """Return an image's codes as the encoder reads them: (n, n_codes), columns in the order of `codes.all`.

    The most likely category of each categorical code, the mean of each continuous one.
    """
    categories = [logits.argmax(dim=1).double().numpy() for logits in posterior.logits]
    return np.column_stack([*categories, *posterior.mean.double().numpy().T])


def n_bins(codes: LatentCodes) -> int:
    """Return the bins that codes are cut into: 20, or as many as the largest categorical code has categories."""
    return max([N_BINS, *(code.size for code in codes.categorical)])
