"""Large files over HTTPS that survive dropped connections, restarts and servers that are not quite honest.

:func:`fetch` writes ``<name>.part`` and gives the file its name only when it is whole and checked. Beside the part lies
``<name>.part.json``: which address it came from and the validator (ETag or date) the server gave, so that a later run
continues the same file and never glues halves of two different ones together.
"""

import hashlib
import json
import logging
import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests
from tqdm.auto import tqdm

logger = logging.getLogger(__name__)

# A dropped connection loses at most the chunk under way, so chunks are small; a hash has no such worry.
_CHUNK = 1 << 16
_HASH_CHUNK = 1 << 20
_PASSING_TROUBLE = frozenset({408, 425, 429, 500, 502, 503, 504})


class DownloadError(RuntimeError):
    """A download that cannot go on; the message says what to do about it."""


class _PassingTroubleError(Exception):
    """One attempt failed, but another may succeed; `wait` is how many seconds the server asks for, if it does."""

    def __init__(self, reason: str, wait: float | None = None):
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Transfer:
    """How patiently and how safely to download.

    Args:
        attempts: failures in a row, without one new byte between them, after which to give up.
        backoff: seconds before the first retry; doubles with each further failure, and is drawn between half and all.
        longest_wait: seconds that no wait exceeds, whatever the server's Retry-After asks.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds of silence after which a connection counts as dropped.
        ca_bundle: PEM file with the certificates to trust instead of certifi's. Verification itself is always on.
        progress: whether to show a progress bar.
    """

    attempts: int = 8
    backoff: float = 1.0
    longest_wait: float = 120.0
    connect_timeout: float = 15.0
    read_timeout: float = 60.0
    ca_bundle: Path | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts is {self.attempts}; it must be at least 1")
        if min(self.backoff, self.longest_wait) < 0 or min(self.connect_timeout, self.read_timeout) <= 0:
            raise ValueError(f"waits must not be negative and timeouts must be positive; got {self}")
        if self.ca_bundle is not None and not Path(self.ca_bundle).is_file():
            raise FileNotFoundError(f"there is no certificate bundle at {self.ca_bundle}; give the path of a PEM file")


def fetch(
    url: str,
    path: str | os.PathLike,
    *,
    size: int | None = None,
    sha256: str | None = None,
    transfer: Transfer | None = None,
) -> Path:
    """Download `url` to `path`, continuing an earlier attempt where there is one.

    A file that already has its name is checked and returned without asking the server. Everything else goes to
    ``<path>.part`` first, so an interrupted call leaves nothing that looks finished; calling again continues it.

    Args:
        url: an ``https://`` (or ``http://``) address.
        path: where the file shall be; parent directories are made.
        size: expected length in bytes, or None if it is not known.
        sha256: expected SHA-256 as 64 hexadecimal digits, or None if it is not known.
        transfer: patience, time limits and certificates; None for the defaults.

    Returns:
        `path`, holding a file of the expected size and hash.

    Raises:
        DownloadError: the address does not answer with this file, patience or disk ran out, or a check failed.
    """
    path, transfer = Path(path), transfer or Transfer()
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"sha256 is {sha256!r}; it must be 64 hexadecimal digits")
    if path.exists():
        if problem := _mismatch(path, size, sha256, transfer.progress):
            raise DownloadError(
                f"{path} is already there, but {problem}. Delete it and run again; "
                f"or, if it is merely incomplete, rename it to {path.name}.part to continue it."
            )
        return path

    path.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(path, url)
    _download(part, url, size, transfer)
    if problem := _mismatch(part.path, size, sha256, transfer.progress):
        part.discard()
        raise DownloadError(
            f"the file from {url} is damaged or is not the expected one: {problem}. It has been deleted. Run again; "
            "if that does not help, the file on the server has changed: fetch it another way and pass its path."
        )
    part.path.replace(path)
    part.discard()
    return path


def file_sha256(path: str | os.PathLike, *, progress: bool = False) -> str:
    """SHA-256 of a file as 64 hexadecimal digits."""
    path, digest = Path(path), hashlib.sha256()
    bar = tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=f"checking {path.name}", disable=not progress)
    with path.open("rb") as file, bar:
        while chunk := file.read(_HASH_CHUNK):
            digest.update(chunk)
            bar.update(len(chunk))
    return digest.hexdigest()


def check_free_space(directory: str | os.PathLike, needed: int, purpose: str) -> None:
    """Raise DownloadError unless the disk that holds (or will hold) `directory` has `needed` bytes free."""
    existing = Path(directory).resolve()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise DownloadError(
            f"{purpose} needs {needed / 1e9:.2f} GB, but the disk of {directory} has {free / 1e9:.2f} GB free. "
            "Free some space, or choose a directory on a larger disk."
        )


def _mismatch(path: Path, size: int | None, sha256: str | None, progress: bool) -> str | None:
    """What is wrong with a finished file, or None."""
    length = path.stat().st_size
    if size is not None and length != size:
        return f"it has {length:,} bytes where {size:,} were expected"
    if sha256 is not None:
        found = file_sha256(path, progress=progress)
        if found != sha256.lower():
            return f"its SHA-256 is {found} where {sha256.lower()} was expected"
    return None


class _Part:
    """The unfinished file beside `target`, and what is known of the copy on the server that it was begun from."""

    def __init__(self, target: Path, url: str):
        self.path = target.with_name(target.name + ".part")
        self._notes_path = target.with_name(target.name + ".part.json")
        self._url = url
        try:
            notes = json.loads(self._notes_path.read_text(encoding="utf-8"))
            self.validator: str | None = notes["validator"]
            self.total: int | None = notes["total"]
            same_address = notes["url"] == url
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            # A part without notes is one that the user put there: worth continuing, but without If-Range.
            self.validator, self.total, same_address = None, None, True
        if not same_address:
            self.restart()

    @property
    def length(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def restart(self, validator: str | None = None, total: int | None = None) -> None:
        """Begin again from nothing, noting what the server says of its copy."""
        self.path.write_bytes(b"")
        self.validator, self.total = validator, total
        temporary = self._notes_path.with_name(self._notes_path.name + ".tmp")
        temporary.write_text(json.dumps({"url": self._url, "validator": validator, "total": total}), encoding="utf-8")
        temporary.replace(self._notes_path)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._notes_path.unlink(missing_ok=True)


def _download(part: _Part, url: str, size: int | None, transfer: Transfer) -> None:
    """Ask for the rest of `part` until it is whole, or patience runs out."""
    expected = size if size is not None else part.total
    if expected is not None and part.length > expected:
        part.restart()
    if expected is not None and 0 < part.length == expected:
        return
    name = part.path.stem
    furthest, failures = part.length, 0
    jitter = random.Random()  # of its own: the caller's seeded streams stay untouched
    with (
        requests.Session() as session,
        tqdm(total=expected, unit="B", unit_scale=True, desc=name, disable=not transfer.progress) as bar,
    ):
        while True:
            try:
                _attempt(session, part, url, size, transfer, bar)
                return
            except _PassingTroubleError as trouble:
                # Only bytes beyond all earlier attempts count as progress: a server that ignores ranges and drops
                # every connection at the same place would otherwise be asked for ever.
                if part.length > furthest:
                    furthest, failures = part.length, 0
                failures += 1
                if failures >= transfer.attempts:
                    raise DownloadError(
                        f"gave up on {url} after {failures} attempts without progress, with {part.length:,} bytes "
                        f"here. The last one: {trouble}. Run again to continue where it stopped."
                    ) from trouble
                wait = min(transfer.backoff * 2 ** (failures - 1), transfer.longest_wait) * jitter.uniform(0.5, 1.0)
                wait = max(wait, min(trouble.wait or 0.0, transfer.longest_wait))
                logger.warning("%s: %s; trying again in %.1f s", name, trouble, wait)
                time.sleep(wait)


def _attempt(session: requests.Session, part: _Part, url: str, size: int | None, transfer: Transfer, bar: tqdm) -> None:
    """One request: append to `part` what the server sends, and return if that completes it.

    Raises:
        _PassingTroubleError: worth trying again.
        DownloadError: not worth trying again.
    """
    offset = part.length
    with _request(session, url, offset, part.validator, transfer) as response:
        start, total = _offered(response, part, offset, size)
        whole = size if size is not None else total
        if whole is not None:
            check_free_space(part.path.parent, whole - start, f"the rest of {part.path.stem}")
        if start == 0:
            if offset:
                logger.warning("%s: the server sends the file from its beginning again", part.path.stem)
            part.restart(_validator(response), total)
        if response.status_code != 416:
            _append(response, part, whole, bar)
    if whole is not None and part.length < whole:
        raise _PassingTroubleError(f"the connection ended at {part.length:,} of {whole:,} bytes")


def _request(
    session: requests.Session, url: str, offset: int, validator: str | None, transfer: Transfer
) -> requests.Response:
    """Ask for `url` from byte `offset` on."""
    # Without "identity" the server may compress, and then neither lengths nor ranges are those of the file.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator is not None:
            headers["If-Range"] = validator
    try:
        response = session.get(
            url,
            headers=headers,
            stream=True,
            timeout=(transfer.connect_timeout, transfer.read_timeout),
            verify=str(transfer.ca_bundle) if transfer.ca_bundle else True,
        )
    except requests.exceptions.SSLError as error:
        if "certificate" not in str(error).lower():
            raise _PassingTroubleError(f"the secure connection failed ({error})") from error
        raise DownloadError(_certificate_advice(url, error)) from error
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        raise _PassingTroubleError(f"no connection ({error})") from error
    except requests.exceptions.RequestException as error:
        raise DownloadError(f"{url} cannot be asked for: {error}. Check the address.") from error
    if url.startswith("https:") and not response.url.startswith("https:"):
        response.close()
        raise DownloadError(f"{url} redirects to {response.url}, which is not encrypted. Fetch the file another way.")
    return response


def _offered(response: requests.Response, part: _Part, offset: int, size: int | None) -> tuple[int, int | None]:
    """From which byte on the response carries the file, and how long the whole file is (None: it does not say)."""
    status = response.status_code
    if status == 200:
        length = response.headers.get("Content-Length", "")
        start, total = 0, int(length) if length.isdigit() else None
    elif status in (206, 416):
        given = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        start = int(given[1]) if given and given[1] else offset
        total = int(given[2]) if given and given[2] != "*" else None
    elif status in _PASSING_TROUBLE:
        raise _PassingTroubleError(f"the server answered {status} {response.reason}", _retry_after(response))
    else:
        raise DownloadError(_refusal(response))
    if size is not None and total is not None and total != size:
        # Said before anything is overwritten: a wrong answer must not cost what earlier attempts won.
        raise DownloadError(
            f"{response.url} offers {total:,} bytes where {size:,} were expected: it is an error page, or the file has "
            "changed. Look at the address in a browser; if the file is right, give its size or its path yourself."
        )
    if status != 200 and (given is None or start != offset or _changed(response, part, total)):
        part.restart()
        raise _PassingTroubleError("the file on the server has changed, or it sent another range than asked for")
    return start, total


def _changed(response: requests.Response, part: _Part, total: int | None) -> bool:
    """Whether an answer about a range speaks of another file than `part` was begun from."""
    if response.status_code == 416 and total != part.length:
        return True
    if total is not None and part.total not in (None, total):
        return True
    # Servers that disregard If-Range send a piece of the new file: only the validator tells.
    if part.validator is None:
        return False
    seen = response.headers.get("ETag" if part.validator.startswith('"') else "Last-Modified")
    return seen not in (None, part.validator)


def _append(response: requests.Response, part: _Part, whole: int | None, bar: tqdm) -> None:
    """Write the body of `response` to the end of `part`, which shall have `whole` bytes in the end."""
    length = part.length
    bar.total, bar.n = whole, length
    bar.refresh()
    try:
        with part.path.open("ab") as file:
            for chunk in _body(response):
                file.write(chunk)
                bar.update(len(chunk))
                length += len(chunk)
                if whole is not None and length > whole:
                    break
    except OSError as error:  # of the file: _body has already told those of the connection
        raise DownloadError(f"cannot write {part.path}: {error}. Free some space and run again.") from error
    if whole is not None and length > whole:
        part.discard()
        raise DownloadError(
            f"{response.url} sends more than the {whole:,} bytes expected: it is not the file it should be. "
            "What had come has been deleted. Give its true size, or the path of a file fetched another way."
        )


def _body(response: requests.Response) -> Iterator[bytes]:
    """The bytes of a response, with every way that a connection breaks told as passing trouble."""
    try:
        yield from response.iter_content(_CHUNK)
    except requests.exceptions.RequestException as error:
        raise _PassingTroubleError(f"the connection broke ({error})") from error


def _validator(response: requests.Response) -> str | None:
    """What identifies this version of the file in If-Range: a strong ETag, else the date it was last modified."""
    etag = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified")


def _refusal(response: requests.Response) -> str:
    meaning = {
        401: "It asks for a password.",
        403: "It refuses access, perhaps to this network.",
        404: "The file has moved.",
        410: "The file is gone.",
    }.get(response.status_code, "This is not an answer that carries a file.")
    return (
        f"{response.url} answered {response.status_code} {response.reason}. {meaning} "
        "Look at the address in a browser, and give the new address, or the path of a file fetched another way."
    )


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks to wait, given as a number or as a date."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _certificate_advice(url: str, error: Exception) -> str:
    return (
        f"the certificate of {url} cannot be verified ({error}).\n"
        "The server may send an incomplete chain of certificates, or the ones to trust here may be old. One of:\n"
        "  - update the latter: pip install --upgrade certifi\n"
        "  - export the missing intermediate certificate from a browser's certificate viewer, append it to a copy of "
        "the file\n    that `python -m certifi` names, and give that copy: --ca-bundle PATH\n"
        "  - download the file with a browser and give its path: --archive PATH or --splits PATH\n"
        "Verification stays on: without it, anyone on the way could replace the file."
    )
