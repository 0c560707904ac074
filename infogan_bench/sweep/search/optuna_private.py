"""The private parts of Optuna that this project uses, with the reason and what breaks without them.

`tests/test_private_parts.py` holds the list, and fails where a version of Optuna takes one away; the upper bound in
pyproject.toml keeps such a version out until then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from optuna.distributions import distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial
from sqlalchemy.orm import Session

FIRST_GENERATION = {"NSGAIISampler:generation": 0}
"""NSGA-II's own mark of a generation. It breeds from trials that have one alone: without the mark, the trials of an
earlier sweep, and those that are on record alone, would teach it nothing."""


def add_at_once(storage: RDBStorage, study: int, trials: Sequence[FrozenTrial]) -> list[int]:
    """Write trials without intermediate values into an empty study, in one transaction, by the rows of Optuna's own
    database.

    Its public `create_new_trial` takes a transaction and more a trial, ever longer: 2,000 trials of 5 parameters took
    163 s, where this takes a second. A search that begins from an earlier sweep would stand still for as long.

    Returns:
        Optuna's ids of the trials.
    """
    rows = [_row(study, number, trial) for number, trial in enumerate(trials)]
    with Session(storage.engine) as session:
        session.add_all(rows)
        session.flush()
        ids = [row.trial_id for row in rows]
        session.commit()
    return ids


def _row(study: int, number: int, trial: FrozenTrial) -> models.TrialModel:
    """A trial as Optuna keeps it, with the rows that belong to it."""
    values = [models.TrialValueModel.value_to_stored_repr(value) for value in trial.values or ()]
    return models.TrialModel(
        study_id=study,
        number=number,
        state=trial.state,
        datetime_start=trial.datetime_start,
        datetime_complete=trial.datetime_complete,
        values=[
            models.TrialValueModel(objective=place, value=value, value_type=kind)
            for place, (value, kind) in enumerate(values)
        ],
        params=[
            models.TrialParamModel(
                param_name=name,
                param_value=trial.distributions[name].to_internal_repr(value),
                distribution_json=distribution_to_json(trial.distributions[name]),
            )
            for name, value in trial.params.items()
        ],
        user_attributes=[
            models.TrialUserAttributeModel(key=key, value_json=json.dumps(value))
            for key, value in trial.user_attrs.items()
        ],
        system_attributes=[
            models.TrialSystemAttributeModel(key=key, value_json=json.dumps(value))
            for key, value in trial.system_attrs.items()
        ],
    )
