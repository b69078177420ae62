"""What a plan will cost: every model's step, probe and judging, timed on this device for a few seconds.

No data are needed: batches are noise, which takes just as long.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from ldvd_lib._kit.tables import as_text
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.gan import VideoGAN
from ldvd_lib.metrics import Judge
from ldvd_lib.reproduce.plan import RUNS, Training
from ldvd_lib.reproduce.work import probe_of
from ldvd_lib.training import Trainer, sample_videos

WARM_UP, TIMED = 5, 20  # steps


@dataclass(frozen=True)
class Cost:
    """How long a training takes, in seconds.

    Attributes:
        training: the training.
        step: of one step, the mean of several.
        probe: of one probe of the spectrum; 0 without.
        video: of making and judging one video; 0 without.
    """

    training: Training
    step: float
    probe: float = 0.0
    video: float = 0.0

    @property
    def hours(self) -> float:
        """Of the whole training, with its probes and its judging."""
        probes = self.training.steps // self.training.probe_every if self.training.probe_every else 0
        videos = self.training.samples * self.training.repeats
        return (self.training.steps * self.step + probes * self.probe + videos * self.video) / 3600


class _Clock:
    """A callback that notes when each step is done."""

    every = 1

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, trainer: Trainer) -> None:
        _wait(trainer.device)
        self.times.append(time.perf_counter())


def estimate(
    trainings: Sequence[Training],
    judge: Judge | None = None,
    *,
    device: str | torch.device = "cpu",
    steps: int = TIMED,
    progress: bool = True,
) -> list[Cost]:
    """The cost of each training; a model is timed once for all its seeds.

    Args:
        trainings: of a plan.
        judge: of the plan; None leaves judging out.
        device: the device to time.
        steps: how many are timed, after five to warm up.
        progress: show a progress bar.
    """
    timed: dict[Path, Cost] = {}
    models = {_model(training): training for training in trainings}
    for key, training in tqdm(models.items(), desc="timing", unit="model", disable=not progress):
        timed[key] = _time(training, judge, device, steps)
    return [replace(timed[_model(training)], training=training) for training in trainings]


def _model(training: Training) -> Path:
    return Path(training.study) / training.config.name


def _time(training: Training, judge: Judge | None, device: str | torch.device, steps: int) -> Cost:
    gan = training.config.build(seed=0)
    if gan.recipe.compile:
        torch.compiler.reset()  # as before each training
    clock = _Clock()
    with tempfile.TemporaryDirectory() as directory:
        trainer = Trainer(
            gan,
            WindowSampler.for_gan(gan, _noise(gan), device=device),
            directory,
            device=device,
            callbacks=[clock],
            log_every=WARM_UP + steps,
            progress=False,
        )
        trainer.run(WARM_UP + steps)
        if trainer.interrupted:
            raise KeyboardInterrupt
        started = time.perf_counter()
        if training.probe_every:
            probe_of(training)(trainer)
            _wait(trainer.device)
        probe = time.perf_counter() - started
    # The mean: a median would ignore what is done only every fifth step, the clipping of singular values.
    step = (clock.times[-1] - clock.times[WARM_UP - 1]) / steps
    return Cost(training, step, probe if training.probe_every else 0.0, _video(training, gan, judge, device))


def _video(training: Training, gan: VideoGAN, judge: Judge | None, device: str | torch.device) -> float:
    """Seconds for making and judging a video, in a batch as `ldvd_lib.runs.scores` makes it."""
    if judge is None or training.protocol is None:
        return 0.0
    batch, network = 32, judge.network.to(device).eval()
    for _ in range(2):  # the first warms up
        started = time.perf_counter()
        with torch.no_grad():
            videos = sample_videos(gan.generator, batch, seed=0)[:, :, : training.protocol.num_frames]
            network.activations(judge.prepare(videos.to(device)).contiguous(memory_format=torch.channels_last_3d))
        _wait(torch.device(device))
        seconds = time.perf_counter() - started
    return seconds / batch


def _noise(gan: VideoGAN) -> ClipStore:
    length = gan.num_frames * gan.recipe.frame_stride
    random = np.random.default_rng(0)
    clips = [random.integers(0, 256, (length, gan.image_size, gan.image_size, 3), dtype=np.uint8) for _ in range(4)]
    return ClipStore.from_clips(clips, class_names=[f"class {number}" for number in range(max(1, gan.num_categories))])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def describe(costs: Sequence[Cost]) -> str:
    """The costs as a table: a row for each model, and the hours of all."""
    headings = ("model", "seconds a step", "a probe", "a video judged", "steps", "trainings", "hours")
    by_model: dict[Path, list[Cost]] = {}
    for cost in costs:
        by_model.setdefault(_model(cost.training), []).append(cost)
    rows = []
    for model, own in by_model.items():
        first = own[0]
        name = model.name + (f" ({first.training.study})" if first.training.study != RUNS else "")
        seconds = (f"{value:.3g}" for value in (first.step, first.probe, first.video))
        hours = sum(cost.hours for cost in own)
        rows.append((name, *seconds, f"{first.training.steps:,}", str(len(own)), f"{hours:.2f}"))
    rows.append(("in all", "", "", "", "", str(len(costs)), f"{sum(cost.hours for cost in costs):.2f}"))
    return as_text(headings, rows, right=range(1, len(headings)))
