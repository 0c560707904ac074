"""The application that all commands belong to, and its entry point."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

import infogan_bench
from infogan_bench.errors import InputError
from infogan_bench.secrets import hide_secrets

app = typer.Typer(
    name="infogan-bench",
    help="Sweep InfoGAN and measure what its latent codes disentangle.",
    epilog="Example: infogan-bench sweep sweeps/quick.yaml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
        typer.echo(f"error: {hide_secrets(str(error))}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader (`| head`) went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
