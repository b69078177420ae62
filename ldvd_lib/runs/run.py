"""Run directories: what training leaves behind, and the only thing that widgets and notebooks read of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ldvd_lib._kit.checks import is_finite
from ldvd_lib._kit.configuration import check_type, check_types, from_dict, load_json, to_dict
from ldvd_lib._kit.files import replacing, writing
from ldvd_lib.gan import VideoGAN, VideoGANConfig
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.runs import checkpoint
from ldvd_lib.runs.files import CONFIG, METRICS, SAMPLES, SPECTRUM, step_in

GENERATOR, AVERAGE = "generator.", "average.module."  # how the names of their weights begin


@dataclass(frozen=True)
class RunConfig:
    """What ``config.json`` holds: the model and its recipe, what data it saw, the seed, the names of the classes."""

    model: VideoGANConfig
    data: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    class_names: tuple[str, ...] = ()  # in the order of the labels; empty in runs that did not record them
    version: int = 2  # of these files; in 1, which did not say so, a lone discriminator's metrics bore no name

    def __post_init__(self) -> None:
        check_types(self)
        for name, kind in {"clips": int, "subset": str, "image_size": int}.items():  # what is said of a run
            if name in self.data:
                check_type(f"data.{name}", self.data[name], kind)
        if self.version > RunConfig.version:
            raise ValueError(
                f"the run is of version {self.version}, and this library reads up to {RunConfig.version}: "
                "install a newer one"
            )

    def require_same(self, other: "RunConfig", *, where: Path) -> None:
        """Raise a `ValueError` that lists every difference, unless `other` is the same configuration."""
        # Runs of before do not say what their classes are called.
        mine, theirs = (_flatten(to_dict(replace(config, version=0, class_names=()))) for config in (self, other))
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


def parse_record(line: bytes, number: int, path: Path) -> dict[str, Any]:
    """A line of a run's log as a record.

    Raises:
        ValueError: if it is no JSON object with a step, naming file and line.
    """
    try:
        record = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number} of {path} is not JSON: {error}") from error
    step = record.get("step") if isinstance(record, dict) else None
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 2**63:
        raise ValueError(f"line {number} of {path} is no record of a step: it was edited, or is of something else")
    return record


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The records of a log; a last line that a kill cut short, or a power cut filled with zeros, is left out.

    Raises:
        ValueError: if another line is damaged, naming it.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(parse_record(line, number, path))
        except ValueError:
            is_cut = not line.endswith(b"\n") or b"\0" in line
            if number < len(lines) or not is_cut or line[:1] not in (b"{", b"\0"):
                raise
    return records


def read_log(path: Path, config: RunConfig) -> list[dict[str, Any]]:
    """The records of a run's log, none where there is none, under the names of today whatever its version."""
    return _renamed(read_jsonl(path) if path.is_file() else [], path, config)


def _renamed(records: list[dict[str, Any]], path: Path, config: RunConfig) -> list[dict[str, Any]]:
    if config.version >= 2 or path.name != METRICS:
        return records
    (first, *_) = config.model.discriminators
    names = {"discriminator_loss": f"{first}_loss"} | {key: f"{first}_{key}" for key in ("real_score", "fake_score")}
    return [{names.get(key, key): value for key, value in record.items()} for record in records]


def append_record(path: Path, record: Mapping[str, Any]) -> None:
    """Add a record to a log; if the disk is full, the error says so, and what was begun of the line is cut later."""
    with writing(path), path.open("a") as log:
        log.write(json.dumps(record) + "\n")


def cut_log(path: Path, step: int, config: RunConfig) -> None:
    """Forget what a log, written under a configuration, has of later steps, and give the rest the names of today.

    Raises:
        ValueError: if a line before the last one that is kept is damaged, naming it.
    """
    if not path.exists():
        return
    kept: list[dict[str, Any]] = []
    damage: ValueError | None = None
    before = path.read_bytes()
    for number, line in enumerate(before.splitlines(), start=1):
        try:
            record = parse_record(line, number, path)
        except ValueError as error:  # a power cut damages what came after the checkpoint, and only that
            damage = damage or error
            continue
        if record["step"] <= step:
            if damage:
                raise damage
            kept.append(record)
    after = "".join(json.dumps(record) + "\n" for record in _renamed(kept, path, config)).encode()
    if after != before:
        with replacing(path) as temporary:
            temporary.write_bytes(after)


def check_alike(
    records: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    numbers: Sequence[str],
    words: Sequence[str] = (),
    first: int = 1,
    again: bool = False,
) -> None:
    """Check that records of a log can be set side by side: as arrays, and step after step.

    Args:
        records: of consecutive lines.
        path: of the log.
        numbers, words: keys that there must be, and of what kind they are; others are as in the first record.
        first: the number of the first line.
        again: whether a step may be recorded more than once.

    Raises:
        ValueError: if a record lacks a key, has a value of another kind or not finite, lists of several lengths, or a
            step that is not after the one before it, naming file and line.
    """
    kinds = {key: _kind(value) for key, value in records[0].items()} if records else {}
    kinds |= dict.fromkeys(numbers, _NUMBER) | dict.fromkeys(words, _WORD)
    steps: dict[str, int] = {}
    for number, record in enumerate(records, start=first):
        where = f"line {number} of {path}"
        for key, kind in kinds.items():
            if key not in record:
                raise ValueError(f"{where} lacks {key!r}, which other lines have")
            found = _kind(record[key])
            if found != kind or found == _ODD or (found == _WORD and key not in words):
                raise ValueError(
                    f"{where} has {str(record[key])[:50]!r} as {key!r}, which is not what other lines have"
                )
        if len({len(record[key]) for key, kind in kinds.items() if kind == _NUMBERS}) > 1:
            raise ValueError(f"{where} has lists of several lengths")
        series = str(record.get("discriminator"))
        if record["step"] <= steps.get(series, -1) - again:
            raise ValueError(f"{where} is of step {record['step']}, after one of step {steps[series]}")
        steps[series] = record["step"]


_NUMBER, _NUMBERS, _WORD, _ODD = "a number", "a list of numbers", "a word", "something odd"


def _kind(value: Any) -> str:
    """What a value in a log is."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, list):
        return _NUMBERS if value and all(map(_is_number, value)) else _ODD
    if isinstance(value, str):
        return _WORD
    return _NUMBER if _is_number(value) else _ODD


def _is_number(value: Any) -> bool:
    """Whether it is a finite number, which a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)


class Run:
    """A run directory, read.

    Args:
        directory: where it is.
        config: its `RunConfig`.
        checkpoints: those that count, oldest first; default all that are there.

    Attributes:
        directory, config: as given.
    """

    def __init__(self, directory: Path, config: RunConfig, checkpoints: Sequence[Path] | None = None) -> None:
        self.directory, self.config, self._chosen = directory, config, checkpoints

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
        """What was logged: ``step``, ``seconds`` and every loss and score, each an array over the logged steps.

        Raises:
            ValueError: if the log is damaged, naming the line.
        """
        path = self.directory / METRICS
        records = read_log(path, self.config)
        names = records[0] if records else ()
        check_alike(records, path, numbers=["seconds", *names])
        return {name: _stack([record[name] for record in records]) for name in names}

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

        Raises:
            ValueError: if the log is damaged, naming the line.
        """
        path = self.directory / SPECTRUM
        records = read_log(path, self.config)
        check_alike(records, path, numbers=["largest"], words=["discriminator"], again=True)
        by_name: dict[str, dict[int, dict]] = {}
        for number, record in enumerate(records, start=1):
            name = record.pop("discriminator")
            if name not in self.config.model.discriminators:
                raise ValueError(f"line {number} of {path} is of a discriminator {name!r}, which the run does not have")
            by_name.setdefault(name, {})[record["step"]] = record  # of two probes of a step, the later one
        return {
            name: {key: _stack([record[key] for record in some.values()]) for key in next(iter(some.values()))}
            for name, some in by_name.items()
        }

    @property
    def checkpoints(self) -> list[Path]:
        """Its checkpoints, oldest first."""
        return checkpoint.list_checkpoints(self.directory) if self._chosen is None else list(self._chosen)

    @property
    def newest_step(self) -> int:
        """The step of its newest checkpoint.

        Raises:
            FileNotFoundError: if there is none.
        """
        return max(self._checkpoints_by_step())

    @property
    def sample_files(self) -> list[Path]:
        """Its sample grids, oldest first; what has another name than we give is not ours."""
        steps = {step_in(path.stem): path for path in (self.directory / SAMPLES).glob("step_*.gif")}
        return [steps[step] for step in sorted(step for step in steps if step is not None)]

    def gan(self, step: int | None = None) -> VideoGAN:
        """Generator and discriminators of a checkpoint, on the CPU.

        Args:
            step: of which checkpoint; default the newest.

        Raises:
            FileNotFoundError: if there is no such checkpoint, listing those that are there.
            ValueError: if its weights are damaged, not finite, or not of the networks that ``config.json`` describes.
        """
        return self._load(step, {"generator": GENERATOR, "discriminators": "discriminators."})

    def generator(self, step: int | None = None, *, averaged: bool = True) -> VideoGenerator:
        """The generator of a checkpoint, on the CPU, in evaluation mode; it knows the names of its classes.

        Args:
            step: of which checkpoint; default the newest.
            averaged: the average over training where the recipe kept one (what samples are drawn from). An entry of
                ``pretrained/`` that is there for its discriminators may have left it out: then the weights themselves.

        Raises:
            FileNotFoundError, ValueError: as `gan`.
        """
        averaged = averaged and self.config.model.recipe.average > 0
        generator = self._load(step, {"generator": AVERAGE if averaged else GENERATOR}).generator
        generator.class_names = self.config.class_names
        return generator.eval()

    def _load(self, step: int | None, prefixes: dict[str, str]) -> VideoGAN:
        """The networks that the configuration describes; the parts named have the weights of these prefixes."""
        path = self._weights(step)
        everything = checkpoint.load_weights(path)
        if not any(name.startswith(AVERAGE) for name in everything):
            prefixes = {part: GENERATOR if prefix == AVERAGE else prefix for part, prefix in prefixes.items()}
        weights = {part: checkpoint.part_of(everything, prefix, path) for part, prefix in prefixes.items()}
        if not self.config.model.recipe.average and any(name.startswith("average.") for name in everything):
            raise ValueError(f"{path} has an average over training, of which {self.directory / CONFIG} knows nothing")
        # First without memory: a configuration that was changed may ask for more than there is.
        for device in ("meta", "cpu"):
            try:
                with torch.device(device):
                    gan = self.config.model.build()
            except Exception as error:  # whatever a network says to its arguments
                if device == "meta":  # it may be one that reads its own numbers while it is built: "cpu" will tell
                    continue
                where = self.directory / CONFIG
                raise ValueError(f"the networks that {where} describes cannot be built: {error}") from error
            for part, tensors in weights.items():
                checkpoint.check_fit(gan.get_submodule(part), tensors, path)
        for part, tensors in weights.items():
            gan.get_submodule(part).load_state_dict(tensors)
        gan.set_step(checkpoint.step_of(path.parent))
        return gan

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
    array = np.array(values)
    return array.astype(np.float64) if array.dtype == object else array  # whole numbers larger than NumPy's
