"""`optuna.db`: a search's study as Optuna's own tools read it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from optuna.exceptions import OptunaError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from infogan_bench.sweep.search.optuna_private import add_at_once

log = logging.getLogger(__name__)

NAME = "optuna.db"
_PATIENCE_SECONDS = 30.0  # to wait for another program that reads the file


class StudyFile:
    """A study in an SQLite file. The search works on its own copy in memory, so a trial costs two transactions: when it
    is proposed, and when it ends.

    The file is not part of the record. If it cannot be read or written, a line is logged and the sweep continues.

    Args:
        path: the file; it need not be there.
        name: of the study.
        directions: of its goals.
    """

    def __init__(self, path: Path, name: str, directions: Sequence[StudyDirection]) -> None:
        self._path = path
        self._name = name
        self._directions = list(directions)
        self._storage: RDBStorage | None = None
        self._study = -1
        self._ids: list[int] = []
        self._attrs: dict[str, object] = {}

    def load(self) -> tuple[list[FrozenTrial], dict[str, object]]:
        """The trials in order, and the samplers' notes on the study; nothing if there is no such study."""
        with self._usable():
            if self._path.is_file():
                self._open()
                assert self._storage is not None  # noqa: S101
                if self._storage.get_study_directions(self._study) == self._directions:
                    trials = self._storage.get_all_trials(self._study)
                    self._ids = [
                        self._storage.get_trial_id_from_study_id_trial_number(self._study, trial.number)
                        for trial in trials
                    ]
                    self._attrs = self._storage.get_study_system_attrs(self._study)
                    return trials, dict(self._attrs)
        return [], {}

    def replace(self, trials: Sequence[FrozenTrial]) -> None:
        """Replace the file by one with these trials, in one transaction (see `add_at_once`)."""
        self.close()
        self._ids, self._attrs = [], {}
        with self._usable():
            self._path.unlink(missing_ok=True)
            self._open()
            assert self._storage is not None  # noqa: S101
            self._ids = add_at_once(self._storage, self._study, trials)

    def add(self, trial: FrozenTrial) -> None:
        """Append a trial with all that is known of it."""
        with self._usable():
            if self._storage is not None:
                self._ids.append(self._storage.create_new_trial(self._study, template_trial=trial))

    def end(self, number: int, state: TrialState, values: Sequence[float] | None) -> None:
        """Record how the trial at a place in the study ended."""
        with self._usable():
            if self._storage is not None:
                self._storage.set_trial_state_values(self._ids[number], state, values)

    def note(self, attrs: Mapping[str, object]) -> None:
        """Record what is new in the samplers' notes on the study."""
        with self._usable():
            for key, value in attrs.items():
                if self._storage is not None and self._attrs.get(key) != value:
                    self._storage.set_study_system_attr(self._study, key, value)
                    self._attrs[key] = value

    def close(self) -> None:
        """Close the file."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = None

    def _open(self) -> None:
        self._storage = RDBStorage(f"sqlite:///{self._path}", engine_kwargs={"creator": self._connect})
        try:
            self._study = self._storage.get_study_id_from_name(self._name)
        except KeyError:
            self._study = self._storage.create_new_study(self._directions, self._name)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_PATIENCE_SECONDS, check_same_thread=False)
        connection.execute("PRAGMA synchronous = OFF")  # after a crash of the machine the file is made anew
        return connection

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OptunaError, SQLAlchemyError, OSError) as error:
            log.warning("%s is given up, which the sweep does not need: %s", self._path, error)
            self.close()
