"""Pictures of a sweep's best trials that the report needs and the trials did not draw.

Modules that need torch are imported only to draw. Often all pictures exist, and without torch a report takes half the
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from infogan_reports import load, ranking
from infogan_reports.explorer import MAX_EXPLORERS, MAX_GENERATORS

from infogan_bench.config.base import recorded_data_dir, recorded_extensions
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.records import RecordError, SeedPaths, SweepPaths, is_file_name, read_explorer_record

_LEAST_STEPS = 100  # before this step, images say nothing about the codes
_NO_ROOM = f"the page holds at most {MAX_GENERATORS / 1e6:.0f} MB of generators"


def write_report_pictures(folder: Path) -> list[str]:
    """Write what a report needs and the trials did not write: G of the best trials, and the best trial's gallery.

    Where the page cannot run a G, a sheet of pictures is drawn instead. All of it comes from the checkpoint of a
    trial's first seed, so trials that were stopped early have it as well. A trial of less than a hundred steps gets
    none.

    Returns:
        The reason for each picture that could not be made.
    Raises:
        ReportError: if `folder` is no sweep folder.
    """
    data = load(folder)
    problems = []
    try:
        load_extensions(
            recorded_extensions(data.config, data.environment, data.folder)
        )  # they may add sections to the report
    except InputError as error:
        problems.append(str(error))
    data_dir = recorded_data_dir(data.config, data.environment, folder)
    room = MAX_GENERATORS
    for row, trial in enumerate(ranking(data)[:MAX_EXPLORERS]):
        seed = data.trials.loc[data.trials["trial"] == trial.trial_id, "seed"].iloc[0]
        if trial.rank is None or trial.step < _LEAST_STEPS or not is_file_name(trial.trial_id):
            continue
        place = SweepPaths(folder).trial(trial.trial_id).seed(int(seed))
        for what, draw in (
            _missing(place, data_dir, room, best=row == 0) if place.checkpoint.is_file() else ()
        ):
            try:
                draw(place)
            except (InputError, OSError) as error:
                problems.append(f"no {what} of trial {trial.trial_id}: {error}")
        room -= _generator_size(place) if _generator_size(place) <= room else 0
    return problems


def _missing(
    place: SeedPaths, data_dir: str | None, room: int, *, best: bool
) -> Iterator[tuple[str, Callable[[SeedPaths], None]]]:
    """Yield the name of each missing picture of a seed that a report shows, with the function that draws it.

    Args:
        place: of the seed.
        data_dir: of the dataset.
        room: bytes that the page still has for generators.
        best: whether the seed is that of the best trial.
    """
    if not place.generator.is_file() and not _known_reason(place):
        yield "explorer", partial(_write_explorer, room)
    elif room < _generator_size(place) and not place.explorer_sheet.is_file():
        yield "explorer", partial(_draw_explorer, _NO_ROOM)
    if best and not place.gallery_sheet.is_file():
        yield "test images by category", partial(_draw_gallery, data_dir)


def _known_reason(place: SeedPaths) -> str:
    """The reason why a seed has a sheet of pictures and no generator; empty if it is not known."""
    if not (place.explorer.is_file() and place.explorer_sheet.is_file()):
        return ""
    try:
        return read_explorer_record(place.folder).reason
    except RecordError:  # the report names the damaged file
        return "damaged"


def _generator_size(place: SeedPaths) -> int:
    """The size of a seed's generator in bytes; 0 where there is none."""
    return place.generator_weights.stat().st_size if place.generator_weights.is_file() else 0


def _write_explorer(room: int, place: SeedPaths) -> None:
    """Write G for the page; a sheet of its pictures where the page cannot run it, or has no room for it."""
    from infogan_bench.pictures.generator import CannotRunError, write_generator
    from infogan_bench.training import load_checkpoint, restore_model

    try:
        write_generator(restore_model(load_checkpoint(place.checkpoint)), place.folder)
    except CannotRunError as error:
        _draw_explorer(str(error), place)
    else:
        if _generator_size(place) > room:
            _draw_explorer(_NO_ROOM, place)


def _draw_explorer(reason: str, place: SeedPaths) -> None:
    from infogan_bench.pictures.explorer import write_explorer
    from infogan_bench.training import load_checkpoint, restore_model

    write_explorer(restore_model(load_checkpoint(place.checkpoint)), place.folder, reason=reason)


def _draw_gallery(data_dir: str | None, place: SeedPaths) -> None:
    from infogan_bench.datasets import load_dataset
    from infogan_bench.datasets.moved import at_folder
    from infogan_bench.pictures.gallery import write_gallery
    from infogan_bench.scoring.evaluation import evaluate
    from infogan_bench.training import load_checkpoint, restore_model

    read = load_checkpoint(place.checkpoint)
    model = restore_model(read)
    if model.codes.scored is not None:
        dataset = load_dataset(at_folder(read.dataset, data_dir))
        write_gallery(dataset, evaluate(model, dataset, ()), place.folder)
