"""Video files and picture strips."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from kinds.kind import Kind, Result, wrong
from ldvd_lib.data import decode, weizmann

NUM_FRAMES = 24


def moving_square(number: int, num_frames: int = NUM_FRAMES) -> np.ndarray:
    """Frames (T, 48, 64, 3), no two alike."""
    frames = np.full((num_frames, 48, 64, 3), (60 + 20 * number, 90, 30), np.uint8)
    for time, frame in enumerate(frames):
        frame[8:20, 2 * time : 2 * time + 12] = 220
        frame[30 : 32 + time % 16, 20:30] = (200, 40, 40)
    # Noise, so that a frame takes some hundred bytes.
    return frames + np.random.default_rng(number).integers(0, 30, frames.shape, dtype=np.uint8)


def write_video(path: Path, frames: np.ndarray, codec: str = "mpeg4") -> Path:
    """A file whose suffix chooses the container."""
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        stream.codec_context.gop_size = 6
        stream.codec_context.bit_rate = 1_000_000
        stream.codec_context.thread_count = 1
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def make_video(directory: Path, number: int, *, name: str, codec: str) -> None:
    write_video(directory / name, moving_square(number), codec)


def use_video(directory: Path) -> Result:
    (path,) = directory.iterdir()
    info = decode.probe(path)
    return {
        "counted": info.num_frames,
        "frames": decode.decode(path),
        "small": decode.decode(path, image_size=8, stride=2),
        "window": decode.decode(path, start=5, max_frames=4),
    }


def sound_video(result: Result, expected: Result, *, states: str = "frames") -> str:
    """Damage within a frame cannot be noticed, and a group of pictures may be lost, a quarter; not more of the clip.

    AVI and MP4 state the number of their frames. Matroska states a duration: the end must be there, but a hole before
    it looks like a pause of a variable frame rate. MPEG program streams state nothing.
    """
    frames, whole = result["frames"], expected["frames"]
    count = len(whole)
    distances = np.abs(whole.astype(int) - frames[-1]).mean((1, 2, 3)) if frames.shape[1:] == whole.shape[1:] else [0]
    return wrong(
        all_frames_there=len(frames) >= count - count // 4 or states != "frames",
        end_there=len(frames) >= count - count // 4
        or states != "duration"
        or np.argmin(distances) >= count - count // 4,
        counted_as_decoded=abs(len(frames) - result["counted"]) <= count // 4,
        colours=frames.ndim == 4 and frames.shape[-1] == 3 and frames.dtype == np.uint8,
        small_ones_as_many=len(result["small"]) == -(-len(frames) // 2) and result["small"].shape[1:] == (8, 8, 3),
        window_of_four=len(result["window"]) == max(0, min(4, len(frames) - 5)),
    )


def make_strips(directory: Path, number: int) -> None:
    """The Weizmann actions' layout: pairs of pictures, frames side by side."""
    for folder in weizmann.FOLDERS:
        (directory / "actions" / folder).mkdir(parents=True)
        for index in range(4):
            strip = Image.fromarray(
                moving_square(number + index, 6)[:, :48, :48].transpose(1, 0, 2, 3).reshape(48, -1, 3)
            )
            strip.save(directory / "actions" / folder / f"{index}.{'png' if index < 2 else 'jpg'}")


def use_strips(directory: Path) -> Result:
    """A strip that is skipped counts as an error with the reason that the store gives."""
    store = weizmann.load(directory, image_size=8, subset="all", mirrored=True)
    if store.skipped:
        raise ValueError(store.skipped[0]["reason"])
    return [np.array(clip) for clip in store]


def sound_strips(result: Result, expected: Result) -> str:
    """A changed pixel of a JPEG cannot be noticed."""
    return wrong(all_frames_there=[clip.shape for clip in result] == [clip.shape for clip in expected])


def _video(suffix: str, codec: str, states: str) -> Kind:
    make = partial(make_video, name=f"v_Square_g01_c01.{suffix}", codec=codec)
    return Kind(make, use_video, ("v_*",), partial(sound_video, states=states))


KINDS = {
    "avi": _video("avi", "mpeg4", "frames"),
    "mp4": _video("mp4", "libx264", "frames"),
    "mkv": _video("mkv", "libx264", "duration"),
    "webm": _video("webm", "libvpx", "duration"),
    "mpg": _video("mpg", "mpeg2video", "nothing"),
    "picture strips": Kind(make_strips, use_strips, ("actions/0/*",), sound_strips),
}
