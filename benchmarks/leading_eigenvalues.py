"""Wrong leaders called converged: residuals alone against `lanczos`, on operators whose spectrum is known.

Usage: python benchmarks/leading_eigenvalues.py [--seeds 1000] [--first 0] [--quick]

Each seed draws a diagonal operator of one of ten families, of 200 to 600 eigenvalues, and asks for its k leading ones:
each k from 1 to 10 with each tolerance from 1e-1 to 1e-4, in magnitude or from both ends by turns. Both sides look at
the same Krylov space after every product, and each stops by its own rule: "residuals alone" when all are within the
tolerance. A converged result is wrong if its i-th value, for some i, is off from the i-th leading eigenvalue by more
than the tolerance times that.

Prints, by family, tolerance, k and selection, how many of either side's converged results are wrong, and the products
of ours over those of residuals alone. What takes more than 200 products does not count as converged.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ldvd_lib.hessian import Krylov
from ldvd_lib.hessian.lanczos import WHICH, StoppingRule

TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4)
MOST_PRODUCTS = 200


def outliers(size: int, random: np.random.Generator) -> np.ndarray:
    """A dense bulk and some outliers, as of a GAN's Hessian."""
    number = random.integers(5, 20)
    far = np.exp(random.uniform(np.log(5), np.log(100), number)) * random.choice([1, 1, 1, -1], number)
    return np.concatenate([far, random.standard_normal(size - number)])


def clusters(size: int, random: np.random.Generator) -> np.ndarray:
    """Groups of two to five far out, each between 0.03 % and 10 % wide, and a bulk."""
    groups = []
    for _ in range(5):
        centre, width = random.uniform(20, 100) * random.choice([1, 1, -1]), 10 ** random.uniform(-3.5, -1)
        groups.append(centre * (1 - width * random.random(random.integers(2, 6))))
    far = np.concatenate(groups)
    return np.concatenate([far, random.standard_normal(size - len(far))])


def two_leaders(size: int, random: np.random.Generator) -> np.ndarray:
    """The second is 0.1 % to 10 % below the first: 137.6 and 133.4."""
    first, gap = random.uniform(50, 140), 10 ** random.uniform(-3, -1)
    far = first * random.uniform(0.1, 0.8, 12) * random.choice([1, -1], 12)
    return np.concatenate([[first, first * (1 - gap)], far, 3 * random.standard_normal(size - 14)])


def pairs(size: int, random: np.random.Generator) -> np.ndarray:
    """Both signs, nearly equal in magnitude, and a bulk."""
    up = random.uniform(20, 100, 8)
    down = -up * (1 + 10 ** random.uniform(-4, -1.3, 8) * random.choice([1, -1], 8))
    return np.concatenate([up, down, 2 * random.standard_normal(size - 16)])


def slow(size: int, random: np.random.Generator) -> np.ndarray:
    """Falls as a power of the rank."""
    return 100 * np.arange(1.0, size + 1) ** -random.uniform(0.3, 1) * random.choice([1, 1, -1], size)


def exponential(size: int, random: np.random.Generator) -> np.ndarray:
    """Falls exponentially, slowly: 1 % to 10 % from one to the next."""
    return 100 * np.exp(-np.arange(size) / random.uniform(10, 100))


def logarithmic(size: int, random: np.random.Generator) -> np.ndarray:
    """Magnitudes over eight decades."""
    return 10 ** random.uniform(-6, 2, size) * random.choice([1, -1], size)


def normal(size: int, random: np.random.Generator) -> np.ndarray:
    """A bulk with thin ends."""
    return random.standard_normal(size)


def semicircle(size: int, random: np.random.Generator) -> np.ndarray:
    """A bulk with steep ends, as of a random matrix."""
    return 2 * random.beta(1.5, 1.5, size) - 1


def uniform(size: int, random: np.random.Generator) -> np.ndarray:
    """A bulk as dense at its ends as in the middle."""
    return random.uniform(-1, 1, size)


FAMILIES: tuple[Callable[[int, np.random.Generator], np.ndarray], ...] = (
    outliers,
    clusters,
    two_leaders,
    pairs,
    slow,
    exponential,
    logarithmic,
    normal,
    semicircle,
    uniform,
)


class Diagonal:
    """An operator with these eigenvalues."""

    def __init__(self, eigenvalues: np.ndarray) -> None:
        self.eigenvalues = torch.from_numpy(eigenvalues)
        self.shape, self.dtype, self.device = (len(eigenvalues),) * 2, torch.float64, torch.device("cpu")

    def __matmul__(self, vector: Tensor) -> Tensor:
        return self.eigenvalues * vector


def leading(values: Tensor, k: int, which: str) -> Tensor:
    """The k that lead, in the order of `lanczos`."""
    if which == "magnitude":
        return values[values.abs().argsort(descending=True)[:k]]
    falling = values.sort(descending=True).values
    return torch.cat([falling[: (k + 1) // 2], falling[len(falling) - k // 2 :]])


@dataclass
class Trial:
    """One operator, asked once: the products that either side took, 0 if too many, and whether it was wrong."""

    family: str
    which: str
    tolerance: float
    k: int
    products_before: int = 0
    wrong_before: bool = False
    products: int = 0
    wrong: bool = False


def attempt(seed: int) -> list[Trial]:
    """Draw an operator, and ask for all numbers and tolerances."""
    random = np.random.default_rng(seed)
    family, which = FAMILIES[seed % len(FAMILIES)], WHICH[seed // len(FAMILIES) % 2]
    operator = Diagonal(family(int(random.integers(200, 601)), random))
    krylov = Krylov(operator, capacity=MOST_PRODUCTS, random=torch.Generator().manual_seed(seed))
    trials = [Trial(family.__name__, which, tolerance, k) for tolerance in TOLERANCES for k in range(1, 11)]
    open_trials = [(trial, StoppingRule(trial.k, which, trial.tolerance)) for trial in trials]
    truth = {k: leading(operator.eigenvalues, k, which) for k in range(1, 11)}

    def wrong(found: Tensor, trial: Trial) -> bool:
        true = truth[trial.k]
        off = found.abs() - true.abs() if which == "magnitude" else found - true
        return bool((off.abs() > trial.tolerance * true.abs()).any())

    while open_trials and krylov.size < MOST_PRODUCTS:
        krylov.grow()
        values, _, residuals = krylov.ritz()
        for trial, rule in list(open_trials):
            if krylov.size < trial.k:
                continue
            chosen, done = rule.met(krylov, values, residuals)
            found = values[chosen]
            if not trial.products_before and (residuals[chosen] <= trial.tolerance * found.abs()).all():
                trial.products_before, trial.wrong_before = krylov.products, wrong(found, trial)
            if done:
                trial.products, trial.wrong = krylov.products, wrong(found, trial)
                open_trials.remove((trial, rule))
    return trials


def row(name: str, trials: list[Trial]) -> str:
    """A line of the table."""
    before, after = [trial for trial in trials if trial.products_before], [trial for trial in trials if trial.products]
    both = [trial for trial in after if trial.products_before]
    ratio = sum(t.products for t in both) / max(1, sum(t.products_before for t in both))
    cells = [
        f"{sum(trial.wrong_before for trial in before)} of {len(before)}",
        f"{sum(trial.wrong for trial in after)} of {len(after)}",
        f"{ratio:.2f}",
    ]
    return f"{name:>16}" + "".join(f"{cell:>18}" for cell in cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000, help="operators (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="20 seeds: each family twice")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + (20 if arguments.quick else arguments.seeds))
    trials = [trial for seed in seeds for trial in attempt(seed)]

    print(f"{'':>16}{'residuals alone':>18}{'ours':>18}{'products, ratio':>18}")
    for key in ("family", "tolerance", "k", "which"):
        for value in dict.fromkeys(getattr(trial, key) for trial in trials):
            name = value if isinstance(value, str) else f"{key} {value:g}"
            print(row(name, [trial for trial in trials if getattr(trial, key) == value]))
        print()
    print(row("all", trials))


if __name__ == "__main__":
    main()
