"""G, D and Q as one module."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from infogan_bench.networks.layers import each_apart

ImageShape = tuple[int, int, int]  # channels, height, width


class Networks(nn.Module):
    """Generator, the trunk that D and Q share, and the two heads.

    G: (B, latent_dim) -> (B, C, H, W) in [-1, 1]. trunk: images -> (B, features). D_head: features -> (B, 1)
    logits. Q_head: features -> (B, q_dim). CR, where the objective has a contrastive term: two images, one after the
    other in their channels (B, 2 C, H, W) -> (B, n_continuous) logits of which continuous code they share. TC, of a
    FactorVAE: latents (B, n_codes) -> (B, 2) logits that they come from the encoder, or were permuted. `glorot`: the
    initial weights are those of Glorot.
    """

    def __init__(
        self,
        *,
        G: nn.Module,
        trunk: nn.Module,
        D_head: nn.Module,
        Q_head: nn.Module,
        glorot: bool = False,
    ) -> None:
        super().__init__()
        self.G = G
        self.trunk = trunk
        self.D_head = D_head
        self.Q_head = Q_head
        self.CR: nn.Module | None = None
        self.TC: nn.Module | None = None
        self.glorot = glorot

    def features(self, batches: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The trunk's features (n, features) of several batches of images, with BatchNorm's statistics of each batch
        apart."""
        return each_apart(self.trunk, batches)

    def D(self, features: Tensor) -> Tensor:
        """Logits (B,) that the images behind `features` are real."""
        logits: Tensor = self.D_head(features)
        return logits.squeeze(1)

    def D_and_Q_parameters(self) -> list[nn.Parameter]:
        """The parameters of D's optimiser: of the trunk and both heads, and of CR if it is there."""
        parts = [self.trunk, self.D_head, self.Q_head, *([] if self.CR is None else [self.CR])]
        return [p for part in parts for p in part.parameters()]
