"""The pages docs/metrics/NAME.md, one for each score, made from the catalogue and the docstrings.

    python benchmarks/metric_pages.py            # writes them
    python benchmarks/metric_pages.py --check    # fails where a page is not as it would be written

Values and invariances are measured on small arrays, so that a page cannot say what the code does not do.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import itertools
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from infogan_metrics import METRICS, Metric

FOLDER = Path(__file__).parents[1] / "docs" / "metrics"
ROWS = ("codes", "factors", "test_codes", "test_factors")

GRID = np.tile(list(itertools.product(range(3), range(4))), (50, 1))  # two factors, each pair fifty times
CASES = ("perfect", "rotated", "noisy", "each code twice", "noise alone")
CHANGES = {
    "all codes times 3": lambda x: 3 * x,
    "all codes plus 5": lambda x: x + 5,
    "all codes times -1": lambda x: -x,
    "another order of the codes": lambda x: x[:, ::-1],
    "one code times 3": lambda x: x * np.array([3.0, 1.0]),
    "the cube of each code": lambda x: (x - x.mean(axis=0)) ** 3,
}

WEAKNESSES = {
    "mig": "Two codes that hold one factor take it to 0. With more values than bins a perfect code stays below 1.",
    "mig_sup": "It does not mind two codes that hold one factor. Read it beside `mig`.",
    "jemmig": "Noise does not score 0, and codes with fewer filled bins score higher.",
    "dcimig": "Factors with many values weigh more.",
    "modularity": "It does not ask how much a code knows: noise scores well above 0. Read it beside `explicitness`.",
    "explicitness": "It says nothing about how the factors are spread over the codes: rotation leaves it as it is.",
    "sap_continuous": "It sees linear relations alone, and it knows distances between values of a factor.",
    "sap_discrete": "A regularised SVM on one code predicts few of many values: even perfect codes score low.",
    "dci": "The value depends on the predictor. Time grows with the number of values of a factor.",
    "dci_forest": "Its values are lower than those of boosted trees where codes are mixed: compare like with like.",
    "irs": "Noise scores about 0.4: a code that nothing moves stays put.",
    "factor_vae": "It hardly falls under rotation and noise. Dead codes win votes unless they are left out.",
    "z_max_variance": "It needs samples that differ in one factor alone: a grid of factors.",
    "beta_vae": "It is near 1 for nearly any codes that hold the factors, rotated and noisy ones included.",
    "cluster_accuracy": "With fewer clusters than classes it cannot reach 1.",
    "purity": "It rises with the number of clusters, up to 1 where every sample is its own.",
    "nmi": "It is not corrected for chance: many small clusters score above 0.",
    "v_measure": "As `nmi`, whose value it has.",
    "mi_bound": "It is a lower bound: a low value may mean that Q is poor.",
    "udr": "Models that fail alike score well.",
    "model_centrality": "Models that fail alike score well.",
    "mutual_info_score": "Constant codes and noise have the best value. Few samples raise it.",
    "gaussian_total_correlation": "Constant codes, noise and rotated Gaussian codes are all independent.",
    "gaussian_wasserstein_correlation": "It depends on the unit of the codes.",
    "fid": "It falls with the number of samples: compare at equal n. It compares within one network's features alone.",
    "kid": "It compares within one network's features alone.",
    "precision_recall": "One real outlier widens what counts as real. It changes with n and k.",
    "density_coverage": "It changes with n and k.",
}


def codes_of(case: str) -> Any:
    """Return codes of GRID's factors (600, n_codes)."""
    random = np.random.default_rng(0)
    standard = (GRID - GRID.mean(axis=0)) / GRID.std(axis=0)
    angle = math.pi / 4
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return {
        "perfect": standard,
        "rotated": standard @ turn,
        "noisy": standard + random.normal(scale=0.3, size=GRID.shape),
        "each code twice": np.tile(standard, 2),
        "noise alone": random.normal(size=GRID.shape),
    }[case]


def value(metric: Metric, codes: Any) -> float | None:
    """Return a score of codes of GRID's factors, tested on the same samples; None where it is not defined."""
    arrays = dict(zip(ROWS, (codes, GRID) * 2, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(metric.function(*(arrays[name] for name in metric.inputs)))
        except ValueError:
            return None


def header(metric: Metric) -> list[str]:
    """Return the factual lines of a page: all of them stand in the catalogue."""
    low, high = metric.range
    needs = [f"{n} {what}" for what, n in vars(metric.needs).items() if n not in (None, 0, 1)]
    better = "higher" if metric.direction == "max" else "lower"
    lines = [
        f"# `{metric.name}`",
        "",
        f"**Asks:** {metric.asks}?",
        "",
        "| | |",
        "|---|---|",
        f"| inputs | {', '.join(f'`{name}`' for name in metric.inputs)} |",
        f"| range | {low:g} to {high:g}, {better} is better |",
        f"| cost | {metric.cost} |",
        f"| supervision | {'yes' if metric.uses_factors or metric.uses_labels else 'no'} |",
        f"| source | {metric.source} |",
    ]
    lines += [f"| needs at least | {', '.join(needs).replace('_', ' ')} |"] if needs else []
    lines += (
        [f"| options | {', '.join(f'`{k}={v!r}`' for k, v in metric.options.items())} |"]
        if metric.options
        else []
    )
    lines += [f"| parts | {', '.join(f'`{part.name}`' for part in metric.parts)} |"] if metric.parts else []
    lines += [f"| chance | {metric.chance} |"] if metric.chance else []
    return lines


def measured(metric: Metric) -> list[str]:
    """Return values on five cases and the changes that leave a score as it is; empty where it takes no codes."""
    if not set(metric.inputs) <= set(ROWS):
        return []
    values = [value(metric, codes_of(case)) for case in CASES]
    shown = ["not defined" if v is None else f"{v:.3f}" for v in values]
    lines = [
        "## Values",
        "",
        "Two independent factors of 3 and 4 values, 600 samples, tested on the same samples:",
        "",
        f"| {' | '.join(CASES)} |",
        f"|{'---|' * len(CASES)}",
        f"| {' | '.join(shown)} |",
        "",
    ]
    before = value(metric, codes_of("noisy"))
    if before is not None:
        after = {name: value(metric, change(codes_of("noisy"))) for name, change in CHANGES.items()}
        same = [name for name, v in after.items() if v is not None and abs(v - before) < 1e-6]
        other = [name for name in after if name not in same]
        lines += [
            "## Invariances",
            "",
            f"Measured on the noisy codes. Left as it is by: {', '.join(same) or 'none'}.",
        ]
        lines += [f"Changed by: {', '.join(other)}."] if other else []
        lines += [""]
    return lines


EXAMPLES = {
    ("codes",): ("codes", "float(score) >= 0"),
    ("codes", "factors"): ("codes, factors", "score.n == 240"),
    ROWS: ("codes, factors, codes, factors", "score.n == 240"),
    ("assignments", "labels"): ("factors[:, 1], factors[:, 1]", "score == 1"),
    ("real", "fake"): ("codes, codes", "score.n == 240"),
    ("models",): ("[codes, -codes]", "score > 0.5"),
    ("images",): ("codes.reshape(12, 20, 2)", "0 <= score <= 1"),
    ("log_q", "entropy"): ("codes[:, 0] - 3, 1.0", "score.n == 240"),
}


def example(metric: Metric) -> list[str]:
    """Return a block of code that runs; empty where its inputs take too long to make."""
    if metric.inputs not in EXAMPLES:
        return []
    given, claim = EXAMPLES[metric.inputs]
    return [
        "## Example",
        "",
        "```python",
        "import itertools",
        "",
        "import numpy as np",
        "from infogan_metrics import METRICS",
        "",
        "factors = np.tile(list(itertools.product(range(3), range(4))), (20, 1))",
        "codes = factors + np.random.default_rng(0).normal(scale=0.2, size=factors.shape)",
        f'score = METRICS["{metric.name}"].function({given})',
        f"assert {claim}",
        "```",
        "",
    ]


def page(metric: Metric, *, with_values: bool = True) -> str:
    """Return the text of a score's page; without values, which take time, all but those two sections."""
    function = metric.function.func if isinstance(metric.function, functools.partial) else metric.function
    lines = [*header(metric), "", "## Definition", "", "```text", inspect.getdoc(function) or "", "```", ""]
    if metric.name in WEAKNESSES:
        lines += ["## Weaknesses", "", WEAKNESSES[metric.name], ""]
    lines += example(metric)
    if with_values:
        lines += measured(metric)
    return "\n".join([*lines, "[All scores](../metrics.md) · [protocols](../metrics-protocols.md)", ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="Write nothing; fail if a page would change.")
    check = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    stale = []
    for metric in METRICS.values():
        path, text = FOLDER / f"{metric.name}.md", page(metric)
        if not path.is_file() or path.read_text() != text:
            stale.append(path.name)
            if not check:
                path.write_text(text)
    print("\n".join(stale) or "all pages are as the catalogue says")
    sys.exit(bool(check and stale))


if __name__ == "__main__":
    main()
