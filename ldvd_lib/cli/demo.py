"""``ldvd demo``: from nothing to a trained model."""

import argparse
from pathlib import Path

from ldvd_lib.cli.options import Subcommands, add_device, positive


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    demo = commands.add_parser(
        "demo",
        help="from nothing to a trained model, in minutes",
        description="Render the built-in data, train a lite TGAN, and leave samples and curves to look at.",
    )
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), help="default: %(default)s")
    demo.add_argument("--data", type=Path, default=Path("data/actions"), help="built-in data (default: %(default)s)")
    demo.add_argument("--steps", type=positive, default=800, help="training steps (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    add_device(demo)
    demo.set_defaults(run=run, continues=True)


def run(arguments: argparse.Namespace) -> None:
    from ldvd_lib.demo import describe, run_demo

    files = run_demo(
        arguments.out, data=arguments.data, steps=arguments.steps, seed=arguments.seed, device=arguments.device
    )
    print(describe(files))
