"""Videos per second through the networks that judge videos: in batches against one video after the other.

Usage: python benchmarks/metrics.py [--batch 4] [--rounds 3] [--networks c3d small] [--device cuda] [--threads 2]

Two networks: C3D as published (random weights, 112 px; about a second a video on one core) and the small one of the
protocol "actions" (32 px). The plain loop shows each of them one video at a time, as most evaluation code does. Beside
it stand batches, batches with the channels last in memory (what `ldvd evaluate` does), and the same in bfloat16. All
take turns in every round, so that a busy machine slows all of them; medians are compared. The differences from the
plain loop are the largest of a layer, relative to its largest value: those of the order of 1e-6 are float32's rounding.

The Fréchet distance has a benchmark of its own, benchmarks/frechet.py.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ldvd_lib.metrics import C3D
from ldvd_lib.metrics.classifier import load_classifier

LAYERS = ("fc7", "logits")
Activations = dict[str, Tensor]


def c3d() -> C3D:
    """C3D of the published size, its weights scaled so that random ones, too, let a video through to the end."""
    torch.manual_seed(0)
    network = C3D()
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    return network.eval()


NETWORKS: dict[str, Callable[[], C3D]] = {"c3d": c3d, "small": lambda: load_classifier()[0]}


def batched(network: C3D, videos: Tensor) -> Activations:
    """All videos at once."""
    return network.activations(videos)


def one_by_one(network: C3D, videos: Tensor) -> Activations:
    """A video at a time."""
    of_each = [network.activations(video[None]) for video in videos]
    return {layer: torch.cat([activations[layer] for activations in of_each]) for layer in LAYERS}


def in_bfloat16(network: C3D, videos: Tensor) -> Activations:
    """All videos at once, convolutions and linear layers in bfloat16."""
    with torch.autocast(videos.device.type, torch.bfloat16):
        return network.activations(videos)


# Name, how it is done, and how the videos lie in memory. `extract` does the third.
CONTENDERS = (
    ("plain loop", one_by_one, torch.contiguous_format),
    ("batched", batched, torch.contiguous_format),
    ("batched, channels last", batched, torch.channels_last_3d),
    ("batched, ch. last, bf16", in_bfloat16, torch.channels_last_3d),
)


@torch.no_grad()
def timed(run: Callable[[C3D, Tensor], Activations], network: C3D, videos: Tensor) -> tuple[float, Activations]:
    """Seconds, and the activations, on the CPU: a GPU is waited for."""
    start = time.perf_counter()
    activations = {layer: values.float().cpu() for layer, values in run(network, videos).items() if layer in LAYERS}
    return time.perf_counter() - start, activations


def difference(ours: Tensor, theirs: Tensor) -> float:
    """The largest of them all, relative to the largest value."""
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=4, help="videos; the small network gets eight times as many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="of the CPU, default: as OMP_NUM_THREADS says")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {arguments.device}, {torch.get_num_threads()} threads")

    for name in arguments.networks:
        network = NETWORKS[name]().to(arguments.device)
        count = arguments.batch * (8 if name == "small" else 1)
        shape = (count, 3, network.num_frames, network.image_size, network.image_size)
        videos = torch.rand(shape, generator=torch.Generator().manual_seed(0)).mul(2).sub(1).to(arguments.device)

        seconds: dict[str, list[float]] = {contender: [] for contender, *_ in CONTENDERS}
        activations: dict[str, Activations] = {}
        for round_number in range(arguments.rounds + 1):
            for contender, run, layout in CONTENDERS:
                taken, activations[contender] = timed(run, network, videos.contiguous(memory_format=layout))
                if round_number:  # the first warms up
                    seconds[contender].append(taken)

        print(f"\n{name}: {network.image_size} px, {count} videos")
        print(f"{'':>24}{'videos/s':>10}{'± %':>6}{'ratio':>7}{'fc7':>10}{'logits':>10}")
        plain = next(iter(seconds))
        for contender, times in seconds.items():
            median = statistics.median(times)
            spread = 50 * (max(times) - min(times)) / median
            print(
                f"{contender:>24}{count / median:10.2f}{spread:6.1f}{statistics.median(seconds[plain]) / median:7.2f}",
                *(f"{difference(activations[contender][layer], activations[plain][layer]):9.1e}" for layer in LAYERS),
            )
    print("\nratio: times as many videos a second as the plain loop; fc7, logits: differences from it")


if __name__ == "__main__":
    main()
