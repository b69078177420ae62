"""Run directories: what training leaves behind, and the only thing that widgets and notebooks read of it."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ldvd_lib._kit.configuration import check_types, from_dict, load_json, to_dict
from ldvd_lib._kit.files import replacing
from ldvd_lib.gan import VideoGAN, VideoGANConfig
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.runs import checkpoint
from ldvd_lib.runs.files import CONFIG, METRICS, SAMPLES, SPECTRUM


@dataclass(frozen=True)
class RunConfig:
    """What ``config.json`` holds: the model and its recipe, what data it saw, the seed."""

    model: VideoGANConfig
    data: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    version: int = 2  # of these files; in 1, which did not say so, a lone discriminator's metrics bore no name

    def __post_init__(self) -> None:
        check_types(self)
        if self.version > RunConfig.version:
            raise ValueError(
                f"the run is of version {self.version}, and this library reads up to {RunConfig.version}: "
                "install a newer one"
            )

    def require_same(self, other: "RunConfig", *, where: Path) -> None:
        """Raise a `ValueError` that lists every difference, unless `other` is the same configuration."""
        mine, theirs = (_flatten(to_dict(replace(config, version=0))) for config in (self, other))
        different = [
            f"{key}: {mine.get(key)!r} there, {theirs.get(key)!r} now"
            for key in sorted(set(mine) | set(theirs))
            if mine.get(key) != theirs.get(key)
        ]
        if different:
            raise ValueError(
                f"{where} is of another run ({'; '.join(different)}): continue with the same settings, "
                "or choose another directory"
            )


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in _flatten(item, f"{prefix}.{key}".lstrip(".")).items()}
    return {prefix: list(value) if isinstance(value, tuple) else value}


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON-lines file; a last line that was cut short by a kill is left out."""
    records = []
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number < len(lines):
                raise ValueError(f"line {number} of {path} is not JSON: {error}") from error
    return records


def read_log(path: Path, config: RunConfig) -> list[dict[str, Any]]:
    """The records of a run's log, none where there is none, under the names of today whatever its version."""
    records = read_jsonl(path) if path.is_file() else []
    if config.version >= 2 or path.name != METRICS:
        return records
    (first, *_) = config.model.discriminators
    names = {"discriminator_loss": f"{first}_loss"} | {key: f"{first}_{key}" for key in ("real_score", "fake_score")}
    return [{names.get(key, key): value for key, value in record.items()} for record in records]


def cut_log(path: Path, step: int, config: RunConfig) -> None:
    """Forget what a log, written under a configuration, has of later steps, and give the rest the names of today."""
    if path.exists():
        kept = [record for record in read_log(path, config) if record["step"] <= step]
        with replacing(path) as temporary:
            temporary.write_text("".join(json.dumps(record) + "\n" for record in kept))


class Run:
    """A run directory, read.

    Attributes:
        directory: where it is.
        config: its `RunConfig`.
    """

    def __init__(self, directory: Path, config: RunConfig) -> None:
        self.directory, self.config = directory, config

    @classmethod
    def open(cls, directory: str | Path) -> "Run":
        """Open a run directory.

        Raises:
            FileNotFoundError: if it is none.
            ValueError: if its ``config.json`` is damaged or of another version.
        """
        directory = Path(directory)
        path = directory / CONFIG
        if not path.is_file():
            raise FileNotFoundError(f"{directory} is not a run directory: it has no {CONFIG} (train one: `ldvd train`)")
        values = load_json(path)
        if isinstance(values, dict):
            values.setdefault("version", 1)
        return cls(directory, from_dict(RunConfig, values, where=str(path)))

    def metrics(self) -> dict[str, np.ndarray]:
        """What was logged: ``step``, ``seconds`` and every loss and score, each an array over the logged steps."""
        records = read_log(self.directory / METRICS, self.config)
        names = records[0] if records else ()
        return {name: np.array([record[name] for record in records]) for name in names}

    def seconds_of_a_step(self) -> float | None:
        """What a step took: the median over the log, so that probes and pauses do not count; None without a log."""
        metrics = self.metrics()
        if not metrics:
            return None
        step, seconds = (np.insert(metrics[name], 0, 0) for name in ("step", "seconds"))
        return float(np.median(np.diff(seconds) / np.diff(step)))

    def spectrum(self) -> dict[str, dict[str, np.ndarray]]:
        """What a `ldvd_lib.training.SpectrumProbe` recorded, by discriminator; empty if none did.

        Returns:
            For each discriminator, over its n probes of k eigenvalues: ``step`` ``(n,)``; ``eigenvalues`` and
            ``residuals`` ``(n, k)``, leading first; ``largest`` and ``smallest`` ``(n,)``, the spectrum's ends;
            ``products``, ``seconds``, ``converged``, ``loss`` ``(n,)``.
        """
        records = read_log(self.directory / SPECTRUM, self.config)
        by_name: dict[str, list[dict]] = {}
        for record in records:
            by_name.setdefault(record.pop("discriminator"), []).append(record)
        return {
            name: {key: _stack([record[key] for record in some]) for key in some[0]} for name, some in by_name.items()
        }

    @property
    def checkpoints(self) -> list[Path]:
        """Its checkpoints, oldest first."""
        return checkpoint.list_checkpoints(self.directory)

    @property
    def newest_step(self) -> int:
        """The step of its newest checkpoint.

        Raises:
            FileNotFoundError: if there is none.
        """
        return max(self._checkpoints_by_step())

    @property
    def sample_files(self) -> list[Path]:
        """Its sample grids, oldest first."""
        return sorted((self.directory / SAMPLES).glob("step_*.gif"))

    def gan(self, step: int | None = None) -> VideoGAN:
        """Generator and discriminators of a checkpoint, on the CPU.

        Args:
            step: of which checkpoint; default the newest.

        Raises:
            FileNotFoundError: if there is no such checkpoint, listing those that are there.
        """
        gan = self.config.model.build()
        path = self._weights(step)
        gan.generator.load_state_dict(checkpoint.load_weights(path, "generator."))
        gan.discriminators.load_state_dict(checkpoint.load_weights(path, "discriminators."))
        gan.set_step(checkpoint.step_of(path.parent))
        return gan

    def generator(self, step: int | None = None, *, averaged: bool = True) -> VideoGenerator:
        """The generator of a checkpoint, on the CPU, in evaluation mode.

        Args:
            step: of which checkpoint; default the newest.
            averaged: the average over training where the recipe kept one (what samples are drawn from).

        Raises:
            FileNotFoundError: if there is no such checkpoint, listing those that are there.
        """
        generator: VideoGenerator = self.config.model.build().generator
        averaged = averaged and self.config.model.recipe.average > 0
        prefix = "average.module." if averaged else "generator."
        path = self._weights(step)
        generator.load_state_dict(checkpoint.load_weights(path, prefix))
        generator.set_step(checkpoint.step_of(path.parent))
        return generator.eval()

    def _weights(self, step: int | None) -> Path:
        steps = self._checkpoints_by_step()
        step = max(steps) if step is None else step
        if step not in steps:
            raise FileNotFoundError(f"{self.directory} has no checkpoint of step {step}: it has {sorted(steps)}")
        return steps[step] / checkpoint.WEIGHTS

    def _checkpoints_by_step(self) -> dict[int, Path]:
        steps = {checkpoint.step_of(path): path for path in self.checkpoints}
        if not steps:
            raise FileNotFoundError(f"{self.directory} holds no checkpoint yet")
        return steps


def _stack(values: list) -> np.ndarray:
    """Numbers or lists as an array; lists are cut to the shortest, where a resumed run has probed for fewer values."""
    if isinstance(values[0], list):
        values = [value[: min(map(len, values))] for value in values]
    return np.array(values)
