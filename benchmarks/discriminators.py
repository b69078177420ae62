"""Every 64 px discriminator of the paper against TGAN's: time and peak memory of a forward and a backward pass.

Usage: python benchmarks/discriminators.py [--batch 8] [--rounds 5] [--preset paper] [--device cuda] [--match tgan]

In every round all discriminators take turns, so that a busy machine slows all of them; medians are compared. On the
CPU, peak memory is what PyTorch's allocator holds at most beyond the start of the pass, as its profiler reports it; on
a GPU it is the allocator's own figure. Beside the measured ratio stands that of the multiply-adds: where the two
differ, the layer is bound by moving memory, not by arithmetic.
"""

import argparse
import statistics
import time

import torch

from ldvd_lib import anatomy, zoo

NAMES = (
    "tgan",
    "tgan-c0",
    "tgan-f",
    "tgan-c0-c2",
    "tgan-c0-c3",
    "tgan-tsm-c0",
    "tgan-tsm-c0-c1",
    "tgan-tsm",
    "mocogan-video",
    "mocogan-image",
    "mocogan-f",
    "mocogan-tsm",
    "mocogan-f-sn",
)


def one_pass(discriminator: torch.nn.Module, videos: torch.Tensor) -> None:
    """Scores, and the gradients of all weights and of the videos: what a training step needs from a discriminator."""
    videos = videos.detach().requires_grad_()
    scores = discriminator(videos)
    torch.autograd.grad(scores.mean(), [videos, *discriminator.parameters()])


def peak_bytes(discriminator: torch.nn.Module, videos: torch.Tensor) -> int:
    """The most memory that a pass holds beyond what was there before."""
    if videos.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        one_pass(discriminator, videos)
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        one_pass(discriminator, videos)
    held = peak = 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--preset", default="paper", choices=zoo.PRESETS)
    parser.add_argument("--match", default="", help="only names that contain this (TGAN's is always there)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)

    names = [name for name in NAMES if arguments.match in name or name == "tgan"]
    contenders = {}
    for name in names:
        (discriminator,) = zoo.build(name, arguments.preset).discriminators.values()
        shape = anatomy.dissect(discriminator).input_shape
        videos = torch.randn(arguments.batch, *shape, generator=torch.Generator().manual_seed(0))
        videos = videos.contiguous(memory_format=torch.channels_last_3d).to(device)
        contenders[name] = discriminator.to(device).train(), videos

    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_number in range(arguments.rounds + 1):
        for name, contender in contenders.items():
            if device.type == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
            one_pass(*contender)
            if device.type == "cuda":
                torch.cuda.synchronize()
            if round_number:  # the first warms up
                seconds[name].append(time.perf_counter() - start)

    print(f"{arguments.preset}, batch {arguments.batch}, {device}, torch {torch.__version__}")
    print(f"{'':>16}{'ms':>9}{'± ms':>7}{'time':>8}{'m.-adds':>9}{'peak MiB':>10}{'memory':>8}{'weights':>9}")
    reference: tuple[float, float, float, float] | None = None
    for name, (discriminator, videos) in contenders.items():
        table = anatomy.dissect(discriminator)
        median = statistics.median(seconds[name])
        spread = (max(seconds[name]) - min(seconds[name])) / 2
        values = median, table.multiply_adds, peak_bytes(discriminator, videos), table.parameters
        reference = reference or values
        ratio = [value / base for value, base in zip(values, reference, strict=True)]
        print(
            f"{name:>16}{median * 1e3:9.1f}{spread * 1e3:7.1f}{ratio[0]:8.2f}{ratio[1]:9.2f}"
            f"{values[2] / 2**20:10.1f}{ratio[2]:8.2f}{ratio[3]:9.2f}"
        )
    print("time, m.-adds, memory, weights: relative to tgan")


if __name__ == "__main__":
    main()
