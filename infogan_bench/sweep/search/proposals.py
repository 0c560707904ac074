"""Configurations that a search proposes while a sweep runs, by Optuna's samplers, from the results of ended trials."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from infogan_bench.config import Choice, Domain, SweepConfig
from infogan_bench.records import EarlierTrial, TrialUpdate, trial_id_at
from infogan_bench.sweep.planned_trial import PlannedTrial
from infogan_bench.sweep.search.optuna_private import FIRST_GENERATION
from infogan_bench.sweep.search.samplers import SamplerRequest, make_sampler
from infogan_bench.sweep.search.study_file import NAME, StudyFile

_TRIAL = "trial"  # user attribute: the trial's id in the sweep
_SOURCE = "source"  # user attribute of a trial that this search did not propose: where it is from


class Proposals:
    """The proposals of a search that learns.

    A proposal depends on `search.seed`, on its number and on the results so far, so an interrupted search continues as
    if nothing had happened. The results are in the sweep's record. The study in `optuna.db` adds the trials that were
    proposed and never started, and the state that CMA-ES and NSGA-II keep with their trials.

    Args:
        sweep: the sweep, of an algorithm that learns.
        folder: its folder, for the study's file.
        total: number of trials of the whole sweep.
        record: the last update of every trial that ever started.
        earlier_trials: of an earlier sweep.
    """

    def __init__(
        self,
        sweep: SweepConfig,
        folder: Path,
        total: int,
        record: Mapping[str, TrialUpdate],
        earlier_trials: Sequence[EarlierTrial] = (),
    ) -> None:
        self._search = sweep.search
        self._space = sweep.space
        self._metrics = [goal.metric for goal in sweep.goal.goals]
        self._distributions = {key: _distribution(domain) for key, domain in sweep.space.items()}
        directions = [_DIRECTIONS[goal.mode] for goal in sweep.goal.goals]
        self._storage = optuna.storages.InMemoryStorage()
        self._study = optuna.create_study(storage=self._storage, study_name=sweep.name, directions=directions)
        with _experimental():
            self._study.set_metric_names(self._metrics)
        self._id = self._storage.get_study_id_from_name(sweep.name)
        self._file = StudyFile(folder / NAME, sweep.name, directions)
        self._restore(record, earlier_trials)
        self._file.note(self._storage.get_study_system_attrs(self._id))
        trials = self._study.get_trials(deepcopy=False)
        self._known_trials = [trial for trial in trials if _SOURCE in trial.user_attrs]
        self._numbers = {t.user_attrs[_TRIAL]: t.number for t in trials if _TRIAL in t.user_attrs}
        self._open = {
            name for name, number in self._numbers.items() if trials[number].state.is_finished() is False
        }
        self._ids_left = deque(
            trial_id for trial_id in map(trial_id_at, range(total)) if trial_id not in record
        )

    @property
    def left(self) -> int:
        """The number of trials that may still be proposed."""
        return len(self._ids_left)

    def propose(self) -> PlannedTrial:
        """The next configuration: one that was proposed before an interruption and never started, or a new one."""
        trial_id = self._ids_left.popleft()
        if trial_id not in self._numbers:
            self._ask(trial_id)
        params = self._frozen(trial_id).params
        return PlannedTrial(
            trial_id, {key: _decode(params[key], domain) for key, domain in self._space.items()}
        )

    def observe(self, trial_id: str, update: TrialUpdate | None) -> None:
        """Tell the search that a trial ended. It learns nothing from a trial without a finite value of each goal."""
        if trial_id not in self._open:
            return
        self._open.remove(trial_id)
        values = None if update is None else self._values(update)
        state = TrialState.FAIL if values is None else TrialState.COMPLETE
        self._study.tell(self._numbers[trial_id], values, state)
        self._file.end(self._numbers[trial_id], state, values)

    def close(self, record: Mapping[str, TrialUpdate]) -> None:
        """Take in trials whose end was not observed, for example at the time limit, and close the study's file."""
        for trial in sorted(self._open):
            if trial in record and record[trial].status.ended:
                self.observe(trial, record[trial])
        self._file.close()

    def _ask(self, name: str) -> None:
        with _experimental():
            self._study.sampler = make_sampler(SamplerRequest(self._search, int(name), self._known_trials))
            trial = self._study.ask(self._distributions)
        trial.set_user_attr(_TRIAL, name)
        self._numbers[name] = trial.number
        self._open.add(name)
        self._file.add(self._frozen(name))
        self._file.note(self._storage.get_study_system_attrs(self._id))

    def _frozen(self, name: str) -> FrozenTrial:
        number = self._numbers[name]
        return self._storage.get_trial(
            self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        )

    # From an earlier stretch of the sweep -------------------------------------------------------------

    def _restore(self, record: Mapping[str, TrialUpdate], earlier_trials: Sequence[EarlierTrial]) -> None:
        """Fill the study: from its file, corrected by the record, or else from the record and the earlier trials."""
        stored, attrs = self._file.load()
        if not stored or not all(self._is_ours(trial, record) for trial in stored):
            trials = [
                *(self._earlier(trial) for trial in earlier_trials),
                *(self._recorded(update) for update in record.values()),
            ]
            self._study.add_trials(trials)
            self._file.replace(trials)
            return
        trials = [self._corrected(trial, record) for trial in stored]
        changed = [
            k
            for k, trial in enumerate(trials)
            if trial.state != stored[k].state or trial.values != stored[k].values
        ]
        known = {trial.user_attrs.get(_TRIAL) for trial in stored}
        missing = [self._recorded(update) for name, update in record.items() if name not in known]
        self._study.add_trials([*trials, *missing])
        for key, value in attrs.items():
            self._storage.set_study_system_attr(self._id, key, value)
        if any(
            stored[k].state.is_finished() for k in changed
        ):  # the study knows the end of a trial that the record does not have
            self._file.replace([*trials, *missing])
            return
        for k in changed:
            self._file.end(k, trials[k].state, trials[k].values)
        for trial in missing:
            self._file.add(trial)

    def _is_ours(self, trial: FrozenTrial, record: Mapping[str, TrialUpdate]) -> bool:
        """Say whether a stored trial is of this space, and of the same values as on record."""
        if trial.distributions != self._distributions:
            return False
        update = record.get(trial.user_attrs.get(_TRIAL, ""))
        return update is None or all(
            _decode(trial.params[key], domain) == update.params[key] for key, domain in self._space.items()
        )

    def _corrected(self, trial: FrozenTrial, record: Mapping[str, TrialUpdate]) -> FrozenTrial:
        """A stored trial, corrected by the record; a trial of an earlier sweep is not changed."""
        name = trial.user_attrs.get(_TRIAL)
        if name is None:
            return trial
        corrected = copy.deepcopy(trial)
        corrected.state, values = self._end(record.get(name))
        corrected.values = values
        if not corrected.state.is_finished():
            corrected.datetime_complete = None
        elif corrected.datetime_complete is None:
            corrected.datetime_complete = corrected.datetime_start
        return corrected

    def _recorded(self, update: TrialUpdate) -> FrozenTrial:
        """A trial that is on record alone."""
        state, values = self._end(update)
        attrs = {_TRIAL: update.trial_id, _SOURCE: "the sweep's record"}
        return self._known(update.params, state, values, attrs)

    def _earlier(self, earlier: EarlierTrial) -> FrozenTrial:
        return self._known(earlier.params, TrialState.COMPLETE, earlier.values, {_SOURCE: earlier.source})

    def _known(
        self,
        params: Mapping[str, Any],
        state: TrialState,
        values: Sequence[float] | None,
        attrs: Mapping[str, str],
    ) -> FrozenTrial:
        return create_trial(
            state=state,
            values=values,
            params={key: _encode(params[key], domain) for key, domain in self._space.items()},
            distributions=self._distributions,
            user_attrs=dict(attrs),
            system_attrs=dict(FIRST_GENERATION),
        )

    def _end(self, update: TrialUpdate | None) -> tuple[TrialState, list[float] | None]:
        """The state and the values of a trial by its last record."""
        if update is None or not update.status.ended:
            return TrialState.RUNNING, None
        values = self._values(update)
        return (TrialState.FAIL if values is None else TrialState.COMPLETE), values

    def _values(self, update: TrialUpdate) -> list[float] | None:
        """The means of all goals over the seeds; None if the trial failed or a goal has no finite value."""
        means = [update.mean(metric) for metric in self._metrics]
        values = [mean for mean in means if mean is not None and math.isfinite(mean)]
        return values if len(values) == len(means) and not update.status.bad else None


@contextmanager
def _experimental() -> Iterator[None]:
    """Silence Optuna's warnings that some of its features are experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


_DIRECTIONS = {"max": StudyDirection.MAXIMIZE, "min": StudyDirection.MINIMIZE}


def _distribution(domain: Domain) -> BaseDistribution:
    """Optuna's form of a domain. Categories are scalars there, so lists travel as JSON; quantised and whole
    numbers are counted in ticks."""
    if isinstance(domain, Choice):
        return CategoricalDistribution([_scalar(value) for value in domain.values])
    if domain.ticks is not None:
        return IntDistribution(domain.ticks.start, domain.ticks.stop - 1, log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)


_COMPOUND = "json:"


def _scalar(value: Any) -> Any:
    return _COMPOUND + json.dumps(value) if isinstance(value, list | tuple) else value


def _encode(value: Any, domain: Domain) -> Any:
    if isinstance(domain, Choice):
        return _scalar(value)
    if domain.ticks is not None:
        return round(value / (domain.step or 1))
    return value


def _decode(value: Any, domain: Domain) -> Any:
    if isinstance(domain, Choice):
        compound = isinstance(value, str) and value.startswith(_COMPOUND)
        return json.loads(value.removeprefix(_COMPOUND)) if compound else value
    return domain.rounded(value) if domain.ticks is None else domain.at(value)
