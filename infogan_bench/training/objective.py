"""What D and G descend: min over G, Q, max over D of V(D, G) - lambda L_I(G, Q), InfoGAN equation 6.

The two losses are pure functions of networks, images, latents and whatever else is random, on logits throughout:
softplus(-x) is -log sigmoid(x) and softplus(x) is -log(1 - sigmoid(x)), finite for any logit.

With `Views`, the categorical part of L_I is that of transformed images, I(c; T(G(z, c))), so that a category has to
carry what survives the transformations: shape, not slant, size or place (compare Elastic-InfoGAN, arXiv 1910.01112).
The continuous part stays on the images as they are, since slant is what a continuous code may well be.

Two terms on real images ask that Q puts x and T(x) into one category (consistency), and that it uses each category as
often as G is fed it, since p(c) = E_x Q(c|x) (balance): a category that holds two digits while two others share one
breaks that. Compare IMSAT (arXiv 1702.08720) and RIM (Krause et al., 2010). A third (vat) asks that Q's category holds
out against the worst small change of a real image, so that no boundary between categories runs where images are dense:
virtual adversarial training (arXiv 1704.03976), as IMSAT uses it. None of it takes labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan_bench.codes import LatentCodes, Latents
from infogan_bench.config.objective import ObjectiveConfig
from infogan_bench.networks import Networks
from infogan_bench.training.transforms import warp

_PROBE = 1.0  # length of the step at whose end the power iteration takes the gradient

# How much a term counts. A tensor is a replica's own under vmap, where nobody can look whether it is 0: it is not.
Weight = float | Tensor


class Weights(NamedTuple):
    """How much the terms of the objective count."""

    codes: Mapping[str, Weight]  # lambda of each code, by its name
    terms: Mapping[str, Weight]  # of the other terms, by their names in `ObjectiveConfig`

    @classmethod
    def of(cls, objective: ObjectiveConfig, codes: LatentCodes) -> Weights:
        """Those of a configuration; without a categorical code there is nothing to agree on or to balance."""
        of_categories = ("consistency", "balance", "vat")
        terms = {name: getattr(objective, name) if codes.categorical else 0.0 for name in of_categories}
        return cls(code_weights(objective, codes), terms | {"contrastive": objective.contrastive})

    def but_for(self, others: Weights) -> Weights:
        """These, with `others` in the place of those that it has."""
        return Weights({**self.codes, **others.codes}, {**self.terms, **others.terms})


NO_WEIGHTS = Weights({}, {})


def code_weights(objective: ObjectiveConfig, codes: LatentCodes) -> dict[str, float]:
    """lambda of each code, by its name."""
    return {
        code.name: objective.lambda_cat if code.kind == "categorical" else objective.lambda_cont
        for code in codes.all
    }


def _counts(weight: Weight) -> bool:
    return isinstance(weight, Tensor) or weight != 0


class Views(NamedTuple):
    """Affine maps (n, 2, 3) of transformed copies, for the two steps that look at them: of a batch's first n images,
    n being all of them or, which costs less, a share."""

    fake_in_d_step: Tensor
    fake_in_g_step: Tensor
    real: Tensor


class InstanceNoise(NamedTuple):
    """What is added to the images (B, C, H, W) that D judges, in its own step and in G's (arXiv 1610.04490)."""

    real: Tensor
    fake_in_d_step: Tensor
    fake_in_g_step: Tensor


class Pairs(NamedTuple):
    """Partners of a batch's first n generated images: each shares the value of one continuous code with its own."""

    images: Tensor  # (n, C, H, W)
    shared: Tensor  # (n,) int64, the number of that code


class DiscriminatorTerms(NamedTuple):
    """What D, Q and their trunk descend, and the parts that are logged; scalars."""

    loss: Tensor
    adversarial: Tensor
    bounds: dict[str, Tensor]  # L_I of each code, nats
    consistency: Tensor  # nats; 0 where it has no weight
    balance: Tensor  # nats; 0 where it has no weight
    vat: Tensor  # nats; 0 where it has no weight
    contrastive: Tensor  # nats; 0 where it has no weight

    @property
    def logged(self) -> list[Tensor]:
        """The parts, in the order of `Trainer.quantities`."""
        return [
            self.adversarial,
            *self.bounds.values(),
            self.consistency,
            self.balance,
            self.vat,
            self.contrastive,
        ]


def discriminator_loss(
    networks: Networks,
    codes: LatentCodes,
    weights: Mapping[str, Weight],
    real: Tensor,
    fake: Tensor,
    latents: Latents,
    views: Views | None = None,
    consistency: Weight = 0.0,
    balance: Weight = 0.0,
    noise: InstanceNoise | None = None,
    r1: float = 0.0,
    vat: Weight = 0.0,
    change: Tensor | None = None,
    contrastive: Weight = 0.0,
    pairs: Pairs | None = None,
) -> DiscriminatorTerms:
    """What D, Q and their trunk descend.

    -[log D(x) + log(1 - D(G(z, c)))] - sum_k lambda_k L_I(c_k) + consistency C + balance B + vat A + contrastive R,
    with C, B and R as in `_consistency`, `_imbalance` and `_contrastive`, and A as far as `change` of the first n real
    images moves Q's categories; without `views` there is no C, without `change` no A, without `pairs` no R. BatchNorm
    never mixes the statistics of real images, fake ones and so on: it would tell D which half is real. A code whose
    lambda is 0 is still fitted by Q's head, with weight 1, but sends the trunk nothing. With `noise`, what Q reads in
    the same pass as D is of noisy images too; transformed ones have none. `r1` adds the penalty r1/2 E|grad D(x)|^2 on
    the logits of the real images as D judges them (arXiv 1801.04406, equation 9); under BatchNorm an image's gradient
    includes what it does to the other logits of its batch.
    """
    judged = real if noise is None else real + noise.real
    batches = {"real": judged, "fake": fake if noise is None else fake + noise.fake_in_d_step}
    if views is not None:
        batches["fake view"] = _transformed(fake, views.fake_in_d_step)
        if _counts(consistency):
            batches["real view"] = _transformed(real, views.real)
    if change is not None and _counts(vat):
        batches["changed"] = real[: len(change)] + change
    alone = {}
    if r1:  # the penalty is on the way back through this one alone
        judged = batches.pop("real").detach().requires_grad_()
        alone = {"real": networks.trunk(judged)}
    features = alone | networks.features(batches)
    real_logits = networks.D(features["real"])
    adversarial = F.softplus(-real_logits).mean() + F.softplus(networks.D(features["fake"])).mean()
    seen = {"continuous": features["fake"], "categorical": features.get("fake view", features["fake"])}
    bounds = _bounds_for_head_and_trunk(networks, codes, weights, seen, latents)
    loss = adversarial
    for name, bound in bounds.items():
        loss = loss - (weights[name] if _counts(weights[name]) else 1.0) * bound
    disagreement = imbalance = shift = torch.zeros_like(adversarial)
    if "real view" in features or "changed" in features or _counts(balance):
        logits = codes.split(networks.Q_head(features["real"])).logits
        if "real view" in features:
            disagreement = _consistency(logits, codes.split(networks.Q_head(features["real view"])).logits)
        if _counts(balance):
            imbalance = _imbalance(logits)
        if "changed" in features:
            shift = _shift(logits, codes.split(networks.Q_head(features["changed"])).logits)
        loss = loss + consistency * disagreement + balance * imbalance + vat * shift
    told = torch.zeros_like(adversarial)
    if _counts(contrastive) and pairs is not None:
        told = _contrastive(networks, fake, pairs)
        loss = loss + contrastive * told
    if r1:
        (gradient,) = torch.autograd.grad(real_logits.sum(), judged, create_graph=True)
        loss = loss + r1 / 2 * gradient.square().sum() / len(gradient)
    return DiscriminatorTerms(loss, adversarial, bounds, disagreement, imbalance, shift, told)


def generator_loss(
    networks: Networks,
    codes: LatentCodes,
    weights: Mapping[str, Weight],
    fake: Tensor,
    latents: Latents,
    views: Views | None = None,
    noise: InstanceNoise | None = None,
    contrastive: Weight = 0.0,
    pairs: Pairs | None = None,
) -> tuple[Tensor, Tensor]:
    """What G descends, D, Q and their trunk given, and its adversarial part.

    -log D(G(z, c)) - sum_k lambda_k L_I(c_k) + contrastive R.
    """
    batches = {"fake": fake if noise is None else fake + noise.fake_in_g_step}
    if views is not None and any(_counts(weights[code.name]) for code in codes.categorical):
        batches["view"] = _transformed(fake, views.fake_in_g_step)
    features = networks.features(batches)
    adversarial = F.softplus(-networks.D(features["fake"])).mean()
    loss = adversarial
    if any(map(_counts, weights.values())):
        seen = {"continuous": features["fake"], "categorical": features.get("view", features["fake"])}
        bounds = _bounds(networks, codes, seen, latents)
        for name, weight in weights.items():
            if _counts(weight):
                loss = loss - weight * bounds[name]
    if _counts(contrastive) and pairs is not None:
        loss = loss + contrastive * _contrastive(networks, fake, pairs)
    return loss, adversarial


def _transformed(images: Tensor, affines: Tensor) -> Tensor:
    """The first n images, transformed by `affines` (n, 2, 3)."""
    return warp(images[: len(affines)], affines)


def _consistency(logits: Sequence[Tensor], transformed: Sequence[Tensor]) -> Tensor:
    """Cross-entropy in nats between Q's categorical posteriors of images (B, K) and of the first n transformed (n, K),
    each way, the target held fixed; summed over the categorical codes."""
    total = transformed[0].new_zeros(())
    for a, b in zip((each[: len(transformed[0])] for each in logits), transformed, strict=True):
        total = total + F.cross_entropy(a, b.detach().softmax(1)) + F.cross_entropy(b, a.detach().softmax(1))
    return total


def _imbalance(logits: Sequence[Tensor]) -> Tensor:
    """KL in nats from the uniform prior to the mean of Q's categorical posteriors over the batch, summed over the
    categorical codes: 0 where every category is used as often."""
    total = logits[0].new_zeros(())
    for each in logits:
        mean = each.softmax(1).mean(0)
        total = total + math.log(each.shape[1]) + torch.special.xlogy(mean, mean).sum()
    return total


def category_shift(networks: Networks, codes: LatentCodes, images: Tensor, change: Tensor) -> Tensor:
    """KL in nats from Q's categorical posteriors of images (n, C, H, W), held fixed, to those of images + change;
    summed over the codes."""
    with torch.no_grad():
        logits = codes.split(networks.Q_head(networks.trunk(images))).logits
    return _shift(logits, codes.split(networks.Q_head(networks.trunk(images + change))).logits)


def worst_change(shift: Callable[[Tensor], Tensor], directions: Tensor, radius: float) -> Tensor:
    """The change (..., n, C, H, W) of images, each of Euclidean length `radius`, that moves Q's categories most, by one
    power iteration (arXiv 1704.03976, algorithm 1).

    Args:
        shift: of a change, how far it moves them: `category_shift`, or of replicas one for each.
        directions: normal, like a change; where the search begins.
        radius: over all pixels of an image in [-1, 1].
    """
    direction = _unit(directions).requires_grad_()
    (gradient,) = torch.autograd.grad(shift(_PROBE * direction).sum(), direction)
    return radius * _unit(gradient)


def _unit(images: Tensor) -> Tensor:
    """Each of (..., n, C, H, W) scaled to length 1; one of zeros stays."""
    return F.normalize(images.flatten(-3), dim=-1).view_as(images)


def _shift(logits: Sequence[Tensor], moved: Sequence[Tensor]) -> Tensor:
    """KL in nats from categorical posteriors, held fixed, of the first n images to others (n, K), over the codes."""
    total = moved[0].new_zeros(())
    for a, b in zip(logits, moved, strict=True):
        target = a[: len(b)].detach().softmax(1)
        negative_entropy = torch.special.xlogy(target, target).sum(1).mean()
        total = total + F.cross_entropy(b, target) + negative_entropy
    return total


def _contrastive(networks: Networks, fake: Tensor, pairs: Pairs) -> Tensor:
    """Cross-entropy in nats of telling which continuous code an image and its partner share; log n_continuous by guess.
    InfoGAN-CR (arXiv 1906.06034), section 4: the images differ in all else, noise and categories too."""
    both = torch.cat([fake[: len(pairs.images)], pairs.images], dim=1)
    return F.cross_entropy(cast(nn.Module, networks.CR)(both), pairs.shared)


def _bounds(
    networks: Networks, codes: LatentCodes, seen: Mapping[str, Tensor], latents: Latents
) -> dict[str, Tensor]:
    """L_I of each code from the features in which Q sees its kind."""
    bounds = codes.mi_bounds(latents, codes.split(networks.Q_head(seen["continuous"])))
    if seen["categorical"] is not seen["continuous"]:
        features = seen["categorical"]
        seen_latents = Latents(*(part[: len(features)] for part in latents))
        transformed = codes.mi_bounds(seen_latents, codes.split(networks.Q_head(features)))
        bounds |= {code.name: transformed[code.name] for code in codes.categorical}
    return bounds


def _bounds_for_head_and_trunk(
    networks: Networks,
    codes: LatentCodes,
    weights: Mapping[str, Weight],
    seen: Mapping[str, Tensor],
    latents: Latents,
) -> dict[str, Tensor]:
    """L_I of each code; the gradient of those with lambda 0 ends at Q's head."""
    cut = seen["categorical"].detach()
    at_head = {
        "categorical": cut,
        "continuous": cut if seen["continuous"] is seen["categorical"] else seen["continuous"].detach(),
    }
    if not any(map(_counts, weights.values())):
        return _bounds(networks, codes, at_head, latents)
    bounds = _bounds(networks, codes, seen, latents)
    if not all(map(_counts, weights.values())):
        cut_bounds = _bounds(networks, codes, at_head, latents)
        bounds = {name: bounds[name] if _counts(weights[name]) else cut_bounds[name] for name in bounds}
    return bounds
