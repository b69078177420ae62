"""A store of clips while it is being built: what makes it resumable, whatever stops the process.

One writer appends the clips in a fixed order. About once a second it brings the frames to the disk, and only then
enters their clips in the journal. The next run keeps what the journal holds, cuts off whatever follows it and goes on,
so that the finished files are the same to the byte as if nothing had happened. A power failure costs about a second's
work.
"""

import contextlib
import hashlib
import json
import logging
import math
import os
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ldvd_lib._kit.configuration import parse_json
from ldvd_lib.data.clips import Clip, ClipIndex
from ldvd_lib.data.store import FORMAT, FRAMES, write_header, write_index

logger = logging.getLogger(__name__)

JOURNAL = "journal.jsonl"
_SECONDS_BETWEEN_COMMITS = 1.0
_COLUMNS = {"label": int, "fps": float, "offset": int, "length": int}  # of a clip that was not skipped


class UnfinishedStore:
    """The frames decoded so far, and the journal of the clips that they belong to.

    Opening a directory takes up the work found there: `records` are the clips that need no decoding. A record has
    "name" and "source" (None if the file could not be read), and then "label", "fps", "offset" and "length", or
    "reason" if the clip was skipped.
    """

    def __init__(self, directory: Path, parameters: dict[str, Any], clips: list[Clip]) -> None:
        self.directory = directory
        self.parameters = parameters
        self.records: list[dict[str, Any]] = []
        self._num_frames = 0
        self._uncommitted: list[bytes] = []
        self._last_commit = time.monotonic()
        self._frames = _open_for_update(directory / FRAMES)
        self._journal = _open_for_update(directory / JOURNAL)
        self._take_up(clips)

    def __enter__(self) -> "UnfinishedStore":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        # Of frames that it could not write, the system says so once: asked again, it may call them safe.
        if not isinstance(error, OSError):
            self.commit()
        for file in (self._frames, self._journal):
            with contextlib.suppress(OSError):  # it is full, as the error that is on its way says
                file.close()

    def append(self, record: dict[str, Any], frames: np.ndarray | None) -> None:
        """Add a clip: (T, H, W, 3) uint8 frames, or None for one that is skipped."""
        if frames is not None:
            record = record | {"offset": self._num_frames, "length": len(frames)}
            self._frames.write(np.ascontiguousarray(frames).data)
            self._num_frames += len(frames)
        self.records.append(record)
        self._uncommitted.append(_line(record))
        if time.monotonic() - self._last_commit > _SECONDS_BETWEEN_COMMITS:
            self.commit()

    def commit(self) -> None:
        """Bring frames and then journal to the disk: a clip is in the journal only if all its frames are safe."""
        _flush(self._frames)
        self._journal.writelines(self._uncommitted)
        _flush(self._journal)
        self._uncommitted.clear()
        self._last_commit = time.monotonic()

    def finish(self, index: ClipIndex) -> None:
        """Complete the header of the frames and write the index."""
        clips = [record for record in self.records if "length" in record]
        skipped = [record for record in self.records if "length" not in record]
        if not clips:
            reasons = "\n".join(f"{record['name']}: {record['reason']}" for record in skipped)
            raise ValueError(f"not one clip could be decoded:\n{reasons}")
        for line in index.unreadable + index.too_short:
            name, _, reason = line.partition(": ")
            skipped.append({"name": name, "reason": reason})
        self._write_header()
        self.commit()
        write_index(self.directory, self._shape(), self.parameters, index.class_names, clips, skipped)

    def _shape(self) -> tuple[int, int, int, int]:
        return (self._num_frames, self.parameters["image_size"], self.parameters["image_size"], 3)

    def _write_header(self) -> int:
        """Write the .npy header for the frames so far; return its size, which leaves room for any number of them."""
        self._frames.seek(0)
        write_header(self._frames, self._shape())
        return self._frames.tell()

    def _take_up(self, clips: list[Clip]) -> None:
        """Keep the longest run of journalled clips that still holds and cut both files off after it."""
        heading = _line({"format": FORMAT, "parameters": self.parameters})
        header_size = self._write_header()
        frame_size = self.parameters["image_size"] ** 2 * 3
        stored = (os.fstat(self._frames.fileno()).st_size - header_size) // frame_size
        lines = self._journal.readlines()
        kept = 0
        if lines[:1] == [heading]:
            kept = len(heading)
            for line, clip in zip(lines[1:], clips, strict=False):
                record = _read_record(line, clip, offset=self._num_frames)
                if record is None or not is_unchanged(record["source"], clip.path):
                    break
                end = self._num_frames + record.get("length", 0)
                if end > stored:
                    break
                self.records.append(record)
                self._num_frames = end
                kept += len(line)
        elif lines:
            logger.warning("%s was begun with other parameters: starting again", self.directory)
        self._journal.truncate(kept)
        # On the disk before anything new is written: what is cut off must not come back after a power failure, below a
        # new heading or beside new frames.
        _flush(self._journal)
        self._journal.seek(kept)
        if not kept:
            self._journal.write(heading)
        end = header_size + self._num_frames * frame_size
        self._frames.truncate(end)
        self._frames.seek(end)


def fingerprint(path: Path) -> dict[str, Any]:
    """What identifies a source file: its name, size in bytes, time of modification and SHA-256.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():  # a link that leads nowhere, a directory, or a pipe, which one would wait for without end
        raise FileNotFoundError(f"{path}: no file that can be read")
    status = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{path.parent.name}/{path.name}"
    return {"file": name, "size": status.st_size, "modified_ns": status.st_mtime_ns, "sha256": digest}


def is_unchanged(source: dict[str, Any] | None, path: Path) -> bool:
    """Whether a file has the fingerprint `source`, or still cannot be read, where that is None.

    It is read only if its size agrees and its time does not, or if it could not be read.
    """
    try:
        if source is None:
            return not fingerprint(path)
        status = path.stat()
        if not path.is_file() or status.st_size != source.get("size"):
            return False
        return status.st_mtime_ns == source.get("modified_ns") or fingerprint(path)["sha256"] == source.get("sha256")
    except OSError:
        return source is None


def _open_for_update(path: Path) -> BinaryIO:
    path.touch()
    return path.open("r+b")


def _flush(file: BinaryIO) -> None:
    """Bring what was written to an open file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _read_record(line: bytes, clip: Clip, *, offset: int) -> dict[str, Any] | None:
    """A line of the journal; None unless it is what is written of this clip where its frames begin at `offset`.

    It may be anything: the process may have died, or the power gone, while it was being written.
    """
    try:
        record = parse_json(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("name") != clip.name:
        return None
    if not isinstance(record.get("source", 0), dict | None):
        return None
    if "length" not in record:
        return record if isinstance(record.get("reason"), str) else None
    if any(type(record.get(key)) is not kind for key, kind in _COLUMNS.items()):
        return None
    fits = (record["label"], record["offset"]) == (clip.label, offset) and record["length"] >= 1
    return record if fits and 0 < record["fps"] < math.inf else None
