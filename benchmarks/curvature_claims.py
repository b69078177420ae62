"""The paper's five claims about curvature, measured small: do they hold at lite scale?

    python benchmarks/curvature_claims.py actions=data/actions
    python benchmarks/curvature_claims.py actions=data/actions ucf=path/to/ucf101 --seeds 3 --steps 200

Trains the lite presets that the claims compare, probes the Hessian of each discriminator as it trains, and prints λ⁺,
λ⁻ and the median leading eigenvalue of every run, and then each claim with its ratio, seed by seed. The paper trains
for 100,000 steps at 64 px; what holds here need not hold there, nor the other way round. Runs are kept in `--out`,
and continued from there.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np

from ldvd_lib import zoo
from ldvd_lib.data import ClipStore, actions, prepare_beside
from ldvd_lib.hessian import SpectrumProbe
from ldvd_lib.training import Run, Trainer

# Each with what is to differ from its lite recipe. TGAN and TGAN-F are to be compared while both learn, with one and
# the same recipe; with the rates that suit TGAN alone, TGAN-F's critic falls silent, and silence is not curved.
BOTH_LEARN = {"generator_rate": 5e-4, "discriminator_rate": 1e-2}
MODELS = {
    "tgan": BOTH_LEARN,
    "tgan-f": BOTH_LEARN,
    "tgan-normal": {},
    "mocogan": {},
    "mocogan-2x": {},
    "mocogan-image-k8": {},
    "mocogan-video-k2": {},
}


def open_store(path: Path) -> ClipStore:
    if path.name == "actions":
        actions.render(path)
    elif (path / "index.json").is_file():
        return ClipStore.open(path)
    return prepare_beside(path, image_size=32)


def train(name: str, store: ClipStore, directory: Path, seed: int, steps: int, every: int) -> Run:
    # Both data sets at the same frame rate, and clips of 25 frames are to serve, too.
    config = zoo.config(name, "lite").with_recipe(frame_stride=1, **MODELS[name])
    gan = config.build(seed=seed)
    sampler = gan.sampler(store, short="loop", seed=seed)
    trainer = Trainer(
        gan,
        sampler,
        directory,
        seed=seed,
        resume=True,
        callbacks=[SpectrumProbe(every, batch_size=8, seed=seed)],
        checkpoint_every=every,
        keep_checkpoints=1,
    )
    run = trainer.run(steps)
    if trainer.interrupted:
        raise KeyboardInterrupt
    return run


class Curvature:
    """What the claims are about: the spectrum of one discriminator over one run."""

    def __init__(self, spectrum: dict[str, np.ndarray]) -> None:
        magnitudes = np.abs(spectrum["eigenvalues"])
        self.plus, self.minus = spectrum["largest"].max(), spectrum["smallest"].min()
        self.median = float(np.median(magnitudes))
        self.extreme = max(self.plus, -self.minus)
        # Of the last probe against the first.
        self.growth = magnitudes[-1].max() / magnitudes[0].max()
        self.asymmetry = max(self.plus, -self.minus) / max(min(self.plus, -self.minus), 1e-12)
        self.converged = bool(spectrum["converged"].all())


# Each claim: what the paper says, the two discriminators that it compares, and the bound that their ratio would have to
# keep. Extremes are of the whole run, as in the paper; beside them stands the median leading eigenvalue, which one wild
# probe does not decide.
COMPARISONS = (
    (
        "1 the video D is curved about 10x as much as the image D of the same GAN",
        "mocogan/video",
        "mocogan/image",
        ">",
        3,
    ),
    ("3 TGAN-F's extreme eigenvalues are less than half of TGAN's", "tgan-f/video", "tgan/video", "<", 0.5),
    ("4 more parameters, smoother: twice the channels curve less", "mocogan-2x/video", "mocogan/video", "<", 1),
    (
        "5 kernels that even out the parameters keep the order",
        "mocogan-video-k2/video",
        "mocogan-image-k8/image",
        ">",
        1,
    ),
)


def report(claim: str, what: str, ratios: list[float], sign: str, bound: float) -> None:
    held = sum(ratio > bound if sign == ">" else ratio < bound for ratio in ratios)
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"{claim}\n   {what}: {shown} (median {statistics.median(ratios):.2f})")
    print(f"   {sign} {bound} holds in {held} of {len(ratios)} seeds")


def report_claims(seeds: list[dict[str, Curvature]]) -> None:
    for claim, first, second, sign, bound in COMPARISONS:
        for what in ("extreme", "median"):
            ratios = [getattr(found[first], what) / getattr(found[second], what) for found in seeds]
            report(claim, f"{first} / {second}, {what} |λ|", ratios, sign, bound)
    ends = [found["tgan/video"].asymmetry for found in seeds]
    report("2a TGAN's spectrum is nearly symmetric", "larger / smaller end", ends, "<", 1.5)
    for name, sign in (("tgan-normal/video", ">"), ("tgan/video", "<")):
        growth = [found[name].growth for found in seeds]
        report(f"2b {'without' if sign == '>' else 'with'} SVC", f"{name}, last / first probe", growth, sign, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", metavar="NAME=PATH", help="a store of 32 px, or a root in UCF-101's layout")
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=200, help="of training (default: %(default)s)")
    parser.add_argument("--every", type=int, default=50, help="steps between probes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("runs/curvature-claims"), help="default: %(default)s")
    arguments = parser.parse_args()

    for given in arguments.data:
        label, _, path = given.partition("=")
        if not path:
            parser.error(f"{given!r} is not NAME=PATH")
        store = open_store(Path(path))
        seeds: list[dict[str, Curvature]] = []
        for seed in range(arguments.seeds):
            found = {}
            for name in MODELS:
                directory = arguments.out / label / f"seed-{seed}" / name
                run = train(name, store, directory, seed, arguments.steps, arguments.every)
                found |= {f"{name}/{d}": Curvature(spectrum) for d, spectrum in run.spectrum().items()}
            seeds.append(found)
        print(f"\n{label}: {arguments.steps} steps, a probe every {arguments.every}, {arguments.seeds} seeds")
        print(f"{'discriminator':28}{'λ⁺':>28}{'λ⁻':>28}{'median leading |λ|':>28}{'last / first':>24}")
        for key in seeds[0]:
            columns = [
                " ".join(f"{getattr(found[key], what):8.3g}" for found in seeds)
                for what in ("plus", "minus", "median", "growth")
            ]
            note = "" if all(found[key].converged for found in seeds) else "  (not every value converged)"
            print(f"{key:28}" + "".join(f"{column:>28}" for column in columns[:3]) + f"{columns[3]:>26}" + note)
        print()
        report_claims(seeds)


if __name__ == "__main__":
    main()
