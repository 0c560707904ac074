"""Commands that run sweeps: `sweep`, `resume`, `validate`, `rerun`."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infogan_bench.cli.application import app
from infogan_bench.cli.options import (
    Address,
    AllowFailures,
    CheckpointPlace,
    Folder,
    ShipCode,
    SweepFile,
    sweep_file,
)
from infogan_bench.cli.streams import stream_faults
from infogan_bench.secrets import hide_secrets

if TYPE_CHECKING:
    from infogan_bench.config import SweepConfig
    from infogan_bench.records import SweepListener, TrialUpdate
    from infogan_bench.sweep import SweepOutcome

log = logging.getLogger(__name__)


@app.command(epilog="Example: infogan-bench sweep sweeps/mnist.yaml")
def sweep(
    file: SweepFile,
    address: Address = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="The folder of an earlier sweep: the search learns from its finished trials (search.warm_start).",
        ),
    ] = None,
    storage: CheckpointPlace = None,
    ship_code: ShipCode = False,
    allow_failures: AllowFailures = False,
) -> None:
    """Run a sweep: train, score, track and report every trial of FILE."""
    from infogan_bench.config import load_sweep, plan

    config = load_sweep(file)
    if from_ is not None:
        search = config.search.model_copy(update={"warm_start": from_})
        config = config.model_copy(update={"search": search})
    plan(config)
    from infogan_bench.sweep import read_warm_start, start

    earlier = read_warm_start(config)
    if earlier is not None:
        typer.echo(earlier.notice, err=True)
    outcome = start(
        config, address=address, storage=storage, ship_code=ship_code, listeners=[_progress(config)]
    )
    _finish(outcome, allow_failures)


@app.command(epilog="Example: infogan-bench resume runs/mnist")
def resume(
    folder: Folder,
    address: Address = None,
    storage: CheckpointPlace = None,
    ship_code: ShipCode = False,
    allow_failures: AllowFailures = False,
) -> None:
    """Finish a sweep that was stopped; trials that have ended are not run again."""
    from infogan_bench.config import load_resolved

    config = load_resolved(sweep_file(folder))
    from infogan_bench.sweep import SweepFolder, resume

    earlier = SweepFolder.open(folder).updates.values()
    listeners = [_progress(config, earlier)]
    outcome = resume(folder, address=address, storage=storage, ship_code=ship_code, listeners=listeners)
    _finish(outcome, allow_failures)


@app.command(epilog="Example: infogan-bench validate sweeps/mnist.yaml")
def validate(file: SweepFile) -> None:
    """Check a sweep file and count its trials."""
    from infogan_bench.config import describe, load_sweep, plan
    from infogan_bench.tracking import check_store, resolve_uri

    config = load_sweep(file)
    if config.tracking.enabled:
        check_store(resolve_uri(config.tracking.uri))
    typer.echo(describe(config, plan(config)))


@app.command(epilog="Example: infogan-bench rerun runs/mnist 0003")
def rerun(
    folder: Folder,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="The id of a trial that has ended.")],
    seed: Annotated[int | None, typer.Option(help="One of its seeds; default: all.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder that keeps the trained trial; default: it is not kept.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or auto; default: the device on which the trial ran.")
    ] = None,
) -> None:
    """Train a trial of a sweep again, without Ray, and compare its numbers with the record.

    On a CPU they are the same bit for bit; on a GPU the last bits differ from run to run.
    """
    from infogan_bench.sweep.rerun import comparison_text, difference_text, rerun

    compared = rerun(
        folder,
        trial,
        seed=seed,
        output=output,
        device=device,
        on_report=lambda update: typer.echo(update.line(), err=True),
    )
    typer.echo(comparison_text(compared))
    if compared.first_difference is not None:
        typer.echo(f"error: {difference_text(compared.first_difference, compared)}", err=True)
        raise typer.Exit(1)


def _progress(sweep: SweepConfig, earlier: Iterable[TrialUpdate] = ()) -> SweepListener:
    from infogan_bench.config.schedulers import find_scheduler
    from infogan_bench.sweep.progress import ProgressDisplay

    goal = sweep.goal
    return ProgressDisplay(
        goal.metric,
        goal.mode,
        sweep.base.steps,
        earlier=tuple(earlier),
        early_stopping=find_scheduler(sweep.scheduler).stops,
        time_limit=sweep.search.time_limit,
    )


def _finish(outcome: SweepOutcome, allow_failures: bool) -> None:
    """Print the results of a sweep and their place, and exit with the right code."""
    from infogan_bench.sweep.logs import logging_to
    from infogan_bench.sweep.summary import summary

    typer.echo(summary(outcome))
    if faults := stream_faults():
        with logging_to(outcome.folder / "sweep.log"):
            for fault in faults:
                log.warning(fault)
    for warning in outcome.warnings:
        typer.echo(f"warning: {hide_secrets(warning)}", err=True)
    if outcome.signal:
        typer.echo(f"stopped; go on with: infogan-bench resume {shlex.quote(str(outcome.folder))}", err=True)
    if outcome.fault:
        typer.echo(f"error: {outcome.fault}", err=True)
        raise typer.Exit(outcome.exit_code())
    if outcome.first_error:
        typer.echo(f"error: {outcome.first_error}; all of it is in {outcome.folder / 'sweep.log'}", err=True)
    code = outcome.exit_code(allow_failures=allow_failures)
    if code:
        raise typer.Exit(code)
