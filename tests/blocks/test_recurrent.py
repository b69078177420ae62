"""Layers that go from frame to frame."""

import pytest
import torch
from torch import nn

from ldvd_lib.blocks import ConvGRU, ConvLSTM, ConvLSTMCell, spectral_


def linear(convolution: nn.Conv2d) -> torch.Tensor:
    """What a 3×3 convolution does to a map of one place: only the middle of its kernel matters."""
    return convolution.weight[:, :, 1, 1]


def test_of_one_place_it_is_an_lstm() -> None:
    """PyTorch's, whose gates come in another order."""
    torch.manual_seed(0)
    ours, theirs = ConvLSTMCell(3, 4).double(), nn.LSTMCell(3, 4).double()
    nn.init.normal_(ours.input.bias)
    order = torch.tensor([0, 1, 3, 2])  # theirs: i, f, g, o
    with torch.no_grad():
        for name, convolution in (("weight_ih", ours.input), ("weight_hh", ours.hidden)):
            getattr(theirs, name).copy_(linear(convolution).unflatten(0, (4, 4))[order].flatten(0, 1))
        theirs.bias_ih.copy_(ours.input.bias.unflatten(0, (4, 4))[order].flatten())
        theirs.bias_hh.zero_()
    x, state = torch.randn(2, 3, dtype=torch.float64), None
    for step in range(3):
        expected = theirs(x, state)
        found = ours(x[:, :, None, None], None if state is None else tuple(part[:, :, None, None] for part in state))
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one[:, :, 0, 0], other, msg=str(step))
        x, state = torch.randn_like(x), expected


def test_neighbours_are_seen_and_nothing_beyond_in_one_step() -> None:
    cell = ConvLSTMCell(1, 2)
    x = torch.zeros(1, 1, 7, 7)
    x[..., 3, 3] = 1
    changed = (cell(x, None)[0] - cell(torch.zeros_like(x), None)[0]).abs().sum(1)[0] > 0
    assert changed[2:5, 2:5].all()
    assert changed.sum() == 9


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_no_input_is_an_input_of_zeros(layers: int) -> None:
    torch.manual_seed(0)
    network = ConvLSTM(3, 4, layers).double()
    first = torch.randn(2, 3, 5, 5, dtype=torch.float64)
    zeros = torch.zeros_like(first)
    outputs = network([first, None, None])
    assert outputs.shape == (2, 3, 4, 5, 5)
    torch.testing.assert_close(outputs, network([first, zeros, zeros]))
    assert not torch.equal(outputs[:, 1], outputs[:, 2])
    # Each layer reads the one below.
    x = first
    for cell in network.cells:
        x, _ = cell(x, None)
    torch.testing.assert_close(outputs[:, 0], x)


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ValueError, match="the first step of a ConvLSTM needs an input"):
        ConvLSTM(3, 4)([None])
    with pytest.raises(ValueError, match="layers must be a whole number"):
        ConvLSTM(3, 4, 0)


def gru(channels: int = 4) -> ConvGRU:
    torch.manual_seed(0)
    network = ConvGRU(3, channels).double()
    for layer in (network.update, network.reset, network.candidate):
        nn.init.normal_(layer.bias)
    return network


def test_a_convgru_equals_its_formula() -> None:
    """Each convolution of input and state together, frame by frame."""
    network, inputs = gru(), torch.randn(2, 5, 3, 6, 6, dtype=torch.float64)
    outputs, hidden = network(inputs, 5), torch.zeros(2, 4, 6, 6, dtype=torch.float64)
    for step in range(5):
        both = torch.cat([inputs[:, step], hidden], dim=1)
        update, reset = network.update(both).sigmoid(), network.reset(both).sigmoid()
        candidate = network.candidate(torch.cat([inputs[:, step], reset * hidden], dim=1)).relu()
        hidden = update * hidden + (1 - update) * candidate
        torch.testing.assert_close(outputs[:, step], hidden, rtol=0, atol=1e-12)


def test_one_input_is_the_same_at_every_step() -> None:
    network, first = gru(), torch.randn(2, 1, 3, 5, 5, dtype=torch.float64)
    outputs = network(first, 4)
    assert outputs.shape == (2, 4, 4, 5, 5)
    torch.testing.assert_close(outputs, network(first.expand(-1, 4, -1, -1, -1), 4))
    assert not torch.isclose(outputs[:, 1:], outputs[:, :-1]).all()


def test_a_frame_of_a_convgru_knows_no_later_one() -> None:
    network, inputs = gru(), torch.randn(2, 5, 3, 5, 5, dtype=torch.float64)
    changed = inputs.clone()
    changed[:, 3] += 1
    before, after = network(inputs, 5), network(changed, 5)
    assert torch.equal(before[:, :3], after[:, :3])
    assert not torch.isclose(before[:, 3:], after[:, 3:]).all((0, 2, 3, 4)).any()


def test_spectral_normalisation_sees_a_convgru_once_a_pass() -> None:
    network = spectral_(gru())
    once = spectral_(gru())
    assert torch.equal(network.update.weight, once.update.weight)  # a reading each: one step of power iteration
    network(torch.randn(1, 1, 3, 4, 4, dtype=torch.float64), 7)
    _ = once.update.weight
    for name, buffer in once.update.named_buffers():
        assert torch.equal(buffer, dict(network.update.named_buffers())[name])
