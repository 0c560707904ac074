"""Every number of the page, against values worked out by hand."""

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from infogan_reports import build_report, load, summarise
from infogan_reports.curves import MAX_POINTS, POINTS, curve_data, rows_with_curves, thinned
from infogan_reports.figures import panel_figure
from infogan_reports.sections import codes, failures, reproduce, summary


def test_counts_are_of_trials(mixed: Path) -> None:
    report = summarise(load(mixed))
    assert report.sweep.counts == {
        "pending": 0, "running": 0, "finished": 3, "stopped": 1, "diverged": 1, "failed": 1, "interrupted": 0,
    }  # fmt: skip
    assert sum(report.sweep.counts.values()) == len(report.sweep.trials) == 6
    assert report.sweep.cost.trial_seconds == 6 * 2 * 10.0
    assert not report.sweep.running


def test_the_question_names_what_was_swept(mixed: Path) -> None:
    question = summarise(load(mixed)).of(summary.SECTION).question
    assert [(swept.key, swept.domain) for swept in question.swept] == [
        ("optimiser.lr_g", "loguniform [1e-05, 0.01]"),
        ("architecture.name", "paper, mlp"),
    ]
    assert (question.dataset, question.search, question.scheduler) == (
        "mnist",
        "random",
        "asha",
    )  # older folders
    assert question.seeds == (0, 1)


def test_the_question_has_the_titles_that_the_sweep_recorded(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    titles = {"search_title": "steps <b>", "scheduler_title": "the median rule"}
    folder = sweep(
        written_trial("0000", {}, (0.4,)),
        config={"search": {"algorithm": "steps"}, "scheduler": "median"},
        environment=titles,
    )
    question = summarise(load(folder)).of(summary.SECTION).question
    assert (question.search, question.scheduler) == tuple(titles.values())
    assert (
        "<dd>steps &lt;b&gt;, trials stopped early by the median rule</dd>"
        in build_report(folder).read_text()
    )


@pytest.mark.parametrize(
    ("metric", "uses"),
    [("cluster_accuracy", "labels"), ("purity", "labels"), ("nmi", "labels"), ("ari", "labels"), ("L_I", "")],
)
def test_scores_that_use_labels_are_marked(
    sweep: Callable[..., Path], written_trial: type, metric: str, uses: str
) -> None:
    folder = sweep(written_trial("0000", {}, (0.4,)), config={"objective": {"metric": metric, "mode": "max"}})
    assert summarise(load(folder)).of(summary.SECTION).question.uses == uses


def test_the_answer_is_made_from_the_numbers(mixed: Path) -> None:
    report = summarise(load(mixed))
    assert report.of(summary.SECTION).answer == (
        "Trial 0001 (optimiser.lr_g = 0.001, architecture.name = paper) has the highest mean "
        "cluster_accuracy: 0.8500 ± 0.0707 over 2 seeds, 0.2500 above the next (trial 0000)."
    )
    assert report.of(summary.SECTION).caution is None  # a lead of 0.25 against a spread of 0.14


@pytest.mark.parametrize(
    ("second", "caution"),
    [
        ((0.7, 0.7), None),  # a lead of 0.1, spreads of 0.028 and 0
        ((0.76, 0.80), "smaller than the spread"),  # a lead of 0.02
    ],
)
def test_a_lead_inside_the_spread_is_not_settled(
    sweep: Callable[..., Path], written_trial: type, second: tuple[float, float], caution: str | None
) -> None:
    folder = sweep(written_trial("0000", {}, (0.78, 0.82)), written_trial("0001", {}, second))
    found = summarise(load(folder)).of(summary.SECTION).caution
    assert found is None if caution is None else caution in (found or "")


def test_a_single_seed_is_called_an_unmeasured_spread(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    report = summarise(load(sweep(written_trial("0000", {}, (0.5,)))))
    assert (
        report.of(summary.SECTION).answer
        == "Trial 0000 has the highest mean cluster_accuracy: 0.5000 over 1 seed."
    )
    assert "one seed" in (report.of(summary.SECTION).caution or "")


def test_a_best_trial_that_was_stopped_is_said_to_be(sweep: Callable[..., Path], written_trial: type) -> None:
    report = summarise(load(sweep(written_trial("0000", {}, (0.5, 0.6), status="stopped", step=40))))
    assert (
        report.of(summary.SECTION).caution
        == "The best trial has not done all its steps: stopped early at step 40."
    )


def test_the_seeds_of_the_best_trial_are_told_apart(sweep: Callable[..., Path], written_trial: type) -> None:
    loss = {"objective": {"metric": "loss/consistency", "mode": "min"}}
    others = {"scores": {"cluster_accuracy": 0.98}}
    folder = sweep(
        written_trial("0000", {}, (0.1, 0.9)),
        written_trial("0001", {}, (0.3, 0.1, 0.2), **others),
        config=loss,
    )
    choice = summarise(load(folder)).of(summary.SECTION).seed_choice
    assert choice is not None
    assert choice.seeds == ((1, 0.1), (2, 0.2), (0, 0.3))
    assert choice.accuracy == 0.98  # what an unsupervised user gets


def test_a_choice_among_seeds_by_labels_is_not_called_blind(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    choice = summarise(load(sweep(written_trial("0000", {}, (0.4, 0.6))))).of(summary.SECTION).seed_choice
    assert choice is not None
    assert (choice.seeds, choice.accuracy) == (((1, 0.6), (0, 0.4)), None)


def test_one_seed_is_no_choice(sweep: Callable[..., Path], written_trial: type) -> None:
    assert summarise(load(sweep(written_trial("0000", {}, (0.4,))))).of(summary.SECTION).seed_choice is None


# What mattered --------------------------------------------------------------------------------------------


def test_groups_are_means_of_finished_trials_at_a_value(mixed: Path) -> None:
    lr_g, architecture = summarise(load(mixed)).sweep.effects
    assert (lr_g.scale, architecture.scale) == ("log", "category")
    assert [point.trial_id for point in lr_g.points] == ["0001", "0000", "0002", "0003"]
    assert lr_g.groups == ()
    assert [(group.value, group.n_trials) for group in architecture.groups] == [("paper", 2), ("mlp", 1)]
    assert [group.mean for group in architecture.groups] == pytest.approx([(0.85 + 0.6) / 2, 0.6])
    assert architecture.statement == (
        "Best on average at paper: 0.7250 (2 trials); worst at mlp: 0.6000 (1 trial)."
    )


def test_rank_correlation_is_spearmans(sweep: Callable[..., Path], written_trial: type) -> None:
    values = [0.1, 0.2, 0.3, 0.5, 0.4]  # ranks 1 2 3 5 4: rho = 1 - 6 * 2 / (5 * 24) = 0.9
    folder = sweep(*(written_trial(f"{i}", {"batch": 2**i}, (value,)) for i, value in enumerate(values)))
    (effect,) = summarise(load(folder)).sweep.effects
    assert effect.rank_correlation == pytest.approx(0.9)
    assert effect.statement.startswith("Rank correlation +0.90 over 5 finished trials")


@pytest.mark.parametrize(
    ("values", "domain", "scale"),
    [
        ([1, 30], None, "linear"),
        ([1, 31], None, "log"),  # more than a factor of 30
        ([1, 2], {"loguniform": [1, 2]}, "log"),
        ([1, 2], {"qlogint": [1, 2, 1]}, "log"),
        ([1, 2], {"uniform": [1, 2]}, "linear"),
        ([0, 100], None, "linear"),
        ([-1, 100], None, "linear"),
        ([True, False], None, "category"),
        ([1, "1"], None, "category"),
        ([[10], [10, 10]], None, "category"),
        ([None, 3], None, "category"),
    ],
)
def test_scales(
    sweep: Callable[..., Path], written_trial: type, values: list[object], domain: object, scale: str
) -> None:
    folder = sweep(
        *(written_trial(f"{i}", {"a.b": value}, (0.5,)) for i, value in enumerate(values)),
        config={"space": {"a": {"b": domain}}},
    )
    (effect,) = summarise(load(folder)).sweep.effects
    assert effect.scale == scale


# Curves ---------------------------------------------------------------------------------------------------


def test_curves_are_means_with_the_range_over_seeds(mixed: Path) -> None:
    panels = summarise(load(mixed)).sweep.panels
    assert [panel.metric for panel in panels] == [
        "cluster_accuracy", "L_I", "L_I/cat_0", "L_I/uniform_0", "gaussian_mi_bound/uniform_0", "code_r2",
        "loss/d", "loss/g",
    ]  # fmt: skip
    objective, _, information, uniform, best_bound, _, loss_d, loss_g = panels
    assert [curve.trial_id for curve in objective.curves] == ["0001", "0000", "0002", "0003", "0004"]
    best = objective.curves[0]
    steps = np.array([20, 40, 60, 80, 100])
    np.testing.assert_array_equal(best.steps, steps)
    np.testing.assert_allclose(best.mean, 0.85 * steps / 100)
    assert best.low is not None
    assert best.high is not None
    np.testing.assert_allclose(best.low, 0.8 * steps / 100)
    np.testing.assert_allclose(best.high, 0.9 * steps / 100)
    np.testing.assert_allclose(information.curves[0].mean, 2 * steps / 100)
    assert information.ceilings == pytest.approx((math.log(10),), abs=1e-4)
    assert uniform.ceilings == ()  # a continuous code has none
    np.testing.assert_allclose(best_bound.curves[0].mean, 1.5 * steps / 100)
    assert loss_d.curves[0].mean[0] == pytest.approx(math.log(4))
    assert loss_g.curves[0].mean[0] == pytest.approx(math.log(2))


def test_a_model_of_one_code_has_one_panel_of_it(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("0000", {}, (0.5,)))
    history = pd.read_parquet(folder / "history.parquet")
    history[~history["metric"].str.contains("cat_")].to_parquet(folder / "history.parquet")
    information = summarise(load(folder)).sweep.panels[1]
    assert (information.metric, information.ceilings) == ("L_I/uniform_0", ())
    assert information.curves[0].mean[-1] == pytest.approx(0.1)
    assert information.curves[0].low is None  # one seed


def test_figure_1_is_l_i_of_every_trial_by_step_under_h_of_c(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    """InfoGAN's own trial and a vanilla GAN's in one figure, as Plotly gets them."""
    steps = np.array([50, 100, 150])
    reported = {  # L_I of two seeds at those steps
        "0000": np.array([[0.4, 1.8, 2.2], [0.2, 1.4, 2.0]]),
        "0001": np.array([[0.0, 0.1, 0.1], [0.2, 0.1, 0.3]]),
    }
    folder = sweep(
        *(written_trial(trial, {}, seeds[:, -1]) for trial, seeds in reported.items()),
        config={"objective": {"metric": "L_I/cat_0", "mode": "max"}},
    )
    rows = [
        (trial, seed, step, metric, value)
        for trial, seeds in reported.items()
        for seed, step in np.ndindex(seeds.shape)
        for metric, value in (("L_I/cat_0", seeds[seed, step]), ("H/cat_0", math.log(10)))
    ]
    history = pd.DataFrame(rows, columns=["trial", "seed", "step", "metric", "value"])
    history.assign(step=steps[history["step"]]).to_parquet(folder / "history.parquet")

    (panel,) = summarise(load(folder)).sweep.panels
    assert panel.metric == "L_I/cat_0"
    plot = panel_figure(panel, 0).plot
    bands, lines = plot["data"][:2], plot["data"][2:]
    assert [trace["name"] for trace in lines] == [f"trial {trial}" for trial in reported]
    for band, line, seeds in zip(bands, lines, reported.values(), strict=True):
        np.testing.assert_array_equal(numbers(line["x"]), steps)
        np.testing.assert_allclose(numbers(line["y"]), seeds.mean(axis=0))
        np.testing.assert_allclose(numbers(band["y"]), [*seeds.max(axis=0), *seeds.min(axis=0)[::-1]])
    (ceiling,) = plot["layout"]["shapes"]
    assert ceiling["y0"] == ceiling["y1"] == pytest.approx(math.log(10), abs=1e-4)


def numbers(array: dict[str, str]) -> np.ndarray:
    """An array as Plotly's JSON has it: base64 of its bytes."""
    return np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"])


def test_a_step_reported_again_after_a_resume_counts_once(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    folder = sweep(written_trial("0000", {}, (0.5,)))
    history = pd.read_parquet(folder / "history.parquet")
    again = pd.DataFrame([("0000", 0, 100, "cluster_accuracy", 0.75)], columns=history.columns)
    pd.concat([history, again]).to_parquet(folder / "history.parquet")
    curve = summarise(load(folder)).sweep.panels[0].curves[0]
    np.testing.assert_allclose(curve.mean, [0.1, 0.2, 0.3, 0.4, 0.75])


def test_of_many_trials_the_best_and_an_even_share_of_the_others_have_curves() -> None:
    assert rows_with_curves(200) == list(range(200))
    rows = rows_with_curves(10_000)
    assert rows[:100] == list(range(100))
    assert rows[100:102] == [100, 200]  # every hundredth
    assert (rows[-1], len(rows)) == (9999, 200)


def test_scores_that_are_computed_once_have_no_panel(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("0000", {}, (0.5,)))
    history = pd.read_parquet(folder / "history.parquet")
    more = [("0000", 0, 100, "dci", 0.5), ("0000", 0, 50, "nmi", 0.4), ("0000", 0, 100, "nmi", 0.6)]
    pd.concat([history, pd.DataFrame(more, columns=history.columns)]).to_parquet(folder / "history.parquet")
    assert [panel.metric for panel in summarise(load(folder)).sweep.panels][-2:] == ["loss/g", "nmi"]


def test_the_best_trials_keep_more_points_than_the_many(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    folder = sweep(*(written_trial(f"{i:03d}", {}, (i / 1000,)) for i in range(160)))
    rows = [
        (f"{i:03d}", 0, step, "cluster_accuracy", 9.0 if step == 777 else i / 1000 + math.sin(step))
        for i in range(160)
        for step in range(1000)
    ]
    pd.DataFrame(rows, columns=["trial", "seed", "step", "metric", "value"]).to_parquet(
        folder / "history.parquet"
    )
    (panel,) = summarise(load(folder)).sweep.panels
    points = [len(curve.steps) for curve in panel.curves]
    assert points[:5] == [MAX_POINTS] * 5
    assert max(points[5:]) <= POINTS // 155
    assert all(777 in curve.steps for curve in panel.curves)  # a spike one step wide


def test_a_curve_reaches_the_page_as_float32(mixed: Path) -> None:
    data = curve_data(summarise(load(mixed)).sweep.panels)
    assert data["rows"] == [0, 1, 2, 3, 4, 5]
    packed = np.frombuffer(base64.b64decode(data["panels"][0]["lines"][0]), "<f4")
    np.testing.assert_allclose(packed, [20, 40, 60, 80, 100, 0.17, 0.34, 0.51, 0.68, 0.85], rtol=1e-6)
    low, high = np.frombuffer(base64.b64decode(data["panels"][0]["bands"][0]), "<f4").reshape(2, 5)
    np.testing.assert_allclose([low[-1], high[-1]], [0.8, 0.9], rtol=1e-6)
    assert data["panels"][2]["ceilings"] == dict.fromkeys(range(6), 2.3026)


def test_thinning_keeps_the_ends_and_the_extremes() -> None:
    values = np.sin(np.arange(10_000) / 50)
    values[1234], values[7777] = 9.0, -9.0  # spikes one sample wide
    kept = thinned(values, MAX_POINTS)
    assert len(kept) <= MAX_POINTS
    assert np.all(np.diff(kept) > 0)
    assert {0, 1234, 7777, 9999} <= set(kept.tolist())


def test_a_short_curve_is_not_thinned() -> None:
    np.testing.assert_array_equal(thinned(np.zeros(MAX_POINTS), MAX_POINTS), np.arange(MAX_POINTS))


# Codes, failures, reproduction ----------------------------------------------------------------------------


def test_the_best_trials_first_seed_is_looked_into(mixed: Path) -> None:
    meaning = summarise(load(mixed)).of(codes.SECTION).meaning
    assert meaning is not None
    assert (meaning.trial_id, meaning.seed, meaning.n_seeds, meaning.step) == ("0001", 0, 2, 100)
    assert meaning.value == pytest.approx(0.8)
    cat, uniform = meaning.codes
    assert (cat.name, cat.kind, cat.size, cat.mi_bound) == ("cat_0", "categorical", 3, 1.0)
    assert cat.entropy == pytest.approx(math.log(3))
    assert uniform.entropy is None
    assert uniform.mi_bound == -0.25  # a negative bound is shown, not clipped
    assert cat.traversal is not None
    assert cat.traversal.png == (mixed / "trials/0001/seed-0/traversal-cat_0.png").read_bytes()


def test_confusion_names_the_match_of_each_category(mixed: Path) -> None:
    meaning = summarise(load(mixed)).of(codes.SECTION).meaning
    assert meaning is not None
    confusion = meaning.confusion
    assert confusion is not None
    assert (confusion.matched, confusion.total) == (9 + 7, 17)
    assert [category.match for category in confusion.categories] == ["zero", "one", None]
    assert [[cell.count for cell in category.cells] for category in confusion.categories] == [
        [9, 1],
        [0, 7],
        [0, 0],
    ]
    # shares of a category in fifths, rounded up: 0.9 -> 5, 0.1 -> 1, 0 -> 0
    assert [[cell.shade for cell in category.cells] for category in confusion.categories] == [
        [5, 1],
        [0, 5],
        [0, 0],
    ]


def test_failures_carry_their_reason_once_a_trial(mixed: Path) -> None:
    found = summarise(load(mixed)).of(failures.SECTION).failures
    assert [(f.trial_id, f.seeds, f.status, f.step, f.reason) for f in found] == [
        ("0004", (1,), "diverged", 60, "D is not finite"),
        ("0005", (0, 1), "failed", 0, "RuntimeError: out of memory"),
    ]


def test_a_long_reason_keeps_its_ends(sweep: Callable[..., Path], written_trial: type) -> None:
    error = "first" + "x" * 5000 + "last"
    (failure,) = (
        summarise(load(sweep(written_trial("0000", {}, (None,), status="failed", error=error))))
        .of(failures.SECTION)
        .failures
    )
    assert failure.reason.startswith("firstx")
    assert failure.reason.endswith("xlast")
    assert "[4009 characters left out]" in failure.reason  # 5009 less 2 x 500


def test_the_command_and_the_environment(mixed: Path) -> None:
    report = summarise(load(mixed.rename(mixed.with_name("my run"))))
    assert report.of(reproduce.SECTION).command == "infogan-bench sweep 'my run/sweep.yaml'"
    assert report.of(reproduce.SECTION).environment == (("python", "3.11"), ("versions.torch", "2.14"))


def test_an_undefined_bound_is_none(sweep: Callable[..., Path], written_trial: type) -> None:
    folder = sweep(written_trial("0000", {}, (0.5,)))
    path = folder / "trials/0000/seed-0/evaluation.json"
    evaluation = json.loads(path.read_text())
    evaluation["codes"][0]["mi_bound"] = math.nan
    evaluation["confusion"] = None
    path.write_text(json.dumps(evaluation))
    meaning = summarise(load(folder)).of(codes.SECTION).meaning
    assert meaning is not None
    assert meaning.codes[0].mi_bound is None
    assert meaning.confusion is None


def test_categories_stand_in_the_order_of_the_sweep_file(
    sweep: Callable[..., Path], written_trial: type
) -> None:
    sizes = [[10], [5], [20]]  # best first, which is neither the file's order nor the text's
    trials = [
        written_trial(f"{n:04d}", {"codes.categorical": size}, [0.9 - 0.1 * n])
        for n, size in enumerate(sizes)
    ]
    folder = sweep(*trials, config={"space": {"codes.categorical": {"choice": [[5], [10], [20]]}}})
    (effect,) = summarise(load(folder)).sweep.effects
    assert [point.value for point in effect.points] == [[5], [10], [20]]
