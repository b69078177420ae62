"""Scores of runs: a judge, real features to compare with, and the place where the results are kept.

    judge = metrics.open_judge("actions")
    real = scores.real_features(judge, store)                     # kept beside the store
    scores.judge_run(Run.open("runs/tgan"), judge, real)          # kept in the run

`ldvd_lib.metrics` judges any source of videos; here are the two sources that everything else needs. Features that exist
already are not computed again, and an interrupted evaluation continues where it stopped.
"""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from ldvd_lib._kit.checks import is_finite
from ldvd_lib._kit.configuration import from_dict, load_json, save_json
from ldvd_lib._kit.files import remove_leftovers
from ldvd_lib._kit.lock import locked
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.generators import VideoGenerator
from ldvd_lib.latents import with_category
from ldvd_lib.metrics import Confusion, Evaluation, Features, Judge, Protocol, confusion, evaluate, extract, flicker
from ldvd_lib.metrics.classifier import CLASSIFIERS, classes_of
from ldvd_lib.metrics.evaluation import LOCK, Source
from ldvd_lib.runs.files import EVALUATION
from ldvd_lib.runs.run import Run
from ldvd_lib.runs.sources import describe_store, describe_windows, digest_weights, from_generator, from_store


def real_features(
    judge: Judge,
    store: ClipStore,
    *,
    samples: int | None = None,
    seed: int = 0,
    directory: str | Path | None = None,
    short: str = "error",
    batch_size: int = 32,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> Features:
    """The features of real clips, to which distances are measured.

    Args:
        judge: see `ldvd_lib.metrics.open_judge`.
        store: the clips, of the size of the generators' videos.
        samples: how many windows of them; default the protocol's.
        seed: of the windows.
        directory: where the features are kept; default beside the store.
        short: what to do with clips that are shorter than the protocol's windows, ``"error"`` or ``"loop"``.
        batch_size: windows at once (bounds the memory).
        device, progress: as `ldvd_lib.metrics.evaluate`.

    Raises:
        ValueError: as `ldvd_lib.metrics.extract`; or the store is not in files, and there is no directory.
    """
    samples = samples or judge.protocol.samples
    return extract(
        judge,
        _windows(judge, store, short, batch_size),
        directory or features_directory(store, judge, samples),
        videos=describe_store(store),
        seed=seed,
        count=samples,
        device=device,
        progress=progress,
    )


def features_directory(store: ClipStore, judge: Judge, samples: int | None = None) -> Path:
    """Where `real_features` keeps them: beside the store.

    Raises:
        ValueError: if the store is only in memory.
    """
    if store.directory is None:
        raise ValueError("the clips are only in memory, so there is no place beside them: give a directory")
    return store.directory.with_name(f"{store.directory.name}-features") / _label(judge.protocol, samples)


def evaluation_directory(run: str | Path, protocol: Protocol, step: int, samples: int | None = None) -> Path:
    """Where `judge_run` keeps what it finds in a run directory, and `ldvd_lib.runs.results_of_run` looks for it."""
    return Path(run) / "evaluations" / f"{_label(protocol, samples)}-step-{step}"


def judge_run(
    run: Run,
    judge: Judge,
    real: Features,
    *,
    step: int | None = None,
    samples: int | None = None,
    repeats: int | None = None,
    seed: int = 0,
    directory: str | Path | None = None,
    batch_size: int = 32,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> tuple[Evaluation, Path]:
    """Judge the generator of a run, by windows of its clips if they are longer than the protocol's.

    Args:
        run: which.
        judge, real: see `real_features`.
        step: of which checkpoint; default the newest.
        samples, repeats, seed: as `ldvd_lib.metrics.evaluate`.
        directory: where the result and the features are kept; default in the run.
        batch_size: videos at once (bounds the memory).
        device, progress: as `ldvd_lib.metrics.evaluate`.

    Returns:
        The evaluation, and the file that it is in.

    Raises:
        FileNotFoundError: if the run has no such checkpoint.
        ValueError: as `ldvd_lib.metrics.evaluate`; or the generator's clips are shorter than the protocol's windows.
    """
    step = run.newest_step if step is None else step
    generator = run.generator(step).to(device)
    num_frames = judge.protocol.num_frames
    home = evaluation_directory(run.directory, judge.protocol, step, samples) if directory is None else Path(directory)
    videos = f"step {step} ({digest_weights(generator):.8})"  # not where the run is, for it may be moved and renamed
    evaluation = evaluate(
        judge,
        from_generator(generator, num_frames=num_frames, batch_size=batch_size),
        real,
        home,
        name=f"{run.directory.name}, {videos}",
        videos=videos,
        windows=describe_windows(generator, num_frames),
        samples=samples,
        repeats=repeats,
        seed=seed,
        device=device,
        progress=progress,
    )
    return evaluation, _kept(evaluation, home / EVALUATION)


def judge_clips(
    store: ClipStore,
    judge: Judge,
    real: Features,
    *,
    samples: int | None = None,
    repeats: int | None = None,
    seed: int = 0,
    directory: str | Path | None = None,
    short: str = "error",
    batch_size: int = 32,
    device: str | torch.device = "cpu",
    progress: bool = True,
) -> tuple[Evaluation, Path]:
    """Judge real clips, held out, as if a generator had made them: the best there is. See `judge_run`."""
    home = features_directory(store, judge, samples) if directory is None else Path(directory)
    evaluation = evaluate(
        judge,
        _windows(judge, store, short, batch_size),
        real,
        home,
        name=describe_store(store),
        samples=samples,
        repeats=repeats,
        seed=seed,
        device=device,
        progress=progress,
    )
    return evaluation, _kept(evaluation, home / EVALUATION)


@dataclass(frozen=True)
class Flicker:
    """How much a run's generated clips flicker, and real ones at its frame rate: see `ldvd_lib.metrics.flicker`."""

    generated: float
    real: float

    def __post_init__(self) -> None:
        if not (is_finite(self.generated) and is_finite(self.real) and self.generated >= 0 and self.real > 0):
            raise ValueError(f"the flicker of generated clips is {self.generated}, and that of real ones {self.real}")

    @property
    def ratio(self) -> float:
        """Generated over real: 1 is best."""
        return self.generated / self.real


def flicker_file(run: str | Path, step: int) -> Path:
    """Where `judge_flicker` keeps what it finds in a run directory."""
    return Path(run) / "evaluations" / f"flicker-step-{step}.json"


def judge_flicker(
    run: Run,
    store: ClipStore,
    *,
    step: int | None = None,
    videos: int = 64,
    seed: int = 0,
    short: str = "error",
    device: str | torch.device = "cpu",
) -> Flicker:
    """Measure how much a run's generated clips flicker, and keep it in the run, in `flicker_file`.

    Args:
        run: which.
        store: the clips that it was trained on; windows of them are taken at its recipe's frame rate.
        step: of which checkpoint; default the newest.
        videos: how many of each.
        seed: of latents and windows.
        short: as of `real_features`.
        device: where to generate.

    Raises:
        FileNotFoundError: if the run has no such checkpoint.
        ValueError: if the real clips do not flicker at all.
    """
    step = run.newest_step if step is None else step
    generator = run.generator(step).to(device)
    made = torch.cat([flicker(batch).cpu() for batch in from_generator(generator)(seed, videos, 0)])
    windows = WindowSampler(
        store,
        batch_size=videos,
        num_frames=generator.num_frames,
        stride=run.config.model.recipe.frame_stride,
        short=short,
        seed=seed,
    )
    found = Flicker(made.mean().item(), flicker(windows.peek(seed=seed).video).mean().item())
    save_json(asdict(found), flicker_file(run.directory, step))
    return found


def read_flicker(run: str | Path, step: int) -> Flicker:
    """What `judge_flicker` kept.

    Raises:
        FileNotFoundError: if it has not measured that step of the run.
        ValueError: if the file is damaged.
    """
    path = flicker_file(run, step)
    return from_dict(Flicker, load_json(path), where=str(path))


@torch.no_grad()
def judge_classes(
    generator: VideoGenerator,
    judge: Judge,
    class_names: Sequence[str],
    *,
    each: int = 64,
    seed: int = 0,
    batch_size: int = 32,
) -> Confusion:
    """How often a judge names the class that a generator was asked to paint.

    Args:
        generator: one with a part ``category`` in its latents that means the classes of data, as DVD-GAN's does, on the
            device that is to compute; it is put into evaluation mode.
        judge: one of our small C3Ds, which knows these classes.
        class_names: of the data that the generator was trained on, in the order of their labels.
        each: clips of each class.
        seed: of the latents.
        batch_size: clips at once (bounds the memory).

    Raises:
        ValueError: if the generator has not so many classes, its clips are not as long as the judge's windows, or the
            judge does not know one of them.
    """
    known = classes_of(judge.protocol.network) if judge.protocol.network in CLASSIFIERS else ()
    missing = [name for name in class_names if name not in known]
    if missing:
        raise ValueError(f"the judge of protocol {judge.protocol.name!r} does not know {missing}: it knows {known}")
    category = generator.latent_parts.get("category", slice(0, 0))
    if category.stop - category.start != len(class_names):
        raise ValueError(
            f"there are {len(class_names)} classes, and latents with {category.stop - category.start} categories"
        )
    if generator.num_frames != judge.protocol.num_frames:
        raise ValueError(
            f"the judge looks at {judge.protocol.num_frames} frames, and clips have {generator.num_frames}"
        )
    weight = next(generator.eval().parameters())
    network = judge.network.to(weight.device).eval()
    labels = torch.arange(len(class_names)).repeat(each)
    drawn = generator.sample_latents(len(labels), generator=torch.Generator().manual_seed(seed)).cpu()
    latents = with_category(drawn, category, labels)
    found = []
    for batch in latents.split(batch_size):
        videos = judge.prepare(generator(batch.to(weight)).float())
        found.append(network.activations(videos)["prob"].cpu())
    order = [known.index(name) for name in class_names]
    return confusion(torch.cat(found)[:, order], labels, class_names)


def _kept(evaluation: Evaluation, path: Path) -> Path:
    """The file with an evaluation; nothing is written if it says so already, under whatever name of the run."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        if replace(Evaluation.load(path), name=evaluation.name) == evaluation:
            return path
    with locked(path.with_name(LOCK), busy=f"{path} is being written elsewhere", patience=math.inf):
        remove_leftovers(path)
        return evaluation.save(path)


def _windows(judge: Judge, store: ClipStore, short: str, batch_size: int) -> Source:
    protocol = judge.protocol
    return from_store(
        store, num_frames=protocol.num_frames, stride=protocol.frame_stride, batch_size=batch_size, short=short
    )


def _label(protocol: Protocol, samples: int | None) -> str:
    return f"{protocol.identity}-{samples or protocol.samples}"
