"""Render the built-in data set: twelve actions in UCF-101's layout, from a seed."""

import argparse
import logging
import sys
from pathlib import Path

from ldvd_lib.data import actions


def main() -> int:
    """Run the command line. Returns: the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=Path("data/actions"), help="where to (%(default)s)")
    parser.add_argument("--clips-per-class", type=int, default=25, help="clips of each action (%(default)s)")
    parser.add_argument("--frames-per-clip", type=int, default=40, help="length of a clip, 25 a second (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same frames (%(default)s)")
    parser.add_argument("--workers", type=int, help="clips rendered at the same time (one per core)")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        root = actions.render(
            arguments.directory,
            clips_per_class=arguments.clips_per_class,
            frames_per_clip=arguments.frames_per_clip,
            seed=arguments.seed,
            workers=arguments.workers,
            progress=not arguments.quiet,
        )
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command continues where it stopped", file=sys.stderr)
        return 130
    print(root)
    return 0


if __name__ == "__main__":
    sys.exit(main())
