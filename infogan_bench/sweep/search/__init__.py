"""The searches that learn: Optuna's samplers, the study, the trials of an earlier sweep; and searches of one's own."""

from infogan_bench.config.searches import Search, register_search

__all__ = ["Search", "register_search"]
