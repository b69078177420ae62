"""The ``ldvd`` command: data, training, samples, scores and curvature from a shell; one module for each command."""

import argparse
import logging
import sys
from collections.abc import Sequence

from ldvd_lib.cli import data, demo, evaluate, hessian, judges, reproduce, sample, train

DESCRIPTION = "Video GANs and their discriminators: prepare data, train, sample, evaluate, measure curvature."
EPILOG = """\
examples:
  ldvd demo                                             from nothing to a trained model, in minutes
  ldvd data prepare data/actions stores/actions-32 --image-size 32
  ldvd train tgan --data stores/actions-32 --preset lite --steps 1200 --out runs/tgan
  ldvd train tgan --data stores/actions-32 --preset lite --steps 2400 --out runs/tgan --resume
  ldvd sample runs/tgan --out samples.gif --seed 3
  ldvd train tgan-f --data stores/actions-32 --probe-every 50     with the Hessian's spectrum over training
  ldvd hessian runs/tgan --data stores/actions-32 --out hessian   the spectrum of what a run has come to
  ldvd evaluate runs/tgan --data data/actions                     inception score and distances to real data
  ldvd evaluate --real --data data/actions                        the same of real clips, held out: the best there is
  ldvd judges get i3d                                             the weights of FVD's network, for --protocol fvd-2048
  ldvd reproduce 5a --data data/actions --seeds 3                 a table of the paper, with error bars, and a report
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="ldvd", description=DESCRIPTION, epilog=EPILOG, formatter_class=formatter)
    parser.add_argument("--verbose", action="store_true", help="log more, and show where an error arose")
    parser.set_defaults(continues=False)  # whether the same command continues after an interrupt
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (train, sample, evaluate, hessian, reproduce, data, judges, demo):
        command.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; an error is printed as one line, without a traceback.

    Returns:
        The exit status: 0, 1 after an error, 2 after wrong arguments (from argparse), 130 after an interrupt.
    """
    parsed = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if parsed.verbose else logging.WARNING, format="%(message)s")
    try:
        parsed.run(parsed)
    except KeyboardInterrupt:
        advice = "; run the same command again to go on from here" if parsed.continues else ""
        print(f"interrupted{advice}", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        if parsed.verbose:
            raise
        print(f"ldvd {parsed.command}: {error}", file=sys.stderr)
        return 1
    return 0
