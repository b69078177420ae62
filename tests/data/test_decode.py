"""Decoding: the right frames in the right colours, windows equal to slices, and bad files named."""

import os
from importlib import import_module
from pathlib import Path

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
    monkeypatch.setattr(decode, "_CHUNK", 5 * 48 * 64 * 3)
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


@pytest.mark.parametrize("empty", [1, 12])
def test_a_window_equals_the_slice_where_slots_are_empty(tmp_path, write_video, moving_square, empty):
    """An AVI file shows a frame once more by an empty slot, which holds no frame and is not counted as one."""
    slots = np.delete(np.arange(50), np.linspace(5, 40, empty).astype(int))
    path = write_video(tmp_path / "gaps.avi", moving_square(50)[slots], slots=slots.tolist())
    whole = decode.decode(path)
    assert len(whole) == decode.probe(path).num_frames == 50 - empty
    order = [np.abs(moving_square(50).astype(int) - frame).mean(axis=(1, 2, 3)).argmin() for frame in whole.astype(int)]
    assert order == slots.tolist()
    for start in range(len(whole)):
        assert np.array_equal(decode.decode(path, start=start, max_frames=4), whole[start : start + 4])


@pytest.mark.parametrize("skipped", [6, 9])
def test_frames_that_an_edit_list_leaves_out_are_left_out(tmp_path, write_video, moving_square, skipped):
    import av

    path, edited = write_video(tmp_path / "whole.mp4", moving_square(30)), tmp_path / "edited.mp4"
    with av.open(str(path)) as source, av.open(str(edited), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.pts -= int(skipped / 25 / packet.time_base)
                packet.dts -= int(skipped / 25 / packet.time_base)
                packet.stream = stream
                target.mux(packet)
    assert np.array_equal(decode.decode(edited), decode.decode(path)[skipped:])
    assert decode.probe(edited).num_frames == 30 - skipped


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_come_upright(tmp_path, write_video, frames, degrees, mirrored):
    plain = decode.decode(write_video(tmp_path / "plain.mp4", frames[:5]))
    path = write_video(tmp_path / "turned.mp4", frames[:5], orient={"degrees": degrees, "hflip": mirrored})
    upright = np.rot90(plain, degrees // 90, axes=(1, 2))
    upright = upright[:, :, ::-1] if mirrored else upright
    assert np.array_equal(decode.decode(path), upright)
    assert np.array_equal(decode.decode(path, image_size=16), decode.resize(decode.centre_square(upright), 16))
    assert (decode.probe(path).height, decode.probe(path).width) == upright.shape[1:3]


def test_frames_of_another_size_are_scaled_to_the_first(tmp_path, write_video, moving_square):
    large = write_video(tmp_path / "large.ts", moving_square(12), codec="mpeg2video").read_bytes()
    small = write_video(tmp_path / "small.ts", moving_square(12)[:, ::2, ::2], codec="mpeg2video").read_bytes()
    path = tmp_path / "changes.avi"
    path.write_bytes(large + small)
    decoded = decode.decode(path)
    assert decoded.shape[1:] == (48, 64, 3) and 22 <= len(decoded) <= 24
    assert np.abs(decoded[-5:].astype(int) - moving_square(12)[-5:]).mean() < 8
    assert decode.decode(path, image_size=16).shape == (len(decoded), 16, 16, 3)
    for start in (11, 12, 13, 20):
        assert np.array_equal(decode.decode(path, start=start), decoded[start:])


def test_real_odd_files_decode(odd_files, ucf101_mini):
    """The one with a title in Latin 1 is a clip of UCF-101; the other changes its size halfway."""
    clip = ucf101_mini / "UCF-101" / "ApplyEyeMakeup" / "v_ApplyEyeMakeup_g01_c01.avi"
    assert np.array_equal(decode.decode(odd_files / "latin1-title.avi"), decode.decode(clip))
    assert decode.decode(odd_files / "changes-size.avi").shape == (39, 240, 320, 3)


def test_a_title_in_another_encoding_does_no_harm(tmp_path, write_video, frames, video):
    path = write_video(tmp_path / "titled.avi", frames, fps=30, title="Caf_ au lait")
    path.write_bytes(path.read_bytes().replace(b"Caf_", "Café".encode("latin-1")))
    assert b"Caf\xe9" in path.read_bytes()
    assert np.array_equal(decode.decode(path), decode.decode(video))


def test_windows_of_real_footage_equal_slices(ucf101_mini):
    for name, count, fps in (("ApplyEyeMakeup", 164, 25.0), ("BaseballPitch", 107, 30000 / 1001)):
        path = ucf101_mini / "UCF-101" / name / f"v_{name}_g01_c01.avi"
        assert decode.probe(path) == decode.VideoInfo(count, pytest.approx(fps), 320, 240)
        whole = decode.decode(path)
        assert whole.shape == (count, 240, 320, 3)
        for start in (1, 50, count - 16):
            assert np.array_equal(decode.decode(path, start=start, max_frames=16), whole[start : start + 16])


@pytest.mark.parametrize("b_frames", [0, 2])
def test_no_clip_is_too_short_to_be_whole(tmp_path, write_video, moving_square, b_frames):
    for suffix in (".avi", ".mp4", ".mkv", ".mpg"):
        for num_frames in range(1, 10):
            codec = "mpeg2video" if suffix == ".mpg" else "mpeg4"
            path = write_video(tmp_path / f"short{suffix}", moving_square(num_frames), b_frames=b_frames, codec=codec)
            assert len(decode.decode(path)) == decode.probe(path).num_frames == num_frames, suffix


@pytest.mark.parametrize("kept", [0, 30, 0.3, 0.6])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path, video, kept):
    data = video.read_bytes()
    path = tmp_path / "v_Cut_g01_c01.avi"
    path.write_bytes(data[: int(kept * len(data)) if kept < 1 else kept])
    for read in (decode.decode, decode.probe):
        with pytest.raises(DecodeError, match=r"v_Cut_g01_c01\.avi"):
            read(path)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".avi", "mpeg4"), (".mp4", "mpeg4"), (".mkv", "mpeg4"), (".webm", "libvpx"), (".mpg", "mpeg2video")],
)
def test_a_file_is_whole_or_refused_whatever_the_container(tmp_path, write_video, moving_square, suffix, codec):
    path = write_video(tmp_path / f"v_Whole_g01_c01{suffix}", moving_square(50), codec=codec)
    assert len(decode.decode(path)) == decode.probe(path).num_frames == 50
    data = path.read_bytes()
    for kept in (0.2, 0.4, 0.6, 0.8):
        path.write_bytes(data[: int(kept * len(data))])
        for read in (decode.decode, decode.probe):
            with pytest.raises(DecodeError, match=path.name):
                read(path)


def test_a_gap_in_time_is_a_still_picture_and_one_in_the_bytes_is_damage(tmp_path, write_video, moving_square):
    still = [*range(10), *range(40, 50)]
    path = write_video(tmp_path / "v_Still_g01_c01.mkv", moving_square(20), slots=still)
    assert len(decode.decode(path)) == decode.probe(path).num_frames == 20
    path = write_video(tmp_path / "v_Hole_g01_c01.mkv", moving_square(50))
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) * 2 // 3] = bytes(len(data) * 2 // 3 - len(data) // 3)
    path.write_bytes(data)
    for read in (decode.decode, decode.probe):
        with pytest.raises(DecodeError, match=path.name):
            read(path)


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_a_file_with_another_one_behind_it_is_refused(tmp_path, write_video, moving_square, suffix):
    path = write_video(tmp_path / f"twice{suffix}", moving_square(24))
    path.write_bytes(2 * path.read_bytes())
    for read in (decode.decode, decode.probe):
        with pytest.raises(DecodeError, match="twice"):
            read(path)


def test_sound_may_be_longer_than_the_video(tmp_path, moving_square):
    import av

    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        video, audio = container.add_stream("mpeg4", rate=25), container.add_stream("pcm_s16le", rate=8000)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        for pixels in moving_square(10):
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(video.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), layout="mono")
        silence.sample_rate, silence.pts = 8000, 0
        container.mux([*audio.encode(silence), *audio.encode()])
    assert len(decode.decode(path)) == decode.probe(path).num_frames == 10


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


def test_what_cannot_be_opened_as_a_video_is_named(tmp_path, write_video, frames, video):
    unknown = tmp_path / "unknown.avi"
    unknown.write_bytes(video.read_bytes().replace(b"FMP4", b"ZZZZ"))
    header = write_video(tmp_path / "fast.mp4", frames, options={"movflags": "faststart"})
    header.write_bytes(header.read_bytes()[:500])
    huge = write_video(tmp_path / "huge.avi", frames, codec="ffv1")
    size = np.array([64, 48], "<u4").tobytes()
    assert huge.read_bytes().count(size) == 2  # of the file and of the stream
    huge.write_bytes(huge.read_bytes().replace(size, np.array([30_000, 30_000], "<u4").tobytes()))
    (tmp_path / "folder.avi").mkdir()
    os.mkfifo(tmp_path / "pipe.avi")
    for name, reason in {
        "unknown.avi": "decoder",
        "fast.mp4": "",
        "huge.avi": "",
        "folder.avi": "a directory",
        "pipe.avi": "a pipe",
    }.items():
        for read in (decode.decode, decode.probe):
            with pytest.raises(DecodeError, match=f"{name}: .*{reason}"):
                read(tmp_path / name)


def test_frames_over_the_limit_are_refused(video, monkeypatch):
    assert decode.MAX_PIXELS >= 7680 * 4320, "8K video is no fault"
    monkeypatch.setattr(decode, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(DecodeError, match=f"{video.name}: .*64×48"):
        decode.decode(video)


def test_a_colon_in_a_path_is_no_protocol(tmp_path, video, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("a:b") / "clip.avi"
    path.parent.mkdir()
    path.write_bytes(video.read_bytes())
    assert np.array_equal(decode.decode(path), decode.decode(video))
    assert decode.probe(path) == decode.probe(video)


@pytest.mark.parametrize(("error", "expected"), [(MemoryError(), DecodeError), (TypeError("ours"), TypeError)])
def test_errors_of_a_file_are_told_from_those_of_the_program(video, monkeypatch, error, expected):
    def fails(frames, image_size):
        raise error

    monkeypatch.setattr(decode, "resize", fails)
    with pytest.raises(expected, match=r"v_Square_g01_c01\.avi: MemoryError|ours"):
        decode.decode(video, image_size=16)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    for read in (decode.decode, decode.probe):
        with pytest.raises(FileNotFoundError, match=r"nowhere\.avi"):
            read(tmp_path / "nowhere.avi")
    (tmp_path / "link.avi").symlink_to("nowhere.avi")
    for read in (decode.decode, decode.probe):
        with pytest.raises(FileNotFoundError, match=r"link\.avi: no such file; it is a link"):
            read(tmp_path / "link.avi")


def test_no_frames_beyond_the_end(video):
    assert len(decode.decode(video, start=NUM_FRAMES - 1, max_frames=16)) == 1
    with pytest.raises(DecodeError, match=f"after frame {NUM_FRAMES}"):
        decode.decode(video, start=NUM_FRAMES)


@pytest.mark.parametrize("option", [{"image_size": 0}, {"stride": 0}, {"max_frames": 0}, {"start": -1}])
def test_options_out_of_range_are_refused(video, option):
    with pytest.raises(ValueError, match=next(iter(option))):
        decode.decode(video, **option)
