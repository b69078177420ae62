"""Judges a source of videos: features are streamed to disk, and every metric is computed from them.

Videos are made, judged and forgotten batch by batch; only features are kept, in files, so that an interrupted
evaluation goes on where it stopped.
"""

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.configuration import from_dict, load_json, save_json
from ldvd_lib._kit.files import replacing, to_disk
from ldvd_lib.metrics.frechet import frechet_distance
from ldvd_lib.metrics.inception_score import inception_score
from ldvd_lib.metrics.kernel import kernel_distance
from ldvd_lib.metrics.neighbours import neighbour_metrics
from ldvd_lib.metrics.protocol import Judge, Protocol

# seed, count, first position → batches (n, 3, T, H, W) in [-1, 1]; see `ldvd_lib.runs.sources`
Source = Callable[[int, int, int], Iterator[Tensor]]

LOG = "progress.json"
SECONDS_BETWEEN_LOGS = 5.0  # waiting for a disk after every batch would be slow where batches take milliseconds
NEIGHBOUR = 5  # the k of precision, recall, density and coverage


@dataclass(frozen=True, eq=False)
class Features:
    """What a judge's network says of some videos.

    Attributes:
        features: ``(n, d)`` float32, memory-mapped.
        probabilities: ``(n, num_classes)`` float32, memory-mapped; None if the protocol has no classes.
        record: what they depend on: ``protocol``, ``weights``, ``videos``, ``seed``, ``count``.
    """

    features: Tensor
    probabilities: Tensor | None
    record: dict[str, str | int]


@torch.no_grad()
def extract(
    judge: Judge,
    source: Source,
    directory: str | Path,
    *,
    videos: str,
    seed: int,
    count: int,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Features:
    """The features of a number of videos, read from files if they exist, else computed and written there.

    Args:
        judge: network and preparation.
        source: makes videos from a seed.
        directory: for the files; what it holds must be of the same judge, videos, seed and count.
        videos: what the source makes, in words that change when the videos do (with the step of a run, say).
        seed: handed to the source.
        count: how many.
        device: where to compute.
        progress: show a progress bar.

    Raises:
        ValueError: if the directory holds something else, or videos are not finite, not in [-1, 1], of another shape
            or length than the protocol has, or not as many as asked for.
    """
    count = whole_number("count", count, least=1)
    record: dict[str, str | int] = {
        "protocol": judge.protocol.identity,
        "weights": judge.weights,
        "videos": videos,
        "seed": seed,
        "count": count,
    }
    layers = {"features": judge.protocol.layer} | ({"probabilities": "prob"} if judge.protocol.inception_score else {})
    files = _FeatureFiles(Path(directory), layers, record)
    if files.done < count:
        network = judge.network.to(device).eval()
        bar = tqdm(total=count, initial=files.done, unit="video", desc=judge.protocol.name, disable=not progress)
        # Whatever ends the loop, an interrupt as well: what was computed until then is logged.
        with bar, files:
            for batch in source(seed, count, files.done):
                _check(batch, most=count - files.done, protocol=judge.protocol)
                prepared = judge.prepare(batch.to(device))
                # Channels last is faster on a CPU (benchmarks/metrics.py); resized videos are not so.
                activations = network.activations(prepared.contiguous(memory_format=torch.channels_last_3d))
                files.append({name: activations[layer] for name, layer in layers.items()}, count=count)
                bar.update(len(batch))
        if files.done < count:
            raise ValueError(f"the source gave {files.done} videos, but {count} were asked for")
    tensors = {name: torch.from_numpy(array) for name, array in files.arrays.items()}
    return Features(tensors["features"], tensors.get("probabilities"), record)


class _FeatureFiles:
    """Arrays in files that are filled from the front, and a log of how far they are filled.

    The log never says more than what is on the disk already: it is written after the arrays, every few seconds and when
    the ``with`` block ends.

    Args:
        directory: for the files; what it holds must have the same record.
        names: of the arrays.
        record: what they depend on.

    Attributes:
        arrays: name → memory-mapped array; empty until the first rows are appended.
        done: rows that are filled.

    Raises:
        ValueError: if the directory holds something else.
    """

    def __init__(self, directory: Path, names: Iterable[str], record: dict[str, str | int]) -> None:
        self.directory, self.record = directory, record
        self.done = _done_before(directory, record)
        self.arrays: dict[str, np.memmap] = {}
        if self.done:
            self.arrays = {name: np.lib.format.open_memmap(self._path(name), mode="r+") for name in names}
        self._logged, self._logged_at = self.done, time.monotonic()

    def __enter__(self) -> "_FeatureFiles":
        return self

    def __exit__(self, *_: object) -> None:
        if self.done > self._logged:
            self._log()

    def append(self, rows: dict[str, Tensor], *, count: int) -> None:
        """Fill the next rows of each array; at the first call, arrays of `count` rows are made."""
        until = self.done
        for name, values in rows.items():
            if name not in self.arrays:
                self.arrays[name] = self._new(name, (count, values.shape[1]))
            until = self.done + len(values)
            self.arrays[name][self.done : until] = values.float().cpu().numpy()
        self.done = until
        if time.monotonic() - self._logged_at >= SECONDS_BETWEEN_LOGS:
            self._log()

    def _log(self) -> None:
        for name, array in self.arrays.items():
            array.flush()
            to_disk(self._path(name))
        with replacing(self.directory / LOG) as temporary:
            temporary.write_text(json.dumps({**self.record, "done": self.done}))
        self._logged, self._logged_at = self.done, time.monotonic()

    def _new(self, name: str, shape: tuple[int, int]) -> np.memmap:
        self.directory.mkdir(parents=True, exist_ok=True)
        array = np.lib.format.open_memmap(self._path(name), mode="w+", dtype=np.float32, shape=shape)
        to_disk(self.directory)
        return array

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.npy"


def _done_before(directory: Path, record: dict[str, str | int]) -> int:
    """How many videos' features a directory holds already."""
    path = directory / LOG
    if not path.is_file():
        return 0
    logged = json.loads(path.read_text())
    done = logged.pop("done")
    different = [
        f"{key}: {logged.get(key)!r} there, {value!r} now" for key, value in record.items() if logged.get(key) != value
    ]
    if different:
        raise ValueError(f"{directory} holds other features ({'; '.join(different)}): delete it, or choose another")
    return done


def _check(videos: Tensor, *, most: int, protocol: Protocol) -> None:
    if videos.ndim != 5 or videos.shape[1] != 3:
        raise ValueError(f"videos must have shape (N, 3, T, H, W), got {tuple(videos.shape)}")
    if videos.shape[2] != protocol.num_frames:
        raise ValueError(
            f"protocol {protocol.name!r} judges windows of {protocol.num_frames} frames, and the source gave videos of "
            f"{videos.shape[2]}: ask it for windows (num_frames={protocol.num_frames} of "
            "`ldvd_lib.runs.sources.from_generator` and `from_store`)"
        )
    if not 1 <= len(videos) <= most:
        raise ValueError(f"the source gave a batch of {len(videos)} videos where 1 to {most} were left to make")
    if not videos.isfinite().all():
        raise ValueError("a video is not finite (NaN or infinite): look at the generator that made it")
    if videos.abs().max() > 1 + 1e-4:
        low, high = videos.min().item(), videos.max().item()
        raise ValueError(f"videos must be in [-1, 1], and these go from {low:.3g} to {high:.3g}")


@dataclass(frozen=True)
class Evaluation:
    """Scores with everything that they depend on.

    Attributes:
        name: of what was judged.
        protocol: name and version.
        weights: SHA-256 of the judge's network.
        samples: videos in a repetition.
        real: the real data that distances are measured to, and how many videos of them.
        seeds: one for each repetition.
        values: metric → one value for each repetition.
        windows: which part of each clip was judged, ``"windows of 16 of 32 frames"``, say; empty if the clips have the
            protocol's length.
    """

    name: str
    protocol: str
    weights: str
    samples: int
    real: str
    seeds: tuple[int, ...]
    values: dict[str, tuple[float, ...]]
    windows: str = ""

    def summary(self) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation over the repetitions; the deviation of a single one is not a number."""
        return {
            metric: (float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.nan)
            for metric, values in self.values.items()
        }

    def difference(self, other: "Evaluation") -> dict[str, float]:
        """Means of this minus means of the other.

        Raises:
            ValueError: if the two were not judged alike: another protocol, weights, sample count or real data.
        """
        for what in ("protocol", "weights", "samples", "real"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if mine != theirs:
                raise ValueError(
                    f"{self.name} and {other.name} cannot be compared: {what} is {mine!r} for one and {theirs!r} for "
                    "the other; evaluate both alike"
                )
        ours, others = self.summary(), other.summary()
        return {metric: ours[metric][0] - others[metric][0] for metric in ours.keys() & others.keys()}

    def __str__(self) -> str:
        videos = f"{len(self.seeds)} × {self.samples:,} videos" + (f" ({self.windows})" if self.windows else "")
        lines = [f"{self.name}: {self.protocol}, {videos}, real: {self.real}"]
        for metric, (mean, deviation) in self.summary().items():
            lines.append(f"  {metric:20} {mean:10.4g}" + ("" if math.isnan(deviation) else f" ± {deviation:.2g}"))
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Write it as JSON; returns the path."""
        return save_json(asdict(self), path)

    @classmethod
    def load(cls, path: str | Path) -> "Evaluation":
        """Read what `save` wrote."""
        return from_dict(cls, load_json(path), where=str(path))


def evaluate(
    judge: Judge,
    source: Source,
    real: Features,
    directory: str | Path,
    *,
    name: str,
    windows: str = "",
    samples: int | None = None,
    repeats: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Evaluation:
    """Judge a source of videos.

    Args:
        judge: see `ldvd_lib.metrics.open_judge`.
        source: makes videos from a seed; see `ldvd_lib.runs.sources`.
        real: features of real videos, from `extract` with the same judge.
        directory: for features, which are kept, so that an interrupted evaluation continues.
        name: of what is judged, in words that change when the videos do.
        windows: which part of each clip the source shows, in words, if not all of it; the result says so.
        samples, repeats: instead of the protocol's; the result says so by its counts.
        seed: of the first repetition; the next ones follow it.
        device: where to compute.
        progress: show progress bars.

    Returns:
        One value for each repetition of the inception score (``is``) where the protocol has it, of the Fréchet and the
        kernel distance (``fid`` and ``kid``, or, of I3D, ``fvd`` and ``kvd``), and of ``precision``, ``recall``,
        ``density`` and ``coverage``.

    Raises:
        ValueError: if the real features are another judge's, there are too few samples, or as `extract`.
    """
    samples = judge.protocol.samples if samples is None else whole_number("samples", samples, least=NEIGHBOUR + 1)
    repeats = judge.protocol.repeats if repeats is None else whole_number("repeats", repeats, least=1)
    if (real.record["protocol"], real.record["weights"]) != (judge.protocol.identity, judge.weights):
        raise ValueError(
            f"the real features are of {real.record['protocol']} with the network {real.record['weights']:.12}, not of "
            f"{judge.protocol.identity} with {judge.weights:.12}: extract them with the judge that is to compare them"
        )
    fid, kid = ("fvd", "kvd") if judge.protocol.network == "i3d" else ("fid", "kid")
    values: dict[str, list[float]] = {}
    seeds = tuple(range(seed, seed + repeats))
    for number in seeds:
        generated = extract(
            judge,
            source,
            Path(directory) / f"seed-{number}",
            videos=name,
            seed=number,
            count=samples,
            device=device,
            progress=progress,
        )
        scores = {} if generated.probabilities is None else {"is": inception_score(generated.probabilities)}
        scores[fid] = frechet_distance(generated.features, real.features)
        scores[kid] = kernel_distance(generated.features, real.features)
        neighbours = neighbour_metrics(real.features, generated.features, k=NEIGHBOUR)
        scores |= {key: getattr(neighbours, key) for key in ("precision", "recall", "density", "coverage")}
        for metric, value in scores.items():
            values.setdefault(metric, []).append(value)
    return Evaluation(
        name=name,
        protocol=judge.protocol.identity,
        weights=judge.weights,
        samples=samples,
        real="{count:,} {videos}, seed {seed}".format(**real.record),
        seeds=seeds,
        values={metric: tuple(repetitions) for metric, repetitions in values.items()},
        windows=windows,
    )
