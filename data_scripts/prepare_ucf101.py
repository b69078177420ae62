#!/usr/bin/env python
"""Decode the clips of UCF-101, or of any data set in its layout, once into a store that training reads.

ROOT contains UCF-101/<Class>/*.avi and ucfTrainTestlist/*.txt. Clips that are missing, unreadable or too short are
named and left out. Run it again after an interruption: it goes on from where it stopped.

examples:
  %(prog)s data stores/ucf101-64                       split 1, training clips, 64 px: 22 GB
  %(prog)s data stores/ucf101-32-fast --image-size 32 --stride 2
  %(prog)s data stores/ucf101-64-test --subset test --fold 2
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from ldvd_lib.data import prepare, ucf101


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="where the data set is")
    parser.add_argument("store", type=Path, help="directory to make")
    parser.add_argument("--image-size", type=int, default=64, help="height and width in pixels (default: %(default)s)")
    parser.add_argument("--stride", type=int, default=1, help="keep every so many frames (default: %(default)s)")
    parser.add_argument("--subset", choices=ucf101.SUBSETS, default="train", help="default: %(default)s")
    parser.add_argument(
        "--fold", type=int, choices=ucf101.FOLDS, default=1, help="official split (default: %(default)s)"
    )
    parser.add_argument("--min-frames", type=int, help="leave out clips with fewer frames (before --stride)")
    parser.add_argument("--workers", type=int, help="clips decoded at the same time (default: one per core)")
    parser.add_argument("--strict", action="store_true", help="make nothing unless every listed clip can be used")
    parser.add_argument("--quiet", action="store_true", help="no progress bars, only warnings and errors")
    return parser


def _run(options: argparse.Namespace) -> None:
    index = ucf101.index(
        options.root,
        subset=options.subset,
        fold=options.fold,
        min_frames=options.min_frames,
        strict=options.strict,
    )
    if not options.quiet:
        print(index.summary())
    store = prepare(
        index,
        options.store,
        image_size=options.image_size,
        stride=options.stride,
        workers=options.workers,
        progress=not options.quiet,
    )
    if not options.quiet:
        print(f"{options.store}: {store.summary()}")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING if options.quiet else logging.INFO, format="%(message)s")
    try:
        _run(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
