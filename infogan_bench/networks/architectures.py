"""The architectures that ship. Each takes images whose sides can be halved as often as the architecture halves them."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import nn

from infogan_bench.errors import InputError
from infogan_bench.networks.layers import ToImages, ToRows
from infogan_bench.networks.module import ImageShape, Networks
from infogan_bench.networks.registry import register_architecture
from infogan_bench.networks.spectral import spectral_norm

LEAK = 0.1  # slope of every leaky rectifier, InfoGAN appendix C


@register_architecture("paper", cuda_graph=True)
@register_architecture("paper-faces", cuda_graph=True)
def paper(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """InfoGAN, table 1 (MNIST), and table 4 (3D faces), which has the same layers for images of 32 x 32. The first
    layer of G is linear, which is the same as the paper's layer for a 1x1 input."""
    channels, h, w = _halved(image_shape, times=2)
    c64, c128, fc = _scaled(width, 64, 128, 1024)
    return Networks(
        G=nn.Sequential(
            *_linear_relu_bn(latent_dim, fc),
            *_linear_relu_bn(fc, c128 * h * w),
            ToImages(c128, h, w),
            *_upconv_relu_bn(c128, c64),
            *_upconv_tanh(c64, channels),
        ),
        trunk=nn.Sequential(
            *_conv_lrelu(channels, c64),
            *_conv_bn_lrelu(c64, c128, 4, stride=2),
            ToRows(),
            *_linear_bn_lrelu(c128 * h * w, fc),
        ),
        D_head=nn.Linear(fc, 1),
        Q_head=_q_head(fc, q_dim, width),
    )


@register_architecture("mlp", cuda_graph=True)
def mlp(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """Fully connected: two hidden layers of 512 units in G, of 512 and 256 in the trunk."""
    pixels = math.prod(image_shape)
    h256, h512 = _scaled(width, 256, 512)
    return Networks(
        G=nn.Sequential(
            *_linear_relu_bn(latent_dim, h512),
            *_linear_relu_bn(h512, h512),
            nn.Linear(h512, pixels),
            nn.Tanh(),
            ToImages(*image_shape),
        ),
        trunk=nn.Sequential(
            ToRows(),
            nn.Linear(pixels, h512),
            nn.LeakyReLU(LEAK, inplace=True),
            *_linear_bn_lrelu(h512, h256),
        ),
        D_head=nn.Linear(h256, 1),
        Q_head=_q_head(h256, q_dim, width),
    )


@register_architecture("paper-svhn", cuda_graph=True)
@register_architecture("paper-celeba", cuda_graph=True)
def paper_colour(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """InfoGAN, tables 2 (SVHN) and 3 (CelebA), which print the same networks for images of 32 x 32 in colour."""
    channels, h, w = _halved(image_shape, times=4)
    c64, c128, c256, c448 = _scaled(width, 64, 128, 256, 448)
    return Networks(
        G=nn.Sequential(
            *_linear_relu_bn(latent_dim, c448 * h * w),
            ToImages(c448, h, w),
            *_upconv_relu_bn(c448, c256),
            *_upconv_relu_bn(c256, c128),
            *_upconv_relu_bn(c128, c64),
            *_upconv_tanh(c64, channels),
        ),
        trunk=nn.Sequential(
            *_conv_lrelu(channels, c64),
            *_conv_bn_lrelu(c64, c128, 4, stride=2),
            *_conv_bn_lrelu(c128, c256, 4, stride=2),
            ToRows(),
        ),
        D_head=nn.Linear(c256 * 2 * h * 2 * w, 1),
        Q_head=_q_head(c256 * 2 * h * 2 * w, q_dim, width),
    )


@register_architecture("paper-chairs", cuda_graph=True)
def paper_chairs(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """InfoGAN, table 5 (3D chairs, 64 x 64 in grey).

    The table's G makes images of 32 x 32 from 8 x 8, so its last layer has stride 2 here. Its layers of stride 1 have
    kernels of 4 x 4 and keep the size; there a transposed convolution is a convolution.
    """
    channels, h, w = _halved(image_shape, times=3)
    c64, c128, c256, fc = _scaled(width, 64, 128, 256, 1024)
    return Networks(
        G=nn.Sequential(
            *_linear_relu_bn(latent_dim, fc),
            *_linear_relu_bn(fc, c256 * h * w),
            ToImages(c256, h, w),
            *_same_size(c256, c256),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(c256),
            *_same_size(c256, c256),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(c256),
            *_upconv_relu_bn(c256, c128),
            *_upconv_relu_bn(c128, c64),
            *_upconv_tanh(c64, channels),
        ),
        trunk=nn.Sequential(
            *_conv_lrelu(channels, c64),
            *_conv_bn_lrelu(c64, c128, 4, stride=2),
            *_conv_bn_lrelu(c128, c256, 4, stride=2),
            *_same_size(c256, c256, bias=False),
            nn.BatchNorm2d(c256),
            nn.LeakyReLU(LEAK, inplace=True),
            *_same_size(c256, c256, bias=False),
            nn.BatchNorm2d(c256),
            nn.LeakyReLU(LEAK, inplace=True),
            ToRows(),
            *_linear_bn_lrelu(c256 * h * w, fc),
        ),
        D_head=nn.Linear(fc, 1),
        Q_head=_q_head(fc, q_dim, width),
    )


@register_architecture("dcgan", cuda_graph=True)
def dcgan(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """All-convolutional after DCGAN (arXiv 1511.06434): a 3x3 layer follows each change of resolution, and there are
    no hidden fully connected layers. It halves the images as often as `_times` says: twice for 28 x 28, three times for
    32 x 32, four times for 64 x 64."""
    times = _times(image_shape)
    channels, h, w = _halved(image_shape, times)
    c64, c128, c256 = _scaled(width, 64, 128, 256)
    deeper = range(times - 2)
    return Networks(
        G=nn.Sequential(
            nn.Linear(latent_dim, c256 * h * w, bias=False),
            ToImages(c256, h, w),
            nn.BatchNorm2d(c256),
            nn.ReLU(inplace=True),
            *(layer for _ in deeper for layer in (*_conv_bn_relu(c256, c256), *_upconv_bn_relu(c256, c256))),
            *_conv_bn_relu(c256, c128),
            *_upconv_bn_relu(c128, c64),
            *_conv_bn_relu(c64, c64),
            *_upconv_tanh(c64, channels),
        ),
        trunk=nn.Sequential(
            *_conv_lrelu(channels, c64),
            *_conv_bn_lrelu(c64, c128, 3, stride=1),
            *_conv_bn_lrelu(c128, c256, 4, stride=2),
            *_conv_bn_lrelu(c256, c256, 3, stride=1),
            *(
                layer
                for _ in deeper
                for layer in (
                    *_conv_bn_lrelu(c256, c256, 4, stride=2),
                    *_conv_bn_lrelu(c256, c256, 3, stride=1),
                )
            ),
            ToRows(),
        ),
        D_head=nn.Linear(c256 * h * w, 1),
        Q_head=_q_head(c256 * h * w, q_dim, width),
    )


@register_architecture("infogan-cr", cuda_graph=True)
def infogan_cr(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """InfoGAN-CR (arXiv 1906.06034), its networks for dSprites: spectral normalisation in D and its trunk, no
    BatchNorm outside of G.

    The networks of InfoGAN-CR halve images of 64 x 64 four times, with 32, 32, 64 and 64 channels. Images of another
    size are halved as often as `_times` says, and the first half of the layers has 32 channels.
    """
    times = _times(image_shape)
    channels, h, w = _halved(image_shape, times)
    c32, c64, fc = _scaled(width, 32, 64, 128)
    of_layer = _in_halves(times, c32, c64)
    return Networks(
        G=nn.Sequential(
            *_linear_relu_bn(latent_dim, fc),
            *_linear_relu_bn(fc, c64 * h * w),
            ToImages(c64, h, w),
            *(
                layer
                for n_out, n_in in reversed(list(pairwise(of_layer)))
                for layer in _upconv_bn_lrelu(n_in, n_out)
            ),
            *_upconv_tanh(c32, channels),
        ),
        trunk=nn.Sequential(
            *(
                layer
                for n_in, n_out in pairwise([channels, *of_layer])
                for layer in _sn_conv_lrelu(n_in, n_out)
            ),
            ToRows(),
            spectral_norm(nn.Linear(c64 * h * w, fc)),
            nn.LeakyReLU(LEAK, inplace=True),
        ),
        D_head=spectral_norm(nn.Linear(fc, 1)),
        Q_head=nn.Sequential(nn.Linear(fc, fc), nn.LeakyReLU(LEAK, inplace=True), nn.Linear(fc, q_dim)),
    )


@register_architecture("study", cuda_graph=True)
def study(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """The networks of the study of VAEs (Locatello et al., arXiv 1811.12359, appendix), without BatchNorm.

    The study halves images of 64 x 64 four times, with 32, 32, 64 and 64 channels; the encoder's kernels are of 4 x 4
    where there are 32 channels, and of 2 x 2 where there are 64. Images of another size are halved as often as `_times`
    says, and the first half of the layers has 32 channels. Weights begin as in the study (Glorot's).
    """
    times = _times(image_shape)
    channels, h, w = _halved(image_shape, times)
    c32, c64, fc = _scaled(width, 32, 64, 256)
    of_layer = _in_halves(times, c32, c64)
    kernels = _in_halves(times, 4, 2)
    encoder = zip(pairwise([channels, *of_layer]), kernels, strict=True)
    return Networks(
        G=nn.Sequential(
            *_linear_relu(latent_dim, fc),
            *_linear_relu(fc, c64 * h * w),
            ToImages(c64, h, w),
            *(
                layer
                for n_in, n_out in pairwise(reversed(of_layer))
                for layer in (
                    nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1),
                    nn.ReLU(inplace=True),
                )
            ),
            *_upconv_tanh(c32, channels),
        ),
        trunk=nn.Sequential(
            *(
                layer
                for (n_in, n_out), kernel in encoder
                for layer in (
                    nn.Conv2d(n_in, n_out, kernel, stride=2, padding=kernel // 2 - 1),
                    nn.ReLU(inplace=True),
                )
            ),
            ToRows(),
            *_linear_relu(c64 * h * w, fc),
        ),
        D_head=nn.Linear(fc, 1),
        Q_head=nn.Linear(fc, q_dim),
        glorot=True,
    )


def _q_head(features: int, q_dim: int, width: float) -> nn.Sequential:
    """FC 128, BatchNorm, lReLU, FC out: the part of Q that D does not share."""
    (h128,) = _scaled(width, 128)
    return nn.Sequential(*_linear_bn_lrelu(features, h128), nn.Linear(h128, q_dim))


def _scaled(width: float, *channels: int) -> tuple[int, ...]:
    return tuple(max(1, round(c * width)) for c in channels)


def _times(image_shape: ImageShape) -> int:
    """Count the halvings of images: down to a shorter side of 4 to 7 pixels or to an odd side, and at least twice."""
    _, h, w = image_shape
    times = 0
    while h % 2 == w % 2 == 0 and min(h, w) >= 8:
        h, w, times = h // 2, w // 2, times + 1
    return max(2, times)


def _halved(image_shape: ImageShape, times: int) -> ImageShape:
    channels, h, w = image_shape
    factor = 2**times
    if h % factor or w % factor or h < 2 * factor or w < 2 * factor:
        raise InputError(
            f"architecture.name: this architecture halves the image {times} times, so both sides must be multiples "
            f"of {factor} and at least {2 * factor}, but the images are {h}x{w}; use `mlp`, which takes any size"
        )
    return channels, h // factor, w // factor


def _linear_relu(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Linear(n_in, n_out), nn.ReLU(inplace=True)]


def _in_halves(layers: int, first: int, second: int) -> list[int]:
    """A number for each layer: `first` in the first half of the layers, `second` in the others."""
    return [first if 2 * layer <= layers else second for layer in range(1, layers + 1)]


def _linear_relu_bn(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Linear(n_in, n_out), nn.ReLU(inplace=True), nn.BatchNorm1d(n_out)]


def _upconv_tanh(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1), nn.Tanh()]


def _conv_lrelu(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 4, stride=2, padding=1), nn.LeakyReLU(LEAK, inplace=True)]


# No bias in front of a BatchNorm: the mean that it subtracts would cancel it.
def _linear_bn_lrelu(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), nn.LeakyReLU(LEAK, inplace=True)]


def _conv_bn_lrelu(n_in: int, n_out: int, kernel: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(n_out), nn.LeakyReLU(LEAK, inplace=True)]


def _conv_bn_relu(n_in: int, n_out: int) -> list[nn.Module]:
    conv = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]


def _upconv_bn_relu(n_in: int, n_out: int) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]


def _upconv_relu_bn(n_in: int, n_out: int) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1)
    return [conv, nn.ReLU(inplace=True), nn.BatchNorm2d(n_out)]


def _same_size(n_in: int, n_out: int, *, bias: bool = True) -> list[nn.Module]:
    """A convolution of 4 x 4 that keeps the size: three rows of zeros, one of them above."""
    return [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(n_in, n_out, 4, bias=bias)]


def _upconv_bn_lrelu(n_in: int, n_out: int) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(n_out), nn.LeakyReLU(LEAK, inplace=True)]


def _sn_conv_lrelu(n_in: int, n_out: int) -> list[nn.Module]:
    conv = spectral_norm(nn.Conv2d(n_in, n_out, 4, stride=2, padding=1))
    return [conv, nn.LeakyReLU(LEAK, inplace=True)]
