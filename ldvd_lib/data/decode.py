"""Video files into arrays of frames, with PyAV: any container and codec that FFmpeg reads."""

import errno
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.packages import needed
from ldvd_lib.data._reading import Reading

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

# Larger frames are refused: 8K video (7680 x 4320) fits, and a small file cannot ask for gigabytes.
MAX_PIXELS = 2**25

# Frames resized together, in bytes: enough of them to amortise the call, few enough to sit in memory at full size.
_CHUNK = 2**23

# What PyAV, NumPy and PyTorch raise about the content of a file. Arguments are checked before a file is opened, and a
# TypeError or an AttributeError is a fault of the program.
_FILE_ERRORS = (ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, ValueError)

# No fault of the file: too many open files, or a disk that cannot be read at the moment.
_OF_THE_SYSTEM = (errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE)

_PURPOSE = "to decode video files"


class DecodeError(ValueError):
    """A video file that cannot be decoded; the message names the file and the reason."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: frames, frames per second, and pixels across and down, as the video is shown."""

    num_frames: int
    fps: float
    width: int
    height: int


def probe(path: str | Path) -> VideoInfo:
    """Count the frames of a video file and decode its first; the rest only where no header states how many there are.

    Args:
        path: a video file.

    Returns:
        The number of frames stored in the file, its frame rate and its size in pixels. A frame that an AVI file leaves
        empty, for the last one to be shown again, is not stored; one that the edit list of an MP4 file leaves out is
        not counted.

    Raises:
        FileNotFoundError: there is no such file.
        DecodeError: it is not a video file, holds no frame, or is damaged or truncated.
        MissingPackageError: PyAV is not installed.
    """
    with _open(path) as (container, stream):
        reading = Reading(container, stream)
        frames = reading.frames()
        first = next(frames, None)
        if first is None:
            raise DecodeError(f"{path}: no frame could be decoded")
        for _ in reading.packets if stream.frames else frames:
            pass
        num_frames = reading.num_packets if stream.frames else reading.num_frames
        _check_whole(path, reading, num_frames)
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise DecodeError(f"{path}: the file does not say how many frames per second it has")
        width, height = first.width, first.height
        if _Orientation.of(first).transposed:
            width, height = height, width
        return VideoInfo(num_frames, float(rate), width, height)


def decode(
    path: str | Path,
    *,
    image_size: int | None = None,
    stride: int = 1,
    start: int = 0,
    max_frames: int | None = None,
) -> np.ndarray:
    """Decode a video file, or a window of it, into RGB frames, upright: as its rotation flag says to show them.

    Args:
        path: a video file.
        image_size: crop the centre square whose side is the frame's short side and resize it, antialiased, to this
            many pixels; None leaves the frames as they are.
        stride: keep every stride-th frame, beginning with `start`.
        start: the frame to begin with. Those before it are decoded, too: only counting from the first is exact.
        max_frames: stop after this many frames (counted after striding); None reads to the end.

    Returns:
        (T, H, W, 3) uint8. T is below `max_frames` where the file ends first. Where the size of the frames changes
        within the file, all are scaled to that of the first, as players do.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an argument is not a whole number, or is too small.
        DecodeError: it is not a video file, is damaged or truncated, has frames of more than `MAX_PIXELS`, or none at
            or after `start`.
        MissingPackageError: PyAV is not installed.
    """
    for name, value, least in (
        ("image_size", image_size, 1),
        ("stride", stride, 1),
        ("start", start, 0),
        ("max_frames", max_frames, 1),
    ):
        if value is not None:
            whole_number(name, value, least=least)
    with needed("av", _PURPOSE):
        from av.video.reformatter import VideoReformatter
    pending: list[np.ndarray] = []
    chunks: list[np.ndarray] = []

    def flush() -> None:
        if pending:
            frames = np.stack(pending)
            chunks.append(frames if image_size is None else resize(frames, image_size))
            pending.clear()

    with _open(path) as (container, stream):
        converter = VideoReformatter()  # for all frames, since setting up a conversion costs more than running it
        reading = Reading(container, stream)
        seen = 0
        for position, frame in enumerate(reading.frames()):
            if position == 0:
                width, height, orientation = frame.width, frame.height, _Orientation.of(frame)
            if position >= start and (position - start) % stride == 0:
                rgb = converter.reformat(frame, width, height, "rgb24", threads=1).to_ndarray()
                upright = orientation.apply(rgb)
                pending.append(upright if image_size is None else centre_square(upright))
                seen += 1
                if seen == max_frames:
                    break
                if len(pending) * rgb.nbytes >= _CHUNK:
                    flush()
        else:  # read to the end of the file: was it all there?
            _check_whole(path, reading, reading.num_frames)
            if not seen:
                raise DecodeError(f"{path}: no frame at or after frame {start}")
        flush()
        return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


@contextmanager
def _open(path: str | Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """Open a video file. Whatever is wrong with it, here or while it is read, becomes a DecodeError with its name."""
    with needed("av", _PURPOSE):
        import av
    _check_is_file(path)
    limits = {"max_pixels": str(2 * MAX_PIXELS)}  # for what a stream asks for later on; with a decoder's margins
    try:
        with _opened(path, limits) as container:
            if not container.streams.video:
                raise DecodeError(f"{path}: no video stream")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise DecodeError(f"{path}: FFmpeg has no decoder for its codec")
            if stream.width * stream.height > MAX_PIXELS:
                raise DecodeError(
                    f"{path}: its frames are said to be {stream.width}×{stream.height} pixels; at most {MAX_PIXELS:,} "
                    "(8K video) are decoded"
                )
            stream.codec_context.options = limits
            stream.codec_context.thread_count = 1  # many files decode side by side; each keeps to its own thread
            yield container, stream
    except DecodeError:
        raise
    except (av.error.FFmpegError, *_FILE_ERRORS) as error:
        if getattr(error, "errno", None) in _OF_THE_SYSTEM:
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DecodeError(f"{path}: {reason}") from error


def _opened(path: str | Path, options: dict[str, str]) -> "InputContainer":
    import av

    # "file:", since FFmpeg takes what stands before a colon for a protocol. A title in another encoding is no harm.
    return av.open(f"file:{path}", metadata_errors="replace", options=options)


def _check_is_file(path: str | Path) -> None:
    """Raise unless a path leads to a file: a pipe would wait for ever, and FFmpeg's words do not say what is wrong."""
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        link = "; it is a link to what is not there" if path.is_symlink() else ""
        raise FileNotFoundError(f"{path}: no such file{link}") from None
    except OSError as error:
        raise DecodeError(f"{path}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise DecodeError(f"{path}: {kind}, and not a video file")


def _check_whole(path: str | Path, reading: Reading, num_frames: int) -> None:
    fault = reading.fault(num_frames)
    if fault is None and reading.is_mpeg:
        # It states no length; but each of its packets does. They have to be read as they are stored, not put together.
        with _opened(path, {"fflags": "nofillin+noparse"}) as container:
            if any(packet.is_corrupt for packet in container.demux()):
                fault = "its last packet is longer than what is there"
    if fault is not None:
        raise DecodeError(f"{path}: truncated or damaged, {fault}")


@dataclass(frozen=True)
class _Orientation:
    """How to bring a stored frame upright: swap its axes, then mirror it."""

    transposed: bool = False
    upside_down: bool = False
    left_right: bool = False

    @classmethod
    def of(cls, frame: "av.VideoFrame") -> "_Orientation":
        data: Any = frame.side_data.get("DISPLAYMATRIX")
        if data is None:
            return cls()
        # A pixel (x, y) is shown at (ax + cy, bx + dy); the rest of the nine numbers is for shifts and perspective.
        a, b, _, c, d = np.frombuffer(data, dtype="<i4")[:5].tolist()
        return cls(True, b < 0, c < 0) if abs(b) > abs(a) else cls(False, d < 0, a < 0)

    def apply(self, frame: np.ndarray) -> np.ndarray:
        """(H, W, C), or (W, H, C) if it is transposed; a view."""
        frame = frame.swapaxes(0, 1) if self.transposed else frame
        return frame[:: -1 if self.upside_down else 1, :: -1 if self.left_right else 1]


def centre_square(frames: np.ndarray) -> np.ndarray:
    """Cut the centre square out of frames.

    Args:
        frames: ``(..., H, W, C)``.

    Returns:
        ``(..., S, S, C)`` with S = min(H, W), as a view.
    """
    height, width = frames.shape[-3:-1]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return frames[..., top : top + side, left : left + side, :]


def resize(frames: np.ndarray, image_size: int) -> np.ndarray:
    """Resize square frames, bilinear and antialiased: as every store of clips is made.

    Args:
        frames: ``(T, S, S, C)`` uint8.
        image_size: height and width of the result in pixels.

    Returns:
        ``(T, image_size, image_size, C)`` uint8, in memory of its own.
    """
    videos = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(
        videos, size=(image_size, image_size), mode="bilinear", align_corners=False, antialias=True
    )
    return resized.permute(0, 2, 3, 1).contiguous().numpy()
