"""The Weizmann actions from MoCoGAN's own repository: 72 strips of pictures, 36 MB, each known by its SHA-256.

The files lie on GitHub under ``data/actions``, and are asked for one by one at a fixed commit. The course has their
names and hashes (``weizmann.sha256``, as ``sha256sum`` writes and checks it) and nothing of the pictures. The hashes
are those of the copy that this was developed with; that GitHub serves these bytes has not been tried, and whether it
does shows with the first download, which accepts no others.

Sources: https://github.com/sergeytulyakov/mocogan; see `ldvd_lib.data.weizmann` for the films.
"""

import logging
import math
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tqdm.auto import tqdm

from ldvd_lib._kit.files import file_sha256
from ldvd_lib._kit.lock import locked
from ldvd_lib.data import layout
from ldvd_lib.data.transfer import DownloadError, Transfer, fetch

logger = logging.getLogger(__name__)

REPOSITORY = "sergeytulyakov/mocogan"
# The only one that touches these files, by a public index of the repository.
COMMIT = "c68950b5943d47cbb7a94c0031bd3d21d19fff33"
SOURCE = f"https://raw.githubusercontent.com/{REPOSITORY}/{COMMIT}/data/actions"

_ADVICE = (
    f"They can be had with git, too: `git clone https://github.com/{REPOSITORY}`, and then "
    "`--data mocogan/data/actions` wherever a data set is asked for."
)


def known_files() -> dict[str, str]:
    """The files of the data set, such as ``0/00000002.jpg``, and the SHA-256 of each."""
    lines = Path(__file__).with_name("weizmann.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def missing_files(directory: str | Path, files: Mapping[str, str] | None = None) -> list[str]:
    """Which files of the data set a directory lacks.

    Args:
        directory: the one with ``actions/``; it need not be there.
        files: name → SHA-256 of what is expected; None for `known_files`.

    Returns:
        Their names.

    Raises:
        DownloadError: a file is there, and has another content.
    """
    actions = Path(directory) / "actions"
    missing = []
    for name, digest in (known_files() if files is None else files).items():
        if not (actions / name).is_file():
            missing.append(name)
        elif (actual := file_sha256(actions / name)) != digest:
            raise DownloadError(
                f"{actions / name} is there already, but its SHA-256 is {actual} where {digest} was expected. Delete "
                "it and run again, or choose another directory"
            )
    return missing


def download_weizmann(
    directory: str | Path,
    *,
    source: str = SOURCE,
    files: Mapping[str, str] | None = None,
    transfer: Transfer | None = None,
) -> Path:
    """Fetch what a directory lacks of the Weizmann actions, and check each file's SHA-256.

    It can be interrupted, and goes on from there when called again. ``actions/`` appears once all files are there.

    Args:
        directory: where to put ``actions/``.
        source: address of the folder that has ``0/``, ``1/``, ``3/`` and ``4/``.
        files: name → SHA-256 of what to fetch from there; None for `known_files`.
        transfer: patience, time limits and certificates; None for the defaults.

    Returns:
        `directory`, as `ldvd_lib.data.weizmann.index` takes it.

    Raises:
        DownloadError: a file cannot be fetched, or is another than the expected one, there or here.
    """
    directory, transfer = Path(directory), transfer or Transfer()
    files = known_files() if files is None else files
    if missing_files(directory, files):
        with locked(directory / ".download.lock", busy=f"{directory} is being downloaded already", patience=math.inf):
            missing = missing_files(directory, files)  # once more: another process may have done it meanwhile
            if missing:
                _add(directory, source.rstrip("/"), {name: files[name] for name in missing}, transfer)
    logger.info("the Weizmann actions are at %s: %d files", directory, len(files))
    return directory


def _add(directory: Path, source: str, files: Mapping[str, str], transfer: Transfer) -> None:
    """Fetch files, and give them their names when all are there."""
    unfinished = directory / "actions.partial"
    fetched = {}
    # One bar for all files instead of one for each.
    for name, digest in tqdm(files.items(), "Fetching", unit="file", disable=not transfer.progress):
        try:
            fetched[name] = fetch(
                f"{source}/{name}", unfinished / name, sha256=digest, transfer=replace(transfer, progress=False)
            )
        except DownloadError as error:
            raise DownloadError(f"{error}\n{len(fetched)} of {len(files)} files are here. {_ADVICE}") from error
    facts = {"url": source, "files": len(files), "date": datetime.now(UTC).isoformat(timespec="seconds")}
    layout.write_receipt(directory, "weizmann", facts)
    layout.install(fetched, directory / "actions", unfinished / "ready")
    shutil.rmtree(unfinished)
