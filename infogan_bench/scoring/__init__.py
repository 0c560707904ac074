"""Scores of a trained model, of a checkpoint, or of arrays in a file. Importing this loads no torch."""

from infogan_bench.config.catalogue import register_score
from infogan_bench.scoring.arrays import score_arrays
from infogan_bench.scoring.outcome import ScoreOutcome, as_json, as_table, metrics_table

__all__ = ["ScoreOutcome", "as_json", "as_table", "metrics_table", "register_score", "score_arrays"]
