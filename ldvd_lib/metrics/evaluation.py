"""Judges a source of videos: features are streamed to disk, and every metric is computed from them.

Videos are made, judged and forgotten batch by batch; only features are kept, in files, so that an interrupted
evaluation goes on where it stopped.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.configuration import from_dict, load_json, save_json
from ldvd_lib._kit.lock import locked
from ldvd_lib.metrics.feature_files import FeatureWriter, Record, read_features
from ldvd_lib.metrics.frechet import frechet_distance
from ldvd_lib.metrics.inception_score import inception_score
from ldvd_lib.metrics.kernel import kernel_distance
from ldvd_lib.metrics.neighbours import neighbour_metrics
from ldvd_lib.metrics.preparation import as_float32
from ldvd_lib.metrics.protocol import Judge, Protocol

# seed, count, first position → batches (n, 3, T, H, W) in [-1, 1]; see `ldvd_lib.runs.sources`
Source = Callable[[int, int, int], Iterator[Tensor]]

LOCK = ".lock"
NEIGHBOUR = 5  # the k of precision, recall, density and coverage


@dataclass(frozen=True, eq=False)
class Features:
    """What a judge's network says of some videos.

    Attributes:
        features: ``(n, d)`` float32.
        probabilities: ``(n, num_classes)`` float32; None if the protocol has no classes.
        record: what they depend on: ``protocol``, ``weights``, ``videos``, ``seed``, ``count``.
    """

    features: Tensor
    probabilities: Tensor | None
    record: Record


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
        directory: for the files; what it holds must be of the same judge, videos, seed and count. Nothing is written
            if they are finished. While another process computes them, this one waits.
        videos: what the source makes, in words that change when the videos do (with the step of a run, say).
        seed: handed to the source.
        count: how many.
        device: where to compute.
        progress: show a progress bar.

    Raises:
        ValueError: if the directory holds something else or is damaged, or videos are not floating-point, not finite,
            not in [-1, 1], of another shape or length than the protocol has, or not as many as asked for.
        FileNotFoundError: if one of the files is missing.
        OSError: if they cannot be written, on a full disk, say; what was computed is kept.
    """
    count = whole_number("count", count, least=1)
    record: Record = {
        "protocol": judge.protocol.identity,
        "weights": judge.weights,
        "videos": videos,
        "seed": seed,
        "count": count,
    }
    layers = {"features": judge.protocol.layer} | ({"probabilities": "prob"} if judge.protocol.inception_score else {})
    directory = Path(directory)
    while (arrays := read_features(directory, layers, record)) is None:
        # Reading takes no lock, so that it can be done where nothing can be written.
        busy = f"the features in {directory} are being computed elsewhere"
        with locked(directory / LOCK, busy=busy, patience=math.inf), FeatureWriter(directory, layers, record) as files:
            if files.done == count:
                continue  # another has computed them in the meantime
            network = judge.network.to(device).eval()
            bar = tqdm(total=count, initial=files.done, unit="video", desc=judge.protocol.name, disable=not progress)
            with bar:
                for batch in source(seed, count, files.done):
                    checked = _checked(batch, most=count - files.done, protocol=judge.protocol)
                    prepared = judge.prepare(checked.to(device))
                    # Channels last is faster on a CPU (benchmarks/metrics.py); resized videos are not so.
                    activations = network.activations(prepared.contiguous(memory_format=torch.channels_last_3d))
                    files.append({name: activations[layer] for name, layer in layers.items()})
                    bar.update(len(checked))
            if files.done < count:
                raise ValueError(f"the source gave {files.done} videos, but {count} were asked for")
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    return Features(tensors["features"], tensors.get("probabilities"), record)


def _checked(videos: Tensor, *, most: int, protocol: Protocol) -> Tensor:
    """The videos as float32, if they are what the protocol judges."""
    videos = as_float32(videos)
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
    return videos


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

    Raises:
        ValueError: if a metric has not one finite value for each repetition.
    """

    name: str
    protocol: str
    weights: str
    samples: int
    real: str
    seeds: tuple[int, ...]
    values: dict[str, tuple[float, ...]]
    windows: str = ""

    def __post_init__(self) -> None:
        for metric, values in self.values.items():
            if len(values) != len(self.seeds) or not all(map(math.isfinite, values)):
                raise ValueError(
                    f"{metric} has the values {values}, but must have a finite one for each of {len(self.seeds)} seeds"
                )

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
    videos: str | None = None,
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
        name: of what is judged; the result bears it.
        videos: what the source makes, as for `extract`; default the name, which must change then when the videos do.
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
            videos=name if videos is None else videos,
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
