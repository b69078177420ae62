"""Features in files: appended while videos are judged, checked when they are read.

A directory holds an array ``(count, width)`` float32 for each layer, as ``.npy``, and a log of what they depend on, how
many rows there are, and the SHA-256 of these. So a file that was cut, exchanged or changed by a failing disk is found.
Older logs have no hashes: there only the size is checked, and that no row is all zeros or not finite.
"""

import hashlib
import io
import json
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ldvd_lib._kit.configuration import load_json
from ldvd_lib._kit.files import remove_leftovers, replacing, to_disk, writing

Record = dict[str, str | int]

LOG = "progress.json"
SECONDS_BETWEEN_LOGS = 5.0  # waiting for a disk after every batch would be slow where batches take milliseconds

# Of a run: its directory's name, which may change, stood before this once.
_RUN_NAME = re.compile(r"^.*, (?=step \d+ \([0-9a-f]{8}\)$)", re.DOTALL)


def read_features(directory: Path, names: Iterable[str], record: Record) -> dict[str, np.ndarray] | None:
    """The arrays of a directory if they are finished, else None; nothing is written.

    Args:
        directory: where they are, or will be.
        names: of the arrays.
        record: what they depend on; its ``count`` is the number of rows.

    Raises:
        ValueError: if the directory holds something else, or something damaged.
        FileNotFoundError: if an array is missing.
    """
    count = int(record["count"])
    done, sha256 = _read_log(directory, record)
    if done < count:
        return None
    return {name: _read_rows(directory / f"{name}.npy", count, count, sha256.get(name)) for name in names}


class FeatureWriter:
    """Appends rows to the arrays of a directory, after those that are there; for one process at a time.

    The log never says more than what is on the disk already: it is written after the arrays, every few seconds and when
    the ``with`` block ends, however it ends. Rows are written as they come and not into a map of the file, where a full
    disk would end the process.

    Args:
        directory, names, record: as for `read_features`.

    Raises:
        ValueError, FileNotFoundError: as `read_features`.
    """

    def __init__(self, directory: Path, names: Iterable[str], record: Record) -> None:
        self.directory, self.record, self.count = directory, record, int(record["count"])
        self._files: dict[str, Any] = {}
        remove_leftovers(directory / LOG)
        done, sha256 = _read_log(directory, record)
        names = list(names)
        hashes = {name: hashlib.sha256() for name in names}
        unfinished = names if 0 < done < self.count else []
        lengths = {}
        for name in unfinished:  # all are checked before one is opened for writing
            rows = _read_rows(self._path(name), self.count, done, sha256.get(name))
            hashes[name].update(rows.data)
            lengths[name] = rows.nbytes
        for name in unfinished:
            with writing(self._path(name)):
                file = self._files[name] = self._path(name).open("r+b", buffering=0)
                _read_header(file)
                file.truncate(file.tell() + lengths[name])
                file.seek(0, os.SEEK_END)
        self._written = done, hashes  # one value, so that an interrupt never finds them apart
        self._logged, self._logged_at = done, time.monotonic()

    @property
    def done(self) -> int:
        """Rows that are there."""
        return self._written[0]

    def __enter__(self) -> "FeatureWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self.done > self._logged:
                self._log()
        except OSError:
            if kind is None:  # otherwise the disk is full, and what is being raised says so
                raise
        finally:
            for file in self._files.values():
                file.close()

    def append(self, rows: dict[str, Tensor]) -> None:
        """Write the next rows of each array.

        Raises:
            ValueError: if they are not finite.
            OSError: if they cannot be written, on a full disk, say.
        """
        done, hashes = self.done, {name: digest.copy() for name, digest in self._written[1].items()}
        until = done
        for name, values in rows.items():
            array = values.float().cpu().contiguous().numpy()
            if not np.isfinite(array).all():
                raise ValueError(
                    f"the judge finds {name} in a video that are not finite (NaN or infinite), after {done} videos "
                    f"that are kept in {self.directory}: look at the judge's network and at its precision"
                )
            with writing(self._path(name)):
                if name not in self._files:
                    self._files[name] = self._new(name, array.shape[1])
                _write_all(self._files[name], array.data.cast("B"))
            hashes[name].update(array.data)
            until = done + len(array)
        self._written = until, hashes
        if time.monotonic() - self._logged_at >= SECONDS_BETWEEN_LOGS:
            self._log()

    def _log(self) -> None:
        done, hashes = self._written
        for name, file in self._files.items():
            with writing(self._path(name)):
                os.fsync(file.fileno())
        sha256 = {name: digest.hexdigest() for name, digest in hashes.items()}
        with replacing(self.directory / LOG) as temporary:
            temporary.write_text(json.dumps({**self.record, "done": done, "sha256": sha256}))
        self._logged, self._logged_at = done, time.monotonic()

    def _new(self, name: str, width: int) -> Any:
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self._path(name).open("w+b", buffering=0)
        header = io.BytesIO()
        description = {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": (self.count, width)}
        np.lib.format.write_array_header_1_0(header, description)
        _write_all(file, header.getbuffer())
        to_disk(self.directory)
        return file

    def _path(self, name: str) -> Path:
        return self.directory / f"{name}.npy"


def _write_all(file: Any, content: memoryview) -> None:
    """Write to an unbuffered file, which may take less at a time, and says what is wrong at the next."""
    while content:
        content = content[file.write(content) :]


def _read_log(directory: Path, record: Record) -> tuple[int, dict[str, str]]:
    """How many rows a directory holds already, and the SHA-256 of each array's, if it is known."""
    path = directory / LOG
    if not path.is_file():
        return 0, {}
    logged = load_json(path)
    if not isinstance(logged, dict):
        raise ValueError(_damaged(path, f"it holds {logged!r:.80} and no object"))
    different = [
        f"{key}: {logged.get(key)!r} there, {value!r} now"
        for key, value in record.items()
        if logged.get(key) != value and not (key == "videos" and _RUN_NAME.sub("", str(logged.get(key))) == value)
    ]
    if different:
        raise ValueError(f"{directory} holds other features ({'; '.join(different)}): delete it, or choose another")
    done, sha256 = logged.get("done"), logged.get("sha256", {})
    if type(done) is not int or not 0 <= done <= int(record["count"]):
        raise ValueError(_damaged(path, f"'done' is {done!r}, and must be a number from 0 to {record['count']}"))
    if not isinstance(sha256, dict):
        raise ValueError(_damaged(path, f"'sha256' is {sha256!r:.80} and no object"))
    return done, sha256


def _read_rows(path: Path, count: int, rows: int, sha256: str | None) -> np.ndarray:
    """The first rows of an array of `count` rows, of which no more may be written yet, checked."""
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {path}, though {LOG} beside it counts {rows} videos: delete {path.parent}, and the "
            "features are computed again"
        )
    with path.open("rb") as file:
        try:
            (length, width), is_fortran, dtype = _read_header(file)
        except OSError:
            raise
        except Exception as error:  # NumPy evaluates the header as Python: many ways to fail
            raise ValueError(_damaged(path, f"no header of an array of rows, {error}")) from error
        if (length, is_fortran, dtype) != (count, False, np.float32) or width < 1:
            raise ValueError(_damaged(path, f"({length}, {width}) {dtype}, expected ({count}, width) float32"))
        expected, there = 4 * rows * width, path.stat().st_size - file.tell()
        if there < expected or (rows == count and there > expected):
            raise ValueError(_damaged(path, f"{there:,} bytes of numbers, expected {expected:,} of {rows} videos"))
        values = np.fromfile(file, np.float32, rows * width).reshape(rows, width)
    is_whole = (
        bool(np.isfinite(values).all() and values.any(1).all())
        if sha256 is None
        else hashlib.sha256(values.data).hexdigest() == sha256
    )
    if not is_whole:
        raise ValueError(_damaged(path, f"its numbers are not those that {LOG} beside it was written for"))
    return values


def _read_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of a ``.npy`` file; the numbers follow."""
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("of another version of NumPy's format")
    return np.lib.format.read_array_header_1_0(file)


def _damaged(path: Path, what: str) -> str:
    return f"{path} is damaged ({what}): delete {path.parent}, and the features are computed again"
