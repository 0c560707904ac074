"""The command `infogan-metrics`: scores of arrays in files, with intervals and chance levels."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from infogan_metrics.as_taken import Further
from infogan_metrics.evaluation import MissingInputError, evaluate, package_version
from infogan_metrics.files import names_in, read_named
from infogan_metrics.protocols import PROTOCOLS
from infogan_metrics.registry import METRICS
from infogan_metrics.samples import Inputs
from infogan_metrics.table import Table

_EXAMPLES = """examples:
  infogan-metrics codes.npz
  infogan-metrics model.npz --map codes=latents --map factors=labels_true --scores mig,dci_forest
  infogan-metrics table.csv --map codes=z* --map factors=shape,scale --protocol disentanglement_lib --json
  infogan-metrics table.csv --map codes=z* --map factors=shape,azimuth --kinds azimuth=circular:360 --factor-bins 10
  infogan-metrics latents.npy factors.npy --map codes=latents --latex
"""

_NAMED = 20  # arrays and columns that a message lists


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 2 where the input is at fault."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.list:
        return _print(_catalogue())
    if not given.files:
        parser.error("a file is needed, or --list")
    try:
        names = _names(given.map)
        read, columns = read_named(given.files, names)
        arrays: Inputs = {name: array for name, array in read.items() if name in _inputs()}
        if not arrays:
            raise MissingInputError("no array has a name that a score uses")
        further: dict[str, object] = {
            "kinds": _kinds(given.kinds, columns.get("factors", ())),
            "factor_bins": given.factor_bins,
            **{name: array for name, array in arrays.items() if name not in ("codes", "factors")},
        }
        table = evaluate(
            arrays.get("codes"),
            arrays.get("factors"),
            scores=_scores(given.scores),
            protocol=given.protocol,
            bootstrap=given.bootstrap,
            chance=given.chance,
            repeat_costly=given.repeat_costly,
            seed=given.seed,
            **cast("Further", further),
        )
        text = _written(table, given.form)
        if given.plot:
            _save_plot(table.plot(), given.plot)
    except (ValueError, ModuleNotFoundError, OSError) as error:
        message = str(error) + (_how_to_name(given.files) if isinstance(error, MissingInputError) else "")
        where = (
            ""
            if any(str(path) in message for path in given.files)
            else f"{', '.join(map(str, given.files))}: "
        )
        print(f"infogan-metrics: {where}{message}", file=sys.stderr)
        return 2
    return _print(text.rstrip("\n"))


def _print(text: str) -> int:
    """Write a text to standard output; return 0, or 1 where its reader (`| head`) went away."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python closes the stream once more at its end, and would complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="infogan-metrics",
        description="Score arrays of any program: codes against factors, clusters against labels.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help=".npz, .npy, .csv or .parquet")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="NAME=SOURCE",
        help="the array SOURCE of the file is NAME; for a table, columns separated by commas, or a pattern like z*",
    )
    parser.add_argument(
        "--scores", default="cheap", help="cheap (default), all, or names separated by commas"
    )
    parser.add_argument("--protocol", default="infogan-bench", help=f"one of {', '.join(PROTOCOLS)}")
    parser.add_argument(
        "--bootstrap", type=_count, default=100, help="resamples for the intervals; default 100"
    )
    parser.add_argument(
        "--chance", type=_count, default=10, help="shuffles for the chance levels; default 10"
    )
    parser.add_argument("--repeat-costly", action="store_true", help="intervals of costly scores, too")
    parser.add_argument("--seed", type=_count, default=0)
    parser.add_argument(
        "--kinds",
        metavar="FACTOR=KIND,...",
        help="kinds of factors by column or number, from 0: category, ordered, continuous, circular[:PERIOD]; "
        "one kind alone is that of all factors",
    )
    parser.add_argument(
        "--factor-bins",
        type=_count,
        metavar="N",
        help="cut continuous and circular factors into N bins for the scores that take discrete ones alone",
    )
    form = parser.add_mutually_exclusive_group()
    for name in ("json", "latex", "csv", "markdown"):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, default="text")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.html", help="save a figure of the scores (needs plotly)"
    )
    parser.add_argument("--list", action="store_true", help="list the scores and what each needs")
    parser.add_argument("--version", action="version", version=package_version())
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, but is {text!r}")
    return int(text)


def _inputs() -> set[str]:
    return {name for metric in METRICS.values() for name in metric.inputs}


def _names(pairs: Sequence[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for pair in pairs:
        name, equals, source = pair.partition("=")
        if not (name and equals and source):
            raise ValueError(f"--map {pair}: must be NAME=SOURCE, as in codes=latents")
        if name not in _inputs():
            raise ValueError(
                f"--map {pair}: no score takes `{name}`; there are {', '.join(sorted(_inputs()))}"
            )
        if name in names:
            raise ValueError(f"--map {pair}: `{name}` is given twice")
        names[name] = source
    return names


def _how_to_name(files: Sequence[Path]) -> str:
    """Return the end of a message on a missing array: the option that names it, and the names there are."""
    names = names_in(files)
    there = ", ".join(f"`{name}`" for name in names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f"; name arrays with --map codes=NAME --map factors=NAME (NAME is one of {there})"


def _kinds(text: str | None, columns: Sequence[str]) -> str | dict[str, str] | None:
    """Return kinds by number of the column, where `columns` are the names that a table has for the factors."""
    if text is None or "=" not in text:
        return text
    kinds: dict[str, str] = {}
    for pair in text.split(","):
        name, _, kind = (part.strip() for part in pair.partition("="))
        if not (name and kind):
            raise ValueError(
                f"--kinds {text}: must be FACTOR=KIND,..., as in azimuth=circular:360, or one kind"
            )
        if not name.isdecimal() and name not in columns:
            there = ", ".join(columns) or "none, so use numbers from 0"
            raise ValueError(f"--kinds {text}: no factor is called `{name}`; the names are {there}")
        kinds[str(columns.index(name)) if name in columns else name] = kind
    return kinds


def _scores(text: str) -> str | list[str]:
    return text if text in ("cheap", "all") else [name.strip() for name in text.split(",") if name.strip()]


def _written(table: Table, form: str) -> str:
    writers = {
        "json": table.to_json,
        "latex": table.to_latex,
        "csv": table.to_csv,
        "markdown": table.to_markdown,
    }
    return writers[form]() if form in writers else str(table)


def _save_plot(figure: object, path: Path) -> None:
    if path.suffix != ".html":
        raise ValueError(f"--plot {path}: must end with .html")
    figure.write_html(path)  # type: ignore[attr-defined]  # plotly's, which is not imported here


def _catalogue() -> str:
    width = max(map(len, METRICS))
    lines = [
        f"{metric.name:{width}}  {metric.cost:6}  {metric.direction}  {metric.asks}? ({', '.join(metric.inputs)})"
        for metric in METRICS.values()
    ]
    protocols = [f"{protocol.name:{width}}  {protocol.source}" for protocol in PROTOCOLS.values()]
    return "\n".join([*lines, "", "Protocols (--protocol):", *protocols])


if __name__ == "__main__":
    sys.exit(main())
