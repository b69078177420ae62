"""Normalisation that is told what to paint."""

import pytest
import torch
from torch import nn

from ldvd_lib.blocks import ConditionalBatchNorm

N, T, C, D = 3, 4, 2, 5


def norm() -> ConditionalBatchNorm:
    torch.manual_seed(0)
    return ConditionalBatchNorm(C, D, T).double()


def maps() -> torch.Tensor:
    return torch.randn(N * T, C, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("frames", [1, T])
def test_it_equals_its_formula_frame_by_frame(frames: int) -> None:
    layer, x = norm(), maps()
    condition = torch.randn(N, frames, D, dtype=torch.float64)
    output = layer(x, condition).view(N, T, C, 3, 3)
    for t, frame in enumerate(x.view(N, T, C, 3, 3).unbind(1)):
        centred = frame - frame.mean((0, 2, 3), keepdim=True)
        normal = centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
        told = condition[:, t if frames > 1 else 0]
        gain, bias = 1 + told @ layer.gain.weight.T, told @ layer.bias.weight.T
        expected = gain[..., None, None] * normal + bias[..., None, None]
        torch.testing.assert_close(output[:, t], expected, rtol=0, atol=1e-12)


def test_statistics_of_a_frame_know_of_no_other() -> None:
    """In training and afterwards: neither what is painted nor what is remembered of a frame depends on others."""
    layers, x, condition = (norm(), norm()), maps(), torch.randn(N, 1, D, dtype=torch.float64)
    changed = x.clone().view(N, T, C, 3, 3)
    changed[:, 1] = 100 * changed[:, 1] - 7
    one, other = layers[0](x, condition), layers[1](changed.view_as(x), condition)
    same = [t for t in range(T) if t != 1]
    assert torch.equal(one.view(N, T, C, 3, 3)[:, same], other.view(N, T, C, 3, 3)[:, same])
    for name in ("running_mean", "running_var"):
        before, after = (getattr(layer.normalize, name).view(T, C) for layer in layers)
        assert torch.equal(before[same], after[same])
        assert not torch.isclose(before[1], after[1]).any()


def test_in_evaluation_a_video_is_itself_whatever_else_is_in_the_batch() -> None:
    layer, x, condition = norm(), maps(), torch.randn(N, 1, D, dtype=torch.float64)
    layer(x, condition)
    layer.eval()
    torch.testing.assert_close(layer(x, condition)[:T], layer(x[:T], condition[:1]), rtol=0, atol=1e-12)


def test_it_is_a_batch_normalisation_to_all_that_looks_for_one() -> None:
    (found,) = [part for part in norm().modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    assert found.num_features == T * C
    assert not found.affine


def of_any_length() -> ConditionalBatchNorm:
    torch.manual_seed(0)
    return ConditionalBatchNorm(C, D, None).double()


def test_without_a_length_statistics_are_of_all_frames_together() -> None:
    layer, x, condition = of_any_length(), maps(), torch.randn(N, 1, D, dtype=torch.float64)
    centred = x - x.mean((0, 2, 3), keepdim=True)
    normal = (centred / (centred.square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()).view(N, T, C, 3, 3)
    gain, bias = (part(condition)[..., None, None] for part in (layer.gain, layer.bias))
    torch.testing.assert_close(layer(x, condition).view(N, T, C, 3, 3), (1 + gain) * normal + bias)


def test_without_a_length_a_frame_of_evaluation_is_the_same_in_any_window() -> None:
    layer, x, condition = of_any_length(), maps(), torch.randn(N, 1, D, dtype=torch.float64)
    layer(x, condition)
    layer.eval()
    whole, videos = layer(x, condition).view(N, T, C, 3, 3), x.view(N, T, C, 3, 3)
    for window in (slice(0, 2), slice(1, 4), slice(3, 4)):
        alone = layer(videos[:, window].flatten(0, 1), condition)
        torch.testing.assert_close(alone.view(N, -1, C, 3, 3), whole[:, window], rtol=0, atol=1e-12)
