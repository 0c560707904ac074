"""The command `train`, which trains one configuration in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infogan_bench.cli.application import app
from infogan_bench.errors import InputError


@app.command(
    epilog="Example: infogan-bench train sweeps/mnist.yaml --set architecture.width=0.25 --set steps=500 --seed 1"
)
def train(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="A sweep file whose base run is trained; default: the paper's run."
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="In place of FILE: a sweep that ships, mnist or another."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a dotted key of the base run."),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed; may be given several times. Default: 0.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder for checkpoint, pictures and scores.")] = Path(
        "runs/train"
    ),
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue from the checkpoint in --output.")
    ] = False,
) -> None:
    """Train one configuration in this process, without Ray and MLflow."""
    from infogan_bench.config import apply, load_shipped, load_sweep, parse_settings, parse_sweep

    if file and preset is not None:
        raise InputError("--preset: give either FILE or a preset")
    if preset is not None:
        config = load_shipped(preset)
    elif file:
        config = load_sweep(file)
    else:
        config = parse_sweep({"name": "train"})
    params = parse_settings(set_ or [])
    run = apply(config.base, params)
    from infogan_bench.extensions import load_extensions
    from infogan_bench.records.results import Status
    from infogan_bench.training.device import pick_device
    from infogan_bench.trial import TrialSpec, run_trial

    load_extensions(config.extensions)
    seeds = tuple(dict.fromkeys(seed or [0]))
    spec = TrialSpec("train", params, run, config.dataset, config.evaluation, seeds, config.seeds_together)
    update = None
    try:
        for update in run_trial(spec, output, pick_device(device), go_on=resume):
            typer.echo(update.line())
    except KeyboardInterrupt:
        typer.echo(f"stopped; the same command with --resume goes on from {output}", err=True)
        raise typer.Exit(130) from None
    if update is not None and update.status is Status.DIVERGED:
        typer.echo(f"error: {update.error}; the last finite checkpoint is kept in {output}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{output}: checkpoint, pictures and scores of {len(seeds)} seed(s)")
