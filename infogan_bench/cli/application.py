"""The application that all commands belong to, and its entry point."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import infogan_bench
from infogan_bench.cli.streams import lossy_streams, output_fault, stream_faults
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

_PRINTING = ("metrics", "evaluate", "validate", "rerun", "data")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(infogan_bench.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run `infogan-bench`; this is its entry point."""
    with lossy_streams():
        try:
            app()
        except SystemExit as left:
            fault = None if left.code else output_fault()
            if fault is None or not _prints(sys.argv[1:]):
                raise
            if not isinstance(fault, BrokenPipeError):  # its reader (such as `| head`) ended on purpose
                typer.echo(f"error: {stream_faults()[0]}", err=True)
            sys.exit(1)
        except InputError as error:
            typer.echo(f"error: {hide_secrets(str(error))}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            sys.exit(130)


def _prints(arguments: list[str]) -> bool:
    """Say whether what a command does is what it prints, so that without standard output it has done nothing."""
    command = next((each for each in arguments if not each.startswith("-")), None)
    return command is None or command in _PRINTING or "--help" in arguments
