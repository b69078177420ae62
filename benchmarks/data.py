"""Batches from a store against decoding the same windows from the video files with PyAV.

Usage: python benchmarks/data.py [--data ROOT] [--image-size 64] [--batch-size 32] [--num-frames 16]

ROOT is in UCF-101's layout; without it the built-in `actions` are rendered first. Both sides draw the same windows,
crop and resize to the same size and end in the same float batch, which is compared. The files are decoded in one
thread, and again with a thread per core; the store is read in one. Everything is in the operating system's file cache.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from ldvd_lib.data import ClipIndex, Windows, WindowSampler, actions, decode, prepare, ucf101
from ldvd_lib.video import to_float


class FileReader:
    """Batches straight from the files: each window is looked up, decoded, cropped and resized."""

    def __init__(self, index: ClipIndex, sampler: WindowSampler, map_windows: Callable) -> None:
        self.paths = {clip.name: clip.path for clip in index.clips}
        self.sampler = sampler
        self.map_windows = map_windows

    def gather(self, windows: Windows) -> torch.Tensor:
        """The same (N, C, T, H, W) float32 batch as `sampler.gather(windows)`."""
        videos = np.stack(list(self.map_windows(self._window, windows.clips, windows.frames[:, 0])))
        return to_float(torch.from_numpy(videos)).permute(0, 4, 1, 2, 3)

    def _window(self, clip: int, start: int) -> np.ndarray:
        return decode.decode(
            self.paths[self.sampler.store.names[clip]],
            image_size=self.sampler.store.image_size,
            start=int(start),
            max_frames=self.sampler.num_frames,
        )


def median_seconds(gather: Callable[[Windows], torch.Tensor], batches: list[Windows]) -> float:
    """Seconds a batch, after one that does not count."""
    gather(batches[0])
    seconds = []
    for windows in batches:
        start = time.perf_counter()
        gather(windows)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def compare(root: Path, directory: Path, arguments: argparse.Namespace) -> None:
    index = ucf101.index(root, subset="all", min_frames=arguments.num_frames)
    start = time.perf_counter()
    store = prepare(index, directory, image_size=arguments.image_size)
    print(f"{store.summary()}\n  prepared in {time.perf_counter() - start:.1f} s")

    sampler = WindowSampler(
        store, batch_size=arguments.batch_size, num_frames=arguments.num_frames, seed=arguments.seed
    )
    batches = [sampler.draw() for _ in range(arguments.batches)]
    with ThreadPoolExecutor() as pool:
        one, many = FileReader(index, sampler, map), FileReader(index, sampler, pool.map)
        for reader in (one, many):
            if not torch.equal(reader.gather(batches[0]), sampler.gather(batches[0])):
                raise RuntimeError("the files and the store do not give the same batch")
        sides = {
            "store": median_seconds(sampler.gather, batches),
            "files, one thread": median_seconds(one.gather, batches),
            f"files, {os.cpu_count()} cores": median_seconds(many.gather, batches),
        }
    print(f"\n{'':<20} {'ms/batch':>9} {'batches/s':>10} {'clips/s':>9} {'store is':>9}")
    for name, seconds in sides.items():
        ratio = f"{seconds / sides['store']:8.1f}×"
        print(f"{name:<20} {seconds * 1e3:9.2f} {1 / seconds:10.1f} {arguments.batch_size / seconds:9.0f} {ratio:>9}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="ROOT", help="default: render the built-in actions")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--num-frames", type=int, default=16)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = arguments.data or actions.render(Path(temporary) / "actions", clips_per_class=10)
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {os.cpu_count()} cores")
        compare(root, Path(temporary) / "store", arguments)


if __name__ == "__main__":
    main()
