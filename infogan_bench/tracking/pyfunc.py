"""The best model of a sweep as an MLflow model: a table of codes in, images out.

`mlflow.pyfunc.load_model` imports this module by its name, which stands in the models that were logged, and calls
`_load_pyfunc`. The weights are in a checkpoint of ours (safetensors); nothing is pickled.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from infogan_bench import __version__

if TYPE_CHECKING:
    from infogan_bench.api.trained import TrainedModel

_CHECKPOINT, _EXTENSIONS = "checkpoint.safetensors", "extensions.json"


class Images:
    """The model that `mlflow.pyfunc` calls."""

    def __init__(self, model: TrainedModel) -> None:
        self._model = model

    def predict(
        self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None
    ) -> np.ndarray[Any, Any]:
        """Images (n, C, H, W), float32 in [-1, 1], of the n rows of `model_input`.

        Args:
            model_input: a column for each code that is set; the noise and all other codes are drawn.
            params: `seed` (0) of what is drawn. The images are those of `TrainedModel.sample(n, seed=seed, ...)`.

        Raises:
            InputError: if a column is no code, or a code has no such value.
        """
        seed = int((params or {}).get("seed", 0))
        codes = {str(name): column.tolist() for name, column in model_input.items()}
        return self._model.sample(len(model_input), seed=seed, **codes).cpu().numpy()


def _load_pyfunc(data_path: str) -> Images:
    """For MLflow: the model in the folder that `save` filled."""
    from infogan_bench.api.trained import TrainedModel
    from infogan_bench.extensions import load_extensions

    folder = Path(data_path)
    names = json.loads((folder / _EXTENSIONS).read_text())
    load_extensions([str(folder / name) if name.endswith(".py") else name for name in names])
    return Images(TrainedModel.load(folder / _CHECKPOINT))


def save(path: Path, checkpoint: Path, extensions: Sequence[str], mlflow_model: Any) -> None:
    """Write an MLflow model to the folder `path`, which is made.

    Args:
        checkpoint: of the trained InfoGAN.
        extensions: what registers its architecture: modules, and .py files, which the model takes along.
        mlflow_model: the `mlflow.models.Model` that it becomes.

    Raises:
        InputError: if the checkpoint or an extension cannot be read.
    """
    import mlflow.pyfunc

    from infogan_bench.api.trained import TrainedModel
    from infogan_bench.extensions import load_extensions
    from infogan_bench.training.checkpoint import copy_without_optimisers

    load_extensions(extensions)
    model = TrainedModel.load(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "infogan"
        data.mkdir()
        copy_without_optimisers(checkpoint, data / _CHECKPOINT)
        names = [_take_along(name, number, data) for number, name in enumerate(extensions)]
        (data / _EXTENSIONS).write_text(json.dumps(names))
        mlflow.pyfunc.save_model(
            str(path),
            loader_module=__name__,
            data_path=str(data),
            mlflow_model=mlflow_model,
            signature=_signature(model),
            input_example=_example(model),
            pip_requirements=[f"infogan-bench=={__version__}"],
        )


def _take_along(extension: str, number: int, folder: Path) -> str:
    """The name of an extension inside the model; two files may be called alike."""
    if not extension.endswith(".py"):
        return extension
    name = f"extension_{number}_{Path(extension).name}"
    shutil.copy(extension, folder / name)
    return name


def _signature(model: TrainedModel) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

    columns = [
        ColSpec("long" if code.kind == "categorical" else "double", code.name, required=False)
        for code in model.codes.all
    ]
    images = TensorSpec(np.dtype("float32"), (-1, *model.image_shape))
    return ModelSignature(Schema(columns), Schema([images]), ParamSchema([ParamSpec("seed", "long", 0)]))


def _example(model: TrainedModel) -> pd.DataFrame:
    """A row for each category of the scored code, or two where there is none; 0 for all other codes."""
    scored = model.codes.scored
    rows = range(scored.size if scored else 2)
    return pd.DataFrame(
        {
            code.name: [row if code is scored else 0 for row in rows]
            if code.kind == "categorical"
            else [0.0 for _ in rows]
            for code in model.codes.all
        }
    )
