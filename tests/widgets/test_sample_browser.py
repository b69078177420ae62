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
from ldvd_lib.data.decode import probe
from ldvd_lib.generators import DVDGANGenerator, MoCoGANGenerator, SSWGANGenerator, TGANGenerator
from ldvd_lib.latents import share_part, spherical_walk, straight_walk
from ldvd_lib.training import sample_videos
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


class Tinted(Waves):
    """Its latents are normal and have two parts; the last number decides where the wave begins."""

    latent_dim = 4

    @property
    def latent_parts(self) -> dict[str, slice]:
        return {"content": slice(0, 3), "motion": slice(3, 4)}

    def sample_latents(self, n: int, *, generator: torch.Generator | None = None) -> torch.Tensor:
        return torch.randn(n, self.latent_dim, generator=generator)

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return super().forward(latents[:, :3]).roll(1, dims=-1) * latents[:, 3:, None, None, None].sigmoid()


class Negative(Waves):
    """The same latents as `Waves`, and the opposite colours."""

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return super().forward(-latents)


def told_generator(num_categories: int = 3) -> DVDGANGenerator:
    """A tiny DVD-GAN: 4 numbers of noise, and a class."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sizes = {"noise_dim": 4, "channels": (4, 4), "temporal": "tgan", "temporal_channels": (4,)}
        return DVDGANGenerator(8, 2, num_categories=num_categories, **sizes).eval()


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


# Truncation


def test_truncation_multiplies_the_latents_and_at_0_there_is_one_video():
    browser = SampleBrowser(Waves(), num_videos=4, seed=2, truncation=0.5)
    drawn = Waves().sample_latents(4, generator=torch.Generator().manual_seed(2))
    assert torch.equal(browser.latents, drawn * 0.5)
    assert "truncation 0.50" in browser.status
    browser.truncation = 0
    assert not browser.latents.any()
    assert torch.equal(browser.videos, browser.videos[:1].expand_as(browser.videos))
    browser.truncation = 1
    assert torch.equal(browser.latents, drawn)


# Walks and shared parts


@pytest.mark.parametrize(("generator", "walk"), [(Waves(), straight_walk), (Tinted(), spherical_walk)])
def test_a_walk_leads_from_one_pick_to_the_other_in_the_way_of_their_distribution(generator, walk):
    samples = SampleBrowser(generator, num_videos=5, seed=1)
    browser = SampleBrowser(generator, num_videos=5, seed=1, grid="walk", first=3)
    assert (browser.first, browser.second) == (3, 4)
    browser.second = 1
    start, end = samples.latents[3], samples.latents[1]
    parts = getattr(generator, "latent_parts", {"latent": slice(None)})
    for part in parts.values():
        if walk is straight_walk or samples.latents[:, part].abs().max() > 1:
            assert torch.allclose(browser.latents[:, part], walk(start[part], end[part], 5))
    assert torch.equal(browser.videos[[0, -1]], samples.videos[[3, 1]])
    assert browser._sample["names"][0] == [
        "video 3",
        "25 % of the way",
        "50 % of the way",
        "75 % of the way",
        "video 1",
    ]
    assert browser.status.endswith("seed 1, walk from video 3 to video 1.")


@pytest.mark.parametrize(("part", "other"), [("content", "motion"), ("motion", "content")])
def test_the_same_part_is_shared_exactly_and_the_others_stay_as_drawn(part, other):
    generator = Tinted()
    samples = SampleBrowser(generator, num_videos=4, seed=1)
    browser = SampleBrowser(generator, num_videos=4, seed=1, grid=f"same {part}", first=2)
    slices = generator.latent_parts
    assert torch.equal(browser.latents, share_part(samples.latents, slices[part], 2))
    assert torch.equal(browser.latents[:, slices[other]], samples.latents[:, slices[other]])
    assert torch.equal(browser.videos[2], samples.videos[2]), "the picked one is in its place"
    assert browser._sample["names"][0][:3] == [f"{other} of video 0", f"{other} of video 1", "video 2"]


def test_the_menu_offers_what_the_latents_have():
    tgan = SampleBrowser(TGANGenerator(8, 2, temporal_channels=(4,), image_channels=4), num_videos=2)
    assert tgan.grids == ["samples", "walk"]
    mocogan = SampleBrowser(MoCoGANGenerator(8, 2, image_channels=4), num_videos=2)
    assert mocogan.grids == ["samples", "walk", "same content", "same motion"]
    assert mocogan._grids["same content"] == "same content, other motion"
    categorical = SampleBrowser(MoCoGANGenerator(8, 2, num_categories=3, image_channels=4), num_videos=3)
    assert categorical.grids[2:] == ["same content", "same motion", "same category", "every class"]
    assert categorical._grids["same content"] == "same content, other motion and class"
    assert categorical._grids["every class"] == "same content and motion, every class"
    categorical.grid = "same category"
    assert len(categorical.latents[:, categorical.generator.latent_parts["category"]].unique(dim=0)) == 1
    told = SampleBrowser(told_generator(), num_videos=3)
    assert told.grids == ["samples", "walk", "same category", "every class"]
    assert told._grids["same category"] == "same class, other noise"
    assert told._grids["every class"] == "same noise, every class"
    assert SampleBrowser(told_generator(), num_videos=1).grids == ["samples", "every class"]
    sizes = {"noise_dim": 4, "num_categories": 3, "channels": (4, 4), "temporal": "tgan"}
    staged = SampleBrowser(SSWGANGenerator(16, 4, 2, window=2, upscaling_channels=(4, 4), **sizes), num_videos=3)
    assert staged.grids == ["samples", "walk", "same stage 1", "same stage 2", "same category", "every class"]
    assert SampleBrowser(Tinted(), num_videos=1).grids == ["samples"], "one sample leads nowhere"


def test_choices_that_come_together_are_drawn_once_and_shown_in_one_message(monkeypatch):
    generator = Tinted()
    browser = SampleBrowser(generator)
    sent = recorded(browser, monkeypatch)
    before = len(generator.modes_seen)
    browser.set_state({"grid": "walk", "first": 4, "second": 2, "truncation": 0.5})
    assert (browser.grid, browser.first, browser.second, browser.truncation) == ("walk", 4, 2, 0.5)
    assert len(generator.modes_seen) == before + 1
    messages = [keys for keys in sent if "_sample" in keys]
    assert len(messages) == 1 and {"_sample", "_sheet", "_answered", "status"} <= messages[0]


# Classes


def test_a_class_that_is_chosen_is_that_of_all_and_the_rest_stays_as_drawn():
    generator = told_generator()
    browser = SampleBrowser(generator, num_videos=4, seed=1, class_names=("jump", "bend", "wave"))
    assert browser.categories == ["as drawn", "jump", "bend", "wave"]
    drawn = browser.latents
    kinds = [("jump", "bend", "wave")[number] for number in drawn[:, 4:].argmax(1)]
    assert browser._sample["names"][0] == [f"video {index}, {kind}" for index, kind in enumerate(kinds)]
    browser.category = "bend"
    assert torch.equal(browser.latents[:, :4], drawn[:, :4])
    assert browser.latents[:, 4:].tolist() == [[0, 1, 0]] * 4
    assert torch.equal(browser.videos, video.to_uint8(sample_videos(generator, latents=browser.latents)))
    assert browser._sample["names"][0][2] == "video 2, bend"
    assert browser.status.endswith("seed 1, class bend.")
    browser.grid, browser.truncation = "walk", 0.5
    assert browser.latents[:, 4:].tolist() == [[0, 1, 0]] * 4, "neither walked nor truncated"
    browser.grid, browser.truncation, browser.category = "samples", 1, "as drawn"
    assert torch.equal(browser.latents, drawn)


@pytest.mark.parametrize("num_videos", [1, 2, 5])
def test_one_noise_is_shown_in_every_class(num_videos):
    browser = SampleBrowser(told_generator(), num_videos=num_videos, seed=1, class_names=["jump", "bend", "wave"])
    drawn = browser.latents
    browser.first = num_videos - 1
    browser.category, browser.grid = "wave", "every class"
    assert torch.equal(browser.latents[:, :4], drawn[-1:, :4].expand(3, -1))
    assert torch.equal(browser.latents[:, 4:], torch.eye(3))
    assert len(browser.videos) == browser._sample["numVideos"] == 3 and browser._sample["numDrawn"] == num_videos
    assert browser._sample["names"] == [["jump", "bend", "wave"]]
    assert browser.status.endswith(f"seed 1, video {num_videos - 1} in every class.")
    assert browser._sample["picked"] == 2, "the class that was chosen"
    browser.category = "as drawn"
    assert browser._sample["picked"] == drawn[-1, 4:].argmax()


def test_a_smaller_grid_closes_an_enlarged_video_that_is_not_in_it():
    browser = SampleBrowser(told_generator(), num_videos=5)
    browser.selected, browser.grid = 4, "every class"
    assert browser.selected is None
    with pytest.raises(traitlets.TraitError, match="selected must be None or 0 to 2, got 3"):
        browser.selected = 3
    browser.selected = 2


def test_classes_are_called_as_the_generator_knows_them_or_by_number():
    generator = told_generator()
    assert SampleBrowser(generator).categories[1:] == ["class 0", "class 1", "class 2"]
    generator.class_names = ("jump", "bend", "wave")
    assert SampleBrowser(generator).categories[1:] == ["jump", "bend", "wave"]
    assert SampleBrowser(generator, class_names=["a", "b", "c"]).categories[1:] == ["a", "b", "c"]
    generator.class_names = ("of", "other data")
    assert SampleBrowser(generator).categories[1:] == ["class 0", "class 1", "class 2"]
    assert SampleBrowser(Waves()).categories == ["as drawn"]


def test_files_are_called_after_the_class_that_they_show(tmp_path):
    browser = SampleBrowser(told_generator(), class_names=["a/b", "c", "d"], category="a/b", save_directory=tmp_path)
    assert browser.save_gif().name == "samples-a-b-seed-0.gif"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"class_names": ["a", "b"]}, "class_names are 2, and the generator has 3 classes"),
        ({"class_names": ["a", "b", "a"]}, r"different words, one for each class, got \['a', 'b', 'a'\]"),
        ({"class_names": [1, 2, 3]}, "different words"),
        ({"category": "bend"}, r"category 'bend' is unknown: .*\['as drawn', 'class 0', 'class 1', 'class 2'\]"),
        ({"generator": Waves(), "class_names": ["a"]}, "no generator is told a class"),
        ({"generator": Waves(), "grid": "every class"}, "grid 'every class' is unknown"),
    ],
)
def test_classes_that_there_are_not_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SampleBrowser(**{"generator": told_generator(), **arguments})


# Several generators


def test_generators_are_compared_on_equal_latents_in_one_sheet():
    generators = {"waves": Waves(), "negative": Negative()}
    browser = SampleBrowser(generators, num_videos=4, seed=5)
    alone = SampleBrowser(Waves(), num_videos=4, seed=5)
    assert torch.equal(browser.latents, alone.latents)
    assert list(browser.videos_by_label) == browser._sample["models"] == ["waves", "negative"]
    assert browser.videos is browser.videos_by_label["waves"]
    for label, generator in generators.items():
        assert torch.equal(browser.videos_by_label[label], video.to_uint8(generator(browser.latents)))
    both = torch.cat(list(browser.videos_by_label.values()))
    expected = SampleBrowser(Waves(), num_videos=8)  # only for the place of the frames
    columns = expected._sample["sheetColumns"]
    sheet = decode(browser._sheet)
    for index in range(8):
        for time, picture in enumerate(video.frames(both[index])):
            row, column = divmod(index * 5 + time, columns)
            assert np.array_equal(sheet[row * 8 : row * 8 + 8, column * 12 : column * 12 + 12], picture)


def test_every_choice_counts_for_all_generators():
    browser = SampleBrowser({"a": Tinted(), "b": Tinted()}, num_videos=4)
    browser.grid, browser.first, browser.truncation, browser.seed = "same content", 3, 0.5, 8
    assert torch.equal(*browser.videos_by_label.values())
    assert len(browser.latents[:, :3].unique(dim=0)) == 1


class Normal(Waves):
    def sample_latents(self, n, *, generator=None):
        return torch.randn(n, self.latent_dim, generator=generator)


class Swapped(Tinted):
    @property
    def latent_parts(self) -> dict[str, slice]:
        return {"motion": slice(0, 1), "content": slice(1, 4)}


@pytest.mark.parametrize(
    ("one", "other", "notes"),
    [
        (Waves(), Negative(), ["latents: 3 numbers", "the same latents as a"]),
        (Waves(), Normal(), ["latents: 3 numbers", "latents of its own: 3 numbers"]),
        (Waves(), Tinted(), ["latents: 3 numbers", "latents of its own: content 3, motion 1"]),
        (Tinted(), Swapped(), ["latents: content 3, motion 1", "latents of its own: motion 1, content 3"]),
    ],
)
def test_where_latents_differ_each_generator_has_its_own_of_the_seed_and_the_screen_says_so(one, other, notes):
    browser = SampleBrowser({"a": one, "b": other}, num_videos=4, seed=5)
    assert browser._sample["notes"] == notes
    assert browser.latents is browser.latents_by_label["a"]
    for label, generator in browser.generators.items():
        alone = SampleBrowser(generator, num_videos=4, seed=5)
        assert torch.equal(browser.latents_by_label[label], alone.latents)
        assert torch.equal(browser.videos_by_label[label], alone.videos)


def test_a_part_that_all_have_is_shared_wherever_it_lies():
    browser = SampleBrowser({"a": Tinted(), "b": Swapped()}, num_videos=4, grid="same content", first=1)
    assert browser.grids == ["samples", "walk", "same content", "same motion"]
    for label, content in {"a": slice(0, 3), "b": slice(1, 4)}.items():
        assert len(browser.latents_by_label[label][:, content].unique(dim=0)) == 1
        assert len(browser.latents_by_label[label].unique(dim=0)) == 4
    assert SampleBrowser({"a": Tinted(), "b": Waves()}).grids == ["samples", "walk"], (
        "a part that one has is not offered"
    )


def test_a_class_is_asked_of_all_that_are_told_one():
    generators = {
        "dvd": told_generator(),
        "mocogan": MoCoGANGenerator(8, 2, num_categories=3, image_channels=4).eval(),
        "untold": DVDGANGenerator(8, 2, noise_dim=4, channels=(4, 4), temporal="tgan", temporal_channels=(4,)).eval(),
    }
    names = ["jump", "bend", "wave"]
    browser = SampleBrowser(generators, num_videos=2, class_names=names, category="wave")
    asked = {label: generator.classes(browser.latents_by_label[label]) for label, generator in generators.items()}
    assert asked["dvd"].tolist() == asked["mocogan"].tolist() == [2, 2] and asked["untold"] is None
    assert browser._sample["names"] == [["video 0, wave", "video 1, wave"]] * 2 + [["video 0", "video 1"]]
    assert browser.grids == ["samples", "walk"], "one has no class to share or to show all of"
    del generators["untold"]
    browser = SampleBrowser(generators, num_videos=2, class_names=names, grid="every class")
    assert browser.grids == ["samples", "walk", "same category", "every class"]
    assert browser._grids["same category"] == "same class, other noise / content and motion"
    assert browser._sample["names"] == [names, names]
    for label, generator in generators.items():
        assert generator.classes(browser.latents_by_label[label]).tolist() == [0, 1, 2]


def test_classes_of_two_data_sets_have_no_menu_and_each_video_says_its_own():
    one, other = told_generator(), told_generator(2)
    one.class_names = ("jump", "bend", "wave")
    browser = SampleBrowser({"one": one, "other": other}, num_videos=3)
    assert browser.categories == ["as drawn"]
    assert browser.grids == ["samples", "walk", "same noise", "same category"]
    first, second = browser._sample["names"]
    assert all(name.split(", ")[1] in one.class_names for name in first)
    assert all(name.split(", ")[1] in ("class 0", "class 1") for name in second)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Waves(height=16), r"of one shape, got \{'a': \(3, 5, 8, 12\), 'b': \(3, 5, 16, 12\)\}"),
        (object(), "sample_latents.*got object"),
    ],
)
def test_what_cannot_be_compared_is_refused(other, message):
    with pytest.raises(ValueError, match=message):
        SampleBrowser({"a": Waves(), "b": other})


# What is sent to the web browser


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


@pytest.mark.parametrize(("models", "num_videos", "columns"), [(1, 9, 4), (2, 9, 3), (2, 1, 3), (2, 16, 4)])
def test_a_video_for_each_class_leaves_two_grids_room_beside_each_other(models, num_videos, columns):
    generators = {str(number): told_generator(12) for number in range(models)}
    browser = SampleBrowser(generators, num_videos=num_videos, grid="every class")
    assert browser._layout["columns"] == columns


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


def test_a_film_holds_every_frame_and_is_called_after_what_it_shows(tmp_path):
    browser = SampleBrowser(Tinted(), num_videos=4, scale=2, save_directory=tmp_path, grid="same content", fps=60)
    press(browser, {"type": "save_mp4"})
    path = tmp_path / "same-content-seed-0.mp4"
    assert browser.saved_path == str(path) and str(path) in browser.status
    info = probe(path)
    assert (info.num_frames, info.width, info.height) == (5, 2 * 24 + 2, 2 * 16 + 2)


def test_two_grids_are_saved_beside_each_other_with_their_labels(tmp_path):
    browser = SampleBrowser({"waves": Waves(), "negative": Negative()}, num_videos=4, scale=4, save_directory=tmp_path)
    single = SampleBrowser(Waves(), num_videos=4, scale=4, save_directory=tmp_path)
    with Image.open(browser.save_gif()) as both, Image.open(single.save_gif()) as alone:
        assert both.n_frames == alone.n_frames == 5
        assert both.width == 2 * alone.width + 12
        strip = both.height - alone.height
        assert strip > 10, "room for the labels"
        picture = np.asarray(both.convert("RGB"), dtype=int)
        assert np.ptp(picture[:strip, : alone.width]) > 100, "and they are there"
        assert np.abs(picture[strip:, : alone.width] - np.asarray(alone.convert("RGB"))).mean() < 8


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
        ({"truncation": 1.1}, "truncation must be from 0"),
        ({"grid": "same content"}, r"grid 'same content' is unknown: .* choices are \['samples', 'walk'\]"),
        ({"first": 9}, "first must be a whole number, 0 to 8"),
        ({"second": -1}, "second must be"),
        ({"generator": {}}, "from labels to generators"),
        ({"generator": {1: Waves()}}, "from labels to generators"),
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


def test_a_choice_that_fails_is_answered_and_the_next_one_tried(caplog):
    generator = Waves()
    browser = SampleBrowser(generator, seed=3)
    generator.gain.data.fill_(float("nan"))
    with caplog.at_level(logging.CRITICAL, "ldvd_lib.widgets.sample_browser"):
        browser.set_state({"grid": "walk", "second": 4})
    assert browser.status.startswith("Seed 3, walk from video 0 to video 4 failed, still showing seed 3. ValueError")
    assert (browser._answered["grid"], browser._sample["grid"]) == ("walk", "samples")
    generator.gain.data.fill_(1)
    browser.grid = "samples"
    assert not browser._failed and browser.status.endswith("seed 3.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("fps", 0),
        ("selected", 9),
        ("selected", -1),
        ("truncation", 2),
        ("first", 9),
        ("grid", "faces"),
        ("category", "a"),
    ],
)
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


def test_the_picture_of_two_generators_has_rows_of_both():
    browser = SampleBrowser({"one": Waves(), "other": Negative()}, num_videos=6, grid="walk")
    data, metadata = browser._repr_mimebundle_()
    assert data["text/plain"] == "SampleBrowser(one: Waves, other: Negative, num_videos=6, seed=0)"
    alt = metadata["image/png"]["alt"]
    assert alt.startswith("4 of 6 videos by each of one and other sampled with seed 0, walk from video 0 to video 5;")
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as image:
        assert image.height == 8 * 8 * 5 + 7 * 2


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
