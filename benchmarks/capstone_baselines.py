"""How well does the capstone's score tell designs apart? The baselines of its board, and the noise of seeds.

    python benchmarks/capstone_baselines.py
    python benchmarks/capstone_baselines.py --seeds 3 --write

Scores the paper's three designs at lite scale, and a frame-wise one, as notebook 13 scores a learner's, and prints for
every figure of the protocol how far the designs differ, how far the seeds of one design differ, and the ratio. With
``--write`` the entries become the board's baselines, ``ldvd_lib/classroom/capstone_baselines.json``. About a minute
for each of the twelve runs; they are kept in ``runs/capstone``, and continued from there.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from torch import Tensor

from ldvd_lib._kit.configuration import save_json
from ldvd_lib.classroom import capstone, store
from ldvd_lib.classroom.capstone import Design
from ldvd_lib.classroom.leaderboard import BASELINES, Board, seed_noise
from ldvd_lib.data import WindowSampler
from ldvd_lib.runs import results_of_run
from ldvd_lib.training import sample_videos
from ldvd_lib.zoo import ALL_3D, IMAGE, factorized, shifted

DESIGNS = (
    Design("TGAN", ALL_3D),
    Design("TGAN-F", factorized(2)),
    Design("TGAN-TSM", shifted(3)),
    Design("frame by frame", IMAGE),
)


def motion(videos: Tensor) -> float:
    """The mean change of a pixel from one frame to the next: ``(N, C, T, H, W)`` → one number."""
    return (videos[:, :, 1:] - videos[:, :, :-1]).abs().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="make these the board's baselines")
    arguments = parser.parse_args()
    if arguments.seeds < 2:
        parser.error("--seeds must be at least 2: the scores of one seed do not show how much seeds differ")
    clips = store(32)
    real = motion(WindowSampler(clips, batch_size=256, seed=2).next_batch().videos)
    entries, figures = [], {}
    for design in DESIGNS:
        entry, runs = capstone.score(design, clips, seeds=range(arguments.seeds))
        # The time of a step depends on this machine, and the date is of no interest.
        entries.append(dataclasses.replace(entry, seconds=0.0, date=""))
        judged = [results_of_run(run)[-1].values for run in runs]
        for figure in judged[0]:
            figures.setdefault(figure, {})[design.name] = [values[figure][0] for values in judged]
        figures.setdefault("curvature", {})[design.name] = list(entry.curvatures)
        moves = [motion(sample_videos(run.generator(), 256, seed=3)) / real for run in runs]
        figures.setdefault("motion, relative to real clips", {})[design.name] = moves
    for figure, by_design in figures.items():
        print(f"\n{figure}")
        for name, values in by_design.items():
            print(f"  {name:16}", *(f"{value:9.3f}" for value in values), f"   mean {np.mean(values):9.3f}")
        between = np.std([np.mean(values) for values in by_design.values()], ddof=1)
        within = np.sqrt(np.mean([np.var(values, ddof=1) for values in by_design.values()]))
        print(f"  deviation between designs {between:.3g}, between seeds {within:.3g}, ratio {between / within:.1f}")
    print(f"\nnoise of seeds: {seed_noise(entries):.0%} of a score\n")
    print(Board(Path("none.json"), reference=entries))
    if arguments.write:
        path = Path(capstone.__file__).with_name(BASELINES)
        save_json({"entries": [dataclasses.asdict(entry) for entry in entries]}, path)
        print(f"written to {path.name}")


if __name__ == "__main__":
    main()
