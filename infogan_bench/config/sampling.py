"""Endless configurations drawn from a space, for the searches `random` and `sobol`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from infogan_bench.config.params import Params
from infogan_bench.config.space import Domain

_SOBOL_BLOCK = 256  # points at a time; only whole powers of 2 are balanced


def random_points(space: Mapping[str, Domain], seed: int, rng: random.Random) -> Iterator[Params]:
    """Yield configurations without end, each drawn independently from `rng`."""
    while True:
        yield {key: domain.sample(rng) for key, domain in space.items()}


def sobol_points(space: Mapping[str, Domain], seed: int, rng: random.Random) -> Iterator[Params]:
    """Yield configurations without end that fill the space evenly: a Sobol sequence (Sobol, 1967), scrambled by linear
    matrices and a shift (Matousek, 1998), with a dimension for each domain. The first n are the same however many
    follow.
    """
    import numpy as np
    from scipy.stats import qmc  # takes most of a second, which other searches are spared

    points = qmc.Sobol(len(space), scramble=True, rng=np.random.default_rng(seed))
    while True:
        for point in points.random(_SOBOL_BLOCK).tolist():
            coordinates = zip(space.items(), point, strict=True)
            yield {key: domain.at_quantile(quantile) for (key, domain), quantile in coordinates}
