"""A grid of looping samples of a generator, to browse inside a notebook."""

import io
import logging
import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import traitlets
from PIL import Image
from torch import Tensor, nn

from ldvd_lib import video
from ldvd_lib._checks import frames_per_second, whole_number
from ldvd_lib._drawing import share_palette
from ldvd_lib.training import sample_videos
from ldvd_lib.widgets._course_widget import CourseWidget, say, script, style

__all__ = ["SampleBrowser", "VideoGenerator"]

_logger = logging.getLogger(__name__)
_MAX_SEED = 2**53 - 1  # the largest whole number that a browser counts exactly
_MAX_PICTURE_ROWS = 9


class VideoGenerator(Protocol):
    """What the browser asks of a generator; every generator of the library has it."""

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Latent vectors ``(n, latent_dim)``, drawn from ``generator``."""

    def __call__(self, latents: Tensor) -> Tensor:
        """Videos ``(n, C, T, H, W)`` with values in [-1, 1]."""


class SampleBrowser(CourseWidget):
    """A grid of looping videos with a seed to change, a frame slider, and a button that saves a GIF.

    All frames of a sample travel to the web browser once, as one losslessly compressed picture, and play there: moving
    the frame slider never waits for the kernel. Sampling runs in evaluation mode without gradients, and leaves the
    generator in the mode it was in. Where no kernel answers, such as on GitHub, a contact sheet stands in.

    Args:
        generator: a generator of the library, or anything that keeps to `VideoGenerator`.
        num_videos: how many videos to sample.
        seed: what the latents are drawn from; a seed gives the same latents on every device.
        fps: frames per second at which the videos play, 1 to 60.
        columns: videos per row; by default the grid is as square as it can be.
        scale: whole number by which a pixel is enlarged; by default a video is about 112 pixels wide.
        save_directory: where "Save GIF" writes; made when missing.

    Attributes:
        seed, fps, playing, selected: what the controls show. Setting one moves the control, and the other way round;
            ``selected`` is the index of the enlarged video, or None.
        latents: ``(num_videos, latent_dim)``, on the CPU; ``latents[selected]`` made the enlarged video.
        videos: ``(num_videos, C, T, H, W)``, uint8, on the CPU.
        saved_path: the last file that "Save GIF" wrote, or the empty string.
        status: the line under the grid.

    Raises:
        ValueError: an argument is not of the kind above, or the generator's output is no batch of videos. Once the
            widget is on screen, a seed that fails says so in the status line, and the last sample stays.
    """

    _esm = script("sample_browser.js")
    _css = style("sample_browser.css")

    seed = traitlets.Int(0, min=0, max=_MAX_SEED).tag(sync=True)
    fps = traitlets.Float(12, min=1, max=60).tag(sync=True)
    playing = traitlets.Bool(True).tag(sync=True)
    selected = traitlets.Int(None, allow_none=True, min=0).tag(sync=True)
    saved_path = traitlets.Unicode("").tag(sync=True)
    _sheet = traitlets.Bytes(b"").tag(sync=True)  # every frame of every video, in one WebP picture
    _sample = traitlets.Dict().tag(sync=True)  # which seed the sheet shows, and where on it a frame lies
    _layout = traitlets.Dict().tag(sync=True)  # columns of the grid, and how much a pixel is enlarged

    def __init__(
        self,
        generator: VideoGenerator,
        *,
        num_videos: int = 9,
        seed: int = 0,
        fps: float = 12,
        columns: int | None = None,
        scale: int | None = None,
        save_directory: str | Path = ".",
    ) -> None:
        if not callable(generator) or not callable(getattr(generator, "sample_latents", None)):
            raise ValueError(
                "SampleBrowser takes a generator that is called with latents and has sample_latents(n, generator=...), "
                f"got {type(generator).__name__}."
            )
        self.num_videos = whole_number("num_videos", num_videos, least=1)
        columns = math.ceil(math.sqrt(num_videos)) if columns is None else whole_number("columns", columns, least=1)
        if scale is not None:
            whole_number("scale", scale, least=1)
        self.generator = generator
        self.save_directory = Path(save_directory)
        super().__init__(
            seed=whole_number("seed", seed, least=0, most=_MAX_SEED), fps=frames_per_second(fps, least=1, most=60)
        )
        self._draw()
        scale = video.display_scale(self.videos.shape[-1]) if scale is None else scale
        self._layout = {"columns": min(columns, num_videos), "scale": scale}
        self.observe(self._on_seed, "seed")
        self.on_msg(self._on_message)

    def resample(self) -> None:
        """Go on to the next seed."""
        self.seed += 1

    def save_gif(self, path: str | Path | None = None) -> Path:
        """Write the grid as an animated GIF.

        Args:
            path: where to write; by default a new name in ``save_directory`` that tells the seed.

        Returns:
            The path, which ``saved_path`` tells too.
        """
        path = self._free_path() if path is None else path
        path = video.save_gif(self.videos, path, fps=min(self.fps, 50), **self._layout)
        self.saved_path = str(path)
        self._report(f"Saved {path} ({path.stat().st_size / 1000:,.0f} kB).")
        return path

    def _free_path(self) -> Path:
        """A name that no file has yet: another generator's samples of the same seed are not to be overwritten."""
        stem = f"samples-seed-{self._sample['seed']}"
        path, number = self.save_directory / f"{stem}.gif", 2
        while path.exists():
            path, number = self.save_directory / f"{stem}-{number}.gif", number + 1
        return path

    def _draw(self) -> None:
        """Sample with the present seed and send the frames."""
        latents, videos = _sample(self.generator, self.num_videos, self.seed)
        sheet, sheet_columns = _sprite_sheet(videos)
        count, _, length, height, width = videos.shape
        self.latents, self.videos = latents, videos
        with self.hold_sync():
            self._sheet = sheet
            self._sample = {
                "seed": self.seed,
                "numVideos": count,
                "numFrames": length,
                "height": height,
                "width": width,
                "sheetColumns": sheet_columns,
            }
            self._report(f"{count} videos of {length} frames, {width} × {height} pixels, seed {self.seed}.")

    def _on_seed(self, change: dict[str, Any]) -> None:
        self._report(f"Sampling seed {self.seed} …")
        try:
            self._draw()
        except Exception as error:
            _logger.exception("sampling seed %d failed", self.seed)
            self._report(
                f"Seed {self.seed} failed, still showing seed {self._sample['seed']}. {say(error)}", failed=True
            )

    def _on_message(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        if content.get("type") != "save_gif":
            return
        try:
            self.save_gif()
        except Exception as error:
            _logger.exception("saving a GIF in %s failed", self.save_directory)
            self._report(f"The GIF could not be saved. {say(error)}", failed=True)

    @traitlets.validate("selected")
    def _check_selected(self, proposal: dict[str, Any]) -> int | None:
        index = proposal["value"]
        if index is not None and index >= self.num_videos:
            raise traitlets.TraitError(f"selected must be None or 0 to {self.num_videos - 1}, got {index}.")
        return index

    def __repr__(self) -> str:
        return f"SampleBrowser({type(self.generator).__name__}, num_videos={self.num_videos}, seed={self.seed})"

    def _still_picture(self) -> tuple[bytes, str]:
        rows = self.videos[:_MAX_PICTURE_ROWS]
        labels = [f"video {index}" for index in range(len(rows))]
        scale = video.display_scale(rows.shape[-1], target=64)
        sheet = video.contact_sheet(rows, num_frames=8, scale=scale, labels=labels)
        buffer = io.BytesIO()
        share_palette(np.asarray(sheet)[None])[0].save(buffer, "PNG", optimize=True)
        count = f"{len(rows)} videos"
        if len(rows) < self.num_videos:
            count = f"The first {len(rows)} of {self.num_videos} videos"
        alt = f"{count} sampled with seed {self._sample['seed']}; each row shows frames of one video from first to last"
        return buffer.getvalue(), alt


def _sample(generator: VideoGenerator, num_videos: int, seed: int) -> tuple[Tensor, Tensor]:
    """Latents ``(N, latent_dim)`` and uint8 videos ``(N, C, T, H, W)``, both on the CPU."""
    # Latents are drawn on the CPU, so that a seed means the same everywhere.
    latents = generator.sample_latents(num_videos, generator=torch.Generator().manual_seed(seed))
    if isinstance(generator, nn.Module):
        videos = sample_videos(generator, latents=latents)
    else:
        with torch.no_grad():
            videos = generator(latents)
    if not isinstance(videos, Tensor) or videos.ndim != 5 or len(videos) != num_videos:
        given = f"shape {tuple(videos.shape)}" if isinstance(videos, Tensor) else type(videos).__name__
        raise ValueError(f"the generator should return {num_videos} videos (N, C, T, H, W), got {given}.")
    return latents.cpu(), video.to_uint8(videos).cpu()


def _sprite_sheet(videos: Tensor) -> tuple[bytes, int]:
    """Every frame in one lossless WebP picture, video by video, and the number of frames in a row of it."""
    stills = videos.transpose(1, 2).flatten(0, 1)[:, :, None]  # (N * T, C, 1, H, W)
    columns = math.ceil(math.sqrt(len(stills)))
    picture = video.frames(video.grid(stills, columns=columns, padding=0))[0]
    buffer = io.BytesIO()
    # WebP makes these pictures about a fifth smaller than PNG. Lossy formats blur the colours of neighbouring pixels,
    # which the enlarged pixels would show.
    Image.fromarray(picture.squeeze()).convert("RGB").save(buffer, "WEBP", lossless=True, method=2)
    return buffer.getvalue(), columns
