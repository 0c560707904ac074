"""The reasons why a comparison of sweeps is unfair, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from infogan_reports.compared import ABSENT, Compared, flat
from infogan_reports.effects import domain_of, domain_text
from infogan_reports.text import counted, value_text

_SECTIONS = ("dataset", "seeds", "search", "scheduler", "goal", "evaluation")
_VERSIONS = ("infogan_bench", "commit", "torch", "numpy", "scikit-learn", "python")


def cautions(
    sweeps: Sequence[Compared], ranked: Sequence[int], differences: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    """Yield the reasons why the comparison is unfair, the gravest first."""

    def each(values: Sequence[str]) -> str:
        return ", ".join(f"{sweep.letter}: {value}" for sweep, value in zip(sweeps, values, strict=True))

    def differing(key: str) -> str | None:
        return each(differences[key]) if key in differences else None

    if copies := _copies(sweeps):
        yield f"{copies} are copies of one sweep: they have the same sweep_id."
    if values := differing("dataset.name"):
        yield (
            f"They were trained and scored on different datasets ({values}): no score of one can be held against "
            "another's."
        )
    sizes = [_test_images(sweep) for sweep in sweeps]
    if len({size for size in sizes if size}) > 1:
        yield f"Their test sets differ in size ({each([f'{size:,}' if size else ABSENT for size in sizes])} images)."
    elif values := differing("dataset.test_size"):
        yield f"Their test sets differ in size ({values})."
    if values := differing("dataset.train_size"):
        yield f"Their training sets differ in size ({values})."
    yield from _cautions_of_objectives(sweeps)
    if protocols := _protocols_that_differ(sweeps, ranked):
        yield f"The same score was computed in different ways: {protocols}."
    if values := differing("steps"):
        yield f"They were trained for different numbers of steps ({values})."
    elif len({sweep.best.step for sweep in sweeps if sweep.best}) > 1:
        yield f"Their best trials have done different numbers of steps ({each([_steps(sweep) for sweep in sweeps])})."
    if values := differing("scheduler.name"):
        yield f"Trials were stopped early by different rules ({values})."
    if values := differing("seeds"):
        yield f"Their seeds differ ({values}), so that not all can be paired."
    numbers = [len(sweep.ranked) for sweep in sweeps]
    if len(set(numbers)) > 1:
        yield (
            f"They tried different numbers of configurations ({each([f'{n:,} ranked' for n in numbers])}): the best of "
            "more is better by luck alone. See the best so far at the same number."
        )
    for sweep in sweeps:
        if sweep.open:
            yield f"{sweep.letter} has not ended: {counted(sweep.open, 'trial')} had not when this page was made."
        if sweep.best is None:
            yield f"{sweep.letter} has no trial that can be ranked, so it takes part in no comparison of scores."
    if versions := _versions_that_differ(sweeps):
        yield f"They ran with different versions of the software: {versions}."


def _steps(sweep: Compared) -> str:
    return f"{sweep.best.step:,}" if sweep.best else ABSENT


def _copies(sweeps: Sequence[Compared]) -> str:
    letters: dict[str, list[str]] = {}
    for sweep in sweeps:
        if identity := sweep.data.environment.get("sweep_id"):
            letters.setdefault(str(identity), []).append(sweep.letter)
    return "; ".join(" and ".join(same) for same in letters.values() if len(same) > 1)


def _test_images(sweep: Compared) -> int | None:
    """Return the number of test images that scores rest on, where the best trial's files say so."""
    evaluation = sweep.best_files.evaluation if sweep.best_files else None
    if evaluation is None:
        return None
    if evaluation.confusion is not None:
        return sum(map(sum, evaluation.confusion.counts))
    return evaluation.factor_matrix.n if evaluation.factor_matrix else None


def _cautions_of_objectives(sweeps: Sequence[Compared]) -> Iterator[str]:
    directions: dict[str, set[str]] = {}
    for sweep in sweeps:
        directions.setdefault(sweep.data.metric, set()).add(sweep.data.mode)
    for metric, modes in directions.items():
        if len(modes) > 1:
            yield f"{metric} is to be high in one of them and low in another, so no sweep is better in it."
    if len(directions) > 1:
        chosen = ", ".join(
            f"{sweep.letter}: {sweep.data.metric}{_with_supervision(sweep)}" for sweep in sweeps
        )
        yield f"Their best trials were chosen by different objectives ({chosen})."


def _with_supervision(sweep: Compared) -> str:
    uses = sweep.data.uses(sweep.data.metric)
    return f", which uses {uses}" if uses else ""


def _protocols_that_differ(sweeps: Sequence[Compared], ranked: Sequence[int]) -> str:
    """Name the scores whose protocols (samples, bins, estimator) are not those of the first sweep that has them."""
    found: dict[str, dict[str, str]] = {}
    for place in ranked:
        files = sweeps[place].best_files
        evaluation = files.evaluation if files else None
        for name, protocol in evaluation.protocols.items() if evaluation else ():
            words = ", ".join(f"{key} = {value_text(value)}" for key, value in protocol.items())
            found.setdefault(name, {})[sweeps[place].letter] = words
    return "; ".join(
        f"{name} ({'; '.join(f'{letter}: {words}' for letter, words in by_sweep.items())})"
        for name, by_sweep in found.items()
        if len(set(by_sweep.values())) > 1
    )


def _versions_that_differ(sweeps: Sequence[Compared]) -> str:
    def text(sweep: Compared, name: str) -> str:
        value = sweep.data.environment.get(name)
        return ABSENT if value is None else str(value)

    return "; ".join(
        f"{name} ({', '.join(f'{sweep.letter}: {text(sweep, name)}' for sweep in sweeps)})"
        for name in _VERSIONS
        if len({text(sweep, name) for sweep in sweeps}) > 1
    )


def differences(sweeps: Sequence[Compared]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the keys of the resolved sweeps that differ; first those of the base run with its swept keys."""
    tables = [_settings(sweep) for sweep in sweeps]
    for key in dict.fromkeys(key for table in tables for key in table):
        texts = tuple(table.get(key, ABSENT) for table in tables)
        if len(set(texts)) > 1:
            yield key, texts


def _settings(sweep: Compared) -> dict[str, str]:
    config = sweep.data.config
    base = {key: value_text(value) for key, value in sweep.base.items()}
    swept = dict.fromkeys(key for trial in sweep.trials for key in trial.params)
    keys = dict.fromkeys([*map(str, config.get("space") or {}), *swept])
    space = {key: f"swept: {domain_text(domain_of(config, key)) or 'see the sweep'}" for key in keys}
    config = {"goal": config.get("objective"), **config}  # `objective` is the name of `goal` in older folders
    sections = {section: config[section] for section in _SECTIONS if config.get(section) is not None}
    named = {
        section: {"name": value} if isinstance(value, str) else value for section, value in sections.items()
    }
    return base | space | {key: value_text(value) for key, value in flat(named).items()}
