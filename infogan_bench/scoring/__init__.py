"""Scores on request: of arrays in a file, or of a checkpoint. What `infogan-bench evaluate` prints."""

from infogan_bench.scoring.arrays import score_arrays
from infogan_bench.scoring.outcome import Outcome, as_json, as_table, metrics_table

__all__ = ["Outcome", "as_json", "as_table", "metrics_table", "score_arrays"]
