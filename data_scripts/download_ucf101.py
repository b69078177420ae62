#!/usr/bin/env python
"""Download UCF-101 (13,320 clips, 101 classes) and its official split files, unpack them and check the result.

Leaves DIRECTORY/UCF-101/<Class>/*.avi and DIRECTORY/ucfTrainTestlist/*.txt. Run it again after an interruption: it
continues where it stopped. The data set is for research; the clips are from YouTube.

What is verified: the SHA-256 of the split files; of the archive its size, and the checksums inside it; the SHA-256 of
the subset that is fetched by default, at a fixed commit. Of other files nothing is known beforehand: the file
download.json in DIRECTORY keeps the SHA-256 of what came first, and a file that has changed since is refused.

examples:
  %(prog)s data                                   everything: 6.9 GB to download, 14 GB of disk
  %(prog)s data --archive ~/Downloads/UCF101.rar  with an archive fetched another way
  %(prog)s data --subset                          405 clips of 10 classes, 171 MB, from the Hugging Face hub
  %(prog)s data --verify                          only say what is there and what is missing
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ldvd_lib.data import download


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="where to put the data set")
    parser.add_argument("--verify", action="store_true", help="download nothing; report what is missing")
    parser.add_argument("--quiet", action="store_true", help="no progress bars, only warnings and errors")

    files = parser.add_argument_group("files fetched another way")
    files.add_argument("--archive", type=Path, metavar="PATH", help="UCF101.rar; it is read there and kept")
    files.add_argument("--splits", type=Path, metavar="PATH", help=f"{download.SPLITS_SOURCE.name}, or its directory")

    archive = parser.add_argument_group("the archive")
    archive.add_argument("--url", default=download.ARCHIVE_SOURCE.url, help="another address (default: %(default)s)")
    archive.add_argument(
        "--splits-url", metavar="URL", default=download.SPLITS_SOURCE.url, help="the same for the split files"
    )
    archive.add_argument("--size", type=int, metavar="BYTES", help="expected size; 0 for any (default: the official)")
    archive.add_argument("--sha256", metavar="HASH", help="expected SHA-256; its makers publish none")
    archive.add_argument("--delete-archive", action="store_true", help="delete what was downloaded once it is unpacked")

    network = parser.add_argument_group("network")
    network.add_argument("--ca-bundle", type=Path, metavar="PATH", help="PEM file of certificates to trust")
    network.add_argument("--attempts", type=int, default=8, help="failures in a row to bear (default: %(default)s)")
    network.add_argument(
        "--timeout", type=float, default=60.0, help="seconds of silence to bear (default: %(default)s)"
    )

    hub = parser.add_argument_group('a subset from the Hugging Face hub (needs: pip install "ldvd-course[hub]")')
    hub.add_argument(
        "--subset",
        metavar="REPO_ID",
        nargs="?",
        const=download.SUBSET_REPOSITORY,
        help=f"data set repository (default: {download.SUBSET_REPOSITORY})",
    )
    hub.add_argument("--subset-file", default=download.SUBSET_FILE, metavar="NAME", help="default: %(default)s")
    hub.add_argument("--revision", help="branch, tag or commit (default: known commit, or main)")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.subset and (options.archive or options.splits):
        parser.error("--subset comes whole from the hub: it goes with neither --archive nor --splits")
    if options.size is not None and options.size < 0:
        parser.error(f"--size is {options.size}; it must be a number of bytes, or 0 for any")


def _run(options: argparse.Namespace) -> int:
    if options.verify:
        report = download.verify(options.directory)
        print(report.summary(limit=10))
        return 0 if report.complete else 1
    if options.subset:
        download.download_subset(
            options.directory, options.subset, filename=options.subset_file, revision=options.revision
        )
        return 0
    archive, splits = download.ARCHIVE_SOURCE, download.SPLITS_SOURCE
    if options.url != archive.url:
        archive = download.RemoteFile(options.url)
    if options.splits_url != splits.url:
        splits = download.RemoteFile(options.splits_url)
    if options.size is not None:
        archive = replace(archive, size=options.size or None)
    download.download_ucf101(
        options.directory,
        archive=options.archive,
        splits=options.splits,
        keep_archive=not options.delete_archive,
        archive_source=replace(archive, sha256=options.sha256),
        splits_source=splits,
        transfer=download.Transfer(
            attempts=options.attempts,
            read_timeout=options.timeout,
            ca_bundle=options.ca_bundle,
            progress=not options.quiet,
        ),
    )
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    _check(parser, options)
    logging.basicConfig(level=logging.WARNING if options.quiet else logging.INFO, format="%(message)s")
    try:
        return _run(options)
    except (download.DownloadError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; run the same command again to go on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
