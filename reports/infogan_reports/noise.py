"""Leads beyond the noise: intervals of paired differences over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 1000
_AT_ONCE = 1000  # trials at a time, so that 10,000 trials need at most 8 MB


def least_leads(values: Floats, best: int, *, higher_is_better: bool) -> Floats:
    """Compute the smallest lead of the best trial over each other trial, with 95 % confidence.

    The seeds that both trials have are paired and resampled with replacement (percentile bootstrap of the mean
    difference, seeded). With few seeds such an interval is too narrow (with 2, equal trials would differ half of the
    time), so it is widened to Student's interval of the same differences where that is wider.

    Args:
        values: (n_trials, n_seeds); NaN where a trial lacks a seed.
        best: row of the trial to compare with.
        higher_is_better: whether a lead is an excess.
    Returns:
        (n_trials,) the lower end of the interval of the lead, in units of the score: above 0 where the best trial
        is better beyond the noise. NaN where fewer than two seeds are shared, and for the best trial itself.
    """
    leads = (values[best] - values) * (1.0 if higher_is_better else -1.0)
    least = np.full(len(values), np.nan)
    shared, group_of = np.unique(~np.isnan(leads), axis=0, return_inverse=True)
    for group, seeds in enumerate(shared):
        members = np.flatnonzero(group_of.ravel() == group)
        if np.count_nonzero(seeds) > 1:
            for some in np.split(members, range(_AT_ONCE, len(members), _AT_ONCE)):
                least[some] = _lower_ends(leads[np.ix_(some, seeds)])
    least[best] = np.nan
    return least


def _lower_ends(leads: Floats) -> Floats:
    """Return the lower ends (n_trials,) of the intervals of the mean of `leads` (n_trials, n_seeds >= 2)."""
    n = leads.shape[1]
    rng = np.random.default_rng(0)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES) / n
    bootstrap = np.quantile(leads @ weights.T, (1 - CONFIDENCE) / 2, axis=1)
    margin = _student(n) * leads.std(axis=1, ddof=1) / np.sqrt(n)
    ends: Floats = np.minimum(bootstrap, leads.mean(axis=1) - margin)
    return ends


@dataclass(frozen=True)
class Lead:
    """The lead of one trial over another: the mean, and the smallest one with 95 % confidence.

    `least` is None if the trials share fewer than two seeds and one of them has fewer than two.
    """

    mean: float
    least: float | None
    how: str

    @property
    def beyond_the_noise(self) -> bool:
        """Say whether even the lower end of the interval is a lead."""
        return self.least is not None and self.least > 0


def lead(ahead: Mapping[int, float], behind: Mapping[int, float], *, higher_is_better: bool) -> Lead:
    """Compute the lead of one trial over another one that need not be of the same sweep, from a score of each seed.

    Seeds that both have are paired, as in `least_leads`. With fewer than two of those, the seeds are taken as two
    samples: Welch's interval, with the degrees of freedom of the smaller one, which is a little too wide.
    """
    sign = 1.0 if higher_is_better else -1.0
    a, b = np.array(list(ahead.values())), np.array(list(behind.values()))
    mean = sign * float(a.mean() - b.mean())
    shared = sorted(ahead.keys() & behind.keys())
    if len(shared) > 1:
        pairs = sign * np.array([[ahead[seed] - behind[seed] for seed in shared]])
        return Lead(
            float(pairs.mean()), float(_lower_ends(pairs)[0]), f"over the {len(shared)} seeds that both have"
        )
    if min(len(a), len(b)) < 2:
        return Lead(mean, None, "they share fewer than two seeds, and one of them has a single seed")
    error = math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    how = f"over {len(a)} and {len(b)} seeds, which are not the same ones"
    return Lead(mean, mean - _student(min(len(a), len(b))) * error, how)


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return Student's 95 % interval of the mean of `values`, None for fewer than two."""
    n = len(values)
    if n < 2:
        return None
    mean, margin = float(np.mean(values)), _student(n) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return mean - margin, mean + margin


def _student(n: int) -> float:
    """Return Student's t at 0.975 for a mean of `n` values (at least 2)."""
    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))
