"""Functions that rows name by their place, so that a configuration can be read without importing Ray or Optuna."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def imported(maker: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that "MODULE:FUNCTION" names; return a function as it is."""
    if not isinstance(maker, str):
        return maker
    module, _, name = maker.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
