"""The training loop against the bare networks: clips per second, and what the loop costs on top.

Usage: python benchmarks/train_step.py [--model tgan] [--preset lite] [--steps 100] [--device cuda]

Three things are timed in turns, so that a busy machine slows all of them: forward and backward passes alone, on a
batch that is already there; the same with optimisers, singular value clipping and the moving average, which are
arithmetic of the recipe; and `Trainer.run` with everything: drawing clips from a store, logging, checks, the progress
bar, and a checkpoint a round (a run writes one in 500 steps).
"""

import argparse
import copy
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from ldvd_lib import zoo
from ldvd_lib.batch import Batch
from ldvd_lib.data import ClipStore, WindowSampler
from ldvd_lib.recipe import GAMES
from ldvd_lib.training import Source, Trainer, play


def noise_store(image_size: int, clips: int = 200, frames: int = 60) -> ClipStore:
    """A store in memory, of the size of a small data set."""
    random = np.random.default_rng(0)
    return ClipStore.from_clips(random.integers(0, 256, (clips, frames, image_size, image_size, 3), dtype=np.uint8))


class Bare:
    """A trainer's players and game on one batch of clips that is there already, and nothing else.

    Args:
        trainer: whose players they are.
        update: move them, and clip singular values; otherwise gradients are worked out and nothing comes of them.
    """

    def __init__(self, trainer: Trainer, *, update: bool) -> None:
        self.players = copy.copy(trainer.players)
        if not update:
            self.players.move = self.players.finish = lambda _: None
        self.game, self.objective = GAMES[trainer.recipe.game], trainer.objective
        batch = trainer.sampler.next_batch()
        clips = Batch(batch.video.to(trainer.device), batch.labels.to(trainer.device))
        self.source = Source(lambda: clips, clips.size, trainer.random)
        self.step = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            play(self.game, self.objective, self.players, self.source)
            self.step += 1
            self.players.finish(self.step)


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
    sampler = WindowSampler.for_gan(gan, noise_store(gan.image_size), device=arguments.device)
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
            "+ optimisers, clipping, average": lambda: updates.run(arguments.steps),
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
        print(f"{name:>33}: {median * 1e3:8.1f} ms a step, {batch / median:8.1f} clips/s, loop takes {overhead:+.1%}")


if __name__ == "__main__":
    main()
