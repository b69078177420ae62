"""What VGAN's videos are put together from: what is still, what moves, and where the one covers the other."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ldvd_lib import video
from ldvd_lib._kit.checks import whole_number
from ldvd_lib.generators.vgan import Streams

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_streams(streams: Streams, clip: int = 0, *, columns: int = 6) -> "Figure":
    """Draw some frames of a video, and below them its foreground, its mask (white is 1) and its background.

    Args:
        streams: of `ldvd_lib.generators.VGANGenerator.streams`.
        clip: which of the batch.
        columns: how many frames, evenly spread from the first to the last.

    Returns:
        A figure.

    Raises:
        ValueError: if there are fewer clips or frames than that.
    """
    from matplotlib.figure import Figure

    n, frames = streams.mask.shape[0], streams.mask.shape[2]
    whole_number("clip", clip, least=0, most=n - 1)
    whole_number("columns", columns, least=1, most=frames)
    chosen = torch.linspace(0, frames - 1, columns).round().long()

    def of(stream: Tensor) -> Tensor:
        return stream[clip].detach().cpu().float().expand(3, frames, -1, -1)

    rows = {
        "video": of(streams.videos),
        "foreground": of(streams.foreground),
        "mask": 2 * of(streams.mask) - 1,
        "background": of(streams.background),
    }
    figure = Figure(figsize=(1.3 * columns + 1, 1.3 * len(rows) + 0.3), layout="constrained")
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for line, (name, clip_frames) in zip(panels, rows.items(), strict=True):
        pictures = video.frames(clip_frames)
        for panel, frame in zip(line, chosen.tolist(), strict=True):
            panel.imshow(pictures[frame])
            panel.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
    for panel, frame in zip(panels[0], chosen.tolist(), strict=True):
        panel.set_title(f"frame {frame}", fontsize=9)
    return figure
