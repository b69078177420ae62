"""Decoding: the right frames in the right colours, windows equal to slices, and bad files named."""

from importlib import import_module

import numpy as np
import pytest
import torch

import ldvd_lib._kit.torchvision  # noqa: F401  (lets torchvision import beside any torch)
from ldvd_lib.data import decode
from ldvd_lib.data.decode import DecodeError

NUM_FRAMES = 22


@pytest.fixture(scope="module")
def frames(moving_square):
    return moving_square(NUM_FRAMES)


@pytest.fixture(scope="module")
def video(tmp_path_factory, write_video, frames):
    return write_video(tmp_path_factory.mktemp("video") / "v_Square_g01_c01.avi", frames, fps=30)


def test_frames_come_back_in_order_and_in_their_colours(video, frames):
    decoded = decode.decode(video)
    assert decoded.shape == frames.shape
    assert decoded.dtype == np.uint8
    # MPEG-4 halves the resolution of colour, so only the edges of the coloured bar may differ much.
    difference = np.abs(decoded.astype(int) - frames)
    assert difference.mean() < 3
    order = [np.abs(frames.astype(int) - frame).mean(axis=(1, 2, 3)).argmin() for frame in decoded.astype(int)]
    assert order == list(range(NUM_FRAMES))


def test_probe_agrees_with_decode(video):
    assert decode.probe(video) == decode.VideoInfo(num_frames=NUM_FRAMES, fps=30.0, width=64, height=48)


@pytest.mark.parametrize(("height", "width"), [(48, 80), (80, 48), (48, 48), (48, 66)])
def test_crop_is_the_centre_square(tmp_path, write_video, height, width):
    margin = np.zeros((9, height, width, 3), dtype=np.uint8)
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    margin[:, top : top + side, left : left + side] = (40, 200, 80)
    decoded = decode.decode(write_video(tmp_path / "margin.avi", margin), image_size=12)
    assert decoded.shape == (9, 12, 12, 3)
    assert np.abs(decoded[:, 1:-1, 1:-1].astype(int) - (40, 200, 80)).max() < 12


@pytest.mark.parametrize("image_size", [12, 33, 96])
def test_resize_is_torchvisions_antialiased_one(video, image_size):
    square = torch.from_numpy(decode.decode(video)[:, :, 8:56]).permute(0, 3, 1, 2)
    resize = import_module("torchvision.transforms.v2.functional").resize
    expected = resize(square, [image_size, image_size], antialias=True).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(decode.decode(video, image_size=image_size), expected)


def test_resize_does_not_alias(tmp_path, write_video):
    checkers = np.indices((48, 64)).sum(axis=0) % 2 * 255
    still = np.repeat(checkers[None, :, :, None], 3, axis=3).repeat(9, axis=0).astype(np.uint8)
    decoded = decode.decode(write_video(tmp_path / "checkers.avi", still), image_size=8)
    assert np.abs(decoded[:, 1:-1, 1:-1].astype(int) - 127).max() < 20


def test_resizing_in_pieces_changes_nothing(video, monkeypatch):
    whole = decode.decode(video, image_size=16)
    monkeypatch.setattr(decode, "_CHUNK", 5)
    assert np.array_equal(decode.decode(video, image_size=16), whole)


@pytest.mark.parametrize(("suffix", "b_frames"), [(".avi", 0), (".avi", 2), (".mp4", 0), (".mp4", 2), (".mkv", 0)])
@pytest.mark.parametrize("stride", [1, 3])
def test_a_window_equals_the_slice(tmp_path, write_video, frames, suffix, b_frames, stride):
    path = write_video(tmp_path / f"video{suffix}", frames, b_frames=b_frames)
    whole = decode.decode(path)
    assert len(whole) == NUM_FRAMES
    assert np.array_equal(decode.decode(path, stride=stride), whole[::stride])
    for start in range(NUM_FRAMES):
        window = decode.decode(path, start=start, stride=stride, max_frames=4)
        assert np.array_equal(window, whole[start::stride][:4]), f"from frame {start}"


def test_windows_of_real_footage_equal_slices(ucf101_mini):
    for name, count, fps in (("ApplyEyeMakeup", 164, 25.0), ("BaseballPitch", 107, 30000 / 1001)):
        path = ucf101_mini / "UCF-101" / name / f"v_{name}_g01_c01.avi"
        assert decode.probe(path) == decode.VideoInfo(count, pytest.approx(fps), 320, 240)
        whole = decode.decode(path)
        assert whole.shape == (count, 240, 320, 3)
        for start in (1, 50, count - 16):
            assert np.array_equal(decode.decode(path, start=start, max_frames=16), whole[start : start + 16])


@pytest.mark.parametrize("kept", [0, 30, 0.3, 0.6])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path, video, kept):
    data = video.read_bytes()
    path = tmp_path / "v_Cut_g01_c01.avi"
    path.write_bytes(data[: int(kept * len(data)) if kept < 1 else kept])
    for read in (decode.decode, decode.probe):
        with pytest.raises(DecodeError, match=r"v_Cut_g01_c01\.avi"):
            read(path)


def test_frames_lost_in_the_middle_are_an_error(tmp_path, ucf101_mini):
    name = "v_ApplyEyeMakeup_g01_c02.avi"
    data = bytearray((ucf101_mini / "UCF-101" / "ApplyEyeMakeup" / name).read_bytes())
    size = len(data)
    data[size // 4 : 3 * size // 4] = bytes(3 * size // 4 - size // 4)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DecodeError, match=f"{name}.*of 25 frames"):
        decode.decode(tmp_path / name)


def test_a_file_without_frames_is_an_error(tmp_path, video):
    data = video.read_bytes()
    empty = tmp_path / "no_frames.avi"
    empty.write_bytes(data[: data.index(b"movi") + 4])
    text = tmp_path / "text.avi"
    text.write_text("This is not a video.\n" * 100)
    for path in (empty, text):
        for read in (decode.decode, decode.probe):
            with pytest.raises(DecodeError, match=path.name):
                read(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    for read in (decode.decode, decode.probe):
        with pytest.raises(FileNotFoundError, match=r"nowhere\.avi"):
            read(tmp_path / "nowhere.avi")


def test_no_frames_beyond_the_end(video):
    assert len(decode.decode(video, start=NUM_FRAMES - 1, max_frames=16)) == 1
    with pytest.raises(DecodeError, match=f"after frame {NUM_FRAMES}"):
        decode.decode(video, start=NUM_FRAMES)


@pytest.mark.parametrize("option", [{"image_size": 0}, {"stride": 0}, {"max_frames": 0}, {"start": -1}])
def test_options_out_of_range_are_refused(video, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        decode.decode(video, **option)
