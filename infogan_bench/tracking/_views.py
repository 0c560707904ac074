"""The page of MLflow's UI that shows the trials of a sweep, best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infogan_bench.tracking._names import PICTURES, experiment_name, legal_key
from infogan_bench.tracking._tags import RANK_TAG, SEEDS_TAG, STATUS_TAG, SWEEP_ID_TAG, TRIAL_TAG

_SWEPT_COLUMNS = 12
_SECTIONS = ("Model metrics", PICTURES, "L_I", "gaussian_mi_bound", "loss")  # the first sections of charts
# Colours of curves: those of Okabe and Ito without yellow, which colour-blind readers can tell apart, and a grey.
# MLflow chooses colours by the run's identifier, and then two of four trials often have the same colour.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#444444")


def colour_of(trial_id: str) -> str:
    """Return the colour of a trial; neighbours in the plan have different ones."""
    number = int(trial_id) if trial_id.isdecimal() else sum(trial_id.encode())
    return _COLOURS[number % len(_COLOURS)]


def view_path(uri: str, experiment: str, sweep_id: str) -> str | None:
    """The page of MLflow's UI (what follows the `#`) with a sweep's trials, best first; None if it is not there."""
    from mlflow.tracking import MlflowClient

    found = MlflowClient(uri).get_experiment_by_name(experiment_name(experiment))
    return None if found is None else page_path(found.experiment_id, sweep_id)


def page_path(experiment_id: str, sweep_id: str) -> str:
    # With this workflow, MLflow's pages hide what they have for chat models.
    return f"/experiments/{experiment_id}/runs?viewStateShareKey={sweep_id}&workflowType=machine_learning"


def table_view(sweep_id: str, metric: str, mode: str, swept: Sequence[str]) -> dict[str, Any]:
    """The state of MLflow's runs table that shows this sweep's trials."""
    scores = [legal_key(name) for name in (f"final/{metric}", f"best/{metric}", f"std/{metric}")]
    return {
        "compareRunCharts": [],  # empty: MLflow itself draws one for each metric and picture of these sections
        "compareRunSections": [
            {"uuid": name, "name": name, "display": True, "isReordered": False, "isGenerated": True}
            for name in _SECTIONS
        ],
        "isAccordionReordered": True,
        "searchFilter": f"tags.`{SWEEP_ID_TAG}` = '{sweep_id}' and tags.`{TRIAL_TAG}` != ''",
        "orderByKey": f"metrics.`{scores[0]}`",
        "orderByAsc": mode == "min",
        "selectedColumns": [
            "attributes.`Created`",
            "attributes.`Duration`",
            *(f"params.`{legal_key(key)}`" for key in swept[:_SWEPT_COLUMNS]),
            *(f"metrics.`{score}`" for score in scores),
            *(f"tags.`{tag}`" for tag in (RANK_TAG, STATUS_TAG, SEEDS_TAG)),
        ],
    }
