"""Commands that show what a sweep found: `report`, `ui`, `track`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infogan_bench.cli.application import app
from infogan_bench.cli.options import Folder, sweep_file
from infogan_bench.errors import InputError
from infogan_bench.secrets import hide_secrets


@app.command(epilog="Example: infogan-bench report runs/mnist --open")
def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="A sweep folder; two or more are compared side by side."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="The file to write; default: FOLDER/report.html, or ./comparison.html for several sweeps."
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the report in the browser.")] = False,
) -> None:
    """Make the HTML report of a sweep, finished or still running, or compare several sweeps in one."""
    from infogan_reports import ReportError, build_comparison, build_report

    from infogan_bench.config.quantities import run_quantities
    from infogan_bench.pictures.for_report import write_report_pictures

    try:
        if len(folders) > 1:
            path = build_comparison(folders, output, run_quantities())
        else:
            for problem in write_report_pictures(folders[0]):
                typer.echo(f"warning: {problem}", err=True)
            path = build_report(folders[0], output, run_quantities())
    except ReportError as error:
        raise InputError(str(error)) from None
    typer.echo(path)
    if open_:
        typer.launch(path.resolve().as_uri())


@app.command(epilog="Example: infogan-bench ui runs/mnist")
def ui(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FOLDER]", help="A sweep folder, whose store is shown; without it, the default store."
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="The port; if it is in use, the next free one is taken.")] = 5000,
) -> None:
    """Open MLflow's UI on the store of a sweep, on this machine alone (127.0.0.1)."""
    from infogan_bench.config import load_resolved, read_yaml
    from infogan_bench.tracking import open_ui, resolve_uri, served_store, view_path

    if folder is None:
        open_ui(None, port)
        return
    config = load_resolved(sweep_file(folder))
    sweep_id = read_yaml(sweep_file(folder)).tree["environment"]["sweep_id"]
    served_store(config.tracking.uri)  # refuses a missing store, which MLflow would create
    experiment = config.tracking.experiment or config.name
    page = view_path(resolve_uri(config.tracking.uri), experiment, sweep_id)
    open_ui(config.tracking.uri, port, page=page or "")


@app.command(epilog="Example: infogan-bench track runs/mnist --uri http://mlflow.example:5000")
def track(
    folder: Folder,
    uri: Annotated[
        str | None, typer.Option(help="A store, in place of the one that the sweep names.")
    ] = None,
) -> None:
    """Send MLflow the parts of a sweep that it does not have: what a server missed, or the whole sweep."""
    from infogan_bench.sweep.track import track

    delivery = track(folder, uri)
    if delivery.warning:
        typer.echo(f"error: {hide_secrets(delivery.warning)}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{hide_secrets(delivery.uri)}: has all of {delivery.trials} trial(s)")
