"""A trained model, which makes images of given codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from infogan_bench.codes import Code, LatentCodes, Latents
from infogan_bench.errors import InputError
from infogan_bench.networks import ImageShape, Model, Networks
from infogan_bench.pictures.samples import traversal_latents
from infogan_bench.training import load_checkpoint, restore_model

_N = 16


@dataclass(frozen=True)
class TrainedModel:
    """The networks of a checkpoint and the names of their codes.

    >>> model = TrainedModel.load("runs/mnist/trials/0003/seed-0/checkpoint.safetensors")  # doctest: +SKIP
    >>> model.sample(category=3, uniform_0=[-1, 0, 1]).shape                               # doctest: +SKIP
    torch.Size([3, 1, 28, 28])
    """

    infogan: Model
    image_shape: ImageShape  # (C, H, W)
    source: Path  # the checkpoint
    names: Mapping[str, str] = field(default_factory=dict)  # other names of codes -> their own

    @classmethod
    def load(cls, checkpoint: str | Path, device: torch.device | str = "cpu") -> TrainedModel:
        """Read a checkpoint; the networks are in evaluation mode. `category` is another name of the code that is
        scored against labels.

        Raises:
            InputError: if it is none, or its architecture is not registered.
        """
        read = load_checkpoint(Path(checkpoint))
        infogan = restore_model(read, device)
        infogan.networks.eval()
        infogan.G.eval()
        scored = infogan.codes.scored
        names = {} if scored is None else {"category": scored.name}
        return cls(infogan, read.image_shape, Path(checkpoint), names)

    @property
    def G(self) -> nn.Module:
        """The generator as a torch module: (n, latent_dim) -> images. `codes.flatten(latents)` is its input."""
        return self.infogan.G

    @property
    def networks(self) -> Networks:
        """G as it was trained, the trunk, D's head and Q's as one torch module."""
        return self.infogan.networks

    @property
    def codes(self) -> LatentCodes:
        """The distribution of the latents; `codes.all` lists the codes."""
        return self.infogan.codes

    def named(self, **names: str) -> TrainedModel:
        """Return the same model with names for its codes: `model.named(rotation="uniform_0").sample(rotation=0.5)`.

        Raises:
            InputError: if a name is a code's own, or is given to what is no code.
        """
        for name, code in names.items():
            self._code(code)
            if name in ("n", "seed") or name in [each.name for each in self.codes.all]:
                raise InputError(f"{name}: is taken; give the code {code} another name")
        return replace(self, names={**self.names, **names})

    def latents(self, n: int | None = None, *, seed: int = 0, **codes: Any) -> Latents:
        """Draw latents and set codes in them.

        Args:
            n: how many; by default as many as the longest list of values, or 16.
            seed: decides, with `n` alone, everything that is not set; the same on every device.
            codes: a code's name -> its value, or `n` values: a category from 0 on, or a number (within (-1, 1) in
                training for a uniform code).

        Raises:
            InputError: if there is no such code, or it has no such value.
        """
        values = {self._code(name): _values(name, value) for name, value in codes.items()}
        lengths = {len(value) for value in values.values() if value.ndim}
        n = max(lengths, default=_N) if n is None else n
        if n < 1 or lengths - {n}:
            raise InputError(
                f"codes: one value or {n} of each code, as many as there are images, "
                f"got {', '.join(map(str, sorted(lengths))) or 'no image'}"
            )
        latents = self.codes.sample(n, torch.Generator().manual_seed(seed))
        for code, value in values.items():
            latents = self.codes.with_value(latents, code, _checked(code, value))
        return self._placed(latents)

    def sample(self, n: int | None = None, *, seed: int = 0, **codes: Any) -> Tensor:
        """Return images (n, C, H, W) in [-1, 1] of `latents(n, seed=seed, **codes)`."""
        return self.infogan.generate(self.latents(n, seed=seed, **codes))

    def traverse(self, code: str, n: int = 10, *, rows: int = 8, seed: int = 0) -> Tensor:
        """Show the effect of a code: images (rows, n, C, H, W) in [-1, 1], as in `traversal-CODE.png`.

        A row has one noise and one value of each other code. Its columns are values of the code: `n` between -1 and 1
        for a uniform code, `n` quantiles for a Gaussian code, or every category, for which `n` does not matter.

        Raises:
            InputError: if there is no such code, or `n` or `rows` is less than 1.
        """
        if n < 1 or rows < 1:
            raise InputError(f"traverse: one value and one row or more, got n={n}, rows={rows}")
        generator = torch.Generator().manual_seed(seed)
        latents = traversal_latents(self.codes, self._code(code), generator, points=n, rows=rows)
        images = self.infogan.generate(self._placed(latents))
        return images.reshape(rows, -1, *images.shape[1:])

    def _code(self, name: str) -> Code:
        own = self.names.get(name, name)
        known = {code.name: code for code in self.codes.all}
        if own not in known:
            raise InputError(f"{name}: no such code; there are {', '.join([*known, *self.names])}")
        return known[own]

    def _placed(self, latents: Latents) -> Latents:
        return Latents(*(part.to(self.infogan.device) for part in latents))


def _values(name: str, value: Any) -> Tensor:
    """Return a value, or a list of values, as a tensor of no or one dimension."""
    try:
        values = torch.as_tensor(list(value) if isinstance(value, range | Sequence) else value)
    except (TypeError, ValueError, RuntimeError):
        values = None
    if values is None or values.ndim > 1 or values.is_complex():
        raise InputError(f"{name}: expected a number or a list of numbers, got {value!r:.60}")
    return values.cpu()


def _checked(code: Code, values: Tensor) -> Tensor:
    if code.kind == "categorical":
        good = (values == values.long()) & (values >= 0) & (values < code.size)
        expected = f"a category from 0 to {code.size - 1}"
    else:
        good, expected = values.isfinite(), "a finite number"
    if not bool(good.all()):
        wrong = values.reshape(-1)[~good.reshape(-1)][0].item()
        raise InputError(f"{code.name}: expected {expected}, got {wrong}")
    return values
