"""The login of a tracking store, which no file keeps: taken from the environment again."""

from __future__ import annotations

import os

from infogan_bench.errors import InputError
from infogan_bench.secrets import HIDDEN, hide_secrets

TRACKING_URI = "MLFLOW_TRACKING_URI"
_LOGINS = (("MLFLOW_TRACKING_TOKEN",), ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"))


def with_secrets_of_the_environment(uri: str) -> str:
    """Return a tracking URI that `hide_secrets` was applied to with its secrets again.

    They come from MLFLOW_TRACKING_URI where that is the same URI; a web address may also do without its login, which
    MLflow then takes from MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.

    Raises:
        InputError: if the environment has none of it.
    """
    if hide_secrets(uri) != uri or HIDDEN not in uri:
        return uri
    whole = os.environ.get(TRACKING_URI, "")
    if hide_secrets(whole) == uri:
        return whole
    bare = uri.replace(f"{HIDDEN}@", "", 1)
    takes_login = uri.lower().startswith(("http://", "https://")) and HIDDEN not in bare
    if takes_login and any(all(os.environ.get(name) for name in names) for names in _LOGINS):
        return bare
    others = "; or MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    raise InputError(
        f"tracking.uri: the secret in `{uri}` is not kept in files: set {TRACKING_URI} to the whole URI"
        f"{others if takes_login else ''}"
    )
