"""Which trials of a sweep can train together, as one stack (`infogan_bench.pack`), as far as its file tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from infogan_bench.config.errors import count
from infogan_bench.config.params import OWN_TO_A_REPLICA, Params, apply, structure_of
from infogan_bench.config.run import RunConfig
from infogan_bench.config.space import canonical
from infogan_bench.config.sweep_config import SweepConfig


@dataclass(frozen=True)
class Packing:
    """Which trials can train together: those of one structure (`structure_of`).

    Attributes:
        obstacle: why none can; None if some can.
        planned: {structure: number of planned trials}; None if the search decides while the sweep runs.
        trials: the number of all planned trials.
    """

    obstacle: str | None = None
    planned: Mapping[str, int] | None = None
    trials: int = 0

    def fits(self, run: RunConfig) -> bool:
        """Say whether a trial may find others to train with."""
        if self.obstacle is not None or not _stackable(run):
            return False
        return self.planned is None or self.planned.get(structure_of(run), 0) > 1

    @property
    def text(self) -> str:
        """The packing in words."""
        if self.obstacle is not None:
            return f"no trials: {self.obstacle}"
        if self.planned is None:
            return "trials of one structure as one stack, as many as run at once"
        stacks = [number for number in self.planned.values() if number > 1]
        apart = self.trials - sum(stacks)
        where = "one stack" if len(stacks) == 1 else f"{len(stacks)} stacks"
        text = f"{count(sum(stacks), 'trial')} in {where}, as many as run at once"
        return f"{text}; {count(apart, 'trial')} apart" if apart else text


def packing_of(sweep: SweepConfig, assignments: Sequence[Params] | None) -> Packing:
    """Find which trials can train together.

    Args:
        sweep: the sweep.
        assignments: the parameters of its planned trials; None if the search decides while the sweep runs.
    """
    if sweep.resources.trials_together == "apart":
        return Packing("trials_together is apart")
    if sweep.seeds_together == "one-by-one":
        return Packing("seeds_together is one-by-one")
    if assignments is None:
        return Packing(_obstacle(sweep))
    if len(assignments) < 2:
        return Packing("there is one")
    alike = {_structural(params): params for params in assignments}
    runs = {values: apply(sweep.base, params) for values, params in alike.items()}
    structures = {values: structure_of(run) for values, run in runs.items() if _stackable(run)}
    planned = Counter(structures[values] for values in map(_structural, assignments) if values in structures)
    if not planned:
        return Packing("`objective.r1` cannot be stacked")
    if max(planned.values()) < 2:
        return Packing("no two have one structure")
    return Packing(planned=planned, trials=len(assignments))


def _structural(params: Params) -> Hashable:
    """A key that is equal for parameters whose runs have one structure. It is found without making the runs, of which
    there may be 100,000."""
    return canonical([bool(value) if key in OWN_TO_A_REPLICA else value for key, value in params.items()])


def _obstacle(sweep: SweepConfig) -> str | None:
    """The reason why no two trials of a search that learns will have one structure; None if some may."""
    if sweep.base.objective.r1 and "objective.r1" not in sweep.space:
        return "`objective.r1` cannot be stacked"
    endless = [
        key for key, domain in sweep.space.items() if key not in OWN_TO_A_REPLICA and domain.size is None
    ]
    return f"`{endless[0]}` is another in each" if endless else None


def _stackable(run: RunConfig) -> bool:
    return not run.objective.r1
