"""A torchmetrics metric of the scores that stream (the extra `torchmetrics`). Importing this imports torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from infogan_metrics.streaming import STREAMED, informations_of_occurring

try:
    from torchmetrics import Metric as _Metric
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "this needs torchmetrics, which is not installed: pip install 'infogan-metrics[torchmetrics]'"
    ) from None


class CodeScores(_Metric):  # type: ignore[misc]  # where torchmetrics is not installed, its class is unknown
    """MIG, MIG-sup, JEMMIG, DCIMIG and modularity of batches, counted on the device that they are on.

    Counts are summed over processes. One copy to the CPU is made, in `compute`.
    """

    full_state_update = False
    higher_is_better = True
    is_differentiable = False
    counts: Tensor
    edges: Tensor

    def __init__(self, edges: Any, n_factors: int, n_values: int, **options: Any) -> None:
        """Start with no samples; see `StreamingScores` for `edges` and `n_values`."""
        super().__init__(**options)
        bounds = torch.as_tensor(np.asarray(edges, dtype=np.float64))
        if bounds.ndim != 2 or bounds.shape[1] < 3 or n_values < 2 or n_factors < 1:
            raise ValueError(
                f"`edges` must be (n_codes, n_bins + 1), but have shape {tuple(bounds.shape)}; "
                "`n_values` must be at least 2 and `n_factors` at least 1"
            )
        self.register_buffer("edges", bounds)
        n_codes, n_bins = bounds.shape[0], bounds.shape[1] - 1
        zeros = torch.zeros((n_codes, n_factors, n_bins, n_values), dtype=torch.int64)
        self.add_state("counts", zeros, dist_reduce_fx="sum")

    def update(self, codes: Tensor, factors: Tensor) -> None:
        """Count a batch of codes (n, n_codes) and factors (n, n_factors), whole numbers from 0.

        Raises:
            ValueError: if the shapes or values are not those announced.
        """
        n_codes, n_factors, n_bins, n_values = self.counts.shape
        if codes.shape != (len(codes), n_codes) or factors.shape != (len(codes), n_factors):
            raise ValueError(
                f"codes and factors must be (n, {n_codes}) and (n, {n_factors}), "
                f"but are {tuple(codes.shape)} and {tuple(factors.shape)}"
            )
        if bool((factors < 0).any() | (factors >= n_values).any()):
            raise ValueError(f"`factors` must hold whole numbers from 0 to {n_values - 1}")
        columns = codes.detach().to(torch.float64).T.contiguous()
        bins = torch.searchsorted(self.edges[:, 1:-1].contiguous(), columns, right=True)  # (n_codes, n)
        cells = bins[:, None, :] * n_values + factors.long().T[None]  # (n_codes, n_factors, n)
        offsets = torch.arange(n_codes * n_factors, device=cells.device) * (n_bins * n_values)
        flat = (cells.reshape(n_codes * n_factors, -1) + offsets[:, None]).ravel()
        self.counts += torch.bincount(flat, minlength=self.counts.numel()).reshape(self.counts.shape)

    def compute(self) -> dict[str, float]:
        """Return {name: value} of all samples so far."""
        n_bins = self.edges.shape[1] - 1
        known = informations_of_occurring(self.counts.cpu().numpy(), n_bins)
        return {name: float(score(known)) for name, score in STREAMED.items()}
