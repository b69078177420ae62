"""Small videos and a small data set in UCF-101's layout, written when they are needed."""

import os
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ldvd_lib.data import ucf101

WriteVideo = Callable[..., Path]

CLASSES = ("ApplyEyeMakeup", "HandstandPushups", "YoYo")
# The official files spell this one class differently from the class list.
SPELLED = {"HandstandPushups": "HandStandPushups"}


@pytest.fixture
def unsafe_moves(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What was renamed before all of it was on the disk: files since written to, directories since added to."""
    safe: dict[int, tuple[int, int]] = {}
    unsafe: list[Path] = []
    fsync, replace = os.fsync, Path.replace

    def state(status: os.stat_result) -> tuple[int, int]:
        return status.st_size, status.st_mtime_ns

    def recording_fsync(handle: int) -> None:
        fsync(handle)
        safe[os.fstat(handle).st_ino] = state(os.fstat(handle))

    def checking_replace(self: Path, target: Path) -> Path:
        for path in (self, *self.rglob("*")):
            if path.name != "lock" and safe.get(path.stat().st_ino) != state(path.stat()):
                unsafe.append(path)
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", recording_fsync)
    monkeypatch.setattr(Path, "replace", checking_replace)
    return unsafe


@pytest.fixture(scope="session")
def write_video() -> WriteVideo:
    """Write (T, H, W, 3) uint8 frames to a file whose suffix chooses the container.

    `slots` says at which tick each frame is shown, for files with gaps; `orient` is how the stream is to be turned, and
    `options` and `title` are the container's.
    """
    # Here, so that tests without video files run where there is no PyAV.
    av = pytest.importorskip("av", reason="writing video files needs PyAV")

    def write(
        path: Path,
        frames: np.ndarray,
        *,
        fps: int = 25,
        b_frames: int = 0,
        codec: str = "mpeg4",
        slots: Iterable[int] | None = None,
        orient: dict[str, Any] | None = None,
        options: dict[str, str] | None = None,
        title: str = "",
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w", options=options or {}) as container:
            if title:
                container.metadata["title"] = title
            stream = container.add_stream(codec, rate=fps)
            if orient:
                stream.set_display_rotation(**orient)
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = "yuv420p"
            stream.codec_context.gop_size = 6
            stream.codec_context.max_b_frames = b_frames
            if codec.startswith("mpeg"):
                stream.codec_context.qmax = 4
            for slot, pixels in zip(slots or range(len(frames)), frames, strict=True):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = slot, Fraction(1, fps)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return write


@pytest.fixture(scope="session")
def odd_files(repository: Path) -> Path:
    """Real files with oddities (a title that is not UTF-8, frames of two sizes): ``shared/data/odd-files``."""
    directory = repository.parent / "shared" / "data" / "odd-files"
    if not directory.is_dir():
        pytest.skip(f"the odd files are not at {directory}")
    return directory


@pytest.fixture(scope="session")
def moving_square() -> Callable[..., np.ndarray]:
    """Frames (T, 48, 64, 3) of a bright square that moves over a background of one colour; no two are alike."""

    def render(num_frames: int, seed: int = 0) -> np.ndarray:
        colour = np.random.default_rng(seed).integers(30, 120, 3)
        frames = np.broadcast_to(colour, (num_frames, 48, 64, 3)).astype(np.uint8)
        for time, frame in enumerate(frames):
            frame[8:20, time % 50 : time % 50 + 12] = 220
            frame[30 : 32 + time % 16, 20:30] = (200, 40, 40)
        return frames

    return render


@pytest.fixture
def make_tree(tmp_path: Path, write_video: WriteVideo, moving_square: Callable[..., np.ndarray]) -> Callable[..., Path]:
    """Write a data set: three classes, by default two training clips and one test clip each, of 9 frames and more."""

    def make(clips_per_class: int = 3) -> Path:
        root = tmp_path / "tree"
        splits = root / "ucfTrainTestlist"
        splits.mkdir(parents=True)
        (splits / "classInd.txt").write_text("".join(f"{i} {name}\r\n" for i, name in enumerate(CLASSES, 1)))
        lists: dict[str, list[str]] = {"train": [], "test": []}
        for label, class_name in enumerate(CLASSES, 1):
            for number in range(1, clips_per_class + 1):
                name = f"v_{SPELLED.get(class_name, class_name)}_g{number:02d}_c01.avi"
                frames = moving_square(8 + number, seed=10 * label + number)
                write_video(root / "UCF-101" / class_name / name, frames)
                line = f"{class_name}/{name}"
                test = number == clips_per_class
                lists["test" if test else "train"].append(line if test else f"{line} {label}")
        for subset, lines in lists.items():
            for fold in ucf101.FOLDS:
                (splits / f"{subset}list{fold:02d}.txt").write_text("".join(f"{line}\r\n" for line in lines))
        return root

    return make


@pytest.fixture
def tree(make_tree: Callable[..., Path]) -> Path:
    """The default data set of `make_tree`."""
    return make_tree()
