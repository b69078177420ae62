"""Singular value clipping: the Gram matrix against a full SVD, at the five shapes of TGAN's discriminator.

Usage: python benchmarks/svc.py [--device cuda] [--repeats 5]

Prints, for each kernel, milliseconds and error of either method. The error is the largest deviation from clipping by
a float64 SVD, relative to that result's largest entry.
"""

import argparse
import time

import torch

from ldvd_lib import lipschitz

SHAPES = [(64, 3, 4, 4, 4), (128, 64, 4, 4, 4), (256, 128, 4, 4, 4), (512, 256, 4, 4, 4), (1, 512, 4, 4)]


def clip_by_svd(weight: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The textbook way: decompose, clip, put together again."""
    u, s, vh = torch.linalg.svd(lipschitz.as_matrix(weight).to(dtype), full_matrices=False)
    return ((u * s.clamp(max=1)) @ vh).reshape(weight.shape)


def best_seconds(function, prepare, repeats: int, device: torch.device) -> float:
    """The shortest of some runs of ``function(prepare())``, without the time of `prepare`."""
    times = []
    for _ in range(repeats):
        argument = prepare()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        start = time.perf_counter()
        function(argument)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    generator = torch.Generator().manual_seed(0)

    print(f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads")
    print(f"{'kernel':>22} {'SVD ms':>10} {'Gram ms':>10} {'ratio':>7} {'SVD error':>10} {'Gram error':>10}")
    totals = [0.0, 0.0]
    for shape in SHAPES:
        matrix = lipschitz.as_matrix(torch.randn(shape, generator=generator))
        # Half of the singular values beyond 1, as they are when a run starts.
        weight = (matrix / torch.linalg.svdvals(matrix).median()).reshape(shape).to(device)
        exact = clip_by_svd(weight, torch.float64)

        def error(clipped: torch.Tensor, exact=exact) -> float:
            return ((clipped.double() - exact).abs().max() / exact.abs().max()).item()

        svd = best_seconds(lambda w: clip_by_svd(w, w.dtype), lambda w=weight: w, arguments.repeats, device)
        gram = best_seconds(lipschitz.clip_matrix_, weight.clone, arguments.repeats, device)
        totals = [totals[0] + svd, totals[1] + gram]
        errors = error(clip_by_svd(weight, weight.dtype)), error(lipschitz.clip_matrix_(weight.clone()))
        print(
            f"{'×'.join(map(str, shape)):>22} {svd * 1e3:10.1f} {gram * 1e3:10.1f} {svd / gram:7.1f} "
            f"{errors[0]:10.1e} {errors[1]:10.1e}"
        )
    print(f"{'all five':>22} {totals[0] * 1e3:10.1f} {totals[1] * 1e3:10.1f} {totals[0] / totals[1]:7.1f}")


if __name__ == "__main__":
    main()
