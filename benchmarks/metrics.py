"""How fast scores are, as ratios to plain implementations in the reference's style, measured in one run.

    python benchmarks/metrics.py [--json FILE]

Plain means: a scikit-learn call for every code and factor, a Python loop for every vote or point. Both sides run
on one thread, on the same arrays, and must give the same values, or nothing is printed. Times are the best of several.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import infogan_metrics as im
import numpy as np
import sklearn
from infogan_metrics.beta_vae import difference_points
from infogan_metrics.information import one_pass
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

N, N_CODES, SIZES = 10_000, 10, (3, 6, 40, 32, 32)
N_VOTES, N_POINTS, BATCH = 15_000, 3_000, 64
DCI_TRAIN, DCI_TEST, DCI_SIZES = 2_000, 1_000, (3, 6, 10)

Array = NDArray[Any]


@dataclass(frozen=True)
class Row:
    """One comparison: seconds of the plain and of our implementation."""

    name: str
    plain: float
    ours: float

    @property
    def ratio(self) -> float:
        return self.plain / self.ours


def make_data(seed: int, n: int = N, sizes: tuple[int, ...] = SIZES) -> tuple[Array, Array]:
    """Noisy factors, each held by two codes: (n, 2 n_factors) and (n, n_factors)."""
    random = np.random.default_rng(seed)
    factors = random.integers(0, sizes, (n, len(sizes)))
    standardised = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    return np.tile(standardised, 2) + 0.3 * random.normal(size=(n, 2 * len(sizes))), factors


# Plain implementations ------------------------------------------------------------------------------------


def plain_information(codes: Array, factors: Array) -> Array:
    bins = np.stack([np.digitize(c, np.histogram(c, 20)[1][:-1]) for c in codes.T])
    return np.array([[mutual_info_score(f, c) for f in factors.T] for c in bins])


def plain_mig(codes: Array, factors: Array) -> float:
    information = plain_information(codes, factors)
    entropies = [mutual_info_score(f, f) for f in factors.T]
    ordered = np.sort(information, axis=0)
    return float(np.mean((ordered[-1] - ordered[-2]) / entropies))


def plain_modularity(codes: Array, factors: Array) -> float:
    squares = plain_information(codes, factors) ** 2
    best = squares.max(axis=1)
    return float(np.mean(1 - (squares.sum(axis=1) - best) / (best * (factors.shape[1] - 1))))


def plain_sap(codes: Array, factors: Array, test_codes: Array, test_factors: Array) -> float:
    score = np.zeros((codes.shape[1], factors.shape[1]))
    for i in range(codes.shape[1]):
        for k in range(factors.shape[1]):
            svm = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
            svm.fit(codes[:, [i]], factors[:, k])
            score[i, k] = np.mean(svm.predict(test_codes[:, [i]]) == test_factors[:, k])
    ordered = np.sort(score, axis=0)
    return float(np.mean(ordered[-1] - ordered[-2]))


def plain_votes(codes: Array, rows_of: list[list[Array]], factors: Array) -> Array:
    """FactorVAE: the factor held, and the code that varies least, of each vote."""
    random = np.random.RandomState(0)
    overall = np.var(codes, axis=0, ddof=1)
    votes = np.zeros((factors.shape[1], codes.shape[1]), dtype=int)
    for _ in range(N_VOTES):
        k = random.randint(factors.shape[1])
        rows = random.choice(rows_of[k][factors[random.randint(len(codes)), k]], BATCH)
        votes[k, np.argmin(np.var(codes[rows], axis=0, ddof=1) / overall)] += 1
    return votes


def plain_points(codes: Array, rows_of: list[list[Array]], factors: Array) -> tuple[Array, Array]:
    """BetaVAE: mean differences of pairs that share a factor, and which."""
    random = np.random.RandomState(0)
    points, labels = [], []
    for _ in range(N_POINTS):
        k = random.randint(factors.shape[1])
        first = random.randint(len(codes), size=BATCH)
        second = np.array([random.choice(rows_of[k][value]) for value in factors[first, k]])
        points.append(np.mean(np.abs(codes[first] - codes[second]), axis=0))
        labels.append(k)
    return np.array(points), np.array(labels)


def plain_dci(codes: Array, factors: Array) -> Array:
    """Importances of boosted trees, as `dci` fits them by default."""
    fits = [GradientBoostingClassifier(random_state=0).fit(codes, f) for f in factors.T]
    return np.stack([np.abs(fit.feature_importances_) for fit in fits], axis=1)


def our_votes(codes: Array, factors: Array) -> im.FactorVAE:
    return im.factor_vae(codes, factors, batch=BATCH, n_train=N_VOTES * 2 // 3, n_test=N_VOTES // 3)


def our_points_of(codes: Array, factors: Array) -> tuple[Array, Array]:
    return difference_points(codes, factors, BATCH, N_POINTS, np.random.default_rng(0))


# Comparisons ----------------------------------------------------------------------------------------------


def best(function: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def compare(name: str, plain: Callable[[], Any], ours: Callable[[], Any], repeats: tuple[int, int]) -> Row:
    ours()  # imports and caches are not the matter
    return Row(name, best(plain, repeats[0]), best(ours, repeats[1]))


def check(name: str, plain: float, ours: float, tolerance: float) -> None:
    if abs(plain - ours) > tolerance:
        raise SystemExit(f"{name}: plain gives {plain}, ours {ours}: not the same score")


def comparisons() -> list[Row]:
    codes, factors = make_data(0)
    test_codes, test_factors = make_data(1, 5_000)
    split = (codes, factors, test_codes, test_factors)
    rows_of = [[np.flatnonzero(f == value) for value in range(f.max() + 1)] for f in factors.T]

    check("MIG", plain_mig(codes, factors), im.mig(codes, factors).value, 1e-9)
    check("modularity", plain_modularity(codes, factors), im.modularity(codes, factors).value, 1e-9)
    check("SAP", plain_sap(*split), im.sap_discrete(*split, scale_codes=False).value, 2e-3)
    majority = plain_votes(codes, rows_of, factors).max(axis=0).sum() / N_VOTES
    check("FactorVAE", majority, our_votes(codes, factors).train_value, 0.03)
    points, labels = plain_points(codes, rows_of, factors)
    our_points, our_labels = our_points_of(codes, factors)
    for k in range(factors.shape[1]):
        expected = points[labels == k].mean(axis=0)
        check("points", 0.0, float(np.abs(our_points[our_labels == k].mean(axis=0) - expected).max()), 0.02)

    few, few_factors = make_data(2, DCI_TRAIN + DCI_TEST, DCI_SIZES)
    dci_split = few[:DCI_TRAIN], few_factors[:DCI_TRAIN], few[DCI_TRAIN:], few_factors[DCI_TRAIN:]
    return [
        compare("MIG", lambda: plain_mig(codes, factors), lambda: im.mig(codes, factors), (3, 10)),
        compare(
            "modularity",
            lambda: plain_modularity(codes, factors),
            lambda: im.modularity(codes, factors),
            (3, 10),
        ),
        compare(
            "SAP, discrete",
            lambda: plain_sap(*split),
            lambda: im.sap_discrete(*split, scale_codes=False),
            (1, 3),
        ),
        compare(
            f"FactorVAE, {N_VOTES:,} votes",
            lambda: plain_votes(codes, rows_of, factors),
            lambda: our_votes(codes, factors),
            (3, 5),
        ),
        compare(
            f"BetaVAE, {N_POINTS:,} points",
            lambda: plain_points(codes, rows_of, factors),
            lambda: our_points_of(codes, factors),
            (1, 5),
        ),
        compare(
            f"DCI, forest ({DCI_TRAIN:,} samples)",
            lambda: plain_dci(*dci_split[:2]),
            lambda: im.dci(*dci_split, estimator="forest"),
            (1, 2),
        ),
    ]


def cheap_pass() -> tuple[float, list[str]]:
    """Seconds of all cheap scores of codes and factors in one pass, on 10,000 samples, and their names."""
    codes, factors = make_data(0)
    test_codes, test_factors = make_data(1, 5_000)
    arrays = {"codes": codes, "factors": factors, "test_codes": test_codes, "test_factors": test_factors}
    metrics = [m for m in im.METRICS.values() if m.cost == "cheap" and set(m.inputs) <= set(arrays)]

    def once() -> None:
        with one_pass():
            for metric in metrics:
                metric.function(*(arrays[name] for name in metric.inputs))

    once()
    return best(once, 3), [metric.name for metric in metrics]


def machine() -> str:
    model = next(
        (
            line.split(":")[1].strip()
            for line in (
                Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
            )
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    return (
        f"{model}, one thread; Python {platform.python_version()}, numpy {np.__version__}, "
        f"scikit-learn {sklearn.__version__}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="Write the numbers there, too.")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        rows, (seconds, names) = comparisons(), cheap_pass()
    print(machine())
    print(f"{N:,} samples, {N_CODES} codes, {len(SIZES)} factors of {', '.join(map(str, SIZES))} values\n")
    print(f"{'':34}{'plain':>11}{'ours':>11}{'ratio':>8}")
    for row in rows:
        print(f"{row.name:34}{row.plain * 1e3:8.1f} ms{row.ours * 1e3:8.1f} ms{row.ratio:7.0f}x")
    print(f"\nAll {len(names)} cheap scores once: {seconds:.2f} s ({', '.join(names)})")
    if arguments.json:
        document = {"machine": machine(), "rows": [asdict(row) for row in rows], "cheap_pass_s": seconds}
        arguments.json.write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
