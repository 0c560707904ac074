"""Mean and spread of a score over the seeds of a trial, computed here and nowhere else."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection


def mean_over_seeds(values: Collection[float | None]) -> float | None:
    """Return the mean of a score over the seeds.

    Args:
        values: the value of each seed, None where it has none.

    Returns:
        None where there is no seed or one has no value: a mean without that seed would flatter the trial.
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
