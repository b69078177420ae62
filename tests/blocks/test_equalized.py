"""Equalised learning rate."""

import copy
import math

import pytest
import torch
from torch import nn

from ldvd_lib.blocks import he_normal_

LAYERS = {
    "linear": lambda: nn.Linear(300, 200),
    "convolution": lambda: nn.Conv3d(20, 30, (2, 3, 3)),
    "transposed": lambda: nn.ConvTranspose3d(300, 20, (2, 4, 4)),
}
INPUTS = {"linear": 300, "convolution": 20 * 18, "transposed": 300}


@pytest.mark.parametrize("equalized", [True, False])
@pytest.mark.parametrize("kind", LAYERS)
def test_weights_are_as_large_as_inputs_ask_for(kind: str, equalized: bool) -> None:
    torch.manual_seed(0)
    layer = he_normal_(LAYERS[kind](), gain=0.7, equalized=equalized)
    assert layer.weight.std().item() == pytest.approx(0.7 / math.sqrt(INPUTS[kind]), rel=0.03)
    assert not layer.bias.any()
    learnt = dict(layer.named_parameters())
    assert set(learnt) == ({"bias", "parametrizations.weight.original"} if equalized else {"bias", "weight"})
    if equalized:
        assert learnt["parametrizations.weight.original"].std().item() == pytest.approx(1, rel=0.03)


def test_a_transposed_layer_keeps_the_size_of_its_input() -> None:
    """Of inputs of variance 1, a layer with gain 1 makes outputs of variance 1."""
    torch.manual_seed(0)
    x = torch.randn(50, 300, 1, 1, 1)
    layer = he_normal_(LAYERS["transposed"](), gain=1.0)
    assert layer(x).std().item() == pytest.approx(1, rel=0.05)


def test_it_is_a_learning_rate_proportional_to_the_layers_scale() -> None:
    """Under Adam it equals a plain layer of the same weights, with rate and epsilon scaled."""
    torch.manual_seed(0)
    equalized = he_normal_(nn.Linear(12, 5).double())
    plain = nn.Linear(12, 5).double()
    with torch.no_grad():
        plain.weight.copy_(equalized.weight)
        plain.bias.copy_(equalized.bias)
    scale = math.sqrt(2 / 12)
    one = torch.optim.Adam(equalized.parameters(), 1e-2)
    other = torch.optim.Adam(
        [
            {"params": [plain.weight], "lr": 1e-2 * scale, "eps": 1e-8 / scale},
            {"params": [plain.bias], "lr": 1e-2},
        ]
    )
    x, target = torch.randn(7, 12).double(), torch.randn(7, 5).double()
    start = copy.deepcopy(plain.weight)
    for _ in range(5):
        for layer, optimizer in ((equalized, one), (plain, other)):
            optimizer.zero_grad()
            (layer(x) - target).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(equalized.weight, plain.weight)
    torch.testing.assert_close(equalized.bias, plain.bias)
    assert (plain.weight - start).abs().min() > 1e-3
