"""Ray: the cluster with its nodes and cards, the process that trains a trial, the schedulers, and Tune's loop."""

import os
from pathlib import Path

try:
    Path.home()
except RuntimeError:  # a user without a name, and no HOME
    os.environ["HOME"] = (
        "/"  # as containers have it: Ray asks for a home when it is imported, and writes nothing there
    )
