"""The brief, designs and their scores."""

import dataclasses
import json
from unittest.mock import Mock

import pytest

from ldvd_lib import zoo
from ldvd_lib._kit.configuration import from_dict
from ldvd_lib.classroom import capstone
from ldvd_lib.classroom.capstone import BRIEF, Design, Entry
from ldvd_lib.data import ClipStore, prepare, ucf101
from ldvd_lib.runs.sources import describe_store

TGAN_F = ("2+1d", "2+1d", "2d", "2d")


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("tgan", ["parameters 692,160 over the limit of 200,000"]),
        ("tgan-f", []),
        ("tgan-tsm", ["multiply-adds 28,312,064 over the limit of 21,000,000"]),
    ],
)
def test_of_the_papers_three_designs_one_keeps_the_brief(name, broken):
    design = Design(name, zoo.config(name).discriminators["video"].options["kinds"])
    assert list(BRIEF.violations(design.anatomy())) == broken
    its_own = dataclasses.replace(zoo.config(name), name="capstone")
    assert design.config() == its_own, "without options and changes it is the zoo's"


def test_an_entry_is_held_to_its_curvature_too(entry):
    calm, sharp = (dataclasses.replace(entry, curvatures=(c, c)) for c in (BRIEF.curvature, BRIEF.curvature + 1))
    assert BRIEF.violations(calm) == ()
    assert BRIEF.violations(sharp) == ("curvature 41.0 over the limit of 40.0",)


def test_options_and_recipe_reach_the_networks():
    design = Design("mine", TGAN_F, {"base_channels": 12}, {"generator_rate": 3e-4})
    gan = design.config().build()
    assert sum(p.numel() for p in gan.discriminators.parameters()) == design.anatomy().parameters < 178_880
    assert (gan.recipe.generator_rate, gan.recipe.discriminator_rate) == (3e-4, 1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((TGAN_F, {"image_size": 64}), "the clips are given"),
        ((TGAN_F, {}, {"batch_size": 64}), "all designs see the same data"),
        ((TGAN_F, {"colour": 3}), "colour"),
        ((("3d",) * 5,), "layer c4"),
        ((("4d",),), "layer c0"),
        (((),), "kinds is empty"),
        ((TGAN_F, {}, {"loss": "l7"}), "l7"),
    ],
)
def test_an_impossible_design_is_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        Design("x", *arguments)


@pytest.fixture
def entry() -> Entry:
    anatomy = Design("mine", TGAN_F).anatomy()
    costs = {name: getattr(anatomy, name) for name in ("parameters", "multiply_adds", "activation_bytes")}
    return Entry(
        design=Design("mine", TGAN_F, {"shift_fraction": 0.125}),
        **costs,
        frames=10,
        seeds=(0, 1),
        scores=(300.0, 400.0),
        curvatures=(10.0, 30.0),
        seconds=0.1,
        steps=BRIEF.steps,
        samples=BRIEF.samples,
        protocol="actions-v1",
        real="windows",
        budget="full",
    )


def test_score_and_curvature_are_means_over_the_seeds(entry):
    assert (entry.score, entry.curvature) == (350, 20)


def test_an_entry_survives_json(entry):
    assert from_dict(Entry, json.loads(json.dumps(dataclasses.asdict(entry)))) == entry


def test_the_key_is_the_designs_whatever_its_name(entry):
    def key(**changes):
        return dataclasses.replace(entry, design=dataclasses.replace(entry.design, **changes)).key

    assert key(name="another name") == entry.key == dataclasses.replace(entry, scores=(1.0,), date="today").key
    other_keys = {
        key(kinds=("3d", *TGAN_F[1:])),
        key(options={}),
        key(recipe={"svc_every": 5}),
        dataclasses.replace(entry, budget="quick").key,
    }
    assert len(other_keys | {entry.key}) == 5


@pytest.mark.slow
def test_a_run_is_scored_and_not_trained_again(tiny_actions, tmp_path, monkeypatch):
    monkeypatch.setenv("LDVD_WORKSPACE", str(tmp_path))
    monkeypatch.setattr(capstone, "BRIEF", dataclasses.replace(BRIEF, probes=2))  # a probe takes longer than the steps
    prepared = prepare(ucf101.index(tiny_actions), tmp_path / "clips", image_size=32, progress=False)
    clips = ClipStore.from_clips(list(prepared))  # in memory: of no subset, and nowhere on the disk
    design, short = Design("mine", TGAN_F), {"steps": 8, "seeds": (5,), "samples": 16, "progress": False}
    entry, runs = capstone.score(design, clips, **short)
    assert (entry.seeds, entry.steps, entry.samples, len(entry.scores)) == ((5,), 8, 16, 1)
    assert (entry.parameters, entry.frames) == (178_880, 10)
    assert entry.real == f"32 {describe_store(clips)}, seed 100"
    assert entry.score > 0 and entry.curvature > 0 and entry.seconds > 0
    assert [run.spectrum()["video"]["step"].tolist() for run in runs] == [[4, 8]]
    seconds = runs[0].metrics()["seconds"]
    renamed_entry, runs = capstone.score(dataclasses.replace(design, name="renamed"), clips, **short)
    assert (renamed_entry.scores, renamed_entry.curvatures, renamed_entry.key) == (
        entry.scores,
        entry.curvatures,
        entry.key,
    )
    assert (runs[0].metrics()["seconds"] == seconds).all()

    monkeypatch.setenv("LDVD_BUDGET", "quick")
    probe = Mock(side_effect=RuntimeError("is not trained here"))
    monkeypatch.setattr(capstone, "SpectrumProbe", probe)
    with pytest.raises(RuntimeError, match="is not trained here"):
        capstone.score(design, clips, **short)
    assert probe.call_args.kwargs["every"] == 8, "one at the end is enough to see that everything runs"
