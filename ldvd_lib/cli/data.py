"""``ldvd data``: prepare and inspect data."""

import argparse
from pathlib import Path

from ldvd_lib.cli.options import DATA_SETS, FOLDS, Subcommands, positive
from ldvd_lib.data import ClipStore, index_clips, prepare
from ldvd_lib.data.clips import SUBSETS

PREPARE_EXAMPLES = """\
examples:
  ldvd data prepare data/ucf101 stores/ucf101-64                       split 1, training clips, 64 px: 22 GB
  ldvd data prepare data/ucf101 stores/ucf101-32-fast --image-size 32 --stride 2
  ldvd data prepare data/ucf101 stores/ucf101-64-test --subset test --fold 2
  ldvd data prepare data/weizmann stores/weizmann-32 --image-size 32    seven people; the other two: --subset test
"""

FOLD = f"{FOLDS} (default: %(default)s)"


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    data = commands.add_parser("data", help="prepare and inspect data").add_subparsers(
        dest="data_command", required=True, metavar="COMMAND"
    )
    parser = data.add_parser(
        "prepare",
        help="decode a data set once into a store",
        description="Decode the clips of a data set once, into a store that training reads. Clips that are missing, "
        "unreadable or too short are named and left out. Run it again after an interruption: it goes on from where it "
        "stopped.",
        epilog=PREPARE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("root", type=Path, help=DATA_SETS)
    parser.add_argument("store", type=Path, help="directory to make")
    parser.add_argument("--image-size", type=positive, default=64, help="pixels (default: %(default)s)")
    parser.add_argument("--subset", choices=SUBSETS, default="train", help="default: %(default)s")
    parser.add_argument("--fold", type=positive, default=1, help=FOLD)
    parser.add_argument("--stride", type=positive, metavar="N", default=1, help="keep every N-th frame (default: all)")
    parser.add_argument("--min-frames", type=positive, help="leave out clips with fewer frames (before --stride)")
    parser.add_argument("--workers", type=positive, help="clips decoded at the same time (default: one per core)")
    parser.add_argument("--quiet", action="store_true", help="no progress bars, only warnings and errors")
    parser.add_argument("--strict", action="store_true", help="make nothing unless every listed clip can be used")
    parser.set_defaults(run=_prepare, continues=True)
    parser = data.add_parser(
        "inspect", help="say what a data set or a store holds", description="Say what a data set or a store holds."
    )
    parser.add_argument("path", type=Path, help=f"a store; or {DATA_SETS}")
    parser.add_argument("--subset", choices=SUBSETS, default="train", help="default: %(default)s")
    parser.add_argument("--fold", type=positive, default=1, help=FOLD)
    parser.set_defaults(run=_inspect)


def _prepare(arguments: argparse.Namespace) -> None:
    index = index_clips(
        arguments.root,
        subset=arguments.subset,
        fold=arguments.fold,
        min_frames=arguments.min_frames,
        strict=arguments.strict,
    )
    if not arguments.quiet:
        print(index.summary())
    store = prepare(
        index,
        arguments.store,
        image_size=arguments.image_size,
        stride=arguments.stride,
        workers=arguments.workers,
        progress=not arguments.quiet,
    )
    if not arguments.quiet:
        print(f"{arguments.store}: {store.summary()}")


def _inspect(arguments: argparse.Namespace) -> None:
    if (arguments.path / "index.json").is_file():
        print(ClipStore.open(arguments.path).summary())
    else:
        print(index_clips(arguments.path, subset=arguments.subset, fold=arguments.fold).summary())
