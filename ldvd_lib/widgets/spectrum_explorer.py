"""The Hessian's leading eigenvalues over training, to explore inside a notebook."""

import math
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from ldvd_lib._kit.checks import one_of
from ldvd_lib.figures import plot_spectrum
from ldvd_lib.hessian import SpectralDensity
from ldvd_lib.runs import Run
from ldvd_lib.widgets._course_widget import CourseWidget, checked_choice, png, script, style

__all__ = ["SpectrumExplorer"]

_SCALES = ("symlog", "linear")
_KEPT = ("step", "eigenvalues", "residuals", "largest", "smallest", "converged")

Source = Run | str | Path
Densities = SpectralDensity | Mapping[int, SpectralDensity]
Spectrum = dict[str, np.ndarray]


class SpectrumExplorer(CourseWidget):
    """Leading eigenvalues over the steps of one run or two, and beside them the spectrum at one step.

    All numbers are sent to the web browser once and drawn there: choosing, playing and hovering never wait for the
    kernel. Without a kernel, such as on GitHub, the figure of `ldvd_lib.figures.plot_spectrum` is shown.

    Args:
        runs: a `Run` or its directory, or label → `Run` or directory; each with a ``spectrum.jsonl``, as
            `ldvd_lib.training.SpectrumProbe` writes it.
        densities: label → `SpectralDensity` (of the last probed step), or label → step → `SpectralDensity`; for a run
            of several discriminators, ``(label, discriminator)`` → these. For a single run the label can be left out.
            A step without a density shows the nearest one, and says so.
        compare_run: label of the run to show beside the first.

    Attributes:
        run, discriminator, compare_run, compare_discriminator, step, num_eigenvalues, scale, density: the values of the
            controls. Setting one moves its control, and moving a control sets its attribute. ``compare_run`` is None
            for no comparison; ``step`` is one at which a shown run was probed; ``num_eigenvalues`` counts by magnitude;
            ``scale`` is ``"symlog"`` or ``"linear"``.
        spectra: label → discriminator → what `Run.spectrum` returned, with rising steps, and eigenvalues by falling
            magnitude.

    Raises:
        ValueError: there is no run, a run has no spectrum, or a label is unknown, or a density is not one.
        FileNotFoundError: a directory is not a run.
    """

    _esm = script("spectrum_plot.js", "spectrum_explorer.js")
    _css = style("spectrum_explorer.css")

    run = traitlets.Unicode().tag(sync=True)
    discriminator = traitlets.Unicode().tag(sync=True)
    compare_run = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    compare_discriminator = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    step = traitlets.Int().tag(sync=True)
    num_eigenvalues = traitlets.Int(min=1).tag(sync=True)
    scale = traitlets.Enum(_SCALES, "symlog").tag(sync=True)
    density = traitlets.Bool(False).tag(sync=True)
    _spectra = traitlets.List(traitlets.Dict()).tag(sync=True)  # every number that can be shown, for the web browser
    _is_from_browser = False

    def __init__(
        self,
        runs: Source | Mapping[str, Source],
        *,
        densities: Densities | Mapping[str | tuple[str, str], Densities] | None = None,
        compare_run: str | None = None,
    ) -> None:
        self.runs = _labelled(runs)
        self.spectra = {label: _spectra_of(label, run) for label, run in self.runs.items()}
        densities_by_spectrum = _by_spectrum(densities, self.spectra)
        if compare_run is not None:
            one_of("compare_run", compare_run, self.spectra)
        label = next(iter(self.spectra))
        name = next(iter(self.spectra[label]))
        self._largest_k = max(
            spectrum["eigenvalues"].shape[1] for spectra in self.spectra.values() for spectrum in spectra.values()
        )
        self._has_density = bool(densities_by_spectrum)
        super().__init__(
            run=label,
            discriminator=name,
            step=int(self.spectra[label][name]["step"][-1]),
            num_eigenvalues=self._largest_k,
            density=self._has_density,
            _spectra=[
                {
                    "label": label,
                    "discriminators": [
                        {
                            "name": name,
                            **_plain(spectrum),
                            "densities": _curves(densities_by_spectrum.get((label, name), {})),
                        }
                        for name, spectrum in spectra.items()
                    ],
                }
                for label, spectra in self.spectra.items()
            ],
        )
        self.observe(self._settle, ["run", "compare_run", "discriminator", "compare_discriminator"])
        self.compare_run = compare_run

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Label and discriminator of the one or two spectra on screen."""
        first = (self.run, self.discriminator)
        if self.compare_run is None or self.compare_discriminator is None:
            return [first]
        return [first, (self.compare_run, self.compare_discriminator)]

    @property
    def steps(self) -> list[int]:
        """The steps at which a spectrum on screen was probed, rising."""
        return sorted({step for label, name in self.shown for step in self.spectra[label][name]["step"].tolist()})

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take the browser's choices as they are; called by ipywidgets with what the learner changed."""
        # A busy kernel gets several choices in one message. They are complete: adapting one of them to the others, as
        # for a choice that was made in Python, would overrule the learner.
        self._is_from_browser = True
        try:
            super().set_state(sync_data)
        finally:
            self._is_from_browser = False

    def _settle(self, change: dict[str, Any]) -> None:
        """After a choice that was made in Python, adapt those that depend on it."""
        if self._is_from_browser:
            return
        if self.discriminator not in self.spectra[self.run]:
            self.discriminator = next(iter(self.spectra[self.run]))
        if self.compare_run is None:
            self.compare_discriminator = None
        elif change["name"] in ("run", "compare_run"):
            # Beside itself a run shows another discriminator; beside another run the same one, if it has that.
            names = list(self.spectra[self.compare_run])
            is_same_run = self.compare_run == self.run
            preferred = [name for name in names if (name == self.discriminator) is not is_same_run]
            self.compare_discriminator = (preferred or names)[0]
        if self.step not in self.steps:
            self.step = min(self.steps, key=lambda step: abs(step - self.step))

    @traitlets.validate("run", "compare_run")
    def _check_run(self, proposal: dict[str, Any]) -> str | None:
        label = proposal["value"]
        return label if label is None else checked_choice(proposal["trait"].name, label, self.spectra)

    @traitlets.validate("discriminator", "compare_discriminator")
    def _check_discriminator(self, proposal: dict[str, Any]) -> str | None:
        name, key = proposal["value"], proposal["trait"].name
        label = self.run if key == "discriminator" else self.compare_run
        names = [None] if label is None else list(self.spectra[label])
        if name not in names:
            raise traitlets.TraitError(f"{key} is {name!r}, but run {label!r} has {names}.")
        return name

    @traitlets.validate("step")
    def _check_step(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] not in self.steps:
            raise traitlets.TraitError(f"step is {proposal['value']}, but the runs were probed at {self.steps}.")
        return proposal["value"]

    @traitlets.validate("num_eigenvalues")
    def _check_number(self, proposal: dict[str, Any]) -> int:
        if proposal["value"] > self._largest_k:
            raise traitlets.TraitError(f"num_eigenvalues is {proposal['value']}, but {self._largest_k} were recorded.")
        return proposal["value"]

    @traitlets.validate("density")
    def _check_density(self, proposal: dict[str, Any]) -> bool:
        if proposal["value"] and not self._has_density:
            raise traitlets.TraitError(
                "there is no density to show: give one with densities=, from ldvd_lib.hessian.spectral_density."
            )
        return proposal["value"]

    def __repr__(self) -> str:
        return f"SpectrumExplorer({list(self.spectra)}, run={self.run!r}, step={self.step})"

    def _still_picture(self) -> tuple[bytes, str]:
        labels = dict.fromkeys(label for label, _ in self.shown)
        figure = plot_spectrum({label: self.runs[label] for label in labels}, scale=self.scale)
        return (
            png(figure),
            f"Leading eigenvalues of the Hessian over training. {' '.join(self._summaries())}",
        )

    def _summaries(self) -> list[str]:
        """One sentence for each spectrum on screen."""
        sentences = []
        for label, name in self.shown:
            spectrum = self.spectra[label][name]
            index = int(np.abs(spectrum["step"] - self.step).argmin())
            title = label if len(self.spectra[label]) == 1 else f"{label} {name}"
            largest, smallest = spectrum["largest"][index], spectrum["smallest"][index]
            sentences.append(f"{title}, step {spectrum['step'][index]}: λ⁺ {largest:.3g}, λ⁻ {smallest:.3g}.")
        return sentences


def _labelled(runs: Source | Mapping[str, Source]) -> dict[str, Run]:
    """Label → run; the label of a single run is the name of its directory."""
    if isinstance(runs, Run | str | Path):
        run = _opened(runs)
        return {run.directory.resolve().name: run}
    if not isinstance(runs, Mapping) or not all(isinstance(label, str) for label in runs):
        raise ValueError(
            f"runs must be a Run, the directory of one, or label → Run or directory, got {type(runs).__name__}."
        )
    if not runs:
        raise ValueError("runs is empty: give at least one run.")
    return {label: _opened(run) for label, run in runs.items()}


def _opened(run: Source) -> Run:
    if not isinstance(run, Run | str | Path):
        raise ValueError(f"a run must be a Run or the directory of one, got {type(run).__name__}.")
    return run if isinstance(run, Run) else Run.open(run)


def _spectra_of(label: str, run: Run) -> dict[str, Spectrum]:
    """Discriminator → spectrum, leading eigenvalues first."""
    spectra = {}
    for name, recorded in run.spectrum().items():
        spectrum = {key: recorded[key] for key in _KEPT}
        order = np.argsort(-np.abs(spectrum["eigenvalues"]), axis=1, kind="stable")
        for key in ("eigenvalues", "residuals"):
            spectrum[key] = np.take_along_axis(spectrum[key], order, axis=1)
        spectra[name] = spectrum
    if not spectra:
        raise ValueError(
            f"run {label!r} ({run.directory}) has no spectrum: train it with the callback "
            "ldvd_lib.training.SpectrumProbe(), or probe what it has with `ldvd hessian`."
        )
    return spectra


def _by_spectrum(densities: Any, spectra: dict[str, dict[str, Spectrum]]) -> dict[tuple[str, str], dict]:
    """(label, discriminator) → step → density."""
    if densities is None:
        return {}
    is_unlabelled = isinstance(densities, SpectralDensity) or (
        isinstance(densities, Mapping) and any(isinstance(key, numbers.Integral) for key in densities)
    )
    if is_unlabelled and len(spectra) == 1:
        densities = {next(iter(spectra)): densities}
    elif is_unlabelled or not isinstance(densities, Mapping):
        raise ValueError(f"densities must say whose they are, label → density; the runs are {list(spectra)}.")
    by_spectrum = {}
    for key, by_step in densities.items():
        label, name = key if isinstance(key, tuple) and len(key) == 2 else (key, None)
        one_of("the density label", label, spectra)
        names = list(spectra[label])
        if name is None and len(names) == 1:
            name = names[0]
        if name not in names:
            raise ValueError(
                f"densities has the key {key!r}, but run {label!r} has the discriminators {names}: use the key "
                f"{(label, names[0])!r}."
            )
        if isinstance(by_step, SpectralDensity):
            by_step = {int(spectra[label][name]["step"][-1]): by_step}
        is_by_step = isinstance(by_step, Mapping) and all(
            isinstance(step, numbers.Integral) and isinstance(density, SpectralDensity)
            for step, density in by_step.items()
        )
        if not is_by_step:
            raise ValueError(
                f"densities[{key!r}] must be a SpectralDensity or step → SpectralDensity, got {by_step!r}."
            )
        by_spectrum[label, name] = by_step
    return by_spectrum


def _plain(spectrum: Spectrum) -> dict[str, list]:
    """As lists of plain numbers, with None for numbers that are not finite, which JSON does not have."""
    return {key: _numbers(spectrum[key]) for key in _KEPT}


def _numbers(values: np.ndarray) -> list:
    if values.ndim > 1:
        return [_numbers(row) for row in values]
    if values.dtype.kind != "f":
        return values.tolist()
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]


def _curves(densities: Mapping[int, SpectralDensity]) -> list[dict[str, Any]]:
    """Each density as a curve with its standard error, finer around zero, which a symlog axis enlarges."""
    curves = []
    for step, density in sorted(densities.items()):
        low, high = density.nodes.min(), density.nodes.max()
        width = 0.01 * (high - low)
        fine = np.geomspace(width / 20, width * 4, 20) if width else np.empty(0)
        even = np.linspace(low - 4 * width, high + 4 * width, 300)
        grid = np.unique(np.concatenate([even, -fine, fine]).clip(even[0], even[-1]))
        grid, values, errors = density.curve(grid)
        parts = {"grid": grid, "values": values, "errors": errors}
        curves.append({"step": int(step), **{key: _numbers(part) for key, part in parts.items()}})
    return curves
