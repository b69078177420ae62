"""The Python side of the sample browser; its other side is driven in tests/browser/test_sample_browser.py."""

import base64
import io
import logging

import nbformat
import numpy as np
import pytest
import torch
import traitlets
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image
from torch import nn

from ldvd_lib import video
from ldvd_lib.widgets import SampleBrowser


class Waves(nn.Module):
    """A tiny generator: each video is a wave whose colour is its latent vector and which moves by a pixel a frame."""

    latent_dim = 3

    def __init__(self, num_frames: int = 5, height: int = 8, width: int = 12) -> None:
        super().__init__()
        self.num_frames, self.height, self.width = num_frames, height, width
        self.gain = nn.Parameter(torch.ones(()))
        self.frozen = nn.BatchNorm3d(3).eval()
        self.modes_seen: list[tuple[bool, bool]] = []

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> torch.Tensor:
        return torch.rand(n, self.latent_dim, generator=generator) * 2 - 1

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        self.modes_seen.append((self.training, torch.is_grad_enabled()))
        phase = torch.arange(self.width) - torch.arange(self.num_frames)[:, None, None] + torch.zeros(self.height, 1)
        wave = torch.cos(phase * 6.283 / self.width)  # (T, H, W)
        return latents[:, :, None, None, None] * wave * self.gain


def decode(sheet: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(sheet)) as picture:
        assert picture.format == "WEBP"
        return np.asarray(picture.convert("RGB"))


def press(browser: SampleBrowser, message: dict) -> None:
    """What the front end's message does."""
    browser._handle_custom_msg(message, [])


def recorded(browser: SampleBrowser, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The names of the traits in each update that Python sends from now on."""
    sent = []

    def send(data: dict, **options) -> None:
        if data["method"] == "update":
            sent.append(set(data["state"]) | {path[0] for path in data["buffer_paths"]})

    monkeypatch.setattr(browser.comm, "send", send)
    return sent


# Sampling


def test_the_seed_decides_the_latents_and_the_videos_belong_to_them():
    generator = Waves()
    browser = SampleBrowser(generator, num_videos=4, seed=7)
    expected = generator.sample_latents(4, generator=torch.Generator().manual_seed(7))
    assert torch.equal(browser.latents, expected)
    assert torch.equal(browser.videos, video.to_uint8(generator(expected)))
    assert not torch.equal(SampleBrowser(generator, num_videos=4, seed=8).latents, expected)


def test_sampling_needs_no_gradient_runs_in_evaluation_mode_and_puts_every_mode_back():
    generator = Waves().train()
    generator.frozen.eval()
    SampleBrowser(generator)
    assert generator.modes_seen == [(False, False)]
    assert generator.training and not generator.frozen.training


def test_anything_that_keeps_to_the_protocol_will_do():
    class Plain:
        def sample_latents(self, n, *, generator=None):
            return torch.zeros(n, 1)

        def __call__(self, latents):
            return torch.zeros(len(latents), 1, 2, 4, 4)

    browser = SampleBrowser(Plain(), num_videos=2)
    assert browser.videos.shape == (2, 1, 2, 4, 4)
    assert decode(browser._sheet).shape == (8, 8, 3), "the web browser gets colours even of grey videos"


def test_latents_take_the_type_of_the_parameters():
    browser = SampleBrowser(Waves().double(), num_videos=2)
    assert browser.latents.dtype == torch.float32
    assert browser.videos.dtype == torch.uint8


def test_resample_goes_on_to_the_next_seed():
    browser = SampleBrowser(Waves(), seed=3)
    browser.resample()
    assert browser.seed == 4
    assert torch.equal(browser.latents, SampleBrowser(Waves(), seed=4).latents)
    assert "seed 4" in browser.status


# What travels to the web browser


def test_the_sheet_holds_every_frame_exactly_where_the_description_says():
    browser = SampleBrowser(Waves(), num_videos=6)
    sheet, sample = decode(browser._sheet), browser._sample
    assert (sample["numVideos"], sample["numFrames"], sample["height"], sample["width"]) == (6, 5, 8, 12)
    for index in range(6):
        for time, picture in enumerate(video.frames(browser.videos[index])):
            row, column = divmod(index * 5 + time, sample["sheetColumns"])
            assert np.array_equal(sheet[row * 8 : row * 8 + 8, column * 12 : column * 12 + 12], picture)


def test_a_new_sample_is_one_message_with_the_picture_and_its_description(monkeypatch):
    browser = SampleBrowser(Waves())
    sent = recorded(browser, monkeypatch)
    browser.seed = 5
    messages = [keys for keys in sent if "_sample" in keys or "_sheet" in keys]
    assert len(messages) == 1
    assert {"_sample", "_sheet", "status"} <= messages[0]


def test_playing_scrubbing_and_selecting_make_python_send_nothing(monkeypatch):
    browser = SampleBrowser(Waves())
    sent = recorded(browser, monkeypatch)
    browser.set_state({"playing": False, "selected": 2, "fps": 24})
    assert (browser.playing, browser.selected, browser.fps) == (False, 2, 24)
    assert sent == []


def test_layout_follows_the_arguments_or_fits_the_videos():
    assert SampleBrowser(Waves(), num_videos=5)._layout == {"columns": 3, "scale": 9}
    assert SampleBrowser(Waves(), num_videos=5, columns=2, scale=4)._layout == {"columns": 2, "scale": 4}
    assert SampleBrowser(Waves(), num_videos=2, columns=7)._layout["columns"] == 2


# Saving


def test_the_button_saves_the_grid_and_says_where(tmp_path):
    browser = SampleBrowser(Waves(), num_videos=4, seed=2, scale=2, save_directory=tmp_path / "new")
    press(browser, {"type": "save_gif"})
    path = tmp_path / "new" / "samples-seed-2.gif"
    assert browser.saved_path == str(path)
    assert str(path) in browser.status
    with Image.open(path) as image:
        assert image.n_frames == 5
        assert image.size == (2 * 24 + 2, 2 * 16 + 2)


def test_saving_again_keeps_the_earlier_file(tmp_path):
    browser = SampleBrowser(Waves(), save_directory=tmp_path)
    names = [browser.save_gif().name for _ in range(3)]
    assert names == ["samples-seed-0.gif", "samples-seed-0-2.gif", "samples-seed-0-3.gif"]
    assert browser.save_gif(tmp_path / "mine.gif") == tmp_path / "mine.gif"


def test_a_save_that_fails_says_so(tmp_path, caplog):
    (tmp_path / "occupied").write_text("a file, no directory")
    browser = SampleBrowser(Waves(), save_directory=tmp_path / "occupied" / "deeper")
    with caplog.at_level(logging.CRITICAL, "ldvd_lib.widgets.sample_browser"):
        press(browser, {"type": "save_gif"})
    assert browser.status.startswith("The GIF could not be saved. NotADirectoryError")
    assert browser._failed
    assert browser.saved_path == ""


# Errors


def test_a_seed_that_fails_says_so_and_keeps_the_last_sample(caplog):
    generator = Waves()
    browser = SampleBrowser(generator, seed=0)
    before = browser.videos
    generator.gain.data.fill_(float("nan"))
    with caplog.at_level(logging.CRITICAL, "ldvd_lib.widgets.sample_browser"):
        browser.seed = 1
    assert browser.status.startswith("Seed 1 failed, still showing seed 0. ValueError:")
    assert "NaN" in browser.status
    assert browser._failed and browser.videos is before
    generator.gain.data.fill_(1)
    browser.seed = 2
    assert not browser._failed and "seed 2" in browser.status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generator": object()}, "sample_latents.*got object"),
        ({"num_videos": 0}, "num_videos must be a whole number, 1 or more, got 0"),
        ({"columns": 1.5}, "columns must be"),
        ({"scale": 0}, "scale must be"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"fps": 0}, "fps .* from 1 to 60"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        SampleBrowser(**{"generator": Waves(), **arguments})


def test_a_generator_of_something_else_than_videos_is_refused():
    class Images(Waves):
        def forward(self, latents):
            return super().forward(latents)[:, :, 0]

    with pytest.raises(ValueError, match=r"9 videos \(N, C, T, H, W\), got shape \(9, 3, 8, 12\)"):
        SampleBrowser(Images())


@pytest.mark.parametrize(("name", "value"), [("seed", -1), ("fps", 0), ("selected", 9), ("selected", -1)])
def test_traits_refuse_what_the_controls_do_not_offer(name, value):
    with pytest.raises(traitlets.TraitError):
        setattr(SampleBrowser(Waves()), name, value)


# Readers without a kernel


def test_the_output_holds_the_widget_and_a_picture_with_alternative_text():
    data, metadata = SampleBrowser(Waves(), num_videos=12, seed=6)._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert data["text/plain"] == "SampleBrowser(Waves, num_videos=12, seed=6)"
    assert metadata["image/png"]["alt"].startswith("The first 9 of 12 videos sampled with seed 6")
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.height == 9 * 8 * 5 + 8 * 2


@pytest.mark.slow
@pytest.mark.parametrize("with_state", [True, False])
def test_a_notebook_run_without_a_screen_converts_to_the_widget_or_to_its_picture(with_state, tmp_path):
    code = (
        "import torch\n"
        "from ldvd_lib.widgets import SampleBrowser\n"
        "class Grey:\n"
        "    def sample_latents(self, n, *, generator=None):\n"
        "        return torch.rand(n, 1, 1, 1, 1, generator=generator)\n"
        "    def __call__(self, latents):\n"
        "        return latents.expand(-1, 3, 4, 8, 8)\n"
        "browser = SampleBrowser(Grey(), num_videos=2)\n"
        "browser"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=with_state,
        resources={"metadata": {"path": tmp_path}},
    )
    client.execute()
    (output,) = notebook.cells[0].outputs
    model_id = output.data["application/vnd.jupyter.widget-view+json"]["model_id"]
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert ("image/png;base64" in page.split("</head>")[-1]) is not with_state
    assert (model_id in page) is with_state
