"""The arrays that a trained model and its dataset supply to scores, each computed when a score first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from infogan_metrics import Metric
from infogan_metrics.as_taken import FactorFacts
from infogan_metrics.samples import Samples
from numpy.typing import NDArray
from torch import Tensor

from infogan_bench.codes import Code, Latents, Posterior
from infogan_bench.config.metrics import DciEstimator
from infogan_bench.datasets import ImageDataset
from infogan_bench.networks import Model
from infogan_bench.scoring.digits import DigitReader, digit_reader, generated_images
from infogan_bench.scoring.possible import Facts, lacking, left_out, single_factors
from infogan_bench.scoring.representation import Codes, FactorValues, code_kinds, n_bins, representation

N_IMAGES = 10_000  # generated images for L_I and for the distances of digits
N_SHAPES = 1_000  # generated images for slant and stroke width
_ROWS, _VALUES = 50, 10  # rows and values of a traversal


class RunInputs:
    """The inputs of `infogan_bench.config.catalogue.INPUTS`.

    Args:
        model: the trained model, which must not change while scores are computed.
        dataset: its test set is what the encoder reads.
        seed: of the latents that images are generated from.
        dci_estimator: what predicts factors for DCI.
        factor_bins: bins that factors are cut into for scores that cannot take their kinds; None: those have no value.
        data_dir: the folder of MNIST, for scores of digits.
        codes: (n_test, n_codes) to use instead of the encoder's.
        factors: (n_test, n_factors) to use instead of the dataset's.
    """

    def __init__(
        self,
        model: Model,
        dataset: ImageDataset,
        *,
        seed: int = 0,
        dci_estimator: DciEstimator = "forest",
        factor_bins: int | None = None,
        data_dir: str | None = None,
        codes: Codes | None = None,
        factors: FactorValues | None = None,
    ) -> None:
        self.model = model
        self.dataset = dataset
        self.scored = model.codes.scored
        self._seed = seed
        self._dci_estimator = dci_estimator
        self._data_dir = data_dir
        self._facts = Facts.of(dataset, model.codes, factor_bins)
        self._given_codes, self._given_factors = codes, factors

    # As `compute_scores` asks ---------------------------------------------------------------------------------

    def lacking(self, metric: Metric) -> str | None:
        """Return why `metric` has no value for this model, or None."""
        return lacking(metric, self._facts)

    def arguments(self, metric: Metric) -> Sequence[Any]:
        """Return the arrays that `metric.inputs` names; `codes` and `factors` are the first half where it splits."""
        first, second = self._halves if metric.splits else (slice(None), slice(None))
        halves: Mapping[str, Callable[[], Any]] = {
            "codes": lambda: self.codes[first],
            "factors": lambda: self._factors_for(metric)[first],
            "test_codes": lambda: self.codes[second],
            "test_factors": lambda: self._factors_for(metric)[second],
        }
        return [halves[name]() if name in halves else getattr(self, name) for name in metric.inputs]

    def options(self, metric: Metric) -> Mapping[str, Any]:
        """Return the kinds of factors and codes, the bins that codes are cut into, and DCI's estimator."""
        options: dict[str, object] = {}
        if metric.cuts_codes:
            options["n_bins"] = n_bins(self.model.codes)
        if metric.name == "dci":
            options["estimator"] = self._dci_estimator
        if "kinds" in metric.options:
            options["kinds"] = tuple(self._facts.kinds[k] for k in self._facts.taken(metric))
        if "code_kinds" in metric.options:
            options["code_kinds"] = code_kinds(self.model.codes)
        return options

    def facts(self, metric: Metric) -> Mapping[str, Any]:
        """Return the number of samples, the bins that factors were cut into, and the network that read digits."""
        n = len(self.dataset.test_images)
        is_cut = metric.uses_factors and self._facts.to_be_cut(metric)
        bins = {"factor_bins": self._facts.factor_bins} if is_cut else {}
        if metric.splits:
            return {"n": n // 2, "n_held_out": n - n // 2} | bins
        if "digits" in metric.inputs:
            return {"n": N_IMAGES, "network": str(self._reader.network)}
        of_images = {"grey_images", "generated_images", "latents", "latent_categories"}
        return {"n": N_SHAPES if of_images & set(metric.inputs) else n} | bins

    def notes(self, metric: Metric) -> Sequence[str]:
        """Return which factors were left out, and which network read digits."""
        if metric.uses_factors:
            alike = self.dataset.factors.always_alike if self.dataset.factors else ()
            constant, rare = left_out(metric, self._facts)
            reasons = {
                "constant in the test set": (*alike, *constant),
                "with a value that half of the test set has less than twice": rare,
            }
            return tuple(
                f"left out, {reason}: {', '.join(f'`{name}`' for name in names)}"
                for reason, names in reasons.items()
                if names
            )
        return (str(self._reader.network),) if "digits" in metric.inputs and not self.lacking(metric) else ()

    @property
    def varied(self) -> Sequence[int]:
        """The columns of the factors that vary in the test set, which are those of `factors`."""
        return self._facts.varied

    def left_out(self, metric: Metric) -> Sequence[str]:
        """Return the factors that a score leaves out, because they are constant or have rare values in the test set."""
        constant, rare = left_out(metric, self._facts)
        return (*constant, *rare)

    def names_of(self, metric: Metric) -> Sequence[str]:
        """Return the names of the codes or factors that a score has values of; none of an only category or factor,
        whose value is the score's."""
        codes = self.model.codes
        if metric.per_factor:
            return single_factors(metric, self._facts)
        if metric.per == "categorical code":
            return [code.name for code in codes.categorical] if len(codes.categorical) > 1 else []
        return [code.name for code in (codes.all if metric.per == "code" else codes.continuous)]

    # Of the test set ------------------------------------------------------------------------------------------

    @cached_property
    def posterior(self) -> Posterior:
        """The encoder's reading of the test images."""
        return self.model.encode(self.dataset.test_images, self.dataset.train_images)

    def probabilities(self, code: Code) -> Tensor:
        """Return the probability of each category of a categorical code for each test image, (n, size)."""
        return self.posterior.logits[self.model.codes.categorical.index(code)].softmax(dim=1)

    @cached_property
    def categories(self) -> NDArray[np.int64]:
        """The most likely category of each categorical code for each test image, (n, n_categorical)."""
        return np.column_stack([logits.argmax(dim=1).numpy() for logits in self.posterior.logits])

    @property
    def assignments(self) -> NDArray[np.int64]:
        """The most likely category of the scored code for each test image, (n,)."""
        assert self.scored is not None, "there is a categorical code"  # noqa: S101
        return np.asarray(self.categories[:, self.model.codes.categorical.index(self.scored)])

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each test image, (n,)."""
        assert self.dataset.test_labels is not None, "there are labels"  # noqa: S101
        return self.dataset.test_labels.numpy()

    @cached_property
    def codes(self) -> Codes:
        """The codes that the encoder reads off each test image, (n, n_codes)."""
        return (
            representation(self.model.codes, self.posterior)
            if self._given_codes is None
            else self._given_codes
        )

    @cached_property
    def factors(self) -> FactorValues:
        """The factors that vary in the test set, (n, n_factors)."""
        truth = self.dataset.ground_truth
        assert truth is not None, "there are factors"  # noqa: S101
        values = truth.test.numpy() if self._given_factors is None else self._given_factors
        varied = list(self._facts.varied)
        whole = all(self._facts.kinds[k].discrete for k in varied)
        return values[:, varied].astype(np.int64) if whole else values[:, varied]

    def _factors_for(self, metric: Metric) -> FactorValues:
        """Return the factors (n, n_factors); if the score cannot take one as it is, all are whole numbers."""
        facts = self._facts
        values: FactorValues = self._binned_factors if facts.to_be_cut(metric) else self.factors
        return values[:, [facts.varied.index(k) for k in facts.taken(metric)]]

    @cached_property
    def _binned_factors(self) -> NDArray[np.int64]:
        facts = self._facts
        names = tuple((facts.factors or ())[k] for k in facts.varied)
        known = FactorFacts(names, tuple(facts.kinds[k] for k in facts.varied), facts.factor_bins)
        cut = known.as_taken("discrete", Samples({"factors": self.factors}, {}))
        return cut.arrays["factors"].astype(np.int64)

    @property
    def _halves(self) -> tuple[slice, slice]:
        half = len(self.dataset.test_images) // 2
        return slice(None, half), slice(half, None)

    # Of generated images --------------------------------------------------------------------------------------

    @cached_property
    def _shape_latents(self) -> Latents:
        return self.model.codes.sample(N_SHAPES, torch.Generator(self.model.device).manual_seed(self._seed))

    @cached_property
    def generated_images(self) -> NDArray[np.uint8]:
        """Generated images of random latents, (N_SHAPES, C, H, W)."""
        return generated_images(self.model, self._shape_latents).numpy()

    @property
    def grey_images(self) -> NDArray[np.uint8]:
        """(N_SHAPES, H, W) images of random latents.

        Raises:
            ValueError: if the images have colours.
        """
        channels = self.generated_images.shape[1]
        if channels != 1:
            raise ValueError(f"the images have {channels} channels")
        return self.generated_images[:, 0]

    @property
    def latents(self) -> NDArray[np.float32]:
        """The continuous codes of the generated shapes, (N_SHAPES, n_continuous)."""
        return self._shape_latents.continuous.cpu().numpy()

    @property
    def latent_categories(self) -> NDArray[np.int64] | None:
        """The category of the scored code of each generated shape, (N_SHAPES,)."""
        if self.scored is None:
            return None
        column = self.model.codes.categorical.index(self.scored)
        return self._shape_latents.categories[:, column].cpu().numpy()

    @cached_property
    def _many(self) -> tuple[Latents, torch.Generator]:
        """N_IMAGES latents, and the generator that draws what follows them."""
        generator = torch.Generator(self.model.device).manual_seed(self._seed)
        return self.model.codes.sample(N_IMAGES, generator), generator

    @cached_property
    def _many_images(self) -> Tensor:
        return generated_images(self.model, self._many[0])

    @cached_property
    def _many_latents(self) -> Latents:
        return Latents(*(part.cpu() for part in self._many[0]))

    @cached_property
    def _posterior_of_many(self) -> Posterior:
        """Q's reading of generated images, with BatchNorm's statistics of generated images."""
        return self.model.encode(self._many_images, self._many_images)

    @cached_property
    def log_q(self) -> NDArray[np.float32]:
        """log Q(c|x) of generated images, (N_IMAGES, n_codes)."""
        codes = self.model.codes
        found = codes.log_q(self._many_latents, self._posterior_of_many)
        return np.column_stack([found[code.name].numpy() for code in codes.all])

    @property
    def drawn_codes(self) -> NDArray[np.float32]:
        """The continuous codes of these images, (N_IMAGES, n_continuous)."""
        return self._many_latents.continuous.numpy()

    @property
    def readings(self) -> NDArray[np.float32]:
        """Q's reading of the continuous codes of these images, (N_IMAGES, n_continuous)."""
        return self._posterior_of_many.mean.numpy()

    @property
    def entropies(self) -> list[float]:
        """The entropy of each code, (n_codes,), in nats."""
        return [code.entropy for code in self.model.codes.all]

    @property
    def continuous_entropies(self) -> list[float]:
        """The entropy of each continuous code, (n_continuous,), in nats."""
        return [code.entropy for code in self.model.codes.continuous]

    @cached_property
    def traversals(self) -> list[NDArray[np.uint8]]:
        """Of each code, (50, n_values, n_pixels)."""
        codes = self.model.codes
        latents = codes.sample(_ROWS, self._many[1])
        found = []
        for code in codes.all:
            values = codes.traversal(code, _VALUES).to(latents.z.device)
            repeated = Latents(*(part.repeat_interleave(len(values), dim=0) for part in latents))
            images = generated_images(self.model, codes.with_value(repeated, code, values.repeat(_ROWS)))
            found.append(images.reshape(_ROWS, len(values), -1).numpy())
        return found

    @property
    def _reader(self) -> DigitReader:
        return digit_reader(self._data_dir)

    @property
    def digits(self) -> NDArray[np.float32]:
        """(10000, 64) features of MNIST's test images."""
        return self._reader.real

    @cached_property
    def generated_digits(self) -> NDArray[np.float32]:
        """(N_IMAGES, 64) features of generated images."""
        return self._reader.network(self._many_images.numpy(), pixels="0..255")
