"""The samples that scores are computed from: split, drawn anew, or with their targets shuffled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogan_metrics.metric import Metric
from infogan_metrics.protocols import Protocol

Rows: TypeAlias = NDArray[Any]  # an array with a row for each sample
Whole: TypeAlias = (
    ArrayLike | Sequence[ArrayLike] | Sequence[Sequence[ArrayLike]]
)  # any other input of a score
Inputs: TypeAlias = dict[str, Rows]  # by the names that scores use
ROWS: Mapping[str, int] = {  # inputs with a row for each sample; rows of one number belong together
    **dict.fromkeys(("codes", "factors", "assignments", "labels", "real"), 0),
    **dict.fromkeys(("test_codes", "test_factors", "fake"), 1),
}
_TARGETS = frozenset({"factors", "test_factors", "labels"})
_TEST_SHARE = 3  # every third sample is held out where no test split is given


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs of scores, by the names that scores use."""

    arrays: Mapping[str, Rows]
    whole: Mapping[str, Whole]  # inputs that are not split, drawn or shuffled: models, images, ...
    same_test: bool = False  # the test split holds the same samples, as protocols without one want it
    notes: tuple[str, ...] = ()  # on what was done to the arrays
    factor_bins: int | None = None  # that factors were cut into; None: none was
    reason: str = ""  # that no score of these has a value; empty where there is none

    def inputs(self, metric: Metric) -> list[Rows | Whole]:
        """Return the positional arguments of a score."""
        return [self.arrays[name] if name in self.arrays else self.whole[name] for name in metric.inputs]

    def n(self, metric: Metric) -> int:
        """Return the number of samples, or of models, that a score takes."""
        return len(self.inputs(metric)[0])  # type: ignore[arg-type]  # an array or a sequence of arrays


def split(
    given: Mapping[str, Rows], whole: Mapping[str, Whole], splits: bool, protocol: Protocol, seed: int
) -> Samples:
    """Return at most the protocol's number of samples, and a test split for the scores that need one.

    A test split that is given is used. Otherwise the samples are put in a random order and a third of them is
    held out, or the protocol's number of test samples where there are enough.
    """
    arrays: Inputs = dict(given)
    if "codes" not in given or "factors" not in given or (not splits and protocol.n_train is None):
        return Samples(arrays, whole)
    n = len(given["codes"])
    order = np.random.default_rng([seed, 3]).permutation(n)
    if not splits or "test_codes" in given:
        if protocol.n_train is not None and n > protocol.n_train:
            arrays.update({name: given[name][order[: protocol.n_train]] for name in ("codes", "factors")})
        return Samples(arrays, whole)
    if protocol.n_test == 0:
        arrays.update(test_codes=given["codes"], test_factors=given["factors"])
        return Samples(arrays, whole, same_test=True)
    n_train, n_test = protocol.n_train, protocol.n_test
    if n_train is None or n_test is None or n < n_train + n_test:
        n_test = max(n // _TEST_SHARE, 1)
        n_train = n - n_test
    train, test = order[:n_train], order[n_train : n_train + n_test]
    for name in ("codes", "factors"):
        arrays[name], arrays[f"test_{name}"] = given[name][train], given[name][test]
    return Samples(arrays, whole)


def drawn(samples: Samples, random: np.random.Generator) -> Samples:
    """Return as many samples, drawn with replacement; rows that belong together stay together."""
    rows: dict[tuple[int, int], NDArray[np.intp]] = {}
    arrays: Inputs = dict(samples.arrays)
    for name in sorted(ROWS.keys() & arrays.keys()):
        group = 0 if samples.same_test else ROWS[name]
        size = len(arrays[name])
        if (group, size) not in rows:
            rows[group, size] = random.integers(size, size=size, dtype=np.intp)
        arrays[name] = arrays[name][rows[group, size]]
    return _same_test_again(samples, arrays)


def shuffled(samples: Samples, random: np.random.Generator) -> Samples:
    """Return the samples with their factors or labels in another order, which leaves codes and targets unrelated."""
    arrays: Inputs = dict(samples.arrays)
    for name in sorted(_TARGETS & arrays.keys()):
        arrays[name] = arrays[name][random.permutation(len(arrays[name]))]
    return _same_test_again(samples, arrays)


def _same_test_again(samples: Samples, arrays: Inputs) -> Samples:
    if samples.same_test:
        arrays.update(test_codes=arrays["codes"], test_factors=arrays["factors"])
    return replace(samples, arrays=arrays)
