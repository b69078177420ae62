"""Scores of runs: a judge, real features to compare with, and the place where the results are kept.

    judge = metrics.open_judge("actions")
    real = scores.real_features(judge, store)                     # kept beside the store
    scores.judge_run(Run.open("runs/tgan"), judge, real)          # kept in the run

`ldvd_lib.metrics` judges any source of videos; here are the two that everything else asks for. What is there already is
not computed again, and an interrupted evaluation goes on where it stopped.
"""

from pathlib import Path

import torch
from filelock import FileLock

from ldvd_lib.data import ClipStore
from ldvd_lib.metrics import Evaluation, Features, Judge, Protocol, evaluate, extract
from ldvd_lib.metrics.sources import Source, describe_store, digest_weights, from_generator, from_store
from ldvd_lib.paper.results import EVALUATION
from ldvd_lib.training import Run


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
    """The features of real clips that distances are to.

    Args:
        judge: see `ldvd_lib.metrics.open_judge`.
        store: the clips, of the size that the generators paint.
        samples: how many windows of them; default the protocol's.
        seed: of the windows.
        directory: where the features are kept; default beside the store.
        short: what becomes of clips that are shorter than the protocol's windows, ``"error"`` or ``"loop"``.
        batch_size: windows at once (bounds the memory).
        device, progress: as `ldvd_lib.metrics.evaluate`.

    Raises:
        ValueError: as `ldvd_lib.metrics.extract`; or the store is not in files, and there is no directory.
    """
    samples = samples or judge.protocol.samples
    there = Path(directory or features_directory(store, judge, samples))
    there.parent.mkdir(parents=True, exist_ok=True)
    # Who begins anew empties the files: of several processes that need them, one makes them, and the others wait.
    with FileLock(there.with_name(f".{there.name}.lock")):
        return extract(
            judge,
            _windows(judge, store, short, batch_size),
            there,
            videos=describe_store(store),
            seed=seed,
            count=samples,
            device=device,
            progress=progress,
        )


def features_directory(store: ClipStore, judge: Judge, samples: int | None = None) -> Path:
    """Where `real_features` keeps them: beside the store.

    Raises:
        ValueError: if the store is in memory alone.
    """
    if store.directory is None:
        raise ValueError("the clips are in memory alone, so that there is no place beside them: give a directory")
    return store.directory.with_name(f"{store.directory.name}-features") / _label(judge.protocol, samples)


def evaluation_directory(run: str | Path, protocol: Protocol, step: int, samples: int | None = None) -> Path:
    """Where `judge_run` keeps what it finds in a run directory, and `ldvd_lib.paper.results_of_run` looks for it."""
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
    """Judge the generator of a run.

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
        ValueError: as `ldvd_lib.metrics.evaluate`.
    """
    step = run.newest_step if step is None else step
    generator = run.generator(step).to(device)
    there = evaluation_directory(run.directory, judge.protocol, step, samples) if directory is None else Path(directory)
    found = evaluate(
        judge,
        from_generator(generator, batch_size=batch_size),
        real,
        there,
        name=f"{run.directory.name}, step {step} ({digest_weights(generator):.8})",
        samples=samples,
        repeats=repeats,
        seed=seed,
        device=device,
        progress=progress,
    )
    return found, found.save(there / EVALUATION)


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
    there = features_directory(store, judge, samples) if directory is None else Path(directory)
    found = evaluate(
        judge,
        _windows(judge, store, short, batch_size),
        real,
        there,
        name=describe_store(store),
        samples=samples,
        repeats=repeats,
        seed=seed,
        device=device,
        progress=progress,
    )
    return found, found.save(there / EVALUATION)


def _windows(judge: Judge, store: ClipStore, short: str, batch_size: int) -> Source:
    return from_store(store, num_frames=judge.protocol.num_frames, batch_size=batch_size, short=short)


def _label(protocol: Protocol, samples: int | None) -> str:
    return f"{protocol.identity}-{samples or protocol.samples}"
