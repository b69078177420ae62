"""Clips as tensors, grids, files and inline pictures."""

import base64
import io
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from ldvd_lib import video


def moving_squares(count: int = 1, num_frames: int = 6, height: int = 16, width: int = 16) -> torch.Tensor:
    """Videos ``(N, 3, T, H, W)`` uint8 in which every frame differs: a bright square walks over a coloured ramp."""
    videos = torch.zeros(count, 3, num_frames, height, width, dtype=torch.uint8)
    videos[:, 0] = torch.arange(width, dtype=torch.uint8) * 8
    videos[:, 1] = (torch.arange(height, dtype=torch.uint8) * 8)[:, None]
    for index in range(count):
        videos[index, 2] = 20 * index
        for time in range(num_frames):
            videos[index, :, time, 4:8, time : time + 4] = 250
    return videos


def read_gif(path) -> tuple[np.ndarray, list[float], dict]:
    with Image.open(path) as image:
        pictures, durations = [], []
        for index in range(image.n_frames):
            image.seek(index)
            pictures.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
        return np.stack(pictures), durations, image.info


# Numbers


def test_every_byte_survives_the_round_trip():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 1, 16, 16)
    floats = video.to_float(levels)
    assert floats.dtype == torch.float32
    assert floats.min() == -1 and floats.max() == 1
    assert torch.equal(video.to_uint8(floats), levels)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_to_uint8_rounds_and_clamps_in_every_floating_point_type(dtype):
    values = torch.tensor([-7.0, -1.0, 0.25, 1.0, 7.0], dtype=dtype)
    assert video.to_uint8(values).tolist() == [0, 0, 159, 255, 255]


def test_frames_come_out_as_image_libraries_take_them():
    clip = torch.rand(3, 5, 4, 6) * 2 - 1
    pictures = video.frames(clip)
    assert pictures.shape == (5, 4, 6, 3) and pictures.dtype == np.uint8 and pictures.flags["C_CONTIGUOUS"]
    assert np.array_equal(pictures[2, 1, 3], video.to_uint8(clip[:, 2, 1, 3]).numpy())


# Grids


@pytest.mark.parametrize(
    ("count", "columns", "rows_and_columns"),
    [(1, None, (1, 1)), (4, None, (2, 2)), (5, None, (2, 3)), (9, None, (3, 3)), (5, 2, (3, 2)), (3, 8, (1, 3))],
)
def test_grid_has_the_size_its_cells_and_gaps_add_up_to(count, columns, rows_and_columns):
    laid_out = video.grid(moving_squares(count, height=8, width=12), columns=columns, padding=3, scale=2)
    rows, columns = rows_and_columns
    assert laid_out.shape == (3, 6, rows * 16 + (rows - 1) * 3, columns * 24 + (columns - 1) * 3)
    assert laid_out.dtype == torch.uint8


def test_grid_puts_each_video_in_its_place_and_background_elsewhere():
    videos = moving_squares(5, height=8, width=12)
    laid_out = video.grid(videos, columns=3, padding=2, background=(1, 2, 3))
    expected = torch.tensor([1, 2, 3], dtype=torch.uint8)[:, None, None, None].expand(3, 6, 18, 40).clone()
    for index, clip in enumerate(videos):
        row, column = divmod(index, 3)
        expected[:, :, row * 10 : row * 10 + 8, column * 14 : column * 14 + 12] = clip
    assert torch.equal(laid_out, expected)


def test_scale_repeats_pixels():
    videos = moving_squares(2)
    assert torch.equal(video.grid(videos, scale=3)[:, :, ::3, :48:3], videos[0])
    assert torch.equal(video.grid(videos, scale=3)[:, :, 2::3, 2:48:3], videos[0])


def test_labels_stand_above_their_videos_and_change_nothing_below():
    videos = moving_squares(2, height=32, width=32)
    labelled = video.grid(videos, labels=["first", "second"], scale=2)
    plain = video.grid(videos, scale=2)
    strip = labelled[:, :, : labelled.shape[2] - plain.shape[2]]
    assert torch.equal(labelled[:, :, strip.shape[2] :], plain)
    for column in (slice(0, 64), slice(66, 130)):
        assert strip[:, :, :, column].min() < 100, "there is dark text"
        assert (strip[:, :, :, column] == 255).float().mean() > 0.5, "on a light background"


def test_labels_turn_light_on_a_dark_background_and_long_ones_stay_inside_their_cell():
    videos = torch.zeros(2, 1, 1, 32, 32, dtype=torch.uint8)
    labelled = video.grid(
        videos, labels=["a label much longer than its cell is wide", ""], background=(0, 0, 0), padding=9
    )
    assert labelled.max() > 180
    assert labelled[..., 32:].max() == 0


def test_grid_takes_floats_and_one_channel():
    videos = torch.zeros(2, 1, 3, 8, 8)
    laid_out = video.grid(videos, background=(255, 0, 0))
    assert laid_out.shape == (1, 3, 8, 18)
    assert laid_out[..., 0].unique().tolist() == [128]
    assert laid_out[..., 8].unique().tolist() == [76], "the luminance of red"


def test_contact_sheet_shows_the_first_and_the_last_frame_and_evenly_spaced_ones_between():
    videos = moving_squares(2, num_frames=9)
    sheet = np.asarray(video.contact_sheet(videos, num_frames=3, padding=1))
    assert sheet.shape == (2 * 16 + 1, 3 * 16 + 2, 3)
    for row, clip in enumerate(videos):
        for column, time in enumerate((0, 4, 8)):
            cell = sheet[row * 17 : row * 17 + 16, column * 17 : column * 17 + 16]
            assert np.array_equal(cell, video.frames(clip)[time])


def test_contact_sheet_of_a_short_video_has_all_its_frames_and_labels_only_widen_it():
    videos = moving_squares(2, num_frames=3, height=32, width=32)
    plain = video.contact_sheet(videos, num_frames=8, padding=0)
    assert plain.size == (96, 64)
    labelled = video.contact_sheet(videos, num_frames=8, padding=0, labels=["jump", "a longer label"])
    assert np.array_equal(np.asarray(labelled)[:, -96:], np.asarray(plain))
    assert labelled.height == 64 and labelled.width > 96 + 60
    margin = np.asarray(labelled)[:, :-96]
    assert margin[:32].min() < 100 and margin[32:].min() < 100, "each row has its text"


# Files


def test_gif_reads_back_with_the_same_frames_size_and_time_and_loops_for_ever(tmp_path):
    clip = moving_squares()[0]
    path = video.save_gif(clip, tmp_path / "new" / "clip.gif", fps=10, scale=2)
    pictures, durations, info = read_gif(path)
    assert pictures.shape == (6, 32, 32, 3)
    assert durations == [100] * 6
    assert info["loop"] == 0
    error = np.abs(pictures[:, ::2, ::2].astype(int) - video.frames(clip))
    assert error.mean() < 4 and error.max() < 40


def test_gif_of_few_colours_is_exact(tmp_path):
    clip = torch.randint(0, 2, (3, 4, 12, 12), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)) * 255
    pictures, _, _ = read_gif(video.save_gif(clip, tmp_path / "clip.gif"))
    assert np.array_equal(pictures, video.frames(clip))


def test_the_background_of_a_gif_of_many_colours_is_exact(tmp_path):
    noise = torch.randint(0, 256, (4, 3, 3, 24, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    pictures, _, _ = read_gif(video.save_gif(noise, tmp_path / "grid.gif", padding=4, background=(250, 251, 247)))
    assert (pictures[:, 24:28] == (250, 251, 247)).all()


@pytest.mark.parametrize("fps", [3, 7, 12, 25, 49])
def test_no_frame_is_lost_at_any_rate(tmp_path, fps):
    """Rates whose frames do not last a whole number of hundredths of a second are among them."""
    pictures, _, _ = read_gif(video.save_gif(moving_squares(num_frames=7)[0], tmp_path / "clip.gif", fps=fps))
    assert len(pictures) == 7


def test_a_batch_becomes_a_grid_with_the_options_given(tmp_path):
    videos = moving_squares(3)
    pictures, _, _ = read_gif(video.save_gif(videos, tmp_path / "grid.gif", columns=3, padding=4))
    assert pictures.shape == (6, 16, 56, 3)


def test_mp4_is_what_browsers_play(tmp_path):
    clip = moving_squares(num_frames=7, height=33, width=47)[0]
    path = video.save_mp4(clip, tmp_path / "clip.mp4", fps=12)
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.pix_fmt == "yuv420p"
        assert stream.average_rate == 12
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    assert pictures.shape == (7, 34, 48, 3), "both sides are even"
    assert np.abs(pictures[:, :33, :47].astype(int) - video.frames(clip)).mean() < 12


def test_mp4_of_one_channel_and_one_frame(tmp_path):
    path = video.save_mp4(torch.zeros(1, 1, 16, 16), tmp_path / "grey.mp4")
    with av.open(path) as container:
        assert len(list(container.decode(video=0))) == 1


def test_png_is_exact_for_pictures_and_tensors(tmp_path):
    image = moving_squares()[0, :, 0]
    for name, source in (("tensor.png", image), ("picture.png", Image.fromarray(image.permute(1, 2, 0).numpy()))):
        with Image.open(video.save_png(source, tmp_path / name)) as read:
            assert np.array_equal(np.asarray(read), image.permute(1, 2, 0).numpy())


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = video.save_gif(moving_squares()[0], tmp_path / "clip.gif")
    before = path.read_bytes()

    def broken(picture, name, **options):
        Path(name).write_bytes(b"half of")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", broken)
    with pytest.raises(OSError, match="disk full"):
        video.save_gif(moving_squares(2), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# Notebooks


def test_show_embeds_an_animated_png_with_alternative_text():
    data, metadata = video.show(moving_squares(4), fps=8, scale=1, labels=list("abcd"))._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "4 videos of 6 frames, looping at 8 frames per second: a, b, c, d"
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.n_frames == 6
        assert image.info["duration"] == 125 and image.info["loop"] == 0


def test_show_says_in_words_what_it_shows_where_there_is_no_picture():
    data, _ = video.show(moving_squares(1), alt="a square that walks to the right")._repr_mimebundle_()
    assert data["text/plain"] == "a square that walks to the right"


def test_show_enlarges_small_videos_so_that_one_can_see_them():
    data, _ = video.show(moving_squares(1))._repr_mimebundle_()
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.size == (112, 112)


@pytest.mark.parametrize(("format", "tag", "signature"), [("gif", "<img ", b"GIF89a"), ("mp4", "<video ", b"ftyp")])
def test_show_embeds_other_formats_in_html(format, tag, signature):
    data, _ = video.show(moving_squares()[0], format=format, alt='a "walking" <square>')._repr_mimebundle_()
    page = data["text/html"]
    assert tag in page
    assert "a &quot;walking&quot; &lt;square&gt;" in page
    encoded = page.split("base64,")[1].split('"')[0]
    assert signature in base64.b64decode(encoded)[:12]


def test_importing_the_module_loads_no_heavy_library():
    code = "import sys, ldvd_lib.video; print([m for m in ('moviepy', 'matplotlib', 'IPython') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# Errors: what was given, what was expected, what to do


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: video.to_uint8(torch.zeros(3, dtype=torch.int64)), "floating point tensor.*int64 tensor of shape"),
        (lambda: video.to_uint8(torch.tensor([0.0, float("nan")])), "1 of 2 values are NaN"),
        (lambda: video.to_uint8(np.zeros(3)), "got ndarray"),
        (lambda: video.to_float(torch.zeros(3)), "uint8 tensor, got a float32"),
        (lambda: video.frames(torch.zeros(1, 3, 4, 8, 8)), r"expected videos \(C, T, H, W\).*\(1, 3, 4, 8, 8\)"),
        (lambda: video.frames(torch.zeros(4, 3, 8, 8)), r"1 or 3 channels.*transpose\(-4, -3\)"),
        (lambda: video.frames(torch.zeros(3, 0, 8, 8)), "nothing to show"),
        (lambda: video.frames(np.zeros((3, 4, 8, 8))), "from_numpy"),
        (lambda: video.grid(torch.zeros(3, 4, 8, 8)), r"videos\[None\]"),
        (lambda: video.grid(torch.full((1, 3, 1, 8, 8), float("inf"))), "NaN or infinite"),
        (lambda: video.grid(torch.zeros(1, 3, 1, 8, 8), scale=1.5), "scale must be a whole number, 1 or more, got 1.5"),
        (lambda: video.grid(torch.zeros(1, 3, 1, 8, 8), columns=0), "columns must be"),
        (lambda: video.grid(torch.zeros(1, 3, 1, 8, 8), padding=-1), "padding must be"),
        (lambda: video.grid(torch.zeros(1, 3, 1, 8, 8), background=(0, 0, 300)), "background must be"),
        (lambda: video.grid(torch.zeros(2, 3, 1, 8, 8), labels=["one"]), "list of 2 texts"),
        (lambda: video.grid(torch.zeros(2, 3, 1, 8, 8), labels="ab"), "list of 2 texts"),
        (lambda: video.contact_sheet(torch.zeros(2, 3, 1, 8, 8), labels=[1, 2]), "list of 2 texts"),
        (lambda: video.contact_sheet(torch.zeros(2, 3, 1, 8, 8), num_frames=0), "num_frames must be"),
        (lambda: video.save_gif(torch.zeros(3, 1, 8, 8), "clip.mp4"), "end in .gif"),
        (lambda: video.save_gif(torch.zeros(3, 1, 8, 8), "clip.gif", fps=0), "fps .* above 0"),
        (lambda: video.save_gif(torch.zeros(3, 1, 8, 8), "clip.gif", fps=60), "save_mp4"),
        (lambda: video.save_mp4(torch.zeros(3, 1, 8, 8), "clip"), "end in .mp4"),
        (lambda: video.save_png(torch.zeros(8, 8), "image.png"), r"\(C, H, W\)"),
        (lambda: video.show(torch.zeros(3, 1, 8, 8), format="webm"), "must be 'png', 'gif' or 'mp4'"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
