"""What SSW-GAN's windows save: the memory of activations by the length of the video, stage by stage.

Usage: python benchmarks/ssw_memory.py [--stage 2] [--preset lite] [--longest 128]

Bytes are what autograd keeps of one clip for the backward pass, in the generator and all discriminators together,
counted on the meta device. Beside a stage that is trained on windows stands the same one trained on all frames at once;
and stage 1, which always is, and has half as many frames with each stage above it.
"""

import argparse
from dataclasses import replace

import torch

from ldvd_lib import anatomy, zoo
from ldvd_lib.gan import VideoGANConfig

SHORTEST = 16  # frames


def kept(config: VideoGANConfig) -> int:
    """Bytes kept of a clip, in all networks."""
    with torch.device("meta"):
        gan = config.build()
    return sum(anatomy.dissect(network).activation_bytes for network in gan.networks.values())


def on_all_frames(config: VideoGANConfig) -> VideoGANConfig:
    """The same with a window as long as the video; a discriminator of windows sees all of it."""
    window, length = config.generator.options["window"], config.num_frames
    generator = replace(config.generator, options=config.generator.options | {"window": length})
    discriminators = {
        name: replace(judge, options=judge.options | {"num_frames": length})
        if judge.options["num_frames"] == window
        else judge
        for name, judge in config.discriminators.items()
    }
    return replace(config, generator=generator, discriminators=discriminators)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", type=int, choices=(2, 3), default=2, help="default: %(default)s")
    parser.add_argument("--preset", choices=zoo.PRESETS, default="lite", help="default: %(default)s")
    parser.add_argument("--longest", type=int, default=128, help="frames of the longest video (default: %(default)s)")
    arguments = parser.parse_args()
    name, times = f"ssw-gan-{arguments.stage}", 2 ** (arguments.stage - 1)
    window = zoo.config(name, arguments.preset).generator.options["window"]
    print(f"{name}, {arguments.preset}: MiB kept of a clip")
    print(f"{'frames':>6}  {f'windows of {window}':>14}  {'all frames':>10}  {'ratio':>7}  {'stage 1':>16}")
    length = SHORTEST
    while length <= arguments.longest:
        config = zoo.config(name, arguments.preset, num_frames=length)
        windows, whole = kept(config), kept(on_all_frames(config))
        first = kept(zoo.config("ssw-gan-1", arguments.preset, num_frames=length // times))
        print(
            f"{length:6}  {windows / 2**20:14.2f}  {whole / 2**20:10.2f}  {whole / windows:6.2f}×  "
            f"{first / 2**20:8.2f} ({length // times} fr.)"
        )
        length *= 2


if __name__ == "__main__":
    main()
