"""The training loop against the bare networks: clips per second, and what the loop costs on top.

Usage: python benchmarks/train_step.py [--model tgan] [--preset lite] [--steps 100] [--device cuda]

Three things are timed in turns, so that a busy machine slows all of them: forward and backward passes alone, on a
batch that is already there; the same with optimisers and singular value clipping, which are arithmetic of the recipe;
and `Trainer.run` with everything: drawing clips from a store, logging, checks, the moving average, the
progress bar, and a checkpoint a round (a run writes one in 500 steps).
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from ldvd_lib import zoo
from ldvd_lib.data import ClipStore
from ldvd_lib.lipschitz import clip_singular_values_
from ldvd_lib.training import Trainer
from ldvd_lib.training.steps import STEPS


def noise_store(image_size: int, clips: int = 200, frames: int = 60) -> ClipStore:
    """A store in memory, of the size of a small data set."""
    random = np.random.default_rng(0)
    return ClipStore.from_clips(random.integers(0, 256, (clips, frames, image_size, image_size, 3), dtype=np.uint8))


class Bare:
    """Stands in for a trainer: what a game's step asks for, and nothing else."""

    def __init__(self, trainer: Trainer, *, update: bool) -> None:
        self.gan, self.loss, self.autocast = trainer.gan, trainer.loss, trainer.autocast
        self.recipe, self.device, self.random = trainer.recipe, trainer.device, trainer.random
        self.optimizers = {
            name: optimizer if update else _Frozen(optimizer) for name, optimizer in trainer.optimizers.items()
        }
        self.update, self.step = update, 0
        self._batch, self._labels = trainer.real_videos(with_labels=True)
        self._latents = trainer.latents(len(self._batch))

    def real_videos(self, *, with_labels: bool = False) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        return (self._batch, self._labels) if with_labels else self._batch

    def latents(self, n: int) -> torch.Tensor:
        return self._latents[:n]

    def run(self, steps: int) -> None:
        for _ in range(steps):
            STEPS[self.recipe.game](self)
            self.step += 1
            if self.update and self.recipe.svc_every and self.step % self.recipe.svc_every == 0:
                for discriminator in self.gan.discriminators.values():
                    clip_singular_values_(discriminator)


class _Frozen:
    """An optimiser that only clears gradients."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.zero_grad = optimizer.zero_grad

    def step(self) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="tgan")
    parser.add_argument("--preset", default="lite")
    parser.add_argument("--steps", type=int, default=100, help="steps a round, with a checkpoint at its end")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    gan = zoo.build(arguments.model, arguments.preset)
    recipe = gan.recipe
    sampler = gan.sampler(noise_store(gan.image_size), device=arguments.device)
    with tempfile.TemporaryDirectory() as directory:
        trainer = Trainer(
            gan, sampler, Path(directory) / "run", device=arguments.device, callbacks=[], checkpoint_every=10**9
        )
        target = 0

        def loop() -> None:
            nonlocal target
            target += arguments.steps
            trainer.run(target)

        passes, updates = Bare(trainer, update=False), Bare(trainer, update=True)
        contenders = {
            "forward and backward": lambda: passes.run(arguments.steps),
            "+ optimisers, clipping": lambda: updates.run(arguments.steps),
            "Trainer.run": loop,
        }
        seconds: dict[str, list[float]] = {name: [] for name in contenders}
        for round_number in range(arguments.rounds + 1):
            for name, contender in contenders.items():
                if trainer.device.type == "cuda":
                    torch.cuda.synchronize()
                start = time.perf_counter()
                contender()
                if trainer.device.type == "cuda":
                    torch.cuda.synchronize()
                if round_number:  # the first round warms up
                    seconds[name].append((time.perf_counter() - start) / arguments.steps)

    batch = recipe.batch_size
    print(f"{arguments.model} {arguments.preset}, batch {batch}, {arguments.device}, torch {torch.__version__}")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        overhead = medians["Trainer.run"] / median - 1
        print(f"{name:>24}: {median * 1e3:8.1f} ms a step, {batch / median:8.1f} clips/s, loop takes {overhead:+.1%}")


if __name__ == "__main__":
    main()
