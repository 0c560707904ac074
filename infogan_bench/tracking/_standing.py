"""The ranking of a sweep's trials at its end, in Markdown, and the best model, from the sweep folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infogan_reports import RankedTrial, ranking
from infogan_reports.text import counted, number

from infogan_bench.config.base import recorded_extensions
from infogan_bench.errors import InputError
from infogan_bench.tracking._names import markdown_text, one_line, short_keys, value_text
from infogan_bench.tracking._record import BestModel

if TYPE_CHECKING:
    from infogan_bench.api.sweep import Sweep

MAX_RANKED = 500  # trials whose runs get their rank; each takes a call to the store
_ROWS = 10
_COLUMNS = 12
_IN_A_CELL = 20  # characters of a value


@dataclass(frozen=True)
class Standing:
    """All trials, the best first, and the model of the best one, None where there is none."""

    metric: str
    trials: Sequence[RankedTrial]
    best: BestModel | None


def read_standing(folder: Path) -> Standing:
    """Read it from a sweep folder.

    Raises:
        InputError: if the folder cannot be read.
    """
    from infogan_bench.api.sweep import Sweep  # imported here, since it imports torch

    sweep = Sweep.load(folder)
    trials = ranking(sweep.data)
    return Standing(sweep.metric, trials, _best_model(sweep, trials))


def _best_model(sweep: Sweep, trials: Sequence[RankedTrial]) -> BestModel | None:
    try:
        place = sweep.best_place()
    except InputError:  # no trial is ranked
        return None
    checkpoint = sweep.checkpoint(place.trial, place.seed)
    if not checkpoint.is_file():
        return None
    extensions = recorded_extensions(sweep.data.config, sweep.data.environment, sweep.data.folder)
    return BestModel(place.trial, place.seed, trials[0].step, checkpoint, extensions)


def standing_text(standing: Standing) -> str:
    """The best trial and a table of the ten best ones in Markdown; empty where none is ranked."""
    ranked = [trial for trial in standing.trials if trial.rank is not None]
    if not ranked:
        return ""
    best = ranked[0]
    metric = markdown_text(one_line(standing.metric))
    keys = short_keys(best.params)
    swept = [markdown_text(one_line(key)) for key in _first(keys.values())]
    header = ["rank", "trial", metric, "seeds", "status", *swept]
    rows = [
        [str(trial.rank), trial.trial_id, _score(trial), str(trial.n_seeds), trial.status,
         *(_cell(trial.params.get(key)) for key in _first(keys))]
        for trial in ranked[:_ROWS]
    ]  # fmt: skip
    lines = [header, ["---"] * len(header), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    more = f"\n\nand {counted(len(ranked) - _ROWS, 'more trial')}" if len(ranked) > _ROWS else ""
    answer = f"**Best trial: {best.trial_id}**, {metric} {_score(best)} over {counted(best.n_seeds, 'seed')}"
    return f"{answer}\n\n{table}{more}"


def _first(keys: Iterable[str]) -> list[str]:
    return list(keys)[:_COLUMNS]


def _cell(value: object) -> str:
    return markdown_text(one_line(value_text(value, _IN_A_CELL)))


def _score(trial: RankedTrial) -> str:
    spread = "" if trial.std is None else f" ± {number(trial.std)}"
    return "-" if trial.mean is None else number(trial.mean) + spread
