"""Every frame of many videos in one picture: the form in which videos are sent to a web browser, which cuts it up."""

import io
import math

from PIL import Image
from torch import Tensor

from ldvd_lib import video


def sprite_sheet(videos: Tensor) -> tuple[bytes, dict[str, int]]:
    """Every frame in one lossless WebP picture, video by video, row by row; and its layout, for ``sprite_sheet.js``.

    Args:
        videos: ``(N, C, T, H, W)``, float in [-1, 1] or uint8.

    Returns:
        The file's bytes, and ``numFrames``, ``height``, ``width`` and ``sheetColumns``, the number of frames in a row.
    """
    stills = videos.transpose(1, 2).flatten(0, 1)[:, :, None]  # (N * T, C, 1, H, W)
    columns = math.ceil(math.sqrt(len(stills)))
    picture = video.frames(video.grid(stills, columns=columns, padding=0))[0]
    buffer = io.BytesIO()
    # WebP makes these pictures about a fifth smaller than PNG. Lossy formats blur the colours of neighbouring pixels,
    # which the enlarged pixels would show.
    Image.fromarray(picture.squeeze()).convert("RGB").save(buffer, "WEBP", lossless=True, method=2)
    length, height, width = videos.shape[2:]
    return buffer.getvalue(), {"numFrames": length, "height": height, "width": width, "sheetColumns": columns}
