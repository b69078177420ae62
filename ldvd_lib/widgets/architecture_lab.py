"""A workbench to design a discriminator: menus, its costs and receptive field, a drawing, and a button to train it."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from ldvd_lib import classroom, zoo
from ldvd_lib._kit.checks import one_of, whole_number
from ldvd_lib._kit.files import free_path
from ldvd_lib.anatomy import Anatomy
from ldvd_lib.blocks import LAYER_KINDS
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.figures import draw_anatomy
from ldvd_lib.gan import DISCRIMINATORS, VideoGAN, VideoGANConfig
from ldvd_lib.training import Callback, SampleGrid, SpectrumProbe, Trainer
from ldvd_lib.widgets._course_widget import CourseWidget, png, script, style
from ldvd_lib.widgets._course_widget import say as say_error
from ldvd_lib.widgets._designs import (
    DESIGNS,
    MOST_LAYERS,
    QUANTITIES,
    WIDTHS,
    choices,
    configure,
    dissect,
    figures_of,
    in_words,
    kinds_of,
    parts_of,
    short_name,
)
from ldvd_lib.widgets.training_monitor import TrainingMonitor

__all__ = ["ArchitectureLab"]

_logger = logging.getLogger(__name__)

GRIDS, PROBES = 6, 4  # how many sample grids and probes of the curvature a training has
LEAST_BETWEEN_PROBES = 25  # steps; a probe takes about as long as ten steps


class ArchitectureLab(CourseWidget):
    """Choose the kind of each layer of a discriminator, see its costs, receptive field and a drawing, and train it.

    All numbers are those of `ldvd_lib.anatomy.dissect`, which takes 50 to 80 ms for a design on two cores. The menus
    never wait for it: while the kernel is busy the numbers are marked as not yet computed. Training runs in the
    background, in a `TrainingMonitor` that appears below. Without a kernel, such as on GitHub, the figure of
    `ldvd_lib.figures.draw_anatomy` is shown.

    Args:
        kinds: the kind of each of up to six layers, or the name of one of the zoo's designs, such as ``"tgan-f"``.
        preset: ``"lite"`` or ``"paper"``: the size at which costs are shown. Training is always at lite size.
        width: channels of the layers, as a multiple of the preset's; one of `WIDTHS`.
        reference: the design that every number is compared with, by its name in the zoo.
        limits: limits for the design: ``"parameters"``, ``"multiply_adds"`` or ``"activation_bytes"`` → the largest
            number that is allowed at lite size.
        store: clips of 32 pixels to train on; by default those of `ldvd_lib.classroom.store`, once they are needed.
        steps: how many steps the button trains.
        directory: where runs are saved, each in its own directory; by default ``runs/`` in the workspace.

    Attributes:
        kinds, preset, width, reference, steps: the values of the controls. Setting one moves its control, and moving
            a control sets its attribute.
        monitor: of the last training, or None.
        status: the line under the bench.

    Raises:
        ValueError: an argument is not of the kind above, or the stack is impossible. Once the widget is on screen, an
            impossible stack is explained in the status line, and the last possible one is still shown.
    """

    _esm = script("architecture_lab.js")
    _css = style("architecture_lab.css")

    kinds = traitlets.List(traitlets.Unicode()).tag(sync=True)
    preset = traitlets.Enum(zoo.PRESETS, "lite").tag(sync=True)
    width = traitlets.Float(1.0).tag(sync=True)
    reference = traitlets.Enum(tuple(DESIGNS), "tgan").tag(sync=True)
    steps = traitlets.Int(300, min=1).tag(sync=True)
    _choices = traitlets.Dict().tag(sync=True)  # the choices of the menus
    _design = traitlets.Dict().tag(sync=True)  # what is shown: the choices that it belongs to, numbers and words
    _training = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        kinds: Sequence[str] | str = "tgan-f",
        *,
        preset: str = "lite",
        width: float = 1.0,
        reference: str = "tgan",
        limits: Mapping[str, int] | None = None,
        store: ClipStore | None = None,
        steps: int = 300,
        directory: str | Path | None = None,
    ) -> None:
        if isinstance(kinds, str):
            kinds = kinds_of(one_of("the design", kinds, DESIGNS))
        self.limits = dict(limits or {})
        for name in self.limits:
            one_of("the limit", name, QUANTITIES)
        self.store = store
        self.directory = None if directory is None else Path(directory)
        self.monitor: TrainingMonitor | None = None
        super().__init__(
            kinds=_checked(kinds),
            preset=one_of("preset", preset, zoo.PRESETS),
            width=_checked_width(width),
            reference=one_of("reference", reference, DESIGNS),
            steps=whole_number("steps", steps, least=1),
            _choices=choices(),
        )
        self._bench_and_monitor = ipywidgets.VBox([self])
        self._show()
        self.observe(self._on_choice, ["kinds", "preset", "width", "reference"])
        self.on_msg(self._on_message)

    # What is chosen

    @property
    def base_channels(self) -> int:
        """Channels of the first layer."""
        return self.config.discriminators["video"].option("base_channels", DISCRIMINATORS)

    @property
    def config(self) -> VideoGANConfig:
        """The configuration of the choice, as in the zoo: TGAN's generator, and the recipe that suits such layers."""
        return configure(tuple(self.kinds), self.preset, self.width)

    @property
    def anatomy(self) -> Anatomy:
        """The costs and the receptive field of the chosen discriminator.

        Raises:
            ValueError: if the stack is impossible.
        """
        return dissect(tuple(self.kinds), self.preset, self.width)

    def build(self, *, seed: int = 0) -> VideoGAN:
        """Build what is chosen; see `VideoGANConfig.build`."""
        return self.config.build(seed=seed)

    # Training

    def train(self, steps: int | None = None, *, seed: int = 0) -> TrainingMonitor:
        """Train the chosen layers at lite size, in the background, into a new run directory.

        Args:
            steps: how many; by default the value of the control.
            seed: of weights, latents and batches.

        Returns:
            The monitor, which is also shown below the bench: it shows the progress of the run, pauses and stops it.

        Raises:
            RuntimeError: the last training is still running.
            ValueError: the stack is impossible, or the store's clips have another size.
        """
        if self._training:
            raise RuntimeError("a training is under way: stop it, or wait for its end, before you start another.")
        if steps is not None:
            self.steps = whole_number("steps", steps, least=1)
        config = configure(tuple(self.kinds), "lite", self.width)
        runs = self.directory or classroom.workspace() / "runs"
        directory = free_path(runs / f"lab-{short_name(self.kinds, self.width)}")
        gan = config.build(seed=seed)
        callbacks: list[Callback] = [
            SampleGrid(max(1, self.steps // GRIDS), num_videos=8),
            SpectrumProbe(max(LEAST_BETWEEN_PROBES, self.steps // PROBES), k=4),
        ]
        trainer = Trainer(
            gan,
            WindowSampler.for_gan(gan, self._clips(), seed=seed),
            directory,
            seed=seed,
            callbacks=callbacks,
            progress=False,
        )
        if self.monitor is not None:
            self.monitor.unobserve(self._on_state, "state")
        self.monitor = TrainingMonitor(trainer, self.steps)
        self.monitor.observe(self._on_state, "state")
        self._bench_and_monitor.children = (self, self.monitor)
        self._report(f"Training {in_words(self.kinds)} for {self.steps:,} steps, into {directory}.")
        self.monitor.start()
        return self.monitor

    def _clips(self) -> ClipStore:
        if self.store is None:
            self.store = classroom.store()
        return self.store

    def _on_state(self, change: dict[str, Any]) -> None:
        self._training = change["new"] in ("running", "stopping")

    # Showing

    def _show(self) -> None:
        """Compute the numbers of the chosen design, and send them."""
        design, reference = self.anatomy, dissect(kinds_of(self.reference), self.preset, 1.0)
        figures = figures_of(design, reference, self.limits if self.preset == "lite" else {})
        title = f"{design.name} at {self.preset} size"
        with self.hold_sync():
            self._design = {
                "choices": [list(self.kinds), self.preset, self.width, self.reference],
                "title": title,
                "parts": parts_of(design),
                "figures": figures,
                "headings": list(Anatomy.HEADINGS),
                "cells": [list(row) for row in design.cells()],
            }
            parameters = figures[0]
            exceeded = [figure["label"] for figure in figures if figure["isOver"]]
            self._report(
                f"{title}: {parameters['value']} parameters, {parameters['ratio']} those of {self.reference}."
                + (f" Over the limit: {', '.join(exceeded)}." if exceeded else "")
            )

    def _on_choice(self, change: dict[str, Any]) -> None:
        if self._design["choices"] == [self.kinds, self.preset, self.width, self.reference] and not self._failed:
            return
        try:
            self._show()
        except ValueError as error:
            self._report(f"This stack is impossible: {error}. Still on show: {self._design['title']}.", failed=True)

    def _on_message(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        if content.get("type") != "train":
            return
        try:
            self.train(content["steps"])
        except Exception as error:
            _logger.exception("training %s failed to start", in_words(self.kinds))
            self._report(f"The training could not start. {say_error(error)}", failed=True)
        self.send({"type": "heard"})

    @traitlets.validate("kinds")
    def _check_kinds(self, proposal: dict[str, Any]) -> list[str]:
        try:
            return _checked(proposal["value"])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    @traitlets.validate("width")
    def _check_width(self, proposal: dict[str, Any]) -> float:
        try:
            return _checked_width(proposal["value"])
        except ValueError as error:
            raise traitlets.TraitError(str(error)) from None

    def __repr__(self) -> str:
        return f"ArchitectureLab({tuple(self.kinds)}, preset={self.preset!r}, width={self.width:g})"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The bench, and below it the monitor if there is one."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        box = self._bench_and_monitor._repr_mimebundle_(**kwargs)
        return data | {key: value for key, value in box.items() if "widget-view" in key}, metadata

    if hasattr(ipywidgets.Widget, "_ipython_display_"):  # ipywidgets 7, which Colab has: asked before the mime bundle

        def _ipython_display_(self, **kwargs: Any) -> None:
            self._bench_and_monitor._ipython_display_(**kwargs)

    def _still_picture(self) -> tuple[bytes, str]:
        kinds, preset, width, reference = self._design["choices"]
        design = dissect(tuple(kinds), preset, width)
        layers = "; ".join(f"{row.name} {row.kind}, {'×'.join(map(str, row.shape))}" for row in design.rows)
        figures = ", ".join(f"{figure['label']} {figure['value']}" for figure in self._design["figures"])
        ratio = self._design["figures"][0]["ratio"]
        alt = f"The discriminator {self._design['title']}, layer by layer: {layers}. Altogether: {figures}. "
        return png(draw_anatomy(design), dpi=80), f"{alt}That is {ratio} the parameters of {reference}."


def _checked_width(width: float) -> float:
    if width not in WIDTHS:
        raise ValueError(f"width is {width!r}, but must be one of {WIDTHS}.")
    return width


def _checked(kinds: Sequence[str]) -> list[str]:
    kinds = list(kinds)
    if not 1 <= len(kinds) <= MOST_LAYERS:
        raise ValueError(f"kinds must name 1 to {MOST_LAYERS} layers, got {len(kinds)}.")
    for number, kind in enumerate(kinds):
        one_of(f"layer c{number}", kind, LAYER_KINDS)
    return kinds
