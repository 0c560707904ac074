"""Optuna's sampler for the next proposal of a search that learns; config/searches.py has a row for each of them.

Each proposal gets a new sampler, so it depends on earlier proposals only through their results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from infogan_bench.config import SearchConfig
from infogan_bench.config.searches import find_search, generation_size

_SHARE_TO_BEGIN_FROM = 10  # CMA-ES begins at the best one in ten of the trials


class SamplerRequest(NamedTuple):
    """A request for the sampler of one proposal.

    Attributes:
        search: the section `search:` of the sweep file.
        place: the trial's place in the plan.
        known_trials: trials that the search did not propose itself: those of an earlier sweep, and those that are on
            record alone.
    """

    search: SearchConfig
    place: int
    known_trials: Sequence[FrozenTrial]

    @property
    def seed(self) -> int:
        """The seed of this proposal, from `search.seed` and the place."""
        return int(np.random.SeedSequence([self.search.seed, self.place]).generate_state(1)[0])

    @property
    def random_trials(self) -> int:
        """Trials of the sweep that are drawn at random before the search learns."""
        return find_search(self.search.algorithm).random_trials(self.search)


def make_sampler(request: SamplerRequest) -> BaseSampler:
    """The sampler of the search that `search.algorithm` names."""
    sampler: BaseSampler = find_search(request.search.algorithm).maker()(request)
    return sampler


def tpe(request: SamplerRequest) -> BaseSampler:
    """`tpe`: Bergstra et al., 2011; with several goals Ozaki et al., 2022."""
    return TPESampler(seed=request.seed, n_startup_trials=request.random_trials, constant_liar=True)


def cmaes(request: SamplerRequest) -> BaseSampler:
    """`cmaes`: Hansen, 2016, arXiv 1604.00772, begun from known trials as in Nomura et al., 2021."""
    source = [trial for trial in request.known_trials if trial.state is TrialState.COMPLETE]
    # The search begins where the best tenth of the trials is. Of fewer than ten trials that is the best one.
    source *= math.ceil(_SHARE_TO_BEGIN_FROM / len(source)) if source else 1
    return CmaEsSampler(
        seed=request.seed,
        popsize=request.search.population,
        source_trials=source or None,
        warn_independent_sampling=False,
    )


def gp(request: SamplerRequest) -> BaseSampler:
    """`gp`: log expected improvement (of hypervolume) of a Gaussian process with a Matern 5/2 kernel."""
    return GPSampler(
        seed=request.seed, n_startup_trials=request.random_trials, warn_independent_sampling=False
    )


def nsga2(request: SamplerRequest) -> BaseSampler:
    """`nsga2`: Deb et al., 2002."""
    return NSGAIISampler(seed=request.seed, population_size=generation_size(request.search))
