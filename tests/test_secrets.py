"""Passwords and tokens in URIs are hidden, whatever characters they have, and nothing else is."""

from __future__ import annotations

import pytest

from infogan_bench.secrets import hide_secrets, hide_secrets_in


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:s3cret@host:5000/x", "https://***@host:5000/x"),
        ("https://s3cret@host", "https://***@host"),
        ("https://me:s3/cr@et@host/x", "https://***@host/x"),
        ("http://host:5000?token=s3cret&a=1", "http://host:5000?token=***&a=1"),
        ("postgresql://me:s3cret@db/mlflow", "postgresql://me:***@db/mlflow"),
        ("postgresql+psycopg2://me:s3/c@ret@db:5432/mlflow", "postgresql+psycopg2://me:***@db:5432/mlflow"),
        ("mysql://me@db/mlflow?ssl_password=s3cret", "mysql://me@db/mlflow?ssl_password=***"),
        ("mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3Ds3cret", "mssql+pyodbc:///?odbc_connect=***"),
        ("s3://id:s3cret@bucket/prefix", "s3://id:***@bucket/prefix"),
        ("https://me:s3'cr?et#x@host/x", "https://***@host/x"),
        ("https://host/x?mail=me@work&token=s3cret", "https://host/x?mail=me@work&token=***"),
        ("https://me:s3cret@host?token=s3cret", "https://***@host?token=***"),
    ],
)
def test_secrets_are_hidden(uri: str, shown: str) -> None:
    assert hide_secrets(uri) == shown
    assert hide_secrets(f"cannot reach `{uri}`: refused") == f"cannot reach `{shown}`: refused"
    assert hide_secrets(shown) == shown


@pytest.mark.parametrize(
    "uri",
    ["sqlite:///mlflow.db", "sqlite:////home/me@work/mlflow.db?timeout=5", "http://host:5000", "postgresql://db/x",
     "databricks", "s3://bucket/prefix?region=eu"],
)  # fmt: skip
def test_uris_without_a_secret_stay(uri: str) -> None:
    assert hide_secrets(uri) == uri


def test_secrets_are_hidden_in_every_value_of_a_tree() -> None:
    tree = {"a": ["http://t0ken@host", 1, None], "b": {"c": ("x", "http://t0ken@host")}}
    assert hide_secrets_in(tree) == {"a": ["http://***@host", 1, None], "b": {"c": ("x", "http://***@host")}}
