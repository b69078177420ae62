"""Layers that go from frame to frame and remember.

Source: ConvLSTM, Shi et al. 2015, "Convolutional LSTM Network", without the connections from the cell to the gates
("peepholes"), as in TGANv2 (Saito et al. 2020); MODELS §2. ConvGRU, Ballas et al. 2016, "Delving Deeper into
Convolutional Networks for Learning Video Representations", as in DVD-GAN (Clark et al. 2019); MODELS §8.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from ldvd_lib._kit.checks import whole_number
from ldvd_lib.blocks.initialization import lecun_

State = tuple[Tensor, Tensor]  # the hidden map h and the cell c, each (N, channels, H, W)


class ConvLSTMCell(nn.Module):
    """One step of a ConvLSTM: an LSTM whose products with matrices are 3×3 convolutions of maps.

    Gates i, f, o are sigmoids, the candidate g is a tanh; c' = f·c + i·g and h' = o·tanh(c').

    Args:
        in_channels: of the input.
        channels: of h and c.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        # Both give all four gates at once. One bias is enough.
        self.input = lecun_(nn.Conv2d(in_channels, 4 * channels, 3, padding=1))
        self.hidden = lecun_(nn.Conv2d(channels, 4 * channels, 3, padding=1, bias=False))

    def forward(self, x: Tensor | None, state: State | None) -> State:
        """The next state.

        Args:
            x: ``(N, in_channels, H, W)``; None for zeros, of which nothing is computed but the bias.
            state: None for zeros.

        Raises:
            ValueError: if both are None, for then nobody knows the shape.
        """
        if x is None and state is None:
            raise ValueError("the first step of a ConvLSTM needs an input: from nothing no shape follows")
        gates = cast(Tensor, self.input.bias).view(-1, 1, 1) if x is None else self.input(x)
        if state is not None:
            gates = gates + self.hidden(state[0])
        i, f, o, g = gates.chunk(4, dim=1)
        kept = i.sigmoid() * g.tanh()
        cell = kept if state is None else f.sigmoid() * state[1] + kept
        return o.sigmoid() * cell.tanh(), cell


class ConvLSTM(nn.Module):
    """A stack of ConvLSTM cells, each of which reads what the one below it says.

    Args:
        in_channels: of the inputs.
        channels: of the maps.
        layers: cells, one above the other.
    """

    def __init__(self, in_channels: int, channels: int, layers: int = 1) -> None:
        super().__init__()
        whole_number("layers", layers, least=1)
        widths = [in_channels, *[channels] * layers]
        self.cells = nn.ModuleList(ConvLSTMCell(width, channels) for width in widths[:-1])

    def forward(self, inputs: Sequence[Tensor | None]) -> Tensor:
        """Inputs → the last cell's maps.

        Args:
            inputs: of each step, ``(N, in_channels, H, W)``; None for zeros, but not in the first.

        Returns:
            ``(N, steps, channels, H, W)``.
        """
        states: list[State | None] = [None] * len(self.cells)
        outputs = []
        for below in inputs:
            for number, cell in enumerate(self.cells):
                states[number] = below, _ = cell(below, states[number])
            outputs.append(cast(Tensor, below))
        return torch.stack(outputs, dim=1)


class ConvGRU(nn.Module):
    """A GRU whose products with matrices are 3×3 convolutions of maps, and whose candidate is a ReLU.

    Of an input x and the map h of the frame before: the update u and the reset r are sigmoids of convolutions of
    [x; h]; the candidate c is the ReLU of one of [x; r·h]; and h' = u·h + (1 - u)·c. The first h is zero.

    Args:
        in_channels: of the inputs.
        channels: of the maps.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.in_channels, self.channels = in_channels, channels
        self.update = lecun_(nn.Conv2d(in_channels + channels, channels, 3, padding=1))
        self.reset = lecun_(nn.Conv2d(in_channels + channels, channels, 3, padding=1))
        self.candidate = lecun_(nn.Conv2d(in_channels + channels, channels, 3, padding=1))

    def forward(self, inputs: Tensor, steps: int) -> Tensor:
        """Inputs → a map for each step.

        Args:
            inputs: ``(N, steps, in_channels, H, W)``, or ``(N, 1, …)``: the same at every step.
            steps: how many.

        Returns:
            ``(N, steps, channels, H, W)``.
        """
        # A weight is read once and not at every step: with spectral normalisation each reading is a power iteration.
        layers = (self.update, self.reset, self.candidate)
        of_input, of_hidden = zip(
            *(layer.weight.split([self.in_channels, self.channels], dim=1) for layer in layers), strict=True
        )
        biases = torch.cat([cast(Tensor, layer.bias) for layer in layers])
        # A convolution of [x; h] is one of x and one of h: those of all inputs are done at once, before the first step.
        maps = conv2d(inputs.flatten(0, 1), torch.cat(of_input), biases, padding=1)
        maps = maps.unflatten(0, inputs.shape[:2]).expand(-1, steps, -1, -1, -1)
        gates, candidate = torch.cat(of_hidden[:2]), of_hidden[2]
        hidden = torch.zeros_like(maps[:, 0, : self.channels])
        outputs = []
        for step in maps.unbind(1):
            to_update, to_reset, to_candidate = step.chunk(3, dim=1)
            update, reset = conv2d(hidden, gates, padding=1).chunk(2, dim=1)
            update, reset = (update + to_update).sigmoid(), (reset + to_reset).sigmoid()
            new = (conv2d(reset * hidden, candidate, padding=1) + to_candidate).relu()
            hidden = new.lerp(hidden, update)
            outputs.append(hidden)
        return torch.stack(outputs, dim=1)
