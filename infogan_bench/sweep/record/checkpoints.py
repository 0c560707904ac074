"""Checkpoints on their way between the sweep folder and the checkpoint store: they are found, moved and fetched."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from infogan_bench.config import RunConfig, SweepConfig
from infogan_bench.errors import InputError
from infogan_bench.records import Mutation, TrialPaths, read_trial, recover_folder, write_trial
from infogan_bench.sweep.record.checkpoint_store import CheckpointStore
from infogan_bench.sweep.record.folder import SweepFolder


def newest_checkpoint(
    folder: SweepFolder, store: CheckpointStore, trial_id: str, warnings: list[str]
) -> str | None:
    """The path on the store of a trial's newest whole checkpoint; of the one before it, with a warning, if it was cut
    short. None if there is none.
    """
    own = folder.trial_folder(trial_id)
    recover_folder(own)  # repairs what a driver left that was killed while it fetched
    if own.is_dir():  # the trial had ended, but the driver died before it recorded that
        store.add(trial_id, own)
    for path in store.saved(trial_id):
        with store.at_hand(path) as place:
            try:
                require_whole(place)
            except InputError as error:
                what = str(error).replace(str(place), path)
                warnings.append(
                    f"trial {trial_id} goes on from an earlier checkpoint, or from the start: {what}"
                )
            else:
                folder.take_history(trial_id, place)
                return path
    return None


def moved_store(folder: SweepFolder, sweep: SweepConfig) -> CheckpointStore:
    """The checkpoint store that `sweep` names, with all that lies in the one that it named when it ran last.

    Raises:
        InputError: if the checkpoints cannot be read there, or written here.
    """
    store, was = folder.checkpoint_store(sweep.storage), folder.as_run
    if was is not None and was.storage != sweep.storage:
        try:
            store.take_over(folder.checkpoint_store(was.storage))
        except OSError as error:
            before = was.storage or folder.path
            raise InputError(
                f"storage: the checkpoints cannot be brought from {before} to {store.place}: {error}"
            ) from None
    return store


def fetch_left(folder: SweepFolder, store: CheckpointStore) -> str | None:
    """Fetch the files of ended trials that could not be fetched when they ended; a warning if they still cannot."""
    try:
        for trial_id in sorted(store.trials()):
            update = folder.last(trial_id)
            recover_folder(folder.trial_folder(trial_id))
            if update is not None and update.status.ended and not folder.trial_folder(trial_id).is_dir():
                for path in store.saved(trial_id):
                    with store.at_hand(path) as place, suppress(InputError):
                        require_whole(place)
                        folder.keep(trial_id, store, path)
                        break
    except OSError as error:
        return f"checkpoints and pictures of ended trials lie in {store.place} still; `resume` fetches them: {error}"
    return None


def require_whole(folder: Path) -> None:
    """Raise InputError if the save in `folder` is incomplete."""
    from infogan_bench.training import (
        load_checkpoint,
    )  # torch, which the process of a packed trial does without

    for seed in read_trial(folder).seeds:
        load_checkpoint(TrialPaths(folder).seed(seed).checkpoint)


def exploit(own: Path, donor: Path, target: Path, mutation: Mutation, run: RunConfig) -> None:
    """Write to `target` a trial that continues from the networks of another trial.

    Args:
        own: the save of the trial itself, whose curves and scores it keeps.
        donor: the save of the other trial at the same step.
        target: the new folder; it appears whole.
        mutation: the source of the trial's new state, and the values with which it continues.
        run: the trial's run with these values.
    """
    record = read_trial(own)
    record = replace(record, mutations=(*record.mutations, mutation), run=run.model_dump(mode="json"))
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        new = Path(scratch) / "new"
        shutil.copytree(donor, new)
        write_trial(new, record)
        new.rename(target)
