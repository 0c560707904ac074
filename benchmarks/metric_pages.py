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
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from infogan_metrics import METRICS, Metric
from infogan_metrics.metric import Invariance

FOLDER = Path(__file__).parents[1] / "docs" / "metrics"
ROWS = ("codes", "factors", "test_codes", "test_factors")

GRID = np.tile(list(itertools.product(range(3), range(4))), (50, 1))  # two factors, each pair fifty times
CASES = ("perfect", "rotated", "noisy", "each code twice", "noise alone")
CHANGES: Mapping[str, Callable[[Any], Any]] = {
    "all codes times 3": lambda x: 3 * x,
    "all codes plus 5": lambda x: x + 5,
    "all codes times -1": lambda x: -x,
    "another order of the codes": lambda x: x[:, ::-1],
    "one code times 3": lambda x: x * np.array([3.0, 1.0]),
    "the cube of each code": lambda x: (x - x.mean(axis=0)) ** 3,
}

PARTS = (
    "Asks",
    "Formula",
    "Range",
    "Chance level",
    "Invariances",
    "Weaknesses",
    "Reference value",
    "Example",
)
WORDS: Mapping[Invariance, str] = {
    "scale": "all codes times a positive number",
    "offset": "plus a number",
    "sign": "times -1",
    "order": "in another order",
    "one code scaled": "one code alone times a positive number",
}
TEXTS: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())


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
    needs = [f"{n} {what}" for what, n in vars(metric.needs).items() if n not in (None, 0, 1)]
    lines = [
        f"# `{metric.name}`",
        "",
        "| | |",
        "|---|---|",
        f"| inputs | {', '.join(f'`{name}`' for name in metric.inputs)} |",
        f"| cost | {metric.cost} |",
        f"| supervision | {'yes' if metric.uses_factors or metric.uses_labels else 'no'} |",
        f"| source | {metric.source} |",
    ]
    lines += [f"| needs at least | {', '.join(needs).replace('_', ' ')} |"] if needs else []
    if metric.uses_factors:
        lines.append(f"| kinds of factors | {', '.join(sorted(metric.factor_kinds, reverse=True))} |")
    if metric.options:
        lines.append(f"| options | {', '.join(f'`{k}={v!r}`' for k, v in metric.options.items())} |")
    return lines


def described(metric: Metric) -> list[str]:
    """Return the sections before the example: question, formula, range, chance, weaknesses, a known value."""
    texts = TEXTS[metric.name]
    chance = f"{(texts.get('chance') or metric.chance).rstrip('.')}."
    kept = "; ".join(WORDS[change] for change in WORDS if change in (metric.invariances or ()))
    sections = {
        "Asks": f"{metric.asks[0].upper()}{metric.asks[1:]}?",
        "Formula": texts["formula"],
        "Range": _ranges(metric),
        "Chance level": chance[0].upper() + chance[1:],
        "Invariances": texts.get("invariances") or f"Changes of the codes that leave it as it is: {kept}.",
        "Weaknesses": f"- **Rewards wrongly.** {texts['rewards']}\n- **Cannot see.** {texts['blind']}",
        "Reference value": f"{texts['reference']}\n\n{_python(texts['code'])}",
    }
    return [line for title, text in sections.items() for line in (f"## {title}", "", text, "")]


def _ranges(metric: Metric) -> str:
    better = "Higher" if metric.direction == "max" else "Lower"
    spans = [f"`{part.name}`: {part.range[0]:g} to {part.range[1]:g}" for part in metric.parts]
    return f"{metric.range[0]:g} to {metric.range[1]:g}. {better} is better." + (
        f" Its parts are asked for by name: {'; '.join(spans)}." if spans else ""
    )


def _python(code: str) -> str:
    """Return code with its imports as a block; a first line `use NAME` imports NAME of infogan_metrics as well."""
    names = ["METRICS"] if "METRICS" in code else []
    if code.startswith("use "):
        name, code = code.removeprefix("use ").split("\n", maxsplit=1)
        names.append(name)
    imports = ["import itertools", ""] if "itertools" in code else []
    imports += ["import numpy as np"] if "np." in code else []
    imports += [f"from infogan_metrics import {', '.join(names)}", ""]
    return "\n".join(["```python", *imports, code, "```"])


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
        lines += [f"The value of the noisy codes is left as it is by: {', '.join(same) or 'none'}."]
        lines += [f"It is changed by: {', '.join(other)}."] if other else []
        lines += [""]
    return lines


EXAMPLES: Mapping[tuple[str, ...], tuple[str, str]] = {
    ("codes",): ("codes", "float(score) >= 0"),
    ("codes", "factors"): ("codes, factors", "score.n == 240"),
    ROWS: ("codes, factors, codes, factors", "score.n == 240"),
    ("assignments", "labels"): ("factors[:, 1], factors[:, 1]", "score == 1"),
    ("real", "fake"): ("codes, codes", "score.n == 240"),
    ("models",): ("[codes, -codes]", "score > 0.5"),
    ("images",): ("codes.reshape(12, 20, 2)", "0 <= score <= 1"),
    ("log_q", "entropy"): ("codes[:, 0] - 3, 1.0", "score.n == 240"),
    ("latents", "readings", "entropy"): ("factors[:, 0], codes[:, 0], np.log(3)", "score.r2 > 0.9"),
    ("encodings", "fixed"): ("[[votes, votes], [votes, votes]], [held, held]", "score > 0.9"),
}
PREPARED: Mapping[tuple[str, ...], list[str]] = {
    ("encodings", "fixed"): [
        "held = np.arange(60) % 2  # the code that each of 60 votes holds",
        "votes = np.random.default_rng(1).normal(size=(60, 20, 2))  # 20 images a vote, two codes",
        "votes[np.arange(60), :, held] = 0.1 * votes[np.arange(60), :, held]",
    ],
}


def example(metric: Metric) -> list[str]:
    """Return a block of code that runs."""
    given, claim = EXAMPLES[metric.inputs]
    lines = [
        "factors = np.tile(list(itertools.product(range(3), range(4))), (20, 1))",
        "codes = factors + np.random.default_rng(0).normal(scale=0.2, size=factors.shape)",
    ]
    uses = [line for line, name in zip(lines, ("factors", "codes"), strict=True) if name in given]
    code = [*(lines if "codes" in given else uses), *PREPARED.get(metric.inputs, [])]
    code += [f'score = METRICS["{metric.name}"].function({given})', f"assert {claim}"]
    text = "\n".join(code)
    return ["## Example", "", _python(text), ""]


def page(metric: Metric, *, with_values: bool = True) -> str:
    """Return the text of a score's page; without values, which take time, all but the last sections."""
    function = metric.function.func if isinstance(metric.function, functools.partial) else metric.function
    lines = [*header(metric), "", *described(metric), *example(metric)]
    lines += ["## In full", "", "```text", inspect.getdoc(function) or "", "```", ""]
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
