"""Large files over HTTPS that survive dropped connections, restarts and servers that are not quite honest.

:func:`fetch` writes ``<name>.part`` and gives the file its name only when it is whole and checked. Beside the part lies
``<name>.part.json``: the address, the validator (ETag or date) that the server gave, and how much of the part is safe
on the disk. So a later run continues the same file, and never glues halves of two different ones together.

urllib3 makes and repeats the requests. What is left to do here is to go on where a connection broke within the file.
"""

import itertools
import logging
import math
import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from ldvd_lib._kit.files import file_sha256
from ldvd_lib._kit.lock import locked
from ldvd_lib._kit.packages import needed
from ldvd_lib.data._part import Part, is_plain

if TYPE_CHECKING:
    import requests
    from urllib3.util import Retry

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16  # bytes; a dropped connection loses at most the chunk under way
_SECONDS_BETWEEN_NOTES = 5.0  # what a killed process or a power failure may cost
_PURPOSE = "to download files"
_PASSING_TROUBLE = frozenset({408, 425, 429, 500, 502, 503, 504})


class DownloadError(RuntimeError):
    """A download that cannot go on; the message says what to do about it."""


class _BrokenTransferError(Exception):
    """An answer began well and did not end well: another request may get the rest."""


@cache
def _retry_class() -> "type[Retry]":
    """urllib3's patience, except where it would help nobody, wait too long or disturb the caller.

    A class made by a function, since its base is in a package that only downloads need.
    """
    with needed("urllib3", _PURPOSE):
        from urllib3.exceptions import InvalidHeader, SSLError
        from urllib3.util import Retry

    class CarefulRetry(Retry):
        _jitter = random.Random()  # of its own: the caller's seeded streams stay untouched

        def increment(self, *arguments: Any, **named: Any) -> "CarefulRetry":
            error, response = named.get("error"), named.get("response")
            if isinstance(error, SSLError) and _is_about_certificate(error):
                raise error  # the next attempt would meet the same
            retries = super().increment(*arguments, **named)
            logger.warning("%s; trying again", f"the server answered {response.status}" if response else error)
            return retries

        def get_backoff_time(self) -> float:
            return super().get_backoff_time() * self._jitter.uniform(0.5, 1.0)

        def parse_retry_after(self, retry_after: str) -> float:
            try:
                return min(super().parse_retry_after(retry_after), self.backoff_max)
            except InvalidHeader:
                return 0.0

    return CarefulRetry


@dataclass(frozen=True)
class Transfer:
    """How patiently and how safely to download.

    Args:
        attempts: failures in a row, without one new byte between them, after which to give up.
        backoff: seconds before the second retry (the first follows at once); doubles with each further failure, and is
            drawn between half and all.
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

    def _retries(self) -> "Retry":
        return _retry_class()(
            total=self.attempts - 1,
            backoff_factor=self.backoff / 2,  # urllib3 doubles it before its first use
            backoff_max=self.longest_wait,
            status_forcelist=_PASSING_TROUBLE,
            raise_on_status=False,
        )


def fetch(
    url: str,
    path: str | os.PathLike,
    *,
    size: int | None = None,
    sha256: str | None = None,
    transfer: Transfer | None = None,
) -> Path:
    """Download `url` to `path`, continuing an earlier attempt where there is one.

    A file that already has its name is checked and returned without asking the server or writing anything. Everything
    else goes to ``<path>.part`` first, so an interrupted call leaves nothing that looks finished; calling again
    continues it. While one process fetches a file, others that want the same wait for it (``.<name>.lock``, which
    stays).

    Args:
        url: an ``https://`` (or ``http://``) address.
        path: where to put the file; parent directories are made.
        size: expected length in bytes, or None if it is not known.
        sha256: expected SHA-256 as 64 hexadecimal digits, or None if it is not known.
        transfer: patience, time limits and certificates; None for the defaults.

    Returns:
        `path`, holding a file of the expected size and hash.

    Raises:
        DownloadError: the address does not answer with this file or leads from https to http, patience or disk ran out,
            or a check failed.
        MissingPackageError: the package requests is not installed, and the file is not there already.
    """
    path, transfer = Path(path), transfer or Transfer()
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise ValueError(f"sha256 is {sha256!r}; it must be 64 hexadecimal digits")
    if path.exists():
        return _present(path, size, sha256, transfer)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock"), busy=f"{path} is being downloaded already", patience=math.inf):
        if path.exists():  # since another process has fetched it meanwhile
            return _present(path, size, sha256, transfer)
        try:
            return _fetch(url, path, size, sha256, transfer)
        except OSError as error:  # of the disk: those of the connection have been told by now
            raise DownloadError(
                f"{path} cannot be written: {error}. Free some space or choose another directory, and run again: it "
                "continues where it stopped."
            ) from error


def _present(path: Path, size: int | None, sha256: str | None, transfer: Transfer) -> Path:
    """A file that has its name already, if it is the expected one."""
    if problem := _mismatch(path, size, sha256, transfer.progress):
        raise DownloadError(
            f"{path} is already there, but {problem}. Delete it and run again; "
            f"or, if it is merely incomplete, rename it to {path.name}.part to continue it."
        )
    return path


def _fetch(url: str, path: Path, size: int | None, sha256: str | None, transfer: Transfer) -> Path:
    """Download what lacks of `path`, check it and give it its name. The caller holds the lock."""
    part = Part(path, url)
    _download(part, url, size, transfer)
    if problem := _mismatch(part.path, size, sha256, transfer.progress):
        part.discard()
        raise DownloadError(
            f"the file from {url} is damaged or is not the expected one: {problem}. It has been deleted. Run again; "
            "if that does not help, the file on the server has changed: fetch it another way and pass its path."
        )
    part.finish(path)
    return path


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
    if not path.is_file():
        return "it is no file"
    length = path.stat().st_size
    if length == 0 and size != 0:
        return "it is empty"
    if size is not None and length != size:
        return f"it has {length:,} bytes where {size:,} were expected"
    if sha256 is not None:
        actual = file_sha256(path, progress=progress)
        if actual != sha256.lower():
            return f"its SHA-256 is {actual} where {sha256.lower()} was expected"
    return None


def _download(part: Part, url: str, size: int | None, transfer: Transfer) -> None:
    """Ask for the rest of `part` until it is whole, or patience runs out."""
    with needed("requests", _PURPOSE):
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.exceptions import MaxRetryError
    expected = size if size is not None else part.total
    if expected is not None and part.length > expected:
        part.restart()
    if size is not None and 0 < part.length == size:
        return
    adapter = HTTPAdapter(max_retries=transfer._retries())
    furthest = part.length

    def count(response: "requests.Response", **_: Any) -> None:
        """Let the failures on the way to an answer count until new bytes come."""
        adapter.max_retries = response.raw.retries

    with (
        requests.Session() as session,
        tqdm(total=expected, unit="B", unit_scale=True, desc=part.path.stem, disable=not transfer.progress) as bar,
    ):
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        session.hooks["response"].append(count)
        while True:
            try:
                _attempt(session, part, url, size, transfer, bar)
                return
            except _BrokenTransferError as trouble:
                # Only bytes beyond all earlier attempts count as progress: a server that ignores ranges and drops
                # every connection at the same place would otherwise be asked for ever.
                if part.length > furthest:
                    furthest, adapter.max_retries = part.length, transfer._retries()
                try:
                    adapter.max_retries = adapter.max_retries.increment("GET", url, error=trouble)
                except MaxRetryError:
                    raise _out_of_patience(url, part, transfer, trouble) from trouble
                adapter.max_retries.sleep()


def _attempt(
    session: "requests.Session", part: Part, url: str, size: int | None, transfer: Transfer, bar: tqdm
) -> None:
    """Ask once (more often only if no answer comes), append to `part` what the server sends, and see it complete.

    Raises:
        _BrokenTransferError: worth trying again.
        DownloadError: not worth trying again.
    """
    offset = part.length
    with _request(session, part, url, transfer) as response:
        if response.status_code in _PASSING_TROUBLE:
            answer = f"the server answered {response.status_code} {response.reason}"
            raise _out_of_patience(url, part, transfer, answer)
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
        if whole is None and not response.raw.chunked:
            logger.warning("%s: the server does not say how long the file is: it may not be whole", part.path.stem)
    if whole is not None and part.length < whole:
        raise _BrokenTransferError(f"the connection ended at {part.length:,} of {whole:,} bytes")


def _request(session: "requests.Session", part: Part, url: str, transfer: Transfer) -> "requests.Response":
    """Ask for what `part` lacks of `url`, as often as patience allows, until an answer comes."""
    with needed("requests", _PURPOSE):
        import requests
    # Without "identity" the server may compress, and then neither lengths nor ranges are those of the file.
    headers = {"Accept-Encoding": "identity"}
    if part.length:
        headers["Range"] = f"bytes={part.length}-"
        if part.validator is not None:
            headers["If-Range"] = part.validator
    try:
        response = session.get(
            url,
            headers=headers,
            stream=True,
            timeout=(transfer.connect_timeout, transfer.read_timeout),
            verify=str(transfer.ca_bundle) if transfer.ca_bundle else True,
        )
    except (requests.exceptions.ConnectionError, requests.exceptions.Timeout) as error:
        if isinstance(error, requests.exceptions.SSLError) and _is_about_certificate(error):
            raise DownloadError(_certificate_advice(url, error)) from error
        raise _out_of_patience(url, part, transfer, f"no connection ({error})") from error
    except requests.exceptions.RequestException as error:
        raise DownloadError(f"{url} cannot be asked for: {error}. Check the address.") from error
    except OSError as error:  # of a setting: certificates that are not there, say
        raise DownloadError(f"{url} cannot be asked for: {error}") from error
    for before, after in itertools.pairwise([*response.history, response]):
        if before.url.startswith("https:") and not after.url.startswith("https:"):
            response.close()
            raise DownloadError(
                f"{before.url} redirects to {after.url}, which is not encrypted. Fetch the file another way."
            )
    return response


def _offered(response: "requests.Response", part: Part, offset: int, size: int | None) -> tuple[int, int | None]:
    """From which byte on the response carries the file, and how long the whole file is (None: it does not say)."""
    status = response.status_code
    if status == 200:
        length = response.headers.get("Content-Length", "")
        start, total = 0, int(length) if length.isdigit() else None
    elif status in (206, 416):
        content = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", "").strip())
        start = int(content[1]) if content and content[1] else offset
        total = int(content[2]) if content and content[2] != "*" else None
    else:
        raise DownloadError(_refusal(response))
    if size is not None and total is not None and total != size:
        # Said before anything is overwritten: a wrong answer must not cost what earlier attempts won.
        raise DownloadError(
            f"{response.url} offers {total:,} bytes where {size:,} were expected: it is an error page, or the file has "
            "changed. Look at the address in a browser; if the file is right, give its size or its path yourself."
        )
    if status != 200 and (content is None or start != offset or _changed(response, part, total)):
        part.restart()
        raise _BrokenTransferError("the file on the server has changed, or it sent another range than asked for")
    return start, total


def _changed(response: "requests.Response", part: Part, total: int | None) -> bool:
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


def _append(response: "requests.Response", part: Part, whole: int | None, bar: tqdm) -> None:
    """Write the body of `response` to the end of `part`, which has `whole` bytes when it is complete."""
    length = part.length
    bar.total, bar.n = whole, length
    bar.refresh()
    with part.path.open("ab") as file:
        try:
            noted = time.monotonic()
            for chunk in _body(response):
                file.write(chunk)
                bar.update(len(chunk))
                length += len(chunk)
                if whole is not None and length > whole:
                    break
                if time.monotonic() - noted > _SECONDS_BETWEEN_NOTES:
                    file.flush()
                    part.note()
                    noted = time.monotonic()
        finally:  # also on an interrupt
            file.flush()
            part.note()
    if whole is not None and length > whole:
        part.discard()
        raise DownloadError(
            f"{response.url} sends more than the {whole:,} bytes expected: it is not the file it should be. "
            "What had come has been deleted. Give its true size, or the path of a file fetched another way."
        )


def _body(response: "requests.Response") -> Iterator[bytes]:
    """The bytes of a response, with every way that a connection breaks told as one."""
    with needed("requests", _PURPOSE):
        import requests
    try:
        yield from response.iter_content(_CHUNK)
    except requests.exceptions.RequestException as error:
        raise _BrokenTransferError(f"the connection broke ({error})") from error


def _validator(response: "requests.Response") -> str | None:
    """What identifies this version of the file in If-Range: a strong ETag, else the date it was last modified."""
    etag = response.headers.get("ETag")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
    return validator if validator and is_plain(validator) else None


def _refusal(response: "requests.Response") -> str:
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


def _out_of_patience(url: str, part: Part, transfer: Transfer, trouble: object) -> DownloadError:
    return DownloadError(
        f"gave up on {url} after {transfer.attempts} attempts without progress, with {part.length:,} bytes "
        f"here. The last one: {trouble}. Run again to continue where it stopped."
    )


def _is_about_certificate(error: Exception) -> bool:
    """Whether a secure connection failed because nobody vouches for the server, and not by chance."""
    return "certificate" in str(error).lower()


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
