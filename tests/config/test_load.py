"""Sweep files: what they may say, and how each fault reads."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infogan_bench.config import (
    Choice,
    CodesConfig,
    ConfigError,
    Range,
    RunConfig,
    SweepConfig,
    apply,
    load_shipped,
    load_sweep,
    parse_settings,
    parse_sweep,
    plan,
    read_yaml,
    resolved_yaml,
    run_keys,
    shipped_sweeps,
)
from infogan_bench.config.space import KINDS

EVERYTHING = """\
name: a sweep
dataset: {name: mnist, train_size: 1000}
base:
  codes: {categorical: 10, uniform: 1}
  optimiser: {lr_g: 1e-3}
  steps: 1e3
space:
  objective:
    lambda_cat: {loguniform: [1e-2, 1e1]}
  codes.categorical: {choice: [[10], [10, 10]]}
  batch:
    - 64
    - 128
seeds: [3, 5]
search: {algorithm: random, trials: 4, time_limit: 25m, seed: 7}
scheduler: asha
goal: {metric: L_I/cat_0}
evaluation: {every: 100, scores: nmi}
resources: {cpus: 2, gpus: 0.5, custom: {big: 1}}
tracking: sqlite:///runs.db
output: results
"""


def _tracking(value: object) -> object:
    return parse_sweep({"name": "x", "tracking": value}).tracking


def _message(**tree: object) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_sweep({"name": "x", **tree})
    return str(caught.value)


# What is read ---------------------------------------------------------------------------------------------


def test_a_file_that_says_everything(load) -> None:
    sweep = load(EVERYTHING)
    assert sweep.base.optimiser.lr_g == 0.001
    assert (sweep.base.steps, type(sweep.base.steps)) == (1000, int)
    assert sweep.base.codes.categorical == (10,)
    assert sweep.space == {
        "objective.lambda_cat": Range(0.01, 10.0, log=True),
        "codes.categorical": Choice(([10], [10, 10])),
        "batch": Choice((64, 128)),
    }
    assert sweep.seeds == (3, 5)
    assert sweep.search.time_limit == 25 * 60
    assert sweep.scheduler.name == "asha"
    assert sweep.evaluation.scores == ("nmi",)
    assert sweep.resources.gpus == 0.5
    assert sweep.tracking.uri == "sqlite:///runs.db"


def test_a_name_is_all_that_is_needed(load) -> None:
    sweep = load("name: least\n")
    assert sweep.base == RunConfig()
    assert (sweep.dataset.name, sweep.seeds, sweep.output) == ("mnist", (0,), "runs")


def test_exponents_without_a_dot_are_numbers_everywhere(load) -> None:
    sweep = load(
        """\
        name: x
        base: {optimiser: {lr_g: 1e-3}}
        space:
          objective.lambda_cat: [1e-1, 0.1, 1E+0]
          optimiser.lr_d: {loguniform: [1e-5, 1e-2]}
        search: {algorithm: random, trials: 2}
        """
    )
    assert sweep.base.optimiser.lr_g == 0.001
    assert sweep.space["objective.lambda_cat"] == Choice((0.1, 1.0))
    assert sweep.space["optimiser.lr_d"] == Range(1e-5, 1e-2, log=True)
    stored = yaml.safe_load(resolved_yaml(sweep))  # a reader that follows YAML 1.1
    assert stored["base"]["optimiser"]["lr_g"] == 0.001
    assert stored["space"]["optimiser.lr_d"] == {"loguniform": [1e-5, 0.01]}


def test_dotted_and_nested_keys_of_the_space_mean_the_same(load) -> None:
    dotted = load("name: x\nspace:\n  objective.lambda_cat: [0, 1]\n  optimiser.lr_g: {grid: [1e-3, 1e-4]}\n")
    nested = load(
        "name: x\nspace:\n  objective: {lambda_cat: [0, 1]}\n  optimiser: {lr_g: {grid: [1e-3, 1e-4]}}\n"
    )
    assert dotted == nested


def test_a_merged_base_may_be_overridden(load) -> None:
    sweep = load(
        """\
        name: x
        base:
          optimiser: &adam {lr_g: 1e-3, lr_d: 1e-4}
        environment: {<<: *adam, lr_g: 2}
        """
    )
    assert sweep.base.optimiser.lr_d == 1e-4


def test_values_are_stored_as_the_run_has_them(load) -> None:
    sweep = load(
        """\
        name: x
        space:
          codes.categorical: [10, [10], [1e1, 10]]
          steps: [1e3, 1000]
          batch: {quniform: [60, 130, 32]}
        """
    )
    assert sweep.space["codes.categorical"] == Choice(([10], [10, 10]))
    assert sweep.space["steps"] == Choice((1000,))
    assert sweep.space["batch"] == Range(60, 130, integer=True, step=32)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("25m", 1500), ("2h", 7200), ("1.5h", 5400), ("0.5", 0.5)]
)
def test_time_limits_in_seconds_minutes_and_hours(load, text, seconds) -> None:
    assert load(f"name: x\nsearch: {{time_limit: {text}}}\n").search.time_limit == seconds


@pytest.mark.parametrize(("text", "seeds"), [("3", (0, 1, 2)), ("1e1", tuple(range(10))), ("[7, 0]", (7, 0))])
def test_seeds_as_a_number_or_a_list(load, text, seeds) -> None:
    assert load(f"name: x\nseeds: {text}\n").seeds == seeds


def test_tracking_forms() -> None:
    assert _tracking("none") == _tracking({"enabled": False})
    assert _tracking("http://host:5000") == _tracking({"uri": "http://host:5000"})


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("lambda-sweep_1.2", "lambda-sweep_1.2"),
        ("</script><script>alert(1)</script>", "script-script-alert-1-script"),
        ("../../x", "x"),
        ("..", "sweep"),
        ("a..b", "a.b"),
        ("λ", "sweep"),
        ("café 🎉", "cafe"),
        (".hidden", "hidden"),
        ("=HYPERLINK(...)", "HYPERLINK"),
        ("a" * 100, "a" * 80),
        ("a" * 79 + "/b", "a" * 79),
    ],
)
def test_any_printable_name_has_a_safe_folder(name, slug) -> None:
    assert parse_sweep({"name": name}).slug == slug


def test_grace_is_a_quarter_of_the_steps_unless_it_is_given() -> None:
    default = parse_sweep({"name": "x", "scheduler": "asha"}).scheduler
    assert [default.grace_steps(steps) for steps in (5000, 7, 1)] == [1250, 1, 1]
    assert parse_sweep({"name": "x", "scheduler": {"grace": 300}}).scheduler.grace_steps(5000) == 300


def test_names_of_codes() -> None:
    codes = CodesConfig(categorical=(10, 2), uniform=1, gaussian=1)
    assert codes.names == ("cat_0", "cat_1", "uniform_0", "gaussian_0")


# What is written ------------------------------------------------------------------------------------------


def test_the_resolved_file_loads_back_equal(load, tmp_path) -> None:
    sweep = load(EVERYTHING)
    path = tmp_path / "resolved.yaml"
    path.write_text(resolved_yaml(sweep, {"torch": "2.9", "commit": "1e10", "cpus": 4}), encoding="utf-8")
    assert load_sweep(path) == sweep
    assert read_yaml(path).tree["environment"] == {"torch": "2.9", "commit": "1e10", "cpus": 4}
    assert list(load_sweep(path).space) == list(sweep.space)
    assert plan(load_sweep(path)).assignments == plan(sweep).assignments


def test_a_swept_default_is_not_written_as_if_it_had_been_given(load, write) -> None:
    sweep = load("name: x\nspace: {batch: [64, 128]}\n")
    assert "batch" not in yaml.safe_load(resolved_yaml(sweep))["base"]
    assert plan(load(resolved_yaml(sweep))).notices == ()
    given = load("name: x\nbase: {batch: 32}\nspace: {batch: [64, 128]}\n")
    assert load(resolved_yaml(given)) == given


# What is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            "base: {optimiser: {lr_g: '1e-3'}}",
            "base.optimiser.lr_g: expected a number, got '1e-3'; remove the quotes",
        ),
        ("base: {optimiser: {lr_g: abc}}", "base.optimiser.lr_g: expected a number, got 'abc'"),
        ("base: {optimiser: {lr_g: .nan}}", "base.optimiser.lr_g: expected a finite number, got nan"),
        ("base: {optimiser: {lr_g: -1}}", "base.optimiser.lr_g: must be greater than 0, got -1"),
        ("base: {optimiser: {lr_g: true}}", "base.optimiser.lr_g: expected a number, got true"),
        ("base: {optimiser: {lr_g: }}", "base.optimiser.lr_g: expected a number, got nothing"),
        ("base: {optimiser: {beta1: 1}}", "base.optimiser.beta1: must be less than 1, got 1"),
        ("base: {objective: {fixed_std: no}}", "base.objective.fixed_std: expected true or false, got 'no'"),
        ("base: {objective: {fixed_std: 1}}", "base.objective.fixed_std: expected true or false, got 1"),
        (
            "base: {objective: {lamda_cat: 1}}",
            "base.objective.lamda_cat: unknown key; did you mean `lambda_cat`?",
        ),
        ("base: {lr_g: 1}", "base.lr_g: unknown key; did you mean `base.optimiser.lr_g`?"),
        (
            "goal: {lambda_cat: 1}",
            "goal.lambda_cat: unknown key; did you mean `base.objective.lambda_cat`?",
        ),
        ("trials: 3", "trials: unknown key; did you mean `search.trials`?"),
        ("seed: 3", "seed: unknown key; did you mean `seeds` or `search.seed`?"),
        (
            "base: {codes.noise: 3}",
            "base.codes.noise: unknown key; write it nested: `base: {codes: {noise: ...}}`",
        ),
        ("base: {batch: 1}", "base.batch: must be at least 2, got 1"),
        ("base: {batch: 1.5}", "base.batch: expected a whole number, got 1.5"),
        ("base: {codes: {categorical: [10, 1]}}", "base.codes.categorical[1]: must be at least 2, got 1"),
        ("base: 3", "base: expected a section with keys of its own, got 3"),
        ("base:", "base: is empty; give it keys or remove it"),
        (
            "base: {codes: {categorical: [], uniform: 0}}",
            "base.codes: InfoGAN needs at least one code: give `categorical`, `uniform` or `gaussian`",
        ),
        ("seeds: [1, 2, 1]", "seeds: seed 1 is given twice; the same seed trains the same model"),
        ("seeds: []", "seeds: give from 1 to 1000 seeds, got 0"),
        ("seeds: 0", "seeds: must be from 1 to 1000, got 0"),
        ("seeds: '3'", "seeds: expected how many seeds, or a list of seeds, got '3'; remove the quotes"),
        ("seeds: [1, -1]", "seeds[1]: must be at least 0, got -1"),
        (
            "search: {algorithm: gird}",
            "search.algorithm: expected `grid`, `random`, `sobol`, `tpe`, `cmaes`, "
            "`gp` or `nsga2`, got 'gird'; did you mean `grid`?",
        ),
        (
            "search: {time_limit: soon}",
            "search.time_limit: expected seconds or a time such as `90s`, `25m` or `2h`, got 'soon'",
        ),
        ("search: {time_limit: 0s}", "search.time_limit: must be greater than 0, got 0.0"),
        (
            "search: {trials: 2}",
            "search.trials: a grid has its own number of trials; remove this, and ask for repeats by `seeds`",
        ),
        ("scheduler: {name: asha, reduction: 1}", "scheduler.reduction: must be greater than 1, got 1"),
        ("resources: {gpus: 1.5}", "resources.gpus: must be a fraction up to 1, or a whole number, got 1.5"),
        ("resources: {gpus: -1}", "resources.gpus: must be at least 0 and finite, got -1.0"),
        ("resources: {cpus: all}", "resources.cpus: expected a number or `auto`, got 'all'"),
        ("resources: {cpus: 0}", "resources.cpus: must be greater than 0 and finite, got 0.0"),
        ("tracking: {tags: {run: 7}}", "tracking.tags.run: expected text, got 7; put it in quotes"),
        (
            "evaluation: {scores: [nmi, cluster_acuracy]}",
            "evaluation.scores[1]: unknown score `cluster_acuracy`; did you mean `cluster_accuracy`?",
        ),
        (
            "goal: {metric: cluster_acuracy}",
            "goal.metric: unknown metric 'cluster_acuracy'; did you mean `cluster_accuracy`?",
        ),
        (
            "goal: {metric: L_I/cat_1}",
            "goal.metric: unknown metric 'L_I/cat_1'; did you mean `L_I/cat_0`?",
        ),
        ("space: [1]", "space: expected keys of the base run and what to try for each, got [1]"),
        ("space: {batch: [1, 64]}", "space.batch: must be at least 2, got 1"),
        ("space: {batch: []}", "space.batch: the list is empty; give at least one value"),
        ("space: {batch: {int: [1, 64]}}", "space.batch: must be at least 2, got 1"),
        (
            "space: {lamda_cat: [0.1, 1]}",
            "space.lamda_cat: unknown key; did you mean `objective.lambda_cat`?",
        ),
        (
            "space: {objective: {lamda_cat: [0.1, 1]}}",
            "space.objective.lamda_cat: unknown key; did you mean `objective.lambda_cat`?",
        ),
        ("space: {optimizer.lr_g: [1]}", "space.optimizer.lr_g: unknown key; did you mean `optimiser.lr_g`?"),
        ("space: {codes: [1]}", "space.codes: is a section; name one of its keys, got [1]"),
        ("space: {codes: {}}", "space.codes: is a section; name one of its keys, got {}"),
        (
            "space: {batch: {choise: [4]}}",
            "space.batch: unknown kind of domain `choise`; did you mean `choice`?",
        ),
        (
            "space: {objective.lambda_cat: [1, '1e-3']}",
            "space.objective.lambda_cat: expected a number, got '1e-3'; remove the quotes",
        ),
        (
            "space: {steps: {uniform: [10, 100]}}",
            "space.steps: expected a whole number, got 44.3769; draw whole numbers by `int`, `logint` or `qint`",
        ),
        (
            "space: {optimiser.lr_g: {loguniform: [1e-5, 1e-2]}}",
            "space.optimiser.lr_g: a grid cannot list every value of `loguniform`; "
            "use `choice`, or search by `random` or `tpe`",
        ),
    ],
)
def test_each_fault_is_one_line_with_file_line_and_key(faults, line, fault) -> None:
    assert faults(f"name: x\n{line}\n") == [f"sweep.yaml:2: {fault}"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "name: x\nevaluation: {scores: [nmi]}\n",
            " goal.metric: `cluster_accuracy` is not in `evaluation.scores`, so it is never computed",
        ),
        (
            "name: x\nbase: {codes: {categorical: []}}\ngoal: {metric: purity}\n",
            "3: goal.metric: `purity` needs a categorical code, and there is none",
        ),
        (
            "name: x\nspace: {codes.categorical: [[10], []]}\ngoal: {mode: max}\n",
            "3: goal.metric: `cluster_accuracy` needs a categorical code, and there is none "
            "with codes.categorical = []",
        ),
        (
            "name: x\nspace: {codes.categorical: [[10], [10, 10]]}\ngoal: {metric: L_I/cat_1}\n",
            "3: goal.metric: `L_I/cat_1` needs that code, and there is none with codes.categorical = [10]",
        ),
        (
            "name: x\ndataset: {train_size: 100}\n",
            "2: dataset.train_size: 100 images are fewer than one batch (128)",
        ),
        (
            "name: x\nbase: {batch: 4}\nspace: {batch: [4, 101]}\ndataset: {train_size: 100}\n",
            "4: dataset.train_size: 100 images are fewer than one batch (101)",
        ),
    ],
)
def test_faults_between_sections(faults, text, fault) -> None:
    assert faults(text) == [f"sweep.yaml:{fault}"]


def test_all_faults_of_a_file_come_at_once_in_the_order_of_their_lines(faults) -> None:
    found = faults(
        """\
        name: x
        base:
          steps: abc
          steps: 10
          objective: {lamda_cat: 1, fixed_std: no}
        space:
          objective.lambda_cat: [1]
          objective: {lambda_cat: [2]}
          batch:
            - 64
            - 1
        epochs: 3
        """
    )
    assert found == [
        "sweep.yaml:3: base.steps: expected a whole number, got 'abc'",
        "sweep.yaml:4: base.steps: is given twice, in line 3 and in line 4",
        "sweep.yaml:5: base.objective.fixed_std: expected true or false, got 'no'",
        "sweep.yaml:5: base.objective.lamda_cat: unknown key; did you mean `lambda_cat`?",
        "sweep.yaml:8: space.objective.lambda_cat: is given twice, in line 7 and in line 8",
        "sweep.yaml:11: space.batch: must be at least 2, got 1",
        found[-1],
    ]
    assert found[-1].startswith("sweep.yaml:12: epochs: unknown key; known: `name`, `dataset`,")


def test_a_missing_name_and_a_name_of_two_lines(faults) -> None:
    assert faults("base: {steps: 1}\n") == ["sweep.yaml: name: is missing"]
    assert faults('name: "a\\nb"\n') == [
        "sweep.yaml:1: name: must be one line of printable text, but holds '\\n'"
    ]
    assert faults("name: ' '\n") == ["sweep.yaml:1: name: must not be empty"]


def test_an_impossible_combination_is_shown_at_the_space(faults) -> None:
    text = "name: x\ngoal: {metric: L_I}\nspace:\n  codes.categorical: [[10], []]\n  codes.uniform: [2, 0]\n"
    reason = "InfoGAN needs at least one code: give `categorical`, `uniform` or `gaussian`"
    fault = f"sweep.yaml:3: space: no run can have codes.categorical = [], codes.uniform = 0: {reason}"
    assert faults(text) == [fault]
    assert faults(text + "search: {algorithm: tpe, trials: 3}\n") == [fault]


def test_values_that_only_clash_with_the_base_are_no_fault_where_the_space_mends_it(load) -> None:
    sweep = load(
        """\
        name: x
        goal: {metric: L_I}
        base: {codes: {uniform: 0}}
        space:
          codes.categorical: [[10], []]
          codes.gaussian: [1, 2]
        """
    )
    assert plan(sweep).total == 4


def test_a_dict_from_python_has_faults_without_lines() -> None:
    assert _message(space={"batch": [1]}) == "space.batch: must be at least 2, got 1"
    assert _message(resources={"gpus": math.nan}) == "resources.gpus: must be at least 0 and finite, got nan"


_KEYS = st.sampled_from(
    [*SweepConfig.model_fields, *RunConfig.model_fields, *run_keys(), *KINDS, "trials", "metric", "", "a.b"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | _KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*SweepConfig.model_fields, "environment"]), _VALUES, max_size=5))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_given_a_sweep_or_a_config_error_comes_back(tree) -> None:
    try:
        sweep = parse_sweep({"name": "x", **tree})
    except ConfigError:
        return
    assert parse_sweep(yaml.safe_load(resolved_yaml(sweep))) == sweep


# Where files are ------------------------------------------------------------------------------------------


def test_extensions_resolve_against_the_folder_of_the_file(write, tmp_path) -> None:
    (tmp_path / "mine.py").write_text("")
    sweep = load_sweep(write("name: x\nextensions: [mine.py, json.tool]\n"))
    assert sweep.extensions == (str(tmp_path / "mine.py"), "json.tool")


def test_an_extension_that_is_not_there_is_a_fault(faults) -> None:
    [fault] = faults("name: x\nextensions:\n  - other.py\n")
    assert fault.startswith("sweep.yaml:3: extensions[0]: no such file: ")


def test_a_bare_name_is_a_sweep_that_ships(tmp_path, monkeypatch) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "mnist.yaml").write_text("name: shipped\n")
    monkeypatch.setattr("infogan_bench.config.load._PACKAGE", tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    assert load_sweep("mnist").name == "shipped"
    for missing, meant in [("mnits", "; did you mean `mnist`?"), ("x/y.yaml", ".")]:
        with pytest.raises(ConfigError) as caught:
            load_sweep(missing)
        assert str(caught.value) == f"{missing}: no such file{meant} Sweeps that ship: `mnist`"
    Path("mnist").write_text("name: local\n")
    assert load_sweep("mnist").name == "local"


def test_a_preset_is_a_sweep_that_ships_whatever_lies_here(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mnist-paper").write_text("name: local\n")
    sweep = load_shipped("mnist-paper")
    paper = {"architecture.width": 0.5, "steps": 2000}  # all else is the default: the paper's run
    assert sweep.base == apply(RunConfig(), paper)
    assert (sweep.seeds, sweep.space) == (tuple(range(10)), {})
    with pytest.raises(ConfigError, match=r"^--preset: no sweep 'mnits' ships; did you mean `mnist`\?$"):
        load_shipped("mnits")
    with pytest.raises(ConfigError, match=r"^--preset: no sweep 'zzz' ships; known: .*`mnist-paper`.* and `"):
        load_shipped("zzz")


@pytest.mark.parametrize("name", ["mnist-restarts", "fashion-mnist"])
def test_the_recipe_is_the_same_wherever_it_ships(name) -> None:
    assert load_shipped(name).base == load_shipped("mnist").base


@pytest.mark.parametrize("name", shipped_sweeps())
def test_every_sweep_that_ships_is_right(name) -> None:
    assert plan(load_sweep(name)).total >= 1


# One run --------------------------------------------------------------------------------------------------


def test_apply_sets_dotted_keys_and_leaves_the_rest() -> None:
    base = RunConfig(batch=32)
    run = apply(base, {"objective.lambda_cat": 3, "codes.categorical": [10, 10]})
    assert (run.objective.lambda_cat, run.codes.categorical, run.batch) == (3.0, (10, 10), 32)
    assert base == RunConfig(batch=32)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"objective.lamda_cat": 1},
            "objective.lamda_cat: unknown key; did you mean `objective.lambda_cat`?",
        ),
        ({"batch": 1}, "batch: must be at least 2, got 1"),
        ({"batch": "64"}, "batch: expected a whole number, got '64'; remove the quotes"),
        ({"codes.categorical": [], "codes.uniform": 0}, "codes: InfoGAN needs at least one code"),
    ],
)
def test_apply_names_the_dotted_key(params, message) -> None:
    with pytest.raises(ConfigError) as caught:
        apply(RunConfig(), params)
    assert str(caught.value).startswith(message)


def test_loading_needs_no_heavy_import_and_little_time(write) -> None:
    script = (
        "import sys, time; start = time.process_time()\n"  # a busy machine does not count
        "from infogan_bench.config import load_sweep, plan\n"
        "plan(load_sweep(sys.argv[1]))\n"
        "print(time.process_time() - start)\n"
        "print(sorted({'torch', 'ray', 'mlflow', 'optuna', 'scipy', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    path = write(EVERYTHING)

    def run() -> tuple[float, str]:
        out = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
        )
        seconds, heavy = out.stdout.splitlines()
        return float(seconds), heavy

    runs = [run() for _ in range(3)]
    assert {heavy for _, heavy in runs} == {"[]"}
    # numpy, of which the catalogue of scores is made, is most of it
    assert min(seconds for seconds, _ in runs) < 1.5


@pytest.mark.parametrize(
    ("setting", "params"),
    [
        ("optimiser.lr_g=1e-3", {"optimiser.lr_g": 0.001}),
        ("codes.categorical=[10, 1e1]", {"codes.categorical": [10, 10.0]}),
        ("objective.fixed_std=no", {"objective.fixed_std": "no"}),
        ("architecture.name=a=b", {"architecture.name": "a=b"}),
    ],
)
def test_settings_are_read_as_in_a_sweep_file(setting, params) -> None:
    assert parse_settings([setting]) == params


@pytest.mark.parametrize(
    "setting",
    [
        "steps",
        "=3",
        "steps=[1",
        "steps=!x 1",
        "steps={a: 1, a: 2}",
        "steps=*a",
        "steps=\x07",
        "steps=1\nb: 2",
    ],
)
def test_settings_that_cannot_be_read_are_refused(setting) -> None:
    with pytest.raises(ConfigError):
        parse_settings([setting])


def test_a_setting_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="steps is given twice"):
        parse_settings(["steps=1", "steps=2"])
