"""Work that is killed or runs out of disk, and then goes on: what it starts from, what it does, what comes of it."""

import contextlib
import json
import logging
import os
import resource
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import tiny
import torch
import trials
from kinds.data import make_lists
from kinds.videos import moving_square, write_video

from ldvd_lib import zoo
from ldvd_lib.data import ClipStore, prepare, transfer, ucf101
from ldvd_lib.gan import NetworkConfig, VideoGANConfig
from ldvd_lib.metrics import open_judge
from ldvd_lib.metrics.protocol import PROTOCOLS
from ldvd_lib.reproduce import Plan, Training, Workshop
from ldvd_lib.runs import Run, scores
from ldvd_lib.runs.checkpoint import load_weights
from ldvd_lib.training import SampleGrid, SpectrumProbe, Trainer

ADDRESS = "LDVD_TEST_ADDRESS"  # an environment variable: where `download` finds its file
SIZE = 8


@dataclass(frozen=True)
class Job:
    """Work in a directory.

    Attributes:
        begin: puts there what the work starts from.
        work: does it, or goes on with it.
        result: what came of it, in plain values and arrays, without the clock.
    """

    begin: Callable[[Path], object]
    work: Callable[[Path], object]
    result: Callable[[Path], Any]


def _files(directory: Path, pattern: str) -> dict[str, bytes]:
    paths = sorted(path for path in directory.glob(pattern) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


def _run(directory: Path) -> Any:
    """What a training left: weights, logs without the clock, pictures."""
    newest = Run.open(directory).checkpoints[-1]
    return _files(directory, "samples/*") | {
        "step": newest.name,
        "weights": {name: tensor.numpy() for name, tensor in load_weights(newest / "weights.safetensors").items()},
        "logs": {
            log.name: [json.loads(line) | {"seconds": 0} for line in log.read_text().splitlines()]
            for log in directory.glob("*.jsonl")
        },
    }


def _scores(directory: Path) -> Any:
    """What judging left: scores and features."""
    arrays = {path.relative_to(directory).as_posix(): np.load(path) for path in directory.glob("**/seed-*/*.npy")}
    return arrays | _files(directory, "**/evaluation.json")


def from_nothing(directory: Path) -> None:
    """Where work needs no more than a place."""


# prepare


def begin_prepare(directory: Path) -> None:
    make_lists(directory, 0)
    for number, path in enumerate(sorted(directory.glob("UCF-101/*/*.avi"))):
        write_video(path, moving_square(number))


def work_prepare(directory: Path) -> None:
    prepare(ucf101.index(directory), directory / "store", image_size=32, workers=2, progress=False)


# train


def work_train(directory: Path) -> None:
    Trainer(
        tiny.plain().build(seed=0),
        tiny.sampler(),
        directory / "run",
        device="cpu",
        resume=True,
        callbacks=[SampleGrid(5), SpectrumProbe(8, k=1)],
        log_every=1,
        checkpoint_every=3,
        progress=False,
    ).run(16)


# evaluate and reproduce


def tgan(name: str, kind: str) -> VideoGANConfig:
    """A TGAN of 8 px and 16 frames, as the judge wants them, under a name of the zoo."""
    generator = {"image_size": SIZE, "temporal_channels": (4, 4, 4, 4), "image_channels": 8}
    stack = {"kinds": (kind,), "image_size": SIZE, "base_channels": 2, "init": "xavier"}
    return replace(
        zoo.config(name).with_recipe(batch_size=2),
        generator=NetworkConfig("tgan", generator),
        discriminators={"video": NetworkConfig("stack", stack)},
    )


def begin_judged(directory: Path) -> None:
    begin_prepare(directory)
    prepare(ucf101.index(directory), directory / "store", image_size=SIZE, progress=False)
    shutil.rmtree(directory / "UCF-101")


def begin_evaluate(directory: Path) -> None:
    begin_judged(directory)
    gan = tgan("tgan", "3d").build(seed=0)
    sampler = tiny.WindowSampler.for_gan(gan, ClipStore.open(directory / "store"), seed=0)
    Trainer(gan, sampler, directory / "run", device="cpu", callbacks=[], progress=False).run(1)


def work_evaluate(directory: Path) -> None:
    judge, store = open_judge("actions"), ClipStore.open(directory / "store")
    options: dict[str, Any] = {"samples": 32, "batch_size": 4, "progress": False}
    real = scores.real_features(judge, store, **options)
    scores.judge_run(Run.open(directory / "run"), judge, real, repeats=2, **options)


def work_reproduce(directory: Path) -> None:
    trainings = tuple(
        Training("runs", tgan(name, kind), 0, 3, "error", None, PROTOCOLS["actions"], samples=12, repeats=2)
        for name, kind in (("tgan", "3d"), ("tgan-f", "2+1d"))
    )
    store = ClipStore.open(directory / "store")
    counts = Workshop(directory / "out", open_judge("actions"), progress=False).run(
        Plan(trainings, {}), lambda size: store
    )
    assert counts.is_finished


def result_reproduce(directory: Path) -> Any:
    runs = {path.parent.name: _run(path.parent) for path in directory.glob("out/**/config.json")}
    return runs | _scores(directory)


# download


CONTENT = np.random.default_rng(0).bytes(20_000_000)


def work_download(directory: Path) -> None:
    patience = transfer.Transfer(attempts=2, backoff=0.0, connect_timeout=5, read_timeout=30, progress=False)
    transfer.fetch(os.environ[ADDRESS], directory / "file.bin", size=len(CONTENT), transfer=patience)


JOBS = {
    "prepare": Job(begin_prepare, work_prepare, lambda directory: _files(directory, "store/*")),
    "train": Job(from_nothing, work_train, lambda directory: _run(directory / "run")),
    "evaluate": Job(begin_evaluate, work_evaluate, _scores),
    "reproduce": Job(begin_judged, work_reproduce, result_reproduce),
    "download": Job(from_nothing, work_download, lambda directory: _files(directory, "file.bin")),
}


# Processes ------------------------------------------------------------------------------------------------------------

DONE = "done", ""


class Process:
    """A process that works at a job; it begins when all is imported, and that is waited for."""

    def __init__(self, job: str, directory: Path, *, address: str = "", largest_file: int | None = None) -> None:
        self.pipe, theirs = trials.CONTEXT.Pipe()
        arguments = theirs, job, directory, address, largest_file
        self.process = trials.CONTEXT.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def kill(self) -> bool:
        """Kill it, and wait for its end; returns whether it was still at work."""
        at_work = not self.pipe.poll()
        self.process.kill()
        self.process.join()
        return at_work

    def outcome(self, patience: float = 120.0) -> tuple[str, str]:
        """`DONE`, or a verdict on the error as of a trial, and the error."""
        outcome = "escaped", f"no end in {patience:.0f} s"
        with contextlib.suppress(EOFError):
            if self.pipe.poll(patience):
                outcome = self.pipe.recv()
            self.kill()
            return outcome
        self.process.join()
        return "escaped", f"the process died (exit code {self.process.exitcode})"


def _serve(pipe: Connection, job: str, directory: Path, address: str, largest_file: int | None) -> None:
    logging.disable()
    os.environ |= {ADDRESS: address, "no_proxy": "127.0.0.1"}
    torch.set_num_threads(1)
    if job in ("evaluate", "reproduce"):
        open_judge("actions")
    if largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write that goes too far is an error and not the end
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    pipe.send("began")
    try:
        JOBS[job].work(directory)
    except Exception as error:
        pipe.send(trials.judge_error(error, {str(directory)}))
    else:
        pipe.send(DONE)
