"""Commands about data sets: `data list`, `data show`, `data fetch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infogan_bench.cli.application import app
from infogan_bench.errors import InputError

data = typer.Typer(
    name="data",
    help="List the data sets, show their images, and fetch them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(data)

DataFolder = Annotated[
    Path, typer.Option("--data-dir", help="The folder that holds data sets' files, as torchvision lays them.")
]
Extensions = Annotated[
    list[str] | None,
    typer.Option("--extension", help="Module or .py file that registers data sets of your own."),
]


@data.command(name="list", epilog="Example: infogan-bench data list --data-dir data")
def list_(
    data_dir: DataFolder = Path("data"),
    extension: Extensions = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the data sets: their images, labels or factors, their cost, which are here and what is missing."""
    from infogan_bench.datasets.listing import list_datasets, listing_json, listing_table
    from infogan_bench.extensions import load_extensions

    load_extensions(extension or [])
    listed = list_datasets(data_dir)
    typer.echo(listing_json(listed) if json_ else listing_table(listed))


@data.command(epilog="Example: infogan-bench data show sprites --out sprites.png")
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME|FILE", help="A data set, or a sweep file whose `dataset` is shown."),
    ],
    out: Annotated[Path | None, typer.Option(help="The PNG to write; default: NAME.png.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="The folder of its files; default: data, or the sweep file's.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of `dataset`, such as options.size=64."),
    ] = None,
    extension: Extensions = None,
) -> None:
    """Draw a contact sheet of test images: a row for each class, or for each factor in the order of its values."""
    from infogan_bench.datasets import load_dataset
    from infogan_bench.datasets.shown import heading, shown_dataset
    from infogan_bench.extensions import load_extensions
    from infogan_bench.pictures.contact_sheet import write_contact_sheet

    load_extensions(extension or [])
    config = shown_dataset(name, data_dir, set_ or [])
    dataset = load_dataset(config)
    path = out or Path(f"{config.name}.png")
    if path.suffix.lower() != ".png":
        raise InputError(f"--out: {path}: the picture is a PNG; name it {path.with_suffix('.png').name}")
    try:
        write_contact_sheet(dataset, heading(dataset), path)
    except OSError as error:
        raise InputError(f"--out: {path}: cannot be written: {error.strerror or error}") from None
    typer.echo(path)


@data.command(epilog="Example: infogan-bench data fetch svhn --data-dir data")
def fetch(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="svhn, celeba, mnist, fashion-mnist or kmnist.")
    ],
    data_dir: DataFolder = Path("data"),
    extra: Annotated[bool, typer.Option("--extra", help="svhn: the 531,131 extra images as well.")] = False,
) -> None:
    """Fetch a published data set by torchvision's downloads: whole and checked, or not at all."""
    from infogan_bench.datasets.fetch import fetch_dataset

    if extra and name != "svhn":
        raise InputError("--extra: goes with svhn alone")
    fetched = fetch_dataset(name, data_dir, extra=extra)
    for path in fetched:
        typer.echo(path)
    if not fetched:
        typer.echo(f"{data_dir}: has all files of {name} already")
    typer.echo(f"In a sweep file: `dataset: {{name: {name}, data_dir: {data_dir}}}`", err=True)
