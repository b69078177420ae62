"""A store of clips while it is being built: what makes it resumable, whatever stops the process.

One writer appends the clips in a fixed order. About once a second it brings the frames to the disk, and only then
enters their clips in the journal. The next run keeps what the journal holds, cuts off whatever follows it and goes on,
so that the finished files are the same to the byte as if nothing had happened. A power failure costs about a second's
work.
"""

import hashlib
import json
import logging
import os
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ldvd_lib.data.ucf101 import Clip, UCF101Index

logger = logging.getLogger(__name__)

FORMAT = 1
FRAMES, INDEX, JOURNAL = "frames.npy", "index.json", "journal.jsonl"
_SECONDS_BETWEEN_COMMITS = 1.0


class UnfinishedStore:
    """The frames decoded so far, and the journal of the clips that they belong to.

    Opening a directory takes up the work found there: `records` are the clips that need no decoding. A record has
    "name" and "source", and then "label", "fps", "offset" and "length", or "reason" if the clip was skipped.
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

    def __exit__(self, *_: object) -> None:
        self.commit()
        self._frames.close()
        self._journal.close()

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

    def finish(self, index: UCF101Index) -> None:
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
        document = {
            "format": FORMAT,
            "parameters": self.parameters,
            "shape": self._shape(),
            "class_names": index.class_names,
            "clips": clips,
            "skipped": skipped,
        }
        with (self.directory / INDEX).open("wb") as file:
            file.write(json.dumps(document, indent=1).encode() + b"\n")
            _flush(file)

    def _shape(self) -> tuple[int, int, int, int]:
        return (self._num_frames, self.parameters["image_size"], self.parameters["image_size"], 3)

    def _write_header(self) -> int:
        """Write the .npy header for the frames so far; return its size, which leaves room for any number of them."""
        self._frames.seek(0)
        header = {"descr": "|u1", "fortran_order": False, "shape": self._shape()}
        np.lib.format.write_array_header_1_0(self._frames, header)
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
                record = _parse(line)
                if record is None or record["name"] != clip.name or not is_unchanged(record["source"], clip.path):
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
    """What identifies a source file: its name, size in bytes, time of modification and SHA-256."""
    status = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = f"{path.parent.name}/{path.name}"
    return {"file": name, "size": status.st_size, "modified_ns": status.st_mtime_ns, "sha256": digest}


def is_unchanged(source: dict[str, Any] | None, path: Path) -> bool:
    """Whether a file has the fingerprint `source`; it is read only if its size agrees and its time does not."""
    if source is None or not path.is_file():
        return False
    status = path.stat()
    if status.st_size != source["size"]:
        return False
    return status.st_mtime_ns == source["modified_ns"] or fingerprint(path)["sha256"] == source["sha256"]


def _open_for_update(path: Path) -> BinaryIO:
    path.touch()
    return path.open("r+b")


def _flush(file: BinaryIO) -> None:
    """Bring what was written to an open file to the disk."""
    file.flush()
    os.fsync(file.fileno())


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    """A line of the journal; None if the process died while it was being written."""
    try:
        return json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
