"""The command line: arguments to calls, exceptions to messages and exit codes.

0 done, 1 the work failed, 2 the input was wrong, 3 some trials failed, 128 + n stopped by signal n. Everything
heavy is imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import infogan_bench
from infogan_bench.errors import InputError

if TYPE_CHECKING:
    from infogan_bench.config import SweepConfig
    from infogan_bench.records.results import SweepListener, TrialUpdate
    from infogan_bench.sweep import Outcome

app = typer.Typer(
    name="infogan-bench",
    help="Sweep InfoGAN and measure what its latent codes disentangle.",
    epilog="Example: infogan-bench sweep sweeps/quick.yaml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

SweepFile = Annotated[
    str, typer.Argument(metavar="FILE", help="A sweep file, or the name of one that ships.")
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A sweep folder, such as runs/mnist.")]
Address = Annotated[
    str | None,
    typer.Option(help="HOST:PORT of a running Ray cluster; default: RAY_ADDRESS, else this machine."),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Where checkpoints lie while trials run, within reach of every node: a folder, or a URI such as "
        "s3://bucket/prefix; default: the sweep's `storage`, else its folder.",
    ),
]
ShipCode = Annotated[
    bool,
    typer.Option(
        "--ship-code", help="Bring this installation's code to the workers, which need not have it installed."
    ),
]
AllowFailures = Annotated[
    bool, typer.Option("--allow-failures", help="Exit with 0 although some trials failed.")
]


@app.command(epilog="Example: infogan-bench sweep sweeps/mnist.yaml")
def sweep(
    file: SweepFile,
    address: Address = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="An earlier sweep's folder, whose finished trials the search learns from; as search.warm_start.",
        ),
    ] = None,
    storage: Storage = None,
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
    storage: Storage = None,
    ship_code: ShipCode = False,
    allow_failures: AllowFailures = False,
) -> None:
    """Finish what is left of a sweep that was stopped; what has ended is not run again."""
    from infogan_bench.config import load_resolved

    config = load_resolved(_sweep_file(folder))
    from infogan_bench.sweep import SweepFolder, resume

    earlier = SweepFolder.open(folder).updates.values()
    listeners = [_progress(config, earlier)]
    outcome = resume(folder, address=address, storage=storage, ship_code=ship_code, listeners=listeners)
    _finish(outcome, allow_failures)


@app.command(epilog="Example: infogan-bench validate sweeps/mnist.yaml")
def validate(file: SweepFile) -> None:
    """Say whether a sweep file holds, and how many trials it makes."""
    from infogan_bench.config import describe, load_sweep, plan

    config = load_sweep(file)
    typer.echo(describe(config, plan(config)))


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
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --output.")] = False,
) -> None:
    """Train one configuration here and now, without Ray and MLflow."""
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
    from infogan_bench.trial import TrialSpec, pick_device, run_trial

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


@app.command(epilog="Example: infogan-bench rerun runs/mnist 0003")
def rerun(
    folder: Folder,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="The id of a trial that has ended.")],
    seed: Annotated[int | None, typer.Option(help="One of its seeds; default: all.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for what is trained; default: it is not kept.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or auto; default: what the trial ran on.")
    ] = None,
) -> None:
    """Train a trial of a sweep again, without Ray, and say whether it gives the same numbers bit for bit."""
    from infogan_bench.sweep.rerun import comparison_text, difference_text, rerun

    compared = rerun(
        folder,
        trial,
        seed=seed,
        output=output,
        device=device,
        told=lambda update: typer.echo(update.line(), err=True),
    )
    typer.echo(comparison_text(compared))
    if compared.first_difference is not None:
        typer.echo(f"error: {difference_text(compared.first_difference, compared)}", err=True)
        raise typer.Exit(1)


@app.command(epilog="Example: infogan-bench report runs/mnist --open")
def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="A sweep folder; two or more are compared side by side."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="Where to write it; default: FOLDER/report.html, of several ./comparison.html."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Make the HTML report of a sweep, finished or still running, or compare several sweeps in one."""
    from infogan_reports import ReportError, build_comparison, build_report

    from infogan_bench.pictures.for_report import write_report_pictures

    try:
        if len(folders) > 1:
            path = build_comparison(folders, output)
        else:
            for problem in write_report_pictures(folders[0]):
                typer.echo(f"warning: {problem}", err=True)
            path = build_report(folders[0], output)
    except ReportError as error:
        raise InputError(str(error)) from None
    typer.echo(path)
    if open_:
        typer.launch(path.resolve().as_uri())


@app.command(epilog="Example: infogan-bench ui runs/mnist")
def ui(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="A sweep folder; default: the default store.")
    ] = None,
    port: Annotated[int, typer.Option(help="The next free one is taken if this is in use.")] = 5000,
) -> None:
    """Open MLflow's UI on the store of a sweep, on this machine alone (127.0.0.1)."""
    from infogan_bench.config import load_resolved, read_yaml
    from infogan_bench.tracking import open_ui, resolve_uri, ui_command, view_path

    if folder is None:
        open_ui(None, port)
        return
    config = load_resolved(_sweep_file(folder))
    sweep_id = read_yaml(_sweep_file(folder)).tree["environment"]["sweep_id"]
    ui_command(config.tracking.uri, port)  # refuses a store that is not there, before MLflow would make one
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
    """Send MLflow what it lacks of a sweep: what a server that was away missed, or all of it to another store."""
    from infogan_bench.sweep.track import track

    delivery = track(folder, uri)
    if delivery.warning:
        typer.echo(f"error: {delivery.warning}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{delivery.uri}: has all of {delivery.trials} trial(s)")


@app.command(epilog="Example: infogan-bench samples runs/mnist/trials/0003/seed-0/checkpoint.safetensors")
def samples(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A checkpoint.safetensors.")],
    output: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("samples"),
    seed: Annotated[int, typer.Option(help="Seed of the noise.")] = 0,
    extension: Annotated[
        list[str] | None,
        typer.Option(help="Module or .py file that registers the checkpoint's architecture."),
    ] = None,
) -> None:
    """Draw samples, a traversal of every code and the explorer's sheet from a checkpoint."""
    from infogan_bench.extensions import load_extensions
    from infogan_bench.pictures.explorer import write_explorer
    from infogan_bench.pictures.samples import write_pictures
    from infogan_bench.training import load_checkpoint, restore_model

    load_extensions(extension or [])
    model = restore_model(load_checkpoint(checkpoint))
    output.mkdir(parents=True, exist_ok=True)
    write_pictures(model, output, seed=seed)
    write_explorer(model, output, seed=seed)
    for picture in sorted((*output.glob("*.png"), *output.glob("*.webp"))):
        typer.echo(picture)


@app.command(epilog="Example: infogan-bench metrics")
def metrics() -> None:
    """List all scores: what each asks, its range and direction, the arrays it needs, its cost and source."""
    from infogan_metrics import METRICS

    from infogan_bench.scoring import metrics_table

    typer.echo(metrics_table(list(METRICS.values())))


@app.command(epilog="Example: infogan-bench evaluate --codes codes.npz --score mig --score dci_forest")
def evaluate(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CHECKPOINT|FOLDER]",
            help="Score a checkpoint on its dataset's test set, or the models of a sweep by each other, which "
            "takes neither labels nor factors: udr, udr_all, model_centrality.",
        ),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Score the arrays in this .npz file instead: codes, factors, labels, ..."
        ),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(help="A score; may be given several times. Default: all that are at hand and cheap."),
    ] = None,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="With --codes: resamples for a 95% interval of each score; 0: none.")
    ] = 0,
    factor_bins: Annotated[
        int, typer.Option(min=0, help="With --codes: bins that continuous factors are cut into; 0: none.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the latents that images are generated from.")] = 0,
    extension: Annotated[
        list[str] | None,
        typer.Option(help="Module or .py file that registers the checkpoint's architecture or dataset."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score a checkpoint, all models of a sweep, or arrays that any program has written."""
    from infogan_bench.scoring import as_json, as_table, score_arrays

    if bootstrap and codes is None:
        raise InputError("--bootstrap: goes with --codes FILE alone")
    if codes is not None and path is None:
        outcomes = score_arrays(codes, score or [], n_resamples=bootstrap, factor_bins=factor_bins)
    elif path is not None and codes is None:
        from infogan_bench.extensions import load_extensions

        load_extensions(extension or [])
        if path.is_dir():
            from infogan_bench.scoring.sweep import score_sweep, sweep_json, sweep_table

            found = score_sweep(path, score or [], seed=seed)
            typer.echo(sweep_json(found) if json_ else sweep_table(found))
            return
        from infogan_bench.scoring.checkpoint import score_checkpoint

        outcomes = score_checkpoint(path, score or [], seed=seed)
    else:
        raise InputError("give either a CHECKPOINT, the FOLDER of a sweep, or --codes FILE")
    typer.echo(as_json(outcomes, {"scored": str(codes or path)}) if json_ else as_table(outcomes))


def _version(asked: bool) -> None:
    if asked:
        typer.echo(infogan_bench.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of `infogan-bench`."""
    try:
        app()
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader (`| head`) went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _progress(sweep: SweepConfig, earlier: Iterable[TrialUpdate] = ()) -> SweepListener:
    from infogan_bench.sweep.progress import Progress

    goal = sweep.goal
    stops = sweep.scheduler.name not in ("none", "pbt")
    return Progress(goal.metric, goal.mode, sweep.base.steps, earlier=tuple(earlier), early_stopping=stops)


def _finish(outcome: Outcome, allow_failures: bool) -> None:
    """Print what a sweep found and where it lies, and exit with the code that fits."""
    from infogan_bench.sweep.summary import summary

    typer.echo(summary(outcome))
    for warning in outcome.warnings:
        typer.echo(f"warning: {warning}", err=True)
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


def _sweep_file(folder: Path) -> Path:
    file = folder / "sweep.yaml"
    if not file.is_file():
        raise InputError(f"{folder}: no sweep folder (there is no sweep.yaml in it)")
    return file
