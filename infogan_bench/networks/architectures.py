"""The architectures that ship. Each takes images whose sides can be halved as often as the architecture halves them."""

from __future__ import annotations

import math

from torch import nn

from infogan_bench.errors import InputError
from infogan_bench.networks.layers import ToImages, ToRows
from infogan_bench.networks.module import ImageShape, Networks
from infogan_bench.networks.registry import register_architecture
from infogan_bench.networks.spectral import spectral_norm

LEAK = 0.1  # slope of every leaky rectifier, InfoGAN appendix C


@register_architecture("paper", cuda_graph=True)
def paper(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """InfoGAN, table 1 (MNIST). The first layer of G is linear, which is the same as the paper's layer for a 1x1
    input."""
    channels, h, w = _halved(image_shape, times=2)
    c64, c128, fc = _scaled(width, 64, 128, 1024)
    return Networks(
        G=nn.Sequential(
            *_linear_relu_bn(latent_dim, fc),
            *_linear_relu_bn(fc, c128 * h * w),
            ToImages(c128, h, w),
            nn.ConvTranspose2d(c128, c64, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(c64),
            nn.ConvTranspose2d(c64, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        ),
        trunk=nn.Sequential(
            nn.Conv2d(channels, c64, 4, stride=2, padding=1),
            nn.LeakyReLU(LEAK, inplace=True),
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


@register_architecture("dcgan", cuda_graph=True)
def dcgan(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """All-convolutional after DCGAN (arXiv 1511.06434), twice as deep as `paper`: a 3x3 layer follows each
    change of resolution, and there are no hidden fully connected layers."""
    channels, h, w = _halved(image_shape, times=2)
    c64, c128, c256 = _scaled(width, 64, 128, 256)
    return Networks(
        G=nn.Sequential(
            nn.Linear(latent_dim, c256 * h * w, bias=False),
            ToImages(c256, h, w),
            nn.BatchNorm2d(c256),
            nn.ReLU(inplace=True),
            nn.Conv2d(c256, c128, 3, padding=1, bias=False),
            nn.BatchNorm2d(c128),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(c128, c64, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(c64),
            nn.ReLU(inplace=True),
            nn.Conv2d(c64, c64, 3, padding=1, bias=False),
            nn.BatchNorm2d(c64),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(c64, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        ),
        trunk=nn.Sequential(
            nn.Conv2d(channels, c64, 4, stride=2, padding=1),
            nn.LeakyReLU(LEAK, inplace=True),
            *_conv_bn_lrelu(c64, c128, 3, stride=1),
            *_conv_bn_lrelu(c128, c256, 4, stride=2),
            *_conv_bn_lrelu(c256, c256, 3, stride=1),
            ToRows(),
        ),
        D_head=nn.Linear(c256 * h * w, 1),
        Q_head=_q_head(c256 * h * w, q_dim, width),
    )


@register_architecture("infogan-cr", cuda_graph=True)
def infogan_cr(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
    """InfoGAN-CR (arXiv 1906.06034), its networks for dSprites: spectral normalisation in D and its trunk, no
    BatchNorm outside of G."""
    channels, h, w = _halved(image_shape, times=4)
    c32, c64, fc = _scaled(width, 32, 64, 128)
    return Networks(
        G=nn.Sequential(
            *_linear_relu_bn(latent_dim, fc),
            *_linear_relu_bn(fc, c64 * h * w),
            ToImages(c64, h, w),
            *_upconv_bn_lrelu(c64, c64),
            *_upconv_bn_lrelu(c64, c32),
            *_upconv_bn_lrelu(c32, c32),
            nn.ConvTranspose2d(c32, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        ),
        trunk=nn.Sequential(
            *_sn_conv_lrelu(channels, c32),
            *_sn_conv_lrelu(c32, c32),
            *_sn_conv_lrelu(c32, c64),
            *_sn_conv_lrelu(c64, c64),
            ToRows(),
            spectral_norm(nn.Linear(c64 * h * w, fc)),
            nn.LeakyReLU(LEAK, inplace=True),
        ),
        D_head=spectral_norm(nn.Linear(fc, 1)),
        Q_head=nn.Sequential(nn.Linear(fc, fc), nn.LeakyReLU(LEAK, inplace=True), nn.Linear(fc, q_dim)),
    )


def _q_head(features: int, q_dim: int, width: float) -> nn.Sequential:
    """FC 128, BatchNorm, lReLU, FC out: the part of Q that D does not share."""
    (h128,) = _scaled(width, 128)
    return nn.Sequential(*_linear_bn_lrelu(features, h128), nn.Linear(h128, q_dim))


def _scaled(width: float, *channels: int) -> tuple[int, ...]:
    return tuple(max(1, round(c * width)) for c in channels)


def _halved(image_shape: ImageShape, times: int) -> ImageShape:
    channels, h, w = image_shape
    factor = 2**times
    if h % factor or w % factor or h < 2 * factor or w < 2 * factor:
        raise InputError(
            f"architecture.name: this architecture halves the image {times} times, so both sides must be multiples "
            f"of {factor} and at least {2 * factor}, but the images are {h}x{w}; use `mlp`, which takes any size"
        )
    return channels, h // factor, w // factor


def _linear_relu_bn(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Linear(n_in, n_out), nn.ReLU(inplace=True), nn.BatchNorm1d(n_out)]


# No bias in front of a BatchNorm: the mean that it subtracts would cancel it.
def _linear_bn_lrelu(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Linear(n_in, n_out, bias=False), nn.BatchNorm1d(n_out), nn.LeakyReLU(LEAK, inplace=True)]


def _conv_bn_lrelu(n_in: int, n_out: int, kernel: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(n_out), nn.LeakyReLU(LEAK, inplace=True)]


def _upconv_bn_lrelu(n_in: int, n_out: int) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(n_out), nn.LeakyReLU(LEAK, inplace=True)]


def _sn_conv_lrelu(n_in: int, n_out: int) -> list[nn.Module]:
    conv = spectral_norm(nn.Conv2d(n_in, n_out, 4, stride=2, padding=1))
    return [conv, nn.LeakyReLU(LEAK, inplace=True)]
