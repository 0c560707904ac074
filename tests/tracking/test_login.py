"""The login of a tracking store: in no file, and in the environment where it is needed."""

from __future__ import annotations

import pytest

from infogan_bench.errors import InputError
from infogan_bench.secrets import hide_secrets
from infogan_bench.tracking._login import with_secrets_of_the_environment

LOGINS = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
)


@pytest.fixture(autouse=True)
def _no_login(monkeypatch):
    for name in LOGINS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "uri", ["sqlite:///mlflow.db", "http://host:5000", "http://me:s3cret@host", "databricks"]
)
def test_a_uri_without_a_hidden_secret_stays(uri):
    assert with_secrets_of_the_environment(uri) == uri


def test_a_hidden_secret_comes_back_from_the_same_uri_alone(monkeypatch):
    whole = "postgresql://me:s3cret@db/mlflow"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", whole)
    assert with_secrets_of_the_environment(hide_secrets(whole)) == whole
    with pytest.raises(
        InputError, match=r"`postgresql://me:\*\*\*@other/x` is not kept .* set MLFLOW_TRACKING_URI"
    ):
        with_secrets_of_the_environment("postgresql://me:***@other/x")


@pytest.mark.parametrize("names", [LOGINS[1:2], LOGINS[2:]])
def test_a_web_address_does_without_its_login_where_the_environment_has_it(monkeypatch, names):
    with pytest.raises(InputError, match="MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME"):
        with_secrets_of_the_environment("https://***@host/x")
    for name in names:
        monkeypatch.setenv(name, "s3cret")
    assert with_secrets_of_the_environment("https://***@host/x") == "https://host/x"
    with pytest.raises(
        InputError, match=r"set MLFLOW_TRACKING_URI to the whole URI$"
    ):  # no login stands for it
        with_secrets_of_the_environment("https://***@host/x?token=***")
