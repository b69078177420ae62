#!/usr/bin/env python
"""Download the Weizmann actions as MoCoGAN ships them: 36 clips of nine people and their mirror images, 36 MB.

Leaves DIRECTORY/actions/0, 1, 3 and 4, a strip of frames for each clip, from MoCoGAN's repository at a fixed commit.
The SHA-256 of each of the 72 files is known beforehand, and another file is refused. Run it again after an
interruption: it continues where it stopped. The repository states no licence for the films, which were made at the
Weizmann Institute: take them as material for study.

examples:
  %(prog)s                                   into data/weizmann
  %(prog)s --verify                          only say what is there and what is missing
  ldvd train mocogan-f --data data/weizmann  what comes next
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from ldvd_lib.data import weizmann_download
from ldvd_lib.data.transfer import DownloadError, Transfer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("data/weizmann"), metavar="DIRECTORY", help="%(default)s")
    parser.add_argument("--verify", action="store_true", help="download nothing; report what is missing")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, only warnings and errors")
    parser.add_argument("--url", default=weizmann_download.SOURCE, help="another address (default: %(default)s)")
    parser.add_argument("--ca-bundle", type=Path, metavar="PATH", help="PEM file of certificates to trust")
    parser.add_argument("--attempts", type=int, default=8, help="failures in a row to bear (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds of silence to bear (default: %(default)s)")
    return parser


def _verify(directory: Path) -> int:
    missing = weizmann_download.missing_files(directory)
    total = len(weizmann_download.known_files())
    print(f"{directory} has {total - len(missing)} of the {total} files of the Weizmann actions")
    return 1 if missing else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns: the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING if options.quiet else logging.INFO, format="%(message)s")
    try:
        if options.verify:
            return _verify(options.out)
        transfer = Transfer(
            attempts=options.attempts,
            read_timeout=options.timeout,
            ca_bundle=options.ca_bundle,
            progress=not options.quiet,
        )
        weizmann_download.download_weizmann(options.out, source=options.url, transfer=transfer)
        return 0
    except (DownloadError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
