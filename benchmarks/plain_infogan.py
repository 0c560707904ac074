"""A plain InfoGAN for MNIST, eager PyTorch in the style of common public ports: what `train.py` compares with.

Convolutions on 1x1 images stand where `infogan_bench` has linear layers, images come one by one from a loader with a
transform each, D sees real images, then fake ones, then G's and Q's pass follows, gradients that nobody uses are
computed, and losses are read at every step. The networks and the step are mathematically those of
`infogan_bench`'s paper recipe: tests/training/test_gradients.py holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

NOISE, CATEGORIES, CONTINUOUS = 62, 10, 2


class MNIST(Dataset[Tensor]):
    """Images as torchvision's datasets give them: one at a time, by way of PIL. `images`: uint8 (N, 1, 28, 28)."""

    def __init__(self, images: Tensor) -> None:
        self.images = images
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        image: Tensor = self.transform(Image.fromarray(self.images[index, 0].numpy()))
        return image


class UnitBias(nn.Module):
    """A bias for each unit of (B, C, 7, 7): a transposed convolution has one for each channel alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 7, 7))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


class Generator(nn.Module):
    """(B, 74, 1, 1) -> (B, 1, 28, 28) in [-1, 1]; InfoGAN, table 1."""

    def __init__(self, c64: int, c128: int, fc: int) -> None:
        super().__init__()
        self.tconv1 = nn.ConvTranspose2d(NOISE + CATEGORIES + CONTINUOUS, fc, 1)
        self.bn1 = nn.BatchNorm2d(fc)
        # table 1 has a fully connected layer here: a bias and a BatchNorm for each unit, not for each channel
        self.tconv2 = nn.ConvTranspose2d(fc, c128, 7, bias=False)
        self.bias2 = UnitBias(c128)
        self.bn2 = nn.BatchNorm1d(c128 * 7 * 7)
        self.tconv3 = nn.ConvTranspose2d(c128, c64, 4, stride=2, padding=1)
        self.bn3 = nn.BatchNorm2d(c64)
        self.tconv4 = nn.ConvTranspose2d(c64, 1, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(F.relu(self.tconv1(x)))
        x = F.relu(self.bias2(self.tconv2(x)))
        x = self.bn2(x.flatten(1)).view_as(x)
        x = self.bn3(F.relu(self.tconv3(x)))
        return torch.tanh(self.tconv4(x))


class Trunk(nn.Module):
    """(B, 1, 28, 28) -> (B, 1024, 1, 1): what D and Q share."""

    def __init__(self, c64: int, c128: int, fc: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, c64, 4, stride=2, padding=1)
        self.conv2 = nn.Conv2d(c64, c128, 4, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c128)
        self.conv3 = nn.Conv2d(c128, fc, 7, bias=False)
        self.bn3 = nn.BatchNorm2d(fc)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv1(x), 0.1)
        x = F.leaky_relu(self.bn2(self.conv2(x)), 0.1)
        return F.leaky_relu(self.bn3(self.conv3(x)), 0.1)


class DHead(nn.Module):
    """(B, 1024, 1, 1) -> (B,) logits."""

    def __init__(self, fc: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(fc, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.conv(x)
        return logits.view(-1)


class QHead(nn.Module):
    """(B, 1024, 1, 1) -> logits (B, 10) of the category and means (B, 2) of the other codes."""

    def __init__(self, fc: int, c128: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(fc, c128, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c128)
        self.conv2 = nn.Conv2d(c128, CATEGORIES + CONTINUOUS, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv2(F.leaky_relu(self.bn1(self.conv1(x)), 0.1)).flatten(1)
        return x[:, :CATEGORIES], x[:, CATEGORIES:]


def init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class PlainInfoGAN:
    """Networks, loader, optimisers and the step, as a port's script has them.

    Args:
        images: uint8 (N, 1, 28, 28).
        width: multiplier of all channel counts.
        batch: images a step.
        device: where the networks live.
    """

    def __init__(
        self, images: Tensor, width: float = 1.0, batch: int = 128, device: torch.device | str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        c64, c128, fc = (max(1, round(channels * width)) for channels in (64, 128, 1024))
        self.G = Generator(c64, c128, fc).apply(init_weights).to(self.device)
        self.trunk = Trunk(c64, c128, fc).apply(init_weights).to(self.device)
        self.D_head = DHead(fc).apply(init_weights).to(self.device)
        self.Q_head = QHead(fc, c128).apply(init_weights).to(self.device)
        self.loader = DataLoader(MNIST(images), batch_size=batch, shuffle=True, drop_last=True)
        self.optim_G = torch.optim.Adam(self.G.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.optim_D = torch.optim.Adam(self.D_and_Q_parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.bce = nn.BCEWithLogitsLoss()
        self.cross_entropy = nn.CrossEntropyLoss()
        self.nll = nn.GaussianNLLLoss()
        self._batches = self.batches()

    def D_and_Q_parameters(self) -> list[nn.Parameter]:
        return [p for part in (self.trunk, self.D_head, self.Q_head) for p in part.parameters()]

    def batches(self) -> Iterator[Tensor]:
        """Real images (B, 1, 28, 28), epoch after epoch."""
        while True:
            yield from self.loader

    def train(self, steps: int) -> None:
        for _ in range(steps):
            real = next(self._batches).to(self.device)
            noise = torch.rand(len(real), NOISE, device=self.device) * 2 - 1
            categories = torch.randint(CATEGORIES, (len(real),), device=self.device)
            continuous = torch.rand(len(real), CONTINUOUS, device=self.device) * 2 - 1
            self.update(real, noise, categories, continuous)

    def update(
        self, real: Tensor, noise: Tensor, categories: Tensor, continuous: Tensor
    ) -> tuple[float, float]:
        """One step of D, Q and their trunk and one of G; returns the two losses."""
        fake = self.generate(noise, categories, continuous)

        self.optim_D.zero_grad()
        loss_D = self.backward_D(real, fake, categories, continuous)
        self.optim_D.step()

        self.optim_G.zero_grad()
        loss_G = self.backward_G(fake, categories, continuous)
        self.optim_G.step()
        return loss_D.item(), loss_G.item()

    def generate(self, noise: Tensor, categories: Tensor, continuous: Tensor) -> Tensor:
        one_hot = F.one_hot(categories, CATEGORIES).to(noise.dtype)
        fake: Tensor = self.G(torch.cat([noise, one_hot, continuous], dim=1)[:, :, None, None])
        return fake

    def backward_D(self, real: Tensor, fake: Tensor, categories: Tensor, continuous: Tensor) -> Tensor:
        """D up on log D(x) + log(1 - D(G(z, c))), Q and the trunk on L_I; returns the loss."""
        label = torch.ones(len(real), dtype=real.dtype, device=self.device)
        loss_real: Tensor = self.bce(self.D_head(self.trunk(real)), label)
        loss_real.backward()  # type: ignore[no-untyped-call]

        features = self.trunk(fake.detach())
        loss_fake: Tensor = self.bce(self.D_head(features), torch.zeros_like(label))
        loss_fake = loss_fake + self.info_loss(features, categories, continuous)
        loss_fake.backward()  # type: ignore[no-untyped-call]
        return loss_real + loss_fake

    def backward_G(self, fake: Tensor, categories: Tensor, continuous: Tensor) -> Tensor:
        """G up on log D(G(z, c)) and on L_I; returns the loss."""
        features = self.trunk(fake)
        logits = self.D_head(features)
        loss: Tensor = self.bce(logits, torch.ones_like(logits)) + self.info_loss(
            features, categories, continuous
        )
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    def info_loss(self, features: Tensor, categories: Tensor, continuous: Tensor) -> Tensor:
        """-L_I but for constants: both lambdas are 1, and so is the standard deviation of the Gaussian."""
        logits, means = self.Q_head(features)
        loss: Tensor = self.cross_entropy(logits, categories)
        for k in range(CONTINUOUS):
            loss = loss + self.nll(means[:, k], continuous[:, k], torch.ones_like(means[:, k]))
        return loss
