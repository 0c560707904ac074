"""Arguments and options that several commands have, and the folder of a sweep that some of them are given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infogan_bench.errors import InputError

SweepFile = Annotated[
    str, typer.Argument(metavar="FILE", help="A sweep file, or the name of one that ships.")
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A sweep folder, such as runs/mnist.")]
Address = Annotated[
    str | None,
    typer.Option(help="HOST:PORT of a running Ray cluster; default: RAY_ADDRESS, else this machine."),
]
CheckpointPlace = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Place of checkpoints while trials run, which every node must reach: a folder, or a URI such as "
        "s3://bucket/prefix; default: the sweep's `storage`, else its folder.",
    ),
]
ShipCode = Annotated[
    bool,
    typer.Option(
        "--ship-code",
        help="Send this installation's code to the workers, so that it need not be installed there.",
    ),
]
AllowFailures = Annotated[
    bool, typer.Option("--allow-failures", help="Exit with code 0 even if some trials failed.")
]

DataDir = Annotated[
    Path | None,
    typer.Option(help="The folder of the dataset, if it has moved since the models were trained."),
]


def sweep_file(folder: Path) -> Path:
    """Return the sweep.yaml of a sweep folder.

    Raises:
        InputError: if there is none.
    """
    file = folder / "sweep.yaml"
    if not file.is_file():
        raise InputError(f"{folder}: no sweep folder (there is no sweep.yaml in it)")
    return file
