"""The architectures: sizes counted by hand from the paper's table, and what they refuse."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from infogan_bench.codes import LatentCodes
from infogan_bench.config import ArchitectureConfig, CodesConfig, RunConfig
from infogan_bench.errors import InputError
from infogan_bench.networks import (
    ImageShape,
    InfoGAN,
    Networks,
    architecture_names,
    build_networks,
    check_networks,
    initialise,
    register_architecture,
)

SHIPPED = ("dcgan", "mlp", "paper")
GREY_28: ImageShape = (1, 28, 28)
RGB_32: ImageShape = (3, 32, 32)
GREY_64: ImageShape = (1, 64, 64)
CODES = LatentCodes(CodesConfig(), fixed_std=True)  # 62 + 10 + 2 = 74 into G, 10 + 2 = 12 out of Q


def build(name: str, shape: ImageShape = GREY_28, width: float = 1.0, codes: LatentCodes = CODES) -> Networks:
    return build_networks(ArchitectureConfig(name=name, width=width), shape, codes)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# Sizes -----------------------------------------------------------------------------------------------------


def test_parameters_of_the_paper_s_table_1() -> None:
    networks = build("paper")
    assert count(networks.G) == (
        (74 * 1024 + 1024)  # FC 1024 ReLU
        + 2 * 1024  # batchnorm: scale and shift
        + (1024 * 7 * 7 * 128 + 7 * 7 * 128)  # FC 7 x 7 x 128 ReLU
        + 2 * 7 * 7 * 128  # batchnorm
        + (128 * 64 * 4 * 4 + 64)  # 4 x 4 upconv 64 ReLU, stride 2
        + 2 * 64  # batchnorm
        + (64 * 1 * 4 * 4 + 1)  # 4 x 4 upconv 1 channel
    )
    assert count(networks.trunk) == (
        (1 * 64 * 4 * 4 + 64)  # 4 x 4 conv 64 lReLU, stride 2
        + (64 * 128 * 4 * 4 + 2 * 128)  # 4 x 4 conv 128 lReLU, stride 2, batchnorm
        + (128 * 7 * 7 * 1024 + 2 * 1024)  # FC 1024 lReLU, batchnorm
    )
    assert count(networks.D_head) == 1024 + 1  # FC output layer for D
    assert count(networks.Q_head) == 1024 * 128 + 2 * 128 + 128 * 12 + 12  # FC 128-batchnorm-lReLU-FC output
    assert count(networks) == 6_652_481 + 6_556_992 + 1_025 + 132_876


def test_parameters_of_the_paper_s_tables_2_and_3() -> None:
    svhn = LatentCodes(CodesConfig(noise=124, categorical=(10,) * 4, uniform=4), fixed_std=True)
    networks = build("paper-svhn", RGB_32, codes=svhn)
    assert svhn.latent_dim == 168  # the input that the table states
    assert count(networks.G) == (
        (168 * 2 * 2 * 448 + 2 * 2 * 448)  # FC 2 x 2 x 448 ReLU
        + 2 * 2 * 2 * 448  # batchnorm
        + (448 * 256 * 4 * 4 + 256 + 2 * 256)  # 4 x 4 upconv 256 ReLU, stride 2, batchnorm
        + (256 * 128 * 4 * 4 + 128 + 2 * 128)  # 4 x 4 upconv 128
        + (128 * 64 * 4 * 4 + 64 + 2 * 64)  # 4 x 4 upconv 64
        + (64 * 3 * 4 * 4 + 3)  # 4 x 4 upconv 3 tanh, stride 2
    )
    assert count(networks.trunk) == (
        (3 * 64 * 4 * 4 + 64)  # 4 x 4 conv 64 lReLU, stride 2
        + (64 * 128 * 4 * 4 + 2 * 128)  # 4 x 4 conv 128 lReLU, stride 2, batchnorm
        + (128 * 256 * 4 * 4 + 2 * 256)  # 4 x 4 conv 256 lReLU, stride 2, batchnorm
    )
    assert count(networks.D_head) == 256 * 4 * 4 + 1
    assert count(networks.Q_head) == 4096 * 128 + 2 * 128 + 128 * 44 + 44
    celeba = LatentCodes(CodesConfig(noise=128, categorical=(10,) * 10, uniform=0), fixed_std=True)
    assert celeba.latent_dim == 228
    of_celeba = build("paper-celeba", RGB_32, codes=celeba)
    assert count(of_celeba.G) - count(networks.G) == (228 - 168) * 2 * 2 * 448
    assert count(of_celeba.trunk) == count(networks.trunk)


def test_parameters_of_the_paper_s_table_4() -> None:
    """128 noises and 5 uniform codes for 32 x 32 in grey: table 1's layers from 8 x 8."""
    faces = LatentCodes(CodesConfig(noise=128, categorical=(), uniform=5), fixed_std=True)
    networks = build("paper-faces", (1, 32, 32), codes=faces)
    assert count(networks.G) == (
        (133 * 1024 + 1024)  # FC 1024 ReLU
        + 2 * 1024  # batchnorm
        + (1024 * 8 * 8 * 128 + 8 * 8 * 128)  # FC 8 x 8 x 128 ReLU
        + 2 * 8 * 8 * 128  # batchnorm
        + (128 * 64 * 4 * 4 + 64 + 2 * 64)  # 4 x 4 upconv 64 ReLU, stride 2, batchnorm
        + (64 * 1 * 4 * 4 + 1)  # 4 x 4 upconv 1
    )
    assert count(networks.trunk) == (
        (1 * 64 * 4 * 4 + 64)  # 4 x 4 conv 64 lReLU, stride 2
        + (64 * 128 * 4 * 4 + 2 * 128)  # 4 x 4 conv 128 lReLU, stride 2, batchnorm
        + (128 * 8 * 8 * 1024 + 2 * 1024)  # FC 1024 lReLU, batchnorm
    )


def test_parameters_of_the_paper_s_table_5() -> None:
    chairs = LatentCodes(CodesConfig(noise=128, categorical=(20,) * 3, uniform=1), fixed_std=True)
    networks = build("paper-chairs", GREY_64, codes=chairs)
    assert chairs.latent_dim == 189  # the input that the table states
    assert count(networks.G) == (
        (189 * 1024 + 1024)  # FC 1024 ReLU
        + 2 * 1024  # batchnorm
        + (1024 * 8 * 8 * 256 + 8 * 8 * 256)  # FC 8 x 8 x 256 ReLU
        + 2 * 8 * 8 * 256  # batchnorm
        + 2 * (256 * 256 * 4 * 4 + 256 + 2 * 256)  # two 4 x 4 upconv 256 ReLU, batchnorm
        + (256 * 128 * 4 * 4 + 128 + 2 * 128)  # 4 x 4 upconv 128 ReLU, stride 2, batchnorm
        + (128 * 64 * 4 * 4 + 64 + 2 * 64)  # 4 x 4 upconv 64 ReLU, stride 2, batchnorm
        + (64 * 1 * 4 * 4 + 1)  # 4 x 4 upconv 1
    )
    assert count(networks.trunk) == (
        (1 * 64 * 4 * 4 + 64)  # 4 x 4 conv 64 lReLU, stride 2
        + (64 * 128 * 4 * 4 + 2 * 128)  # 4 x 4 conv 128 lReLU, stride 2, batchnorm
        + (128 * 256 * 4 * 4 + 2 * 256)  # 4 x 4 conv 256 lReLU, stride 2, batchnorm
        + 2 * (256 * 256 * 4 * 4 + 2 * 256)  # two 4 x 4 conv 256 lReLU, batchnorm
        + (256 * 8 * 8 * 1024 + 2 * 1024)  # FC 1024 lReLU, batchnorm
    )
    assert count(networks.D_head) == 1024 + 1


def test_parameters_of_the_study_s_networks() -> None:
    """conv_encoder and deconv_decoder of disentanglement_lib, methods/shared/architectures.py."""
    ten = LatentCodes(CodesConfig(noise=0, categorical=(), uniform=0, gaussian=10), fixed_std=False)
    networks = build("study", GREY_64, codes=ten)
    assert count(networks.trunk) == (
        (1 * 32 * 4 * 4 + 32)  # 4 x 4 conv 32 ReLU, stride 2
        + (32 * 32 * 4 * 4 + 32)  # 4 x 4 conv 32
        + (32 * 64 * 2 * 2 + 64)  # 2 x 2 conv 64
        + (64 * 64 * 2 * 2 + 64)  # 2 x 2 conv 64
        + (4 * 4 * 64 * 256 + 256)  # FC 256 ReLU
    )
    assert count(networks.Q_head) == 2 * (256 * 10 + 10)  # FC 10: means, logarithms of variances
    assert count(networks.G) == (
        (10 * 256 + 256)  # FC 256 ReLU
        + (256 * 1024 + 1024)  # FC 4 x 4 x 64 ReLU
        + (64 * 64 * 4 * 4 + 64)  # 4 x 4 upconv 64 ReLU, stride 2
        + (64 * 32 * 4 * 4 + 32)  # 4 x 4 upconv 32
        + (32 * 32 * 4 * 4 + 32)  # 4 x 4 upconv 32
        + (32 * 1 * 4 * 4 + 1)  # 4 x 4 upconv 1
    )


@pytest.mark.parametrize(
    ("side", "smallest"), [(28, 7), (32, 4), (64, 4), (128, 4), (48, 6), (20, 5), (16, 4), (8, 2)]
)
@pytest.mark.parametrize("name", ["dcgan", "infogan-cr", "study"])
def test_images_are_halved_as_often_as_their_size_asks(name: str, side: int, smallest: int) -> None:
    networks = build(name, (1, side, side), width=0.125)
    seen: list[int] = []
    for layer in networks.trunk.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda *args: seen.append(args[-1].shape[-1]))
    with torch.no_grad():
        assert networks.G(torch.zeros(2, CODES.latent_dim)).shape == (2, 1, side, side)
        networks.trunk(torch.zeros(2, 1, side, side))
    assert seen[-1] == smallest


def test_q_has_two_numbers_for_a_continuous_code_whose_deviation_is_learned() -> None:
    learned = LatentCodes(CodesConfig(), fixed_std=False)  # 10 logits, 2 means, 2 log standard deviations
    assert count(build("paper", codes=learned).Q_head) - count(build("paper").Q_head) == 2 * (128 + 1)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *((name, shape) for name in SHIPPED for shape in (GREY_28, RGB_32)),
        *((name, RGB_32) for name in ("paper-svhn", "paper-celeba", "paper-faces", "infogan-cr", "study")),
        *((name, (3, 64, 64)) for name in (*SHIPPED, "paper-celeba", "paper-chairs", "infogan-cr", "study")),
    ],
)
def test_shapes_and_range(name: str, shape: ImageShape) -> None:
    codes = LatentCodes(CodesConfig(categorical=(10, 4), uniform=1, gaussian=1), fixed_std=False)
    networks = build(name, shape, width=0.25, codes=codes)
    latents = codes.flatten(codes.sample(5, torch.Generator().manual_seed(0)))
    with torch.no_grad():
        images = networks.G(100 * latents)  # far out, where tanh has to bound it
    assert images.shape == (5, *shape)
    assert float(images.abs().max()) <= 1
    features = networks.trunk(images)
    assert features.ndim == 2
    assert networks.D(features).shape == (5,)
    assert networks.Q_head(features).shape == (5, 10 + 4 + 2 + 2)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_output_can_be_as_dark_and_as_bright_as_the_data(name: str) -> None:
    networks = build(name, width=0.125)
    last = [layer for layer in networks.G.modules() if isinstance(layer, nn.Linear | nn.ConvTranspose2d)][-1]
    assert last.bias is not None
    for extreme in (-1.0, 1.0):
        nn.init.constant_(last.weight, 0)
        nn.init.constant_(last.bias, 100 * extreme)
        assert networks.G(torch.zeros(2, CODES.latent_dim)).unique().tolist() == [extreme]


def test_width_scales_every_hidden_layer() -> None:
    def widths(networks: Networks) -> list[int]:
        return [
            len(layer.weight)
            for layer in networks.modules()
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
        ]

    # G: FC, FC 7 x 7 x c, upconv; trunk: conv, FC; Q's head: FC
    assert widths(build("paper")) == [1024, 7 * 7 * 128, 64, 128, 1024, 128]
    assert widths(build("paper", width=0.25)) == [256, 7 * 7 * 32, 16, 32, 256, 32]
    assert widths(build("mlp")) == [512, 512, 256, 128]
    assert widths(build("mlp", width=2)) == [1024, 1024, 512, 256]
    assert widths(build("dcgan")) == [256, 128, 64, 64, 128, 256, 256, 128]
    assert widths(build("dcgan", width=0.5)) == [128, 64, 32, 32, 64, 128, 128, 64]


@pytest.mark.parametrize("name", SHIPPED)
def test_no_width_is_rounded_to_nothing(name: str) -> None:
    networks = build(name, width=1e-6)
    assert networks.G(torch.zeros(2, CODES.latent_dim)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize("name", SHIPPED)
def test_d_and_q_use_leaky_rectifiers_of_slope_0_1_and_g_plain_ones(name: str) -> None:
    networks = build(name, width=0.125)
    slopes = {layer.negative_slope for layer in networks.modules() if isinstance(layer, nn.LeakyReLU)}
    assert slopes == {0.1}
    assert not [layer for layer in networks.G.modules() if isinstance(layer, nn.LeakyReLU)]
    rest = (networks.trunk, networks.D_head, networks.Q_head)
    assert not [layer for part in rest for layer in part.modules() if isinstance(layer, nn.ReLU)]


def test_d_s_optimiser_owns_all_but_g() -> None:
    networks = build("mlp", width=0.125)
    owned = {id(parameter) for parameter in networks.D_and_Q_parameters()}
    of_g = {id(parameter) for parameter in networks.G.parameters()}
    assert owned | of_g == {id(parameter) for parameter in networks.parameters()}
    assert not owned & of_g


# Spectral normalisation ------------------------------------------------------------------------------------


def spectrally_normalised(width: float) -> Networks:
    architecture = ArchitectureConfig(name="paper", width=width, spectral_norm=True)
    return InfoGAN(RunConfig(architecture=architecture), GREY_28, torch.Generator().manual_seed(0)).networks


def test_spectral_normalisation_takes_batchnorm_s_place_in_trunk_and_d_s_head() -> None:
    networks, plain = spectrally_normalised(1.0), build("paper")
    assert count(networks.trunk) == (
        (1 * 64 * 4 * 4 + 64)  # 4 x 4 conv 64 lReLU, stride 2
        + (64 * 128 * 4 * 4 + 128)  # 4 x 4 conv 128 lReLU, stride 2: a bias, and no scale and shift
        + (128 * 7 * 7 * 1024 + 1024)  # FC 1024 lReLU
    )
    for part in ("G", "D_head", "Q_head"):
        assert count(getattr(networks, part)) == count(getattr(plain, part))
    batchnorm = nn.BatchNorm1d | nn.BatchNorm2d
    where = {
        name.partition(".")[0] for name, layer in networks.named_modules() if isinstance(layer, batchnorm)
    }
    assert where == {"G", "Q_head"}


def test_spectral_normalisation_makes_the_largest_singular_value_1() -> None:
    networks = spectrally_normalised(0.125)
    for _ in range(100):  # power iterations: each pass in training mode takes one
        networks.D(networks.trunk(torch.zeros(2, *GREY_28)))
    networks.requires_grad_(False).eval()
    layers = [networks.trunk[0], networks.trunk[2], networks.trunk[6], networks.D_head]  # type: ignore[index]
    for layer in layers:
        assert float(torch.linalg.matrix_norm(layer.weight.flatten(1), 2)) == pytest.approx(1, abs=1e-3)
    first = next(layer for layer in networks.Q_head.modules() if isinstance(layer, nn.Linear))
    assert float(torch.linalg.matrix_norm(first.weight, 2)) < 0.9  # as initialised, N(0, 0.02)


def test_what_is_normalised_already_is_left_as_it_is() -> None:
    def parameters(spectral_norm: bool) -> list[tuple[str, int]]:
        architecture = ArchitectureConfig(name="infogan-cr", width=0.125, spectral_norm=spectral_norm)
        networks = build_networks(architecture, (1, 32, 32), CODES)
        return [(name, parameter.numel()) for name, parameter in networks.named_parameters()]

    assert parameters(True) == parameters(False)


# Initial weights -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_weights_start_from_n_0_0_02_and_batchnorm_as_identity(name: str) -> None:
    networks = build(name, width=0.5)
    initialise(networks, torch.Generator().manual_seed(0))
    networks.requires_grad_(False)
    for layer in networks.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            n = layer.weight.numel()
            # five standard errors of a mean, 0.02 / sqrt(n), and of a standard deviation, 0.02 / sqrt(2 n)
            assert abs(float(layer.weight.mean())) < 5 * 0.02 / n**0.5
            assert abs(float(layer.weight.square().mean().sqrt()) - 0.02) < 5 * 0.02 / (2 * n) ** 0.5
            assert layer.bias is None or not layer.bias.any()
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert bool((layer.weight == 1).all())
            assert not layer.bias.any()


def test_the_study_s_weights_start_as_glorot_s() -> None:
    run = RunConfig(architecture=ArchitectureConfig(name="study"))
    networks = InfoGAN(run, GREY_64, torch.Generator().manual_seed(0)).networks
    convolution, linear = networks.trunk[2], networks.trunk[9]  # type: ignore[index]
    # U(-a, a), a^2 = 6 / (inputs + outputs): 16 pixels of 32 channels each, 1024 and 256 units
    for layer, limit in ((convolution, (6 / 1024) ** 0.5), (linear, (6 / 1280) ** 0.5)):
        weight = layer.weight.detach()
        assert float(weight.abs().max()) == pytest.approx(limit, rel=1e-2)
        assert float(weight.std()) == pytest.approx(limit / 3**0.5, rel=0.02)
        assert not layer.bias.any()


def test_the_seed_alone_decides_the_initial_weights() -> None:
    def weights(seed: int, global_seed: int) -> torch.Tensor:
        torch.manual_seed(global_seed)
        run = RunConfig(architecture=ArchitectureConfig(name="mlp", width=0.125))
        networks = InfoGAN(run, GREY_28, torch.Generator().manual_seed(seed)).networks
        return torch.cat([parameter.flatten() for parameter in networks.parameters()])

    assert torch.equal(weights(0, global_seed=1), weights(0, global_seed=2))
    assert not torch.equal(weights(0, global_seed=1), weights(1, global_seed=1))


# The whole model -------------------------------------------------------------------------------------------


def test_generate_uses_running_statistics_and_changes_nothing() -> None:
    run = RunConfig(architecture=ArchitectureConfig(name="paper", width=0.0625))
    model = InfoGAN(run, GREY_28, torch.Generator().manual_seed(0))
    latents = model.codes.sample(4, torch.Generator().manual_seed(1))
    before = {name: value.clone() for name, value in model.networks.state_dict().items()}
    images = model.generate(latents)
    assert images.shape == (4, *GREY_28)
    assert not images.requires_grad
    first = type(latents)(*(part[:1] for part in latents))
    # an image does not depend on the others of its batch, as it would with batch statistics
    torch.testing.assert_close(model.generate(first), images[:1])
    assert all(torch.equal(value, before[name]) for name, value in model.networks.state_dict().items())
    assert model.networks.G.training


# The registry ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scratch_registry")
def test_an_architecture_of_one_s_own() -> None:
    asked: list[tuple[ImageShape, int, int, float]] = []

    @register_architecture("tiny")
    def tiny(image_shape: ImageShape, latent_dim: int, q_dim: int, width: float) -> Networks:
        asked.append((image_shape, latent_dim, q_dim, width))
        return Networks(
            G=nn.Sequential(nn.Linear(latent_dim, 6), nn.Unflatten(1, (1, 2, 3))),
            trunk=nn.Flatten(),
            D_head=nn.Linear(6, 1),
            Q_head=nn.Linear(6, q_dim),
        )

    assert "tiny" in architecture_names()
    model = InfoGAN(
        RunConfig(architecture=ArchitectureConfig(name="tiny", width=0.5)), (1, 2, 3), torch.Generator()
    )
    assert asked == [((1, 2, 3), 74, 12, 0.5)]
    assert model.generate(model.codes.sample(2, torch.Generator())).shape == (2, 1, 2, 3)


def test_architectures_that_ship() -> None:
    assert set(SHIPPED) <= set(architecture_names())


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no architecture 'dcgann' among .*paper.*; did you mean 'dcgan'\?"):
        build("dcgann")


def test_a_name_like_no_other_is_answered_with_all() -> None:
    with pytest.raises(InputError, match=f"no architecture 'zzz' among {', '.join(architecture_names())}$"):
        build("zzz")


@pytest.mark.parametrize("name", ["paper", "dcgan"])
@pytest.mark.parametrize("side", [4, 29, 30])
def test_sizes_out_of_reach_are_refused_with_what_is_reachable(name: str, side: int) -> None:
    with pytest.raises(InputError, match=rf"multiples of 4 and at least 8.*{side}x{side}.*`mlp`"):
        build(name, (1, side, side))
    assert build("mlp", (1, side, side)).G(torch.zeros(2, CODES.latent_dim)).shape == (2, 1, side, side)


@pytest.mark.parametrize("name", SHIPPED)
def test_sides_may_differ(name: str) -> None:
    networks = build(name, (2, 8, 12), width=0.125)
    images = networks.G(torch.zeros(2, CODES.latent_dim))
    assert images.shape == (2, 2, 8, 12)
    assert networks.D(networks.trunk(images)).shape == (2,)


# A user's own, checked beforehand ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "wrong", "words"),
    [
        (
            "G",
            nn.Sequential(nn.Linear(74, 4), nn.Unflatten(1, (1, 2, 2))),
            "images of shape (1, 2, 2), not (1, 28, 28)",
        ),
        ("D_head", nn.Linear(256, 2), "D_head gives (2,) numbers an image, not 1"),
        ("Q_head", nn.Linear(256, 11), "Q_head gives (11,) numbers an image, not 12"),
    ],
)
def test_outputs_of_the_wrong_shape_are_told(part: str, wrong: nn.Module, words: str) -> None:
    codes = LatentCodes(CodesConfig(), fixed_std=True)
    networks = build("mlp")
    check_networks(networks, (1, 28, 28), codes)
    setattr(networks, part, wrong)
    with pytest.raises(InputError) as refused:
        check_networks(networks, (1, 28, 28), codes)
    assert words in str(refused.value)


def test_a_name_that_ships_cannot_be_taken() -> None:
    with pytest.raises(InputError, match="'paper' ships already"):
        register_architecture("paper")(lambda *_: build("mlp"))
