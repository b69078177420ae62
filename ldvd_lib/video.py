"""Clips as tensors, frames, grids, contact sheets, GIF and MP4 files, and pictures inside notebooks.

A *video* is a tensor ``(C, T, H, W)`` and *videos* are a batch ``(N, C, T, H, W)``: one or three channels, either
floats in [-1, 1] as the networks use them, or uint8 as files and screens do. Everything here takes both.
"""

import html
import io
import math
import tempfile
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ldvd_lib._kit.checks import frames_per_second, whole_number
from ldvd_lib._kit.drawing import (
    WHITE,
    Colour,
    as_tensor,
    check_background,
    check_labels,
    headings,
    share_palette,
    with_row_labels,
)
from ldvd_lib._kit.files import replacing
from ldvd_lib._kit.packages import needed

__all__ = [
    "InlineVideo",
    "contact_sheet",
    "display_scale",
    "frames",
    "grid",
    "save_gif",
    "save_mp4",
    "save_png",
    "show",
    "to_float",
    "to_uint8",
]

_MAX_GIF_FPS = 50  # viewers slow down a GIF whose frames last less than 20 ms


def to_uint8(video: Tensor) -> Tensor:
    """Turn floats in [-1, 1] into bytes: ``round((x + 1) * 127.5)``, values beyond the range clamped.

    Args:
        video: floating point tensor of any shape.

    Returns:
        uint8 tensor of the same shape, on the same device.

    Raises:
        ValueError: the tensor is not of a floating point type, or contains NaN or infinity.
    """
    if not isinstance(video, Tensor) or not video.is_floating_point():
        raise ValueError(
            f"to_uint8 takes a floating point tensor with values in [-1, 1], got {_describe(video)}. "
            "A uint8 video needs no conversion; divide other integers by hand so that the range is what you mean."
        )
    if not torch.isfinite(video).all():
        count = int((~torch.isfinite(video)).sum())
        raise ValueError(
            f"{count} of {video.numel()} values are NaN or infinite, which no pixel can show. "
            "If a generator made this video, its training has diverged: go back to an earlier checkpoint."
        )
    return ((video.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def to_float(video: Tensor) -> Tensor:
    """Turn bytes into floats in [-1, 1]: ``x / 127.5 - 1``. ``to_uint8`` takes the result back exactly.

    Args:
        video: uint8 tensor of any shape.

    Returns:
        float32 tensor of the same shape, on the same device.

    Raises:
        ValueError: the tensor is not uint8.
    """
    if not isinstance(video, Tensor) or video.dtype != torch.uint8:
        raise ValueError(
            f"to_float takes a uint8 tensor, got {_describe(video)}. Call to_uint8 first if it is a float."
        )
    return video.float().div_(127.5).sub_(1)


def frames(video: Tensor) -> np.ndarray:
    """The frames of one video, as image and video libraries take them.

    Args:
        video: ``(C, T, H, W)``, float in [-1, 1] or uint8.

    Returns:
        uint8 array ``(T, H, W, C)``, contiguous.

    Raises:
        ValueError: the shape, the channels or the values are not those of a video.
    """
    video = _checked(video, ndim=4)
    return np.ascontiguousarray(video.permute(1, 2, 3, 0).cpu().numpy())


def display_scale(width: int, *, target: int = 112) -> int:
    """The whole number, at least 1, by which ``width`` pixels must be multiplied to come closest to ``target``."""
    return max(1, round(target / width))


def grid(
    videos: Tensor,
    *,
    columns: int | None = None,
    padding: int = 2,
    labels: Sequence[str] | None = None,
    scale: int = 1,
    background: Colour = WHITE,
) -> Tensor:
    """Lay several videos out as one, row by row.

    Args:
        videos: ``(N, C, T, H, W)``, float in [-1, 1] or uint8.
        columns: videos per row; by default the grid is as square as it can be.
        padding: pixels between neighbours, counted after scaling; there is no outer border.
        labels: a text above each video, shortened where it does not fit.
        scale: whole number by which each pixel is repeated, so that small videos stay crisp.
        background: RGB colour, 0–255, between the videos and behind the labels.

    Returns:
        One uint8 video ``(C, T, H', W')``.

    Raises:
        ValueError: an argument is not of the kind above.
    """
    videos = _checked(videos, ndim=5)
    count, channels, _, height, width = videos.shape
    scale, padding = whole_number("scale", scale, least=1), whole_number("padding", padding, least=0)
    columns = math.ceil(math.sqrt(count)) if columns is None else min(whole_number("columns", columns, least=1), count)
    rows = math.ceil(count / columns)
    height, width = height * scale, width * scale
    check_background(background)
    if labels is not None:
        check_labels(labels, count)
    strips = np.empty((count, 0, width, 3), np.uint8) if labels is None else headings(labels, width, background)
    strip_height = strips.shape[1]
    cell_height = strip_height + height

    shape = (channels, videos.shape[2], rows * (cell_height + padding) - padding, columns * (width + padding) - padding)
    colour = as_tensor(np.array(background, dtype=np.uint8).reshape(1, 1, 3), channels).to(videos.device)
    canvas = colour[:, None].expand(shape).clone()
    for index, video in enumerate(_enlarge(videos, scale)):
        row, column = divmod(index, columns)
        top, left = row * (cell_height + padding), column * (width + padding)
        strip = as_tensor(strips[index], channels).to(videos.device)
        canvas[:, :, top : top + strip_height, left : left + width] = strip[:, None]
        canvas[:, :, top + strip_height : top + cell_height, left : left + width] = video
    return canvas


def contact_sheet(
    videos: Tensor,
    *,
    num_frames: int = 8,
    labels: Sequence[str] | None = None,
    scale: int = 1,
    padding: int = 2,
    background: Colour = WHITE,
) -> Image.Image:
    """Lay videos out on one still picture: a row per video, frames evenly spaced from its first to its last.

    Args:
        videos: ``(N, C, T, H, W)``, or one video ``(C, T, H, W)``; float in [-1, 1] or uint8.
        num_frames: frames per row; all of them where a video has fewer.
        labels: a text at the left of each row.
        scale: whole number by which each pixel is repeated.
        padding: pixels between neighbours, counted after scaling.
        background: RGB colour, 0–255, between the frames and behind the labels.

    Returns:
        An RGB picture.

    Raises:
        ValueError: an argument is not of the kind above.
    """
    videos = _checked(_as_batch(videos), ndim=5)
    count, _, length, height, _ = videos.shape
    num_frames = min(whole_number("num_frames", num_frames, least=1), length)
    times = torch.linspace(0, length - 1, num_frames).round().long().to(videos.device)
    stills = videos[:, :, times].transpose(1, 2).flatten(0, 1)[:, :, None]  # (N * num_frames, C, 1, H, W)
    sheet = grid(stills, columns=num_frames, padding=padding, scale=scale, background=background)
    picture = Image.fromarray(_rgb(sheet)[0])
    if labels is None:
        return picture
    check_labels(labels, count)
    return with_row_labels(picture, labels, height * scale, padding, background)


def save_gif(videos: Tensor, path: str | Path, *, fps: float = 12, **grid_options: Any) -> Path:
    """Write an animated GIF that loops forever. All frames share one palette, so that still parts do not flicker.

    Args:
        videos: one video ``(C, T, H, W)``, or several ``(N, C, T, H, W)`` to be laid out by `grid`.
        path: where to write; ends in ``.gif``. Missing directories are made.
        fps: frames per second, at most 50; the format rounds the duration of a frame to a hundredth of a second.
        **grid_options: those of `grid`.

    Returns:
        The path.

    Raises:
        ValueError: the videos, the path or an option is not of the kind above.
    """
    path, fps = _checked_path(path, ".gif"), frames_per_second(fps)
    if fps > _MAX_GIF_FPS:
        raise ValueError(
            f"a GIF plays at {_MAX_GIF_FPS} frames per second at most, got fps={fps}. Use save_mp4 instead."
        )
    first, *others = share_palette(_rgb_grid(videos, grid_options))
    with replacing(path) as temporary:
        first.save(temporary, save_all=True, append_images=others, duration=1000 / fps, loop=0)
    return path


def save_mp4(videos: Tensor, path: str | Path, *, fps: float = 12, **grid_options: Any) -> Path:
    """Write an H.264 film that browsers play (yuv420p; an odd side is padded by a pixel that repeats the edge).

    Args:
        videos: one video ``(C, T, H, W)``, or several ``(N, C, T, H, W)`` to be laid out by `grid`.
        path: where to write; ends in ``.mp4``. Missing directories are made.
        fps: frames per second.
        **grid_options: those of `grid`.

    Returns:
        The path.

    Raises:
        ValueError: the videos, the path or an option is not of the kind above.
        MissingPackageError: moviepy is not installed.
    """
    path, fps = _checked_path(path, ".mp4"), frames_per_second(fps)
    pictures = _rgb_grid(videos, grid_options)
    odd_height, odd_width = pictures.shape[1] % 2, pictures.shape[2] % 2
    pictures = np.pad(pictures, ((0, 0), (0, odd_height), (0, odd_width), (0, 0)), mode="edge")
    with replacing(path) as temporary:
        _moviepy_clip(list(pictures), fps).write_videofile(
            str(temporary),
            fps=fps,
            codec="libx264",
            audio=False,
            ffmpeg_params=["-crf", "16", "-vf", "format=yuv420p", "-movflags", "+faststart"],
            logger=None,
        )
    return path


def save_png(image: Image.Image | Tensor, path: str | Path) -> Path:
    """Write a still picture.

    Args:
        image: a picture, or a tensor ``(C, H, W)``, float in [-1, 1] or uint8.
        path: where to write; ends in ``.png``. Missing directories are made.

    Returns:
        The path.

    Raises:
        ValueError: the image or the path is not of the kind above.
    """
    path = _checked_path(path, ".png")
    if not isinstance(image, Image.Image):
        if not isinstance(image, Tensor) or image.ndim != 3:
            raise ValueError(f"save_png takes a PIL image or a tensor (C, H, W), got {_describe(image)}.")
        image = Image.fromarray(_rgb(_checked(image[:, None], ndim=4))[0])
    with replacing(path) as temporary:
        image.save(temporary, optimize=True)
    return path


class InlineVideo:
    """A video that a notebook displays: its data, and what it shows in words, for readers who cannot see it."""

    def __init__(self, mimetype: str, data: str, alt: str) -> None:
        self.mimetype, self.data, self.alt = mimetype, data, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        return {self.mimetype: self.data, "text/plain": self.alt}, {self.mimetype: {"alt": self.alt}}


def show(
    videos: Tensor,
    *,
    fps: float = 12,
    format: Literal["png", "gif", "mp4"] = "png",
    alt: str | None = None,
    scale: int | None = None,
    **grid_options: Any,
) -> InlineVideo:
    """Show videos inside a notebook; the data are stored in the notebook and need neither a kernel nor a file.

    The default, an animated PNG, plays wherever a notebook can show a picture at all (JupyterLab, Notebook 7, VS Code,
    Colab, GitHub, nbconvert), and is about a third of the size of a GIF of the same colours. A GIF is embedded in HTML,
    since nbconvert leaves out outputs of type ``image/gif``; an MP4 has controls, and needs a viewer that keeps
    ``<video>`` elements.

    Args:
        videos: one video ``(C, T, H, W)``, or several ``(N, C, T, H, W)`` to be laid out by `grid`.
        fps: frames per second.
        format: ``"png"``, ``"gif"`` or ``"mp4"``.
        alt: what the picture shows, for readers who cannot see it; by default its numbers and labels.
        scale: whole number by which each pixel is repeated; by default a video is about 112 pixels wide.
        **grid_options: the others of `grid`.

    Returns:
        An object that a notebook displays.

    Raises:
        ValueError: the videos or an option is not of the kind above.
    """
    videos = _as_batch(videos)
    fps = frames_per_second(fps)
    grid_options["scale"] = display_scale(videos.shape[-1]) if scale is None else scale
    alt = _default_alt(videos, fps, grid_options.get("labels")) if alt is None else alt
    if format == "png":
        return InlineVideo("image/png", _base64(_animated_png(_rgb_grid(videos, grid_options), fps)), alt)
    if format == "gif":
        data = _base64(_file_bytes(save_gif, videos, ".gif", fps, grid_options))
        return InlineVideo("text/html", f'<img src="data:image/gif;base64,{data}" alt="{html.escape(alt)}">', alt)
    if format == "mp4":
        data = _base64(_file_bytes(save_mp4, videos, ".mp4", fps, grid_options))
        attributes = f'controls loop autoplay muted playsinline aria-label="{html.escape(alt)}"'
        return InlineVideo("text/html", f'<video {attributes} src="data:video/mp4;base64,{data}"></video>', alt)
    raise ValueError(f"format must be 'png', 'gif' or 'mp4', got {format!r}.")


def _default_alt(videos: Tensor, fps: float, labels: Sequence[str] | None) -> str:
    count, _, length = videos.shape[:3]
    text = f"{count} video{'s' if count > 1 else ''} of {length} frames, looping at {fps:g} frames per second"
    return f"{text}: {', '.join(labels)}" if labels else text


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _animated_png(pictures: np.ndarray, fps: float) -> bytes:
    first, *following = share_palette(pictures)
    buffer = io.BytesIO()
    first.save(buffer, "PNG", save_all=True, append_images=following, duration=1000 / fps, loop=0)
    return buffer.getvalue()


def _file_bytes(save: Any, videos: Tensor, suffix: str, fps: float, grid_options: dict[str, Any]) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        return save(videos, Path(directory, f"video{suffix}"), fps=fps, **grid_options).read_bytes()


def _describe(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    return f"{type(value).__name__}"


def _checked(videos: Tensor, *, ndim: int) -> Tensor:
    """The videos as uint8, after a check that their shape is ``(N, C, T, H, W)``, or without N if ``ndim`` is 4."""
    shape = "(N, C, T, H, W)" if ndim == 5 else "(C, T, H, W)"
    if not isinstance(videos, Tensor):
        raise ValueError(f"expected a tensor {shape}, got {_describe(videos)}; torch.from_numpy makes one of an array.")
    if videos.ndim != ndim:
        advice = "add an axis with videos[None]" if videos.ndim == ndim - 1 else "index or reshape it first"
        raise ValueError(f"expected videos {shape}, got {_describe(videos)}: {advice}.")
    if videos.numel() == 0:
        raise ValueError(f"there is nothing to show in {_describe(videos)}: an axis of {shape} is empty.")
    if videos.shape[-4] not in (1, 3):
        raise ValueError(
            f"expected 1 or 3 channels in {shape}, got {videos.shape[-4]} in {_describe(videos)}. "
            "If the frames come before the channels, swap the two with videos.transpose(-4, -3)."
        )
    return videos if videos.dtype == torch.uint8 else to_uint8(videos)


def _as_batch(videos: Tensor) -> Tensor:
    return videos[None] if isinstance(videos, Tensor) and videos.ndim == 4 else videos


def _checked_path(path: str | Path, suffix: str) -> Path:
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise ValueError(f"the path must end in {suffix}, got {str(path)!r}.")
    return path


def _enlarge(videos: Tensor, scale: int) -> Tensor:
    return videos.repeat_interleave(scale, dim=-2).repeat_interleave(scale, dim=-1) if scale > 1 else videos


def _rgb(video: Tensor) -> np.ndarray:
    """Frames ``(T, H, W, 3)`` uint8 of a uint8 video with one channel or three."""
    return frames(video.expand(3, *video.shape[1:]))


def _rgb_grid(videos: Tensor, grid_options: dict[str, Any]) -> np.ndarray:
    return _rgb(grid(_as_batch(videos), **grid_options))


def _moviepy_clip(pictures: list[np.ndarray], fps: float) -> Any:
    with needed("moviepy", "to write MP4 films (save_gif needs no package)"):
        from moviepy import ImageSequenceClip

    # moviepy counts int(duration * fps) frames: without the extra half, rounding can lose the last one.
    return ImageSequenceClip(pictures, fps=fps).with_duration((len(pictures) + 0.5) / fps)
