"""What the FVD of one and the same model becomes under several protocols.

Usage: python benchmarks/fvd_protocols.py [--weights DIR] [--clips 128] [--data data/actions] [--work artifacts/fvd]
                                          [--write]

The model is the TGAN-F that comes with the course, trained on the built-in actions; beside it, held-out clips are
judged in its place, which shows how good FVD can get. The first protocol is FVD's usual one, but for the number of
clips. Then one thing at a time is changed, each of which papers have in fact done differently:

    stride   the real clips are every second frame of the footage (the model was trained on every frame)
    resize   to I3D's 224 px by repeating pixels instead of bilinear; and the real clips straight from 64 px instead of
             from the model's 32
    split    the reference is the test split instead of the training split
    number   half as many clips, and a quarter

--weights is a directory of `ldvd judges get i3d`; the network computes in bfloat16 (protocol fvd-2048-bfloat16), which
changes FVD by about 0.1 %. Features are kept in --work, so an interrupted run goes on. It takes about five minutes of
one core on a processor that computes in bfloat16, and several times as long on others. --write puts the figures where
notebook 04 reads them, ldvd_lib/metrics/fvd_protocols.json.

With fewer clips than I3D has logits (400), FVD is far too large, for the model and for real clips alike: the figures
can be compared with each other, and not with published ones.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from torch import Tensor

from ldvd_lib._kit.configuration import save_json
from ldvd_lib.data import actions, prepare_beside
from ldvd_lib.metrics import Judge, extract, frechet_distance, open_judge
from ldvd_lib.metrics.fvd_protocols import MEASURED, FVDUnder
from ldvd_lib.metrics.preparation import as_float32
from ldvd_lib.runs import pretrained
from ldvd_lib.runs.sources import describe_store, digest_weights, from_generator, from_store

MODEL, PROTOCOL = "tgan-f-actions-32", "fvd-2048-bfloat16"
SEED_OF_REAL = 100  # the generated clips have seed 0
USUAL = "as usual: every frame, bilinear, training split"


def repeated_pixels(videos: Tensor) -> Tensor:
    """To 224 px, each pixel a square."""
    videos = as_float32(videos)
    return videos.repeat_interleave(224 // videos.shape[-1], -1).repeat_interleave(224 // videos.shape[-2], -2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="directory of `ldvd judges get i3d` (default: its own)")
    parser.add_argument("--clips", type=int, default=128, help="generated ones, and as many real ones (default: 128)")
    parser.add_argument("--data", type=Path, default=Path("data/actions"), help="rendered if it is not there")
    parser.add_argument("--work", type=Path, default=Path("artifacts/fvd"), help="where features are kept")
    parser.add_argument("--batch", type=int, default=4, help="clips at a time (default: 4)")
    parser.add_argument("--write", action="store_true", help=f"write {MEASURED.name}")
    arguments = parser.parse_args()

    root = actions.render(arguments.data)
    stores = {
        (subset, size): prepare_beside(root, image_size=size, subset=subset)
        for subset, size in (("train", 32), ("test", 32), ("train", 64))
    }
    generator = pretrained.load(MODEL)
    judge = open_judge(PROTOCOL, arguments.weights)
    judges: dict[str, Judge] = {"bilinear": judge, "repeated": replace(judge, prepare=repeated_pixels)}

    def features_of(source: Callable, videos: str, seed: int, resizing: str, name: str) -> Tensor:
        directory = arguments.work / f"{name}-{resizing}-{arguments.clips}"
        return extract(
            judges[resizing], source, directory, videos=f"{videos}, {resizing}", seed=seed, count=arguments.clips
        ).features

    def real(subset: str, size: int = 32, stride: int = 1, resizing: str = "bilinear") -> Tensor:
        store = stores[subset, size]
        source = from_store(store, stride=stride, batch_size=arguments.batch)
        videos = f"{describe_store(store)}, stride {stride}"
        return features_of(source, videos, SEED_OF_REAL, resizing, f"{subset}-{size}-{stride}")

    def generated(resizing: str = "bilinear") -> Tensor:
        source = from_generator(generator, batch_size=arguments.batch)
        return features_of(source, f"{MODEL} ({digest_weights(generator)[:8]})", 0, resizing, "generated")

    half, quarter = arguments.clips // 2, arguments.clips // 4
    ours, held_out, train = generated(), real("test"), real("train")
    ours_repeated, held_out_repeated, train_repeated = (
        generated("repeated"),
        real("test", resizing="repeated"),
        real("train", resizing="repeated"),
    )
    every_second, large = real("train", stride=2), real("train", size=64)
    # What changed, in words, and three sets: generated, held out, reference.
    compared: list[tuple[str, str, Tensor, Tensor | None, Tensor]] = [
        ("", USUAL, ours, held_out, train),
        ("stride", "real clips of every second frame", ours, held_out, every_second),
        ("resize", "enlarged by repeating pixels", ours_repeated, held_out_repeated, train_repeated),
        ("resize", "real clips straight from 64 px", ours, held_out, large),
        ("split", "against the test split", ours, None, held_out),
        ("number", f"{half} clips of each kind", ours[:half], held_out[:half], train[:half]),
        ("number", f"{quarter} clips of each kind", ours[:quarter], held_out[:quarter], train[:quarter]),
    ]
    measured = [
        FVDUnder(
            changed,
            protocol,
            frechet_distance(first, reference),
            None if second is None else frechet_distance(second, reference),
            len(first),
            MODEL,
            judge.protocol.identity,
            judge.weights,
        )
        for changed, protocol, first, second, reference in compared
    ]
    usual = measured[0].generated
    print(f"{'changed':9}{'protocol':50}{'clips':>6}{MODEL:>20}{'held-out':>10}{'ratio':>7}")
    for one in measured:
        other = "-" if one.held_out is None else f"{one.held_out:.1f}"
        ratio = f"{one.generated / usual:.2f}"
        print(f"{one.changed:9}{one.protocol:50}{one.clips:>6}{one.generated:>20.1f}{other:>10}{ratio:>7}")
    if arguments.write:
        print(save_json([asdict(one) for one in measured], MEASURED))


if __name__ == "__main__":
    main()
