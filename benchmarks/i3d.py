"""Clips per second through I3D, FVD's network, at 224 px: how the library runs it against the plain loop.

Usage: python benchmarks/i3d.py [--batch 2] [--rounds 3] [--weights DIR [--fvd 48]] [--device cuda] [--threads 2]

The plain loop is what most evaluation code does: a clip at a time, frames as they come, PyTorch's own pooling. Beside
it stand the three things that the library does otherwise, one after the other: max pooling an axis at a time, channels
last in memory (kernels and clips), and batches; and then the same in bfloat16, which is a protocol of its own
(fvd-2048-bfloat16). All take turns in every round, so that a busy machine slows all of them; medians are compared. On a
CPU in one thread, seconds are those of the process, which other programs change little.

Without --weights the network is a random one: as quick as the published one, but its differences mean little. With
--weights (a directory of `ldvd judges get i3d`) they are those of the judge, and --fvd N shows what bfloat16 makes of
FVD: N clips of our trained TGAN-F against N of the data that it was trained on, in both precisions.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d

from ldvd_lib.metrics import I3D, frechet_distance, i3d, i3d_weights
from ldvd_lib.metrics.network import InBfloat16
from ldvd_lib.metrics.preparation import for_i3d

CHANNELS_LAST = torch.channels_last_3d


def random_network() -> I3D:
    """I3D with random weights, scaled so that a clip gets through to the end."""
    torch.manual_seed(0)
    network = I3D()
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight)
    return network.eval()


@contextlib.contextmanager
def plain_pooling() -> Iterator[None]:
    """PyTorch's max pooling instead of ours."""
    ours = i3d.max_pool_same
    i3d.max_pool_same = lambda x, kernel, stride: max_pool3d(i3d.pad_same(x, kernel, stride), kernel, stride)
    try:
        yield
    finally:
        i3d.max_pool_same = ours


def one_by_one(network: nn.Module, clips: Tensor) -> Tensor:
    return torch.cat([network.activations(clip[None])["logits"] for clip in clips])


def plain_loop(network: nn.Module, clips: Tensor) -> Tensor:
    with plain_pooling():
        return one_by_one(network, clips)


def batched(network: nn.Module, clips: Tensor) -> Tensor:
    return network.activations(clips)["logits"]


def in_bfloat16(network: I3D, clips: Tensor) -> Tensor:
    return InBfloat16(network).activations(clips)["logits"]


# Name, how it is done, and how kernels and clips lie in memory.
CONTENDERS: tuple[tuple[str, Callable[[I3D, Tensor], Tensor], torch.memory_format], ...] = (
    ("plain loop", plain_loop, torch.contiguous_format),
    ("pooling by axis", one_by_one, torch.contiguous_format),
    ("and channels last", one_by_one, CHANNELS_LAST),
    ("and in batches", batched, CHANNELS_LAST),
    ("and bfloat16", in_bfloat16, CHANNELS_LAST),
)


@torch.no_grad()
def race(network: I3D, clips: Tensor, rounds: int) -> None:
    """Let all take turns; print clips per second, ratios and differences."""
    alone = clips.device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name, *_ in CONTENDERS}
    logits: dict[str, Tensor] = {}
    for round_number in range(rounds + 1):
        for name, run, layout in CONTENDERS:
            network, clips = network.to(memory_format=layout), clips.contiguous(memory_format=layout)
            start = clock()
            logits[name] = run(network, clips).cpu()  # a GPU is waited for
            if round_number:  # the first warms up
                seconds[name].append(clock() - start)
    plain = next(iter(seconds))
    spread = logits[plain].std().item()
    print(f"\n{len(clips)} clips of {clips.shape[2]} frames, seconds of the {'process' if alone else 'clock'}")
    print(f"{'':>20}{'clips/s':>10}{'± %':>6}{'ratio':>7}{'logits':>10}")
    for name, times in seconds.items():
        median = statistics.median(times)
        ratio, half = statistics.median(seconds[plain]) / median, 50 * (max(times) - min(times)) / median
        difference = (logits[name] - logits[plain]).abs().max().item()
        print(f"{name:>20}{len(clips) / median:10.2f}{half:6.1f}{ratio:7.2f}{difference:10.1e}")
    print(f"ratio: times as many clips a second; logits: largest difference, where their deviation is {spread:.2f}")


@torch.no_grad()
def compare_fvd(network: I3D, count: int, device: str) -> None:
    """FVD of generated against real clips, and of half of the real ones against the other, in both precisions."""
    from ldvd_lib.data import ClipStore, actions
    from ldvd_lib.runs import pretrained
    from ldvd_lib.runs.sources import from_generator, from_store

    with tempfile.TemporaryDirectory() as home:
        store = Path(home) / "actions-32"
        actions.render_store(
            store, image_size=32, clips_per_class=max(4, -(-count // 12)), frames_per_clip=16, progress=False
        )
        real = torch.cat(list(from_store(ClipStore.open(store, image_size=32))(0, count, 0)))
    generated = torch.cat(list(from_generator(pretrained.load("tgan-f"))(0, count, 0)))
    print(f"\nFVD, {count} clips each")
    print(f"{'':>20}{'generated':>12}{'real halves':>12}")
    kept = {}
    for name, judge in (("float32", network), ("bfloat16", InBfloat16(network))):
        features = {}
        for of, clips in (("real", real), ("generated", generated)):
            prepared = (for_i3d(part.to(device)).contiguous(memory_format=CHANNELS_LAST) for part in clips.split(2))
            features[of] = torch.cat([judge.activations(part)["logits"].cpu() for part in prepared])
        kept[name] = features["real"]
        scores = frechet_distance(features["generated"], features["real"])
        halves = frechet_distance(features["real"][::2], features["real"][1::2])
        print(f"{name:>20}{scores:12.2f}{halves:12.2f}")
    print(f"the real clips in one precision against the same in the other: {frechet_distance(*kept.values()):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=2, help="clips (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", type=Path, metavar="DIR", help="the real weights (default: random ones)")
    parser.add_argument("--fvd", type=int, metavar="N", help="compare FVD of N clips, too")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="of the CPU, default: as OMP_NUM_THREADS says")
    arguments = parser.parse_args()
    if arguments.fvd and not arguments.weights:
        parser.error("--fvd asks for the real weights: --weights DIR")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {arguments.device}, {torch.get_num_threads()} threads")
    network = (i3d_weights.load(arguments.weights)[0] if arguments.weights else random_network()).to(arguments.device)
    clips = torch.cat([i3d_weights.synthetic_clip(16).roll(shift, dims=4) for shift in range(arguments.batch)])
    race(network, clips.to(arguments.device), arguments.rounds)
    if arguments.fvd:
        compare_fvd(network.to(memory_format=CHANNELS_LAST), arguments.fvd, arguments.device)


if __name__ == "__main__":
    main()
