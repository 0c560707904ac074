"""What D and G descend: min over G, Q, max over D of V(D, G) - lambda L_I(G, Q), InfoGAN equation 6.

The two losses are pure functions of networks, images and latents, on logits throughout: softplus(-x) is
-log sigmoid(x) and softplus(x) is -log(1 - sigmoid(x)), finite for any logit.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config.models import ObjectiveConfig
from infogan_bench.networks import Networks


def code_weights(objective: ObjectiveConfig, codes: LatentCodes) -> dict[str, float]:
    """lambda of each code, by its name."""
    return {
        code.name: objective.lambda_cat if code.kind == "categorical" else objective.lambda_cont
        for code in codes.all
    }


def discriminator_loss(
    networks: Networks,
    codes: LatentCodes,
    weights: Mapping[str, float],
    real: Tensor,
    fake: Tensor,
    latents: Latents,
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """What D, Q and their trunk descend, its adversarial part, and L_I of each code in nats.

    -[log D(x) + log(1 - D(G(z, c)))] - sum_k lambda_k L_I(c_k). Real and fake images pass through the trunk
    apart, so that BatchNorm never mixes their statistics: in one batch it would tell D which half is real.
    A code whose lambda is 0 is still fitted by Q's head, with weight 1, but sends the trunk nothing.
    """
    real_features = networks.trunk(real)
    fake_features = networks.trunk(fake)
    adversarial = F.softplus(-networks.D(real_features)).mean() + F.softplus(networks.D(fake_features)).mean()
    bounds = _bounds_for_head_and_trunk(networks, codes, weights, fake_features, latents)
    loss = adversarial
    for name, bound in bounds.items():
        loss = loss - (weights[name] or 1.0) * bound
    return loss, adversarial, bounds


def generator_loss(
    networks: Networks, codes: LatentCodes, weights: Mapping[str, float], fake: Tensor, latents: Latents
) -> tuple[Tensor, Tensor]:
    """What G descends, D, Q and their trunk given, and its adversarial part.

    -log D(G(z, c)) - sum_k lambda_k L_I(c_k).
    """
    features = networks.trunk(fake)
    adversarial = F.softplus(-networks.D(features)).mean()
    loss = adversarial
    if any(weights.values()):
        bounds = codes.mi_bounds(latents, codes.split(networks.Q_head(features)))
        for name, weight in weights.items():
            if weight:
                loss = loss - weight * bounds[name]
    return loss, adversarial


def _bounds_for_head_and_trunk(
    networks: Networks,
    codes: LatentCodes,
    weights: Mapping[str, float],
    features: Tensor,
    latents: Latents,
) -> dict[str, Tensor]:
    """L_I of each code; the gradient of those with lambda 0 ends at Q's head."""
    through_trunk = any(weights.values())
    bounds = codes.mi_bounds(
        latents, codes.split(networks.Q_head(features if through_trunk else features.detach()))
    )
    if through_trunk and not all(weights.values()):
        at_head = codes.mi_bounds(latents, codes.split(networks.Q_head(features.detach())))
        bounds = {name: bounds[name] if weights[name] else at_head[name] for name in bounds}
    return bounds
