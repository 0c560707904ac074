"""Mean and spread of a score over the seeds of a trial. All other code uses these functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection


def mean_over_seeds(values: Collection[float | None]) -> float | None:
    """Return the mean of a score over the seeds.

    Args:
        values: the value of each seed, None where it has none.

    Returns:
        The mean; None if there is no seed or a seed has no value, since a mean without it would favour the trial.
    """
    numbers = [value for value in values if value is not None]
    if not numbers or len(numbers) < len(values):
        return None
    if not all(map(math.isfinite, numbers)):
        return sum(numbers) / len(numbers)
    try:
        return statistics.fmean(numbers)
    except OverflowError:  # the sum has no float64
        return math.fsum(value / len(numbers) for value in numbers)


def std_over_seeds(values: Collection[float | None]) -> float | None:
    """Return the sample standard deviation (ddof 1) of a score over the seeds.

    Returns:
        None where there are fewer than two seeds, or one has no finite value.
    """
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    return statistics.stdev(numbers) if 1 < len(numbers) == len(values) else None
