"""What TGANv2's subsampling saves: the memory of activations by resolution, and the time of a training step.

Usage: python benchmarks/tganv2_memory.py [--doublings 6] [--steps 5] [--batch 16]

Resolution is that of the whole clip: frames, height and width double together, and with them there is one more level.
All blocks have equally many channels, so that the curves are those of subsampling and not of widths. Bytes are what
autograd keeps of one clip for the backward pass, in generator and discriminator together, counted on the meta device.
Times are of the zoo's lite models on this machine; all take turns in every round, and medians are compared.
"""

import argparse
import statistics
import time

import torch

from ldvd_lib import anatomy, zoo
from ldvd_lib.batch import Batch
from ldvd_lib.discriminators import LevelsDiscriminator
from ldvd_lib.generators import TGANv2Generator
from ldvd_lib.objective import Objective
from ldvd_lib.recipe import GAMES
from ldvd_lib.training import Players, Source, play

WIDTH, FIRST_MAP = 16, 4  # channels everywhere; pixels of the map that blocks begin from
MODELS = ("tganv2", "tganv2-frames", "tganv2-batch", "tganv2-none")


def kept(levels: int, subsampling: str) -> int:
    """Bytes kept of a clip of 2^levels frames and 4 · 2^levels pixels."""
    frames, pixels = 2**levels, FIRST_MAP * 2**levels
    with torch.device("meta"):
        generator = TGANv2Generator(
            pixels,
            frames,
            map_size=FIRST_MAP,
            recurrent_channels=WIDTH,
            block_channels=(WIDTH,) * levels,
            levels=levels,
            subsampling=subsampling,
        )
        discriminator = LevelsDiscriminator(pixels, frames, WIDTH, num_blocks=1, levels=levels, subsampling=subsampling)
    return sum(anatomy.dissect(network).activation_bytes for network in (generator, discriminator))


def memory(doublings: int) -> None:
    """Print both curves, and how each grows from one resolution to the next."""
    print(f"{'clip':>14}  {'levels':>6}  {'both':>12}  {'grows':>6}  {'none':>12}  {'grows':>6}  {'none / both':>11}")
    before: tuple[int, int] | None = None
    for levels in range(1, doublings + 1):
        both, none = kept(levels, "both"), kept(levels, "none")
        growth = [f"{now / old:.2f} ×" for now, old in zip((both, none), before or (), strict=False)] or ["", ""]
        size = f"{2**levels}×{FIRST_MAP * 2**levels}×{FIRST_MAP * 2**levels}"
        print(
            f"{size:>14}  {levels:6}  {both / 2**20:8.2f} MiB  {growth[0]:>6}  {none / 2**20:8.2f} MiB  "
            f"{growth[1]:>6}  {none / both:10.1f}×"
        )
        before = both, none
    print("linear is 2 × a line, the cube 8 ×; a level more adds its share to either\n")


def times(rounds: int, batch_size: int) -> None:
    """Print the time of a training step of each lite model."""
    ready = {}
    for name in MODELS:
        gan = zoo.build(name, batch_size=batch_size).train()
        videos = torch.rand(batch_size, 3, gan.num_frames, gan.image_size, gan.image_size) * 2 - 1
        source = Source(lambda videos=videos: Batch(videos), batch_size, torch.Generator().manual_seed(0))
        ready[name] = (GAMES[gan.recipe.game], Objective(gan.discriminators, gan.recipe), Players(gan), source)
        play(*ready[name])
    seconds: dict[str, list[float]] = {name: [] for name in MODELS}
    for _ in range(rounds):
        for name, step in ready.items():
            started = time.perf_counter()
            play(*step)
            seconds[name].append(time.perf_counter() - started)
    fastest = statistics.median(seconds["tganv2"])
    print(f"a training step of the lite models, batches of {batch_size}, {torch.get_num_threads()} threads:")
    for name, own in seconds.items():
        median = statistics.median(own)
        print(f"{name:>14}  {median:7.3f} s  {median / fastest:5.2f} × tganv2")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--doublings", type=int, default=6, help="of the resolution (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=5, help="of each model; 0 for no times (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="clips in a batch (default: %(default)s)")
    arguments = parser.parse_args()
    memory(arguments.doublings)
    if arguments.steps:
        times(arguments.steps, arguments.batch)


if __name__ == "__main__":
    main()
