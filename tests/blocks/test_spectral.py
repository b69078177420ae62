"""Spectral normalisation, and orthogonal first weights."""

import pytest
import torch
from torch import nn

from ldvd_lib.blocks import initialize_, settle_, spectral_

LAYERS = {
    "linear": (lambda: nn.Linear(6, 4), (2, 6)),
    "2d": (lambda: nn.Conv2d(3, 5, 3), (2, 3, 4, 4)),
    "3d": (lambda: nn.Conv3d(3, 5, 3), (2, 3, 4, 4, 4)),
    "transposed": (lambda: nn.ConvTranspose1d(6, 3, 4), (2, 6, 5)),
    "embedding": (lambda: nn.Embedding(4, 6), None),
}


def layer(name: str) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    make, shape = LAYERS[name]
    return make().double(), torch.arange(4) if shape is None else torch.randn(shape, dtype=torch.float64)


def norm(module: nn.Module) -> float:
    """Of the matrix: outputs first, which of a transposed convolution are the second axis."""
    weight = module.weight.detach()
    weight = weight.transpose(0, 1) if isinstance(module, nn.ConvTranspose1d) else weight
    return torch.linalg.matrix_norm(weight.flatten(1), 2).item()


@pytest.mark.parametrize("name", LAYERS)
def test_weights_have_spectral_norm_1_and_what_is_learnt_is_the_same(name: str) -> None:
    module, x = layer(name)
    count = sum(parameter.numel() for parameter in module.parameters())
    assert norm(module) > 1.02 or norm(module) < 0.98
    assert spectral_(module) is module
    for _ in range(30):
        module(x)
    assert norm(module.eval()) == pytest.approx(1, abs=1e-3)
    assert sum(parameter.numel() for parameter in module.parameters()) == count


def test_power_iteration_goes_on_in_training_and_rests_in_evaluation() -> None:
    module, x = layer("linear")
    spectral_(module)
    with torch.no_grad():  # weights that the vectors have not seen
        module.parametrizations.weight.original.copy_(torch.randn(4, 6))
    vectors = {name: buffer.clone() for name, buffer in module.named_buffers()}
    assert torch.equal(module.eval()(x), module(x))
    assert all(torch.equal(buffer, vectors[name]) for name, buffer in module.named_buffers())
    module.train()(x)
    assert not any(torch.equal(buffer, vectors[name]) for name, buffer in module.named_buffers())


def test_vectors_catch_up_with_weights_that_were_set() -> None:
    module, _ = layer("2d")
    spectral_(module)
    with torch.no_grad():
        module.parametrizations.weight.original.copy_(torch.randn(5, 3, 3, 3))
    settle_(module.eval())
    assert abs(norm(module) - 1) > 0.1, "what is in evaluation rests"
    settle_(module.train(), steps=50)
    assert norm(module.eval()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", LAYERS)
def test_orthogonal_weights_turn_and_do_not_stretch(name: str) -> None:
    module, _ = layer(name)
    initialize_(module, "orthogonal")
    values = torch.linalg.svdvals(module.weight.detach().flatten(1))
    torch.testing.assert_close(values, torch.ones_like(values))
    assert getattr(module, "bias", None) is None or not module.bias.any()
