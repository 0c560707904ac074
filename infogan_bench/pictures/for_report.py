"""Pictures of a sweep's best trials that the report needs and the trials did not draw.

Modules that need torch are imported only to draw. Often all pictures exist, and without torch a report takes half the
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from infogan_reports import load, ranking
from infogan_reports.explorer import MAX_EXPLORERS

from infogan_bench.config.base import recorded_data_dir, recorded_extensions
from infogan_bench.errors import InputError
from infogan_bench.extensions import load_extensions
from infogan_bench.records import SweepPaths, is_file_name

_LEAST_STEPS = 100  # before this step, images say nothing about the codes


def write_report_pictures(folder: Path) -> list[str]:
    """Write the missing pictures of a report: latent explorers of the best trials, and the best trial's gallery.

    They are drawn from the checkpoint of a trial's first seed, so trials that were stopped early have them as well. A
    trial of less than a hundred steps gets none.

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
    for row, trial in enumerate(ranking(data)[:MAX_EXPLORERS]):
        seed = data.trials.loc[data.trials["trial"] == trial.trial_id, "seed"].iloc[0]
        if trial.rank is None or trial.step < _LEAST_STEPS or not is_file_name(trial.trial_id):
            continue
        place = SweepPaths(folder).trial(trial.trial_id).seed(int(seed)).folder
        checkpoint = place / "checkpoint.safetensors"
        for what, draw in _missing(place, data_dir, best=row == 0) if checkpoint.is_file() else ():
            try:
                draw(checkpoint, place)
            except (InputError, OSError) as error:
                problems.append(f"no {what} of trial {trial.trial_id}: {error}")
    return problems


def _missing(
    place: Path, data_dir: str | None, *, best: bool
) -> Iterator[tuple[str, Callable[[Path, Path], None]]]:
    """Yield the name of each missing picture of a seed that a report shows, with the function that draws it."""
    if not (place / "explorer.webp").is_file():
        yield "explorer", _draw_explorer
    if best and not (place / "categories.png").is_file():
        yield "test images by category", partial(_draw_gallery, data_dir)


def _draw_explorer(checkpoint: Path, place: Path) -> None:
    from infogan_bench.pictures.explorer import write_explorer
    from infogan_bench.training import load_checkpoint, restore_model

    write_explorer(restore_model(load_checkpoint(checkpoint)), place)


def _draw_gallery(data_dir: str | None, checkpoint: Path, place: Path) -> None:
    from infogan_bench.datasets import load_dataset
    from infogan_bench.datasets.moved import at_folder
    from infogan_bench.pictures.gallery import write_gallery
    from infogan_bench.scoring.evaluation import evaluate
    from infogan_bench.training import load_checkpoint, restore_model

    read = load_checkpoint(checkpoint)
    model = restore_model(read)
    if model.codes.scored is not None:
        dataset = load_dataset(at_folder(read.dataset, data_dir))
        write_gallery(model, dataset, evaluate(model, dataset, ()), place)
