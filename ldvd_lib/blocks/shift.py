"""The temporal shift: what lets layers of single frames see their neighbours."""

import torch
from torch import Tensor, nn


class TemporalShift(nn.Module):
    """Moves some channels one way in time and as many the other, so that the next layer sees neighbouring frames.

    Args:
        fraction: of the channels moved *each* way; of ``C`` channels that is ``int(C · fraction)``.
        distance: frames they move by; what comes in at the ends is zero.

    Raises:
        ValueError: if `fraction` is not in (0, 0.5] or `distance` is not positive.

    Source: LDVD paper, section on TSM; Lin et al. 2019, "TSM: Temporal Shift Module". No parameters, no arithmetic.
    """

    def __init__(self, fraction: float = 0.25, distance: int = 1) -> None:
        super().__init__()
        if not 0 < fraction <= 0.5:
            raise ValueError(f"shift fraction is {fraction}, but a share in (0, 0.5] of the channels moves each way")
        if distance < 1:
            raise ValueError(f"shift distance is {distance}, but must be at least 1 frame")
        self.fraction, self.distance = fraction, distance

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, T, H, W)`` → the same shape: ``x[:, :k]`` later by `distance`, ``x[:, k:2k]`` earlier."""
        return _Shift.apply(x, int(x.shape[1] * self.fraction), self.distance)

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"fraction={self.fraction}, distance={self.distance}"


class _Shift(torch.autograd.Function):
    """Every element is written once. Slicing, padding and joining would write up to four times as many bytes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, moved: int, distance: int) -> Tensor:
        out, length = torch.empty_like(x), x.shape[2]
        gap = min(abs(distance), length)
        later, earlier = slice(0, moved), slice(moved, 2 * moved)
        if distance < 0:
            later, earlier = earlier, later
        out[:, 2 * moved :] = x[:, 2 * moved :]
        out[:, later, :gap] = 0
        out[:, later, gap:] = x[:, later, : length - gap]
        out[:, earlier, length - gap :] = 0
        out[:, earlier, : length - gap] = x[:, earlier, gap:]
        return out

    @staticmethod
    def setup_context(ctx, inputs: tuple, output: Tensor) -> None:
        _, ctx.moved, ctx.distance = inputs

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        # The transpose of a shift is the shift back; being this function itself, it can be differentiated again.
        return _Shift.apply(gradient, ctx.moved, -ctx.distance), None, None

    @staticmethod
    def jvp(ctx, tangent: Tensor, *_: None) -> Tensor:
        return _Shift.apply(tangent, ctx.moved, ctx.distance)
