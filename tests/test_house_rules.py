"""The most lines of a file and a function, the most parameters, and the words that docstrings do not begin with."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("infogan_bench", "metrics/infogan_metrics", "reports/infogan_reports")
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 8
POOR_BEGINNINGS = {"What", "One", "Whether", "How", "Those", "These", "It", "Where"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module


@cache
def sources() -> list[tuple[str, str, list[ast.AST]]]:
    """The place, the text and the nodes of each source file."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text()
            found.append((str(path.relative_to(ROOT)), text, list(ast.walk(ast.parse(text)))))
    return found


def functions() -> Iterator[tuple[str, Function]]:
    for place, _, nodes in sources():
        yield from (
            (f"{place}:{node.lineno} {node.name}", node) for node in nodes if isinstance(node, Function)
        )


def n_parameters(function: Function) -> int:
    given = function.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def is_kernel(function: Function) -> bool:
    """A kernel in Triton takes the numbers of a launch one by one."""
    return any(ast.unparse(decorator) == "triton.jit" for decorator in function.decorator_list)


def test_no_file_has_more_than_400_lines() -> None:
    lengths = {place: len(text.splitlines()) for place, text, _ in sources()}
    assert len(lengths) > 200
    assert {place: n for place, n in lengths.items() if n > MOST_LINES_OF_A_FILE} == {}


def test_no_function_has_more_than_60_lines() -> None:
    lengths = {place: (function.end_lineno or 0) - function.lineno + 1 for place, function in functions()}
    assert {place: n for place, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def test_no_function_outside_the_command_line_has_more_than_8_parameters() -> None:
    counts = {
        place: n_parameters(function)
        for place, function in functions()
        if not place.startswith("infogan_bench/cli/") and not is_kernel(function)
    }
    assert {place: n for place, n in counts.items() if n > MOST_PARAMETERS} == {}


def test_docstrings_begin_with_a_noun_or_a_verb() -> None:
    poor = []
    for place, _, nodes in sources():
        for node in nodes:
            words = (ast.get_docstring(node) or "").split() if isinstance(node, Documented) else []
            if words and words[0] in POOR_BEGINNINGS:
                poor.append(f"{place}:{getattr(node, 'lineno', 1)} {' '.join(words[:8])}")
    assert poor == []


ANY_DICTS = {
    "infogan_bench/config/yaml_file.py": (1, "PyYAML: the table of a loader's implicit resolvers"),
    "infogan_bench/datasets/sharing.py": (2, "pickle: the state of an object"),
    "infogan_bench/networks/layers.py": (1, "torch: keyword arguments of __torch_function__"),
    "infogan_bench/sweep/engine/callback.py": (1, "Ray Tune: Callback.on_trial_result"),
    "infogan_bench/sweep/engine/hyperband.py": (1, "Ray Tune: TrialScheduler.on_trial_result"),
    "infogan_bench/sweep/engine/pbt.py": (1, "Ray Tune: TrialScheduler.on_trial_result"),
    "infogan_bench/sweep/engine/searcher.py": (
        3,
        "Ray Tune: Searcher.suggest, on_trial_result, on_trial_complete",
    ),
    "infogan_bench/sweep/engine/trainable.py": (3, "Ray Tune: Trainable.setup, reset_config, step"),
    "infogan_bench/tracking/_views.py": (1, "MLflow: the state of a page, as JSON"),
    "infogan_bench/training/batched.py": (1, "torch: keyword arguments of __torch_function__"),
    "metrics/infogan_metrics/samples.py": (
        1,
        "numpy: arrays of any type, by the names of a score's parameters",
    ),
    "reports/infogan_reports/figures.py": (1, "Plotly: a figure as JSON"),
}
"""{file: (times, the library that asks for `dict[str, Any]`)}. Records of our own have types."""


def test_only_a_library_asks_for_dicts_of_anything() -> None:
    counts = {place: len(re.findall(r"\b[Dd]ict\[str, Any\]", text)) for place, text, _ in sources()}
    assert {place: n for place, n in counts.items() if n > ANY_DICTS.get(place, (0, ""))[0]} == {}


def test_no_two_public_classes_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert len(places) > 200
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
