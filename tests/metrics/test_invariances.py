"""Changes of the codes that must not change a score: each score's own list, and the exceptions it documents."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from infogan_metrics import METRICS, NotDefinedError
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A grid twenty times over, and codes that hold its factors with noise; the test split has other noise.
GRID = np.tile(list(itertools.product(range(2), range(2), range(3))), (20, 1))
RANDOM = np.random.default_rng(0)
MIX = np.array([[1.0, 0.1, 0.0, 0.4], [0.0, 0.5, 0.1, 0.4], [0.1, 0.0, 0.3, 0.4]])
TRAIN, TEST = (GRID @ MIX + RANDOM.normal(scale=0.3, size=(len(GRID), 4)) for _ in range(2))

CHANGES: dict[str, Callable[[Array], Array]] = {
    # By powers of two, so that no value moves across an edge of a bin.
    "scale": lambda x: x * 2.0**-24,
    "one code scaled": lambda x: x * [2.0**10, 1, 1, 1],
    "offset": lambda x: x + np.array([0, 2.0**26, -(2.0**26), 1]),
    "sign": lambda x: x * [-1, 1, 1, -1],
    "order": lambda x: x[:, [2, 0, 3, 1]],
}
# The changes that a score minds, and whether these codes show it. BetaVAE's classifier is regularised, FactorVAE and
# Z-max variance leave out codes below `min_std`, and IRS weighs codes by their size.
EXCEPT = {
    "beta_vae": {"scale": True, "one code scaled": False},
    "factor_vae": {"scale": True, "one code scaled": False},
    "z_max_variance": {"scale": True, "one code scaled": False},
    "irs": {"one code scaled": True},
    "gaussian_wasserstein_correlation": {"scale": True, "one code scaled": True},
}
# Trees take a value on a threshold to its left and break ties by the order of codes, and solvers stop when they are
# close: these agree, but not to the last digit.
NEARLY = {"dci": 0.01, "dci_forest": 0.02, "explicitness": 1e-4, "beta_vae": 0.02, "sap_discrete": 5e-3,
          "dci_continuous": 0.01, "dci_es": 0.01}  # fmt: skip
OF_CODES = sorted(name for name, metric in METRICS.items() if "codes" in metric.inputs)


# A code whose range is far below the largest is not active to InfoMEC, and one active code has no score.
REFUSED = {("infomec", "one code scaled")}


def score(name: str, train: Array, test: Array) -> float:
    arrays = {"codes": train, "factors": GRID, "test_codes": test, "test_factors": GRID}
    return float(METRICS[name].function(*(arrays[argument] for argument in METRICS[name].inputs)))


@pytest.fixture(scope="module")
def unchanged() -> dict[str, float]:
    return {}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", OF_CODES)
def test_the_score_does_not_change(name: str, change: str, unchanged: dict[str, float]) -> None:
    before = unchanged.setdefault(name, score(name, TRAIN, TEST))
    if (name, change) in REFUSED:
        with pytest.raises(NotDefinedError, match="single code"):
            score(name, CHANGES[change](TRAIN), CHANGES[change](TEST))
        return
    after = score(name, CHANGES[change](TRAIN), CHANGES[change](TEST))
    if change in (METRICS[name].invariances or ()):
        # An offset of 2^26 leaves 27 binary digits of a code of size 1.
        assert after == pytest.approx(before, abs=NEARLY.get(name, 1e-6 if change == "offset" else 1e-9))
    else:
        assert change in EXCEPT[name]
        if EXCEPT[name][change]:
            assert abs(after - before) > 0.01
