"""Layer kinds, temporal shift, noise and initialisation."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ldvd_lib import blocks
from ldvd_lib.blocks import LayerGeometry, TemporalShift, strided_layer


def shifted_by_indexing(x: torch.Tensor, fraction: float, distance: int) -> torch.Tensor:
    """The definition, one element of time after the other."""
    moved, frames = int(x.shape[1] * fraction), x.shape[2]
    out = torch.zeros_like(x)
    for t in range(frames):
        for channel in range(x.shape[1]):
            source = t - distance if channel < moved else t + distance if channel < 2 * moved else t
            if 0 <= source < frames:
                out[:, channel, t] = x[:, channel, source]
    return out


@pytest.mark.parametrize("shape", [(2, 8, 5, 3, 3), (1, 7, 4, 2, 2), (2, 3, 6, 1, 1), (1, 8, 1, 2, 2)], ids=str)
@pytest.mark.parametrize(("fraction", "distance"), [(0.25, 1), (0.125, 2), (0.5, 1), (0.25, 9)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last_3d])
def test_shift_equals_indexing(shape, fraction, distance, memory_format) -> None:
    x = torch.randn(shape).contiguous(memory_format=memory_format)
    shifted = TemporalShift(fraction, distance)(x)
    assert torch.equal(shifted, shifted_by_indexing(x, fraction, distance))
    assert shifted.stride() == x.stride()


def test_shift_is_linear_and_its_derivatives_are_exact() -> None:
    shift = TemporalShift(0.25, 1)
    x = torch.randn(1, 5, 4, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(shift, x, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(shift, x)
    jacobian = torch.func.jacrev(lambda v: shift(v))(x.detach())
    torch.testing.assert_close(jacobian, torch.func.jacfwd(lambda v: shift(v))(x.detach()))


@pytest.mark.parametrize("options", [{"fraction": 0.0}, {"fraction": 0.6}, {"distance": 0}])
def test_an_impossible_shift_is_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="shift"):
        TemporalShift(**options)


@pytest.mark.parametrize(
    "geometry",
    [LayerGeometry(), LayerGeometry((4, 2, 1), (4, 1, 0)), LayerGeometry((8, 2, 3), (4, 1, 1))],
    ids=["tgan", "mocogan", "k8"],
)
def test_factorized_equals_the_explicit_composition(geometry: LayerGeometry) -> None:
    layer = strided_layer("2+1d", 3, 5, geometry=geometry, bias=True)
    x = torch.randn(2, 3, 8, 16, 16)
    space, activation, time = layer
    (k, s, p), (kt, st, pt) = geometry.space, geometry.time
    assert space.weight.shape == (5, 3, 1, k, k)
    assert time.weight.shape == (5, 5, kt, 1, 1)
    assert isinstance(activation, nn.LeakyReLU)
    frames = [F.conv2d(frame, space.weight[:, :, 0], space.bias, s, p) for frame in x.unbind(2)]
    y = F.leaky_relu(torch.stack(frames, 2), 0.2)
    n, c, t, h, w = y.shape
    lines = y.permute(0, 3, 4, 1, 2).reshape(-1, c, t)
    lines = F.conv1d(lines, time.weight[..., 0, 0], time.bias, st, pt)
    expected = lines.view(n, h, w, 5, -1).permute(0, 3, 4, 1, 2)
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_a_kronecker_kernel_equals_its_factors_without_the_activation() -> None:
    """Eq. 4 without the leaky ReLU: composing a 1D after a 2D kernel is a 3D kernel of rank one in time × space."""
    geometry = LayerGeometry()
    full = strided_layer("3d", 3, 6, geometry=geometry)
    space, _, time = strided_layer("2+1d", 3, 6, geometry=geometry)
    with torch.no_grad():
        full[0].weight.copy_(torch.einsum("omt,mihw->oithw", time.weight[..., 0, 0], space.weight[:, :, 0]))
    x = torch.randn(2, 3, 8, 16, 16)
    torch.testing.assert_close(full(x), time(space(x)), rtol=1e-4, atol=1e-5)


def test_a_3d_layer_is_one_convolution_and_a_2d_layer_leaves_time() -> None:
    x = torch.randn(2, 3, 8, 16, 16)
    full = strided_layer("3d", 3, 4, geometry=LayerGeometry())
    torch.testing.assert_close(full(x), F.conv3d(x, full[0].weight, None, 2, 1))
    flat = strided_layer("2d", 3, 4, geometry=LayerGeometry())
    torch.testing.assert_close(flat(x)[:, :, 3], F.conv2d(x[:, :, 3], flat[0].weight[:, :, 0], None, 2, 1))
    assert flat(x).shape == (2, 4, 8, 8, 8)


def test_a_shift_layer_is_a_2d_layer_and_a_shift() -> None:
    layer = strided_layer("shift", 3, 8, geometry=LayerGeometry(), finish=[nn.LeakyReLU(0.2)])
    x = torch.randn(2, 3, 8, 16, 16)
    activated = F.leaky_relu(layer[0](x), 0.2)
    torch.testing.assert_close(layer(x), shifted_by_indexing(activated, 0.25, 1))
    bare = strided_layer("shift", 3, 8, geometry=LayerGeometry())
    torch.testing.assert_close(bare(x), shifted_by_indexing(bare[0](x), 0.25, 1))


def test_an_unknown_kind_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"'1d' is unknown.*2\+1d"):
        strided_layer("1d", 3, 3, geometry=LayerGeometry())
    with pytest.raises(ValueError, match=r"time is \(4, 0, 1\)"):
        LayerGeometry(time=(4, 0, 1))


def test_noise_is_there_in_training_only() -> None:
    noise = blocks.InstanceNoise(0.5)
    x = torch.zeros(20_000)
    assert noise(x).std() == pytest.approx(0.5, rel=0.05)
    assert torch.equal(noise.eval()(x), x)


def test_noise_comes_from_the_generator_one_names_and_leaves_the_global_one_alone() -> None:
    layers = nn.Sequential(blocks.InstanceNoise(1.0), nn.Sequential(blocks.InstanceNoise(1.0)))
    random, x = torch.Generator().manual_seed(2), torch.zeros(5)
    expected = torch.randn(5, generator=torch.Generator().manual_seed(2))
    before = torch.get_rng_state()
    with blocks.noise_from(random, layers):
        assert torch.equal(layers[0](x), expected)
        with pytest.raises(ArithmeticError), blocks.noise_from(torch.Generator().manual_seed(2), layers[1]):
            assert torch.equal(layers[1](x), expected)
            raise ArithmeticError
        assert layers[1][0].random is random
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(layers[0](x), expected), "afterwards the global one again"


def test_initialisation_covers_every_layer_and_spares_normalisation() -> None:
    module = nn.Sequential(nn.Linear(50, 40), nn.Conv3d(8, 16, 4), nn.ConvTranspose2d(8, 8, 4), nn.BatchNorm3d(16))
    blocks.initialize_(module, "xavier")
    linear = module[0].weight
    bound = (2 * 6 / 90) ** 0.5
    assert 0.95 * bound < linear.abs().max() <= bound
    assert not any(layer.bias.any() for layer in module[:3])
    assert torch.equal(module[3].weight, torch.ones(16))
    with pytest.raises(ValueError, match="'he' is unknown"):
        blocks.initialize_(module, "he")


@pytest.mark.parametrize(("size", "start", "times"), [(64, 4, 4), (16, 1, 4), (2, 1, 1)])
def test_doublings(size: int, start: int, times: int) -> None:
    assert blocks.doublings(size, start, "size") == times
    with pytest.raises(ValueError, match=f"size is {size + 1}"):
        blocks.doublings(size + 1, start, "size")
