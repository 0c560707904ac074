"""MLflow beside the sweep: a parent run for the sweep, a child run for each trial.

Written from the driver alone, by one thread that the sweep never waits for. `mlflow` is imported when a
tracker is used, not when this package is.
"""

from infogan_bench.tracking._names import legal_key, value_text
from infogan_bench.tracking._store import check_store, import_mlflow, resolve_uri
from infogan_bench.tracking._sweep import TrackedSweep
from infogan_bench.tracking._tracker import MlflowTracker
from infogan_bench.tracking._ui import free_port, open_ui, served_store, server_environment, ui_command
from infogan_bench.tracking._views import view_path

__all__ = [
    "MlflowTracker",
    "TrackedSweep",
    "check_store",
    "free_port",
    "import_mlflow",
    "legal_key",
    "open_ui",
    "resolve_uri",
    "served_store",
    "server_environment",
    "ui_command",
    "value_text",
    "view_path",
]
