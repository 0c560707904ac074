"""Commands that look at trained models: `samples`, `metrics`, `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infogan_bench.cli.application import app
from infogan_bench.cli.options import DataDir
from infogan_bench.errors import InputError

Resamples = Annotated[
    int,
    typer.Option(
        min=0, help="With --codes: number of resamples for a 95% interval of each score; 0: no interval."
    ),
]
FactorBins = Annotated[
    int,
    typer.Option(
        min=0,
        help="Number of bins into which continuous factors are cut, for scores of discrete ones; 0: they are not cut.",
    ),
]


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
    """List the scores: their questions, ranges and directions, the arrays they need, their costs and sources."""
    from infogan_metrics import METRICS

    from infogan_bench.config.catalogue import run_metrics
    from infogan_bench.scoring import metrics_table

    of_runs = [row for row in run_metrics() if row.name not in METRICS]
    typer.echo(metrics_table([*METRICS.values(), *of_runs]))


@app.command(epilog="Example: infogan-bench evaluate --codes codes.npz --score mig --score dci_forest")
def evaluate(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CHECKPOINT|FOLDER]",
            help="A checkpoint, which is scored on the test set of its dataset; or a sweep folder, whose models are "
            "compared with each other, without labels or factors: udr, udr_all, model_centrality.",
        ),
    ] = None,
    codes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Score the arrays in this file (.npz, .csv, .parquet) instead: codes, factors, labels, ...",
        ),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(
            help="A score; may be given several times. Default: all cheap scores for which the inputs exist."
        ),
    ] = None,
    bootstrap: Resamples = 0,
    factor_bins: FactorBins = 0,
    seed: Annotated[int, typer.Option(help="Seed of the latents from which images are generated.")] = 0,
    extension: Annotated[
        list[str] | None,
        typer.Option(help="Module or .py file that registers the checkpoint's architecture or dataset."),
    ] = None,
    data_dir: DataDir = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Score a checkpoint, all models of a sweep, or arrays that any program has written."""
    from infogan_bench.scoring import as_json, as_table, score_arrays

    if bootstrap and codes is None:
        raise InputError("--bootstrap: goes with --codes FILE alone")
    if data_dir is not None and path is None:
        raise InputError("--data-dir: goes with a CHECKPOINT or a FOLDER")
    if codes is not None and path is None:
        outcomes = score_arrays(codes, score or [], n_resamples=bootstrap, factor_bins=factor_bins)
    elif path is not None and codes is None:
        from infogan_bench.extensions import load_extensions

        load_extensions(extension or [])
        if path.is_dir():
            from infogan_bench.scoring.sweep import score_sweep, sweep_json, sweep_table

            found = score_sweep(path, score or [], seed=seed, data_dir=data_dir)
            typer.echo(sweep_json(found) if json_ else sweep_table(found))
            return
        from infogan_bench.scoring.checkpoint import score_checkpoint

        outcomes = score_checkpoint(path, score or [], seed=seed, factor_bins=factor_bins, data_dir=data_dir)
    else:
        raise InputError("give either a CHECKPOINT, the FOLDER of a sweep, or --codes FILE")
    typer.echo(as_json(outcomes, {"scored": str(codes or path)}) if json_ else as_table(outcomes))
