"""Which does a video metric mind more, bad pictures or bad motion? Ge et al.'s experiment with judges of ours.

Usage: python benchmarks/content_bias.py [--data data/actions] [--space warp] [--clips 256] [--repeats 1]
                                         [--protocols actions actions-order]

Held-out clips of the built-in actions are spoilt in space alone, in time alone, or in both, and each judge's Fréchet
distance to training clips is taken (`ldvd_lib.metrics.corruptions`). In space every frame of a clip is bent like
rubber, or blurred, in one and the same way (--space); in time a part of its frames, or all, come in random order. Two
lines are Ge et al.'s: medium corruption in space and none in time against small corruption in space and severe
corruption in time. Who watches the clips prefers the first. Which one a judge prefers shows what it looks at.

By default two judges are asked: one that learnt to name actions, and one that learnt only in which order frames are
shown. The last lines say how much corruption in space each judge minds as much as frames in random order, by
interpolation between the lines above. All sets are made from the same windows. ± is the deviation between repetitions
with others.

Source: Ge et al. 2024, On the Content Bias in Fréchet Video Distance.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from ldvd_lib.data import WindowSampler, actions, prepare_beside
from ldvd_lib.metrics import Judge, frechet_distance, open_judge
from ldvd_lib.metrics.corruptions import blur, shuffle_frames, warp

# What is done to frames, and how much of it (in pixels), from small to severe.
SPACES: dict[str, tuple[Callable[[Tensor, float], Tensor], tuple[float, ...]]] = {
    "warp": (warp, (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)),
    "blur": (blur, (0.3, 0.4, 0.5, 0.6, 0.8, 1.0)),
}
SMALL, MEDIUM = 0, 2  # which of these Ge et al.'s two sets get
SHARES = (0.25, 0.5, 1.0)  # of the frames, that come in random order
BATCH_SIZE = 32


@torch.no_grad()
def features_of(judge: Judge, videos: Tensor) -> Tensor:
    """What the protocol compares, ``(n, d)``."""
    prepared = (
        judge.prepare(some).contiguous(memory_format=torch.channels_last_3d) for some in videos.split(BATCH_SIZE)
    )
    return torch.cat([judge.network.activations(some)[judge.protocol.layer] for some in prepared])


def corrupted(space: str) -> dict[tuple[float, float], Callable[[Tensor], Tensor]]:
    """How much in space and which share in time → what makes such clips; the first are left as they are."""
    spoil, amounts = SPACES[space]
    degrees = [(0.0, 0.0), *((amount, 0.0) for amount in amounts), *((0.0, share) for share in SHARES)]
    degrees.append((amounts[SMALL], 1.0))
    return {
        (amount, share): lambda videos, amount=amount, share=share: spoil(shuffle_frames(videos, share), amount)
        for amount, share in degrees
    }


def equivalent(distance: float, amounts: list[float], distances: list[float]) -> str:
    """How much in space alone is as far, in pixels."""
    rising = np.maximum.accumulate(distances)
    if distance > rising[-1]:
        return f"more than {amounts[-1]:g}"
    return f"{np.interp(distance, rising, amounts):.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/actions"), help="rendered if it is not there")
    parser.add_argument("--space", choices=SPACES, default="warp", help="what is done to frames (default: warp)")
    parser.add_argument("--protocols", nargs="+", default=["actions", "actions-order"])
    parser.add_argument("--clips", type=int, default=256, help="windows in a set (default: 256)")
    parser.add_argument("--reference", type=int, default=1024, help="windows of training clips (default: 1024)")
    parser.add_argument("--repeats", type=int, default=1, help="with other windows (default: 1)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    root = actions.render(arguments.data)
    train, test = (prepare_beside(root, image_size=32, subset=subset) for subset in ("train", "test"))
    judges = {name: open_judge(name) for name in arguments.protocols}
    seen = WindowSampler(train, batch_size=arguments.reference, seed=arguments.seed + 100).next_batch().video
    references = {name: features_of(judge, seen) for name, judge in judges.items()}

    sets = corrupted(arguments.space)
    distances = {name: {degrees: np.empty(arguments.repeats) for degrees in sets} for name in judges}
    with tqdm(total=arguments.repeats * len(sets) * len(judges), unit="set") as bar:
        for number in range(arguments.repeats):
            seed = arguments.seed + number
            videos = WindowSampler(test, batch_size=arguments.clips, seed=seed).next_batch().video
            for degrees, spoil in sets.items():
                spoilt = spoil(videos)
                for name, judge in judges.items():
                    features = features_of(judge, spoilt)
                    distances[name][degrees][number] = frechet_distance(features, references[name])
                    bar.update()

    amounts = list(SPACES[arguments.space][1])
    first, second = (amounts[MEDIUM], 0.0), (amounts[SMALL], 1.0)
    notes = {first: "   <- medium in space, none in time", second: "   <- small in space, severe in time"}
    print(f"Fréchet distance of {arguments.clips} held-out windows to {arguments.reference:,} of training clips")
    print(f"{arguments.space + ', px':>10}{'shuffled':>10}" + "".join(f"{name:>24}" for name in judges))
    for degrees in sets:
        row = f"{degrees[0]:>10g}{degrees[1]:>10.0%}"
        for name in judges:
            values = distances[name][degrees]
            deviation = f" ± {values.std(ddof=1):.2g}" if len(values) > 1 else ""
            row += f"{f'{values.mean():.4g}{deviation}':>24}"
        print(row + notes.get(degrees, ""))
    for name in judges:
        means = {degrees: values.mean() for degrees, values in distances[name].items()}
        prefers = "the moving pictures" if means[first] < means[second] else "the shuffled ones"
        in_space = [means[amount, 0.0] for amount in (0.0, *amounts)]
        as_bad = equivalent(means[0.0, 1.0], [0.0, *amounts], in_space)
        print(
            f"{name}: prefers {prefers} ({means[first]:.4g} against {means[second]:.4g}); "
            f"frames in random order are as bad as a {arguments.space} of {as_bad} px"
        )


if __name__ == "__main__":
    main()
