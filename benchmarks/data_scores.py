"""The inception score of the data themselves, in the eight conditions of the paper's Table 7.

Usage: python benchmarks/data_scores.py [--data data/actions] [--sizes 16 32] [--samples 1024] [--repeats 3]
       python benchmarks/data_scores.py --data UCF101 --protocol ldvd-2019 --weights DIRECTORY --sizes 64 128

What real clips score is what a generator that drew from just these clips would score, and it depends on how they were
prepared. Each of --sizes is shown in four ways, which add up: 16 consecutive frames of the centre square; every second
frame (2x); the same played backwards half of the time (rev); the same of a square at a random place instead of the
centre (random crop). Squares become that many pixels, antialiased, and then, by the judge's preparation, as many as its
network takes: a clip of a lower resolution is seen enlarged. The published network takes 112 px out of 128, so the
paper's sizes are 64 and 128; the small one of the protocol "actions" takes 32, so ours are 16 and 32.

All conditions show the same moments of the same clips, so what differs between two lines is not the draw. The score is
the quotient of the two columns beside it: to how many classes all answers together amount, and to how many the answer
for a single video does (exponentials of the entropies). The deviation is between repetitions with other draws.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from tqdm.auto import tqdm

from ldvd_lib.data import ucf101
from ldvd_lib.data.decode import decode, probe
from ldvd_lib.metrics import Judge, inception_score, open_judge
from ldvd_lib.video import to_float


@dataclass(frozen=True)
class Condition:
    """A way to show a clip."""

    name: str
    stride: int = 1
    reverse: bool = False
    random_crop: bool = False


CONDITIONS = (
    Condition("centre"),
    Condition("2x", stride=2),
    Condition("2x, rev", stride=2, reverse=True),
    Condition("2x, rev, random crop", stride=2, reverse=True, random_crop=True),
)
MAX_STRIDE = max(condition.stride for condition in CONDITIONS)

length_of = cache(lambda path: probe(path).num_frames)


@dataclass(frozen=True)
class Moment:
    """Frames of a clip, enough for every condition, and what chance decides about them."""

    frames: Tensor  # (T, 3, H, W) uint8
    backwards: bool
    place: float  # of the random crop along the longer side, 0 to 1

    @classmethod
    def draw(cls, paths: list[Path], num_frames: int, random: np.random.Generator) -> "Moment":
        """Any clip, and any place in it where the longest window fits; a clip that is shorter is played in a loop."""
        path = paths[random.integers(len(paths))]
        span = (num_frames - 1) * MAX_STRIDE + 1
        start = int(random.integers(max(1, length_of(path) - span + 1)))
        frames = decode(path, start=start, max_frames=span)
        frames = frames[np.arange(span) % len(frames)]
        return cls(torch.from_numpy(frames).permute(0, 3, 1, 2), random.random() < 0.5, random.random())

    def shown(self, condition: Condition, num_frames: int, size: int) -> Tensor:
        """``(3, num_frames, size, size)`` in [-1, 1]."""
        frames = self.frames[:: condition.stride][:num_frames]
        height, width = frames.shape[2:]
        side, place = min(height, width), self.place if condition.random_crop else 0.5
        top, left = (int(place * (length - side + 1)) for length in (height, width))
        square = frames[:, :, top : top + side, left : left + side]
        if condition.reverse and self.backwards:
            square = square.flip(0)
        small = interpolate(square, (size, size), mode="bilinear", align_corners=False, antialias=True)
        return to_float(small).transpose(0, 1)


@torch.no_grad()
def probabilities(
    judge: Judge, paths: list[Path], *, sizes: list[int], samples: int, batch_size: int, seed: int, device: str
) -> dict[tuple[int, Condition], Tensor]:
    """The judge's answers for random windows, for each size and condition: ``(samples, num_classes)``."""
    network, num_frames = judge.network.to(device).eval(), judge.protocol.num_frames
    random = np.random.default_rng(seed)
    collected: dict[tuple[int, Condition], list[Tensor]] = {
        (size, condition): [] for size in sizes for condition in CONDITIONS
    }
    with tqdm(total=samples, desc=f"seed {seed}", unit="window") as bar:
        for first in range(0, samples, batch_size):
            moments = [Moment.draw(paths, num_frames, random) for _ in range(min(batch_size, samples - first))]
            for (size, condition), answers in collected.items():
                videos = torch.stack([moment.shown(condition, num_frames, size) for moment in moments]).to(device)
                prepared = judge.prepare(videos).contiguous(memory_format=torch.channels_last_3d)
                answers.append(network.activations(prepared)["prob"].cpu())
            bar.update(len(moments))
    return {key: torch.cat(answers) for key, answers in collected.items()}


def perplexity(answers: Tensor) -> float:
    """To how many equally likely classes distributions over them amount: the exponential of their mean entropy."""
    return torch.special.entr(answers.double()).sum(-1).mean().exp().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/actions"), help="a directory in UCF-101's layout")
    parser.add_argument("--subset", choices=("train", "test", "all"), default="train", help="the paper takes train")
    parser.add_argument("--protocol", default="actions", help="one with an inception score")
    parser.add_argument("--weights", type=Path, help="directory of the published weights that a protocol asks for")
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32], help="pixels (default: 16 32)")
    parser.add_argument("--samples", type=int, help="windows in a repetition (default: the protocol's)")
    parser.add_argument("--repeats", type=int, help="repetitions (default: the protocol's)")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0, help="of the first repetition")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    judge = open_judge(arguments.protocol, arguments.weights)
    if not judge.protocol.inception_score:
        parser.error(f"the protocol {arguments.protocol} has no inception score")
    samples, repeats = arguments.samples or judge.protocol.samples, arguments.repeats or judge.protocol.repeats
    index = ucf101.index(arguments.data, subset=arguments.subset, check=False)
    paths = [clip.path for clip in index.clips]

    rounds = [
        probabilities(
            judge,
            paths,
            sizes=arguments.sizes,
            samples=samples,
            batch_size=arguments.batch_size,
            seed=arguments.seed + number,
            device=arguments.device,
        )
        for number in range(repeats)
    ]
    columns: dict[str, Callable[[Tensor], float]] = {
        "IS": inception_score,
        "all": lambda answers: perplexity(answers.mean(0)),
        "each": perplexity,
    }
    print(f"{judge.protocol.identity}, {len(paths):,} clips ({arguments.subset}), {repeats} × {samples:,} windows")
    print(f"{'':>28}{'IS':>8}{'±':>7}{'all':>8}{'each':>7}")
    for size, condition in rounds[0]:
        values = {
            name: np.array([measure(answers[size, condition]) for answers in rounds])
            for name, measure in columns.items()
        }
        deviation = f"{values['IS'].std(ddof=1):7.2f}" if repeats > 1 else f"{'':7}"
        print(
            f"{size:4} px {condition.name:>20} {values['IS'].mean():8.2f}{deviation}"
            f"{values['all'].mean():8.2f}{values['each'].mean():7.2f}"
        )


if __name__ == "__main__":
    main()
