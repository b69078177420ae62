"""Judging a source of videos: features of many, streamed to disk, and every metric of them.

Videos are made, judged and forgotten batch by batch; only features are kept, in files, so that an interrupted
evaluation goes on where it stopped.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ldvd_lib._checks import whole_number
from ldvd_lib._files import replacing
from ldvd_lib.configuration import from_dict, load_json, save_json
from ldvd_lib.metrics.frechet import frechet_distance
from ldvd_lib.metrics.inception_score import inception_score
from ldvd_lib.metrics.kernel import kernel_distance
from ldvd_lib.metrics.neighbours import neighbour_metrics
from ldvd_lib.metrics.protocol import Judge
from ldvd_lib.metrics.sources import Source

LOG = "progress.json"
NEIGHBOUR = 5  # to which the balls of precision, recall, density and coverage reach


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
    """The features of a number of videos, from files if they are there, else computed into them.

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
        ValueError: if the directory holds something else, or videos are not finite, not in [-1, 1], of another shape,
            or not as many as asked for.
    """
    directory = Path(directory)
    count = whole_number("count", count, least=1)
    record = {
        "protocol": judge.protocol.identity,
        "weights": judge.weights,
        "videos": videos,
        "seed": seed,
        "count": count,
    }
    layers = {"features": judge.protocol.layer} | ({"probabilities": "prob"} if judge.protocol.inception_score else {})
    done = _resume(directory, record)
    files = {name: np.lib.format.open_memmap(directory / f"{name}.npy", mode="r+") for name in layers if done}
    if done < count:
        network = judge.network.to(device).eval()
        with tqdm(total=count, initial=done, unit="video", desc=judge.protocol.name, disable=not progress) as bar:
            for batch in source(seed, count, done):
                _check(batch, most=count - done)
                prepared = judge.prepare(batch.to(device))
                # Channels last is faster on a CPU (benchmarks/metrics.py); resized videos are not so.
                found = network.activations(prepared.contiguous(memory_format=torch.channels_last_3d))
                for name, layer in layers.items():
                    if name not in files:
                        files[name] = _new(directory / f"{name}.npy", (count, found[layer].shape[1]))
                    files[name][done : done + len(batch)] = found[layer].float().cpu().numpy()
                    files[name].flush()
                done += len(batch)
                with replacing(directory / LOG) as temporary:
                    temporary.write_text(json.dumps({**record, "done": done}))
                bar.update(len(batch))
        if done < count:
            raise ValueError(f"the source gave {done} videos, but {count} were asked for")
    tensors = {name: torch.from_numpy(array) for name, array in files.items()}
    return Features(tensors["features"], tensors.get("probabilities"), record)


def _resume(directory: Path, record: dict[str, str | int]) -> int:
    """How many videos' features a directory holds already."""
    path = directory / LOG
    if not path.is_file():
        return 0
    there = json.loads(path.read_text())
    done = there.pop("done")
    different = [
        f"{key}: {there.get(key)!r} there, {record[key]!r} now" for key in record if there.get(key) != record[key]
    ]
    if different:
        raise ValueError(f"{directory} holds other features ({'; '.join(different)}): delete it, or choose another")
    return done


def _new(path: Path, shape: tuple[int, int]) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def _check(videos: Tensor, *, most: int) -> None:
    if videos.ndim != 5 or videos.shape[1] != 3:
        raise ValueError(f"videos must have shape (N, 3, T, H, W), got {tuple(videos.shape)}")
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
        real: what the distances are to, and of how many videos.
        seeds: one for each repetition.
        values: metric → one value for each repetition.
    """

    name: str
    protocol: str
    weights: str
    samples: int
    real: str
    seeds: tuple[int, ...]
    values: dict[str, tuple[float, ...]]

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
        lines = [f"{self.name}: {self.protocol}, {len(self.seeds)} × {self.samples:,} videos, real: {self.real}"]
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
    samples: int | None = None,
    repeats: int | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Evaluation:
    """Judge a source of videos.

    Args:
        judge: see `ldvd_lib.metrics.open_judge`.
        source: makes videos from a seed; see `ldvd_lib.metrics.sources`.
        real: features of real videos, from `extract` with the same judge.
        directory: for features, which are kept, so that an interrupted evaluation continues.
        name: of what is judged, in words that change when the videos do.
        samples, repeats: instead of the protocol's; the result says so by its counts.
        seed: of the first repetition; the next ones follow it.
        device: where to compute.
        progress: show progress bars.

    Returns:
        One value for each repetition of the inception score (``is``) where the protocol has it, of the Fréchet and the
        kernel distance (``fid`` and ``kid``, or ``fvd`` and ``kvd``), and of ``precision``, ``recall``, ``density``
        and ``coverage``.

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
        found = extract(
            judge,
            source,
            Path(directory) / f"seed-{number}",
            videos=name,
            seed=number,
            count=samples,
            device=device,
            progress=progress,
        )
        scores = {} if found.probabilities is None else {"is": inception_score(found.probabilities)}
        scores[fid] = frechet_distance(found.features, real.features)
        scores[kid] = kernel_distance(found.features, real.features)
        neighbours = neighbour_metrics(real.features, found.features, k=NEIGHBOUR)
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
        values={metric: tuple(some) for metric, some in values.items()},
    )
