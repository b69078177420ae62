"""Self-attention."""

import pytest
import torch

from ldvd_lib.blocks import SelfAttention


def attention(share: float = 0.7) -> SelfAttention:
    torch.manual_seed(0)
    layer = SelfAttention(16).double()
    with torch.no_grad():
        layer.share.fill_(share)
    return layer


def test_at_first_it_adds_nothing() -> None:
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(SelfAttention(16)(x), x)


def test_each_place_gets_a_mean_of_all_places_written_out() -> None:
    layer, x = attention(), torch.randn(2, 16, 4, 6, dtype=torch.float64)
    queries, keys, values = layer.query(x), layer.key(x), layer.value(x)
    output = layer(x)
    corners = [(slice(i, i + 2), slice(j, j + 2)) for i in range(0, 4, 2) for j in range(0, 6, 2)]
    for n in range(2):
        seen = [tuple(maps[n][:, rows, columns].amax((1, 2)) for maps in (keys, values)) for rows, columns in corners]
        for i in range(4):
            for j in range(6):
                answers = torch.stack([queries[n, :, i, j] @ key for key, _ in seen]).exp()
                mean = sum(weight * value for weight, (_, value) in zip(answers / answers.sum(), seen, strict=True))
                expected = x[n, :, i, j] + 0.7 * layer.out.weight[:, :, 0, 0] @ mean
                torch.testing.assert_close(output[n, :, i, j], expected, rtol=0, atol=1e-12)


def test_it_can_be_differentiated_twice() -> None:
    layer, x = attention(), torch.randn(1, 16, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, x)


def test_too_few_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="channels is 4: use 8 or more"):
        SelfAttention(4)
