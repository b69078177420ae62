"""Video files into arrays of frames, with PyAV: any container and codec that FFmpeg reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ldvd_lib._kit.checks import whole_number
from ldvd_lib._kit.packages import needed

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

# A file holding less than this share of the frames its header promises counts as truncated. Headers may be off by a
# frame or two (dropped frames, packed B-frames); a download that broke off is off by far more.
COMPLETE = 0.9

# Frames resized together: enough to amortise the call, few enough that a long clip does not sit in memory at full size.
_CHUNK = 32

_PURPOSE = "to decode video files"


class DecodeError(ValueError):
    """A video file that cannot be decoded; the message names the file and the reason."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: frames, frames per second, and pixels across and down."""

    num_frames: int
    fps: float
    width: int
    height: int


def probe(path: str | Path) -> VideoInfo:
    """Count the frames of a video file and decode its first, without decoding the rest.

    Args:
        path: a video file.

    Returns:
        The number of frames stored in the file, its frame rate and its size in pixels.

    Raises:
        FileNotFoundError: there is no such file.
        DecodeError: it is not a video, holds no frame, or is truncated.
        MissingPackageError: PyAV is not installed.
    """
    with _open(path) as (container, stream):
        decodes, num_frames = False, 0
        for packet in container.demux(stream):
            decodes = decodes or bool(packet.decode())
            num_frames += packet.size > 0
        if not decodes:
            raise DecodeError(f"{path}: no frame could be decoded")
        _check_complete(path, stream, num_frames)
        rate = stream.average_rate or stream.guessed_rate
        if not rate:
            raise DecodeError(f"{path}: the file does not say how many frames per second it has")
        return VideoInfo(num_frames, float(rate), stream.width, stream.height)


def decode(
    path: str | Path,
    *,
    image_size: int | None = None,
    stride: int = 1,
    start: int = 0,
    max_frames: int | None = None,
) -> np.ndarray:
    """Decode a video file, or a window of it, into RGB frames.

    Args:
        path: a video file.
        image_size: crop the centre square whose side is the frame's short side and resize it, antialiased, to this
            many pixels; None leaves the frames as they are.
        stride: keep every stride-th frame, beginning with `start`.
        start: the frame to begin with. Reached by seeking where the file's key frames allow it.
        max_frames: stop after this many frames (counted after striding); None reads to the end.

    Returns:
        (T, H, W, 3) uint8. T is below `max_frames` where the file ends first.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an argument is not a whole number, or is too small.
        DecodeError: it is not a video, is damaged or truncated, or has no frame at or after `start`.
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
        seen = 0
        for position, frame in enumerate(_frames_from(container, stream, start)):
            if position % stride == 0:
                rgb = converter.reformat(frame, stream.width, stream.height, "rgb24", threads=1).to_ndarray()
                pending.append(rgb if image_size is None else centre_square(rgb))
                seen += 1
                if seen == max_frames:
                    break
            if len(pending) == _CHUNK:
                flush()
        else:  # read to the end of the file: was it all there?
            if not seen:
                raise DecodeError(f"{path}: no frame at or after frame {start}")
            _check_complete(path, stream, start + position + 1)
        flush()
    return chunks[0] if len(chunks) == 1 else np.concatenate(chunks)


@contextmanager
def _open(path: str | Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    with needed("av", _PURPOSE):
        import av
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DecodeError(f"{path}: no video stream")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1  # many files decode side by side; each keeps to its own thread
            yield container, stream
    except av.error.FFmpegError as error:
        raise DecodeError(f"{path}: {error.strerror or error}") from error


def _frames_from(container: "InputContainer", stream: "VideoStream", start: int) -> "Iterator[av.VideoFrame]":
    """The frames of a stream, in the order they are shown, from frame `start` on."""
    rate = stream.average_rate
    # A time stamp names a frame only where time is counted in frames and no frame is stored out of order.
    # Elsewhere only decoding from the beginning is exact.
    counted = (
        rate is not None
        and stream.time_base is not None
        and stream.time_base * rate == 1
        and not stream.codec_context.has_b_frames
    )
    seek = start > 0 and counted
    first = stream.start_time or 0
    if seek:
        container.seek(first + start, stream=stream, backward=True, any_frame=False)
    for position, frame in enumerate(container.decode(stream)):
        if seek and frame.pts is not None:
            position = frame.pts - first
        if position >= start:
            yield frame


def _check_complete(path: str | Path, stream: "VideoStream", num_frames: int) -> None:
    if num_frames < COMPLETE * stream.frames:  # stream.frames is 0 where the container does not say
        raise DecodeError(f"{path}: truncated or damaged, {num_frames} of {stream.frames} frames found")


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
