"""The codes that an encoder reads off images, as the numbers that scores take."""

from __future__ import annotations

import numpy as np
from infogan_metrics import Kind
from numpy.typing import NDArray

from infogan_bench.codes import LatentCodes, Posterior

N_BINS = 20  # as in papers, so that scores can be compared with theirs

Codes = NDArray[np.float64]
FactorValues = NDArray[np.int64] | NDArray[np.float64]  # float64 where a factor is no whole number


def representation(codes: LatentCodes, posterior: Posterior) -> Codes:
    """Return an image's codes as the encoder reads them: (n, n_codes), columns in the order of `codes.all`.

    A column holds the most likely category of a categorical code, or the mean of a continuous one.
    """
    categories = [logits.argmax(dim=1).double().numpy() for logits in posterior.logits]
    return np.column_stack([*categories, *posterior.mean.double().numpy().T])


def code_kinds(codes: LatentCodes) -> tuple[Kind, ...]:
    """Return the kinds of the columns of `representation`: the numbers of categories have no order."""
    return tuple(Kind("category" if code.kind == "categorical" else "continuous") for code in codes.all)


def n_bins(codes: LatentCodes) -> int:
    """Return the number of bins for codes: 20, or the number of categories of the largest code if that is more."""
    return max([N_BINS, *(code.size for code in codes.categorical)])
