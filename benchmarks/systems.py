"""The systems of the course side by side: what a training step of each lite model takes on one core.

Usage: python benchmarks/systems.py [--steps 5] [--batch 16] [--models tgan tgan-f …] [--out FILE]

A step is the recipe's: every player learns and moves, on clips of noise that are there already; then singular values
are clipped and the average follows, where the recipe says so. Batches are as large for all; ProVGAN is fully grown, and
SSW-GAN's second stage trains on windows, as it does. One thread computes, and time is that of the process, so that what
else the machine does counts little; all systems take turns in every round, and medians are compared.

With ``--out``, what was measured is written as JSON. ``pretrained/reproduction/systems/steps.json`` is what the page
``course/systems.md`` shows; after a new one, ``python course/write_tables.py`` writes its table anew.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import save_json
from ldvd_lib.batch import Batch
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import GAMES
from ldvd_lib.training import Players, Source, play

MODELS = (
    "vgan",
    "tgan",
    "mocogan",
    "provgan",
    "tgan-f",
    "tgan-tsm",
    "mocogan-f",
    "tganv2",
    "dvd-gan",
    "dvd-gan-1d",
    "ssw-gan-1",
    "ssw-gan-2",
)
REFERENCE = "tgan"  # whose step is 1


def steps_of(name: str, batch_size: int) -> Iterator[None]:
    """Train a lite model for as long as one asks: each element is a step that has been done."""
    gan = zoo.build(name, batch_size=batch_size).train()
    random = torch.Generator().manual_seed(0)
    videos = torch.rand(batch_size, 3, gan.num_frames, gan.image_size, gan.image_size, generator=random) * 2 - 1
    clips = Batch(videos, torch.arange(batch_size) % max(gan.num_categories, 1))
    players, source = Players(gan), Source(lambda: clips, batch_size, random)
    game, objective = GAMES[gan.recipe.game], Objective(gan.discriminators, gan.recipe)
    step = gan.recipe.iterations  # what grows has grown
    players.set_step(step)
    while True:
        play(game, objective, players, source)
        step += 1
        players.finish(step)
        yield


def measure(models: tuple[str, ...], steps: int, batch_size: int) -> dict[str, list[float]]:
    """Let all models take turns, after a step of each that does not count.

    Returns:
        Model → the time of the process for each step, in seconds.
    """
    trainings = {name: steps_of(name, batch_size) for name in models}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for round_number in range(steps + 1):
        for name, training in trainings.items():
            started = time.process_time()
            next(training)
            if round_number:
                seconds[name].append(time.process_time() - started)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=5, help="of each model (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="clips in a batch (default: %(default)s)")
    parser.add_argument("--models", nargs="+", default=MODELS, choices=list(zoo.ENTRIES), metavar="MODEL")
    parser.add_argument("--out", type=Path, help="a file for what was measured")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    seconds = measure(tuple(dict.fromkeys((REFERENCE, *arguments.models))), arguments.steps, arguments.batch)
    medians = {name: statistics.median(own) for name, own in seconds.items()}
    print(f"a training step of the lite models, batches of {arguments.batch}, one thread, torch {torch.__version__}:")
    for name, own in seconds.items():
        ratio = medians[name] / medians[REFERENCE]
        print(f"{name:>14}  {medians[name]:7.3f} s ({min(own):.3f} to {max(own):.3f})  {ratio:5.2f} × {REFERENCE}")
    if arguments.out:
        measured = {"batch_size": arguments.batch, "torch": torch.__version__, "seconds": seconds}
        save_json(measured, arguments.out)


if __name__ == "__main__":
    main()
