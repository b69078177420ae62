"""The Fréchet distance by singular values (ours) against the matrix square root (`scipy.linalg.sqrtm`).

Usage: python benchmarks/frechet.py [--features 4096] [--samples 2048 8192] [--device cuda] [--threads 2]

For each number of samples a set, both start from the same features and end with the distance. With fewer samples than
features the covariances are singular. The difference is relative to the distance. The matrix square root of 4,096
features takes minutes; --features 1024 shows the same in seconds. scipy works on the CPU whatever the device.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import scipy
import scipy.linalg
import torch

from ldvd_lib.metrics import frechet_distance


def by_square_root(first: np.ndarray, second: np.ndarray) -> float:
    """The textbook way, as most FID code has it."""
    a, b = (np.cov(features, rowvar=False) for features in (first, second))
    root = scipy.linalg.sqrtm(a @ b)
    shift = first.mean(0) - second.mean(0)
    return float(shift @ shift + np.trace(a) + np.trace(b) - 2 * np.trace(root).real)


def correlated(samples: int, features: int, seed: int) -> torch.Tensor:
    """Features whose spread falls like a power, as a network's does, in no particular direction."""
    random = torch.Generator().manual_seed(seed)
    spread = torch.arange(1, features + 1, dtype=torch.float64).pow(-0.5)
    x = torch.randn(samples, features, generator=random, dtype=torch.float64) * spread.roll(seed)
    # Two reflections, the same for every seed, mix the axes; a dense rotation would take longer than the benchmark.
    for mirror in torch.randn(2, features, generator=torch.Generator().manual_seed(99), dtype=torch.float64):
        x -= 2 * torch.outer(x @ mirror, mirror) / mirror.square().sum()
    return x


def timed(function: Callable[..., float], *arguments) -> tuple[float, float]:
    """Seconds, and what the function returns: a number, so that a GPU is waited for."""
    start = time.perf_counter()
    value = function(*arguments)
    return time.perf_counter() - start, value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=4096)
    parser.add_argument("--samples", type=int, nargs="+", help="default: half as many as features, and twice as many")
    parser.add_argument("--device", default="cpu", help="where ours runs")
    parser.add_argument("--threads", type=int, help="for both sides, default: as OMP_NUM_THREADS says")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    d = arguments.features
    frechet_distance(torch.eye(3, device=arguments.device), torch.eye(3, device=arguments.device))  # start libraries

    print(
        f"torch {torch.__version__}, scipy {scipy.__version__}, {arguments.device}, {torch.get_num_threads()} threads"
    )
    print(f"{'features':>9} {'samples':>9} {'sqrtm s':>9} {'ours s':>9} {'ratio':>7} {'difference':>11}")
    for n in arguments.samples or [d // 2, 2 * d]:
        first, second = correlated(n, d, 0), correlated(n, d, 1)
        our_time, ours = timed(frechet_distance, first.to(arguments.device), second.to(arguments.device))
        their_time, theirs = timed(by_square_root, first.numpy(), second.numpy())
        difference = abs(ours - theirs) / ours
        print(
            f"{d:9} {n:9} {their_time:9.2f} {our_time:9.2f} {their_time / our_time:7.1f} {difference:11.1e}", flush=True
        )


if __name__ == "__main__":
    main()
