"""The training loop: steps, constraint, metrics, samples, checkpoints; interruptible, and resumed bit for bit."""

import contextlib
import json
import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from ldvd_lib import losses
from ldvd_lib._files import replacing
from ldvd_lib.blocks import noise_from
from ldvd_lib.configuration import save_json, to_dict
from ldvd_lib.data.sample import WindowSampler
from ldvd_lib.gan import VideoGAN
from ldvd_lib.hessian import SPECTRUM
from ldvd_lib.lipschitz import clip_singular_values_
from ldvd_lib.training import checkpoint
from ldvd_lib.training.callbacks import Callback, SampleGrid
from ldvd_lib.training.run import CONFIG, METRICS, Run, RunConfig, read_jsonl
from ldvd_lib.training.sampling import calibrate_
from ldvd_lib.training.steps import STEPS

logger = logging.getLogger(__name__)


class TrainingDiverged(RuntimeError):
    """A loss or a weight is no longer a finite number."""


class Trainer:
    """Trains a video GAN on a sampler's clips into a run directory.

    Everything random comes from generators of the run's own: torch's global one is neither used nor changed. So a run
    may go on in a thread of its own (as under `ldvd_lib.widgets.TrainingMonitor`) while others draw what they like.

    Args:
        gan: networks and recipe, from `ldvd_lib.zoo.build`.
        sampler: an `ldvd_lib.data.WindowSampler` whose clips have the size, length and batch size of the GAN.
        directory: the run directory; made if absent.
        seed: of everything random in the loop but the data, which the sampler's own seed decides.
        device: where to train; default ``cuda`` if there, else ``cpu``.
        resume: continue the run that `directory` holds. A continued run equals an uninterrupted one, on the CPU bit
            for bit. Without a checkpoint there, the run starts afresh.
        callbacks: what to call every so often; default a `SampleGrid`.
        log_every: steps between two lines of ``metrics.jsonl``.
        checkpoint_every: steps between two checkpoints.
        keep_checkpoints: how many of them to keep; None for all.
        progress: show a progress bar.

    Raises:
        ValueError: if the sampler's clips do not fit the GAN, or `directory` holds a run and `resume` is false, or it
            holds a run of another configuration.
    """

    def __init__(
        self,
        gan: VideoGAN,
        sampler: WindowSampler,
        directory: str | Path,
        *,
        seed: int = 0,
        device: str | torch.device | None = None,
        resume: bool = False,
        callbacks: Sequence[Callback] | None = None,
        log_every: int = 10,
        checkpoint_every: int = 500,
        keep_checkpoints: int | None = 2,
        progress: bool = True,
    ) -> None:
        _check_fit(gan, sampler)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.gan, self.sampler, self.recipe = gan.to(self.device).train(), sampler, gan.recipe
        self.directory = Path(directory)
        self.log_every, self.checkpoint_every, self.keep_checkpoints = log_every, checkpoint_every, keep_checkpoints
        self.progress = progress
        self.callbacks = [SampleGrid()] if callbacks is None else list(callbacks)
        self.loss = losses.get(self.recipe.loss)
        self.optimizers = {
            "generator": self.recipe.make_optimizer(list(gan.generator.parameters()), self.recipe.generator_rate)
        }
        for name, discriminator in gan.discriminators.items():
            self.optimizers[name] = self.recipe.make_optimizer(
                list(discriminator.parameters()), self.recipe.discriminator_rate
            )
        self.average = (
            AveragedModel(gan.generator, multi_avg_fn=get_ema_multi_avg_fn(self.recipe.average))
            if self.recipe.average
            else None
        )
        self.random = torch.Generator(self.device).manual_seed(seed)
        self.step = 0
        self.seconds = 0.0
        self.interrupted = False
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)

        config = RunConfig(model=gan.config, data=sampler.describe(), seed=seed)
        self._open_directory(config, resume)
        if self.recipe.compile:
            for network in (gan.generator, *gan.discriminators.values()):
                network.compile()

    # What a step asks for -------------------------------------------------------------------------------------------

    def real_videos(self, *, with_labels: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """The next batch of real clips, ``(N, 3, T, H, W)`` in [-1, 1], on the device; with their classes if asked."""
        if not with_labels:
            return self.sampler.next_batch().to(self.device, non_blocking=True)
        videos, labels = self.sampler.next_batch(with_labels=True)
        return videos.to(self.device, non_blocking=True), labels.to(self.device)

    def latents(self, n: int) -> Tensor:
        """`n` fresh latents on the device."""
        return self.gan.generator.sample_latents(n, generator=self.random)

    def autocast(self) -> torch.autocast:
        """The recipe's precision, as a context."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.recipe.precision == "bfloat16")

    # Running --------------------------------------------------------------------------------------------------------

    def run(self, steps: int) -> Run:
        """Train until `steps` steps are done in all, then write a checkpoint.

        Ctrl-C, a notebook's interrupt or `stop` ends it after the current step, with a checkpoint written and
        `interrupted` set; a second Ctrl-C ends it at once. Calling again continues. In another thread than the main
        one Ctrl-C does not reach it.

        Returns:
            The run, to read back metrics, samples and the generator from.

        Raises:
            TrainingDiverged: if a loss or weight is not finite any more; the last checkpoint is kept.
            RuntimeError: if it is running already, in another thread.
        """
        if not self._busy.acquire(blocking=False):
            raise RuntimeError(f"the run in {self.directory} is already going on: stop that first")
        try:
            return self._run(steps)
        finally:
            self._busy.release()

    @property
    def running(self) -> bool:
        """Whether `run` is at work, in whatever thread."""
        return self._busy.locked()

    def _run(self, steps: int) -> Run:
        self._stop.clear()
        self.interrupted = False
        started, before = time.perf_counter(), self.seconds
        bar = tqdm(total=steps, initial=self.step, unit="step", disable=not self.progress, desc=self.gan.config.name)
        noise = noise_from(self.random, *self.gan.discriminators.values())
        with bar, noise, self._interruptible(), (self.directory / METRICS).open("a") as log:
            while self.step < steps and not self._stop.is_set():
                values = self._train_step()
                self.seconds = before + time.perf_counter() - started
                if self.step % self.log_every == 0 or self.step == steps:
                    metrics = self._check_finite(values)
                    record = {"step": self.step, "seconds": round(self.seconds, 3), **metrics}
                    log.write(json.dumps(record) + "\n")
                    log.flush()
                    bar.set_postfix({name: f"{value:.3g}" for name, value in metrics.items()}, refresh=False)
                for callback in self.callbacks:
                    if self.step % callback.every == 0:
                        callback(self)
                if self.step % self.checkpoint_every == 0:
                    self.save_checkpoint()
                bar.update()
            self.interrupted = self.step < steps
            if self.step:
                self.save_checkpoint()
        return Run.open(self.directory)

    def stop(self) -> None:
        """Ask a run, from another thread or a callback, to end after the current step."""
        self._stop.set()

    def sampling_generator(self) -> nn.Module:
        """The generator that samples are drawn from: the average if the recipe keeps one, else the generator itself."""
        return self.gan.generator if self.average is None else calibrate_(self.average.module)

    def save_checkpoint(self) -> Path:
        """Write a checkpoint of this moment; training continues from it bit for bit (on the CPU).

        Raises:
            TrainingDiverged: if a weight is not finite; nothing is written then.
        """
        networks = self._networks()
        for name, tensor in networks.state_dict().items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise TrainingDiverged(self._divergence(f"weight {name} is not finite"))
        self.sampling_generator()  # gives a saved average statistics of its own
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "random": self.random.get_state(),
            "sampler": self.sampler.state_dict(),
        }
        return checkpoint.save_checkpoint(self.directory, self.step, networks, state, keep=self.keep_checkpoints)

    # ----------------------------------------------------------------------------------------------------------------

    def _train_step(self) -> dict[str, Tensor]:
        values = STEPS[self.recipe.game](self)
        self.step += 1
        # Kept on the device: reading it every step would make a GPU wait.
        self._finite &= torch.stack(list(values.values())).isfinite().all()
        if self.device.type == "cpu":
            self._check_finite(values)
        if self.recipe.svc_every and self.step % self.recipe.svc_every == 0:
            try:
                for discriminator in self.gan.discriminators.values():
                    clip_singular_values_(discriminator)
            except ValueError as error:
                raise TrainingDiverged(self._divergence(str(error))) from error
        if self.average is not None:
            self.average.update_parameters(self.gan.generator)
        return values

    def _check_finite(self, values: dict[str, Tensor]) -> dict[str, float]:
        metrics = {name: value.item() for name, value in values.items()}
        if not self._finite:
            bad = [f"{name} = {value}" for name, value in metrics.items()]
            raise TrainingDiverged(self._divergence(f"not every loss is finite ({', '.join(bad)})"))
        return metrics

    def _divergence(self, what: str) -> str:
        kept = checkpoint.list_checkpoints(self.directory)
        where = f"the last good checkpoint is {kept[-1].name}" if kept else "there is no checkpoint yet"
        return (
            f"training diverged at step {self.step}: {what}; {where} in {self.directory}. "
            "Try a lower learning rate, SVC (svc_every=5), or float32 instead of bfloat16"
        )

    def _networks(self) -> nn.ModuleDict:
        parts: dict[str, nn.Module] = {"generator": self.gan.generator, "discriminators": self.gan.discriminators}
        if self.average is not None:
            parts["average"] = self.average
        return nn.ModuleDict(parts)

    def _open_directory(self, config: RunConfig, resume: bool) -> None:
        path = self.directory / CONFIG
        checkpoints = checkpoint.list_checkpoints(self.directory)
        if path.exists() and checkpoints and not resume:
            raise ValueError(
                f"{self.directory} already holds a run: continue it with resume=True (`--resume`), "
                "or choose another directory"
            )
        if path.exists() and checkpoints:
            Run.open(self.directory).config.require_same(config, where=path)
            self._load_checkpoint(checkpoints[-1])
        self.directory.mkdir(parents=True, exist_ok=True)
        save_json(to_dict(config), path)
        for name in (METRICS, SPECTRUM):
            self._truncate_log(self.directory / name)

    def _load_checkpoint(self, directory: Path) -> None:
        weights = checkpoint.load_weights(directory / checkpoint.WEIGHTS)
        self._networks().load_state_dict(weights)
        state = checkpoint.load_state(directory)
        self.step, self.seconds = state["step"], state["seconds"]
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.random.set_state(state["random"])
        self.sampler.load_state_dict(state["sampler"])

    def _truncate_log(self, path: Path) -> None:
        """Forget what was logged after the checkpoint that the run continues from."""
        if path.exists():
            kept = [record for record in read_jsonl(path) if record["step"] <= self.step]
            with replacing(path) as temporary:
                temporary.write_text("".join(json.dumps(record) + "\n" for record in kept))

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Turn the first SIGINT into a request to stop after the step, and say so at the end.

        Only the main thread may do that, and hears of one.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        heard = False

        def handle(number: int, frame: Any) -> None:
            nonlocal heard
            if self._stop.is_set():
                raise KeyboardInterrupt
            heard = True
            self._stop.set()

        previous = signal.signal(signal.SIGINT, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)
        if heard:
            logger.warning(
                "stopped after step %d; everything is in %s: continue with resume=True, or `ldvd train --resume`",
                self.step,
                self.directory,
            )


def _check_fit(gan: VideoGAN, sampler: WindowSampler) -> None:
    wanted = {
        "image_size": gan.image_size,
        "num_frames": gan.num_frames,
        "batch_size": gan.recipe.batch_size,
    }
    given = {
        "image_size": sampler.store.image_size,
        "num_frames": sampler.num_frames,
        "batch_size": sampler.batch_size,
    }
    if wanted != given:
        raise ValueError(
            f"the sampler gives clips of {given}, but {gan.config.name} ({gan.config.preset}) was built for {wanted}: "
            "prepare the data at that size, or build the sampler with those values"
        )


__all__ = ["Trainer", "TrainingDiverged"]
