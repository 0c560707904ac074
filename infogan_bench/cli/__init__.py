"""The command line: it turns arguments into calls, and exceptions into messages and exit codes.

0 done, 1 the work failed, 2 the input was wrong, 3 some trials failed, 128 + n stopped by signal n. Everything
heavy is imported inside the commands, so that `--help` answers at once. Each module holds a group of commands and
registers them with the application when it is imported; the order here is that of `--help`.
"""

# isort: off
from infogan_bench.cli.application import app, main
from infogan_bench.cli import sweeps as sweeps, training as training  # registers the commands
from infogan_bench.cli import reporting as reporting, scoring as scoring
from infogan_bench.cli import data as data

__all__ = ["app", "main"]
