"""The same arrays under each protocol: the table of docs/metrics-protocols.md.

    python benchmarks/protocols.py [--write]

The arrays are the stored codes of tests/golden: 10,000 training and 5,000 test samples of five factors.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from infogan_metrics import PROTOCOLS, evaluate

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "metrics-protocols.md"
START, END = "<!-- table: python benchmarks/protocols.py --write -->", "<!-- end of table -->"
CASES = ("perfect", "rotated", "noisy_1.0", "redundant", "missing", "dead", "noise")
STORED = ("disentanglement", "completeness", "informativeness_test")
SCORES = (
    *(
        "mig",
        "mig_sup",
        "jemmig",
        "dcimig",
        "modularity",
        "sap_continuous",
        "sap_discrete",
        "irs",
        "factor_vae",
    ),
    *("beta_vae", "explicitness"),
)


def arrays(case: str) -> dict[str, Any]:
    """Return codes and factors of a stored case, with its test split."""
    folder = ROOT / "tests" / "golden" / "arrays"
    codes, factors = np.load(folder / f"{case}.npz"), np.load(folder / "factors.npz")
    return {
        "codes": codes["mus_train"].T,
        "factors": factors["ys_train"].T,
        "test_codes": codes["mus_test"].T,
        "test_factors": factors["ys_test"].T,
    }


def values(case: str, protocol: str, scores: Sequence[str]) -> dict[str, str]:
    """Return {score: value to four digits, or `-` where it is not defined} under a protocol."""
    kept = PROTOCOLS[protocol]
    given = arrays(case)
    if kept.n_test == 0:
        del given["test_codes"], given["test_factors"]
    names = [name for name in scores if kept.setting(name) is not None]
    table = evaluate(**given, scores=names, protocol=protocol, bootstrap=0, chance=0)
    return {row.name: "-" if row.value is None else f"{row.value:.4f}" for row in table}


def rows(cases: Sequence[str], scores: Sequence[str]) -> list[str]:
    """Return the lines of the table, a line for each score and protocol, without its head."""
    columns = {(case, name): values(case, name, scores) for case in cases for name in PROTOCOLS}
    lines = []
    for score in scores:
        for protocol, kept in PROTOCOLS.items():
            if kept.setting(score) is not None:
                cells = [columns[case, protocol][score] for case in cases]
                lines.append(f"| `{score}` | {protocol} | {' | '.join(cells)} |")
    return lines


def dci_rows(n: int = 2_000) -> list[str]:
    """Return the lines of DCI on the first n samples; disentanglement_lib's own values are the stored ones."""
    parts = ("disentanglement", "completeness", "informativeness")
    stored = json.loads((ROOT / "tests" / "golden" / "values.json").read_text())["values"]
    found = {("disentanglement_lib", case): [stored[case]["dci"][key] for key in STORED] for case in CASES}
    for name in ("ubisoft", "infogan-cr"):
        for case in CASES:
            given = {key: arrays(case)[key][:n] for key in ("codes", "factors")}
            table = evaluate(**given, scores="dci", protocol=name, bootstrap=0, chance=0)
            found[name, case] = [table[f"dci_{part}"].value for part in parts]
    lines = []
    for k, part in enumerate(parts):
        for name in ("disentanglement_lib", "ubisoft", "infogan-cr"):
            cells = [f"{found[name, case][k]:.4f}" for case in CASES]
            lines.append(f"| {part} | {name} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dci", action="store_true", help="Print the table of DCI instead.")
    parser.add_argument("--write", action="store_true", help="Write the table into the page.")
    given = parser.parse_args()
    if given.dci:
        print("\n".join(dci_rows()))
        return
    head = [f"| score | protocol | {' | '.join(CASES)} |", f"|---|---|{'---|' * len(CASES)}"]
    table = "\n".join([*head, *rows(CASES, SCORES)])
    print(table)
    if given.write:
        before, rest = PAGE.read_text().split(START)
        PAGE.write_text(f"{before}{START}\n\n{table}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
