"""Grids of looping samples of a generator, or of several side by side, to browse inside a notebook."""

import io
import logging
import math
import numbers
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor, nn

from ldvd_lib import video
from ldvd_lib._kit.checks import frames_per_second, one_of, whole_number
from ldvd_lib._kit.drawing import share_palette
from ldvd_lib._kit.files import free_path
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.training import sample_videos
from ldvd_lib.training.sampling import evaluation
from ldvd_lib.widgets._course_widget import CourseWidget, checked_choice, say, script, style
from ldvd_lib.widgets._sprite_sheet import sprite_sheet
from ldvd_lib.widgets._steering import (
    AS_DRAWN,
    SAMPLES,
    WALK,
    GeneratorLike,
    Steered,
    common_classes,
    in_words,
    latents_in_words,
    menu,
)

__all__ = ["GeneratorLike", "SampleBrowser"]

_logger = logging.getLogger(__name__)
_MAX_SEED = 2**53 - 1  # the largest whole number that a browser represents exactly
_MAX_PICTURE_ROWS = 9
_CHOICES = ("seed", "truncation", "category", "grid", "first", "second")  # what the latents depend on


class SampleBrowser(CourseWidget):
    """A grid of looping videos, with controls for seed, frame, class, an enlarged video, walks, and saving to files.

    Several generators are shown side by side and play in step: with the same latents where these have the same
    ``latent_parts`` and a seed draws the same numbers, and else each with its own latents of that seed.

    All frames of a sample are sent to the web browser once, as one losslessly compressed picture, and play there:
    moving the frame slider never waits for the kernel. Sampling runs in evaluation mode without gradients, and leaves
    a generator in the mode it was in. Without a kernel, such as on GitHub, a contact sheet is shown.

    Args:
        generator: a generator of the library, or anything that has the methods of `GeneratorLike`; or label →
            generator, to compare several, which must make videos of one shape.
        num_videos: how many videos to sample.
        seed: what the latents are drawn from; a seed gives the same latents on every device.
        truncation: ψ, 0 to 1: latents are multiplied by it, which moves them towards their mean, 0, where videos are
            likelier and more alike (see `ldvd_lib.latents.truncate`). A class is not truncated.
        category: the class that all samples are asked for, by name; ``"as drawn"`` leaves each its own. Where latents
            have a part ``"category"`` there is a menu of them, provided that all generators that are told a class have
            the same classes; one that is told none goes on as before.
        grid: ``"samples"``; ``"walk"``, from sample `first` to sample `second` in ``num_videos`` steps (along a line
            for uniform latents, along the sphere for normal ones, `ldvd_lib.latents.walk_between`); if latents have
            several ``latent_parts``, ``"same content"``, ``"same motion"`` and so on: all samples, but with that part
            of sample `first`; or ``"every class"``: sample `first` in every class, a video for each.
        first, second: indices of samples; ``second`` is by default the last.
        fps: frames per second at which the videos play, 1 to 60.
        class_names: what the classes are called, in the order of their labels; by default what the generator knows, as
            one of a run does (`VideoGenerator.class_names`), or ``"class 0"`` and so on.
        columns: videos per row; by default the grid is as square as it can be.
        scale: whole number by which a pixel is enlarged; by default a video is about 112 pixels wide.
        save_directory: where "Save GIF" and "Save MP4" write; made if missing.

    Attributes:
        seed, truncation, category, grid, first, second, fps, playing, selected: the values of the controls. Setting one
            moves its control, and moving a control sets its attribute; ``selected`` is the index of the enlarged video,
            or None.
        grids, categories: the values that ``grid`` and ``category`` can have.
        generators: label → generator; the label of a single one is empty.
        latents: ``(N, latent_dim)``, on the CPU, of the first generator: N is ``num_videos``, or the number of classes
            where every class is shown. ``latents[selected]`` made the enlarged video.
        videos: ``(N, C, T, H, W)``, uint8, on the CPU; those of the first generator.
        latents_by_label, videos_by_label: label → latents, label → videos.
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
    category = traitlets.Unicode(AS_DRAWN).tag(sync=True)
    grid = traitlets.Unicode(SAMPLES).tag(sync=True)
    first = traitlets.Int(0, min=0).tag(sync=True)
    second = traitlets.Int(0, min=0).tag(sync=True)
    fps = traitlets.Float(12, min=1, max=60).tag(sync=True)
    playing = traitlets.Bool(True).tag(sync=True)
    selected = traitlets.Int(None, allow_none=True, min=0).tag(sync=True)
    saved_path = traitlets.Unicode("").tag(sync=True)
    _grids = traitlets.Dict().tag(sync=True)  # the choices of the menu: grid → its text
    _categories = traitlets.List(traitlets.Unicode()).tag(sync=True)  # those of the menu of classes
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
        category: str = AS_DRAWN,
        grid: str = SAMPLES,
        first: int = 0,
        second: int | None = None,
        fps: float = 12,
        class_names: Sequence[str] | None = None,
        columns: int | None = None,
        scale: int | None = None,
        save_directory: str | Path = ".",
    ) -> None:
        self.generators = _labelled(generator)
        self.generator = next(iter(self.generators.values()))
        self.num_videos = whole_number("num_videos", num_videos, least=1)
        self._columns = None if columns is None else whole_number("columns", columns, least=1)
        self._scale = None if scale is None else whole_number("scale", scale, least=1)
        last = num_videos - 1
        self._models = _steered(self.generators, class_names)
        models = list(self._models.values())
        grids, categories = menu(models, num_videos), [AS_DRAWN, *common_classes(models)]
        one_of("grid", grid, grids)
        one_of("category", category, categories)
        if not isinstance(truncation, numbers.Real) or not 0 <= truncation <= 1:
            raise ValueError(f"truncation must be from 0 (the mean) to 1 (latents as drawn), got {truncation!r}.")
        self.save_directory: Path = Path(save_directory)
        super().__init__(
            seed=whole_number("seed", seed, least=0, most=_MAX_SEED),
            truncation=truncation,
            _categories=categories,
            category=category,
            _grids=grids,
            grid=grid,
            first=whole_number("first", first, least=0, most=last),
            second=last if second is None else whole_number("second", second, least=0, most=last),
            fps=frames_per_second(fps, least=1, most=60),
        )
        self._draw()
        self.observe(self._on_choice, _CHOICES)
        self.on_msg(self._on_message)

    @property
    def grids(self) -> list[str]:
        """The values that ``grid`` can have."""
        return list(self._grids)

    @property
    def categories(self) -> list[str]:
        """The values that ``category`` can have."""
        return list(self._categories)

    def resample(self) -> None:
        """Go on to the next seed."""
        self.seed += 1

    def save_gif(self, path: str | Path | None = None) -> Path:
        """Write what is shown as an animated GIF, several generators' grids side by side.

        Args:
            path: where to write; by default a new name in ``save_directory`` with grid, class and seed in it.

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
        shown = self._sample
        kind = [] if shown["category"] == AS_DRAWN else [shown["category"]]
        stem = " ".join([shown["grid"], *kind, f"seed {shown['seed']}"])
        return free_path(self.save_directory / re.sub(r"[^\w.]+", "-", stem), suffix)

    def _choices(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _CHOICES}

    def _draw(self) -> None:
        """Make the videos of the present choices and send their frames."""
        choices = self._choices()
        drawn = {label: model.draw(self.num_videos, self.seed) for label, model in self._models.items()}
        latents = {label: model.arranged(drawn[label].cpu(), choices) for label, model in self._models.items()}
        # Each generator gets them on its own device.
        videos = {label: _videos(self.generators[label], latents[label].to(drawn[label])) for label in drawn}
        _check_one_shape(videos)
        sheet, description = sprite_sheet(torch.cat(list(videos.values())))
        self.latents_by_label, self.videos_by_label = latents, videos
        (self.latents, *_), (self.videos, *_) = latents.values(), videos.values()
        count, _, length, height, width = self.videos.shape
        (first, *_) = self._models
        contents = {
            "numVideos": count,
            "numDrawn": self.num_videos,
            "picked": self._models[first].picked(drawn[first], choices),
            "names": [model.names(latents[label], choices) for label, model in self._models.items()],
            "models": list(videos),
            "notes": latents_in_words(self._models, drawn) if len(videos) > 1 else [""],
        }
        # Two grids stand beside each other while they are three videos wide, however many classes there are.
        squared = count if len(videos) == 1 else min(count, max(self.num_videos, 9))
        columns = math.ceil(math.sqrt(squared)) if self._columns is None else self._columns
        scale = video.display_scale(width) if self._scale is None else self._scale
        with self.hold_sync():
            self._sheet = sheet
            self._answered = choices
            self._layout = {"columns": min(columns, count), "scale": scale}
            self._sample = {**choices, **description, **contents}
            if self.selected is not None and self.selected >= count:
                self.selected = None
            self._report(f"{count} videos of {length} frames, {width} × {height} pixels, {in_words(choices)}.")

    def _on_choice(self, change: dict[str, Any]) -> None:
        choices = self._choices()
        if choices == self._answered:  # several choices came at once, and the first call dealt with all of them
            return
        self._report(f"Sampling {in_words(choices)} …")
        try:
            self._draw()
        except Exception as error:
            _logger.exception("sampling %s failed", in_words(choices))
            failed, shown = in_words(choices), in_words(self._sample)
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

    @traitlets.validate("category")
    def _check_category(self, proposal: dict[str, Any]) -> str:
        return checked_choice("category", proposal["value"], self._categories)

    @traitlets.validate("first", "second", "selected")
    def _check_index(self, proposal: dict[str, Any]) -> int | None:
        index, name = proposal["value"], proposal["trait"].name
        count = len(self.videos) if name == "selected" and index is not None else self.num_videos
        if index is not None and index >= count:
            allowed = "None or 0" if name == "selected" else "0"
            raise traitlets.TraitError(f"{name} must be {allowed} to {count - 1}, got {index}.")
        return index

    def __repr__(self) -> str:
        kinds = [
            f"{label}: {type(generator).__name__}".removeprefix(": ") for label, generator in self.generators.items()
        ]
        return f"SampleBrowser({', '.join(kinds)}, num_videos={self.num_videos}, seed={self.seed})"

    def _still_picture(self) -> tuple[bytes, str]:
        models, shown = self._sample["models"], len(self.videos)
        count = min(shown, max(1, _MAX_PICTURE_ROWS // len(models)))
        is_walk = self._sample["grid"] == WALK  # its picture must show both ends
        indices = torch.linspace(0, shown - 1, count).round().int() if is_walk else torch.arange(count)
        rows = torch.stack([videos[indices] for videos in self.videos_by_label.values()], dim=1).flatten(0, 1)
        by_model = [
            [f"{names[index]}, {model}".removesuffix(", ") for index in indices]
            for model, names in zip(models, self._sample["names"], strict=True)
        ]
        labels = [label for row in zip(*by_model, strict=True) for label in row]
        scale = video.display_scale(rows.shape[-1], target=64)
        sheet = video.contact_sheet(rows, num_frames=8, scale=scale, labels=labels)
        buffer = io.BytesIO()
        share_palette(np.asarray(sheet)[None])[0].save(buffer, "PNG", optimize=True)
        subject = f"{count} videos"
        if count < shown:
            subject = f"{'' if is_walk else 'The first '}{count} of {shown} videos"
        authors = f" by each of {' and '.join(models)}" if len(models) > 1 else ""
        layout = "each row shows frames of one video from first to last"
        return buffer.getvalue(), f"{subject}{authors} sampled with {in_words(self._sample)}; {layout}"


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


def _steered(generators: Mapping[str, GeneratorLike], class_names: Sequence[str] | None) -> dict[str, Steered]:
    """Label → generator with its classes."""
    names = None if class_names is None else list(class_names)
    if names is not None and (len(set(names)) < len(names) or not all(isinstance(name, str) for name in names)):
        raise ValueError(f"class_names must be different words, one for each class, got {names!r}.")
    models = {label: Steered.of(generator, names) for label, generator in generators.items()}
    if names is not None and not any(model.classes for model in models.values()):
        raise ValueError(
            "class_names were given, but no generator is told a class: none has latents with a 'category'."
        )
    return models


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
