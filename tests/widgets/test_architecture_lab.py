"""The Python side of the architecture lab; its other side is driven in tests/browser/test_architecture_lab.py."""

import base64
import io
import itertools
import json

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from ldvd_lib import anatomy, zoo
from ldvd_lib.blocks import LAYER_KINDS
from ldvd_lib.data import ClipStore
from ldvd_lib.runs import Run
from ldvd_lib.widgets import ArchitectureLab
from ldvd_lib.widgets._designs import DESIGNS


def shown(lab: ArchitectureLab, label: str) -> dict:
    return next(figure for figure in lab._design["figures"] if figure["label"] == label)


# What it shows


@pytest.mark.parametrize("preset", zoo.PRESETS)
@pytest.mark.parametrize("name", DESIGNS)
def test_the_zoos_designs_are_the_zoos(name, preset):
    lab = ArchitectureLab(name, preset=preset)
    config = zoo.config(name, preset)
    assert lab.config == config
    expected = anatomy.dissect(config.build().discriminators["video"], name=name)
    assert lab.anatomy == expected
    assert lab._design["cells"] == [list(row) for row in expected.cells()]


def test_the_papers_numbers_of_parameters():
    lab = ArchitectureLab("tgan-f", preset="paper")
    assert shown(lab, "parameters")["value"] == "2,847,488"
    assert shown(lab, "parameters")["reference"] == "11,032,320"
    assert shown(lab, "parameters")["ratio"] == "0.258 ×"


@pytest.mark.slow
def test_every_stack_of_three_layers_has_numbers_that_add_up():
    lab = ArchitectureLab()
    for kinds in itertools.product(LAYER_KINDS, repeat=3):
        lab.kinds = list(kinds)
        assert lab._design["choices"][0] == list(kinds)
        assert shown(lab, "parameters")["value"] == f"{lab.anatomy.parameters:,}"
        for index in range(3):
            assert sum(part["shares"][index]["percent"] for part in lab._design["parts"][1:]) == pytest.approx(100)


def test_the_receptive_field_is_capped_by_the_video():
    lab = ArchitectureLab("tgan")
    assert (shown(lab, "frames seen")["value"], shown(lab, "pixels seen")["value"]) == (
        "all 16 (reaches 46)",
        "all 32 (reaches 46)",
    )
    lab.kinds = ["2d", "2+1d"]
    assert (shown(lab, "frames seen")["value"], shown(lab, "pixels seen")["value"]) == ("4 of 16", "10 of 32")
    assert lab._design["parts"][2]["sees"] == ["sees 4 frames", "and 10 pixels"]


def test_widths_are_multiples_of_the_presets_channels():
    lab = ArchitectureLab(width=0.5)
    assert lab.base_channels == 8
    lab.preset = "paper"
    assert lab.base_channels == 32
    assert lab.build().discriminators["video"].layers[0][0].out_channels == 32


def test_limits_hold_at_lite_size():
    lab = ArchitectureLab("tgan", limits={"parameters": 692_159, "multiply_adds": 30_000_000})
    assert shown(lab, "parameters")["isOver"] and not shown(lab, "multiply-adds")["isOver"]
    assert shown(lab, "multiply-adds")["limit"] == "30.0 M"
    assert "Over the limit: parameters." in lab.status
    lab.preset = "paper"
    assert not any(figure["limit"] for figure in lab._design["figures"])


def test_looking_at_designs_draws_no_random_number():
    before = torch.get_rng_state()
    lab = ArchitectureLab(["3d", "shift", "2+1d"])
    lab.kinds = ["2d"]
    assert torch.equal(torch.get_rng_state(), before)


def test_what_travels_is_json():
    state = ArchitectureLab().get_state()
    json.dumps({name: state[name] for name in ("_design", "_choices", "kinds")}, allow_nan=False)


# Choosing


def test_the_recipe_suits_the_layers():
    assert ArchitectureLab(["3d", "2d", "2d", "2d"]).config.recipe.discriminator_rate == 1e-2
    assert ArchitectureLab(["2+1d"] * 4).config.recipe.generator_rate == 5e-4
    assert ArchitectureLab(["3d"] * 4).config.recipe == zoo.config("tgan").recipe
    assert ArchitectureLab(["2d"] * 4, preset="paper").config.recipe == zoo.config("tgan", "paper").recipe


def test_a_choice_of_the_browser_is_answered_with_its_numbers():
    lab = ArchitectureLab()
    lab.set_state({"kinds": ["3d", "2d"], "reference": "tgan-c0", "_failed": False})
    assert lab._design["choices"] == [["3d", "2d"], "lite", 1.0, "tgan-c0"]
    ratio = lab.anatomy.parameters / ArchitectureLab("tgan-c0").anatomy.parameters
    assert lab.status == f"3d · 2d at lite size: {lab.anatomy.parameters:,} parameters, {ratio:.3g} × those of tgan-c0."
    lab.set_state({"width": 2})  # JavaScript has one kind of number
    assert lab._design["choices"][2] == 2.0


def test_an_impossible_stack_is_explained_and_the_last_one_stays():
    lab = ArchitectureLab()
    design = lab._design
    lab.kinds = ["3d"] * 5
    assert lab._failed
    assert "impossible: layer c4 ('3d') needs more frames than the 1 that reach it" in lab.status
    assert lab.status.endswith("Still on show: tgan-f at lite size.")
    assert lab._design == design
    with pytest.raises(ValueError, match="layer c4"):
        lab.build()
    lab.kinds = ["2+1d", "2+1d", "2d", "2d"]
    assert not lab._failed and "178,880" in lab.status


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kinds", ["4d"], r"layer c0 '4d' is unknown: the choices are \['3d'"),
        ("kinds", [], "1 to 6 layers, got 0"),
        ("kinds", ["2d"] * 7, "1 to 6 layers, got 7"),
        ("preset", "large", "preset"),
        ("width", 0.3, "width is 0.3, but must be one of"),
        ("reference", "gan", "reference"),
    ],
)
def test_what_is_not_there_cannot_be_chosen(name, value, message):
    lab = ArchitectureLab()
    before = getattr(lab, name)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(lab, name, value)
    assert getattr(lab, name) == before
    with pytest.raises(ValueError, match=message):
        ArchitectureLab(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": "tgan-g"}, "the design 'tgan-g' is unknown: did you mean 'tgan"),
        ({"kinds": ["3d"] * 5}, "layer c4"),
        ({"limits": {"seconds": 3}}, "the limit 'seconds' is unknown: the choices are"),
        ({"steps": 0}, "steps must be a whole number, 1 or more"),
    ],
)
def test_the_constructor_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        ArchitectureLab(**arguments)


# Without a kernel


def test_a_picture_stands_in_and_says_the_numbers():
    data, metadata = ArchitectureLab("tgan-f", preset="paper")._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.format == "PNG" and picture.width > 600
    alt = metadata["image/png"]["alt"]
    for part in ("tgan-f at paper size", "c3 2d, 512×4×4×4", "parameters 2,847,488", "0.258 × the parameters of tgan"):
        assert part in alt


def test_the_picture_is_of_the_design_on_show():
    lab = ArchitectureLab("tgan-f")
    lab.kinds = ["3d"] * 5
    assert "tgan-f at lite size" in lab._still_picture()[1]


def test_bench_and_monitor_are_shown_as_one():
    lab = ArchitectureLab()
    data, _ = lab._repr_mimebundle_()
    assert lab._bench_and_monitor.children == (lab,)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab._bench_and_monitor.model_id


# Training


@pytest.fixture
def lab(tmp_path) -> ArchitectureLab:
    """A lab with noise to train on."""
    noise = np.random.default_rng(0).integers(0, 256, (3, 18, 32, 32, 3), dtype=np.uint8)
    return ArchitectureLab(["2+1d", "2d"], width=0.25, store=ClipStore.from_clips(noise), directory=tmp_path)


def weights(lab: ArchitectureLab) -> dict[str, torch.Tensor]:
    return lab.monitor.run.gan().state_dict()


@pytest.mark.slow
def test_training_leaves_a_run_of_what_was_chosen_whatever_the_menus_do_meanwhile(lab, tmp_path):
    monitor = lab.train(2)
    assert monitor is lab.monitor and lab.steps == 2
    assert lab._bench_and_monitor.children == (lab, monitor)
    assert lab._training and "Training 2+1d · 2d for 2 steps" in lab.status
    with pytest.raises(RuntimeError, match="a training is under way"):
        lab.train(2)
    for kinds in (["3d"], ["shift", "2d", "2d"], ["2+1d", "2d"]):
        lab.kinds = kinds
    assert monitor.wait(60) == "finished"
    assert not lab._training
    run = Run.open(tmp_path / "lab-f-2d-0.25x")
    assert run.config.model == lab.config
    assert run.newest_step == 2 and len(run.sample_files) == 2
    undisturbed = weights(lab)

    second_monitor = lab.train(2)
    assert second_monitor.wait(60) == "finished"
    assert second_monitor.trainer.directory == tmp_path / "lab-f-2d-0.25x-2"
    assert lab._bench_and_monitor.children == (lab, second_monitor)
    assert all(torch.equal(value, undisturbed[name]) for name, value in weights(lab).items())


@pytest.mark.slow
def test_training_is_at_lite_size_whatever_is_shown(lab):
    lab.preset = "paper"
    monitor = lab.train(1)
    assert monitor.wait(60) == "finished"
    assert monitor.run.config.model.preset == "lite"
    assert monitor.run.gan().image_size == 32
    assert (lab.preset, lab.base_channels) == ("paper", 16)


def test_a_failing_start_is_said_to_the_browser_and_raised_to_python(lab, tmp_path):
    lab.kinds = ["2d"] * 6
    with pytest.raises(ValueError, match="layer c5"):
        lab.train(1)
    lab._on_message(lab, {"type": "train", "steps": 1}, [])
    assert lab._failed and "The training could not start. ValueError: layer c5" in lab.status
    assert not lab._training and lab.monitor is None
    assert not list(tmp_path.iterdir())
