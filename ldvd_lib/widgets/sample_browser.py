"""Grids of looping samples of a generator, or of several with the same latents, to browse inside a notebook."""

import io
import logging
import math
import numbers
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from ldvd_lib import video
from ldvd_lib._kit.checks import frames_per_second, one_of, whole_number
from ldvd_lib._kit.drawing import share_palette
from ldvd_lib._kit.files import free_path
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.latents import share_part, truncate, walk_between
from ldvd_lib.training import sample_videos
from ldvd_lib.training.sampling import evaluation
from ldvd_lib.widgets._course_widget import CourseWidget, checked_choice, say, script, style
from ldvd_lib.widgets._sprite_sheet import sprite_sheet

__all__ = ["GeneratorLike", "SampleBrowser"]

_logger = logging.getLogger(__name__)
_MAX_SEED = 2**53 - 1  # the largest whole number that a browser represents exactly
_MAX_PICTURE_ROWS = 9
_CHOICES = ("seed", "truncation", "grid", "first", "second")  # what the latents depend on


class GeneratorLike(Protocol):
    """What the browser needs of a generator; every generator of the library has it, and ``latent_parts`` too."""

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Latent vectors ``(n, latent_dim)``, drawn from ``generator``."""

    def __call__(self, latents: Tensor) -> Tensor:
        """Videos ``(n, C, T, H, W)`` with values in [-1, 1]."""


class SampleBrowser(CourseWidget):
    """A grid of looping videos, with controls for the seed, the frame, an enlarged video, walks, and saving to files.

    Several generators are shown side by side, with the same latents. All frames of a sample are sent to the web browser
    once, as one losslessly compressed picture, and play there: moving the frame slider never waits for the kernel.
    Sampling runs in evaluation mode without gradients, and leaves a generator in the mode it was in. Without a kernel,
    such as on GitHub, a contact sheet is shown.

    Args:
        generator: a generator of the library, or anything that has the methods of `GeneratorLike`; or label →
            generator, to compare several: these must draw the same latents from a seed, and make videos of one shape.
        num_videos: how many videos to sample.
        seed: what the latents are drawn from; a seed gives the same latents on every device.
        truncation: ψ, 0 to 1: latents are multiplied by it, which moves them towards their mean, 0, where videos are
            likelier and more alike (see `ldvd_lib.latents.truncate`).
        grid: ``"samples"``; ``"walk"``, from sample `first` to sample `second` in ``num_videos`` steps (along a line
            for uniform latents, along the sphere for normal ones, `ldvd_lib.latents.walk_between`); or, if latents
            have several ``latent_parts``, ``"same content"``, ``"same motion"`` and so on: all samples, but with that
            part of sample `first`.
        first, second: indices of samples; ``second`` is by default the last.
        fps: frames per second at which the videos play, 1 to 60.
        columns: videos per row; by default the grid is as square as it can be.
        scale: whole number by which a pixel is enlarged; by default a video is about 112 pixels wide.
        save_directory: where "Save GIF" and "Save MP4" write; made if missing.

    Attributes:
        seed, truncation, grid, first, second, fps, playing, selected: the values of the controls. Setting one moves its
            control, and moving a control sets its attribute; ``selected`` is the index of the enlarged video, or None.
        grids: the values that ``grid`` can have.
        generators: label → generator; the label of a single one is empty.
        latents: ``(num_videos, latent_dim)``, on the CPU; ``latents[selected]`` made the enlarged video.
        videos: ``(num_videos, C, T, H, W)``, uint8, on the CPU; those of the first generator.
        videos_by_label: label → videos.
        saved_path: the last file that was saved, or the empty string.
        status: the line under the grid.

    Raises:
        ValueError: an argument is not of the kind above, or the generator's output is not a batch of videos. Once the
            widget is on screen, a choice that fails is reported in the status line, and the last videos stay.
    """

    _esm = script("sprite_sheet.js", "film_strip.js", "sample_browser.js")
    _css = style("sample_browser.css")

    seed = traitlets.Int(0, min=0, max=_MAX_SEED).tag(sync=True)
    truncation = traitlets.Float(1, min=0, max=1).tag(sync=True)
    grid = traitlets.Unicode("samples").tag(sync=True)
    first = traitlets.Int(0, min=0).tag(sync=True)
    second = traitlets.Int(0, min=0).tag(sync=True)
    fps = traitlets.Float(12, min=1, max=60).tag(sync=True)
    playing = traitlets.Bool(True).tag(sync=True)
    selected = traitlets.Int(None, allow_none=True, min=0).tag(sync=True)
    saved_path = traitlets.Unicode("").tag(sync=True)
    _grids = traitlets.Dict().tag(sync=True)  # the choices of the menu: grid → its text
    _answered = traitlets.Dict().tag(sync=True)  # the choices last tried; others are still waiting
    _sheet = traitlets.Bytes(b"").tag(sync=True)  # every frame of every video of every generator, in one WebP picture
    _sample = traitlets.Dict().tag(sync=True)  # what the sheet shows, and where each frame is on it
    _layout = traitlets.Dict().tag(sync=True)  # columns of the grid, and how much a pixel is enlarged

    def __init__(
        self,
        generator: GeneratorLike | Mapping[str, GeneratorLike],
        *,
        num_videos: int = 9,
        seed: int = 0,
        truncation: float = 1,
        grid: str = "samples",
        first: int = 0,
        second: int | None = None,
        fps: float = 12,
        columns: int | None = None,
        scale: int | None = None,
        save_directory: str | Path = ".",
    ) -> None:
        self.generators = _labelled(generator)
        self.generator = next(iter(self.generators.values()))
        self.num_videos = whole_number("num_videos", num_videos, least=1)
        self._parts = _common_parts(self.generators)
        columns = math.ceil(math.sqrt(num_videos)) if columns is None else whole_number("columns", columns, least=1)
        if scale is not None:
            whole_number("scale", scale, least=1)
        last = num_videos - 1
        menu = _menu(self._parts) if num_videos > 1 else {"samples": "samples"}
        one_of("grid", grid, menu)
        if not isinstance(truncation, numbers.Real) or not 0 <= truncation <= 1:
            raise ValueError(f"truncation must be from 0 (the mean) to 1 (latents as drawn), got {truncation!r}.")
        self.save_directory: Path = Path(save_directory)
        super().__init__(
            seed=whole_number("seed", seed, least=0, most=_MAX_SEED),
            truncation=truncation,
            _grids=menu,
            grid=grid,
            first=whole_number("first", first, least=0, most=last),
            second=last if second is None else whole_number("second", second, least=0, most=last),
            fps=frames_per_second(fps, least=1, most=60),
        )
        self._draw()
        scale = video.display_scale(self.videos.shape[-1]) if scale is None else scale
        self._layout = {"columns": min(columns, num_videos), "scale": scale}
        self.observe(self._on_choice, _CHOICES)
        self.on_msg(self._on_message)

    @property
    def grids(self) -> list[str]:
        """The values that ``grid`` can have."""
        return list(self._grids)

    def resample(self) -> None:
        """Go on to the next seed."""
        self.seed += 1

    def save_gif(self, path: str | Path | None = None) -> Path:
        """Write what is shown as an animated GIF, several generators' grids side by side.

        Args:
            path: where to write; by default a new name in ``save_directory`` with the grid and the seed in it.

        Returns:
            The path, which is also in ``saved_path``.
        """
        return self._save(video.save_gif, path or self._free_path(".gif"), fps=min(self.fps, 50))

    def save_mp4(self, path: str | Path | None = None) -> Path:
        """Write what is shown as an MP4 film; otherwise as `save_gif`."""
        return self._save(video.save_mp4, path or self._free_path(".mp4"), fps=self.fps)

    def _save(self, save: Callable[..., Path], path: str | Path, *, fps: float) -> Path:
        grids = [video.grid(videos, **self._layout) for videos in self.videos_by_label.values()]
        labels = list(self.generators) if len(grids) > 1 else None
        path = save(torch.stack(grids), path, fps=fps, columns=len(grids), padding=12, labels=labels)
        self.saved_path = str(path)
        self._report(f"Saved {path} ({path.stat().st_size / 1000:,.0f} kB).")
        return path

    def _free_path(self, suffix: str) -> Path:
        """A name that no file has yet, so that samples of another generator with the same seed are not overwritten."""
        stem = f"{self._sample['grid'].replace(' ', '-')}-seed-{self._sample['seed']}"
        return free_path(self.save_directory / stem, suffix)

    def _choices(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _CHOICES}

    def _draw(self) -> None:
        """Make the videos of the present choices and send their frames."""
        drawn = _draw_latents(self.generators, self.num_videos, self.seed)
        latents = truncate(self._arranged(next(iter(drawn.values())).cpu()), self.truncation, parts=self._parts)
        # Each generator gets them on its own device.
        videos = {label: _videos(self.generators[label], latents.to(drawn[label])) for label in drawn}
        _check_one_shape(videos)
        sheet, description = sprite_sheet(torch.cat(list(videos.values())))
        self.latents, self.videos_by_label = latents, videos
        self.videos = next(iter(videos.values()))
        count, _, length, height, width = self.videos.shape
        with self.hold_sync():
            self._sheet = sheet
            self._answered = self._choices()
            contents = {"numVideos": count, "names": self._names(), "models": list(videos)}
            self._sample = {**self._answered, **description, **contents}
            shown = _in_words(self._answered)
            self._report(f"{count} videos of {length} frames, {width} × {height} pixels, {shown}.")

    def _arranged(self, drawn: Tensor) -> Tensor:
        """The latents of the grid, made from the drawn ones."""
        if self.grid == "walk":
            return walk_between(drawn, self.first, self.second, self.num_videos, parts=self._parts)
        if self.grid != "samples":
            return share_part(drawn, self._parts[self.grid.removeprefix("same ")], self.first)
        return drawn

    def _names(self) -> list[str]:
        """A name for each video of the grid."""
        names = [f"video {index}" for index in range(self.num_videos)]
        if self.grid == "walk":
            last = self.num_videos - 1
            middle = [f"{100 * step / last:.0f} % of the way" for step in range(1, last)]
            return [names[self.first], *middle, names[self.second]]
        if self.grid != "samples":
            varied = " and ".join(part for part in self._parts if self.grid != f"same {part}")
            return [name if index == self.first else f"{varied} of {name}" for index, name in enumerate(names)]
        return names

    def _on_choice(self, change: dict[str, Any]) -> None:
        choices = self._choices()
        if choices == self._answered:  # several choices came at once, and the first call dealt with all of them
            return
        self._report(f"Sampling {_in_words(choices)} …")
        try:
            self._draw()
        except Exception as error:
            _logger.exception("sampling %s failed", _in_words(choices))
            failed, shown = _in_words(choices), _in_words(self._sample)
            with self.hold_sync():
                self._answered = choices
                text = f"{failed[0].upper()}{failed[1:]} failed, still showing {shown}. {say(error)}"
                self._report(text, failed=True)

    def _on_message(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        savers = {"save_gif": (self.save_gif, "GIF"), "save_mp4": (self.save_mp4, "MP4")}
        if content.get("type") not in savers:
            return
        save, kind = savers[content["type"]]
        try:
            save()
        except Exception as error:
            _logger.exception("saving in %s failed", self.save_directory)
            self._report(f"The {kind} could not be saved. {say(error)}", failed=True)

    @traitlets.validate("grid")
    def _check_grid(self, proposal: dict[str, Any]) -> str:
        return checked_choice("grid", proposal["value"], self._grids)

    @traitlets.validate("first", "second", "selected")
    def _check_index(self, proposal: dict[str, Any]) -> int | None:
        index, name = proposal["value"], proposal["trait"].name
        if index is not None and index >= self.num_videos:
            allowed = "None or 0" if name == "selected" else "0"
            raise traitlets.TraitError(f"{name} must be {allowed} to {self.num_videos - 1}, got {index}.")
        return index

    def __repr__(self) -> str:
        kinds = [
            f"{label}: {type(generator).__name__}".removeprefix(": ") for label, generator in self.generators.items()
        ]
        return f"SampleBrowser({', '.join(kinds)}, num_videos={self.num_videos}, seed={self.seed})"

    def _still_picture(self) -> tuple[bytes, str]:
        models = self._sample["models"]
        count = min(self.num_videos, max(1, _MAX_PICTURE_ROWS // len(models)))
        is_walk = self._sample["grid"] == "walk"  # its picture must show both ends
        indices = torch.linspace(0, self.num_videos - 1, count).round().int() if is_walk else torch.arange(count)
        rows = torch.stack([videos[indices] for videos in self.videos_by_label.values()], dim=1).flatten(0, 1)
        names = [self._sample["names"][index] for index in indices]
        labels = [f"{name}, {model}".removesuffix(", ") for name in names for model in models]
        scale = video.display_scale(rows.shape[-1], target=64)
        sheet = video.contact_sheet(rows, num_frames=8, scale=scale, labels=labels)
        buffer = io.BytesIO()
        share_palette(np.asarray(sheet)[None])[0].save(buffer, "PNG", optimize=True)
        subject = f"{count} videos"
        if count < self.num_videos:
            subject = f"{'' if is_walk else 'The first '}{count} of {self.num_videos} videos"
        authors = f" by each of {' and '.join(models)}" if len(models) > 1 else ""
        layout = "each row shows frames of one video from first to last"
        return buffer.getvalue(), f"{subject}{authors} sampled with {_in_words(self._sample)}; {layout}"


def _labelled(generator: Any) -> dict[str, GeneratorLike]:
    """Label → generator; the label of a single one is empty."""
    generators = dict(generator) if isinstance(generator, Mapping) else {"": generator}
    if not generators or not all(isinstance(label, str) for label in generators):
        raise ValueError(f"a mapping must lead from labels to generators, got {generators!r}.")
    for candidate in generators.values():
        if not callable(candidate) or not callable(getattr(candidate, "sample_latents", None)):
            raise ValueError(
                "SampleBrowser takes a generator that is called with latents and has sample_latents(n, generator=...), "
                f"or label → generator, got {type(candidate).__name__}."
            )
    return generators


def _common_parts(generators: Mapping[str, GeneratorLike]) -> dict[str, slice]:
    """The parts of latents that all generators have."""
    first, *rest = (getattr(generator, "latent_parts", {}) for generator in generators.values())
    return {name: part for name, part in first.items() if all(parts.get(name) == part for parts in rest)}


def _menu(parts: Mapping[str, slice]) -> dict[str, str]:
    """What the grid can show, each with its text in the menu."""
    menu = {"samples": "samples", "walk": "walk between two"}
    if len(parts) > 1:
        for name in parts:
            varied = " and ".join(part for part in parts if part != name)
            menu[f"same {name}"] = f"same {name}, other {varied}"
    return menu


def _in_words(choices: Mapping[str, Any]) -> str:
    words = f"seed {choices['seed']}"
    if choices["truncation"] != 1:
        words += f", truncation {choices['truncation']:.2f}"
    if choices["grid"] == "walk":
        words += f", walk from video {choices['first']} to video {choices['second']}"
    elif choices["grid"] != "samples":
        words += f", {choices['grid']} as video {choices['first']}"
    return words


def _draw_latents(generators: Mapping[str, GeneratorLike], n: int, seed: int) -> dict[str, Tensor]:
    """The latents ``(n, latent_dim)`` of a seed, the same for each generator, on its own device."""
    # Drawn on the CPU, so that a seed means the same everywhere.
    drawn = {
        label: generator.sample_latents(n, generator=torch.Generator().manual_seed(seed))
        for label, generator in generators.items()
    }
    first, expected = next(iter(drawn.items()))
    for label, latents in drawn.items():
        if latents.shape != expected.shape:
            raise ValueError(
                f"{first!r} takes latents of {expected[0].numel()} numbers and {label!r} of {latents[0].numel()}: "
                "generators can be compared on the same latents only where these have the same dimension."
            )
        if not torch.equal(latents.cpu().float(), expected.cpu().float()):
            raise ValueError(
                f"{first!r} and {label!r} draw different latents from a seed, so that what is typical of one is not of "
                "the other: they cannot be compared on the same latents."
            )
    return drawn


def _videos(generator: GeneratorLike, latents: Tensor) -> Tensor:
    """uint8 videos ``(N, C, T, H, W)``, on the CPU."""
    if isinstance(generator, VideoGenerator):
        videos = sample_videos(generator, latents=latents)
    else:
        with evaluation(generator) if isinstance(generator, nn.Module) else torch.no_grad():
            videos = generator(latents)
    if not isinstance(videos, Tensor) or videos.ndim != 5 or len(videos) != len(latents):
        result = f"shape {tuple(videos.shape)}" if isinstance(videos, Tensor) else type(videos).__name__
        raise ValueError(f"the generator should return {len(latents)} videos (N, C, T, H, W), got {result}.")
    return video.to_uint8(videos).cpu()


def _check_one_shape(videos: Mapping[str, Tensor]) -> None:
    shapes = {label: tuple(batch.shape[1:]) for label, batch in videos.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"generators that are compared make videos (C, T, H, W) of one shape, got {shapes}.")
